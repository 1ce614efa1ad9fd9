//! Metadata of packages as text that parses to the same hashes.

use pack_abi::hash::TypeHash;
use pack_abi::metadata::Metadata;
use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use pack_wit::{PrintError, Source, parse, print_interface, print_metadata};
use proptest::prelude::*;

fn interface(name: &str, types: Vec<TypeDef>, params: Vec<Type>) -> Interface {
    let params = params.into_iter().enumerate().map(|(at, ty)| Param { name: format!("p{at}"), ty });
    let function =
        Function { name: "call_it".into(), docs: String::new(), params: params.collect(), result: None };
    Interface { name: name.into(), docs: String::new(), types, functions: vec![function] }
}

fn def(name: &str, kind: TypeDefKind) -> TypeDef {
    TypeDef { name: name.into(), docs: String::new(), kind }
}

fn record(name: &str, fields: &[(&str, Type)]) -> TypeDef {
    let field =
        |(name, ty): &(&str, Type)| Field { name: (*name).into(), docs: String::new(), ty: ty.clone() };
    def(name, TypeDefKind::Record(fields.iter().map(field).collect()))
}

fn named(name: &str) -> Type {
    Type::Named(name.into())
}

/// The hashes of what a text imports and exports.
fn hashes(text: &str) -> [Vec<(String, TypeHash)>; 2] {
    let document =
        parse(&[Source::new("printed.wit", text)]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let world = document.world(None).expect("one world");
    let metadata = Metadata::new(world.imports.clone(), world.exports.clone());
    [metadata.import_hashes, metadata.export_hashes]
}

/// Prints what a reader of the package sees, and returns the text.
fn survives(metadata: &Metadata) -> String {
    let seen = Metadata::decode(&metadata.encode().expect("encodes")).expect("decodes");
    let text = print_metadata("a package", &seen).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(hashes(&text), [metadata.import_hashes.clone(), metadata.export_hashes.clone()], "{text}");
    text
}

#[test]
fn metadata_of_our_own_worlds_survives() {
    let sources: Vec<Source> = wit::FILES.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    let document = parse(&sources).expect("the interface files");
    for world in document.packages.iter().flat_map(|package| &package.worlds) {
        let text = survives(&Metadata::new(world.imports.clone(), world.exports.clone()));
        assert!(text.contains("world a-package {\n    import theater:simple/runtime;\n"), "{text}");
    }
}

#[test]
fn names_that_only_pack_allows_survive() {
    let upstream = record("Chat_Msg", &[("lastMsg", Type::U8), ("type", Type::Value), ("a--b-", Type::F32)]);
    let types = vec![upstream, record("value", &[("next", Type::Option(Box::new(Type::Value)))])];
    let both = vec![named("Chat_Msg"), named("value"), Type::Value];
    let text = survives(&Metadata::new(
        ["math", "pkg/iface", "a:b/c", "a:b:c/d/e"]
            .map(|name| interface(name, types.clone(), both.clone()))
            .into(),
        vec![interface("a:b/c", Vec::new(), vec![Type::U8]), interface("", types.clone(), both.clone())],
    ));
    assert!(text.contains("export a:b/c: interface {"), "{text}");
    assert!(text.contains("import a:b/c;"), "{text}");
}

#[test]
fn flags_without_names_survive() {
    let types = vec![def("flags", TypeDefKind::Flags(Vec::new()))];
    survives(&Metadata::new(vec![interface("a:b/c", types, vec![named("flags")])], Vec::new()));
}

#[test]
fn bare_functions_of_both_sides_may_differ_in_their_types() {
    let import = interface("", vec![record("r", &[("a", Type::U8)])], vec![named("r")]);
    let mut export = interface("", vec![record("r", &[("b", Type::U8)])], vec![named("r")]);
    export.functions[0].name = "other".into();
    survives(&Metadata::new(vec![import], vec![export]));
}

#[test]
fn what_no_text_can_say_is_an_error_and_not_another_interface() {
    let print = |interface: Interface| print_metadata("w", &Metadata::new(vec![interface], Vec::new()));
    let mut evil = interface("a:b/c", Vec::new(), Vec::new());
    evil.functions[0].name = "x: func(); other".into();
    assert!(matches!(print(evil), Err(PrintError::Name { what: "function", .. })));
    let empty = def("never", TypeDefKind::Variant(Vec::new()));
    assert!(matches!(
        print(interface("a:b/c", vec![empty], vec![named("never")])),
        Err(PrintError::Refused(_))
    ));
    let twice = record("r", &[("a", Type::U8), ("a", Type::U16)]);
    assert!(matches!(print(interface("a:b/c", vec![twice], vec![named("r")])), Err(PrintError::Refused(_))));
    let float_key = Type::Map(Box::new(Type::F64), Box::new(Type::U8));
    assert!(matches!(print(interface("a:b/c", Vec::new(), vec![float_key])), Err(PrintError::Refused(_))));
}

fn types(names: &'static [&'static str]) -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::U8),
        Just(Type::S64),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::String),
        Just(Type::Value),
        prop::sample::select(names).prop_map(named),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let arm = prop::option::of(boxed.clone());
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.clone().prop_map(Type::Option),
            boxed.prop_map(|value| Type::Map(Box::new(Type::String), value)),
            Just(Type::Set(Box::new(Type::U32))),
            (arm.clone(), arm).prop_map(|(ok, err)| Type::Result { ok, err }),
            prop::collection::vec(inner, 0..4).prop_map(Type::Tuple),
        ]
    })
}

