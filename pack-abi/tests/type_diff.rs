//! What differs between two signatures: each kind of difference, and that hashes and differences agree.

use pack_abi::hash::hash_function;
use pack_abi::metadata::Metadata;
use pack_abi::type_diff::{DifferenceKind, Part, TypeDifference, diff_functions};
use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};

fn named(name: &str) -> Type {
    Type::Named(name.into())
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn words(names: &[&str]) -> Vec<EnumCase> {
    names.iter().map(|name| EnumCase { name: (*name).into(), docs: String::new() }).collect()
}

fn record(name: &str, fields: &[(&str, Type)]) -> TypeDef {
    let field =
        |(name, ty): &(&str, Type)| Field { name: (*name).into(), docs: String::new(), ty: ty.clone() };
    def(name, TypeDefKind::Record(fields.iter().map(field).collect()))
}

fn variant(name: &str, cases: &[(&str, Option<Type>)]) -> TypeDef {
    let case = |(name, ty): &(&str, Option<Type>)| Case {
        name: (*name).into(),
        docs: String::new(),
        ty: ty.clone(),
    };
    def(name, TypeDefKind::Variant(cases.iter().map(case).collect()))
}

fn def(name: &str, kind: TypeDefKind) -> TypeDef {
    TypeDef { name: name.into(), docs: String::new(), kind }
}

/// An interface with one function `f`.
fn side(types: &[TypeDef], params: &[(&str, Type)], result: Option<Type>) -> Interface {
    let params = params.iter().map(|(name, ty)| Param { name: (*name).into(), ty: ty.clone() }).collect();
    let function = Function { name: "f".into(), docs: String::new(), params, result };
    Interface { name: "a:b/c".into(), docs: String::new(), types: types.to_vec(), functions: vec![function] }
}

/// A side whose function takes one `p` of this definition.
fn taking(def: TypeDef) -> Interface {
    let ty = named(&def.name);
    side(&[def], &[("p", ty)], None)
}

fn differences(left: &Interface, right: &Interface) -> Vec<TypeDifference> {
    diff_functions((&left.functions[0], left), (&right.functions[0], right))
}

fn is_same_hash(left: &Interface, right: &Interface) -> bool {
    hash_function(&left.functions[0], &left.types) == hash_function(&right.functions[0], &right.types)
}

/// The one difference between two sides whose hashes differ, as text.
fn only(left: &Interface, right: &Interface) -> String {
    assert!(!is_same_hash(left, right), "the hashes are the same");
    let found = differences(left, right);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].to_string()
}

#[test]
fn another_number_of_parameters_is_one_difference() {
    let left = side(&[], &[("a", Type::U8), ("b", Type::String)], None);
    let right = side(&[], &[("a", Type::U8)], None);
    assert_eq!(only(&left, &right), "expected 2 parameters (a: u8, b: string), found 1 (a: u8)");
}

#[test]
fn a_type_deep_inside_of_a_parameter_is_named_with_the_way_to_it() {
    let inside = |ty: Type| {
        let point = record("point", &[("x", ty), ("y", Type::S32)]);
        let shape = record("shape", &[("points", list(named("point")))]);
        side(&[point, shape], &[("id", Type::U64), ("shape", option(named("shape")))], None)
    };
    let difference = only(&inside(Type::S32), &inside(Type::String));
    assert_eq!(difference, "shape?.points[].x: expected s32, found string");
}

