//! The runtime: actors, handlers, recording and replay.
//!
//! [`link`] connects a package with what its manifest grants, [`TheaterRuntime`] runs and records it,
//! [`replay::replay`] runs it again from its chain alone.

pub mod actor;
pub mod clock;
pub mod entropy;
pub mod handler;
pub mod limits;
pub mod manifest;
pub mod record;
pub mod render;
pub mod replay;

mod link;
mod runtime;

pub use link::{ActorSpec, LinkError, Linked, OneCall, link, link_call};
pub use runtime::{CloseError, ClosedRun, Launched, RuntimeOptions, SpawnError, StartError, TheaterRuntime};
