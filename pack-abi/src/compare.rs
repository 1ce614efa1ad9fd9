//! Equality of values, however deeply they are nested.

use alloc::vec::Vec;

use crate::Value;
use crate::compound::Items;

/// Pairs below this depth are put off instead of compared at once, so the stack stays small.
const RECURSION_MAX: u32 = 64;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = Pairs { put_off: Vec::new() };
        let mut equal = pairs.are_equal(self, other, 0);
        while equal && let Some((a, b)) = pairs.put_off.pop() {
            equal = pairs.are_equal(a, b, 0);
        }
        equal
    }
}

impl Eq for Value {}

struct Pairs<'v> {
    put_off: Vec<(&'v Value, &'v Value)>,
}

impl<'v> Pairs<'v> {
    /// Whether two values are equal but for the pairs that are put off.
    fn are_equal(&mut self, left: &'v Value, right: &'v Value, depth: u32) -> bool {
        match (left, right) {
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Tuple(a), Value::Tuple(b)) => self.items(a, b, depth),
            (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
                a.elem == b.elem && self.items(&a.items, &b.items, depth)
            }
            (Value::Record(a), Value::Record(b)) => {
                a.names == b.names && self.items(&a.values, &b.values, depth)
            }
            (Value::Variant(a), Value::Variant(b)) => {
                a.names == b.names && self.items(&a.payload, &b.payload, depth)
            }
            (Value::Map(a), Value::Map(b)) => a.types == b.types && self.items(&a.entries, &b.entries, depth),
            (Value::Option(a), Value::Option(b)) => {
                a.inner == b.inner
                    && match (&a.value, &b.value) {
                        (None, None) => true,
                        (Some(a), Some(b)) => a.is_same(b) || self.put_off_or_compare(a, b, depth),
                        (Some(_), None) | (None, Some(_)) => false,
                    }
            }
            (Value::Result(a), Value::Result(b)) => {
                a.types == b.types
                    && match (&a.value, &b.value) {
                        (Ok(a), Ok(b)) | (Err(a), Err(b)) => {
                            a.is_same(b) || self.put_off_or_compare(a, b, depth)
                        }
                        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
                    }
            }
            _ => match (left.fixed_bytes(), right.fixed_bytes()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }

    fn items(&mut self, left: &'v Items, right: &'v Items, depth: u32) -> bool {
        left.is_same(right)
            || (left.len() == right.len()
                && left.iter().zip(right).all(|(a, b)| self.put_off_or_compare(a, b, depth)))
    }

    fn put_off_or_compare(&mut self, left: &'v Value, right: &'v Value, depth: u32) -> bool {
        if depth == RECURSION_MAX && left.is_compound() {
            self.put_off.push((left, right));
            return true;
        }
        self.are_equal(left, right, depth + 1)
    }
}
