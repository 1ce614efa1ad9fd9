//! Type terms of Rust types: what containers say of their elements, known without a value.

use alloc::vec::Vec;

use crate::encode::append;
use crate::{EncodeError, Kind, MAX_DEPTH, WireType};

/// A type whose wire type is known without a value, so that empty containers are typed too.
pub trait GraphType {
    /// The kind, if all values of the type occupy the same number of bytes: such lists are packed.
    const FIXED: Option<Kind> = None;

    /// Writes the type term.
    ///
    /// # Errors
    ///
    /// If the type is nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH), as a tuple that contains itself is.
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError>;
}

/// Writes type terms.
pub struct TypeWriter<'o> {
    out: &'o mut Vec<u8>,
    depth: u32,
}

impl<'o> TypeWriter<'o> {
    #[inline]
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    /// Writes a scalar, `string` or `flags`.
    ///
    /// # Errors
    ///
    /// None; it returns what a type's `write_type` returns.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn leaf(&mut self, kind: Kind) -> Result<(), EncodeError> {
        append(self.out, &[kind as u8]);
        Ok(())
    }

    /// Writes a list, option, set, result or map; `inner` writes the terms inside.
    ///
    /// # Errors
    ///
    /// If the type is nested too deeply.
    #[inline]
    pub fn nest(
        &mut self,
        kind: Kind,
        inner: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        append(self.out, &[kind as u8]);
        self.deeper(inner)
    }

    /// Writes a tuple of `count` elements; `inner` writes their terms.
    ///
    /// # Errors
    ///
    /// If the type is nested too deeply.
    pub fn tuple(
        &mut self,
        count: u32,
        inner: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let [a, b, c, d] = count.to_le_bytes();
        append(self.out, &[Kind::Tuple as u8, a, b, c, d]);
        self.deeper(inner)
    }

    /// Writes a record or variant, which are known by name.
    ///
    /// # Errors
    ///
    /// If the name is too large.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn named(&mut self, kind: Kind, name: &str) -> Result<(), EncodeError> {
        let length = u32::try_from(name.len()).map_err(|_| EncodeError::TooLarge)?;
        let [a, b, c, d] = length.to_le_bytes();
        append(self.out, &[kind as u8, a, b, c, d]);
        append(self.out, name.as_bytes());
        Ok(())
    }

    #[inline]
    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(EncodeError::TooDeep);
        }
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }
}

/// Returns the wire type of a Rust type.
///
/// # Errors
///
/// If the type is nested too deeply.
pub fn wire_type_of<T: GraphType + ?Sized>() -> Result<WireType, EncodeError> {
    let mut out = Vec::new();
    T::write_type(&mut TypeWriter::new(&mut out))?;
    WireType::from_bytes(&out).map_err(|_| EncodeError::TooDeep)
}
