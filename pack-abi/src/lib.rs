//! Graph ABI (CGRF v3) codec: typed values to bytes and back, shared by host and guest.

#![no_std]

extern crate alloc;

pub mod types;
