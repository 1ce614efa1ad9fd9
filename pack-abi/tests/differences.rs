//! Each deliberate difference in reading: what the published decoder takes, or ends on, and this one refuses.
//!
//! There are no others: `upstream_refuses_what_is_refused_here_but_for_the_deliberate_differences` of `hostile` and
//! the fuzz target `differential` look for them. Most have one reason. A value shall have one encoding, because
//! encoded bytes are hashed; so what no encoder writes is no value.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "corpus/cost.rs"]
#[expect(dead_code, reason = "prices of what is read are for the tests that read")]
mod cost;
#[path = "corpus/hostile.rs"]
#[expect(dead_code, reason = "the nodes are used here, the table is not")]
mod hostile;

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, DecodeErrorKind as Cause, EncodeError, Value, decode, encode};
use packr_abi::Value as Theirs;

use crate::hostile::{buffer, byte, tuple, tuples, words};

const LIST: u8 = 0x07;
const VARIANT: u8 = 0x08;
const RECORD: u8 = 0x09;
const OPTION: u8 = 0x0A;
const TUPLE: u8 = 0x0B;
const RESULT: u8 = 0x14;
const ARRAY: u8 = 0x15;
const MAP: u8 = 0x16;
const SET: u8 = 0x17;
const BOOL: u8 = 0x01;
const STRING: u8 = 0x06;
const U8: u8 = 0x0C;
const U32: u8 = 0x0E;
const U64: u8 = 0x0F;

/// The first node and the payload of the first node.
const FIRST: u32 = 16;
const PAYLOAD: u32 = 24;
/// The second node, if the first is a byte.
const SECOND: u32 = 25;

/// The decoder refuses the bytes, and takes no more room for it than in proportion to them.
#[track_caller]
fn refused(bytes: &[u8], cause: Cause, offset: u32) {
    let (read, spent) = cost::cost(|| decode::<Value>(bytes).map(drop));
    let error = read.unwrap_err();
    assert_eq!((error.kind, error.offset), (cause, offset), "{error}");
    let most = 16 * bytes.len() + cost::START_BYTES;
    assert!(spent.peak <= most, "{} bytes cost {spent:?}", bytes.len());
}

/// The published decoder reads the bytes as this text and writes the value with other bytes; ours refuses them.
#[track_caller]
fn only_upstream_reads(bytes: &[u8], text: &str, cause: Cause, offset: u32) {
    let theirs = packr_abi::decode(bytes).unwrap();
    assert_eq!(theirs.to_string(), text);
    assert_ne!(packr_abi::encode(&theirs).unwrap(), bytes, "then it would be the encoding of a value");
    refused(bytes, cause, offset);
}

#[test]
fn flags_in_the_header_are_refused_and_not_passed_over() {
    for place in [6, 7] {
        let mut bytes = buffer(&[byte()]);
        bytes[place] = 1;
        only_upstream_reads(&bytes, "7u8", Cause::ReservedBits, 6);
    }
}

#[test]
fn flags_and_reserved_bytes_of_a_node_are_refused_and_not_passed_over() {
    for place in [17, 18, 19] {
        let mut bytes = buffer(&[byte()]);
        bytes[place] = 0xFF;
        only_upstream_reads(&bytes, "7u8", Cause::ReservedBits, FIRST + 1);
    }
}

#[test]
fn a_parent_before_its_children_is_refused() {
    // The root is the first of the two nodes.
    let mut bytes = buffer(&[tuple(&[1]), byte()]);
    bytes[12..16].copy_from_slice(&words(&[0]));
    only_upstream_reads(&bytes, "(7u8)", Cause::UnreferencedNodes, 12);
    // The root is the last node, but a tuple in it comes before its byte.
    let inner_first = buffer(&[tuple(&[1]), byte(), tuple(&[0])]);
    only_upstream_reads(&inner_first, "((7u8))", Cause::ChildOutOfOrder, FIRST);
}

#[test]
fn children_in_another_order_than_left_to_right_are_refused() {
    let bytes = buffer(&[(U8, vec![1]), (U8, vec![2]), tuple(&[1, 0])]);
    only_upstream_reads(&bytes, "(2u8, 1u8)", Cause::ChildOutOfOrder, SECOND + 9);
}

#[test]
fn a_child_of_two_parents_is_refused() {
    only_upstream_reads(&buffer(&[byte(), tuple(&[0, 0])]), "(7u8, 7u8)", Cause::ChildOutOfOrder, SECOND);
    let apart = buffer(&[byte(), tuple(&[0]), tuple(&[0, 1])]);
    only_upstream_reads(&apart, "(7u8, (7u8))", Cause::ChildOutOfOrder, SECOND + 8 + 8);
}

#[test]
fn a_node_that_nobody_refers_to_is_refused() {
    let before = buffer(&[(U8, vec![1]), byte(), tuple(&[1])]);
    only_upstream_reads(&before, "(7u8)", Cause::UnreferencedNodes, 12);
    let beside = buffer(&[byte(), tuple(&[])]);
    only_upstream_reads(&beside, "()", Cause::UnreferencedNodes, 12);
}

