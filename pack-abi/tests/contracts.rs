//! Values against signatures: what fits, what does not, and what the one who made the value is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::contract::{Contract, Problem};
use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use pack_abi::{Encode, Flags, Value, WireType};
use proptest::prelude::*;

fn named(name: &str) -> Type {
    Type::Named(name.into())
}

fn boxed(ty: Type) -> Box<Type> {
    Box::new(ty)
}

fn list(ty: Type) -> Type {
    Type::List(boxed(ty))
}

fn def(name: &str, kind: TypeDefKind) -> TypeDef {
    TypeDef { name: name.into(), docs: String::new(), kind }
}

fn record(name: &str, fields: &[(&str, Type)]) -> TypeDef {
    let field =
        |(name, ty): &(&str, Type)| Field { name: (*name).into(), docs: String::new(), ty: ty.clone() };
    def(name, TypeDefKind::Record(fields.iter().map(field).collect()))
}

fn words(names: &[&str]) -> Vec<EnumCase> {
    names.iter().map(|name| EnumCase { name: (*name).into(), docs: String::new() }).collect()
}

fn types() -> Vec<TypeDef> {
    let case = |name: &str, ty| Case { name: name.into(), docs: String::new(), ty };
    vec![
        record("point", &[("x", Type::S32), ("y-pos", Type::S32)]),
        def("shape", TypeDefKind::Variant(vec![case("at-point", Some(named("point"))), case("empty", None)])),
        def("colour", TypeDefKind::Enum(words(&["red", "dark-green"]))),
        def("perms", TypeDefKind::Flags(words(&["read", "write"]))),
        def("id", TypeDefKind::Alias(Type::String)),
        record("tree", &[("label", named("id")), ("kids", list(named("tree")))]),
        def("nest", TypeDefKind::Alias(list(named("nest")))),
    ]
}

fn contract(params: &[(&str, Type)], result: Option<Type>) -> Contract {
    let params = params.iter().map(|(name, ty)| Param { name: (*name).into(), ty: ty.clone() }).collect();
    let function = Function { name: "draw".into(), docs: String::new(), params, result };
    let interface = Interface { name: "a:b/c".into(), types: types(), ..Interface::default() };
    Contract::new(&interface, &function)
}

/// The complaint about a value of this type, without the function; empty if it fits.
fn complaint(ty: Type, value: &impl Encode) -> String {
    let contract = contract(&[("p", ty)], None);
    let found = contract.check_import(&pack_abi::encode(value).unwrap());
    found.err().map_or_else(String::new, |violation| violation.to_string().replace("a:b/c.draw: ", ""))
}

fn record_of(name: &str, fields: &[(&str, Value)]) -> Value {
    Value::record(name, fields.iter().map(|(name, value)| (*name, value.clone())))
}

fn variant_of(case: &str, tag: u32, payload: Vec<Value>) -> Value {
    Value::variant("Whatever", case, tag, payload)
}

fn point(x: i32, y: i32) -> Value {
    record_of("Point", &[("x", Value::S32(x)), ("y_pos", Value::S32(y))])
}

#[test]
fn a_violation_names_function_parameter_and_place() {
    let shapes = list(Type::Option(boxed(named("shape"))));
    let contract = contract(&[("id", Type::U64), ("shapes", shapes)], None);
    let inner =
        variant_of("AtPoint", 0, vec![record_of("Point", &[("x", "left".into()), ("y_pos", Value::S32(1))])]);
    let optional = |value| Value::option(WireType::Variant("Shape".into()), Some(value));
    let items = vec![optional(variant_of("Empty", 1, vec![])), optional(inner)];
    let shapes = Value::list(WireType::Option(Box::new(WireType::Variant("Shape".into()))), items);
    let violation = contract.check_values(&[Value::U64(1), shapes.clone()]).unwrap_err();
    assert_eq!(violation.to_string(), "a:b/c.draw: shapes[1]?::AtPoint(0).x: expected s32, found string");
    let input = pack_abi::encode(&(1_u64, &shapes)).unwrap();
    assert_eq!(contract.check_import(&input), Err(violation.clone()));
    assert_eq!(contract.check_call(&input), Err(violation));
}

