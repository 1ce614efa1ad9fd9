//! Golden runs: a recorded run of each example, kept beside it. Every later version verifies and replays it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Failure, Outcome, Shell, say};
use crate::{examples, second};

/// The run as one file.
const BUNDLE: &str = "golden.theater";
/// The head that it had when it was made.
const HEAD: &str = "golden.head";

/// Verifies and replays the golden runs, with their heads, and with the second verifier.
pub(crate) fn check(shell: &Shell, home: &Path) -> Outcome {
    let mut count = 0;
    for dir in recorded(shell) {
        let bundle = dir.join(BUNDLE);
        let path = bundle.to_string_lossy();
        let head = fs::read_to_string(dir.join(HEAD))
            .map_err(|error| Failure::check(format!("{path} has no {HEAD} beside it: {error}")))?;
        for words in [&["verify", &path, "--head", head.trim()][..], &["replay", &path]] {
            shell.run(&mut theater(shell, home, words)?)?;
        }
        second::python(shell, &[&path, "--head", head.trim()])?;
        count += 1;
    }
    say(&format!("{count} golden runs verify and replay"));
    Ok(())
}

/// Plays the examples and keeps the last run of each.
pub(crate) fn bless(shell: &Shell) -> Outcome {
    examples::build_programs(shell)?;
    for scene in examples::SCENES {
        let dir = shell.root().join(scene.name);
        if !is_recorded(&dir) {
            continue;
        }
        let home = shell.scratch("golden-home")?;
        examples::play(shell, scene, &home)?;
        let bundle = dir.join(BUNDLE);
        if bundle.exists() {
            fs::remove_file(&bundle).map_err(Failure::check)?;
        }
        shell.run(&mut theater(shell, &home, &["export", "-o", &bundle.to_string_lossy()])?)?;
        let head = second::head_of(shell, &home, &bundle)?;
        fs::write(dir.join(HEAD), head + "\n").map_err(Failure::check)?;
    }
    say("look at what changed: git diff");
    Ok(())
}

fn theater(shell: &Shell, home: &Path, words: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(shell.target().join("debug").join("theater"));
    command.args(words).envs(examples::environment(shell, home)?);
    Ok(command)
}

/// Returns the examples that are run by `theater`.
fn recorded(shell: &Shell) -> impl Iterator<Item = PathBuf> {
    let names = examples::SCENES.iter().map(|scene| scene.name);
    let root = shell.root().to_owned();
    names.map(move |name| root.join(name)).filter(|dir| is_recorded(dir))
}

/// An example has a manifest; a template has none until it is made into a project, a host program never has one.
fn is_recorded(dir: &Path) -> bool {
    dir.join("manifest.toml").is_file()
}
