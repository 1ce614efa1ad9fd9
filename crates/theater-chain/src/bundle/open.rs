//! Opens a bundle and hands out its files as a directory does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::storage::{Files, ReadAt};

use super::format::{
    BUNDLE_ENTRIES_MAX, BUNDLE_ENTRY_BYTES_MAX, Entry, LOCAL_BYTES, LOCAL_TAG, NAME_BYTES_MAX, directory,
    is_name_of_run,
};

const BUFFER_BYTES: usize = 64 << 10;

/// Why a file is not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The system refused.
    #[error("failed to read the bundle")]
    Io(#[from] io::Error),
    /// It does not begin as one.
    #[error("it is neither a directory nor a bundle")]
    NotABundle,
    /// An entry is not as it is written.
    #[error("the bundle is damaged or was not written by an export: at offset {offset}, {what}")]
    Entry {
        /// Offset of the entry.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The directory at the end says something else than the entries, or is not the end.
    #[error("the bundle is damaged or was not written by an export: its directory differs from its entries")]
    Directory,
    /// There are more files than a run has.
    #[error("the bundle has more than {BUNDLE_ENTRIES_MAX} files")]
    TooMany,
}

type Source = Arc<Mutex<Box<dyn ReadAt>>>;

/// The files of a run in a bundle.
pub struct Bundle {
    source: Source,
    entries: BTreeMap<String, Entry>,
}

impl Bundle {
    /// Opens a file. Its contents are not looked at yet; the form of everything around them is.
    ///
    /// # Errors
    /// If it is no bundle in the form in which one is written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BundleError> {
        Self::from_source(Box::new(File::open(path)?))
    }

    /// Opens a bundle that is somewhere else.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_source(mut source: Box<dyn ReadAt>) -> Result<Self, BundleError> {
        let entries = read_entries(&mut source)?;
        let entries = entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        Ok(Self { source: Arc::new(Mutex::new(source)), entries })
    }

    fn part(&self, entry: &Entry) -> Part {
        let source = Arc::clone(&self.source);
        Part { source, start: entry.start(), size: u64::from(entry.size), offset: 0 }
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Bundle").field("files", &self.entries.len()).finish_non_exhaustive()
    }
}

fn read_entries(source: &mut Box<dyn ReadAt>) -> Result<Vec<Entry>, BundleError> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    while let Some(entry) = read_entry(&mut source, at, length)? {
        if entries.last().is_some_and(|last| last.name >= entry.name) {
            return Err(BundleError::Entry { offset: at, what: "the name is out of order or comes twice" });
        }
        if entries.len() == BUNDLE_ENTRIES_MAX {
            return Err(BundleError::TooMany);
        }
        source.seek_relative(i64::from(entry.size))?;
        at = entry.end();
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(BundleError::NotABundle);
    }
    source.seek(SeekFrom::Start(at))?;
    let expected = directory(&entries, at);
    let is_directory = length - at == expected.len() as u64 && is_next(&mut source, &expected)?;
    if is_directory { Ok(entries) } else { Err(BundleError::Directory) }
}

/// Reads the entry at an offset; none if there is something else.
fn read_entry(source: &mut impl Read, at: u64, length: u64) -> Result<Option<Entry>, BundleError> {
    let wrong = |what| BundleError::Entry { offset: at, what };
    if length - at < LOCAL_BYTES as u64 {
        return Ok(None);
    }
    let mut local = [0; LOCAL_BYTES];
    source.read_exact(&mut local)?;
    if local[..4] != LOCAL_TAG {
        return Ok(None);
    }
    let word = |at: usize| u32::from_le_bytes([local[at], local[at + 1], local[at + 2], local[at + 3]]);
    let (crc, size) = (word(14), word(18));
    let name_bytes = usize::from(u16::from_le_bytes([local[26], local[27]]));
    if name_bytes > NAME_BYTES_MAX || at + (LOCAL_BYTES + name_bytes) as u64 > length {
        return Err(wrong("the name is longer than any"));
    }
    let mut name = vec![0; name_bytes];
    source.read_exact(&mut name)?;
    let name = String::from_utf8(name).map_err(|_| wrong("the name is no text"))?;
    if !is_name_of_run(&name) {
        return Err(wrong("the name is not that of a file of a run"));
    }
    let entry = Entry { name, crc, size, at };
    if entry.local()[..LOCAL_BYTES] != local {
        return Err(wrong("the entry is compressed or in another form"));
    }
    if u64::from(size) > BUNDLE_ENTRY_BYTES_MAX || entry.end() > length {
        return Err(wrong("the file is longer than the bundle"));
    }
    Ok(Some(entry))
}

/// Says whether these bytes come next.
fn is_next(source: &mut impl Read, expected: &[u8]) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    for part in expected.chunks(buffer.len()) {
        source.read_exact(&mut buffer[..part.len()])?;
        if buffer[..part.len()] != *part {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file in a bundle, open for reading; any number of them share the file that holds the bundle.
struct Part {
    source: Source,
    start: u64,
    size: u64,
    offset: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        // A panic while the lock is held leaves the file where it may be: everybody seeks before reading.
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(self.start + self.offset.min(self.size)))?;
        let count = source.read(&mut buffer[..count])?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl Seek for Part {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let offset = match position {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => self.size.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.offset.checked_add_signed(distance),
        };
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

impl Files for Bundle {
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>> {
        let entry = self.entries.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.part(entry)))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        Ok(self.entries.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    fn damaged(&self) -> io::Result<Option<String>> {
        let mut buffer = vec![0; BUFFER_BYTES];
        for entry in self.entries.values() {
            let mut crc = crc32fast::Hasher::new();
            let mut part = self.part(entry);
            loop {
                match part.read(&mut buffer)? {
                    0 => break,
                    count => crc.update(&buffer[..count]),
                }
            }
            if crc.finalize() != entry.crc {
                return Ok(Some(entry.name.clone()));
            }
        }
        Ok(None)
    }
}
