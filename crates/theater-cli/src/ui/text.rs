//! Small texts: sizes, times, names that are nearly right, and text that a terminal must not obey.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` with control characters made visible, so that what an actor says cannot steer a terminal.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters and those that reorder text; a tab is harmless.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns at most `width` characters of `text`, with a mark where something is missing.
pub(crate) fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    match text.char_indices().nth(width) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept: String = text.chars().take(width.saturating_sub(1)).collect();
            Cow::Owned(format!("{kept}…"))
        }
    }
}

/// Returns a size as people read it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let count = u128::from(count);
    let mut divisor = 1000;
    for unit in UNITS {
        // Integers, so that the text is the same everywhere.
        let (tenths, whole) = ((count * 10 + divisor / 2) / divisor, (count + divisor / 2) / divisor);
        if tenths < 100 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        if whole < 1000 {
            return format!("{whole} {unit}");
        }
        divisor *= 1000;
    }
    format!("{} EB", count * 1000 / divisor)
}

/// Returns a large number as people read it.
pub(crate) fn large(number: u64) -> String {
    const STEPS: [(u64, &str); 4] =
        [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")];
    match STEPS.iter().find(|(step, _)| number >= *step) {
        Some((step, unit)) => format!("{}.{}{unit}", number / step, number % step / (step / 10)),
        None => number.to_string(),
    }
}

/// Returns microseconds as seconds.
pub(crate) fn seconds(time_us: u64) -> String {
    format!("{}.{:06}", time_us / 1_000_000, time_us % 1_000_000)
}

/// Returns a count with its noun.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A moment in the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
}

impl Moment {
    /// Returns the moment that lies this many seconds after 1970 began.
    pub(crate) fn from_unix(seconds: u64) -> Self {
        // Days in eras of 400 years that begin in March, so that the leap day is the last one.
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted + 2) / 5 + 1,
            second_of_day: seconds % 86_400,
        }
    }

    /// Returns `20261122-101530`: sorts as it passes.
    pub(crate) fn compact(self) -> String {
        let (hour, minute, second) = self.clock();
        format!("{:04}{:02}{:02}-{hour:02}{minute:02}{second:02}", self.year, self.month, self.day)
    }

    /// Returns `2026-11-22 10:15:30`.
    pub(crate) fn readable(self) -> String {
        let (hour, minute, second) = self.clock();
        format!("{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}", self.year, self.month, self.day)
    }

    /// Returns `2026-11-22 10:15:30.123` for milliseconds since 1970 began.
    pub(crate) fn millis(unix_ms: u64) -> String {
        format!("{}.{:03}", Self::from_unix(unix_ms / 1000).readable(), unix_ms % 1000)
    }

    fn clock(self) -> (u64, u64, u64) {
        (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60)
    }
}

/// Returns the candidate that was probably meant.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(wrong, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes all text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_actor_says_cannot_steer_a_terminal() {
        assert_eq!(clean("\u{1b}[2Jhello\r"), "\\u{1b}[2Jhello\\r");
        assert_eq!(clean("über\tall"), "über\tall");
    }

    #[test]
    fn sizes_read_well() {
        let shown: Vec<String> = [0, 999, 1000, 1549, 9_949, 10_500, 999_499, 1_000_000, 12_345_678_901]
            .into_iter()
            .map(bytes)
            .collect();
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "1.5 kB", "9.9 kB", "11 kB", "999 kB", "1.0 MB", "12 GB"]
        );
    }

    #[test]
    fn moments_agree_with_the_calendar() {
        let shown: Vec<String> = [0, 951_782_400, 1_709_251_199, 1_795_342_530, 4_107_542_400]
            .into_iter()
            .map(|seconds| Moment::from_unix(seconds).readable())
            .collect();
        assert_eq!(
            shown,
            [
                "1970-01-01 00:00:00",
                "2000-02-29 00:00:00",
                "2024-02-29 23:59:59",
                "2026-11-22 10:15:30",
                "2100-03-01 00:00:00"
            ]
        );
    }

    #[test]
    fn a_near_miss_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("bsaic", ["basic", "server"]), None);
        assert_eq!(nearest("basc", ["basic", "server"]), Some("basic"));
        assert_eq!(nearest("elephant", ["basic", "server"]), None);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("äöüß", 4), "äöüß");
        assert_eq!(shorten("äöüßa", 4), "äöü…");
    }
}
