//! The recorded events of one chain, read strictly in order.

use std::collections::VecDeque;
use std::sync::Arc;

use theater_chain::{Event, FunctionEntry, ReadError};

use super::divergence::{Divergence, Pair, event_line};
use crate::limits::DIVERGENCE_CONTEXT_EVENTS;

/// Events of a chain, from wherever they are read.
pub(crate) type Events = Box<dyn Iterator<Item = Result<Event, ReadError>> + Send>;

/// A cursor over one chain.
pub(crate) struct Script {
    events: Events,
    next: Option<Event>,
    functions: Vec<FunctionEntry>,
    who: String,
    seq: u64,
    /// The last events taken; they become text only if there is a difference to explain.
    before: VecDeque<Arc<Event>>,
}

impl Script {
    /// Starts behind the genesis.
    pub(crate) fn new(events: Events, who: String, functions: Vec<FunctionEntry>) -> Result<Self, ReadError> {
        let mut script = Self { events, next: None, functions, who, seq: 1, before: VecDeque::new() };
        script.next = script.events.next().transpose()?;
        Ok(script)
    }

    /// Returns the next event without taking it.
    pub(crate) fn peek(&self) -> Option<&Event> {
        self.next.as_ref()
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self) -> Result<Option<Arc<Event>>, ReadError> {
        let Some(event) = self.next.take().map(Arc::new) else { return Ok(None) };
        self.next = self.events.next().transpose()?;
        self.seq = event.header.seq + 1;
        if self.before.len() == DIVERGENCE_CONTEXT_EVENTS {
            self.before.pop_front();
        }
        self.before.push_back(Arc::clone(&event));
        Ok(Some(event))
    }

    /// Returns how many events were taken, genesis included.
    pub(crate) fn position(&self) -> u64 {
        self.seq
    }

    pub(crate) fn functions(&self) -> &[FunctionEntry] {
        &self.functions
    }

    /// Describes a difference at the next event.
    pub(crate) fn divergence(&self, what: impl Into<String>, pair: Pair) -> Divergence {
        Divergence {
            who: self.who.clone(),
            seq: self.seq,
            what: what.into(),
            expected: pair.expected,
            actual: pair.actual,
            differences: pair.differences,
            before: self.before.iter().map(|event| event_line(event, &self.functions)).collect(),
            backtrace: Vec::new(),
        }
    }
}
