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

#[cfg(not(target_arch = "wasm32"))]
use crate::cursor::Cursor;
use crate::{BUFFER_BYTES_MAX, HEADER_BYTES, MAX_DEPTH, NODE_HEADER_BYTES, NODES_MAX};
use crate::{DecodeError, DecodeErrorKind, Kind, NodeRef};

/// Tables of this many nodes need no allocation. In a guest one costs less than to clear so much of the stack.
const INLINE_NODES: usize = if cfg!(target_arch = "wasm32") { 0 } else { 8 };

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
pub(crate) struct Entry {
    /// Offset of the node header.
    pub(crate) offset: u32,
    /// Length of the payload.
    pub(crate) length: u32,
    /// Index of the first node of the subtree, which ends with this node.
    pub(crate) first: u32,
    /// Levels of compound values, including this one.
    pub(crate) height: u16,
    pub(crate) kind: Kind,
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
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut view = Self::unread(bytes);
        view.read(limits)?;
        Ok(view)
    }

    /// Returns a view that must be [`read`](Self::read) before it is used: so it is filled where it stays.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) const fn unread(bytes: &'a [u8]) -> Self {
        Self { bytes, count: 0, inline: [NO_ENTRY; INLINE_NODES], heap: Vec::new() }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn read(&mut self, limits: &Limits) -> Result<(), DecodeError> {
        self.count = read_header(self.bytes, limits)?;
        if INLINE_NODES > 0
            && let Some(entries) = self.inline.get_mut(..self.count)
        {
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
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[must_use]
    pub fn root(&self) -> NodeRef<'a, '_> {
        // `scan` has made sure that the last node is the root; counts fit u32 by the format.
        NodeRef::new(self, (self.count - 1) as u32)
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn entry(&self, index: u32) -> &Entry {
        let is_inline = INLINE_NODES > 0 && self.count <= INLINE_NODES;
        let entries = if is_inline { self.inline.as_slice() } else { &self.heap };
        // Indices come from links that `scan` has checked; a guest shall not carry what a panic needs.
        entries.get(index as usize).unwrap_or(const { &NO_ENTRY })
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
#[cfg_attr(not(target_arch = "wasm32"), inline)]
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
    if !b"CGRF".starts_with(bytes.get(..4).unwrap_or(bytes)) {
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
        let Some((before, [slot, ..])) = entries.split_at_mut_checked(index) else { break };
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
            (entry.first, entry.height) = adopt(before, links, offset)?;
            entry.height += u16::from(kind != Kind::Array);
            if u32::from(entry.height) > depth_max {
                return Err(DecodeError::new(DecodeErrorKind::TooDeep, offset));
            }
        }
        *slot = entry;
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

#[cfg_attr(not(target_arch = "wasm32"), inline)]
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
#[cfg_attr(not(target_arch = "wasm32"), inline)]
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

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::fast_links_of as links_of;
#[cfg(target_arch = "wasm32")]
pub(crate) use crate::walk::links_of;

/// Returns the child indices of a node of variable length, and checks the lengths inside it.
///
/// The names of a record's fields are walked only when they are read.
#[cfg(not(target_arch = "wasm32"))]
#[inline]
pub(crate) fn fast_links_of(kind: Kind, payload: &[u8], offset: usize) -> Result<&[[u8; 4]], DecodeError> {
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
        Kind::Variant => {
            cursor.raw_text()?;
            cursor.raw_text()?;
            cursor.u32()?;
            let count = cursor.u32()? as usize;
            cursor.links(count)
        }
        _ => links_of_rare(kind, cursor),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn links_of_rare(kind: Kind, mut cursor: Cursor<'_>) -> Result<&[[u8; 4]], DecodeError> {
    match kind {
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

#[cfg(not(target_arch = "wasm32"))]
#[cold]
fn mismatch(cursor: &Cursor<'_>) -> DecodeError {
    cursor.error(DecodeErrorKind::LengthMismatch)
}
