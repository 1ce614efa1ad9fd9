//! Buffers that no encoder writes, and what must become of each: for tests, for a guest in wasm and as seeds.

use pack_abi::DecodeErrorKind as Cause;

/// What `packr-abi` 0.24 does with the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// It refuses them, too.
    Refuses,
    /// It reads them as some value: a deliberate difference.
    Reads,
    /// It would end the process or use it up, so it must not be asked.
    Dies,
}

/// One hostile buffer.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Why it is not a value.
    pub(crate) cause: Cause,
    /// Where it stops being one.
    pub(crate) offset: u32,
    pub(crate) upstream: Upstream,
}

fn case(name: impl Into<String>, bytes: Vec<u8>, cause: Cause, offset: u32, upstream: Upstream) -> Case {
    Case { name: name.into(), bytes, cause, offset, upstream }
}

/// Returns all cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut all = counts();
    all.extend(type_counts());
    all.extend(node_counts());
    all.extend(node_lengths());
    all.extend(text_lengths());
    all.extend(nesting());
    all.extend(type_nesting());
    all.extend(graphs());
    all.extend(unreferenced());
    all.extend(headers());
    all.extend(scalars());
    all.extend(compounds());
    all.extend(names_and_types());
    all
}

/// A node: kind and payload.
pub(crate) type Node = (u8, Vec<u8>);

const BOOL: u8 = 0x01;
const STRING: u8 = 0x06;
const LIST: u8 = 0x07;
const VARIANT: u8 = 0x08;
const RECORD: u8 = 0x09;
const OPTION: u8 = 0x0A;
const TUPLE: u8 = 0x0B;
const U8: u8 = 0x0C;
const U32: u8 = 0x0E;
const U64: u8 = 0x0F;
const CHAR: u8 = 0x12;
const RESULT: u8 = 0x14;
const ARRAY: u8 = 0x15;
const MAP: u8 = 0x16;
const SET: u8 = 0x17;

/// The offset of the first node's payload.
const FIRST: u32 = 24;

/// A buffer of these nodes; the last is the root.
pub(crate) fn buffer(nodes: &[Node]) -> Vec<u8> {
    let mut bytes = header(nodes.len() as u32, (nodes.len() as u32).wrapping_sub(1));
    for (kind, payload) in nodes {
        bytes.extend([*kind, 0, 0, 0]);
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(payload);
    }
    bytes
}

fn header(count: u32, root: u32) -> Vec<u8> {
    [b"CGRF\x03\0\0\0", &words(&[count, root])[..]].concat()
}

fn lone(kind: u8, payload: Vec<u8>) -> Vec<u8> {
    buffer(&[(kind, payload)])
}

pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub(crate) fn byte() -> Node {
    (U8, vec![7])
}

pub(crate) fn tuple(children: &[u32]) -> Node {
    (TUPLE, [words(&[children.len() as u32]), words(children)].concat())
}

/// A chain of one-tuples around a byte.
pub(crate) fn tuples(levels: u32) -> Vec<u8> {
    let nodes: Vec<_> = std::iter::once(byte()).chain((0..levels).map(|child| tuple(&[child]))).collect();
    buffer(&nodes)
}

