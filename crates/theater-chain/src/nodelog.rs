//! The node's own log: one line for each run that it has finished, under one Merkle root of its own.
//!
//! A run that is signed can still be thrown away, and another one told in its place by whoever has the key. The log
//! makes that show: it only grows, its head is signed, and witnesses cosign it. It is a folder of two text files:
//! `entries`, whose first line is the log's name and each other line `<run id> <size:root>`, and `checkpoint`, a signed
//! note over them. A line is appended and synced before the note is replaced, so a crash leaves a note that
//! is behind and never one that is ahead; an unfinished line at the end is overwritten by the next one.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::hash::Hash;
use crate::keys::Signer;
use crate::merkle::{Frontier, Head};
use crate::note::{Checkpoint, Note};
use crate::segment::is_run_id;
use crate::storage::{Directory, create_options, lock_file, private_folder, read_whole, replace_whole};
use crate::text;

const ENTRIES: &str = "entries";
const CHECKPOINT: &str = "checkpoint";
const ORIGIN: &str = "theater.log/";
/// A line is some 120 bytes: enough for two million runs.
const ENTRIES_BYTES_MAX: u64 = 256 << 20;
const CHECKPOINT_BYTES_MAX: u64 = 1 << 20;

/// Why the node's log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NodeLogError {
    /// The system refused.
    #[error("failed to use the node's log in {}", path.display())]
    Io {
        /// Folder of the log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is none.
    #[error("there is no node's log in {}", path.display())]
    Missing {
        /// Folder of the log.
        path: PathBuf,
    },
    /// It is not as it was written.
    #[error("the node's log is broken: {0}")]
    Broken(String),
    /// Another run of this name, or another end of it, is in the log.
    #[error("the node's log has the head {found} for run {run_id}, not {given}")]
    OtherHead {
        /// Id of the run.
        run_id: String,
        /// The head in the log.
        found: Head,
        /// The head that was given.
        given: Head,
    },
}

/// A finished run in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Id of the run.
    pub run_id: String,
    /// Its final head.
    pub head: Head,
}

impl LogEntry {
    /// The leaf: the hash of the checkpoint that closed the run, without its signatures.
    fn leaf(&self) -> Hash {
        Hash::of_blob(Checkpoint::of_run(&self.run_id, self.head, true).to_string().as_bytes())
    }

    fn parse(line: &str) -> Option<Self> {
        let (run_id, head) = line.split_once(' ')?;
        let head = head.parse().ok()?;
        is_run_id(run_id).then(|| Self { run_id: run_id.to_owned(), head })
    }
}

/// The log as it was read: its note holds for its beginning.
#[derive(Clone, Debug)]
pub struct NodeLog {
    origin: String,
    entries: Vec<LogEntry>,
    /// Bytes of whole lines.
    whole_bytes: u64,
    note: Option<Note>,
}

