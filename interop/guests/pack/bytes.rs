//! A list of bytes in and out.

#![no_std]
extern crate alloc;

use alloc::vec::Vec;

use packr_guest::export;

packr_guest::setup_guest!();

#[export(name = "interop:guest/bytes.reverse")]
fn reverse(data: Vec<u8>) -> Vec<u8> {
    data.into_iter().rev().collect::<Vec<_>>()
}
