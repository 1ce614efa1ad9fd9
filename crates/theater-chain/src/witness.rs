//! A witness: cosigns heads that it has seen, and never two that contradict each other.
//!
//! It keeps the last note that it cosigned of every log and cosigns another only if that continues it: the same head, or
//! a longer log of which the old head is the beginning. What it remembers is on disk before the cosignature is given
//! out (C2SP tlog-witness), so a crash cannot make it forget what somebody else has in hand.

use std::io;
use std::path::{Path, PathBuf};

use crate::hash::Hash;
use crate::keys::Signer;
use crate::merkle::{Frontier, Head, consistency_path, proves_consistency};
use crate::note::Note;
use crate::storage::{Directory, lock_file, private_folder, read_whole, replace_whole};

const NOTE_BYTES_MAX: u64 = 1 << 20;

/// Why a head is not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The system refused.
    #[error("failed to use what the witness remembers in {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What it remembers was damaged: nothing can be cosigned safely.
    #[error("{} is not what the witness has written", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The log was longer.
    #[error("{origin} was cosigned at {seen} and is now at {given}: it was rewound")]
    Rewound {
        /// Name of the log.
        origin: String,
        /// The head that was cosigned.
        seen: Head,
        /// The head that was given.
        given: Head,
    },
    /// The log has another past than it had.
    #[error("{origin} was cosigned at {seen}, of which {given} is no continuation: there are two of it")]
    Forked {
        /// Name of the log.
        origin: String,
        /// The head that was cosigned.
        seen: Head,
        /// The head that was given.
        given: Head,
    },
    /// Whether it continues what was cosigned cannot be told.
    #[error("{origin} was cosigned at {seen}, and whether {given} continues it is not known")]
    NoProof {
        /// Name of the log.
        origin: String,
        /// The head that was cosigned.
        seen: Head,
        /// The head that was given.
        given: Head,
    },
    /// What should show the continuation is something else.
    #[error("what was given to compare with does not have the head {given}")]
    OtherTree {
        /// The head that was given.
        given: Head,
    },
}

/// A witness: its key, and what it remembers.
#[derive(Clone, Debug)]
pub struct Witness {
    signer: Signer,
    folder: PathBuf,
}

impl Witness {
    /// Returns the witness with this key, which remembers in this folder.
    pub fn new(signer: Signer, folder: impl Into<PathBuf>) -> Self {
        Self { signer, folder: folder.into() }
    }

    /// Adds the cosignature to a note, if it continues what was cosigned of its log before. `leaves` are those of
    /// the log, at least as many as the note is over; none are needed for a log that was not seen before, or not changed.
    /// `time` is in seconds since 1970.
    ///
    /// # Errors
    /// If it does not continue it, or that cannot be told or remembered.
    pub fn cosign(&self, note: &mut Note, leaves: Option<&[Hash]>, time: u64) -> Result<(), WitnessError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| WitnessError::Io { path: path.clone(), source }
        };
        private_folder(&self.folder).map_err(at(&self.folder))?;
        let lock = self.folder.join("lock");
        let held = lock_file(&lock).map_err(at(&lock))?;
        let name = format!("{}.note", Hash::of_blob(note.checkpoint.origin.as_bytes()));
        let path = self.folder.join(&name);
        if let Some(seen) = self.seen(&name)? {
            check(note, &seen, leaves)?;
        } else if let Some(leaves) = leaves {
            is_of(leaves, note.checkpoint.head)?;
        }
        note.cosign(&self.signer, time);
        replace_whole(&self.folder, &name, note.to_string().as_bytes()).map_err(at(&path))?;
        drop(held);
        Ok(())
    }

    /// Returns the note of this log that was cosigned last.
    fn seen(&self, name: &str) -> Result<Option<Note>, WitnessError> {
        let path = self.folder.join(name);
        match read_whole(&Directory::new(&self.folder), name, NOTE_BYTES_MAX) {
            Ok(bytes) => {
                let note = Note::parse(&bytes).ok();
                let is_ours = |note: &Note| note.is_signed_by(&self.signer.witness_key());
                note.filter(is_ours).map(Some).ok_or(WitnessError::Damaged { path })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(WitnessError::Io { path, source }),
        }
    }
}

