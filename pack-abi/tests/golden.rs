//! The bytes of every kind, as `packr-abi` 0.24.1 writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/golden.rs"]
mod golden;

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, Encode, Value, decode, encode};
use pack_macros::GraphValue;

/// Both ways: the value gives the bytes, the bytes give the value, also through the dynamic form.
fn golden<T>(name: &str, value: &T)
where
    T: Encode + for<'a> Decode<'a> + PartialEq + core::fmt::Debug,
{
    let (_, hex) = golden::ALL.iter().find(|(known, _)| *known == name).unwrap();
    let expected = golden::bytes(hex);
    assert_eq!(encode(value).unwrap(), expected);
    assert_eq!(decode::<T>(&expected).unwrap(), *value);
    let dynamic: Value = decode(&expected).unwrap();
    assert_eq!(encode(&dynamic).unwrap(), expected);
    assert_eq!(Value::of(value).unwrap(), dynamic);
    assert_eq!(dynamic.to::<T>().unwrap(), *value);
}

#[derive(GraphValue, Debug, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(GraphValue, Debug, PartialEq)]
enum Shape {
    Circle(f64),
}

#[derive(GraphValue, Debug, PartialEq)]
struct Cons {
    head: i64,
    tail: Option<Box<Self>>,
}

#[test]
fn unit_is_28_bytes() {
    golden("unit", &());
}

#[test]
fn one_tuple_of_a_string() {
    golden("one-tuple", &("hi".to_owned(),));
}

#[test]
fn list_of_bytes_is_packed() {
    golden("bytes", &vec![1u8, 2, 3]);
}

#[test]
fn list_of_packed_lists() {
    golden("list of packed lists", &vec![vec![1u16], vec![]]);
}

#[test]
fn option_with_and_without_a_value() {
    golden("some", &Some(5u32));
    golden("none", &None::<u32>);
}

#[test]
fn result_in_the_native_form() {
    golden("err", &Err::<u32, String>("no".to_owned()));
}

#[test]
fn record_carries_its_names() {
    golden("record", &Point { x: 1, y: -1 });
}

#[test]
fn variant_carries_names_and_tag() {
    golden("variant", &Shape::Circle(1.0));
}

#[test]
fn map_in_key_order() {
    golden("map", &BTreeMap::from([("a".to_owned(), 1u32), ("b".to_owned(), 2)]));
}

#[test]
fn set_is_never_packed() {
    golden("set", &BTreeSet::from([1u32, 3]));
}

#[test]
fn recursion_is_ordinary_children() {
    golden("recursion", &Cons { head: 1, tail: Some(Box::new(Cons { head: 2, tail: None })) });
}
