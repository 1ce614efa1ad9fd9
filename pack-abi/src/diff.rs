//! What differs between two values, place by place.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::{MAX_DEPTH, Value};

/// More of each side than this is not shown.
const SHOWN_CHARS_MAX: usize = 200;
/// Texts and byte lists longer than this are cut down to the part that differs.
const WHOLE_BYTES_MAX: usize = 64;

/// One place at which two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The way to the place: `.field`, `.0` in a tuple, `[3]` in a list, `["key"]` in a map, `::case(0)`, `?` in an
    /// option, `.ok`, `.err`, `[5..9]` for part of a text or of bytes. Empty for the whole value.
    pub path: String,
    /// What the left value has there.
    pub left: Option<Value>,
    /// What the right value has there.
    pub right: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "value" } else { &self.path };
        write!(f, "{place}: {} -> {}", Shown(self.left.as_ref()), Shown(self.right.as_ref()))
    }
}

/// One side, cut to a readable length.
struct Shown<'v>(Option<&'v Value>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.0 else { return f.write_str("nothing") };
        let mut head = Head { text: String::new(), chars_left: SHOWN_CHARS_MAX };
        let is_whole = write!(head, "{value}").is_ok();
        f.write_str(&head.text)?;
        if is_whole { Ok(()) } else { f.write_str("...") }
    }
}

/// Takes the first characters and then refuses, which ends the formatting of a large value early.
struct Head {
    text: String,
    chars_left: usize,
}

impl fmt::Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.chars_left = self.chars_left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// Returns the differences between two values, in order; none if they are equal.
#[must_use]
pub fn diff(left: &Value, right: &Value) -> Vec<Difference> {
    let mut walk = Walk { path: String::new(), depth: 0, found: Vec::new() };
    walk.compare(left, right);
    walk.found
}

struct Walk {
    path: String,
    depth: u32,
    found: Vec<Difference>,
}

impl Walk {
    fn compare(&mut self, left: &Value, right: &Value) {
        if left == right {
            return;
        }
        let before = self.found.len();
        // What is nested more deeply than any encoder writes is reported as it is.
        if self.depth <= MAX_DEPTH {
            self.inside(left, right);
        }
        if self.found.len() == before {
            // They differ in something that no part shows: a declared type, the order of fields.
            self.report(Some(left), Some(right));
        }
    }

