//! A channel: two actors that send to each other until one of them closes it or ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::peer::Peer;
use super::reply::ReplyTo;

/// A channel between two actors. Its id names the event that opened it.
pub(crate) struct Channel {
    id: String,
    /// The opener, then the one that accepted.
    ends: [End; 2],
}

struct End {
    peer: Arc<Peer>,
    /// Whether this side has closed it, or has ended.
    is_closed: AtomicBool,
}

/// The duty to say whether a channel is accepted.
pub(crate) type Opening = ReplyTo<Accepted>;

/// The channel was accepted; both ends know it now.
pub(crate) struct Accepted;

impl Channel {
    pub(crate) fn new(id: String, opener: &Arc<Peer>, other: &Arc<Peer>) -> Arc<Self> {
        let end = |peer: &Arc<Peer>| End { peer: Arc::clone(peer), is_closed: AtomicBool::new(false) };
        Arc::new(Self { id, ends: [end(opener), end(other)] })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn place(&self, of: &Peer) -> usize {
        usize::from(self.ends[0].peer.chain() != of.chain())
    }

    /// Returns the actor at the other end.
    pub(crate) fn other(&self, than: &Peer) -> &Arc<Peer> {
        &self.ends[1 - self.place(than)].peer
    }

    /// Closes one side; returns whether it was open.
    pub(crate) fn close(&self, side: &Peer) -> bool {
        !self.ends[self.place(side)].is_closed.swap(true, Ordering::AcqRel)
    }

    /// Returns whether one side has closed it.
    pub(crate) fn is_closed(&self, side: &Peer) -> bool {
        self.ends[self.place(side)].is_closed.load(Ordering::Acquire)
    }
}
