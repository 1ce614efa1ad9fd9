//! Where the packages of children come from: a manifest, and the file that it names.

use std::path::{Path, PathBuf};

use crate::limits;
use crate::link::ActorSpec;
use crate::manifest::{Manifest, ManifestError, PackageRef};

/// Finds what an actor is made from, by its manifest. It may take its time: it is asked on a thread of its own.
pub trait Packages: Send + Sync {
    /// Reads a manifest and its package.
    ///
    /// # Errors
    /// Fails if one of them is not there, or is not what it should be.
    fn load(&self, manifest: &Path) -> Result<ActorSpec, LoadError>;
}

/// A manifest that leads to no actor.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The manifest is of no use.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It names no package.
    #[error("{0} names no package")]
    NoPackage(PathBuf),
    /// The package is not the one that is pinned.
    #[error("{path} has the SHA-256 {found}, the manifest pins {pinned}")]
    OtherBytes {
        /// The package.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The hash that it must have.
        pinned: String,
    },
    /// It cannot be built.
    #[error("{0}")]
    Build(String),
}

/// Packages as files: every manifest names one.
pub struct PackageFiles;

impl Packages for PackageFiles {
    fn load(&self, manifest: &Path) -> Result<ActorSpec, LoadError> {
        let text = read(manifest, limits::MANIFEST_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|error| LoadError::File {
            path: manifest.to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        let parsed = Manifest::parse(&text, manifest)?;
        let package = parsed.package.as_ref().ok_or_else(|| LoadError::NoPackage(manifest.to_owned()))?;
        let wasm = read_pinned(package)?;
        let state = parsed.initial_state()?;
        Ok(ActorSpec { manifest: parsed, manifest_text: text.into_bytes(), wasm, state })
    }
}

fn read_pinned(package: &PackageRef) -> Result<Vec<u8>, LoadError> {
    let wasm = read(&package.path, limits::PACKAGE_BYTES_MAX)?;
    let found = theater_chain::Hash::of_blob(&wasm).0;
    match package.sha256 {
        Some(pinned) if pinned != found => Err(LoadError::OtherBytes {
            path: package.path.clone(),
            found: theater_chain::Hash(found).to_string(),
            pinned: theater_chain::Hash(pinned).to_string(),
        }),
        Some(_) | None => Ok(wasm),
    }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, LoadError> {
    crate::manifest::read_bounded(path, most)
        .map_err(|source| LoadError::File { path: path.to_owned(), source })
}
