//! Packs what `theater new` writes: the SDK's sources and the templates, so that the binary needs no checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The SDK crates in the order of their dependencies: folder in this repository, name in `vendor/theater`.
const SDK: [(&str, &str); 6] = [
    ("pack-abi", "pack-abi"),
    ("crates/pack-wit", "pack-wit"),
    ("crates/pack-macros", "pack-macros"),
    ("crates/pack-guest", "pack-guest"),
    ("crates/theater-guest", "theater-guest"),
    ("wit", "wit"),
];

/// Folders of an SDK crate that an actor does not need.
const LEFT_OUT: [&str; 5] = ["target", "tests", "benches", "examples", "snapshots"];

fn main() {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = crate_dir.ancestors().nth(2).expect("the crate lies two folders below the root").to_path_buf();
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");

    let mut text = String::from("/// Path below `vendor/theater` and contents of every file of the SDK.\n");
    text.push_str("pub(crate) const SDK: &[super::File] = &[\n");
    for (name, path) in sdk_files(&root, &out_dir) {
        entry(&mut text, &name, &path);
    }
    text.push_str("];\n\n/// Name and lock file entry of every package that the SDK needs.\n");
    text.push_str("pub(crate) const LOCK: &[(&str, &str)] = &[\n");
    for (name, entry) in lock_entries(&root) {
        writeln!(text, "({name:?}, {entry:?}),").expect("a String takes all text");
    }
    text.push_str("];\n\npub(crate) const TEMPLATES: &[super::Template] = &[\n");
    let templates = root.join("templates");
    println!("cargo::rerun-if-changed={}", templates.display());
    for template in sorted(&templates).into_iter().filter(|path| path.is_dir()) {
        let name = template.file_name().and_then(|name| name.to_str()).expect("template names are ASCII");
        let dependencies = template_dependencies(&template);
        writeln!(text, "super::Template {{ name: {name:?}, dependencies: &{dependencies:?}, lock: &[")
            .expect("a String takes all text");
        for (name, entry) in template_lock_entries(&root, &dependencies) {
            writeln!(text, "({name:?}, {entry:?}),").expect("a String takes all text");
        }
        text.push_str("], files: &[");
        for path in files_below(&template, &|_| true) {
            entry(&mut text, &relative(&path, &template), &path);
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n");
    fs::write(out_dir.join("embedded.rs"), text).expect("OUT_DIR is writable");
}

/// Returns name and place of every file of the SDK; the manifests are rewritten into `out_dir` first.
fn sdk_files(root: &Path, out_dir: &Path) -> Vec<(String, PathBuf)> {
    let workspace = read_toml(&root.join("Cargo.toml"));
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let mut files = Vec::new();
    let mut used = BTreeSet::new();
    for (folder, name) in SDK {
        let crate_dir = root.join(folder);
        println!("cargo::rerun-if-changed={}", crate_dir.display());
        let manifest = crate_manifest(read_toml(&crate_dir.join("Cargo.toml")), &mut used);
        let manifest_path = out_dir.join(format!("{name}.Cargo.toml"));
        fs::write(&manifest_path, render(&manifest)).expect("OUT_DIR is writable");
        files.push((format!("{name}/Cargo.toml"), manifest_path));
        let wanted = |path: &Path| path.extension().is_some_and(|ext| ext == "rs" || ext == "wit");
        for path in files_below(&crate_dir, &wanted) {
            files.push((format!("{name}/{}", relative(&path, &crate_dir)), path));
        }
    }
    let manifest_path = out_dir.join("vendor.Cargo.toml");
    fs::write(&manifest_path, render(&workspace_manifest(&workspace, &used))).expect("OUT_DIR is writable");
    files.push(("Cargo.toml".to_owned(), manifest_path));
    files.push(("LICENSE".to_owned(), root.join("LICENSE")));
    files.sort();
    files
}

/// Takes from a crate's manifest what only its own tests need, and notes which dependencies it inherits.
fn crate_manifest(mut manifest: toml::Table, used: &mut BTreeSet<String>) -> toml::Table {
    for key in ["dev-dependencies", "test", "bench", "example"] {
        manifest.remove(key);
    }
    let mut tables = vec![manifest.clone()];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table).cloned());
    }
    for table in tables {
        for key in ["dependencies", "build-dependencies"] {
            let Some(dependencies) = table.get(key).and_then(toml::Value::as_table) else { continue };
            used.extend(dependencies.keys().cloned());
        }
    }
    manifest
}

/// Optional dependencies of the SDK's crates that only tools of the host turn on: no project locks them.
const TURNED_OFF: &[&str] = &["serde"];

/// Returns the part of this repository's lock file that the SDK needs, so that a scaffold builds with the same
/// versions and without asking the registry.
fn lock_entries(root: &Path) -> Vec<(String, String)> {
    println!("cargo::rerun-if-changed={}", root.join("Cargo.lock").display());
    let lock = read_toml(&root.join("Cargo.lock"));
    let packages = packages_of(&lock);
    let mut wanted: Vec<String> = SDK.iter().map(|(_, name)| (*name).to_owned()).collect();
    let mut entries = BTreeMap::new();
    while let Some(reference) = wanted.pop() {
        let package = locked(&packages, &reference);
        let name = text_of(package, "name");
        if entries.contains_key(name) {
            continue;
        }
        let mut dependencies = locked_dependencies(package);
        if let Some((folder, _)) = SDK.iter().find(|(_, sdk)| *sdk == name) {
            // The lock file also lists what only this repository's tests need.
            let mut used = BTreeSet::new();
            crate_manifest(read_toml(&root.join(folder).join("Cargo.toml")), &mut used);
            dependencies.retain(|reference| {
                let name = bare_name(reference);
                used.contains(name) && !TURNED_OFF.contains(&name)
            });
        }
        entries.insert(name.to_owned(), lock_entry(package, &dependencies));
        wanted.extend(dependencies);
    }
    entries.into_iter().collect()
}

