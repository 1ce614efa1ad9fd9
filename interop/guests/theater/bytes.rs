//! A list of bytes in and out.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface bytes { reverse: func(data: list<u8>) -> list<u8>; }
                 world guest { export bytes; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::bytes::Guest;

struct Component;

impl Guest for Component {
    fn reverse(mut data: Vec<u8>) -> Vec<u8> {
        data.reverse();
        data
    }
}

bindings::export!(Component with_types_in bindings);