#[test]
fn arguments_are_counted() {
    let contract = contract(&[("a", Type::U8), ("b", Type::U8)], None);
    let text = |violation: pack_abi::contract::Violation| violation.to_string();
    let three = pack_abi::encode(&(1_u8, 2_u8, 3_u8)).unwrap();
    assert_eq!(
        contract.check_call(&three).map_err(text),
        Err("a:b/c.draw: expected 2 arguments, found 3".into())
    );
    let bare = pack_abi::encode(&1_u8).unwrap();
    assert_eq!(
        contract.check_import(&bare).map_err(text),
        Err("a:b/c.draw: expected 2 arguments, found u8".into())
    );
    assert_eq!(
        contract.check_values(&[Value::U8(1)]).map_err(text),
        Err("a:b/c.draw: expected 2 arguments, found 1".into())
    );
    assert!(contract.check_import(b"no").unwrap_err().to_string().contains("not an encoded value"));
}

#[test]
fn one_parameter_travels_bare_or_into_a_guest_also_in_a_tuple() {
    let contract = |ty| contract(&[("p", ty)], None);
    let (bare, wrapped) = (pack_abi::encode(&7_u8).unwrap(), pack_abi::encode(&(7_u8,)).unwrap());
    assert!(contract(Type::U8).check_import(&bare).is_ok());
    assert!(contract(Type::U8).check_import(&wrapped).is_err());
    assert!(contract(Type::U8).check_call(&bare).is_ok());
    assert!(contract(Type::U8).check_call(&wrapped).is_ok());
    let tuple = Type::Tuple(vec![Type::U8]);
    assert!(contract(tuple.clone()).check_call(&wrapped).is_ok());
    assert!(contract(tuple).check_call(&pack_abi::encode(&((7_u8,),)).unwrap()).is_ok());
    let wrong = pack_abi::encode(&("seven",)).unwrap();
    let violation = contract(Type::U8).check_call(&wrong).unwrap_err();
    assert_eq!(violation.to_string(), "a:b/c.draw: p: expected u8, found string");
}

#[test]
fn every_type_takes_its_own_values_and_refuses_others() {
    let map = Type::Map(boxed(Type::String), boxed(Type::Set(boxed(Type::U16))));
    assert_eq!(complaint(map.clone(), &BTreeMap::from([("a", BTreeSet::from([1_u16]))])), "");
    assert_eq!(complaint(map.clone(), &BTreeMap::from([("a", 1_u16)])), "p[0]: expected set<u16>, found u16");
    assert_eq!(
        complaint(map, &BTreeMap::from([(1_u8, BTreeSet::from([1_u16]))])),
        "p[0] (key): expected string, found u8"
    );
    assert_eq!(complaint(list(Type::U8), &vec![1_u8]), "");
    assert_eq!(complaint(list(Type::U8), &vec![1_u16]), "p: expected list<u8>, found list<u16>");
    assert_eq!(
        complaint(list(Type::U8), &Vec::<String>::new()),
        "",
        "an empty list has no elements to be wrong"
    );
    assert_eq!(complaint(list(Type::String), &vec!["a"]), "");
    assert_eq!(complaint(list(Type::String), &vec![1_u8]), "p: expected list<string>, found list<u8>");
    assert_eq!(complaint(Type::Option(boxed(Type::U8)), &None::<String>), "");
    assert_eq!(complaint(Type::Option(boxed(Type::U8)), &Some(1_u16)), "p?: expected u8, found u16");
    assert_eq!(complaint(Type::Option(boxed(Type::U8)), &1_u8), "p: expected option<u8>, found u8");
    assert_eq!(complaint(Type::Tuple(vec![Type::U8, Type::F64]), &(1_u8, 2.0)), "");
    assert_eq!(complaint(Type::Tuple(vec![Type::U8]), &(1_u8, 2.0)), "p: expected 1 elements, found 2");
    assert_eq!(complaint(Type::Char, &'c'), "");
    assert_eq!(complaint(Type::Bool, &'c'), "p: expected bool, found char");
    assert_eq!(complaint(named("id"), &"text"), "");
    assert_eq!(complaint(named("id"), &()), "p: expected string, found nothing");
    assert_eq!(complaint(named("unknown"), &1_u8), "", "a name without definition is any value");
}

