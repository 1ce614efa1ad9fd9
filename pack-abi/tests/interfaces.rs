//! Hashes of interfaces and the metadata of packages, against the values that upstream computes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pack_abi::hash::{TypeHash, hash_function, hash_type};
use pack_abi::metadata::{Metadata, MetadataError};
use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use pack_abi::{Kind, Limits, Value, View};

fn named(name: &str) -> Type {
    Type::Named(name.into())
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), docs: String::new(), ty }
}

fn case(name: &str, ty: Option<Type>) -> Case {
    Case { name: name.into(), docs: String::new(), ty }
}

fn def(name: &str, kind: TypeDefKind) -> TypeDef {
    TypeDef { name: name.into(), docs: String::new(), kind }
}

fn function(name: &str, params: &[Type], result: Option<Type>) -> Function {
    let params = params.iter().map(|ty| Param { name: "n".into(), ty: ty.clone() }).collect();
    Function { name: name.into(), docs: String::new(), params, result }
}

fn interface(name: &str, types: Vec<TypeDef>, functions: Vec<Function>) -> Interface {
    Interface { name: name.into(), docs: String::new(), types, functions }
}

fn math() -> Interface {
    interface("math", vec![], vec![function("double", &[Type::S64], Some(Type::S64))])
}

fn assert_type_hash(ty: &Type, types: &[TypeDef], hex: &str) {
    assert_eq!(hash_type(ty, types).to_string(), hex, "{ty:?}");
}

#[test]
fn types_hash_as_upstream_hashes_them() {
    assert_type_hash(
        &list(Type::U8),
        &[],
        "49d0f1d3d86f55e17737618629d2665df33565608fe9797385aecbfe6253f5dc",
    );
    assert_type_hash(
        &Type::Result { ok: None, err: Some(Box::new(Type::String)) },
        &[],
        "053662e0e77749878bbb70c22cd6c3687d128631d9f4c1e578c59ee7885c87e9",
    );
    assert_type_hash(
        &Type::Map(Box::new(Type::String), Box::new(Type::U32)),
        &[],
        "542a12798ed59633b94fe5e13ef409d30fc94b3d805035a23cb8133ba428e5eb",
    );
    assert_type_hash(
        &Type::Set(Box::new(Type::String)),
        &[],
        "b8b6ec5c159067b28c3e10ccd445bcc6ea85cbe4ee5d080a0d4d96959646c473",
    );
    assert_type_hash(
        &Type::Tuple(vec![]),
        &[],
        "0691c93339ac086797f52ad890f7e79e119e8171b2b6a2c6a40f4fb6876e7902",
    );
}

#[test]
fn primitives_hash_to_their_constants() {
    let primitives = [
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
    ];
    for (number, ty) in (1_u8..).zip(primitives) {
        assert_type_hash(&ty, &[], &format!("00{number:02x}{}", "00".repeat(30)));
    }
    let flags = [def("f", TypeDefKind::Flags(vec![]))];
    assert_type_hash(&named("f"), &flags, &format!("000e{}", "00".repeat(30)));
    assert_type_hash(&Type::Value, &[], &format!("ffff{}", "00".repeat(30)));
    assert_type_hash(&named("nobody"), &[], &format!("ffff{}", "00".repeat(30)));
}

#[test]
fn definitions_hash_by_structure_and_not_by_name() {
    let fields = vec![field("y", Type::S32), field("x", Type::S32)];
    for name in ["point", "vec2"] {
        let types = [def(name, TypeDefKind::Record(fields.clone()))];
        assert_type_hash(
            &named(name),
            &types,
            "3a63bcf203b3433f822f5621538d16e51b9a2ee6368c6052851e79f2b5ad4b19",
        );
    }
    let sexpr =
        TypeDefKind::Variant(vec![case("sym", Some(Type::String)), case("lst", Some(list(named("sexpr"))))]);
    assert_type_hash(
        &named("sexpr"),
        &[def("sexpr", sexpr)],
        "f466562d73549f1bf99f3ea8a08382092311461cd44a1a5a563bec47621d0c27",
    );
}

#[test]
fn an_alias_is_what_it_stands_for_and_one_of_itself_ends() {
    let types = [def("a", TypeDefKind::Alias(named("b"))), def("b", TypeDefKind::Alias(Type::U8))];
    assert_eq!(hash_type(&named("a"), &types), hash_type(&Type::U8, &[]));
    let types = [def("a", TypeDefKind::Alias(named("a")))];
    assert_eq!(hash_type(&named("a"), &types), hash_type(&Type::Value, &[]));
}

