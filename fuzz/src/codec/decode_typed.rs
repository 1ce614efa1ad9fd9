//! Arbitrary bytes are a value of a Rust type or an error, at their price; what is read is written and read again
//! as the same value.
//!
//! Every input is read as every type, so any buffer is a seed for all of them.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::{Decode, Encode, Value, decode, encode};

use super::types::{self, Borrowed, Config, Cons, Containers, Grown, Packed, Scalars, Shape};
use super::{assert_price, buffers};
use crate::cost::cost;
use crate::target::{Seed, Target};

pub(crate) const TARGET: Target = Target { name: "decode-typed", seeds, check };

/// Beside the bytes there is what the types themselves take: the largest is behind a list here.
const TIMES_MAX: usize = 100;

fn seeds() -> Vec<Seed> {
    buffers().into_iter().chain(types::seeds()).collect()
}

fn check(bytes: &[u8]) {
    owned::<Scalars>(bytes);
    owned::<Packed>(bytes);
    owned::<Containers>(bytes);
    owned::<Vec<Shape>>(bytes);
    owned::<Cons>(bytes);
    owned::<Config>(bytes);
    owned::<(Grown, Grown)>(bytes);
    owned::<Vec<Vec<String>>>(bytes);
    owned::<Vec<[u64; 8]>>(bytes);
    owned::<BTreeMap<String, Option<Value>>>(bytes);
    owned::<BTreeSet<(u8, char)>>(bytes);
    owned::<Result<Vec<Value>, Box<String>>>(bytes);
    let (read, spent) = cost(|| decode::<Borrowed<'_>>(bytes));
    assert_price("borrowed", bytes, spent.peak, TIMES_MAX);
    if let Ok(value) = read {
        let again = encode(&value).expect("what was read can be written");
        assert_eq!(decode::<Borrowed<'_>>(&again).map(|value| encode(&value)), Ok(Ok(again.clone())));
    }
}

fn owned<T: Encode + for<'a> Decode<'a>>(bytes: &[u8]) {
    let (read, spent) = cost(|| decode::<T>(bytes));
    let name = std::any::type_name::<T>();
    assert_price(name, bytes, spent.peak, TIMES_MAX);
    match read {
        Ok(value) => {
            let again = encode(&value).unwrap_or_else(|error| panic!("{name}: {error}"));
            let read = decode::<T>(&again).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(encode(&read).as_ref(), Ok(&again), "{name}");
            assert!(decode::<Value>(&again).is_ok(), "{name}");
        }
        Err(error) => assert!(error.explain(bytes).starts_with(&error.kind.to_string()), "{name}"),
    }
}
