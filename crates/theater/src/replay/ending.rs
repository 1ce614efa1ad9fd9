//! Which ends of an actor follow from what it did last: a recorded end that does not is a difference.

use theater_chain::{Exit, ExitReason};

use crate::actor::TrapRecord;
use crate::render;

/// Characters of a reason in a report.
const REASON_CHARS: usize = 2000;

/// What the actor did last, as far as it decides how it may have ended.
pub(crate) enum Last {
    /// No call yet.
    NotStarted,
    /// A call that went well, or whose error was an answer.
    Fine,
    /// A later call returned an error, which may be the end.
    Failed(String),
    /// The runtime decided that this is the end: a child did not start.
    Decided(String),
    /// The first call returned an error, which is the end.
    EntryError(String),
    /// The one call that the actor was started for went well, which is the end.
    Answered,
    /// A call was dropped, which is the end.
    Dropped,
    /// A call trapped, which is the end, for this reason.
    Trap(ExitReason, Option<TrapRecord>),
}

impl Last {
    /// Returns the end that this leads to, if it contradicts the recorded one. `shutdown` is what the actor asked
    /// to end with in its last call. What the host alone decides (kill, deadline, host fault) is taken as recorded.
    pub(crate) fn contradicts(&self, exit: &Exit, shutdown: Option<&Option<Vec<u8>>>) -> Option<String> {
        if !self.allows(&exit.reason) {
            return Some(render::shorten(&self.told(), REASON_CHARS));
        }
        let is_fault = matches!(exit.reason, ExitReason::HostFault(_));
        match (self, shutdown) {
            (Self::Fine | Self::Answered | Self::Failed(_) | Self::Decided(_), Some(result)) if !is_fault => {
                let is_asked = exit.reason == ExitReason::Normal && exit.result == *result;
                (!is_asked).then(|| "the actor asked to end with another result".to_owned())
            }
            (Self::Fine | Self::Answered | Self::Failed(_) | Self::Decided(_), _) => None,
            (Self::Trap(_, Some(trap)), _) if exit.result.is_none() => differing_detail(trap, exit),
            (Self::Trap(..) | Self::EntryError(_) | Self::Dropped | Self::NotStarted, _) => {
                exit.result.is_some().then(|| "the actor ended without a result".to_owned())
            }
        }
    }

    /// Returns whether no other call can follow.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::EntryError(_) | Self::Answered | Self::Decided(_) => true,
            Self::NotStarted | Self::Fine | Self::Failed(_) | Self::Dropped | Self::Trap(..) => false,
        }
    }

    fn allows(&self, recorded: &ExitReason) -> bool {
        let by_host = matches!(recorded, ExitReason::HostFault(_) | ExitReason::Killed);
        match self {
            Self::Trap(reason, _) => reason == recorded,
            Self::EntryError(text) => matches!(recorded, ExitReason::Error(recorded) if recorded == text),
            Self::Dropped | Self::NotStarted => by_host || matches!(recorded, ExitReason::Limit(_)),
            Self::Decided(text) => {
                by_host || matches!(recorded, ExitReason::Error(recorded) if recorded == text)
            }
            Self::Failed(text) if matches!(recorded, ExitReason::Error(_)) => {
                matches!(recorded, ExitReason::Error(recorded) if recorded == text)
            }
            Self::Fine | Self::Answered | Self::Failed(_) => {
                by_host || matches!(recorded, ExitReason::Normal | ExitReason::Shutdown)
            }
        }
    }

    fn told(&self) -> String {
        match self {
            Self::NotStarted => "its first call was never made".to_owned(),
            Self::Fine | Self::Answered => "the last call went well".to_owned(),
            Self::EntryError(text) | Self::Failed(text) | Self::Decided(text) => {
                ExitReason::Error(text.clone()).to_string()
            }
            Self::Dropped => "a dropped call".to_owned(),
            Self::Trap(reason, _) => reason.to_string(),
        }
    }
}

/// Compares what the exit says of a trap with the trap.
fn differing_detail(trap: &TrapRecord, exit: &Exit) -> Option<String> {
    let recorded = exit.detail.as_ref()?;
    let here = trap.exit_detail(recorded.function.as_deref());
    (here != *recorded).then(|| trap.to_string())
}
