//! The way back of an answer: who gives it, who waits for it, and what becomes of one that comes too late.

use std::sync::Arc;
use std::time::Duration;

use theater_chain::Cause;
use tokio::sync::oneshot;

use super::dead::{DeadLetter, DeadReason};
use super::error::MessageError;
use super::message::MessageKind;
use super::peer::Peer;
use super::waits::WaitEdge;
use crate::actor::ActorPath;

/// An answer, with the event that gave it.
#[derive(Debug)]
pub struct Reply<T = Vec<u8>> {
    /// What was answered, or why there is no answer.
    pub result: Result<T, MessageError>,
    /// The event that answers; none if nobody did.
    pub cause: Option<Cause>,
}

impl<T> Reply<T> {
    /// Returns the reply with another result.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Reply<U> {
        Reply { result: self.result.map(map), cause: self.cause }
    }
}

/// The duty to answer.
pub(crate) struct ReplyTo<T = Vec<u8>> {
    sender: oneshot::Sender<Reply<T>>,
    edge: WaitEdge,
    asker: Option<ActorPath>,
}

/// The right to an answer. One that has arrived and is not taken becomes a dead letter.
pub(crate) struct Awaiting<T = Vec<u8>> {
    receiver: oneshot::Receiver<Reply<T>>,
    edge: WaitEdge,
    asker: Option<ActorPath>,
    holder: Arc<Peer>,
}

/// Returns both ends of one answer, which `holder` owes to `asker`.
pub(crate) fn awaiting<T>(
    asker: Option<ActorPath>,
    holder: &Arc<Peer>,
    edge: WaitEdge,
) -> (ReplyTo<T>, Awaiting<T>) {
    let (sender, receiver) = oneshot::channel();
    let reply_to = ReplyTo { sender, edge: edge.clone(), asker: asker.clone() };
    (reply_to, Awaiting { receiver, edge, asker, holder: Arc::clone(holder) })
}

impl<T> ReplyTo<T> {
    /// Answers; returns whether somebody still waited. `by` is who answers.
    pub(crate) fn answer(self, by: &Peer, reply: Reply<T>) -> bool {
        // Who was waited for goes on before the one who waits: it may well ask that one next.
        self.edge.remove();
        let cause = reply.cause;
        by.replied();
        let is_delivered = self.sender.send(reply).is_ok();
        if !is_delivered {
            by.reply_was_lost();
            if let Some(run) = by.run() {
                run.record_dead(&late(self.asker.as_ref(), by, cause));
            }
        }
        is_delivered
    }

    /// Returns whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }
}

impl<T> Awaiting<T> {
    /// Waits for the answer, at most so long.
    pub(crate) async fn within(mut self, timeout_ms: u64, what: &'static str) -> Reply<T> {
        let time = Duration::from_millis(timeout_ms);
        match tokio::time::timeout(time, &mut self.receiver).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => self.lost(),
            Err(_) => {
                // It may have come at the last moment.
                self.receiver.close();
                match self.receiver.try_recv() {
                    Ok(reply) => reply,
                    Err(_) => {
                        let actor = self.holder.path().clone();
                        Reply { result: Err(MessageError::Timeout { what, actor, timeout_ms }), cause: None }
                    }
                }
            }
        }
    }

    fn lost(&self) -> Reply<T> {
        let reason = "its task is gone".to_owned();
        Reply { result: Err(MessageError::Ended { actor: self.holder.path().clone(), reason }), cause: None }
    }
}

impl<T> Drop for Awaiting<T> {
    fn drop(&mut self) {
        self.edge.remove();
        self.receiver.close();
        if let Ok(reply) = self.receiver.try_recv()
            && let Some(run) = self.holder.run()
        {
            self.holder.reply_was_lost();
            run.record_dead(&late(self.asker.as_ref(), &self.holder, reply.cause));
        }
    }
}

fn late(asker: Option<&ActorPath>, by: &Peer, cause: Option<Cause>) -> DeadLetter {
    let to = asker.map_or_else(|| "/".to_owned(), ToString::to_string);
    DeadLetter::new(cause, (Some(by.path().to_string()), to), MessageKind::Reply, DeadReason::Late)
}
