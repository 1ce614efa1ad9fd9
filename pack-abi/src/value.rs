//! A graph value of any type: what tools use that do not know the types at compile time.
//!
//! Equality is that of the encoded form: floats are compared by their bits, so `NaN` equals itself.
//! Decoded values are at most [`MAX_DEPTH`](crate::MAX_DEPTH) deep, which bounds the recursion of
//! comparing, cloning, printing and dropping them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Decode, DecodeError, Encode, EncodeError, Encoder, Flags};
use crate::{GraphType, Kind, NodeRef, TypeWriter, WireType};

/// A graph value of any type.
#[derive(Clone, Debug)]
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
    String(String),
    /// `list<u8>`: the form in which such lists are decoded
    Bytes(Vec<u8>),
    /// `list<T>`
    List {
        /// The declared type of the elements.
        elem: WireType,
        /// The elements.
        items: Vec<Self>,
    },
    /// `tuple<...>`; without elements it is unit
    Tuple(Vec<Self>),
    /// `option<T>`
    Option {
        /// The declared type of what is inside.
        inner: WireType,
        /// What is inside.
        value: Option<Box<Self>>,
    },
    /// `result<T, E>`
    Result {
        /// The declared type of `ok`.
        ok: WireType,
        /// The declared type of `err`.
        err: WireType,
        /// What is inside.
        value: Result<Box<Self>, Box<Self>>,
    },
    /// `record`
    Record {
        /// The name of the type.
        name: String,
        /// Names and values of the fields, in order.
        fields: Vec<(String, Self)>,
    },
    /// `variant` or `enum`
    Variant {
        /// The name of the type.
        type_name: String,
        /// The name of the case.
        case: String,
        /// The number that decides which case it is.
        tag: u32,
        /// The payloads.
        payload: Vec<Self>,
    },
    /// `map<K, V>`
    Map {
        /// The declared type of the keys.
        key: WireType,
        /// The declared type of the values.
        value: WireType,
        /// The entries, in order.
        entries: Vec<(Self, Self)>,
    },
    /// `set<T>`
    Set {
        /// The declared type of the elements.
        elem: WireType,
        /// The elements, in order.
        items: Vec<Self>,
    },
}

