//! Generic types and parameters of interfaces: what they become, and that they cannot grow without end.

use pack_abi::hash::hash_type;
use pack_abi::metadata::Metadata;
use pack_abi::types::{Interface, Type, TypeDefKind};
use pack_wit::{Document, Source, parse, print_interface, print_metadata};

fn parsed(text: &str) -> Document {
    parse(&[Source::new("i.wit", text)]).unwrap_or_else(|error| panic!("{error}"))
}

fn interface(text: &str, name: &str) -> Interface {
    parsed(text).interface(name).expect(name).clone()
}

fn refused(text: &str) -> String {
    parse(&[Source::new("i.wit", text)]).expect_err("a mistake").message
}

#[test]
fn an_application_is_a_type_of_its_own_with_the_hash_of_the_plain_type() {
    let generic = interface(
        "interface i { record pair<a, b> { first: a, second: b }
           variant tree<t> { leaf(t), branch(list<tree<t>>) } type pairs<v> = list<pair<string, v>>;
           f: func(p: pair<u32, string>) -> tree<s64>; g: func(p: pair<u32, string>, q: pairs<u8>); }",
        "i",
    );
    let plain = interface(
        "interface i { record p { first: u32, second: string } record q { first: string, second: u8 }
           variant t { leaf(s64), branch(list<t>) } f: func(p: p) -> t; g: func(p: p, q: list<q>); }",
        "i",
    );
    assert_eq!(generic.hash(), plain.hash());
    let names: Vec<&str> = generic.types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["pair-u32-string", "tree-s64", "pairs-u8", "pair-string-u8"]);
    let printed = print_interface(&generic);
    assert_eq!(interface(&printed, "i"), generic, "{printed}");
}

#[test]
fn an_application_to_itself_is_written_out_in_full() {
    let nested = interface("interface i { record w<t> { x: t } f: func(a: w<w<u8>>); }", "i");
    let plain = interface("interface i { record a { x: u8 } record b { x: a } f: func(a: b); }", "i");
    assert_eq!(nested.hash(), plain.hash());
}

#[test]
fn generic_types_are_used_from_other_interfaces_with_what_they_need() {
    let document = parsed(
        "package a:b; interface lib { record part { x: u8 } record item<t> { of: t, part: part }
           record page<t> { items: list<item<t>>, any: value } }
         interface user { use lib.{page as sheet}; record part { mine: u16 } f: func(p: sheet<part>); }",
    );
    let user = document.interface("a:b/user").expect("user");
    let plain = interface(
        "package a:b; interface user { record mine { mine: u16 } record part { x: u8 }
           record item { of: mine, part: part } record page { items: list<item>, any: value } f: func(p: page); }",
        "a:b/user",
    );
    assert_eq!(user.hash(), plain.hash(), "{}", print_interface(user));
}

#[test]
fn types_that_grow_without_end_are_refused() {
    let endless = refused("interface i { record r<t> { next: option<r<list<t>>> } f: func(a: r<u8>); }");
    assert_eq!(endless, "`r` is applied to ever larger types");
    let mut doubling = String::from("interface i { record t0<t> { x: t } ");
    for level in 1..40 {
        doubling.push_str(&format!("record t{level}<t> {{ x: t{}<tuple<t, t>> }} ", level - 1));
    }
    assert_eq!(
        refused(&format!("{doubling} f: func(a: t39<u8>); }}")),
        "`t31` is applied to ever larger types"
    );
    let mut many = String::from("interface i { record r<t> { x: t } ");
    for number in 0..1100 {
        many.push_str(&format!("record n{number} {{}} g-x{number}: func(a: r<n{number}>); "));
    }
    assert_eq!(refused(&(many + "}")), "an interface has at most 1024 types");
    let fields: String = (0..1000).map(|at| format!("n{at}: list<t>, ")).collect();
    let uses: String = (0..200).map(|at| format!("type a{at} = r<tuple<{}>>; ", "u8, ".repeat(at))).collect();
    let wide = refused(&format!("interface i {{ record r<t> {{ {fields} }} {uses} }}"));
    assert_eq!(wide, "the generic types of this interface make too many others");
}

#[test]
fn wrong_applications_say_how_many_types_are_wanted() {
    let wrong = |ty: &str| {
        refused(&format!(
            "interface i {{ record pair<a, b> {{ a: a, b: b }} record p {{}} f: func(a: {ty}); }}"
        ))
    };
    assert_eq!(wrong("pair<u8>"), "`pair` takes 2 types in angle brackets, here are 1");
    assert_eq!(wrong("pair"), "`pair` takes 2 types in angle brackets, here are 0");
    assert_eq!(wrong("p<u8>"), "`p` takes no types in angle brackets");
    assert_eq!(refused("interface i { record r<t> { a: t<u8> } }"), "`t` takes no types in angle brackets");
    assert_eq!(
        refused("interface i { record r<t> { a: map<t, u8> } f: func(a: r<f32>); }"),
        "`f32` has no order, so it cannot be in a key"
    );
}

#[test]
fn a_parameter_of_an_interface_is_any_value_and_stays_known() {
    let text = "package a:b; interface i { type s: serializable; type t; get: func(x: t) -> list<s>; } world w { export i; }";
    let generic = interface(text, "a:b/i");
    assert_eq!(hash_type(&Type::Named("s".into()), &generic.types), hash_type(&Type::Value, &[]));
    let metadata = Metadata::new(Vec::new(), vec![generic.clone()]);
    let bytes = metadata.encode().expect("encodes");
    let value: pack_abi::Value = pack_abi::decode(&bytes).expect("decodes");
    let params = value.field("type-params").map(ToString::to_string).expect("parameters");
    assert!(
        params.contains("name: \"s\", constraint: \"serializable\"")
            && params.contains("name: \"t\", constraint: \"\""),
        "{params}"
    );
    let seen = Metadata::decode(&bytes).expect("decodes");
    assert!(seen.check_hashes().is_ok());
    assert!(
        seen.exports[0]
            .types
            .iter()
            .any(|def| def.kind == TypeDefKind::Parameter(Some("serializable".into())))
    );
    let printed = print_metadata("w", &seen).expect("prints");
    assert!(printed.contains("type s: serializable;") && printed.contains("type t;"), "{printed}");
}
