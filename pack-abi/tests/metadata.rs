//! Metadata part by part: what is written comes back, what is malformed is refused by the name of the part.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pack_abi::hash::TypeHash;
use pack_abi::metadata::{Metadata, MetadataError};
use pack_abi::types::{Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use pack_abi::{EncodeError, Value, WireType, encode};

fn def(name: &str, kind: TypeDefKind) -> TypeDef {
    TypeDef { name: name.into(), docs: String::new(), kind }
}

fn named(name: &str) -> Type {
    Type::Named(name.into())
}

fn interface(types: Vec<TypeDef>, params: &[Type]) -> Interface {
    let params = params.iter().map(|ty| Param { name: "p".into(), ty: ty.clone() }).collect();
    let function = Function { name: "f".into(), docs: String::new(), params, result: None };
    Interface { name: "a:b/c".into(), docs: String::new(), types, functions: vec![function] }
}

fn round_trip(interface: &Interface) -> Interface {
    let metadata = Metadata::new(vec![interface.clone()], vec![]);
    let back = Metadata::decode(&metadata.encode().unwrap()).unwrap();
    assert_eq!(back.check_hashes(), Ok(()));
    assert_eq!(back.encode().unwrap(), metadata.encode().unwrap());
    back.imports[0].clone()
}

#[test]
fn every_type_comes_back() {
    let boxed = |ty: Type| Some(Box::new(ty));
    let params = [
        Type::Bool,
        Type::U8,
        Type::U16,
        Type::U32,
        Type::U64,
        Type::S8,
        Type::S16,
        Type::S32,
        Type::S64,
        Type::F32,
        Type::F64,
        Type::Char,
        Type::String,
        Type::Value,
        Type::Tuple(vec![]),
        Type::Result { ok: None, err: None },
        Type::Result { ok: boxed(Type::F32), err: None },
        Type::Result { ok: None, err: boxed(Type::S8) },
        Type::Result { ok: boxed(Type::U32), err: boxed(Type::S16) },
        Type::Map(Box::new(Type::U64), Box::new(Type::Set(Box::new(Type::Char)))),
        Type::Option(Box::new(Type::List(Box::new(Type::U8)))),
    ];
    let whole = interface(vec![], &params);
    assert_eq!(round_trip(&whole), whole);
}

#[test]
fn parameters_of_an_interface_come_back_with_what_is_asked_of_them() {
    let types = vec![
        def("s", TypeDefKind::Parameter(None)),
        def("t", TypeDefKind::Parameter(Some("a:b/shown".into()))),
    ];
    let generic = interface(types, &[named("s"), named("t"), Type::List(Box::new(named("s")))]);
    assert_eq!(round_trip(&generic), generic);
    let both = Metadata::new(vec![generic.clone()], vec![generic.clone()]);
    let back = Metadata::decode(&both.encode().unwrap()).unwrap();
    assert_eq!((back.imports, back.exports), (vec![generic.clone()], vec![generic]));
}

fn list(items: Vec<Value>) -> Value {
    Value::list(WireType::Record(String::new()), items)
}

fn record(fields: Vec<(&str, Value)>) -> Value {
    Value::record("", fields)
}

fn desc(tag: u32, payload: Value) -> Value {
    Value::variant("", "", tag, [payload])
}

/// Metadata as its reader sees it, with one function.
struct Raw {
    params: Value,
    results: Value,
    hashes: Value,
    type_params: Option<Value>,
}

impl Default for Raw {
    fn default() -> Self {
        Self { params: list(vec![]), results: list(vec![]), hashes: list(vec![]), type_params: None }
    }
}

impl Raw {
    fn read(self) -> Result<Metadata, MetadataError> {
        let function = record(vec![
            ("interface", "i".into()),
            ("name", "f".into()),
            ("params", self.params),
            ("results", self.results),
        ]);
        let mut fields = vec![
            ("imports", list(vec![function])),
            ("exports", Value::bytes([])),
            ("import-hashes", self.hashes),
            ("export-hashes", list(vec![])),
        ];
        fields.extend(self.type_params.map(|params| ("type-params", params)));
        Metadata::decode(&encode(&record(fields)).unwrap())
    }

    fn of_type(ty: Value) -> Self {
        let param = record(vec![("name", "p".into()), ("type", ty)]);
        Self { params: list(vec![param]), ..Self::default() }
    }

    fn with_hash(hash: Value) -> Self {
        let stated = record(vec![("name", "i".into()), ("hash", hash)]);
        Self { hashes: list(vec![stated]), ..Self::default() }
    }
}

fn part<T: std::fmt::Debug>(outcome: Result<T, MetadataError>) -> &'static str {
    match outcome {
        Err(MetadataError::Malformed(part)) => part,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_type_that_is_malformed_is_refused_by_its_part() {
    let unit = || desc(0, Value::unit());
    let result = |absent: Value| desc(16, record(vec![("ok", unit()), ("err", unit()), ("absent", absent)]));
    let fields = |field: Value| desc(17, record(vec![("name", "r".into()), ("fields", list(vec![field]))]));
    let cases = |case: Value| desc(18, record(vec![("name", "v".into()), ("cases", list(vec![case]))]));
    for (ty, wrong) in [
        (Value::U8(1), "type"),
        (Value::variant("", "", 14, []), "type"),
        (desc(99, Value::unit()), "type tag"),
        (desc(13, record(vec![("name", "f".into())])), "flags"),
        (desc(13, record(vec![("name", "f".into()), ("flags", list(vec![Value::unit()]))])), "flags"),
        (desc(13, record(vec![("flags", list(vec!["read".into()]))])), "name"),
        (result("neither".into()), "absent"),
        (result(Value::U8(1)), "absent"),
        (desc(16, record(vec![("ok", unit())])), "err"),
        (desc(19, Value::unit()), "tuple"),
        (desc(22, record(vec![("key", unit())])), "value"),
        (fields(record(vec![("name", "x".into())])), "type"),
        (fields(record(vec![("type", unit())])), "name"),
        (desc(17, record(vec![("fields", list(vec![]))])), "name"),
        (cases(record(vec![("name", "c".into())])), "payload"),
        (cases(record(vec![("name", "c".into()), ("payload", Value::U8(1))])), "payload"),
    ] {
        let shown = ty.to_string();
        assert_eq!(part(Raw::of_type(ty).read()), wrong, "{shown}");
    }
    assert_eq!(part(Raw { params: Value::unit(), ..Raw::default() }.read()), "params");
    assert_eq!(part(Raw { params: list(vec![Value::unit()]), ..Raw::default() }.read()), "name");
}

/// Upstream has a tag for it and does not write it; ours is a tuple without elements.
#[test]
fn unit_is_read_in_both_forms() {
    let read = |ty| Raw::of_type(ty).read().unwrap().imports[0].functions[0].params[0].ty.clone();
    assert_eq!(read(Value::variant("", "", 21, [])), Type::Tuple(vec![]));
    assert_eq!(read(desc(19, list(vec![]))), Type::Tuple(vec![]));
}

#[test]
fn a_function_has_one_result_at_most() {
    let results = |count| list(vec![desc(0, Value::unit()); count]);
    let read = |count| Raw { results: results(count), ..Raw::default() }.read();
    assert_eq!(read(0).unwrap().imports[0].functions[0].result, None);
    assert_eq!(read(1).unwrap().imports[0].functions[0].result, Some(Type::Bool));
    assert_eq!(read(2), Err(MetadataError::SeveralResults { function: "f".into() }));
}

#[test]
fn a_hash_is_four_words_or_thirty_two_bytes() {
    let stated = |hash: Value| Raw::with_hash(hash).read().map(|metadata| metadata.import_hashes[0].1);
    let hash = TypeHash(core::array::from_fn(|place| place as u8));
    assert_eq!(stated(Value::tuple(hash.words().map(Value::U64))), Ok(hash));
    assert_eq!(stated(Value::bytes(hash.0)), Ok(hash));
    for wrong in [
        Value::bytes([1; 31]),
        Value::tuple([Value::U64(1), Value::U64(2), Value::U64(3)]),
        Value::tuple([Value::U64(1), Value::U64(2), Value::U64(3), Value::U32(4)]),
        Value::from("hash"),
    ] {
        assert_eq!(part(stated(wrong)), "hash");
    }
    assert_eq!(part(Raw { hashes: list(vec![Value::unit()]), ..Raw::default() }.read()), "name");
}

#[test]
fn type_parameters_are_texts() {
    let read = |params| part(Raw { type_params: Some(params), ..Raw::default() }.read());
    assert_eq!(read(Value::unit()), "type-params");
    assert_eq!(read(list(vec![Value::unit()])), "constraint");
    assert_eq!(read(list(vec![record(vec![("constraint", "".into())])])), "name");
}

#[test]
fn types_that_are_too_many_or_too_deep_are_refused() {
    let distinct = |number: usize| {
        let field = record(vec![("name", format!("x{number}").into()), ("type", desc(0, Value::unit()))]);
        desc(17, record(vec![("name", "r".into()), ("fields", list(vec![field]))]))
    };
    let types = (0..1025).map(distinct).collect();
    let error = Raw::of_type(desc(19, list(types))).read();
    assert_eq!(error, Err(MetadataError::TooManyTypes { interface: "i".into() }));

    let field = |ty| Field { name: "x".into(), docs: String::new(), ty };
    let chain: Vec<TypeDef> = (0..600)
        .map(|n| def(&format!("t{n}"), TypeDefKind::Record(vec![field(named(&format!("t{}", n + 1)))])))
        .collect();
    let deep = Metadata::new(vec![interface(chain, &[named("t0")])], vec![]);
    assert_eq!(deep.encode(), Err(EncodeError::TooDeep));
}
