//! An actor's state: one graph value, kept as its encoded nodes.
//!
//! State is bytes here: it goes into a call as it came out of the last one, and is hashed only when it
//! changed. The hash is salted per run, so that a removed state cannot be guessed from its hash.

use std::ops::Range;

use pack_abi::View;
use pack_abi::contract::Contract;
use theater_chain::{Hash, Outcome, RunHasher};

use crate::{limits, render};

/// Bytes of a graph's header.
const HEADER: usize = 16;

/// The state of an actor.
#[derive(Clone, Debug)]
pub struct State {
    nodes: Vec<u8>,
    node_count: u32,
    hash: Hash,
}

impl State {
    /// Returns the state that `init` gets: `some(bytes)` or `none`.
    ///
    /// # Errors
    /// Fails if the state is larger than a graph can be.
    pub fn initial(hasher: &RunHasher, bytes: Option<&[u8]>) -> Result<Self, pack_abi::EncodeError> {
        let graph = pack_abi::encode(&bytes)?;
        let nodes = graph[HEADER..].to_vec();
        let node_count = if bytes.is_some() { 2 } else { 1 };
        let hash = hasher.state_hash(&nodes);
        Ok(Self { nodes, node_count, hash })
    }

    /// Returns the state with a hash that is known from elsewhere.
    pub(crate) fn hashed_as(self, hash: Hash) -> Self {
        Self { hash, ..self }
    }

    /// Returns the state of an actor that has none, because it ends with its first call.
    #[must_use]
    pub fn absent() -> Self {
        Self { nodes: Vec::new(), node_count: 0, hash: Hash::ZERO }
    }

    /// Returns whether the actor has no state: then nothing is left out of its payloads, and nothing taken over.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the encoded nodes, without the graph's header.
    #[must_use]
    pub fn nodes(&self) -> &[u8] {
        &self.nodes
    }

    /// Returns how many nodes the state has.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.node_count
    }

    /// Returns the salted hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn len_u32(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    /// Returns the graph of the state alone.
    #[must_use]
    pub fn graph(&self) -> Vec<u8> {
        crate::record::join(self.node_count, &self.nodes, &[])
    }

    /// Takes over the state that a call returned.
    pub(crate) fn replace(&mut self, new: NewState, hasher: &RunHasher) {
        self.nodes = new.nodes;
        self.node_count = new.node_count;
        self.hash = hasher.state_hash(&self.nodes);
    }

    /// Takes over the state that a call returned, and its hash from where that is recorded: without the run's secret it
    /// cannot be computed.
    pub(crate) fn replace_as(&mut self, new: NewState, hash: Hash) {
        self.nodes = new.nodes;
        self.node_count = new.node_count;
        self.hash = hash;
    }
}

/// A state that differs from the actor's.
#[derive(Debug)]
pub(crate) struct NewState {
    nodes: Vec<u8>,
    node_count: u32,
}

/// What the result of a call means to the runtime.
#[derive(Debug)]
pub(crate) enum Returned {
    /// `ok((state, ...))`: where the state's nodes are, and how many.
    Ok { state: Range<usize>, node_count: u32 },
    /// `err(text)`.
    Err(String),
    /// Something without a state, such as the result of a function that does not follow the convention.
    Plain,
}

impl Returned {
    /// Reads the outer shape of a result. What is no graph, or not what the function declares, is the guest's error
    /// like any other: its caller hears of it, and the state stays what it was.
    pub(crate) fn read(output: &[u8], contract: Option<&Contract>) -> Self {
        // Instantiation returns nothing at all.
        if output.is_empty() {
            return Self::Plain;
        }
        let view = match View::parse(output, &pack_abi::Limits::default()) {
            Ok(view) => view,
            Err(error) => return Self::Err(format!("the result is no graph value: {error}")),
        };
        if let Some(Err(violation)) = contract.map(|contract| contract.check_result_node(view.root())) {
            return Self::Err(render::shorten(&violation, limits::ERROR_CHARS_MAX));
        }
        let Ok(result) = view.root().result() else { return Self::Plain };
        match result {
            Ok(payload) => {
                let first = payload.tuple().ok().and_then(|mut items| items.next());
                // Encodings are in post-order, so the nodes of the first child stand right behind the header.
                first.map_or(Self::Plain, |first| Self::Ok {
                    state: first.subtree_range(),
                    node_count: first.subtree_nodes().end,
                })
            }
            Err(payload) => Self::Err(match payload.as_str() {
                Ok(text) => render::shorten(&text, limits::ERROR_CHARS_MAX),
                Err(_) => "an error that is not a text".to_owned(),
            }),
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Ok { .. } | Self::Plain => Outcome::Ok,
            Self::Err(_) => Outcome::Error,
        }
    }

    /// Returns the state in `output` if it is another than `current`.
    pub(crate) fn new_state(&self, output: &[u8], current: &State) -> Option<NewState> {
        let Self::Ok { state, node_count } = self else { return None };
        if current.is_absent() {
            return None;
        }
        let nodes = output.get(state.clone())?;
        (nodes != current.nodes()).then(|| NewState { nodes: nodes.to_vec(), node_count: *node_count })
    }
}
