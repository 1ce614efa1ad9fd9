//! The published codec on the same cases: `packr-abi`, its derive and its dynamic value.

use std::hint::black_box;

use packr_abi::{FromValue, GraphValue, Rec, Value, decode, encode};

use super::codec::{Peers, cost, with_64_fields};
use super::{Effort, Failure};

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
    Node(Rec<Tree>, Rec<Tree>),
}

#[derive(GraphValue, Clone)]
struct Message {
    from: String,
    seq: u64,
    body: Vec<u8>,
}

#[derive(GraphValue, Clone)]
#[expect(clippy::use_self, reason = "as people write a type for the derive")]
struct Link {
    next: Option<Rec<Link>>,
}

macro_rules! define_wide {
    ($($field:ident)*) => {
        #[derive(GraphValue, Clone)]
        struct Wide {
            $($field: u64,)*
        }

        pub(super) fn wide(effort: Effort) -> Result<Peers, Failure> {
            case(effort, Wide { $($field: 7,)* })
        }
    };
}
with_64_fields!(define_wide);

/// A case: a value that the published codec encodes by way of its dynamic value.
fn case<T>(effort: Effort, value: T) -> Result<Peers, Failure>
where
    T: Clone + Into<Value> + FromValue + 'static,
{
    let dynamic: Value = value.clone().into();
    let bytes = encode(&dynamic).map_err(text)?;
    let again = bytes.clone();
    let typed = bytes;
    Ok(Peers {
        encode: Some(Box::new(move || {
            cost(effort, || encode(&black_box(&value).clone().into()).map_err(text))
        })),
        decode: Some(Box::new(move || {
            cost(effort, || T::from_value(decode(black_box(&typed)).map_err(text)?).map_err(text))
        })),
        encode_value: Some(Box::new(move || cost(effort, || encode(black_box(&dynamic)).map_err(text)))),
        decode_value: Some(Box::new(move || cost(effort, || decode(black_box(&again)).map_err(text)))),
    })
}

/// Its errors say what they have to say in their debug form.
fn text(error: impl std::fmt::Debug) -> Failure {
    format!("{error:?}").into()
}

pub(super) fn hello(effort: Effort) -> Result<Peers, Failure> {
    case(effort, ("hello world".to_owned(),))
}

pub(super) fn string(effort: Effort) -> Result<Peers, Failure> {
    case(effort, "x".repeat(1 << 20))
}

pub(super) fn bytes(effort: Effort) -> Result<Peers, Failure> {
    case(effort, vec![7_u8; 1 << 20])
}

pub(super) fn records(effort: Effort) -> Result<Peers, Failure> {
    let row = |id| Row { id, name: "0123456789".to_owned(), score: 1.5, active: true };
    case(effort, (0..10_000).map(row).collect::<Vec<_>>())
}

pub(super) fn tree(effort: Effort) -> Result<Peers, Failure> {
    fn of_depth(depth: u32) -> Tree {
        match depth {
            0 => Tree::Leaf(1),
            _ => Tree::Node(Rec::new(of_depth(depth - 1)), Rec::new(of_depth(depth - 1))),
        }
    }
    case(effort, of_depth(12))
}

pub(super) fn message(effort: Effort) -> Result<Peers, Failure> {
    case(effort, Message { from: "root/worker-3".to_owned(), seq: 7, body: vec![7; 1 << 10] })
}

pub(super) fn chain(effort: Effort) -> Result<Peers, Failure> {
    let link = |link, _| Link { next: Some(Rec::new(link)) };
    case(effort, (1..250).fold(Link { next: None }, link))
}

pub(super) fn strings(effort: Effort) -> Result<Peers, Failure> {
    case(effort, vec!["seven77".to_owned(); 10_000])
}

pub(super) fn numbers(effort: Effort) -> Result<Peers, Failure> {
    case(effort, (0..10_000).collect::<Vec<i64>>())
}
