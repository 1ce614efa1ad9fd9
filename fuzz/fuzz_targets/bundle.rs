//! Reads and verifies an arbitrary bundle as a run; what is checked is in `src/journal.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::BUNDLE.start(), |bytes: &[u8]| theater_fuzz::BUNDLE.check(bytes));
