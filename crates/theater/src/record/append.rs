//! Appends events to one actor's chain: numbers them, stamps the time, remembers back-pressure.

use theater_chain::{ChainIndex, EventDraft, Journal, JournalError, Kind, NO_FUNCTION, Outcome, Position};

use crate::clock::Clock;

/// What an event says besides time and payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossing {
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) function: u32,
    pub(crate) fuel: u64,
}

impl Crossing {
    /// A crossing that went well.
    pub(crate) fn ok(kind: Kind, function: u32, fuel: u64) -> Self {
        Self { kind, outcome: Outcome::Ok, function, fuel }
    }

    /// Something that concerns no function, such as genesis and exit.
    pub(crate) fn bare(kind: Kind) -> Self {
        Self::ok(kind, NO_FUNCTION, 0)
    }

    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }
}

/// The writing end of one chain.
#[derive(Debug)]
pub(crate) struct ActorChain {
    journal: Journal,
    chain: ChainIndex,
    clock: Clock,
    next_seq: u64,
    pressed: bool,
    last: Option<Position>,
}

impl ActorChain {
    pub(crate) fn open(journal: Journal, clock: Clock) -> Self {
        let chain = journal.open_chain();
        Self { journal, chain, clock, next_seq: 0, pressed: false, last: None }
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn index(&self) -> ChainIndex {
        self.chain
    }

    /// Returns the sequence number of the next event.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.clock.elapsed_us()
    }

    /// Appends an event that happened now.
    pub(crate) fn append(
        &mut self,
        crossing: Crossing,
        input: &[&[u8]],
        output: &[&[u8]],
    ) -> Result<(), JournalError> {
        let time_us = self.clock.elapsed_us();
        self.append_at(time_us, crossing, input, output)
    }

    /// Appends an event that happened at `time_us`.
    pub(crate) fn append_at(
        &mut self,
        time_us: u64,
        crossing: Crossing,
        input: &[&[u8]],
        output: &[&[u8]],
    ) -> Result<(), JournalError> {
        let Crossing { kind, outcome, function, fuel } = crossing;
        let draft = EventDraft { kind, outcome, time_us, function, fuel, input, output };
        let appended = self.journal.append(self.chain, &draft)?;
        self.next_seq += 1;
        self.pressed |= appended.pressed;
        self.last = Some(appended.position);
        Ok(())
    }

    /// Returns true, once, if the journal asked its producers to wait.
    pub(crate) fn take_pressure(&mut self) -> bool {
        std::mem::take(&mut self.pressed)
    }

    /// Returns the position behind the last event.
    pub(crate) fn last(&self) -> Option<Position> {
        self.last
    }
}
