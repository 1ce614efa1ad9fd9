//! Actors that talk: real guests, whose runs verify, replay and are causally consistent.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod causes;
mod channels;
mod children;
mod freezes;
mod house;
mod live;
mod mailboxes;
mod requests;
mod storm;
