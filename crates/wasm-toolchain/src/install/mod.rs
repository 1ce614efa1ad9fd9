//! The ways to get a wasm32 library that is not there: rustup, the compiler's sources, the distribution's packages.

pub(crate) mod packages;
pub(crate) mod rustup;
pub(crate) mod sources;
