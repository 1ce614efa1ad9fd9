//! A graph value of any type: what tools use that do not know the types at compile time.
//!
//! A value takes 32 bytes; whatever is larger is shared, so a clone costs a count and not a copy (see `compound`).
//! Equality is that of the encoded form: floats are compared by their bits, so `NaN` equals itself.
//!
//! Decoded values are at most [`MAX_DEPTH`](crate::MAX_DEPTH) deep. Values made by hand may be deeper: they are
//! cloned, compared and dropped without recursion, encoding them is an error, and their text is cut off.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::compound::{Items, ListValue, MapValue, OptionValue, RecordValue, ResultValue, VariantValue};
use crate::{Decode, DecodeError, Encode, EncodeError, Encoder, Flags};
use crate::{GraphType, Kind, MAX_DEPTH, TypeWriter, WireType};

/// A graph value of any type.
///
/// ```
/// use pack_abi::{Value, WireType};
///
/// let point = Value::record("Point", [("x", Value::S32(1)), ("y", Value::S32(-2))]);
/// assert_eq!(point.field("y"), Some(&Value::S32(-2)));
/// let shapes = Value::list(WireType::Record("Point".to_owned()), [point.clone(), point]);
/// assert_eq!(shapes.to_string(), "[Point{x: 1s32, y: -2s32}, Point{x: 1s32, y: -2s32}]");
/// ```
#[derive(Clone)]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `u8`
    U8(u8),
    /// `u16`
    U16(u16),
    /// `u32`
    U32(u32),
    /// `u64`
    U64(u64),
    /// `s8`
    S8(i8),
    /// `s16`
    S16(i16),
    /// `s32`
    S32(i32),
    /// `s64`
    S64(i64),
    /// `f32`
    F32(f32),
    /// `f64`
    F64(f64),
    /// `char`
    Char(char),
    /// `flags`
    Flags(u64),
    /// `string`
    String(Arc<str>),
    /// `list<u8>`: the form in which such lists are decoded
    Bytes(Arc<[u8]>),
    /// `list<T>`
    List(ListValue),
    /// `tuple<...>`; without elements it is unit
    Tuple(Items),
    /// `option<T>`
    Option(OptionValue),
    /// `result<T, E>`
    Result(ResultValue),
    /// `record`
    Record(RecordValue),
    /// `variant` or `enum`
    Variant(VariantValue),
    /// `map<K, V>`
    Map(MapValue),
    /// `set<T>`
    Set(ListValue),
}

impl Value {
    /// Turns a Rust value into a dynamic one.
    ///
    /// # Errors
    ///
    /// If the value is nested too deeply or too large.
    pub fn of<T: Encode + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let bytes = crate::encode(value)?;
        // An encoder's output is refused by the decoder only where the value has outgrown its limits.
        crate::decode(&bytes).map_err(|_| EncodeError::TooLarge)
    }

    /// Turns a dynamic value into a Rust value that owns what it holds.
    ///
    /// # Errors
    ///
    /// If it is a value of another type; the offset is that in the encoded form.
    pub fn to<T: for<'a> Decode<'a>>(&self) -> Result<T, ConvertError> {
        let bytes = crate::encode(self).map_err(ConvertError::Encode)?;
        crate::decode(&bytes).map_err(ConvertError::Decode)
    }

    /// Returns the type that the value shows by itself: declared types where it carries them.
    ///
    /// # Errors
    ///
    /// If it is a tuple of tuples that is nested more deeply than types may be.
    pub fn wire_type(&self) -> Result<WireType, EncodeError> {
        self.wire_type_at(0)
    }

    fn wire_type_at(&self, depth: u32) -> Result<WireType, EncodeError> {
        let elements = match self {
            Self::Tuple(_) if depth > MAX_DEPTH => return Err(EncodeError::TooDeep),
            Self::Tuple(items) => items.iter().map(|item| item.wire_type_at(depth + 1)),
            Self::Bytes(_) => return Ok(WireType::List(Box::new(WireType::U8))),
            Self::List(list) => return Ok(WireType::List(Box::new(list.elem().clone()))),
            Self::Set(set) => return Ok(WireType::Set(Box::new(set.elem().clone()))),
            Self::Option(option) => return Ok(WireType::Option(Box::new(option.inner().clone()))),
            Self::Record(record) => return Ok(WireType::Record(record.name().into())),
            Self::Variant(variant) => return Ok(WireType::Variant(variant.type_name().into())),
            Self::Result(result) => {
                return Ok(WireType::Result(Box::new(result.ok().clone()), Box::new(result.err().clone())));
            }
            Self::Map(map) => {
                return Ok(WireType::Map(Box::new(map.key().clone()), Box::new(map.value().clone())));
            }
            Self::Bool(_) => return Ok(WireType::Bool),
            Self::U8(_) => return Ok(WireType::U8),
            Self::U16(_) => return Ok(WireType::U16),
            Self::U32(_) => return Ok(WireType::U32),
            Self::U64(_) => return Ok(WireType::U64),
            Self::S8(_) => return Ok(WireType::S8),
            Self::S16(_) => return Ok(WireType::S16),
            Self::S32(_) => return Ok(WireType::S32),
            Self::S64(_) => return Ok(WireType::S64),
            Self::F32(_) => return Ok(WireType::F32),
            Self::F64(_) => return Ok(WireType::F64),
            Self::Char(_) => return Ok(WireType::Char),
            Self::Flags(_) => return Ok(WireType::Flags),
            Self::String(_) => return Ok(WireType::String),
        };
        elements.collect::<Result<_, _>>().map(WireType::Tuple)
    }

    /// Whether the value shows this type by itself.
    pub(crate) fn is_of(&self, wire_type: &WireType) -> bool {
        match (self, wire_type) {
            (Self::Tuple(items), WireType::Tuple(elements)) => {
                items.len() == elements.len() && items.iter().zip(elements).all(|(item, t)| item.is_of(t))
            }
            (Self::List(list), WireType::List(elem)) => *list.elem() == **elem,
            (Self::Set(set), WireType::Set(elem)) => *set.elem() == **elem,
            (Self::Option(option), WireType::Option(inner)) => *option.inner() == **inner,
            (Self::Record(record), WireType::Record(name)) => record.name() == name,
            (Self::Variant(variant), WireType::Variant(name)) => variant.type_name() == name,
            (Self::Result(result), WireType::Result(ok, err)) => {
                *result.ok() == **ok && *result.err() == **err
            }
            (Self::Map(map), WireType::Map(key, value)) => *map.key() == **key && *map.value() == **value,
            (Self::Bytes(_), WireType::List(elem)) => **elem == WireType::U8,
            (Self::String(_), WireType::String) => true,
            _ => self.fixed_bytes().is_some_and(|(kind, _)| kind == wire_type.kind()),
        }
    }

    /// Whether other values are inside of it.
    pub(crate) fn is_compound(&self) -> bool {
        self.fixed_bytes().is_none() && !matches!(self, Self::String(_) | Self::Bytes(_))
    }

    /// Returns kind and little-endian bytes of a value of fixed width; the bytes that it does not need are zero.
    pub(crate) fn fixed_bytes(&self) -> Option<(Kind, [u8; 8])> {
        let (kind, bits) = match self {
            Self::Bool(value) => (Kind::Bool, u64::from(*value)),
            Self::U8(value) => (Kind::U8, u64::from(*value)),
            Self::U16(value) => (Kind::U16, u64::from(*value)),
            Self::U32(value) => (Kind::U32, u64::from(*value)),
            Self::U64(value) => (Kind::U64, *value),
            Self::S8(value) => (Kind::S8, u64::from(value.cast_unsigned())),
            Self::S16(value) => (Kind::S16, u64::from(value.cast_unsigned())),
            Self::S32(value) => (Kind::S32, u64::from(value.cast_unsigned())),
            Self::S64(value) => (Kind::S64, value.cast_unsigned()),
            Self::F32(value) => (Kind::F32, u64::from(value.to_bits())),
            Self::F64(value) => (Kind::F64, value.to_bits()),
            Self::Char(value) => (Kind::Char, u64::from(*value)),
            Self::Flags(mask) => (Kind::Flags, *mask),
            Self::String(_)
            | Self::Bytes(_)
            | Self::List(_)
            | Self::Tuple(_)
            | Self::Option(_)
            | Self::Result(_)
            | Self::Record(_)
            | Self::Variant(_)
            | Self::Map(_)
            | Self::Set(_) => return None,
        };
        Some((kind, bits.to_le_bytes()))
    }

    /// Returns the field of a record.
    #[must_use]
    pub fn field(&self, wanted: &str) -> Option<&Self> {
        if let Self::Record(record) = self { record.field(wanted) } else { None }
    }
}

