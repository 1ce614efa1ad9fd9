//! Kits: a private toolchain as one file, for machines without a network.
//!
//! A kit is a tar archive of one folder that lists its files. It is unpacked aside, checked against that list and
//! renamed into place, like everything else in the store. Its compiler runs on the same system and processor only.

use std::path::{Path, PathBuf};

use crate::command::{CommandError, capture};
use crate::machine::Machine;
use crate::progress::Progress;
use crate::setup::PRIVATE;
use crate::store::{Installed, Store, StoreError};

/// A kit could not be written or unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// There is nothing to put into it.
    #[error("there is no private toolchain in {}", dir.display())]
    NoPrivate {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// `tar` is missing.
    #[error("this machine has no `tar`")]
    NoTar,
    /// `tar` failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The file is something else, or not all of it.
    #[error("{} holds no complete toolchain", path.display())]
    NotAKit {
        /// The file.
        path: PathBuf,
    },
    /// Files could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the newest private toolchain to a file; its ending chooses the compression, as `tar -a` does.
pub(crate) fn export(store: &Store, machine: &Machine, to: &Path) -> Result<Installed, KitError> {
    let tar = machine.command("tar").ok_or(KitError::NoTar)?;
    let complete = store.installed().into_iter().rfind(|found| is_private(&found.path) && found.is_complete);
    let Some(installed) = complete else {
        return Err(KitError::NoPrivate { dir: store.dir().to_owned() });
    };
    let mut command = machine.run_scrubbed(&tar);
    // The same toolchain gives the same file.
    command.args([
        "--create",
        "--auto-compress",
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
    ]);
    command.arg("--file").arg(to).arg("--directory").arg(store.dir()).args(installed.path.file_name());
    capture(&mut command)?;
    Ok(installed)
}

/// Unpacks a kit and makes it this home's private toolchain.
pub(crate) fn import(
    store: &Store,
    machine: &Machine,
    from: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf, KitError> {
    let tar = machine.command("tar").ok_or(KitError::NoTar)?;
    let lock = store.lock(progress)?;
    let partial = store.partial(&lock)?;
    progress.step(&format!("unpacking {}", from.display()));
    let mut command = machine.run_scrubbed(&tar);
    command.args(["--extract", "--no-same-owner"]).arg("--file").arg(from).arg("--directory").arg(&partial);
    let unpacked = capture(&mut command).map_err(KitError::from).and_then(|_| {
        let aside = Store::at(partial.clone());
        let found = aside.installed().into_iter().find(|found| is_private(&found.path) && found.is_complete);
        found.ok_or_else(|| KitError::NotAKit { path: from.to_owned() })
    });
    let place = unpacked.and_then(|found| {
        let name = found.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let place = store.replace(&lock, &found.path, name)?;
        store.keep_only(&lock, PRIVATE, name)?;
        Ok(place)
    });
    store.discard_partial(&lock)?;
    place
}

fn is_private(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PRIVATE))
}
