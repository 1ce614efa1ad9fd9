//! Events of a run by what they are, forwards or from the end: the indices say which blocks can hold one, and no
//! other is read.
//!
//! What is read is hashed as everywhere, from the commitment that the index names on; what is passed over is not. To
//! know whether a run is whole is what verifying is for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::event::{ChainIndex, Event, Header, Kind, Outcome};
use crate::fault::{FaultKind, ReadError};
use crate::index::{Block, BlockChain, SegmentIndex, function_bit, kind_bit};
use crate::read::{Events, Run, event};
use crate::scan::{Scanner, Step};

/// Which events are wanted: those to which all of it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of these chains.
    pub chains: Option<BTreeSet<ChainIndex>>,
    /// Of these functions, by chain.
    pub functions: Option<BTreeMap<ChainIndex, BTreeSet<u32>>>,
    /// Of these kinds.
    pub kinds: Option<BTreeSet<Kind>>,
    /// From this number of their chain on.
    pub from_seq: u64,
    /// Not before this time.
    pub from_us: u64,
    /// Not after this time.
    pub until_us: Option<u64>,
    /// With another outcome than ok.
    pub failing_only: bool,
}

impl Query {
    /// Returns the query for all events of one chain.
    pub fn of_chain(chain: ChainIndex) -> Self {
        Self { chains: Some(BTreeSet::from([chain])), ..Self::default() }
    }

    /// Returns the same query for these kinds only.
    #[must_use]
    pub fn of_kinds(self, kinds: &[Kind]) -> Self {
        Self { kinds: Some(kinds.iter().copied().collect()), ..self }
    }

    /// Says whether an event is wanted.
    pub fn wants(&self, chain: ChainIndex, header: &Header) -> bool {
        header.seq >= self.from_seq
            && header.time_us >= self.from_us
            && self.until_us.is_none_or(|until| header.time_us <= until)
            && (!self.failing_only || header.outcome != Outcome::Ok)
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&header.kind))
            && self.chains.as_ref().is_none_or(|chains| chains.contains(&chain))
            && self.functions.as_ref().is_none_or(|functions| {
                functions.get(&chain).is_some_and(|numbers| numbers.contains(&header.function))
            })
    }

    /// Says whether a block can hold a wanted event.
    fn may_be_in(&self, block: &Block) -> bool {
        block.last_us >= self.from_us
            && self.until_us.is_none_or(|until| block.first_us <= until)
            && block.chains.iter().any(|chain| self.may_be_of(chain))
    }

    fn may_be_of(&self, chain: &BlockChain) -> bool {
        let number = ChainIndex(chain.live.chain);
        let bits =
            |numbers: &BTreeSet<u32>| numbers.iter().fold(0, |bits, number| bits | function_bit(*number));
        chain.live.next_seq + chain.events > self.from_seq
            && (!self.failing_only || chain.has_failing)
            && self.chains.as_ref().is_none_or(|chains| chains.contains(&number))
            && self
                .kinds
                .as_ref()
                .is_none_or(|kinds| kinds.iter().any(|kind| chain.kinds & kind_bit(*kind) != 0))
            && self.functions.as_ref().is_none_or(|functions| {
                functions.get(&number).is_some_and(|numbers| chain.functions & bits(numbers) != 0)
            })
    }
}

/// Wanted events of a run, in the order of the journal. After an error there are no more.
pub struct Selected {
    run: Run,
    query: Query,
    source: Source,
    ready: VecDeque<Event>,
}

enum Source {
    /// Blocks that are still to be read, of this segment and then of the next ones.
    Blocks {
        index: Option<Arc<SegmentIndex>>,
        block: usize,
        next_segment: u32,
    },
    /// There is no way to index the run: something in it is wrong, and shows when it is reached.
    All(Box<Events>),
    Over,
}

impl Selected {
    pub(crate) fn new(run: Run, query: Query) -> Self {
        let source = match run.index_all() {
            Ok(()) => Source::Blocks { index: None, block: 0, next_segment: 0 },
            Err(_) => Source::All(Box::new(run.all_events())),
        };
        Self { run, query, source, ready: VecDeque::new() }
    }

