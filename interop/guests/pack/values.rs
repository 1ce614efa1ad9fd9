//! A value export: whatever comes in goes out.

#![no_std]
extern crate alloc;

use packr_guest::{export, Value};

packr_guest::setup_guest!();

#[export(name = "interop:guest/values.echo")]
fn echo(input: Value) -> Value {
    input
}
