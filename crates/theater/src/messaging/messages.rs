//! What one actor can do with messages: the runtime behind the interface that its guest imports.
//!
//! Every function takes the number of the event that will say so, and nothing is sent before that event is appended:
//! what is to be done then is handed back as a [`Delivery`].

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::callback::Callback;
use super::channel::{Accepted, Channel};
use super::desk::Desk;
use super::error::MessageError;
use super::mailbox::Slot;
use super::message::{Body, Message};
use super::peer::Peer;
use super::reply::{Reply, ReplyTo, awaiting};
use crate::actor::ActorPath;
use crate::limits;

/// What is delivered once the event that says so is appended. One that is dropped was never sent.
pub struct Delivery(Act);

enum Act {
    Fill(Slot, Message),
    Post(Arc<Peer>, Message),
    Answer { reply_to: ReplyTo, by: Arc<Peer>, reply: Reply },
    Nothing,
}

impl Delivery {
    pub(crate) fn perform(self) {
        match self.0 {
            Act::Fill(slot, message) => slot.fill(message),
            Act::Post(peer, message) => peer.post(message),
            Act::Answer { reply_to, by, reply } => {
                reply_to.answer(&by, reply);
            }
            Act::Nothing => {}
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

/// A future that ends with the answer of another actor.
pub type Answering<T> = Pin<Box<dyn Future<Output = Reply<T>> + Send>>;

/// A message that has its slot, or waits for one.
pub enum Sending {
    /// There was room.
    Now(Delivery),
    /// There will be, or the reason why not.
    Later(Pin<Box<dyn Future<Output = Result<Delivery, MessageError>> + Send>>),
}

/// The messages of one actor.
#[derive(Clone)]
pub struct Messages {
    me: Arc<Peer>,
    desk: Arc<Mutex<Desk>>,
}

impl Messages {
    pub(crate) fn new(me: Arc<Peer>, desk: Arc<Mutex<Desk>>) -> Self {
        Self { me, desk }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns who sent the message in hand; none if no actor did.
    #[must_use]
    pub fn sender(&self) -> Option<ActorPath> {
        self.desk().sender.clone()
    }

    /// Sends a message without waiting.
    ///
    /// # Errors
    /// Fails if there is no such actor, it takes no such messages, or its mailbox has no room.
    pub fn send(&self, seq: u64, to: &str, data: &[u8]) -> Result<Delivery, MessageError> {
        let peer = self.find(to, Callback::Send)?;
        let slot = peer.reserve(data.len() as u64)?;
        Ok(self.filling(slot, seq, Body::Send { data: data.into() }))
    }

    /// Sends a message as soon as there is room.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) does except for want of room, and if waiting would be in a circle.
    pub fn send_wait(
        &self,
        seq: u64,
        to: &str,
        data: &[u8],
        timeout_ms: u64,
    ) -> Result<Sending, MessageError> {
        let peer = self.find(to, Callback::Send)?;
        let bytes = data.len() as u64;
        let body = Body::Send { data: data.into() };
        match peer.reserve(bytes) {
            Ok(slot) => return Ok(Sending::Now(self.filling(slot, seq, body))),
            Err(MessageError::Full { .. }) => {}
            Err(other) => return Err(other),
        }
        let edge = self.me.waits().begin(&self.me, &peer)?;
        let me = self.clone();
        let mut room = peer.reserve_later(bytes, edge);
        Ok(Sending::Later(Box::pin(async move {
            match tokio::time::timeout(Duration::from_millis(timeout_ms), room.granted()).await {
                Ok(Some(slot)) => Ok(me.filling(slot, seq, body)),
                Ok(None) => Err(MessageError::NoActor(peer.path().to_string())),
                Err(_) => {
                    let actor = peer.path().clone();
                    Err(MessageError::Timeout { what: "room", actor, timeout_ms })
                }
            }
        })))
    }

    /// Sends a request, and waits for its answer.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) does, and if waiting would be in a circle.
    pub fn request(
        &self,
        seq: u64,
        to: &str,
        data: &[u8],
        timeout_ms: u64,
    ) -> Result<(Delivery, Answering<Vec<u8>>), MessageError> {
        let peer = self.find(to, Callback::Request)?;
        let edge = self.me.waits().begin(&self.me, &peer)?;
        let slot = peer.reserve(data.len() as u64)?;
        let (reply, answer) = awaiting(Some(self.me.path().clone()), &peer, edge);
        let id = self.me.event_id(seq);
        let delivery = self.filling(slot, seq, Body::Request { id, data: data.into(), reply });
        Ok((delivery, Box::pin(answer.within(timeout_ms, "answer"))))
    }

    /// Returns the ids of the requests to this actor that it has not answered yet.
    #[must_use]
    pub fn open_requests(&self) -> Vec<String> {
        self.desk().open_requests()
    }

    /// Answers a request that was put off.
    ///
    /// # Errors
    /// Fails if there is no such request or nobody waits for its answer any more.
    pub fn respond(&self, seq: u64, request: &str, data: &[u8]) -> Result<Delivery, MessageError> {
        self.answer(seq, request, Ok(data.to_vec()))
    }

    /// Gives a request up: who asked hears so.
    ///
    /// # Errors
    /// Fails as [`respond`](Self::respond) does.
    pub fn cancel(&self, seq: u64, request: &str) -> Result<Delivery, MessageError> {
        self.answer(seq, request, Err(MessageError::Cancelled(self.me.path().clone())))
    }

    fn answer(
        &self,
        seq: u64,
        request: &str,
        result: Result<Vec<u8>, MessageError>,
    ) -> Result<Delivery, MessageError> {
        let taken = self.desk().take_request(request);
        let reply_to = taken.ok_or_else(|| MessageError::NoRequest(request.to_owned()))?;
        if reply_to.is_abandoned() {
            return Err(MessageError::Late(request.to_owned()));
        }
        let reply = Reply { result, cause: Some(self.me.event(seq)) };
        Ok(Delivery(Act::Answer { reply_to, by: Arc::clone(&self.me), reply }))
    }

    /// Opens a channel to another actor; the answer is its id.
    ///
    /// # Errors
    /// Fails as [`request`](Self::request) does, and if this actor has as many channels as it may.
    pub fn open_channel(
        &self,
        seq: u64,
        to: &str,
        data: &[u8],
        timeout_ms: u64,
    ) -> Result<(Delivery, Answering<String>), MessageError> {
        let peer = self.find(to, Callback::ChannelOpen)?;
        if self.desk().channels_len() >= limits::CHANNELS_MAX {
            let actor = self.me.path().clone();
            return Err(MessageError::TooMany { actor, most: limits::CHANNELS_MAX, what: "channels" });
        }
        let edge = self.me.waits().begin(&self.me, &peer)?;
        let slot = peer.reserve(data.len() as u64)?;
        let channel = Channel::new(self.me.event_id(seq), &self.me, &peer);
        let (opening, answer) = awaiting(Some(self.me.path().clone()), &peer, edge);
        self.desk().set_opening(Some(Arc::clone(&channel)));
        let body = Body::Open { channel: Arc::clone(&channel), data: data.into(), opening };
        let delivery = self.filling(slot, seq, body);
        let me = self.clone();
        let answering = async move {
            let reply = answer.within(timeout_ms, "answer").await;
            let mut desk = me.desk();
            desk.set_opening(None);
            if reply.result.is_ok() {
                desk.add_channel(&channel);
            } else {
                channel.close(&me.me);
            }
            reply.map(|Accepted| channel.id().to_owned())
        };
        Ok((delivery, Box::pin(answering)))
    }

    /// Sends through a channel without waiting.
    ///
    /// # Errors
    /// Fails if there is no such channel, the other end was closed, or its mailbox has no room.
    pub fn send_on_channel(&self, seq: u64, id: &str, data: &[u8]) -> Result<Delivery, MessageError> {
        let channel = Arc::clone(self.desk().channel(id)?);
        let other = channel.other(&self.me);
        if channel.is_closed(other) {
            return Err(MessageError::ChannelClosed(id.to_owned()));
        }
        let actor = other.path().clone();
        if other.callback(Callback::ChannelMessage).is_none() {
            return Err(MessageError::Unsupported { actor, callback: Callback::ChannelMessage.symbol() });
        }
        let slot = other.reserve(data.len() as u64).map_err(|error| match error {
            MessageError::NoActor(_) => MessageError::ChannelClosed(id.to_owned()),
            other => other,
        })?;
        Ok(self.filling(slot, seq, Body::Data { channel, data: data.into() }))
    }

    /// Closes a channel. What was sent before still arrives.
    ///
    /// # Errors
    /// Fails if there is no such channel.
    pub fn close_channel(&self, seq: u64, id: &str) -> Result<Delivery, MessageError> {
        let taken = self.desk().take_channel(id);
        let channel = taken.ok_or_else(|| MessageError::NoChannel(id.to_owned()))?;
        channel.close(&self.me);
        let other = Arc::clone(channel.other(&self.me));
        if channel.is_closed(&other) {
            return Ok(Delivery(Act::Nothing));
        }
        let message = self.message(seq, Body::Close { channel });
        Ok(Delivery(Act::Post(other, message)))
    }

    /// Finds who is sent to, and whether it takes such messages.
    fn find(&self, path: &str, callback: Callback) -> Result<Arc<Peer>, MessageError> {
        let mut desk = self.desk();
        let peer = match desk.known(path) {
            Some(peer) => peer,
            None => {
                let run = self.me.run().ok_or(MessageError::RunOver)?;
                let peer = run.find(path)?;
                desk.remember(&peer);
                peer
            }
        };
        if peer.callback(callback).is_none() {
            let actor = peer.path().clone();
            return Err(MessageError::Unsupported { actor, callback: callback.symbol() });
        }
        Ok(peer)
    }

    fn message(&self, seq: u64, body: Body) -> Message {
        Message { cause: Some(self.me.event(seq)), sender: Some(self.me.path().clone()), body }
    }

    fn filling(&self, slot: Slot, seq: u64, body: Body) -> Delivery {
        Delivery(Act::Fill(slot, self.message(seq, body)))
    }
}
