//! Verifies a run: segments side by side, then how they join, then blobs, checkpoint and signatures.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::bundle::Bundle;
use crate::event::{ChainIndex, Kind};
use crate::fault::{Fault, FaultKind, ReadError};
use crate::hash::{Hash, Lengths, RunHasher, Salt, Stream};
use crate::keys::PublicKey;
use crate::merkle::{Frontier, Head};
use crate::note::{Checkpoint, Note};
use crate::read::{actor_of, count_segments, has_trailer, read_secret};
use crate::record::{Genesis, RuntimeGenesis};
use crate::report::{Completeness, HeadCheck, Integrity, Redactions, Report, SignerCheck, Witnesses};
use crate::scan::{End, Scanner, Seen, Step, Torn, blob_name, payload_bytes};
use crate::segment::{SegmentHeader, Trailer, segment_name};
use crate::storage::{Directory, Files, read_whole};
use crate::vouch::{Known, vouch};
use crate::wire::Form;

/// A checkpoint is a few lines; witnesses add one each.
const CHECKPOINT_BYTES_MAX: u64 = 1 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// How far verifying is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events verified so far.
    pub events: u64,
    /// Segments verified so far.
    pub segments: u32,
    /// Segments there are.
    pub segments_total: u32,
}

/// What to verify a run against.
#[derive(Clone, Default)]
pub struct VerifyOptions<'a> {
    /// The head that the run must have.
    pub head: Option<Head>,
    /// The known keys, of nodes and of witnesses.
    pub keys: Vec<PublicKey>,
    /// Witnesses that must have cosigned; they are known besides.
    pub witnesses: Vec<PublicKey>,
    /// A checkpoint of the run that was kept elsewhere. It must be of this run; its signatures count.
    pub checkpoint: Option<Note>,
    /// How many threads to use; 0 for as many as there are processors.
    pub threads: usize,
    /// Is told how far verifying is, from any of the threads.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl std::fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { head, keys, witnesses, checkpoint, threads, progress: _ } = self;
        formatter
            .debug_struct("VerifyOptions")
            .field("head", head)
            .field("keys", keys)
            .field("witnesses", witnesses)
            .field("checkpoint", checkpoint)
            .field("threads", threads)
            .finish()
    }
}

/// Verifies the run in a directory or in a bundle.
///
/// # Errors
/// If it cannot be read at all: no run, a newer format, or the system refuses. Whatever is wrong with a run that
/// can be read is in the report.
pub fn verify(path: &Path, options: &VerifyOptions<'_>) -> Result<Report, ReadError> {
    if path.is_file() {
        return verify_files(&Bundle::open(path)?, options);
    }
    verify_files(&Directory::new(path), options)
}

/// Verifies a run whose files are somewhere else.
///
/// # Errors
/// As [`verify`].
pub fn verify_files(files: &dyn Files, options: &VerifyOptions<'_>) -> Result<Report, ReadError> {
    let (segments, gap) = match count_segments(files) {
        Ok(segments) => (segments, None),
        Err(ReadError::Faulty(fault)) => (0, Some(fault)),
        Err(error) => return Err(error),
    };
    let mut verifier = Verifier { files, options, hasher: read_secret(files)?, note: None, note_fault: None };
    verifier.read_note()?;
    let mut joined = match gap {
        Some(fault) => Joined { fault: Some(fault), ..Joined::default() },
        None => {
            // Looked for first: a run that is closed meanwhile must not seem to be torn before its end.
            let has_trailer = has_trailer(files, segments - 1)?;
            join(verifier.scan_all(segments)?, has_trailer)
        }
    };
    if joined.fault.is_none() {
        joined.fault = verifier.check_blobs(&mut joined)?.or_else(|| verifier.check_notes(&joined));
    }
    if joined.fault.is_none() {
        joined.fault = damage(files)?;
    }
    Ok(verifier.report(joined))
}

/// What is wrong with what holds the files, though the run in them is intact.
fn damage(files: &dyn Files) -> Result<Option<Fault>, ReadError> {
    let damaged = files.damaged().map_err(|error| ReadError::io("the bundle", error))?;
    let fault = |file| Fault { file, offset: 0, batch: None, events: Vec::new(), what: FaultKind::Checksum };
    Ok(damaged.map(fault))
}

/// A payload that is a file of its own.
struct BlobReference {
    salt: Salt,
    lengths: Lengths,
}

/// What one segment has shown.
#[derive(Default)]
struct Scanned {
    header: Option<SegmentHeader>,
    end: Option<End>,
    fault: Option<Fault>,
    trailer: Option<Trailer>,
    torn: Option<(Torn, Fault)>,
    /// It was cut off within its header.
    is_headless: bool,
    /// Chains that begin in it, with the paths of their actors.
    begun: Vec<(ChainIndex, Option<String>)>,
    redacted: u64,
    /// Payloads in files of their own, by their commitments.
    blobs: BTreeMap<Hash, BlobReference>,
    /// Packages and manifests that it names.
    named: BTreeSet<Hash>,
    runtime: Option<RuntimeGenesis>,
    /// Heads at the numbers of batches that are asked for.
    heads: Vec<Head>,
}

