//! Reading without building: a checked table of nodes over borrowed bytes.
//!
//! [`View::parse`] walks the buffer once, without recursion. It accepts exactly the shape that encoders
//! produce: children before their parent, left to right, each node owned by exactly one parent, the root last.
//! So a shared node, a cycle, a forward reference and a node that nobody refers to are all the same error,
//! the nodes of a subtree are one contiguous range, and nothing that follows needs a guard against them.
//! What it leaves to the moment of reading is the text (UTF-8) and the values of scalars.
//!
//! Upstream's decoder also reads buffers that no encoder writes; these are refused here: set reserved bits, forward
//! references, shared and unreferenced nodes, a presence byte or result tag above 1, a packed `bool` above 1,
//! and nesting beyond the limit.

use alloc::vec::Vec;
use core::ops::Range;

use crate::cursor::Cursor;
use crate::{BUFFER_BYTES_MAX, HEADER_BYTES, MAX_DEPTH, NODE_HEADER_BYTES, NODES_MAX};
use crate::{Decode, DecodeError, DecodeErrorKind, Kind};

/// Tables of this many nodes need no allocation.
const INLINE_NODES: usize = 8;

/// What a decoder is willing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest buffer.
    pub buffer_bytes_max: usize,
    /// The most nodes; the buffer must have room for as many as it claims in any case.
    pub nodes_max: u32,
    /// The deepest nesting of compound values; at most [`MAX_DEPTH`].
    pub depth_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { buffer_bytes_max: BUFFER_BYTES_MAX, nodes_max: NODES_MAX, depth_max: MAX_DEPTH }
    }
}

/// Where a node is and what belongs to it.
#[derive(Clone, Copy)]
struct Entry {
    /// Offset of the node header.
    offset: u32,
    /// Length of the payload.
    length: u32,
    /// Index of the first node of the subtree, which ends with this node.
    first: u32,
    /// Levels of compound values, including this one.
    height: u16,
    kind: Kind,
}

const NO_ENTRY: Entry = Entry { offset: 0, length: 0, first: 0, height: 0, kind: Kind::Bool };

/// A checked buffer.
pub struct View<'a> {
    bytes: &'a [u8],
    count: usize,
    inline: [Entry; INLINE_NODES],
    heap: Vec<Entry>,
}

impl<'a> View<'a> {
    /// Checks the structure of a buffer.
    ///
    /// Up to eight nodes need no allocation, more need one of at most twice the size of the buffer.
    ///
    /// # Errors
    ///
    /// If the buffer is not one value, or not within the limits.
    #[inline]
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut view = Self::unread(bytes);
        view.read(limits)?;
        Ok(view)
    }

    /// Returns a view that must be [`read`](Self::read) before it is used: so it is filled where it stays.
    #[inline]
    pub(crate) const fn unread(bytes: &'a [u8]) -> Self {
        Self { bytes, count: 0, inline: [NO_ENTRY; INLINE_NODES], heap: Vec::new() }
    }

    #[inline]
    pub(crate) fn read(&mut self, limits: &Limits) -> Result<(), DecodeError> {
        self.count = read_header(self.bytes, limits)?;
        if let Some(entries) = self.inline.get_mut(..self.count) {
            return scan(self.bytes, entries, limits);
        }
        self.heap.resize(self.count, NO_ENTRY);
        scan(self.bytes, &mut self.heap, limits)
    }

    /// Returns the whole buffer.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the number of nodes; there is at least one.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.count
    }

    /// Returns the value itself.
    #[inline]
    #[must_use]
    pub fn root(&self) -> NodeRef<'a, '_> {
        // `scan` has made sure that the last node is the root; counts fit u32 by the format.
        NodeRef { view: self, index: (self.count - 1) as u32 }
    }

    #[inline]
    fn entry(&self, index: u32) -> &Entry {
        if self.count <= INLINE_NODES { &self.inline[index as usize] } else { &self.heap[index as usize] }
    }
}

impl core::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "View({} nodes in {} bytes)", self.count, self.bytes.len())
    }
}