/// Counts of children and elements that nothing backs. Most of them come to nothing when they are multiplied
/// by a width in 32 bits.
fn counts() -> Vec<Case> {
    let kinds: [(&str, u8, Vec<u8>, u32, Upstream); 7] = [
        ("list", LIST, vec![STRING], 5, Upstream::Dies),
        ("variant", VARIANT, words(&[0, 0, 0]), 16, Upstream::Dies),
        ("record", RECORD, words(&[0]), 8, Upstream::Dies),
        ("map", MAP, vec![STRING, STRING], 6, Upstream::Dies),
        ("set", SET, vec![STRING], 5, Upstream::Dies),
        ("tuple", TUPLE, vec![], 0, Upstream::Refuses),
        ("array of u64", ARRAY, vec![U64], 5, Upstream::Refuses),
    ];
    let mut cases = Vec::new();
    for (name, kind, head, at, upstream) in kinds {
        for count in [u32::MAX, 0x8000_0000, 0x4000_0000, 0x2000_0000, 20_000_000, 1] {
            let bytes = lone(kind, [head.clone(), words(&[count])].concat());
            // One child that is missing harms nobody.
            let upstream = if count == 1 { Upstream::Refuses } else { upstream };
            cases.push(case(
                format!("{name} that counts {count} and has none"),
                bytes,
                Cause::LengthMismatch,
                FIRST + at,
                upstream,
            ));
        }
    }
    for (name, count) in [("one more than it has", 2), ("a count that wraps to what it has", 0x2000_0001)] {
        let bytes = lone(ARRAY, [vec![U64], words(&[count]), vec![0; 8]].concat());
        cases.push(case(
            format!("array: {name}"),
            bytes,
            Cause::LengthMismatch,
            FIRST + 5,
            Upstream::Refuses,
        ));
    }
    cases
}

/// Type terms that claim more elements than there are bytes.
fn type_counts() -> Vec<Case> {
    let mut cases = Vec::new();
    for count in [u32::MAX, 0x8000_0000, 20_000_000] {
        for (name, kind) in [("list", LIST), ("option", OPTION), ("set", SET)] {
            cases.push(case(
                format!("{name} of a tuple type of {count}"),
                lone(kind, [vec![TUPLE], words(&[count])].concat()),
                Cause::Truncated,
                FIRST + 5,
                Upstream::Dies,
            ));
        }
    }
    let claims: Vec<u8> =
        (0..1000u32).flat_map(|n| [&[TUPLE][..], &(4000 - n).to_le_bytes()].concat()).collect();
    cases.push(case(
        "tuple types that each claim what is left",
        lone(OPTION, claims),
        Cause::Truncated,
        FIRST + 10,
        Upstream::Dies,
    ));
    cases
}

/// Numbers of nodes that the buffer cannot hold.
fn node_counts() -> Vec<Case> {
    let claim = |count: u32, room: usize| [header(count, count.wrapping_sub(1)), vec![0; room]].concat();
    vec![
        case("ten million nodes in a header", claim(10_000_000, 0), Cause::TooManyNodes, 8, Upstream::Dies),
        case("ten million nodes in 8 kB", claim(10_000_000, 8000), Cause::TooManyNodes, 8, Upstream::Dies),
        case("more nodes than any buffer", claim(u32::MAX, 0), Cause::TooManyNodes, 8, Upstream::Refuses),
        case(
            "nodes whose headers wrap to nothing",
            claim(0x2000_0000, 0),
            Cause::TooManyNodes,
            8,
            Upstream::Refuses,
        ),
        case("one node more than fits", claim(2, 15), Cause::TooManyNodes, 8, Upstream::Refuses),
        case("no node", claim(0, 0), Cause::UnreferencedNodes, 12, Upstream::Refuses),
        case("no node, root 0", header(0, 0), Cause::UnreferencedNodes, 12, Upstream::Refuses),
    ]
}

/// Lengths of nodes that reach, or wrap, beyond the end.
fn node_lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, kind) in [("string", STRING), ("tuple", TUPLE), ("u32", U32)] {
        for length in [u32::MAX, u32::MAX - 7, u32::MAX - 15, u32::MAX - 23, 0x8000_0000, 5] {
            let mut bytes = lone(kind, vec![0; 4]);
            bytes[20..24].copy_from_slice(&length.to_le_bytes());
            cases.push(case(
                format!("{name} node of {length} bytes that has 4"),
                bytes,
                Cause::Truncated,
                20,
                Upstream::Refuses,
            ));
        }
    }
    cases.push(case(
        "the second node's length leads back to the first",
        {
            let mut bytes = buffer(&[byte(), tuple(&[0])]);
            bytes[29..33].copy_from_slice(&(u32::MAX - 16).to_le_bytes());
            bytes
        },
        Cause::Truncated,
        29,
        Upstream::Refuses,
    ));
    cases
}

