//! Dynamic values and types of every form, for properties.

use pack_abi::{Value, WireType};
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
    (prop::collection::vec(any::<u64>(), 0..4), 0..12usize).prop_map(|(bits, kind)| {
        let items: Vec<Value> = bits.into_iter().map(|bits| scalars(bits)[kind].clone()).collect();
        Value::list(scalars(0)[kind].wire_type().expect("a scalar has no depth"), items)
    })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => scalar(),
        2 => any::<String>().prop_map(Value::from),
        1 => any::<Vec<u8>>().prop_map(Value::from),
        1 => packed(),
        1 => wire_type().prop_map(|inner| Value::option(inner, None)),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            items.clone().prop_map(Value::tuple),
            (node_type(), items.clone()).prop_map(|(elem, items)| Value::list(elem, items)),
            (wire_type(), items.clone()).prop_map(|(elem, items)| Value::set(elem, items)),
            (wire_type(), inner.clone()).prop_map(|(inner, value)| Value::option(inner, Some(value))),
            (wire_type(), wire_type(), inner.clone(), any::<bool>()).prop_map(|(ok, err, value, is_ok)| {
                Value::result(ok, err, if is_ok { Ok(value) } else { Err(value) })
            }),
            (name(), prop::collection::vec((name(), inner.clone()), 0..4))
                .prop_map(|(name, fields)| Value::record(name, fields)),
            (name(), name(), any::<u32>(), items)
                .prop_map(|(type_name, case, tag, payload)| Value::variant(type_name, case, tag, payload)),
            (wire_type(), wire_type(), prop::collection::vec((inner.clone(), inner), 0..4))
                .prop_map(|(key, value, entries)| Value::map(key, value, entries)),
        ]
    })
}
