//! What is said through the socket: a line of JSON each way, each followed by as many bytes as it announces.
//!
//! A connection carries one request. The length of both parts is bounded before anything is read into memory.

use std::io;

use serde::{Deserialize, Serialize};

/// Longest line.
pub(super) const LINE_BYTES_MAX: u64 = 1 << 20;
/// Most bytes behind a line.
pub(crate) const BODY_BYTES_MAX: u64 = 64 << 20;

/// What is wanted of a live run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Request {
    /// Who lives in it.
    Actors {},
    /// Send the bytes as a message.
    Send { to: String },
    /// Send the bytes as a request and return the answer.
    Ask { to: String, timeout_ms: u64 },
    /// End an actor after its children, and wait for that.
    Stop { actor: String },
    /// End an actor at once, and wait for that.
    Kill { actor: String },
    /// Return an actor's state.
    State { actor: String, timeout_ms: u64 },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    /// It is done.
    Done,
    /// The answer is in the bytes, or the state as a graph.
    Bytes,
    /// The actors, parents before their children.
    Actors(Vec<LiveActor>),
    /// It failed; the text begins with a code such as `no-actor:`.
    Failed(String),
}

/// One live actor, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LiveActor {
    pub(crate) path: String,
    pub(crate) incarnation: u32,
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    /// Hash of its package, in hexadecimal.
    pub(crate) package: String,
    /// `idle`, `busy`, `waiting` or `ending`.
    pub(crate) state: String,
    /// For whom it waits.
    pub(crate) waits_for: Option<String>,
    pub(crate) queued: u64,
    pub(crate) queued_bytes: u64,
    pub(crate) handled: u64,
    pub(crate) dead: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) fuel: u64,
    pub(crate) calls: u64,
}

/// A line: what it says, and how many bytes follow.
#[derive(Serialize, Deserialize)]
pub(super) struct Line<T> {
    pub(super) schema: String,
    pub(super) said: T,
    pub(super) bytes: u64,
}

pub(super) const SCHEMA: &str = "theater.control.1";

/// Returns a message as it is written.
pub(super) fn written<T: Serialize>(said: T, body: &[u8]) -> io::Result<Vec<u8>> {
    let line = Line { schema: SCHEMA.to_owned(), said, bytes: body.len() as u64 };
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// Reads a line, and the number of bytes behind it.
pub(super) fn read_line<T: for<'a> Deserialize<'a>>(line: &[u8]) -> io::Result<(T, u64)> {
    let malformed = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if line.last() != Some(&b'\n') {
        return Err(malformed(
            "the other side went away in the middle of a line, or it is too long".to_owned(),
        ));
    }
    let line: Line<T> = serde_json::from_slice(line).map_err(|error| malformed(error.to_string()))?;
    if line.schema != SCHEMA {
        return Err(malformed(format!("the other side speaks {:?}, not {SCHEMA}", line.schema)));
    }
    if line.bytes > BODY_BYTES_MAX {
        return Err(malformed(format!("{} bytes are more than {BODY_BYTES_MAX}", line.bytes)));
    }
    Ok((line.said, line.bytes))
}
