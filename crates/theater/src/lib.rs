//! The runtime: actors, handlers, recording and replay.
//!
//! [`link`] connects a package with what its manifest grants, [`TheaterRuntime`] runs and records it,
//! [`replay::replay`] runs it again from its chain alone.

pub mod actor;
pub mod children;
pub mod clock;
pub mod entropy;
pub mod handler;
pub mod limits;
pub mod manifest;
pub mod messaging;
pub mod packages;
pub mod record;
pub mod render;
pub mod replay;

mod directory;
mod launch;
mod link;
mod live;
mod run;
mod runtime;

pub use link::{ActorSpec, LinkError, Linked, OneCall, link, link_call};
pub use live::{ActorStatus, Command, Doing, KeepAlive, LiveRun};
pub use runtime::{CloseError, ClosedRun, Launched, RuntimeOptions, SpawnError, StartError, TheaterRuntime};
