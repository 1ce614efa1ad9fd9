//! Why a value cannot be written or bytes cannot be read.
//!
//! The texts are put out in parts, and `Display` is made of the parts: so a guest that answers with the text
//! does not carry the formatting machinery of `core`, which is larger than the codec.

use core::fmt;

use crate::Kind;

/// Why a value cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// Nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    TooDeep,
    /// Larger than a decoder accepts by default.
    TooLarge,
    /// A list of a fixed-width type holds an item of another type.
    ElementMismatch {
        /// The declared type of the elements.
        declared: Kind,
    },
    /// A hand-written `Encode` did not write its own node last.
    RootNotLast,
}

impl EncodeError {
    /// Puts out the text in parts.
    pub fn put(&self, out: &mut dyn FnMut(&str)) {
        out(match self {
            Self::TooDeep => "value is nested deeper than ",
            Self::TooLarge => "value is too large to encode",
            Self::ElementMismatch { .. } => "list of ",
            Self::RootNotLast => "value did not write its own node last",
        });
        match self {
            Self::TooDeep => {
                decimal(crate::MAX_DEPTH, out);
                out(" levels");
            }
            Self::ElementMismatch { declared } => {
                [declared.name(), " holds an item of another type"].into_iter().for_each(out);
            }
            Self::TooLarge | Self::RootNotLast => {}
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, |out| self.put(out))
    }
}

impl core::error::Error for EncodeError {}

/// Why bytes are not a value (of the wanted type), and where.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Offset of the byte, or of the node, that is wrong.
    pub offset: u32,
}

/// Why bytes are not a value (of the wanted type), and where.
///
/// In a guest it is an address, so that handing one up from step to step is little code.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(alloc::boxed::Box<Mistake>);

/// What a [`DecodeError`] of a guest holds.
#[cfg(target_arch = "wasm32")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Offset of the byte, or of the node, that is wrong.
    pub offset: u32,
}

#[cfg(target_arch = "wasm32")]
impl core::ops::Deref for DecodeError {
    type Target = Mistake;

    fn deref(&self) -> &Mistake {
        &self.0
    }
}

impl DecodeError {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        #[cfg(not(target_arch = "wasm32"))]
        return Self { kind, offset };
        #[cfg(target_arch = "wasm32")]
        return Self(alloc::boxed::Box::new(Mistake { kind, offset }));
    }

    /// Puts out the text in parts.
    pub fn put(&self, out: &mut dyn FnMut(&str)) {
        self.kind.put(out);
        out(" at byte ");
        decimal(self.offset, out);
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, |out| self.put(out))
    }
}