#[test]
fn results_are_taken_in_both_forms_and_a_missing_arm_as_upstream_describes_it() {
    let result =
        |ok: Option<Type>, err: Option<Type>| Type::Result { ok: ok.map(Box::new), err: err.map(Box::new) };
    let declared = result(Some(Type::U8), Some(Type::String));
    assert_eq!(complaint(declared.clone(), &Ok::<u8, String>(1)), "");
    assert_eq!(complaint(declared.clone(), &Err::<u8, &str>("no")), "");
    assert_eq!(complaint(declared.clone(), &variant_of("ok", 0, vec![Value::U8(1)])), "");
    assert_eq!(complaint(declared.clone(), &Ok::<u16, &str>(1)), "p.ok: expected u8, found u16");
    assert_eq!(complaint(declared.clone(), &Err::<u8, u8>(1)), "p.err: expected string, found u8");
    assert_eq!(complaint(declared, &1_u8), "p: expected result<u8, string>, found u8");
    // `result<_, string>` in upstream's metadata.
    let erased = result(Some(Type::Bool), Some(Type::String));
    assert_eq!(complaint(erased, &Ok::<(), String>(())), "");
    assert_eq!(complaint(result(None, None), &Err::<(), ()>(())), "");
    assert_eq!(complaint(result(None, None), &Ok::<u8, ()>(1)), "p.ok: expected _, found u8");
}

#[test]
fn records_are_read_by_name_in_either_spelling_and_any_order() {
    assert_eq!(complaint(named("point"), &point(1, 2)), "");
    let kebab = record_of("point", &[("y-pos", Value::S32(1)), ("x", Value::S32(1))]);
    assert_eq!(complaint(named("point"), &kebab), "");
    let renamed = record_of("Point", &[("x", Value::S32(1)), ("y", Value::S32(1))]);
    assert_eq!(complaint(named("point"), &renamed), "p: field `y-pos` of `point` is missing");
    let more = record_of("Point", &[("x", Value::S32(1)), ("y_pos", Value::S32(1)), ("z", Value::S32(1))]);
    assert_eq!(complaint(named("point"), &more), "p: `point` has no field `z`");
    let both =
        record_of("Point", &[("x", Value::S32(1)), ("y_pos", Value::S32(1)), ("y-pos", Value::S32(1))]);
    assert_eq!(complaint(named("point"), &both), "p: `point` has no field `y-pos`");
    let twice = record_of("Point", &[("x", Value::S32(1)), ("x", Value::S32(1))]);
    assert_eq!(complaint(named("point"), &twice), "p: key is there twice");
    assert_eq!(complaint(named("point"), &(1, 2)), "p: expected record `point`, found a tuple of 2");
}

#[test]
fn a_case_must_have_the_name_that_belongs_to_its_tag() {
    let red = |name| variant_of(name, 0, vec![]);
    assert_eq!(complaint(named("colour"), &red("Red")), "");
    assert_eq!(complaint(named("colour"), &variant_of("dark-green", 1, vec![])), "");
    assert_eq!(
        complaint(named("colour"), &red("DarkGreen")),
        "p: the tag 0 of `colour` is the case `red`, the value calls it `DarkGreen`"
    );
    assert_eq!(
        complaint(named("colour"), &variant_of("Blue", 2, vec![])),
        "p: `colour` has no case with the tag 2 (`Blue`)"
    );
    assert_eq!(
        complaint(named("shape"), &variant_of("AtPoint", 0, vec![])),
        "p: expected 1 payloads, found 0"
    );
    assert_eq!(
        complaint(named("shape"), &variant_of("Empty", 1, vec![Value::U8(1)])),
        "p: expected 0 payloads, found 1"
    );
    assert_eq!(complaint(named("shape"), &"round"), "p: expected variant `shape`, found string");
}

#[test]
fn flags_without_a_name_are_refused_where_the_names_are_known() {
    assert_eq!(complaint(named("perms"), &Flags(3)), "");
    assert_eq!(complaint(named("perms"), &Flags(6)), "p: the bits 0x4 are no flags of `perms`");
    assert_eq!(
        complaint(list(named("perms")), &vec![Flags(1), Flags(8)]),
        "p: the bits 0x8 are no flags of `perms`"
    );
    assert_eq!(complaint(named("perms"), &3_u64), "p: expected flags `perms`, found u64");
}

#[test]
fn recursive_types_are_checked_at_every_level() {
    let tree = |label: Value, kids: Vec<Value>| {
        let kids = Value::list(WireType::Record("Tree".into()), kids);
        record_of("Tree", &[("label", label), ("kids", kids)])
    };
    let good =
        tree("a".into(), vec![tree("b".into(), vec![]), tree("c".into(), vec![tree("d".into(), vec![])])]);
    assert_eq!(complaint(named("tree"), &good), "");
    let bad =
        tree("a".into(), vec![tree("b".into(), vec![]), tree("c".into(), vec![tree(Value::U8(1), vec![])])]);
    assert_eq!(complaint(named("tree"), &bad), "p.kids[1].kids[0].label: expected string, found u8");
    let nest = vec![vec![Vec::<Vec<u8>>::new()]];
    assert_eq!(complaint(named("nest"), &nest), "");
    assert_eq!(
        complaint(named("nest"), &vec![vec!["no"]]),
        "p[0][0]: expected list<list<list<list<list<...>>>>>, found string"
    );
}

