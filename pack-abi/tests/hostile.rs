//! Bytes that no encoder writes: each is refused with its cause and place, and costs no more than it weighs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/cost.rs"]
mod cost;
#[path = "corpus/hostile.rs"]
mod hostile;

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::metadata::{Metadata, MetadataError};
use pack_abi::{DecodeErrorKind as Cause, Limits, Value, View, decode, encode};
use pack_macros::GraphValue;

use crate::cost::cost;
use crate::hostile::{Case, Upstream, buffer, byte, cases, texts, tuple, tuples, words};

/// What reading a refused buffer may allocate: in proportion to its bytes, and a little for a start.
fn bytes_max(case: &Case) -> usize {
    16 * case.bytes.len() + cost::START_BYTES
}

/// `cargo test -p pack-abi --test hostile table -- --nocapture` shows the table.
#[test]
fn table_of_hostile_buffers_each_refused_for_its_cause_at_its_price() {
    println!("{:>9} {:>9} {:>9}  case: error", "bytes", "allocated", "peak");
    let mut names = BTreeSet::new();
    for case in cases() {
        let (error, spent) = cost(|| decode::<Value>(&case.bytes).map(drop));
        let Case { name, bytes, .. } = &case;
        let Err(error) = error else { panic!("{name}: it is read") };
        println!("{:>9} {:>9} {:>9}  {name}: {error}", bytes.len(), spent.bytes, spent.peak);
        assert_eq!((error.kind, error.offset), (case.cause, case.offset), "{name}: {error}");
        assert!(spent.bytes <= bytes_max(&case), "{name}: {} bytes cost {spent:?}", bytes.len());
        assert!(names.insert(name.clone()), "{name}: another case has this name");
    }
}

#[derive(GraphValue, Debug, Clone)]
struct Wide {
    numbers: [u64; 256],
}

#[test]
fn every_way_of_reading_refuses_hostile_buffers_at_their_price() {
    for case in cases() {
        let Case { name, bytes, .. } = &case;
        let ((), spent) = cost(|| {
            assert!(decode::<Vec<Vec<String>>>(bytes).is_err(), "{name}");
            assert!(decode::<Vec<[u64; 64]>>(bytes).is_err(), "{name}");
            assert!(decode::<BTreeMap<String, Wide>>(bytes).is_err(), "{name}");
            assert!(decode::<Cons>(bytes).is_err(), "{name}");
        });
        assert!(spent.peak <= bytes_max(&case), "{name}: typed: {} bytes cost {spent:?}", bytes.len());
        let (length, spent) = cost(|| pack_abi::encoded_length(bytes, &Limits::default()));
        assert!(length.is_ok_and(|length| length <= bytes.len()) || spent.allocations == 0, "{name}");
        let error = decode::<Value>(bytes).unwrap_err();
        assert_eq!(Metadata::decode(bytes), Err(MetadataError::Decode(error)), "{name}");
        assert!(error.explain(bytes).starts_with(&error.kind.to_string()), "{name}");
    }
}

/// The differences from the published decoder are those that the table names, and no others.
#[test]
fn upstream_refuses_what_is_refused_here_but_for_the_deliberate_differences() {
    for Case { name, bytes, upstream, .. } in cases() {
        match upstream {
            Upstream::Refuses => assert!(packr_abi::decode(&bytes).is_err(), "{name}: upstream reads it"),
            Upstream::Reads => assert!(packr_abi::decode(&bytes).is_ok(), "{name}: upstream refuses it"),
            Upstream::Dies => {}
        }
    }
}

/// What no type of ours would write, but nothing forbids: the dynamic form keeps it as it is.
#[test]
fn values_that_only_look_wrong_are_read_as_upstream_reads_them() {
    for text in [
        "map<string, u8>[\"b\" => 1u8, \"a\" => 2u8, \"a\" => 3u8]",
        "set<u8>[2u8, 1u8, 2u8]",
        "P{a: 1u8, a: 2u8}",
        "[1u8, \"x\"]<string>",
        "Shape::circle#7(1u8)",
        "some<string>(1u8)",
        "ok<string, string>(())",
        "\"\"::\"\"(1u8, 2u8)",
        "tuple{}",
    ] {
        let value: Value = text.parse().unwrap();
        let bytes = encode(&value).unwrap();
        assert_eq!(decode::<Value>(&bytes).unwrap(), value, "{text}");
        let theirs = packr_abi::decode(&bytes).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(packr_abi::encode(&theirs).unwrap(), bytes, "{text}");
    }
}

