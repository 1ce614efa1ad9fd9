//! Exports that return `result`, and one that panics.

#![no_std]
extern crate alloc;

use alloc::string::String;

use packr_guest::export;

packr_guest::setup_guest!();

#[export(name = "interop:guest/failing.half")]
fn half(number: i64) -> Result<i64, String> {
    if number % 2 == 0 {
        Ok(number / 2)
    } else {
        Err(alloc::format!("{number} is odd"))
    }
}

#[export(name = "interop:guest/failing.explode")]
fn explode(number: i64) -> i64 {
    panic!("it exploded at {number}")
}
