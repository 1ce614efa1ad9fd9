//! The layers: which crate may use which, and what must not come in by way of others.

use serde_json::Value;

use crate::shell::{Failure, Shell};

/// Each crate of ours and the crates of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pack-abi", &[]),
    ("wasm-toolchain", &[]),
    ("wit", &[]),
    ("pack-wit", &["pack-abi"]),
    ("theater-chain", &["pack-abi"]),
    ("pack-macros", &["pack-abi", "pack-wit"]),
    ("pack", &["pack-abi", "pack-wit"]),
    ("pack-guest", &["pack-abi", "pack-macros"]),
    ("theater-guest", &["pack-guest", "wit"]),
    ("theater", &["pack", "pack-abi", "theater-chain"]),
    ("theater-handlers", &["theater", "pack-abi", "wit", "pack-macros"]),
    ("theater-cli", COMMAND_LINE),
    ("theater-bench", HOST),
    ("embed", HOST),
    ("interop", HOST),
    ("xtask", &["wasm-toolchain"]),
];

/// The host side.
const HOST: &[&str] = &[
    "pack",
    "pack-abi",
    "pack-macros",
    "pack-wit",
    "theater",
    "theater-chain",
    "theater-handlers",
    "wasm-toolchain",
    "wit",
];

/// The host side and its benchmarks.
const COMMAND_LINE: &[&str] = &[
    "pack",
    "pack-abi",
    "pack-macros",
    "pack-wit",
    "theater",
    "theater-bench",
    "theater-chain",
    "theater-handlers",
    "wasm-toolchain",
    "wit",
];

/// What the tests of a crate may use besides: derived types for the codec, real guests for the host.
const TESTS_MAY_USE: &[(&str, &[&str])] = &[
    ("pack-abi", &["pack-macros"]),
    ("pack-macros", &["wit"]),
    ("pack-wit", &["wit"]),
    ("pack-guest", &["wasm-toolchain"]),
    ("pack", &["pack-guest", "pack-macros", "wasm-toolchain"]),
    ("theater-guest", &["pack-abi", "pack-wit", "wasm-toolchain"]),
    ("theater", &["wasm-toolchain"]),
    ("theater-handlers", &["pack", "theater-chain", "wasm-toolchain"]),
];

/// Crates of others that are for some of ours only, in builds and not in tests.
const RESERVED: &[(&str, &[&str])] = &[
    ("wasmtime", &["pack", "theater-bench"]),
    ("tokio", &["theater", "theater-handlers", "theater-cli", "theater-bench", "embed", "interop"]),
    ("packr-abi", &["theater-bench"]),
    ("kameo", &["theater-bench"]),
    ("ractor", &["theater-bench"]),
];

/// What must not be linked into a crate by any way: a run verifies without an engine, a guest has no runtime.
const NEVER_LINKED: &[(&str, &[&str])] = &[
    ("pack-abi", &["serde", "tokio", "wasmparser", "wasmtime"]),
    ("theater-chain", &["serde", "tokio", "wasmparser", "wasmtime"]),
    ("theater-guest", &["tokio", "wasmparser", "wasmtime"]),
    ("pack", &["tokio"]),
];

pub(super) fn check(shell: &Shell) -> Result<Vec<String>, Failure> {
    let mut command = shell.cargo(["metadata", "--format-version=1", "--no-deps", "--locked"]);
    let metadata: Value = serde_json::from_str(&shell.capture(&mut command)?).map_err(Failure::check)?;
    let mut complaints = direct(&metadata);
    for package in items(&metadata["packages"]) {
        complaints.extend(lints(package)?);
    }
    for (package, never) in NEVER_LINKED {
        let mut command = shell.cargo(["tree", "--locked", "--edges", "normal", "--prefix", "none"]);
        let tree = shell.capture(command.args(["--format", "{p}", "--package", package]))?;
        complaints.extend(linked(package, never, &tree));
    }
    Ok(complaints)
}