impl Scanned {
    fn see(&mut self, files: &dyn Files, seen: &Seen<'_>) {
        match (seen.form, seen.salt) {
            (Form::Redacted(_), _) => self.redacted += 1,
            (Form::Blob(commitment) | Form::SaltedBlob(_, commitment), Some(salt)) => {
                self.blobs.insert(commitment, BlobReference { salt, lengths: seen.lengths });
            }
            _ => {}
        }
        if seen.header.kind == Kind::Genesis {
            self.see_genesis(files, seen);
        }
    }

    fn see_genesis(&mut self, files: &dyn Files, seen: &Seen<'_>) {
        // A blob that cannot be read is found when the blobs are checked.
        let input = payload_bytes(files, seen).ok().flatten().map_or_else(Vec::new, |(input, _)| input);
        self.begun.push((seen.chain, actor_of(&input).map(|(path, _)| path)));
        if seen.chain == ChainIndex(0) {
            self.runtime = RuntimeGenesis::decode(&input).ok();
        }
        if let Ok(genesis) = Genesis::decode(&input) {
            self.named.extend([genesis.package, genesis.manifest]);
        }
    }
}

/// What all segments have shown together.
#[derive(Default)]
struct Joined {
    run_id: String,
    fault: Option<Fault>,
    events: u64,
    frontier: Frontier,
    chains: HashMap<ChainIndex, Option<String>>,
    is_closed: bool,
    torn_bytes: u64,
    redacted: u64,
    blobs: BTreeMap<Hash, BlobReference>,
    named: BTreeSet<Hash>,
    withheld: Vec<Hash>,
    runtime: Option<RuntimeGenesis>,
    heads: Vec<Head>,
}

/// Joins the segments in their order, up to the first fault. With a trailer at its end, nothing may be torn.
fn join(segments: Vec<Scanned>, has_trailer: bool) -> Joined {
    let mut joined = Joined::default();
    let mut end: Option<End> = None;
    let last = segments.len() - 1;
    for (number, segment) in segments.into_iter().enumerate() {
        let fault = joined.join(number as u32, segment, &mut end, number == last && !has_trailer);
        if let Some(mut fault) = fault {
            for range in &mut fault.events {
                range.path = joined.chains.get(&range.chain).cloned().flatten();
            }
            joined.fault = Some(fault);
            break;
        }
    }
    joined
}

impl Joined {
    /// Returns the head at this number of batches, if it was asked for.
    fn head_at(&self, size: u64) -> Option<Head> {
        self.heads.iter().find(|head| head.size == size).copied()
    }

    fn join(
        &mut self,
        number: u32,
        segment: Scanned,
        end: &mut Option<End>,
        may_be_torn: bool,
    ) -> Option<Fault> {
        let fault =
            |what| Fault { file: segment_name(number), offset: 0, batch: None, events: Vec::new(), what };
        if std::mem::take(&mut self.is_closed) {
            return Some(fault(FaultKind::AfterTrailer));
        }
        if let Some(header) = &segment.header {
            let before = end.take().unwrap_or_else(|| End::before(&header.run_id));
            self.run_id.clone_from(&header.run_id);
            if let Err(fault) = before.check_next(number, header) {
                return Some(fault);
            }
        }
        for (chain, path) in segment.begun {
            if self.chains.insert(chain, path).is_some() {
                return Some(fault(FaultKind::SecondGenesis));
            }
        }
        if let Some(reached) = segment.end {
            self.events = reached.events;
            self.frontier = reached.frontier.clone();
            *end = Some(reached);
        }
        self.redacted += segment.redacted;
        self.blobs.extend(segment.blobs);
        self.named.extend(segment.named);
        self.runtime = self.runtime.take().or(segment.runtime);
        self.heads.extend(segment.heads);
        self.torn_bytes = segment.torn.as_ref().map_or(0, |(torn, _)| torn.bytes);
        if segment.is_headless && may_be_torn {
            return None;
        }
        if segment.fault.is_some() {
            return segment.fault;
        }
        match segment.trailer {
            Some(trailer) if u64::from(trailer.chains) != self.chains.len() as u64 => {
                return Some(fault(FaultKind::Trailer));
            }
            trailer => self.is_closed = trailer.is_some(),
        }
        segment.torn.filter(|_| !may_be_torn).map(|(_, fault)| fault)
    }
}

struct Verifier<'a> {
    files: &'a dyn Files,
    options: &'a VerifyOptions<'a>,
    hasher: Option<RunHasher>,
    note: Option<Note>,
    note_fault: Option<Fault>,
}