#[test]
fn functions_and_interfaces_hash_as_upstream_hashes_them() {
    let double = function("double", &[Type::S64], Some(Type::S64));
    assert_eq!(
        hash_function(&double, &[]).to_string(),
        "567b92d9222527d0815e992ef2139d4a1034c953ec52519354bb21fa6808ad5b"
    );
    assert_eq!(math().hash().to_string(), "045d329df239a4083f01ad53ef75b1b271563fa76147e7a0e3013a75352ff364");
    let runtime = interface(
        "theater:simple/runtime",
        vec![],
        vec![function("shutdown", &[], None), function("log", &[Type::String], None)],
    );
    assert_eq!(
        runtime.hash_subset(&["log"]).to_string(),
        "1dd3d02d5f489296fab56691f915636091203b3899500d8d6eb1706d54249e54"
    );
    assert_ne!(runtime.hash_subset(&["log"]), runtime.hash());
    assert_eq!(runtime.hash_subset(&["log", "shutdown"]), runtime.hash());
}

#[test]
fn hashes_agree_with_the_published_crate_on_every_combinator() {
    use packr_abi as upstream;
    let theirs = upstream::hash_function(
        &[
            upstream::hash_tuple(&[upstream::HASH_CHAR, upstream::HASH_F32]),
            upstream::hash_option(&upstream::HASH_U16),
            upstream::hash_variant(&[("a", None), ("b", Some(upstream::HASH_S8))]),
        ],
        &[upstream::hash_result(&upstream::HASH_FLAGS, &upstream::hash_list(&upstream::HASH_U64))],
    );
    let types = [
        def("v", TypeDefKind::Variant(vec![case("b", Some(Type::S8)), case("a", None)])),
        def("f", TypeDefKind::Flags(vec![])),
    ];
    let params = [Type::Tuple(vec![Type::Char, Type::F32]), Type::Option(Box::new(Type::U16)), named("v")];
    let result = Type::Result { ok: Some(Box::new(named("f"))), err: Some(Box::new(list(Type::U64))) };
    let ours = hash_function(&function("x", &params, Some(result)), &types);
    assert_eq!(&ours.0, theirs.as_bytes());
}

#[test]
fn many_uses_of_a_type_are_hashed_once() {
    // Forty levels, each using the next twice: without remembering, a million million hashes.
    let types: Vec<TypeDef> = (0..40)
        .map(|level| {
            let next = named(&format!("t{}", level + 1));
            let fields = vec![field("a", next.clone()), field("b", next)];
            def(&format!("t{level}"), TypeDefKind::Record(fields))
        })
        .chain([def("t40", TypeDefKind::Alias(Type::U8))])
        .collect();
    let interface = interface("deep", types, vec![function("f", &[named("t0")], None)]);
    assert_eq!(interface.hash(), interface.hash_subset(&["f"]));
    assert!(Metadata::new(vec![interface], vec![]).encode().is_err(), "too large once names are replaced");
}

#[test]
fn a_hash_prints_and_parses() {
    let hash = math().hash();
    assert_eq!(hash.to_string().parse::<TypeHash>(), Ok(hash));
    assert_eq!(TypeHash::from_words(hash.words()), hash);
    assert!("0".parse::<TypeHash>().is_err());
    assert!("g".repeat(64).parse::<TypeHash>().is_err());
}

#[test]
fn metadata_has_the_bytes_that_upstream_embeds() {
    let metadata = Metadata::new(vec![], vec![math()]);
    let bytes = metadata.encode().unwrap();
    assert_eq!(bytes.len(), 654);
    let view = View::parse(&bytes, &Limits::default()).unwrap();
    assert_eq!(view.node_count(), 21);
    assert_eq!(view.root().kind(), Kind::Record);
    let hash_words: Vec<u8> = metadata.exports[0].hash().0.to_vec();
    let words: Vec<&[u8]> = hash_words.chunks(8).collect();
    for word in words {
        assert!(bytes.windows(8).any(|window| window == word));
    }
    assert_eq!(Metadata::decode(&bytes).unwrap(), metadata);
    assert!(packr_abi::decode(&bytes).is_ok());
}

/// An interface with every construct of the language.
fn rich() -> Interface {
    let plain = |name: &str| EnumCase { name: name.into(), docs: String::new() };
    let types = vec![
        def("point", TypeDefKind::Record(vec![field("x", Type::S32), field("y", Type::S32)])),
        def("colour", TypeDefKind::Enum(vec![plain("red"), plain("green")])),
        def("shape", TypeDefKind::Variant(vec![case("at", Some(named("point"))), case("none", None)])),
        def("id", TypeDefKind::Alias(Type::String)),
        def("perm", TypeDefKind::Flags(vec![plain("read"), plain("write")])),
        def(
            "tree",
            TypeDefKind::Record(vec![field("label", named("id")), field("kids", list(named("tree")))]),
        ),
    ];
    let map = Type::Map(Box::new(named("id")), Box::new(Type::Set(Box::new(Type::U16))));
    let result = Type::Result { ok: None, err: Some(Box::new(named("shape"))) };
    let pair = Type::Tuple(vec![named("colour"), Type::Option(Box::new(Type::Value))]);
    interface(
        "my:pkg/rich",
        types,
        vec![
            function("draw", &[named("shape"), named("perm"), pair], Some(result)),
            function("store", &[map, named("tree"), Type::Char], None),
            function("swap", &[named("point")], Some(Type::Tuple(vec![Type::F64, named("point")]))),
        ],
    )
}

