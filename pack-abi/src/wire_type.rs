//! Type terms: the types that lists, options, results, maps and sets carry with them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::{DecodeError, DecodeErrorKind, EncodeError, Kind, MAX_DEPTH, TypeWriter};

/// The type of a value as the wire states it; records and variants are known by name only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WireType {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `s8`
    S8,
    /// `s16`
    S16,
    /// `s32`
    S32,
    /// `s64`
    S64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `flags`
    Flags,
    /// `string`; also stands for a dynamic value
    String,
    /// `list<T>`
    List(Box<Self>),
    /// `option<T>`
    Option(Box<Self>),
    /// `result<T, E>`
    Result(Box<Self>, Box<Self>),
    /// `tuple<...>`
    Tuple(Vec<Self>),
    /// `map<K, V>`
    Map(Box<Self>, Box<Self>),
    /// `set<T>`
    Set(Box<Self>),
    /// A record of this name.
    Record(String),
    /// A variant of this name.
    Variant(String),
}

impl WireType {
    /// Returns the kind whose number is the tag of this term.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::U8 => Kind::U8,
            Self::U16 => Kind::U16,
            Self::U32 => Kind::U32,
            Self::U64 => Kind::U64,
            Self::S8 => Kind::S8,
            Self::S16 => Kind::S16,
            Self::S32 => Kind::S32,
            Self::S64 => Kind::S64,
            Self::F32 => Kind::F32,
            Self::F64 => Kind::F64,
            Self::Char => Kind::Char,
            Self::Flags => Kind::Flags,
            Self::String => Kind::String,
            Self::List(_) => Kind::List,
            Self::Option(_) => Kind::Option,
            Self::Result(..) => Kind::Result,
            Self::Tuple(_) => Kind::Tuple,
            Self::Map(..) => Kind::Map,
            Self::Set(_) => Kind::Set,
            Self::Record(_) => Kind::Record,
            Self::Variant(_) => Kind::Variant,
        }
    }

    /// Returns the kind if values of this type have a fixed width, so that their lists are packed.
    #[must_use]
    pub fn fixed(&self) -> Option<Kind> {
        let kind = self.kind();
        kind.width().map(|_| kind)
    }

    /// Returns the type of a scalar, `string` or `flags`.
    #[must_use]
    pub const fn leaf(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Bool => Self::Bool,
            Kind::S32 => Self::S32,
            Kind::S64 => Self::S64,
            Kind::F32 => Self::F32,
            Kind::F64 => Self::F64,
            Kind::String => Self::String,
            Kind::U8 => Self::U8,
            Kind::U16 => Self::U16,
            Kind::U32 => Self::U32,
            Kind::U64 => Self::U64,
            Kind::S8 => Self::S8,
            Kind::S16 => Self::S16,
            Kind::Char => Self::Char,
            Kind::Flags => Self::Flags,
            Kind::List
            | Kind::Variant
            | Kind::Record
            | Kind::Option
            | Kind::Tuple
            | Kind::Result
            | Kind::Array
            | Kind::Map
            | Kind::Set => return None,
        })
    }

    /// Reads one term that fills `bytes`.
    ///
    /// # Errors
    ///
    /// If the bytes are not one term, or it is nested too deeply.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes, 0);
        let wire_type = Self::read(&mut cursor)?;
        if cursor.rest().is_empty() {
            Ok(wire_type)
        } else {
            Err(cursor.error(DecodeErrorKind::TrailingBytes))
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        Self::read_at(cursor, 0)
    }

    fn read_at(cursor: &mut Cursor<'_>, depth: u32) -> Result<Self, DecodeError> {
        let at = *cursor;
        if depth > MAX_DEPTH {
            return Err(at.error(DecodeErrorKind::TooDeep));
        }
        let tag = cursor.u8()?;
        let Some(kind) = Kind::from_byte(tag) else {
            return Err(at.error(DecodeErrorKind::UnknownType(tag)));
        };
        if let Some(leaf) = Self::leaf(kind) {
            return Ok(leaf);
        }
        let inner = |cursor: &mut Cursor<'_>| Self::read_at(cursor, depth + 1).map(Box::new);
        Ok(match kind {
            Kind::List => Self::List(inner(cursor)?),
            Kind::Option => Self::Option(inner(cursor)?),
            Kind::Set => Self::Set(inner(cursor)?),
            Kind::Result => Self::Result(inner(cursor)?, inner(cursor)?),
            Kind::Map => Self::Map(inner(cursor)?, inner(cursor)?),
            Kind::Record => Self::Record(cursor.text()?.into()),
            Kind::Variant => Self::Variant(cursor.text()?.into()),
            Kind::Tuple => {
                let count = cursor.u32()? as usize;
                // Each element is at least one byte, so the input pays for the room.
                if count > cursor.rest().len() {
                    return Err(cursor.error(DecodeErrorKind::Truncated));
                }
                let mut elements = Vec::new();
                for _ in 0..count {
                    elements.push(Self::read_at(cursor, depth + 1)?);
                }
                Self::Tuple(elements)
            }
            _ => return Err(at.error(DecodeErrorKind::UnknownType(tag))),
        })
    }

    pub(crate) fn write(&self, types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        match self {
            Self::List(inner) | Self::Option(inner) | Self::Set(inner) => {
                types.nest(self.kind(), |types| inner.write(types))
            }
            Self::Result(a, b) | Self::Map(a, b) => types.nest(self.kind(), |types| {
                a.write(types)?;
                b.write(types)
            }),
            Self::Tuple(elements) => {
                let count = u32::try_from(elements.len()).map_err(|_| EncodeError::TooLarge)?;
                types.tuple(count, |types| elements.iter().try_for_each(|element| element.write(types)))
            }
            Self::Record(name) | Self::Variant(name) => types.named(self.kind(), name),
            Self::Bool
            | Self::U8
            | Self::U16
            | Self::U32
            | Self::U64
            | Self::S8
            | Self::S16
            | Self::S32
            | Self::S64
            | Self::F32
            | Self::F64
            | Self::Char
            | Self::Flags
            | Self::String => types.leaf(self.kind()),
        }
    }
}
