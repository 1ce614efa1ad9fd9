//! Guests in WebAssembly text, called through the public interface of the crate.

mod calls;
mod support;