#[test]
fn every_container_has_its_step() {
    let result = |ok: Type, err: Type| Type::Result { ok: Some(Box::new(ok)), err: Some(Box::new(err)) };
    let map = |key: Type, value: Type| Type::Map(Box::new(key), Box::new(value));
    for (left, right, expected) in [
        (list(Type::U8), list(Type::U16), "p[]: expected u8, found u16"),
        (Type::Set(Box::new(Type::U8)), Type::Set(Box::new(Type::Char)), "p[]: expected u8, found char"),
        (map(Type::U8, Type::U8), map(Type::U8, Type::F32), "p[value]: expected u8, found f32"),
        (map(Type::U8, Type::U8), map(Type::S8, Type::U8), "p[key]: expected u8, found s8"),
        (result(Type::U8, Type::U8), result(Type::U16, Type::U8), "p.ok: expected u8, found u16"),
        (result(Type::U8, Type::U8), result(Type::U8, Type::Value), "p.err: expected u8, found value"),
        (
            Type::Tuple(vec![Type::Bool, Type::Bool]),
            Type::Tuple(vec![Type::Bool, list(Type::Bool)]),
            "p.1: expected bool, found list<bool>",
        ),
        (Type::Tuple(vec![]), Type::Tuple(vec![Type::U8]), "p: expected tuple<>, found tuple<u8>"),
        (list(Type::U8), option(Type::U8), "p: expected list<u8>, found option<u8>"),
    ] {
        let [left, right] = [left, right].map(|ty| side(&[], &[("p", ty)], None));
        assert_eq!(only(&left, &right), expected);
    }
}

#[test]
fn a_result_and_none_differ() {
    let (some, none) = (side(&[], &[], Some(Type::U32)), side(&[], &[], None));
    assert_eq!(only(&some, &none), "result: expected u32, found no result");
    assert_eq!(only(&none, &some), "result: expected no result, found u32");
}

#[test]
fn a_missing_arm_is_what_upstream_writes_for_it() {
    let result = |ok: Option<Type>, err: Option<Type>| {
        side(&[], &[], Some(Type::Result { ok: ok.map(Box::new), err: err.map(Box::new) }))
    };
    let (plain, written) = (result(None, None), result(Some(Type::Bool), Some(Type::String)));
    assert_eq!(differences(&plain, &written), []);
    assert!(is_same_hash(&plain, &written));
    let other = result(Some(Type::U8), None);
    assert_eq!(only(&plain, &other), "result.ok: expected nothing, found u8");
}

#[test]
fn fields_are_missing_unexpected_or_renamed_and_their_order_does_not_count() {
    let two = taking(record("r", &[("a", Type::U8), ("b", Type::U16)]));
    let one = taking(record("r", &[("a", Type::U8)]));
    let renamed = taking(record("r", &[("a", Type::U8), ("c", Type::U16)]));
    let turned = taking(record("other-name", &[("b", Type::U16), ("a", Type::U8)]));
    assert_eq!(only(&two, &one), "p: field `b: u16` is missing");
    assert_eq!(only(&one, &two), "p: field `b: u16` is not expected");
    assert_eq!(only(&two, &renamed), "p: field `b` is called `c`");
    assert_eq!(differences(&two, &turned), []);
    assert!(is_same_hash(&two, &turned));
}

#[test]
fn cases_are_missing_unexpected_renamed_or_of_another_type() {
    let two = taking(variant("v", &[("a", Some(Type::U8)), ("b", None)]));
    let one = taking(variant("v", &[("a", Some(Type::U8))]));
    let renamed = taking(variant("v", &[("a", Some(Type::U8)), ("none", None)]));
    let bare = taking(variant("v", &[("a", None), ("b", None)]));
    assert_eq!(only(&two, &one), "p: case `b` is missing");
    assert_eq!(only(&one, &two), "p: case `b` is not expected");
    assert_eq!(only(&two, &renamed), "p: case `b` is called `none`");
    assert_eq!(only(&two, &bare), "p::a: expected u8, found no payload");
}

#[test]
fn cases_in_another_order_have_the_same_hash_and_are_a_difference() {
    let pairs = [
        (
            def("c", TypeDefKind::Enum(words(&["red", "green"]))),
            variant("c", &[("green", None), ("red", None)]),
        ),
        (
            variant("c", &[("a", Some(Type::U8)), ("b", Some(Type::U8))]),
            variant("c", &[("b", Some(Type::U8)), ("a", Some(Type::U8))]),
        ),
    ];
    for (left, right) in pairs {
        let (left, right) = (taking(left), taking(right));
        assert!(is_same_hash(&left, &right));
        let found = differences(&left, &right);
        assert!(matches!(
            found[..],
            [TypeDifference { kind: DifferenceKind::Order { part: Part::Case, .. }, .. }]
        ));
        assert!(found[0].to_string().ends_with("the order is their number on the wire"), "{}", found[0]);
    }
}

