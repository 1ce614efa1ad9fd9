//! Types that the published SDK refuses to compile: here each is written, read back, and understood over there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, Encode, Value, decode, encode, wire_type_of};
use pack_macros::GraphValue;

/// Writes and reads the value, by its type and without, and lets the published codec do the same with its bytes.
#[track_caller]
fn makes_the_round_trip<T>(value: &T, wire_type: &str)
where
    T: Encode + for<'a> Decode<'a> + PartialEq + core::fmt::Debug,
{
    let bytes = encode(value).unwrap();
    assert_eq!(decode::<T>(&bytes).unwrap(), *value);
    assert_eq!(encode(&decode::<Value>(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(packr_abi::encode(&packr_abi::decode(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(wire_type_of::<T>().unwrap().to_string(), wire_type);
}

#[derive(GraphValue, Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(GraphValue, Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Colour {
    Red,
    Other(String),
}

#[derive(GraphValue, Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
#[graph(flags)]
struct Permissions(u64);

#[derive(GraphValue, Debug, PartialEq)]
struct Pair<A, B> {
    first: A,
    second: B,
}

#[derive(GraphValue, Debug, PartialEq)]
#[expect(clippy::vec_box, reason = "a list of boxes is one of the combinations")]
struct Node {
    label: u8,
    children: Vec<Box<Self>>,
    by_name: BTreeMap<String, Option<Box<Self>>>,
}

fn point(x: i32) -> Point {
    Point { x, y: -x }
}

#[test]
fn an_option_as_a_parameter() {
    makes_the_round_trip(&(Some(b"state".to_vec()), "id".to_owned()), "tuple<option<list<u8>>, string>");
    makes_the_round_trip(&(None::<Point>,), "tuple<option<Point>>");
}

#[test]
fn a_result_as_a_parameter() {
    makes_the_round_trip(&(1u8, Ok::<Point, String>(point(1))), "tuple<u8, result<Point, string>>");
    makes_the_round_trip(&(Err::<(), Colour>(Colour::Red),), "tuple<result<tuple<>, variant Colour>>");
}

#[test]
fn a_list_of_options() {
    makes_the_round_trip(&vec![Some(1u32), None], "list<option<u32>>");
    makes_the_round_trip(&vec![Some(vec![None, Some(point(2))]), None], "list<option<list<option<Point>>>>");
}

#[test]
fn a_list_of_results() {
    makes_the_round_trip(&vec![Ok::<u8, String>(1), Err("no".to_owned())], "list<result<u8, string>>");
}

#[test]
fn a_map_to_options_and_to_results() {
    makes_the_round_trip(
        &BTreeMap::from([("a".to_owned(), Some(1u64)), ("b".to_owned(), None)]),
        "map<string, option<u64>>",
    );
    makes_the_round_trip(
        &BTreeMap::from([(1u8, Ok::<(), Point>(())), (2, Err(point(3)))]),
        "map<u8, result<tuple<>, Point>>",
    );
}

#[test]
fn a_set_of_records() {
    makes_the_round_trip(&BTreeSet::from([point(1), point(2)]), "set<Point>");
}

#[test]
fn a_set_of_variants() {
    makes_the_round_trip(&BTreeSet::from([Colour::Red, Colour::Other("blue".into())]), "set<variant Colour>");
}

#[test]
fn a_map_with_records_as_keys() {
    makes_the_round_trip(&BTreeMap::from([(point(1), 'a'), (point(2), 'b')]), "map<Point, char>");
}

#[test]
fn a_list_of_flags() {
    makes_the_round_trip(&vec![Permissions(5), Permissions(u64::MAX)], "list<flags>");
    makes_the_round_trip(&Vec::<Permissions>::new(), "list<flags>");
}

#[test]
fn an_option_and_a_set_of_flags() {
    makes_the_round_trip(&Some(Permissions(1)), "option<flags>");
    makes_the_round_trip(&BTreeSet::from([Permissions(1), Permissions(2)]), "set<flags>");
}

#[test]
fn a_tuple_of_five_and_one_of_twelve() {
    makes_the_round_trip(&(1u8, 2u16, 3u32, 4u64, 5i8), "tuple<u8, u16, u32, u64, s8>");
    makes_the_round_trip(
        &(1u8, "b".to_owned(), 3u32, Some(4u64), 5i8, 6i16, 7i32, 8i64, 9f32, 10f64, true, 'l'),
        "tuple<u8, string, u32, option<u64>, s8, s16, s32, s64, f32, f64, bool, char>",
    );
}

#[test]
fn a_list_of_boxes_and_a_type_that_holds_itself_in_lists_and_maps() {
    let leaf = |label| Box::new(Node { label, children: vec![], by_name: BTreeMap::new() });
    let by_name = BTreeMap::from([("x".to_owned(), Some(leaf(3))), ("y".to_owned(), None)]);
    makes_the_round_trip(&Node { label: 1, children: vec![leaf(2)], by_name }, "Node");
    makes_the_round_trip(&vec![leaf(1), leaf(2)], "list<Node>");
}

#[test]
fn a_generic_record_of_an_option() {
    makes_the_round_trip(&Pair { first: Some(1u32), second: 2u8 }, "Pair");
    makes_the_round_trip(&Pair { first: vec![Ok::<u8, ()>(1)], second: [Some(true), None] }, "Pair");
}

#[test]
fn an_array_inside_of_another_type() {
    makes_the_round_trip(&vec![[1u8, 2], [3, 4]], "list<list<u8>>");
    makes_the_round_trip(&Some([point(1), point(2)]), "option<list<Point>>");
}

#[test]
fn unit_wherever_a_type_may_be() {
    makes_the_round_trip(&vec![(), ()], "list<tuple<>>");
    makes_the_round_trip(&(Some(()), Ok::<(), ()>(())), "tuple<option<tuple<>>, result<tuple<>, tuple<>>>");
}

/// Rust's floats have no order that a map could use, so the map comes as it is sent.
#[test]
fn a_map_with_floats_as_keys_is_a_dynamic_value() {
    let map: Value = "map<f64, u8>[1.5f64 => 1u8, NaNf64 => 2u8]".parse().unwrap();
    let bytes = encode(&map).unwrap();
    assert_eq!(decode::<Value>(&bytes).unwrap(), map);
    assert_eq!(packr_abi::encode(&packr_abi::decode(&bytes).unwrap()).unwrap(), bytes);
}
