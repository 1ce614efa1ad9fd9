//! The text form: what is printed parses to the same value, and differences are readable.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pack_abi::{Value, WireType, diff};

fn round_trip(value: &Value, text: &str) {
    assert_eq!(value.to_string(), text);
    assert_eq!(text.parse::<Value>().unwrap(), *value, "{text}");
}

fn record(name: &str, fields: &[(&str, Value)]) -> Value {
    Value::record(name, fields.iter().map(|(name, value)| (*name, value.clone())))
}

fn variant(type_name: &str, case: &str, tag: u32, payload: Vec<Value>) -> Value {
    Value::variant(type_name, case, tag, payload)
}

#[test]
fn scalars_carry_their_type() {
    round_trip(&Value::Bool(true), "true");
    round_trip(&Value::U8(7), "7u8");
    round_trip(&Value::S32(-1), "-1s32");
    round_trip(&Value::S64(i64::MIN), "-9223372036854775808s64");
    round_trip(&Value::F64(1.5), "1.5f64");
    round_trip(&Value::F32(-0.0), "-0.0f32");
    round_trip(&Value::F64(1e300), "1e300f64");
    round_trip(&Value::F64(1e-7), "1e-7f64");
    round_trip(&Value::Flags(5), "flags(0x5)");
    round_trip(&Value::Char('\''), "'\\''");
    round_trip(&Value::Char('\u{0}'), "'\\u{0}'");
    round_trip(&Value::from("a\"b\n\u{202e}"), "\"a\\\"b\\n\\u{202e}\"");
    round_trip(&Value::bytes(*b"GET /\"\\\x00\xff"), "b\"GET /\\\"\\\\\\x00\\xff\"");
}

#[test]
fn floats_that_are_not_finite_keep_their_bits() {
    round_trip(&Value::F64(f64::INFINITY), "inff64");
    round_trip(&Value::F32(f32::NEG_INFINITY), "-inff32");
    round_trip(&Value::F64(f64::from_bits(0x7ff8_0000_0000_0000)), "NaNf64");
    round_trip(&Value::F64(f64::from_bits(0xfff0_0000_0000_0001)), "f64(0xfff0000000000001)");
    round_trip(&Value::F32(f32::from_bits(0x7fc0_0001)), "f32(0x7fc00001)");
}

#[test]
fn lists_keep_their_declared_type() {
    let list = |elem, items: Vec<Value>| Value::list(elem, items);
    round_trip(&list(WireType::U32, vec![Value::U32(1), Value::U32(2)]), "[1u32, 2u32]");
    round_trip(&list(WireType::U32, vec![]), "[]<u32>");
    round_trip(&list(WireType::Record(String::new()), vec![]), "[]<\"\">");
    round_trip(&list(WireType::Record("list".into()), vec![]), "[]<\"list\">");
    round_trip(&list(WireType::Variant("v".into()), vec![]), "[]<variant v>");
    round_trip(&list(WireType::String, vec![Value::U32(1)]), "[1u32]<string>");
    assert_eq!("[1u8, 2u8]".parse::<Value>().unwrap(), Value::bytes([1, 2]));
    assert_eq!("[]<u8>".parse::<Value>().unwrap(), Value::bytes([]));
}

#[test]
fn variants_keep_their_tag() {
    round_trip(&variant("Shape", "Circle", 0, vec![Value::F64(1.0)]), "Shape::Circle(1.0f64)");
    round_trip(&variant("Shape", "Dot", 3, vec![]), "Shape::Dot#3");
    round_trip(&variant("my type", "", 4_294_967_295, vec![]), "\"my type\"::\"\"#4294967295");
}

#[test]
fn compound_values_nest() {
    let option = Value::option(WireType::U32, Some(Value::U32(1)));
    round_trip(&option, "some<u32>(1u32)");
    let result = Value::result(WireType::Tuple(vec![]), WireType::String, Err(Value::from("no")));
    round_trip(&result, "err<tuple<>, string>(\"no\")");
    let map = Value::map(
        WireType::String,
        WireType::Set(Box::new(WireType::U16)),
        [(Value::from("a"), Value::set(WireType::U16, [Value::U16(1)]))],
    );
    let value = Value::tuple([
        record("Point", &[("x", Value::S32(1)), ("last-msg", Value::unit())]),
        map,
        record("", &[("odd name", option)]),
    ]);
    round_trip(
        &value,
        "(Point{x: 1s32, last-msg: ()}, map<string, set<u16>>[\"a\" => set<u16>[1u16]], {\"odd name\": some<u32>(1u32)})",
    );
}

#[test]
fn words_of_the_language_can_be_names() {
    for name in ["some", "b", "true", "f64", "map", "none"] {
        round_trip(&record(name, &[]), &format!("{name}{{}}"));
        round_trip(&variant(name, name, 1, vec![]), &format!("{name}::{name}#1"));
    }
}

#[test]
fn space_and_a_last_comma_do_not_matter() {
    let value: Value = " ( 1u8 , [ \"a\" , ] , P { x : 2u8 , } , ) ".parse().unwrap();
    assert_eq!(value.to_string(), "(1u8, [\"a\"], P{x: 2u8})");
}