#[test]
fn a_value_at_the_start_of_more_has_a_length() {
    let value = buffer(&[byte()]);
    let limits = Limits::default();
    for rest in [&b""[..], b"x", b"CGRF"] {
        let bytes = [&value[..], rest].concat();
        assert_eq!(pack_abi::encoded_length(&bytes, &limits), Ok(value.len()));
        assert_eq!(packr_abi::decode_prefix(&bytes).unwrap().1, value.len());
    }
}

#[test]
fn nesting_is_bounded_on_every_path() {
    let deepest = tuples(512);
    let value: Value = decode(&deepest).unwrap();
    assert_eq!(encode(&value).unwrap(), deepest);
    assert!(encode(&Value::tuple([value])).is_err(), "the encoder has the same limit");

    let limits = Limits { depth_max: 2, ..Limits::default() };
    assert!(View::parse(&tuples(2), &limits).is_ok());
    assert_eq!(View::parse(&tuples(3), &limits).err().unwrap().kind, Cause::TooDeep);
}

#[test]
fn hostile_text_is_refused_on_little_stack() {
    on_stack(TEXT_STACK, || {
        for (name, text) in texts() {
            assert!(text.parse::<Value>().is_err(), "{name}");
        }
    });
}

#[derive(GraphValue, Debug)]
struct Cons {
    head: u8,
    tail: Option<Box<Self>>,
}

#[test]
fn every_proper_prefix_is_refused() {
    let value: Value =
        "P{a: [\"x\", \"y\"], b: some<u8>(1u8), c: map<string, u8>[\"k\" => 2u8], d: V::c#1((), [1u16])}"
            .parse()
            .unwrap();
    let bytes = encode(&value).unwrap();
    for length in 0..bytes.len() {
        assert!(decode::<Value>(&bytes[..length]).is_err(), "{length} bytes");
        assert!(pack_abi::encoded_length(&bytes[..length], &Limits::default()).is_err(), "{length} bytes");
    }
}

#[test]
fn room_is_made_only_for_what_the_input_can_hold() {
    // A thousand one-byte nodes under a list, read as elements of two kilobytes each.
    let count = 1000u32;
    let mut nodes: Vec<_> = (0..count).map(|_| byte()).collect();
    let indices: Vec<u32> = (0..count).collect();
    nodes.push((0x07, [&[0x06][..], &words(&[count]), &words(&indices)].concat()));
    let bytes = buffer(&nodes);
    let (result, spent) = cost(|| decode::<Vec<Wide>>(&bytes).map(drop));
    assert!(matches!(result.unwrap_err().kind, Cause::UnexpectedKind { .. }));
    assert!(spent.bytes <= 16 * bytes.len(), "{} bytes cost {spent:?}", bytes.len());
}

/// The dynamic form of a value takes more room than its bytes; this is how much at worst.
#[test]
fn table_of_values_that_take_the_most_room() {
    println!("{:>9} {:>9} {:>9} {:>6}  value", "bytes", "allocated", "peak", "times");
    for (name, bytes) in hostile::heavy() {
        let (read, spent) = cost(|| decode::<Value>(&bytes).map(drop));
        read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let times = spent.peak / bytes.len();
        println!("{:>9} {:>9} {:>9} {times:>6}  {name}", bytes.len(), spent.bytes, spent.peak);
        assert!(times <= cost::VALUE_TIMES_MAX, "{name}: {} bytes cost {spent:?}", bytes.len());
    }
}

#[test]
fn limits_hold() {
    let bytes = tuples(3);
    let small = Limits { buffer_bytes_max: bytes.len() - 1, ..Limits::default() };
    assert_eq!(pack_abi::decode_with::<Value>(&bytes, &small).unwrap_err().kind, Cause::TooLarge);
    let few = Limits { nodes_max: 3, ..Limits::default() };
    assert_eq!(pack_abi::decode_with::<Value>(&bytes, &few).unwrap_err().kind, Cause::TooManyNodes);
}

