//! Guests in WebAssembly text, called through the public interface of the crate.

mod calls;
mod drops;
mod packages;
mod starts;
mod support;
mod traps;
