//! Actors: an explicit state, a mailbox and an instance, owned by one task.

mod entry;
mod exit;
mod handle;
mod path;
mod runtime;
mod state;
mod trap;

pub use entry::INIT;
pub use exit::{CrashReport, ExitReport, is_orderly};
pub use handle::{ActorControl, ActorHandle, CallFailure};
pub use path::ActorPath;
pub use runtime::ActorRuntime;
pub use state::State;
pub use trap::TrapRecord;

pub(crate) use entry::{Arguments, Entry, init_params};
pub(crate) use exit::reason_of;
pub(crate) use handle::{Control, Message};
pub(crate) use runtime::{ActorParts, instance_limits};
pub(crate) use state::Returned;

/// Where actors' log lines go.
pub trait LogSink: Send + Sync {
    /// Takes one line of an actor's log. It is called after the line is recorded.
    fn log(&self, actor: &ActorPath, text: &str);
}
