//! How an actor ended, in a word and in a sentence.

use theater_chain::ExitReason;

/// Returns the reason's name, as it is recorded.
pub(crate) fn name(reason: &ExitReason) -> &'static str {
    match reason {
        ExitReason::Normal => "normal",
        ExitReason::Shutdown => "shutdown",
        ExitReason::Error(_) => "error",
        ExitReason::Trap(_) => "trap",
        ExitReason::Limit(_) => "limit",
        ExitReason::HostFault(_) => "host-fault",
        ExitReason::Killed => "killed",
        ExitReason::NoActor => "no-actor",
    }
}

/// Returns what more there is to say of it.
pub(crate) fn detail(reason: &ExitReason) -> Option<&str> {
    match reason {
        ExitReason::Error(text)
        | ExitReason::Trap(text)
        | ExitReason::Limit(text)
        | ExitReason::HostFault(text) => Some(text),
        ExitReason::Normal | ExitReason::Shutdown | ExitReason::Killed | ExitReason::NoActor => None,
    }
}
