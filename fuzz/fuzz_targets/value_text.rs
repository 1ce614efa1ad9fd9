//! Reads arbitrary text as a value; what is checked is in `src/codec/value_text.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::VALUE_TEXT.start(), |bytes: &[u8]| theater_fuzz::VALUE_TEXT.check(bytes));
