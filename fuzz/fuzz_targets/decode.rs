//! Reads arbitrary bytes as a value; what is checked is in `src/codec/decode.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::DECODE.start(), |bytes: &[u8]| theater_fuzz::DECODE.check(bytes));
