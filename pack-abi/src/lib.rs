//! Graph ABI (CGRF v3) codec: typed values to bytes and back, shared by host and guest.
//!
//! Two ways in and out: Rust types directly ([`Encode`], [`Decode`], derived by `GraphValue`) and the dynamic
//! [`Value`]. [`View`] reads without building anything.
//!
//! Encoding is canonical and byte-identical to `packr-abi` 0.24. Decoding accepts what encoders produce and no
//! other form of it: for every buffer that decodes as a [`Value`], encoding that value gives the same buffer.
//! Whatever else the bytes are, they are refused with a cause and an offset, before any allocation that is not
//! proportional to them, and without recursion that they could drive.
//!
//! [`types`] describes interfaces, [`hash`] identifies them, [`metadata`] carries them inside a package. [`contract`]
//! checks values against a signature, [`type_diff`] tells what differs between two signatures.

#![no_std]

extern crate alloc;

mod compare;
mod compound;
pub mod contract;
mod cursor;
mod decode;
mod diff;
mod encode;
mod error;
mod explain;
mod graph_type;
pub mod hash;
mod impls;
#[cfg(feature = "serde")]
mod json;
mod kind;
pub mod metadata;
pub mod names;
mod node;
mod parse;
mod read_value;
mod shape;
#[doc(hidden)]
pub mod squeeze;
mod text;
pub mod type_diff;
pub mod types;
mod utf8;
mod value;
mod view;
#[cfg(any(test, target_arch = "wasm32"))]
mod walk;
mod wire_type;

pub use compound::{Items, ListValue, MapValue, OptionValue, RecordValue, ResultValue, VariantValue};
pub use decode::{Decode, decode, decode_with};
pub use diff::{Difference, diff};
pub use encode::{Encode, Encoder, encode, encode_into};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use graph_type::{GraphType, TypeWriter, wire_type_of};
pub use impls::Flags;
pub use kind::Kind;
pub use node::{Children, NodeRef};
pub use parse::{LiteralError, ParseError, parse_typed};
pub use shape::{Case, CaseShape, Elements, Fields, Record, RecordShape};
pub use value::{ConvertError, Value};
pub use view::{Limits, View, encoded_length};
pub use wire_type::WireType;

/// The deepest nesting of compound values and of type terms, written or read.
pub const MAX_DEPTH: u32 = 512;
/// The largest buffer, written or read.
pub const BUFFER_BYTES_MAX: usize = 256 << 20;
/// The most nodes in a buffer, written or read.
pub const NODES_MAX: u32 = 10_000_000;
/// The largest node: upstream's decoder accepts no larger one.
const PAYLOAD_BYTES_MAX: usize = 128 << 20;
/// Magic, version, flags, number of nodes, root.
const HEADER_BYTES: usize = 16;
/// Kind, flags, reserved, length of the payload.
const NODE_HEADER_BYTES: usize = 8;

/// What the derive's output and the guest crate name besides the public items.
#[doc(hidden)]
pub mod __private {
    pub use alloc::vec::Vec;

    pub use crate::error::decimal;
}
