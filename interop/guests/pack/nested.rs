//! Lists of lists.

#![no_std]
extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use packr_guest::export;

packr_guest::setup_guest!();

#[export(name = "interop:guest/nested.backwards")]
fn backwards(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.into_iter().rev().map(|row| row.into_iter().rev().collect()).collect()
}

#[export(name = "interop:guest/nested.sums")]
fn sums(rows: Vec<Vec<u16>>) -> Vec<u16> {
    rows.iter().map(|row| row.iter().sum()).collect()
}