impl Value {
    /// Returns the empty tuple.
    #[must_use]
    pub const fn unit() -> Self {
        Self::Tuple(Vec::new())
    }

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
    #[must_use]
    pub fn wire_type(&self) -> WireType {
        match self {
            Self::Bool(_) => WireType::Bool,
            Self::U8(_) => WireType::U8,
            Self::U16(_) => WireType::U16,
            Self::U32(_) => WireType::U32,
            Self::U64(_) => WireType::U64,
            Self::S8(_) => WireType::S8,
            Self::S16(_) => WireType::S16,
            Self::S32(_) => WireType::S32,
            Self::S64(_) => WireType::S64,
            Self::F32(_) => WireType::F32,
            Self::F64(_) => WireType::F64,
            Self::Char(_) => WireType::Char,
            Self::Flags(_) => WireType::Flags,
            Self::String(_) => WireType::String,
            Self::Bytes(_) => WireType::List(Box::new(WireType::U8)),
            Self::List { elem, .. } => WireType::List(Box::new(elem.clone())),
            Self::Tuple(items) => WireType::Tuple(items.iter().map(Self::wire_type).collect()),
            Self::Option { inner, .. } => WireType::Option(Box::new(inner.clone())),
            Self::Result { ok, err, .. } => WireType::Result(Box::new(ok.clone()), Box::new(err.clone())),
            Self::Record { name, .. } => WireType::Record(name.clone()),
            Self::Variant { type_name, .. } => WireType::Variant(type_name.clone()),
            Self::Map { key, value, .. } => WireType::Map(Box::new(key.clone()), Box::new(value.clone())),
            Self::Set { elem, .. } => WireType::Set(Box::new(elem.clone())),
        }
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
            | Self::List { .. }
            | Self::Tuple(_)
            | Self::Option { .. }
            | Self::Result { .. }
            | Self::Record { .. }
            | Self::Variant { .. }
            | Self::Map { .. }
            | Self::Set { .. } => return None,
        };
        Some((kind, bits.to_le_bytes()))
    }

    /// Returns the field of a record.
    #[must_use]
    pub fn field(&self, wanted: &str) -> Option<&Self> {
        match self {
            Self::Record { fields, .. } => {
                fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// Why a dynamic value is not a value of a Rust type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::U8(a), Self::U8(b)) => a == b,
            (Self::U16(a), Self::U16(b)) => a == b,
            (Self::U32(a), Self::U32(b)) => a == b,
            (Self::U64(a), Self::U64(b)) | (Self::Flags(a), Self::Flags(b)) => a == b,
            (Self::S8(a), Self::S8(b)) => a == b,
            (Self::S16(a), Self::S16(b)) => a == b,
            (Self::S32(a), Self::S32(b)) => a == b,
            (Self::S64(a), Self::S64(b)) => a == b,
            (Self::F32(a), Self::F32(b)) => a.to_bits() == b.to_bits(),
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::List { elem: t, items: a }, Self::List { elem: u, items: b })
            | (Self::Set { elem: t, items: a }, Self::Set { elem: u, items: b }) => t == u && a == b,
            (Self::Option { inner: t, value: a }, Self::Option { inner: u, value: b }) => t == u && a == b,
            (Self::Result { ok: t, err: e, value: a }, Self::Result { ok: u, err: f, value: b }) => {
                t == u && e == f && a == b
            }
            (Self::Record { name: m, fields: a }, Self::Record { name: n, fields: b }) => m == n && a == b,
            (
                Self::Variant { type_name: s, case: c, tag: i, payload: a },
                Self::Variant { type_name: t, case: d, tag: j, payload: b },
            ) => i == j && s == t && c == d && a == b,
            (Self::Map { key: k, value: v, entries: a }, Self::Map { key: l, value: w, entries: b }) => {
                k == l && v == w && a == b
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
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
            Self::List { elem, items } => match elem.fixed() {
                Some(kind) => encoder.array_of_values(kind, items),
                None => encoder.sequence_with(Kind::List, |types| elem.write(types), items.iter()),
            },
            Self::Set { elem, items } => {
                encoder.sequence_with(Kind::Set, |types| elem.write(types), items.iter())
            }
            Self::Option { inner, value } => {
                encoder.option_with(|types| inner.write(types), value.as_deref())
            }
            Self::Result { ok, err, value } => {
                let (is_err, child) = match value {
                    Ok(child) => (false, child),
                    Err(child) => (true, child),
                };
                let types = |types: &mut TypeWriter<'_>| {
                    ok.write(types)?;
                    err.write(types)
                };
                encoder.result_with(types, is_err, |encoder| child.encode_node(encoder))
            }
            Self::Record { name, fields } => {
                encoder.record_of(name, fields.iter().map(|(name, value)| (name.as_str(), value)))
            }
            Self::Variant { type_name, case, tag, payload } => {
                encoder.variant_of((type_name, case), *tag, payload)
            }
            Self::Map { key, value, entries } => encoder.map_with(
                |types| {
                    key.write(types)?;
                    value.write(types)
                },
                entries.iter().map(|(key, value)| (key, value)),
            ),
        }
    }
}

impl<'a> Decode<'a> for Value {
    /// Reads without recursion: nodes come children first, so each parent takes its children off a stack.
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        let mut built = Vec::new();
        for index in node.subtree_nodes() {
            let value = read_node(node.sibling(index), &mut built)?;
            built.push(value);
        }
        // A subtree ends with its own node, which has taken all that was built before it.
        built.pop().ok_or_else(|| node.error(crate::DecodeErrorKind::Truncated))
    }

    fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
        match Self::decode_node(node)? {
            Self::List { items, .. } => Ok(items),
            Self::Bytes(bytes) => Ok(bytes.into_iter().map(Self::U8).collect()),
            _ => node.list().map(|_| Vec::new()),
        }
    }
}

