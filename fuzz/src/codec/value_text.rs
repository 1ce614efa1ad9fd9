//! Arbitrary text is a value or an error with a place; what is read prints to text that reads as the same value.

use pack_abi::{Value, WireType, decode, encode};

use super::{golden, hostile, recipe};
use crate::target::{Seed, Target};

pub(crate) const TARGET: Target = Target { name: "value-text", seeds, check };

/// Every golden value and recipe as it prints, and the hostile texts.
fn seeds() -> Vec<Seed> {
    let print = |bytes: &[u8]| decode::<Value>(bytes).map(|value| value.to_string().into_bytes());
    let golden = golden::ALL.iter().map(|(name, hex)| (format!("golden {name}"), golden::bytes(hex)));
    let recipes = recipe::seeds().into_iter().map(|(name, input)| (name, recipe::buffer(&input)));
    let printed = golden.chain(recipes).map(|(name, bytes)| {
        let text = print(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, text)
    });
    let hostile =
        hostile::texts().into_iter().map(|(name, text)| (format!("hostile {name}"), text.into_bytes()));
    printed.chain(hostile).collect()
}

fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match text.parse::<Value>() {
        Ok(value) => {
            let printed = value.to_string();
            assert_eq!(printed.parse::<Value>().as_ref(), Ok(&value), "{printed}");
            // Text can say what no buffer may, such as a packed list of mixed elements.
            if let Ok(bytes) = encode(&value) {
                assert_eq!(decode::<Value>(&bytes).as_ref(), Ok(&value), "{printed}");
            }
        }
        Err(error) => assert!(error.offset <= text.len() && !error.to_string().is_empty()),
    }
    if let Ok(wire_type) = text.parse::<WireType>() {
        let printed = wire_type.to_string();
        assert_eq!(printed.parse::<WireType>().as_ref(), Ok(&wire_type), "{printed}");
    }
}
