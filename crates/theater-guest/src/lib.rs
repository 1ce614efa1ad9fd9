//! What an actor author depends on.
//!
//! An actor is a library of type `cdylib` with its own world in `wit/`:
//!
//! ```wit
//! package my:actor;
//! world my-actor {
//!     import theater:simple/runtime;
//!     export theater:simple/actor;
//! }
//! ```
//!
//! ```ignore
//! mod bindings { theater_guest::generate!("wit"); }
//!
//! use bindings::exports::theater::simple::actor::Guest;
//! use bindings::theater::simple::runtime::log;
//! struct Component;
//! impl Guest for Component {
//!     fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
//!         log("Actor initialized!");
//!         Ok((state,))
//!     }
//! }
//! bindings::export!(Component with_types_in bindings);
//! ```

#[doc(hidden)]
pub use pack_guest;
#[cfg(not(target_arch = "wasm32"))]
pub use pack_guest::testing;
pub use pack_guest::{GraphValue, Value};

include!(concat!(env!("OUT_DIR"), "/generate.rs"));