/// Returns the names of what the actors of a template use besides the SDK.
fn template_dependencies(template: &Path) -> Vec<String> {
    let manifest = template.join("Cargo.toml.in");
    let text =
        fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let manifest: toml::Table = text.replace("{{name}}", "name").parse().expect("a template has a manifest");
    let listed = manifest.get("dependencies").and_then(toml::Value::as_table).expect("it uses the SDK");
    listed.keys().filter(|name| *name != "theater-guest").cloned().collect()
}

/// Returns what locks them: as the example actors do, which use them with the same features.
fn template_lock_entries(root: &Path, dependencies: &[String]) -> BTreeMap<String, String> {
    println!("cargo::rerun-if-changed={}", root.join("examples/Cargo.lock").display());
    let lock = read_toml(&root.join("examples/Cargo.lock"));
    let packages = packages_of(&lock);
    let mut wanted = dependencies.to_vec();
    let mut entries = BTreeMap::new();
    while let Some(reference) = wanted.pop() {
        let package = locked(&packages, &reference);
        let dependencies = locked_dependencies(package);
        let entry = lock_entry(package, &dependencies);
        if entries.insert(text_of(package, "name").to_owned(), entry).is_none() {
            wanted.extend(dependencies);
        }
    }
    entries
}

fn packages_of(lock: &toml::Table) -> Vec<&toml::Table> {
    let packages = lock.get("package").and_then(toml::Value::as_array).expect("a lock file lists packages");
    packages.iter().filter_map(toml::Value::as_table).collect()
}

/// Finds what a lock file calls `name`, or `name version` where there are several.
fn locked<'a>(packages: &[&'a toml::Table], reference: &str) -> &'a toml::Table {
    let version = reference.split(' ').nth(1);
    let is_meant = |package: &&&toml::Table| {
        text_of(package, "name") == bare_name(reference)
            && version.is_none_or(|version| text_of(package, "version") == version)
    };
    packages.iter().find(is_meant).unwrap_or_else(|| panic!("{reference} is not locked"))
}

fn locked_dependencies(package: &toml::Table) -> Vec<String> {
    let listed = package.get("dependencies").and_then(toml::Value::as_array);
    listed.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn lock_entry(package: &toml::Table, dependencies: &[String]) -> String {
    let mut entry = "[[package]]\n".to_owned();
    for key in ["name", "version", "source", "checksum"] {
        if package.contains_key(key) {
            writeln!(entry, "{key} = \"{}\"", text_of(package, key)).expect("a String takes all text");
        }
    }
    if !dependencies.is_empty() {
        let listed: String = dependencies.iter().map(|name| format!(" \"{}\",\n", bare_name(name))).collect();
        write!(entry, "dependencies = [\n{listed}]\n").expect("a String takes all text");
    }
    entry
}

fn text_of<'a>(package: &'a toml::Table, key: &str) -> &'a str {
    package.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

fn bare_name(reference: &str) -> &str {
    reference.split(' ').next().unwrap_or_default()
}

/// Returns the manifest of `vendor/theater`: what the SDK inherits, without the lints of this repository.
fn workspace_manifest(root: &toml::Table, used: &BTreeSet<String>) -> toml::Table {
    let root = root.get("workspace").and_then(toml::Value::as_table).expect("the root is a workspace");
    let all =
        root.get("dependencies").and_then(toml::Value::as_table).expect("the root declares dependencies");
    let mut dependencies = toml::Table::new();
    for name in used {
        let mut declared =
            all.get(name).unwrap_or_else(|| panic!("{name} is not a workspace dependency")).clone();
        if let Some(table) = declared.as_table_mut().filter(|table| table.contains_key("path")) {
            table.insert("path".to_owned(), toml::Value::String(name.clone()));
        }
        dependencies.insert(name.clone(), declared);
    }
    let members = SDK.iter().map(|(_, name)| toml::Value::String((*name).to_owned())).collect();
    let quiet = toml::toml! {
        [rust]
        unfulfilled_lint_expectations = "allow"
        [clippy]
    };
    let mut workspace = toml::Table::new();
    workspace.insert("resolver".to_owned(), root.get("resolver").expect("the root names it").clone());
    workspace.insert("members".to_owned(), toml::Value::Array(members));
    workspace.insert("package".to_owned(), root.get("package").expect("the root has it").clone());
    workspace.insert("dependencies".to_owned(), toml::Value::Table(dependencies));
    workspace.insert("lints".to_owned(), toml::Value::Table(quiet));
    let mut manifest = toml::Table::new();
    manifest.insert("workspace".to_owned(), toml::Value::Table(workspace));
    manifest
}

fn render(manifest: &toml::Table) -> String {
    let text = toml::to_string(manifest).expect("what was read can be written");
    format!("# Written by `theater new` from the sources of the SDK.\n{text}")
}

fn read_toml(path: &Path) -> toml::Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_below(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in sorted(folder) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !LEFT_OUT.contains(&name) || folder.ends_with("templates") {
                files.extend(files_below(&path, wanted));
            }
        } else if wanted(&path) {
            files.push(path);
        }
    }
    files
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    paths
}

fn relative(path: &Path, folder: &Path) -> String {
    let path = path.strip_prefix(folder).expect("the file lies in the folder");
    path.to_str().expect("source names are ASCII").replace('\\', "/")
}

fn entry(text: &mut String, name: &str, path: &Path) {
    let path = path.to_str().expect("the checkout's path is text");
    writeln!(text, "({name:?}, include_bytes!({path:?})),").expect("a String takes all text");
}
