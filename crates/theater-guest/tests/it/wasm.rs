//! The package that comes out: what it imports and exports, what it says of itself. Its size is checked by
//! `cargo xtask guests`.

use std::path::Path;

use pack_abi::metadata::Metadata;
use wasm_toolchain::{GuestBuild, InstallPolicy, Quiet};
use wasmparser::{Parser, Payload};

/// What is found in a wasm file.
#[derive(Default)]
struct Found {
    imports: Vec<String>,
    exports: Vec<String>,
    sections: Vec<(String, Vec<u8>)>,
    data: Vec<u8>,
}

/// Builds the guest in this folder beside the tests.
fn built(folder: &str) -> Vec<u8> {
    let home = wasm_toolchain::default_home().expect("a home folder");
    let toolchain = wasm_toolchain::find_or_install(&home, InstallPolicy::from_env(), &mut Quiet)
        .unwrap_or_else(|error| panic!("no wasm toolchain: {error}"));
    let mut build = GuestBuild::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder));
    build.target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder));
    let artifacts = toolchain.build(&build, &mut Quiet).unwrap_or_else(|error| panic!("{error:?}"));
    std::fs::read(&artifacts[0].path).expect("the package that was just built")
}

fn inspect(wasm: &[u8]) -> Found {
    let mut found = Found::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.expect("an import");
                    found.imports.push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) => {
                let names = section.into_iter().map(|export| export.expect("an export").name.to_owned());
                found.exports.extend(names);
            }
            Payload::DataSection(section) => {
                for segment in section {
                    found.data.extend_from_slice(segment.expect("a segment").data);
                }
            }
            Payload::CustomSection(section) => {
                found.sections.push((section.name().to_owned(), section.data().to_vec()));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_actor_of_the_documentation_is_an_honest_package() {
    let found = inspect(&built("guest"));
    assert_eq!(found.imports, ["theater:simple/runtime.log"], "what is not called is not imported");
    for name in
        ["memory", "__pack_alloc", "__pack_free", "__pack_panic", "__pack_types", "theater:simple/actor.init"]
    {
        assert!(found.exports.iter().any(|export| export == name), "{name} in {:?}", found.exports);
    }
    let section = |wanted: &str| {
        let bytes: Vec<&[u8]> = (found.sections.iter())
            .filter(|(name, _)| name == wanted)
            .map(|(_, bytes)| bytes.as_slice())
            .collect();
        assert_eq!(bytes.len(), 1, "one section {wanted}");
        bytes[0]
    };
    assert_eq!(section("pack:sdk"), [1, 1]);
    let types = section("pack:types");
    let packed = pack_abi::squeeze::squeeze(types);
    assert!(
        found.data.windows(packed.len()).any(|bytes| bytes == packed),
        "__pack_types gives the same bytes"
    );

    let text = std::str::from_utf8(section("pack:wit")).expect("text");
    let written = pack_wit::parse(&[pack_wit::Source::new("pack:wit", text)]).expect("interface text");
    let log = written.interface("theater:simple/runtime").and_then(|interface| interface.functions.first());
    assert!(log.is_some_and(|log| log.docs.starts_with("Writes one message")), "{text}");

    let metadata = Metadata::decode(types).expect("metadata");
    metadata.check_hashes().expect("hashes of these signatures");
    let names = |interfaces: &[pack_abi::types::Interface]| -> Vec<String> {
        interfaces.iter().map(|interface| interface.name.clone()).collect()
    };
    assert_eq!(names(&metadata.imports), ["theater:simple/runtime"]);
    assert_eq!(names(&metadata.exports), ["theater:simple/actor"]);
    let sources: Vec<_> = wit::FILES.iter().map(|(name, text)| pack_wit::Source::new(*name, *text)).collect();
    let document = pack_wit::parse(&sources).expect("the interface files");
    for (name, hash) in metadata.import_hashes.iter().chain(&metadata.export_hashes) {
        assert_eq!(document.interface(name).expect(name).hash(), *hash, "{name}");
    }
}

#[test]
fn an_actor_without_the_standard_library_is_a_package_too() {
    let found = inspect(&built("bare-guest"));
    let mut imports = found.imports;
    imports.sort();
    assert_eq!(imports, ["theater:simple/runtime.log", "theater:simple/runtime.self"]);
    for name in ["__pack_alloc", "__pack_free", "__pack_panic", "__pack_types", "theater:simple/actor.init"] {
        assert!(found.exports.iter().any(|export| export == name), "{name} in {:?}", found.exports);
    }
}

#[test]
fn a_package_carries_its_names_its_types_and_its_docs_and_nothing_for_linkers() {
    let found = inspect(&built("hello-guest"));
    let mut names: Vec<&str> = found.sections.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["name", "pack:sdk", "pack:types", "pack:wit", "producers"]);
}
