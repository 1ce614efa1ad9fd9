//! Reads one segment batch by batch and recomputes every hash in it: all reading of a run goes through here.
//!
//! A batch is handed over event by event *before* its commitment is compared, so that nothing is decoded twice;
//! whoever keeps events must drop them again when [`Scanner::next`] returns a fault.

use std::collections::HashMap;
use std::io::{BufReader, ErrorKind, Seek, SeekFrom};
use std::ops::ControlFlow;

use crate::event::{ChainIndex, Halves, Header, Kind};
use crate::fault::{EventRange, Fault, FaultKind, ReadError};
use crate::hash::{Hash, Lengths, RunHasher, Salt, start_commitment};
use crate::index::Standing;
use crate::merkle::{Frontier, Head};
use crate::segment::{
    FORMAT_VERSION, FRAME_BYTES, FrameKind, HeaderError, LiveChain, NextFrame, SegmentHeader, Trailer,
    padded_run_id, read_frame, segment_name,
};
use crate::storage::{Files, read_whole};
use crate::wire::{Advance, BatchSummary, Cursor, Form, Malformed, Record};

const BUFFER_BYTES: usize = 256 << 10;

/// A chain as the scan knows it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    live: LiveChain,
    is_ended: bool,
    /// Number of the batch in which it last advanced, plus one.
    stamp: u64,
    fuel: u64,
    first_seq: u64,
}

/// An event in a batch that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) chain: ChainIndex,
    /// Id of the chain.
    pub(crate) id: Hash,
    /// Number that belongs to the chain as long as its segment is read.
    pub(crate) place: usize,
    pub(crate) header: Header,
    /// Fuel of the chain's event before, if that is in the same batch.
    pub(crate) fuel_before: Option<u64>,
    pub(crate) previous: Hash,
    pub(crate) hash: Hash,
    pub(crate) commitment: Hash,
    pub(crate) lengths: Lengths,
    pub(crate) form: Form<'a>,
    /// Salt of the payload, where it is known.
    pub(crate) salt: Option<Salt>,
}

/// Where a run stands between two segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) run_id: String,
    pub(crate) frontier: Frontier,
    pub(crate) events: u64,
    pub(crate) previous: Hash,
    /// Chains begun and not ended, by ordinal.
    pub(crate) live: Vec<LiveChain>,
}

impl End {
    /// Where a run stands before its first segment.
    pub(crate) fn before(run_id: &str) -> Self {
        let previous = start_commitment(FORMAT_VERSION, &padded_run_id(run_id));
        Self { run_id: run_id.to_owned(), frontier: Frontier::new(), events: 0, previous, live: Vec::new() }
    }

    /// Checks that a segment continues from here.
    pub(crate) fn check_next(&self, number: u32, header: &SegmentHeader) -> Result<(), Fault> {
        let what = if header.number != number {
            "number"
        } else if header.run_id != self.run_id {
            "run id"
        } else if header.frontier.size() != self.frontier.size() {
            "number of batches"
        } else if header.events != self.events {
            "number of events"
        } else if header.previous != self.previous {
            "previous commitment"
        } else if header.frontier != self.frontier {
            "Merkle tree"
        } else if header.live != self.live {
            "list of chains"
        } else {
            return Ok(());
        };
        let what = FaultKind::Discontinuous(what);
        Err(Fault {
            file: segment_name(number),
            offset: 0,
            batch: Some(self.frontier.size()),
            events: Vec::new(),
            what,
        })
    }
}

/// What [`Scanner::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A batch with this commitment.
    Batch(Hash),
    /// The trailer of a closed run.
    Trailer(Trailer),
    /// The end of the file.
    End,
    /// The end of the file is no whole batch.
    Torn(Torn),
}

/// Bytes at the end of a file that are no whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) bytes: u64,
    /// There are too few of them; otherwise they are not those that were written.
    is_short: bool,
}

impl Torn {
    /// What is wrong if something must follow.
    pub(crate) const fn fault(self) -> FaultKind {
        if self.is_short { FaultKind::Truncated } else { FaultKind::Checksum }
    }
}

/// Reads one segment.
pub(crate) struct Scanner {
    name: String,
    source: BufReader<Box<dyn crate::storage::ReadAt>>,
    size: u64,
    offset: u64,
    header: SegmentHeader,
    hasher: Option<RunHasher>,
    previous: Hash,
    /// Commitment before the latest batch.
    before: Hash,
    frontier: Frontier,
    events: u64,
    slots: Vec<Slot>,
    places: HashMap<u32, usize>,
    last: usize,
    body: Vec<u8>,
    summary: BatchSummary,
    touched: Vec<usize>,
    advances: Vec<Advance>,
}

