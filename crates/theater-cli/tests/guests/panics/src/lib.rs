//! Panics with a number in its hand.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log("about to index");
        let bytes = state.unwrap_or_default();
        let wanted = params.0.len() + 1000;
        Ok((Some(vec![bytes[wanted]]),))
    }
}

bindings::export!(Component with_types_in bindings);
