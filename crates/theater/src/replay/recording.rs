//! Many chains of one run to replay: short ones are read together, in one pass over the run.
//!
//! The events of actors that live at once lie mixed in the journal. A pass for each of a thousand chains would read and
//! hash the run a thousand times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use theater_chain::{ChainIndex, ChainSummary, Event, Query, ReadError, Run};

use super::drive::{ReplayError, ReplayOptions, Replayed, replay_held, replay_streamed};
use super::opening::Packages;
use crate::limits::{GATHERED_BYTES_MAX, GATHERED_EVENTS_MAX};

/// Chains of a run. It can be shared by threads that replay side by side.
pub struct Recording<'r> {
    run: &'r Run,
    /// Chains that are read together.
    groups: Vec<BTreeSet<ChainIndex>>,
    group_of: BTreeMap<ChainIndex, usize>,
    /// Events of groups that were read and are not replayed yet.
    held: Mutex<BTreeMap<usize, BTreeMap<ChainIndex, Vec<Event>>>>,
    packages: Packages,
}

impl<'r> Recording<'r> {
    /// Returns these chains of a run. They are best replayed in this order.
    #[must_use]
    pub fn new(run: &'r Run, chains: &[ChainSummary]) -> Self {
        let (groups, group_of) = grouped(chains.iter().map(|chain| (chain.index, chain.events)));
        Self { run, groups, group_of, held: Mutex::default(), packages: Packages::default() }
    }

    /// Replays one of the chains, each with the same engine: a package is loaded once.
    ///
    /// # Errors
    /// As [`replay`](super::replay).
    pub async fn replay(&self, chain: ChainIndex, options: &ReplayOptions) -> Result<Replayed, ReplayError> {
        let run = (self.run, &self.packages);
        match self.take(chain) {
            Some(events) => replay_held(run, chain, events, options).await,
            None => replay_streamed(run, chain, options).await,
        }
    }

    /// Takes the events of a chain, if it is one that is read with others.
    fn take(&self, chain: ChainIndex) -> Option<Vec<Event>> {
        let number = *self.group_of.get(&chain)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Who needs another chain of the group waits here until all are read.
        let group = held.entry(number).or_insert_with(|| {
            // If something cannot be read, each chain meets that by itself, where it is.
            read(self.run, &self.groups[number], GATHERED_BYTES_MAX).unwrap_or_default()
        });
        group.remove(&chain)
    }
}

/// Puts chains together as long as they have few events; one that has many, or has no other beside it, stays alone.
fn grouped(
    chains: impl Iterator<Item = (ChainIndex, u64)>,
) -> (Vec<BTreeSet<ChainIndex>>, BTreeMap<ChainIndex, usize>) {
    let mut groups: Vec<BTreeSet<ChainIndex>> = Vec::new();
    let mut room = 0;
    for (chain, events) in chains.filter(|(_, events)| *events <= GATHERED_EVENTS_MAX) {
        match groups.last_mut().filter(|_| events <= room) {
            Some(group) => {
                group.insert(chain);
                room -= events;
            }
            None => {
                groups.push(BTreeSet::from([chain]));
                room = GATHERED_EVENTS_MAX - events;
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    let numbered = groups.iter().enumerate();
    let group_of =
        numbered.flat_map(|(number, group)| group.iter().map(move |chain| (*chain, number))).collect();
    (groups, group_of)
}

/// Reads the chains of a group. Where their events are too large to be held, the largest chain is left out.
fn read(
    run: &Run,
    group: &BTreeSet<ChainIndex>,
    bytes_max: u64,
) -> Result<BTreeMap<ChainIndex, Vec<Event>>, ReadError> {
    let mut all: BTreeMap<ChainIndex, (u64, Vec<Event>)> = BTreeMap::new();
    let (mut left_out, mut bytes) = (BTreeSet::new(), 0);
    for event in run.select(Query { chains: Some(group.clone()), ..Query::default() }) {
        let event = event?;
        if left_out.contains(&event.chain) {
            continue;
        }
        let lengths = event.payload.lengths();
        let size = u64::from(lengths.input) + u64::from(lengths.output);
        let (own, events) = all.entry(event.chain).or_default();
        *own += size;
        bytes += size;
        events.push(event);
        while bytes > bytes_max {
            let largest = all.iter().max_by_key(|(_, (own, _))| *own).map(|(chain, _)| *chain);
            let Some((chain, (own, _))) = largest.and_then(|chain| all.remove_entry(&chain)) else { break };
            left_out.insert(chain);
            bytes -= own;
        }
    }
    Ok(all.into_iter().map(|(chain, (_, events))| (chain, events)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_chains_are_read_together_and_long_ones_by_themselves() {
        let most = GATHERED_EVENTS_MAX;
        let chains = [(1, 3), (2, most + 1), (3, 4), (4, most - 7), (5, 1), (6, most)];
        let (groups, group_of) =
            grouped(chains.into_iter().map(|(chain, events)| (ChainIndex(chain), events)));
        assert_eq!(groups, [BTreeSet::from([1, 3, 4].map(ChainIndex))]);
        assert_eq!(group_of.len(), 3);
    }
}
