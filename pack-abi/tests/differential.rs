//! Dynamic values against the published codec: same bytes out, and nothing accepted that it refuses.

#[path = "corpus/values.rs"]
mod values;

use pack_abi::{Value, WireType, decode, encode};
use packr_abi::{Value as Theirs, ValueType};
use proptest::prelude::*;

fn their_type(wire_type: &WireType) -> ValueType {
    let boxed = |inner: &WireType| Box::new(their_type(inner));
    match wire_type {
        WireType::Bool => ValueType::Bool,
        WireType::U8 => ValueType::U8,
        WireType::U16 => ValueType::U16,
        WireType::U32 => ValueType::U32,
        WireType::U64 => ValueType::U64,
        WireType::S8 => ValueType::S8,
        WireType::S16 => ValueType::S16,
        WireType::S32 => ValueType::S32,
        WireType::S64 => ValueType::S64,
        WireType::F32 => ValueType::F32,
        WireType::F64 => ValueType::F64,
        WireType::Char => ValueType::Char,
        WireType::Flags => ValueType::Flags,
        WireType::String => ValueType::String,
        WireType::List(inner) => ValueType::List(boxed(inner)),
        WireType::Option(inner) => ValueType::Option(boxed(inner)),
        WireType::Set(inner) => ValueType::Set(boxed(inner)),
        WireType::Result(ok, err) => ValueType::Result { ok: boxed(ok), err: boxed(err) },
        WireType::Map(key, value) => ValueType::Map { key: boxed(key), value: boxed(value) },
        WireType::Tuple(elements) => ValueType::Tuple(elements.iter().map(their_type).collect()),
        WireType::Record(name) => ValueType::Record(name.clone()),
        WireType::Variant(name) => ValueType::Variant(name.clone()),
    }
}

fn their_value(value: &Value) -> Theirs {
    let items = |items: &[Value]| items.iter().map(their_value).collect::<Vec<_>>();
    let boxed = |value: &Value| Box::new(their_value(value));
    match value {
        Value::Bool(value) => Theirs::Bool(*value),
        Value::U8(value) => Theirs::U8(*value),
        Value::U16(value) => Theirs::U16(*value),
        Value::U32(value) => Theirs::U32(*value),
        Value::U64(value) => Theirs::U64(*value),
        Value::S8(value) => Theirs::S8(*value),
        Value::S16(value) => Theirs::S16(*value),
        Value::S32(value) => Theirs::S32(*value),
        Value::S64(value) => Theirs::S64(*value),
        Value::F32(value) => Theirs::F32(*value),
        Value::F64(value) => Theirs::F64(*value),
        Value::Char(value) => Theirs::Char(*value),
        Value::Flags(value) => Theirs::Flags(*value),
        Value::String(value) => Theirs::String(value.to_string()),
        Value::Bytes(bytes) => {
            Theirs::List { elem_type: ValueType::U8, items: bytes.iter().copied().map(Theirs::U8).collect() }
        }
        Value::List(list) => Theirs::List { elem_type: their_type(list.elem()), items: items(list.items()) },
        Value::Set(set) => Theirs::Set { elem_type: their_type(set.elem()), items: items(set.items()) },
        Value::Tuple(list) => Theirs::Tuple(items(list)),
        Value::Option(option) => {
            Theirs::Option { inner_type: their_type(option.inner()), value: option.value().map(boxed) }
        }
        Value::Result(result) => Theirs::Result {
            ok_type: their_type(result.ok()),
            err_type: their_type(result.err()),
            value: result.value().map(boxed).map_err(boxed),
        },
        Value::Record(record) => Theirs::Record {
            type_name: record.name().to_owned(),
            fields: record.fields().map(|(name, value)| (name.to_owned(), their_value(value))).collect(),
        },
        Value::Variant(variant) => Theirs::Variant {
            type_name: variant.type_name().to_owned(),
            case_name: variant.case().to_owned(),
            tag: variant.tag() as usize,
            payload: items(variant.payload()),
        },
        Value::Map(map) => Theirs::Map {
            key_type: their_type(map.key()),
            value_type: their_type(map.value()),
            entries: map.entries().map(|(key, value)| (their_value(key), their_value(value))).collect(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_have_the_bytes_of_the_published_codec(value in values::value()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(&bytes, &packr_abi::encode(&their_value(&value)).unwrap());
        prop_assert_eq!(&decode::<Value>(&bytes).unwrap(), &value);
        prop_assert_eq!(pack_abi::encoded_length(&bytes, &pack_abi::Limits::default()), Ok(bytes.len()));
    }

    #[test]
    fn values_print_and_parse_to_themselves(value in values::value()) {
        let text = value.to_string();
        prop_assert_eq!(text.parse::<Value>().unwrap(), value, "{}", text);
    }

    #[test]
    fn parsing_any_text_gives_a_value_or_an_error(text in "[a-z0-9<>(){}\\[\\],:#\"'\\\\. =-]{0,40}") {
        if let Ok(value) = text.parse::<Value>() {
            prop_assert_eq!(value.to_string().parse::<Value>().unwrap(), value);
        }
    }

    #[test]
    fn two_values_differ_exactly_if_there_is_a_difference(a in values::value(), b in values::value()) {
        prop_assert_eq!(pack_abi::diff(&a, &b).is_empty(), a == b);
        prop_assert!(pack_abi::diff(&a, &a).is_empty());
    }

    /// One value has one encoding: whatever still decodes after an edit encodes to just those bytes,
    /// and the published decoder reads the same value from them.
    #[test]
    fn altered_bytes_are_refused_or_are_the_encoding_of_another_value(
        value in values::value(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut bytes = encode(&value).unwrap();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = decode::<Value>(&bytes) {
            prop_assert_eq!(&encode(&read).unwrap(), &bytes);
            let theirs = packr_abi::decode(&bytes).unwrap();
            prop_assert_eq!(packr_abi::encode(&theirs).unwrap(), bytes);
        }
    }
}
