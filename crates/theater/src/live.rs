//! A live run as others see and reach it: who lives in it, and messages and orders from outside.
//!
//! What comes from outside is recorded with its origin in the run's own chain, and is the cause of what follows from it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pack_abi::Value;
use theater_chain::{ChainIndex, Hash};

use crate::actor::ActorPath;
use crate::messaging::{
    ActivityGuard, Body, Callback, DeadLetter, Depth, Message, MessageError, Order, Peer, Tally, WaitEdge,
    awaiting,
};
use crate::run::Run;

/// What an actor is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Nothing: it waits for a message.
    Idle,
    /// A call runs in it, or it starts.
    Busy,
    /// A call in it waits for another actor.
    Waiting(ActorPath),
    /// It ends, after its children.
    Ending,
}

/// One live actor.
#[derive(Clone, Debug)]
pub struct ActorStatus {
    /// Its path.
    pub path: ActorPath,
    /// Which of its lives, from 1.
    pub incarnation: u32,
    /// Its chain.
    pub chain: ChainIndex,
    /// The actor that started it; none for the root.
    pub parent: Option<ActorPath>,
    /// The name in its manifest.
    pub name: String,
    /// Hash of its package.
    pub package: Hash,
    /// What it is doing.
    pub doing: Doing,
    /// How many messages wait.
    pub queued: usize,
    /// Bytes of the messages that wait, or that a sender is about to put in.
    pub queued_bytes: u64,
    /// What became of the messages to it, and of its replies.
    pub messages: Tally,
    /// Bytes of its memory after its last call.
    pub memory_bytes: u64,
    /// Fuel that its calls have used.
    pub fuel: u64,
    /// Calls that returned.
    pub calls: u64,
}

/// Keeps a run from ending because nothing is left to do.
#[derive(Clone)]
pub struct KeepAlive {
    _guard: ActivityGuard,
}

/// A message from outside.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    /// Where it comes from, such as `socket`; it is recorded.
    pub origin: &'a str,
    /// The path of whom it is for.
    pub to: &'a str,
    /// Its bytes.
    pub data: &'a [u8],
}

/// A live run. Clones are of the same run; none of them keeps it going.
#[derive(Clone)]
pub struct LiveRun {
    run: Arc<Run>,
}