/// Returns the length of the value at the start of `bytes`, which may go on after it.
///
/// Only the lengths of the nodes are looked at; whether they make a value is seen when it is decoded.
///
/// # Errors
///
/// If there is no whole value, or it is not within the limits.
pub fn encoded_length(bytes: &[u8], limits: &Limits) -> Result<usize, DecodeError> {
    let within = bytes.get(..limits.buffer_bytes_max).unwrap_or(bytes);
    let count = read_header(within, limits)?;
    let mut offset = HEADER_BYTES;
    for _ in 0..count {
        let rest = within.get(offset..).unwrap_or_default();
        let length = rest.split_first_chunk::<NODE_HEADER_BYTES>().and_then(|(header, payload)| {
            let [_, _, _, _, length @ ..] = *header;
            payload.get(..u32::from_le_bytes(length) as usize).map(<[u8]>::len)
        });
        let length = length.ok_or_else(|| DecodeError::new(DecodeErrorKind::Truncated, offset))?;
        offset += NODE_HEADER_BYTES + length;
    }
    Ok(offset)
}

/// Checks the header and returns the number of nodes.
#[inline]
fn read_header(bytes: &[u8], limits: &Limits) -> Result<usize, DecodeError> {
    let Some((header, nodes)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(short_header(bytes));
    };
    let [m0, m1, m2, m3, v0, v1, f0, f1, c0, c1, c2, c3, r0, r1, r2, r3] = *header;
    if [m0, m1, m2, m3] != *b"CGRF" || [v0, v1] != [3, 0] || [f0, f1] != [0, 0] {
        return Err(short_header(bytes));
    }
    if bytes.len() > limits.buffer_bytes_max.min(BUFFER_BYTES_MAX) {
        return Err(DecodeError::new(DecodeErrorKind::TooLarge, 0));
    }
    let count = u32::from_le_bytes([c0, c1, c2, c3]);
    if count > limits.nodes_max || count as usize > nodes.len() / NODE_HEADER_BYTES {
        return Err(DecodeError::new(DecodeErrorKind::TooManyNodes, 8));
    }
    if u32::from_le_bytes([r0, r1, r2, r3]).wrapping_add(1) != count || count == 0 {
        return Err(DecodeError::new(DecodeErrorKind::UnreferencedNodes, 12));
    }
    Ok(count as usize)
}

#[cold]
fn short_header(bytes: &[u8]) -> DecodeError {
    let magic_length = bytes.len().min(4);
    if bytes[..magic_length] != b"CGRF"[..magic_length] {
        return DecodeError::new(DecodeErrorKind::BadMagic, 0);
    }
    match bytes.get(4..6) {
        Some([3, 0]) => {}
        Some([low, high]) => {
            let version = u16::from_le_bytes([*low, *high]);
            return DecodeError::new(DecodeErrorKind::UnsupportedVersion(version), 4);
        }
        Some(_) | None => return DecodeError::new(DecodeErrorKind::Truncated, bytes.len()),
    }
    match bytes.get(6..8) {
        Some([0, 0]) | None => DecodeError::new(DecodeErrorKind::Truncated, bytes.len()),
        Some(_) => DecodeError::new(DecodeErrorKind::ReservedBits, 6),
    }
}

/// Fills the table; the buffer must hold exactly its nodes.
fn scan(bytes: &[u8], entries: &mut [Entry], limits: &Limits) -> Result<(), DecodeError> {
    let depth_max = limits.depth_max.min(MAX_DEPTH);
    let mut offset = HEADER_BYTES;
    for index in 0..entries.len() {
        let Some((header, rest)) = bytes.get(offset..).and_then(<[u8]>::split_first_chunk::<8>) else {
            return Err(DecodeError::new(DecodeErrorKind::Truncated, offset));
        };
        let header = u64::from_le_bytes(*header);
        let Some(kind) = Kind::from_byte(header as u8) else {
            return Err(DecodeError::new(DecodeErrorKind::UnknownKind(header as u8), offset));
        };
        if header & 0xFFFF_FF00 != 0 {
            return Err(DecodeError::new(DecodeErrorKind::ReservedBits, offset + 1));
        }
        let length = (header >> 32) as u32;
        let Some(payload) = rest.get(..length as usize) else {
            return Err(DecodeError::new(DecodeErrorKind::Truncated, offset + 4));
        };
        let mut entry = Entry { offset: offset as u32, length, first: index as u32, height: 0, kind };
        if let Some(width) = kind.width() {
            if payload.len() != width {
                return Err(DecodeError::new(DecodeErrorKind::LengthMismatch, offset + 4));
            }
        } else if kind == Kind::String {
            check_string(payload, offset + NODE_HEADER_BYTES)?;
        } else {
            let links = links_of(kind, payload, offset + NODE_HEADER_BYTES)?;
            (entry.first, entry.height) = adopt(&entries[..index], links, offset)?;
            entry.height += u16::from(kind != Kind::Array);
            if u32::from(entry.height) > depth_max {
                return Err(DecodeError::new(DecodeErrorKind::TooDeep, offset));
            }
        }
        entries[index] = entry;
        offset += NODE_HEADER_BYTES + payload.len();
    }
    if offset != bytes.len() {
        return Err(DecodeError::new(DecodeErrorKind::TrailingBytes, offset));
    }
    match entries.last() {
        Some(root) if root.first == 0 => Ok(()),
        Some(_) | None => Err(DecodeError::new(DecodeErrorKind::UnreferencedNodes, 12)),
    }
}

