//! Stands for a state whose nodes are not at hand: the same number of nodes, so that indices stay right.

use pack_abi::{Encode, EncodeError, Encoder, GraphType, TypeWriter, Value};

use super::splice::join;
use crate::actor::State;
use crate::limits;

/// Bytes of a graph's header, and of a node's.
const HEADER: usize = 16;
const NODE_HEADER: usize = 8;

/// A tuple of units with as many nodes as the state it stands for.
struct Filler {
    nodes: u32,
}

impl Filler {
    fn bytes(&self) -> usize {
        let units = self.nodes as usize - 1;
        // A unit is a node header and a count; the tuple around them has one index for each.
        (units + 1) * (NODE_HEADER + 4) + units * 4
    }
}

impl GraphType for Filler {
    fn write_type(types: &mut TypeWriter<'_>) -> Result<(), EncodeError> {
        <() as GraphType>::write_type(types)
    }
}

impl Encode for Filler {
    fn encode_node(&self, encoder: &mut Encoder<'_>) -> Result<u32, EncodeError> {
        encoder.enter()?;
        let mut units = Vec::with_capacity(self.nodes as usize - 1);
        for _ in 1..self.nodes {
            units.push(().encode_node(encoder)?);
        }
        encoder.tuple(&units)
    }
}

/// Returns the encoded `(state, params)`.
///
/// # Errors
/// Fails if the parameters are nested too deeply or too large.
pub(crate) fn call_input(state: &State, params: &Value) -> Result<Vec<u8>, EncodeError> {
    let filler = Filler { nodes: state.node_count() };
    let filler_bytes = filler.bytes();
    let graph = pack_abi::encode(&(filler, params))?;
    let count = u32::from_le_bytes([graph[8], graph[9], graph[10], graph[11]]);
    Ok(join(count, state.nodes(), &graph[HEADER + filler_bytes..]))
}

/// Returns a graph of `node_count` nodes that ends with `rest`, with a filler where the state was; `None` if
/// `rest` is not a run of nodes, or the state has more of them than [`limits::SHOWN_STATE_NODES_MAX`].
pub(crate) fn with_filler(node_count: u32, rest: &[u8]) -> Option<Vec<u8>> {
    let state_nodes = node_count.checked_sub(count_nodes(rest)?).filter(|nodes| *nodes > 0)?;
    // A hostile count must not cost more than a listing is worth.
    if state_nodes > limits::SHOWN_STATE_NODES_MAX {
        return None;
    }
    let filler = pack_abi::encode(&Filler { nodes: state_nodes }).ok()?;
    Some(join(node_count, &filler[HEADER..], rest))
}

fn count_nodes(mut rest: &[u8]) -> Option<u32> {
    let mut nodes = 0_u32;
    while !rest.is_empty() {
        let header = rest.first_chunk::<NODE_HEADER>()?;
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        rest = rest.get(NODE_HEADER.checked_add(length)?..)?;
        nodes = nodes.checked_add(1)?;
    }
    Some(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use theater_chain::RunHasher;

    #[test]
    fn input_is_what_the_codec_makes_of_the_whole() {
        let salt = RunHasher::new(&[1; 32]);
        for bytes in [None, Some(&b"hello"[..]), Some(&b""[..])] {
            let state = State::initial(&salt, bytes).unwrap();
            let params = Value::tuple([Value::from("root"), Value::U32(7)]);
            let whole = pack_abi::encode(&(bytes, &params)).unwrap();
            assert_eq!(call_input(&state, &params).unwrap(), whole);
        }
    }

    #[test]
    fn filler_takes_the_place_of_a_state() {
        let salt = RunHasher::new(&[1; 32]);
        let state = State::initial(&salt, Some(b"hello")).unwrap();
        let params = Value::tuple([Value::from("root")]);
        let whole = call_input(&state, &params).unwrap();
        let rest = &whole[HEADER + state.nodes().len()..];
        let count = u32::from_le_bytes([whole[8], whole[9], whole[10], whole[11]]);
        let shown: Value = pack_abi::decode(&with_filler(count, rest).unwrap()).unwrap();
        let Value::Tuple(items) = shown else { panic!("{shown:?}") };
        assert_eq!(items[1], params);
        assert!(with_filler(1, rest).is_none());
        assert!(with_filler(count, &rest[1..]).is_none());
    }
}
