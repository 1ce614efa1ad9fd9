//! One rustc: where it is, what it is, and whether it can build for wasm32.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::command::{CommandError, capture};
use crate::machine::{Machine, is_executable};

/// A release number of rustc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1, so far.
    pub major: u32,
    /// Grows every six weeks.
    pub minor: u32,
    /// Grows with repairs.
    pub patch: u32,
}

impl Version {
    /// Returns the oldest rustc that builds guests: the `rust-version` of this workspace.
    #[must_use]
    pub fn oldest_supported() -> Self {
        env!("CARGO_PKG_RUST_VERSION").parse().expect("Cargo.toml names a rust-version")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A text that does not start like a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version")]
pub struct ParseVersionError {
    text: String,
}

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Reads `1.96`, `1.96.0`, `1.98.0-nightly` and a distribution's `1.96.0+dfsg1-1~deb12u2`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse::<u32>().ok()
        };
        let mut parts = text.trim().splitn(3, '.');
        let major = parts.next().and_then(|part| part.parse().ok());
        let minor = parts.next().and_then(number);
        let patch = parts.next().map_or(Some(0), number);
        match (major, minor, patch) {
            (Some(major), Some(minor), Some(patch)) => Ok(Self { major, minor, patch }),
            _ => Err(ParseVersionError { text: text.to_owned() }),
        }
    }
}

/// A compiler that does not answer as compilers do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// It did not run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It ran and did not say what was asked.
    #[error("`{}` did not tell its {what}", rustc.display())]
    Unclear {
        /// The compiler.
        rustc: PathBuf,
        /// What it was asked for.
        what: &'static str,
    },
}

/// A rustc that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// What to call: never a rustup proxy, whose answer depends on the directory it is called in.
    pub(crate) rustc: PathBuf,
    pub(crate) version: Version,
    /// The commit it was built from, or its release where a distribution does not say.
    pub(crate) build: String,
    /// The platform that it runs on.
    pub(crate) host: String,
    pub(crate) sysroot: PathBuf,
    /// Where the compiled library of the wasm32 target is, or would be.
    pub(crate) libdir: PathBuf,
}

impl Compiler {
    /// Asks the compiler behind a command such as a rustup proxy, and names that compiler itself.
    pub(crate) fn behind(machine: &Machine, command: &Path) -> Result<Self, ProbeError> {
        // Not in the current directory: a guest's own toolchain file must not decide. If rustup has no default,
        // the current directory is the only thing left that may know one.
        let neutral = Path::new("/");
        let mut found =
            Self::ask(machine, command, Some(neutral)).or_else(|_| Self::ask(machine, command, None))?;
        let real = found.sysroot.join("bin").join("rustc");
        if is_executable(&real) {
            found.rustc = real;
        }
        Ok(found)
    }

    /// Asks the compiler at a path.
    pub(crate) fn at(machine: &Machine, rustc: &Path) -> Result<Self, ProbeError> {
        Self::ask(machine, rustc, None)
    }

    fn ask(machine: &Machine, rustc: &Path, dir: Option<&Path>) -> Result<Self, ProbeError> {
        let print = |args: &[&str]| {
            let mut command = machine.run(rustc);
            // rustup must neither download a toolchain nor be told another compiler.
            command.env("RUSTUP_AUTO_INSTALL", "0").env_remove("RUSTC").args(args);
            if let Some(dir) = dir.filter(|dir| dir.is_dir()) {
                command.current_dir(dir);
            }
            capture(&mut command)
        };
        let unclear = |what| ProbeError::Unclear { rustc: rustc.to_owned(), what };
        let about = print(&["-vV"])?;
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let release = field("release:").ok_or_else(|| unclear("release"))?;
        let version = release.parse().map_err(|_| unclear("release"))?;
        let host = field("host:").ok_or_else(|| unclear("host"))?.to_owned();
        let build = field("commit-hash:").filter(|hash| *hash != "unknown").unwrap_or(release).to_owned();
        let places = print(&["--print", "sysroot", "--print", "target-libdir", "--target", crate::TARGET])?;
        let mut places = places.lines().map(PathBuf::from);
        let sysroot = places.next().ok_or_else(|| unclear("sysroot"))?;
        let libdir = places.next().ok_or_else(|| unclear("library directory"))?;
        Ok(Self { rustc: rustc.to_owned(), version, build, host, sysroot, libdir })
    }

    /// Returns the compiled `core` and `std` of the wasm32 target, if this compiler has them.
    pub(crate) fn wasm_library(&self) -> Option<[PathBuf; 2]> {
        wasm_library(&self.libdir)
    }

    /// Returns the sources of its own standard library, if they are beside it.
    pub(crate) fn library_sources(&self) -> Option<PathBuf> {
        let library = self.sysroot.join("lib/rustlib/src/rust/library");
        library.join("std/Cargo.toml").is_file().then_some(library)
    }

    /// Returns the wasm linker that the toolchain carries.
    pub(crate) fn linker(&self) -> Option<PathBuf> {
        let linker = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/rust-lld");
        is_executable(&linker).then_some(linker)
    }

    /// Returns the cargo that belongs to the compiler.
    pub(crate) fn cargo(&self) -> Option<PathBuf> {
        let cargo = self.sysroot.join("bin/cargo");
        is_executable(&cargo).then_some(cargo)
    }

    pub(crate) fn is_supported(&self) -> bool {
        self.version >= Version::oldest_supported()
    }
}

/// Returns the `core` and `std` libraries in a directory, if both are there.
pub(crate) fn wasm_library(dir: &Path) -> Option<[PathBuf; 2]> {
    let mut found = [None, None];
    for entry in dir.read_dir().ok()?.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.ends_with(".rlib")) else { continue };
        for (slot, prefix) in found.iter_mut().zip(["libcore-", "libstd-"]) {
            if name.starts_with(prefix) {
                *slot = Some(entry.path());
            }
        }
    }
    let [core, std] = found;
    Some([core?, std?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_nightlies_and_distributions_are_read() {
        let read = |text: &str| text.parse::<Version>().map(|v| v.to_string());
        assert_eq!(read("1.96"), Ok("1.96.0".to_owned()));
        assert_eq!(read("1.98.0-nightly"), Ok("1.98.0".to_owned()));
        assert_eq!(read("1.96.0+dfsg1-1~deb12u2"), Ok("1.96.0".to_owned()));
        for bad in ["", "rustc", "1", "1.x", "-1.2"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        assert!(version("1.100.0") > version("1.96.1") && version("1.96.1") > version("1.96.0"));
        assert_eq!(Version::oldest_supported(), version(env!("CARGO_PKG_RUST_VERSION")));
    }

    #[test]
    fn a_library_without_std_is_not_complete() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("libcore-1.rlib"), "").expect("written");
        assert_eq!(wasm_library(dir.path()), None);
        std::fs::write(dir.path().join("libstd-1.rlib"), "").expect("written");
        assert!(wasm_library(dir.path()).is_some());
    }
}
