//! What the actors of one run share: its journal, its own chain, who lives where, what became of messages.
//!
//! Nothing here is awaited, and no lock is held for longer than it takes to look something up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pack_abi::Value;
use theater_chain::{Cause, ChainIndex, Durability, Hash, Journal, JournalError, Kind, RecordError};

use crate::clock::Clock;
use crate::directory::Directory;
use crate::limits;
use crate::link::Linked;
use crate::messaging::{Body, DeadLetter, DeadReason, Message, MessageError, Peer, Reply, Tally, Waits};
use crate::record::{ActorChain, Crossing};
use crate::runtime::RuntimeOptions;

/// One live run.
pub(crate) struct Run {
    pub(crate) options: RuntimeOptions,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    own: Mutex<ActorChain>,
    /// Packages and manifests that the run holds already.
    kept: Mutex<BTreeSet<Hash>>,
    pub(crate) directory: Directory,
    waits: Arc<Waits>,
    /// Messages of actors that have ended, and to them.
    settled: Mutex<Tally>,
    dead: Mutex<VecDeque<DeadLetter>>,
    /// Manifests that actors were spawned from: each is read once in a run.
    linked: Mutex<BTreeMap<PathBuf, Arc<Linked>>>,
}

/// A decision that cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecisionError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Run {
    pub(crate) fn new(options: RuntimeOptions, journal: Journal, clock: Clock, own: ActorChain) -> Self {
        Self {
            options,
            journal,
            clock,
            own: Mutex::new(own),
            kept: Mutex::default(),
            directory: Directory::default(),
            waits: Arc::default(),
            settled: Mutex::default(),
            dead: Mutex::default(),
            linked: Mutex::default(),
        }
    }

    pub(crate) fn waits(&self) -> &Arc<Waits> {
        &self.waits
    }

    /// Returns the run's id if there will be a run to look at.
    pub(crate) fn kept_run_id(&self) -> Option<String> {
        (self.options.durability != Durability::Memory).then(|| self.options.run_id.clone())
    }

    /// Finds who lives at a path.
    pub(crate) fn find(&self, path: &str) -> Result<Arc<Peer>, MessageError> {
        self.directory.find(path).ok_or_else(|| MessageError::NoActor(path.to_owned()))
    }

    /// Appends to the run's own chain.
    pub(crate) fn append_own(
        &self,
        crossing: Crossing,
        input: &[&[u8]],
        output: &[&[u8]],
    ) -> Result<Cause, JournalError> {
        let mut own = lock(&self.own);
        let seq = own.next_seq();
        own.append(crossing, input, output)?;
        Ok(Cause { chain: ChainIndex(0), seq })
    }

    /// Appends what the runtime decided, with its inputs, before it is done.
    pub(crate) fn decide(&self, decision: &Value) -> Result<Cause, DecisionError> {
        Ok(self.append_own(Crossing::bare(Kind::Decision), &[], &[&encoded(decision)?])?)
    }

    /// Keeps package and manifest with the run, each once.
    pub(crate) fn put_blobs(&self, linked: &Linked) -> Result<(), JournalError> {
        let mut kept = lock(&self.kept);
        let package = Hash(linked.package.hash());
        for (hash, bytes) in
            [(package, &linked.spec.wasm), (linked.manifest_hash, &linked.spec.manifest_text)]
        {
            if !kept.contains(&hash) {
                self.journal.put_blob(bytes)?;
                kept.insert(hash);
            }
        }
        Ok(())
    }

    /// Returns what was linked from a manifest before.
    pub(crate) fn linked(&self, manifest: &std::path::Path) -> Option<Arc<Linked>> {
        lock(&self.linked).get(manifest).cloned()
    }

    /// Keeps what was linked; who was first stays.
    pub(crate) fn keep_linked(&self, manifest: PathBuf, linked: Linked) -> Arc<Linked> {
        Arc::clone(lock(&self.linked).entry(manifest).or_insert_with(|| Arc::new(linked)))
    }

    /// A message did not come into a mailbox.
    pub(crate) fn undelivered(&self, peer: &Arc<Peer>, message: Message, reason: DeadReason) {
        *lock(&self.settled) += Tally { sent: 1, dead: 1, ..Tally::default() };
        self.bury(peer, message, reason, "before it got the message");
    }

    /// Records a message as dead, and answers who waits for its answer.
    pub(crate) fn bury(&self, peer: &Arc<Peer>, message: Message, reason: DeadReason, why: &str) {
        let kind = message.kind();
        let from = message.sender.as_ref().map(ToString::to_string);
        self.record_dead(&DeadLetter::new(message.cause, (from, peer.path().to_string()), kind, reason));
        let ended = || MessageError::Ended { actor: peer.path().clone(), reason: why.to_owned() };
        let cause = peer.exit();
        match message.body {
            Body::Request { reply, .. } => {
                reply.answer(peer, Reply { result: Err(ended()), cause });
            }
            Body::Open { opening, .. } => {
                opening.answer(peer, Reply { result: Err(ended()), cause });
            }
            // The caller hears of it by losing the other half.
            Body::Call { .. } => {}
            Body::Send { .. } | Body::Data { .. } | Body::Close { .. } | Body::Child { .. } => {}
        }
    }

    /// Records a dead letter.
    pub(crate) fn record_dead(&self, letter: &DeadLetter) {
        tracing::debug!(to = letter.to, kind = letter.kind, reason = %letter.reason, "dead letter");
        // A journal that has failed stops every actor at its next event; there is nothing to add here.
        if let Err(error) = self.decide(&letter.to_value()) {
            tracing::error!(%error, "a dead letter was not recorded");
        }
        let mut dead = lock(&self.dead);
        if dead.len() == limits::DEAD_LETTERS_KEPT {
            dead.pop_front();
        }
        dead.push_back(letter.clone());
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.dead).iter().cloned().collect()
    }

    /// An actor has ended: its counts are settled.
    pub(crate) fn settle(&self, peer: &Peer) {
        self.directory.leave(peer.path(), Some(peer));
        *lock(&self.settled) += peer.tally();
    }

    /// Counts the messages of the run.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = *lock(&self.settled);
        for peer in self.directory.all() {
            tally += peer.tally();
        }
        tally
    }
}

pub(crate) fn encoded(decision: &Value) -> Result<Vec<u8>, RecordError> {
    pack_abi::encode(decision).map_err(|source| RecordError::Encode { name: "decision", source })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
