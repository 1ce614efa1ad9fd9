//! Actors: an explicit state, a mailbox and an instance, owned by one task.

mod decision;
mod end;
mod entry;
mod exit;
mod handle;
mod path;
mod runtime;
mod serve;
mod state;
mod trap;

pub use entry::INIT;
pub use exit::{CrashReport, ExitReport, is_orderly};
pub use handle::{ActorControl, ActorHandle, CallFailure};
pub use path::ActorPath;
pub use runtime::ActorRuntime;
pub use state::State;
pub use trap::TrapRecord;

pub(crate) use decision::Decision;
pub(crate) use entry::{Arguments, Entry, init_params};
pub(crate) use exit::reason_of;
pub(crate) use runtime::{ActorParts, instance_limits};
pub(crate) use state::Returned;

/// Where actors' log lines go.
pub trait LogSink: Send + Sync {
    /// Takes one line of an actor's log. It is called after the line is recorded.
    fn log(&self, actor: &ActorPath, text: &str);

    /// Hears of something that a person may want to know, such as an error that a message led to.
    fn warn(&self, actor: &ActorPath, text: &str) {
        tracing::warn!(%actor, text);
    }

    /// Hears of the end of an actor.
    fn ended(&self, report: &ExitReport) {
        tracing::debug!(actor = %report.actor, reason = %report.reason, "actor has ended");
    }
}
