//! Bytes that no encoder writes: each is refused with its cause and place, and costs no more than it weighs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use pack_abi::{DecodeErrorKind as Cause, Limits, Value, View, decode, encode};
use pack_macros::GraphValue;

thread_local! {
    /// Bytes that this thread has asked for, ever.
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(size: usize) {
    ALLOCATED.with(|total| total.set(total.get().saturating_add(size)));
    ALLOCATIONS.with(|total| total.set(total.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator that counts can be written in no other way")]
// SAFETY: every call is passed on unchanged to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as required of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as required of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the result, the bytes and the number of allocations that it took.
fn cost<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let (bytes, calls) = (ALLOCATED.get(), ALLOCATIONS.get());
    let result = run();
    (result, ALLOCATED.get() - bytes, ALLOCATIONS.get() - calls)
}

/// A buffer of these nodes; the last is the root.
fn buffer(nodes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"CGRF\x03\0\0\0".to_vec();
    bytes.extend((nodes.len() as u32).to_le_bytes());
    bytes.extend((nodes.len() as u32 - 1).to_le_bytes());
    for (kind, payload) in nodes {
        bytes.extend([*kind, 0, 0, 0]);
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(payload);
    }
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn tuple(children: &[u32]) -> (u8, Vec<u8>) {
    let mut payload = words(&[children.len() as u32]);
    payload.extend(words(children));
    (0x0B, payload)
}

const BYTE: (u8, [u8; 1]) = (0x0C, [7]);

fn byte() -> (u8, Vec<u8>) {
    (BYTE.0, BYTE.1.to_vec())
}

/// Decodes in every way; all must refuse, for this cause, at a cost in proportion to the input.
#[track_caller]
fn refused(bytes: &[u8], cause: Cause, offset: u32) {
    let (error, allocated, _) = cost(|| decode::<Value>(bytes).unwrap_err());
    assert_eq!((error.kind, error.offset), (cause, offset), "{error}");
    assert!(allocated <= 16 * bytes.len() + 1024, "{} bytes cost {allocated}", bytes.len());
    let (_, allocated, _) = cost(|| {
        assert!(decode::<Vec<Vec<String>>>(bytes).is_err());
        assert!(decode::<Vec<[u64; 64]>>(bytes).is_err());
        assert!(decode::<std::collections::BTreeMap<String, Wide>>(bytes).is_err());
    });
    assert!(allocated <= 16 * bytes.len() + 1024, "typed: {} bytes cost {allocated}", bytes.len());
}

#[derive(GraphValue, Debug, Clone)]
struct Wide {
    numbers: [u64; 256],
}

#[test]
fn counts_that_nothing_backs_reserve_nothing() {
    let huge = 0xFFFF_FFFFu32.to_le_bytes();
    let lists: [(u8, Vec<u8>); 8] = [
        (0x07, [&[0x06], &huge[..]].concat()),
        (0x08, [&words(&[0, 0, 0])[..], &huge].concat()),
        (0x09, [&words(&[0])[..], &huge].concat()),
        (0x0B, huge.to_vec()),
        (0x15, [&[0x0F], &huge[..]].concat()),
        (0x15, [&[0x0C], &huge[..]].concat()),
        (0x16, [&[0x06, 0x06], &huge[..]].concat()),
        (0x17, [&[0x06], &huge[..]].concat()),
    ];
    for node in lists {
        let bytes = buffer(std::slice::from_ref(&node));
        let error = decode::<Value>(&bytes).unwrap_err();
        assert_eq!(error.kind, Cause::LengthMismatch, "kind {:#x}", node.0);
        refused(&bytes, error.kind, error.offset);
    }
    // A tuple type of four thousand million elements, in a list and in an option.
    for kind in [0x07, 0x0A] {
        refused(&buffer(&[(kind, [&[0x0B], &huge[..]].concat())]), Cause::Truncated, 29);
    }
    let twenty_million = 20_000_000u32.to_le_bytes();
    refused(&buffer(&[(0x07, [&[0x06], &twenty_million[..]].concat())]), Cause::LengthMismatch, 29);
}

#[test]
fn a_node_count_that_the_buffer_cannot_hold_reserves_nothing() {
    let mut bytes = b"CGRF\x03\0\0\0".to_vec();
    bytes.extend(words(&[10_000_000, 9_999_999]));
    refused(&bytes, Cause::TooManyNodes, 8);
    bytes.extend([0; 8 * 1000]);
    refused(&bytes, Cause::TooManyNodes, 8);
    refused(&[&b"CGRF\x03\0\0\0"[..], &words(&[0, 0])].concat(), Cause::UnreferencedNodes, 12);
    refused(&[&b"CGRF\x03\0\0\0"[..], &words(&[0, u32::MAX])].concat(), Cause::UnreferencedNodes, 12);
}

#[test]
fn lengths_that_wrap_are_refused() {
    let with_length = |kind: u8, length: u32, payload: &[u8]| {
        let mut bytes = buffer(&[(kind, payload.to_vec())]);
        bytes[20..24].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    refused(&with_length(0x06, u32::MAX, &[0; 4]), Cause::Truncated, 20);
    refused(&with_length(0x06, u32::MAX - 23, &[0; 4]), Cause::Truncated, 20);
    refused(&buffer(&[(0x06, words(&[u32::MAX]))]), Cause::LengthMismatch, 28);
    refused(&buffer(&[(0x09, words(&[u32::MAX, 0]))]), Cause::Truncated, 28);
    refused(
        &buffer(&[(0x15, [&[0x0F][..], &words(&[0x2000_0001]), &[0; 8]].concat())]),
        Cause::LengthMismatch,
        29,
    );
    refused(&buffer(&[(0x16, [&[6, 6][..], &words(&[0x8000_0000])].concat())]), Cause::LengthMismatch, 30);
}

/// A chain of one-tuples around a byte.
fn tuples(levels: u32) -> Vec<u8> {
    let nodes: Vec<_> = std::iter::once(byte()).chain((0..levels).map(|child| tuple(&[child]))).collect();
    buffer(&nodes)
}

#[derive(GraphValue, Debug)]
struct Cons {
    head: u8,
    tail: Option<Box<Self>>,
}

#[test]
fn nesting_is_bounded_on_every_path() {
    let deepest = tuples(512);
    let value: Value = decode(&deepest).unwrap();
    assert_eq!(encode(&value).unwrap(), deepest);
    refused(&tuples(513), Cause::TooDeep, 16 + 9 + 512 * 16);
    refused(&tuples(100_000), Cause::TooDeep, 16 + 9 + 512 * 16);
    assert!(encode(&Value::Tuple(vec![value])).is_err(), "the encoder has the same limit");

    let limits = Limits { depth_max: 2, ..Limits::default() };
    assert!(View::parse(&tuples(2), &limits).is_ok());
    assert_eq!(View::parse(&tuples(3), &limits).err().unwrap().kind, Cause::TooDeep);
}

#[test]
fn nested_types_are_bounded_too() {
    for (tag, cause) in [(0x07, Cause::TooDeep), (0x0A, Cause::TooDeep), (0x17, Cause::TooDeep)] {
        let mut payload = vec![tag; 100_000];
        payload.extend([0x06, 0]);
        let bytes = buffer(&[(0x0A, payload)]);
        let error = decode::<Value>(&bytes).unwrap_err();
        assert_eq!(error.kind, cause);
    }
    refused(&buffer(&[(0x0A, vec![0x07; 100_000])]), Cause::Truncated, 24 + 100_000);
    refused(&buffer(&[(0x0A, vec![0x14; 100_000])]), Cause::Truncated, 24 + 50_000);
    // Each tuple type claims as many elements as there are bytes left.
    let claims: Vec<u8> =
        (0..1000u32).flat_map(|n| [&[0x0B][..], &(4000 - n).to_le_bytes()].concat()).collect();
    assert!(decode::<Value>(&buffer(&[(0x0A, claims)])).is_err());
}

#[test]
fn nodes_that_are_shared_missing_or_out_of_order_are_refused() {
    let at = 16 + 9;
    refused(&buffer(&[byte(), tuple(&[0, 0])]), Cause::ChildOutOfOrder, at);
    refused(&buffer(&[byte(), tuple(&[1])]), Cause::ChildOutOfOrder, at);
    refused(&buffer(&[byte(), tuple(&[2])]), Cause::ChildOutOfOrder, at);
    refused(&buffer(&[byte(), tuple(&[u32::MAX])]), Cause::ChildOutOfOrder, at);
    refused(&buffer(&[byte(), byte(), tuple(&[1, 0])]), Cause::ChildOutOfOrder, at + 9);
    refused(&buffer(&[tuple(&[1]), tuple(&[0])]), Cause::ChildOutOfOrder, 16);
    refused(&buffer(&[byte(), tuple(&[])]), Cause::UnreferencedNodes, 12);
    refused(&buffer(&[byte(), byte(), tuple(&[1])]), Cause::UnreferencedNodes, 12);
    let mut root_first = buffer(&[byte(), tuple(&[0])]);
    root_first[12] = 0;
    refused(&root_first, Cause::UnreferencedNodes, 12);
}

#[test]
fn a_graph_of_shared_nodes_does_not_unfold() {
    let bomb: Vec<_> = std::iter::once(byte()).chain((0..21).map(|child| tuple(&[child, child]))).collect();
    refused(&buffer(&bomb), Cause::ChildOutOfOrder, 16 + 9);
}

#[test]
fn reserved_bits_versions_and_magic_are_checked() {
    let good = buffer(&[byte()]);
    assert_eq!(decode::<u8>(&good).unwrap(), 7);
    let altered = |place: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[place] = byte;
        bytes
    };
    refused(&altered(0, b'c'), Cause::BadMagic, 0);
    refused(&altered(4, 2), Cause::UnsupportedVersion(2), 4);
    refused(&altered(4, 4), Cause::UnsupportedVersion(4), 4);
    refused(&altered(6, 1), Cause::ReservedBits, 6);
    refused(&altered(17, 1), Cause::ReservedBits, 17);
    refused(&altered(18, 0xFF), Cause::ReservedBits, 17);
    for kind in [0x00, 0x18, 0xFF] {
        refused(&altered(16, kind), Cause::UnknownKind(kind), 16);
    }
    refused(&[&good[..], &[0]].concat(), Cause::TrailingBytes, 25);
    refused(b"\x7fELF", Cause::BadMagic, 0);
    refused(&[], Cause::Truncated, 0);
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
fn values_that_do_not_exist_are_refused() {
    let read = |node: (u8, &[u8])| decode::<Value>(&buffer(&[(node.0, node.1.to_vec())])).unwrap_err().kind;
    assert_eq!(read((0x01, &[2])), Cause::BadBool);
    assert_eq!(read((0x15, &[0x01, 1, 0, 0, 0, 2])), Cause::BadBool);
    assert_eq!(read((0x12, &[0, 0xD8, 0, 0])), Cause::BadChar);
    assert_eq!(read((0x15, &[0x12, 1, 0, 0, 0, 0, 0, 0x11, 0])), Cause::BadChar);
    assert_eq!(read((0x06, &[1, 0, 0, 0, 0xFF])), Cause::BadUtf8);
    assert_eq!(read((0x0A, &[0x0E, 2])), Cause::BadPresence);
    assert_eq!(read((0x0A, &[0x15, 0])), Cause::UnknownType(0x15));
    assert_eq!(read((0x0A, &[0x00, 0])), Cause::UnknownType(0));
    assert_eq!(read((0x0A, &[0x09, 1, 0, 0, 0, 0xFF, 0])), Cause::BadUtf8);
    assert_eq!(read((0x09, &[1, 0, 0, 0, 0xFF, 0, 0, 0, 0])), Cause::BadUtf8);
    assert_eq!(read((0x15, &[0x06, 0, 0, 0, 0])), Cause::WrongListForm);
    assert_eq!(read((0x07, &[0x0C, 0, 0, 0, 0])), Cause::WrongListForm);
    assert_eq!(read((0x0E, &[1, 2, 3])), Cause::LengthMismatch);
    assert_eq!(read((0x0B, &[0, 0, 0, 0, 0])), Cause::LengthMismatch);
    let result = |tag: u8, has: u8| {
        let payload = [&[0x0C, 0x0C, tag, 0, 0, 0, has][..], &words(&[0])].concat();
        decode::<Value>(&buffer(&[byte(), (0x14, payload)])).map_err(|error| error.kind)
    };
    assert!(result(1, 1).is_ok());
    assert_eq!(result(7, 1), Err(Cause::BadPresence));
    assert_eq!(result(0, 0), Err(Cause::BadPresence));
    // A record whose names do not end where its indices begin.
    let names = [&words(&[0, 1])[..], &words(&[9]), b"a", &words(&[0])].concat();
    let error = decode::<Value>(&buffer(&[byte(), (0x09, names)])).unwrap_err();
    assert_eq!(error.kind, Cause::Truncated);
}

#[test]
fn room_is_made_only_for_what_the_input_can_hold() {
    // A thousand one-byte nodes under a list, read as elements of two kilobytes each.
    let count = 1000u32;
    let mut nodes: Vec<_> = (0..count).map(|_| byte()).collect();
    let indices: Vec<u32> = (0..count).collect();
    nodes.push((0x07, [&[0x06][..], &words(&[count]), &words(&indices)].concat()));
    let bytes = buffer(&nodes);
    let (result, allocated, _) = cost(|| decode::<Vec<Wide>>(&bytes).map(drop));
    assert!(matches!(result.unwrap_err().kind, Cause::UnexpectedKind { .. }));
    assert!(allocated <= 16 * bytes.len(), "{} bytes cost {allocated}", bytes.len());
    let (value, allocated, _) = cost(|| decode::<Value>(&bytes));
    assert!(value.is_ok() && allocated <= 32 * bytes.len(), "{} bytes cost {allocated}", bytes.len());
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
    let ((), _, allocations) = cost(|| {
        let view = View::parse(&bytes, &Limits::default()).unwrap();
        let [first, second] = view.root().tuple_of::<2>().unwrap();
        assert_eq!(first.subtree_range().start, 16);
        assert_eq!(first.subtree_range().end, second.subtree_range().start);
        assert_eq!(second.subtree_range().end, view.root().range().start);
        assert_eq!(first.option().unwrap().unwrap().as_bytes().unwrap(), b"some state");
        let (name, number, _): (&str, u32, &[u8]) = second.decode().unwrap();
        assert_eq!((name, number), ("parameter", 5));
    });
    assert_eq!(allocations, 0);
    let (back, _, allocations) = cost(|| decode::<(Option<&[u8]>, (&str, u32, [u8; 2]))>(&bytes));
    assert_eq!(back.unwrap().0, state.as_deref());
    assert_eq!(allocations, 1, "only the array of two, which is read as a list first");
}

#[test]
fn encoding_into_a_used_buffer_allocates_nothing() {
    let mut out = Vec::with_capacity(1024);
    let ((), _, allocations) = cost(|| {
        pack_abi::encode_into(&("hello", 5u32, Some("x"), [1u8, 2].as_slice()), &mut out).unwrap();
        pack_abi::encode_into(&Ok::<(), &str>(()), &mut out).unwrap();
    });
    assert_eq!(allocations, 0);
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

#[test]
fn the_deepest_value_needs_little_stack() {
    let work = || {
        let bytes = tuples(512);
        let value: Value = decode(&bytes).unwrap();
        assert_eq!(value.clone(), value);
        assert_eq!(encode(&value).unwrap(), bytes);
        drop(value);
        let mut cons = Cons { head: 0, tail: None };
        for head in 1..=255 {
            cons = Cons { head, tail: Some(Box::new(cons)) };
        }
        let bytes = encode(&cons).unwrap();
        decode::<Cons>(&bytes).unwrap().head
    };
    // A quarter of what an asynchronous runtime gives its threads.
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
    assert_eq!(thread.join().unwrap(), 255);
}
