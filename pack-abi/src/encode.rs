//! Writing: one pass in post-order into one buffer, node count and root filled in at the end.
//!
//! A value writes its children first, left to right, and then its own node, which names them by index.
//! What comes out is canonical: one value has one encoding, byte for byte that of `packr-abi`.

use alloc::vec::Vec;

use crate::{BUFFER_BYTES_MAX, NODES_MAX, PAYLOAD_BYTES_MAX};
use crate::{EncodeError, GraphType, HEADER_BYTES, Kind, MAX_DEPTH, NODE_HEADER_BYTES, TypeWriter};

/// A type that can be written as a graph value.
///
/// Derive it (`GraphValue`) rather than implement it.
pub trait Encode: GraphType {
    /// Writes the nodes of this value, its own last, and returns the index of that one.
    ///
    /// # Errors
    ///
    /// If the value is nested too deeply or too large.
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError>;

    /// Writes a list of such values; fixed-width types write it packed.
    ///
    /// # Errors
    ///
    /// As [`encode_node`](Self::encode_node).
    fn encode_slice(items: &[Self], encoder: &mut Encoder<'_>) -> Result<u32, EncodeError>
    where
        Self: Sized,
    {
        match Self::FIXED {
            Some(kind) => encoder.array_of_nodes(kind, items),
            None => encoder.sequence(Kind::List, items.iter()),
        }
    }
}

/// Encodes a value into a new buffer.
///
/// ```
/// let bytes = pack_abi::encode(&("hello world",))?;
/// let (greeting,): (&str,) = pack_abi::decode(&bytes)?;
/// assert_eq!(greeting, "hello world");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the value is nested too deeply or too large.
pub fn encode<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(128);
    encode_into(value, &mut out)?;
    Ok(out)
}

/// Appends one whole encoded value to `out`; on failure `out` is as it was.
///
/// # Errors
///
/// If the value is nested too deeply or too large.
#[inline]
pub fn encode_into<T: Encode + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let mut encoder = Encoder::new(out);
    let done = match value.encode_node(&mut encoder) {
        Ok(root) => encoder.finish(root),
        Err(error) => Err(error),
    };
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Writes the nodes of one value.
///
/// The methods are what the derive's output and hand-written implementations are made of.
pub struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    nodes: u32,
    depth: u32,
    /// Indices of the children of the sequences that are being written, innermost last.
    children: Vec<u32>,
}

impl<'o> Encoder<'o> {
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn new(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        append(out, &[b'C', b'G', b'R', b'F', 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Self { out, start, nodes: 0, depth: 0, children: Vec::new() }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn finish(self, root: u32) -> Result<(), EncodeError> {
        if root.wrapping_add(1) != self.nodes {
            return Err(EncodeError::RootNotLast);
        }
        self.check_size()?;
        if let Some(counts) = self.out.get_mut(self.start + 8..self.start + HEADER_BYTES) {
            counts[..4].copy_from_slice(&self.nodes.to_le_bytes());
            counts[4..].copy_from_slice(&root.to_le_bytes());
        }
        Ok(())
    }

    /// Makes sure that what is written so far is within the limits.
    #[inline]
    pub(crate) fn check_size(&self) -> Result<(), EncodeError> {
        let is_within = self.out.len() - self.start <= BUFFER_BYTES_MAX && self.nodes <= NODES_MAX;
        if is_within { Ok(()) } else { Err(EncodeError::TooLarge) }
    }

    /// Goes one level down: call it before the children of a compound value are written.
    ///
    /// # Errors
    ///
    /// If the value is nested too deeply.
    #[inline]
    pub fn enter(&mut self) -> Result<(), EncodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(EncodeError::TooDeep) } else { Ok(()) }
    }

    /// Writes a compound node and goes one level up: `head` is all of it but the indices of its children.
    ///
    /// The head includes the node header, so its length field counts the indices too.
    ///
    /// # Errors
    ///
    /// None at present; a compound node written so has a size that the compiler has seen.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn compound(&mut self, head: &[u8], children: &[u32]) -> Result<u32, EncodeError> {
        self.out.reserve(head.len() + 4 * children.len());
        append(self.out, head);
        for child in children {
            append(self.out, &child.to_le_bytes());
        }
        self.depth -= 1;
        Ok(self.advance())
    }

