//! An actor without the standard library: it counts its own starts.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

mod bindings {
    theater_guest::generate!({
        inline: "package my:actor; world counter { import theater:simple/runtime; export theater:simple/actor; }",
        world: "counter",
    });
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::{log, self_};

theater_guest::panic_handler!();

struct Counter;

impl Guest for Counter {
    fn init(state: Option<Vec<u8>>, (id,): (String,)) -> Result<(Option<Vec<u8>>,), String> {
        let count = match state.as_deref() {
            None => 1,
            Some([count]) => count + 1,
            Some(_) => return Err(format!("{id}: the state is not mine")),
        };
        log(&format!("{} started {count} times", self_()));
        Ok((Some(vec![count]),))
    }
}

bindings::export!(Counter with_types_in bindings);
