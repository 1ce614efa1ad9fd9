//! Reads arbitrary bytes as values of Rust types; what is checked is in `src/codec/decode_typed.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::DECODE_TYPED.start(), |bytes: &[u8]| theater_fuzz::DECODE_TYPED.check(bytes));
