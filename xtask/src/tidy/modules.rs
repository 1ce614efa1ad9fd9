//! Files that no module declares: code that looks alive and is never compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Source;

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let code: BTreeMap<&Path, &str> = sources
        .iter()
        .filter(|source| source.has_extension("rs"))
        .map(|source| (source.path.as_path(), source.text()))
        .collect();
    code.keys().filter(|path| is_orphan(path, &code)).map(|path| complaint(path)).collect()
}

fn complaint(path: &Path) -> String {
    format!("{}: no module declares it", path.display())
}

/// Whether a file is in a folder of modules, is not a root that cargo finds, and is declared nowhere.
fn is_orphan(path: &Path, code: &BTreeMap<&Path, &str>) -> bool {
    let (Some(dir), Some(stem)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return false;
    };
    let is_root = matches!(stem, "lib" | "main" | "build") || is_target_of_its_own(dir);
    if is_root || !path.iter().any(|part| part == "src" || part == "tests") {
        return false;
    }
    // `a/mod.rs` is declared beside the folder `a`.
    let (dir, stem) = match (stem, dir.parent(), dir.file_name().and_then(|name| name.to_str())) {
        ("mod", Some(parent), Some(name)) => (parent, name),
        _ => (dir, stem),
    };
    let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| dir.join(name));
    let sibling = dir.with_extension("rs");
    let is_declared =
        parents.iter().chain([&sibling]).any(|parent| declares(code.get(parent.as_path()), stem));
    !is_declared && !is_included(path, code)
}

/// Whether cargo makes a target of every file in the folder.
fn is_target_of_its_own(dir: &Path) -> bool {
    dir.ends_with("src/bin")
        || ["benches", "examples", "fuzz_targets", "tests"].iter().any(|name| dir.ends_with(name))
}

fn declares(parent: Option<&&str>, stem: &str) -> bool {
    let Some(text) = parent else { return false };
    let declaration = format!("mod {stem}");
    text.match_indices(&declaration).any(|(start, _)| {
        matches!(text[start + declaration.len()..].trim_start().chars().next(), Some(';' | '{'))
    })
}

/// Whether any file names it, as `#[path]`, `include!` and compile tests do.
fn is_included(path: &Path, code: &BTreeMap<&Path, &str>) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let ends = [format!("/{name}\""), format!("\"{name}\"")];
    code.values().any(|text| ends.iter().any(|end| text.contains(end.as_str()))) || is_compile_test(path)
}

/// Compile tests are named by a pattern.
fn is_compile_test(path: &Path) -> bool {
    let ui: PathBuf = path.iter().skip_while(|part| *part != "tests").skip(1).take(1).collect();
    ["ui", "compile-fail", "guest", "guests"].iter().any(|name| ui == Path::new(name))
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn a_file_that_no_module_declares_is_found() {
        let lib = || source("crates/a/src/lib.rs", "mod b;\nmod c;\n// mod lost;\n");
        let sources = [
            lib(),
            source("crates/a/src/b.rs", ""),
            source("crates/a/src/c/mod.rs", "pub mod d;"),
            source("crates/a/src/c/d.rs", ""),
        ];
        assert_eq!(check(&sources), [""; 0]);
        assert_eq!(check(&[lib(), source("crates/a/src/losing.rs", "")]).len(), 1);
        assert_eq!(check(&[lib(), source("crates/a/src/c/e.rs", "")]).len(), 1);
    }

    #[test]
    fn a_test_file_beside_an_integration_main_needs_a_declaration() {
        let main = source("crates/a/tests/it/main.rs", "mod calls;");
        let sources =
            [main, source("crates/a/tests/it/calls.rs", ""), source("crates/a/tests/it/lost.rs", "")];
        assert_eq!(check(&sources), ["crates/a/tests/it/lost.rs: no module declares it"]);
    }

    #[test]
    fn roots_and_included_files_need_none() {
        let sources = [
            source("crates/a/build.rs", ""),
            source("crates/a/tests/alone.rs", ""),
            source("crates/a/src/bin/tool.rs", ""),
            source("crates/a/src/lib.rs", "include!(\"table.rs\");"),
            source("crates/a/src/table.rs", ""),
        ];
        assert_eq!(check(&sources), [""; 0]);
    }
}
