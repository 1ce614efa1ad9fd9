//! An actor that counts the text it is started with and shuts down with a report in JSON.

mod bindings {
    theater_guest::generate!("wit");
}
pub mod count;

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::{log, shutdown};
use count::Counter;

/// Bytes between two messages about progress.
const PROGRESS_BYTES: usize = 1 << 20;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, _params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        let text = state.ok_or("there is no text: start me with `theater run --state FILE`")?;
        log(&format!("counting {} bytes", text.len()));
        let mut counter = Counter::default();
        let mut pieces = text.chunks(PROGRESS_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            counter.take(piece);
            if pieces.peek().is_some() {
                log(&format!("{} of {} bytes", counter.bytes(), text.len()));
            }
        }
        let report = counter.finish();
        log(&format!("{} words in {} lines", report.words, report.lines));
        let json = serde_json::to_vec(&report).map_err(|error| error.to_string())?;
        shutdown(Some(&json))?;
        Ok((Some(text),))
    }
}

bindings::export!(Component with_types_in bindings);
