//! Who waits for whom, so that waiting in a circle is an error and not a standstill.
//!
//! An actor makes one call at a time, so it waits for one actor at most: a circle is found by following pointers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use theater_chain::ChainIndex;

use super::error::MessageError;
use super::peer::Peer;
use crate::actor::ActorPath;

/// The waits of a run.
#[derive(Default)]
pub(crate) struct Waits {
    graph: Mutex<Graph>,
}

#[derive(Default)]
struct Graph {
    /// By who waits.
    edges: HashMap<ChainIndex, Edge>,
    next_ticket: u64,
}

struct Edge {
    to: ChainIndex,
    holder: ActorPath,
    ticket: u64,
}

/// A wait that goes on until this or a clone of it is removed or dropped: one is with who waits, one with who is waited
/// for, and either of them ends it.
#[derive(Clone)]
pub(crate) struct WaitEdge(Option<Arc<Wait>>);

struct Wait {
    waits: Arc<Waits>,
    waiter: ChainIndex,
    ticket: u64,
    is_over: AtomicBool,
}

impl Waits {
    fn lock(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that one actor waits for another.
    ///
    /// # Errors
    /// Fails if the other waits for the first already, by way of others perhaps; the text names the way.
    pub(crate) fn begin(self: &Arc<Self>, from: &Peer, to: &Peer) -> Result<WaitEdge, MessageError> {
        let mut graph = self.lock();
        let mut way = vec![from.path(), to.path()];
        let mut at = to.chain();
        loop {
            if at == from.chain() {
                return Err(MessageError::Cycle(told(&way)));
            }
            let Some(edge) = graph.edges.get(&at) else { break };
            way.push(&edge.holder);
            at = edge.to;
        }
        let ticket = graph.next_ticket;
        graph.next_ticket += 1;
        let edge = Edge { to: to.chain(), holder: to.path().clone(), ticket };
        graph.edges.insert(from.chain(), edge);
        let wait =
            Wait { waits: Arc::clone(self), waiter: from.chain(), ticket, is_over: AtomicBool::new(false) };
        Ok(WaitEdge(Some(Arc::new(wait))))
    }

    /// Returns whom an actor waits for.
    pub(crate) fn holder(&self, waiter: ChainIndex) -> Option<ActorPath> {
        self.lock().edges.get(&waiter).map(|edge| edge.holder.clone())
    }
}

impl WaitEdge {
    /// Returns the edge of somebody outside, who is in nobody's way.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Ends the wait: whoever is waited for has done its part, or nobody waits any more.
    pub(crate) fn remove(&self) {
        let Some(wait) = &self.0 else { return };
        if wait.is_over.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut graph = wait.waits.lock();
        if graph.edges.get(&wait.waiter).is_some_and(|edge| edge.ticket == wait.ticket) {
            graph.edges.remove(&wait.waiter);
        }
    }
}

impl Drop for WaitEdge {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Returns the circle as a sentence.
fn told(way: &[&ActorPath]) -> String {
    let mut text = String::new();
    for (number, pair) in way.windows(2).enumerate() {
        let (waiter, holder) = (pair[0], pair[1]);
        if number == 0 {
            text = format!("{waiter} would wait for {holder}");
        } else {
            text.push_str(&format!(", which waits for {holder}"));
        }
    }
    text
}
