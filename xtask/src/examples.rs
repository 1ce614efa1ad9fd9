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

/// One command. In its words, `{root}` is the repository.
struct Step {
    /// Which program: `theater` is the one just built, `cargo` builds with its target folder shared.
    program: Program,
    words: &'static [&'static str],
    exit: i32,
    /// A text that stdout or stderr must contain.
    says: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Theater,
}

/// `theater WORDS...` that must succeed.
const fn theater(words: &'static [&'static str]) -> Step {
    Step { program: Program::Theater, words, exit: 0, says: "" }
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
    shell.run(&mut shell.cargo(["build", "--package", "theater-cli"]))?;
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

/// Returns the environment in which the built `theater` is used: a home of its own, the shared toolchain.
pub(crate) fn environment(shell: &Shell, home: &Path) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let bin = shell.target().join("debug");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(bin).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(dirs).map_err(Failure::check)?;
    Ok(vec![("THEATER_HOME", home.to_owned()), guests::shared_toolchain()?, ("PATH", path.into())])
}

fn run_step(shell: &Shell, step: &Step, dir: &Path, home: &Path) -> Outcome {
    let program = match step.program {
        Program::Theater => shell.target().join("debug/theater"),
    };
    let root = shell.root().to_string_lossy();
    let words: Vec<String> = step.words.iter().map(|word| word.replace("{root}", &root)).collect();
    let line = format!("theater {}", step.words.join(" "));
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