impl NodeLog {
    /// Reads a log and checks that it has what its note was made over. Who signed the note is the caller's question.
    ///
    /// # Errors
    /// If there is none, it is broken, or the system refuses.
    pub fn read(folder: &Path) -> Result<Self, NodeLogError> {
        let files = Directory::new(folder);
        let io = |source| NodeLogError::Io { path: folder.to_owned(), source };
        // The note first: entries that are added meanwhile do no harm.
        let note = match read_whole(&files, CHECKPOINT, CHECKPOINT_BYTES_MAX) {
            Ok(bytes) => Some(Note::parse(&bytes).map_err(|error| broken(error.to_string()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        let bytes = match read_whole(&files, ENTRIES, ENTRIES_BYTES_MAX) {
            // The first line was being written when its writer stopped.
            Ok(bytes) if note.is_none() && !bytes.contains(&b'\n') => {
                return Err(NodeLogError::Missing { path: folder.to_owned() });
            }
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && note.is_none() => {
                return Err(NodeLogError::Missing { path: folder.to_owned() });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(broken("it has a checkpoint and no entries"));
            }
            Err(error) => return Err(io(error)),
        };
        let log = Self::parse(&bytes, note)?;
        log.check()?;
        Ok(log)
    }

    fn parse(bytes: &[u8], note: Option<Note>) -> Result<Self, NodeLogError> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = std::str::from_utf8(&bytes[..whole]).map_err(|_| broken("its entries are no text"))?;
        let mut lines = lines.lines();
        let origin = lines.next().unwrap_or_default();
        let is_name = origin.strip_prefix(ORIGIN).is_some_and(|id| text::parse_hex::<8>(id).is_some());
        if !is_name {
            return Err(broken("its first line is not its name"));
        }
        let mut entries = Vec::new();
        for line in lines {
            let entry = LogEntry::parse(line);
            let number = entries.len();
            entries.push(entry.ok_or_else(|| broken(format!("entry {number} is none")))?);
        }
        Ok(Self { origin: origin.to_owned(), entries, whole_bytes: whole as u64, note })
    }

    fn check(&self) -> Result<(), NodeLogError> {
        let Some(note) = &self.note else { return Ok(()) };
        let Checkpoint { origin, head, extensions } = &note.checkpoint;
        if *origin != self.origin || !extensions.is_empty() {
            return Err(broken(format!("its checkpoint is of {origin}, its entries are of {}", self.origin)));
        }
        match self.head_at(head.size) {
            Some(found) if found == *head => Ok(()),
            Some(found) => Err(broken(format!("its head was {head} and is {found}"))),
            None => Err(broken(format!("it had {} entries and has {}", head.size, self.entries.len()))),
        }
    }

    /// Returns the name under which its heads are signed.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the finished runs, in the order in which they ended.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// Returns the latest signed head.
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Returns the place of a run.
    pub fn find(&self, run_id: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.run_id == run_id)
    }

    /// Returns the leaves of the tree.
    pub fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(LogEntry::leaf).collect()
    }

    /// Returns the head over all entries.
    pub fn head(&self) -> Head {
        head_of(&self.entries)
    }

    /// Returns the head over the first entries, if there are so many.
    pub fn head_at(&self, size: u64) -> Option<Head> {
        let entries = usize::try_from(size).ok().and_then(|size| self.entries.get(..size))?;
        Some(head_of(entries))
    }

    /// Adds a finished run and signs the new head. One that is there already stays where it is. Processes that finish at
    /// once wait for each other. Returns the place of the run.
    ///
    /// # Errors
    /// If the log is broken, has another head for this run, or cannot be written.
    pub fn append(folder: &Path, entry: &LogEntry, signer: &Signer) -> Result<u64, NodeLogError> {
        let io = |source| NodeLogError::Io { path: folder.to_owned(), source };
        private_folder(folder).map_err(io)?;
        let held = lock_file(&folder.join("lock")).map_err(io)?;
        let mut log = match Self::read(folder) {
            Ok(log) => log,
            Err(NodeLogError::Missing { .. }) => Self::new(signer),
            Err(error) => return Err(error),
        };
        let place = match log.find(&entry.run_id) {
            Some(place) if log.entries[place].head == entry.head => place,
            Some(place) => {
                let LogEntry { run_id, head } = entry.clone();
                return Err(NodeLogError::OtherHead { run_id, found: log.entries[place].head, given: head });
            }
            None => {
                log.write(folder, entry).map_err(io)?;
                log.entries.push(entry.clone());
                log.entries.len() - 1
            }
        };
        if log.note.as_ref().is_none_or(|note| note.checkpoint.head != log.head()) {
            log.sign(folder, signer).map_err(io)?;
        }
        drop(held);
        Ok(place as u64)
    }

    fn new(signer: &Signer) -> Self {
        let origin = format!("{ORIGIN}{}", text::hex(&signer.public_key().bytes()[..8]));
        Self { origin, entries: Vec::new(), whole_bytes: 0, note: None }
    }

    /// Appends a line behind the last whole one.
    fn write(&self, folder: &Path, entry: &LogEntry) -> io::Result<()> {
        let mut line = format!("{} {}\n", entry.run_id, entry.head);
        if self.whole_bytes == 0 {
            line.insert_str(0, &format!("{}\n", self.origin));
        }
        let mut file = private_options().open(folder.join(ENTRIES))?;
        file.set_len(self.whole_bytes)?;
        file.seek(SeekFrom::Start(self.whole_bytes))?;
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // What is left of the line would be overwritten by the next one; gone is better.
            file.set_len(self.whole_bytes).ok();
            return Err(error);
        }
        File::open(folder)?.sync_all()
    }

    fn sign(&mut self, folder: &Path, signer: &Signer) -> io::Result<()> {
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), head: self.head(), extensions: Vec::new() };
        let note = Note::new(checkpoint, Some(signer));
        replace_whole(folder, CHECKPOINT, note.to_string().as_bytes())?;
        self.note = Some(note);
        Ok(())
    }
}

fn private_options() -> OpenOptions {
    let mut options = create_options();
    options.truncate(false);
    options
}

fn head_of(entries: &[LogEntry]) -> Head {
    let mut frontier = Frontier::new();
    entries.iter().for_each(|entry| frontier.push(&entry.leaf()));
    frontier.head()
}

