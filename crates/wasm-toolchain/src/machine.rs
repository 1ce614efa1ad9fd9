//! The machine as the set-up sees it: commands on the PATH and the environment of the process.
//!
//! It is a value, so that a test can present a machine that is not the one it runs on.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables that change what a compiler or cargo does and come from whoever happened to start this process:
/// an outer cargo, a test runner, a shell profile. A guest must build the same way under all of them.
const SCRUBBED: &[&str] = &[
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUST_TARGET_PATH",
    "RUSTUP_TOOLCHAIN",
    // The rest is what cargo tells the build scripts and programs that it runs.
    "CARGO",
    "DEBUG",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "TARGET",
];

/// `CARGO_` variables that say where cargo keeps things and how it reaches registries; the others are scrubbed.
const KEPT_CARGO: &[&str] =
    &["CARGO_HOME", "CARGO_HTTP_", "CARGO_INSTALL_ROOT", "CARGO_NET_", "CARGO_REGISTR", "CARGO_TERM_"];

/// What commands can be found and what environment they get.
#[derive(Debug, Clone)]
pub struct Machine {
    path: Vec<PathBuf>,
    compilers: Option<Vec<PathBuf>>,
    env: BTreeMap<OsString, OsString>,
}

impl Machine {
    /// Returns the machine that this process runs on.
    #[must_use]
    pub fn host() -> Self {
        let env: BTreeMap<_, _> = std::env::vars_os().collect();
        let path = env.get(OsStr::new("PATH")).map(|path| std::env::split_paths(path).collect());
        Self { path: path.unwrap_or_default(), compilers: None, env }
    }

    /// Sets the directories in which commands are looked for.
    #[must_use]
    pub fn with_path(mut self, path: Vec<PathBuf>) -> Self {
        if let Ok(joined) = std::env::join_paths(&path) {
            self.env.insert("PATH".into(), joined);
        }
        self.path = path;
        self
    }

    /// Considers these compilers only, instead of every `rustc` on the PATH.
    #[must_use]
    pub fn with_compilers(mut self, compilers: Vec<PathBuf>) -> Self {
        self.compilers = Some(compilers);
        self
    }

    /// Sets a variable of the environment that commands get.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Returns a variable of the environment.
    pub(crate) fn env(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Returns the first command of this name on the PATH.
    pub(crate) fn command(&self, name: &str) -> Option<PathBuf> {
        self.path.iter().map(|dir| dir.join(name)).find(|file| is_executable(file))
    }

    /// Returns every directory of the PATH.
    pub(crate) fn path(&self) -> &[PathBuf] {
        &self.path
    }

    /// Returns the compilers to consider, in order of preference.
    pub(crate) fn compilers(&self) -> Vec<PathBuf> {
        if let Some(compilers) = &self.compilers {
            return compilers.clone();
        }
        let mut found: Vec<PathBuf> = Vec::new();
        for dir in &self.path {
            let rustc = dir.join("rustc");
            if is_executable(&rustc) && !found.contains(&rustc) {
                found.push(rustc);
            }
        }
        found
    }

    /// Returns a command that inherits this machine's environment, unchanged.
    pub(crate) fn run(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.env);
        command
    }

    /// Returns a command whose environment says nothing about compilers: see [`SCRUBBED`].
    pub(crate) fn run_scrubbed(&self, program: &Path) -> Command {
        let kept = self.env.iter().filter(|(name, _)| !is_scrubbed(name));
        let mut command = Command::new(program);
        command.env_clear().envs(kept);
        command
    }
}

/// Returns Theater's home: `$THEATER_HOME`, else `.theater` in the user's home directory.
#[must_use]
pub fn default_home() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("THEATER_HOME").map(PathBuf::from).or_else(|| {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(".theater"))
    })
}

fn is_scrubbed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_cargo = name.starts_with("CARGO_") && !KEPT_CARGO.iter().any(|kept| name.starts_with(kept));
    let is_of_a_dependency = name.starts_with("DEP_") || name.starts_with("__CARGO");
    is_cargo || is_of_a_dependency || SCRUBBED.contains(&name)
}

#[cfg(unix)]
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outer_cargo_leaves_no_trace_in_a_guest_build() {
        for name in
            ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTC"]
        {
            assert!(is_scrubbed(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn where_cargo_keeps_and_fetches_things_is_kept() {
        for name in
            ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_MINE_TOKEN", "PATH", "CC", "HTTPS_PROXY"]
        {
            assert!(!is_scrubbed(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn a_scrubbed_command_gets_the_rest_of_the_environment() {
        let machine = Machine::host().with_env("RUSTFLAGS", "-Dwarnings").with_env("KEPT", "yes");
        let printed = |command: &mut Command| crate::command::capture(command).expect("env runs");
        let env = machine.command("env").expect("every unix has env");
        let scrubbed = printed(&mut machine.run_scrubbed(&env));
        assert!(scrubbed.contains("KEPT=yes") && !scrubbed.contains("RUSTFLAGS"));
        assert!(printed(&mut machine.run(&env)).contains("RUSTFLAGS=-Dwarnings"));
    }
}