/// Complains about uses that the tables do not allow.
fn direct(metadata: &Value) -> Vec<String> {
    let packages: Vec<&Value> = items(&metadata["packages"]).collect();
    let names: Vec<&str> = packages.iter().map(|package| name(package)).collect();
    let mut complaints = Vec::new();
    for (package, name_of_package) in packages.iter().zip(&names) {
        let Some(allowed) = entry(MAY_USE, name_of_package) else {
            complaints.push(format!("{name_of_package}: the crate has no line in xtask/src/tidy/layers.rs"));
            continue;
        };
        for dependency in items(&package["dependencies"]) {
            let used = name(dependency);
            let is_test = dependency["kind"] == "dev";
            let is_allowed = if names.contains(&used) {
                allowed.contains(&used)
                    || is_test
                        && entry(TESTS_MAY_USE, name_of_package).is_some_and(|tests| tests.contains(&used))
            } else {
                is_test || entry(RESERVED, used).is_none_or(|users| users.contains(name_of_package))
            };
            if !is_allowed {
                let purpose = if is_test { " for its tests" } else { "" };
                complaints.push(format!("{name_of_package}: it must not use {used}{purpose}"));
            }
        }
    }
    complaints
}

/// Complains about a crate that does not take the lints of the workspace.
fn lints(package: &Value) -> Result<Option<String>, Failure> {
    let path = package["manifest_path"].as_str().unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::check(format!("{path}: {error}")))?;
    let manifest: toml::Table = text.parse().map_err(|error| Failure::check(format!("{path}: {error}")))?;
    let inherits =
        manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    let complaint = format!("{}: its Cargo.toml lacks `[lints] workspace = true`", name(package));
    Ok((inherits != Some(true)).then_some(complaint))
}

fn linked(package: &str, never: &[&str], tree: &str) -> Vec<String> {
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let found = never.iter().filter(|name| crates.contains(name));
    found.map(|name| format!("{package}: it links {name}, if only through another crate")).collect()
}

fn entry<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints(of: &str, uses: &[(&str, Option<&str>)]) -> Vec<String> {
        let dependencies: Vec<Value> =
            uses.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
        let mut packages = vec![json!({"name": of, "dependencies": dependencies})];
        packages
            .extend(MAY_USE.iter().filter(|(name, _)| *name != of).map(|(name, _)| json!({"name": name})));
        direct(&json!({ "packages": packages }))
    }

    #[test]
    fn a_crate_may_not_use_one_above_it() {
        assert_eq!(complaints("theater-chain", &[("pack-abi", None)]), [""; 0]);
        assert_eq!(
            complaints("theater-chain", &[("theater", None)]),
            ["theater-chain: it must not use theater"]
        );
        assert_eq!(complaints("theater", &[("theater-handlers", Some("dev"))]).len(), 1);
    }

    #[test]
    fn what_tests_may_use_builds_may_not() {
        assert_eq!(
            complaints("pack-abi", &[("pack-macros", Some("dev")), ("packr-abi", Some("dev"))]),
            [""; 0]
        );
        assert_eq!(complaints("pack-abi", &[("pack-macros", None), ("packr-abi", None)]).len(), 2);
        assert_eq!(complaints("pack-abi", &[("pack-macros", Some("build"))]).len(), 1);
    }

    #[test]
    fn reserved_crates_stay_where_they_are_reserved_for() {
        assert_eq!(complaints("pack", &[("wasmtime", None), ("tokio", Some("dev"))]), [""; 0]);
        assert_eq!(complaints("theater", &[("wasmtime", None)]), ["theater: it must not use wasmtime"]);
        assert_eq!(complaints("theater-chain", &[("tokio", None)]), ["theater-chain: it must not use tokio"]);
    }

    #[test]
    fn a_new_crate_needs_a_line() {
        assert!(complaints("theater-extra", &[])[0].contains("no line"));
    }

    #[test]
    fn a_crate_that_comes_in_through_another_is_seen() {
        let tree = "theater-chain v0.1.0 (/x)\nsha2 v0.11.0\ntokio v1.54.0 (*)\n";
        assert_eq!(linked("theater-chain", &["wasmtime", "tokio"], tree).len(), 1);
    }
}
