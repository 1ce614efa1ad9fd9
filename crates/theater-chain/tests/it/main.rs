//! Runs written, read and verified from outside, as the runtime and the tools do.

mod journal;
mod support;
