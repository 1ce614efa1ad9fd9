//! A state that goes in and comes back.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface counter {
                     record counter { total: s64 }
                     add: func(state: counter, amount: s64) -> result<tuple<counter, s64>, string>;
                 }
                 world guest { export counter; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::counter::{Counter, Guest};

struct Component;

impl Guest for Component {
    fn add(state: Counter, amount: i64) -> Result<(Counter, i64), String> {
        if amount < 0 {
            return Err("only up".to_owned());
        }
        let total = state.total + amount;
        Ok((Counter { total }, total))
    }
}

bindings::export!(Component with_types_in bindings);
