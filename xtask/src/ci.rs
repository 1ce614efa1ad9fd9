//! Everything that a change must pass, each step timed.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shell::{Failure, Outcome, Shell, say, timed};
use crate::{examples, fuzz, guests, instructions, interop, readme, second, suite, tidy};

type Step = (&'static str, fn(&Shell) -> Outcome);

/// In this order; all run even if one fails, so that one run shows everything that is wrong.
const STEPS: &[Step] = &[
    ("format", format),
    ("tidy", tidy::run),
    ("toolchain", |_| guests::toolchain().map(drop)),
    ("clippy", clippy),
    ("dependencies", deny),
    ("documentation", documentation),
    ("tests", |shell| suite::workspace(shell, None)),
    ("doctests", suite::doctests),
    ("instructions", instructions::check),
    ("fuzz", fuzz::check),
    ("guests", guests::run),
    ("examples", examples::run),
    ("second verifier", second::run),
    ("readme", readme::run),
    // Last: at the first time it builds the engine of another host.
    ("interop", interop::run),
];

/// `cargo xtask ci`
pub(crate) fn run(shell: &Shell) -> Outcome {
    run_all(shell, STEPS)
}

fn run_all(shell: &Shell, steps: &[Step]) -> Outcome {
    let mut results: Vec<(&str, Duration, Outcome)> = Vec::new();
    for (name, step) in steps {
        say(&format!("\n== {name}"));
        let (outcome, took) = timed(|| step(shell));
        if let Err(failure) = &outcome {
            say(&format!("error: {failure}"));
        }
        results.push((name, took, outcome));
    }
    say("\n== summary");
    for (name, took, outcome) in &results {
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        say(&format!("{name:<15} {:>7.1} s  {verdict}", took.as_secs_f64()));
    }
    let failed: Vec<&str> =
        results.iter().filter(|(_, _, outcome)| outcome.is_err()).map(|(name, ..)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::check(format!("failed: {}", failed.join(", ")))) }
}

fn format(shell: &Shell) -> Outcome {
    shell.run(&mut shell.cargo(["fmt", "--all", "--", "--check", "-l"]))
}

fn clippy(shell: &Shell) -> Outcome {
    shell.run(&mut shell.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "theater-bench/actors",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation(shell: &Shell) -> Outcome {
    let mut command = shell.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
    shell.run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Licences, sources and bans. Advisories need a database from elsewhere and are checked by hand: see deny.toml.
fn deny(shell: &Shell) -> Outcome {
    let program = cargo_deny(shell)?;
    let mut command = Command::new(program);
    command.current_dir(shell.root()).args(["--locked", "check", "bans", "licenses", "sources"]);
    shell.run(&mut command)
}

/// Returns cargo-deny: an installed one, or one built once into the target folder.
fn cargo_deny(shell: &Shell) -> Result<PathBuf, Failure> {
    let tools = shell.target().join("tools");
    let own = tools.join("bin/cargo-deny");
    let answers = |program: &PathBuf| {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if let Some(found) = [PathBuf::from("cargo-deny"), own.clone()].into_iter().find(answers) {
        return Ok(found);
    }
    say("cargo-deny is not installed: building it once");
    // Without optimisation: it runs for a second and would take minutes longer to build.
    let mut command =
        shell.cargo(["install", "cargo-deny", "--version", DENY_VERSION, "--locked", "--debug"]);
    command.args(["--no-default-features", "--root"]).arg(&tools);
    shell.run(command.env("CARGO_TARGET_DIR", tools.join("build")))?;
    Ok(own)
}

const DENY_VERSION: &str = "0.20.2";

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(_: &Shell) -> Outcome {
        Err(Failure::check("a reason"))
    }

    #[test]
    fn one_failed_step_fails_the_run_and_the_others_are_run_all_the_same() {
        fn leaves_a_mark(shell: &Shell) -> Outcome {
            shell.scratch("ci-test").map(drop)
        }
        let shell = Shell::new().expect("a repository");
        let mark = shell.target().join("xtask/ci-test");
        let outcome = run_all(&shell, &[("one", fails), ("two", leaves_a_mark), ("three", fails)]);
        assert!(matches!(outcome, Err(Failure::Check(what)) if what == "failed: one, three"));
        assert!(mark.is_dir());
        std::fs::remove_dir_all(&mark).expect("deleted");
        assert!(run_all(&shell, &[("two", leaves_a_mark)]).is_ok());
    }
}
