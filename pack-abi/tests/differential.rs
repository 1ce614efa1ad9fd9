//! Dynamic values against the published codec: same bytes out, and nothing accepted that it refuses.

use pack_abi::{Value, WireType, decode, encode};
use packr_abi::{Value as Theirs, ValueType};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zA-Z][a-zA-Z0-9_-]{0,6}", 1 => any::<String>()]
}

fn wire_type() -> impl Strategy<Value = WireType> {
    let leaf = prop_oneof![
        Just(WireType::Bool),
        Just(WireType::U8),
        Just(WireType::S64),
        Just(WireType::F32),
        Just(WireType::Char),
        Just(WireType::Flags),
        Just(WireType::String),
        name().prop_map(WireType::Record),
        name().prop_map(WireType::Variant),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(WireType::List),
            boxed.clone().prop_map(WireType::Option),
            boxed.clone().prop_map(WireType::Set),
            (boxed.clone(), boxed.clone()).prop_map(|(a, b)| WireType::Result(a, b)),
            (boxed.clone(), boxed).prop_map(|(a, b)| WireType::Map(a, b)),
            prop::collection::vec(inner, 0..4).prop_map(WireType::Tuple),
        ]
    })
}

/// Element types whose lists are not packed.
fn node_type() -> impl Strategy<Value = WireType> {
    wire_type().prop_map(|wire_type| match wire_type.fixed() {
        Some(_) => WireType::Option(Box::new(wire_type)),
        None => wire_type,
    })
}

/// One scalar of each kind, made of the same bits.
fn scalars(bits: u64) -> [Value; 13] {
    let char = char::from_u32(bits as u32 % 0x11_0000).unwrap_or('\u{fffd}');
    [
        Value::Bool(bits % 2 == 1),
        Value::U16(bits as u16),
        Value::U32(bits as u32),
        Value::U64(bits),
        Value::S8(bits as i8),
        Value::S16(bits as i16),
        Value::S32(bits as i32),
        Value::S64(bits as i64),
        Value::F32(f32::from_bits(bits as u32)),
        Value::F64(f64::from_bits(bits)),
        Value::Char(char),
        Value::Flags(bits),
        Value::U8(bits as u8),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    (any::<u64>(), 0..13usize).prop_map(|(bits, kind)| scalars(bits)[kind].clone())
}

/// A packed list of any element type but `u8`, which is bytes.
fn packed() -> impl Strategy<Value = Value> {
    (prop::collection::vec(any::<u64>(), 0..4), 0..12usize).prop_map(|(bits, kind)| Value::List {
        elem: scalars(0)[kind].wire_type(),
        items: bits.into_iter().map(|bits| scalars(bits)[kind].clone()).collect(),
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => scalar(),
        2 => any::<String>().prop_map(Value::String),
        1 => any::<Vec<u8>>().prop_map(Value::Bytes),
        1 => packed(),
        1 => wire_type().prop_map(|inner| Value::Option { inner, value: None }),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5);
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            items.clone().prop_map(Value::Tuple),
            (node_type(), items.clone()).prop_map(|(elem, items)| Value::List { elem, items }),
            (wire_type(), items.clone()).prop_map(|(elem, items)| Value::Set { elem, items }),
            (wire_type(), boxed.clone())
                .prop_map(|(inner, value)| Value::Option { inner, value: Some(value) }),
            (wire_type(), wire_type(), boxed, any::<bool>()).prop_map(|(ok, err, value, is_ok)| {
                Value::Result { ok, err, value: if is_ok { Ok(value) } else { Err(value) } }
            }),
            (name(), prop::collection::vec((name(), inner.clone()), 0..4))
                .prop_map(|(name, fields)| Value::Record { name, fields }),
            (name(), name(), any::<u32>(), items).prop_map(|(type_name, case, tag, payload)| {
                Value::Variant { type_name, case, tag, payload }
            }),
            (wire_type(), wire_type(), prop::collection::vec((inner.clone(), inner), 0..4))
                .prop_map(|(key, value, entries)| Value::Map { key, value, entries }),
        ]
    })
}

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
        Value::String(value) => Theirs::String(value.clone()),
        Value::Bytes(bytes) => {
            Theirs::List { elem_type: ValueType::U8, items: bytes.iter().copied().map(Theirs::U8).collect() }
        }
        Value::List { elem, items: list } => Theirs::List { elem_type: their_type(elem), items: items(list) },
        Value::Set { elem, items: list } => Theirs::Set { elem_type: their_type(elem), items: items(list) },
        Value::Tuple(list) => Theirs::Tuple(items(list)),
        Value::Option { inner, value } => {
            Theirs::Option { inner_type: their_type(inner), value: value.as_deref().map(boxed) }
        }
        Value::Result { ok, err, value } => Theirs::Result {
            ok_type: their_type(ok),
            err_type: their_type(err),
            value: value.as_deref().map(boxed).map_err(|value| boxed(value)),
        },
        Value::Record { name, fields } => Theirs::Record {
            type_name: name.clone(),
            fields: fields.iter().map(|(name, value)| (name.clone(), their_value(value))).collect(),
        },
        Value::Variant { type_name, case, tag, payload } => Theirs::Variant {
            type_name: type_name.clone(),
            case_name: case.clone(),
            tag: *tag as usize,
            payload: items(payload),
        },
        Value::Map { key, value, entries } => Theirs::Map {
            key_type: their_type(key),
            value_type: their_type(value),
            entries: entries.iter().map(|(key, value)| (their_value(key), their_value(value))).collect(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_have_the_bytes_of_the_published_codec(value in value()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(&bytes, &packr_abi::encode(&their_value(&value)).unwrap());
        prop_assert_eq!(&decode::<Value>(&bytes).unwrap(), &value);
        prop_assert_eq!(pack_abi::encoded_length(&bytes, &pack_abi::Limits::default()), Ok(bytes.len()));
    }

    #[test]
    fn values_print_and_parse_to_themselves(value in value()) {
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
    fn two_values_differ_exactly_if_there_is_a_difference(a in value(), b in value()) {
        prop_assert_eq!(pack_abi::diff(&a, &b).is_empty(), a == b);
        prop_assert!(pack_abi::diff(&a, &a).is_empty());
    }

    /// One value has one encoding: whatever still decodes after an edit encodes to just those bytes,
    /// and the published decoder reads the same value from them.
    #[test]
    fn altered_bytes_are_refused_or_are_the_encoding_of_another_value(
        value in value(),
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