impl Scanner {
    /// Opens a segment and reads its header.
    pub(crate) fn open(files: &dyn Files, number: u32, hasher: Option<RunHasher>) -> Result<Self, ReadError> {
        let name = segment_name(number);
        let io = |error| ReadError::io(&name, error);
        let mut file = files.open(&name).map_err(io)?;
        let size = file.seek(SeekFrom::End(0)).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut source = BufReader::with_capacity(BUFFER_BYTES, file);
        let fault = |what| Fault { file: name.clone(), offset: 0, batch: None, events: Vec::new(), what };
        let (header, offset) = SegmentHeader::read(&mut source, size).map_err(|error| match error {
            HeaderError::Io(error) => ReadError::io(&name, error),
            HeaderError::NotASegment => ReadError::NotARun("a file of the journal is no segment"),
            HeaderError::Newer(found) => ReadError::Newer { found, known: FORMAT_VERSION },
            HeaderError::Truncated => fault(FaultKind::Truncated).into(),
            HeaderError::Corrupt => fault(FaultKind::Checksum).into(),
        })?;
        Ok(Self::new(name, source, (size, offset), header, hasher))
    }

    /// Opens a segment at a batch within it; `at` is what a segment that begins there would begin with.
    pub(crate) fn open_at(
        files: &dyn Files,
        offset: u64,
        at: SegmentHeader,
        hasher: Option<RunHasher>,
    ) -> Result<Self, ReadError> {
        let name = segment_name(at.number);
        let io = |error| ReadError::io(&name, error);
        let mut file = files.open(&name).map_err(io)?;
        let size = file.seek(SeekFrom::End(0)).map_err(io)?;
        file.seek(SeekFrom::Start(offset)).map_err(io)?;
        let source = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self::new(name, source, (size.max(offset), offset), at, hasher))
    }

    fn new(
        name: String,
        source: BufReader<Box<dyn crate::storage::ReadAt>>,
        (size, offset): (u64, u64),
        header: SegmentHeader,
        hasher: Option<RunHasher>,
    ) -> Self {
        let slot = |live: &LiveChain| Slot { live: *live, is_ended: false, stamp: 0, fuel: 0, first_seq: 0 };
        let slots: Vec<_> = header.live.iter().map(slot).collect();
        let places = slots.iter().enumerate().map(|(place, slot)| (slot.live.chain, place)).collect();
        Self {
            source,
            size,
            offset,
            hasher,
            previous: header.previous,
            before: header.previous,
            frontier: header.frontier.clone(),
            events: header.events,
            header,
            slots,
            places,
            last: 0,
            body: Vec::new(),
            summary: BatchSummary::default(),
            touched: Vec::new(),
            advances: Vec::new(),
            name,
        }
    }

    /// Where the next frame begins.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the file.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Returns where the run stands here, without its chains.
    pub(crate) const fn standing(&self) -> Standing<'_> {
        Standing { frontier: &self.frontier, events: self.events, previous: &self.previous }
    }

    /// Returns what the latest batch commits to, besides its number: the commitment before it, the order of its
    /// events, and the chains that advanced.
    pub(crate) fn latest(&self) -> (Hash, &BatchSummary, &[Advance]) {
        (self.before, &self.summary, &self.advances)
    }

    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Returns the head of the run up to here.
    pub(crate) fn head(&self) -> Head {
        self.frontier.head()
    }

    /// Number of batches up to here, from the start of the run.
    pub(crate) fn batches(&self) -> u64 {
        self.frontier.size()
    }

    /// Number of events up to here, from the start of the run.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Returns where the run stands here: what the next segment must start with.
    pub(crate) fn end(&self) -> End {
        let mut live: Vec<_> =
            self.slots.iter().filter(|slot| !slot.is_ended).map(|slot| slot.live).collect();
        live.sort_unstable_by_key(|live| live.chain);
        End {
            run_id: self.header.run_id.clone(),
            frontier: self.frontier.clone(),
            events: self.events,
            previous: self.previous,
            live,
        }
    }

    /// Sees what was appended since, and reads anew what was no whole batch.
    pub(crate) fn resume(&mut self) -> Result<(), ReadError> {
        let io = |error| ReadError::io(&self.name, error);
        let size = self.source.seek(SeekFrom::End(0)).map_err(io)?;
        self.source.seek(SeekFrom::Start(self.offset)).map_err(io)?;
        if size < self.offset {
            return Err(self.fault(FaultKind::Truncated).into());
        }
        self.size = size;
        Ok(())
    }

    /// Reads the next batch, calling `visit` with each of its events.
    pub(crate) fn next(&mut self, visit: impl FnMut(&Seen<'_>)) -> Result<Step, ReadError> {
        let remaining = self.size - self.offset;
        let mut body = std::mem::take(&mut self.body);
        let frame = read_frame(&mut self.source, remaining, &mut body)
            .map_err(|error| ReadError::io(&self.name, error))?;
        let step = match frame {
            NextFrame::End => Step::End,
            NextFrame::Short => Step::Torn(Torn { bytes: remaining, is_short: true }),
            NextFrame::Corrupt { is_last: true } => Step::Torn(Torn { bytes: remaining, is_short: false }),
            NextFrame::Corrupt { is_last: false } => return Err(self.fault(FaultKind::Checksum).into()),
            NextFrame::Whole(FrameKind::Batch) => Step::Batch(self.batch(&body, visit)?),
            NextFrame::Whole(FrameKind::Trailer) => {
                Step::Trailer(self.trailer(&body).ok_or_else(|| self.fault(FaultKind::Trailer))?)
            }
        };
        if matches!(step, Step::Batch(_) | Step::Trailer(_)) {
            self.offset += (FRAME_BYTES + body.len()) as u64;
        }
        self.body = body;
        Ok(step)
    }

    /// Reads a trailer that says what the events up to here say; the number of chains is left to who knows it.
    fn trailer(&self, body: &[u8]) -> Option<Trailer> {
        let trailer = Trailer::decode(body)?;
        let expected = Trailer {
            batches: self.frontier.size(),
            events: self.events,
            chains: trailer.chains,
            previous: self.previous,
            root: self.frontier.head().root,
        };
        (trailer == expected).then_some(trailer)
    }

    /// A fault at the current frame; the batch it names is the one that comes next.
    pub(crate) fn fault(&self, what: FaultKind) -> Fault {
        Fault {
            file: self.name.clone(),
            offset: self.offset,
            batch: Some(self.frontier.size()),
            events: Vec::new(),
            what,
        }
    }

    fn fault_at(&self, chain: u32, seq: u64, what: FaultKind) -> Fault {
        let range = EventRange { chain: ChainIndex(chain), path: None, first_seq: seq, last_seq: seq };
        Fault { events: vec![range], ..self.fault(what) }
    }

    fn batch(&mut self, body: &[u8], mut visit: impl FnMut(&Seen<'_>)) -> Result<Hash, Fault> {
        let (mut records, commitment) = body
            .split_last_chunk::<32>()
            .filter(|(records, _)| !records.is_empty())
            .ok_or_else(|| self.fault(FaultKind::EmptyBatch))?;
        let commitment = Hash(*commitment);
        self.summary.clear();
        self.touched.clear();
        let mut cursor = Cursor::default();
        while !records.is_empty() {
            let record =
                cursor.decode(&mut records).map_err(|error| self.fault(FaultKind::Malformed(error)))?;
            let seen = self.event(&record)?;
            visit(&seen);
        }
        self.advances.clear();
        let slots = &self.slots;
        self.advances.extend(self.touched.iter().map(|place| {
            let Slot { live, first_seq, .. } = &slots[*place];
            Advance { chain: live.chain, first_seq: *first_seq, seq: live.next_seq - 1, head: live.head }
        }));
        self.advances.sort_unstable_by_key(|advance| advance.chain);
        if self.summary.commitment(&self.previous, self.frontier.size(), &self.advances) != commitment {
            let range = |advance: &Advance| EventRange {
                chain: ChainIndex(advance.chain),
                path: None,
                first_seq: advance.first_seq,
                last_seq: advance.seq,
            };
            let events = self.advances.iter().map(range).collect();
            return Err(Fault { events, ..self.fault(FaultKind::Commitment) });
        }
        self.before = std::mem::replace(&mut self.previous, commitment);
        self.frontier.push(&commitment);
        self.events += u64::from(self.summary.events);
        Ok(commitment)
    }

    /// Finds the chain of a record, or begins it.
    fn place(&mut self, record: &Record<'_>) -> Result<usize, Fault> {
        if let Some(slot) = self.slots.get(self.last)
            && slot.live.chain == record.chain
        {
            return Ok(self.last);
        }
        if let Some(place) = self.places.get(&record.chain) {
            self.last = *place;
            return Ok(*place);
        }
        if record.kind != Kind::Genesis {
            return Err(self.fault_at(record.chain, record.first_seq.unwrap_or(0), FaultKind::NoGenesis));
        }
        let live = LiveChain { chain: record.chain, next_seq: 0, id: Hash::ZERO, head: Hash::ZERO };
        self.last = self.slots.len();
        self.slots.push(Slot { live, is_ended: false, stamp: 0, fuel: 0, first_seq: 0 });
        self.places.insert(record.chain, self.last);
        Ok(self.last)
    }

    fn event<'a>(&mut self, record: &Record<'a>) -> Result<Seen<'a>, Fault> {
        let place = self.place(record)?;
        let stamp = self.frontier.size() + 1;
        let slot = &mut self.slots[place];
        let seq = slot.live.next_seq;
        let is_first = slot.stamp != stamp;
        if let Some(what) = slot.misplaced(record, is_first) {
            return Err(self.fault_at(record.chain, seq, what));
        }
        let Some((salt, commitment)) = payload_hashes(self.hasher.as_ref(), &slot.live, record) else {
            return Err(self.fault_at(record.chain, seq, FaultKind::NoSecret));
        };
        let fuel_before = (!is_first).then_some(slot.fuel);
        let header = header(record, seq, fuel_before);
        let previous = slot.live.head;
        let hash = RunHasher::event(&previous, &header, &commitment);
        if seq == 0 {
            slot.live.id = hash;
        }
        if is_first {
            slot.first_seq = seq;
            slot.stamp = stamp;
            self.touched.push(place);
        }
        slot.live.head = hash;
        slot.live.next_seq = seq + 1;
        slot.fuel = header.fuel;
        slot.is_ended = record.kind == Kind::Exit;
        self.summary.count(record.chain);
        let chain = ChainIndex(record.chain);
        let Record { lengths, form, .. } = *record;
        let id = slot.live.id;
        Ok(Seen { chain, id, place, header, fuel_before, previous, hash, commitment, lengths, form, salt })
    }
}

