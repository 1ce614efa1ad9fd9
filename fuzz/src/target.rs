//! A fuzz target: its seeds, its regressions, and the check that every input is put through.
//!
//! The tests of the crates include this file and the checks, so that seeds and regressions are replayed by every
//! test run, without a fuzzer.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A fuzz target.
pub(crate) struct Target {
    /// Its name: of the program, of its corpus and of the folder of its regressions.
    pub(crate) name: &'static str,
    /// Returns named inputs to begin with, made from the tables of the tests.
    pub(crate) seeds: fn() -> Vec<Seed>,
    /// Panics if an input is not treated as promised.
    pub(crate) check: fn(&[u8]),
}

/// A named input; the name says which case of which table it is.
pub(crate) type Seed = (String, Vec<u8>);

impl Target {
    /// Returns the seeds by the names of their files.
    pub(crate) fn seed_files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for (name, bytes) in (self.seeds)() {
            let file = file_name(&name);
            assert!(files.insert(file, bytes).is_none(), "{}: another seed is called {name:?}", self.name);
        }
        files
    }

    /// Returns the committed inputs that once were findings, by the names of their files.
    pub(crate) fn regressions(&self) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = std::fs::read_dir(regressions().join(self.name)) else { return BTreeMap::new() };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.expect("a folder of the repository can be read");
            let bytes = std::fs::read(entry.path()).expect("a file of the repository can be read");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        };
        entries.map(read).collect()
    }

    /// Checks all seeds and regressions, whole: the fuzzer itself cuts off what is longer than its limit.
    pub(crate) fn replay(&self) {
        for (name, bytes) in self.seed_files().into_iter().chain(self.regressions()) {
            let _named = Named { target: self.name, input: &name };
            (self.check)(&bytes);
        }
    }
}

/// Where the findings are kept.
pub(crate) fn regressions() -> PathBuf {
    let manifest_dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut ancestors = manifest_dir.ancestors().map(|dir| dir.join("fuzz/regressions"));
    ancestors.find(|dir| dir.is_dir()).expect("the repository has a folder of regressions")
}

/// Says which input was being checked when a check has panicked.
struct Named<'a> {
    target: &'a str,
    input: &'a str,
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            use std::io::Write as _;
            // There is nobody left to tell if stderr is closed.
            writeln!(std::io::stderr(), "{}: the input is {:?}", self.target, self.input).ok();
        }
    }
}

/// Turns the name of a case into that of a file: words of letters and digits, joined by `-`.
fn file_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
