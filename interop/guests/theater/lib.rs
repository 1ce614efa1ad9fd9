//! Each package is an example of this crate: one file, one shape.
#![no_std]
