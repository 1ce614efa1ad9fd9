//! Values as JSON: readable, and complete, which reading them back shows.
#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/values.rs"]
mod values;

use pack_abi::{Value, WireType, diff};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

#[track_caller]
fn written(text: &str, json: &Json) {
    let value: Value = text.parse().unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *json);
    assert_eq!(read(json), value);
}

#[test]
fn scalars_say_their_type() {
    written("true", &json!(true));
    written("\"text\"", &json!("text"));
    written("7u8", &json!({"u8": 7}));
    written("-1s32", &json!({"s32": -1}));
    written("18446744073709551615u64", &json!({"u64": "18446744073709551615"}));
    written("-1s64", &json!({"s64": "-1"}));
    written("0.5f32", &json!({"f32": 0.5}));
    written("-0.0f64", &json!({"f64": -0.0}));
    written("inff64", &json!({"f64": "inf"}));
    written("-inff32", &json!({"f32": "-inf"}));
    written("NaNf32", &json!({"f32": "NaN"}));
    written("f32(0x7fc00001)", &json!({"f32": "0x7fc00001"}));
    written("f64(0xfff0000000000001)", &json!({"f64": "0xfff0000000000001"}));
    written("'é'", &json!({"char": "é"}));
    written("flags(0x5)", &json!({"flags": "0x5"}));
    written("b\"\\x00\\xff\"", &json!({"bytes": "00ff"}));
}

#[test]
fn compound_values_say_what_is_declared() {
    written("()", &json!({"tuple": []}));
    written("[]<u32>", &json!({"list": [], "of": "u32"}));
    written("[\"a\"]", &json!({"list": ["a"], "of": "string"}));
    written("set<u8>[1u8]", &json!({"set": [{"u8": 1}], "of": "u8"}));
    written("some<u8>(1u8)", &json!({"option": {"u8": 1}, "of": "u8"}));
    written("none<list<P>>", &json!({"option": null, "of": "list<P>"}));
    written("err<tuple<>, string>(\"no\")", &json!({"err": "no", "of": ["tuple<>", "string"]}));
    written("map<string, u8>[\"k\" => 1u8]", &json!({"map": [["k", {"u8": 1}]], "of": ["string", "u8"]}));
    written("P{x: true, \"a b\": ()}", &json!({"record": "P", "fields": {"x": true, "a b": {"tuple": []}}}));
    written("P{x: true, x: false}", &json!({"record": "P", "fields": [["x", true], ["x", false]]}));
    written("S::c#3(true)", &json!({"variant": "S", "case": "c", "tag": 3, "payload": [true]}));
}

#[test]
fn a_difference_names_its_place_and_both_sides() {
    let [left, right] = ["P{x: 1u8}", "P{x: true, y: \"\"}"].map(|text| text.parse::<Value>().unwrap());
    assert_eq!(
        serde_json::to_value(diff(&left, &right)).unwrap(),
        json!([
            {"path": ".x", "left": {"u8": 1}, "right": true},
            {"path": ".y", "left": null, "right": ""},
        ])
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_loses_nothing(value in values::value()) {
        // Not by way of text: this reader of ours takes floats from text only nearly, where speed counts more.
        let json = serde_json::to_value(&value).unwrap();
        prop_assert_eq!(read(&json), value, "{}", json);
    }
}

/// Reads the form that `docs/json.md` describes.
fn read(json: &Json) -> Value {
    let object = match json {
        Json::Bool(value) => return Value::Bool(*value),
        Json::String(text) => return Value::from(text.as_str()),
        Json::Object(object) => object,
        other => panic!("{other}"),
    };
    let (tag, inside) = object.iter().next().unwrap();
    let of = || one_type(&object["of"]);
    let pair = || (one_type(&object["of"][0]), one_type(&object["of"][1]));
    match tag.as_str() {
        "tuple" => Value::tuple(items(inside)),
        "list" => Value::list(of(), items(inside)),
        "set" => Value::set(of(), items(inside)),
        "option" => Value::option(of(), if inside.is_null() { None } else { Some(read(inside)) }),
        "ok" => Value::result(pair().0, pair().1, Ok(read(inside))),
        "err" => Value::result(pair().0, pair().1, Err(read(inside))),
        "map" => {
            let entries = inside.as_array().unwrap().iter().map(|pair| (read(&pair[0]), read(&pair[1])));
            Value::map(pair().0, pair().1, entries)
        }
        "record" => Value::record(inside.as_str().unwrap(), fields(&object["fields"])),
        "variant" => Value::variant(
            inside.as_str().unwrap(),
            object["case"].as_str().unwrap(),
            u32::try_from(object["tag"].as_u64().unwrap()).unwrap(),
            items(&object["payload"]),
        ),
        scalar => read_scalar(scalar, inside),
    }
}

fn read_scalar(tag: &str, inside: &Json) -> Value {
    let text = inside.as_str().unwrap_or_default();
    let literal = match tag {
        "f32" => match inside.as_f64() {
            Some(number) => return Value::F32(number as f32),
            None => float(text, tag),
        },
        "f64" => match inside.as_f64() {
            Some(number) => return Value::F64(number),
            None => float(text, tag),
        },
        "char" => return Value::Char(text.chars().next().unwrap()),
        "flags" => format!("flags({text})"),
        "bytes" => {
            let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            return Value::from((0..text.len()).step_by(2).map(byte).collect::<Vec<u8>>());
        }
        "u64" | "s64" => format!("{text}{tag}"),
        _ => format!("{inside}{tag}"),
    };
    literal.parse().unwrap()
}

fn float(text: &str, tag: &str) -> String {
    if text.starts_with("0x") { format!("{tag}({text})") } else { format!("{text}{tag}") }
}

fn one_type(json: &Json) -> WireType {
    json.as_str().unwrap().parse().unwrap()
}

fn items(json: &Json) -> Vec<Value> {
    json.as_array().unwrap().iter().map(read).collect()
}

fn fields(json: &Json) -> Vec<(String, Value)> {
    match json {
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), read(value))).collect(),
        pairs => {
            let field = |pair: &Json| (pair[0].as_str().unwrap().to_owned(), read(&pair[1]));
            pairs.as_array().unwrap().iter().map(field).collect()
        }
    }
}