/// Lengths of texts inside of nodes.
fn text_lengths() -> Vec<Case> {
    let refused = |name: &str, kind: u8, payload: Vec<u8>, cause: Cause, at: u32| {
        case(name, lone(kind, payload), cause, FIRST + at, Upstream::Refuses)
    };
    let mut cases = Vec::new();
    for length in [u32::MAX, u32::MAX - 3, u32::MAX - 31, 0x8000_0000, 1] {
        cases.push(refused(
            &format!("string that says {length} and has none"),
            STRING,
            words(&[length]),
            Cause::LengthMismatch,
            4,
        ));
        for (name, kind) in [("record", RECORD), ("variant", VARIANT)] {
            cases.push(refused(
                &format!("{name} whose type name says {length}"),
                kind,
                words(&[length]),
                Cause::Truncated,
                4,
            ));
        }
        cases.push(refused(
            &format!("variant whose case name says {length}"),
            VARIANT,
            words(&[0, length]),
            Cause::Truncated,
            8,
        ));
        cases.push(refused(
            &format!("option of a record type whose name says {length}"),
            OPTION,
            [vec![RECORD], words(&[length])].concat(),
            Cause::Truncated,
            5,
        ));
        let field = [words(&[0, 1, length]), words(&[0])].concat();
        cases.push(case(
            format!("record whose field name says {length}"),
            buffer(&[byte(), (RECORD, field)]),
            // The name reaches into the indices, of which `1` leaves a byte too few.
            if length == 1 { Cause::LengthMismatch } else { Cause::Truncated },
            if length == 1 { 16 + 9 + 8 + 13 } else { 16 + 9 + 8 + 12 },
            Upstream::Refuses,
        ));
    }
    cases.push(refused("string without a length", STRING, vec![0; 3], Cause::Truncated, 0));
    cases.push(refused(
        "string longer than it says",
        STRING,
        [words(&[1]), b"ab".to_vec()].concat(),
        Cause::LengthMismatch,
        4,
    ));
    cases
}

/// Values inside values, beyond what a stack bears.
fn nesting() -> Vec<Case> {
    let chain = |levels: u32, node: fn(u32) -> Node| {
        buffer(&std::iter::once(byte()).chain((0..levels).map(node)).collect::<Vec<_>>())
    };
    let mut cases = Vec::new();
    for levels in [513, 2000, 100_000] {
        let upstream = if levels == 513 { Upstream::Reads } else { Upstream::Dies };
        let deep = |name: &str, node: fn(u32) -> Node| {
            let size = 8 + node(0).1.len() as u32;
            let name = format!("{levels} {name}");
            case(name, chain(levels, node), Cause::TooDeep, 16 + 9 + 512 * size, upstream)
        };
        cases.push(deep("nested tuples", |child| tuple(&[child])));
        cases.push(deep("nested lists", |child| (LIST, [vec![STRING], words(&[1, child])].concat())));
        cases.push(deep("nested options", |child| (OPTION, [vec![STRING, 1], words(&[child])].concat())));
        cases.push(deep("nested variants", |child| (VARIANT, words(&[0, 0, 0, 1, child]))));
        cases.push(deep("nested records", |child| (RECORD, words(&[0, 1, 0, child]))));
        cases.push(deep("nested sets", |child| (SET, [vec![STRING], words(&[1, child])].concat())));
        cases.push(deep("nested results", |child| {
            (RESULT, [vec![STRING, STRING, 1, 0, 0, 0, 1], words(&[child])].concat())
        }));
    }
    cases
}

