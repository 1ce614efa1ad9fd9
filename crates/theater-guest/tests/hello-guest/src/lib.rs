//! Greets, and says so in its log.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::exports::theater::simple::actor;
use bindings::my::hello::console::log;

theater_guest::panic_handler!();

struct Component;

impl actor::Guest for Component {
    fn init(state: Option<Vec<u8>>, _: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        Ok((state,))
    }
}

impl bindings::Guest for Component {
    fn greet(name: String) -> String {
        log(&format!("greeting {name}"));
        format!("hello, {name}")
    }
}

bindings::export!(Component with_types_in bindings);
