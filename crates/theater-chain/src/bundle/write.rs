//! Writes the files of a run as a bundle: the same run, the same bytes.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::fault::{Fault, FaultKind, ReadError};
use crate::storage::Files;

use super::format::{BUNDLE_ENTRIES_MAX, BUNDLE_ENTRY_BYTES_MAX, Entry, directory, is_name_of_run};

const BUFFER_BYTES: usize = 256 << 10;

/// Why a run could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run cannot be read, or has a file that is none of a run's.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file is larger than those of a run are.
    #[error("{name} is larger than {BUNDLE_ENTRY_BYTES_MAX} bytes")]
    TooLarge {
        /// The file.
        name: String,
    },
    /// There are more files than a run has.
    #[error("the run has more than {BUNDLE_ENTRIES_MAX} files")]
    TooMany,
    /// The bundle cannot be written.
    #[error("failed to write the bundle")]
    Write(#[source] io::Error),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Number of files in the bundle.
    pub files: u64,
    /// Length of the bundle.
    pub bytes: u64,
}

/// Writes all files of a run, as they are, to the beginning of `to`, which must be empty. A run that is being written
/// must come to its end first: its files would not fit each other.
///
/// # Errors
/// If the run cannot be read, has foreign files, or the bundle cannot be written.
pub fn export<W: Write + Seek>(files: &dyn Files, to: &mut W) -> Result<Exported, ExportError> {
    let names = names(files)?;
    if names.len() > BUNDLE_ENTRIES_MAX {
        return Err(ExportError::TooMany);
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(names.len());
    let mut buffer = vec![0; BUFFER_BYTES];
    for name in names {
        let at = entries.last().map_or(0, Entry::end);
        let placeholder = Entry { name, crc: 0, size: 0, at };
        entries.push(entry(files, to, placeholder, &mut buffer)?);
    }
    let at = entries.last().map_or(0, Entry::end);
    let directory = directory(&entries, at);
    to.write_all(&directory).and_then(|()| to.flush()).map_err(ExportError::Write)?;
    Ok(Exported { files: entries.len() as u64, bytes: at + directory.len() as u64 })
}

/// Writes one file; its header is put right when its checksum is known.
fn entry<W: Write + Seek>(
    files: &dyn Files,
    to: &mut W,
    mut entry: Entry,
    buffer: &mut [u8],
) -> Result<Entry, ExportError> {
    let read = |error| ReadError::io(&entry.name, error);
    to.write_all(&entry.local()).map_err(ExportError::Write)?;
    let mut file = files.open(&entry.name).map_err(read)?;
    let mut crc = crc32fast::Hasher::new();
    let mut size = 0;
    loop {
        let count = file.read(buffer).map_err(read)?;
        if count == 0 {
            break;
        }
        size += count as u64;
        if size > BUNDLE_ENTRY_BYTES_MAX {
            return Err(ExportError::TooLarge { name: entry.name });
        }
        crc.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(ExportError::Write)?;
    }
    (entry.crc, entry.size) = (crc.finalize(), size as u32);
    let patched = to
        .seek(SeekFrom::Start(entry.at))
        .and_then(|_| to.write_all(&entry.local()))
        .and_then(|()| to.seek(SeekFrom::Start(entry.end())));
    patched.map_err(ExportError::Write)?;
    Ok(entry)
}

/// The files of a run, in the order of a bundle.
fn names(files: &dyn Files) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for folder in ["blobs", "journal"] {
        let listed = files.list(folder).map_err(|error| ReadError::io(folder, error))?;
        // What was being put in place when the writer stopped is no part of the run.
        let listed = listed.into_iter().filter(|name| !name.ends_with(".tmp"));
        names.extend(listed.map(|name| format!("{folder}/{name}")));
    }
    if let Some(foreign) = names.iter().find(|name| !is_name_of_run(name)) {
        let what = FaultKind::ForeignFile;
        return Err(Fault { file: foreign.clone(), offset: 0, batch: None, events: Vec::new(), what }.into());
    }
    if !names.iter().any(|name| name.starts_with("journal/")) {
        return Err(ReadError::NotARun("it has no journal"));
    }
    for name in ["checkpoint", "secret"] {
        match files.open(name) {
            Ok(_) => names.push(name.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ReadError::io(name, error)),
        }
    }
    names.sort_unstable();
    Ok(names)
}
