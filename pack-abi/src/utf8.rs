//! Whether bytes are text. Hosts ask `core`, whose check is fast; a guest asks one of a fifth of its code and tables.

/// Returns the bytes as text, if they are UTF-8.
#[cfg(not(target_arch = "wasm32"))]
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

/// Returns the bytes as text, if they are UTF-8.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the check of `core` is larger than the rest of a small decoder")]
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    // SAFETY: `is_text` accepts exactly what `core::str::from_utf8` accepts; a test compares them.
    is_text(bytes).then(|| unsafe { core::str::from_utf8_unchecked(bytes) })
}

/// Whether the bytes are characters, each in its shortest form.
#[cfg(any(test, target_arch = "wasm32"))]
fn is_text(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter();
    while let Some(first) = bytes.next() {
        let length = first.leading_ones();
        if length == 0 {
            continue;
        }
        let mut scalar = u32::from(*first) & (0x7F >> length);
        for _ in 1..length {
            match bytes.next() {
                Some(byte) if byte & 0xC0 == 0x80 => scalar = scalar << 6 | u32::from(byte & 0x3F),
                Some(_) | None => return false,
            }
        }
        // One byte of the form of a later one has length 1, and would be a character of length 1.
        if length == 1 || char::from_u32(scalar).is_none_or(|c| c.len_utf8() != length as usize) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_text;

    /// Bytes at which something changes: ends of the ranges that first and later bytes have.
    const EDGES: &[u8] = &[
        0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
        0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFB, 0xFC, 0xFE, 0xFF,
    ];

    #[test]
    fn small_and_fast_checks_agree_on_all_short_texts() {
        let agree = |bytes: &[u8]| {
            assert_eq!(is_text(bytes), core::str::from_utf8(bytes).is_ok(), "{bytes:?}");
        };
        for first in 0..=255 {
            for second in 0..=255 {
                agree(&[first]);
                agree(&[first, second]);
                for third in EDGES {
                    agree(&[first, second, *third]);
                    for fourth in EDGES {
                        agree(&[first, second, *third, *fourth]);
                        agree(&[b'a', first, second, *third, *fourth]);
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_is_text() {
        for c in '\0'..=char::MAX {
            assert!(is_text(c.encode_utf8(&mut [0; 4]).as_bytes()), "{c:?}");
        }
    }
}
