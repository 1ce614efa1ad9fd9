//! Reading the inside of a node: every length is checked before it is used.

use crate::{DecodeError, DecodeErrorKind, Kind};

/// A position in the bytes of one node.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    /// Offset of the end of `rest` in the whole buffer, for errors.
    end: usize,
}

impl<'a> Cursor<'a> {
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, end: offset + bytes.len() }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.end - self.rest.len())
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        match self.rest.split_first() {
            Some((byte, rest)) => {
                self.rest = rest;
                Ok(*byte)
            }
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        match self.rest.split_first_chunk::<4>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(u32::from_le_bytes(*bytes))
            }
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    /// Takes a counted text without looking at it.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn raw_text(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let at = *self;
        let bytes = self.raw_text()?;
        crate::utf8::text(bytes).ok_or_else(|| at.error(DecodeErrorKind::BadUtf8))
    }

    /// Takes all that is left as `count` indices, neither more nor fewer.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn links(self, count: usize) -> Result<&'a [[u8; 4]], DecodeError> {
        let (links, odd) = self.rest.as_chunks::<4>();
        if links.len() == count && odd.is_empty() {
            Ok(links)
        } else {
            Err(self.error(DecodeErrorKind::LengthMismatch))
        }
    }

    /// Skips one type term and returns its kind, or that of any other term that is not a leaf.
    ///
    /// Terms nest, so it counts those that are still owed instead of recursing; each owes at least one byte.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub(crate) fn skip_type(&mut self) -> Result<Kind, DecodeError> {
        // By far the most are a scalar or a string inside lists and options, so those need no bookkeeping.
        let mut rest = self.rest;
        while let Some((tag, inner)) = rest.split_first() {
            match Kind::from_byte(*tag) {
                Some(Kind::List | Kind::Option | Kind::Set) => rest = inner,
                Some(kind) if kind.width().is_some() || kind == Kind::String => {
                    let is_leaf = rest.len() == self.rest.len();
                    self.rest = inner;
                    return Ok(if is_leaf { kind } else { Kind::List });
                }
                Some(_) | None => break,
            }
        }
        self.skip_compound_type()
    }

    fn skip_compound_type(&mut self) -> Result<Kind, DecodeError> {
        let (outermost, owed) = self.skip_term()?;
        if owed > 0 {
            self.skip_terms(owed)?;
        }
        Ok(outermost)
    }

    fn skip_terms(&mut self, mut owed: usize) -> Result<(), DecodeError> {
        while owed > 0 {
            let (_, more) = self.skip_term()?;
            owed = owed - 1 + more;
            if owed > self.rest.len() {
                return Err(self.error(DecodeErrorKind::Truncated));
            }
        }
        Ok(())
    }

    /// Skips the head of one term: its kind and how many terms belong to it.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn skip_term(&mut self) -> Result<(Kind, usize), DecodeError> {
        let at = *self;
        let tag = self.u8()?;
        let kind = match Kind::from_byte(tag) {
            None | Some(Kind::Array) => return Err(at.error(DecodeErrorKind::UnknownType(tag))),
            Some(kind) => kind,
        };
        let owed = match kind {
            Kind::List | Kind::Option | Kind::Set => 1,
            Kind::Result | Kind::Map => 2,
            Kind::Tuple => {
                let count = self.u32()? as usize;
                if count > self.rest.len() {
                    return Err(self.error(DecodeErrorKind::Truncated));
                }
                count
            }
            Kind::Record | Kind::Variant => {
                self.text()?;
                0
            }
            Kind::Bool
            | Kind::S32
            | Kind::S64
            | Kind::F32
            | Kind::F64
            | Kind::String
            | Kind::U8
            | Kind::U16
            | Kind::U32
            | Kind::U64
            | Kind::S8
            | Kind::S16
            | Kind::Char
            | Kind::Flags
            | Kind::Array => 0,
        };
        Ok((kind, owed))
    }
}
