//! Reads a run in journal order, one batch in memory at a time, every hash recomputed on the way.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bundle::Bundle;
use crate::event::{ChainIndex, Event, Kind, Payload};
use crate::fault::{Fault, FaultKind, ReadError};
use crate::hash::{Hash, RunHasher};
use crate::index::{self, ChainUse, SegmentIndex};
use crate::record::{Exit, ExitReason, Genesis, RuntimeGenesis};
use crate::scan::{End, Scanner, Seen, Step, payload_bytes};
use crate::segment::{FRAME_BYTES, FrameKind, NextFrame, TRAILER_BYTES, read_frame, segment_name};
use crate::select::{self, Query, Selected};
use crate::storage::{Directory, Files, read_whole};

/// Largest package or manifest that is read into memory.
const BLOB_BYTES_MAX: u64 = 1 << 30;

/// Whether a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// It has its trailer.
    Closed,
    /// It has none.
    Incomplete {
        /// A process holds its lock: it is being written.
        is_live: bool,
    },
}

/// One chain of a run, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSummary {
    /// Its ordinal.
    pub index: ChainIndex,
    /// Path of its actor, `/` for the runtime; none if the genesis was removed or is of another kind.
    pub path: Option<String>,
    /// Which of the actor's lives it is.
    pub incarnation: u32,
    /// Path of the actor that spawned it, if one did.
    pub parent: Option<String>,
    /// Hash of its genesis.
    pub id: Hash,
    /// Number of its events.
    pub events: u64,
    /// Hash of its latest event.
    pub head: Hash,
    /// Why it ended; none if it did not, or if that was removed.
    pub exit: Option<ExitReason>,
    /// What it did.
    pub used: ChainUse,
}

/// A run, open for reading. It may be written at the same time.
#[derive(Clone)]
pub struct Run {
    files: Arc<dyn Files>,
    id: String,
    hasher: Option<RunHasher>,
    segments: u32,
    status: RunStatus,
    /// Indices that were read or made so far.
    indices: Arc<Mutex<BTreeMap<u32, Arc<SegmentIndex>>>>,
}

