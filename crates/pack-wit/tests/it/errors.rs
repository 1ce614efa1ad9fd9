//! Typical mistakes, each with the message that it gives.

use pack_wit::{Source, parse};
use std::fmt::Write as _;

/// A mistake and the text that makes it.
const MISTAKES: &[(&str, &str)] = &[
    ("misspelt keyword", "package a:b;\n\ninterface i {\n    recrod point { x: s32 }\n}\n"),
    ("misspelt top-level keyword", "package a:b;\ninterfce i {}\n"),
    ("misspelt type", "interface i {\n    f: func(name: strng) -> u32;\n}\n"),
    ("a type of another language", "interface i {\n    f: func(n: i32);\n}\n"),
    ("unknown type", "interface i {\n    record point { x: s32 }\n    f: func(p: pont, q: elephant);\n}\n"),
    ("type missing", "interface i {\n    log: func(msg);\n}\n"),
    ("semicolon missing", "interface i {\n    log: func(msg: string)\n    other: func();\n}\n"),
    ("semicolon too much", "interface i {\n    record r { x: u8 };\n}\n"),
    ("comma missing", "interface i {\n    record r {\n        x: u8\n        y: u8\n    }\n}\n"),
    ("brace missing", "package a:b;\ninterface i {\n    f: func();\n"),
    ("snake case", "interface i {\n    send_message: func(actorId: string);\n}\n"),
    ("keyword as a name", "interface i {\n    record r { type: string }\n}\n"),
    ("resource", "interface i {\n    resource file {\n        read: func() -> list<u8>;\n    }\n}\n"),
    ("stream", "interface i {\n    read: func() -> stream<u8>;\n}\n"),
    ("async function", "interface i {\n    read: async func() -> u8;\n}\n"),
    ("several results", "interface i {\n    f: func() -> (a: u8, b: u8);\n}\n"),
    ("case with two types", "interface i {\n    variant v { binary(string, u8) }\n}\n"),
    ("enum with payload", "interface i {\n    enum e { a, b(u8) }\n}\n"),
    ("function twice", "interface i {\n    f: func();\n    f: func(a: u8);\n}\n"),
    ("type twice but for capitals", "interface i {\n    type HTTP = u8;\n    type http = u16;\n}\n"),
    ("type that has no value", "interface i {\n    record node { value: u8, next: node }\n}\n"),
    ("alias of itself", "interface i {\n    type a = list<b>;\n    type b = option<a>;\n}\n"),
    ("key without order", "interface i {\n    f: func(m: map<f64, string>);\n}\n"),
    ("missing interface", "package my:actor;\nworld w {\n    import theater:simple/runtim;\n}\n"),
    ("missing package", "package my:actor;\nworld w {\n    import theatre:simple/runtime;\n}\n"),
    (
        "missing type in use",
        "package a:b;\ninterface t { record point { x: u8 } }\ninterface i {\n    use t.{pointt};\n}\n",
    ),
    ("use of each other", "package a:b;\ninterface x { use y.{t}; }\ninterface y { use x.{t}; }\n"),
    ("comment without end", "package a:b;\n/* interface i {}\n"),
    ("string literal", "package a:b;\ninterface i {\n\tf: func(a: \"x\");\n}\n"),
    ("generic type", "interface i {\n    f: func(a: lst<u8>);\n}\n"),
    ("fixed-size list", "interface i {\n    f: func(a: list<u8, 4>);\n}\n"),
    ("package too late", "interface i {}\npackage a:b;\n"),
    ("tabs and wide letters before the mistake", "interface i {\n\t/* 漢字 é */ f: fnc();\n}\n"),
    ("lines that end as on Windows", "package a:b;\r\ninterface i {\r\n    f: func(a: strng);\r\n}\r\n"),
    ("a character that hides", "interface i {\n    f: func(); // \u{202E}gnihton\n}\n"),
    (
        "generic type with too few types",
        "interface i {\n    record pair<a, b> { a: a, b: b }\n    f: func(p: pair<u8>);\n}\n",
    ),
    ("future and error context", "interface i {\n    f: func(a: future) -> result<_, error-context>;\n}\n"),
    ("annotation", "@async\ninterface i {}\n"),
];

#[test]
fn every_mistake_has_its_place_and_a_way_out() {
    let runtime =
        Source::new("theater-simple/runtime.wit", "package theater:simple;\ninterface runtime {}\n");
    let mut gallery = String::new();
    for (title, text) in MISTAKES {
        let error = parse(&[Source::new("wit/world.wit", *text), runtime.clone()]).expect_err(title);
        assert!(error.place.is_some(), "{title}");
        writeln!(gallery, "## {title}\n{error}\n").expect("writing to a string");
    }
    insta::assert_snapshot!(gallery);
}

