//! A state export: the state goes in and comes back.

#![no_std]
extern crate alloc;

use alloc::string::String;

use packr_guest::{export, GraphValue};

packr_guest::setup_guest!();

#[derive(Clone, GraphValue)]
#[graph(crate = "packr_guest::composite_abi")]
struct Counter {
    total: i64,
}

#[export(name = "interop:guest/counter.add", state = "Counter")]
fn add(state: Counter, amount: i64) -> Result<(Counter, i64), String> {
    if amount < 0 {
        return Err(String::from("only up"));
    }
    let total = state.total + amount;
    Ok((Counter { total }, total))
}
