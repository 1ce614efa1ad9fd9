//! Reads wasm files as far as the build needs: which modules one imports from tells a guest of ours from one built
//! for somebody else.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

const IMPORT_SECTION: u8 = 2;

/// A file that cargo produced and that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadWasmError {
    /// It cannot be read.
    #[error("failed to read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It cannot be written again.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not a wasm module.
    #[error("{} is not a wasm module (at byte {offset})", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        offset: usize,
    },
}

/// Returns the modules that a wasm file imports from.
pub(crate) fn imported_modules(path: &Path) -> Result<BTreeSet<String>, ReadWasmError> {
    let bytes = std::fs::read(path).map_err(|source| ReadWasmError::Io { path: path.to_owned(), source })?;
    modules(&bytes).map_err(|offset| ReadWasmError::Malformed { path: path.to_owned(), offset })
}

/// Returns the size of a wasm file without the sections that no host reads: names, and who made it.
///
/// # Errors
/// If it cannot be read, or is no wasm module.
pub fn bytes_for_hosts(path: &Path) -> Result<usize, ReadWasmError> {
    let bytes = std::fs::read(path).map_err(|source| ReadWasmError::Io { path: path.to_owned(), source })?;
    counted(&bytes).map_err(|offset| ReadWasmError::Malformed { path: path.to_owned(), offset })
}

/// The same of bytes; the error is the offset of the first byte that does not fit.
fn counted(bytes: &[u8]) -> Result<usize, usize> {
    let mut reader = Reader::of_module(bytes)?;
    let mut count = reader.at;
    while reader.at < bytes.len() {
        let start = reader.at;
        let (id, section) = reader.section()?;
        let name = if id == 0 { Reader { bytes: section, at: 0 }.name().unwrap_or_default() } else { b"" };
        if name != b"name" && name != b"producers" {
            count += reader.at - start;
        }
    }
    Ok(count)
}

/// The same of bytes; the error is the offset of the first byte that does not fit.
fn modules(bytes: &[u8]) -> Result<BTreeSet<String>, usize> {
    let mut reader = Reader::of_module(bytes)?;
    while reader.at < bytes.len() {
        let (id, section) = reader.section()?;
        if id == IMPORT_SECTION {
            let start = reader.at - section.len();
            return Reader { bytes: section, at: 0 }.imports().map_err(|offset| start + offset);
        }
    }
    Ok(BTreeSet::new())
}

/// A place in a module or in a part of it; errors are offsets of the first byte that does not fit.
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Reader<'a> {
    /// Returns the place behind the header of a module.
    pub(crate) fn of_module(bytes: &'a [u8]) -> Result<Self, usize> {
        let mut reader = Self { bytes, at: 0 };
        if reader.take(8)? == b"\0asm\x01\0\0\0" { Ok(reader) } else { Err(0) }
    }

    /// Takes a section, or a subsection: its number and contents.
    pub(crate) fn section(&mut self) -> Result<(u8, &'a [u8]), usize> {
        let id = self.byte()?;
        let length = self.number()?;
        Ok((id, self.take(length)?))
    }

    fn imports(mut self) -> Result<BTreeSet<String>, usize> {
        let mut found = BTreeSet::new();
        for _ in 0..self.number()? {
            let module = self.name()?;
            found.insert(String::from_utf8_lossy(module).into_owned());
            self.name()?;
            self.skip_description()?;
        }
        Ok(found)
    }

    fn skip_description(&mut self) -> Result<(), usize> {
        let start = self.at;
        match self.byte()? {
            0 => self.number().map(drop),
            1 => self.byte().and_then(|_| self.skip_limits()),
            2 => self.skip_limits(),
            3 => self.take(2).map(drop),
            4 => self.byte().and_then(|_| self.number().map(drop)),
            _ => Err(start),
        }
    }

    fn skip_limits(&mut self) -> Result<(), usize> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 != 0 {
            self.number()?;
        }
        Ok(())
    }

    /// Takes a counted name.
    pub(crate) fn name(&mut self) -> Result<&'a [u8], usize> {
        let length = self.number()?;
        self.take(length)
    }

    fn byte(&mut self) -> Result<u8, usize> {
        self.take(1).map(|byte| byte[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], usize> {
        let end = self.at.checked_add(count).ok_or(self.at)?;
        let taken = self.bytes.get(self.at..end).ok_or(self.at)?;
        self.at = end;
        Ok(taken)
    }

    /// An unsigned number in LEB128, at most five bytes.
    pub(crate) fn number(&mut self) -> Result<usize, usize> {
        let start = self.at;
        let mut value: u64 = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).map_err(|_| start);
            }
        }
        Err(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a custom section and imports of a function, a table, a memory and a global.
    fn module() -> Vec<u8> {
        let mut imports = vec![4];
        for (name, description) in [
            ("theater:simple/runtime", &[0, 0x85, 0x01][..]),
            ("env", &[1, 0x70, 1, 2, 3]),
            ("env", &[2, 0, 1]),
            ("wasi_snapshot_preview1", &[3, 0x7f, 0]),
        ] {
            imports.push(u8::try_from(name.len()).expect("short"));
            imports.extend_from_slice(name.as_bytes());
            imports.extend_from_slice(&[1, b'x']);
            imports.extend_from_slice(description);
        }
        let mut bytes = b"\0asm\x01\0\0\0\x00\x03\x02ab".to_vec();
        bytes.extend_from_slice(&[IMPORT_SECTION, u8::try_from(imports.len()).expect("short")]);
        bytes.extend_from_slice(&imports);
        bytes
    }

    #[test]
    fn every_kind_of_import_is_read() {
        let found = modules(&module()).expect("a module");
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["env", "theater:simple/runtime", "wasi_snapshot_preview1"]);
    }

    #[test]
    fn names_and_producers_do_not_count() {
        let mut bytes = module();
        let whole = bytes.len();
        bytes.extend_from_slice(b"\0\x05\x04name");
        bytes.extend_from_slice(b"\0\x0b\x09producers\0");
        bytes.extend_from_slice(b"\0\x06\x05names");
        assert_eq!(counted(&bytes), Ok(whole + 8));
        assert!(counted(&bytes[..whole + 3]).is_err());
    }

    #[test]
    fn a_module_without_imports_has_none() {
        assert_eq!(modules(b"\0asm\x01\0\0\0"), Ok(BTreeSet::new()));
    }

    #[test]
    fn a_module_cut_anywhere_is_refused_or_empty_but_never_misread() {
        let whole = module();
        for end in 0..whole.len() {
            match modules(&whole[..end]) {
                Ok(found) => assert!(found.is_empty() && (end == 8 || end == 13), "{end}: {found:?}"),
                Err(offset) => assert!(offset <= end, "{end}: {offset}"),
            }
        }
    }

    #[test]
    fn a_lying_length_is_refused() {
        let mut bytes = b"\0asm\x01\0\0\0\x02".to_vec();
        bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(modules(&bytes).is_err());
        bytes.truncate(9);
        bytes.extend_from_slice(&[0xff; 6]);
        assert!(modules(&bytes).is_err());
    }
}
