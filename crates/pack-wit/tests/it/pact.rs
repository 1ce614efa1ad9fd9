//! Upstream's `.pact` files, with the hashes that upstream computes.

use pack_abi::hash::hash_type;
use pack_abi::types::{Interface, Type};
use pack_wit::{Source, parse};

fn interface(text: &str, name: &str) -> Interface {
    let document = parse(&[Source::new("pact/file.pact", text)]).unwrap_or_else(|error| panic!("{error}"));
    document.interface(name).unwrap_or_else(|| panic!("{name} in {document:?}")).clone()
}

fn refused(text: &str) -> String {
    parse(&[Source::new("pact/file.pact", text)]).expect_err("a mistake").to_string()
}

#[test]
fn interfaces_have_the_hashes_that_upstream_computes() {
    let math = interface("interface math { exports { double: func(n: s64) -> s64 } }", "math");
    assert_eq!(math.hash().to_string(), "045d329df239a4083f01ad53ef75b1b271563fa76147e7a0e3013a75352ff364");
    let runtime = interface(
        "interface runtime { @package: string = \"theater:simple\" @version: string = \"1.0\"
           exports { log: func(msg: string) } }",
        "theater:simple/runtime",
    );
    assert_eq!(
        runtime.hash().to_string(),
        "1dd3d02d5f489296fab56691f915636091203b3899500d8d6eb1706d54249e54"
    );
}

#[test]
fn types_have_the_hashes_that_upstream_computes() {
    let text = "variant sexpr { sym(string) lst(list<self>) }  record point { x: s32; y: s32 }
        type done = result<_, string>  type counts = map<string, u32>  type words = set<string>  type nothing = _
        exports { f: func(s: sexpr, p: point) -> done }";
    let types = interface(text, "file").types;
    for (name, hash) in [
        ("sexpr", "f466562d73549f1bf99f3ea8a08382092311461cd44a1a5a563bec47621d0c27"),
        ("point", "3a63bcf203b3433f822f5621538d16e51b9a2ee6368c6052851e79f2b5ad4b19"),
        ("done", "053662e0e77749878bbb70c22cd6c3687d128631d9f4c1e578c59ee7885c87e9"),
        ("counts", "542a12798ed59633b94fe5e13ef409d30fc94b3d805035a23cb8133ba428e5eb"),
        ("words", "b8b6ec5c159067b28c3e10ccd445bcc6ea85cbe4ee5d080a0d4d96959646c473"),
        ("nothing", "0691c93339ac086797f52ad890f7e79e119e8171b2b6a2c6a40f4fb6876e7902"),
    ] {
        assert_eq!(hash_type(&Type::Named(name.into()), &types).to_string(), hash, "{name}");
    }
}

#[test]
fn every_construct_of_the_dialect_is_read() {
    let text = "
        record pair<a, b> { first: a, second: b }  variant tree<t> { leaf(t), branch(list<self>) }
        enum color { red, green }  flags perm { read, write }
        record cons { head: s64, tail: option<self> }  record type-names { type: string, get_it: u8 }
        type s: serializable  type t
        imports { logger  logger.log  t: comparable }
        exports { id: string  use_it: func(p: pair<u32, string>, c: tree<u8>, x: s, n: type-names) -> t }
        interface inner { exports { ping: func() } }";
    let file = interface(text, "file");
    assert_eq!(
        file.functions[0].to_string(),
        "use_it: func(p: pair-u32-string, c: tree-u8, x: s, n: type-names) -> t"
    );
    assert!(pack_wit::print_interface(&file).contains("type t: comparable;"));
    assert_eq!(interface(text, "inner").functions.len(), 1);
}

#[test]
fn files_use_types_of_each_other() {
    let types = Source::new(
        "p/types.pact",
        "interface types { @package: string = \"a:b\" record chain { x: u8 } enum kind { a } }",
    );
    let user = |uses: &str| {
        let text = format!(
            "interface store {{ @package: string = \"a:b\" {uses} exports {{ get: func() -> chain }} }}"
        );
        let document = parse(&[types.clone(), Source::new("p/store.pact", text)])
            .unwrap_or_else(|error| panic!("{error}"));
        document.interface("a:b/store").expect("store").hash()
    };
    assert_eq!(user("use types.{chain}"), user("use types"));
    assert_eq!(user("use types"), user("record chain { x: u8 }"));
}

#[test]
fn mistakes_have_their_place() {
    let error = refused("interface i {\n    exports { f: func(a: strng) }\n}\n");
    assert_eq!(
        error,
        "there is no type `strng`\n --> pact/file.pact:2:26\n  |\n2 |     exports { f: func(a: strng) }\n  |                          ^^^^^\n  help: did you mean `string`?"
    );
    assert!(refused("interface x = rpc(y)").starts_with("transforms of interfaces are not supported"));
    assert!(refused("recrod r {}").contains("did you mean `record`?"));
    assert!(refused("interface i { @package: string = \"a b\" }").contains("write `\"ns:name\"`"));
    let deep = refused(&"interface a { ".repeat(10_000));
    assert!(deep.starts_with("interfaces are nested more than 16 deep"), "{deep}");
}

/// Cause: the stem was taken as a name whatever it was. Symptom: the printed interface had no name, or another one.
#[test]
fn a_file_that_cannot_give_its_interface_a_name_is_refused() {
    let named = |name: &str| parse(&[Source::new(name, "exports { f: func() }")]);
    assert!(named("p/send-it_2.pact").expect("a name").interface("send-it_2").is_some());
    for name in [".pact", "p/.pact", "a b.pact", "2.pact", "a.b.pact", "a.pact.pact", "p/%.pact"] {
        let error = named(name).expect_err(name);
        assert!(error.message.contains("gives no name") && error.hint.is_some(), "{name}: {error}");
    }
}
