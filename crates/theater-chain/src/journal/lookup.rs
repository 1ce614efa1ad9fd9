//! Reads events of a live journal back: a sparse index in memory, the files for the rest, a thread of its own.
//!
//! A thread of its own, because file reads would hold up an async worker, and on the writer's thread one actor that
//! reads its chain in a loop would hold up everybody.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::ops::{ControlFlow, Range};
use std::pin::Pin;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::event::{ChainIndex, Entry, Halves};
use crate::fault::ReadError;
use crate::hash::RunHasher;
use crate::scan::{Point, payload_bytes, scan_chain};
use crate::segment::LiveChain;
use crate::storage::Storage;

use super::{ChainHead, JournalError};

/// The most entries that one call returns.
pub const ENTRIES_MAX: usize = 256;

/// A chain gets a new point of its index after so many of its events ...
const POINT_EVENTS: u64 = 256;
/// ... or after so many bytes of the journal, so that a look-up reads no more than that.
const POINT_BYTES: u64 = 4 << 20;
/// So many ended chains can still be looked up: a supervisor asks about a child that has just ended.
const ENDED_CHAINS_MAX: usize = 4096;

struct Indexed {
    live: LiveChain,
    points: Vec<Point>,
    last_point_bytes: u64,
}

/// What the writer keeps for look-ups.
#[derive(Default)]
pub(super) struct Index {
    chains: HashMap<u32, Indexed>,
    ended: VecDeque<u32>,
}

impl Index {
    /// Notes that a chain advanced in the batch at `place`; `before` is where it stood, `bytes` the size of the journal.
    pub(super) fn advance(&mut self, (before, after): (LiveChain, LiveChain), place: (u32, u64), bytes: u64) {
        let point = Point { segment: place.0, offset: place.1, live: before };
        let indexed = self.chains.entry(after.chain).or_insert_with(|| Indexed {
            live: after,
            points: vec![point],
            last_point_bytes: bytes,
        });
        let last_seq = indexed.points.last().map_or(0, |point| point.live.next_seq);
        if before.next_seq - last_seq >= POINT_EVENTS || bytes - indexed.last_point_bytes >= POINT_BYTES {
            indexed.points.push(point);
            indexed.last_point_bytes = bytes;
        }
        indexed.live = after;
    }

    pub(super) fn end(&mut self, chain: u32) {
        self.ended.push_back(chain);
        if self.ended.len() > ENDED_CHAINS_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            self.chains.remove(&oldest);
        }
    }
}

pub(super) type SharedIndex = Arc<Mutex<Index>>;

pub(super) fn locked(index: &SharedIndex) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One look-up, to be done on the reading thread.
type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(super) struct Lookup {
    storage: Arc<dyn Storage>,
    hasher: RunHasher,
    index: SharedIndex,
    /// Started with the first look-up; it ends when the last sender is dropped.
    thread: Arc<Mutex<Option<Sender<Job>>>>,
}

impl Lookup {
    pub(super) fn new(storage: Arc<dyn Storage>, hasher: RunHasher) -> Self {
        Self { storage, hasher, index: SharedIndex::default(), thread: Arc::default() }
    }

    pub(super) fn index(&self) -> SharedIndex {
        Arc::clone(&self.index)
    }

    pub(super) fn head(&self, chain: ChainIndex) -> Result<ChainHead, JournalError> {
        let index = locked(&self.index);
        let live = index.chains.get(&chain.0).ok_or(JournalError::Forgotten(chain))?.live;
        Ok(ChainHead { id: live.id, seq: live.next_seq - 1, hash: live.head })
    }

    pub(super) async fn entries(
        self,
        chain: ChainIndex,
        range: Range<u64>,
    ) -> Result<Vec<Entry>, JournalError> {
        self.run(move |lookup| lookup.read_entries(chain, &range)).await
    }

    pub(super) async fn payload(self, chain: ChainIndex, seq: u64) -> Result<Option<Halves>, JournalError> {
        self.run(move |lookup| lookup.read_payload(chain, seq)).await
    }

