//! Values as JSON, for programs that have a JSON reader and no Graph ABI: complete, and to be read, not hashed.
//!
//! `docs/json.md` describes the form. Nothing is lost: whole numbers of 64 bits are texts, because JSON readers
//! keep 53 bits; floats that JSON cannot say are texts; declared types stand beside what they are declared for.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt::Write as _;

use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};

use crate::text::{NAN_32, NAN_64};
use crate::{Difference, Items, MAX_DEPTH, RecordValue, Value, VariantValue, WireType};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested { value: self, depth: 0 }.serialize(serializer)
    }
}

/// Types are written as text.
impl Serialize for WireType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `path`, and what is there on either side: a value, or null.
impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("left", &self.left)?;
        map.serialize_entry("right", &self.right)?;
        map.end()
    }
}

/// A value at its depth in the whole one.
struct Nested<'v> {
    value: &'v Value,
    depth: u32,
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (what, depth) = (serializer, self.depth + 1);
        match self.value {
            Value::Bool(value) => what.serialize_bool(*value),
            Value::String(text) => what.serialize_str(text),
            Value::U8(value) => tagged(what, "u8", value),
            Value::U16(value) => tagged(what, "u16", value),
            Value::U32(value) => tagged(what, "u32", value),
            Value::U64(value) => tagged(what, "u64", &value.to_string()),
            Value::S8(value) => tagged(what, "s8", value),
            Value::S16(value) => tagged(what, "s16", value),
            Value::S32(value) => tagged(what, "s32", value),
            Value::S64(value) => tagged(what, "s64", &value.to_string()),
            Value::F32(value) if value.is_finite() => tagged(what, "f32", &f64::from(*value)),
            Value::F32(value) => tagged(
                what,
                "f32",
                &not_finite(f64::from(*value), value.to_bits() == NAN_32, || {
                    format!("{:#010x}", value.to_bits())
                }),
            ),
            Value::F64(value) if value.is_finite() => tagged(what, "f64", value),
            Value::F64(value) => tagged(
                what,
                "f64",
                &not_finite(*value, value.to_bits() == NAN_64, || format!("{:#018x}", value.to_bits())),
            ),
            Value::Char(value) => tagged(what, "char", value),
            Value::Flags(mask) => tagged(what, "flags", &format!("{mask:#x}")),
            Value::Bytes(bytes) => tagged(what, "bytes", &hexadecimal(bytes)),
            _ if self.depth > MAX_DEPTH => Err(S::Error::custom(crate::EncodeError::TooDeep)),
            Value::Tuple(items) => tagged(what, "tuple", &Sequence { items, depth }),
            Value::List(list) => typed(what, "list", &Sequence { items: &list.items, depth }, list.elem()),
            Value::Set(set) => typed(what, "set", &Sequence { items: &set.items, depth }, set.elem()),
            Value::Option(option) => {
                let value = option.value().map(|value| Nested { value, depth });
                typed(what, "option", &value, option.inner())
            }
            Value::Result(result) => {
                let (word, value) = match result.value() {
                    Ok(value) => ("ok", value),
                    Err(value) => ("err", value),
                };
                typed(what, word, &Nested { value, depth }, &*result.types)
            }
            Value::Map(map) => typed(what, "map", &Entries { items: &map.entries, depth }, &*map.types),
            Value::Record(record) => record_map(what, record, depth),
            Value::Variant(variant) => variant_map(what, variant, depth),
        }
    }
}

fn tagged<S: Serializer>(
    serializer: S,
    tag: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

fn typed<S: Serializer>(
    serializer: S,
    tag: &str,
    value: &impl Serialize,
    declared: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry(tag, value)?;
    map.serialize_entry("of", declared)?;
    map.end()
}

fn record_map<S: Serializer>(serializer: S, record: &RecordValue, depth: u32) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("record", record.name())?;
    map.serialize_entry("fields", &Fields { record, depth })?;
    map.end()
}

fn variant_map<S: Serializer>(serializer: S, variant: &VariantValue, depth: u32) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(4))?;
    map.serialize_entry("variant", variant.type_name())?;
    map.serialize_entry("case", variant.case())?;
    map.serialize_entry("tag", &variant.tag())?;
    map.serialize_entry("payload", &Sequence { items: &variant.payload, depth })?;
    map.end()
}

struct Sequence<'v> {
    items: &'v Items,
    depth: u32,
}

impl Serialize for Sequence<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(|value| Nested { value, depth: self.depth }))
    }
}

/// Pairs of a key and a value.
struct Entries<'v> {
    items: &'v Items,
    depth: u32,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (pairs, _) = self.items.as_chunks::<2>();
        serializer.collect_seq(
            pairs.iter().map(|pair| pair.each_ref().map(|value| Nested { value, depth: self.depth })),
        )
    }
}

/// An object; pairs of name and value if a name is there twice, as nothing forbids.
struct Fields<'v> {
    record: &'v RecordValue,
    depth: u32,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.record.fields().map(|(name, value)| (name, Nested { value, depth: self.depth }));
        let mut names: alloc::vec::Vec<&str> = self.record.fields().map(|(name, _)| name).collect();
        names.sort_unstable();
        let is_object = names.windows(2).all(|pair| pair[0] != pair[1]);
        if is_object { serializer.collect_map(fields) } else { serializer.collect_seq(fields) }
    }
}

fn not_finite(value: f64, is_plain_nan: bool, bits: impl FnOnce() -> String) -> String {
    match value {
        _ if is_plain_nan => "NaN".to_string(),
        value if value.is_nan() => bits(),
        value if value > 0.0 => "inf".to_string(),
        _ => "-inf".to_string(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok());
    }
    text
}
