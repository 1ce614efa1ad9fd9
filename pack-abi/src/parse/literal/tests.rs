//! What may be left out of a value, and what is said of one that is of another type.

use super::*;
use alloc::vec;

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), docs: String::new(), ty }
}

fn words(names: &[&str]) -> Vec<EnumCase> {
    names.iter().map(|name| EnumCase { name: (*name).into(), docs: String::new() }).collect()
}

fn types() -> Vec<TypeDef> {
    let case = |name: &str, ty| Case { name: name.into(), docs: String::new(), ty };
    let def = |name: &str, kind| TypeDef { name: name.into(), docs: String::new(), kind };
    let point = vec![field("x-axis", Type::S32), field("y", Type::F64)];
    let shape = vec![
        case("empty", None),
        case("dot", Some(Type::Named("point".into()))),
        case("pair-of", Some(Type::Tuple(vec![Type::U8, Type::U8]))),
    ];
    vec![
        def("point", TypeDefKind::Record(point)),
        def("shape", TypeDefKind::Variant(shape)),
        def("color", TypeDefKind::Enum(words(&["red", "dark-blue"]))),
        def("rights", TypeDefKind::Flags(words(&["read", "may-write"]))),
        def("points", TypeDefKind::Alias(list(Type::Named("point".into())))),
        def("tree", TypeDefKind::Record(vec![field("children", list(Type::Named("tree".into())))])),
        def("any", TypeDefKind::Parameter(None)),
        def("loop", TypeDefKind::Alias(Type::Named("loop".into()))),
    ]
}

fn list(elem: Type) -> Type {
    Type::List(Box::new(elem))
}

fn option(inner: Type) -> Type {
    Type::Option(Box::new(inner))
}

fn named_type(name: &str) -> Type {
    Type::Named(name.into())
}

