//! Side data beside a segment: what is in it and where, so that a reader goes to the events it wants and to no others.
//!
//! The writer keeps it when a segment is full and at close, without waiting for the disk; a reader makes it anew where
//! it is missing, damaged or not of this segment. Nothing that is hashed or verified comes from it: a reader that
//! follows it still recomputes the hashes of what it reads, and a wrong index shows as a fault that a scan does not find.

mod build;
mod bytes;

use std::io::{self, Read, Seek, SeekFrom};

pub(crate) use build::{Builder, Crossed, Standing};

use crate::event::{ChainIndex, Header, Kind};
use crate::fault::{FaultKind, ReadError};
use crate::hash::{Hash, RunHasher};
use crate::merkle::Frontier;
use crate::scan::{Scanner, Step};
use crate::segment::{LiveChain, SegmentHeader, segment_name};
use crate::storage::{Files, read_whole};

/// Largest index that is read: that of a segment is at most a tenth of it, but for one with huge batches.
const INDEX_BYTES_MAX: u64 = 256 << 20;

/// Name of the index of a segment.
pub(crate) fn index_name(number: u32) -> String {
    format!("index/{number:06}.idx")
}

/// What is in one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentIndex {
    pub(crate) identity: Identity,
    /// Chains that advance in it, by number.
    pub(crate) chains: Vec<ChainUse>,
    /// Its batches in groups, in order.
    pub(crate) blocks: Vec<Block>,
}

impl SegmentIndex {
    /// Returns the index of a segment that has no batch, to be kept nowhere.
    pub(crate) const fn empty(number: u32) -> Self {
        let identity =
            Identity { number, file_bytes: 0, header_bytes: 0, header_crc: 0, end: 0, last: Hash::ZERO };
        Self { identity, chains: Vec::new(), blocks: Vec::new() }
    }
}

/// Which segment an index is of, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) number: u32,
    /// Length of the file.
    pub(crate) file_bytes: u64,
    /// Length of its header.
    pub(crate) header_bytes: u64,
    /// Checksum of its header.
    pub(crate) header_crc: u32,
    /// End of its last whole frame.
    pub(crate) end: u64,
    /// The 32 bytes before that: a commitment over everything up to there.
    pub(crate) last: Hash,
}

/// A few batches next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) offset: u64,
    pub(crate) end: u64,
    /// Events of the run before it.
    pub(crate) events_before: u64,
    /// Commitment before it.
    pub(crate) previous: Hash,
    /// Tree before it.
    pub(crate) frontier: Frontier,
    pub(crate) first_us: u64,
    pub(crate) last_us: u64,
    /// Chains that advance in it, by number.
    pub(crate) chains: Vec<BlockChain>,
}

/// A chain in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockChain {
    /// Where it stood before.
    pub(crate) live: LiveChain,
    pub(crate) events: u64,
    /// A bit for each kind.
    pub(crate) kinds: u16,
    /// A bit for each function number, which wraps at 64.
    pub(crate) functions: u64,
    /// Whether an outcome is not ok.
    pub(crate) has_failing: bool,
}

/// What a chain did, or one part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainUse {
    /// The chain.
    pub chain: ChainIndex,
    /// Its id.
    pub id: Hash,
    /// Number of its events before this part.
    pub first_seq: u64,
    /// Hash of its latest event.
    pub head: Hash,
    /// Earliest time of its events.
    pub first_us: u64,
    /// Latest time of its events.
    pub last_us: u64,
    /// Number of its events of each kind, by the number of the kind.
    pub kinds: [u64; Kind::ALL.len()],
    /// What it did with each function, by its number, [`crate::NO_FUNCTION`] among them.
    pub functions: Vec<FunctionUse>,
}

/// What a chain did with one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionUse {
    /// Number of the function.
    pub function: u32,
    /// Number of calls that were begun.
    pub calls: u64,
    /// Number of events that did not end well.
    pub failed: u64,
    /// Bytes of input.
    pub input_bytes: u64,
    /// Bytes of output.
    pub output_bytes: u64,
    /// Fuel of the calls that came back.
    pub fuel: u64,
}

