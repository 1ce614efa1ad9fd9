//! What `cargo xtask instructions` counts: short cases of the codec, each once.
//!
//! Run by itself it only prints the names of its cases, in their order.

use std::hint::black_box;
use std::io::Write as _;

use pack_abi::{Decode, Encode, Value, decode, encode};
use pack_macros::GraphValue;

#[derive(GraphValue)]
struct Row {
    id: u64,
    name: String,
    score: f64,
    active: bool,
}

#[derive(GraphValue)]
enum Tree {
    Leaf(i64),
    Node(Box<Self>, Box<Self>),
}

type Message = (Option<Vec<u8>>, Vec<u8>);

fn main() {
    case("hello", &("hello world".to_owned(),));
    case::<Message>("message-1KiB", &(Some(vec![1; 16]), vec![7; 1024]));
    case("bytes-64KiB", &vec![7_u8; 64 << 10]);
    case("records-100", &(0..100).map(row).collect::<Vec<_>>());
    case("tree-64-leaves", &tree(6));
    case("strings-100", &vec!["seven77".to_owned(); 100]);
    case("s64-1000", &(0..1000).collect::<Vec<i64>>());
}

fn row(id: u64) -> Row {
    Row { id, name: "0123456789".to_owned(), score: 1.5, active: true }
}

fn tree(depth: u32) -> Tree {
    match depth {
        0 => Tree::Leaf(1),
        _ => Tree::Node(Box::new(tree(depth - 1)), Box::new(tree(depth - 1))),
    }
}

fn case<T: Encode + for<'a> Decode<'a>>(name: &str, value: &T) {
    let bytes = encode(value).expect("the case can be encoded");
    let dynamic: Value = decode(&bytes).expect("what was encoded can be decoded");
    count(&format!("typed/encode/{name}"), || encode(black_box(value)));
    count(&format!("typed/decode/{name}"), || decode::<T>(black_box(&bytes)));
    count(&format!("value/encode/{name}"), || encode(black_box(&dynamic)));
    count(&format!("value/decode/{name}"), || decode::<Value>(black_box(&bytes)));
}

/// Does the work in a function that callgrind is told about; what comes out is dropped outside of it.
fn count<R, E: std::fmt::Debug>(name: &str, mut work: impl FnMut() -> Result<R, E>) {
    let mut result = None;
    counted_by_callgrind(&mut || result = Some(work()));
    let result = result.expect("the work was done");
    drop(black_box(result.expect("the case succeeds")));
    writeln!(std::io::stdout(), "{name}").expect("stdout takes the name");
}

#[inline(never)]
fn counted_by_callgrind(work: &mut dyn FnMut()) {
    black_box(&mut *work)();
    // Not a tail call: callgrind must see this function return.
    black_box(work);
}