#[test]
fn looking_at_a_small_value_allocates_nothing() {
    let state = Some(b"some state".to_vec());
    let bytes = encode(&(state.clone(), ("parameter", 5u32, [1u8, 2]))).unwrap();
    let ((), spent) = cost(|| {
        let view = View::parse(&bytes, &Limits::default()).unwrap();
        let [first, second] = view.root().tuple_of::<2>().unwrap();
        assert_eq!(first.subtree_range().start, 16);
        assert_eq!(first.subtree_range().end, second.subtree_range().start);
        assert_eq!(second.subtree_range().end, view.root().range().start);
        assert_eq!(first.option().unwrap().unwrap().as_bytes().unwrap(), b"some state");
        let (name, number, _): (&str, u32, &[u8]) = second.decode().unwrap();
        assert_eq!((name, number), ("parameter", 5));
    });
    assert_eq!(spent.allocations, 0);
    let (back, spent) = cost(|| decode::<(Option<&[u8]>, (&str, u32, [u8; 2]))>(&bytes));
    assert_eq!(back.unwrap().0, state.as_deref());
    assert_eq!(spent.allocations, 1, "only the array of two, which is read as a list first");
}

#[test]
fn encoding_into_a_used_buffer_allocates_nothing() {
    let mut out = Vec::with_capacity(1024);
    let ((), spent) = cost(|| {
        pack_abi::encode_into(&("hello", 5u32, Some("x"), [1u8, 2].as_slice()), &mut out).unwrap();
        pack_abi::encode_into(&Ok::<(), &str>(()), &mut out).unwrap();
    });
    assert_eq!(spent.allocations, 0);
    let first = pack_abi::encoded_length(&out, &Limits::default()).unwrap();
    assert!(decode::<(&str, u32, Option<&str>, &[u8])>(&out[..first]).is_ok());
    assert!(decode::<Result<(), &str>>(&out[first..]).is_ok());
}

#[test]
fn a_recursive_rust_type_is_read_as_deep_as_it_is_written() {
    let mut cons = Cons { head: 0, tail: None };
    for head in 1..=255 {
        cons = Cons { head, tail: Some(Box::new(cons)) };
    }
    let bytes = encode(&cons).unwrap();
    let back: Cons = decode(&bytes).unwrap();
    assert_eq!(back.head, 255);
    assert_eq!(encode(&back).unwrap(), bytes);
    assert!(encode(&Cons { head: 0, tail: Some(Box::new(cons)) }).is_err());
}

/// An asynchronous runtime gives its threads four times as much.
const LITTLE_STACK: usize = 512 << 10;
/// Reading text takes more: what reads a value knows all its forms.
const TEXT_STACK: usize = 1 << 20;

fn on_stack(bytes: usize, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(bytes).spawn(work).unwrap().join().unwrap();
}

#[test]
fn the_deepest_value_needs_little_stack() {
    on_stack(LITTLE_STACK, || {
        let bytes = tuples(512);
        let value: Value = decode(&bytes).unwrap();
        assert_eq!(value.clone(), value);
        assert_eq!(encode(&value).unwrap(), bytes);
        assert_eq!(value.to_string().parse::<Value>().unwrap(), value);
        assert!(format!("{value:?}").starts_with("(((("));
        let mut other = bytes;
        other[24] ^= 1;
        assert_eq!(pack_abi::diff(&value, &decode(&other).unwrap()).len(), 1);
    });
}

/// Types are levels of their own: a text may hold the deepest type in the deepest value.
#[test]
fn the_deepest_type_in_the_deepest_value_is_read_as_it_is_printed() {
    on_stack(TEXT_STACK, || {
        let leaf = (0x0A, [vec![0x07; 512], vec![0x06, 0]].concat());
        let nodes: Vec<_> = std::iter::once(leaf).chain((0..511).map(|child| tuple(&[child]))).collect();
        let bytes = buffer(&nodes);
        let value: Value = decode(&bytes).unwrap();
        assert_eq!(value.clone(), value);
        assert_eq!(encode(&value).unwrap(), bytes);
        assert_eq!(value.to_string().parse::<Value>().unwrap(), value);
        let packed = (0x15, vec![0x0E, 1, 0, 0, 0, 7, 0, 0, 0]);
        let nodes: Vec<_> = std::iter::once(packed).chain((0..512).map(|child| tuple(&[child]))).collect();
        let value: Value = decode(&buffer(&nodes)).unwrap();
        assert_eq!(value.to_string().parse::<Value>().unwrap(), value);
    });
}

#[test]
fn a_recursive_rust_type_of_the_deepest_value_needs_little_stack() {
    on_stack(LITTLE_STACK, || {
        let mut cons = Cons { head: 0, tail: None };
        for head in 1..=255 {
            cons = Cons { head, tail: Some(Box::new(cons)) };
        }
        let bytes = encode(&cons).unwrap();
        assert_eq!(decode::<Cons>(&bytes).unwrap().head, 255);
    });
}
