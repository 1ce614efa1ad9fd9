//! Metadata made small in a guest's memory: the same words come again and again in it.
//!
//! A stream of runs. A byte below 128 says that so many literal bytes follow, and one more. Any other byte is a
//! copy: its low seven bits and 3 are the length, the two bytes behind it say how far back the copied bytes begin.
//! The reader is a few dozen instructions, which is the point: a guest carries it. It reads what the SDK's own
//! macro has written, so what makes no sense ends it and nothing more.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The shortest copy; it takes three bytes itself.
const COPY_BYTES_MIN: usize = 3;
const COPY_BYTES_MAX: usize = 127 + COPY_BYTES_MIN;
const LITERAL_BYTES_MAX: usize = 128;
/// How many earlier places are tried for each copy.
const PLACES_MAX: usize = 256;

/// Returns a stream from which [`expand`] makes the bytes.
#[must_use]
pub fn squeeze(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut literals = 0..0;
    let mut seen: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let (back, length) = longest_copy(bytes, at, &seen);
        let step = if length > COPY_BYTES_MIN {
            put_literals(bytes, literals, &mut out);
            // Both fit by the bounds of `longest_copy`.
            out.push(0x80 | (length - COPY_BYTES_MIN) as u8);
            out.extend_from_slice(&(back as u16).to_le_bytes());
            literals = at + length..at + length;
            length
        } else {
            literals.end = at + 1;
            1
        };
        for place in at..at + step {
            if let Some(key) = bytes.get(place..place + COPY_BYTES_MIN) {
                seen.entry(key).or_default().push(place);
            }
        }
        at += step;
    }
    put_literals(bytes, literals, &mut out);
    out
}

/// Returns how far back the longest copy begins, and its length; 0 if there is none.
fn longest_copy(bytes: &[u8], at: usize, seen: &BTreeMap<&[u8], Vec<usize>>) -> (usize, usize) {
    let places = bytes.get(at..at + COPY_BYTES_MIN).and_then(|key| seen.get(key));
    let near = |place: &&usize| at - **place <= usize::from(u16::MAX);
    let lengths = places.into_iter().flatten().rev().take(PLACES_MAX).take_while(near).map(|place| {
        let same = bytes.iter().skip(*place).zip(bytes.iter().skip(at)).take(COPY_BYTES_MAX);
        (at - place, same.take_while(|(before, now)| before == now).count())
    });
    lengths.max_by_key(|(_, length)| *length).unwrap_or((0, 0))
}

fn put_literals(bytes: &[u8], run: core::ops::Range<usize>, out: &mut Vec<u8>) {
    for literals in bytes.get(run).unwrap_or_default().chunks(LITERAL_BYTES_MAX) {
        out.push((literals.len() - 1) as u8);
        out.extend_from_slice(literals);
    }
}

/// Appends what a stream stands for; `None` if it is not a stream.
pub fn expand(packed: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let mut stream = packed.iter().copied();
    while let Some(control) = stream.next() {
        let is_copy = control >= 0x80;
        let mut from = 0;
        let mut count = usize::from(control & 0x7F) + 1;
        if is_copy {
            let back = usize::from(u16::from_le_bytes([stream.next()?, stream.next()?]));
            from = out.len().checked_sub(back).filter(|from| *from >= start)?;
            count += COPY_BYTES_MIN - 1;
        }
        // Byte by byte: a copy may run into what it writes.
        for place in from..from + count {
            let byte = if is_copy { *out.get(place)? } else { stream.next()? };
            out.push(byte);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{expand, squeeze};

    fn round_trip(bytes: &[u8]) -> usize {
        let packed = squeeze(bytes);
        let mut out = b"before".to_vec();
        expand(&packed, &mut out).expect("a stream");
        assert_eq!(&out[6..], bytes);
        packed.len()
    }

    #[test]
    fn bytes_come_back_and_repetition_costs_little() {
        assert_eq!(round_trip(b""), 0);
        assert_eq!(round_trip(b"abc"), 4);
        assert!(round_trip(&vec![7; 10_000]) < 300);
        let words: Vec<u8> =
            (0..500_u32).flat_map(|n| [b"param-sig".as_slice(), &n.to_le_bytes()].concat()).collect();
        assert!(round_trip(&words) < words.len() * 2 / 3);
        let noise: Vec<u8> = (0..70_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        round_trip(&noise);
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let refused = |packed: &[u8]| expand(packed, &mut Vec::new()).is_none();
        assert!(refused(&[5, 1, 2]), "fewer literals than announced");
        assert!(refused(&[0x80]) && refused(&[0x80, 1]), "a copy cut off");
        assert!(refused(&[0, 9, 0x80, 2, 0]), "a copy from before the beginning");
        assert!(refused(&[0, 9, 0x80, 0, 0]), "a copy of what is not there yet");
        assert_eq!(expand(&[0, 9, 0x80, 2, 0], &mut vec![1, 2, 3]), None, "a copy of what was there before");
    }
}