#[test]
fn errors_say_what_was_expected_and_where() {
    let message = |text: &str| text.parse::<Value>().unwrap_err().to_string();
    assert_eq!(message("(1u8, 2)"), "expected a number with its type, as in `7u8` or `1.5f64` at byte 6");
    assert_eq!(message("[]"), "expected the type of the elements, as in `[]<u32>` at byte 2");
    assert_eq!(message("300u8"), "expected a number with its type, as in `7u8` or `1.5f64` at byte 0");
    assert_eq!(message("P{x 1u8}"), "expected : at byte 4");
    assert_eq!(message("nothing"), "expected a value at byte 0");
    assert_eq!(message("1u8 2u8"), "expected the end at byte 4");
    assert_eq!(message("\"abc"), "expected \" at byte 4");
    assert_eq!(message("b\"\\xg0\""), "expected two hexadecimal digits at byte 4");
    assert_eq!(message("b\"ä\""), "expected a byte at byte 4");
    assert_eq!(message("b\"\\u{100}\""), "expected a byte at byte 9");
    assert_eq!(message("\"\\u{d800}\""), "expected a Unicode scalar value at byte 8");
    assert_eq!(message("V::c#(1u8)"), "expected a tag at byte 5");
    assert_eq!(message("flags(0x)"), "expected up to sixteen hexadecimal digits at byte 8");
}

#[test]
fn nesting_is_bounded_in_text_too() {
    let nested = |levels: usize| format!("{}1u8{}", "(".repeat(levels), ")".repeat(levels));
    let deepest: Value = nested(512).parse().unwrap();
    assert_eq!(deepest.to_string(), nested(512));
    // One level more is read, because a packed list is no level; what is no packed list is not written then.
    let deeper: Value = nested(513).parse().unwrap();
    assert_eq!(pack_abi::encode(&deeper), Err(pack_abi::EncodeError::TooDeep));
    assert!(nested(514).parse::<Value>().is_err());
    assert!(nested(1_000_000).parse::<Value>().is_err());
    assert!("[]<".repeat(100_000).parse::<Value>().is_err());
    assert!(format!("none<{}", "list<".repeat(100_000)).parse::<Value>().is_err());
}

#[test]
fn differences_name_their_place() {
    let state = |count: u32, name: &str, tags: &[&str]| {
        let items: Vec<Value> = tags.iter().map(|tag| Value::from(*tag)).collect();
        record(
            "State",
            &[
                ("count", Value::U32(count)),
                ("name", Value::from(name)),
                ("tags", Value::list(WireType::String, items)),
            ],
        )
    };
    let left = Value::tuple([state(1, "a", &["x", "y", "z"]), Value::Bool(true)]);
    let right = Value::tuple([state(2, "a", &["x", "z"]), Value::Bool(true)]);
    let lines: Vec<String> = diff(&left, &right).iter().map(ToString::to_string).collect();
    assert_eq!(lines, [".0.count: 1u32 -> 2u32", ".0.tags[1]: \"y\" -> nothing"]);
    assert!(diff(&left, &left).is_empty());
}

#[test]
fn differences_in_maps_and_variants_follow_keys_and_cases() {
    let map = |entries: &[(&str, u32)]| {
        let entries = entries.iter().map(|(key, value)| (Value::from(*key), Value::U32(*value)));
        Value::map(WireType::String, WireType::U32, entries)
    };
    let lines =
        |a: &Value, b: &Value| -> Vec<String> { diff(a, b).iter().map(ToString::to_string).collect() };
    assert_eq!(
        lines(&map(&[("a", 1), ("b", 2)]), &map(&[("b", 3), ("c", 4)])),
        ["[\"a\"]: 1u32 -> nothing", "[\"b\"]: 2u32 -> 3u32", "[\"c\"]: nothing -> 4u32"]
    );
    let shape = |case: &str, tag| variant("S", case, tag, vec![Value::U8(1)]);
    assert_eq!(lines(&shape("A", 0), &shape("B", 1)), ["value: S::A(1u8) -> S::B#1(1u8)"]);
    assert_eq!(lines(&shape("A", 0), &variant("S", "A", 0, vec![Value::U8(2)])), ["::A(0): 1u8 -> 2u8"]);
}

#[test]
fn long_texts_and_bytes_are_cut_to_what_differs() {
    let mut text = "x".repeat(1000);
    let left = Value::from(text.clone());
    text.replace_range(500..502, "é");
    let lines: Vec<String> = diff(&left, &Value::from(text)).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["[500..502]: \"xx\" -> \"é\""]);
    let mut bytes = vec![7; 1 << 20];
    let left = Value::from(bytes.clone());
    bytes[77] = 8;
    let lines: Vec<String> = diff(&left, &Value::from(bytes)).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["[77..78]: b\"\\x07\" -> b\"\\x08\""]);
    let huge = Value::list(WireType::U32, vec![Value::U32(1); 10_000]);
    assert!(diff(&huge, &Value::unit())[0].to_string().len() < 500);
}

#[test]
fn a_difference_that_no_part_shows_is_reported_whole() {
    let ab = record("R", &[("a", Value::U8(1)), ("b", Value::U8(2))]);
    let ba = record("R", &[("b", Value::U8(2)), ("a", Value::U8(1))]);
    let found = diff(&ab, &ba);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "");
}
