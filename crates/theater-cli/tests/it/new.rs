//! A scaffold travels: it builds with plain cargo, wherever it lies, and runs.

use std::path::Path;
use std::process::Command;

use crate::story::{Story, repository};

/// Plain cargo, as a colleague without THEATER_HOME would call it. What the cargo that runs this test put into the
/// environment is taken out again; what rustup was told stays: some registry crates ship a `rust-toolchain.toml`, and without
/// `RUSTUP_TOOLCHAIN` the `rustc` that is called in their folders is another one, or one that rustup goes and fetches.
fn cargo(dir: &Path, subcommand: &str) {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_of_this_build = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        if is_of_this_build || ["CARGO", "RUSTFLAGS", "RUSTDOCFLAGS"].contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(subcommand.split(' '))
        .current_dir(dir)
        .env_remove("THEATER_HOME")
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("story-natives"))
        .output()
        .expect("cargo runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {subcommand}: {stderr}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(!stderr.contains("warning"), "cargo {subcommand}: {stderr}");
}

#[test]
fn a_new_actor_is_tested_built_run_verified_and_replayed() {
    let story = Story::new();
    assert_eq!(story.theater(["new", "hello"]).fine().text(), "hello\n");
    let project = story.work().join("hello");
    cargo(&project, "check --locked");
    cargo(&project, "test");

    let built = story.theater(["build", "hello"]).fine().text();
    let wasm = Path::new(built.trim_end());
    assert!(story.work().join(wasm).is_file(), "{built}");

    let ran = story.theater(["run", "hello"]).fine();
    assert_eq!(ran.text(), "");
    assert!(ran.stderr.contains("[root] Actor initialized!"), "{}", ran.stderr);
    let bare = story.theater([Path::new("run"), wasm]).fine();
    assert!(bare.stderr.contains("[root] Actor initialized!"), "{}", bare.stderr);
    story.every_run_verifies_and_replays(2);
}

#[test]
fn a_new_actor_inside_another_workspace_is_a_workspace_of_its_own() {
    let story = Story::new();
    story.file("Cargo.toml", "[workspace]\nmembers = [\"nothing/*\"]\nresolver = \"3\"\n");
    story.theater(["new", "inner"]).fine();
    cargo(&story.work().join("inner"), "check");
}

#[test]
fn a_name_that_cargo_would_refuse_is_refused_with_what_is_allowed() {
    let story = Story::new();
    for name in ["Hello", "1st", "two words", "fn", "test"] {
        story.theater(["new", name]).error(2, "cannot be called", "small letters and digits");
    }
    story.theater(["new", "hello", "--template", "basik"]).error(2, "no template `basik`", "`basic`");
    assert_eq!(story.work().read_dir().expect("it can be listed").count(), 0);
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let story = Story::new();
    let mine = story.file("hello/mine.txt", "mine");
    story.theater(["new", "hello"]).error(2, "hello exists already", "another name");
    assert_eq!(std::fs::read(mine).expect("it is still there"), b"mine");
    assert_eq!(story.work().read_dir().expect("it can be listed").count(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_one_error() {
    let story = Story::new();
    let file = story.file("file", "");
    let inside = file.join("hello");
    let answer = story.theater([Path::new("new"), &inside]).code(2);
    assert!(answer.stderr.starts_with("error: failed to create"), "{}", answer.stderr);
}

#[test]
fn the_scaffold_holds_the_sources_of_the_sdk_and_nothing_else() {
    let story = Story::new();
    story.theater(["new", "hello"]).fine();
    let vendored = story.work().join("hello/vendor/theater");
    let ours = std::fs::read(repository().join("wit/src/lib.rs")).expect("it is there");
    assert_eq!(std::fs::read(vendored.join("wit/src/lib.rs")).expect("it travels"), ours);
    for name in ["target", "tests", "Cargo.lock"] {
        assert!(!vendored.join(name).exists() && !vendored.join("pack-abi").join(name).exists(), "{name}");
    }
}
