//! The parser from outside: what it understands, what it refuses and how, and what others say of our files.

mod differential;
mod errors;
mod fuzz;
mod generics;
#[path = "../../../../fuzz/src/interface_text.rs"]
mod interface_text;
mod metadata;
mod pact;
mod resolving;
mod round_trip;
#[path = "../../../../fuzz/src/target.rs"]
mod target;
mod worlds;
