//! What is wrong with a value, and where, in words for the one who made it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use crate::{DecodeError, DecodeErrorKind, EncodeError, Kind, NodeRef};

/// A value that does not fit a signature: the mistake of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The function, with its interface.
    pub function: String,
    /// The parameter and the way inside its value, e.g. `shape.points[2].x`; begins with `result` for a result.
    /// Empty if it is about the arguments as a whole.
    pub path: String,
    /// What is wrong there.
    pub problem: Box<Problem>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, path, problem } = self;
        match path.as_str() {
            "" => write!(f, "{function}: {problem}"),
            path => write!(f, "{function}: {path}: {problem}"),
        }
    }
}

impl core::error::Error for Violation {}

/// What is wrong at one place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The value is of another type.
    Type {
        /// What the signature says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// There are more or fewer parts.
    Count {
        /// Of what: `arguments`, `elements`, `payloads`.
        what: &'static str,
        /// How many the signature has.
        expected: usize,
        /// How many are there.
        found: usize,
    },
    /// A field of the record is not there.
    MissingField {
        /// The record.
        record: String,
        /// The field.
        field: String,
    },
    /// The value has a field that the record has not.
    UnknownField {
        /// The record.
        record: String,
        /// The field.
        field: String,
    },
    /// The variant has no case with this tag.
    UnknownTag {
        /// The variant.
        variant: String,
        /// The tag.
        tag: u32,
        /// The name that the value gives to the case.
        case: String,
    },
    /// The case with this tag has another name: whoever made the value knows the cases in another order.
    OtherCase {
        /// The variant.
        variant: String,
        /// The tag.
        tag: u32,
        /// The name that belongs to the tag.
        expected: String,
        /// The name that the value gives to the case.
        found: String,
    },
    /// Bits are set that stand for no flag.
    UnknownFlags {
        /// The flags type.
        flags: String,
        /// The bits that have no name.
        bits: u64,
    },
    /// A text, a name, a `bool` or a `char` that is none, or a key that is there twice.
    Unreadable(DecodeErrorKind),
    /// The bytes are not a value at all.
    Malformed(DecodeError),
    /// The dynamic value cannot be encoded.
    Unencodable(EncodeError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Count { what, expected, found } => write!(f, "expected {expected} {what}, found {found}"),
            Self::MissingField { record, field } => write!(f, "field `{field}` of `{record}` is missing"),
            Self::UnknownField { record, field } => write!(f, "`{record}` has no field `{field}`"),
            Self::UnknownTag { variant, tag, case } => {
                write!(f, "`{variant}` has no case with the tag {tag} (`{case}`)")
            }
            Self::OtherCase { variant, tag, expected, found } => {
                write!(
                    f,
                    "the tag {tag} of `{variant}` is the case `{expected}`, the value calls it `{found}`"
                )
            }
            Self::UnknownFlags { flags, bits } => write!(f, "the bits {bits:#x} are no flags of `{flags}`"),
            Self::Unreadable(kind) => kind.fmt(f),
            Self::Malformed(error) => error.fmt(f),
            Self::Unencodable(error) => error.fmt(f),
        }
    }
}

/// Returns what a node is, as the interface language would say it.
pub(super) fn found(node: NodeRef<'_, '_>) -> String {
    match node.kind() {
        Kind::Array => match node.payload().first().copied().and_then(Kind::from_byte) {
            Some(element) => format!("list<{element}>"),
            None => "list".into(),
        },
        Kind::Tuple => match node.children().len() {
            0 => "nothing".into(),
            count => format!("a tuple of {count}"),
        },
        kind => kind.to_string(),
    }
}