    /// Compares the parts of two values that have the same form.
    fn inside<'v>(&mut self, left: &'v Value, right: &'v Value) {
        match (left, right) {
            (Value::String(a), Value::String(b)) => self.texts(a, b),
            (Value::Bytes(a), Value::Bytes(b)) => self.bytes(a, b),
            (Value::List(a), Value::List(b)) if a.elem == b.elem => self.items(&a.items, &b.items),
            (Value::Tuple(a), Value::Tuple(b)) if a.len() == b.len() => {
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    self.at(&format!(".{place}"), |walk| walk.compare(a, b));
                }
            }
            (Value::Option(a), Value::Option(b)) => {
                if let (Some(a), Some(b)) = (a.value(), b.value()) {
                    self.at("?", |walk| walk.compare(a, b));
                }
            }
            (Value::Result(a), Value::Result(b)) => match (a.value(), b.value()) {
                (Ok(a), Ok(b)) => self.at(".ok", |walk| walk.compare(a, b)),
                (Err(a), Err(b)) => self.at(".err", |walk| walk.compare(a, b)),
                (Ok(_), Err(_)) | (Err(_), Ok(_)) => {}
            },
            (Value::Record(a), Value::Record(b)) if a.name() == b.name() => {
                let key = |(name, value): (&str, &'v Value)| (format!(".{name}"), value);
                self.keyed(
                    &a.fields().map(key).collect::<Vec<_>>(),
                    &b.fields().map(key).collect::<Vec<_>>(),
                );
            }
            (Value::Variant(a), Value::Variant(b))
                if a.names == b.names && a.payload.len() == b.payload.len() =>
            {
                for (place, (left, right)) in a.payload.iter().zip(&b.payload).enumerate() {
                    self.at(&format!("::{}({place})", a.case()), |walk| walk.compare(left, right));
                }
            }
            (Value::Map(a), Value::Map(b)) => {
                let key = |(key, value): (&'v Value, &'v Value)| (format!("[{key}]"), value);
                self.keyed(
                    &a.entries().map(key).collect::<Vec<_>>(),
                    &b.entries().map(key).collect::<Vec<_>>(),
                );
            }
            (Value::Set(a), Value::Set(b)) => {
                let key = |item: &'v Value| (format!("[{item}]"), item);
                let (a, b) = (a.items().iter().map(key), b.items().iter().map(key));
                self.keyed(&a.collect::<Vec<_>>(), &b.collect::<Vec<_>>());
            }
            _ => {}
        }
    }

    /// Compares parts by name: those that only one side has are differences too.
    fn keyed(&mut self, left: &[(String, &Value)], right: &[(String, &Value)]) {
        let on_right: BTreeMap<&str, &Value> =
            right.iter().rev().map(|(name, value)| (name.as_str(), *value)).collect();
        let on_left: BTreeMap<&str, &Value> =
            left.iter().rev().map(|(name, value)| (name.as_str(), *value)).collect();
        for (name, value) in left {
            match on_right.get(name.as_str()) {
                Some(other) => self.at(name, |walk| walk.compare(value, other)),
                None => self.at(name, |walk| walk.report(Some(value), None)),
            }
        }
        for (name, value) in right {
            if !on_left.contains_key(name.as_str()) {
                self.at(name, |walk| walk.report(None, Some(value)));
            }
        }
    }

    /// Compares lists: what is equal at both ends is passed over, what is between is compared in order.
    fn items(&mut self, left: &[Value], right: &[Value]) {
        let (start, end) = common_ends(left, right, |a, b| a == b);
        let left = &left[start..left.len() - end];
        let right = &right[start..right.len() - end];
        for place in 0..left.len().max(right.len()) {
            self.at(&format!("[{}]", start + place), |walk| match (left.get(place), right.get(place)) {
                (Some(a), Some(b)) => walk.compare(a, b),
                (a, b) => walk.report(a, b),
            });
        }
    }

    fn bytes(&mut self, left: &[u8], right: &[u8]) {
        if left.len().max(right.len()) <= WHOLE_BYTES_MAX {
            return;
        }
        let (start, end) = common_ends(left, right, |a, b| a == b);
        let part = |bytes: &[u8]| Value::bytes(&bytes[start..bytes.len() - end]);
        self.at(&format!("[{start}..{}]", left.len() - end), |walk| {
            walk.report(Some(&part(left)), Some(&part(right)));
        });
    }

    fn texts(&mut self, left: &str, right: &str) {
        if left.len().max(right.len()) <= WHOLE_BYTES_MAX {
            return;
        }
        let (mut start, mut end) = common_ends(left.as_bytes(), right.as_bytes(), |a, b| a == b);
        // The ends are equal on both sides, so a boundary on the left is one on the right, too.
        while !left.is_char_boundary(start) || !right.is_char_boundary(start) {
            start -= 1;
        }
        while !left.is_char_boundary(left.len() - end) || !right.is_char_boundary(right.len() - end) {
            end -= 1;
        }
        let part = |text: &str| Value::from(&text[start..text.len() - end]);
        self.at(&format!("[{start}..{}]", left.len() - end), |walk| {
            walk.report(Some(&part(left)), Some(&part(right)));
        });
    }

    fn at(&mut self, step: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        self.depth += 1;
        visit(self);
        self.depth -= 1;
        self.path.truncate(length);
    }

    fn report(&mut self, left: Option<&Value>, right: Option<&Value>) {
        self.found.push(Difference { path: self.path.clone(), left: left.cloned(), right: right.cloned() });
    }
}

/// Returns how many items are equal at the start and, of the rest, at the end.
fn common_ends<T>(left: &[T], right: &[T], equal: impl Fn(&T, &T) -> bool) -> (usize, usize) {
    let start = left.iter().zip(right).take_while(|(a, b)| equal(a, b)).count();
    let (left, right) = (&left[start..], &right[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| equal(a, b)).count();
    (start, end)
}
