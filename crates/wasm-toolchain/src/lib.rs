//! Finds or sets up the wasm32 target and builds guests.
//!
//! Guests are plain cargo packages for `wasm32-unknown-unknown`. Most machines have what they need, or get it
//! from rustup; the others get a private toolchain under Theater's home: no root, nothing of the system touched,
//! announced before it is downloaded, removed by [`remove`], prevented by `THEATER_NO_INSTALL=1`.
//!
//! ```no_run
//! use wasm_toolchain::{GuestBuild, InstallPolicy, Quiet, find_or_install};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let home = wasm_toolchain::default_home().ok_or("no home directory")?;
//! let toolchain = find_or_install(&home, InstallPolicy::from_env(), &mut Quiet)?;
//! let artifacts = toolchain.build(&GuestBuild::new("counter"), &mut Quiet)?;
//! assert!(artifacts[0].path.exists());
//! # Ok(())
//! # }
//! ```

mod choice;
mod code;
mod command;
mod compiler;
mod diagnosis;
mod guest;
mod install;
mod kit;
mod machine;
mod paths;
mod progress;
mod report;
mod setup;
mod shorten;
mod store;
mod toolchain;
mod wasm;

pub use command::CommandError;
pub use compiler::{ParseVersionError, ProbeError, Version};
pub use diagnosis::trap_hint;
pub use guest::{Artifact, BuildError, GuestBuild, Profile};
pub use install::packages::PackageError;
pub use install::sources::SourcesError;
pub use kit::KitError;
pub use machine::{Machine, default_home};
pub use progress::{Progress, Quiet, WriteProgress};
pub use report::{Candidate, CandidateReport, CandidateState};
pub use setup::{
    Attempt, InstallPolicy, Setup, TOOLCHAIN_VARIABLE, ToolchainError, candidates, find, find_or_install,
    installed, remove,
};
pub use store::{Installed, StoreError};
pub use toolchain::{Origin, Toolchain};
pub use wasm::{ReadWasmError, bytes_for_hosts};

/// The one target that guests are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";