    /// Writes a tuple node and goes one level up.
    ///
    /// # Errors
    ///
    /// If there are more than four thousand million elements.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn tuple(&mut self, children: &[u32]) -> Result<u32, EncodeError> {
        let count = u32::try_from(children.len()).map_err(|_| EncodeError::TooLarge)?;
        let length = count.checked_mul(4).and_then(|n| n.checked_add(4)).ok_or(EncodeError::TooLarge)?;
        let mut head = [Kind::Tuple as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head[4..8].copy_from_slice(&length.to_le_bytes());
        head[8..].copy_from_slice(&count.to_le_bytes());
        self.compound(&head, children)
    }

    /// Writes a string node.
    ///
    /// # Errors
    ///
    /// If the text is too large.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn string(&mut self, text: &str) -> Result<u32, EncodeError> {
        let length = payload_length(text.len(), 4)?;
        let mut head = [Kind::String as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head[4..8].copy_from_slice(&length.to_le_bytes());
        head[8..].copy_from_slice(&(length - 4).to_le_bytes());
        self.out.reserve(head.len() + text.len());
        append(self.out, &head);
        append(self.out, text.as_bytes());
        Ok(self.advance())
    }

    /// Writes the head of a packed list of `bytes` bytes; the elements must follow.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn array_head(&mut self, kind: Kind, count: usize, bytes: usize) -> Result<(), EncodeError> {
        let length = payload_length(bytes, 5)?;
        let count = u32::try_from(count).map_err(|_| EncodeError::TooLarge)?;
        let mut head = [Kind::Array as u8, 0, 0, 0, 0, 0, 0, 0, kind as u8, 0, 0, 0, 0];
        head[4..8].copy_from_slice(&length.to_le_bytes());
        head[9..].copy_from_slice(&count.to_le_bytes());
        self.out.reserve(head.len() + bytes);
        append(self.out, &head);
        Ok(())
    }

    /// Writes a `list<u8>`.
    ///
    /// # Errors
    ///
    /// If it is too large.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<u32, EncodeError> {
        self.array_head(Kind::U8, bytes.len(), bytes.len())?;
        append(self.out, bytes);
        Ok(self.advance())
    }

    /// Writes a packed list; `raw` gives the little-endian bytes of each element.
    pub(crate) fn array<T: Copy, const N: usize>(
        &mut self,
        kind: Kind,
        items: &[T],
        raw: impl Fn(T) -> [u8; N],
    ) -> Result<u32, EncodeError> {
        let bytes = items.len().checked_mul(N).ok_or(EncodeError::TooLarge)?;
        self.array_head(kind, items.len(), bytes)?;
        let at = self.out.len();
        self.out.resize(at + bytes, 0);
        let (slots, _) = self.out[at..].as_chunks_mut::<N>();
        for (slot, item) in slots.iter_mut().zip(items) {
            *slot = raw(*item);
        }
        Ok(self.advance())
    }

    /// Writes a packed list of values that can only write themselves as nodes, by taking the node headers off.
    fn array_of_nodes<T: Encode>(&mut self, kind: Kind, items: &[T]) -> Result<u32, EncodeError> {
        let width = kind.width().unwrap_or(0);
        let bytes = items.len().checked_mul(width).ok_or(EncodeError::TooLarge)?;
        self.array_head(kind, items.len(), bytes)?;
        for item in items {
            self.array_item(kind, item)?;
        }
        Ok(self.advance())
    }

    fn array_item<T: Encode>(&mut self, kind: Kind, item: &T) -> Result<(), EncodeError> {
        let (at, nodes) = (self.out.len(), self.nodes);
        item.encode_node(self)?;
        let expected = NODE_HEADER_BYTES + kind.width().unwrap_or(0);
        let is_one_scalar = self.nodes == nodes + 1
            && self.out.len() == at + expected
            && self.out.get(at).copied() == Some(kind as u8);
        if !is_one_scalar {
            return Err(EncodeError::ElementMismatch { declared: kind });
        }
        self.nodes = nodes;
        self.out.copy_within(at + NODE_HEADER_BYTES.., at);
        self.out.truncate(at + expected - NODE_HEADER_BYTES);
        Ok(())
    }

    /// Writes a packed list of dynamic values, each of which must be of that kind.
    pub(crate) fn array_of_values(&mut self, kind: Kind, items: &[crate::Value]) -> Result<u32, EncodeError> {
        let width = kind.width().unwrap_or(0);
        let bytes = items.len().checked_mul(width).ok_or(EncodeError::TooLarge)?;
        self.array_head(kind, items.len(), bytes)?;
        for item in items {
            match item.fixed_bytes() {
                Some((found, raw)) if found == kind => append(self.out, &raw[..width]),
                Some(_) | None => return Err(EncodeError::ElementMismatch { declared: kind }),
            }
        }
        Ok(self.advance())
    }

    /// Writes a list or a set: children, then type of the elements, count and indices.
    ///
    /// # Errors
    ///
    /// If an element cannot be written or there are too many.
    pub fn sequence<'i, T: Encode + 'i>(
        &mut self,
        kind: Kind,
        items: impl Iterator<Item = &'i T>,
    ) -> Result<u32, EncodeError> {
        self.sequence_with(kind, T::write_type, items)
    }

    pub(crate) fn sequence_with<'i, T: Encode + 'i>(
        &mut self,
        kind: Kind,
        element: impl FnOnce(&mut TypeWriter<'_>) -> Result<(), EncodeError>,
        items: impl Iterator<Item = &'i T>,
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let base = self.children.len();
        for item in items {
            let child = item.encode_node(self)?;
            self.children.push(child);
        }
        let payload = self.open(kind);
        self.types(element)?;
        self.counted_children(base, 1)?;
        self.close(payload)
    }

    /// Writes a map: keys and values in turn, then the types, count and indices.
    pub(crate) fn map_with<'i, K: Encode + 'i, V: Encode + 'i>(
        &mut self,
        types: impl FnOnce(&mut TypeWriter<'_>) -> Result<(), EncodeError>,
        entries: impl Iterator<Item = (&'i K, &'i V)>,
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let base = self.children.len();
        for (key, value) in entries {
            let key = key.encode_node(self)?;
            let value = value.encode_node(self)?;
            self.children.extend_from_slice(&[key, value]);
        }
        let payload = self.open(Kind::Map);
        self.types(types)?;
        self.counted_children(base, 2)?;
        self.close(payload)
    }

    /// Writes an option: the child, if there is one, then the type and the presence.
    pub(crate) fn option_with<T: Encode + ?Sized>(
        &mut self,
        inner: impl FnOnce(&mut TypeWriter<'_>) -> Result<(), EncodeError>,
        value: Option<&T>,
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let child = match value {
            Some(value) => Some(value.encode_node(self)?),
            None => None,
        };
        let payload = self.open(Kind::Option);
        self.types(inner)?;
        match child {
            Some(child) => {
                let [a, b, c, d] = child.to_le_bytes();
                append(self.out, &[1, a, b, c, d]);
            }
            None => append(self.out, &[0]),
        }
        self.close(payload)
    }

    /// Writes a result: the child, then both types, the tag and the child's index.
    pub(crate) fn result_with(
        &mut self,
        types: impl FnOnce(&mut TypeWriter<'_>) -> Result<(), EncodeError>,
        is_err: bool,
        child: impl FnOnce(&mut Self) -> Result<u32, EncodeError>,
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let [a, b, c, d] = child(self)?.to_le_bytes();
        let payload = self.open(Kind::Result);
        self.types(types)?;
        append(self.out, &[u8::from(is_err), 0, 0, 0, 1, a, b, c, d]);
        self.close(payload)
    }

    /// Writes a record of a dynamic value.
    pub(crate) fn record_of<'i, T: Encode + 'i>(
        &mut self,
        name: &str,
        fields: impl ExactSizeIterator<Item = (&'i str, &'i T)> + Clone,
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let base = self.children.len();
        for (_, value) in fields.clone() {
            let child = value.encode_node(self)?;
            self.children.push(child);
        }
        let payload = self.open(Kind::Record);
        self.text(name)?;
        self.count(fields.len())?;
        for (name, _) in fields {
            self.text(name)?;
        }
        self.write_children(base);
        self.close(payload)
    }

    /// Writes a variant of a dynamic value.
    pub(crate) fn variant_of<T: Encode>(
        &mut self,
        names: (&str, &str),
        tag: u32,
        payloads: &[T],
    ) -> Result<u32, EncodeError> {
        self.enter()?;
        let base = self.children.len();
        for value in payloads {
            let child = value.encode_node(self)?;
            self.children.push(child);
        }
        let payload = self.open(Kind::Variant);
        self.text(names.0)?;
        self.text(names.1)?;
        append(self.out, &tag.to_le_bytes());
        self.counted_children(base, 1)?;
        self.close(payload)
    }

    /// Writes a tuple of a dynamic value.
    pub(crate) fn tuple_of<T: Encode>(&mut self, items: &[T]) -> Result<u32, EncodeError> {
        self.enter()?;
        let base = self.children.len();
        for item in items {
            let child = item.encode_node(self)?;
            self.children.push(child);
        }
        let payload = self.open(Kind::Tuple);
        self.counted_children(base, 1)?;
        self.close(payload)
    }

    /// Writes a whole scalar node.
    #[inline]
    pub(crate) fn scalar<const N: usize>(&mut self, node: [u8; N]) -> u32 {
        append(self.out, &node);
        self.advance()
    }

    #[inline]
    fn advance(&mut self) -> u32 {
        let index = self.nodes;
        // Four thousand million nodes do not fit any buffer that `finish` accepts.
        self.nodes = index.wrapping_add(1);
        index
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn open(&mut self, kind: Kind) -> usize {
        append(self.out, &[kind as u8, 0, 0, 0, 0, 0, 0, 0]);
        self.out.len()
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn close(&mut self, payload: usize) -> Result<u32, EncodeError> {
        let length = payload_length(self.out.len() - payload, 0)?;
        if let Some(field) = self.out.get_mut(payload - 4..payload) {
            field.copy_from_slice(&length.to_le_bytes());
        }
        self.depth -= 1;
        Ok(self.advance())
    }

    #[inline]
    fn types(
        &mut self,
        write: impl FnOnce(&mut TypeWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        write(&mut TypeWriter::new(self.out))
    }

    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        self.count(text.len())?;
        append(self.out, text.as_bytes());
        Ok(())
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    fn count(&mut self, count: usize) -> Result<(), EncodeError> {
        let count = u32::try_from(count).map_err(|_| EncodeError::TooLarge)?;
        append(self.out, &count.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn counted_children(&mut self, base: usize, per_item: usize) -> Result<(), EncodeError> {
        self.count((self.children.len() - base) / per_item)?;
        self.write_children(base);
        Ok(())
    }

    fn write_children(&mut self, base: usize) {
        let children = &self.children[base..];
        let at = self.out.len();
        self.out.resize(at + 4 * children.len(), 0);
        let (slots, _) = self.out[at..].as_chunks_mut::<4>();
        for (slot, child) in slots.iter_mut().zip(children) {
            *slot = child.to_le_bytes();
        }
        self.children.truncate(base);
    }
}

/// Appends bytes; in a guest by a call, because what `Vec` inlines is more code than a call.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

#[inline]
fn payload_length(contents: usize, head: usize) -> Result<u32, EncodeError> {
    match contents.checked_add(head) {
        Some(length) if length <= PAYLOAD_BYTES_MAX => {
            u32::try_from(length).map_err(|_| EncodeError::TooLarge)
        }
        Some(_) | None => Err(EncodeError::TooLarge),
    }
}
