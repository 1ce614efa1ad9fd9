//! The SDK as a whole: an actor as its author writes it, built for wasm and looked into.

mod wasm;
