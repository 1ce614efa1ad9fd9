//! Host side of the Graph ABI: packages, instances and the boundary. The only crate that names wasmtime.
//!
//! [`Engine`] fixes how guests run, [`Package`] is a checked and compiled module, [`PackInstance`] a live
//! one. Whatever crosses between guest and host crosses in [`Boundary`], as encoded bytes.
//!
//! ```
//! use pack::{
//!     Boundary, CallEnd, CallResult, Engine, EngineOptions, ExportCall, ImportCall, ImportStep,
//!     InstanceLimits, PackInstance, Package, Stop,
//! };
//!
//! /// Answers every import with its own input.
//! struct Mirror;
//!
//! impl Boundary for Mirror {
//!     type Answer = ();
//!
//!     fn enter(&mut self, _: ExportCall<'_>) -> Result<(), Stop> {
//!         Ok(())
//!     }
//!
//!     fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<()> {
//!         reply.extend_from_slice(call.input);
//!         ImportStep::Reply
//!     }
//!
//!     fn resume(&mut self, _: ImportCall<'_>, (): (), _: &mut Vec<u8>) -> ImportStep<()> {
//!         ImportStep::Reply
//!     }
//!
//!     fn leave(&mut self, _: ExportCall<'_>, _: CallEnd<'_>) -> Result<(), Stop> {
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm = wat::parse_str(r#"(module
//! #   (import "test:host/calls" "ask" (func $ask (param i32 i32 i32 i32) (result i32)))
//! #   (memory (export "memory") 1)
//! #   (global $top (mut i32) (i32.const 1024))
//! #   (func (export "__pack_alloc") (param i32) (result i32)
//! #     (global.get $top) (global.set $top (i32.add (global.get $top) (local.get 0))))
//! #   (func (export "__pack_free") (param i32 i32))
//! #   (func (export "twice") (param i32 i32 i32 i32) (result i32)
//! #     (call $ask (local.get 0) (local.get 1) (local.get 2) (local.get 3))))"#)?;
//! let engine = Engine::new(&EngineOptions { instances_max: 16, ..EngineOptions::default() })?;
//! let package = Package::load(&engine, &wasm)?;
//! let twice = package.export("twice").ok_or("no such export")?;
//! let prepared = package.prepare()?;
//! let mut instance =
//!     PackInstance::instantiate(&prepared, Mirror, &InstanceLimits::default()).await?;
//! let fuel = 1_000_000;
//! assert_eq!(instance.call(twice, b"an encoded value", fuel).await?, CallResult::Returned(b"an encoded value"));
//! # Ok(())
//! # }
//! ```

mod anatomy;
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
mod resume;
mod signatures;
mod trap;
mod types;

pub use anatomy::{Anatomy, FunctionBody, Producer, Section};
pub use boundary::{
    BOUNDARY_VERSION, Boundary, BoundaryFuture, BoundaryVersion, CallEnd, ExportCall, ExportIndex,
    ImportCall, ImportIndex, ImportStep, Stop, Waiting,
};
pub use cache::CacheDir;
pub use engine::{Engine, EngineError, EngineOptions};
pub use fingerprint::Fingerprint;
pub use instance::{CallError, CallResult, InstanceLimits, InstantiateError, PackInstance, StartError};
pub use package::{ExportFunction, ImportFunction, Package};
pub use package_error::PackageError;
pub use prepared::Prepared;
pub use trap::{Frame, Refusal, Trap, TrapKind};
