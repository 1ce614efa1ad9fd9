//! Reads arbitrary text as interfaces; what is checked is in `src/interface_text.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::INTERFACE_TEXT.start(), |bytes: &[u8]| theater_fuzz::INTERFACE_TEXT.check(bytes));
