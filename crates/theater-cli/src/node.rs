//! What belongs to this machine: its engine and its key, made on first use.

use std::path::Path;

use pack::{CacheDir, Engine, EngineOptions};
use theater::{entropy, limits};
use theater_chain::{KeyError, PublicKey, Signer};

use crate::home::Home;
use crate::ui::error::CliError;

/// How many instances can be alive at once: reserving less address space starts faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// For commands that start a single actor, or none.
    Few,
    /// For an actor that may have children.
    Many,
}

impl Places {
    const fn count(self) -> u32 {
        match self {
            Self::Few => 64,
            Self::Many => 10_000,
        }
    }
}

/// What the key of the cache of compiled code is derived for.
const CACHE_PURPOSE: &str = "cache of compiled code";

/// Returns an engine that compiles anew.
pub(crate) fn engine() -> Result<Engine, CliError> {
    engine_with(None, Places::Few)
}

/// Returns an engine that keeps compiled code in the home, where only this node can put it.
pub(crate) fn engine_with_cache(home: &Home, signer: &Signer, places: Places) -> Result<Engine, CliError> {
    engine_with(Some(CacheDir { path: home.cache(), key: signer.derive(CACHE_PURPOSE) }), places)
}

/// Returns an engine for commands that need no key: without one there is no cache to trust, and none is needed.
pub(crate) fn engine_for_reading(home: &Home) -> Result<Engine, CliError> {
    match public_key(home)? {
        Some(_) => engine_with_cache(home, &signer(home)?, Places::Few),
        None => engine(),
    }
}

fn engine_with(cache: Option<CacheDir>, places: Places) -> Result<Engine, CliError> {
    let (instances_max, table_elements_max) = (places.count(), limits::TABLE_ELEMENTS_MAX);
    let options = EngineOptions { instances_max, table_elements_max, cache, ..EngineOptions::default() };
    Engine::new(&options).map_err(|error| {
        CliError::environment("the engine cannot be set up")
            .because(error)
            .hint("`theater doctor` looks for the reason")
    })
}

/// Returns this node's key; it is made if there is none.
pub(crate) fn signer(home: &Home) -> Result<Signer, CliError> {
    load_or_create(&home.node_key(), home)
}

/// Returns this machine's key as a witness; it is made if there is none.
pub(crate) fn witness_signer(home: &Home) -> Result<Signer, CliError> {
    load_or_create(&home.witness_key(), home)
}

fn load_or_create(path: &Path, home: &Home) -> Result<Signer, CliError> {
    home.create()?;
    let seed = entropy::bytes::<32>()
        .map_err(|error| CliError::environment("failed to make a key").because(error))?;
    Signer::load_or_create(path, &seed).map_err(|error| unusable_key(home, error))
}

/// Returns a key if there is one.
pub(crate) fn load(path: &Path, home: &Home) -> Result<Option<Signer>, CliError> {
    Signer::load(path).map_err(|error| unusable_key(home, error))
}

/// Returns the public half of this node's key, if it has one.
pub(crate) fn public_key(home: &Home) -> Result<Option<PublicKey>, CliError> {
    Ok(load(&home.node_key(), home)?.map(|signer| signer.public_key()))
}

pub(crate) fn unusable_key(home: &Home, error: KeyError) -> CliError {
    match error {
        KeyError::Io { path, source } if path.is_dir() => {
            CliError::environment(format!("{} is a folder, not a key", path.display()))
                .because(source)
                .hint("move it away and the next run makes a key")
        }
        KeyError::Io { source, .. } => home.unusable(source),
        KeyError::ExposedFolder { .. } => CliError::environment(error.to_string())
            .hint("`theater doctor --fix` does it; if others may have put a key there, delete it and a new one is made"),
        KeyError::Exposed { .. } => CliError::environment(error.to_string())
            .hint("`theater doctor --fix` does it; if others may have read it, delete it and a new one is made"),
        KeyError::NotAKey { .. } => CliError::environment(error.to_string())
            .hint("delete it and the next run makes a new one; runs signed with the old one then need `verify --key`"),
    }
}
