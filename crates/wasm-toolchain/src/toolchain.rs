//! How to call cargo so that a guest comes out: compiler, cargo, linker and standard library that fit together.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compiler::Version;
use crate::machine::Machine;

/// Where the standard library for wasm32 came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A compiler on the PATH has it.
    Compiler,
    /// It was built from the library sources of a compiler on the PATH and is kept under Theater's home.
    Sources,
    /// Compiler and library are a private copy of the distribution's packages under Theater's home.
    Private,
}

impl Origin {
    pub(crate) const ALL: [Self; 3] = [Self::Compiler, Self::Sources, Self::Private];

    /// Returns the word that is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Compiler => "compiler",
            Self::Sources => "sources",
            Self::Private => "private",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of tools that builds guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    pub(crate) rustc: PathBuf,
    pub(crate) cargo: PathBuf,
    pub(crate) linker: PathBuf,
    /// The sysroot with the wasm32 library, where it is not the compiler's own.
    pub(crate) sysroot: Option<PathBuf>,
    /// The compiled `core` and `std`, watched so that a removed target is noticed.
    pub(crate) library: [PathBuf; 2],
    pub(crate) origin: Origin,
    pub(crate) version: Version,
}

impl Toolchain {
    /// Returns the compiler.
    #[must_use]
    pub fn rustc(&self) -> &Path {
        &self.rustc
    }

    /// Returns the cargo that calls the compiler.
    #[must_use]
    pub fn cargo(&self) -> &Path {
        &self.cargo
    }

    /// Returns the wasm linker.
    #[must_use]
    pub fn linker(&self) -> &Path {
        &self.linker
    }

    /// Returns where the standard library came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns the release of the compiler.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the directory that holds the compiled library of the wasm32 target.
    #[must_use]
    pub fn library_dir(&self) -> &Path {
        self.library[0].parent().unwrap_or(Path::new("/"))
    }

    /// Returns a cargo command that builds for wasm32 when a subcommand and `--target` are added.
    ///
    /// What the environment says about compilers, and a toolchain file in the guest's folder, have no effect;
    /// a `.cargo/config.toml` there has.
    #[must_use]
    pub fn cargo_command(&self) -> Command {
        self.cargo_command_on(&Machine::host())
    }

    pub(crate) fn cargo_command_on(&self, machine: &Machine) -> Command {
        let mut command = machine.run_scrubbed(&self.cargo);
        command.env("RUSTC", &self.rustc).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker);
        if let Some(sysroot) = &self.sysroot {
            // As configuration and not as RUSTFLAGS, so that flags from the guest's own configuration still count.
            let flag = serde_json::Value::from(format!("--sysroot={}", sysroot.display()));
            command.args(["--config".to_owned(), format!("target.{}.rustflags=[{flag}]", crate::TARGET)]);
        }
        command
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.origin {
            Origin::Compiler => "its own library",
            Origin::Sources => "a library built from its sources",
            Origin::Private => "a private copy of the distribution's packages",
        };
        write!(f, "rustc {} at {} with {from}", self.version, self.rustc.display())
    }
}