impl ChainUse {
    /// Returns the number of its events.
    pub fn events(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// Returns the number of its events of one kind.
    pub fn of_kind(&self, kind: Kind) -> u64 {
        self.kinds[usize::from(kind.number())]
    }

    /// Adds what it did later.
    pub(crate) fn add(&mut self, later: &Self) {
        self.head = later.head;
        self.first_us = self.first_us.min(later.first_us);
        self.last_us = self.last_us.max(later.last_us);
        for (count, more) in self.kinds.iter_mut().zip(later.kinds) {
            *count += more;
        }
        for more in &later.functions {
            match self.functions.binary_search_by_key(&more.function, |known| known.function) {
                Ok(place) => self.functions[place].add(more),
                Err(place) => self.functions.insert(place, *more),
            }
        }
    }
}

impl FunctionUse {
    fn add(&mut self, more: &Self) {
        self.calls += more.calls;
        self.failed += more.failed;
        self.input_bytes += more.input_bytes;
        self.output_bytes += more.output_bytes;
        self.fuel += more.fuel;
    }
}

impl Block {
    /// Returns what a segment that begins here would begin with.
    pub(crate) fn header(&self, run_id: &str, number: u32) -> SegmentHeader {
        let live = self.chains.iter().map(|chain| chain.live).filter(|live| live.next_seq > 0).collect();
        SegmentHeader {
            run_id: run_id.to_owned(),
            number,
            events: self.events_before,
            previous: self.previous,
            frontier: self.frontier.clone(),
            live,
        }
    }
}

/// A bit for a kind.
pub(crate) const fn kind_bit(kind: Kind) -> u16 {
    1 << kind.number()
}

/// A bit for a function.
pub(crate) const fn function_bit(function: u32) -> u64 {
    1 << (function % 64)
}

/// Reads the index of a segment; none if there is none, or it is not of this segment as it is now.
pub(crate) fn load(files: &dyn Files, number: u32) -> Option<SegmentIndex> {
    let bytes = read_whole(files, &index_name(number), INDEX_BYTES_MAX).ok()?;
    let index = SegmentIndex::decode(&bytes)?;
    let is_its = index.identity.number == number && identifies(files, &index.identity).unwrap_or(false);
    is_its.then_some(index)
}

/// Says whether a segment is the one that is meant.
fn identifies(files: &dyn Files, identity: &Identity) -> io::Result<bool> {
    let mut file = files.open(&segment_name(identity.number))?;
    if file.seek(SeekFrom::End(0))? != identity.file_bytes {
        return Ok(false);
    }
    let (Some(crc_at), Some(last_at)) = (identity.header_bytes.checked_sub(4), identity.end.checked_sub(32))
    else {
        return Ok(false);
    };
    let (mut crc, mut last) = ([0; 4], [0; 32]);
    file.seek(SeekFrom::Start(crc_at))?;
    file.read_exact(&mut crc)?;
    file.seek(SeekFrom::Start(last_at))?;
    file.read_exact(&mut last)?;
    Ok(u32::from_le_bytes(crc) == identity.header_crc && Hash(last) == identity.last)
}

/// Makes the index of a segment by reading it, every hash recomputed.
pub(crate) fn scan(
    files: &dyn Files,
    number: u32,
    hasher: Option<RunHasher>,
    may_be_torn: bool,
) -> Result<SegmentIndex, ReadError> {
    let mut scanner = Scanner::open(files, number, hasher)?;
    let mut builder = Builder::new(number, scanner.header(), scanner.offset());
    loop {
        let step = scanner.next(|seen| {
            builder.event(
                seen.place,
                &Crossed {
                    chain: seen.chain.0,
                    id: &seen.id,
                    previous: &seen.previous,
                    hash: &seen.hash,
                    header: &seen.header,
                    lengths: seen.lengths,
                },
            );
        })?;
        match step {
            Step::Batch(_) => builder.batch(scanner.offset(), &scanner.standing()),
            Step::Trailer(trailer) => {
                builder.trailer(trailer.root);
                if scanner.next(|_| {})? != Step::End {
                    return Err(scanner.fault(FaultKind::AfterTrailer).into());
                }
                return Ok(builder.finish(scanner.offset(), scanner.size()));
            }
            Step::End => return Ok(builder.finish(scanner.offset(), scanner.size())),
            Step::Torn(_) if may_be_torn => return Ok(builder.finish(scanner.offset(), scanner.size())),
            Step::Torn(torn) => return Err(scanner.fault(torn.fault()).into()),
        }
    }
}

/// Says whether an event begins a call.
pub(crate) const fn begins_call(header: &Header) -> bool {
    matches!(header.kind, Kind::Call | Kind::Exchange | Kind::HostCall | Kind::HostRequest)
}

/// Says whether an event ends a call of the guest, and so tells the fuel that it used.
pub(crate) const fn ends_call(header: &Header) -> bool {
    matches!(header.kind, Kind::Return | Kind::Exchange | Kind::Trap)
}
