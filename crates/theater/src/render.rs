//! Events as people read them: payloads decoded into values, with the state named instead of repeated.
//!
//! Nothing here is hashed or replayed; it serves listings, crash reports and divergences.

use std::fmt::{self, Write};

use pack_abi::Value;
use theater_chain::{Event, Exit, FunctionEntry, Genesis, Hash, Kind, NO_FUNCTION, Outcome, RuntimeGenesis};

use crate::actor::TrapRecord;
use crate::record::{Payload, with_filler};

/// One half of a payload.
#[derive(Clone, Debug)]
pub enum Shown {
    /// There is none.
    Nothing,
    /// A graph value; a state that is not repeated is the variant `state::same` or `state::new(bytes, hash)`.
    Value(Value),
    /// A text.
    Text(String),
    /// Bytes that have no known form.
    Opaque(Vec<u8>),
    /// The payload was removed from the run.
    Redacted,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Value(value) => value.fmt(f),
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Opaque(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Redacted => f.write_str("[redacted]"),
        }
    }
}

/// Returns the name behind an event's function number: `interface.function`, or `-`.
#[must_use]
pub fn function_name(functions: &[FunctionEntry], function: u32) -> String {
    if function == NO_FUNCTION {
        return "-".to_owned();
    }
    match functions.get(function as usize) {
        Some(entry) if entry.interface.is_empty() => entry.name.clone(),
        Some(entry) => format!("{}.{}", entry.interface, entry.name),
        None => format!("function {function}"),
    }
}

/// Returns what went in, decoded.
#[must_use]
pub fn input(event: &Event) -> Shown {
    let Some(bytes) = event.payload.input() else { return Shown::Redacted };
    if bytes.is_empty() {
        return Shown::Nothing;
    }
    match event.header.kind {
        Kind::Call | Kind::Return | Kind::Exchange => spliced(bytes),
        Kind::HostResponse => match bytes.first_chunk() {
            Some(request) => Shown::Text(format!("request {}", u64::from_le_bytes(*request))),
            None => Shown::Opaque(bytes.to_vec()),
        },
        Kind::Snapshot => match <[u8; 32]>::try_from(bytes) {
            Ok(hash) => Shown::Text(format!("state {}", Hash(hash))),
            Err(_) => Shown::Opaque(bytes.to_vec()),
        },
        Kind::Genesis | Kind::HostCall | Kind::HostRequest | Kind::Decision | Kind::Trap | Kind::Exit => {
            graph(bytes)
        }
    }
}

/// Returns what came out, decoded.
#[must_use]
pub fn output(event: &Event) -> Shown {
    let Some(bytes) = event.payload.output() else { return Shown::Redacted };
    if bytes.is_empty() {
        return Shown::Nothing;
    }
    match (event.header.kind, event.header.outcome) {
        (Kind::Return | Kind::Exchange, _) => spliced(bytes),
        (Kind::HostCall | Kind::HostResponse, Outcome::Refused | Outcome::HostFault) => text(bytes),
        _ => graph(bytes),
    }
}

/// Returns a one-line summary of the events that are not crossings, where there is more to say than their value.
#[must_use]
pub fn summary(event: &Event) -> Option<String> {
    let (input, output) = (event.payload.input()?, event.payload.output()?);
    match event.header.kind {
        Kind::Genesis => match Genesis::decode(input) {
            Ok(genesis) => {
                Some(format!("{}#{} package {}", genesis.path, genesis.incarnation, genesis.package.short()))
            }
            Err(_) => RuntimeGenesis::decode(input)
                .ok()
                .map(|genesis| format!("theater {} on {} {}", genesis.version, genesis.os, genesis.arch)),
        },
        Kind::Trap => {
            let header = &event.header;
            let record = TrapRecord::decode(output, header.fuel, header.outcome).ok()?;
            Some(match (&record.message, &record.pending) {
                (Some(message), _) => format!("{}: {message}", record.kind),
                (None, Some(pending)) => format!("{} while {pending} was pending", record.kind),
                (None, None) => record.kind,
            })
        }
        Kind::Exit => Exit::decode(output).ok().map(|exit| exit.reason.to_string()),
        Kind::Call
        | Kind::Return
        | Kind::Exchange
        | Kind::HostCall
        | Kind::HostRequest
        | Kind::HostResponse
        | Kind::Decision
        | Kind::Snapshot => None,
    }
}

/// Returns a call with its arguments, which bring their parentheses along, for a person.
pub(crate) fn call_text(symbol: &str, arguments: &dyn fmt::Display) -> String {
    shorten(&format_args!("{symbol}{arguments}"), IN_HAND_CHARS)
}

/// Characters of the message in hand that a crash report shows.
const IN_HAND_CHARS: usize = 400;

/// Returns at most `most` characters of what is displayed, with a mark where something was left out. Formatting
/// stops there, so a large value costs no more than a small one.
#[must_use]
pub fn shorten(shown: &dyn fmt::Display, most: usize) -> String {
    let mut short = Short { text: String::new(), left: most, cut: false };
    // The only error is our own: there is no room left.
    let complete = write!(short, "{shown}").is_ok();
    if !complete || short.cut {
        short.text.push('…');
    }
    short.text
}

struct Short {
    text: String,
    left: usize,
    cut: bool,
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.left == 0 {
                self.cut = true;
                return Err(fmt::Error);
            }
            self.left -= 1;
            self.text.push(c);
        }
        Ok(())
    }
}

fn graph(bytes: &[u8]) -> Shown {
    match pack_abi::decode(bytes) {
        Ok(value) => Shown::Value(value),
        Err(_) => Shown::Opaque(bytes.to_vec()),
    }
}

fn text(bytes: &[u8]) -> Shown {
    Shown::Text(String::from_utf8_lossy(bytes).into_owned())
}

/// Decodes a payload that may carry the state in one of the short forms.
pub(crate) fn spliced(bytes: &[u8]) -> Shown {
    let (count, rest, state) = match Payload::parse(bytes) {
        Ok(Payload::Graph(bytes)) => return graph(bytes),
        Ok(Payload::Text(bytes)) => return text(bytes),
        Ok(Payload::SameState { node_count, rest }) => (node_count, rest, state_case("same", 0, Vec::new())),
        Ok(Payload::NewState { node_count, state_bytes, state_hash, rest }) => {
            let payload = vec![Value::U32(state_bytes), Value::from(Hash(state_hash).to_string().as_str())];
            (node_count, rest, state_case("new", 1, payload))
        }
        Err(_) => return Shown::Opaque(bytes.to_vec()),
    };
    let decoded = with_filler(count, rest).and_then(|graph| pack_abi::decode::<Value>(&graph).ok());
    match decoded {
        Some(mut value) => {
            put_state(&mut value, state);
            Shown::Value(value)
        }
        None => Shown::Opaque(bytes.to_vec()),
    }
}

fn state_case(case: &str, tag: u32, payload: Vec<Value>) -> Value {
    Value::variant("state", case, tag, payload)
}

/// Puts the name of the state where its filler is: first in the tuple, or first in the tuple of an `ok`.
fn put_state(value: &mut Value, state: Value) {
    match value {
        Value::Tuple(items) => {
            if let Some(first) = items.make_mut().first_mut() {
                *first = state;
            }
        }
        Value::Result(result) => {
            if let Ok(inner) = result.value_mut() {
                put_state(inner, state);
            }
        }
        _ => {}
    }
}
