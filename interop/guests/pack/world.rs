//! Imports of a world in a file, through `world!`.

#![no_std]
extern crate alloc;

use alloc::string::String;

use packr_guest::export;

packr_guest::setup_guest!();

packr_guest::world!();

#[export(name = "interop:guest/world.greet")]
fn greet(name: String) -> String {
    let twice = services::double(21);
    services::join(&name, &alloc::format!(" {twice}"), 1)
}
