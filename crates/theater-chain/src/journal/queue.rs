//! What producers and the writer share: the queue, how far the writer is, who waits for it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::event::{ChainIndex, EventDraft, Header, Kind};
use crate::hash::Lengths;

use super::wait::Goal;
use super::{
    Appended, BLOB_THRESHOLD_BYTES, Closed, Durability, JournalError, JournalOptions, PAYLOAD_BYTES_MAX,
    Position,
};

/// The writer starts before the group-commit time is over when so much is queued: while it hashes one share, the
/// producers fill the next.
const SHARE_BYTES: usize = 256 << 10;

/// Stands in the place of the next seq of a chain that has ended.
const ENDED: u64 = u64::MAX;

/// A queued event ahead of its payload: fixed width, so that queueing is two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) chain: u32,
    pub(super) header: Header,
    pub(super) lengths: Lengths,
    /// The payload is the next of [`Work::large`], not behind this.
    pub(super) is_large: bool,
}

impl Queued {
    const BYTES: usize = 48;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..Header::BYTES].copy_from_slice(&self.header.to_bytes());
        bytes[30..34].copy_from_slice(&self.chain.to_le_bytes());
        bytes[34..38].copy_from_slice(&self.lengths.input.to_le_bytes());
        bytes[38..42].copy_from_slice(&self.lengths.output.to_le_bytes());
        bytes[42] = u8::from(self.is_large);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; none at the end of the queue.
    pub(super) fn take<'a>(rest: &mut &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (bytes, after) = rest.split_first_chunk::<{ Self::BYTES }>()?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let header = Header::from_bytes(bytes.first_chunk()?)?;
        let lengths = Lengths { input: word(34), output: word(38) };
        let is_large = bytes[42] != 0;
        let payload_bytes = if is_large { 0 } else { usize::try_from(lengths.total()).ok()? };
        let (payload, after) = after.split_at_checked(payload_bytes)?;
        *rest = after;
        Some((Self { chain: word(30), header, lengths, is_large }, payload))
    }
}

/// Events taken off the queue at once.
#[derive(Default)]
pub(super) struct Work {
    pub(super) arena: Vec<u8>,
    pub(super) large: Vec<Box<[u8]>>,
    /// Position of the last of them.
    pub(super) position: u64,
}

/// Why the writer is given its work now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The group-commit time is over, so much is queued, or the journal ends.
    Group,
    /// Somebody waits for what is queued.
    Waiter,
}

/// What the writer is to do after the work it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Continue,
    Close,
    Abandon,
}

#[derive(Default)]
struct State {
    arena: Vec<u8>,
    large: Vec<Box<[u8]>>,
    large_bytes: usize,
    /// Next seq of each chain.
    chains: Vec<u64>,
    appended: u64,
    written: u64,
    synced: u64,
    waiters: BTreeMap<u64, (Goal, Waker)>,
    next_waiter: u64,
    is_writer_idle: bool,
    is_urgent: bool,
    end: Option<Then>,
    outcome: Option<Result<Closed, JournalError>>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    work: Condvar,
    durability: Durability,
    group_commit: Duration,
    queue_bytes_max: usize,
    share_bytes: usize,
    blob_threshold_bytes: usize,
}

impl Shared {
    pub(super) fn new(options: &JournalOptions) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            durability: options.durability,
            group_commit: Duration::from_millis(options.group_commit_ms),
            queue_bytes_max: options.queue_bytes_max,
            share_bytes: SHARE_BYTES.min(options.queue_bytes_max / 2),
            blob_threshold_bytes: options.blob_threshold_bytes.min(BLOB_THRESHOLD_BYTES),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open_chain(&self) -> ChainIndex {
        let mut state = self.lock();
        let index = u32::try_from(state.chains.len()).expect("a process cannot hold 2^32 chains");
        state.chains.push(0);
        ChainIndex(index)
    }

