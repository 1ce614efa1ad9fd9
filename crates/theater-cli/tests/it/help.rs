//! What the binary says of itself.

use crate::story::Story;

#[test]
fn help_of_every_command_is_as_reviewed() {
    let story = Story::new();
    let mut all = story.theater(["--help"]).fine().text();
    for command in [
        "new",
        "build",
        "run",
        "call",
        "inspect",
        "runs",
        "events",
        "logs",
        "verify",
        "export",
        "keys",
        "checkpoint",
        "cosign",
        "prove",
        "replay",
        "doctor",
        "completions",
    ] {
        all.push_str(&format!("\n$ theater {command} -h\n"));
        all.push_str(&story.theater([command, "-h"]).fine().text());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_command_and_an_unknown_one_are_usage_errors() {
    let story = Story::new();
    assert!(story.theater::<&str>([]).code(2).stderr.contains("Usage: theater"));
    assert!(story.theater(["verfy"]).code(2).stderr.contains("verify"));
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let story = Story::new();
    let mut child = story
        .command(["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("the binary ends").code(), Some(0));
}

#[test]
fn completions_exist_for_every_shell() {
    let story = Story::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(story.theater(["completions", shell]).fine().text().contains("theater"), "{shell}");
    }
}