impl Run {
    /// Opens the run in a directory or in a bundle.
    ///
    /// # Errors
    /// If there is none, or its first segment cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let dir = path.as_ref();
        if dir.is_file() {
            return Self::open_files(Arc::new(Bundle::open(dir)?));
        }
        let directory = Directory::new(dir);
        let is_live = directory.is_locked();
        let mut run = Self::open_files(Arc::new(directory))?;
        if run.status != RunStatus::Closed {
            run.status = RunStatus::Incomplete { is_live };
        }
        Ok(run)
    }

    /// Opens a run whose files are somewhere else.
    ///
    /// # Errors
    /// If there is none, or its first segment cannot be read.
    pub fn open_files(files: Arc<dyn Files>) -> Result<Self, ReadError> {
        let segments = count_segments(files.as_ref())?;
        let hasher = read_secret(files.as_ref())?;
        let first = Scanner::open(files.as_ref(), 0, None)?;
        let id = first.header().run_id.clone();
        let status = if has_trailer(files.as_ref(), segments - 1)? {
            RunStatus::Closed
        } else {
            RunStatus::Incomplete { is_live: false }
        };
        Ok(Self { files, id, hasher, segments, status, indices: Arc::default() })
    }

    /// Returns the id of the run.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the files of the run.
    pub fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// Returns whether the run had come to its end when it was opened.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Returns the hashes of the run; none if its secret was dropped.
    pub fn hasher(&self) -> Option<&RunHasher> {
        self.hasher.as_ref()
    }

    /// Returns what each chain did, by ordinal: from the indices, so that a long run takes no longer than a short one.
    ///
    /// # Errors
    /// If a segment has no index and cannot be read or is not what it was.
    pub fn uses(&self) -> Result<Vec<ChainUse>, ReadError> {
        self.index_all()?;
        let mut uses: BTreeMap<ChainIndex, ChainUse> = BTreeMap::new();
        for number in 0..self.segments {
            for part in &self.index(number)?.chains {
                match uses.get_mut(&part.chain) {
                    Some(known) => known.add(part),
                    None => {
                        uses.insert(part.chain, part.clone());
                    }
                }
            }
        }
        Ok(uses.into_values().collect())
    }

    /// Returns the chains of the run, by ordinal. It reads their births and ends, and by way of the indices no more.
    ///
    /// # Errors
    /// If something that is read is not what it was.
    pub fn chains(&self) -> Result<Vec<ChainSummary>, ReadError> {
        let mut chains: Vec<_> = self.uses()?.into_iter().map(ChainSummary::of).collect();
        for event in self.select(Query::default().of_kinds(&[Kind::Genesis, Kind::Exit])) {
            let event = event?;
            if let Ok(place) = chains.binary_search_by_key(&event.chain, |chain| chain.index) {
                chains[place].note(&event);
            }
        }
        Ok(chains)
    }

    /// Returns the events of one chain.
    pub fn events(&self, chain: ChainIndex) -> Selected {
        self.select(Query::of_chain(chain))
    }

    /// Returns the wanted events, in the order of the journal.
    pub fn select(&self, query: Query) -> Selected {
        Selected::new(self.clone(), query)
    }

    /// Returns the last wanted events, at most so many, in the order of the journal.
    ///
    /// # Errors
    /// If something that is read is not what it was.
    pub fn last(
        &self,
        query: &Query,
        count: usize,
        wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Vec<Event>, ReadError> {
        self.index_all()?;
        select::last(self, query, count, wanted)
    }

    pub(crate) fn segments(&self) -> u32 {
        self.segments
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<SegmentIndex>>> {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the index of a segment, made anew where there is none that fits.
    pub(crate) fn index(&self, number: u32) -> Result<Arc<SegmentIndex>, ReadError> {
        if let Some(index) = self.known().get(&number) {
            return Ok(Arc::clone(index));
        }
        match index::load(self.files.as_ref(), number) {
            Some(index) => Ok(self.know(index)),
            None => self.index_anew(number),
        }
    }

    fn know(&self, index: SegmentIndex) -> Arc<SegmentIndex> {
        let index = Arc::new(index);
        self.known().insert(index.identity.number, Arc::clone(&index));
        index
    }

    /// Makes the index of a segment, and keeps it beside it if nobody writes it any more.
    pub(crate) fn index_anew(&self, number: u32) -> Result<Arc<SegmentIndex>, ReadError> {
        let is_last = number + 1 == self.segments;
        let may_be_torn = is_last && self.status != RunStatus::Closed;
        let index = match index::scan(self.files.as_ref(), number, self.hasher.clone(), may_be_torn) {
            // It was cut off within its header.
            Err(ReadError::Truncated(fault)) if may_be_torn && number > 0 && fault.batch.is_none() => {
                return Ok(self.know(SegmentIndex::empty(number)));
            }
            index => index?,
        };
        if !is_last || self.status != (RunStatus::Incomplete { is_live: true }) {
            // Without it the next reader makes it again.
            self.files.keep_aside(&index::index_name(number), &index.encode()).ok();
        }
        Ok(self.know(index))
    }

    /// Sees to it that every segment has its index; those that are made are made side by side.
    pub(crate) fn index_all(&self) -> Result<(), ReadError> {
        let missing: Vec<u32> = (0..self.segments)
            .filter(|number| !self.known().contains_key(number))
            .filter(|number| match index::load(self.files.as_ref(), *number) {
                Some(index) => {
                    self.know(index);
                    false
                }
                None => true,
            })
            .collect();
        let next = AtomicUsize::new(0);
        let fault = Mutex::new(None);
        let work = || {
            while let Some(number) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.index_anew(*number) {
                    *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return;
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 1..threads.min(missing.len()) {
                scope.spawn(work);
            }
            work();
        });
        fault.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// Returns all events, in the order of the journal.
    pub fn all_events(&self) -> Events {
        Events::new(self.clone())
    }

    /// Returns a package, a manifest or whatever else was kept under its hash.
    ///
    /// # Errors
    /// If it is not there, or not what its name says.
    pub fn blob(&self, hash: &Hash) -> Result<Vec<u8>, ReadError> {
        let name = format!("blobs/{hash}");
        let fault = |what| Fault { file: name.clone(), offset: 0, batch: None, events: Vec::new(), what };
        let bytes = match read_whole(self.files.as_ref(), &name, BLOB_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(fault(FaultKind::MissingBlob).into());
            }
            bytes => bytes.map_err(|error| ReadError::io(&name, error))?,
        };
        if Hash::of_blob(&bytes) == *hash { Ok(bytes) } else { Err(fault(FaultKind::Blob).into()) }
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Run")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl ChainSummary {
    fn of(used: ChainUse) -> Self {
        Self {
            index: used.chain,
            path: None,
            incarnation: 1,
            parent: None,
            id: used.id,
            events: used.events(),
            head: used.head,
            exit: None,
            used,
        }
    }

    fn note(&mut self, event: &Event) {
        let Payload::Whole { input, output } = &event.payload else { return };
        if event.header.kind == Kind::Exit {
            self.exit = Exit::decode(output).ok().map(|exit| exit.reason);
        } else if let Ok(genesis) = Genesis::decode(input) {
            (self.path, self.incarnation) = (Some(genesis.path), genesis.incarnation);
            self.parent = genesis.parent;
        } else if let Some((path, incarnation)) = actor_of(input) {
            (self.path, self.incarnation) = (Some(path), incarnation);
        }
    }
}

/// Path and incarnation that a genesis speaks of.
pub(crate) fn actor_of(genesis: &[u8]) -> Option<(String, u32)> {
    if let Ok(genesis) = Genesis::decode(genesis) {
        return Some((genesis.path, genesis.incarnation));
    }
    RuntimeGenesis::decode(genesis).ok().map(|_| ("/".to_owned(), 1))
}

/// Counts the segments, which must be numbered without gaps.
pub(crate) fn count_segments(files: &dyn Files) -> Result<u32, ReadError> {
    let names = files.list("journal").map_err(|error| ReadError::io("journal", error))?;
    if names.is_empty() {
        return Err(ReadError::NotARun("it has no journal"));
    }
    let fault = |file: String, what| Fault { file, offset: 0, batch: None, events: Vec::new(), what };
    let mut numbers = Vec::new();
    for name in names {
        let file = format!("journal/{name}");
        match name.strip_suffix(".seg").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if segment_name(number) == file => numbers.push(number),
            _ => return Err(fault(file, FaultKind::ForeignFile).into()),
        }
    }
    numbers.sort_unstable();
    let missing = (0..).zip(&numbers).find(|(expected, number)| expected != *number);
    match missing {
        Some((expected, _)) => Err(fault(segment_name(expected), FaultKind::MissingSegment).into()),
        None => Ok(numbers.len() as u32),
    }
}

/// Reads the run's secret; none if it was dropped, or is not 32 bytes long.
pub(crate) fn read_secret(files: &dyn Files) -> Result<Option<RunHasher>, ReadError> {
    match read_whole(files, "secret", 64) {
        Ok(bytes) => Ok(<[u8; 32]>::try_from(bytes).ok().map(|secret| RunHasher::new(&secret))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Ok(None),
        Err(error) => Err(ReadError::io("secret", error)),
    }
}

pub(crate) fn has_trailer(files: &dyn Files, segment: u32) -> Result<bool, ReadError> {
    let name = segment_name(segment);
    let io = |error| ReadError::io(&name, error);
    let length = (FRAME_BYTES + TRAILER_BYTES) as u64;
    let mut file = files.open(&name).map_err(io)?;
    let size = file.seek(SeekFrom::End(0)).map_err(io)?;
    if size < length {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(size - length)).map_err(io)?;
    let frame = read_frame(&mut file.take(length), length, &mut Vec::new()).map_err(io)?;
    Ok(frame == NextFrame::Whole(FrameKind::Trailer))
}

/// Goes through a run batch by batch.
struct Walk {
    run: Run,
    scanner: Option<Scanner>,
    end: Option<End>,
    next_segment: u32,
    /// Chains begun so far.
    chains: u32,
}

impl Walk {
    fn new(run: Run) -> Self {
        Self { run, scanner: None, end: None, next_segment: 0, chains: 0 }
    }

    /// Reads one batch, or what is between two of them; false at the end. What `visit` was shown counts only if
    /// there is no error.
    fn next(
        &mut self,
        mut visit: impl FnMut(&Seen<'_>, u64) -> Result<(), ReadError>,
    ) -> Result<bool, ReadError> {
        let mut scanner = match self.scanner.take() {
            Some(scanner) => scanner,
            None if self.next_segment == self.run.segments => return Ok(false),
            None => match self.open_next()? {
                Some(scanner) => scanner,
                None => return Ok(false),
            },
        };
        let batch = scanner.batches();
        let mut visited = Ok(());
        let mut begun = 0;
        let step = scanner.next(|seen| {
            begun += u32::from(seen.header.kind == Kind::Genesis);
            if visited.is_ok() {
                visited = visit(seen, batch);
            }
        })?;
        visited?;
        self.chains += begun;
        self.after(scanner, step)
    }

    fn after(&mut self, mut scanner: Scanner, step: Step) -> Result<bool, ReadError> {
        match step {
            Step::Batch(_) => self.scanner = Some(scanner),
            Step::Trailer(trailer) if trailer.chains != self.chains => {
                return Err(scanner.fault(FaultKind::Trailer).into());
            }
            Step::Trailer(_) => {
                let step = scanner.next(|_| {})?;
                if self.next_segment < self.run.segments || step != Step::End {
                    return Err(scanner.fault(FaultKind::AfterTrailer).into());
                }
            }
            Step::End => self.end = Some(scanner.end()),
            Step::Torn(_) if self.may_be_torn() => {}
            Step::Torn(torn) => return Err(scanner.fault(torn.fault()).into()),
        }
        Ok(true)
    }

    /// Says whether the segment at hand may end anywhere: the last one of a run that did not come to its end.
    fn may_be_torn(&self) -> bool {
        self.next_segment == self.run.segments && self.run.status != RunStatus::Closed
    }

    /// Opens the next segment; none if it is the last and was cut off within its header.
    fn open_next(&mut self) -> Result<Option<Scanner>, ReadError> {
        let number = self.next_segment;
        self.next_segment += 1;
        let scanner = match Scanner::open(self.run.files.as_ref(), number, self.run.hasher.clone()) {
            Err(ReadError::Truncated(_)) if number > 0 && self.may_be_torn() => return Ok(None),
            scanner => scanner?,
        };
        let end = self.end.take().unwrap_or_else(|| End::before(&self.run.id));
        end.check_next(number, scanner.header())?;
        Ok(Some(scanner))
    }
}

/// All events of a run, in the order of the journal. After an error there are no more.
pub struct Events {
    walk: Walk,
    is_over: bool,
    ready: VecDeque<Event>,
}

impl Events {
    fn new(run: Run) -> Self {
        Self { walk: Walk::new(run), is_over: false, ready: VecDeque::new() }
    }

    /// Reads up to the next batch that has events to return.
    fn fill(&mut self) -> Result<(), ReadError> {
        let files = Arc::clone(&self.walk.run.files);
        while self.ready.is_empty() && !self.is_over {
            let mut events = VecDeque::new();
            let more = self.walk.next(|seen, batch| {
                events.push_back(event(files.as_ref(), seen, batch)?);
                Ok(())
            })?;
            self.is_over = !more;
            self.ready = events;
        }
        Ok(())
    }
}

pub(crate) fn event(files: &dyn Files, seen: &Seen<'_>, batch: u64) -> Result<Event, ReadError> {
    let payload = match payload_bytes(files, seen)? {
        Some((input, output)) => Payload::Whole { input, output },
        None => Payload::Redacted { commitment: seen.commitment },
    };
    let Seen { chain, header, previous, hash, .. } = *seen;
    Ok(Event { chain, header, payload, previous, hash, batch })
}

impl Iterator for Events {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(()) => self.ready.pop_front().map(Ok),
            Err(error) => {
                self.is_over = true;
                Some(Err(error))
            }
        }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Events").field("run", &self.walk.run).finish_non_exhaustive()
    }
}
