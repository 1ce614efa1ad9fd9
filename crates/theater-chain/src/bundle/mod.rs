//! A run in one file: a ZIP of its files, which any `unzip` opens and which is read without unpacking it.
//!
//! Everything is stored and nothing compressed, so that the same run is the same bytes whatever compresses elsewhere,
//! that a segment can be read from its middle, and that no bundle is larger inside than outside. There is one way
//! to write a bundle and reading accepts no other: names, order, times, lengths and offsets are all determined by the
//! files. So nothing in it can overlap, come twice, hide, or have two meanings. General ZIP readers must accept much
//! more, which is why none is used here.

mod format;
mod open;
mod write;

pub use format::{BUNDLE_ENTRIES_MAX, BUNDLE_ENTRY_BYTES_MAX};
pub use open::{Bundle, BundleError};
pub use write::{ExportError, Exported, export};
