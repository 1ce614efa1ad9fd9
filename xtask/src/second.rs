//! The second verifier, `docs/verify.py`, on the runs that the examples made: both programs see the same head, and the
//! second accepts every bundle, checkpoint, cosignature, proof and log that the first makes of them.

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
    let made = home.join("second");
    if made.exists() {
        fs::remove_dir_all(&made).map_err(|error| Failure::check(format!("{}: {error}", made.display())))?;
    }
    fs::create_dir_all(&made).map_err(|error| Failure::check(format!("{}: {error}", made.display())))?;
    let key = theater(shell, &home, &["keys", "export"])?;
    let witness = theater(shell, &home, &["keys", "export", "--witness"])?;
    let keys = ["--key", key.trim(), "--witness", witness.trim()];
    for entry in &entries {
        let path = entry.path();
        let head = head_of(shell, &home, &path)?;
        let run = path.to_string_lossy();
        python(shell, &[&run, "--head", &head])?;
        let name =
            |what: &str| made.join(format!("{}.{what}", entry.file_name().display())).display().to_string();
        let (bundle, note, cosigned, proof) =
            (name("theater"), name("checkpoint"), name("cosigned"), name("proof"));
        theater(shell, &home, &["export", &run, "-o", &bundle])?;
        theater(shell, &home, &["checkpoint", &run, "-o", &note])?;
        theater(shell, &home, &["cosign", &note, "-o", &cosigned])?;
        theater(shell, &home, &["prove", &run, "/:0", "--checkpoint", &cosigned, "-o", &proof])?;
        python(shell, &[&[bundle.as_str(), "--checkpoint", &cosigned][..], &keys].concat())?;
        python(shell, &[&[cosigned.as_str()][..], &keys].concat())?;
        python(shell, &[&[proof.as_str()][..], &keys].concat())?;
    }
    python(shell, &[&home.join("log").to_string_lossy(), "--key", key.trim()])?;
    say(&format!("{} runs, and what was made of them, are the same to both verifiers", entries.len()));
    Ok(())
}

fn theater(shell: &Shell, home: &Path, words: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(shell.target().join("debug").join("theater"));
    shell.capture(command.args(words).envs(examples::environment(shell, home)?))
}

/// Returns the head that `theater verify` prints, which it does only after checking the run.
pub(crate) fn head_of(shell: &Shell, home: &Path, run: &Path) -> Result<String, Failure> {
    let report = theater(shell, home, &["verify", &run.to_string_lossy()])?;
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
