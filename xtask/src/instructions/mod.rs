//! Instructions that the codec and the chain take, compared with the committed counts: unlike times, they are the same
//! on a busy machine.
//!
//! `benches/instructions.rs` of each package does each of its cases once, in a function of a known name. Callgrind
//! starts from zero when that function is entered and writes a dump when it returns, so one run counts all cases.

mod callgrind;
mod reference;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::shell::{Failure, Outcome, Shell, say};
use callgrind::Count;
use reference::{Reference, Tools, Verdict};

/// None of them links the engine: the release build of their benches is a matter of seconds.
const PACKAGES: [&str; 2] = ["pack-abi", "theater-chain"];
const BENCH: &str = "instructions";
const FILE: &str = "xtask/instructions.txt";

/// `cargo xtask instructions`
pub(crate) fn check(shell: &Shell) -> Outcome {
    let (tools, counts) = (tools(shell)?, count(shell)?);
    let path = shell.root().join(FILE);
    let text = std::fs::read_to_string(path).map_err(|error| Failure::check(format!("{FILE}: {error}")))?;
    let reference: Reference = text.parse().map_err(|error| Failure::check(format!("{FILE}: {error}")))?;
    let verdict = reference.judge(&tools, &counts);
    say(&verdict.to_string());
    match verdict {
        Verdict { is_worse: true, .. } => Err(Failure::check(format!(
            "more instructions than {FILE} allows, or other cases\n\nhint: where that is meant, accept it with \
             `cargo xtask instructions --bless` and say why in the commit"
        ))),
        Verdict { is_better: true, .. } => {
            say("hint: keep what was won: `cargo xtask instructions --bless`");
            Ok(())
        }
        Verdict { .. } => Ok(()),
    }
}

/// `cargo xtask instructions --bless`
pub(crate) fn bless(shell: &Shell) -> Outcome {
    let reference = Reference { tools: tools(shell)?, counts: count(shell)? };
    std::fs::write(shell.root().join(FILE), reference.to_string())
        .map_err(|error| Failure::check(format!("{FILE}: {error}")))?;
    say(&format!("look at what changed: git diff {FILE}"));
    Ok(())
}

/// Returns what besides the code decides how many instructions there are.
fn tools(shell: &Shell) -> Result<Tools, Failure> {
    let missing = |error| {
        Failure::check(format!(
            "{error}\n\nhint: instructions are counted by callgrind, which is part of valgrind: install the package \
             `valgrind` of your distribution"
        ))
    };
    let valgrind = shell.capture(Command::new("valgrind").arg("--version")).map_err(missing)?;
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = shell.capture(Command::new(compiler).arg("-vV").current_dir(shell.root()))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim().to_owned())
            .ok_or_else(|| Failure::check("`rustc -vV` does not say enough"))
    };
    Ok(Tools { rustc: field("release:")?, host: field("host:")?, valgrind: valgrind.trim().to_owned() })
}

fn count(shell: &Shell) -> Result<Vec<Count>, Failure> {
    let scratch = shell.scratch(BENCH)?;
    let mut counts = Vec::new();
    for (package, program) in build(shell)? {
        say(&format!("counting the instructions of {package}"));
        let dumps = scratch.join(&package);
        let mut command = callgrind::command(&program, &dumps);
        let names = shell.capture(command.current_dir(shell.root()))?;
        counts.extend(callgrind::counts(&package, &names, &dumps).map_err(Failure::check)?);
    }
    Ok(counts)
}

/// Builds the benches, and returns the program of each package.
fn build(shell: &Shell) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut command = shell.cargo(["build", "--release", "--locked", "--quiet", "--bench", BENCH]);
    command.arg("--message-format=json-render-diagnostics");
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    say("building the benches");
    let text = shell.capture(&mut command)?;
    let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let find = |package: &&str| {
        let folder = format!("/{package}/benches/{BENCH}.rs");
        let is_it = |message: &&Value| {
            let source = message["target"]["src_path"].as_str().unwrap_or_default();
            source.replace('\\', "/").ends_with(&folder)
        };
        let program = messages.iter().filter(is_it).find_map(|message| message["executable"].as_str());
        let program =
            program.ok_or_else(|| Failure::check(format!("cargo has not built the bench of {package}")))?;
        Ok(((*package).to_owned(), PathBuf::from(program)))
    };
    PACKAGES.iter().map(find).collect()
}