fn read_node(node: NodeRef<'_, '_>, built: &mut Vec<Value>) -> Result<Value, DecodeError> {
    Ok(match node.kind() {
        Kind::Bool => Value::Bool(node.decode()?),
        Kind::U8 => Value::U8(node.decode()?),
        Kind::U16 => Value::U16(node.decode()?),
        Kind::U32 => Value::U32(node.decode()?),
        Kind::U64 => Value::U64(node.decode()?),
        Kind::S8 => Value::S8(node.decode()?),
        Kind::S16 => Value::S16(node.decode()?),
        Kind::S32 => Value::S32(node.decode()?),
        Kind::S64 => Value::S64(node.decode()?),
        Kind::F32 => Value::F32(node.decode()?),
        Kind::F64 => Value::F64(node.decode()?),
        Kind::Char => Value::Char(node.decode()?),
        Kind::Flags => Value::Flags(node.decode::<Flags>()?.0),
        Kind::String => Value::String(node.decode()?),
        Kind::Array => read_array(node)?,
        Kind::Tuple => Value::Tuple(take_children(node, built)),
        Kind::List => {
            let elem = WireType::read(&mut node.cursor())?;
            Value::List { elem, items: take_children(node, built) }
        }
        Kind::Set => {
            let elem = WireType::read(&mut node.cursor())?;
            Value::Set { elem, items: take_children(node, built) }
        }
        Kind::Option => {
            let inner = WireType::read(&mut node.cursor())?;
            let value = if node.option()?.is_some() { built.pop().map(Box::new) } else { None };
            Value::Option { inner, value }
        }
        Kind::Result => read_result(node, built)?,
        Kind::Record => read_record(node, built)?,
        Kind::Variant => {
            let case = node.variant()?;
            let payload = built.split_off(built.len() - case.payloads().len());
            Value::Variant {
                type_name: case.type_name().into(),
                case: case.name().into(),
                tag: case.tag(),
                payload,
            }
        }
        Kind::Map => {
            let mut cursor = node.cursor();
            let key = WireType::read(&mut cursor)?;
            let value = WireType::read(&mut cursor)?;
            let mut children = take_children(node, built).into_iter();
            let mut entries = Vec::with_capacity(children.len() / 2);
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            Value::Map { key, value, entries }
        }
    })
}

fn read_record(node: NodeRef<'_, '_>, built: &mut Vec<Value>) -> Result<Value, DecodeError> {
    let mut cursor = node.cursor();
    let name = cursor.text()?.into();
    let count = cursor.u32()? as usize;
    let mut fields = Vec::with_capacity(count);
    for value in built.drain(built.len() - count..) {
        fields.push((cursor.text()?.into(), value));
    }
    cursor.links(count)?;
    Ok(Value::Record { name, fields })
}

fn take_children(node: NodeRef<'_, '_>, built: &mut Vec<Value>) -> Vec<Value> {
    let count = node.children().len();
    built.split_off(built.len() - count)
}

fn read_result(node: NodeRef<'_, '_>, built: &mut Vec<Value>) -> Result<Value, DecodeError> {
    let mut cursor = node.cursor();
    let ok = WireType::read(&mut cursor)?;
    let err = WireType::read(&mut cursor)?;
    let is_ok = node.result()?.is_ok();
    let child = Box::new(built.pop().unwrap_or_else(Value::unit));
    Ok(Value::Result { ok, err, value: if is_ok { Ok(child) } else { Err(child) } })
}

fn read_array(node: NodeRef<'_, '_>) -> Result<Value, DecodeError> {
    fn items<'a, T: Decode<'a>>(
        node: NodeRef<'a, '_>,
        elem: WireType,
        item: impl FnMut(T) -> Value,
    ) -> Result<Value, DecodeError> {
        Ok(Value::List { elem, items: T::decode_list(node)?.into_iter().map(item).collect() })
    }
    let kind = Kind::from_byte(node.payload().first().copied().unwrap_or_default());
    match kind {
        Some(Kind::U8) => node.as_bytes().map(|bytes| Value::Bytes(bytes.to_vec())),
        Some(Kind::Bool) => items(node, WireType::Bool, Value::Bool),
        Some(Kind::U16) => items(node, WireType::U16, Value::U16),
        Some(Kind::U32) => items(node, WireType::U32, Value::U32),
        Some(Kind::U64) => items(node, WireType::U64, Value::U64),
        Some(Kind::S8) => items(node, WireType::S8, Value::S8),
        Some(Kind::S16) => items(node, WireType::S16, Value::S16),
        Some(Kind::S32) => items(node, WireType::S32, Value::S32),
        Some(Kind::S64) => items(node, WireType::S64, Value::S64),
        Some(Kind::F32) => items(node, WireType::F32, Value::F32),
        Some(Kind::F64) => items(node, WireType::F64, Value::F64),
        Some(Kind::Char) => items(node, WireType::Char, Value::Char),
        Some(Kind::Flags) => items(node, WireType::Flags, |flags: Flags| Value::Flags(flags.0)),
        _ => Err(node.error(crate::DecodeErrorKind::WrongListForm)),
    }
}
