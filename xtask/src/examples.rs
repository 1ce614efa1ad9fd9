//! The examples as a person uses them: the built `theater`, one command after the other, exit codes checked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::guests;
use crate::shell::{Failure, Outcome, Shell, say};

/// Commands that belong together; they start in an empty folder.
struct Scene {
    name: &'static str,
    steps: &'static [Step],
}

/// One command. In its words, `{root}` is the repository and `{guests}` the folder of the built example actors.
struct Step {
    program: Program,
    words: &'static [&'static str],
    exit: i32,
    /// A text that stdout or stderr must contain.
    says: &'static str,
}

/// The programs of the repository that the steps use, each built from the package of this name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Theater,
    Embed,
}

impl Program {
    const ALL: [Self; 2] = [Self::Theater, Self::Embed];

    const fn name(self) -> &'static str {
        match self {
            Self::Theater => "theater",
            Self::Embed => "embed",
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::Theater => "theater-cli",
            Self::Embed => "embed",
        }
    }
}

/// `theater WORDS...` that must succeed.
const fn theater(words: &'static [&'static str]) -> Step {
    Step { program: Program::Theater, words, exit: 0, says: "" }
}

/// `embed WORDS...` that must succeed.
const fn embed(words: &'static [&'static str]) -> Step {
    Step { program: Program::Embed, words, exit: 0, says: "" }
}

impl Step {
    const fn saying(self, says: &'static str) -> Self {
        Self { says, ..self }
    }
}

/// Every example and template: recorded, verified, replayed.
const SCENES: &[Scene] = &[
    Scene {
        name: "examples/wordcount",
        steps: &[theater(&["run", "{root}/examples/wordcount"]), theater(&["verify"]), theater(&["replay"])],
    },
    Scene {
        name: "examples/embed",
        steps: &[embed(&["{guests}/translator.wasm", "run"]).saying("head "), theater(&["replay", "./run"])],
    },
    Scene {
        name: "templates/basic",
        steps: &[
            theater(&["new", "hello"]),
            theater(&["run", "hello"]).saying("Actor initialized!"),
            theater(&["verify"]),
            theater(&["replay"]),
        ],
    },
];

/// `cargo xtask examples`
pub(crate) fn run(shell: &Shell) -> Outcome {
    build_programs(shell)?;
    let home = shell.scratch("home")?;
    for scene in SCENES {
        say(&format!("scene {}", scene.name));
        let dir = shell.scratch("scene")?;
        for step in scene.steps {
            run_step(shell, step, &dir, &home)?;
        }
    }
    say(&format!("{} scenes played", SCENES.len()));
    Ok(())
}

pub(crate) fn build_programs(shell: &Shell) -> Outcome {
    let packages = Program::ALL.iter().flat_map(|program| ["--package", program.package()]);
    shell.run(shell.cargo(["build"]).args(packages))
}

/// Returns the environment in which the built `theater` is used: a home of its own, the shared toolchain.
pub(crate) fn environment(shell: &Shell, home: &Path) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let bin = shell.target().join("debug");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(bin).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(dirs).map_err(Failure::check)?;
    Ok(vec![("THEATER_HOME", home.to_owned()), guests::shared_toolchain()?, ("PATH", path.into())])
}

fn run_step(shell: &Shell, step: &Step, dir: &Path, home: &Path) -> Outcome {
    let program = shell.target().join("debug").join(step.program.name());
    let root = shell.root().to_string_lossy();
    let guests =
        shell.root().join(guests::EXAMPLES).join("target").join(wasm_toolchain::TARGET).join("release");
    let fill = |word: &&str| word.replace("{guests}", &guests.to_string_lossy()).replace("{root}", &root);
    let words: Vec<String> = step.words.iter().map(fill).collect();
    let line = format!("{} {}", step.program.name(), step.words.join(" "));
    say(&format!("$ {line}"));
    let mut command = Command::new(program);
    command.args(&words).current_dir(dir).envs(environment(shell, home)?).stdin(Stdio::null());
    let output =
        command.output().map_err(|error| Failure::check(format!("failed to run `{line}`: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    say(text.trim_end());
    if output.status.code() != Some(step.exit) {
        return Err(Failure::check(format!(
            "`{line}` ended with {}, expected exit code {}",
            output.status, step.exit
        )));
    }
    if !text.contains(step.says) {
        return Err(Failure::check(format!("`{line}` did not say `{}`", step.says)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a scene plays an example: by its name, or by running the guest that was built from it.
    fn is_played(kind: &str, example: &str) -> bool {
        let words = || SCENES.iter().flat_map(|scene| scene.steps).flat_map(|step| step.words);
        SCENES.iter().any(|scene| scene.name == format!("{kind}/{example}"))
            || words().any(|word| *word == format!("{{guests}}/{example}.wasm"))
    }

    #[test]
    fn every_example_and_template_is_played() {
        let shell = Shell::new().expect("a repository");
        for kind in ["examples", "templates"] {
            let entries = shell.root().join(kind).read_dir().expect("readable").flatten();
            for entry in entries.filter(|entry| {
                ["Cargo.toml", "Cargo.toml.in"].iter().any(|name| entry.path().join(name).is_file())
            }) {
                let name = entry.file_name().into_string().expect("names are ASCII");
                assert!(is_played(kind, &name), "{kind}/{name} has no scene in xtask/src/examples.rs");
            }
        }
    }
}
