//! What lies open before one actor: the message in hand, requests without an answer, channels.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::channel::Channel;
use super::error::MessageError;
use super::peer::Peer;
use super::reply::ReplyTo;
use crate::actor::ActorPath;
use crate::limits;

/// The open business of one actor; its task and its handlers share it.
#[derive(Default)]
pub(crate) struct Desk {
    /// Who sent the message in hand.
    pub(crate) sender: Option<ActorPath>,
    requests: BTreeMap<String, ReplyTo>,
    channels: BTreeMap<String, Arc<Channel>>,
    /// The channel that the other side has not accepted yet.
    opening: Option<Arc<Channel>>,
    /// Actors that were sent to before; those that have ended are looked up again.
    known: HashMap<String, Arc<Peer>>,
}

impl Desk {
    /// Finds an actor that was sent to before and still lives.
    pub(crate) fn known(&self, path: &str) -> Option<Arc<Peer>> {
        self.known.get(path).filter(|peer| !peer.mailbox().is_closed()).cloned()
    }

    pub(crate) fn remember(&mut self, peer: &Arc<Peer>) {
        if self.known.len() >= limits::KNOWN_PEERS_MAX {
            self.known.clear();
        }
        self.known.insert(peer.path().to_string(), Arc::clone(peer));
    }

    /// Keeps a request until it is answered.
    pub(crate) fn keep_request(&mut self, id: String, reply: ReplyTo) {
        self.requests.insert(id, reply);
    }

    /// Returns whether so many requests wait that no more can be put off; those that nobody waits for are forgotten.
    pub(crate) fn is_full_of_requests(&mut self) -> bool {
        if self.requests.len() >= limits::OPEN_REQUESTS_MAX {
            self.requests.retain(|_, reply| !reply.is_abandoned());
        }
        self.requests.len() >= limits::OPEN_REQUESTS_MAX
    }

    pub(crate) fn take_request(&mut self, id: &str) -> Option<ReplyTo> {
        self.requests.remove(id)
    }

    /// Returns the requests that somebody waits for.
    pub(crate) fn open_requests(&mut self) -> Vec<String> {
        self.requests.retain(|_, reply| !reply.is_abandoned());
        self.requests.keys().cloned().collect()
    }

    pub(crate) fn take_requests(&mut self) -> Vec<ReplyTo> {
        std::mem::take(&mut self.requests).into_values().collect()
    }

    /// Returns an open channel.
    pub(crate) fn channel(&self, id: &str) -> Result<&Arc<Channel>, MessageError> {
        self.channels.get(id).ok_or_else(|| MessageError::NoChannel(id.to_owned()))
    }

    pub(crate) fn add_channel(&mut self, channel: &Arc<Channel>) {
        self.channels.insert(channel.id().to_owned(), Arc::clone(channel));
    }

    pub(crate) fn take_channel(&mut self, id: &str) -> Option<Arc<Channel>> {
        self.channels.remove(id)
    }

    pub(crate) fn channels_len(&self) -> usize {
        self.channels.len() + usize::from(self.opening.is_some())
    }

    pub(crate) fn set_opening(&mut self, channel: Option<Arc<Channel>>) {
        self.opening = channel;
    }

    /// Returns every channel, also one that is not accepted yet.
    pub(crate) fn take_channels(&mut self) -> Vec<Arc<Channel>> {
        let open = std::mem::take(&mut self.channels).into_values();
        open.chain(self.opening.take()).collect()
    }
}
