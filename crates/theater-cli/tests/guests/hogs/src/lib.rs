//! Takes memory until there is none.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{} is hungry", params.0));
        let mut taken = vec![state.unwrap_or_default()];
        loop {
            taken.push(vec![1; 1 << 20]);
            std::hint::black_box(&taken);
        }
    }
}

bindings::export!(Component with_types_in bindings);