impl Slot {
    /// Says why a record cannot be the next of its chain.
    fn misplaced(&self, record: &Record<'_>, is_first: bool) -> Option<FaultKind> {
        let expected = self.live.next_seq;
        if self.is_ended {
            return Some(FaultKind::AfterExit);
        }
        match (record.kind, expected) {
            (Kind::Genesis, 0) => {}
            (Kind::Genesis, _) => return Some(FaultKind::SecondGenesis),
            (_, 0) => return Some(FaultKind::NoGenesis),
            _ => {}
        }
        match record.first_seq {
            Some(found) if found != expected => Some(FaultKind::Seq { expected, found }),
            first if first.is_some() != is_first => Some(FaultKind::Malformed(Malformed::Spelling)),
            _ => None,
        }
    }
}

/// The header of a record, whose fuel is a difference if the chain has an event before it in its batch.
fn header(record: &Record<'_>, seq: u64, fuel_before: Option<u64>) -> Header {
    Header {
        kind: record.kind,
        outcome: record.outcome,
        seq,
        time_us: record.time_us,
        function: record.function,
        fuel: fuel_before.unwrap_or(0).wrapping_add(record.fuel),
    }
}

/// A place in a run from which the events of one chain can be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) segment: u32,
    /// Of a batch.
    pub(crate) offset: u64,
    /// Where the chain stood before that batch.
    pub(crate) live: LiveChain,
}

