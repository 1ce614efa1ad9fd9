//! Rust types of every shape that the derive knows, with a value of each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Flags, encode};
use pack_macros::GraphValue;

use crate::target::Seed;

#[derive(GraphValue)]
pub(super) struct Point {
    x: i32,
    #[graph(rename = "why")]
    y: i32,
}

#[derive(GraphValue)]
pub(super) struct Pair(u8, String);

#[derive(GraphValue)]
pub(super) struct Unit;

#[derive(GraphValue)]
#[graph(rename = "shape")]
pub(super) enum Shape {
    Dot,
    Circle(f64),
    Line(Point, Point),
    #[graph(tag = 9, rename = "label-of")]
    Label {
        text: String,
        size: u16,
    },
    Group(Vec<Self>),
    Nothing {},
    Empty(),
}

#[derive(GraphValue)]
#[graph(flags)]
pub(super) struct Permissions(u64);

#[derive(GraphValue)]
pub(super) struct Wrapper<A, B> {
    first: A,
    rest: Vec<B>,
}

#[derive(GraphValue)]
pub(super) struct Cons {
    head: i64,
    tail: Option<Box<Self>>,
}

#[derive(GraphValue)]
pub(super) struct Scalars {
    unsigned: (u8, u16, u32, u64),
    signed: (i8, i16, i32, i64),
    rest: (bool, char, f32, f64, String, Flags),
}

#[derive(GraphValue)]
pub(super) struct Packed {
    unsigned: (Vec<u8>, Vec<u16>, Vec<u32>, Vec<u64>),
    signed: (Vec<i8>, Vec<i16>, Vec<i32>, Vec<i64>),
    floats: (Vec<f32>, Vec<f64>),
    others: (Vec<bool>, Vec<char>, Vec<Permissions>, [u16; 3]),
}

#[derive(GraphValue)]
pub(super) struct Containers {
    shapes: Vec<Shape>,
    pair: Pair,
    unit: Unit,
    wrapped: Wrapper<char, Option<u32>>,
    outcomes: Vec<Result<(), String>>,
    map: BTreeMap<String, Vec<u16>>,
    pairs: BTreeMap<(u8, bool), Option<u64>>,
    set: BTreeSet<i32>,
    words: [String; 2],
    permissions: Option<Permissions>,
}

#[derive(GraphValue)]
#[graph(rename = "Config", forward_compatible)]
pub(super) struct Config {
    size: u32,
    colour: Option<String>,
    name: String,
}

#[derive(GraphValue)]
#[graph(forward_compatible)]
pub(super) struct Grown(u8, u16);

#[derive(GraphValue)]
pub(super) struct Borrowed<'a> {
    name: &'a str,
    body: &'a [u8],
    note: Cow<'a, str>,
    raw: Cow<'a, [u8]>,
}

/// Returns the bytes of a value of each type.
pub(super) fn seeds() -> Vec<Seed> {
    let shapes = || {
        vec![
            Shape::Dot,
            Shape::Circle(f64::NAN),
            Shape::Line(Point { x: 1, y: 2 }, Point { x: 3, y: -4 }),
            Shape::Label { text: "é".to_owned(), size: 7 },
            Shape::Group(vec![Shape::Nothing {}, Shape::Empty()]),
        ]
    };
    let containers = Containers {
        shapes: shapes(),
        pair: Pair(1, "two".to_owned()),
        unit: Unit,
        wrapped: Wrapper { first: 'a', rest: vec![Some(1), None] },
        outcomes: vec![Ok(()), Err("no".to_owned())],
        map: BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])]),
        pairs: BTreeMap::from([((1, false), None), ((1, true), Some(3))]),
        set: BTreeSet::from([-1, 5]),
        words: ["left".to_owned(), "right".to_owned()],
        permissions: Some(Permissions(5)),
    };
    let scalars = Scalars {
        unsigned: (1, 2, 3, 4),
        signed: (-1, -2, -3, -4),
        rest: (true, '\u{10ffff}', f32::INFINITY, -0.5, "text".to_owned(), Flags(u64::MAX)),
    };
    let packed = Packed {
        unsigned: (vec![1], vec![2], vec![3], vec![4]),
        signed: (vec![-1], vec![-2], vec![-3], vec![-4]),
        floats: (vec![1.5], vec![]),
        others: (vec![true, false], vec!['x'], vec![Permissions(2)], [7, 8, 9]),
    };
    let cons = Cons { head: 1, tail: Some(Box::new(Cons { head: 2, tail: None })) };
    let config = Config { size: 3, colour: Some("red".to_owned()), name: "n".to_owned() };
    let borrowed =
        Borrowed { name: "n", body: b"ab", note: "x".into(), raw: Cow::Borrowed(b"cd".as_slice()) };
    let typed = [
        ("shapes", encode(&shapes())),
        ("containers", encode(&containers)),
        ("scalars", encode(&scalars)),
        ("packed lists", encode(&packed)),
        ("recursion", encode(&cons)),
        ("config", encode(&config)),
        ("older config", encode(&Point { x: 1, y: 2 })),
        ("grown", encode(&(Grown(1, 2), Grown(3, 4)))),
        ("borrowed", encode(&borrowed)),
    ];
    let written = |(name, bytes): (&str, Result<Vec<u8>, _>)| {
        (format!("typed {name}"), bytes.expect("small values can be encoded"))
    };
    typed.into_iter().map(written).collect()
}
