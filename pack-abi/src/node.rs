//! One node of a checked buffer: what it is, where it is, what belongs to it.

use core::ops::Range;

use crate::cursor::Cursor;
use crate::view::{View, links_of};
use crate::{Decode, DecodeError, DecodeErrorKind, Kind, NODE_HEADER_BYTES};

/// One node of a [`View`].
#[derive(Clone, Copy)]
pub struct NodeRef<'a, 'v> {
    view: &'v View<'a>,
    index: u32,
}

impl<'a, 'v> NodeRef<'a, 'v> {
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) const fn new(view: &'v View<'a>, index: u32) -> Self {
        Self { view, index }
    }

    /// Returns what the node is.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.view.entry(self.index).kind
    }

    /// Returns the place of the node in the buffer's order, counted from 0.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Returns the offset of the node in the buffer.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.view.entry(self.index).offset as usize
    }

    /// Returns the bytes that the node itself occupies, header included.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let entry = self.view.entry(self.index);
        let start = entry.offset as usize;
        start..start + NODE_HEADER_BYTES + entry.length as usize
    }

    /// Returns the bytes that the node and all below it occupy.
    #[must_use]
    pub fn subtree_range(&self) -> Range<usize> {
        let first = self.view.entry(self.view.entry(self.index).first);
        first.offset as usize..self.range().end
    }

    /// Returns the indices of the nodes of the subtree; the last is this node's own.
    #[must_use]
    pub fn subtree_nodes(&self) -> Range<u32> {
        self.view.entry(self.index).first..self.index + 1
    }

    /// Returns the payload: what follows the node header.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let entry = self.view.entry(self.index);
        let start = entry.offset as usize + NODE_HEADER_BYTES;
        // `scan` has checked the lengths; a guest shall not carry what a panic needs.
        self.view.bytes().get(start..start + entry.length as usize).unwrap_or_default()
    }

    /// Reads the subtree as a value of a Rust type.
    ///
    /// # Errors
    ///
    /// If it is a value of another type.
    pub fn decode<T: Decode<'a>>(&self) -> Result<T, DecodeError> {
        T::decode_node(*self)
    }

    /// Returns the children: elements, fields, payloads, keys and values in turn.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[must_use]
    pub fn children(&self) -> Children<'a, 'v> {
        let links = match self.kind() {
            Kind::String | Kind::Array => Ok([].as_slice()),
            kind if kind.width().is_some() => Ok([].as_slice()),
            kind => links_of(kind, self.payload(), 0),
        };
        // `scan` has already read the links of this node once.
        Children { view: self.view, links: links.unwrap_or_default() }
    }

    /// Returns the text of a string.
    ///
    /// # Errors
    ///
    /// If the node is not a string, or not UTF-8.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn as_str(&self) -> Result<&'a str, DecodeError> {
        self.expect(Kind::String)?;
        match self.payload().get(4..).and_then(crate::utf8::text) {
            Some(text) => Ok(text),
            None => Err(self.error(DecodeErrorKind::BadUtf8)),
        }
    }

    /// Returns the bytes of a `list<u8>`.
    ///
    /// # Errors
    ///
    /// If the node is anything else. An empty list of whatever type has no bytes, so it is accepted.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn as_bytes(&self) -> Result<&'a [u8], DecodeError> {
        self.packed(Kind::U8)
    }

    /// Returns the child of an option.
    ///
    /// # Errors
    ///
    /// If the node is not an option.
    pub fn option(&self) -> Result<Option<Self>, DecodeError> {
        self.expect(Kind::Option)?;
        // A guest carries the code that finds any node's children anyway.
        if cfg!(target_arch = "wasm32") {
            return Ok(self.children().next());
        }
        // The payload ends with the presence byte 0, or with 1 and an index. The index of a child that is there
        // does not decide: the view has seen that the payload is a type and one of the two.
        let mut cursor = self.cursor();
        cursor.skip_type()?;
        Ok(match cursor.rest() {
            [1, link @ ..] => link.first_chunk().map(|link| self.at(*link)),
            _ => None,
        })
    }

    /// Returns the child of a result, also of one in the older form: a variant with the tag 0 or 1.
    ///
    /// # Errors
    ///
    /// If the node is neither.
    pub fn result(&self) -> Result<Result<Self, Self>, DecodeError> {
        let tag = match self.kind() {
            Kind::Result => {
                let payload = self.payload();
                // tag u32, presence u8, index u32
                payload.len().checked_sub(9).and_then(|at| payload.get(at)).copied().map(u32::from)
            }
            Kind::Variant => Some(self.variant()?.tag()),
            _ => return Err(self.unexpected(Kind::Result)),
        };
        let child = self.children().next();
        match (tag, child) {
            (Some(0), Some(child)) => Ok(Ok(child)),
            (Some(1), Some(child)) => Ok(Err(child)),
            (Some(0 | 1) | None, _) => Err(self.error(DecodeErrorKind::WrongCount { expected: 1, found: 0 })),
            (Some(tag), _) => Err(self.error(DecodeErrorKind::UnknownTag(tag))),
        }
    }

    /// Returns the elements of a tuple.
    ///
    /// # Errors
    ///
    /// If the node is not a tuple.
    pub fn tuple(&self) -> Result<Children<'a, 'v>, DecodeError> {
        self.expect(Kind::Tuple)?;
        Ok(self.children())
    }

    /// Returns the elements of a tuple of exactly `N` elements.
    ///
    /// # Errors
    ///
    /// If the node is not a tuple, or has another number of elements.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn tuple_of<const N: usize>(&self) -> Result<[Self; N], DecodeError> {
        self.expect(Kind::Tuple)?;
        match self.payload().get(4..).map(<[u8]>::as_chunks::<4>) {
            Some((links, _)) => match <&[[u8; 4]; N]>::try_from(links) {
                Ok(links) => Ok(links.map(|link| self.at(link))),
                Err(_) => Err(self.wrong_count(N, links.len())),
            },
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    /// Returns the elements of a list that is not packed.
    ///
    /// An empty packed list is accepted: a producer without static types cannot tell it from an empty list.
    ///
    /// # Errors
    ///
    /// If the node is not such a list.
    pub fn list(&self) -> Result<Children<'a, 'v>, DecodeError> {
        match self.kind() {
            Kind::List => Ok(self.children()),
            Kind::Array if self.payload().len() == 5 => Ok(self.children()),
            Kind::Array => Err(self.error(DecodeErrorKind::WrongListForm)),
            _ => Err(self.unexpected(Kind::List)),
        }
    }

    /// Returns the bytes of a packed list of this kind.
    ///
    /// # Errors
    ///
    /// If the node is not such a list; any empty list is.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn packed(&self, element: Kind) -> Result<&'a [u8], DecodeError> {
        match (self.kind(), self.payload().split_first_chunk::<5>()) {
            (Kind::Array, Some((head, elements))) if head[0] == element as u8 || elements.is_empty() => {
                Ok(elements)
            }
            (Kind::Array, _) => Err(self.error(DecodeErrorKind::WrongListForm)),
            (Kind::List, _) if self.children().len() == 0 => Ok(&[]),
            (Kind::List, _) => Err(self.error(DecodeErrorKind::WrongListForm)),
            _ => Err(self.unexpected(Kind::Array)),
        }
    }

    /// Makes sure of the kind.
    ///
    /// # Errors
    ///
    /// If the node is of another kind.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn expect(&self, kind: Kind) -> Result<(), DecodeError> {
        if self.kind() == kind { Ok(()) } else { Err(self.unexpected(kind)) }
    }

    /// Makes an error that points at this node.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.offset())
    }

    #[cold]
    #[inline(never)]
    fn unexpected(&self, expected: Kind) -> DecodeError {
        self.error(DecodeErrorKind::UnexpectedKind { expected, found: self.kind() })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn wrong_count(&self, expected: usize, found: usize) -> DecodeError {
        // Counts come from u32 fields and from types.
        self.error(DecodeErrorKind::WrongCount { expected: expected as u32, found: found as u32 })
    }

    /// Returns the bytes of a scalar of this kind.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn scalar<const N: usize>(&self, kind: Kind) -> Result<[u8; N], DecodeError> {
        match self.payload().first_chunk::<N>() {
            Some(raw) if self.kind() == kind => Ok(*raw),
            Some(_) | None => Err(self.unexpected(kind)),
        }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.payload(), self.offset() + NODE_HEADER_BYTES)
    }

    /// Returns the node that a link of this node names.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn at(&self, link: [u8; 4]) -> Self {
        Self { view: self.view, index: u32::from_le_bytes(link) }
    }

    /// Returns the nodes that these links of this node name.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn linked(&self, links: &'a [[u8; 4]]) -> Children<'a, 'v> {
        Children { view: self.view, links }
    }

    /// Returns another node of the subtree.
    pub(crate) fn sibling(&self, index: u32) -> Self {
        Self { view: self.view, index }
    }

    /// Returns how many elements to make room for: as many as the input pays for, the rest as they come.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn room_for<T>(&self, count: usize) -> usize {
        let size = core::mem::size_of::<T>().max(1);
        count.min(self.view.bytes().len() * 8 / size)
    }
}

impl core::fmt::Debug for NodeRef<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} node {} at byte {}", self.kind(), self.index, self.offset())
    }
}

/// The children of a node, in order.
#[derive(Clone)]
pub struct Children<'a, 'v> {
    view: &'v View<'a>,
    links: &'a [[u8; 4]],
}

impl<'a, 'v> Children<'a, 'v> {
    /// Returns the child at a place, without moving.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[must_use]
    pub fn get(&self, place: usize) -> Option<NodeRef<'a, 'v>> {
        let link = self.links.get(place)?;
        Some(NodeRef { view: self.view, index: u32::from_le_bytes(*link) })
    }
}

impl<'a, 'v> Iterator for Children<'a, 'v> {
    type Item = NodeRef<'a, 'v>;

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn next(&mut self) -> Option<Self::Item> {
        let (link, rest) = self.links.split_first()?;
        self.links = rest;
        Some(NodeRef { view: self.view, index: u32::from_le_bytes(*link) })
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.links.len(), Some(self.links.len()))
    }
}

impl ExactSizeIterator for Children<'_, '_> {}