#[inline]
fn check_string(payload: &[u8], offset: usize) -> Result<(), DecodeError> {
    match payload.split_first_chunk::<4>() {
        Some((length, text)) if u32::from_le_bytes(*length) as usize == text.len() => Ok(()),
        Some(_) => Err(DecodeError::new(DecodeErrorKind::LengthMismatch, offset + 4)),
        None => Err(DecodeError::new(DecodeErrorKind::Truncated, offset)),
    }
}

/// Checks that the children are the subtrees that come right before their parent, in order.
///
/// Returns the first node of the parent's subtree and the height below the parent.
#[inline]
fn adopt(before: &[Entry], links: &[[u8; 4]], offset: usize) -> Result<(u32, u16), DecodeError> {
    let mut first = before.len() as u32;
    let mut height = 0;
    for link in links.iter().rev() {
        let child = u32::from_le_bytes(*link);
        if child.wrapping_add(1) != first {
            return Err(DecodeError::new(DecodeErrorKind::ChildOutOfOrder, offset));
        }
        let Some(entry) = before.get(child as usize) else {
            return Err(DecodeError::new(DecodeErrorKind::ChildOutOfOrder, offset));
        };
        first = entry.first;
        height = height.max(entry.height);
    }
    Ok((first, height))
}

/// Returns the child indices of a node of variable length, and checks the lengths inside it.
///
/// The names of a record's fields are walked only when they are read.
#[inline]
fn links_of(kind: Kind, payload: &[u8], offset: usize) -> Result<&[[u8; 4]], DecodeError> {
    let mut cursor = Cursor::new(payload, offset);
    match kind {
        Kind::Array => {
            let kind = Kind::from_byte(cursor.u8()?);
            let Some(width) = kind.and_then(Kind::width) else {
                return Err(DecodeError::new(DecodeErrorKind::WrongListForm, offset));
            };
            let count = cursor.u32()? as usize;
            let fills = count.checked_mul(width) == Some(cursor.rest().len());
            if fills { Ok(&[]) } else { Err(mismatch(&cursor)) }
        }
        Kind::Tuple => match payload.as_chunks::<4>() {
            ([count, links @ ..], []) if u32::from_le_bytes(*count) as usize == links.len() => Ok(links),
            _ => Err(mismatch(&cursor)),
        },
        Kind::List => {
            if cursor.skip_type()?.width().is_some() {
                return Err(DecodeError::new(DecodeErrorKind::WrongListForm, offset));
            }
            let count = cursor.u32()? as usize;
            cursor.links(count)
        }
        Kind::Record => {
            cursor.raw_text()?;
            let count = cursor.u32()? as usize;
            let names = count.checked_mul(4).and_then(|links| cursor.rest().len().checked_sub(links));
            cursor.take(names.ok_or_else(|| mismatch(&cursor))?)?;
            cursor.links(count)
        }
        Kind::Option => {
            cursor.skip_type()?;
            let present = cursor.u8()?;
            if present > 1 {
                return Err(cursor.error(DecodeErrorKind::BadPresence));
            }
            cursor.links(usize::from(present))
        }
        _ => links_of_rare(kind, cursor),
    }
}

