//! Values to bytes and back: Rust types directly, and through the dynamic value.
//!
//! With the feature `baselines` the published codec does the same beside it. Names say whose cases they are: those
//! that are known to be slow there.

use std::hint::black_box;

use pack_abi::{Decode, Encode, Value};
use pack_macros::GraphValue;

use super::{Bench, Effort, Failure, Plan};
use crate::figure::{Figure, Unit};
use crate::measure::{Round, time};

#[cfg(feature = "baselines")]
use super::codec_peer as peer;

const CALLS_MAX: u32 = 100_000;
/// Rows, strings and numbers of the long lists.
const MANY: usize = 10_000;
const MEBIBYTE: usize = 1 << 20;
const KIBIBYTE: usize = 1 << 10;
const TREE_DEPTH: u32 = 12;
/// Our depth limit is 512, so a chain of depth 2,000 is refused; this one is 500 deep.
const LINKS: usize = 250;

#[derive(GraphValue, Clone)]
struct Row {
    id: u64,
    name: String,
    score: f64,
    active: bool,
}

#[derive(GraphValue, Clone)]
#[expect(clippy::use_self, reason = "as people write a type for the derive")]
enum Tree {
    Leaf(i64),
    Node(Box<Tree>, Box<Tree>),
}

/// What actors send each other, with a kibibyte of its own.
#[derive(GraphValue, Clone)]
struct Message {
    from: String,
    seq: u64,
    body: Vec<u8>,
}

fn message(body_bytes: usize) -> Message {
    Message { from: "root/worker-3".to_owned(), seq: 7, body: vec![7; body_bytes] }
}

/// Two levels of nesting each: a record and the option in it.
#[derive(GraphValue, Clone)]
struct Link {
    next: Option<Box<Self>>,
}

fn chain(links: usize) -> Link {
    (1..links).fold(Link { next: None }, |link, _| Link { next: Some(Box::new(link)) })
}

/// Hands the names of 64 fields to a macro, so that both codecs get the same record.
macro_rules! with_64_fields {
    ($make:ident) => {
        $make! {
            f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21
            f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40 f41 f42 f43
            f44 f45 f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60 f61 f62 f63
        }
    };
}
#[cfg(feature = "baselines")]
pub(super) use with_64_fields;

macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(GraphValue, Clone)]
        struct Wide {
            $($field: u64,)*
        }

        fn wide() -> Wide {
            Wide { $($field: 7,)* }
        }
    };
}
with_64_fields!(wide);

fn tree(depth: u32) -> Tree {
    match depth {
        0 => Tree::Leaf(1),
        _ => Tree::Node(Box::new(tree(depth - 1)), Box::new(tree(depth - 1))),
    }
}

fn row(id: u64) -> Row {
    Row { id, name: "0123456789".to_owned(), score: 1.5, active: true }
}

/// The same four ways through the published codec, if it is there: encode and decode, typed and dynamic.
#[derive(Default)]
pub(super) struct Peers {
    pub(super) encode: Option<Round<'static>>,
    pub(super) decode: Option<Round<'static>>,
    pub(super) encode_value: Option<Round<'static>>,
    pub(super) decode_value: Option<Round<'static>>,
}

/// Returns nanoseconds a call, over enough calls to be told apart from the clock.
pub(super) fn cost<T>(effort: Effort, mut run: impl FnMut() -> Result<T, Failure>) -> Result<f64, Failure> {
    let (once, _) = time(|| Ok(black_box(run()?)))?;
    let calls =
        (effort.round_ns() / (once.as_secs_f64() * 1e9).max(20.0)).clamp(1.0, f64::from(CALLS_MAX)) as u32;
    crate::measure::nanoseconds_each(calls, || {
        for _ in 0..calls {
            drop(black_box(run()?));
        }
        Ok(())
    })
}

/// The cases, ours and theirs.
struct Cases<'b, 'a> {
    bench: &'b mut Bench<'a>,
    ratios: Vec<f64>,
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let effort = bench.effort;
    let has_peers = effort.has_peers();
    let mut cases = Cases { bench, ratios: Vec::new() };
    macro_rules! case {
        ($name:literal, $value:expr, $peer:ident) => {{
            #[cfg(feature = "baselines")]
            let peers = if has_peers { peer::$peer(effort)? } else { Peers::default() };
            #[cfg(not(feature = "baselines"))]
            let peers = Peers::default();
            cases.case($name, &$value, peers)?;
        }};
    }
    case!("hello", ("hello world".to_owned(),), hello);
    case!("string-1MiB", "x".repeat(MEBIBYTE), string);
    case!("bytes-1MiB", vec![7_u8; MEBIBYTE], bytes);
    case!("records-10k", (0..MANY as u64).map(row).collect::<Vec<_>>(), records);
    case!("tree-4k-leaves", tree(TREE_DEPTH), tree);
    case!("message-1KiB", message(KIBIBYTE), message);
    case!("record-64-fields", wide(), wide);
    case!("chain-depth-500", chain(LINKS), chain);
    case!("strings-10k", vec!["seven77".to_owned(); MANY], strings);
    case!("s64-10k", (0..MANY as i64).collect::<Vec<i64>>(), numbers);
    let Cases { ratios, .. } = cases;
    if has_peers {
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        bench.show(&Figure {
            name: "codec/mean".to_owned(),
            value: mean,
            unit: Unit::Times,
            baseline: None,
            settings: vec![("geometric mean of ratios", ratios.len().to_string())],
        })?;
    }
    beside_a_copy(bench)?;
    linear(bench)
}

