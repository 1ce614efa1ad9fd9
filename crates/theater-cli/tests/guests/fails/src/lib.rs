//! Refuses to start, politely.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{} has nothing to do", params.0));
        match state {
            None => Err("there is no state to start from".to_owned()),
            some => Ok((some,)),
        }
    }
}

bindings::export!(Component with_types_in bindings);
