//! Options as fields and as results.

#![no_std]
extern crate alloc;

use alloc::string::String;

use packr_guest::export;

packr_guest::setup_guest!();

packr_guest::pact! {
    record holder { name: option<string>, count: option<u32> }

    world optional {
        export fill: func(holder: holder) -> holder
    }
}

#[export(name = "interop:guest/optional.fill")]
fn fill(holder: Holder) -> Holder {
    let count = holder.count.map(|count| count + 1);
    Holder { name: holder.name.or(Some(String::from("nobody"))), count }
}

#[export(name = "interop:guest/optional.find")]
fn find(index: u32) -> Option<String> {
    ["zero", "one"].get(index as usize).map(|name| String::from(*name))
}