/// What ten times as much costs, as a multiple: about ten, or time does not grow with the input alone.
fn linear(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let rows = |count: usize| (0..count as u64).map(row).collect::<Vec<_>>();
    let forest = |count: usize| vec![tree(6); count];
    ten_times(bench, "bytes", &vec![7_u8; MEBIBYTE / 10], &vec![7_u8; MEBIBYTE])?;
    ten_times(bench, "string", &"x".repeat(MEBIBYTE / 10), &"x".repeat(MEBIBYTE))?;
    ten_times(bench, "message", &message(KIBIBYTE), &message(10 * KIBIBYTE))?;
    ten_times(bench, "records", &rows(MANY / 10), &rows(MANY))?;
    ten_times(bench, "trees", &forest(8), &forest(80))?;
    ten_times(bench, "chain", &chain(LINKS / 10), &chain(LINKS))?;
    ten_times(bench, "strings", &vec!["seven77".to_owned(); MANY / 10], &vec!["seven77".to_owned(); MANY])?;
    ten_times(bench, "s64", &vec![7_i64; MANY / 10], &vec![7_i64; MANY])
}

fn ten_times<T>(bench: &mut Bench<'_>, name: &str, small: &T, large: &T) -> Result<(), Failure>
where
    T: Encode + for<'a> Decode<'a>,
{
    let effort = bench.effort;
    let (small_bytes, large_bytes) = (pack_abi::encode(small)?, pack_abi::encode(large)?);
    let encode = |value: &T| cost(effort, || Ok(pack_abi::encode(black_box(value))?));
    let decode = |bytes: &[u8]| cost(effort, || Ok(pack_abi::decode::<T>(black_box(bytes))?));
    let ways: [(&str, Round<'_>); 2] = [
        ("encode", Box::new(|| Ok(encode(large)? / encode(small)?))),
        ("decode", Box::new(|| Ok(decode(&large_bytes)? / decode(&small_bytes)?))),
    ];
    for (way, subject) in ways {
        bench.measure(Plan {
            name: format!("codec/ten-times/{way}/{name}"),
            unit: Unit::Count,
            settings: vec![("encoded", format!("{} B and {} B", small_bytes.len(), large_bytes.len()))],
            subject,
            baseline: None,
        })?;
    }
    Ok(())
}

impl Cases<'_, '_> {
    fn case<T>(&mut self, name: &str, value: &T, peers: Peers) -> Result<(), Failure>
    where
        T: Encode + for<'a> Decode<'a>,
    {
        let effort = self.bench.effort;
        let bytes = pack_abi::encode(value)?;
        let dynamic = Value::of(value)?;
        let Peers { encode, decode, encode_value, decode_value } = peers;
        let cost_of_encode = || cost(effort, || Ok(pack_abi::encode(black_box(value))?));
        self.figure(&format!("typed/encode/{name}"), &bytes, Box::new(cost_of_encode), encode)?;
        let cost_of_decode = || cost(effort, || Ok(pack_abi::decode::<T>(black_box(&bytes))?));
        self.figure(&format!("typed/decode/{name}"), &bytes, Box::new(cost_of_decode), decode)?;
        let cost_of_encode = || cost(effort, || Ok(pack_abi::encode(black_box(&dynamic))?));
        self.figure(&format!("value/encode/{name}"), &bytes, Box::new(cost_of_encode), encode_value)?;
        let cost_of_decode = || cost(effort, || Ok(pack_abi::decode::<Value>(black_box(&bytes))?));
        self.figure(&format!("value/decode/{name}"), &bytes, Box::new(cost_of_decode), decode_value)
    }

    fn figure(
        &mut self,
        path: &str,
        bytes: &[u8],
        subject: Round<'_>,
        baseline: Option<Round<'static>>,
    ) -> Result<(), Failure> {
        let medians = self.bench.measure(Plan {
            name: format!("codec/{path}"),
            unit: Unit::Nanoseconds,
            settings: vec![("encoded", format!("{} B", bytes.len()))],
            subject,
            baseline: baseline.map(|round| ("packr-abi 0.24.1", round)),
        })?;
        self.ratios.extend(medians.baseline.map(|baseline| baseline / medians.value));
        Ok(())
    }
}

/// What cannot be faster than a copy: a mebibyte into a buffer that is there, and a look at what is there.
fn beside_a_copy(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let effort = bench.effort;
    let bytes = vec![7_u8; MEBIBYTE];
    let encoded = pack_abi::encode(&bytes)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    bench.measure(Plan {
        name: "codec/typed/encode-into/bytes-1MiB".to_owned(),
        unit: Unit::Nanoseconds,
        settings: vec![("buffer", "reused".to_owned())],
        subject: Box::new(|| {
            cost(effort, || {
                ours.clear();
                Ok(pack_abi::encode_into(black_box(&bytes), &mut ours)?)
            })
        }),
        baseline: Some((
            "memcpy",
            Box::new(|| {
                cost(effort, || {
                    theirs.clear();
                    theirs.extend_from_slice(black_box(&bytes));
                    black_box(&theirs);
                    Ok(())
                })
            }),
        )),
    })?;
    bench.measure(Plan {
        name: "codec/typed/decode-borrowed/bytes-1MiB".to_owned(),
        unit: Unit::Nanoseconds,
        settings: vec![("result", "a slice of the encoded bytes".to_owned())],
        subject: Box::new(|| cost(effort, || Ok(pack_abi::decode::<&[u8]>(black_box(&encoded))?.len()))),
        baseline: None,
    })?;
    Ok(())
}
