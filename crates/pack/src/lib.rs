//! Host side of the Graph ABI: packages, instances and the boundary. The only crate that names wasmtime.
//!
//! [`Engine`] fixes how guests run, [`Package`] is a checked and compiled module, [`PackInstance`] a live
//! one. Whatever crosses between guest and host crosses in [`Boundary`], as encoded bytes.

mod boundary;
mod cache;
mod call;
mod engine;
mod fingerprint;
mod host;
mod import;
mod instance;
mod package;
mod package_error;
mod prepared;
mod trap;
mod types;

pub use boundary::{
    BOUNDARY_VERSION, Boundary, BoundaryFuture, CallEnd, ExportCall, ExportIndex, ImportCall, ImportIndex,
    ImportStep, Stop,
};
pub use cache::CacheDir;
pub use engine::{Engine, EngineError, EngineOptions};
pub use fingerprint::Fingerprint;
pub use instance::{CallError, CallResult, InstanceLimits, InstantiateError, PackInstance, StartError};
pub use package::{ExportFunction, ImportFunction, Package};
pub use package_error::PackageError;
pub use prepared::Prepared;
pub use trap::{Frame, Refusal, Trap, TrapKind};