    /// Reads up to the next event to return.
    fn fill(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            match &mut self.source {
                Source::Over => return Ok(None),
                Source::All(events) => {
                    let Some(event) = events.next().transpose()? else { return Ok(None) };
                    if self.query.wants(event.chain, &event.header) {
                        self.ready.push_back(event);
                    }
                }
                Source::Blocks { index: Some(known), block, .. } if *block < known.blocks.len() => {
                    let here = &known.blocks[*block];
                    *block += 1;
                    if self.query.may_be_in(here) {
                        let known = Arc::clone(known);
                        let place = *block - 1;
                        self.ready = self.read(&known, place)?.into();
                    }
                }
                Source::Blocks { next_segment, .. } if *next_segment >= self.run.segments() => {
                    self.source = Source::Over;
                }
                Source::Blocks { index, block, next_segment } => {
                    *index = Some(self.run.index(*next_segment)?);
                    (*block, *next_segment) = (0, *next_segment + 1);
                }
            }
        }
    }

    /// Reads a block; an index that turns out to be wrong is replaced.
    fn read(&mut self, known: &Arc<SegmentIndex>, place: usize) -> Result<Vec<Event>, ReadError> {
        let block = &known.blocks[place];
        let number = known.identity.number;
        let error = match read_block(&self.run, &self.query, number, block) {
            Ok(events) => return Ok(events),
            Err(error) => error,
        };
        let fresh = self.run.index_anew(number)?;
        if *fresh == **known {
            return Err(error);
        }
        let later = fresh.blocks.partition_point(|candidate| candidate.offset < block.offset);
        self.source = Source::Blocks { index: Some(fresh), block: later, next_segment: number + 1 };
        Ok(Vec::new())
    }
}

impl Iterator for Selected {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().inspect_err(|_| self.source = Source::Over).transpose()
    }
}

impl std::fmt::Debug for Selected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run, query, .. } = self;
        formatter.debug_struct("Selected").field("run", run).field("query", query).finish_non_exhaustive()
    }
}

fn read_block(run: &Run, query: &Query, number: u32, block: &Block) -> Result<Vec<Event>, ReadError> {
    let at = block.header(run.id(), number);
    let mut scanner = Scanner::open_at(run.files(), block.offset, at, run.hasher().cloned())?;
    let mut events = Ok(Vec::new());
    while scanner.offset() < block.end {
        let batch = scanner.batches();
        let step = scanner.next(|seen| {
            if let Ok(list) = &mut events
                && query.wants(seen.chain, &seen.header)
            {
                match event(run.files(), seen, batch) {
                    Ok(event) => list.push(event),
                    Err(error) => events = Err(error),
                }
            }
        })?;
        if !matches!(step, Step::Batch(_)) {
            return Err(scanner.fault(FaultKind::Truncated).into());
        }
    }
    events
}

/// Returns the last wanted events of a run, at most so many, in the order of the journal.
pub(crate) fn last(
    run: &Run,
    query: &Query,
    count: usize,
    mut wanted: impl FnMut(&Event) -> bool,
) -> Result<Vec<Event>, ReadError> {
    let mut found = VecDeque::new();
    for number in (0..run.segments()).rev() {
        let mut index = run.index(number)?;
        let mut place = index.blocks.len();
        while place > 0 && found.len() < count {
            place -= 1;
            if !query.may_be_in(&index.blocks[place]) {
                continue;
            }
            let events = match read_block(run, query, number, &index.blocks[place]) {
                Ok(events) => events,
                Err(error) => {
                    let fresh = run.index_anew(number)?;
                    if fresh == index {
                        return Err(error);
                    }
                    // What was found so far lies behind this block, whose end is that of a batch.
                    let end = index.blocks[place].end;
                    place = fresh.blocks.partition_point(|block| block.end <= end);
                    index = fresh;
                    continue;
                }
            };
            for event in events.into_iter().rev() {
                if found.len() < count && wanted(&event) {
                    found.push_front(event);
                }
            }
        }
        if found.len() >= count {
            break;
        }
    }
    Ok(found.into())
}
