//! What goes wrong most often: one error each, the right status, advice, and nothing left behind.

use std::path::Path;

use crate::story::{Story, guest};

/// The manifest of a guest, with these grants and limits.
fn manifest(story: &Story, name: &str, rest: &str) -> std::path::PathBuf {
    story.file("manifest.toml", format!("name = \"{name}\"\npackage = {:?}\n{rest}", guest(name)))
}

const RUNTIME: &str = "[[handler]]\ntype = \"runtime\"\n";

#[test]
fn an_unknown_key_in_a_manifest_is_shown_with_its_line() {
    let story = Story::new();
    let path = manifest(&story, "calm", "pakage = \"x\"\n");
    let answer = story.theater([Path::new("run"), &path]).code(2);
    for part in ["error: ", "manifest.toml", "pakage", "3", "^"] {
        assert!(answer.stderr.contains(part), "`{part}` is not in: {}", answer.stderr);
    }
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn an_import_that_is_not_granted_names_the_lines_to_add() {
    let story = Story::new();
    let path = manifest(&story, "calm", "");
    let answer = story.theater([Path::new("run"), &path]).error(
        2,
        "imports `theater:simple/runtime`, which the manifest does not grant",
        "add this",
    );
    assert!(answer.stderr.contains("[[handler]]\n  type = \"runtime\""), "{}", answer.stderr);
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn an_import_that_nobody_provides_is_named() {
    let story = Story::new();
    let path = manifest(&story, "stranger", RUNTIME);
    story.theater([Path::new("run"), &path]).error(
        2,
        "imports `story:stranger/weather.now`, and no handler provides that interface",
        "theater:simple/runtime",
    );
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_grant_that_does_not_exist_is_corrected() {
    let story = Story::new();
    let path = manifest(&story, "calm", "[[handler]]\ntype = \"runtme\"\n");
    story.theater([Path::new("run"), &path]).error(
        2,
        "grants `runtme`, but there is no such handler",
        "`runtime`",
    );
    let wasm = guest("calm");
    story.theater([Path::new("run"), &wasm, Path::new("--grant"), Path::new("telepathy")]).error(
        2,
        "grants `telepathy`",
        "the capabilities are: runtime",
    );
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_picture_is_recognised() {
    let story = Story::new();
    let path = story.file("cat.wasm", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01");
    let answer = story.theater([Path::new("run"), &path]).code(2);
    assert!(answer.stderr.starts_with("error: ") && answer.stderr.contains("JPEG"), "{}", answer.stderr);
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_run_that_does_not_exist_is_not_found_anywhere() {
    let story = Story::new();
    for command in ["events", "verify", "replay"] {
        story.theater([command]).error(2, "there is no run in", "`theater run DIR` makes one");
    }
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let id = story.runs().remove(0);
    // No id has a `u` in it.
    let wrong = format!("{}u", &id[..id.len() - 1]);
    for command in ["events", "verify", "replay"] {
        story.theater([command, wrong.as_str()]).error(
            2,
            &format!("there is no run `{wrong}`"),
            &format!("did you mean {id}?"),
        );
        story.theater([command, "./nowhere"]).error(2, "there is no run at ./nowhere", "`theater runs`");
    }
    story.theater(["runs", "rm", "nothing"]).error(2, "there is no run `nothing`", "`theater runs`");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn a_home_that_cannot_be_written_is_one_error_that_names_it() {
    let story = Story::new();
    let file = story.file("file", "");
    let wasm = guest("calm");
    let mut command = story.command([Path::new("run"), &wasm]);
    let output = command.env("THEATER_HOME", file.join("home")).output().expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.starts_with("error: failed to write to ") && stderr.contains("hint: set THEATER_HOME"),
        "{stderr}"
    );
}

#[test]
fn nothing_to_run_and_nothing_to_build_are_explained() {
    let story = Story::new();
    story.theater(["run"]).error(2, "failed to read the manifest", "`theater new NAME`");
    story.theater(["run", "nowhere"]).error(2, "there is nothing to run at nowhere", "manifest.toml");
    story.theater(["build"]).error(2, "there is no Cargo.toml in .", "`theater new NAME`");
}

#[test]
fn a_package_that_is_not_the_pinned_one_does_not_run() {
    let story = Story::new();
    let wasm = guest("calm");
    let path = story.file(
        "manifest.toml",
        format!(
            "name = \"calm\"\npackage = {{ path = {wasm:?}, sha256 = \"{}\" }}\n{RUNTIME}",
            "0".repeat(64)
        ),
    );
    story.theater([Path::new("run"), &path]).error(2, "is not the package that the manifest pins", "0000");
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_panic_is_told_with_its_text_and_place() {
    let story = Story::new();
    let path = manifest(&story, "panics", RUNTIME);
    let answer = story.theater([Path::new("run"), &path]).code(1);
    for part in ["[root] about to index", "root#1", "index out of bounds", "src/lib.rs:", "theater events"] {
        assert!(answer.stderr.contains(part), "`{part}` is not in: {}", answer.stderr);
    }
    story.every_run_verifies_and_replays(1);
}

#[test]
fn an_endless_loop_ends_at_its_limit_and_the_limit_is_named() {
    let story = Story::new();
    let path = manifest(&story, "spins", &format!("{RUNTIME}[limits]\nfuel_per_call = 50000000\n"));
    let answer = story.theater([Path::new("run"), &path]).code(1);
    assert!(answer.stderr.contains("fuel_per_call"), "{}", answer.stderr);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn a_memory_hog_ends_at_its_limit() {
    let story = Story::new();
    let path = manifest(&story, "hogs", &format!("{RUNTIME}[limits]\nmemory_bytes = 16777216\n"));
    let answer = story.theater([Path::new("run"), &path]).code(1);
    assert!(answer.stderr.contains("memory"), "{}", answer.stderr);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn a_stack_overflow_ends_the_actor_and_not_the_program() {
    let story = Story::new();
    let path = manifest(&story, "overflows", RUNTIME);
    let answer = story.theater([Path::new("run"), &path]).code(1);
    assert!(answer.stderr.contains("stack"), "{}", answer.stderr);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn an_actor_that_refuses_to_start_says_why() {
    let story = Story::new();
    let path = manifest(&story, "fails", RUNTIME);
    let answer = story.theater([Path::new("run"), &path]).code(1);
    assert!(answer.stderr.contains("there is no state to start from"), "{}", answer.stderr);
    story
        .theater_with_input([Path::new("run"), &path, Path::new("--state"), Path::new("-")], b"something")
        .fine();
    story.every_run_verifies_and_replays(2);
}

#[test]
fn a_library_that_is_no_cdylib_is_not_built_and_the_lines_to_write_are_shown() {
    let story = Story::new();
    story.theater(["new", "hello"]).fine();
    let path = story.work().join("hello/Cargo.toml");
    let manifest = std::fs::read_to_string(&path).expect("it was written");
    let altered = manifest.replace("[\"cdylib\", \"rlib\"]", "[\"rlib\"]");
    assert_ne!(manifest, altered);
    std::fs::write(&path, altered).expect("it is ours");
    story.theater(["build", "hello"]).error(2, "no library of type `cdylib`", "crate-type = [\"cdylib\"]");
    story.theater(["run", "hello"]).error(2, "no library of type `cdylib`", "crate-type = [\"cdylib\"]");
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_reader_of_events_that_stops_reading_is_no_failure() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    for json in ["--full", "--json"] {
        let mut command = story.command(["events", json]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
    story.every_run_verifies_and_replays(1);
}