#[test]
fn a_root_that_is_not_the_last_node_is_refused() {
    let mut bytes = buffer(&[byte(), (U8, vec![1])]);
    bytes[12..16].copy_from_slice(&words(&[0]));
    only_upstream_reads(&bytes, "7u8", Cause::UnreferencedNodes, 12);
}

/// The published decoder looks into compound nodes only on its way from the root.
#[test]
fn a_broken_node_is_refused_also_where_nobody_refers_to_it() {
    let list = buffer(&[(LIST, [vec![STRING], words(&[9])].concat()), byte(), tuple(&[1])]);
    only_upstream_reads(&list, "(7u8)", Cause::LengthMismatch, PAYLOAD + 5);
    let record = buffer(&[(RECORD, vec![1]), byte(), tuple(&[1])]);
    only_upstream_reads(&record, "(7u8)", Cause::Truncated, PAYLOAD);
}

#[test]
fn an_option_that_is_neither_none_nor_some_is_refused_and_not_none() {
    for presence in [2, 0xFF] {
        let bytes = buffer(&[(OPTION, vec![U32, presence])]);
        only_upstream_reads(&bytes, "none<u32>", Cause::BadPresence, PAYLOAD + 2);
    }
}

#[test]
fn a_result_that_is_neither_ok_nor_err_is_refused_and_not_err() {
    for tag in [2, 7, u32::MAX] {
        let payload = [vec![U8, U8], words(&[tag]), vec![1], words(&[0])].concat();
        let bytes = buffer(&[byte(), (RESULT, payload)]);
        only_upstream_reads(&bytes, "err<u8, u8>(7u8)", Cause::BadPresence, SECOND + 8 + 7);
    }
}

/// Alone such a `bool` is refused by both.
#[test]
fn a_packed_bool_that_is_neither_false_nor_true_is_refused_and_not_true() {
    let bytes = buffer(&[(ARRAY, [vec![BOOL], words(&[2]), vec![1, 2]].concat())]);
    only_upstream_reads(&bytes, "[true, true]", Cause::BadBool, FIRST);
    assert!(packr_abi::decode(&buffer(&[(BOOL, vec![2])])).is_err());
    refused(&buffer(&[(BOOL, vec![2])]), Cause::BadBool, FIRST);
}

/// The one difference among buffers that encoders write: the published encoder knows no limit, ours has the same one.
#[test]
fn a_value_of_513_levels_is_refused_though_upstream_writes_and_reads_it() {
    let bytes = tuples(513);
    let theirs = packr_abi::decode(&bytes).unwrap();
    assert_eq!(packr_abi::encode(&theirs).unwrap(), bytes);
    refused(&bytes, Cause::TooDeep, SECOND + 512 * 16);
    let value: Value = decode(&tuples(512)).unwrap();
    assert_eq!(encode(&Value::tuple([value])), Err(EncodeError::TooDeep));
}

#[test]
fn a_type_of_513_levels_is_refused_though_upstream_writes_and_reads_it() {
    let bytes = buffer(&[(OPTION, [vec![LIST; 513], vec![STRING, 0]].concat())]);
    let theirs = packr_abi::decode(&bytes).unwrap();
    assert_eq!(packr_abi::encode(&theirs).unwrap(), bytes);
    refused(&bytes, Cause::TooDeep, PAYLOAD + 513);
}

/// The published decoder follows nesting by recursion. It is not asked: 25 kB of this overflow its stack, which ends
/// the process and is no error that a test could catch.
#[test]
fn nesting_that_overflows_the_stack_of_upstream_is_an_error() {
    refused(&tuples(2000), Cause::TooDeep, SECOND + 512 * 16);
    refused(&tuples(100_000), Cause::TooDeep, SECOND + 512 * 16);
}

/// Type terms are followed by recursion over there, too. It is not asked: its stack would overflow and the process end.
#[test]
fn a_type_term_that_overflows_the_stack_of_upstream_is_an_error() {
    for tag in [LIST, OPTION, SET] {
        let closed = buffer(&[(OPTION, [vec![tag; 100_000], vec![STRING, 0]].concat())]);
        refused(&closed, Cause::TooDeep, PAYLOAD + 513);
        refused(&buffer(&[(OPTION, vec![tag; 100_000])]), Cause::Truncated, PAYLOAD + 100_000);
    }
}

/// The published decoder makes room for whatever a count claims. It is not asked: hundreds of gigabytes are refused by
/// the allocator, and that ends the process.
#[test]
fn a_count_of_children_that_no_bytes_back_is_refused_before_room_is_made() {
    let heads = [
        (LIST, vec![STRING]),
        (SET, vec![STRING]),
        (MAP, vec![STRING, STRING]),
        (RECORD, words(&[0])),
        (VARIANT, words(&[0, 0, 0])),
    ];
    for (kind, head) in heads {
        let at = PAYLOAD + head.len() as u32 + 4;
        for count in [20_000_000, 0x8000_0000, u32::MAX] {
            let bytes = buffer(&[(kind, [head.clone(), words(&[count])].concat())]);
            refused(&bytes, Cause::LengthMismatch, at);
        }
    }
}

