//! The bytes of an index: numbers as in records, hashes as they are, a checksum at the end.
//!
//! Side data that can be made anew needs no promise: another version is an index that is not there.

use crate::event::{ChainIndex, Kind};
use crate::hash::Hash;
use crate::merkle::Frontier;
use crate::segment::LiveChain;
use crate::wire::{put_number, take_array, take_hash, take_number, take_u32};

use super::{Block, BlockChain, ChainUse, FunctionUse, Identity, SegmentIndex};

const MAGIC: [u8; 8] = *b"THTRIDX\x01";

impl SegmentIndex {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let Identity { number, file_bytes, header_bytes, header_crc, end, last } = &self.identity;
        for number in [u64::from(*number), *file_bytes, *header_bytes, u64::from(*header_crc), *end] {
            put_number(&mut bytes, number);
        }
        bytes.extend_from_slice(&last.0);
        put_number(&mut bytes, self.chains.len() as u64);
        for chain in &self.chains {
            put_chain(&mut bytes, chain);
        }
        put_number(&mut bytes, self.blocks.len() as u64);
        for block in &self.blocks {
            self.put_block(&mut bytes, block);
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads an index; none if it is of another version or damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let mut rest = body.strip_prefix(&MAGIC)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let bytes = &mut rest;
        let identity = Identity {
            number: take_u32(bytes).ok()?,
            file_bytes: take_number(bytes).ok()?,
            header_bytes: take_number(bytes).ok()?,
            header_crc: take_u32(bytes).ok()?,
            end: take_number(bytes).ok()?,
            last: take_hash(bytes).ok()?,
        };
        let count = take_count(bytes)?;
        let chains = (0..count).map(|_| take_chain(bytes)).collect::<Option<Vec<_>>>()?;
        let count = take_count(bytes)?;
        let blocks = (0..count).map(|_| take_block(bytes, &chains)).collect::<Option<Vec<_>>>()?;
        rest.is_empty().then_some(Self { identity, chains, blocks })
    }

    fn put_block(&self, bytes: &mut Vec<u8>, block: &Block) {
        let numbers = [block.offset, block.end, block.events_before, block.first_us, block.last_us];
        for number in numbers {
            put_number(bytes, number);
        }
        bytes.extend_from_slice(&block.previous.0);
        put_number(bytes, block.frontier.size());
        for root in block.frontier.roots() {
            bytes.extend_from_slice(&root.0);
        }
        put_number(bytes, block.chains.len() as u64);
        for chain in &block.chains {
            let known = self.chains.partition_point(|known| known.chain.0 < chain.live.chain);
            for number in [known as u64, chain.live.next_seq, chain.events, u64::from(chain.kinds)] {
                put_number(bytes, number);
            }
            bytes.push(u8::from(chain.has_failing));
            bytes.extend_from_slice(&chain.functions.to_le_bytes());
            if chain.live.next_seq > 0 {
                bytes.extend_from_slice(&chain.live.head.0);
            }
        }
    }
}

/// A number of things that take a byte each at least.
fn take_count(bytes: &mut &[u8]) -> Option<u64> {
    take_number(bytes).ok().filter(|count| *count <= bytes.len() as u64)
}

fn put_chain(bytes: &mut Vec<u8>, chain: &ChainUse) {
    for number in [u64::from(chain.chain.0), chain.first_seq, chain.first_us, chain.last_us] {
        put_number(bytes, number);
    }
    bytes.extend_from_slice(&chain.id.0);
    bytes.extend_from_slice(&chain.head.0);
    for count in chain.kinds {
        put_number(bytes, count);
    }
    put_number(bytes, chain.functions.len() as u64);
    for used in &chain.functions {
        let FunctionUse { function, calls, failed, input_bytes, output_bytes, fuel } = *used;
        for number in [u64::from(function), calls, failed, input_bytes, output_bytes, fuel] {
            put_number(bytes, number);
        }
    }
}

fn take_chain(bytes: &mut &[u8]) -> Option<ChainUse> {
    let chain = ChainIndex(take_u32(bytes).ok()?);
    let (first_seq, first_us) = (take_number(bytes).ok()?, take_number(bytes).ok()?);
    let last_us = take_number(bytes).ok()?;
    let (id, head) = (take_hash(bytes).ok()?, take_hash(bytes).ok()?);
    let mut kinds = [0; Kind::ALL.len()];
    for count in &mut kinds {
        *count = take_number(bytes).ok()?;
    }
    let count = take_count(bytes)?;
    let functions = (0..count).map(|_| take_function(bytes)).collect::<Option<_>>()?;
    Some(ChainUse { chain, id, first_seq, head, first_us, last_us, kinds, functions })
}

fn take_function(bytes: &mut &[u8]) -> Option<FunctionUse> {
    Some(FunctionUse {
        function: take_u32(bytes).ok()?,
        calls: take_number(bytes).ok()?,
        failed: take_number(bytes).ok()?,
        input_bytes: take_number(bytes).ok()?,
        output_bytes: take_number(bytes).ok()?,
        fuel: take_number(bytes).ok()?,
    })
}

fn take_block(bytes: &mut &[u8], chains: &[ChainUse]) -> Option<Block> {
    let (offset, end) = (take_number(bytes).ok()?, take_number(bytes).ok()?);
    let events_before = take_number(bytes).ok()?;
    let (first_us, last_us) = (take_number(bytes).ok()?, take_number(bytes).ok()?);
    let previous = take_hash(bytes).ok()?;
    let size = take_number(bytes).ok()?;
    let roots = (0..size.count_ones()).map(|_| take_hash(bytes).ok()).collect::<Option<_>>()?;
    let frontier = Frontier::from_parts(size, roots)?;
    let count = take_count(bytes)?;
    let chains = (0..count).map(|_| take_block_chain(bytes, chains)).collect::<Option<_>>()?;
    Some(Block { offset, end, events_before, previous, frontier, first_us, last_us, chains })
}

fn take_block_chain(bytes: &mut &[u8], chains: &[ChainUse]) -> Option<BlockChain> {
    let known = chains.get(usize::try_from(take_number(bytes).ok()?).ok()?)?;
    let (next_seq, events) = (take_number(bytes).ok()?, take_number(bytes).ok()?);
    let kinds = u16::try_from(take_number(bytes).ok()?).ok()?;
    let [has_failing] = take_array(bytes).ok()?;
    let functions = u64::from_le_bytes(take_array(bytes).ok()?);
    let (id, head) = if next_seq > 0 { (known.id, take_hash(bytes).ok()?) } else { (Hash::ZERO, Hash::ZERO) };
    let live = LiveChain { chain: known.chain.0, next_seq, id, head };
    Some(BlockChain { live, events, kinds, functions, has_failing: has_failing != 0 })
}