impl LiveRun {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self { run }
    }

    /// Returns the run's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.run.options.run_id
    }

    /// Keeps the root from ending because nothing is left to do; none if there is no root.
    #[must_use]
    pub fn keep_alive(&self) -> Option<KeepAlive> {
        let root = self.run.directory.find(ActorPath::root().as_str())?;
        Some(KeepAlive { _guard: ActivityGuard::new(root.mailbox().activity()) })
    }

    /// Returns the live actors, parents before their children.
    #[must_use]
    pub fn actors(&self) -> Vec<ActorStatus> {
        self.run.directory.all().iter().map(|peer| self.status(peer)).collect()
    }

    fn status(&self, peer: &Arc<Peer>) -> ActorStatus {
        let Depth { messages: queued, bytes: queued_bytes, is_busy } = peer.mailbox().depth();
        let doing = match (peer.mailbox().is_closed(), is_busy) {
            (true, _) => Doing::Ending,
            (false, false) => Doing::Idle,
            (false, true) => self.run.waits().holder(peer.chain()).map_or(Doing::Busy, Doing::Waiting),
        };
        ActorStatus {
            path: peer.path().clone(),
            incarnation: peer.incarnation(),
            chain: peer.chain(),
            parent: peer.parent().map(|parent| parent.path().clone()),
            name: peer.name().to_owned(),
            package: peer.package(),
            doing,
            queued,
            queued_bytes,
            messages: peer.tally(),
            memory_bytes: peer.vitals.memory_bytes.load(Ordering::Relaxed),
            fuel: peer.vitals.fuel.load(Ordering::Relaxed),
            calls: peer.vitals.calls.load(Ordering::Relaxed),
        }
    }

    /// Returns what became of all messages of the run so far.
    #[must_use]
    pub fn messages(&self) -> Tally {
        self.run.tally()
    }

    /// Returns the latest dead letters, oldest first; the run's own chain has all of them.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.run.dead_letters()
    }

    /// Sends a message, without waiting.
    ///
    /// # Errors
    /// Fails as a message between actors does.
    pub fn send(&self, command: &Command<'_>) -> Result<(), MessageError> {
        let peer = self.find(command.to, Callback::Send)?;
        let _active = ActivityGuard::new(peer.mailbox().activity());
        let slot = peer.reserve(command.data.len() as u64)?;
        let cause = self.record(command, "send")?;
        slot.fill(Message {
            cause: Some(cause),
            sender: None,
            body: Body::Send { data: command.data.into() },
        });
        Ok(())
    }

    /// Sends a request and waits for its answer, at most so long.
    ///
    /// # Errors
    /// Fails as a request between actors does.
    pub async fn ask(&self, command: &Command<'_>, timeout: Duration) -> Result<Vec<u8>, MessageError> {
        let peer = self.find(command.to, Callback::Request)?;
        let _active = ActivityGuard::new(peer.mailbox().activity());
        let slot = peer.reserve(command.data.len() as u64)?;
        let cause = self.record(command, "request")?;
        let (reply, answer) = awaiting(None, &peer, WaitEdge::none());
        let id = format!("/#1:{}", cause.seq);
        let body = Body::Request { id, data: command.data.into(), reply };
        slot.fill(Message { cause: Some(cause), sender: None, body });
        answer.within(millis(timeout), "answer").await.result
    }

    /// Returns an actor's state, an encoded graph, as it is between two calls: after the one in hand, which is waited
    /// for at most so long. No event tells of that.
    ///
    /// # Errors
    /// Fails if there is no such actor, if it ends meanwhile or takes too long, or if too many want to see it.
    pub async fn state(&self, path: &str, within: Duration) -> Result<Vec<u8>, MessageError> {
        let peer = self.run.find(path)?;
        match tokio::time::timeout(within, peer.look()?).await {
            Ok(seen) => seen.map_err(|_| MessageError::NoActor(path.to_owned())),
            Err(_) => {
                let actor = peer.path().clone();
                Err(MessageError::Timeout { what: "state", actor, timeout_ms: millis(within) })
            }
        }
    }

    /// Tells an actor to end after the call in hand, its children first, and waits for that.
    ///
    /// # Errors
    /// Fails if there is no such actor.
    pub async fn stop(&self, origin: &str, path: &str) -> Result<(), MessageError> {
        self.order((origin, "stop"), path, Order::Stop).await
    }

    /// Ends an actor at its next fuel yield or pending host call, and its children, and waits for that.
    ///
    /// # Errors
    /// Fails if there is no such actor.
    pub async fn kill(&self, origin: &str, path: &str) -> Result<(), MessageError> {
        self.order((origin, "kill"), path, Order::Kill).await
    }

    async fn order(
        &self,
        (origin, kind): (&str, &str),
        path: &str,
        order: Order,
    ) -> Result<(), MessageError> {
        let peer = self.run.find(path)?;
        self.record(&Command { origin, to: path, data: &[] }, kind)?;
        peer.mailbox().order(order);
        peer.mailbox().left().await;
        Ok(())
    }

    fn find(&self, path: &str, callback: Callback) -> Result<Arc<Peer>, MessageError> {
        let peer = self.run.find(path)?;
        if peer.callback(callback).is_none() {
            let actor = peer.path().clone();
            return Err(MessageError::Unsupported { actor, callback: callback.symbol() });
        }
        Ok(peer)
    }

    /// Records what comes from outside before it is done.
    fn record(&self, command: &Command<'_>, kind: &str) -> Result<theater_chain::Cause, MessageError> {
        let fields = vec![
            ("origin", Value::from(command.origin)),
            ("kind", Value::from(kind)),
            ("to", Value::from(command.to)),
            ("data", Value::Bytes(command.data.into())),
        ];
        let decision = Value::record("command", fields);
        self.run.decide(&decision).map_err(|error| MessageError::Recording(error.to_string()))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
