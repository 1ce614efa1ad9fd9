//! Calls itself until the stack is full.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{} goes deep", params.0));
        let depth = deeper(state.map_or(0, |state| state.len() as u64));
        Ok((Some(depth.to_le_bytes().to_vec()),))
    }
}

fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    if frame[7] == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + frame[3]
}

bindings::export!(Component with_types_in bindings);