    pub(super) fn append(&self, chain: ChainIndex, draft: &EventDraft<'_>) -> Result<Appended, JournalError> {
        let (lengths, bytes) = payload_lengths(draft)?;
        let large = (bytes >= self.blob_threshold_bytes).then(|| concatenated(draft, bytes));
        let mut state = self.lock();
        let seq = state.admit(chain, draft.kind)?;
        let was_idle = state.is_writer_idle;
        let was_below = state.bytes() < self.share_bytes;
        let header = Header {
            kind: draft.kind,
            outcome: draft.outcome,
            seq,
            time_us: draft.time_us,
            function: draft.function,
            fuel: draft.fuel,
        };
        let queued = Queued { chain: chain.0, header, lengths, is_large: large.is_some() };
        state.arena.extend_from_slice(&queued.to_bytes());
        if let Some(payload) = large {
            state.large_bytes += payload.len();
            state.large.push(payload);
        } else {
            for piece in draft.input.iter().chain(draft.output) {
                state.arena.extend_from_slice(piece);
            }
        }
        state.appended += 1;
        let position = Position(state.appended);
        let length = state.bytes();
        state.is_writer_idle = false;
        drop(state);
        if was_idle || (was_below && length >= self.share_bytes) {
            self.work.notify_one();
        }
        Ok(Appended { position, seq, pressed: length > self.queue_bytes_max })
    }

    pub(super) fn appended(&self) -> u64 {
        self.lock().appended
    }

    /// Says whether a goal is reached; if not, `waker` is called when it may be.
    pub(super) fn poll(
        &self,
        goal: Goal,
        id: &mut Option<u64>,
        waker: &Waker,
    ) -> Option<Result<(), JournalError>> {
        let mut state = self.lock();
        if let Some(result) = self.reached(&state, goal) {
            if let Some(id) = id.take() {
                state.waiters.remove(&id);
            }
            return Some(result);
        }
        let id = *id.get_or_insert_with(|| {
            state.next_waiter += 1;
            state.next_waiter
        });
        match state.waiters.get_mut(&id) {
            Some((_, known)) => known.clone_from(waker),
            None => {
                state.waiters.insert(id, (goal, waker.clone()));
            }
        }
        let is_new = goal != Goal::Room && !state.is_urgent;
        if is_new {
            state.is_urgent = true;
            drop(state);
            self.work.notify_one();
        }
        None
    }

    pub(super) fn forget(&self, id: u64) {
        self.lock().waiters.remove(&id);
    }

    fn reached(&self, state: &State, goal: Goal) -> Option<Result<(), JournalError>> {
        if let Some(Err(error)) = &state.outcome {
            return Some(Err(error.clone()));
        }
        let is_reached = match goal {
            Goal::Room => state.bytes() <= self.queue_bytes_max / 2,
            Goal::Written(position) => state.written >= position,
            Goal::Durable(position) => self.durability != Durability::Sync || state.synced >= position,
        };
        if is_reached {
            return Some(Ok(()));
        }
        // The writer has ended: what is not reached now never will be.
        state.outcome.as_ref().map(|_| Err(JournalError::Closed))
    }

    /// Takes the waiters whose goal is reached off the list.
    fn take_reached(&self, state: &mut State) -> Vec<Waker> {
        let reached: Vec<u64> = state
            .waiters
            .iter()
            .filter(|(_, (goal, _))| self.reached(state, *goal).is_some())
            .map(|(id, _)| *id)
            .collect();
        reached.iter().filter_map(|id| state.waiters.remove(id)).map(|(_, waker)| waker).collect()
    }

