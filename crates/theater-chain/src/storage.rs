//! The few file operations that a run needs, so that each of them can be made to fail.
//!
//! Names are relative to the run's directory and use `/`. A journal writes through [`Storage`]; reading and
//! verifying ask for no more than [`Files`], so that a bundle can be read as a directory is.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file open for reading.
pub trait ReadAt: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadAt for T {}

/// The files of a run, to be read.
pub trait Files: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound` if there is none; otherwise what the system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>>;

    /// Returns the names in a folder, sorted; none if there is no such folder.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Returns the name of a file that what holds the files knows to be damaged, if it knows of any.
    ///
    /// # Errors
    /// What the system says.
    fn damaged(&self) -> io::Result<Option<String>> {
        Ok(None)
    }

    /// Keeps side data that can be made anew, without waiting for the disk; does nothing where there is no place for it.
    ///
    /// # Errors
    /// What the system says; nothing is lost by it.
    fn keep_aside(&self, _name: &str, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A file open for appending.
pub trait Append: Send {
    /// Appends all bytes.
    ///
    /// # Errors
    /// What the system says; how much was appended is then unknown.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything appended so far is on stable storage.
    ///
    /// # Errors
    /// What the system says; what is on stable storage is then unknown.
    fn sync(&mut self) -> io::Result<()>;
}

/// The files of a run, to be written.
pub trait Storage: Files {
    /// Creates an empty file that only its owner can read.
    ///
    /// # Errors
    /// `AlreadyExists` if there is one; otherwise what the system says.
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>>;

    /// Gives a file another name, replacing what had it.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Returns when the names in a folder (the empty string is the run's own) are on stable storage.
    ///
    /// # Errors
    /// What the system says.
    fn sync_names(&self, folder: &str) -> io::Result<()>;
}

/// Reads a whole file of at most `bytes_max` bytes.
pub(crate) fn read_whole(files: &dyn Files, name: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files.open(name)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{name} is larger than {bytes_max} bytes"),
        ));
    }
    Ok(bytes)
}

/// Puts a file in place whole or not at all: temporary name, sync, rename.
pub(crate) fn write_whole(
    storage: &dyn Storage,
    folder: &str,
    name: &str,
    parts: &[&[u8]],
) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    let mut file = storage.create(&temporary)?;
    for part in parts {
        file.append(part)?;
    }
    file.sync()?;
    drop(file);
    storage.rename(&temporary, name)?;
    storage.sync_names(folder)
}

/// Puts a file in place in a folder of which the caller has the lock: what an earlier writer left half done is replaced,
/// and nothing half done is left.
pub(crate) fn replace_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.tmp"));
    let clear = || match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    clear()?;
    let written = write_whole(&Directory::new(folder), "", name, &[bytes]);
    if written.is_err() {
        // That it could not be written is the error to tell.
        clear().ok();
    }
    written
}

/// A directory on disk.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Holds the lock as long as it is open.
    _lock: Option<File>,
}

impl Directory {
    /// Names an existing directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), _lock: None }
    }

    /// Makes the directory and its folders, readable only by their owner.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        private_folder(path)?;
        private_folder(&path.join("journal"))?;
        private_folder(&path.join("blobs"))?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self::new(path))
    }

    /// Takes the lock that keeps a second process out; it is held as long as the file is open.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let file = create_options().truncate(false).open(self.path.join("lock"))?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
            fs::TryLockError::Error(error) => error,
        })?;
        Ok(file)
    }

    pub(crate) fn locked_by(self, lock: File) -> Self {
        Self { _lock: Some(lock), ..self }
    }

    /// Says whether a process holds the lock.
    pub(crate) fn is_locked(&self) -> bool {
        File::open(self.path.join("lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }
}

/// Takes the lock that a file stands for, which is made if need be, and waits for it. It is held as long as the file is open.
///
/// # Errors
/// What the system says.
pub fn lock_file(path: &Path) -> io::Result<File> {
    let file = create_options().truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub(crate) fn create_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Files for Directory {
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>> {
        Ok(Box::new(File::open(self.path.join(name))?))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.path.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn keep_aside(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        // Two readers may do so at once.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let kept = create_options()
            .truncate(true)
            .open(&temporary)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&temporary, &path));
        if kept.is_err() {
            fs::remove_file(&temporary).ok();
        }
        kept
    }
}

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Storage for Directory {
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(create_options().create_new(true).open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync_names(&self, folder: &str) -> io::Result<()> {
        File::open(self.path.join(folder))?.sync_all()
    }
}

/// Files in memory: what a run with `Durability::Memory` writes.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: Arc<Mutex<BTreeMap<String, SharedBytes>>>,
}

type SharedBytes = Arc<Mutex<Vec<u8>>>;

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while the lock is held leaves bytes appended or not: both are states a reader must expect.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryFiles {
    /// Returns no files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    pub fn insert(&self, name: &str, bytes: Vec<u8>) {
        locked(&self.files).insert(name.to_owned(), Arc::new(Mutex::new(bytes)));
    }

    /// Returns the names of all files, sorted.
    pub fn names(&self) -> Vec<String> {
        locked(&self.files).keys().cloned().collect()
    }

    /// Returns the bytes of a file.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let file = locked(&self.files).get(name).cloned()?;
        let bytes = locked(&file).clone();
        Some(bytes)
    }
}

struct MemoryReader {
    bytes: SharedBytes,
    offset: u64,
}

impl Read for MemoryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = locked(&self.bytes);
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = buffer.len().min(bytes.len() - start);
        buffer[..count].copy_from_slice(&bytes[start..start + count]);
        self.offset += count as u64;
        Ok(count)
    }
}

impl Seek for MemoryReader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let offset = match position {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => (locked(&self.bytes).len() as u64).checked_add_signed(distance),
            SeekFrom::Current(distance) => self.offset.checked_add_signed(distance),
        };
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

struct MemoryAppender(SharedBytes);

impl Append for MemoryAppender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Files for MemoryFiles {
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>> {
        let bytes = locked(&self.files).get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryReader { bytes, offset: 0 }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let files = locked(&self.files);
        Ok(files.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect())
    }
}

impl Storage for MemoryFiles {
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        let mut files = locked(&self.files);
        if files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let bytes = SharedBytes::default();
        files.insert(name.to_owned(), Arc::clone(&bytes));
        Ok(Box::new(MemoryAppender(bytes)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = locked(&self.files);
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_names(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_put_in_place_leaves_nothing_half_done() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("note.tmp"), "half a no").unwrap();
        replace_whole(folder.path(), "note", b"whole").unwrap();
        assert_eq!(fs::read(folder.path().join("note")).unwrap(), b"whole");
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(replace_whole(folder.path(), "taken", b"whole").is_err());
        let names = Directory::new(folder.path()).list("").unwrap();
        assert_eq!(names, ["note", "taken"]);
    }
}