    /// Runs a look-up on the reading thread.
    fn run<T: Send + 'static>(
        self,
        job: impl FnOnce(&Self) -> Result<T, JournalError> + Send + 'static,
    ) -> Reply<T> {
        let slot = Arc::new(Mutex::new(Slot { result: None, waker: None }));
        let answer = Answer(Arc::clone(&slot));
        let lookup = self.clone();
        let job: Job = Box::new(move || answer.give(job(&lookup)));
        if let Err(error) = self.send(job) {
            Answer(Arc::clone(&slot)).give(Err(error));
        }
        Reply(slot)
    }

    fn send(&self, job: Job) -> Result<(), JournalError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = if let Some(sender) = thread.as_ref() {
            sender
        } else {
            let (sender, jobs) = mpsc::channel::<Job>();
            std::thread::Builder::new()
                .name("theater-lookup".to_owned())
                .spawn(move || jobs.into_iter().for_each(|job| job()))
                .map_err(JournalError::io("start the thread that reads"))?;
            thread.insert(sender)
        };
        sender.send(job).map_err(|_| JournalError::WriterGone)
    }

    /// Returns the point to start at and the seq after the last event.
    fn start(&self, chain: ChainIndex, seq: u64) -> Result<(Point, u64), JournalError> {
        let index = locked(&self.index);
        let indexed = index.chains.get(&chain.0).ok_or(JournalError::Forgotten(chain))?;
        let later = indexed.points.partition_point(|point| point.live.next_seq <= seq);
        let point = indexed.points.get(later.saturating_sub(1)).ok_or(JournalError::Forgotten(chain))?;
        Ok((*point, indexed.live.next_seq))
    }

    fn read_entries(&self, chain: ChainIndex, range: &Range<u64>) -> Result<Vec<Entry>, JournalError> {
        let (point, end) = self.start(chain, range.start)?;
        let end = end.min(range.end).min(range.start.saturating_add(ENTRIES_MAX as u64));
        let mut entries = Vec::new();
        if range.start >= end {
            return Ok(entries);
        }
        scan_chain(self.storage.as_ref(), &self.hasher, point, |seen| {
            if seen.header.seq >= range.start {
                entries.push(Entry {
                    seq: seen.header.seq,
                    kind: seen.header.kind,
                    outcome: seen.header.outcome,
                    function: seen.header.function,
                    input_len: seen.lengths.input,
                    output_len: seen.lengths.output,
                    hash: seen.hash,
                });
            }
            if seen.header.seq + 1 >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map_err(read_back)?;
        Ok(entries)
    }

    fn read_payload(&self, chain: ChainIndex, seq: u64) -> Result<Option<Halves>, JournalError> {
        let (point, end) = self.start(chain, seq)?;
        if seq >= end {
            return Ok(None);
        }
        let mut found = Ok(None);
        scan_chain(self.storage.as_ref(), &self.hasher, point, |seen| {
            if seen.header.seq < seq {
                return ControlFlow::Continue(());
            }
            found = payload_bytes(self.storage.as_ref(), seen);
            ControlFlow::Break(())
        })
        .map_err(read_back)?;
        found.map_err(read_back)
    }
}

fn read_back(error: ReadError) -> JournalError {
    JournalError::ReadBack(Arc::new(error))
}

struct Slot<T> {
    result: Option<Result<T, JournalError>>,
    waker: Option<Waker>,
}

type SharedSlot<T> = Arc<Mutex<Slot<T>>>;

/// The obligation to answer; dropped without, the question fails.
struct Answer<T>(SharedSlot<T>);

impl<T> Answer<T> {
    fn give(self, result: Result<T, JournalError>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).result = Some(result);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.result.get_or_insert(Err(JournalError::WriterGone));
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The answer of the reading thread, to come.
struct Reply<T>(SharedSlot<T>);

impl<T> Future for Reply<T> {
    type Output = Result<T, JournalError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = slot.result.take() {
            return Poll::Ready(result);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
