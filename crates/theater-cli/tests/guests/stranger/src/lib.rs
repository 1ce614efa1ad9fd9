//! Imports an interface that nobody provides.

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;

struct Component;

impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(&format!("{} asks for the weather", params.0));
        let degrees = bindings::story::stranger::weather::now();
        Ok((state.or(Some(degrees.to_le_bytes().to_vec())),))
    }
}

bindings::export!(Component with_types_in bindings);
