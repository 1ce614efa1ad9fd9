//! Spans of time and sizes as people write them: `1.5s`, `250ms`, `30d`, `2GB`.

use crate::ui::error::CliError;

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(u64);

impl Span {
    /// Returns it in microseconds.
    pub(crate) const fn micros(self) -> u64 {
        self.0
    }
}

const TIMES: [(&str, u64); 7] = [
    ("us", 1),
    ("ms", 1000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
];

const SIZES: [(&str, u64); 5] =
    [("B", 1), ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

/// Reads a span; a number alone is in seconds.
pub(crate) fn parse(text: &str) -> Result<Span, CliError> {
    scaled(text, &TIMES, 1_000_000)
        .map(Span)
        .ok_or_else(|| refused(text, "a span of time", "1.5s, 250ms, 90m, 30d"))
}

/// Reads a size; a number alone is in bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, CliError> {
    scaled(text, &SIZES, 1).ok_or_else(|| refused(text, "a size", "500kB, 10MB, 2GB"))
}

fn refused(text: &str, what: &str, examples: &str) -> CliError {
    CliError::environment(format!("`{text}` is not {what}")).hint(format!("write it like one of {examples}"))
}

fn scaled(text: &str, units: &[(&str, u64)], default: u64) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let factor = match unit {
        "" => default,
        unit => units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let part =
        u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / 10_u128.pow(fraction.len() as u32);
    whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_read_as_people_write_them() {
        let us = |text: &str| parse(text).map(Span::micros).ok();
        assert_eq!(us("1.5"), Some(1_500_000));
        assert_eq!(us("250ms"), Some(250_000));
        assert_eq!(us("0.000001s"), Some(1));
        assert_eq!(us("30d"), Some(30 * 86_400_000_000));
        for wrong in ["", "x", "1.5.2", "-1", "1 s", "s", "1y", "99999999999999999999"] {
            assert_eq!(us(wrong), None, "{wrong}");
        }
        assert_eq!(parse_size("2GB").ok(), Some(2_000_000_000));
        assert_eq!(parse_size("10mb").ok(), Some(10_000_000));
        assert_eq!(parse_size("7").ok(), Some(7));
        assert_eq!(parse_size("7s").ok(), None);
    }
}
