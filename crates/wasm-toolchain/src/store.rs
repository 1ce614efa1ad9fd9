//! The folder under Theater's home that holds what was installed: locked, filled aside, renamed into place.
//!
//! A folder counts as installed if it lists its files (written last) and every listed file still has its size.
//! So a set-up that was interrupted, or damaged later, is not taken for one that works, and is done again.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::progress::Progress;

const CONTENTS: &str = "contents.json";
const PARTIAL: &str = "partial";

/// The folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} {}", path.display())]
pub struct StoreError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Something that was set up under Theater's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its folder.
    pub path: PathBuf,
    /// Its files, together.
    pub bytes: u64,
    /// Whether every file is there with its size.
    pub is_complete: bool,
}

/// `HOME/toolchain`, or another folder that several homes share.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    dir: PathBuf,
}

/// Keeps other processes out until it is dropped.
#[derive(Debug)]
pub(crate) struct StoreLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Store {
    pub(crate) fn of_home(home: &Path) -> Self {
        Self::at(home.join("toolchain"))
    }

    /// The paths of what is found here are used in other directories, so a relative one is resolved now.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir: std::path::absolute(&dir).unwrap_or(dir) }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn choice_file(&self) -> PathBuf {
        self.dir.join("choice.json")
    }

    /// Waits until no other process works here.
    pub(crate) fn lock(&self, progress: &mut dyn Progress) -> Result<StoreLock, StoreError> {
        create_private(&self.dir).map_err(failed("create", &self.dir))?;
        let path = self.dir.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => return Ok(StoreLock(file)),
            Err(TryLockError::WouldBlock) => {
                progress.step("waiting for another process that sets up a toolchain")
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
        }
        file.lock().map_err(failed("lock", &path))?;
        Ok(StoreLock(file))
    }

    /// Returns an empty folder to work in; whatever an interrupted set-up left is gone.
    pub(crate) fn partial(&self, _lock: &StoreLock) -> Result<PathBuf, StoreError> {
        let path = self.dir.join(PARTIAL);
        remove_tree(&path)?;
        fs::create_dir_all(&path).map_err(failed("create", &path))?;
        Ok(path)
    }

    /// Deletes what a set-up left that did not come to its end.
    pub(crate) fn discard_partial(&self, _lock: &StoreLock) -> Result<(), StoreError> {
        remove_tree(&self.dir.join(PARTIAL))
    }

    /// Lists the files of a finished folder and renames it to its place.
    pub(crate) fn publish(&self, lock: &StoreLock, from: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let mut files = Vec::new();
        list(from, Path::new(""), &mut files)?;
        let listed: serde_json::Map<String, Value> = files
            .into_iter()
            .map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes.into()))
            .collect();
        let contents = from.join(CONTENTS);
        fs::write(&contents, Value::Object(listed).to_string()).map_err(failed("write", &contents))?;
        self.replace(lock, from, name)
    }

    /// Renames a folder that lists its files to its place.
    pub(crate) fn replace(&self, _lock: &StoreLock, from: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let to = self.dir.join(name);
        remove_tree(&to)?;
        fs::rename(from, &to).map_err(failed("rename a finished folder to", &to))?;
        Ok(to)
    }

    /// Deletes the folders with this prefix other than one: what it replaces serves no compiler any more.
    pub(crate) fn keep_only(&self, _lock: &StoreLock, prefix: &str, name: &str) -> Result<(), StoreError> {
        let mut replaced = self.names(prefix).into_iter().filter(|found| found != name);
        replaced.try_for_each(|found| remove_tree(&self.dir.join(found)))
    }

    /// Returns the folder of this name if it is complete.
    pub(crate) fn complete(&self, name: &str) -> Option<PathBuf> {
        let dir = self.dir.join(name);
        bytes_if_complete(&dir).map(|_| dir)
    }

    /// Returns the names of the folders with this prefix, complete or not, sorted.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let entries = self.dir.read_dir().into_iter().flatten().flatten();
        let dirs = entries.filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> = dirs
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names
    }

    /// Returns everything that takes space here.
    pub(crate) fn installed(&self) -> Vec<Installed> {
        let describe = |name: String| {
            let path = self.dir.join(name);
            match bytes_if_complete(&path) {
                Some(bytes) => Installed { path, bytes, is_complete: true },
                None => Installed { bytes: tree_bytes(&path), path, is_complete: false },
            }
        };
        self.names("").into_iter().map(describe).collect()
    }

    /// Deletes everything and returns how many bytes that were.
    pub(crate) fn remove(&self, progress: &mut dyn Progress) -> Result<u64, StoreError> {
        if !self.dir.is_dir() {
            return Ok(0);
        }
        // The lock file stays: deleting it would let a waiting process lock a file that nobody else sees.
        let _lock = self.lock(progress)?;
        let choice = self.choice_file();
        if choice.exists() {
            fs::remove_file(&choice).map_err(failed("delete", &choice))?;
        }
        let mut bytes = 0;
        for installed in self.installed() {
            bytes += installed.bytes;
            remove_tree(&installed.path)?;
        }
        Ok(bytes)
    }
}

pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError { action, path, source }
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed("delete", path)(source)),
        _ => Ok(()),
    }
}

