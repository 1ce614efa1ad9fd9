//! A run without some of its payloads: every hash stays what it was.
//!
//! The secret stays behind, since with it a removed payload could be guessed; what is kept carries its salt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor as Buffer};

use crate::event::{ChainIndex, Header, Kind};
use crate::fault::{FaultKind, ReadError};
use crate::hash::Hash;
use crate::read::{count_segments, read_secret};
use crate::record::Genesis;
use crate::scan::{Scanner, Seen, Step, payload_bytes};
use crate::segment::{FrameKind, finish_frame, segment_name, start_frame};
use crate::storage::{Files, ReadAt, Storage, read_whole, write_whole};
use crate::wire::{Cursor, Form, Placed};

/// Largest file besides segments that is copied.
const FILE_BYTES_MAX: u64 = 2 << 30;

/// Says which payloads are kept.
type Keeps<'a> = dyn Fn(ChainIndex, &Header) -> bool + Sync + 'a;

/// Copies the run in `from` to the empty `to`, with the payloads that `keeps` says yes to. Returns how many payloads
/// were left out. The copy has the same head and the same signatures.
///
/// # Errors
/// If the run is not intact, or the system refuses.
pub fn redact(from: &dyn Files, to: &dyn Storage, keeps: &Keeps<'_>) -> Result<u64, ReadError> {
    let redacted = Redacted::new(from, keeps)?;
    for folder in ["journal", "blobs"] {
        for name in redacted.list(folder).map_err(|error| ReadError::io(folder, error))? {
            copy(&redacted, to, folder, &format!("{folder}/{name}"))?;
        }
    }
    if redacted.open("checkpoint").is_ok() {
        copy(&redacted, to, "", "checkpoint")?;
    }
    Ok(redacted.removed())
}

fn copy(from: &dyn Files, to: &dyn Storage, folder: &str, name: &str) -> Result<(), ReadError> {
    let io = |error| ReadError::io(name, error);
    let bytes = read_whole(from, name, FILE_BYTES_MAX).map_err(io)?;
    write_whole(to, folder, name, &[&bytes]).map_err(io)
}

/// The files of a run as they are without some of its payloads. Segments are made when they are opened, one in memory
/// for each reader.
///
/// A package or a manifest is left out with the last genesis that names it.
pub struct Redacted<'a> {
    from: &'a dyn Files,
    keeps: &'a Keeps<'a>,
    removed: u64,
    /// Payloads in files of their own that are kept.
    payloads: BTreeSet<Hash>,
    /// Packages and manifests, and whether a genesis that is kept names them.
    named: BTreeMap<Hash, bool>,
}

impl<'a> Redacted<'a> {
    /// Goes through the run once to see what is kept.
    ///
    /// # Errors
    /// If the run is not intact, or the system refuses.
    pub fn new(from: &'a dyn Files, keeps: &'a Keeps<'a>) -> Result<Self, ReadError> {
        let mut redacted =
            Self { from, keeps, removed: 0, payloads: BTreeSet::new(), named: BTreeMap::new() };
        for number in 0..count_segments(from)? {
            let mut scanner = Scanner::open(from, number, read_secret(from)?)?;
            let mut failure = Ok(());
            while is_more(&mut scanner, |seen| {
                if failure.is_ok() {
                    failure = redacted.note(seen);
                }
            })? {}
            failure?;
        }
        Ok(redacted)
    }

