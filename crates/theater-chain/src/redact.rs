//! Copies a run without some of its payloads: every hash stays what it was.
//!
//! The secret stays behind, since with it a removed payload could be guessed; what is kept carries its salt.

use crate::fault::{FaultKind, ReadError};
use crate::hash::Hash;
use crate::read::{count_segments, read_secret};
use crate::scan::{Scanner, Seen, Step};
use crate::segment::{FrameKind, finish_frame, segment_name, start_frame};
use crate::storage::{Append, Files, Storage, read_whole, write_whole};
use crate::wire::{Cursor, Form, Placed};
use crate::{ChainIndex, Header};

/// Largest file besides segments that is copied.
const FILE_BYTES_MAX: u64 = 2 << 30;

/// Copies the run in `from` to the empty `to`, with the payloads that `keeps` says yes to and with all packages
/// and manifests. Returns how many payloads were left out. The copy has the same head and the same signatures.
///
/// # Errors
/// If the run is not intact, or the system refuses.
pub fn redact(
    from: &dyn Files,
    to: &dyn Storage,
    keeps: &dyn Fn(ChainIndex, &Header) -> bool,
) -> Result<u64, ReadError> {
    let mut copy = Copy { from, to, keeps, removed: 0, blobs: Vec::new() };
    for number in 0..count_segments(from)? {
        copy.segment(number)?;
    }
    for name in from.list("blobs").map_err(|error| ReadError::io("blobs", error))? {
        let is_kept = match name.strip_suffix(".payload") {
            Some(hash) => hash.parse().is_ok_and(|hash: Hash| copy.blobs.contains(&hash)),
            None => name.parse::<Hash>().is_ok(),
        };
        if is_kept {
            copy.file("blobs", &format!("blobs/{name}"))?;
        }
    }
    if from.open("checkpoint").is_ok() {
        copy.file("", "checkpoint")?;
    }
    Ok(copy.removed)
}

struct Copy<'a> {
    from: &'a dyn Files,
    to: &'a dyn Storage,
    keeps: &'a dyn Fn(ChainIndex, &Header) -> bool,
    removed: u64,
    blobs: Vec<Hash>,
}

impl Copy<'_> {
    fn file(&self, folder: &str, name: &str) -> Result<(), ReadError> {
        let bytes =
            read_whole(self.from, name, FILE_BYTES_MAX).map_err(|error| ReadError::io(name, error))?;
        write_whole(self.to, folder, name, &[&bytes]).map_err(|error| ReadError::io(name, error))
    }

    fn segment(&mut self, number: u32) -> Result<(), ReadError> {
        let name = segment_name(number);
        let io = |error| ReadError::io(&name, error);
        let mut scanner = Scanner::open(self.from, number, read_secret(self.from)?)?;
        let mut segment = self.to.create(&name).map_err(io)?;
        segment.append(&scanner.header().encode()).map_err(io)?;
        while self.frame(&mut scanner, segment.as_mut())? {}
        segment.sync().map_err(io)?;
        self.to.sync_names("journal").map_err(io)
    }

    /// Copies one frame; false at the end of the segment.
    fn frame(&mut self, scanner: &mut Scanner, segment: &mut dyn Append) -> Result<bool, ReadError> {
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
        segment.append(&frame).map_err(|error| ReadError::io("the copy", error))?;
        Ok(true)
    }

    /// The form of a payload in the copy; none if its salt is needed and nobody has it.
    fn form<'e>(&mut self, seen: &Seen<'e>) -> Option<Form<'e>> {
        let is_there = !matches!(seen.form, Form::Redacted(_));
        if is_there && !(self.keeps)(seen.chain, &seen.header) {
            self.removed += 1;
            return Some(Form::Redacted(seen.commitment));
        }
        Some(match seen.form {
            Form::Inline(payload) | Form::Salted(_, payload) => Form::Salted(seen.salt?, payload),
            Form::Blob(commitment) | Form::SaltedBlob(_, commitment) => {
                self.blobs.push(commitment);
                Form::SaltedBlob(seen.salt?, commitment)
            }
            Form::Redacted(commitment) => Form::Redacted(commitment),
        })
    }
}
