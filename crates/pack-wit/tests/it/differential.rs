//! Our reading of WIT against that of `wit-parser`.

use pack_wit::{Source, parse};
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldItem};

/// Texts that use no extension.
const PLAIN: &[&str] = &[
    "package a:b;
     interface types { record point { x: s32, y: s32 } enum colour { red, green } flags rights { read, write }
         variant shape { dot(point), named(string), none } type points = list<point>; }
     interface api { use types.{point, shape as form};
         draw: func(at: point, f: form) -> result<_, string>; ask: func() -> result<option<tuple<u8, char>>>; }
     world w { import types; import api; import now: func() -> u64; export run: func(args: list<string>) -> u32; }",
    "package a:b@0.2.0; interface %interface { %use: func(%type: u8); }
     world base { import %interface; } world w { include base; export %interface; }",
];

fn ours(sources: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = sources.iter().map(|(name, text)| Source::new(*name, *text)).collect();
    let document = parse(&sources).unwrap_or_else(|error| panic!("{error}"));
    let mut lines = Vec::new();
    for package in &document.packages {
        for interface in &package.interfaces {
            for def in &interface.types {
                lines.push(format!("{} type {}", interface.name, def.name));
            }
            for function in &interface.functions {
                let params: Vec<&str> = function.params.iter().map(|param| param.name.as_str()).collect();
                let result = if function.result.is_some() { " -> 1" } else { "" };
                lines.push(format!(
                    "{} func {}({}){result}",
                    interface.name,
                    function.name,
                    params.join(", ")
                ));
            }
        }
        for world in &package.worlds {
            for (side, interfaces) in [("import", &world.imports), ("export", &world.exports)] {
                for interface in interfaces {
                    if interface.name.is_empty() {
                        let names = interface.functions.iter().map(|function| &function.name);
                        lines.extend(names.map(|name| format!("{} {side} {name}", world.name)));
                    } else {
                        lines.push(format!("{} {side} {}", world.name, interface.name));
                    }
                }
            }
        }
    }
    lines.sort();
    lines
}

fn theirs(sources: &[(&str, &str)]) -> Vec<String> {
    let text: Vec<String> =
        sources
            .iter()
            .enumerate()
            .map(|(index, (_, text))| {
                if index == 0 { (*text).to_owned() } else { text.replacen("package theater:simple;", "", 1) }
            })
            .collect();
    let mut resolve = Resolve::default();
    let group =
        UnresolvedPackageGroup::parse("all.wit", &text.join("\n")).expect("wit-parser reads the text");
    let _ = resolve.push_group(group).expect("wit-parser resolves the text");
    let full = |id: wit_parser::InterfaceId| {
        let interface = &resolve.interfaces[id];
        let package = &resolve.packages[interface.package.expect("a package")].name;
        format!("{}:{}/{}", package.namespace, package.name, interface.name.as_deref().expect("a name"))
    };
    let mut lines = Vec::new();
    for (id, interface) in &resolve.interfaces {
        lines.extend(interface.types.keys().map(|name| format!("{} type {name}", full(id))));
        for (name, function) in &interface.functions {
            let params: Vec<&str> = function.params.iter().map(|param| param.name.as_str()).collect();
            let result = if function.result.is_some() { " -> 1" } else { "" };
            lines.push(format!("{} func {name}({}){result}", full(id), params.join(", ")));
        }
    }
    for (_, world) in &resolve.worlds {
        for (side, items) in [("import", &world.imports), ("export", &world.exports)] {
            for (key, item) in items {
                let name = match item {
                    WorldItem::Interface { id, .. } => full(*id),
                    _ => resolve.name_world_key(key),
                };
                lines.push(format!("{} {side} {name}", world.name));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn wit_parser_reads_our_interface_files_as_we_do() {
    assert_eq!(ours(wit::FILES), theirs(wit::FILES));
}

#[test]
fn wit_parser_reads_plain_wit_as_we_do() {
    for text in PLAIN {
        let sources = [("plain.wit", *text)];
        assert_eq!(ours(&sources), theirs(&sources));
    }
}
