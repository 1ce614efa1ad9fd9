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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use theater_guest::testing::Host;

    use super::{Component, Guest};

    #[test]
    fn the_actor_shuts_down_with_the_counts() {
        let result = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&result);
        let host = Host::new().on("theater:simple/runtime.log", |_: String| ()).on(
            "theater:simple/runtime.shutdown",
            move |data: Option<Vec<u8>>| -> Result<(), String> {
                *seen.borrow_mut() = data;
                Ok(())
            },
        );
        let returned = host.run(|| Component::init(Some(b"a b\n".to_vec()), ("root".to_owned(),)));
        assert_eq!(returned, Ok((Some(b"a b\n".to_vec()),)));
        let json = String::from_utf8(result.take().expect("it shut down")).expect("JSON is text");
        assert!(json.starts_with(r#"{"bytes":4,"lines":1,"words":2,"#), "{json}");
    }

    #[test]
    fn without_a_text_the_actor_says_how_to_give_one() {
        let returned = Component::init(None, ("root".to_owned(),));
        assert!(returned.is_err_and(|error| error.contains("--state FILE")));
    }
}
