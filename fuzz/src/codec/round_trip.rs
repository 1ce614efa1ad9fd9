//! Whatever an encoder could have written is read, and goes to bytes, to text and back without loss; two values
//! differ exactly if there is a difference.

use pack_abi::{Value, decode, diff, encode};

use super::{assert_price, recipe};
use crate::cost::{VALUE_TIMES_MAX, cost};
use crate::target::Target;

pub(crate) const TARGET: Target = Target { name: "round-trip", seeds: recipe::seeds, check };

/// The last three bytes alter the recipe, so that there are two values that may have much in common.
fn check(input: &[u8]) {
    let value = cycle(&recipe::buffer(input));
    let mut altered = input.to_vec();
    if let [recipe @ .., low, high, byte] = altered.as_mut_slice() {
        let place = usize::from(u16::from_le_bytes([*low, *high]));
        if let Some(altered) = place.checked_rem(recipe.len()).and_then(|place| recipe.get_mut(place)) {
            *altered = *byte;
        }
    }
    let other = cycle(&recipe::buffer(&altered));
    let differences = diff(&value, &other);
    assert_eq!(differences.is_empty(), value == other, "{value}\n{other}");
    for difference in differences {
        assert_ne!(difference.left, difference.right, "{}", difference.path);
        assert!(!difference.to_string().is_empty());
    }
}

/// Takes a value to bytes, to text and back.
fn cycle(bytes: &[u8]) -> Value {
    let (read, spent) = cost(|| decode::<Value>(bytes));
    assert_price("a value", bytes, spent.peak, VALUE_TIMES_MAX);
    let value = read.unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
    assert_eq!(encode(&value).as_deref(), Ok(bytes), "{value}");
    let text = value.to_string();
    assert_eq!(text.parse::<Value>().as_ref(), Ok(&value), "{text}");
    assert_eq!(Value::of(&value).as_ref(), Ok(&value), "{text}");
    assert!(diff(&value, &value.clone()).is_empty(), "{text}");
    value
}
