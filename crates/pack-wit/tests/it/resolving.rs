//! Names across interfaces, packages and worlds.

use pack_abi::types::{Type, TypeDefKind};
use pack_wit::{Document, Source, parse};

fn parsed(files: &[(&str, &str)]) -> Document {
    let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    parse(&sources).unwrap_or_else(|error| panic!("{error}"))
}

fn named(name: &str) -> Type {
    Type::Named(name.to_owned())
}

#[test]
fn all_types_of_the_language_are_understood() {
    let text = "package a:b;
        interface i {
            type t1 = tuple<bool, u8, u16, u32, u64, s8, s16, s32, s64, f32, f64, char, string>;
            type t2 = result; type t3 = result<u8>; type t4 = result<_, u8>; type t5 = result<u8, string>;
            type t6 = list<option<tuple<>>>; type t7 = map<string, set<u32>>; type t8 = value;
            enum e { a, b } flags f { r, w } record r { %type: e, plain: f, }
            variant v { none, some(r) }
        }";
    let document = parsed(&[("i.wit", text)]);
    let interface = document.interface("a:b/i").expect("the interface");
    let alias = |name: &str| match &interface.types.iter().find(|def| def.name == name).expect(name).kind {
        TypeDefKind::Alias(target) => target.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(alias("t1"), Type::Tuple(items) if items.len() == 13));
    assert_eq!(alias("t2"), Type::Result { ok: None, err: None });
    assert_eq!(alias("t3"), Type::Result { ok: Some(Box::new(Type::U8)), err: None });
    assert_eq!(alias("t4"), Type::Result { ok: None, err: Some(Box::new(Type::U8)) });
    assert_eq!(alias("t6"), Type::List(Box::new(Type::Option(Box::new(Type::Tuple(Vec::new()))))));
    assert_eq!(alias("t7"), Type::Map(Box::new(Type::String), Box::new(Type::Set(Box::new(Type::U32)))));
    assert_eq!(alias("t8"), Type::Value);
    let TypeDefKind::Record(fields) = &interface.types[10].kind else { panic!("a record") };
    assert_eq!(fields[0].name, "type");
}

#[test]
fn a_type_called_value_hides_the_builtin_one() {
    let document =
        parsed(&[("i.wit", "interface i { record value { set: u8, value: u8 } f: func(v: value); }")]);
    assert_eq!(document.interface("i").expect("i").functions[0].params[0].ty, named("value"));
}

#[test]
fn docs_reach_every_item() {
    let text = "/// P\npackage a:b;\n/// I\n/// more\ninterface i {\n/** block\n * two */\nrecord r { /// F\n f: u8 }\n\
                /// G\n@since(version = 1.0.0)\ng: func();\n}\n// no doc\nworld w {}";
    let document = parsed(&[("i.wit", text)]);
    let interface = document.interface("a:b/i").expect("i");
    assert_eq!(document.packages[0].docs, "P");
    assert_eq!(interface.docs, "I\nmore");
    assert_eq!(interface.types[0].docs, "block\ntwo");
    let TypeDefKind::Record(fields) = &interface.types[0].kind else { panic!("a record") };
    assert_eq!(fields[0].docs, "F");
    assert_eq!(interface.functions[0].docs, "G");
    assert_eq!(document.packages[0].worlds[0].docs, "");
}

#[test]
fn used_types_are_copied_with_what_they_are_made_of() {
    let types = "package x:types; interface base { enum colour { red } record part { c: colour } \
                 record tree { left: option<tree>, part: part } }";
    let user = "package a:b; use x:types/base as basis; \
                interface i { use basis.{tree as plant}; enum part { mine } f: func(p: plant) -> part; } \
                interface j { use i.{plant}; g: func(p: plant); } world w { export j; }";
    let document = parsed(&[("a/i.wit", user), ("x/t.wit", types)]);
    let interface = document.interface("a:b/i").expect("i");
    let names: Vec<&str> = interface.types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["plant", "base-part", "colour", "part"]);
    let TypeDefKind::Record(fields) = &interface.types[0].kind else { panic!("a record") };
    assert_eq!(fields[0].ty, Type::Option(Box::new(named("plant"))));
    assert_eq!(fields[1].ty, named("base-part"));

    let world = document.world(None).expect("the world");
    assert_eq!(world.exports[0].types[0].name, "plant");
    let origin = &world.origins.iter().find(|origin| origin.name == "plant").expect("its origin");
    assert_eq!((origin.from.as_str(), origin.original.as_str()), ("x:types/base", "tree"));
    assert_eq!(world.used.iter().map(|used| used.name.as_str()).collect::<Vec<_>>(), ["x:types/base"]);
    assert!(world.used[0].functions.is_empty() && world.used[0].types.len() == 3);
}

