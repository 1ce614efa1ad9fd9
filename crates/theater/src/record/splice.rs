//! How payloads that carry the actor's state are written without repeating it.
//!
//! Calls take `(state, params...)` and return `result<tuple<state, ...>, string>`. In an encoded graph the
//! nodes of the first child come first, so the state is one run of bytes right behind the header. The chain
//! already determines the state at every point, so a payload stores what remains, and replay splices its own
//! state back in. `docs/chain-format.md` has the byte layout; the first byte of a payload is its form.

use crate::actor::State;

/// Bytes of a graph's header.
const HEADER: usize = 16;
/// The header of a canonical graph up to the node count: magic, version 3, no flags.
const CANONICAL: &[u8; 8] = b"CGRF\x03\x00\x00\x00";

/// A whole graph follows.
const FORM_RAW: u8 = 0;
/// The chain's current state, then the node count and the remaining nodes.
const FORM_SAME_STATE: u8 = 1;
/// A new state, given by length and hash, then the remaining nodes.
const FORM_NEW_STATE: u8 = 2;
/// A text, not a graph: what a guest wrote with status -1.
const FORM_TEXT: u8 = 3;

/// A payload as pieces: a small head and a borrowed remainder.
#[derive(Debug)]
pub(crate) struct Spliced<'a> {
    head: [u8; 1 + 4 + 4 + 32],
    head_len: usize,
    rest: &'a [u8],
}

impl<'a> Spliced<'a> {
    fn new(form: u8, rest: &'a [u8]) -> Self {
        let mut head = [0; 41];
        head[0] = form;
        Self { head, head_len: 1, rest }
    }

    fn push(mut self, bytes: &[u8]) -> Self {
        self.head[self.head_len..self.head_len + bytes.len()].copy_from_slice(bytes);
        self.head_len += bytes.len();
        self
    }

    /// Returns a text payload.
    pub(crate) fn text(text: &'a [u8]) -> Self {
        Self::new(FORM_TEXT, text)
    }

    /// Returns `graph` with the bytes of `state` left out where they stand right behind the header.
    pub(crate) fn same_state(state: &State, graph: &'a [u8]) -> Self {
        match remainder(graph, state.nodes()).filter(|_| !state.is_absent()) {
            Some((count, rest)) => Self::new(FORM_SAME_STATE, rest).push(&count.to_le_bytes()),
            None => Self::new(FORM_RAW, graph),
        }
    }

    /// Returns `graph`, which begins with the nodes of `state`, with them replaced by length and hash.
    pub(crate) fn new_state(state: &State, graph: &'a [u8]) -> Self {
        match remainder(graph, state.nodes()) {
            Some((count, rest)) => Self::new(FORM_NEW_STATE, rest)
                .push(&count.to_le_bytes())
                .push(&state.len_u32().to_le_bytes())
                .push(&state.hash().0),
            None => Self::new(FORM_RAW, graph),
        }
    }

    /// Returns the two pieces of the payload.
    pub(crate) fn pieces(&self) -> [&[u8]; 2] {
        [&self.head[..self.head_len], self.rest]
    }

    /// Returns true if the payload's bytes are `recorded`.
    pub(crate) fn equals(&self, recorded: &[u8]) -> bool {
        let [head, rest] = self.pieces();
        recorded.len() == head.len() + rest.len() && recorded.starts_with(head) && recorded.ends_with(rest)
    }
}

/// Returns the node count of `graph` and what follows `state_nodes`, if the graph is canonical and begins with them.
fn remainder<'a>(graph: &'a [u8], state_nodes: &[u8]) -> Option<(u32, &'a [u8])> {
    if graph.len() < HEADER || &graph[..8] != CANONICAL || !graph[HEADER..].starts_with(state_nodes) {
        return None;
    }
    let word = |at: usize| u32::from_le_bytes([graph[at], graph[at + 1], graph[at + 2], graph[at + 3]]);
    let (count, root) = (word(8), word(12));
    (count > 0 && root == count - 1).then(|| (count, &graph[HEADER + state_nodes.len()..]))
}

/// A payload that does not have one of the forms above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload has no known form")]
pub struct UnknownForm;

/// A recorded payload, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A whole graph.
    Graph(&'a [u8]),
    /// The current state and the remaining nodes.
    SameState {
        /// Nodes of the whole graph.
        node_count: u32,
        /// The nodes after the state's.
        rest: &'a [u8],
    },
    /// A new state and the remaining nodes.
    NewState {
        /// Nodes of the whole graph.
        node_count: u32,
        /// Bytes of the new state's nodes.
        state_bytes: u32,
        /// Salted hash of the new state's nodes.
        state_hash: [u8; 32],
        /// The nodes after the state's.
        rest: &'a [u8],
    },
    /// A text.
    Text(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Takes a recorded payload apart.
    ///
    /// # Errors
    /// Fails if the payload has none of the forms.
    pub fn parse(payload: &'a [u8]) -> Result<Self, UnknownForm> {
        let (_, payload) = super::split_cause(payload)?;
        let (form, rest) = payload.split_first().ok_or(UnknownForm)?;
        match *form {
            FORM_RAW => Ok(Self::Graph(rest)),
            FORM_SAME_STATE => {
                let (count, rest) = rest.split_first_chunk::<4>().ok_or(UnknownForm)?;
                Ok(Self::SameState { node_count: u32::from_le_bytes(*count), rest })
            }
            FORM_NEW_STATE => {
                let (count, rest) = rest.split_first_chunk::<4>().ok_or(UnknownForm)?;
                let (bytes, rest) = rest.split_first_chunk::<4>().ok_or(UnknownForm)?;
                let (hash, rest) = rest.split_first_chunk::<32>().ok_or(UnknownForm)?;
                Ok(Self::NewState {
                    node_count: u32::from_le_bytes(*count),
                    state_bytes: u32::from_le_bytes(*bytes),
                    state_hash: *hash,
                    rest,
                })
            }
            FORM_TEXT => Ok(Self::Text(rest)),
            _ => Err(UnknownForm),
        }
    }

    /// Returns the whole graph, with `state_nodes` spliced in; `None` for a text and for a new state, whose
    /// nodes only the actor's own run can produce.
    #[must_use]
    pub fn graph(&self, state_nodes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Graph(graph) => Some(graph.to_vec()),
            Self::SameState { node_count, rest } => Some(join(*node_count, state_nodes, rest)),
            Self::NewState { .. } | Self::Text(_) => None,
        }
    }
}

/// Returns a canonical graph of `node_count` nodes: those of the state, then the rest.
pub(crate) fn join(node_count: u32, state_nodes: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut graph = Vec::with_capacity(HEADER + state_nodes.len() + rest.len());
    graph.extend_from_slice(CANONICAL);
    graph.extend_from_slice(&node_count.to_le_bytes());
    graph.extend_from_slice(&node_count.wrapping_sub(1).to_le_bytes());
    graph.extend_from_slice(state_nodes);
    graph.extend_from_slice(rest);
    graph
}