fn links_of_rare(kind: Kind, mut cursor: Cursor<'_>) -> Result<&[[u8; 4]], DecodeError> {
    match kind {
        Kind::Variant => {
            cursor.raw_text()?;
            cursor.raw_text()?;
            cursor.u32()?;
            let count = cursor.u32()? as usize;
            cursor.links(count)
        }
        Kind::Result => {
            cursor.skip_type()?;
            cursor.skip_type()?;
            let tag = cursor.u32()?;
            let has_payload = cursor.u8()?;
            if tag > 1 || has_payload != 1 {
                return Err(cursor.error(DecodeErrorKind::BadPresence));
            }
            cursor.links(1)
        }
        Kind::Set => {
            cursor.skip_type()?;
            let count = cursor.u32()? as usize;
            cursor.links(count)
        }
        Kind::Map => {
            cursor.skip_type()?;
            cursor.skip_type()?;
            let count = cursor.u32()? as usize;
            let links = count.checked_mul(2).ok_or_else(|| mismatch(&cursor))?;
            cursor.links(links)
        }
        _ => cursor.links(0),
    }
}

#[cold]
fn mismatch(cursor: &Cursor<'_>) -> DecodeError {
    cursor.error(DecodeErrorKind::LengthMismatch)
}

/// One node of a [`View`].
#[derive(Clone, Copy)]
pub struct NodeRef<'a, 'v> {
    view: &'v View<'a>,
    index: u32,
}

impl<'a, 'v> NodeRef<'a, 'v> {
    /// Returns what the node is.
    #[inline]
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
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let entry = self.view.entry(self.index);
        let start = entry.offset as usize + NODE_HEADER_BYTES;
        &self.view.bytes[start..start + entry.length as usize]
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
    #[inline]
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
    #[inline]
    pub fn as_str(&self) -> Result<&'a str, DecodeError> {
        self.expect(Kind::String)?;
        match self.payload().get(4..).map(core::str::from_utf8) {
            Some(Ok(text)) => Ok(text),
            Some(Err(_)) | None => Err(self.error(DecodeErrorKind::BadUtf8)),
        }
    }

    /// Returns the bytes of a `list<u8>`.
    ///
    /// # Errors
    ///
    /// If the node is anything else. An empty list of whatever type has no bytes, so it is accepted.
    #[inline]
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
        Ok(self.children().next())
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
    #[inline]
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
    #[inline]
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
    #[inline]
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
    #[inline]
    pub(crate) fn scalar<const N: usize>(&self, kind: Kind) -> Result<[u8; N], DecodeError> {
        match self.payload().first_chunk::<N>() {
            Some(raw) if self.kind() == kind => Ok(*raw),
            Some(_) | None => Err(self.unexpected(kind)),
        }
    }

    pub(crate) fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.payload(), self.offset() + NODE_HEADER_BYTES)
    }

    /// Returns the node that a link of this node names.
    #[inline]
    pub(crate) fn at(&self, link: [u8; 4]) -> Self {
        Self { view: self.view, index: u32::from_le_bytes(link) }
    }

    /// Returns another node of the subtree.
    pub(crate) fn sibling(&self, index: u32) -> Self {
        Self { view: self.view, index }
    }

    /// Returns how many elements to make room for: as many as the input pays for, the rest as they come.
    #[inline]
    pub(crate) fn room_for<T>(&self, count: usize) -> usize {
        let size = core::mem::size_of::<T>().max(1);
        count.min(self.view.bytes.len() * 8 / size)
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
    #[inline]
    #[must_use]
    pub fn get(&self, place: usize) -> Option<NodeRef<'a, 'v>> {
        let link = self.links.get(place)?;
        Some(NodeRef { view: self.view, index: u32::from_le_bytes(*link) })
    }
}

impl<'a, 'v> Iterator for Children<'a, 'v> {
    type Item = NodeRef<'a, 'v>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (link, rest) = self.links.split_first()?;
        self.links = rest;
        Some(NodeRef { view: self.view, index: u32::from_le_bytes(*link) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.links.len(), Some(self.links.len()))
    }
}

impl ExactSizeIterator for Children<'_, '_> {}