/// As above: the published decoder makes room for the elements of a tuple type, so it is not asked.
#[test]
fn a_count_of_types_that_no_bytes_back_is_refused_before_room_is_made() {
    for count in [20_000_000, 0x8000_0000, u32::MAX] {
        let bytes = buffer(&[(OPTION, [vec![TUPLE], words(&[count])].concat())]);
        refused(&bytes, Cause::Truncated, PAYLOAD + 5);
    }
}

/// The published decoder takes 305 MB for these 16 bytes before it sees that they end. It is not asked: where there is
/// less room the process ends.
#[test]
fn a_count_of_nodes_that_no_bytes_back_is_refused_before_room_is_made() {
    let mut bytes = buffer(&[]);
    bytes[8..16].copy_from_slice(&words(&[10_000_000, 9_999_999]));
    refused(&bytes, Cause::TooManyNodes, 8);
}

/// Each pair holds the one before it twice, so 428 bytes unfold to 352 MB in the published decoder, and every further
/// pair doubles that. It is not asked: it would use up the memory of the machine.
#[test]
fn shared_pairs_that_unfold_without_end_are_refused_at_the_first() {
    for levels in [21, 500] {
        let pairs = (0..levels).map(|child| tuple(&[child, child]));
        let bytes = buffer(&std::iter::once(byte()).chain(pairs).collect::<Vec<_>>());
        refused(&bytes, Cause::ChildOutOfOrder, SECOND);
    }
}

/// In a guest, whose `usize` has 32 bits, the published decoder adds and multiplies such counts without a check and
/// traps. It is asked here, where its 64 bits hold them and it refuses them, too; the answer of ours is one on both
/// machines, which the tests of `pack` compare in a guest.
#[test]
fn counts_and_lengths_that_wrap_in_32_bits_are_refused_for_what_they_claim() {
    // Eight times the count is eight bytes, or nothing, if it wraps.
    for (count, elements) in [(0x2000_0001, 8), (0x2000_0000, 0)] {
        let bytes = buffer(&[(ARRAY, [vec![U64], words(&[count]), vec![0; elements]].concat())]);
        assert!(packr_abi::decode(&bytes).is_err());
        refused(&bytes, Cause::LengthMismatch, PAYLOAD + 5);
    }
    // The end of the node wraps to before its beginning; as a signed number the length is negative.
    for length in [u32::MAX, u32::MAX - 23, 0x8000_0000] {
        let mut bytes = buffer(&[byte()]);
        bytes[20..24].copy_from_slice(&words(&[length]));
        assert!(packr_abi::decode(&bytes).is_err());
        refused(&bytes, Cause::Truncated, 20);
        let bytes = buffer(&[(STRING, words(&[length]))]);
        assert!(packr_abi::decode(&bytes).is_err());
        refused(&bytes, Cause::LengthMismatch, PAYLOAD + 4);
        let bytes = buffer(&[(RECORD, words(&[length]))]);
        assert!(packr_abi::decode(&bytes).is_err());
        refused(&bytes, Cause::Truncated, PAYLOAD + 4);
    }
}

/// Both decoders read the dynamic value; as a Rust type only the published one does, as `theirs`.
#[track_caller]
fn only_upstream_converts<T, U>(text: &str, theirs: &U, cause: Cause)
where
    T: for<'a> Decode<'a> + core::fmt::Debug,
    U: TryFrom<Theirs, Error = packr_abi::ConversionError> + PartialEq + core::fmt::Debug,
{
    let value: Value = text.parse().unwrap();
    let bytes = encode(&value).unwrap();
    assert_eq!(decode::<Value>(&bytes).unwrap(), value);
    assert_eq!(U::try_from(packr_abi::decode(&bytes).unwrap()).unwrap(), *theirs);
    assert_eq!(decode::<T>(&bytes).unwrap_err().kind, cause);
}

#[test]
fn a_key_that_comes_twice_is_refused_and_does_not_replace_the_first() {
    only_upstream_converts::<BTreeMap<u8, char>, _>(
        "map<u8, char>[1u8 => 'a', 2u8 => 'b', 1u8 => 'c']",
        &BTreeMap::from([(1u8, 'c'), (2, 'b')]),
        Cause::DuplicateKey,
    );
}

#[test]
fn an_element_that_comes_twice_in_a_set_is_refused_and_not_dropped() {
    only_upstream_converts::<BTreeSet<u8>, _>(
        "set<u8>[2u8, 1u8, 2u8]",
        &BTreeSet::from([1u8, 2]),
        Cause::DuplicateKey,
    );
}

/// A list of numbers is packed. One that is declared as a list of texts is not, and no producer of numbers wrote it.
#[test]
fn numbers_in_a_list_of_another_type_are_refused_as_a_list_of_numbers() {
    only_upstream_converts::<Vec<u32>, _>("[1u32, 2u32]<string>", &vec![1u32, 2], Cause::WrongListForm);
}
