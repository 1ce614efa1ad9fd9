//! Counts a text piece by piece; the pieces may end anywhere, also inside a character.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many of the most frequent words are reported.
pub const FREQUENT_WORDS: usize = 10;

/// What was counted.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Bytes, as `wc -c` counts them.
    pub bytes: u64,
    /// Line ends, as `wc -l` counts them.
    pub lines: u64,
    /// Words with white space around them, as `wc -w` counts them.
    pub words: u64,
    /// The longest line; the first one of several.
    pub longest_line: LongestLine,
    /// The most frequent words, in small letters and without punctuation around them; then by alphabet.
    pub most_frequent: Vec<Frequency>,
}

/// The longest line of a text.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct LongestLine {
    /// Its number, from 1; 0 in an empty text.
    pub number: u64,
    /// Its characters.
    pub characters: u64,
}

/// How often a word occurs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Frequency {
    /// The word.
    pub word: String,
    /// How often.
    pub count: u64,
}

/// Counts as the text comes in.
#[derive(Debug, Default)]
pub struct Counter {
    bytes: u64,
    lines: u64,
    words: u64,
    line_characters: u64,
    longest: LongestLine,
    word: String,
    frequencies: BTreeMap<String, u64>,
    /// The beginning of a character whose rest is in the next piece.
    torn: Vec<u8>,
}

impl Counter {
    /// Returns how many bytes came in so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next piece of the text. What is not UTF-8 counts as one unknown character.
    pub fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let mut joined = std::mem::take(&mut self.torn);
        let mut rest = piece;
        if !joined.is_empty() {
            joined.extend_from_slice(piece);
            rest = &joined;
        }
        for chunk in rest.utf8_chunks() {
            for c in chunk.valid().chars() {
                self.character(c);
            }
            let invalid = chunk.invalid();
            let at_end = std::ptr::eq(invalid.as_ptr_range().end, rest.as_ptr_range().end);
            if at_end && is_beginning(invalid) {
                self.torn = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.character(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// Returns the counts.
    pub fn finish(mut self) -> Report {
        if !self.torn.is_empty() {
            self.character(char::REPLACEMENT_CHARACTER);
        }
        self.end_word();
        if self.line_characters > 0 {
            self.end_line();
        }
        let mut most_frequent: Vec<Frequency> =
            self.frequencies.into_iter().map(|(word, count)| Frequency { word, count }).collect();
        // The sort is stable, so words of one count stay in the order of the alphabet.
        most_frequent.sort_by_key(|frequency| std::cmp::Reverse(frequency.count));
        most_frequent.truncate(FREQUENT_WORDS);
        Report {
            bytes: self.bytes,
            lines: self.lines,
            words: self.words,
            longest_line: self.longest,
            most_frequent,
        }
    }

    fn character(&mut self, c: char) {
        if c.is_whitespace() {
            self.end_word();
        } else {
            self.word.push(c);
        }
        if c == '\n' {
            self.end_line();
            self.lines += 1;
        } else {
            self.line_characters += 1;
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        self.words += 1;
        let bare = self.word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !bare.is_empty() {
            *self.frequencies.entry(bare).or_default() += 1;
        }
        self.word.clear();
    }

    fn end_line(&mut self) {
        if self.line_characters > self.longest.characters || self.longest.number == 0 {
            self.longest = LongestLine { number: self.lines + 1, characters: self.line_characters };
        }
        self.line_characters = 0;
    }
}

/// Returns whether the bytes are the beginning of a character that may go on.
fn is_beginning(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &[u8], piece_bytes: usize) -> Report {
        let mut counter = Counter::default();
        for piece in text.chunks(piece_bytes) {
            counter.take(piece);
        }
        counter.finish()
    }

    #[test]
    fn an_empty_text_counts_nothing() {
        let report = report(b"", 1);
        assert_eq!((report.bytes, report.lines, report.words), (0, 0, 0));
        assert_eq!(report.longest_line, LongestLine { number: 0, characters: 0 });
        assert_eq!(report.most_frequent, []);
    }

    #[test]
    fn words_lines_and_bytes_are_counted() {
        let report = report("one two\n\n  three\tfour\r\nfive".as_bytes(), 64);
        assert_eq!((report.bytes, report.lines, report.words), (27, 3, 5));
        assert_eq!(report.longest_line, LongestLine { number: 3, characters: 13 });
    }

    #[test]
    fn pieces_that_end_inside_a_character_change_nothing() {
        let text = "Größe, größe! naïve 😀 \u{a0}x\nend".as_bytes();
        let whole = report(text, text.len());
        for piece_bytes in 1..text.len() {
            assert_eq!(report(text, piece_bytes), whole, "{piece_bytes}");
        }
        assert_eq!(whole.words, 6);
        assert_eq!(whole.most_frequent[0], Frequency { word: "größe".to_owned(), count: 2 });
    }

    #[test]
    fn bytes_that_are_no_text_are_counted_and_harmless() {
        let text = b"a \xff\xfe b\n\xe2\x82";
        let whole = report(text, text.len());
        assert_eq!((whole.bytes, whole.lines, whole.words), (9, 1, 4));
        assert_eq!(report(text, 1), whole);
    }

    #[test]
    fn words_of_one_count_come_in_the_order_of_the_alphabet() {
        let report = report(b"c b a. \"A\" b! -- z y x w v u t", 64);
        let words: Vec<&str> = report.most_frequent.iter().map(|frequency| frequency.word.as_str()).collect();
        assert_eq!(words, ["a", "b", "c", "t", "u", "v", "w", "x", "y", "z"]);
    }
}
