//! The commands of README.md, run as they stand there.
//!
//! Every block fenced as `sh` belongs to one shell session that starts in a scratch folder with `examples`,
//! `templates` and `LICENSE` in it and the built `theater` on its PATH. Blocks in other languages are for reading only.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::examples;
use crate::shell::{Failure, Outcome, Shell, say};

/// Beginnings of commands that are not repeated here, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("cargo install ", "the program just built stands in for it"),
    ("cargo xtask ", "that is what is running"),
    ("git clone ", "this is the clone"),
    ("cd theater", "this is the clone"),
    ("nix ", "not installed everywhere"),
];

/// `cargo xtask readme`
pub(crate) fn run(shell: &Shell) -> Outcome {
    let path = shell.root().join("README.md");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::check(format!("failed to read {}: {error}", path.display())))?;
    let session = session(&text);
    examples::build_programs(shell)?;
    let home = shell.scratch("readme-home")?;
    let dir = shell.scratch("readme")?;
    for name in ["examples", "templates", "LICENSE"] {
        link(&shell.root().join(name), &dir.join(name))?;
    }
    let mut command = Command::new("sh");
    command.args(["-eux", "-c", &session]).current_dir(&dir).envs(examples::environment(shell, &home)?);
    command.env("ROOT", shell.root()).env("CARGO_TARGET_DIR", shell.target());
    say("running the commands of README.md");
    let status = command.stdin(std::process::Stdio::null()).status().map_err(Failure::check)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::check(format!("a command of README.md failed ({status})")))
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Outcome {
    std::os::unix::fs::symlink(from, to).map_err(Failure::check)
}

#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) -> Outcome {
    Err(Failure::check("the commands of README.md are run on unix only"))
}

/// Returns a command with cargo told where the workspace is: the session runs somewhere else.
fn from_root(command: &str) -> String {
    match command.strip_prefix("cargo run ") {
        Some(rest) => format!("cargo run --manifest-path \"$ROOT/Cargo.toml\" {rest}"),
        None => command.to_owned(),
    }
}

/// Returns the shell script that the `sh` blocks of a text make together.
fn session(text: &str) -> String {
    let mut script = String::new();
    let mut in_block = false;
    for line in text.lines() {
        match line.trim_end() {
            "```sh" => in_block = true,
            "```" => in_block = false,
            command if in_block => match LEFT_OUT.iter().find(|(start, _)| command.starts_with(start)) {
                // Writing to a String cannot fail.
                Some((_, why)) => writeln!(script, ": left out, {why}").unwrap_or_default(),
                None => writeln!(script, "{}", from_root(command)).unwrap_or_default(),
            },
            _ => {}
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sh_blocks_are_run_and_known_commands_left_out() {
        let text = "# T\n```sh\ncargo install --path x\ntheater new hello\n```\n```rust\nlet x;\n```\n\n```sh\ncd hello\n```\n";
        let script = session(text);
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines[1..], ["theater new hello", "cd hello"]);
        assert!(lines[0].starts_with(": left out"));
    }
}
