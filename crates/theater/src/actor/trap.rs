//! How the abnormal end of a call is written into the chain and read back.

use std::fmt;

use pack::{Frame, ImportIndex, Trap, TrapKind};
use pack_abi::{Value, WireType};
use theater_chain::{ExitDetail, Outcome};

use crate::record::Route;

/// A trap or a dropped call, as the trap event carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrapRecord {
    /// Stable name of the kind, e.g. `unreachable`, `out-of-fuel`; `dropped` for a dropped call.
    pub kind: String,
    /// Panic text, or what the host has to say.
    pub message: Option<String>,
    /// Guest frames, innermost first.
    pub backtrace: Vec<String>,
    /// Size in bytes of the last growth of memory that the limit refused.
    pub memory_refused: Option<u64>,
    /// The import that was pending when the call was dropped.
    pub pending: Option<String>,
    fuel: u64,
    outcome: Outcome,
}

/// A payload that is no trap record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a trap record")]
pub struct NotATrap;

impl TrapRecord {
    pub(crate) fn of_trap(trap: &Trap) -> Self {
        let (message, outcome) = match &trap.kind {
            TrapKind::HostFault(text) => (Some(text.clone()), Outcome::HostFault),
            TrapKind::Stopped => (trap.message.clone(), Outcome::HostFault),
            _ => (trap.message.clone(), Outcome::Trap),
        };
        Self {
            kind: trap.kind.as_str().to_owned(),
            message,
            backtrace: trap.backtrace.iter().map(frame_text).collect(),
            memory_refused: trap.memory_refused,
            pending: None,
            // The fuel of a call that trapped is not exact, so it is not part of what replay compares.
            fuel: 0,
            outcome,
        }
    }

    pub(crate) fn of_drop(fuel: u64, pending: Option<ImportIndex>, routes: &[Route]) -> Self {
        let pending = pending.map(|import| match routes.get(import.0 as usize) {
            Some(route) => format!("{}.{}", route.interface, route.function),
            None => format!("import {}", import.0),
        });
        Self {
            kind: "dropped".to_owned(),
            message: None,
            backtrace: Vec::new(),
            memory_refused: None,
            pending,
            fuel,
            outcome: Outcome::Dropped,
        }
    }

    /// Returns the fuel up to which a replay of a dropped call has to go; 0 for a trap.
    #[must_use]
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns whether it was the host that ended the call.
    pub(crate) fn is_host_fault(&self) -> bool {
        matches!(self.kind.as_str(), "host-fault" | "stopped")
    }

    /// Returns whether two calls ended in the same way; `exactly` includes the frames, which belong to one
    /// build of a package.
    pub(crate) fn same_end(&self, other: &Self, exactly: bool) -> bool {
        self.kind == other.kind
            && self.message == other.message
            && self.memory_refused == other.memory_refused
            && (!exactly || self.backtrace == other.backtrace)
    }

    /// Returns what the exit event says of the end.
    pub(crate) fn exit_detail(&self, in_hand: Option<&str>) -> ExitDetail {
        ExitDetail {
            function: in_hand.map(str::to_owned),
            panic: self.message.clone(),
            place: self.backtrace.first().cloned(),
            backtrace: self.backtrace.clone(),
            fuel: self.fuel,
        }
    }

    /// Returns the payload of the event: a record.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, pack_abi::EncodeError> {
        let optional =
            |value: &Option<String>| Value::option(WireType::String, value.as_deref().map(Value::from));
        let frames: Vec<Value> = self.backtrace.iter().map(|frame| frame.as_str().into()).collect();
        let fields = vec![
            ("kind", Value::from(self.kind.as_str())),
            ("message", optional(&self.message)),
            ("backtrace", Value::list(WireType::String, frames)),
            ("memory-refused", Value::option(WireType::U64, self.memory_refused.map(Value::U64))),
            ("pending", optional(&self.pending)),
        ];
        pack_abi::encode(&Value::record("trap", fields))
    }

    /// Reads the payload of a trap event.
    ///
    /// # Errors
    /// Fails if the payload is no such record.
    pub fn decode(payload: &[u8], fuel: u64, outcome: Outcome) -> Result<Self, NotATrap> {
        let record: Value = pack_abi::decode(payload).map_err(|_| NotATrap)?;
        let Some(Value::String(kind)) = record.field("kind") else { return Err(NotATrap) };
        let optional = |name: &str| match record.field(name) {
            Some(Value::Option(option)) => Ok(option.value()),
            _ => Err(NotATrap),
        };
        let text = |value: &Value| match value {
            Value::String(text) => Ok((**text).to_owned()),
            _ => Err(NotATrap),
        };
        let memory_refused = match optional("memory-refused")? {
            Some(Value::U64(bytes)) => Some(*bytes),
            Some(_) => return Err(NotATrap),
            None => None,
        };
        let Some(Value::List(backtrace)) = record.field("backtrace") else { return Err(NotATrap) };
        Ok(Self {
            kind: (**kind).to_owned(),
            message: optional("message")?.map(text).transpose()?,
            backtrace: backtrace.items().iter().map(text).collect::<Result<_, _>>()?,
            memory_refused,
            pending: optional("pending")?.map(text).transpose()?,
            fuel,
            outcome,
        })
    }
}

impl fmt::Display for TrapRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(pending) = &self.pending {
            write!(f, " while {pending} was pending")?;
        }
        if let Some(bytes) = self.memory_refused {
            write!(f, " (after memory was refused growth to {bytes} bytes)")?;
        }
        Ok(())
    }
}

fn frame_text(frame: &Frame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{} at {file}:{line}", frame.function),
        (Some(file), None) => format!("{} at {file}", frame.function),
        (None, _) => frame.function.clone(),
    }
}
