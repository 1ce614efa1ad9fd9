//! The bytes of every kind, as `packr-abi` 0.24.1 writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, Encode, Value, decode, encode};
use pack_macros::GraphValue;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Both ways: the value gives the bytes, the bytes give the value, also through the dynamic form.
fn golden<T>(value: &T, hex: &str)
where
    T: Encode + for<'a> Decode<'a> + PartialEq + core::fmt::Debug,
{
    let expected = bytes(hex);
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
    golden(&(), "43475246 0300 0000 01000000 00000000  0b000000 04000000 00000000");
}

#[test]
fn one_tuple_of_a_string() {
    golden(
        &("hi".to_owned(),),
        "43475246 0300 0000 02000000 01000000
         06000000 06000000 02000000 6869
         0b000000 08000000 01000000 00000000",
    );
}

#[test]
fn list_of_bytes_is_packed() {
    golden(&vec![1u8, 2, 3], "43475246 0300 0000 01000000 00000000  15000000 08000000 0c 03000000 010203");
}

#[test]
fn list_of_packed_lists() {
    golden(
        &vec![vec![1u16], vec![]],
        "43475246 0300 0000 03000000 02000000
         15000000 07000000 0d 01000000 0100
         15000000 05000000 0d 00000000
         07000000 0e000000 070d 02000000 00000000 01000000",
    );
}

#[test]
fn option_with_and_without_a_value() {
    golden(
        &Some(5u32),
        "43475246 0300 0000 02000000 01000000
         0e000000 04000000 05000000  0a000000 06000000 0e 01 00000000",
    );
    golden(&None::<u32>, "43475246 0300 0000 01000000 00000000  0a000000 02000000 0e 00");
}

#[test]
fn result_in_the_native_form() {
    golden(
        &Err::<u32, String>("no".to_owned()),
        "43475246 0300 0000 02000000 01000000
         06000000 06000000 02000000 6e6f
         14000000 0b000000 0e 06 01000000 01 00000000",
    );
}

#[test]
fn record_carries_its_names() {
    golden(
        &Point { x: 1, y: -1 },
        "43475246 0300 0000 03000000 02000000
         02000000 04000000 01000000  02000000 04000000 ffffffff
         09000000 1f000000 05000000 506f696e74 02000000 01000000 78 01000000 79 00000000 01000000",
    );
}

#[test]
fn variant_carries_names_and_tag() {
    golden(
        &Shape::Circle(1.0),
        "43475246 0300 0000 02000000 01000000
         05000000 08000000 000000000000f03f
         08000000 1f000000 05000000 5368617065 06000000 436972636c65 00000000 01000000 00000000",
    );
}

#[test]
fn map_in_key_order() {
    golden(
        &BTreeMap::from([("a".to_owned(), 1u32), ("b".to_owned(), 2)]),
        "43475246 0300 0000 05000000 04000000
         06000000 05000000 01000000 61  0e000000 04000000 01000000
         06000000 05000000 01000000 62  0e000000 04000000 02000000
         16000000 16000000 06 0e 02000000 00000000 01000000 02000000 03000000",
    );
}

#[test]
fn set_is_never_packed() {
    golden(
        &BTreeSet::from([1u32, 3]),
        "43475246 0300 0000 03000000 02000000
         0e000000 04000000 01000000  0e000000 04000000 03000000
         17000000 0d000000 0e 02000000 00000000 01000000",
    );
}

#[test]
fn recursion_is_ordinary_children() {
    golden(
        &Cons { head: 1, tail: Some(Box::new(Cons { head: 2, tail: None })) },
        "43475246 0300 0000 06000000 05000000
         03000000 08000000 0100000000000000
         03000000 08000000 0200000000000000
         0a000000 0a000000 09 04000000 436f6e73 00
         09000000 24000000 04000000 436f6e73 02000000 04000000 68656164 04000000 7461696c 01000000 02000000
         0a000000 0e000000 09 04000000 436f6e73 01 03000000
         09000000 24000000 04000000 436f6e73 02000000 04000000 68656164 04000000 7461696c 00000000 04000000",
    );
}
