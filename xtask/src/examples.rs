//! The examples as a person uses them: the built `theater`, one command after the other, exit codes checked.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::shell::{Failure, Outcome, Shell, say};
use crate::{golden, guests};

/// Commands that belong together; they start in an empty folder.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    steps: &'static [Step],
}

/// One command. In its words, `{root}` is the repository and `{guests}` the folder of the built example actors.
struct Step {
    program: Program,
    words: &'static [&'static str],
    exit: i32,
    /// A text that stdout or stderr must contain.
    says: &'static str,
    /// Whether the next steps follow as soon as it has said that; its end is waited for after them.
    goes_on: bool,
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
    Step { program: Program::Theater, words, exit: 0, says: "", goes_on: false }
}

/// `embed WORDS...` that must succeed.
const fn embed(words: &'static [&'static str]) -> Step {
    Step { program: Program::Embed, words, exit: 0, says: "", goes_on: false }
}

impl Step {
    const fn saying(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    /// It goes on while the next steps are taken, which begin when it has said this on stderr.
    const fn meanwhile(self, says: &'static str) -> Self {
        Self { says, goes_on: true, ..self }
    }
}

/// Every example and template: recorded, verified, replayed.
pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "examples/wordcount",
        steps: &[theater(&["run", "{root}/examples/wordcount"]), theater(&["verify"]), theater(&["replay"])],
    },
    Scene {
        name: "examples/embed",
        steps: &[embed(&["{guests}/translator.wasm", "run"]).saying("head "), theater(&["replay", "./run"])],
    },
    Scene {
        name: "examples/ring",
        steps: &[
            theater(&["run", "{root}/examples/ring"]).saying("{\"hops\":105}"),
            theater(&["verify"]),
            theater(&["replay"]).saying("105 messages arrived as they were sent"),
        ],
    },
    Scene {
        name: "examples/chat",
        steps: &[
            theater(&["run", "--keep", "{root}/examples/chat"]).meanwhile("the room is open"),
            theater(&["ask", "root", r#"{"do": "join", "name": "ada"}"#]).saying("root/visitor-1"),
            theater(&["ask", "root", r#"{"do": "join", "name": "bob"}"#]).saying("root/visitor-2"),
            theater(&["ask", "root/visitor-1", r#"{"do": "say", "text": "hello"}"#]).saying("said"),
            // The room has passed on what it heard before it was asked this.
            theater(&["ask", "root", r#"{"do": "who"}"#]).saying(r#"["ada","bob"]"#),
            theater(&["ask", "root/visitor-2", r#"{"do": "read"}"#]).saying("ada: hello"),
            theater(&["tree"]).saying("├─ visitor-1"),
            theater(&["ask", "root/visitor-1", r#"{"do": "leave"}"#]).saying("left"),
            theater(&["stop"]),
            theater(&["verify"]),
            theater(&["replay"]),
        ],
    },
    Scene {
        name: "templates/message-server",
        steps: &[
            theater(&["new", "notes", "--template", "message-server"]),
            theater(&["run", "--keep", "notes"]).meanwhile("ready, with 0 notes"),
            theater(&["send", "root", "buy milk"]),
            theater(&["ask", "root", r#"{"do": "list"}"#]).saying(r#"["buy milk"]"#),
            theater(&["state", "root"]).saying("buy milk"),
            theater(&["stop"]),
            theater(&["verify"]),
            theater(&["replay"]),
        ],
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
        play(shell, scene, &home)?;
    }
    say(&format!("{} scenes played", SCENES.len()));
    golden::check(shell, &home)
}

/// Plays one scene in a folder of its own.
pub(crate) fn play(shell: &Shell, scene: &Scene, home: &Path) -> Outcome {
    say(&format!("scene {}", scene.name));
    let dir = shell.scratch("scene")?;
    let mut started = Vec::new();
    for step in scene.steps {
        if step.goes_on {
            started.push((step, Running::start(shell, step, &dir, home)?));
        } else {
            let output = command(shell, step, &dir, home)?.output();
            judge(shell, step, &output.map_err(Failure::check)?)?;
        }
    }
    for (step, running) in started {
        judge(shell, step, &running.end()?)?;
    }
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

fn command(shell: &Shell, step: &Step, dir: &Path, home: &Path) -> Result<Command, Failure> {
    let program = shell.target().join("debug").join(step.program.name());
    say(&format!("$ {}", line_of(shell, step)));
    let mut command = Command::new(program);
    command.args(words_of(shell, step)).current_dir(dir).envs(environment(shell, home)?).stdin(Stdio::null());
    Ok(command)
}

fn words_of(shell: &Shell, step: &Step) -> Vec<String> {
    let root = shell.root().to_string_lossy();
    let guests =
        shell.root().join(guests::EXAMPLES).join("target").join(wasm_toolchain::TARGET).join("release");
    let fill = |word: &&str| word.replace("{guests}", &guests.to_string_lossy()).replace("{root}", &root);
    step.words.iter().map(fill).collect()
}

fn line_of(shell: &Shell, step: &Step) -> String {
    format!("{} {}", step.program.name(), words_of(shell, step).join(" "))
}

/// Shows what a command has said, and fails if it is not what was expected.
fn judge(shell: &Shell, step: &Step, output: &Output) -> Outcome {
    let line = line_of(shell, step);
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

/// A command that goes on while others are run. It is killed if it is left.
struct Running {
    child: Kept,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It has ended if all went well.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Running {
    /// Starts a command and waits until it says what it is to say, or ends.
    fn start(shell: &Shell, step: &'static Step, dir: &Path, home: &Path) -> Result<Self, Failure> {
        let mut command = command(shell, step, dir, home)?;
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(Failure::check)?;
        let mut stdout = child.stdout.take().ok_or_else(|| Failure::check("its stdout is gone"))?;
        let stderr = child.stderr.take().ok_or_else(|| Failure::check("its stderr is gone"))?;
        let (has_said, said) = mpsc::channel();
        let stdout = thread::spawn(move || {
            let mut all = Vec::new();
            // What cannot be read is missing from what it says, and that is noticed.
            stdout.read_to_end(&mut all).ok();
            all
        });
        let stderr = thread::spawn(move || {
            let mut all = Vec::new();
            let mut lines = BufReader::new(stderr);
            loop {
                let before = all.len();
                if lines.read_until(b'\n', &mut all).unwrap_or(0) == 0 {
                    return all;
                }
                if String::from_utf8_lossy(&all[before..]).contains(step.says) {
                    has_said.send(()).ok();
                }
            }
        });
        let running = Self { child: Kept(child), stdout, stderr };
        match said.recv() {
            Ok(()) => Ok(running),
            // It has closed its stderr before it said it.
            Err(_) => {
                judge(shell, step, &running.end()?)?;
                Err(Failure::check(format!("`{}` ended too early", line_of(shell, step))))
            }
        }
    }

    fn end(mut self) -> Result<Output, Failure> {
        let status = self.child.0.wait().map_err(Failure::check)?;
        let joined =
            |handle: JoinHandle<Vec<u8>>| handle.join().map_err(|_| Failure::check("a reader is gone"));
        Ok(Output { status, stdout: joined(self.stdout)?, stderr: joined(self.stderr)? })
    }
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
