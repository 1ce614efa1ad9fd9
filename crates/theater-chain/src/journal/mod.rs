//! The writer's side of a run: events go in from any thread, one OS thread hashes and writes them.
//!
//! [`Journal::append`] copies an event into a queue under one short lock and never waits; a producer that is told
//! `pressed` awaits [`Journal::ready`] before its next step. If a write fails the journal has failed: every later
//! append and every pending future gets that error, and nothing is recorded any more.

mod lookup;
mod queue;
mod wait;
mod writer;

use std::future::Future;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::event::{ChainIndex, Entry, EventDraft, Halves};
use crate::hash::{Hash, RunHasher};
use crate::keys::Signer;
use crate::merkle::Head;
use crate::segment::{RUN_ID_BYTES_MAX, is_run_id};
use crate::storage::{Directory, Files, MemoryFiles, Storage, write_whole};
use lookup::Lookup;
use queue::Shared;
use wait::{Goal, Wait};
use writer::Writer;

pub use lookup::ENTRIES_MAX;

/// What survives what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing survives the process: the run is kept in memory, in the form that the files would have.
    Memory,
    /// Events reach the disk in groups; a crash loses at most the last group.
    Batched,
    /// As `Batched`, and [`Journal::durable`] waits for the disk.
    Sync,
}

/// Longest time that an event waits for others to be written with it.
pub const GROUP_COMMIT_MS: u64 = 5;
/// Queue length above which producers are asked to wait: about 20 ms of writing at full speed.
pub const QUEUE_BYTES_MAX: usize = 8 << 20;
/// Segment size at which the next one begins: large against its header, small enough that a few can be verified
/// side by side.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// Payload size from which a payload is a file of its own: above it, a file's three disk operations cost less than
/// what the payload would cost every reader of the segment.
pub const BLOB_THRESHOLD_BYTES: usize = 1 << 20;
/// Largest payload, input and output together. Its lengths are hashed as 32-bit numbers.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;

/// Settings of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// What survives what.
    pub durability: Durability,
    /// See [`GROUP_COMMIT_MS`].
    pub group_commit_ms: u64,
    /// See [`QUEUE_BYTES_MAX`].
    pub queue_bytes_max: usize,
    /// See [`SEGMENT_BYTES_MAX`].
    pub segment_bytes_max: u64,
    /// See [`BLOB_THRESHOLD_BYTES`], which it cannot exceed.
    pub blob_threshold_bytes: usize,
}

impl JournalOptions {
    /// Returns the named defaults with this durability.
    pub const fn new(durability: Durability) -> Self {
        Self {
            durability,
            group_commit_ms: GROUP_COMMIT_MS,
            queue_bytes_max: QUEUE_BYTES_MAX,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            blob_threshold_bytes: BLOB_THRESHOLD_BYTES,
        }
    }
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self::new(Durability::Batched)
    }
}

/// What a run begins with.
#[derive(Clone, PartialEq, Eq)]
pub struct RunInit {
    /// Id of the run; see [`crate::is_run_id`].
    pub run_id: String,
    /// Entropy from which the salts of the run's payloads are derived.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for RunInit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RunInit").field("run_id", &self.run_id).finish_non_exhaustive()
    }
}

/// Why the journal did not take or give something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused; the journal has failed.
    #[error("failed to write the journal: {what}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// A thread of the journal ended unexpectedly; the journal has failed.
    #[error("a thread of the journal ended unexpectedly")]
    WriterGone,
    /// A text that cannot be the id of a run.
    #[error("{0:?} cannot be a run id: it is 1 to {RUN_ID_BYTES_MAX} letters, digits, '-', '_' and '.'")]
    BadRunId(String),
    /// A record that cannot be encoded.
    #[error(transparent)]
    Record(#[from] crate::record::RecordError),
    /// Another process writes this run.
    #[error("the run is written by another process")]
    Locked,
    /// The directory holds a run already; a run is never continued.
    #[error("the directory holds a run already")]
    Exists,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// Only a journal in memory can be exported.
    #[error("only a closed journal in memory can be exported")]
    NotExportable,
    /// There is no such chain.
    #[error("chain {0} was never opened")]
    UnknownChain(ChainIndex),
    /// The first event of a chain is its genesis.
    #[error("the first event of chain {0} must be its genesis")]
    NotBegun(ChainIndex),
    /// A chain has one genesis.
    #[error("chain {0} has its genesis already")]
    Begun(ChainIndex),
    /// Nothing follows an exit.
    #[error("chain {0} has ended")]
    Ended(ChainIndex),
    /// The chain ended long ago; its events are read from the run.
    #[error("chain {0} ended too long ago to be looked up here")]
    Forgotten(ChainIndex),
    /// The payload is larger than the format allows.
    #[error("the payload has {bytes} bytes, at most {bytes_max} can be recorded")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// What was written cannot be read back.
    #[error("failed to read the journal back")]
    ReadBack(#[source] Arc<crate::fault::ReadError>),
}

impl JournalError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source: Arc::new(source) }
    }
}

