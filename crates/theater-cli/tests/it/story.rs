//! A story: a home of its own, commands, and what they answered.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;
use wasm_toolchain::{GuestBuild, InstallPolicy, Quiet};

/// A temporary home and a temporary folder to work in.
pub(crate) struct Story {
    dir: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Story {
    /// Begins a story. The wasm toolchain is the one that the test run set up, everything else is new.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let story = Self { dir };
        fs::create_dir(story.home()).and_then(|()| fs::create_dir(story.work())).expect("it can be written");
        #[cfg(unix)]
        {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            fs::set_permissions(story.home(), private).expect("it is ours");
        }
        story
    }

    /// Returns the home.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// Returns the folder that commands run in.
    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Writes a file in the working folder and returns its path.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be written");
        fs::write(&path, contents).expect("it can be written");
        path
    }

    /// Returns a command that runs the binary in this story.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_theater"));
        command
            .args(args)
            .current_dir(self.work())
            .env("THEATER_HOME", self.home())
            .env(wasm_toolchain::TOOLCHAIN_VARIABLE, shared_toolchain())
            .env("NO_COLOR", "1")
            .env_remove("THEATER_LOG")
            .env_remove("COLUMNS")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub(crate) fn theater<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Answer {
        Answer::of(&mut self.command(args))
    }

    /// Runs the binary with something on standard input.
    pub(crate) fn theater_with_input<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Answer {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("it is a pipe");
        stdin.write_all(input).expect("the binary reads it");
        drop(stdin);
        Answer::from(child.wait_with_output().expect("the binary ends"))
    }

    /// Returns the ids of the runs in this home.
    pub(crate) fn runs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.home().join("runs")) else { return Vec::new() };
        let mut ids: Vec<String> = entries
            .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "deleted.txt")
            .collect();
        ids.sort();
        ids
    }

    /// Ends a story that made runs: each is intact, closed, signed by this node, and replays to the same events, twice.
    pub(crate) fn every_run_verifies_and_replays(&self, runs: usize) {
        let ids = self.runs();
        assert_eq!(ids.len(), runs, "{ids:?}");
        for id in &ids {
            for _ in 0..2 {
                self.theater(["verify", id]).fine();
                let replayed = self.theater(["replay", id]).fine();
                assert!(replayed.text().contains("same"), "{replayed:?}");
            }
        }
    }
}

impl Answer {
    fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the binary runs"))
    }

    /// Asserts status 0.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        self.code(0)
    }

    /// Asserts a status, and that nothing panicked.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.text(), self.stderr);
        assert!(!self.stderr.contains("panicked at crates/"), "{}", self.stderr);
        self
    }

    /// Asserts one error that says `what` and gives advice that says `hint`.
    #[track_caller]
    pub(crate) fn error(self, code: i32, what: &str, hint: &str) -> Self {
        let answer = self.code(code);
        let errors = answer.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(what), "`{what}` is not in: {}", answer.stderr);
        let (_, hints) = answer.stderr.split_once("\n\nhint: ").expect("an error ends with a hint");
        assert!(hints.contains(hint), "`{hint}` is not in: {}", answer.stderr);
        assert_eq!(answer.text(), "", "an error says nothing on stdout");
        answer
    }

    /// Returns stdout as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns the JSON objects of stdout, one per line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

impl From<std::process::Output> for Answer {
    fn from(output: std::process::Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }
}

/// Returns the folder of the toolchain that all stories share: setting one up takes a minute.
fn shared_toolchain() -> PathBuf {
    match std::env::var_os(wasm_toolchain::TOOLCHAIN_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => folder.into(),
        None => shared_home().join("toolchain"),
    }
}

fn shared_home() -> PathBuf {
    wasm_toolchain::default_home().expect("there is a home")
}

/// Returns the wasm file of a guest of the stories.
pub(crate) fn guest(name: &str) -> PathBuf {
    static GUESTS: OnceLock<Vec<wasm_toolchain::Artifact>> = OnceLock::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
    let artifacts = GUESTS.get_or_init(|| built(folder, "story-guests"));
    let found = artifacts.iter().find(|artifact| artifact.package == name);
    found.unwrap_or_else(|| panic!("there is no guest {name}")).path.clone()
}

/// Returns the wasm file of the actor that does what its messages say.
pub(crate) fn puppet() -> PathBuf {
    static PUPPET: OnceLock<Vec<wasm_toolchain::Artifact>> = OnceLock::new();
    let folder = repository().join("crates/theater-handlers/tests/puppet");
    PUPPET.get_or_init(|| built(folder, "story-puppet"))[0].path.clone()
}

fn built(folder: PathBuf, target: &str) -> Vec<wasm_toolchain::Artifact> {
    let toolchain = wasm_toolchain::find_or_install(&shared_home(), InstallPolicy::from_env(), &mut Quiet)
        .expect("there is a wasm toolchain");
    let mut build = GuestBuild::new(folder);
    build.target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join(target));
    toolchain.build(&build, &mut Quiet).expect("the guests build")
}

/// Returns the root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies two folders below")
}