/// Types inside types. An option without a value ends after its type, so nothing else bounds them.
fn type_nesting() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, tag) in [("list", LIST), ("option", OPTION), ("set", SET)] {
        for levels in [513, 100_000] {
            let upstream = if levels == 513 { Upstream::Reads } else { Upstream::Dies };
            let payload = [vec![tag; levels], vec![STRING, 0]].concat();
            cases.push(case(
                format!("{levels} nested {name} types"),
                lone(OPTION, payload),
                Cause::TooDeep,
                FIRST + 513,
                upstream,
            ));
        }
        cases.push(case(
            format!("{name} types without an end"),
            lone(OPTION, vec![tag; 100_000]),
            Cause::Truncated,
            FIRST + 100_000,
            Upstream::Dies,
        ));
    }
    for (name, tag) in [("result", RESULT), ("map", MAP)] {
        cases.push(case(
            format!("{name} types without an end"),
            lone(OPTION, vec![tag; 100_000]),
            Cause::Truncated,
            FIRST + 50_000,
            Upstream::Dies,
        ));
    }
    let tuples = [[&[TUPLE][..], &1u32.to_le_bytes()].concat().repeat(20_000), vec![STRING, 0]].concat();
    cases.push(case(
        "20000 nested tuple types",
        lone(OPTION, tuples),
        Cause::TooDeep,
        FIRST + 5 * 513,
        Upstream::Dies,
    ));
    cases
}

/// Nodes that are shared, missing, out of order or in a circle: encoders write trees, children first.
fn graphs() -> Vec<Case> {
    let order = |name: &str, nodes: &[Node], offset: u32, upstream: Upstream| {
        case(name, buffer(nodes), Cause::ChildOutOfOrder, offset, upstream)
    };
    let second = 16 + 9;
    let bomb = |levels: u32| -> Vec<Node> {
        std::iter::once(byte()).chain((0..levels).map(|child| tuple(&[child, child]))).collect()
    };
    vec![
        order("a child that is shared", &[byte(), tuple(&[0, 0])], second, Upstream::Reads),
        order("21 shared pairs, which unfold to two million", &bomb(21), second, Upstream::Dies),
        order("500 shared pairs", &bomb(500), second, Upstream::Dies),
        order("a node that is its own child", &[byte(), tuple(&[1])], second, Upstream::Refuses),
        order("two nodes in a circle", &[tuple(&[1]), tuple(&[0])], 16, Upstream::Refuses),
        order("a child that does not exist", &[byte(), tuple(&[2])], second, Upstream::Refuses),
        order("a child of the highest number", &[byte(), tuple(&[u32::MAX])], second, Upstream::Refuses),
        order("a child before the first node", &[tuple(&[u32::MAX])], 16, Upstream::Refuses),
        order("children from right to left", &[byte(), byte(), tuple(&[1, 0])], second + 9, Upstream::Reads),
        case(
            "a root that comes first",
            [header(2, 0), buffer(&[tuple(&[1]), byte()])[16..].to_vec()].concat(),
            Cause::UnreferencedNodes,
            12,
            Upstream::Reads,
        ),
        case(
            "a root that does not exist",
            [header(1, 1), buffer(&[byte()])[16..].to_vec()].concat(),
            Cause::UnreferencedNodes,
            12,
            Upstream::Refuses,
        ),
        case(
            "a root of the highest number",
            [header(1, u32::MAX), buffer(&[byte()])[16..].to_vec()].concat(),
            Cause::UnreferencedNodes,
            12,
            Upstream::Refuses,
        ),
    ]
}

