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
        let depth = deeper(state.map_or(0, |state| state.len() as u64), u64::MAX);
        Ok((Some(depth.to_le_bytes().to_vec()),))
    }
}

/// Nothing of a frame is in memory, so that it is the call stack that overflows; no loop can replace it.
fn deeper(depth: u64, bottom: u64) -> u64 {
    if depth == bottom { 0 } else { deeper(depth + 1, bottom).rotate_left(7) ^ depth }
}

bindings::export!(Component with_types_in bindings);
