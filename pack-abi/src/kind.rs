//! The kinds of nodes, which are also the tags of type terms.

/// What a node is; the number is its first byte on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// `bool`
    Bool = 0x01,
    /// `s32`
    S32 = 0x02,
    /// `s64`
    S64 = 0x03,
    /// `f32`
    F32 = 0x04,
    /// `f64`
    F64 = 0x05,
    /// `string`
    String = 0x06,
    /// `list` of elements that are nodes of their own
    List = 0x07,
    /// `variant` and `enum`
    Variant = 0x08,
    /// `record`
    Record = 0x09,
    /// `option`
    Option = 0x0A,
    /// `tuple`; without elements it is unit
    Tuple = 0x0B,
    /// `u8`
    U8 = 0x0C,
    /// `u16`
    U16 = 0x0D,
    /// `u32`
    U32 = 0x0E,
    /// `u64`
    U64 = 0x0F,
    /// `s8`
    S8 = 0x10,
    /// `s16`
    S16 = 0x11,
    /// `char`
    Char = 0x12,
    /// `flags`
    Flags = 0x13,
    /// `result`
    Result = 0x14,
    /// `list` of fixed-width elements, packed; never a tag of a type term
    Array = 0x15,
    /// `map`
    Map = 0x16,
    /// `set`
    Set = 0x17,
}

impl Kind {
    /// Returns the kind with this number.
    #[inline]
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Bool,
            0x02 => Self::S32,
            0x03 => Self::S64,
            0x04 => Self::F32,
            0x05 => Self::F64,
            0x06 => Self::String,
            0x07 => Self::List,
            0x08 => Self::Variant,
            0x09 => Self::Record,
            0x0A => Self::Option,
            0x0B => Self::Tuple,
            0x0C => Self::U8,
            0x0D => Self::U16,
            0x0E => Self::U32,
            0x0F => Self::U64,
            0x10 => Self::S8,
            0x11 => Self::S16,
            0x12 => Self::Char,
            0x13 => Self::Flags,
            0x14 => Self::Result,
            0x15 => Self::Array,
            0x16 => Self::Map,
            0x17 => Self::Set,
            _ => return None,
        })
    }

    /// Returns the bytes that a value of this kind occupies, if all its values occupy the same.
    ///
    /// Lists of such elements travel packed, in one [`Kind::Array`] node.
    #[inline]
    #[must_use]
    pub const fn width(self) -> Option<usize> {
        match self {
            Self::Bool | Self::U8 | Self::S8 => Some(1),
            Self::U16 | Self::S16 => Some(2),
            Self::U32 | Self::S32 | Self::F32 | Self::Char => Some(4),
            Self::U64 | Self::S64 | Self::F64 | Self::Flags => Some(8),
            Self::String
            | Self::List
            | Self::Variant
            | Self::Record
            | Self::Option
            | Self::Tuple
            | Self::Result
            | Self::Array
            | Self::Map
            | Self::Set => None,
        }
    }

    /// Returns the word that the interface language has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S32 => "s32",
            Self::S64 => "s64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::String => "string",
            Self::List => "list",
            Self::Variant => "variant",
            Self::Record => "record",
            Self::Option => "option",
            Self::Tuple => "tuple",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::S8 => "s8",
            Self::S16 => "s16",
            Self::Char => "char",
            Self::Flags => "flags",
            Self::Result => "result",
            Self::Array => "array",
            Self::Map => "map",
            Self::Set => "set",
        }
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
