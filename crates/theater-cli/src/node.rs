//! What belongs to this machine: its engine and its key, made on first use.

use pack::{CacheDir, Engine, EngineOptions};

use crate::home::Home;
use crate::ui::error::CliError;

/// Instances for commands that start a single actor, or none: reserving less address space starts faster.
pub(crate) const INSTANCES_FEW: u32 = 64;

/// Returns the engine. Every command that runs guests uses this one, so that its limits are always the same.
pub(crate) fn engine(cache: Option<CacheDir>) -> Result<Engine, CliError> {
    let options = EngineOptions { instances_max: INSTANCES_FEW, cache, ..EngineOptions::default() };
    Engine::new(&options).map_err(|error| {
        CliError::environment("the engine cannot be set up").because(error).hint("`theater doctor` looks for the reason")
    })
}

/// Returns an engine that keeps compiled code in the home; without a home it compiles anew.
pub(crate) fn engine_with_cache(home: &Home, key: [u8; 32]) -> Result<Engine, CliError> {
    engine(Some(CacheDir { path: home.cache(), key }))
}