#[test]
fn worlds_take_interfaces_functions_and_other_worlds() {
    let text = "package a:b@1.0.0;
        interface i { f: func(); }
        world base { import i; import now: func() -> u64; export run: func(now: u64); }
        world whole {
            include base with { now as clock }
            record point { x: s32 }
            import log: interface { write: func(text: string); }
            export draw: func(at: point);
            export i;
        }";
    let document = parsed(&[("w.wit", text)]);
    let world = document.world(Some("whole")).expect("the world");
    let sides = |interfaces: &[pack_abi::types::Interface]| -> Vec<String> {
        let function = |i: &pack_abi::types::Interface| {
            let names: Vec<&str> = i.functions.iter().map(|function| function.name.as_str()).collect();
            format!("{}[{}]", i.name, names.join(","))
        };
        interfaces.iter().map(function).collect()
    };
    assert_eq!(sides(&world.imports), ["log[write]", "a:b/i[f]", "[clock]"]);
    assert_eq!(sides(&world.exports), ["a:b/i[f]", "[draw,run]"]);
    assert_eq!(world.exports[1].types[0].name, "point");
    assert_eq!(document.world(Some("a:b/base")).expect("base").name, "base");
    assert!(
        document.world(None).expect_err("two worlds").message.contains("several worlds (`base`, `whole`)")
    );
}

#[test]
fn included_worlds_may_call_one_type_by_different_names() {
    let text = "package a:b;
        interface i { record part { n: u8 } record one { p: part } record two { p: part } }
        interface j { record part { s: string } record three { p: part } }
        world first { use i.{one}; export run: func(a: one); }
        world second { use i.{one as uno, two, part as piece}; export go: func(a: uno, b: two) -> piece; }
        world third { use j.{three}; include first; include second; export whole: func(a: three); }
        world other { use j.{part, three as one}; include first; }";
    let document = parsed(&[("w.wit", &text[..text.find("world other").expect("it is there")])]);
    let world = document.world(Some("third")).expect("the world");
    let names: Vec<&str> = world.exports[0].types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["three", "part", "one", "uno", "two", "piece"]);
    let fields = |name: &str| {
        let def = world.exports[0].types.iter().find(|def| def.name == name).expect("the type");
        let TypeDefKind::Record(fields) = &def.kind else { panic!("a record") };
        fields.iter().map(|field| field.ty.clone()).collect::<Vec<_>>()
    };
    assert_eq!(fields("three"), [named("part")]);
    assert_eq!(fields("part"), [Type::String]);
    for name in ["one", "uno", "two"] {
        assert_eq!(fields(name), [named("piece")], "{name}");
    }
    let origins = world.origins.iter().filter(|origin| origin.interface.is_empty());
    let hidden: Vec<&str> =
        origins.filter(|origin| !origin.is_visible).map(|origin| origin.name.as_str()).collect();
    assert_eq!(hidden, ["part"]);

    let error = parse(&[Source::new("w.wit", text)]).expect_err("two types `one`");
    assert!(error.to_string().contains("there are two types `one` in this world"), "{error}");
}

#[test]
fn versions_of_one_type_are_told_apart_where_worlds_meet() {
    let text = "package a:b;
        world first { use x:y/i@1.0.0.{t}; export run: func(a: t); }
        world second { use x:y/i@2.0.0.{t as u}; export go: func(a: u); }
        world third { use x:y/i@2.0.0.{whole}; include first; }
        package x:y@1.0.0 { interface i { record part { n: u8 } record t { p: part } } }
        package x:y@2.0.0 { interface i { record part { n: u16 } record t { p: part } record whole { p: part } } }";
    let error = parse(&[Source::new("w.wit", text)]).expect_err("two versions");
    assert!(error.to_string().contains("two versions of `x:y/i` meet in this world"), "{error}");
}

#[test]
fn a_file_without_package_belongs_to_its_folder() {
    let document = parsed(&[
        ("wit/a.wit", "package my:actor; world w { import helpers; }"),
        ("wit/b.wit", "interface helpers { help: func(); }"),
    ]);
    assert_eq!(document.world(None).expect("w").imports[0].name, "my:actor/helpers");
    assert_eq!(parsed(&[("i.wit", "interface math { one: func() -> u8; }")]).packages[0].name, "");
}

#[test]
fn nested_packages_and_versions_are_told_apart() {
    let text = "package a:b; world w { import x:y/i@2.0.0; }
        package x:y@1.0.0 { interface i { one: func(); } }
        package x:y@2.0.0-rc.1 { interface i { three: func(); } }
        package x:y@2.0.0 { interface i { two: func(); } }";
    let document = parsed(&[("w.wit", text)]);
    assert_eq!(document.world(None).expect("w").imports[0].functions[0].name, "two");
    assert_eq!(document.packages.len(), 4);
}

#[test]
fn recursive_types_are_allowed_where_they_end() {
    let text = "interface i { variant expr { number(s64), negated(expr), sum(list<expr>) } \
                record node { next: option<node>, twin: other } record other { back: option<node> } }";
    assert_eq!(parsed(&[("i.wit", text)]).interface("i").expect("i").types.len(), 3);
}
