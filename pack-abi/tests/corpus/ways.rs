//! Every way of reading a buffer and what comes of it, which must be the same on every machine.

use std::collections::BTreeMap;

use pack_abi::metadata::Metadata;
use pack_abi::{Decode, DecodeError, Limits, Value, View, decode, encoded_length};
use pack_macros::GraphValue;

/// Reads a buffer; the text is what came of it.
pub(crate) type Way = fn(&[u8]) -> String;

/// Names and ways.
pub(crate) const ALL: &[(&str, Way)] = &[
    ("view", |bytes| outcome(View::parse(bytes, &Limits::default()))),
    ("length", |bytes| match encoded_length(bytes, &Limits::default()) {
        Ok(length) => format!("{length} bytes"),
        Err(error) => refused(&error),
    }),
    ("value", typed::<Value>),
    ("texts", typed::<Vec<Vec<String>>>),
    ("arrays", typed::<Vec<[u64; 64]>>),
    ("map of records", typed::<BTreeMap<String, Wide>>),
    ("recursive record", typed::<Cons>),
    ("variant", typed::<Option<Shape>>),
    ("result", typed::<Result<(char, bool), Vec<u16>>>),
    ("metadata", |bytes| match Metadata::decode(bytes) {
        Ok(_) => "a value".to_owned(),
        Err(error) => error.to_string(),
    }),
];

#[derive(GraphValue)]
pub(crate) struct Wide {
    numbers: [u64; 256],
}

#[derive(GraphValue)]
pub(crate) struct Cons {
    head: u8,
    tail: Option<Box<Self>>,
}

#[derive(GraphValue)]
pub(crate) enum Shape {
    Dot,
    Line(i32, i32),
    Group(Vec<Self>),
}

fn typed<T: for<'a> Decode<'a>>(bytes: &[u8]) -> String {
    outcome(decode::<T>(bytes))
}

fn outcome<T>(read: Result<T, DecodeError>) -> String {
    match read {
        Ok(_) => "a value".to_owned(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &DecodeError) -> String {
    format!("{:?} at {}", error.kind, error.offset)
}