    /// Waits until there is something to write, to sync or to end, and swaps the queue for the empty `work`.
    pub(super) fn next_work(&self, work: &mut Work, is_synced: bool) -> (Cause, Then) {
        work.arena.clear();
        // A burst of large payloads must not stay allocated for good.
        work.arena.shrink_to(2 * self.queue_bytes_max);
        work.large.clear();
        let mut state = self.lock();
        let cause = loop {
            if state.end.is_some() || state.bytes() >= self.share_bytes {
                break Cause::Group;
            }
            if state.is_urgent {
                break Cause::Waiter;
            }
            if state.arena.is_empty() && is_synced {
                state.is_writer_idle = true;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.is_writer_idle = false;
                continue;
            }
            let (guard, waited) =
                self.work.wait_timeout(state, self.group_commit).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if waited.timed_out() {
                break Cause::Group;
            }
        };
        state.is_urgent = false;
        std::mem::swap(&mut state.arena, &mut work.arena);
        std::mem::swap(&mut state.large, &mut work.large);
        state.large_bytes = 0;
        work.position = state.appended;
        let then = state.end.unwrap_or(Then::Continue);
        let wakers = self.take_reached(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        (cause, then)
    }

    /// Says how far the writer is.
    pub(super) fn publish(&self, written: u64, is_synced: bool) {
        let mut state = self.lock();
        state.written = written;
        if is_synced {
            state.synced = written;
        }
        let wakers = self.take_reached(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends the journal with an error. The first end counts.
    pub(super) fn fail(&self, error: JournalError) {
        self.end(Err(error));
    }

    pub(super) fn end(&self, outcome: Result<Closed, JournalError>) {
        let mut state = self.lock();
        state.outcome.get_or_insert(outcome);
        state.arena = Vec::new();
        state.large = Vec::new();
        state.large_bytes = 0;
        let wakers = self.take_reached(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn begin_close(&self) {
        self.begin_end(Then::Close);
    }

    pub(super) fn begin_abandon(&self) {
        self.begin_end(Then::Abandon);
    }

    fn begin_end(&self, then: Then) {
        self.lock().end.get_or_insert(then);
        self.work.notify_one();
    }

    pub(super) fn closed(&self) -> Result<Closed, JournalError> {
        self.lock().outcome.clone().unwrap_or(Err(JournalError::WriterGone))
    }
}

impl State {
    fn bytes(&self) -> usize {
        self.arena.len() + self.large_bytes
    }

    /// Gives an event of this kind its seq, if it can be the next of its chain.
    fn admit(&mut self, chain: ChainIndex, kind: Kind) -> Result<u64, JournalError> {
        match (&self.outcome, self.end) {
            (Some(Err(error)), _) => return Err(error.clone()),
            (Some(Ok(_)), _) | (None, Some(_)) => return Err(JournalError::Closed),
            (None, None) => {}
        }
        let next = self.chains.get_mut(chain.0 as usize).ok_or(JournalError::UnknownChain(chain))?;
        let seq = *next;
        match (seq, kind) {
            (ENDED, _) => Err(JournalError::Ended(chain)),
            (0, Kind::Genesis) => Ok(()),
            (0, _) => Err(JournalError::NotBegun(chain)),
            (_, Kind::Genesis) => Err(JournalError::Begun(chain)),
            _ => Ok(()),
        }?;
        *next = if kind == Kind::Exit { ENDED } else { seq + 1 };
        Ok(seq)
    }
}

fn payload_lengths(draft: &EventDraft<'_>) -> Result<(Lengths, usize), JournalError> {
    let sum = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let (input, output) = (sum(draft.input), sum(draft.output));
    let bytes = input + output;
    match (u32::try_from(input), u32::try_from(output)) {
        (Ok(input), Ok(output)) if bytes <= PAYLOAD_BYTES_MAX => Ok((Lengths { input, output }, bytes)),
        _ => Err(JournalError::TooLarge { bytes, bytes_max: PAYLOAD_BYTES_MAX }),
    }
}

fn concatenated(draft: &EventDraft<'_>, bytes: usize) -> Box<[u8]> {
    let mut payload = Vec::with_capacity(bytes);
    for piece in draft.input.iter().chain(draft.output) {
        payload.extend_from_slice(piece);
    }
    payload.into_boxed_slice()
}