/// Nodes that nobody refers to, whole or broken.
fn unreferenced() -> Vec<Case> {
    let extra = |name: &str, node: Node, cause: Cause, offset: u32, upstream: Upstream| {
        case(name, buffer(&[node, byte(), tuple(&[1])]), cause, offset, upstream)
    };
    vec![
        extra("a node that nobody refers to", byte(), Cause::UnreferencedNodes, 12, Upstream::Reads),
        extra(
            "a broken list that nobody refers to",
            (LIST, [vec![STRING], words(&[9])].concat()),
            Cause::LengthMismatch,
            FIRST + 5,
            Upstream::Reads,
        ),
        extra(
            "a broken record that nobody refers to",
            (RECORD, vec![1]),
            Cause::Truncated,
            FIRST,
            Upstream::Reads,
        ),
        extra(
            "a broken number that nobody refers to",
            (U32, vec![1, 2, 3]),
            Cause::LengthMismatch,
            20,
            Upstream::Refuses,
        ),
        case(
            "an empty tuple beside a byte",
            buffer(&[byte(), tuple(&[])]),
            Cause::UnreferencedNodes,
            12,
            Upstream::Reads,
        ),
    ]
}

/// What stands before the payloads.
fn headers() -> Vec<Case> {
    let good = buffer(&[byte()]);
    let altered = |name: &str, place: usize, byte: u8, cause: Cause, offset: u32, upstream: Upstream| {
        let mut bytes = good.clone();
        bytes[place] = byte;
        case(name, bytes, cause, offset, upstream)
    };
    let mut cases = vec![
        altered("another magic", 0, b'c', Cause::BadMagic, 0, Upstream::Refuses),
        altered("version 1", 4, 1, Cause::UnsupportedVersion(1), 4, Upstream::Refuses),
        altered("version 2", 4, 2, Cause::UnsupportedVersion(2), 4, Upstream::Refuses),
        altered("version 4", 4, 4, Cause::UnsupportedVersion(4), 4, Upstream::Refuses),
        altered("version 0x103", 5, 1, Cause::UnsupportedVersion(0x103), 4, Upstream::Refuses),
        altered("flags of the buffer", 6, 1, Cause::ReservedBits, 6, Upstream::Reads),
        altered("high flags of the buffer", 7, 0xFF, Cause::ReservedBits, 6, Upstream::Reads),
        altered("flags of a node", 17, 1, Cause::ReservedBits, 17, Upstream::Reads),
        altered("reserved bytes of a node", 18, 0xFF, Cause::ReservedBits, 17, Upstream::Reads),
        altered("the last reserved byte of a node", 19, 0x80, Cause::ReservedBits, 17, Upstream::Reads),
        case("another file", b"\x7fELF".to_vec(), Cause::BadMagic, 0, Upstream::Refuses),
        case("nothing", Vec::new(), Cause::Truncated, 0, Upstream::Refuses),
        case("a byte after the end", [&good[..], &[0]].concat(), Cause::TrailingBytes, 25, Upstream::Refuses),
        case("one value after another", good.repeat(2), Cause::TrailingBytes, 25, Upstream::Refuses),
    ];
    for kind in [0x00, 0x18, 0x7F, 0xFF] {
        let name = format!("node kind {kind:#04x}");
        cases.push(altered(&name, 16, kind, Cause::UnknownKind(kind), 16, Upstream::Refuses));
    }
    cases
}

