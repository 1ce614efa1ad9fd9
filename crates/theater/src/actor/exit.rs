//! How an actor ended, for the run's outcome and for people.

use std::fmt;

use theater_chain::ExitReason;

use super::{ActorPath, TrapRecord};
use crate::render;

/// The end of one incarnation.
#[derive(Clone, Debug)]
pub struct ExitReport {
    /// The actor.
    pub actor: ActorPath,
    /// Which of its lives ended, from 1.
    pub incarnation: u32,
    /// Why.
    pub reason: ExitReason,
    /// The data that the actor ended with, if it gave any.
    pub result: Option<Vec<u8>>,
    /// What the one function returned that the actor was started for, encoded; [`crate::link_call`] tells of them.
    pub answer: Option<Vec<u8>>,
    /// What a person needs to understand an abnormal end.
    pub crash: Option<CrashReport>,
}

/// Returns whether a reason is an orderly end.
#[must_use]
pub fn is_orderly(reason: &ExitReason) -> bool {
    match reason {
        ExitReason::Normal | ExitReason::Shutdown => true,
        ExitReason::Error(_)
        | ExitReason::Trap(_)
        | ExitReason::Limit(_)
        | ExitReason::HostFault(_)
        | ExitReason::Killed
        | ExitReason::NoActor => false,
    }
}

/// An abnormal end, told to a person.
#[derive(Clone, Debug)]
pub struct CrashReport {
    /// Path and incarnation, e.g. `root#1`.
    pub who: String,
    /// The reason, e.g. `trap: the guest reached unreachable`.
    pub reason: String,
    /// What the guest said, with its place.
    pub panic: Option<String>,
    /// Guest frames, innermost first.
    pub backtrace: Vec<String>,
    /// The function that was running and its decoded arguments.
    pub in_hand: Option<String>,
    /// Who sent the message in hand, and with which event.
    pub sent_by: Option<String>,
    /// How many messages were left in the mailbox; they are dead letters.
    pub mailbox: usize,
    /// The children that were ended with it, in that order.
    pub children: Vec<String>,
    /// What was decided about the actor.
    pub decision: String,
    /// The run's name, for the command that shows the place, if the run is kept.
    pub run_id: Option<String>,
    /// Sequence number of the last event before the exit.
    pub seq: u64,
}

/// Returns a text of a guest as it stands in a report: shortened, its lines under each other.
fn indented(text: &str) -> String {
    render::shorten(&text, TEXT_CHARS).replace('\n', "\n            ")
}

/// Characters of a guest's text that a report shows.
const TEXT_CHARS: usize = 2000;
/// Frames that a report shows; the events have all of them.
const FRAMES_SHOWN: usize = 12;

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} crashed", self.who)?;
        writeln!(f, "  reason    {}", indented(&self.reason))?;
        if let Some(panic) = &self.panic {
            writeln!(f, "  panic     {}", indented(panic))?;
        }
        if let Some(in_hand) = &self.in_hand {
            writeln!(f, "  in hand   {in_hand}")?;
        }
        if let Some(sent_by) = &self.sent_by {
            writeln!(f, "  sent by   {sent_by}")?;
        }
        for (number, frame) in self.backtrace.iter().take(FRAMES_SHOWN).enumerate() {
            let label = if number == 0 { "backtrace" } else { "" };
            writeln!(f, "  {label:<9} {frame}")?;
        }
        if self.backtrace.len() > FRAMES_SHOWN {
            writeln!(f, "            and {} more", self.backtrace.len() - FRAMES_SHOWN)?;
        }
        if self.mailbox > 0 {
            writeln!(f, "  mailbox   {} left unhandled", self.mailbox)?;
        }
        if !self.children.is_empty() {
            writeln!(f, "  children  ended with it: {}", self.children.join(", "))?;
        }
        write!(f, "  decision  {}", self.decision)?;
        match &self.run_id {
            Some(run) => {
                write!(f, "\n  look at   theater events {run} --from {}", self.seq.saturating_sub(5))
            }
            None => Ok(()),
        }
    }
}

/// Returns the reason that a trap or a dropped call gives its actor.
pub(crate) fn reason_of(record: &TrapRecord, limits: &crate::manifest::Limits) -> ExitReason {
    let message = record.message.as_deref();
    match record.kind.as_str() {
        "out-of-fuel" => ExitReason::Limit(format!(
            "fuel: the call used up its {} units (`fuel_per_call` in [limits])",
            limits.fuel_per_call
        )),
        "stack-overflow" => ExitReason::Limit("stack: the call stack is used up".to_owned()),
        "host-fault" | "stopped" => {
            ExitReason::HostFault(message.unwrap_or("the host stopped the call").to_owned())
        }
        kind => match record.memory_refused {
            Some(bytes) => ExitReason::Limit(format!(
                "memory: growth to {bytes} bytes was refused, the limit is {} (`memory_bytes` in [limits])",
                limits.memory_bytes
            )),
            None => ExitReason::Trap(match message {
                Some(message) => message.to_owned(),
                None => kind.to_owned(),
            }),
        },
    }
}
