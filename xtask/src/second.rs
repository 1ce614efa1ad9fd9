//! The second verifier, `docs/verify.py`, on the runs that the examples made: both programs see the same head.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::examples;
use crate::shell::{Failure, Outcome, Shell, say};

/// Verifies what `cargo xtask examples` has recorded.
pub(crate) fn run(shell: &Shell) -> Outcome {
    python(shell, &["--self-test"])?;
    let home = shell.target().join("xtask").join("home");
    let runs = home.join("runs");
    let entries = fs::read_dir(&runs).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| {
        Failure::check(format!("no runs in {}: {error}; `cargo xtask examples` makes some", runs.display()))
    })?;
    if entries.is_empty() {
        return Err(Failure::check(format!(
            "{} is empty: `cargo xtask examples` makes runs",
            runs.display()
        )));
    }
    for entry in &entries {
        let path = entry.path();
        let head = head_of(shell, &home, &path)?;
        python(shell, &[&path.to_string_lossy(), "--head", &head])?;
    }
    say(&format!("{} runs have the same head to both verifiers", entries.len()));
    Ok(())
}

/// Returns the head that `theater verify` prints, which it does only after checking the run.
pub(crate) fn head_of(shell: &Shell, home: &Path, run: &Path) -> Result<String, Failure> {
    let mut command = Command::new(shell.target().join("debug").join("theater"));
    let report = shell.capture(command.arg("verify").arg(run).envs(examples::environment(shell, home)?))?;
    let head = report.lines().find_map(|line| line.strip_prefix("head ")).map(str::trim);
    head.map(str::to_owned)
        .ok_or_else(|| Failure::check(format!("`theater verify` printed no head: {report}")))
}

pub(crate) fn python(shell: &Shell, words: &[&str]) -> Outcome {
    let mut command = Command::new("python3");
    let ready = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !ready {
        return Err(Failure::check("the second verifier needs python3, 3.9 or later: install it"));
    }
    shell.run(command.arg("-B").arg(shell.root().join("docs/verify.py")).args(words))
}
