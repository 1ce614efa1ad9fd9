//! The committed list of lines that no test reaches, with reasons: a text for people, read back to compare.
//!
//! A line is known by its file and its text, not by its number, so a change elsewhere does not touch the list.
//! One reason may serve several lines; a text that is there twice is listed twice.

use std::fmt;
use std::str::FromStr;

const HEAD: &str = "\
# Lines of pack-abi/src that no test of pack-abi reaches, and why. `cargo xtask coverage` compares.
# File, the lines (`|`), the reason (`=`). `--bless` adds what is missing, without a reason.
";

/// All that is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    entries: Vec<Entry>,
}

/// Lines of a file and the reason why no test reaches them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    file: String,
    lines: Vec<String>,
    reason: String,
}

/// Returns that by which a line is known; none if there is no word on it, so that it says nothing by itself.
pub(super) fn key(line: &str) -> Option<String> {
    let line = line.trim();
    line.contains(char::is_alphanumeric).then(|| line.to_owned())
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for Entry { file, lines, reason } in &self.entries {
            writeln!(f, "\n{file}")?;
            lines.iter().try_for_each(|line| writeln!(f, "| {line}"))?;
            writeln!(f, "{}", format!("= {reason}").trim_end())?;
        }
        Ok(())
    }
}

impl FromStr for List {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        let mut entry = Entry::default();
        for (number, line) in text.lines().enumerate() {
            let out_of_place = || format!("line {}: `{line}` is out of place", number + 1);
            match line.split_at_checked(1) {
                None | Some(("#", _)) => {}
                Some(("|", code)) if !entry.file.is_empty() => {
                    entry.lines.push(key(code).ok_or_else(out_of_place)?);
                }
                Some(("=", reason)) if !entry.lines.is_empty() => {
                    reason.trim().clone_into(&mut entry.reason);
                    list.entries.push(std::mem::take(&mut entry));
                }
                Some(_) if line.ends_with(".rs") && entry.file.is_empty() => line.clone_into(&mut entry.file),
                Some(_) => return Err(out_of_place()),
            }
        }
        if entry.file.is_empty() {
            Ok(list)
        } else {
            Err(format!("the entry of {} has no reason", entry.file))
        }
    }
}

impl List {
    /// Returns what is wrong: lines that are not listed, entries that are not found, reasons that are missing.
    pub(super) fn compare(&self, found: &[(String, String)]) -> Vec<String> {
        let (missing, stale) = self.differences(found);
        let missing = missing.iter().map(|(file, line)| format!("{file}: no test reaches `{line}`"));
        let stale = stale.iter().map(|(file, line)| format!("{file}: listed, but reached or gone: `{line}`"));
        let bare = self.entries.iter().filter(|entry| entry.reason.is_empty());
        let bare = bare.flat_map(|Entry { file, lines, .. }| {
            lines.iter().map(move |line| format!("{file}: listed without a reason: `{line}`"))
        });
        missing.chain(stale).chain(bare).collect()
    }

    /// Adds an entry without a reason for each line that is not listed, and returns how many.
    pub(super) fn add_missing(&mut self, found: &[(String, String)]) -> usize {
        let (missing, _) = self.differences(found);
        let added = missing.len();
        for (file, line) in missing {
            self.entries.push(Entry { file, lines: vec![line], reason: String::new() });
        }
        self.entries.sort_by(|a, b| a.file.cmp(&b.file));
        added
    }

    /// Returns the lines that are found and not listed, and those that are listed and not found.
    #[expect(clippy::type_complexity, reason = "two lists of the same pairs")]
    fn differences(&self, found: &[(String, String)]) -> (Vec<(String, String)>, Vec<(String, String)>) {
        let mut listed: Vec<(String, String)> = Vec::new();
        for Entry { file, lines, .. } in &self.entries {
            listed.extend(lines.iter().map(|line| (file.clone(), line.clone())));
        }
        let mut missing = Vec::new();
        for line in found {
            match listed.iter().position(|known| known == line) {
                Some(place) => drop(listed.remove(place)),
                None => missing.push(line.clone()),
            }
        }
        (missing, listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\na.rs\n| None => 1,\n| return;\n= cannot be\n\nb.rs\n| return;\n=\n";

    fn list() -> List {
        TEXT.parse().expect("well-formed")
    }

    fn found(lines: &[(&str, &str)]) -> Vec<(String, String)> {
        lines.iter().map(|(file, line)| ((*file).to_owned(), (*line).to_owned())).collect()
    }

    #[test]
    fn a_list_reads_back_as_what_was_written() {
        assert_eq!(list().to_string(), format!("{HEAD}{TEXT}"));
        assert_eq!(list().to_string().parse(), Ok(list()));
    }

    #[test]
    fn what_is_out_of_place_is_named_with_its_line() {
        let error = |text: &str| text.parse::<List>().expect_err("malformed");
        assert_eq!(error("| return;\n"), "line 1: `| return;` is out of place");
        assert_eq!(error("a.rs\n= why\n"), "line 2: `= why` is out of place");
        assert_eq!(error("a.rs\nb.rs\n"), "line 2: `b.rs` is out of place");
        assert_eq!(error("a.rs\n| }\n= why\n"), "line 2: `| }` is out of place");
        assert_eq!(error("a.rs\n| return;\n"), "the entry of a.rs has no reason");
    }

    #[test]
    fn a_line_that_is_new_one_that_is_gone_and_one_without_a_reason_are_all_wrong() {
        let all = found(&[("a.rs", "return;"), ("a.rs", "None => 1,"), ("b.rs", "return;")]);
        assert_eq!(list().compare(&all), ["b.rs: listed without a reason: `return;`"]);
        let twice = [all.clone(), found(&[("a.rs", "return;")])].concat();
        assert_eq!(list().compare(&twice)[0], "a.rs: no test reaches `return;`");
        assert_eq!(list().compare(&all[1..])[0], "a.rs: listed, but reached or gone: `return;`");
    }

    #[test]
    fn blessing_adds_what_is_missing_and_gives_no_reason_for_it() {
        let mut list = list();
        assert_eq!(list.add_missing(&found(&[("a.rs", "return;"), ("a.rs", "panic!()")])), 1);
        let text = list.to_string();
        assert!(text.contains("\na.rs\n| panic!()\n=\n\nb.rs"), "{text}");
        assert!(list.compare(&found(&[("a.rs", "panic!()")])).iter().any(|line| line.contains("panic!()")));
    }

    #[test]
    fn a_line_is_known_by_its_words_and_not_by_its_indentation() {
        assert_eq!(key("    return; "), Some("return;".to_owned()));
        assert_eq!(key("        }));"), None);
    }
}