#[test]
fn hashes_recomputed_from_decoded_metadata_are_the_embedded_ones() {
    let bare = interface("", vec![], vec![function("main", &[], Some(Type::Tuple(vec![])))]);
    let metadata = Metadata::new(vec![rich(), math()], vec![bare, rich()]);
    let bytes = metadata.encode().unwrap();
    let decoded = Metadata::decode(&bytes).unwrap();
    assert_eq!(decoded.check_hashes(), Ok(()));
    assert_eq!(decoded.import_hashes, metadata.import_hashes);
    assert_eq!(decoded.export_hashes, metadata.export_hashes);
    assert_eq!(decoded.encode().unwrap(), bytes, "what was read is written again as it was");
    let perm = |metadata: &Metadata| metadata.imports[0].types.iter().find(|def| def.name == "perm").cloned();
    assert_eq!(perm(&decoded), perm(&metadata), "flags keep their names");
    let draw = |metadata: &Metadata| metadata.imports[0].functions[0].result.clone();
    assert_eq!(draw(&decoded), draw(&metadata), "a missing arm of a result stays missing");
    let names: Vec<&str> = decoded.imports[0].types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["point", "shape", "perm", "colour", "tree"]);
}

#[test]
fn a_changed_signature_no_longer_fits_its_hash() {
    let mut metadata = Metadata::new(vec![], vec![math()]);
    metadata.exports[0].functions[0].params[0].ty = Type::U64;
    let mismatch = metadata.check_hashes().unwrap_err();
    assert_eq!(mismatch.interface, "math");
    assert!(mismatch.stated.is_some() && mismatch.computed.is_some());
    metadata.export_hashes.clear();
    assert_eq!(metadata.check_hashes().unwrap_err().stated, None);
}

#[test]
fn two_types_of_one_name_keep_apart() {
    let record = |ty| Value::record("r", [("name", "r".into()), ("fields", fields_of(ty))]);
    fn fields_of(tag: u32) -> Value {
        let ty = desc(tag, vec![]);
        let field = Value::record("", [("name", "f".into()), ("type", ty)]);
        Value::list(pack_abi::WireType::Record(String::new()), [field])
    }
    let params = [desc(17, vec![record(1)]), desc(17, vec![record(2)]), desc(17, vec![record(1)])];
    let metadata = Metadata::decode(&with_params(&params)).unwrap();
    let types: Vec<Type> =
        metadata.imports[0].functions[0].params.iter().map(|param| param.ty.clone()).collect();
    assert_eq!(types, [named("r"), named("r-2"), named("r")]);
}

fn desc(tag: u32, payload: Vec<Value>) -> Value {
    Value::variant("", "", tag, payload)
}

fn with_params(params: &[Value]) -> Vec<u8> {
    let list = |items: Vec<Value>| Value::list(pack_abi::WireType::String, items);
    let record = |fields: Vec<(&str, Value)>| Value::record("x", fields);
    let params = params.iter().map(|ty| record(vec![("name", "p".into()), ("type", ty.clone())])).collect();
    let function = record(vec![
        ("interface", "i".into()),
        ("name", "f".into()),
        ("params", list(params)),
        ("results", list(vec![])),
    ]);
    let metadata = record(vec![
        ("imports", list(vec![function])),
        ("exports", list(vec![])),
        ("import-hashes", list(vec![])),
        ("export-hashes", list(vec![])),
    ]);
    pack_abi::encode(&metadata).unwrap()
}

#[test]
fn a_generic_parameter_is_any_value() {
    let parameter = Value::record("TypeRef", [("name", "s".into())]);
    let metadata = Metadata::decode(&with_params(&[desc(18, vec![parameter])])).unwrap();
    assert_eq!(metadata.imports[0].functions[0].params[0].ty, Type::Value);
}

#[test]
fn results_and_flags_as_upstream_writes_them_are_read() {
    let result = Value::record("result-desc", [("ok", desc(0, vec![])), ("err", desc(12, vec![]))]);
    let metadata = Metadata::decode(&with_params(&[desc(16, vec![result]), desc(13, vec![])])).unwrap();
    let types: Vec<&Type> = metadata.imports[0].functions[0].params.iter().map(|param| &param.ty).collect();
    assert_eq!(types[0], &Type::Result { ok: Some(Box::new(Type::Bool)), err: Some(Box::new(Type::String)) });
    assert_eq!(types[1], &named("flags"));
    assert_eq!(metadata.imports[0].types, [def("flags", TypeDefKind::Flags(vec![]))]);
}

#[test]
fn what_is_not_metadata_is_refused() {
    assert!(matches!(Metadata::decode(b"no"), Err(MetadataError::Decode(_))));
    let unit = pack_abi::encode(&()).unwrap();
    assert_eq!(Metadata::decode(&unit), Err(MetadataError::Malformed("imports")));
    for tag in [14, 15, 16, 17, 18, 19, 22, 23, 24] {
        assert!(Metadata::decode(&with_params(&[desc(tag, vec![])])).is_err(), "tag {tag}");
    }
}
