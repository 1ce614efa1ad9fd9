//! The live run from outside: a socket that only its owner can open, and what is said through it.

mod client;
mod server;
mod socket;
mod wire;

pub(crate) use client::{Connection, LiveActor, choose};
pub(crate) use server::serve;
pub(crate) use socket::Sockets;
pub(crate) use wire::BODY_BYTES_MAX as MESSAGE_BYTES_MAX;