#[test]
fn a_long_line_is_shown_around_the_mistake() {
    let text =
        format!("interface i {{ {} f: func(a: strng); {} }}", "/* é */ ".repeat(500), "/* x */ ".repeat(500));
    let error = parse(&[Source::new("long.wit", text)]).expect_err("a misspelt type").to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[1], " --> long.wit:1:4027");
    assert!(
        lines[3].starts_with("1 | ...") && lines[3].ends_with("...") && lines[3].chars().count() < 140,
        "{error}"
    );
    let at = lines[4].find('^').expect("a caret");
    assert_eq!(lines[3].chars().skip(at).take(5).collect::<String>(), "strng");
}

#[test]
fn mistakes_in_several_files_are_shown_together() {
    let files = [
        ("a.wit", "package a:b; interface i { f: fnc(); }"),
        ("b.wit", "interfce j {}"),
        ("c.wit", "interface k {}"),
    ];
    let error = parse(&files.map(|(name, text)| Source::new(name, text))).expect_err("two mistakes");
    assert_eq!(error.others.len(), 1);
    let text = error.to_string();
    assert!(text.contains("--> a.wit:1:31") && text.contains("--> b.wit:1:1"), "{text}");
    let many: String = (0..100).map(|at| format!("f-x{at}: func(a: nothing{at}); ")).collect();
    let error =
        parse(&[Source::new("m.wit", format!("interface i {{ {many} }}"))]).expect_err("many mistakes");
    assert_eq!(error.others.last().map(|last| last.message.as_str()), Some("80 more mistakes are not shown"));
}

#[test]
fn no_text_makes_the_parser_panic() {
    let whole = include_str!("../../../../wit/theater-simple/runtime.wit");
    let check = |text: &str| {
        let outcome = parse(&[Source::new("cut.wit", text)]);
        if let Err(error) = outcome {
            assert!(!error.to_string().is_empty());
        }
    };
    for (at, _) in whole.char_indices() {
        check(&whole[..at]);
        check(&whole[at..]);
        for sign in ["{", "}", "<", "%", "@1", "/*", "->", "é", "\0", "use a.{b};", "_"] {
            check(&format!("{}{sign}{}", &whole[..at], &whole[at..]));
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!("interface i {{ type t = {}u8{}; }}", "list<".repeat(100_000), ">".repeat(100_000));
    let error = parse(&[Source::new("deep.wit", deep)]).expect_err("too deep");
    assert_eq!(error.message, "types are nested more than 64 deep");
    let mut chain = String::from("package a:b; interface i0 { record t {} }");
    for index in 1..1000 {
        chain.push_str(&format!("interface i{index} {{ use i{}.{{t}}; }}", index - 1));
    }
    let reversed: Vec<Source> = vec![Source::new("chain.wit", chain.clone())];
    // In this order each interface finds the one before it resolved.
    assert!(parse(&reversed).is_ok());
    let last_first = chain.replacen("package a:b;", "package a:b; interface last { use i999.{t}; }", 1);
    let error = parse(&[Source::new("chain.wit", last_first)]).expect_err("too long");
    assert!(error.message.contains("use each other"), "{error}");
}

#[test]
fn long_chains_and_doubling_worlds_are_bounded() {
    let mut chain = String::from("interface i { record t0 { a: f32 } ");
    for index in 1..1000 {
        chain.push_str(&format!("record t{index} {{ a: t{} }} ", index - 1));
    }
    let keyed = format!("{chain} f: func(m: set<t999>); }}");
    let error = parse(&[Source::new("chain.wit", keyed)]).expect_err("a float at its end");
    assert_eq!(error.message, "`f32` has no order, so it cannot be in a key");
    for index in 1000..1100 {
        chain.push_str(&format!("record t{index} {{}} "));
    }
    let error = parse(&[Source::new("chain.wit", chain + "}")]).expect_err("too many");
    assert_eq!(error.message, "an interface has at most 1024 types");

    let mut worlds = String::from("package a:b; world w0 { import f: func(); }");
    for index in 1..40 {
        let below = index - 1;
        worlds.push_str(&format!("world w{index} {{ include w{below}; include w{below}; }}"));
    }
    let error = parse(&[Source::new("worlds.wit", worlds)]).expect_err("doubling");
    assert_eq!(error.message, "too many worlds include each other");
}
