//! Files that are not packages: each usual mistake has an answer. Compiled code on disk.

use std::fs;
use std::path::Path;

use pack::{CacheDir, Engine, EngineOptions, Package, PackageError, Refusal, TrapKind};
use pack_abi::metadata::Metadata;
use pack_abi::types::{Function, Interface, Param, Type};

use crate::support::{ASK, PRELUDE, engine, guest};

fn refused(bytes: &[u8]) -> PackageError {
    Package::load(&engine(), bytes).map(drop).unwrap_err()
}

fn refused_wat(text: &str) -> PackageError {
    refused(&wat::parse_str(text).unwrap())
}

#[test]
fn other_files_are_called_by_their_name() {
    let cases: [(&[u8], &str); 14] = [
        (b"", "the file is empty"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"\x7fELF\x02\x01\x01", "a native program or library (ELF)"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\x1f\x8b\x08\0", "gzip data"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        (b"!<arch>\nlib.rmeta/", "a static library"),
        (b"  ;; a comment\n(module)", "WebAssembly text"),
        (b"(; block ;) (module)", "WebAssembly text"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"{\"name\": 1}", "JSON text"),
        (b"hello, world", "this looks like text"),
        (b"\xfe\xed\0\x01", "unknown data that begins with fe ed 00 01"),
        (b"\0\0\0\0", "unknown data that begins with 00 00 00 00"),
    ];
    for (bytes, expected) in cases {
        let message = refused(bytes).to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_text_that_is_cut_inside_of_a_character_is_still_text() {
    let text = "ä".repeat(3000);
    assert!(refused(&text.as_bytes()[..5999]).to_string().contains("looks like text"));
}

#[test]
fn a_component_is_not_a_module() {
    assert!(matches!(refused_wat("(component)"), PackageError::Component));
}

#[test]
fn a_module_cut_anywhere_is_refused() {
    let whole = guest("");
    let mut complete = 0;
    for length in 1..whole.len() {
        match Package::load(&engine(), &whole[..length]) {
            Err(
                PackageError::Truncated { .. }
                | PackageError::NotWasm(_)
                | PackageError::MissingExport(_)
                | PackageError::Invalid { .. },
            ) => {}
            Err(other) => panic!("{length}: {other}"),
            Ok(_) => complete += 1,
        }
    }
    assert_eq!(complete, 1, "only the section with the names may be missing");
    assert!(matches!(refused(&whole[..whole.len() / 2]), PackageError::Truncated { .. }));
}

#[test]
fn a_damaged_module_is_refused_or_loads_but_never_panics() {
    let engine = engine();
    let whole = guest("");
    for position in 0..whole.len() {
        for value in [0xff, whole[position] ^ 1] {
            let mut damaged = whole.clone();
            damaged[position] = value;
            drop(Package::load(&engine, &damaged));
        }
    }
}

#[test]
fn a_proposal_that_is_not_enabled_is_named() {
    let cases = [
        ("(module (memory i64 1))", "memory64"),
        ("(module (memory 1) (memory 1))", "multi-memory"),
        ("(module (memory 1 1 shared))", "threads"),
        ("(module (tag))", "exceptions"),
        ("(module (type (struct)))", "gc"),
    ];
    for (text, expected) in cases {
        match refused_wat(text) {
            PackageError::UnsupportedProposal { proposal, .. } => assert_eq!(proposal, expected, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn a_module_that_is_not_valid_says_where() {
    let wasm = wat::parse_str("(module (func (result i32) i64.const 0))").unwrap();
    let PackageError::Invalid { message, offset } = refused(&wasm) else { panic!() };
    assert!(message.contains("type mismatch"), "{message}");
    assert!(offset > 8);
}

#[test]
fn a_module_for_another_host_is_told_what_to_do() {
    let cases = [
        ("wasi_snapshot_preview1", "fd_write", "wasm32-unknown-unknown"),
        ("__wbindgen_placeholder__", "__wbindgen_describe", "wasm-bindgen"),
        ("env", "strlen", "left undefined"),
        ("pack:alloc", "alloc", "current SDK"),
    ];
    for (module, name, hint) in cases {
        let error = refused_wat(&format!(r#"(module (import "{module}" "{name}" (func)) {PRELUDE})"#));
        assert!(matches!(error, PackageError::WrongTarget { .. }), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    }
    let error = refused_wat(r#"(module (import "env" "memory" (memory 1)))"#);
    assert!(error.to_string().contains("imports its memory"), "{error}");
}

#[test]
fn imports_and_exports_of_another_shape_are_refused() {
    let import =
        |ty: &str| refused_wat(&format!(r#"(module (import "a:b/c" "f" {ty}) {PRELUDE})"#)).to_string();
    assert!(import("(func (param i32) (result i64))").contains("is (i32) -> i64;"));
    assert!(
        import("(func (param i32 i32 i32 i32) (result i32 i32))")
            .contains("is (i32, i32, i32, i32) -> i32, i32")
    );
    assert!(import("(global i32)").contains("is a global"));
    let export = refused_wat(
        r#"(module (memory (export "memory") 1) (func (export "__pack_alloc") (param i64) (result i32) (i32.const 0)))"#,
    );
    assert_eq!(export.to_string(), "the export `__pack_alloc` is (i64) -> i32, not (i32) -> i32");
    assert!(matches!(refused_wat("(module)"), PackageError::MissingExport("memory")));
    let imported = refused_wat(
        r#"(module (memory (export "memory") 1) (func (export "__pack_alloc") (param i32) (result i32) (i32.const 0)))"#,
    );
    assert!(matches!(imported, PackageError::MissingExport("__pack_free")));
}

#[test]
fn the_sdk_section_of_the_future_is_refused() {
    let with = |data: &str| refused(&guest(&format!(r#"(@custom "pack:sdk" "{data}")"#)));
    assert!(matches!(with(r"\02\00"), PackageError::NewerSdk(2)));
    assert!(matches!(with(r"\01"), PackageError::BrokenSdkSection(1)));
    assert!(matches!(with(""), PackageError::BrokenSdkSection(0)));
}

#[test]
fn an_import_that_occurs_twice_is_one_function() {
    let wasm = wat::parse_str(format!("(module {ASK} {} {PRELUDE})", ASK.replace("$ask", "$again"))).unwrap();
    let package = Package::load(&engine(), &wasm).unwrap();
    assert_eq!(package.imports().len(), 1);
    assert_eq!(package.imports()[0].interface, "test:host/calls");
}

#[test]
fn a_module_with_two_tables_or_too_much_memory_is_refused_at_load() {
    assert!(matches!(refused(&guest("(table 1 funcref) (table 1 funcref)")), PackageError::Compile(_)));
}

fn described(name: &str) -> Metadata {
    let interface = Interface {
        name: name.to_owned(),
        functions: vec![Function {
            name: "double".to_owned(),
            docs: String::new(),
            params: vec![Param { name: "n".to_owned(), ty: Type::S64 }],
            result: Some(Type::S64),
        }],
        ..Interface::default()
    };
    Metadata::new(vec![], vec![interface])
}

/// The bytes as a string of WebAssembly text.
fn quoted(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

fn with_section(bytes: &[u8]) -> Vec<u8> {
    guest(&format!(r#"(@custom "pack:types" "{}")"#, quoted(bytes)))
}

fn with_function(bytes: &[u8], body: &str) -> Vec<u8> {
    guest(&format!(
        r#"(data (i32.const 1000) "{}")
        (func (export "__pack_types") (param i32 i32) (result i32)
            (i32.store (local.get 0) (i32.const 1000)) (i32.store (local.get 1) (i32.const {}))
            {body})"#,
        quoted(bytes),
        bytes.len()
    ))
}

#[test]
fn a_package_describes_itself_by_section_or_by_function() {
    let metadata = described("math");
    let bytes = metadata.encode().unwrap();
    for wasm in [with_section(&bytes), with_function(&bytes, "(i32.const 0)")] {
        let package = Package::load(&engine(), &wasm).unwrap();
        let found = package.metadata().unwrap();
        assert_eq!(found.exports[0].hash(), metadata.exports[0].hash());
        assert_eq!(found.exports[0].name, "math");
    }
    assert!(Package::load(&engine(), &guest("")).unwrap().metadata().is_none());
}

#[test]
fn section_and_function_must_say_the_same() {
    let (math, other) = (described("math").encode().unwrap(), described("other").encode().unwrap());
    let both = |section: &[u8], function: &[u8]| {
        guest(&format!(
            r#"(data (i32.const 1000) "{}") (@custom "pack:types" "{}")
            (func (export "__pack_types") (param i32 i32) (result i32)
                (i32.store (local.get 0) (i32.const 1000)) (i32.store (local.get 1) (i32.const {}))
                (i32.const 0))"#,
            quoted(function),
            quoted(section),
            function.len()
        ))
    };
    assert!(Package::load(&engine(), &both(&math, &math)).is_ok());
    let refused = Package::load(&engine(), &both(&math, &other)).unwrap_err();
    assert!(matches!(refused, PackageError::TypesDisagree), "{refused}");
}

#[test]
fn each_function_of_a_module_is_found_in_its_description() {
    let mut metadata = described("math");
    let name = metadata.exports[0].functions[0].name.clone();
    let shape = "(param i32 i32 i32 i32) (result i32) (i32.const -1)";
    let wasm = |metadata: &Metadata, symbol: &str| {
        let section = quoted(&metadata.encode().unwrap());
        guest(&format!(r#"(@custom "pack:types" "{section}") (func (export "{symbol}") {shape})"#))
    };
    // Upstream's guests may leave out the interface.
    for symbol in [format!("math.{name}"), name.clone()] {
        let package = Package::load(&engine(), &wasm(&metadata, &symbol)).unwrap();
        let export = package.export(&symbol).unwrap();
        let (interface, function) = package.export_signature(export).unwrap();
        assert_eq!((interface.name.as_str(), &function.name), ("math", &name));
        assert_eq!(package.contract(export).unwrap().function(), format!("math.{name}"));
    }
    let package = Package::load(&engine(), &wasm(&metadata, "math.other")).unwrap();
    assert!(package.contract(package.export("math.other").unwrap()).is_none());
    let twice = metadata.exports[0].functions[0].clone();
    metadata.exports[0].functions.push(twice);
    let metadata = Metadata::new(vec![], metadata.exports);
    let refused = Package::load(&engine(), &wasm(&metadata, "math.other")).unwrap_err();
    assert!(matches!(refused, PackageError::DeclaredTwice { .. }), "{refused}");
}

#[test]
fn a_broken_description_is_refused() {
    let bytes = described("math").encode().unwrap();
    assert!(matches!(refused(&with_section(&bytes[..40])), PackageError::Metadata(_)));
    assert!(matches!(refused(&with_section(b"")), PackageError::Metadata(_)));
    assert!(matches!(refused(&with_function(&bytes[..40], "(i32.const 0)")), PackageError::Metadata(_)));
}

#[test]
fn a_description_with_a_wrong_hash_is_refused() {
    let mut metadata = described("math");
    metadata.export_hashes[0].1.0[5] ^= 1;
    let error = refused(&with_section(&metadata.encode().unwrap()));
    assert!(matches!(error, PackageError::MetadataHash(_)), "{error}");
}

#[test]
fn a_types_function_that_misbehaves_is_refused() {
    let bytes = described("math").encode().unwrap();
    let ask = "(call $ask (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36))";
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(i32.const 1)", TrapKind::Refused(Refusal::BadStatus)),
        ("(i32.store (local.get 1) (i32.const -1)) (i32.const 0)", TrapKind::Refused(Refusal::BadPointer)),
        (ask, TrapKind::Refused(Refusal::ReentrantImport)),
        ("(loop $l (br $l)) (i32.const 0)", TrapKind::OutOfFuel),
    ];
    for (body, kind) in cases {
        match refused(&with_function(&bytes, body)) {
            PackageError::TypesTrapped(trap) => assert_eq!(trap.kind, kind, "{body}"),
            other => panic!("{body}: {other}"),
        }
    }
}

#[test]
fn a_flood_of_imports_is_refused() {
    let mut text = String::from("(module");
    for index in 0..10_001 {
        text.push_str(&format!(r#"(import "a:b/c" "f{index}" (func (param i32 i32 i32 i32) (result i32)))"#));
    }
    let error = refused_wat(&format!("{text} {PRELUDE})"));
    assert!(matches!(error, PackageError::TooManyFunctions { count: 10_001, .. }), "{error}");
}

#[test]
fn names_of_a_module_cannot_write_to_the_terminal() {
    let error = refused_wat(&format!(r#"(module (import "\1b[2J" "{}" (func)) {PRELUDE})"#, "x".repeat(300)));
    let message = error.to_string();
    assert!(message.starts_with("the import `\\u{1b}[2J.xxx"), "{message}");
    assert!(message.len() < 400);
}

fn cached_engine(path: &Path, key: u8) -> Engine {
    let cache = Some(CacheDir { path: path.to_owned(), key: [key; 32] });
    Engine::new(&EngineOptions { instances_max: 4, cache, ..EngineOptions::default() }).unwrap()
}

fn entries(path: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn compiled_code_is_kept_and_a_damaged_entry_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("code");
    let wasm = guest("");
    Package::load(&cached_engine(&path, 1), &wasm).unwrap();
    let [entry] = &entries(&path)[..] else { panic!("one entry") };
    let good = fs::read(entry).unwrap();

    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(entry, &bad).unwrap();
    Package::load(&cached_engine(&path, 1), &wasm).unwrap();
    assert_ne!(fs::read(entry).unwrap(), bad, "the entry was replaced");

    let before = fs::metadata(entry).unwrap().modified().unwrap();
    Package::load(&cached_engine(&path, 1), &wasm).unwrap();
    assert_eq!(fs::metadata(entry).unwrap().modified().unwrap(), before, "a good entry is used");
}

#[test]
fn an_entry_of_another_key_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("code");
    let wasm = guest("");
    Package::load(&cached_engine(&path, 1), &wasm).unwrap();
    let [entry] = &entries(&path)[..] else { panic!("one entry") };
    let first = fs::read(entry).unwrap();
    Package::load(&cached_engine(&path, 2), &wasm).unwrap();
    assert_ne!(fs::read(entry).unwrap()[..64], first[..64], "written again under the new key");
}

#[test]
fn a_package_in_use_is_compiled_once() {
    let wasm = guest(r#"(@custom "unique" "once")"#);
    let package = Package::load(&engine(), &wasm).unwrap();
    let again = Package::load(&engine(), &wasm).unwrap();
    assert_eq!(package.hash(), again.hash());
    assert!(std::ptr::eq(package.exports(), again.exports()));
}

#[test]
fn the_fingerprint_names_what_guests_can_observe() {
    let fingerprint = engine().fingerprint();
    let names: Vec<_> = fingerprint.semantic.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["boundary", "nan", "relaxed-simd", "proposals"]);
    let (_, proposals) = &fingerprint.semantic[3];
    assert!(proposals.contains("bulk_memory") && !proposals.contains("threads"), "{proposals}");
}
