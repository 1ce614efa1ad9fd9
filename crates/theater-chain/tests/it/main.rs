//! Runs written, read and verified from outside, as the runtime and the tools do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bundle;
mod crash;
mod follow;
mod fuzz;
#[path = "../../../../fuzz/src/journal.rs"]
mod fuzzed;
mod golden;
mod index;
mod journal;
mod killed;
mod merkle;
mod proof;
mod random;
mod redaction;
mod reject;
mod second;
mod support;
mod tamper;
#[path = "../../../../fuzz/src/target.rs"]
mod target;
