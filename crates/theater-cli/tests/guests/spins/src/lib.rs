//! Never comes back.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{} spins", params.0));
        let mut turns = state.map_or(0, |state| state.len());
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }
}

bindings::export!(Component with_types_in bindings);
