//! Exports that return `result`, and one that panics.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface failing {
                     half: func(number: s64) -> result<s64, string>;
                     explode: func(number: s64) -> s64;
                 }
                 world guest { export failing; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::failing::Guest;

struct Component;

impl Guest for Component {
    fn half(number: i64) -> Result<i64, String> {
        if number % 2 == 0 { Ok(number / 2) } else { Err(format!("{number} is odd")) }
    }

    fn explode(number: i64) -> i64 {
        panic!("it exploded at {number}")
    }
}

bindings::export!(Component with_types_in bindings);