#[test]
fn a_key_is_there_once_also_if_it_is_compound() {
    let pair = |x: u8| Value::tuple([Value::U8(x), "k".into()]);
    let key = Type::Tuple(vec![Type::U8, Type::String]);
    let map = |keys: [u8; 2]| {
        let key = WireType::Tuple(vec![WireType::U8, WireType::String]);
        Value::map(key, WireType::U8, keys.map(|x| (pair(x), Value::U8(0))))
    };
    let ty = Type::Map(boxed(key), boxed(Type::U8));
    assert_eq!(complaint(ty.clone(), &map([2, 1])), "");
    assert_eq!(complaint(ty, &map([1, 1])), "p[1] (key): key is there twice");
    let set = Value::set(WireType::U8, [Value::U8(1), Value::U8(1)]);
    assert_eq!(complaint(Type::Set(boxed(Type::U8)), &set), "p[1]: key is there twice");
}

#[test]
fn what_only_reading_would_notice_is_noticed() {
    let spoilt = |value: &dyn Fn() -> Vec<u8>, from: &[u8], to: &[u8]| {
        let mut bytes = value();
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let text = spoilt(&|| pack_abi::encode(&("xyz",)).unwrap(), b"xyz", b"\xff\xfe\xfd");
    for ty in [Type::Tuple(vec![Type::String]), Type::Value] {
        let violation = contract(&[("p", ty)], None).check_import(&text).unwrap_err();
        assert_eq!(violation.to_string(), "a:b/c.draw: p.0: text is not UTF-8");
    }
    let bools = spoilt(&|| pack_abi::encode(&vec![true, true, true]).unwrap(), &[1, 1, 1], &[1, 2, 1]);
    for ty in [list(Type::Bool), Type::Value, list(Type::Value)] {
        let violation = contract(&[("p", ty)], None).check_import(&bools).unwrap_err();
        assert_eq!(violation.to_string(), "a:b/c.draw: p: bool is neither 0 nor 1");
    }
}

#[test]
fn results_are_checked_against_what_the_function_declares() {
    let contract =
        contract(&[], Some(Type::Result { ok: Some(boxed(Type::U8)), err: Some(boxed(Type::String)) }));
    assert!(contract.check_result(&pack_abi::encode(&Ok::<u8, String>(1)).unwrap()).is_ok());
    let violation = contract.check_result(&pack_abi::encode(&Ok::<&str, String>("1")).unwrap()).unwrap_err();
    assert_eq!(violation.to_string(), "a:b/c.draw: result.ok: expected u8, found string");
    let none = self::contract(&[], None);
    assert!(none.check_result(&pack_abi::encode(&()).unwrap()).is_ok());
    let violation = none.check_result(&pack_abi::encode(&1_u8).unwrap()).unwrap_err();
    assert_eq!(violation.to_string(), "a:b/c.draw: result: expected no result, found u8");
    assert!(matches!(*none.check_result(b"").unwrap_err().problem, Problem::Malformed(_)));
}

#[test]
fn a_contract_tells_its_function_and_takes_no_more_arguments_than_it_has() {
    let contract = contract(&[("a", Type::U32), ("b", Type::S8)], None);
    assert_eq!((contract.function(), contract.param_count()), ("a:b/c.draw", 2));
    assert_eq!(contract.check_value(1, &Value::S8(-1)), Ok(()));
    assert_eq!(contract.check_import(&pack_abi::encode(&(1u32, 2i8)).unwrap()), Ok(()));
    let excess = contract.check_value(2, &Value::S8(-1)).unwrap_err();
    assert_eq!(excess.to_string(), "a:b/c.draw: expected 2 arguments, found 3");
    let deep = (0..600).fold(Value::unit(), |inner, _| Value::tuple([inner]));
    let unencodable = contract.check_value(0, &deep).unwrap_err();
    assert_eq!(unencodable.to_string(), "a:b/c.draw: a: value is nested deeper than 512 levels");
}

#[test]
fn a_parameter_of_the_interface_takes_any_value() {
    let mut types = types();
    types.push(def("s", TypeDefKind::Parameter(None)));
    let params = vec![Param { name: "p".into(), ty: list(named("s")) }];
    let function = Function { name: "f".into(), docs: String::new(), params, result: None };
    let contract = Contract::new(&Interface { types, ..Interface::default() }, &function);
    assert_eq!(
        contract.check_values(&[Value::list(WireType::String, [Value::U8(1), Value::from("x")])]),
        Ok(())
    );
}

#[test]
fn the_expected_type_is_written_out() {
    let map = Type::Map(boxed(Type::S16), boxed(Type::Value));
    assert_eq!(complaint(map, &1u8), "p: expected map<s16, value>, found u8");
    let wide = Type::Tuple(vec![Type::U32, Type::S8, Type::S64, Type::F32, Type::U16]);
    assert_eq!(complaint(wide, &1u8), "p: expected tuple<u32, s8, s64, f32, u16>, found u8");
}

#[test]
fn a_packed_list_holds_only_characters_that_exist() {
    assert_eq!(complaint(list(Type::Char), &vec!['a', '\u{10ffff}']), "");
    let mut bytes = pack_abi::encode(&vec!['a', 'b']).unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 0xFF;
    for ty in [list(Type::Char), Type::Value] {
        let violation = contract(&[("p", ty)], None).check_import(&bytes).unwrap_err();
        assert_eq!(violation.to_string(), "a:b/c.draw: p: char is not a Unicode scalar value");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i32>().prop_map(Value::S32),
        any::<bool>().prop_map(Value::Bool),
        "[a-z]{0,3}".prop_map(Value::string),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::bytes),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::tuple),
            proptest::option::of(inner.clone()).prop_map(|value| Value::option(WireType::U8, value)),
            inner.clone().prop_map(|value| record_of("R", &[("a-field", value)])),
            inner.prop_map(|value| variant_of("SomeCase", 0, vec![value])),
        ]
    })
}