/// The listed files and their sizes, or `None` if the list or one of them is not as it was written.
fn bytes_if_complete(dir: &Path) -> Option<u64> {
    let text = fs::read_to_string(dir.join(CONTENTS)).ok()?;
    let Ok(Value::Object(files)) = serde_json::from_str(&text) else { return None };
    let mut total = 0;
    for (path, bytes) in &files {
        let actual = fs::symlink_metadata(dir.join(path)).ok()?.len();
        if Some(actual) != bytes.as_u64() {
            return None;
        }
        total += actual;
    }
    (total > 0).then_some(total)
}

fn list(root: &Path, below: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<(), StoreError> {
    let dir = root.join(below);
    for entry in dir.read_dir().map_err(failed("read", &dir))? {
        let entry = entry.map_err(failed("read", &dir))?;
        let meta = entry.metadata().map_err(failed("read", &entry.path()))?;
        let path = below.join(entry.file_name());
        if meta.is_dir() {
            list(root, &path, files)?;
        } else {
            files.push((path, meta.len()));
        }
    }
    Ok(())
}

fn tree_bytes(dir: &Path) -> u64 {
    let mut files = Vec::new();
    // A folder that vanishes while it is counted counts for what was seen of it.
    list(dir, Path::new(""), &mut files).ok();
    files.iter().map(|(_, bytes)| bytes).sum()
}

/// Creates a folder and those above it, open to their owner only: one of them may be Theater's home.
fn create_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Quiet;

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::of_home(home.path());
        (home, store)
    }

    fn publish(store: &Store, name: &str) -> PathBuf {
        let lock = store.lock(&mut Quiet).expect("locked");
        let partial = store.partial(&lock).expect("a folder");
        fs::create_dir(partial.join("lib")).expect("created");
        fs::write(partial.join("lib/libcore-1.rlib"), "core").expect("written");
        store.publish(&lock, &partial, name).expect("published")
    }

    #[test]
    fn a_published_folder_is_complete_and_leaves_nothing_aside() {
        let (_home, store) = store();
        let dir = publish(&store, "std-1");
        assert_eq!(store.complete("std-1"), Some(dir));
        assert_eq!(store.names(""), ["std-1"]);
    }

    #[test]
    fn a_lost_or_shortened_file_makes_it_incomplete_until_it_is_published_again() {
        let (_home, store) = store();
        let file = publish(&store, "std-1").join("lib/libcore-1.rlib");
        fs::write(&file, "cor").expect("written");
        assert_eq!(store.complete("std-1"), None);
        publish(&store, "std-1");
        assert!(store.complete("std-1").is_some());
        fs::remove_file(&file).expect("deleted");
        assert_eq!(store.complete("std-1"), None);
    }

    #[test]
    fn an_interrupted_set_up_leaves_nothing_for_the_next() {
        let (_home, store) = store();
        let lock = store.lock(&mut Quiet).expect("locked");
        let partial = store.partial(&lock).expect("a folder");
        fs::write(partial.join("half"), "half").expect("written");
        let again = store.partial(&lock).expect("a folder");
        assert_eq!(again.read_dir().expect("readable").count(), 0);
    }

    #[test]
    fn a_folder_that_lists_nothing_or_nonsense_is_not_complete() {
        let (_home, store) = store();
        for contents in ["{}", "[]", "", "{\"a\": \"b\"}", "{\"../lock\": 99}"] {
            let dir = publish(&store, "std-1");
            fs::write(dir.join(CONTENTS), contents).expect("written");
            assert_eq!(store.complete("std-1"), None, "{contents}");
        }
    }

    #[test]
    fn a_replaced_folder_is_deleted_and_others_are_not() {
        let (_home, store) = store();
        for name in ["std-1", "std-2", "private-1"] {
            publish(&store, name);
        }
        let lock = store.lock(&mut Quiet).expect("locked");
        store.keep_only(&lock, "std-", "std-2").expect("deleted");
        assert_eq!(store.names(""), ["private-1", "std-2"]);
    }

    #[test]
    fn removal_frees_everything_and_can_be_repeated() {
        let (_home, store) = store();
        publish(&store, "std-1");
        fs::write(store.choice_file(), "{}").expect("written");
        assert_eq!(store.remove(&mut Quiet).expect("removed"), 4);
        assert_eq!(store.installed(), []);
        assert!(!store.choice_file().exists());
        assert_eq!(store.remove(&mut Quiet).expect("nothing to do"), 0);
    }

    #[test]
    fn a_second_process_waits_for_the_first() {
        let (_home, store) = store();
        let first = store.lock(&mut Quiet).expect("locked");
        let other = store.clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            struct Tell(std::sync::mpsc::Sender<String>);
            impl Progress for Tell {
                fn step(&mut self, text: &str) {
                    self.0.send(text.to_owned()).expect("the test listens");
                }
                fn line(&mut self, _text: &str) {}
            }
            other.lock(&mut Tell(sender)).map(drop)
        });
        let told = receiver.recv().expect("it says that it waits");
        assert!(told.starts_with("waiting"), "{told}");
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().expect("no panic").expect("locked in turn");
    }
}
