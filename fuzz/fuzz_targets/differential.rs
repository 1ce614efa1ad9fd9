//! Compares with the published codec; what is checked is in `src/codec/differential.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::DIFFERENTIAL.start(), |bytes: &[u8]| theater_fuzz::DIFFERENTIAL.check(bytes));
