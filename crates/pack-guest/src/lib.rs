//! Guest side of the Graph ABI calling convention.
//!
//! Generated bindings call into this crate: [`import`] carries a call to the host, [`export`] answers one from
//! it, [`memory`] gives the host room to write, [`mod@panic`] tells it why a guest gave up. It works without the
//! standard library; then a guest chooses its own allocator and calls [`panic_handler!`].

#![no_std]

pub extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(any(test, all(feature = "allocator", target_arch = "wasm32")))]
mod allocator;
pub mod export;
pub mod import;
pub mod memory;
pub mod panic;
#[cfg(all(feature = "std", not(target_arch = "wasm32")))]
pub mod testing;

pub use pack_abi as abi;
pub use pack_abi::Value;
pub use pack_macros::GraphValue;
#[doc(hidden)]
pub use pack_macros::bindings as __bindings;

/// What generated code names, under one path.
#[doc(hidden)]
pub mod rt {
    pub use alloc::boxed::Box;
    pub use alloc::collections::{BTreeMap, BTreeSet};
    pub use alloc::string::String;
    pub use alloc::vec::Vec;

    /// Contents of the section `pack:sdk`: version 1; bit 0: the result buffer is kept by the guest.
    pub const SDK: [u8; 2] = [1, 1];
}

/// Generates bindings for the world in a folder of interface files.
///
/// `generate!("wit")` reads the folder `wit` beside `Cargo.toml`; the files of other packages are in
/// `wit/deps`. With several worlds, `generate!({ path: "wit", world: "name" })`.
#[macro_export]
macro_rules! generate {
    ($($options:tt)*) => {
        $crate::__bindings! { crate = [$crate]; sources = []; $($options)* }
    };
}