#[test]
fn flags_differ_where_both_sides_know_their_names() {
    let flags = |names: &[&str]| taking(def("perms", TypeDefKind::Flags(words(names))));
    let (read_write, write_read) = (flags(&["read", "write"]), flags(&["write", "read"]));
    let found = differences(&read_write, &write_read);
    assert_eq!(
        found[0].to_string(),
        "p: expected the flags in the order read, write, found write, read; the order is their number on the wire"
    );
    let found = differences(&read_write, &flags(&["read"]));
    assert_eq!(found[0].to_string(), "p: flag `write` is missing");
    assert_eq!(differences(&read_write, &flags(&[])), [], "upstream does not say which flags there are");
}

#[test]
fn kinds_of_definitions_differ_and_aliases_do_not_count() {
    let fields = taking(record("t", &[("a", Type::U8)]));
    let cases = taking(variant("t", &[("a", Some(Type::U8))]));
    assert_eq!(only(&fields, &cases), "p: expected record t, found variant t");
    assert_eq!(only(&fields, &side(&[], &[("p", Type::U8)], None)), "p: expected record t, found u8");
    let number = side(&[], &[("p", Type::U8)], None);
    assert_eq!(
        only(&taking(def("e", TypeDefKind::Enum(words(&["a"])))), &number),
        "p: expected enum e, found u8"
    );
    assert_eq!(
        only(&taking(def("f", TypeDefKind::Flags(words(&["a"])))), &number),
        "p: expected flags f, found u8"
    );
    let any = taking(def("s", TypeDefKind::Parameter(None)));
    assert_eq!(only(&any, &number), "p: expected value, found u8", "a parameter may be any type");
    let alias = taking(def("id", TypeDefKind::Alias(Type::String)));
    assert_eq!(differences(&alias, &side(&[], &[("other", Type::String)], None)), []);
    let circle = taking(def("id", TypeDefKind::Alias(named("id"))));
    assert_eq!(differences(&circle, &side(&[], &[("p", Type::Value)], None)), []);
}

#[test]
fn a_recursive_type_is_the_same_before_and_after_the_trip_through_metadata() {
    let tree = taking(record("tree", &[("label", Type::String), ("kids", list(named("tree")))]));
    let bytes = Metadata::new(vec![tree.clone()], vec![]).encode().unwrap();
    let read = Metadata::decode(&bytes).unwrap().imports.remove(0);
    assert_eq!(differences(&tree, &read), []);
    assert_eq!(differences(&tree, &tree), []);
    let other = taking(record("tree", &[("label", Type::String), ("kids", list(Type::U8))]));
    assert_eq!(only(&read, &other), "p.kids[]: expected value, found u8");
}

#[test]
fn what_differs_in_a_type_is_said_once_and_not_without_end() {
    let uses = |ty: Type| {
        let point = record("point", &[("x", ty)]);
        let params: Vec<(&str, Type)> = vec![("a", named("point")), ("b", named("point"))];
        side(&[point], &params, None)
    };
    assert_eq!(differences(&uses(Type::U8), &uses(Type::S8)).len(), 1);
    let names: Vec<String> = (0..100).map(|place| format!("f{place}")).collect();
    let many = |ty: &Type| {
        let fields: Vec<(&str, Type)> = names.iter().map(|name| (name.as_str(), ty.clone())).collect();
        taking(record("many", &fields))
    };
    assert_eq!(differences(&many(&Type::U8), &many(&Type::S8)).len(), 32);
}

#[test]
fn types_that_use_each_other_many_times_are_compared_once() {
    let types = |leaf: Type| -> Interface {
        let level = |level: usize| {
            let next = named(&format!("t{}", level + 1));
            record(&format!("t{level}"), &[("a", next.clone()), ("b", next)])
        };
        let mut types: Vec<TypeDef> = (0..40).map(level).collect();
        types.push(record("t40", &[("leaf", leaf)]));
        side(&types, &[("p", named("t0"))], None)
    };
    assert_eq!(differences(&types(Type::U8), &types(Type::U8)), []);
    assert_eq!(differences(&types(Type::U8), &types(Type::U16)).len(), 1);
}