/// Why a dynamic value is not a value of a Rust type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(Copy))]
pub enum ConvertError {
    /// The value cannot be encoded.
    Encode(EncodeError),
    /// The value has another type.
    Decode(DecodeError),
}

impl core::fmt::Display for ConvertError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConvertError {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// A dynamic value stands for any type; where a type term needs one it is `string`, as upstream writes it.
impl GraphType for Value {
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        types.leaf(Kind::String)
    }
}

impl Encode for Value {
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        // What is shared is written as often as it is there, which may be more than anybody has room for.
        encoder.check_size()?;
        match self {
            Self::Bool(value) => value.encode_node(encoder),
            Self::U8(value) => value.encode_node(encoder),
            Self::U16(value) => value.encode_node(encoder),
            Self::U32(value) => value.encode_node(encoder),
            Self::U64(value) => value.encode_node(encoder),
            Self::S8(value) => value.encode_node(encoder),
            Self::S16(value) => value.encode_node(encoder),
            Self::S32(value) => value.encode_node(encoder),
            Self::S64(value) => value.encode_node(encoder),
            Self::F32(value) => value.encode_node(encoder),
            Self::F64(value) => value.encode_node(encoder),
            Self::Char(value) => value.encode_node(encoder),
            Self::Flags(value) => Flags(*value).encode_node(encoder),
            Self::String(value) => encoder.string(value),
            Self::Bytes(value) => encoder.bytes(value),
            Self::Tuple(items) => encoder.tuple_of(items),
            Self::List(list) => match list.elem.fixed() {
                Some(kind) => encoder.array_of_values(kind, &list.items),
                None => encoder.sequence_with(Kind::List, |types| list.elem.write(types), list.items.iter()),
            },
            Self::Set(set) => {
                encoder.sequence_with(Kind::Set, |types| set.elem.write(types), set.items.iter())
            }
            Self::Option(option) => encoder.option_with(|types| option.inner.write(types), option.value()),
            Self::Result(result) => {
                let (is_err, child) = match result.value() {
                    Ok(child) => (false, child),
                    Err(child) => (true, child),
                };
                let types = |types: &mut TypeWriter<'_>| write_both(&result.types, types);
                encoder.result_with(types, is_err, |encoder| child.encode_node(encoder))
            }
            Self::Record(record) => encoder.record_of(record.name(), record.fields()),
            Self::Variant(variant) => {
                encoder.variant_of((variant.type_name(), variant.case()), variant.tag(), variant.payload())
            }
            Self::Map(map) => encoder.map_with(|types| write_both(&map.types, types), map.entries()),
        }
    }
}

fn write_both(both: &(WireType, WireType), types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
    both.0.write(types)?;
    both.1.write(types)
}