/// Scalars that do not exist or have another size.
fn scalars() -> Vec<Case> {
    let one = |name: &str, kind: u8, payload: &[u8], cause: Cause, offset: u32, upstream: Upstream| {
        case(name, lone(kind, payload.to_vec()), cause, offset, upstream)
    };
    let refused = |name: &str, kind: u8, payload: &[u8], cause: Cause, offset: u32| {
        one(name, kind, payload, cause, offset, Upstream::Refuses)
    };
    vec![
        refused("bool of 2", BOOL, &[2], Cause::BadBool, 16),
        one("packed bool of 2", ARRAY, &[BOOL, 1, 0, 0, 0, 2], Cause::BadBool, 16, Upstream::Reads),
        refused("char that is a surrogate", CHAR, &[0, 0xD8, 0, 0], Cause::BadChar, 16),
        refused("char beyond the last", CHAR, &[0, 0, 0x11, 0], Cause::BadChar, 16),
        refused("packed char beyond", ARRAY, &[CHAR, 1, 0, 0, 0, 0, 0, 0x11, 0], Cause::BadChar, 16),
        refused("string that is not UTF-8", STRING, &[1, 0, 0, 0, 0xFF], Cause::BadUtf8, 16),
        refused("string cut in a character", STRING, &[1, 0, 0, 0, 0xC3], Cause::BadUtf8, 16),
        refused("u32 of three bytes", U32, &[1, 2, 3], Cause::LengthMismatch, 20),
        refused("u8 of two bytes", U8, &[1, 2], Cause::LengthMismatch, 20),
        refused("u64 without bytes", U64, &[], Cause::LengthMismatch, 20),
        refused("array of strings", ARRAY, &[STRING, 0, 0, 0, 0], Cause::WrongListForm, FIRST),
        refused(
            "array of a type that does not exist",
            ARRAY,
            &[0xFF, 0, 0, 0, 0],
            Cause::WrongListForm,
            FIRST,
        ),
        refused("list of bytes that is not packed", LIST, &[U8, 0, 0, 0, 0], Cause::WrongListForm, FIRST),
        refused("array without a count", ARRAY, &[U8, 0, 0, 0], Cause::Truncated, FIRST + 1),
        refused("array without a type", ARRAY, &[], Cause::Truncated, FIRST),
    ]
}

/// Options and results that are neither one nor the other.
fn compounds() -> Vec<Case> {
    let one = |name: &str, kind: u8, payload: &[u8], cause: Cause, at: u32, upstream: Upstream| {
        case(name, lone(kind, payload.to_vec()), cause, FIRST + at, upstream)
    };
    let result = |name: &str, tag: u32, has_payload: u8, upstream: Upstream| {
        let payload = [vec![U8, U8], words(&[tag]), vec![has_payload], words(&[0])].concat();
        // The payload begins behind a byte node and the header of its own.
        let at = 16 + 9 + 8 + 2 + 4 + 1;
        case(name, buffer(&[byte(), (RESULT, payload)]), Cause::BadPresence, at, upstream)
    };
    vec![
        one("option that is 2, without a child", OPTION, &[U32, 2], Cause::BadPresence, 2, Upstream::Reads),
        case(
            "option that is 2, with a child",
            buffer(&[byte(), (OPTION, [vec![U8, 2], words(&[0])].concat())]),
            Cause::BadPresence,
            16 + 9 + 8 + 2,
            Upstream::Refuses,
        ),
        one(
            "option that is 1, without a child",
            OPTION,
            &[U32, 1],
            Cause::LengthMismatch,
            2,
            Upstream::Refuses,
        ),
        case(
            "option that is 0, with a child",
            buffer(&[byte(), (OPTION, [vec![U8, 0], words(&[0])].concat())]),
            Cause::LengthMismatch,
            16 + 9 + 8 + 2,
            Upstream::Refuses,
        ),
        result("result with the tag 7", 7, 1, Upstream::Reads),
        result("result with the highest tag", u32::MAX, 1, Upstream::Reads),
        result("result that says it has no child", 0, 0, Upstream::Refuses),
        result("result that is 2", 1, 2, Upstream::Refuses),
    ]
}

