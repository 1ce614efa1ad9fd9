//! A value export: whatever comes in goes out.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface values { echo: func(input: value) -> value; }
                 world guest { export values; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::values::Guest;
use theater_guest::Value;

struct Component;

impl Guest for Component {
    fn echo(input: Value) -> Value {
        input
    }
}

bindings::export!(Component with_types_in bindings);
