//! An actor of `theater:simple`.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 world guest { import theater:simple/runtime; export theater:simple/actor; }",
        world: "guest",
    });
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, (id,): (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{id} has started"));
        Ok((state,))
    }
}

bindings::export!(Component with_types_in bindings);
