//! How much room encoding and decoding take at one time: at most twice the payload, but for what is named here.
//!
//! **Room** is the most bytes that the call holds of the allocator at one time, its result included; its input is not
//! counted, for it was there before. While a buffer moves to a larger place both places count, as they do wherever the
//! allocator cannot grow it in place.
//!
//! **The payload** is what is built. Of encoding these are the encoded bytes, without spare capacity. Of decoding as a
//! dynamic value it is that value: the bytes that it still holds when the call has returned, and its own 32. Of decoding
//! as a Rust type it is the encoded bytes again: the type may be smaller than any of them, or borrow all.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/cost.rs"]
#[expect(dead_code, reason = "what hostile bytes may cost is for the tests that read them")]
mod cost;

use pack_abi::{Decode, Encode, Value, decode, encode, encode_into};
use pack_macros::GraphValue;

use crate::cost::cost;

/// Twice the payload, in percent of it.
const PERCENT_MAX: usize = 200;

/// What takes more than that, in percent of the payload.
///
/// All are encodings into a new buffer, whose length nobody knows before the value is written. It begins with 128 bytes,
/// which is more than twice `hello` by itself. From there it doubles, and while it moves the half-full old one is there
/// beside the new one: up to three times the payload, when the last doubling was for little. Whoever has a buffer with
/// room uses `encode_into` and pays none of this.
const MORE: &[(&str, usize)] = &[
    ("typed/encode/hello", 233),
    ("value/encode/hello", 262),
    ("typed/encode/records-10k", 236),
    ("value/encode/records-10k", 236),
    ("typed/encode/tree-8k-nodes", 209),
    ("value/encode/tree-8k-nodes", 209),
    ("typed/encode/message-1KiB", 285),
    ("value/encode/message-1KiB", 287),
];

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

#[derive(GraphValue)]
struct Message {
    from: String,
    seq: u64,
    body: Vec<u8>,
}

#[derive(GraphValue)]
struct Link {
    next: Option<Box<Self>>,
}

macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(GraphValue)]
        struct Wide {
            $($field: u64,)*
        }

        fn wide() -> Wide {
            Wide { $($field: 7,)* }
        }
    };
}
wide! {
    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21
    f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40 f41 f42 f43
    f44 f45 f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60 f61 f62 f63
}

fn tree(depth: u32) -> Tree {
    match depth {
        0 => Tree::Leaf(1),
        _ => Tree::Node(Box::new(tree(depth - 1)), Box::new(tree(depth - 1))),
    }
}

fn row(id: u64) -> Row {
    Row { id, name: "0123456789".to_owned(), score: 1.5, active: true }
}

fn chain(links: usize) -> Link {
    (1..links).fold(Link { next: None }, |link, _| Link { next: Some(Box::new(link)) })
}

/// The room that one way of one case takes.
struct Figure {
    name: String,
    peak: usize,
    payload: usize,
}

impl Figure {
    fn percent(&self) -> usize {
        (100 * self.peak).div_ceil(self.payload)
    }
}

/// Does something with each of the cases of the benchmark.
fn for_each_case(mut visit: impl Visit) {
    visit.case("hello", &("hello world".to_owned(),));
    visit.case("bytes-1MiB", &vec![7_u8; 1 << 20]);
    visit.case("records-10k", &(0..10_000).map(row).collect::<Vec<_>>());
    visit.case("tree-8k-nodes", &tree(12));
    visit.case("message-1KiB", &Message { from: "root/worker-3".to_owned(), seq: 7, body: vec![7; 1024] });
    visit.case("record-64-fields", &wide());
    visit.case("chain-depth-500", &chain(250));
}

trait Visit {
    fn case<T: Encode + for<'a> Decode<'a>>(&mut self, name: &str, value: &T);
}

impl Visit for &mut Vec<Figure> {
    fn case<T: Encode + for<'a> Decode<'a>>(&mut self, name: &str, value: &T) {
        let (bytes, typed_encode) = cost(|| encode(value).unwrap());
        let (typed, typed_decode) = cost(|| decode::<T>(&bytes).unwrap());
        let (dynamic, value_decode) = cost(|| decode::<Value>(&bytes).unwrap());
        let (again, value_encode) = cost(|| encode(&dynamic).unwrap());
        assert_eq!(again, bytes);
        drop(typed);
        let held = value_decode.live + size_of::<Value>();
        for (way, spent, payload) in [
            ("typed/encode", typed_encode, bytes.len()),
            ("typed/decode", typed_decode, bytes.len()),
            ("value/encode", value_encode, bytes.len()),
            ("value/decode", value_decode, held),
        ] {
            self.push(Figure { name: format!("{way}/{name}"), peak: spent.peak, payload });
        }
    }
}

/// `cargo test -p pack-abi --test room table -- --nocapture` shows the table.
#[test]
fn table_of_the_room_that_each_way_takes_which_is_at_most_twice_the_payload_or_named() {
    let mut figures = Vec::new();
    for_each_case(&mut figures);
    println!("{:>9} {:>9} {:>5}  way", "payload", "room", "%");
    for figure in &figures {
        let percent = figure.percent();
        println!("{:>9} {:>9} {percent:>5}  {}", figure.payload, figure.peak, figure.name);
        let named = MORE.iter().find(|(name, _)| *name == figure.name).map(|(_, most)| *most);
        let name = &figure.name;
        assert!(percent <= named.unwrap_or(PERCENT_MAX), "{name} takes {percent} % of the payload");
        assert!(named.is_none() || percent > PERCENT_MAX, "{name} need not be named any more");
    }
    for (name, _) in MORE {
        assert!(figures.iter().any(|figure| figure.name == *name), "{name} is no case");
    }
}

struct IntoABufferWithRoom;

impl Visit for IntoABufferWithRoom {
    fn case<T: Encode + for<'a> Decode<'a>>(&mut self, name: &str, value: &T) {
        let bytes = encode(value).unwrap();
        let dynamic: Value = decode(&bytes).unwrap();
        let mut out = Vec::with_capacity(bytes.len());
        let ((), typed) = cost(|| encode_into(value, &mut out).unwrap());
        assert_eq!(out, bytes);
        out.clear();
        let ((), dynamic) = cost(|| encode_into(&dynamic, &mut out).unwrap());
        assert_eq!(out, bytes);
        // The indices of the children of whatever is open are all that is held beside the buffer.
        assert!(2 * typed.peak <= bytes.len(), "{name}: {typed:?} beside {} bytes", bytes.len());
        assert!(2 * dynamic.peak <= bytes.len(), "{name}: {dynamic:?} beside {} bytes", bytes.len());
    }
}

#[test]
fn encoding_into_a_buffer_with_room_takes_at_most_half_the_payload_beside_it() {
    for_each_case(IntoABufferWithRoom);
}