fn is_of(leaves: &[Hash], head: Head) -> Result<&[Hash], WitnessError> {
    let leaves = usize::try_from(head.size).ok().and_then(|size| leaves.get(..size));
    let mut frontier = Frontier::new();
    let leaves = leaves.ok_or(WitnessError::OtherTree { given: head })?;
    leaves.iter().for_each(|leaf| frontier.push(leaf));
    if frontier.head() == head { Ok(leaves) } else { Err(WitnessError::OtherTree { given: head }) }
}

fn check(note: &Note, seen: &Note, leaves: Option<&[Hash]>) -> Result<(), WitnessError> {
    let origin = note.checkpoint.origin.clone();
    let (seen_head, given) = (seen.checkpoint.head, note.checkpoint.head);
    if given.size < seen_head.size {
        return Err(WitnessError::Rewound { origin, seen: seen_head, given });
    }
    // A run that was closed has no more to say.
    let is_continued = !seen.checkpoint.is_closed() || note.checkpoint.is_closed();
    if given.size == seen_head.size {
        return if given == seen_head && is_continued {
            Ok(())
        } else {
            Err(WitnessError::Forked { origin, seen: seen_head, given })
        };
    }
    if seen.checkpoint.is_closed() {
        return Err(WitnessError::Forked { origin, seen: seen_head, given });
    }
    let Some(leaves) = leaves else {
        return Err(WitnessError::NoProof { origin, seen: seen_head, given });
    };
    let path = consistency_path(is_of(leaves, given)?, seen_head.size as usize);
    if proves_consistency(&seen_head, &given, &path) {
        Ok(())
    } else {
        Err(WitnessError::Forked { origin, seen: seen_head, given })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Checkpoint;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|number| Hash::of_blob(&[number])).collect()
    }

    fn note(leaves: &[Hash], is_closed: bool) -> Note {
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.push(leaf));
        let node = Signer::from_seed(&[1; 32]);
        Note::new(Checkpoint::of_run("run-1", frontier.head(), is_closed), Some(&node))
    }

    #[test]
    fn a_witness_cosigns_what_continues_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let witness = Witness::new(Signer::from_seed(&[2; 32]), folder.path().join("witness"));
        let all = leaves(9);
        let mut first = note(&all[..5], false);
        witness.cosign(&mut first, None, 1).unwrap();
        assert!(first.is_signed_by(&Signer::from_seed(&[2; 32]).witness_key()));
        witness.cosign(&mut note(&all[..5], false), None, 2).unwrap();
        let refused = |mut note: Note, leaves: Option<&[Hash]>| {
            let error = witness.cosign(&mut note, leaves, 3).unwrap_err();
            assert_eq!(note.signatures.len(), 1, "nothing was added: {error}");
            error
        };
        assert!(matches!(refused(note(&all[..4], false), Some(&all)), WitnessError::Rewound { .. }));
        assert!(matches!(refused(note(&all[..7], false), None), WitnessError::NoProof { .. }));
        assert!(matches!(refused(note(&all[1..6], false), Some(&all[1..])), WitnessError::Forked { .. }));
        assert!(matches!(refused(note(&all[1..8], false), Some(&all[1..])), WitnessError::Forked { .. }));
        assert!(matches!(refused(note(&all[1..8], false), Some(&all)), WitnessError::OtherTree { .. }));
        witness.cosign(&mut note(&all[..7], false), Some(&all), 4).unwrap();
        witness.cosign(&mut note(&all[..7], true), None, 5).unwrap();
        let refused = |mut note: Note| witness.cosign(&mut note, Some(&all), 6).unwrap_err();
        assert!(matches!(refused(note(&all[..7], false)), WitnessError::Forked { .. }), "it was closed");
        assert!(matches!(refused(note(&all[..8], true)), WitnessError::Forked { .. }), "it was closed");
    }

    #[test]
    fn a_witness_whose_memory_was_damaged_cosigns_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let witness = Witness::new(Signer::from_seed(&[2; 32]), folder.path());
        witness.cosign(&mut note(&leaves(3), false), None, 1).unwrap();
        let name = format!("{}.note", Hash::of_blob(b"theater.run/run-1"));
        for bytes in [b"".to_vec(), note(&leaves(1), false).to_string().into_bytes()] {
            std::fs::write(folder.path().join(&name), bytes).unwrap();
            let again = witness.cosign(&mut note(&leaves(3), false), None, 2);
            assert!(matches!(again, Err(WitnessError::Damaged { .. })));
        }
    }
}
