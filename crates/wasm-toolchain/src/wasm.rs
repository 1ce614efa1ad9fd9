//! Reads which modules a wasm file imports from, to tell a guest of ours from one built for somebody else.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

const IMPORT_SECTION: u8 = 2;

/// A file that cargo produced and that is not wasm.
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

/// The same of bytes; the error is the offset of the first byte that does not fit.
fn modules(bytes: &[u8]) -> Result<BTreeSet<String>, usize> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.take(8)? != b"\0asm\x01\0\0\0" {
        return Err(0);
    }
    while reader.at < bytes.len() {
        let id = reader.byte()?;
        let length = reader.number()?;
        let section = reader.take(length)?;
        if id == IMPORT_SECTION {
            let start = reader.at - length;
            return Reader { bytes: section, at: 0 }.imports().map_err(|offset| start + offset);
        }
    }
    Ok(BTreeSet::new())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
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

    fn name(&mut self) -> Result<&'a [u8], usize> {
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
    fn number(&mut self) -> Result<usize, usize> {
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
