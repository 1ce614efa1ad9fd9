//! Arbitrary bytes are a value or an error, at their price; what is a value encodes to the same bytes.

use pack_abi::metadata::Metadata;
use pack_abi::{Limits, NodeRef, Value, View, decode, encode, encoded_length};

use super::{assert_price, buffers};
use crate::cost::{VALUE_TIMES_MAX, cost};
use crate::target::Target;

pub(crate) const TARGET: Target = Target { name: "decode", seeds: buffers, check };

/// A table of the nodes, as `View::parse` promises.
const VIEW_TIMES_MAX: usize = 2;

fn check(bytes: &[u8]) {
    let limits = Limits::default();
    let (length, spent) = cost(|| encoded_length(bytes, &limits));
    assert_eq!(spent.allocations, 0, "looking for the length has allocated");

    let (view, spent) = cost(|| View::parse(bytes, &limits));
    assert_price("a view", bytes, spent.peak, VIEW_TIMES_MAX);
    if let Ok(view) = &view {
        look_at(view);
    }

    let (read, spent) = cost(|| decode::<Value>(bytes));
    assert_price("a value", bytes, spent.peak, VALUE_TIMES_MAX);
    match read {
        Ok(value) => {
            assert!(view.is_ok(), "a value without a view: {value}");
            assert_eq!(length, Ok(bytes.len()));
            assert_eq!(encode(&value).as_deref(), Ok(bytes), "{value}");
        }
        Err(error) => {
            assert!(error.offset as usize <= bytes.len(), "{error}, of {} bytes", bytes.len());
            assert!(error.explain(bytes).starts_with(&error.kind.to_string()));
        }
    }
    if let Ok(metadata) = Metadata::decode(bytes) {
        let again = metadata.encode().expect("metadata that was read can be written");
        assert_eq!(Metadata::decode(&again), Ok(metadata));
    }
}

/// Asks every node everything; the ranges of the subtrees must tile the buffer.
fn look_at(view: &View<'_>) {
    let root = view.root();
    assert_eq!(root.subtree_range(), 16..view.bytes().len());
    assert_eq!(root.subtree_nodes().len(), view.node_count());
    let mut pending = vec![root];
    let mut seen = 0;
    while let Some(node) = pending.pop() {
        seen += 1;
        let mut start = node.subtree_range().start;
        for child in node.children() {
            assert_eq!(child.subtree_range().start, start, "{child:?} of {node:?}");
            start = child.subtree_range().end;
            pending.push(child);
        }
        assert_eq!(node.range().start, start, "{node:?}");
        ask(node);
    }
    assert_eq!(seen, view.node_count());
}

/// Whatever a node is, no question about it panics.
fn ask(node: NodeRef<'_, '_>) {
    let answers = [
        node.as_str().is_ok(),
        node.as_bytes().is_ok(),
        node.option().is_ok(),
        node.result().is_ok(),
        node.list().is_ok(),
        node.tuple_of::<2>().is_ok(),
        node.record().is_ok_and(|record| record.iter().count() == record.field_count()),
        node.variant().is_ok_and(|case| case.payloads_of::<1>().is_ok()),
    ];
    assert!(answers.iter().filter(|answer| **answer).count() <= 3, "{node:?} is too much at once");
}
