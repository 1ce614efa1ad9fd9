//! The fuzz targets: what each begins with and what it checks. `fuzz_targets` has a program for each.
//!
//! Everything is here and not in the programs, because the tests of the crates replay seeds and regressions
//! through the same checks. A target is added in three places: here, in `Cargo.toml` and in `fuzz_targets`.

mod codec;
#[path = "../../pack-abi/tests/corpus/cost.rs"]
mod cost;
mod interface_text;
mod journal;
mod target;

use std::path::{Path, PathBuf};

use crate::target::Target;

/// Arbitrary bytes, read as a value.
pub const DECODE: Fuzzer = Fuzzer(&codec::decode::TARGET);
/// Arbitrary bytes, read as values of Rust types.
pub const DECODE_TYPED: Fuzzer = Fuzzer(&codec::decode_typed::TARGET);
/// Arbitrary values: to bytes and text and back.
pub const ROUND_TRIP: Fuzzer = Fuzzer(&codec::round_trip::TARGET);
/// Bytes and values, against the published codec.
pub const DIFFERENTIAL: Fuzzer = Fuzzer(&codec::differential::TARGET);
/// Arbitrary text, read as a value.
pub const VALUE_TEXT: Fuzzer = Fuzzer(&codec::value_text::TARGET);
/// Arbitrary text, read as interfaces.
pub const INTERFACE_TEXT: Fuzzer = Fuzzer(&interface_text::TARGET);
/// Arbitrary files, read and verified as a run.
pub const JOURNAL: Fuzzer = Fuzzer(&journal::TARGET);
/// An arbitrary bundle, read and verified as a run.
pub const BUNDLE: Fuzzer = Fuzzer(&journal::BUNDLE);

/// A fuzz target, for its program.
#[derive(Clone, Copy)]
pub struct Fuzzer(&'static Target);

impl Fuzzer {
    /// Checks seeds and regressions whole, and writes them into the corpus that the fuzzer is about to read.
    pub fn start(self) {
        self.0.replay();
        let Some(corpus) = corpus(std::env::args().skip(1).collect()) else { return };
        for (name, bytes) in self.0.seed_files() {
            write(&corpus, "seed", &name, &bytes);
        }
        for (name, bytes) in self.0.regressions() {
            write(&corpus, "regression", &name, &bytes);
        }
    }

    /// Checks one input.
    pub fn check(self, bytes: &[u8]) {
        (self.0.check)(bytes);
    }
}

/// Returns the folder that the fuzzer has been given for its corpus, unless it was called to reduce one.
fn corpus(arguments: Vec<String>) -> Option<PathBuf> {
    let reduces = arguments.iter().any(|argument| argument.starts_with("-merge"));
    let folder = arguments.into_iter().map(PathBuf::from).find(|path| path.is_dir());
    folder.filter(|_| !reduces)
}

fn write(corpus: &Path, origin: &str, name: &str, bytes: &[u8]) {
    let path = corpus.join(format!("{origin}-{name}"));
    let outcome = std::fs::write(&path, bytes);
    outcome.unwrap_or_else(|error| panic!("failed to write {}: {error}", path.display()));
}
