//! Times the codec beside the published one, in one run: `cargo run --release -p pack-abi --example codec-cost`.
//!
//! Each line gives nanoseconds for ours and theirs and how many times faster ours is; the last line is the
//! geometric mean of the ratios. `decode` reads the Rust type on both sides, `decode value` the dynamic one.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints measurements")]

use std::hint::black_box;
use std::time::Instant;

use pack_abi::Value;

macro_rules! types {
    ($derive:path, $pointer:ident) => {
        use $derive;

        #[derive(GraphValue, Clone)]
        pub(crate) struct Row {
            pub(crate) id: u64,
            pub(crate) name: String,
            pub(crate) score: f64,
            pub(crate) active: bool,
        }

        #[derive(GraphValue, Clone)]
        pub(crate) enum Tree {
            Leaf(i64),
            Node($pointer<Tree>, $pointer<Tree>),
        }
    };
}

mod ours {
    types!(pack_macros::GraphValue, Box);
}

mod theirs {
    use packr_abi::Rec;
    types!(packr_abi::GraphValue, Rec);
}

fn our_tree(depth: u32) -> ours::Tree {
    match depth {
        0 => ours::Tree::Leaf(1),
        _ => ours::Tree::Node(Box::new(our_tree(depth - 1)), Box::new(our_tree(depth - 1))),
    }
}

fn their_tree(depth: u32) -> theirs::Tree {
    use packr_abi::Rec;
    match depth {
        0 => theirs::Tree::Leaf(1),
        _ => theirs::Tree::Node(Rec::new(their_tree(depth - 1)), Rec::new(their_tree(depth - 1))),
    }
}

/// Returns the best of several rounds, in nanoseconds a call.
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn time<T>(mut run: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    black_box(run());
    let once = start.elapsed().as_nanos().max(20);
    let calls = (10_000_000 / once).clamp(1, 100_000) as u32;
    let round = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..calls {
            run();
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    (0..9).map(|_| round(&mut || drop(black_box(run())))).fold(f64::INFINITY, f64::min)
}

struct Table {
    ratios: Vec<f64>,
}

impl Table {
    fn line(&mut self, name: &str, ours: f64, theirs: f64) {
        println!("{name:<36} {ours:>12.0} ns {theirs:>14.0} ns {:>8.1} x", theirs / ours);
        self.ratios.push(theirs / ours);
    }

    /// Measures one case: `$ours` and `$theirs` are equal values, decoded as these types.
    fn case<O, T>(&mut self, name: &str, ours: &O, theirs: &T)
    where
        O: pack_abi::Encode + for<'a> pack_abi::Decode<'a>,
        T: Clone + Into<packr_abi::Value> + packr_abi::FromValue,
    {
        let bytes = pack_abi::encode(ours).unwrap();
        assert_eq!(bytes, packr_abi::encode(&theirs.clone().into()).unwrap(), "{name}");
        self.line(
            &format!("{name}, encode"),
            time(|| pack_abi::encode(black_box(ours)).unwrap()),
            time(|| packr_abi::encode(&black_box(theirs).clone().into()).unwrap()),
        );
        self.line(
            &format!("{name}, decode"),
            time(|| pack_abi::decode::<O>(black_box(&bytes)).unwrap()),
            time(|| T::from_value(packr_abi::decode(black_box(&bytes)).unwrap()).ok()),
        );
        let (value, their_value) = (Value::of(ours).unwrap(), theirs.clone().into());
        self.line(
            &format!("{name}, encode value"),
            time(|| pack_abi::encode(black_box(&value)).unwrap()),
            time(|| packr_abi::encode(black_box(&their_value)).unwrap()),
        );
        self.line(
            &format!("{name}, decode value"),
            time(|| pack_abi::decode::<Value>(black_box(&bytes)).unwrap()),
            time(|| packr_abi::decode(black_box(&bytes)).unwrap()),
        );
    }
}

fn main() {
    let mut table = Table { ratios: Vec::new() };
    let hello = ("hello world".to_owned(),);
    table.case("(\"hello world\",)", &hello, &hello);
    let text = "x".repeat(1 << 20);
    table.case("1 MiB string", &text, &text);
    let bytes = vec![7u8; 1 << 20];
    table.case("1 MiB bytes", &bytes, &bytes);
    let row = |id: u64| ours::Row { id, name: "0123456789".to_owned(), score: 1.5, active: true };
    let rows: Vec<_> = (0..10_000).map(row).collect();
    let row = |id: u64| theirs::Row { id, name: "0123456789".to_owned(), score: 1.5, active: true };
    let their_rows: Vec<_> = (0..10_000).map(row).collect();
    table.case("10,000 records", &rows, &their_rows);
    table.case("tree of 4,096 leaves", &our_tree(12), &their_tree(12));
    let strings = vec!["seven77".to_owned(); 10_000];
    table.case("10,000 strings", &strings, &strings);
    let numbers: Vec<i64> = (0..10_000).collect();
    table.case("10,000 s64", &numbers, &numbers);
    let mean = (table.ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / table.ratios.len() as f64).exp();
    println!("geometric mean of {} ratios: {mean:.1} x", table.ratios.len());
    extra(&bytes, &hello);
}

/// What has no counterpart: reused buffers, borrowed decoding, views, and a plain copy for scale.
fn extra(bytes: &Vec<u8>, hello: &(String,)) {
    let mut out = Vec::new();
    let mut append = |name: &str, run: &mut dyn FnMut(&mut Vec<u8>)| {
        let cost = time(|| {
            out.clear();
            run(&mut out);
        });
        println!("{name:<36} {cost:>12.0} ns");
    };
    append("copy 1 MiB", &mut |out| out.extend_from_slice(black_box(bytes)));
    append("1 MiB bytes, encode_into", &mut |out| pack_abi::encode_into(black_box(bytes), out).unwrap());
    append("(\"hello world\",), encode_into", &mut |out| {
        pack_abi::encode_into(black_box(hello), out).unwrap();
    });
    let show = |name: &str, cost: f64| println!("{name:<36} {cost:>12.0} ns");
    let encoded = pack_abi::encode(bytes).unwrap();
    show("copy 1 MiB into a new vector", time(|| black_box(bytes).clone()));
    show(
        "1 MiB bytes, decode borrowed",
        time(|| pack_abi::decode::<&[u8]>(black_box(&encoded)).unwrap().len()),
    );
    let encoded = pack_abi::encode(hello).unwrap();
    show(
        "(\"hello world\",), decode borrowed",
        time(|| pack_abi::decode::<(&str,)>(black_box(&encoded)).unwrap().0.len()),
    );
    let call = pack_abi::encode(&(Some(b"state".to_vec()), ("id",))).unwrap();
    show(
        "view of (state, (\"id\",))",
        time(|| {
            let view = pack_abi::View::parse(black_box(&call), &pack_abi::Limits::default()).unwrap();
            view.root().tuple_of::<2>().unwrap()[0].subtree_range()
        }),
    );
}
