//! Speaks to a live run.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pack_abi::Value;

use super::socket::Sockets;
pub(crate) use super::wire::LiveActor;
use super::wire::{LINE_BYTES_MAX, Reply, Request, read_line, written};
use crate::ui::error::CliError;

/// How long to wait for an answer that the run has at hand.
const PATIENCE: Duration = Duration::from_secs(10);

/// A live run that can be spoken to.
pub(crate) struct Connection {
    run_id: String,
    sockets: Sockets,
}

/// Returns the run that is meant: the one that is named, by as much of its id as is unique, or the only one.
///
/// # Errors
/// Fails if there is none, or if it cannot be told which.
pub(crate) fn choose(sockets: &Sockets, wanted: Option<&str>) -> Result<Connection, CliError> {
    let live = sockets.live()?;
    let wanted = wanted.unwrap_or("");
    let mut fitting: Vec<&String> = live.iter().filter(|id| id.starts_with(wanted)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(id), true) => Ok(Connection { run_id: id.clone(), sockets: sockets.clone() }),
        (Some(last), false) => {
            let ids: Vec<&str> = fitting.iter().map(|id| id.as_str()).chain([last.as_str()]).collect();
            Err(CliError::environment(format!("{} runs are live: {}", ids.len(), ids.join(", ")))
                .hint("name one with --run"))
        }
        (None, _) if wanted.is_empty() => Err(CliError::environment("no run is live")
            .hint("`theater run --keep DIR` starts one that stays; `theater runs` lists what was recorded")),
        (None, _) => Err(CliError::environment(format!("no live run begins with `{wanted}`"))
            .hint("`theater ps` lists the live runs")),
    }
}

impl Connection {
    /// Returns the run's id.
    pub(crate) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Returns the live actors, parents before their children.
    pub(crate) fn actors(&self) -> Result<Vec<LiveActor>, CliError> {
        match self.speak(&Request::Actors {}, &[], Some(PATIENCE))? {
            Said { reply: Reply::Actors(actors), .. } => Ok(actors),
            said => Err(said.unexpected()),
        }
    }

    /// Sends a message.
    pub(crate) fn send(&self, to: &str, data: &[u8]) -> Result<(), CliError> {
        self.speak(&Request::Send { to: to.to_owned() }, data, Some(PATIENCE))?.done()
    }

    /// Sends a request and returns the answer.
    pub(crate) fn ask(&self, to: &str, data: &[u8], timeout: Duration) -> Result<Vec<u8>, CliError> {
        let (timeout_ms, patience) = patience(timeout);
        match self.speak(&Request::Ask { to: to.to_owned(), timeout_ms }, data, Some(patience))? {
            Said { reply: Reply::Bytes, body } => Ok(body),
            said => Err(said.unexpected()),
        }
    }

    /// Ends an actor in order, and returns when it has ended.
    pub(crate) fn stop(&self, actor: &str) -> Result<(), CliError> {
        self.end(&Request::Stop { actor: actor.to_owned() })
    }

    /// Ends an actor at once, and returns when it has ended.
    pub(crate) fn kill(&self, actor: &str) -> Result<(), CliError> {
        self.end(&Request::Kill { actor: actor.to_owned() })
    }

    fn end(&self, request: &Request) -> Result<(), CliError> {
        match self.exchange(request, &[], None) {
            Ok(said) => said.done(),
            // The run ended with its root, before it could say so.
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(self.lost(error)),
        }
    }

    /// Returns an actor's state.
    pub(crate) fn state(&self, actor: &str, timeout: Duration) -> Result<Value, CliError> {
        let (timeout_ms, patience) = patience(timeout);
        match self.speak(&Request::State { actor: actor.to_owned(), timeout_ms }, &[], Some(patience))? {
            Said { reply: Reply::Bytes, body } => pack_abi::decode(&body)
                .map_err(|error| CliError::environment("the state is of no known form").because(error)),
            said => Err(said.unexpected()),
        }
    }

    fn speak(&self, request: &Request, data: &[u8], patience: Option<Duration>) -> Result<Said, CliError> {
        self.exchange(request, data, patience).map_err(|error| self.lost(error))
    }

    fn exchange(&self, request: &Request, data: &[u8], patience: Option<Duration>) -> io::Result<Said> {
        let connected = self.sockets.connect(&self.run_id).map_err(io::Error::other)?;
        let mut stream = connected.ok_or(io::ErrorKind::ConnectionRefused)?;
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&written(request, data)?)?;
        hear(stream)
    }

    fn lost(&self, error: io::Error) -> CliError {
        if is_gone(&error) {
            let what = format!("the run {} ended before it answered", self.run_id);
            return CliError::failed(what).hint(format!("see how: theater events {}", self.run_id));
        }
        CliError::io(format!("failed to speak to the run {}", self.run_id), error)
    }
}

/// Returns what the run is told of how long to wait, and how long to wait for the run.
fn patience(timeout: Duration) -> (u64, Duration) {
    let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    (timeout_ms, timeout.saturating_add(PATIENCE))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
    )
}

/// What the run said.
struct Said {
    reply: Reply,
    body: Vec<u8>,
}

impl Said {
    fn done(self) -> Result<(), CliError> {
        match self.reply {
            Reply::Done => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn unexpected(self) -> CliError {
        match self.reply {
            Reply::Failed(why) => CliError::failed(why),
            other => CliError::environment(format!("the run answers something else: {other:?}"))
                .hint("it may be of another version of theater"),
        }
    }
}

fn hear(stream: UnixStream) -> io::Result<Said> {
    let mut reader = BufReader::new(stream).take(LINE_BYTES_MAX);
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (reply, length) = read_line(&line)?;
    reader.set_limit(length);
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Said { reply, body })
}