impl Verifier<'_> {
    fn read_note(&mut self) -> Result<(), ReadError> {
        let fault = |why: &str| note_fault(why.to_owned());
        match read_whole(self.files, "checkpoint", CHECKPOINT_BYTES_MAX) {
            Ok(bytes) => match Note::parse(&bytes) {
                Ok(note) => self.note = Some(note),
                Err(error) => self.note_fault = Some(fault(&error.to_string())),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                self.note_fault = Some(fault("too large"))
            }
            Err(error) => return Err(ReadError::io("checkpoint", error)),
        }
        Ok(())
    }

    fn scan_all(&self, segments: u32) -> Result<Vec<Scanned>, ReadError> {
        let (next, done, events) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU64::new(0));
        let results = Mutex::new(BTreeMap::new());
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= segments {
                    return;
                }
                let scanned = self.scan(number, &events);
                results.lock().unwrap_or_else(PoisonError::into_inner).insert(number, scanned);
                let segments_done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(progress) = self.options.progress {
                    let events = events.load(Ordering::Relaxed);
                    progress(Progress { events, segments: segments_done, segments_total: segments });
                }
            }
        };
        let threads = match self.options.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(segments as usize) {
                scope.spawn(work);
            }
            work();
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    /// Reads one segment as far as it is right. What is wrong with the run is a fault; an error is the system's.
    fn scan(&self, number: u32, events: &AtomicU64) -> Result<Scanned, ReadError> {
        let mut scanned = Scanned::default();
        let sizes: BTreeSet<u64> = self
            .notes()
            .map(|note| note.checkpoint.head.size)
            .chain(self.options.head.map(|head| head.size))
            .collect();
        let found = Scanner::open(self.files, number, self.hasher.clone()).and_then(|mut scanner| {
            scanned.header = Some(scanner.header().clone());
            let before = scanner.events();
            let end = self.scan_batches(&mut scanner, &sizes, &mut scanned);
            events.fetch_add(scanner.events() - before, Ordering::Relaxed);
            scanned.end = Some(scanner.end());
            end
        });
        match found {
            Ok(()) => {}
            Err(ReadError::Truncated(fault)) if scanned.header.is_none() && number > 0 => {
                scanned.is_headless = true;
                scanned.fault = Some(fault);
            }
            Err(ReadError::Faulty(fault) | ReadError::Truncated(fault)) => scanned.fault = Some(fault),
            Err(error) => return Err(error),
        }
        Ok(scanned)
    }

    fn scan_batches(
        &self,
        scanner: &mut Scanner,
        sizes: &BTreeSet<u64>,
        scanned: &mut Scanned,
    ) -> Result<(), ReadError> {
        loop {
            let step = scanner.next(|seen| scanned.see(self.files, seen))?;
            if sizes.contains(&scanner.batches()) {
                scanned.heads.push(scanner.head());
            }
            match step {
                Step::Batch(_) if scanned.trailer.is_none() => {}
                Step::Trailer(trailer) if scanned.trailer.is_none() => scanned.trailer = Some(trailer),
                Step::End => return Ok(()),
                Step::Torn(torn) if scanned.trailer.is_none() => {
                    scanned.torn = Some((torn, scanner.fault(torn.fault())));
                    return Ok(());
                }
                Step::Batch(_) | Step::Trailer(_) | Step::Torn(_) => {
                    return Err(scanner.fault(FaultKind::AfterTrailer).into());
                }
            }
        }
    }

    /// Checks every file among the blobs, and that none is missing.
    fn check_blobs(&self, joined: &mut Joined) -> Result<Option<Fault>, ReadError> {
        let names = self.files.list("blobs").map_err(|error| ReadError::io("blobs", error))?;
        let mut named = std::mem::take(&mut joined.named);
        for name in names {
            let file = format!("blobs/{name}");
            let fault = |what| Fault { file: file.clone(), offset: 0, batch: None, events: Vec::new(), what };
            let (hash, is_payload) = match name.strip_suffix(".payload") {
                Some(hash) => (hash.parse::<Hash>(), true),
                None => (name.parse::<Hash>(), false),
            };
            let Ok(hash) = hash else {
                if joined.is_closed {
                    return Ok(Some(fault(FaultKind::ForeignFile)));
                }
                continue;
            };
            let (start, bytes) = match joined.blobs.remove(&hash) {
                Some(blob) if is_payload => {
                    (RunHasher::payload_stream(&blob.salt, blob.lengths), Some(blob.lengths.total()))
                }
                _ if is_payload && joined.is_closed => return Ok(Some(fault(FaultKind::ForeignFile))),
                _ if is_payload => continue,
                _ => (Stream::new(), None),
            };
            let found = self.hash_file(&file, start)?;
            if found.0 != hash || bytes.is_some_and(|bytes| bytes != found.1) {
                return Ok(Some(fault(FaultKind::Blob)));
            }
            named.remove(&hash);
        }
        if let Some((commitment, _)) = joined.blobs.pop_first() {
            let what = FaultKind::MissingBlob;
            return Ok(Some(Fault {
                file: blob_name(&commitment),
                offset: 0,
                batch: None,
                events: Vec::new(),
                what,
            }));
        }
        joined.withheld = named.into_iter().collect();
        Ok(None)
    }

    fn hash_file(&self, name: &str, mut stream: Stream) -> Result<(Hash, u64), ReadError> {
        let io = |error| ReadError::io(name, error);
        let mut file = self.files.open(name).map_err(io)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut bytes = 0;
        loop {
            match file.read(&mut buffer).map_err(io)? {
                0 => return Ok((stream.finish(), bytes)),
                count => {
                    stream.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
    }

    /// Checks that the checkpoints speak of this run.
    fn check_notes(&self, joined: &Joined) -> Option<Fault> {
        if self.note_fault.is_some() {
            return self.note_fault.clone();
        }
        self.notes().find_map(|note| check_note(&note.checkpoint, joined))
    }

    /// The run's own checkpoint must hold even if another one is asked about.
    fn check_signer(&self, joined: &Joined) -> (SignerCheck, Witnesses) {
        let VerifyOptions { keys, witnesses: required, .. } = self.options;
        let own =
            joined.runtime.as_ref().and_then(|genesis| genesis.node_key.as_ref()?.parse::<PublicKey>().ok());
        let mut checked = (SignerCheck::Unsigned, Witnesses::missing_all(required));
        for note in self.notes() {
            checked = vouch(note, Known { keys, required, own: own.as_ref() });
            match checked.0 {
                SignerCheck::Invalid { .. } => return checked,
                SignerCheck::Known(key) if !note.checkpoint.is_closed() => {
                    checked.0 = SignerCheck::Partly { key, signed: note.checkpoint.head.size };
                }
                _ => {}
            }
        }
        checked
    }

    fn notes(&self) -> impl Iterator<Item = &Note> {
        self.note.iter().chain(&self.options.checkpoint)
    }

    fn report(&self, joined: Joined) -> Report {
        let head = joined.frontier.head();
        let head_check = match self.options.head {
            None => HeadCheck::NotGiven,
            Some(given) if given == head => HeadCheck::Equal,
            Some(given) if joined.head_at(given.size) == Some(given) => HeadCheck::Earlier { given },
            Some(given) => HeadCheck::Differs { given },
        };
        let (signer, witnesses) = if joined.fault.is_none() {
            self.check_signer(&joined)
        } else {
            (SignerCheck::Unchecked, Witnesses::missing_all(&self.options.witnesses))
        };
        let completeness = match &joined.fault {
            None if joined.is_closed => Completeness::Closed,
            None => Completeness::Incomplete { torn_bytes: joined.torn_bytes },
            // The journal itself was read to its end, and that is not where the checkpoint says it is.
            Some(fault) if fault.file == "checkpoint" && !joined.is_closed => {
                Completeness::Incomplete { torn_bytes: joined.torn_bytes }
            }
            Some(_) => Completeness::Unknown,
        };
        let redactions = Redactions {
            payloads: joined.redacted,
            is_secret_dropped: self.hasher.is_none(),
            withheld: joined.withheld,
        };
        Report {
            run_id: joined.run_id,
            events: joined.events,
            chains: joined.chains.len() as u64,
            head,
            integrity: joined.fault.map_or(Integrity::Intact, Integrity::Broken),
            completeness,
            signer,
            witnesses,
            redactions,
            head_check,
        }
    }
}

/// Checks that a checkpoint speaks of this run.
fn check_note(checkpoint: &Checkpoint, joined: &Joined) -> Option<Fault> {
    let expected = Checkpoint::of_run(&joined.run_id, checkpoint.head, checkpoint.is_closed());
    if expected != *checkpoint {
        let origin = &checkpoint.origin;
        return Some(note_fault(format!("its origin is {origin}, or it says more than it should")));
    }
    let head = joined.frontier.head();
    if joined.head_at(checkpoint.head.size) != Some(checkpoint.head) && head != checkpoint.head {
        return Some(note_fault(format!("its head is {}, that of the run is {head}", checkpoint.head)));
    }
    if checkpoint.is_closed() && !(joined.is_closed && head == checkpoint.head) {
        return Some(note_fault("it closes a run that goes on or lacks its end".to_owned()));
    }
    None
}

fn note_fault(why: String) -> Fault {
    let what = FaultKind::Checkpoint(why);
    Fault { file: "checkpoint".to_owned(), offset: 0, batch: None, events: Vec::new(), what }
}
