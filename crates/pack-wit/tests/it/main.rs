//! The parser from outside: what it understands, what it refuses and how, and what others say of our files.

mod differential;
mod errors;
mod generics;
mod metadata;
mod pact;
mod resolving;
mod round_trip;
