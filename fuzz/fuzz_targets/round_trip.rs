//! Takes arbitrary values to bytes and text and back; what is checked is in `src/codec/round_trip.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: theater_fuzz::ROUND_TRIP.start(), |bytes: &[u8]| theater_fuzz::ROUND_TRIP.check(bytes));
