//! The thread that hashes and writes: takes what is queued, makes batches of it, syncs, says how far it is.

use std::sync::Arc;

use crate::event::{Header, Kind};
use crate::hash::{Hash, RunHasher, start_commitment};
use crate::index::{Builder, Crossed, Standing, index_name};
use crate::keys::Signer;
use crate::merkle::Frontier;
use crate::note::{Checkpoint, Note};
use crate::scan::{blob_name, event_salt};
use crate::segment::{
    BATCH_BYTES, FORMAT_VERSION, FrameKind, LiveChain, SegmentHeader, Trailer, finish_frame, padded_run_id,
    segment_name, start_frame,
};
use crate::storage::{Append, Storage, write_whole};
use crate::wire::{Advance, BatchSummary, Cursor, Form, Placed};

use super::lookup::{SharedIndex, locked};
use super::queue::{Cause, Queued, Shared, Then, Work};
use super::{Closed, Durability, JournalError, JournalOptions};

/// A signed checkpoint is written at least every so many batches: with group commit, about every ten seconds.
const CHECKPOINT_BATCHES: u64 = 2048;
/// With `Batched`, an actor that reads its chain in a loop makes batches and no syncs, up to so many.
const UNSYNCED_BATCHES_MAX: u64 = 64;
/// Stands for a chain that has no slot: not begun, or ended.
const NO_SLOT: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Slot {
    live: LiveChain,
    is_ended: bool,
    /// Number of the batch in which it last advanced, plus one.
    stamp: u64,
    fuel: u64,
    /// Where it stood before this batch.
    before: LiveChain,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    index: SharedIndex,
    options: JournalOptions,
    signer: Option<Signer>,
    run_id: String,
    hasher: RunHasher,

    segment: Box<dyn Append>,
    /// Index of the segment; none if nobody can keep it.
    side: Option<Builder>,
    segment_number: u32,
    segment_bytes: u64,
    bytes: u64,

    frontier: Frontier,
    previous: Hash,
    events: u64,
    chains: u32,
    checkpointed: u64,
    /// Number of batches on stable storage.
    synced: u64,

    frame: Vec<u8>,
    cursor: Cursor,
    summary: BatchSummary,
    touched: Vec<u32>,
    advances: Vec<Advance>,
    /// Slot of each chain.
    places: Vec<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Writer {
    /// Creates the first segment.
    pub(super) fn begin(
        (shared, storage, index): (Arc<Shared>, Arc<dyn Storage>, SharedIndex),
        (run_id, hasher): (String, RunHasher),
        options: JournalOptions,
        signer: Option<Signer>,
    ) -> Result<Self, JournalError> {
        let header = SegmentHeader {
            run_id: run_id.clone(),
            number: 0,
            events: 0,
            previous: start_commitment(FORMAT_VERSION, &padded_run_id(&run_id)),
            frontier: Frontier::new(),
            live: Vec::new(),
        };
        let (segment, segment_bytes) = create_segment(storage.as_ref(), &header)?;
        let side =
            (options.durability != Durability::Memory).then(|| Builder::new(0, &header, segment_bytes));
        Ok(Self {
            shared,
            storage,
            index,
            options,
            signer,
            run_id,
            hasher,
            segment,
            side,
            segment_number: 0,
            segment_bytes,
            bytes: segment_bytes,
            frontier: header.frontier,
            previous: header.previous,
            events: 0,
            chains: 0,
            checkpointed: 0,
            synced: 0,
            frame: Vec::new(),
            cursor: Cursor::default(),
            summary: BatchSummary::default(),
            touched: Vec::new(),
            advances: Vec::new(),
            places: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
        })
    }

    pub(super) fn run(mut self) {
        let _unwinding = Unwinding(Arc::clone(&self.shared));
        let mut work = Work::default();
        start_frame(&mut self.frame);
        loop {
            let is_synced = self.synced == self.frontier.size();
            let (cause, then) = self.shared.next_work(&mut work, is_synced);
            match self.write(&mut work).and_then(|()| self.commit(cause)) {
                Ok(()) => self.shared.publish(work.position, self.synced == self.frontier.size()),
                Err(error) => return self.shared.fail(error),
            }
            match then {
                Then::Continue => {}
                Then::Close => {
                    let closed = self.close();
                    return self.shared.end(closed);
                }
                Then::Abandon => return self.shared.end(Err(JournalError::Closed)),
            }
        }
    }

    fn write(&mut self, work: &mut Work) -> Result<(), JournalError> {
        let mut large = work.large.drain(..);
        let mut rest = work.arena.as_slice();
        while let Some((queued, payload)) = Queued::take(&mut rest) {
            if queued.is_large {
                let payload = large.next().ok_or(JournalError::WriterGone)?;
                self.event(&queued, &payload)?;
            } else {
                self.event(&queued, payload)?;
            }
            if self.frame.len() >= BATCH_BYTES {
                self.finish_batch()?;
            }
        }
        if self.summary.events > 0 {
            self.finish_batch()?;
        }
        Ok(())
    }

    /// Makes what is written as durable as the run's setting asks for, and signs it from time to time.
    fn commit(&mut self, cause: Cause) -> Result<(), JournalError> {
        let unsynced = self.frontier.size() - self.synced;
        let is_due = match (self.options.durability, cause) {
            (Durability::Sync, _) | (Durability::Batched, Cause::Group) => unsynced > 0,
            (Durability::Batched, Cause::Waiter) => unsynced >= UNSYNCED_BATCHES_MAX,
            // Nothing is ever on stable storage, and nobody waits for it.
            (Durability::Memory, _) => false,
        };
        if self.options.durability == Durability::Memory {
            self.synced = self.frontier.size();
        }
        if !is_due {
            return Ok(());
        }
        self.sync()?;
        let is_unsigned = self.frontier.size() - self.checkpointed >= CHECKPOINT_BATCHES;
        if is_unsigned && self.signer.is_some() { self.checkpoint(false) } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        let number = self.segment_number;
        self.segment.sync().map_err(|error| JournalError::io(format!("sync segment {number}"))(error))?;
        self.synced = self.frontier.size();
        Ok(())
    }

    /// Returns the slot of the chain of an event, a new one for a genesis.
    fn slot(&mut self, queued: &Queued) -> usize {
        let chain = queued.chain as usize;
        if queued.header.kind != Kind::Genesis {
            return self.places[chain] as usize;
        }
        let live = LiveChain { chain: queued.chain, next_seq: 0, id: Hash::ZERO, head: Hash::ZERO };
        let slot = Slot { live, is_ended: false, stamp: 0, fuel: 0, before: live };
        let place = if let Some(place) = self.free.pop() {
            self.slots[place as usize] = slot;
            place
        } else {
            self.slots.push(slot);
            (self.slots.len() - 1) as u32
        };
        if self.places.len() <= chain {
            self.places.resize(chain + 1, NO_SLOT);
        }
        self.places[chain] = place;
        self.chains += 1;
        place as usize
    }

    fn event(&mut self, queued: &Queued, payload: &[u8]) -> Result<(), JournalError> {
        let place = self.slot(queued);
        let stamp = self.frontier.size() + 1;
        let slot = &mut self.slots[place];
        let header: &Header = &queued.header;
        debug_assert_eq!(slot.live.next_seq, header.seq);
        let is_first = slot.stamp != stamp;
        if is_first {
            slot.before = slot.live;
            slot.stamp = stamp;
            self.touched.push(place as u32);
        }
        let salt = event_salt(&self.hasher, &slot.live);
        let commitment = RunHasher::commitment(&salt, queued.lengths, payload);
        let hash = RunHasher::event(&slot.live.head, header, &commitment);
        if let Some(side) = &mut self.side {
            side.event(
                place,
                &Crossed {
                    chain: queued.chain,
                    id: &slot.live.id,
                    previous: &slot.live.head,
                    hash: &hash,
                    header,
                    lengths: queued.lengths,
                },
            );
        }
        let placed = Placed { chain: queued.chain, fuel_before: (!is_first).then_some(slot.fuel) };
        if header.seq == 0 {
            slot.live.id = hash;
        }
        slot.live.head = hash;
        slot.live.next_seq += 1;
        slot.fuel = header.fuel;
        slot.is_ended = header.kind == Kind::Exit;
        let form = if queued.is_large { Form::Blob(commitment) } else { Form::Inline(payload) };
        self.cursor.encode(&mut self.frame, placed, header, (queued.lengths, form));
        self.summary.count(queued.chain);
        if queued.is_large {
            let name = blob_name(&commitment);
            write_whole(self.storage.as_ref(), "blobs", &name, &[payload])
                .map_err(JournalError::io(format!("write {name}")))?;
        }
        Ok(())
    }

    fn finish_batch(&mut self) -> Result<(), JournalError> {
        self.advances.clear();
        for place in &self.touched {
            let Slot { live, before, .. } = &self.slots[*place as usize];
            let advance = Advance {
                chain: live.chain,
                first_seq: before.next_seq,
                seq: live.next_seq - 1,
                head: live.head,
            };
            self.advances.push(advance);
        }
        self.advances.sort_unstable_by_key(|advance| advance.chain);
        let commitment = self.summary.commitment(&self.previous, self.frontier.size(), &self.advances);
        self.frame.extend_from_slice(&commitment.0);
        finish_frame(&mut self.frame, FrameKind::Batch);
        let number = self.segment_number;
        self.segment
            .append(&self.frame)
            .map_err(|error| JournalError::io(format!("append to segment {number}"))(error))?;
        self.note_advances();
        self.segment_bytes += self.frame.len() as u64;
        self.bytes += self.frame.len() as u64;
        self.events += u64::from(self.summary.events);
        self.previous = commitment;
        self.frontier.push(&commitment);
        if let Some(side) = &mut self.side {
            let standing =
                Standing { frontier: &self.frontier, events: self.events, previous: &self.previous };
            side.batch(self.segment_bytes, &standing);
        }
        self.cursor = Cursor::default();
        self.summary.clear();
        start_frame(&mut self.frame);
        if self.segment_bytes >= self.options.segment_bytes_max {
            self.next_segment()?;
        }
        Ok(())
    }

    /// Brings the index up to this batch and frees the slots of chains that ended in it.
    fn note_advances(&mut self) {
        let mut index = locked(&self.index);
        for place in self.touched.drain(..) {
            let slot = self.slots[place as usize];
            index.advance((slot.before, slot.live), (self.segment_number, self.segment_bytes), self.bytes);
            if slot.is_ended {
                index.end(slot.live.chain);
                self.places[slot.live.chain as usize] = NO_SLOT;
                self.slots[place as usize].live.chain = NO_SLOT;
                self.free.push(place);
            }
        }
    }

    fn next_segment(&mut self) -> Result<(), JournalError> {
        self.sync()?;
        if self.signer.is_some() {
            self.checkpoint(false)?;
        }
        let mut live: Vec<_> =
            self.slots.iter().map(|slot| slot.live).filter(|live| live.chain != NO_SLOT).collect();
        live.sort_unstable_by_key(|live| live.chain);
        self.keep_index();
        self.segment_number += 1;
        let header = SegmentHeader {
            run_id: self.run_id.clone(),
            number: self.segment_number,
            events: self.events,
            previous: self.previous,
            frontier: self.frontier.clone(),
            live,
        };
        (self.segment, self.segment_bytes) = create_segment(self.storage.as_ref(), &header)?;
        self.bytes += self.segment_bytes;
        if self.options.durability != Durability::Memory {
            self.side = Some(Builder::new(self.segment_number, &header, self.segment_bytes));
        }
        Ok(())
    }

    /// Keeps the index of the segment at hand. Without one, whoever reads the run makes it.
    fn keep_index(&mut self) {
        if let Some(side) = self.side.take() {
            let index = side.finish(self.segment_bytes, self.segment_bytes);
            self.storage.keep_aside(&index_name(self.segment_number), &index.encode()).ok();
        }
    }

    /// Puts the checkpoint in place; everything that it speaks of must be on stable storage.
    fn checkpoint(&mut self, is_closed: bool) -> Result<(), JournalError> {
        let checkpoint = Checkpoint::of_run(&self.run_id, self.frontier.head(), is_closed);
        let note = Note::new(checkpoint, self.signer.as_ref()).to_string();
        write_whole(self.storage.as_ref(), "", "checkpoint", &[note.as_bytes()])
            .map_err(JournalError::io("write its checkpoint"))?;
        self.checkpointed = self.frontier.size();
        Ok(())
    }

    fn close(&mut self) -> Result<Closed, JournalError> {
        let head = self.frontier.head();
        let trailer = Trailer {
            batches: head.size,
            events: self.events,
            chains: self.chains,
            previous: self.previous,
            root: head.root,
        };
        trailer.encode(&mut self.frame);
        self.segment.append(&self.frame).map_err(JournalError::io("append its trailer"))?;
        self.bytes += self.frame.len() as u64;
        self.segment_bytes += self.frame.len() as u64;
        self.sync()?;
        self.checkpoint(true)?;
        if let Some(side) = &mut self.side {
            side.trailer(head.root);
        }
        self.keep_index();
        Ok(Closed { head, events: self.events, chains: self.chains, bytes: self.bytes })
    }
}

/// Sees to it that nobody waits for a writer that has panicked.
struct Unwinding(Arc<Shared>);

impl Drop for Unwinding {
    fn drop(&mut self) {
        // Where the writer has ended as it should, its outcome stands.
        self.0.fail(JournalError::WriterGone);
    }
}

fn create_segment(
    storage: &dyn Storage,
    header: &SegmentHeader,
) -> Result<(Box<dyn Append>, u64), JournalError> {
    let name = segment_name(header.number);
    let error = |error| JournalError::io(format!("begin {name}"))(error);
    let mut segment = storage.create(&name).map_err(error)?;
    let bytes = header.encode();
    segment.append(&bytes).map_err(error)?;
    segment.sync().map_err(error)?;
    storage.sync_names("journal").map_err(error)?;
    Ok((segment, bytes.len() as u64))
}
