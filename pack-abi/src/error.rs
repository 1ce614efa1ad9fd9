//! Why a value cannot be written or bytes cannot be read.

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

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "value is nested deeper than {} levels", crate::MAX_DEPTH),
            Self::TooLarge => f.write_str("value is too large to encode"),
            Self::ElementMismatch { declared } => {
                write!(f, "list of {declared} holds an item of another type")
            }
            Self::RootNotLast => f.write_str("value did not write its own node last"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Why bytes are not a value (of the wanted type), and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Offset of the byte, or of the node, that is wrong.
    pub offset: u32,
}

impl DecodeError {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)
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

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("value is truncated"),
            Self::BadMagic => f.write_str("not an encoded value (it does not begin with \"CGRF\")"),
            Self::UnsupportedVersion(version) => write!(f, "unsupported version {version}"),
            Self::ReservedBits => f.write_str("reserved bits are set"),
            Self::TooLarge => f.write_str("value is too large"),
            Self::TooManyNodes => f.write_str("value claims too many nodes"),
            Self::TooDeep => f.write_str("value is nested too deeply"),
            Self::TrailingBytes => f.write_str("bytes after the end of the value"),
            Self::LengthMismatch => f.write_str("node length does not match its contents"),
            Self::UnknownKind(kind) => write!(f, "unknown node kind {kind:#04x}"),
            Self::UnknownType(tag) => write!(f, "unknown type tag {tag:#04x}"),
            Self::BadUtf8 => f.write_str("text is not UTF-8"),
            Self::BadBool => f.write_str("bool is neither 0 nor 1"),
            Self::BadChar => f.write_str("char is not a Unicode scalar value"),
            Self::BadPresence => f.write_str("presence byte is neither 0 nor 1"),
            Self::ChildOutOfOrder => f.write_str("child node is shared, missing or out of order"),
            Self::UnreferencedNodes => f.write_str("node belongs to no other node"),
            Self::WrongListForm => f.write_str("list is in the wrong form for its element type"),
            Self::UnexpectedKind { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::WrongCount { expected, found } => write!(f, "expected {expected} elements, found {found}"),
            Self::MissingField(name) => write!(f, "field `{name}` is missing"),
            Self::UnknownTag(tag) => write!(f, "no case has the tag {tag}"),
            Self::DuplicateKey => f.write_str("key is there twice"),
            Self::Custom(cause) => f.write_str(cause),
        }
    }
}
