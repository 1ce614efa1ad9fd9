//! Makes the index of a segment event by event, for the writer as for whoever reads a segment that has none.

use std::collections::BTreeMap;

use crate::event::{ChainIndex, Header, Kind, Outcome};
use crate::hash::{Hash, Lengths};
use crate::merkle::Frontier;
use crate::segment::{LiveChain, SegmentHeader};

use super::{
    Block, BlockChain, ChainUse, FunctionUse, Identity, SegmentIndex, begins_call, ends_call, function_bit,
    kind_bit,
};

/// A block has at least so many bytes: reading one takes a few milliseconds.
const BLOCK_BYTES: u64 = 1 << 20;
/// And so many for each of its chains, so that an index is small against its segment.
const BLOCK_BYTES_PER_CHAIN: u64 = 1 << 10;
/// Functions with a number below this are counted without a search.
const FUNCTIONS_DIRECT: usize = 256;

/// An event as it goes by.
pub(crate) struct Crossed<'a> {
    pub(crate) chain: u32,
    /// Id of its chain; of no use at a genesis.
    pub(crate) id: &'a Hash,
    pub(crate) previous: &'a Hash,
    pub(crate) hash: &'a Hash,
    pub(crate) header: &'a Header,
    pub(crate) lengths: Lengths,
}

/// Where the run stands after a batch.
pub(crate) struct Standing<'a> {
    pub(crate) frontier: &'a Frontier,
    pub(crate) events: u64,
    pub(crate) previous: &'a Hash,
}

/// What is counted of one chain.
struct Slot {
    chain: u32,
    id: Hash,
    first_seq: u64,
    head: Hash,
    first_us: u64,
    last_us: u64,
    kinds: [u64; Kind::ALL.len()],
    /// By the number plus one, which wraps to 0 for no function.
    direct: Vec<FunctionUse>,
    more: BTreeMap<u32, FunctionUse>,
    /// Number of the block in which it last advanced, plus one.
    stamp: usize,
    here: BlockChain,
}

pub(crate) struct Builder {
    number: u32,
    header_bytes: u64,
    header_crc: u32,
    slots: Vec<Option<Slot>>,
    /// Chains that gave their place away.
    retired: Vec<ChainUse>,
    blocks: Vec<Block>,
    block: Block,
    touched: Vec<usize>,
    last: Hash,
}

impl Builder {
    /// Begins behind the header of a segment.
    pub(crate) fn new(number: u32, header: &SegmentHeader, header_bytes: u64) -> Self {
        let standing =
            Standing { frontier: &header.frontier, events: header.events, previous: &header.previous };
        Self {
            number,
            header_bytes,
            header_crc: header.crc(),
            slots: Vec::new(),
            retired: Vec::new(),
            blocks: Vec::new(),
            block: Block::begin(header_bytes, &standing),
            touched: Vec::new(),
            last: Hash::ZERO,
        }
    }

    /// Notes an event. A place belongs to one chain until that has ended.
    pub(crate) fn event(&mut self, place: usize, crossed: &Crossed<'_>) {
        if self.slots.len() <= place {
            self.slots.resize_with(place + 1, || None);
        }
        let entry = &mut self.slots[place];
        if let Some(known) = entry.take_if(|slot| slot.chain != crossed.chain) {
            // What it did in this block goes with it.
            if known.stamp == self.blocks.len() + 1 {
                self.block.chains.push(known.here.clone());
                self.touched.retain(|touched| *touched != place);
            }
            self.retired.push(known.into_use());
        }
        let slot = entry.get_or_insert_with(|| Slot::begin(crossed));
        let stamp = self.blocks.len() + 1;
        if slot.stamp != stamp {
            slot.stamp = stamp;
            slot.here = here(crossed);
            self.touched.push(place);
        }
        slot.count(crossed);
        let time_us = crossed.header.time_us;
        self.block.first_us = self.block.first_us.min(time_us);
        self.block.last_us = self.block.last_us.max(time_us);
    }

    /// Ends a batch; `end` is where the next frame begins.
    pub(crate) fn batch(&mut self, end: u64, standing: &Standing<'_>) {
        self.block.end = end;
        self.last = *standing.previous;
        let chains = (self.touched.len() + self.block.chains.len()) as u64;
        if end - self.block.offset >= BLOCK_BYTES.max(BLOCK_BYTES_PER_CHAIN * chains) {
            self.end_block(Block::begin(end, standing));
        }
    }

