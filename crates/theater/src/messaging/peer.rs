//! An actor as others see it: where it lives, what it takes, and its mailbox.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use pack::ExportIndex;
use theater_chain::{Cause, ChainIndex, Hash};

use super::activity::Activity;
use super::callback::{Callback, Callbacks};
use super::mailbox::{Bounds, Mailbox};
use super::waits::Waits;
use crate::actor::ActorPath;
use crate::run::Run;

/// What a peer is made of.
pub(crate) struct PeerParts {
    pub(crate) path: ActorPath,
    pub(crate) incarnation: u32,
    pub(crate) chain: ChainIndex,
    pub(crate) parent: Option<Weak<Peer>>,
    pub(crate) callbacks: Callbacks,
    pub(crate) bounds: Bounds,
    pub(crate) name: String,
    pub(crate) package: Hash,
}

/// A live actor, as others see it.
pub(crate) struct Peer {
    parts: PeerParts,
    mailbox: Mailbox,
    run: Weak<Run>,
    waits: Arc<Waits>,
    /// Replies that this actor gave, and those of them that came too late.
    replies: AtomicU64,
    replies_dead: AtomicU64,
    /// The event with which it ended.
    exit: OnceLock<u64>,
    pub(crate) vitals: Vitals,
}

/// What is told of an actor while it lives; written by its task.
#[derive(Default)]
pub(crate) struct Vitals {
    pub(crate) memory_bytes: AtomicU64,
    pub(crate) fuel: AtomicU64,
    pub(crate) calls: AtomicU64,
}

impl Peer {
    pub(crate) fn new(parts: PeerParts, run: &Arc<Run>, activity: &Arc<Activity>) -> Arc<Self> {
        let mailbox = Mailbox::new(parts.bounds, Arc::clone(activity));
        Arc::new(Self {
            parts,
            mailbox,
            run: Arc::downgrade(run),
            waits: Arc::clone(run.waits()),
            replies: AtomicU64::new(0),
            replies_dead: AtomicU64::new(0),
            exit: OnceLock::new(),
            vitals: Vitals::default(),
        })
    }

    pub(crate) fn path(&self) -> &ActorPath {
        &self.parts.path
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.parts.incarnation
    }

    pub(crate) fn chain(&self) -> ChainIndex {
        self.parts.chain
    }

    pub(crate) fn name(&self) -> &str {
        &self.parts.name
    }

    pub(crate) fn package(&self) -> Hash {
        self.parts.package
    }

    pub(crate) fn parent(&self) -> Option<Arc<Self>> {
        self.parts.parent.as_ref()?.upgrade()
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(crate) fn callback(&self, callback: Callback) -> Option<ExportIndex> {
        self.parts.callbacks.get(callback)
    }

    pub(crate) fn run(&self) -> Option<Arc<Run>> {
        self.run.upgrade()
    }

    pub(crate) fn waits(&self) -> &Arc<Waits> {
        &self.waits
    }

    /// Returns an event of this actor as the cause of something.
    pub(crate) fn event(&self, seq: u64) -> Cause {
        Cause { chain: self.parts.chain, seq }
    }

    /// Returns the name of what an event of this actor began: a request or a channel.
    pub(crate) fn event_id(&self, seq: u64) -> String {
        format!("{}#{}:{seq}", self.parts.path, self.parts.incarnation)
    }

    /// Says which event was the last.
    pub(crate) fn set_exit(&self, seq: u64) {
        // An actor ends once, and then the number is there already.
        self.exit.get_or_init(|| seq);
    }

    /// Returns the event with which it ended, if it has.
    pub(crate) fn exit(&self) -> Option<Cause> {
        self.exit.get().map(|seq| self.event(*seq))
    }

    /// Counts a reply that this actor gives.
    pub(crate) fn replied(&self) {
        self.replies.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that a reply which was counted did not reach who asked.
    pub(crate) fn reply_was_lost(&self) {
        self.replies_dead.fetch_add(1, Ordering::Release);
    }

    /// Returns what became of the messages to this actor and of its replies.
    pub(crate) fn tally(&self) -> super::Tally {
        let mut tally = self.mailbox.tally();
        // A reply is counted before it is counted as dead: in this order there are never more dead ones.
        let dead = self.replies_dead.load(Ordering::Acquire);
        let replies = self.replies.load(Ordering::Relaxed);
        tally.sent += replies;
        tally.dead += dead;
        tally.handled += replies - dead;
        tally
    }
}
