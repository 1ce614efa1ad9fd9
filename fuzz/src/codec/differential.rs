//! The published codec as the oracle: what is read here it reads and writes back the same, and what it would write
//! itself is read here.
//!
//! Some inputs would end the oracle or use it up: it makes room for whatever a count claims, follows any depth, and
//! unfolds shared nodes. [`is_bearable`] tells these by walking the nodes itself, so that it does not lean on the
//! decoder under test; what the decoder accepts must be bearable, which checks both.

use pack_abi::{MAX_DEPTH, Value, decode, encode};

use super::{buffers, recipe};
use crate::target::{Seed, Target};

pub(crate) const TARGET: Target = Target { name: "differential", seeds, check };

fn seeds() -> Vec<Seed> {
    buffers().into_iter().chain(recipe::seeds()).collect()
}

/// An input that does not begin as a buffer does is a recipe for one.
fn check(input: &[u8]) {
    let made;
    let bytes = if input.starts_with(b"CGRF") {
        input
    } else {
        made = recipe::buffer(input);
        &made
    };
    let ours = decode::<Value>(bytes);
    let is_bearable = is_bearable(bytes);
    let theirs = if is_bearable { packr_abi::decode(bytes).ok() } else { None };
    match (&ours, theirs) {
        (Ok(value), Some(theirs)) => {
            assert!(
                packr_abi::encode(&theirs).is_ok_and(|again| again == bytes),
                "the oracle writes otherwise: {value}"
            );
            assert_eq!(encode(value).as_deref(), Ok(bytes), "{value}");
        }
        (Ok(value), None) => panic!("the oracle does not read {value} (bearable: {is_bearable})"),
        (Err(error), Some(theirs)) => {
            let is_canonical = packr_abi::encode(&theirs).is_ok_and(|again| again == bytes);
            assert!(!is_canonical, "{error}, but the oracle reads and writes it");
        }
        (Err(_), None) => {}
    }
}

/// Whether the oracle can be asked: every count is backed by bytes, no node has two parents or comes after its own,
/// and nothing is nested deeper than what is allowed here.
fn is_bearable(bytes: &[u8]) -> bool {
    walk(bytes).is_some()
}

fn walk(bytes: &[u8]) -> Option<()> {
    let mut rest = Rest(bytes.get(8..)?);
    let count = rest.word()? as usize;
    rest.word()?;
    if count > rest.0.len() / 8 {
        return None;
    }
    let mut heights: Vec<u32> = Vec::new();
    let mut has_parent = Vec::new();
    for _ in 0..count {
        let kind = *rest.take(4)?.first()?;
        let length = rest.word()? as usize;
        let children = children(kind, Rest(rest.take(length)?))?;
        let mut height = 0;
        for child in children {
            if std::mem::replace(has_parent.get_mut(child as usize)?, true) {
                return None;
            }
            height = height.max(heights[child as usize]);
        }
        heights.push(height + 1);
        has_parent.push(false);
    }
    // A scalar at the bottom is no level of its own.
    heights.iter().all(|height| *height <= MAX_DEPTH + 1).then_some(())
}

/// Returns the children of a node as the oracle will look for them.
fn children(kind: u8, mut payload: Rest<'_>) -> Option<Vec<u32>> {
    let mut per_entry = 1;
    let count = match kind {
        0x07 | 0x17 => {
            payload.skip_types(1)?;
            payload.word()? as usize
        }
        0x16 => {
            payload.skip_types(2)?;
            per_entry = 2;
            payload.word()? as usize
        }
        0x08 => {
            payload.skip_text()?;
            payload.skip_text()?;
            payload.word()?;
            payload.word()? as usize
        }
        0x09 => {
            payload.skip_text()?;
            let count = payload.word()? as usize;
            for _ in 0..count {
                payload.skip_text()?;
            }
            count
        }
        0x0A => {
            payload.skip_types(1)?;
            usize::from(payload.take(1)? == [1])
        }
        0x0B => payload.word()? as usize,
        0x14 => {
            payload.skip_types(2)?;
            payload.take(5)?;
            1
        }
        _ => return Some(Vec::new()),
    };
    let links = payload.take(count.checked_mul(per_entry)?.checked_mul(4)?)?;
    Some(links.as_chunks::<4>().0.iter().map(|link| u32::from_le_bytes(*link)).collect())
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*word))
    }

    fn skip_text(&mut self) -> Option<()> {
        let length = self.word()? as usize;
        self.take(length).map(drop)
    }

    /// Skips type terms with a stack of how many are owed at each level.
    fn skip_types(&mut self, count: u32) -> Option<()> {
        let mut owed = vec![count];
        while let Some(terms) = owed.last_mut() {
            if *terms == 0 {
                owed.pop();
                continue;
            }
            *terms -= 1;
            let inner = match *self.take(1)?.first()? {
                0x07 | 0x0A | 0x17 => 1,
                0x14 | 0x16 => 2,
                0x0B => self.word()?,
                0x08 | 0x09 => {
                    self.skip_text()?;
                    0
                }
                _ => 0,
            };
            // Every term takes a byte at least.
            if inner as usize > self.0.len() || owed.len() > MAX_DEPTH as usize + 1 {
                return None;
            }
            owed.push(inner);
        }
        Some(())
    }
}