/// How many events of the run were appended up to and with a certain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// What [`Journal::append`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Place of the event in the run.
    pub position: Position,
    /// Place of the event in its chain.
    pub seq: u64,
    /// The queue is long: await [`Journal::ready`] before the next step.
    pub pressed: bool,
}

/// Where a chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain's id: the hash of its genesis.
    pub id: Hash,
    /// Place of its latest event.
    pub seq: u64,
    /// Hash of its latest event.
    pub hash: Hash,
}

/// What a run amounted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its head.
    pub head: Head,
    /// Number of its events.
    pub events: u64,
    /// Number of its chains.
    pub chains: u32,
    /// Bytes of its segments; blobs not counted.
    pub bytes: u64,
}

/// The journal of a run. Clones write to the same run.
#[derive(Clone)]
pub struct Journal {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    memory: Option<MemoryFiles>,
    lookup: Lookup,
    hasher: RunHasher,
    blobs: Mutex<()>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Begins a run in `dir`, which is made if it is not there. With `Durability::Memory` no file is touched.
    ///
    /// # Errors
    /// If the directory holds a run, if another process writes it, or if the system refuses.
    pub fn create(
        dir: &Path,
        run: RunInit,
        options: JournalOptions,
        signer: Option<Signer>,
    ) -> Result<Self, JournalError> {
        if options.durability == Durability::Memory {
            let memory = MemoryFiles::new();
            let mut journal = Self::create_in(Arc::new(memory.clone()), run, options, signer)?;
            if let Some(handle) = Arc::get_mut(&mut journal.handle) {
                handle.memory = Some(memory);
            }
            return Ok(journal);
        }
        let directory = Directory::make(dir).map_err(JournalError::io("make its directory"))?;
        let lock = directory.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => JournalError::Locked,
            _ => JournalError::io("take its lock")(error),
        })?;
        Self::create_in(Arc::new(directory.locked_by(lock)), run, options, signer)
    }

    /// Begins a run in a storage of the caller's.
    ///
    /// # Errors
    /// If it holds a run, or refuses.
    pub fn create_in(
        storage: Arc<dyn Storage>,
        run: RunInit,
        options: JournalOptions,
        signer: Option<Signer>,
    ) -> Result<Self, JournalError> {
        if !is_run_id(&run.run_id) {
            return Err(JournalError::BadRunId(run.run_id));
        }
        let segments = storage.list("journal").map_err(JournalError::io("list its segments"))?;
        if !segments.is_empty() {
            return Err(JournalError::Exists);
        }
        write_whole(storage.as_ref(), "", "secret", &[&run.secret])
            .map_err(JournalError::io("write its secret"))?;
        let hasher = RunHasher::new(&run.secret);
        let shared = Arc::new(Shared::new(&options));
        let lookup = Lookup::new(Arc::clone(&storage), hasher.clone());
        let writer = Writer::begin(
            (Arc::clone(&shared), Arc::clone(&storage), lookup.index()),
            (run.run_id, hasher.clone()),
            options,
            signer,
        )?;
        let thread = std::thread::Builder::new()
            .name("theater-journal".to_owned())
            .spawn(move || writer.run())
            .map_err(JournalError::io("start its thread"))?;
        let writer = Mutex::new(Some(thread));
        let handle = Handle { shared, storage, memory: None, lookup, hasher, blobs: Mutex::new(()), writer };
        Ok(Self { handle: Arc::new(handle) })
    }

    /// Opens a chain. Its first event must be its genesis.
    pub fn open_chain(&self) -> ChainIndex {
        self.handle.shared.open_chain()
    }

    /// Appends an event to a chain. Never waits.
    ///
    /// # Errors
    /// If the event cannot be the next of this chain, if its payload is too large, or if the journal has failed or
    /// was closed.
    pub fn append(&self, chain: ChainIndex, draft: &EventDraft<'_>) -> Result<Appended, JournalError> {
        self.handle.shared.append(chain, draft)
    }

    /// Returns when the queue has room again.
    pub fn ready(&self) -> impl Future<Output = Result<(), JournalError>> + Send + 'static {
        self.wait(Goal::Room)
    }

    /// Returns, with `Durability::Sync`, when the event at `position` and all before it are on stable storage;
    /// otherwise at once.
    pub fn durable(
        &self,
        position: Position,
    ) -> impl Future<Output = Result<(), JournalError>> + Send + 'static {
        self.wait(Goal::Durable(position.0))
    }

    fn wait(&self, goal: Goal) -> Wait {
        Wait::new(Arc::clone(&self.handle.shared), goal)
    }

    /// Waits until everything appended before this call is written, so that it can be read back.
    fn written(&self) -> Wait {
        self.wait(Goal::Written(self.handle.shared.appended()))
    }

    /// Returns where a chain stands, everything appended before this call included.
    pub fn chain_head(
        &self,
        chain: ChainIndex,
    ) -> impl Future<Output = Result<ChainHead, JournalError>> + Send + 'static {
        let (written, lookup) = (self.written(), self.handle.lookup.clone());
        async move {
            written.await?;
            lookup.head(chain)
        }
    }

    /// Returns the entries of a chain whose seq is within `range`: the first [`ENTRIES_MAX`] of them, everything
    /// appended before this call included.
    pub fn entries(
        &self,
        chain: ChainIndex,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<Entry>, JournalError>> + Send + 'static {
        let (written, lookup) = (self.written(), self.handle.lookup.clone());
        async move {
            written.await?;
            lookup.entries(chain, range).await
        }
    }

    /// Returns input and output of one event; none if the chain has no such event.
    pub fn payload(
        &self,
        chain: ChainIndex,
        seq: u64,
    ) -> impl Future<Output = Result<Option<Halves>, JournalError>> + Send + 'static {
        let (written, lookup) = (self.written(), self.handle.lookup.clone());
        async move {
            written.await?;
            lookup.payload(chain, seq).await
        }
    }

    /// Keeps bytes with the run under their SHA-256: packages, manifests. They are on stable storage on return.
    ///
    /// # Errors
    /// If the system refuses. The journal goes on.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Hash, JournalError> {
        let hash = Hash::of_blob(bytes);
        let name = format!("blobs/{hash}");
        let _one_at_a_time = self.handle.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.handle.storage.open(&name).is_err() {
            write_whole(self.handle.storage.as_ref(), "blobs", &name, &[bytes])
                .map_err(JournalError::io(format!("write {name}")))?;
        }
        Ok(hash)
    }

    /// Returns the hashes of this run, to hash states with.
    pub fn hasher(&self) -> &RunHasher {
        &self.handle.hasher
    }

    /// Writes what is queued, the trailer and the closing checkpoint. Blocks. Later calls return the same.
    ///
    /// # Errors
    /// If the journal has failed.
    pub fn close(&self) -> Result<Closed, JournalError> {
        self.handle.shared.begin_close();
        self.handle.join();
        self.handle.shared.closed()
    }

    /// Copies a closed journal in memory to a directory, as a run that was written there.
    ///
    /// # Errors
    /// If the journal is not in memory or not closed, if the directory holds a run, or if the system refuses.
    pub fn export(&self, dir: &Path) -> Result<(), JournalError> {
        let memory = self.handle.memory.as_ref().ok_or(JournalError::NotExportable)?;
        self.handle.shared.closed().map_err(|_| JournalError::NotExportable)?;
        let directory = Directory::make(dir).map_err(JournalError::io("make the directory"))?;
        let segments = directory.list("journal").map_err(JournalError::io("list its segments"))?;
        if !segments.is_empty() {
            return Err(JournalError::Exists);
        }
        for name in memory.names() {
            let bytes = memory.bytes(&name).unwrap_or_default();
            let folder = name.split_once('/').map_or("", |(folder, _)| folder);
            write_whole(&directory, folder, &name, &[&bytes])
                .map_err(JournalError::io(format!("export {name}")))?;
        }
        Ok(())
    }

    /// Returns the files of a journal in memory, to be read or verified where they are.
    pub fn memory(&self) -> Option<MemoryFiles> {
        self.handle.memory.clone()
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Journal").finish_non_exhaustive()
    }
}

impl Handle {
    fn join(&self) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = writer.take()
            && thread.join().is_err()
        {
            self.shared.fail(JournalError::WriterGone);
        }
    }
}

impl Drop for Handle {
    /// A journal that is not closed leaves an incomplete run: all events, no trailer.
    fn drop(&mut self) {
        self.shared.begin_abandon();
        self.join();
    }
}