/// Types that do not exist and names that are no names.
fn names_and_types() -> Vec<Case> {
    let one = |name: &str, kind: u8, payload: &[u8], cause: Cause, at: u32, upstream: Upstream| {
        case(name, lone(kind, payload.to_vec()), cause, FIRST + at, upstream)
    };
    let names = |name: &str, length: u32, cause: Cause, offset: u32| {
        let payload = [words(&[0, 1, length]), b"a".to_vec(), words(&[0])].concat();
        case(name, buffer(&[byte(), (RECORD, payload)]), cause, 16 + 9 + 8 + offset, Upstream::Refuses)
    };
    vec![
        one("option of an array type", OPTION, &[ARRAY, 0], Cause::UnknownType(ARRAY), 0, Upstream::Refuses),
        one("option of a type 0", OPTION, &[0, 0], Cause::UnknownType(0), 0, Upstream::Refuses),
        one(
            "option of a list of a type 0",
            OPTION,
            &[LIST, 0, 0],
            Cause::UnknownType(0),
            1,
            Upstream::Refuses,
        ),
        one(
            "type name that is not UTF-8",
            OPTION,
            &[RECORD, 1, 0, 0, 0, 0xFF, 0],
            Cause::BadUtf8,
            1,
            Upstream::Refuses,
        ),
        one(
            "record name that is not UTF-8",
            RECORD,
            &[1, 0, 0, 0, 0xFF, 0, 0, 0, 0],
            Cause::BadUtf8,
            0,
            Upstream::Refuses,
        ),
        one(
            "case name that is not UTF-8",
            VARIANT,
            &[0, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0],
            Cause::BadUtf8,
            4,
            Upstream::Refuses,
        ),
        names("field names that end after the indices begin", 9, Cause::Truncated, 12),
        names("field names that end before the indices begin", 0, Cause::LengthMismatch, 12),
        one("tuple of a byte more", TUPLE, &[0, 0, 0, 0, 0], Cause::LengthMismatch, 0, Upstream::Refuses),
        one(
            "set of an odd length",
            SET,
            &[STRING, 0, 0, 0, 0, 0],
            Cause::LengthMismatch,
            5,
            Upstream::Refuses,
        ),
    ]
}

/// Texts that a parser of values must refuse without using up its stack.
pub(crate) fn texts() -> Vec<(&'static str, String)> {
    let deep = |part: &str| part.repeat(100_000);
    vec![
        ("tuples", deep("(")),
        ("lists", deep("[")),
        ("records", deep("{a:")),
        ("named records", deep("A{a:")),
        ("options", deep("some<u8>(")),
        ("results", deep("ok<u8, u8>(")),
        ("variants", deep("A::b(")),
        ("maps", deep("map<u8, u8>[")),
        ("keys and values", deep("map<u8, u8>[1u8 => ")),
        ("sets", deep("set<u8>[")),
        ("list types", format!("none<{}", deep("list<"))),
        ("tuple types", format!("none<{}", deep("tuple<"))),
        ("map types", format!("[]<{}", deep("map<u8, "))),
        ("result types", format!("ok<{}", deep("result<"))),
        ("types and values in turn", deep("some<option<u8>>(")),
        ("an open text", format!("\"{}", deep("\\\""))),
        ("many digits", deep("9")),
        ("many signs", deep("-")),
    ]
}

/// Values of which the dynamic form takes far more room than their bytes.
pub(crate) fn heavy() -> Vec<(&'static str, Vec<u8>)> {
    let count = 10_000u32;
    let many = |node: Node| {
        let mut nodes = vec![node; count as usize];
        nodes.push(tuple(&(0..count).collect::<Vec<_>>()));
        buffer(&nodes)
    };
    let packed = |kind: u8, width: u32| {
        lone(ARRAY, [vec![kind], words(&[count]), vec![0; (count * width) as usize]].concat())
    };
    vec![
        ("packed bools", packed(BOOL, 1)),
        ("packed numbers", packed(U64, 8)),
        ("bytes", packed(U8, 1)),
        ("byte nodes", many(byte())),
        ("empty tuples", many(tuple(&[]))),
        ("empty records", many((RECORD, words(&[0, 0])))),
        ("empty texts", many((STRING, words(&[0])))),
        ("options of deep types", many((OPTION, [vec![LIST; 500], vec![STRING, 0]].concat()))),
        (
            "a tuple type",
            lone(OPTION, [vec![TUPLE], words(&[count]), vec![STRING; 10_000], vec![0]].concat()),
        ),
        ("the deepest tuples", tuples(512)),
    ]
}