impl core::error::Error for DecodeError {}

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The buffer, a node or a field of it ends too early.
    Truncated,
    /// The first four bytes are not `CGRF`.
    BadMagic,
    /// A version that this decoder does not know.
    UnsupportedVersion(u16),
    /// Bits that must be zero are not.
    ReservedBits,
    /// More bytes than the limit allows.
    TooLarge,
    /// More nodes than the limit allows, or than the buffer can hold.
    TooManyNodes,
    /// Nested deeper than the limit allows.
    TooDeep,
    /// Bytes after the last node.
    TrailingBytes,
    /// A node has more bytes than its contents need, or counts more than it has.
    LengthMismatch,
    /// A node of a kind that does not exist.
    UnknownKind(u8),
    /// A type term that does not exist.
    UnknownType(u8),
    /// Text that is not UTF-8.
    BadUtf8,
    /// A `bool` that is neither 0 nor 1.
    BadBool,
    /// A `char` that is not a Unicode scalar value.
    BadChar,
    /// A presence byte or a result tag that is neither 0 nor 1.
    BadPresence,
    /// A child is not where an encoder puts it: it is shared, comes later, or does not exist.
    ChildOutOfOrder,
    /// Nodes that no other node refers to, or a root that is not the last node.
    UnreferencedNodes,
    /// A list of fixed-width elements that is not packed, or a packed one of other elements.
    WrongListForm,
    /// A node of another kind than the wanted type has.
    UnexpectedKind {
        /// The wanted kind.
        expected: Kind,
        /// The kind that is there.
        found: Kind,
    },
    /// The number of elements, fields or payloads is not that of the wanted type.
    WrongCount {
        /// How many the type has.
        expected: u32,
        /// How many there are.
        found: u32,
    },
    /// A field of the wanted type is missing.
    MissingField(&'static str),
    /// No case of the wanted type has this tag.
    UnknownTag(u32),
    /// A key of a map or an element of a set is there twice.
    DuplicateKey,
    /// A cause that a hand-written `Decode` names.
    Custom(&'static str),
}

impl DecodeErrorKind {
    /// Puts out the text in parts.
    pub fn put(&self, out: &mut dyn FnMut(&str)) {
        out(self.beginning());
        match self {
            Self::UnsupportedVersion(version) => decimal(u32::from(*version), out),
            Self::UnknownKind(byte) | Self::UnknownType(byte) => hexadecimal(*byte, out),
            Self::UnexpectedKind { expected, found } => {
                [expected.name(), ", found ", found.name()].into_iter().for_each(out);
            }
            Self::WrongCount { expected, found } => {
                decimal(*expected, out);
                out(" elements, found ");
                decimal(*found, out);
            }
            Self::MissingField(name) => [*name, "` is missing"].into_iter().for_each(out),
            Self::UnknownTag(tag) => decimal(*tag, out),
            Self::Custom(cause) => out(cause),
            Self::Truncated
            | Self::BadMagic
            | Self::ReservedBits
            | Self::TooLarge
            | Self::TooManyNodes
            | Self::TooDeep
            | Self::TrailingBytes
            | Self::LengthMismatch
            | Self::BadUtf8
            | Self::BadBool
            | Self::BadChar
            | Self::BadPresence
            | Self::ChildOutOfOrder
            | Self::UnreferencedNodes
            | Self::WrongListForm
            | Self::DuplicateKey => {}
        }
    }

    /// The text up to what is different each time; a table, which takes less of a guest than code.
    fn beginning(&self) -> &'static str {
        match self {
            Self::Truncated => "value is truncated",
            Self::BadMagic => "not an encoded value (it does not begin with \"CGRF\")",
            Self::UnsupportedVersion(_) => "unsupported version ",
            Self::ReservedBits => "reserved bits are set",
            Self::TooLarge => "value is too large",
            Self::TooManyNodes => "value claims too many nodes",
            Self::TooDeep => "value is nested too deeply",
            Self::TrailingBytes => "bytes after the end of the value",
            Self::LengthMismatch => "node length does not match its contents",
            Self::UnknownKind(_) => "unknown node kind ",
            Self::UnknownType(_) => "unknown type tag ",
            Self::BadUtf8 => "text is not UTF-8",
            Self::BadBool => "bool is neither 0 nor 1",
            Self::BadChar => "char is not a Unicode scalar value",
            Self::BadPresence => "presence byte is neither 0 nor 1",
            Self::ChildOutOfOrder => "child node is shared, missing or out of order",
            Self::UnreferencedNodes => "node belongs to no other node",
            Self::WrongListForm => "list is in the wrong form for its element type",
            Self::UnexpectedKind { .. } | Self::WrongCount { .. } => "expected ",
            Self::MissingField(_) => "field `",
            Self::UnknownTag(_) => "no case has the tag ",
            Self::DuplicateKey => "key is there twice",
            Self::Custom(_) => "",
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, |out| self.put(out))
    }
}

/// Writes what is put out until that fails.
fn display(f: &mut fmt::Formatter<'_>, put: impl FnOnce(&mut dyn FnMut(&str))) -> fmt::Result {
    let mut written = Ok(());
    put(&mut |part| {
        if written.is_ok() {
            written = f.write_str(part);
        }
    });
    written
}

/// Puts out a number, most significant digit first.
#[doc(hidden)]
pub fn decimal(number: u32, out: &mut dyn FnMut(&str)) {
    if number >= 10 {
        decimal(number / 10, out);
    }
    digit(number % 10, out);
}

fn hexadecimal(byte: u8, out: &mut dyn FnMut(&str)) {
    out("0x");
    digit(u32::from(byte >> 4), out);
    digit(u32::from(byte & 15), out);
}

fn digit(digit: u32, out: &mut dyn FnMut(&str)) {
    let at = digit as usize;
    out("0123456789abcdef".get(at..=at).unwrap_or("?"));
}