/// Reads the events of one chain from a point on, without looking at those of others and without checking batches.
pub(crate) fn scan_chain(
    files: &dyn Files,
    hasher: &RunHasher,
    point: Point,
    mut visit: impl FnMut(&Seen<'_>) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let Point { mut segment, mut offset, mut live } = point;
    let mut body = Vec::new();
    loop {
        let name = segment_name(segment);
        let io = |error| ReadError::io(&name, error);
        let mut file = match files.open(&name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file.map_err(io)?,
        };
        let size = file.seek(SeekFrom::End(0)).map_err(io)?;
        file.seek(SeekFrom::Start(offset)).map_err(io)?;
        let mut source = BufReader::with_capacity(BUFFER_BYTES, file);
        let fault =
            |offset, what| Fault { file: name.clone(), offset, batch: None, events: Vec::new(), what };
        if offset == 0 {
            let header = SegmentHeader::read(&mut source, size);
            let (_, length) = header.map_err(|_| fault(0, FaultKind::Checksum))?;
            offset = length;
        }
        while let NextFrame::Whole(FrameKind::Batch) =
            read_frame(&mut source, size - offset, &mut body).map_err(io)?
        {
            let found = chain_in_batch(&body, hasher, &mut live, &mut visit);
            if found.map_err(|what| fault(offset, what))?.is_break() {
                return Ok(());
            }
            offset += (FRAME_BYTES + body.len()) as u64;
        }
        (segment, offset) = (segment + 1, 0);
    }
}

fn chain_in_batch(
    body: &[u8],
    hasher: &RunHasher,
    live: &mut LiveChain,
    visit: &mut impl FnMut(&Seen<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, FaultKind> {
    let (mut records, _) = body.split_last_chunk::<32>().ok_or(FaultKind::EmptyBatch)?;
    let mut cursor = Cursor::default();
    let mut fuel = None;
    while !records.is_empty() {
        let record = cursor.decode(&mut records).map_err(FaultKind::Malformed)?;
        if record.chain != live.chain {
            continue;
        }
        let fuel_before = if record.first_seq.is_some() { None } else { fuel };
        let header = header(&record, live.next_seq, fuel_before);
        fuel = Some(header.fuel);
        let (salt, commitment) = payload_hashes(Some(hasher), live, &record).ok_or(FaultKind::NoSecret)?;
        let previous = live.head;
        let hash = RunHasher::event(&previous, &header, &commitment);
        if live.next_seq == 0 {
            live.id = hash;
        }
        live.head = hash;
        live.next_seq += 1;
        let chain = ChainIndex(record.chain);
        let Record { lengths, form, .. } = record;
        let id = live.id;
        let seen = Seen {
            chain,
            id,
            place: 0,
            header,
            fuel_before,
            previous,
            hash,
            commitment,
            lengths,
            form,
            salt,
        };
        if visit(&seen).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Returns salt and commitment of a payload; none if the salt is needed and nobody has it.
fn payload_hashes(
    hasher: Option<&RunHasher>,
    live: &LiveChain,
    record: &Record<'_>,
) -> Option<(Option<Salt>, Hash)> {
    let secret_salt = || hasher.map(|hasher| event_salt(hasher, live));
    let commit = |salt: &Salt, payload: &[u8]| RunHasher::commitment(salt, record.lengths, payload);
    Some(match record.form {
        Form::Inline(payload) => {
            let salt = secret_salt()?;
            (Some(salt), commit(&salt, payload))
        }
        Form::Salted(salt, payload) => (Some(salt), commit(&salt, payload)),
        Form::Blob(commitment) => (secret_salt(), commitment),
        Form::SaltedBlob(salt, commitment) => (Some(salt), commitment),
        Form::Redacted(commitment) => (None, commitment),
    })
}

/// The salt of the next event of a chain.
pub(crate) fn event_salt(hasher: &RunHasher, live: &LiveChain) -> Salt {
    if live.next_seq == 0 {
        hasher.salt(&Hash::ZERO, u64::from(live.chain))
    } else {
        hasher.salt(&live.id, live.next_seq)
    }
}

/// The file of a payload that is too large for its batch.
pub(crate) fn blob_name(commitment: &Hash) -> String {
    format!("blobs/{commitment}.payload")
}

/// Returns input and output of an event, from its blob if need be; none if they were removed.
pub(crate) fn payload_bytes(files: &dyn Files, seen: &Seen<'_>) -> Result<Option<Halves>, ReadError> {
    let split = |payload: &[u8]| {
        let (input, output) = payload.split_at(seen.lengths.input as usize);
        (input.to_vec(), output.to_vec())
    };
    match seen.form {
        Form::Inline(payload) | Form::Salted(_, payload) => Ok(Some(split(payload))),
        Form::Blob(commitment) | Form::SaltedBlob(_, commitment) => {
            let name = blob_name(&commitment);
            let fault = |what| Fault { file: name.clone(), offset: 0, batch: None, events: Vec::new(), what };
            let bytes = match read_whole(files, &name, seen.lengths.total()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(fault(FaultKind::MissingBlob).into());
                }
                Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                    return Err(fault(FaultKind::Blob).into());
                }
                bytes => bytes.map_err(|error| ReadError::io(&name, error))?,
            };
            let salt = seen.salt.ok_or_else(|| fault(FaultKind::NoSecret))?;
            if bytes.len() as u64 != seen.lengths.total()
                || RunHasher::commitment(&salt, seen.lengths, &bytes) != commitment
            {
                return Err(fault(FaultKind::Blob).into());
            }
            Ok(Some(split(&bytes)))
        }
        Form::Redacted(_) => Ok(None),
    }
}