    fn end_block(&mut self, next: Block) {
        let mut block = std::mem::replace(&mut self.block, next);
        for place in self.touched.drain(..) {
            if let Some(slot) = &self.slots[place] {
                block.chains.push(slot.here.clone());
            }
        }
        block.chains.sort_unstable_by_key(|chain| chain.live.chain);
        self.blocks.push(block);
    }

    /// Ends the run: `root` is what its trailer ends with.
    pub(crate) fn trailer(&mut self, root: Hash) {
        self.last = root;
    }

    /// Returns the index of a file of this length, whose last whole frame ends at `end`.
    pub(crate) fn finish(mut self, end: u64, file_bytes: u64) -> SegmentIndex {
        if self.block.end > self.block.offset {
            let next = Block { chains: Vec::new(), frontier: Frontier::new(), ..self.block.clone() };
            self.end_block(next);
        }
        let mut chains = self.retired;
        chains.extend(self.slots.into_iter().flatten().map(Slot::into_use));
        chains.sort_unstable_by_key(|chain| chain.chain);
        let identity = Identity {
            number: self.number,
            file_bytes,
            header_bytes: self.header_bytes,
            header_crc: self.header_crc,
            end,
            last: self.last,
        };
        SegmentIndex { identity, chains, blocks: self.blocks }
    }
}

impl Block {
    fn begin(offset: u64, standing: &Standing<'_>) -> Self {
        Self {
            offset,
            end: offset,
            events_before: standing.events,
            previous: *standing.previous,
            frontier: standing.frontier.clone(),
            first_us: u64::MAX,
            last_us: 0,
            chains: Vec::new(),
        }
    }
}

fn here(crossed: &Crossed<'_>) -> BlockChain {
    let next_seq = crossed.header.seq;
    let id = if next_seq == 0 { Hash::ZERO } else { *crossed.id };
    let live = LiveChain { chain: crossed.chain, next_seq, id, head: *crossed.previous };
    BlockChain { live, events: 0, kinds: 0, functions: 0, has_failing: false }
}

impl Slot {
    fn begin(crossed: &Crossed<'_>) -> Self {
        let first_seq = crossed.header.seq;
        Self {
            chain: crossed.chain,
            id: if first_seq == 0 { *crossed.hash } else { *crossed.id },
            first_seq,
            head: *crossed.hash,
            first_us: u64::MAX,
            last_us: 0,
            kinds: [0; Kind::ALL.len()],
            direct: Vec::new(),
            more: BTreeMap::new(),
            stamp: 0,
            here: here(crossed),
        }
    }

    fn count(&mut self, crossed: &Crossed<'_>) {
        let header = crossed.header;
        self.head = *crossed.hash;
        self.first_us = self.first_us.min(header.time_us);
        self.last_us = self.last_us.max(header.time_us);
        self.kinds[usize::from(header.kind.number())] += 1;
        let is_failing = header.outcome != Outcome::Ok;
        self.here.events += 1;
        self.here.kinds |= kind_bit(header.kind);
        self.here.functions |= function_bit(header.function);
        self.here.has_failing |= is_failing;
        let function = self.function(header.function);
        function.calls += u64::from(begins_call(header));
        function.failed += u64::from(is_failing);
        function.input_bytes += u64::from(crossed.lengths.input);
        function.output_bytes += u64::from(crossed.lengths.output);
        if ends_call(header) {
            function.fuel = function.fuel.saturating_add(header.fuel);
        }
    }

    fn function(&mut self, function: u32) -> &mut FunctionUse {
        let place = function.wrapping_add(1) as usize;
        if place >= FUNCTIONS_DIRECT {
            return self.more.entry(function).or_insert(FunctionUse { function, ..FunctionUse::default() });
        }
        if self.direct.len() <= place {
            self.direct.resize(place + 1, FunctionUse::default());
        }
        &mut self.direct[place]
    }

    fn into_use(self) -> ChainUse {
        let direct = self
            .direct
            .into_iter()
            .enumerate()
            .map(|(place, used)| FunctionUse { function: (place as u32).wrapping_sub(1), ..used });
        let is_used =
            |used: &FunctionUse| *used != FunctionUse { function: used.function, ..FunctionUse::default() };
        let mut functions: Vec<_> = direct.filter(is_used).chain(self.more.into_values()).collect();
        functions.sort_unstable_by_key(|used| used.function);
        ChainUse {
            chain: ChainIndex(self.chain),
            id: self.id,
            first_seq: self.first_seq,
            head: self.head,
            first_us: self.first_us,
            last_us: self.last_us,
            kinds: self.kinds,
            functions,
        }
    }
}
