//! Translates a sentence word by word, with the dictionary of the program that runs it.

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::example::embed::dictionary::look_up;
use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, _params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        let translated: Vec<String> = "every event on the stage has an actor"
            .split(' ')
            .map(|word| look_up(word).unwrap_or_else(|| word.to_owned()))
            .collect();
        log(&translated.join(" "));
        Ok((state,))
    }
}

bindings::export!(Component with_types_in bindings);
