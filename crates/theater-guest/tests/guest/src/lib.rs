mod bindings { theater_guest::generate!("wit"); }

use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;
struct Component;
impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log("Actor initialized!");
        Ok((state,))
    }
}
bindings::export!(Component with_types_in bindings);