/// The narrowest type that a value has.
fn type_of(value: &Value, types: &mut Vec<TypeDef>) -> Type {
    match value {
        Value::U8(_) => Type::U8,
        Value::S32(_) => Type::S32,
        Value::Bool(_) => Type::Bool,
        Value::String(_) => Type::String,
        Value::Bytes(_) => list(Type::U8),
        Value::Tuple(items) => Type::Tuple(items.iter().map(|item| type_of(item, types)).collect()),
        Value::Option(option) => {
            Type::Option(boxed(option.value().map_or(Type::Char, |value| type_of(value, types))))
        }
        Value::Record(record_value) => {
            let (_, field) = record_value.fields().next().unwrap();
            let ty = type_of(field, types);
            let name = format!("r{}", types.len());
            types.push(record(&name, &[("a-field", ty)]));
            named(&name)
        }
        Value::Variant(variant) => {
            let ty = Some(type_of(&variant.payload()[0], types));
            let name = format!("v{}", types.len());
            types.push(def(
                &name,
                TypeDefKind::Variant(vec![Case { name: "some-case".into(), docs: String::new(), ty }]),
            ));
            named(&name)
        }
        _ => Type::Value,
    }
}

fn fitting(value: &Value) -> (Contract, Type) {
    let mut types = Vec::new();
    let ty = type_of(value, &mut types);
    let params = vec![Param { name: "p".into(), ty: ty.clone() }];
    let function = Function { name: "f".into(), docs: String::new(), params, result: None };
    let interface = Interface { types, ..Interface::default() };
    (Contract::new(&interface, &function), ty)
}

proptest! {
    #[test]
    fn a_value_fits_its_own_type_and_any_value(value in any_value()) {
        let (contract, _) = fitting(&value);
        let bytes = pack_abi::encode(&value).unwrap();
        prop_assert_eq!(contract.check_import(&bytes), Ok(()));
        prop_assert_eq!(contract.check_values(std::slice::from_ref(&value)), Ok(()));
        prop_assert_eq!(complaint(Type::Value, &value), "");
    }

    #[test]
    fn no_bytes_make_the_checker_panic(value in any_value(), other in any_value(), at in any::<usize>(), byte: u8) {
        let (contract, _) = fitting(&value);
        let mut bytes = pack_abi::encode(&other).unwrap();
        drop(contract.check_import(&bytes));
        let at = at % bytes.len();
        bytes[at] = byte;
        drop(contract.check_import(&bytes));
        drop(contract.check_call(&bytes));
        drop(contract.check_result(&bytes));
    }
}
