//! Reads and verifies arbitrary files as a run; what is checked is in `src/journal.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::JOURNAL.start(), |bytes: &[u8]| theater_fuzz::JOURNAL.check(bytes));
