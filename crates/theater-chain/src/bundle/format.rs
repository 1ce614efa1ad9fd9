//! The bytes of a bundle besides its files: a header before each, the directory of all at the end.

use crate::hash::Hash;
use crate::segment::segment_name;

/// The most files of a bundle.
pub const BUNDLE_ENTRIES_MAX: usize = 1 << 20;
/// The largest file of a bundle. From here on ZIP needs another form, and no file of a run is so large.
pub const BUNDLE_ENTRY_BYTES_MAX: u64 = (1 << 31) - 1;

/// Longest name: a payload.
pub(super) const NAME_BYTES_MAX: usize = 80;
pub(super) const LOCAL_BYTES: usize = 30;
pub(super) const LOCAL_TAG: [u8; 4] = *b"PK\x03\x04";

/// Version of ZIP that a reader needs for stored files in folders, and for offsets of eight bytes.
const VERSION: u16 = 20;
const VERSION_FAR: u16 = 45;
const MADE_ON_UNIX: u16 = 3 << 8;
/// 1 January 1980, the first day of ZIP.
const DATE: u16 = 33;
/// Readable and writable by the owner only: a run holds its secret.
const MODE: u32 = 0o600 << 16;
/// Offsets above this are written in the form of eight bytes, as common ZIP writers do.
const NEAR_MAX: u64 = (1 << 31) - 1;

/// Says whether a file of this name belongs to a run and so into its bundle.
pub(crate) fn is_name_of_run(name: &str) -> bool {
    if let Some(blob) = name.strip_prefix("blobs/") {
        return blob.strip_suffix(".payload").unwrap_or(blob).parse::<Hash>().is_ok();
    }
    let number = name.strip_prefix("journal/").and_then(|name| name.strip_suffix(".seg"));
    match number.and_then(|number| number.parse().ok()) {
        Some(number) => segment_name(number) == name,
        None => matches!(name, "checkpoint" | "secret"),
    }
}

/// A file in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) crc: u32,
    pub(super) size: u32,
    /// Where its header is.
    pub(super) at: u64,
}

impl Entry {
    fn fields(&self, version: u16, extra: u16) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(26);
        for number in [version, 0, 0, 0, DATE] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.crc, self.size, self.size] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.name.len() as u16, extra] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// What stands before the file.
    pub(super) fn local(&self) -> Vec<u8> {
        let mut bytes = LOCAL_TAG.to_vec();
        bytes.extend_from_slice(&self.fields(VERSION, 0));
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }

    /// Where the file begins.
    pub(super) fn start(&self) -> u64 {
        self.at + (LOCAL_BYTES + self.name.len()) as u64
    }

    /// Where the file ends.
    pub(super) fn end(&self) -> u64 {
        self.start() + u64::from(self.size)
    }

    fn central(&self, bytes: &mut Vec<u8>) {
        let is_far = self.at > NEAR_MAX;
        let (version, extra) = if is_far { (VERSION_FAR, 12) } else { (VERSION, 0) };
        bytes.extend_from_slice(b"PK\x01\x02");
        bytes.extend_from_slice(&(MADE_ON_UNIX | version).to_le_bytes());
        bytes.extend_from_slice(&self.fields(version, extra));
        // No comment, the first disk, no internal attributes.
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&MODE.to_le_bytes());
        let at = if is_far { u32::MAX } else { self.at as u32 };
        bytes.extend_from_slice(&at.to_le_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        if is_far {
            bytes.extend_from_slice(&[1, 0, 8, 0]);
            bytes.extend_from_slice(&self.at.to_le_bytes());
        }
    }
}

/// What stands after the files, the last of which ends at `at`.
pub(super) fn directory(entries: &[Entry], at: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        entry.central(&mut bytes);
    }
    let (count, size) = (entries.len() as u64, bytes.len() as u64);
    if count > u64::from(u16::MAX) || size > NEAR_MAX || at > NEAR_MAX {
        bytes.extend_from_slice(b"PK\x06\x06");
        bytes.extend_from_slice(&44u64.to_le_bytes());
        bytes.extend_from_slice(&VERSION_FAR.to_le_bytes());
        bytes.extend_from_slice(&VERSION_FAR.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        for number in [count, count, size, at] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        bytes.extend_from_slice(&(at + size).to_le_bytes());
        bytes.extend_from_slice(&1u32.to_le_bytes());
    }
    let count = count.min(u64::from(u16::MAX)) as u16;
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    for number in [size, at] {
        bytes.extend_from_slice(&(number.min(u64::from(u32::MAX)) as u32).to_le_bytes());
    }
    bytes.extend_from_slice(&[0; 2]);
    bytes
}
