//! Options and results as fields, parameters and results.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface optional {
                     record holder { name: option<string>, count: option<u32> }
                     fill: func(holder: holder) -> holder;
                     find: func(index: u32) -> option<string>;
                     flip: func(given: option<u32>, outcome: result<u32, string>) -> result<option<u32>, string>;
                 }
                 world guest { export optional; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::optional::{Guest, Holder};

struct Component;

impl Guest for Component {
    fn fill(holder: Holder) -> Holder {
        let count = holder.count.map(|count| count + 1);
        Holder { name: holder.name.or(Some("nobody".to_owned())), count }
    }

    fn find(index: u32) -> Option<String> {
        ["zero", "one"].get(index as usize).map(|name| String::from(*name))
    }

    fn flip(given: Option<u32>, outcome: Result<u32, String>) -> Result<Option<u32>, String> {
        outcome.map(|number| given.map(|given| given + number))
    }
}

bindings::export!(Component with_types_in bindings);