    /// Returns how many payloads are left out that are in the original.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    fn note(&mut self, seen: &Seen<'_>) -> Result<(), ReadError> {
        let is_kept = (self.keeps)(seen.chain, &seen.header);
        match seen.form {
            Form::Redacted(_) => return Ok(()),
            Form::Blob(commitment) | Form::SaltedBlob(_, commitment) if is_kept => {
                self.payloads.insert(commitment);
            }
            Form::Blob(_) | Form::SaltedBlob(..) | Form::Inline(_) | Form::Salted(..) => {}
        }
        self.removed += u64::from(!is_kept);
        if seen.header.kind == Kind::Genesis
            && let Some((input, _)) = payload_bytes(self.from, seen)?
            && let Ok(genesis) = Genesis::decode(&input)
        {
            for hash in [genesis.package, genesis.manifest] {
                *self.named.entry(hash).or_default() |= is_kept;
            }
        }
        Ok(())
    }

    fn is_blob_kept(&self, name: &str) -> bool {
        match name.strip_suffix(".payload") {
            Some(hash) => hash.parse().is_ok_and(|hash: Hash| self.payloads.contains(&hash)),
            None => name.parse::<Hash>().is_ok_and(|hash| self.named.get(&hash).copied().unwrap_or(true)),
        }
    }

    fn segment(&self, number: u32) -> Result<Vec<u8>, ReadError> {
        let mut scanner = Scanner::open(self.from, number, read_secret(self.from)?)?;
        let mut segment = scanner.header().encode();
        while self.frame(&mut scanner, &mut segment)? {}
        Ok(segment)
    }

    /// Copies one frame; false at the end of the segment.
    fn frame(&self, scanner: &mut Scanner, segment: &mut Vec<u8>) -> Result<bool, ReadError> {
        let mut frame = Vec::new();
        start_frame(&mut frame);
        let mut cursor = Cursor::default();
        let mut secretless = None;
        let step = scanner.next(|seen| match self.form(seen) {
            Some(form) => {
                let placed = Placed { chain: seen.chain.0, fuel_before: seen.fuel_before };
                cursor.encode(&mut frame, placed, &seen.header, (seen.lengths, form));
            }
            None => secretless = Some(FaultKind::NoSecret),
        })?;
        if let Some(what) = secretless {
            return Err(scanner.fault(what).into());
        }
        match step {
            Step::Batch(commitment) => {
                frame.extend_from_slice(&commitment.0);
                finish_frame(&mut frame, FrameKind::Batch);
            }
            Step::Trailer(trailer) => trailer.encode(&mut frame),
            Step::End => return Ok(false),
            Step::Torn(torn) => return Err(scanner.fault(torn.fault()).into()),
        }
        segment.extend_from_slice(&frame);
        Ok(true)
    }

    /// The form of a payload in the copy; none if its salt is needed and nobody has it.
    fn form<'e>(&self, seen: &Seen<'e>) -> Option<Form<'e>> {
        if !(self.keeps)(seen.chain, &seen.header) {
            return Some(Form::Redacted(seen.commitment));
        }
        Some(match seen.form {
            Form::Inline(payload) | Form::Salted(_, payload) => Form::Salted(seen.salt?, payload),
            Form::Blob(commitment) | Form::SaltedBlob(_, commitment) => {
                Form::SaltedBlob(seen.salt?, commitment)
            }
            Form::Redacted(commitment) => Form::Redacted(commitment),
        })
    }
}

impl std::fmt::Debug for Redacted<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redacted").field("removed", &self.removed).finish_non_exhaustive()
    }
}

/// Reads a batch; false at the end of the segment.
pub(crate) fn is_more(scanner: &mut Scanner, visit: impl FnMut(&Seen<'_>)) -> Result<bool, ReadError> {
    match scanner.next(visit)? {
        Step::Batch(_) | Step::Trailer(_) => Ok(true),
        Step::End => Ok(false),
        Step::Torn(torn) => Err(scanner.fault(torn.fault()).into()),
    }
}

impl Files for Redacted<'_> {
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>> {
        if let Some(number) = name.strip_prefix("journal/").and_then(|name| name.strip_suffix(".seg")) {
            let number = number.parse().map_err(|_| io::ErrorKind::NotFound)?;
            if segment_name(number) != name {
                return Err(io::ErrorKind::NotFound.into());
            }
            let segment = self.segment(number).map_err(|error| io::Error::other(error.to_string()))?;
            return Ok(Box::new(Buffer::new(segment)));
        }
        let is_kept =
            name == "checkpoint" || name.strip_prefix("blobs/").is_some_and(|name| self.is_blob_kept(name));
        if is_kept { self.from.open(name) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = self.from.list(folder)?;
        if folder == "blobs" {
            names.retain(|name| self.is_blob_kept(name));
        }
        Ok(names)
    }
}
