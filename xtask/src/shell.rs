//! Runs the commands of a chore, says which, and stops at the first that fails.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why a chore did not end well; what failed has printed its own reason before.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage,
    /// A command failed.
    Command { line: String, status: String },
    /// A check of ours failed.
    Check(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str("unknown command"),
            Self::Command { line, status } => write!(f, "`{line}` failed ({status})"),
            Self::Check(what) => f.write_str(what),
        }
    }
}

impl Failure {
    pub(crate) fn check(what: impl fmt::Display) -> Self {
        Self::Check(what.to_string())
    }
}

pub(crate) type Outcome = Result<(), Failure>;

/// The repository and how to call cargo in it.
#[derive(Debug)]
pub(crate) struct Shell {
    root: PathBuf,
    target: PathBuf,
}

impl Shell {
    pub(crate) fn new() -> Result<Self, Failure> {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root =
            manifest_dir.parent().ok_or_else(|| Failure::check("xtask lies in no repository"))?.to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => std::path::absolute(dir).map_err(Failure::check)?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Returns the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns a cargo command that behaves as if a person had typed it.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            // Said to this program by the cargo that started it; a changed value would cause rebuilds.
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(&self.root);
        command
    }

    /// Runs a command whose output goes where this program's goes.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        let line = line(command);
        say(&format!("$ {line}"));
        let status = command.stdin(Stdio::null()).status().map_err(|error| self.failed(&line, &error))?;
        if status.success() { Ok(()) } else { Err(self.failed(&line, &status)) }
    }

    /// Runs a command and returns its stdout.
    pub(crate) fn capture(&self, command: &mut Command) -> Result<String, Failure> {
        let line = line(command);
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.failed(&line, &error))?;
        if !output.status.success() {
            return Err(self.failed(&line, &output.status));
        }
        String::from_utf8(output.stdout).map_err(|error| self.failed(&line, &error))
    }

    fn failed(&self, line: &str, status: &dyn fmt::Display) -> Failure {
        Failure::Command { line: line.to_owned(), status: status.to_string() }
    }

    /// Returns an empty folder below the target folder.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, Failure> {
        let dir = self.target.join("xtask").join(name);
        let shown = |error| Failure::check(format!("failed to empty {}: {error}", dir.display()));
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(shown)?;
        }
        std::fs::create_dir_all(&dir).map_err(shown)?;
        Ok(dir)
    }
}

/// Returns a command line as a person would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Says what happens, on stderr like the commands' own words.
pub(crate) fn say(text: &str) {
    complain(text);
}

pub(crate) fn complain(text: &str) {
    // A closed stderr is no reason to stop a check.
    writeln!(std::io::stderr(), "{text}").ok();
}

/// Runs something and returns how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "a chore is timed for people, no actor sees it")]
    let start = std::time::Instant::now();
    let done = work();
    (done, start.elapsed())
}
