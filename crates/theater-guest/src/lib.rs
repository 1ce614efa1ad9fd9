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
//! Its source begins with the line that makes the bindings, and implements what the world exports. Where there
//! is a folder `wit`, that line is `mod bindings { theater_guest::generate!("wit"); }`.
//!
//! ```
//! mod bindings {
//!     theater_guest::generate!({
//!         inline: "package my:actor;
//!                  world my-actor { import theater:simple/runtime; export theater:simple/actor; }",
//!         world: "my-actor",
//!     });
//! }
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
//!
//! // Outside wasm, as in a test, the imports are what the test says.
//! fn main() {
//!     let host = theater_guest::testing::Host::new().on("theater:simple/runtime.log", |_: String| ());
//!     assert_eq!(host.run(|| Component::init(None, ("root".to_owned(),))), Ok((None,)));
//! }
//! ```
//!
//! Without the standard library (`default-features = false`, perhaps with the feature `allocator`) an actor
//! calls [`panic_handler!`] once.

#![no_std]

mod error_code;

pub use error_code::ErrorCode;
#[doc(hidden)]
pub use pack_guest;
#[cfg(all(feature = "std", not(target_arch = "wasm32")))]
pub use pack_guest::testing;
pub use pack_guest::{GraphValue, Value, panic_handler};

include!(concat!(env!("OUT_DIR"), "/generate.rs"));
