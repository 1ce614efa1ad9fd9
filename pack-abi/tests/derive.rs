//! Derived types: their bytes are those of upstream's derive, and they read more than they write.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, DecodeErrorKind, Encode, EncodeError, Value, decode, encode, wire_type_of};
use pack_macros::GraphValue;
use proptest::prelude::*;

/// The same types twice: once with our derive, once with the published one.
macro_rules! types {
    ($derive:path, $pointer:ident) => {
        use $derive;

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Point {
            pub(crate) x: i32,
            #[graph(rename = "why")]
            pub(crate) y: i32,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Pair(pub(crate) u8, pub(crate) String);

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Unit;

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) enum Shape {
            Dot,
            Circle(f64),
            Line(Point, Point),
            #[graph(tag = 9)]
            Label {
                text: String,
                size: u16,
            },
            Group(Vec<Shape>),
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Wrapper<A, B> {
            pub(crate) first: A,
            pub(crate) rest: Vec<B>,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct Tree {
            pub(crate) label: u64,
            pub(crate) left: Option<$pointer<Tree>>,
        }

        #[derive(GraphValue, Clone, Debug, PartialEq)]
        pub(crate) struct All {
            pub(crate) shapes: Vec<Shape>,
            pub(crate) pair: Pair,
            pub(crate) unit: Unit,
            pub(crate) wrapped: Wrapper<char, u32>,
            pub(crate) bytes: Vec<u8>,
            pub(crate) numbers: Vec<f32>,
            pub(crate) maybe: Option<Point>,
            pub(crate) outcome: Result<u8, String>,
            pub(crate) map: BTreeMap<String, Vec<u16>>,
            pub(crate) tuple: (bool, i8, i64, char),
        }
    };
}

mod ours {
    use std::collections::BTreeMap;
    types!(pack_macros::GraphValue, Box);
}

mod theirs {
    use packr_abi::Rec;
    use std::collections::BTreeMap;
    types!(packr_abi::GraphValue, Rec);
}

fn shape() -> impl Strategy<Value = ours::Shape> {
    use ours::{Point, Shape};
    let leaf = prop_oneof![
        Just(Shape::Dot),
        any::<f64>().prop_map(Shape::Circle),
        any::<[i32; 4]>().prop_map(|[a, b, c, d]| Shape::Line(Point { x: a, y: b }, Point { x: c, y: d })),
        (".{0,8}", any::<u16>()).prop_map(|(text, size)| Shape::Label { text, size }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Shape::Group))
}

prop_compose! {
    fn all()(
        shapes in prop::collection::vec(shape(), 0..4),
        pair in any::<(u8, String)>(),
        wrapped in any::<(char, Vec<u32>)>(),
        bytes in any::<Vec<u8>>(),
        numbers in any::<Vec<f32>>(),
        maybe in any::<Option<(i32, i32)>>(),
        outcome in any::<Result<u8, String>>(),
        map in any::<BTreeMap<String, Vec<u16>>>(),
        tuple in any::<(bool, i8, i64, char)>(),
    ) -> ours::All {
        ours::All {
            shapes,
            pair: ours::Pair(pair.0, pair.1),
            unit: ours::Unit,
            wrapped: ours::Wrapper { first: wrapped.0, rest: wrapped.1 },
            bytes,
            numbers,
            maybe: maybe.map(|(x, y)| ours::Point { x, y }),
            outcome,
            map,
            tuple,
        }
    }
}

fn their_point(point: &ours::Point) -> theirs::Point {
    theirs::Point { x: point.x, y: point.y }
}

fn their_shape(shape: &ours::Shape) -> theirs::Shape {
    use ours::Shape;
    match shape {
        Shape::Dot => theirs::Shape::Dot,
        Shape::Circle(radius) => theirs::Shape::Circle(*radius),
        Shape::Line(a, b) => theirs::Shape::Line(their_point(a), their_point(b)),
        Shape::Label { text, size } => theirs::Shape::Label { text: text.clone(), size: *size },
        Shape::Group(shapes) => theirs::Shape::Group(shapes.iter().map(their_shape).collect()),
    }
}

fn their_all(all: &ours::All) -> theirs::All {
    theirs::All {
        shapes: all.shapes.iter().map(their_shape).collect(),
        pair: theirs::Pair(all.pair.0, all.pair.1.clone()),
        unit: theirs::Unit,
        wrapped: theirs::Wrapper { first: all.wrapped.first, rest: all.wrapped.rest.clone() },
        bytes: all.bytes.clone(),
        numbers: all.numbers.clone(),
        maybe: all.maybe.as_ref().map(their_point),
        outcome: all.outcome.clone(),
        map: all.map.clone(),
        tuple: all.tuple,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn derived_types_have_the_bytes_of_the_published_derive(all in all()) {
        let bytes = encode(&all).unwrap();
        let theirs = packr_abi::encode(&packr_abi::Value::from(their_all(&all))).unwrap();
        prop_assert_eq!(&bytes, &theirs);
        let back: ours::All = decode(&bytes).unwrap();
        prop_assert_eq!(encode(&back).unwrap(), bytes);
    }

    #[test]
    fn altered_bytes_of_a_derived_type_never_panic(
        all in all(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&all).unwrap();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let typed = decode::<ours::All>(&bytes);
        let dynamic = decode::<Value>(&bytes);
        // What the typed decoder reads is a value; it may only overlook that a field's list names another type.
        prop_assert!(typed.is_err() || dynamic.is_ok(), "{typed:?} but {dynamic:?}");
    }
}

#[test]
fn recursion_has_the_bytes_of_the_published_derive() {
    let mut ours = ours::Tree { label: 0, left: None };
    let mut theirs = theirs::Tree { label: 0, left: None };
    for label in 1..200 {
        ours = ours::Tree { label, left: Some(Box::new(ours)) };
        theirs = theirs::Tree { label, left: Some(packr_abi::Rec::new(theirs)) };
    }
    let bytes = encode(&ours).unwrap();
    assert_eq!(bytes, packr_abi::encode(&packr_abi::Value::from(theirs)).unwrap());
    assert_eq!(decode::<ours::Tree>(&bytes).unwrap(), ours);
}

fn round_trip<T>(value: &T) -> Vec<u8>
where
    T: Encode + for<'a> Decode<'a> + PartialEq + core::fmt::Debug,
{
    let bytes = encode(value).unwrap();
    assert_eq!(decode::<T>(&bytes).unwrap(), *value);
    assert_eq!(encode(&decode::<Value>(&bytes).unwrap()).unwrap(), bytes);
    bytes
}

#[test]
fn every_rust_type_makes_the_round_trip() {
    round_trip(&(1u8, 2u16, 3u32, 4u64, -1i8, -2i16, -3i32, -4i64, 1.5f32, -2.5f64, true, 'é'));
    round_trip(&((), (1u8,), (1u8, 2u8), [1u32, 2, 3], ["a".to_owned(), "b".to_owned()]));
    round_trip(&vec![Some(1u8), None]);
    round_trip(&vec![Ok::<(), String>(()), Err("x".to_owned())]);
    round_trip(&BTreeMap::from([(1u8, Some(vec![1u64])), (2, None)]));
    round_trip(&BTreeSet::from([(1u8, 'a'), (2, 'b')]));
    round_trip(&Box::new(vec![Box::new(1u8), Box::new(2)]));
    round_trip(&vec![Box::new("a".to_owned())]);
    round_trip(&vec![vec![true, false], vec![]]);
    round_trip(&vec!['a', '\u{10ffff}']);
    round_trip(&(pack_abi::Flags(5), vec![pack_abi::Flags(u64::MAX)]));
    round_trip(&Vec::<()>::new());
}

#[test]
fn a_list_of_boxed_or_borrowed_numbers_is_packed_too() {
    let plain = encode(&vec![1u16, 2]).unwrap();
    assert_eq!(encode(&vec![Box::new(1u16), Box::new(2)]).unwrap(), plain);
    assert_eq!(encode(&vec![&1u16, &2]).unwrap(), plain);
    assert_eq!(encode(&[1u16, 2]).unwrap(), plain);
}

#[derive(GraphValue, Debug, PartialEq)]
struct Borrowed<'a, 'b> {
    name: &'a str,
    body: &'b [u8],
    note: Cow<'a, str>,
    raw: Cow<'b, [u8]>,
}

#[test]
fn borrowed_fields_point_into_the_buffer() {
    let value = Borrowed { name: "n", body: &[1, 2], note: "x".into(), raw: vec![3].into() };
    let bytes = encode(&value).unwrap();
    let back: Borrowed<'_, '_> = decode(&bytes).unwrap();
    assert_eq!(back, value);
    assert!(matches!(back.note, Cow::Borrowed(_)) && matches!(back.raw, Cow::Borrowed(_)));
    assert!(bytes.as_ptr_range().contains(&back.name.as_ptr()));
}

#[derive(GraphValue, Debug, PartialEq, Clone, Copy)]
#[graph(flags)]
struct Permissions(u64);

#[derive(GraphValue, Debug, PartialEq)]
#[graph(crate = "::pack_abi", rename = "entry-point")]
struct Renamed {
    r#type: u8,
    perms: Vec<Permissions>,
    #[graph(rename = "last-msg")]
    last_msg: Option<Permissions>,
}

#[derive(GraphValue, Debug, PartialEq)]
#[graph(rename = "state")]
enum State {
    #[graph(rename = "not-yet", tag = 7)]
    NotYet,
    #[graph(tag = 3)]
    Done {},
    Empty(),
}

#[test]
fn names_tags_and_flags_are_as_the_attributes_say() {
    let bytes =
        round_trip(&Renamed { r#type: 1, perms: vec![Permissions(3)], last_msg: Some(Permissions(4)) });
    assert_eq!(
        decode::<Value>(&bytes).unwrap().to_string(),
        "entry-point{type: 1u8, perms: [flags(0x3)], last-msg: some<flags>(flags(0x4))}"
    );
    let text = |state: &State| decode::<Value>(&round_trip(state)).unwrap().to_string();
    assert_eq!(text(&State::NotYet), "state::not-yet#7");
    assert_eq!(text(&State::Done {}), "state::Done#3(Done{})");
    assert_eq!(text(&State::Empty()), "state::Empty#2");
    assert_eq!(wire_type_of::<Vec<State>>().unwrap().to_string(), "list<variant state>");
}

#[derive(GraphValue, Debug, PartialEq)]
#[graph(rename = "Config")]
struct ConfigV1 {
    name: String,
    size: u32,
}

#[derive(GraphValue, Debug, PartialEq)]
#[graph(rename = "Config", forward_compatible)]
struct ConfigV2 {
    size: u32,
    colour: Option<String>,
    name: String,
}

#[derive(GraphValue, Debug, PartialEq)]
#[graph(forward_compatible)]
struct Grown(u8, u16);

#[test]
fn a_forward_compatible_struct_reads_older_and_newer_records() {
    let old = encode(&ConfigV1 { name: "n".into(), size: 3 }).unwrap();
    let new: ConfigV2 = decode(&old).unwrap();
    assert_eq!(new, ConfigV2 { size: 3, colour: None, name: "n".into() });
    let newer: Value = "Config{extra: [[1u8]], name: \"n\", size: 4u32}".parse().unwrap();
    assert_eq!(newer.to::<ConfigV2>().unwrap().size, 4);
    assert_eq!(Value::of(&(1u8,)).unwrap().to::<Grown>().unwrap(), Grown(1, 0));
    assert_eq!(Value::of(&(1u8, 2u16, "x")).unwrap().to::<Grown>().unwrap(), Grown(1, 2));
}

#[test]
fn a_strict_tuple_struct_has_as_many_elements_as_it_says() {
    #[derive(GraphValue, Debug, PartialEq)]
    struct Strict(u8, u16);
    let read = |text: &str| text.parse::<Value>().unwrap().to::<Strict>().map_err(|error| error.to_string());
    assert_eq!(read("(1u8, 2u16)"), Ok(Strict(1, 2)));
    assert_eq!(read("(1u8)"), Err("expected 2 elements, found 1 at byte 25".to_owned()));
    assert_eq!(read("(1u8, 2u16, 3u8)"), Err("expected 2 elements, found 3 at byte 44".to_owned()));
}

#[test]
fn a_strict_struct_reads_its_fields_in_any_order_and_no_others() {
    let read = |text: &str| {
        let bytes = encode(&text.parse::<Value>().unwrap()).unwrap();
        decode::<ConfigV1>(&bytes).map_err(|error| error.kind)
    };
    let config = ConfigV1 { name: "n".into(), size: 3 };
    assert_eq!(read("Config{size: 3u32, name: \"n\"}"), Ok(config));
    assert_eq!(read("Other{name: \"n\", size: 3u32}").unwrap().size, 3, "type names do not decide");
    let wrong_count = |found| Err(DecodeErrorKind::WrongCount { expected: 2, found });
    assert_eq!(read("Config{name: \"n\"}"), wrong_count(1));
    assert_eq!(read("Config{name: \"n\", size: 3u32, x: ()}"), wrong_count(3));
    assert_eq!(read("Config{name: \"n\", sice: 3u32}"), Err(DecodeErrorKind::MissingField("size")));
    assert_eq!(read("Config{name: \"n\", name: \"m\"}"), Err(DecodeErrorKind::MissingField("size")));
    assert!(matches!(read("Config{name: 1u8, size: 3u32}"), Err(DecodeErrorKind::UnexpectedKind { .. })));
}

#[test]
fn variants_are_told_apart_by_tag_and_their_payloads_counted() {
    let read = |text: &str| {
        let bytes = encode(&text.parse::<Value>().unwrap()).unwrap();
        decode::<ours::Shape>(&bytes).map_err(|error| error.kind)
    };
    assert_eq!(read("Shape::anything#1(2.0f64)"), Ok(ours::Shape::Circle(2.0)));
    assert_eq!(read("Shape::Dot#8"), Err(DecodeErrorKind::UnknownTag(8)));
    assert_eq!(read("Shape::Dot(1u8)"), Err(DecodeErrorKind::WrongCount { expected: 0, found: 1 }));
    assert_eq!(read("Shape::Circle#1"), Err(DecodeErrorKind::WrongCount { expected: 1, found: 0 }));
}

#[test]
fn the_older_form_of_a_result_is_read() {
    let read = |text: &str| {
        let bytes = encode(&text.parse::<Value>().unwrap()).unwrap();
        decode::<Result<u8, String>>(&bytes).map_err(|error| error.kind)
    };
    assert_eq!(read("result::ok(7u8)"), Ok(Ok(7)));
    assert_eq!(read("result::err#1(\"no\")"), Ok(Err("no".into())));
    assert_eq!(read("result::ok"), Err(DecodeErrorKind::WrongCount { expected: 1, found: 0 }));
    assert_eq!(read("result::huh#2(7u8)"), Err(DecodeErrorKind::UnknownTag(2)));
}

#[test]
fn any_list_reads_as_dynamic_values_and_an_empty_list_as_any() {
    let bytes = encode(&vec![1u32, 2]).unwrap();
    assert_eq!(decode::<Vec<Value>>(&bytes).unwrap(), [Value::U32(1), Value::U32(2)]);
    let bytes = encode(b"ab".as_slice()).unwrap();
    assert_eq!(decode::<Vec<Value>>(&bytes).unwrap(), [Value::U8(97), Value::U8(98)]);
    let mixed = encode(&vec![Value::U32(1), Value::unit()]).unwrap();
    assert_eq!(decode::<Vec<Value>>(&mixed).unwrap(), [Value::U32(1), Value::unit()]);
    let untyped = encode(&Vec::<Value>::new()).unwrap();
    assert_eq!(decode::<Vec<u8>>(&untyped).unwrap(), [0u8; 0]);
    assert_eq!(decode::<Vec<String>>(&encode(&Vec::<u8>::new()).unwrap()).unwrap(), [""; 0]);
    assert!(decode::<Vec<u8>>(&mixed).is_err() && decode::<Vec<u16>>(&bytes).is_err());
}

#[test]
fn a_map_or_set_that_says_one_key_twice_is_refused_by_typed_readers() {
    let map: Value = "map<u8, u8>[1u8 => 1u8, 1u8 => 2u8]".parse().unwrap();
    let bytes = encode(&map).unwrap();
    assert_eq!(decode::<Value>(&bytes).unwrap(), map);
    assert_eq!(decode::<BTreeMap<u8, u8>>(&bytes).unwrap_err().kind, DecodeErrorKind::DuplicateKey);
    let set = encode(&"set<u8>[2u8, 1u8, 2u8]".parse::<Value>().unwrap()).unwrap();
    assert_eq!(decode::<BTreeSet<u8>>(&set).unwrap_err().kind, DecodeErrorKind::DuplicateKey);
    let unsorted = encode(&"set<u8>[2u8, 1u8]".parse::<Value>().unwrap()).unwrap();
    assert_eq!(decode::<BTreeSet<u8>>(&unsorted).unwrap(), BTreeSet::from([1, 2]));
}

#[derive(GraphValue, Debug, PartialEq)]
struct Endless(Option<Box<Self>>);

#[test]
fn a_tuple_type_that_contains_itself_is_an_error_and_not_an_overflow() {
    assert_eq!(encode(&Endless(None)), Err(EncodeError::TooDeep));
    assert!(wire_type_of::<Endless>().is_err());
}

#[test]
fn what_is_nested_too_deeply_is_not_written() {
    let chain = |levels: u64| {
        let mut tree = ours::Tree { label: 0, left: None };
        for label in 1..levels {
            tree = ours::Tree { label, left: Some(Box::new(tree)) };
        }
        tree
    };
    let deepest = encode(&chain(256)).unwrap();
    assert_eq!(decode::<ours::Tree>(&deepest).unwrap(), chain(256));
    assert_eq!(encode(&chain(257)), Err(EncodeError::TooDeep));
    let mut out = vec![1, 2, 3];
    assert!(pack_abi::encode_into(&chain(257), &mut out).is_err());
    assert_eq!(out, [1, 2, 3], "a failed append leaves nothing behind");
}

mod codec {
    use super::GraphValue;

    #[derive(GraphValue, Debug, PartialEq)]
    pub(crate) struct Block<const N: usize>(pub(crate) [u8; N]);
}

#[derive(GraphValue, Debug, PartialEq)]
struct Blocks<T>(codec::Block<3>, Vec<T>)
where
    T: Clone;

#[test]
fn parameters_and_names_of_the_source_do_not_collide_with_generated_ones() {
    round_trip(&Blocks(codec::Block([1, 2, 3]), vec![Some(1u8)]));
    let error = decode::<codec::Block<2>>(&encode(&codec::Block([1, 2, 3])).unwrap()).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::WrongCount { expected: 2, found: 3 });
}

#[test]
fn an_error_is_explained_by_its_place_in_the_value() {
    let explain = |text: &str| {
        let bytes = encode(&text.parse::<Value>().unwrap()).unwrap();
        decode::<Result<Vec<ours::All>, BTreeMap<u8, Option<(u8, ours::Shape)>>>>(&bytes)
            .unwrap_err()
            .explain(&bytes)
    };
    assert_eq!(explain("7u8"), "expected result, found u8 at the value itself");
    assert_eq!(explain("ok<tuple<>, tuple<>>([1u8]<string>)"), "expected record, found u8 at .ok[0]");
    assert_eq!(
        explain("err<tuple<>, tuple<>>(map<u8, u8>[1u8 => 2u8])"),
        "expected option, found u8 at .err[0]"
    );
    assert_eq!(
        explain("err<tuple<>, tuple<>>(map<u8, u8>['c' => 2u8])"),
        "expected u8, found char at .err[0] (key)"
    );
    assert_eq!(
        explain(
            "err<tuple<>, tuple<>>(map<u8, u8>[1u8 => some<tuple<>>((1u8, Shape::Line#2(P{x: 1s32, why: 2s32}, P{x: 1s32, why: 2u8})))])"
        ),
        "expected s32, found u8 at .err[0]?.1::Line(1).why"
    );
    let bytes = encode("text").unwrap();
    assert_eq!(
        decode::<String>(&bytes[1..]).unwrap_err().explain(&bytes[1..]),
        "not an encoded value (it does not begin with \"CGRF\") at byte 0"
    );
}

// Metadata and text spell names as the interface does; a value made from them used to be refused.
#[test]
fn fields_are_read_in_the_spelling_of_the_interface_too() {
    #[derive(GraphValue, Debug, PartialEq)]
    struct ChatMsg {
        last_msg: String,
        at: u32,
    }
    let value = Value::record("chat-msg", [("at", Value::U32(1)), ("last-msg", "hi".into())]);
    assert_eq!(value.to::<ChatMsg>().unwrap(), ChatMsg { last_msg: "hi".to_owned(), at: 1 });
}