const NAMES: &[&str] = &["alpha", "value", "record", "Snake_case", "set", "a-1", "map"];

/// Without a type called `value`, which would hide the built-in one.
const PLAIN: &[&str] = &["alpha", "record", "Snake_case", "set", "a-1", "map"];

fn definitions(names: &'static [&'static str]) -> impl Strategy<Value = Vec<TypeDef>> {
    let word = |name: &&str| EnumCase { name: (*name).into(), docs: String::new() };
    let words = move |names: Vec<&str>| names.iter().map(word).collect::<Vec<_>>();
    let fields = prop::sample::subsequence(NAMES, 0..5);
    let some = prop::sample::subsequence(NAMES, 1..5);
    let kind = prop_oneof![
        (fields, prop::collection::vec(types(names), 5)).prop_map(|(names, types)| {
            let field = |(name, ty): (&str, Type)| Field { name: name.into(), docs: String::new(), ty };
            TypeDefKind::Record(names.into_iter().zip(types).map(field).collect())
        }),
        (some.clone(), prop::collection::vec(prop::option::of(types(names)), 5)).prop_map(
            |(names, types)| {
                let case =
                    |(name, ty): (&str, Option<Type>)| Case { name: name.into(), docs: String::new(), ty };
                TypeDefKind::Variant(names.into_iter().zip(types).map(case).collect())
            }
        ),
        some.clone().prop_map(move |names| TypeDefKind::Enum(words(names))),
        some.prop_map(move |names| TypeDefKind::Flags(words(names))),
    ];
    prop::collection::vec(kind, names.len())
        .prop_map(move |kinds| names.iter().zip(kinds).map(|(name, kind)| def(name, kind)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn metadata_parses_back_to_the_same_hashes(
        types in definitions(NAMES), params in prop::collection::vec(types(NAMES), 0..4),
        names in prop::sample::subsequence(&["", "math", "a:b/c", "a:b/d", "x:y/c", "p/q"][..], 1..5),
    ) {
        let side = |names: &[&str]| -> Vec<Interface> {
            names.iter().map(|name| interface(name, types.clone(), params.clone())).collect()
        };
        let (imports, exports) = names.split_at(names.len() / 2);
        let stated = Metadata::new(side(imports), side(exports));
        // Metadata repeats each type in full at every use; some of these grow too large for it.
        if let Ok(bytes) = stated.encode() {
            let seen = Metadata::decode(&bytes);
            prop_assume!(seen.is_ok());
            survives(&stated);
        }
    }

    #[test]
    fn a_printed_interface_is_the_same_again(
        types in definitions(PLAIN), params in prop::collection::vec(types(PLAIN), 0..4),
        docs in prop::collection::vec("[a-z/*{} é`]{0,12}[a-z]", 0..3), result in prop::option::of(types(PLAIN)),
    ) {
        let mut written = interface("a:b/c", types, params);
        written.docs = docs.join("\n");
        written.functions[0].docs = docs.join("\n\n");
        written.functions[0].result = result;
        let text = print_interface(&written);
        match parse(&[Source::new("printed.wit", text.as_str())]) {
            Ok(document) => prop_assert_eq!(document.interface("a:b/c"), Some(&written), "{}", text),
            // Some of the generated types hold themselves without end.
            Err(error) => prop_assert!(error.message.contains("contains itself"), "{}", error),
        }
    }
}
