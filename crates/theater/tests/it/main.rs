//! Actors run, their runs verify and replay, and every abnormal end is an event.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod calls;
mod contracts;
mod ends;
mod guest;
mod house;
mod mutations;
mod replays;
mod requests;
mod stage;
mod tasks;
