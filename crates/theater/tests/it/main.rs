//! Actors run, their runs verify and replay, and every abnormal end is an event.

mod ends;
mod guest;
mod house;
mod replays;
mod requests;