fn broken(what: impl Into<String>) -> NodeLogError {
    NodeLogError::Broken(what.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(number: u64) -> LogEntry {
        LogEntry {
            run_id: format!("run-{number}"),
            head: Head { size: number + 1, root: Hash::of_blob(&number.to_le_bytes()) },
        }
    }

    fn signer() -> Signer {
        Signer::from_seed(&[3; 32])
    }

    #[test]
    fn runs_that_end_at_once_all_get_into_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for number in 0..5 {
                        NodeLog::append(path, &entry(thread * 5 + number), &signer()).unwrap();
                    }
                });
            }
        });
        let log = NodeLog::read(&path).unwrap();
        assert_eq!(log.entries().len(), 20);
        for number in 0..20 {
            let entry = entry(number);
            let place = log.find(&entry.run_id).unwrap();
            assert_eq!(log.entries()[place], entry);
            assert_eq!(NodeLog::append(&path, &entry, &signer()).unwrap(), place as u64, "once is enough");
        }
        assert_eq!(log.note().unwrap().checkpoint.head, log.head());
        assert!(log.note().unwrap().is_signed_by(&signer().public_key()));
    }

    #[test]
    fn a_log_cut_off_anywhere_by_a_crash_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for number in 0..3 {
            NodeLog::append(&path, &entry(number), &signer()).unwrap();
        }
        let entries = fs::read(path.join(ENTRIES)).unwrap();
        let ends: Vec<usize> =
            (0..entries.len()).filter(|at| entries[*at] == b'\n').map(|at| at + 1).collect();
        for cut in
            (0..=entries.len()).filter(|cut| cut % 5 == 0 || ends.iter().any(|end| cut.abs_diff(*end) < 2))
        {
            // The note is replaced after the line is on disk: it was made over the lines before.
            let lines = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            let checkpoint = path.join(CHECKPOINT);
            fs::remove_file(&checkpoint).ok();
            fs::write(path.join("checkpoint.tmp"), "half a no").unwrap();
            fs::write(path.join(ENTRIES), &entries[..cut]).unwrap();
            if lines > 0 {
                let mut before = NodeLog::read(&path).unwrap();
                before.entries.truncate(lines - 1);
                fs::remove_file(path.join("checkpoint.tmp")).unwrap();
                before.sign(&path, &signer()).unwrap();
                fs::write(path.join("checkpoint.tmp"), "half a no").unwrap();
            }
            assert_eq!(NodeLog::append(&path, &entry(9), &signer()).unwrap(), lines as u64, "cut at {cut}");
            let log = NodeLog::read(&path).unwrap();
            let expected: Vec<_> = (0..lines as u64).map(entry).chain([entry(9)]).collect();
            assert_eq!(
                (log.entries(), log.note().unwrap().checkpoint.head.size),
                (&*expected, lines as u64 + 1)
            );
        }
    }

    #[test]
    fn a_log_that_was_rewound_or_altered_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for number in 0..3 {
            NodeLog::append(&path, &entry(number), &signer()).unwrap();
        }
        let other = LogEntry { run_id: "run-1".to_owned(), ..entry(7) };
        let again = NodeLog::append(&path, &other, &signer());
        assert!(matches!(again, Err(NodeLogError::OtherHead { .. })));
        let entries = fs::read_to_string(path.join(ENTRIES)).unwrap();
        let without = |missing: &str| -> String {
            entries
                .lines()
                .filter(|line| !line.starts_with(missing))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        let altered = [
            without("run-2"),
            without("run-0"),
            without("theater.log"),
            entries.replace("run-1", "run-x"),
            entries.replace("run-1 2:", "run-1 3:"),
            entries.replace(' ', "\n"),
            entries.replace("theater.log/", "theater.log/00"),
        ];
        for text in altered {
            fs::write(path.join(ENTRIES), &text).unwrap();
            assert!(matches!(NodeLog::read(&path), Err(NodeLogError::Broken(_))), "{text}");
            assert!(NodeLog::append(&path, &entry(9), &signer()).is_err(), "{text}");
            assert_eq!(
                fs::read_to_string(path.join(ENTRIES)).unwrap(),
                text,
                "a broken log is left as it is"
            );
        }
        fs::remove_file(path.join(ENTRIES)).unwrap();
        assert!(matches!(NodeLog::read(&path), Err(NodeLogError::Broken(_))));
        assert!(matches!(NodeLog::read(folder.path()), Err(NodeLogError::Missing { .. })));
    }
}