fn read(text: &str, ty: &Type) -> Value {
    parse_typed(text, ty, &types()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str, ty: &Type) -> String {
    match parse_typed(text, ty, &types()) {
        Ok(value) => panic!("{text} was read as {value}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_type_that_is_known_need_not_be_written() {
    let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
    let result = Type::Result { ok: Some(Box::new(Type::U8)), err: None };
    let nothing = Type::Result { ok: None, err: Some(Box::new(Type::String)) };
    for (ty, text, whole) in [
        (Type::U32, "21", "21u32"),
        (Type::S64, "-5", "-5s64"),
        (Type::U8, " 7 ", "7u8"),
        (Type::F32, "1", "1.0f32"),
        (Type::F64, "-2.5e3", "-2500.0f64"),
        (Type::F64, "-inf", "-inff64"),
        (Type::F32, "NaN", "NaNf32"),
        (Type::Bool, "true", "true"),
        (Type::Char, "ß", "'ß'"),
        (Type::Char, "'", "'\\''"),
        (Type::String, "Ada Lovelace, née Byron", "\"Ada Lovelace, née Byron\""),
        (Type::String, "\"a\\nb\"", "\"a\\nb\""),
        (Type::String, "", "\"\""),
        (list(Type::String), "[Ada, \"b c\",]", "[\"Ada\", \"b c\"]"),
        (list(Type::U16), "[]", "[]<u16>"),
        (list(Type::U16), "[1, 2u16]", "[1u16, 2u16]"),
        (list(Type::U8), "[1, 2]", "b\"\\x01\\x02\""),
        (list(Type::U8), "\"ü\"", "b\"\\xc3\\xbc\""),
        (list(Type::U8), "b\"\\x00a\"", "b\"\\x00a\""),
        (option(Type::U32), "some(3)", "some<u32>(3u32)"),
        (option(list(Type::U8)), "none", "none<list<u8>>"),
        (result.clone(), "ok(1)", "ok<u8, tuple<>>(1u8)"),
        (result, "err", "err<u8, tuple<>>(())"),
        (nothing, "err(bad)", "err<tuple<>, string>(\"bad\")"),
        (Type::Tuple(vec![Type::U8, Type::String]), "(1, a)", "(1u8, \"a\")"),
        (Type::Tuple(Vec::new()), "()", "()"),
        (map, "[a => 1, \"b c\" => 2]", "map<string, u8>[\"a\" => 1u8, \"b c\" => 2u8]"),
        (Type::Set(Box::new(Type::U8)), "[1, 2]", "set<u8>[1u8, 2u8]"),
        (named_type("point"), "{y: 1, x-axis: -2}", "Point{x_axis: -2s32, y: 1.0f64}"),
        (named_type("point"), "point{x_axis: 0, y: 0}", "Point{x_axis: 0s32, y: 0.0f64}"),
        (named_type("points"), "[{x-axis: 0, y: 0}]", "[Point{x_axis: 0s32, y: 0.0f64}]"),
        (named_type("points"), "[]", "[]<Point>"),
        (named_type("shape"), "empty", "Shape::Empty"),
        (named_type("shape"), "pair-of((1, 2))", "Shape::PairOf#2((1u8, 2u8))"),
        (named_type("color"), "dark-blue", "Color::DarkBlue#1"),
        (named_type("rights"), "{may-write}", "flags(0x2)"),
        (named_type("rights"), "{}", "flags(0x0)"),
        (Type::Value, "[1u8, 2u8]", "b\"\\x01\\x02\""),
        (named_type("unknown"), "1u8", "1u8"),
        (named_type("tree"), "{children: [{children: []}]}", "Tree{children: [Tree{children: []<Tree>}]}"),
    ] {
        assert_eq!(read(text, &ty).to_string(), whole, "{text}");
        assert_eq!(read(whole, &ty).to_string(), whole, "what is printed is read");
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_the_place() {
    let rest = |name: &str, text: &str| refused(text, &named_type(name));
    assert_eq!(refused("abc", &Type::S8), "expected an s8, from -128 to 127, at byte 0");
    assert_eq!(refused("128", &Type::S8), "expected an s8, from -128 to 127, at byte 0");
    assert_eq!(refused("1u16", &Type::U8), "expected a u8, from 0 to 255, at byte 0");
    assert_eq!(refused("1.5", &Type::U64).split(',').next(), Some("expected a u64"));
    assert_eq!(refused("1e99", &Type::F32), "expected an f32, as in `1.5`, at byte 0");
    assert_eq!(refused("\"a\" b", &Type::String), "expected the end at byte 4");
    assert_eq!(refused("yes", &Type::Bool), "expected `true` or `false` at byte 0");
    assert_eq!(refused("5", &option(Type::U8)), "expected `some(...)` or `none` at byte 0");
    assert_eq!(refused("[1, x]", &list(Type::U16)), "expected a u16, from 0 to 65535, at byte 4");
    assert_eq!(refused("[1u16]<u8>", &list(Type::U16)), "expected `<u16>` at byte 6");
    assert_eq!(refused("[a b]", &list(Type::String)), "expected `]` at byte 3");
    let pair = Type::Tuple(vec![Type::U8, Type::Bool]);
    assert_eq!(refused("(1)", &pair), "expected element 2 of 2 of the tuple, of type bool, at byte 2");
    assert_eq!(refused("(1, true, 2)", &pair), "expected the end of a tuple of 2 at byte 10");
    assert_eq!(rest("point", "{x: 1}"), "expected a field of `point` (x-axis: s32, y: f64) at byte 1");
    assert_eq!(rest("point", "{y: 1}"), "expected the field `x-axis` of `point` at byte 5");
    assert_eq!(rest("point", "{y: 1, y: 2}"), "expected the field `y` only once, not again at byte 7");
    assert_eq!(rest("point", "Dot{y: 1}"), "expected `point`, as in `{x-axis: s32, y: f64}`, at byte 0");
    assert_eq!(rest("shape", "square"), "expected a case of `shape` (empty, dot, pair-of) at byte 0");
    assert_eq!(rest("shape", "Other::empty"), "expected `shape` at byte 0");
    assert_eq!(rest("shape", "Shape::Dot#2({})"), "expected `#1`, the tag of `dot`, at byte 10");
    assert_eq!(rest("shape", "dot"), "expected `(` at byte 3");
    assert_eq!(rest("shape", "empty(1)"), "expected the end at byte 5");
    assert_eq!(rest("rights", "{delete}"), "expected a flag of `rights` (read, may-write) at byte 1");
    assert_eq!(rest("rights", "flags(0x4)"), "expected at most 2 flags of `rights` at byte 0");
    assert_eq!(
        refused("5", &Type::Value),
        "expected a number with its type, as in `7u8` or `1.5f64` at byte 0"
    );
    assert_eq!(refused("5", &named_type("loop")), refused("5", &Type::Value));
}

#[test]
fn what_is_nested_too_deeply_is_refused_and_not_followed() {
    let mut deep = Type::U8;
    for _ in 0..2000 {
        deep = option(deep);
    }
    let text = "some(".repeat(2000) + "1" + &")".repeat(2000);
    assert!(refused(&text, &deep).contains("nested less deeply"));
    let tree = "{children: [".repeat(100_000);
    assert!(refused(&tree, &named_type("tree")).contains("nested less deeply"));
    let levels = MAX_DEPTH as usize / 2;
    let tree = "{children: [".repeat(levels) + &"]}".repeat(levels);
    assert!(parse_typed(&tree, &named_type("tree"), &types()).is_ok());
}

#[test]
fn an_empty_list_takes_the_type_of_its_elements_from_the_signature() {
    let boxed = |ty: Type| Box::new(ty);
    let result = |ok, err| Type::Result { ok, err };
    for (elem, written) in [
        (Type::Bool, "bool"),
        (Type::U64, "u64"),
        (Type::S8, "s8"),
        (Type::S16, "s16"),
        (Type::S32, "s32"),
        (Type::S64, "s64"),
        (Type::F32, "f32"),
        (Type::F64, "f64"),
        (Type::Char, "char"),
        (Type::Value, "string"),
        (list(Type::U32), "list<u32>"),
        (Type::Set(boxed(Type::U16)), "set<u16>"),
        (Type::Map(boxed(Type::String), boxed(Type::U8)), "map<string, u8>"),
        (result(Some(boxed(Type::U8)), None), "result<u8, tuple<>>"),
        (result(None, Some(boxed(Type::String))), "result<tuple<>, string>"),
        (Type::Tuple(vec![Type::U8, Type::Bool]), "tuple<u8, bool>"),
        (named_type("shape"), "variant Shape"),
        (named_type("color"), "variant Color"),
        (named_type("rights"), "flags"),
        (named_type("points"), "list<Point>"),
        (named_type("any"), "string"),
        (named_type("loop"), "string"),
        (named_type("unknown"), "string"),
    ] {
        assert_eq!(read("[]", &list(elem)).to_string(), format!("[]<{written}>"));
    }
}

#[test]
fn a_parameter_of_an_interface_is_read_as_any_value() {
    assert_eq!(read("7u8", &named_type("any")), Value::U8(7));
    assert_eq!(refused("7", &named_type("any")), refused("7", &Type::Value));
}

#[test]
fn what_does_not_begin_as_its_type_does_is_refused_with_an_example() {
    let pair = Type::Tuple(vec![Type::U8, Type::Bool]);
    let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
    for (ty, text, wanted) in [
        (list(Type::U16), "5", "expected a list, as in `[...]` at byte 0"),
        (list(Type::U8), "5", "expected a list, as in `[...]`, or bytes as in `b\"...\"`, at byte 0"),
        (Type::Set(Box::new(Type::U8)), "5", "expected a set, as in `[...]`, at byte 0"),
        (map, "5", "expected a map, as in `[key => value]`, at byte 0"),
        (Type::Result { ok: None, err: None }, "yes", "expected `ok(...)` or `err(...)` at byte 0"),
        (pair, "5", "expected a tuple, as in `(...)`, at byte 0"),
        (list(Type::Char), "[c]", "expected a character in quotes, as in `'a'`, at byte 1"),
        (Type::F64, "x", "expected an f64, as in `1.5`, at byte 0"),
        (
            named_type("rights"),
            "read",
            "expected flags, as in `{read, may-write}` or `flags(0x0)`, at byte 0",
        ),
        (list(Type::String), "[,]", "expected a text, in quotes unless it is one word, at byte 1"),
    ] {
        assert_eq!(refused(text, &ty), wanted, "{text}");
    }
}

#[test]
fn numbers_in_every_width_are_read_in_their_bits_too() {
    assert_eq!(read("f32(0x7fc00001)", &Type::F32).to_string(), "f32(0x7fc00001)");
    assert_eq!(read("f64(0x7ff8000000000001)", &Type::F64).to_string(), "f64(0x7ff8000000000001)");
    assert_eq!(read("-300", &Type::S16), Value::S16(-300));
    let bare = Type::Result { ok: None, err: None };
    assert_eq!((read("ok(())", &bare), read("ok()", &bare)), (read("ok", &bare), read("ok", &bare)));
}
