//! Guests in WebAssembly text, called through the public interface of the crate.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod bits;
mod calls;
mod drops;
mod packages;
mod starts;
mod support;
mod tasks;
mod traps;
