//! Reading into Rust types, directly from the buffer.

use alloc::vec::Vec;

use crate::{DecodeError, GraphType, Limits, NodeRef, View};

/// A type that can be read from a graph value; `'a` is the buffer, from which it may borrow.
///
/// Derive it (`GraphValue`) rather than implement it.
pub trait Decode<'a>: GraphType + Sized {
    /// Reads the subtree of this node.
    ///
    /// # Errors
    ///
    /// If it is a value of another type.
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError>;

    /// Reads a list of such values; fixed-width types read the packed form.
    ///
    /// # Errors
    ///
    /// If the node is not a list, or an element is of another type.
    fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
        let children = node.list()?;
        let mut items = Vec::with_capacity(node.room_for::<Self>(children.len()));
        for child in children {
            items.push(Self::decode_node(child)?);
        }
        Ok(items)
    }
}

/// Decodes a value under the default [`Limits`].
///
/// # Errors
///
/// If the bytes are not one value of this type, with the place where they stop being one.
#[inline]
pub fn decode<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    decode_with(bytes, &Limits::default())
}

/// Decodes a value under given limits.
///
/// # Errors
///
/// If the bytes are not one value of this type, with the place where they stop being one.
#[inline]
pub fn decode_with<'a, T: Decode<'a>>(bytes: &'a [u8], limits: &Limits) -> Result<T, DecodeError> {
    let mut view = View::unread(bytes);
    view.read(limits)?;
    T::decode_node(view.root())
}
