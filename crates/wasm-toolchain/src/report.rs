//! What each candidate for a toolchain amounts to on this machine, for `theater doctor`.

use std::fmt;
use std::path::PathBuf;

use crate::toolchain::Toolchain;

/// One way in which a machine can have, or get, a toolchain for guests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Candidate {
    /// A compiler on the PATH that has the target.
    Compiler(PathBuf),
    /// The target from rustup.
    Rustup,
    /// A library built from the sources beside a compiler on the PATH.
    Sources(PathBuf),
    /// A private copy of the distribution's packages.
    Private,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compiler(rustc) => write!(f, "compiler {}", rustc.display()),
            Self::Rustup => f.write_str("rustup"),
            Self::Sources(rustc) => write!(f, "library sources of {}", rustc.display()),
            Self::Private => f.write_str("private toolchain"),
        }
    }
}

/// Whether a candidate will do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateState {
    /// It builds guests now.
    Ready(Box<Toolchain>),
    /// It is not there, and setting it up can be tried.
    Possible,
    /// It is not to be had on this machine.
    Unavailable,
}

/// A candidate, what was found, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateReport {
    /// Which way.
    pub candidate: Candidate,
    /// Whether it will do.
    pub state: CandidateState,
    /// What was found; a lowercase fragment.
    pub found: String,
    /// What to do, where something can be done.
    pub advice: Option<String>,
}

impl fmt::Display for CandidateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.candidate, self.found)
    }
}
