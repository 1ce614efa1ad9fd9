//! Reads its own chain.

mod bindings {
    theater_guest::generate!("../wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::{get_chain, get_event, log, self_, shutdown};

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, _params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log("first");
        let entries = get_chain(0)?;
        let kinds: Vec<u8> = entries.iter().map(|entry| entry.kind).collect();
        log(&format!("kinds {kinds:?}, none is longer than {}", entries.len()));
        log(&format!("from 2: {}", get_chain(2)?.len()));
        log(&format!("behind: {}", get_chain(1000)?.len()));
        let (input, output) = get_event(2)?;
        log(&format!("event 2: {} in, {} out", input.len(), output.len()));
        for seq in [3, 1000] {
            if let Err(error) = get_event(seq) {
                log(&format!("event {seq}: {error}"));
            }
        }
        shutdown(Some(self_().as_bytes()))?;
        Ok((state,))
    }
}

bindings::export!(Component with_types_in bindings);
