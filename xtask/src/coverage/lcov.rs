//! Reads what `llvm-cov export -format=lcov` writes: for each source file, how often each line was reached.

use std::collections::BTreeMap;

/// The lines of a file that hold code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SourceFile {
    pub(super) path: String,
    /// Numbers, from 1, and whether they were reached.
    pub(super) lines: BTreeMap<usize, bool>,
    /// How many were.
    pub(super) reached: usize,
}

/// Returns the files in the order of their paths.
///
/// A file may come more than once and a line too, with each program that holds it: reached by one is reached.
pub(super) fn read(text: &str) -> Result<Vec<SourceFile>, String> {
    let mut files: BTreeMap<&str, BTreeMap<usize, bool>> = BTreeMap::new();
    let mut path = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("SF:") {
            path = Some(name);
        } else if line == "end_of_record" {
            path = None;
        } else if let Some(count) = line.strip_prefix("DA:") {
            let path = path.ok_or_else(|| format!("a line of no file: `{line}`"))?;
            let (number, times) = read_count(count).ok_or_else(|| format!("not a count: `{line}`"))?;
            *files.entry(path).or_default().entry(number).or_default() |= times > 0;
        }
    }
    let file = |(path, lines): (&str, BTreeMap<usize, bool>)| {
        let reached = lines.values().filter(|is_reached| **is_reached).count();
        SourceFile { path: path.to_owned(), lines, reached }
    };
    Ok(files.into_iter().map(file).collect())
}

fn read_count(text: &str) -> Option<(usize, u64)> {
    let mut numbers = text.split(',');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_one_program_reaches_is_reached() {
        let text = "SF:/b.rs\nFN:1,f\nDA:1,2\nDA:2,0\nDA:3,0\nLF:3\nend_of_record\n\
                    SF:/a.rs\nDA:7,0\nend_of_record\nSF:/b.rs\nDA:2,1\nend_of_record\n";
        let files = read(text).expect("well-formed");
        let [a, b] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!((a.path.as_str(), a.reached, a.lines.len()), ("/a.rs", 0, 1));
        assert_eq!((b.path.as_str(), b.reached), ("/b.rs", 2));
        assert_eq!(b.lines, BTreeMap::from([(1, true), (2, true), (3, false)]));
    }

    #[test]
    fn what_is_no_count_is_an_error() {
        assert_eq!(read("DA:1,2\n"), Err("a line of no file: `DA:1,2`".to_owned()));
        assert_eq!(read("SF:/a.rs\nDA:1,x\n"), Err("not a count: `DA:1,x`".to_owned()));
    }
}
