//! Answers what is said to a live run. A slow or silent visitor holds its own connection and nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use theater::actor::ActorPath;
use theater::messaging::MessageError;
use theater::{ActorStatus, Command, Doing, LiveRun};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::socket::Listening;
use super::wire::{LINE_BYTES_MAX, LiveActor, Reply, Request, read_line, written};

/// Most visitors at a time; the next ones wait for their turn.
const VISITORS_MAX: usize = 1024;
/// How long a visitor may take to say what it wants, or to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);
/// Where these messages come from, as the run records it.
const ORIGIN: &str = "socket";

/// Answers visitors as long as the async runtime lives: whoever ends the root hears of it by the end of the connection,
/// when the run is closed.
///
/// # Errors
/// Fails if the socket cannot be listened to.
pub(crate) fn serve(listening: Listening, live: LiveRun) -> io::Result<()> {
    listening.listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listening.listener.try_clone()?)?;
    tokio::spawn(async move {
        // The socket's file is there as long as it is listened to.
        let _listening = listening;
        let places = Arc::new(Semaphore::new(VISITORS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let live = live.clone();
                    tokio::spawn(async move {
                        if let Err(error) = attend(stream, &live).await {
                            tracing::info!(%error, "a visitor of the control socket was not served");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the control socket failed");
                    sleep(NO_ROOM).await;
                }
            }
        }
    });
    Ok(())
}

async fn attend(mut stream: UnixStream, live: &LiveRun) -> io::Result<()> {
    let (reply, body) = match timeout(PATIENCE, hear(&mut stream)).await? {
        Ok((request, data)) => answer(live, request, &data).await,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            (Reply::Failed(error.to_string()), Vec::new())
        }
        Err(error) => return Err(error),
    };
    let bytes = written(&reply, &body)?;
    timeout(PATIENCE, async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    })
    .await?
}

async fn hear(stream: &mut UnixStream) -> io::Result<(Request, Vec<u8>)> {
    let mut reader = BufReader::new(stream).take(LINE_BYTES_MAX);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await?;
    let (request, length) = read_line(&line)?;
    reader.set_limit(length);
    // It grows with what arrives, not with what was announced.
    let mut data = Vec::new();
    reader.read_to_end(&mut data).await?;
    if data.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((request, data))
}

async fn answer(live: &LiveRun, request: Request, data: &[u8]) -> (Reply, Vec<u8>) {
    let done = |result: Result<(), _>| match result {
        Ok(()) => (Reply::Done, Vec::new()),
        Err(error) => failed(&error),
    };
    match request {
        Request::Actors {} => (Reply::Actors(live.actors().iter().map(told).collect()), Vec::new()),
        Request::Send { to } => done(live.send(&Command { origin: ORIGIN, to: &to, data })),
        Request::Ask { to, timeout_ms } => {
            let command = Command { origin: ORIGIN, to: &to, data };
            match live.ask(&command, Duration::from_millis(timeout_ms)).await {
                Ok(answer) => (Reply::Bytes, answer),
                Err(error) => failed(&error),
            }
        }
        Request::Stop { actor } => done(closed(&actor, live.stop(ORIGIN, &actor).await).await),
        Request::Kill { actor } => done(closed(&actor, live.kill(ORIGIN, &actor).await).await),
        Request::State { actor, timeout_ms } => {
            match live.state(&actor, Duration::from_millis(timeout_ms)).await {
                Ok(state) => (Reply::Bytes, state),
                Err(error) => failed(&error),
            }
        }
    }
}

/// The end of the root is over when the run is closed, and with it the connection.
async fn closed<E>(actor: &str, ended: Result<(), E>) -> Result<(), E> {
    if ended.is_ok() && actor == ActorPath::root().as_str() {
        return std::future::pending().await;
    }
    ended
}

fn failed(error: &MessageError) -> (Reply, Vec<u8>) {
    (Reply::Failed(error.to_string()), Vec::new())
}

fn told(actor: &ActorStatus) -> LiveActor {
    let (state, waits_for) = match &actor.doing {
        Doing::Idle => ("idle", None),
        Doing::Busy => ("busy", None),
        Doing::Waiting(whom) => ("waiting", Some(whom.to_string())),
        Doing::Ending => ("ending", None),
    };
    LiveActor {
        path: actor.path.to_string(),
        incarnation: actor.incarnation,
        parent: actor.parent.as_ref().map(ToString::to_string),
        name: actor.name.clone(),
        package: actor.package.to_string(),
        state: state.to_owned(),
        waits_for,
        queued: actor.queued as u64,
        queued_bytes: actor.queued_bytes,
        handled: actor.messages.handled,
        dead: actor.messages.dead,
        memory_bytes: actor.memory_bytes,
        fuel: actor.fuel,
        calls: actor.calls,
    }
}
