//! The committed counts: a table for people, read back to judge new counts by.

use std::fmt;
use std::str::FromStr;

use super::callgrind::Count;

/// With the tools that the counts were made with, the same code gives the same count; what differs is the change.
const TOLERANCE_PERCENT: u64 = 5;
/// Another compiler or another C library lays out, inlines and copies in another way.
const TOLERANCE_OTHER_TOOLS_PERCENT: u64 = 30;
/// So few instructions are nobody's regression, however short the case.
const SLACK: u64 = 20;

const HEAD: &str = "\
# Instructions of each case in a release build, counted by callgrind; those of SHA-256 apart.
# `cargo xtask instructions` compares; with `--bless` it writes this file: read the difference.
";

/// What decides besides the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tools {
    pub(super) rustc: String,
    pub(super) host: String,
    pub(super) valgrind: String,
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rustc {}, {}, {}", self.rustc, self.host, self.valgrind)
    }
}

/// The counts that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) tools: Tools,
    pub(super) counts: Vec<Count>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}{}\n", self.tools)?;
        for Count { name, own, hashing } in &self.counts {
            writeln!(f, "{name:<44} {own:>10} {hashing:>10}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let tools = lines.next().and_then(read_tools).ok_or("the first line does not name the tools")?;
        let read =
            |line: &str| read_count(line).ok_or_else(|| format!("not a name and two counts: `{line}`"));
        Ok(Self { tools, counts: lines.map(read).collect::<Result<_, _>>()? })
    }
}

fn read_tools(line: &str) -> Option<Tools> {
    let mut words = line.strip_prefix("rustc ")?.split(", ").map(str::to_owned);
    Some(Tools { rustc: words.next()?, host: words.next()?, valgrind: words.next()? })
}

fn read_count(line: &str) -> Option<Count> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    Some(Count { name, own: words.next()?.parse().ok()?, hashing: words.next()?.parse().ok()? })
}

/// What new counts amount to; its text names each count that moved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) is_worse: bool,
    pub(super) is_better: bool,
    lines: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl Reference {
    /// Judges counts that were made with these tools.
    pub(super) fn judge(&self, tools: &Tools, counts: &[Count]) -> Verdict {
        let mut verdict = Verdict { is_worse: false, is_better: false, lines: Vec::new() };
        let tolerance = self.tolerance(tools, &mut verdict);
        for count in counts {
            match (self.counts.iter().find(|known| known.name == count.name), tolerance) {
                (Some(known), Some(percent)) => {
                    verdict.compare(&count.name, (known.own, count.own), percent);
                    let name = format!("{} (hashing)", count.name);
                    verdict.compare(&name, (known.hashing, count.hashing), percent);
                }
                (Some(_), None) => {}
                (None, _) => verdict.worse(format!("{}: not in the reference", count.name)),
            }
        }
        for known in self.counts.iter().filter(|known| counts.iter().all(|count| count.name != known.name)) {
            verdict.worse(format!("{}: no longer counted", known.name));
        }
        let summary = if verdict.is_worse || verdict.is_better { "" } else { ", all within the tolerance" };
        verdict.lines.push(format!("{} cases counted{summary}", counts.len()));
        verdict
    }

    /// Returns how many percent may differ; none if counts say nothing about each other.
    fn tolerance(&self, tools: &Tools, verdict: &mut Verdict) -> Option<u64> {
        if self.tools == *tools {
            return Some(TOLERANCE_PERCENT);
        }
        let tolerance = (self.tools.host == tools.host).then_some(TOLERANCE_OTHER_TOOLS_PERCENT);
        let how = tolerance.map_or_else(
            || "on another processor only the names are compared".to_owned(),
            |percent| format!("a difference of {percent} % is tolerated instead of {TOLERANCE_PERCENT} %"),
        );
        verdict.lines.push(format!("the reference was made with {}, this with {tools}: {how}", self.tools));
        tolerance
    }
}

impl Verdict {
    fn compare(&mut self, name: &str, (known, found): (u64, u64), percent: u64) {
        let tolerated = (known * percent / 100).max(SLACK);
        if known.abs_diff(found) <= tolerated {
            return;
        }
        let change = (found as f64 / known.max(1) as f64 - 1.0) * 100.0;
        let line = format!("{name}: {found} instructions, {known} in the reference ({change:+.1} %)");
        if found > known {
            self.worse(line);
        } else {
            self.is_better = true;
            self.lines.push(line);
        }
    }

    fn worse(&mut self, line: String) {
        self.is_worse = true;
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Tools {
        Tools {
            rustc: "1.95.0".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
        }
    }

    fn count(name: &str, own: u64, hashing: u64) -> Count {
        Count { name: name.to_owned(), own, hashing }
    }

    fn reference() -> Reference {
        Reference { tools: tools(), counts: vec![count("a/short", 100, 0), count("b/long", 10_000, 50_000)] }
    }

    fn judge(short: u64, long: u64, hashing: u64) -> (bool, bool) {
        let verdict =
            reference().judge(&tools(), &[count("a/short", short, 0), count("b/long", long, hashing)]);
        (verdict.is_worse, verdict.is_better)
    }

    #[test]
    fn a_reference_reads_back_as_what_was_written() {
        assert_eq!(reference().to_string().parse(), Ok(reference()));
        assert!("a/short 100 0\n".parse::<Reference>().is_err());
        assert!(format!("{}a/odd 100\n", reference()).parse::<Reference>().is_err());
    }

    #[test]
    fn more_than_the_tolerance_is_worse_and_less_is_better() {
        assert_eq!(judge(100, 10_000, 50_000), (false, false));
        assert_eq!(judge(120, 10_500, 52_500), (false, false));
        assert_eq!(judge(121, 10_000, 50_000), (true, false));
        assert_eq!(judge(100, 10_501, 50_000), (true, false));
        assert_eq!(judge(100, 9499, 50_000), (false, true));
        assert_eq!(judge(100, 9000, 53_000), (true, true));
    }

    #[test]
    fn hashing_cannot_hide_what_the_rest_costs() {
        assert_eq!(judge(100, 12_000, 50_000), (true, false));
    }

    #[test]
    fn a_case_that_is_new_or_gone_is_to_be_accepted_too() {
        let known = reference().counts;
        let gone = reference().judge(&tools(), &known[..1]);
        assert!(gone.is_worse && gone.to_string().contains("b/long: no longer counted"), "{gone}");
        let new = reference().judge(&tools(), &[known, vec![count("c/new", 1, 0)]].concat());
        assert!(new.is_worse && new.to_string().contains("c/new: not in the reference"), "{new}");
    }

    #[test]
    fn other_tools_are_named_and_judged_more_mildly() {
        let other = Tools { rustc: "1.96.0".to_owned(), ..tools() };
        let mild = reference().judge(&other, &[count("a/short", 100, 0), count("b/long", 12_900, 50_000)]);
        assert!(!mild.is_worse && mild.to_string().contains("rustc 1.96.0"), "{mild}");
        let worse = reference().judge(&other, &[count("a/short", 100, 0), count("b/long", 13_001, 50_000)]);
        assert!(worse.is_worse);
        let arm = Tools { host: "aarch64-unknown-linux-gnu".to_owned(), ..tools() };
        let other_processor = reference().judge(&arm, &[count("a/short", 900, 0), count("b/long", 1, 1)]);
        assert!(!other_processor.is_worse && !other_processor.is_better, "{other_processor}");
        assert!(reference().judge(&arm, &[]).is_worse);
    }
}
