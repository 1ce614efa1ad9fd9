//! Follows a run while it is written: whole batches as they appear, every hash recomputed, the writer never waited for.
//!
//! It only reads, and takes no lock that the writer needs. Bytes at the end of the last segment that are no whole batch
//! yet are waited for as long as there is a writer; without one they are a torn tail. The same anywhere else is a fault.

use std::io::ErrorKind;
use std::path::Path;

use crate::event::{Event, Kind};
use crate::fault::{FaultKind, ReadError};
use crate::hash::RunHasher;
use crate::read::{event, read_secret};
use crate::scan::{End, Scanner, Step};
use crate::segment::segment_name;
use crate::storage::{Directory, Files};

/// What has become of a run since it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The events of one batch; there may be more.
    Events(Vec<Event>),
    /// Nothing yet: look again later.
    Waiting,
    /// The run came to its end.
    Closed,
    /// Nobody writes it any more, and it has no end.
    Abandoned {
        /// Bytes after its last whole batch.
        torn_bytes: u64,
    },
}

/// A run in a directory that may be written at the same time.
pub struct Follow {
    directory: Directory,
    hasher: Option<RunHasher>,
    scanner: Option<Scanner>,
    /// Number of the segment that is read, or is to be.
    segment: u32,
    end: Option<End>,
    chains: u32,
    is_closed: bool,
}

impl Follow {
    /// Begins at the first event.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, ReadError> {
        let directory = Directory::new(dir.as_ref());
        let hasher = read_secret(&directory)?;
        Ok(Self { directory, hasher, scanner: None, segment: 0, end: None, chains: 0, is_closed: false })
    }

    /// Reads the next batch, if it is there. It never blocks on the writer.
    ///
    /// # Errors
    /// If what is there is not what a writer writes; there is nothing more to expect then.
    pub fn poll(&mut self) -> Result<Followed, ReadError> {
        // Looked at first: what a writer that is gone has written is there when it is read after this.
        let is_live = self.directory.is_locked();
        loop {
            if self.is_closed {
                return Ok(Followed::Closed);
            }
            let Some(mut scanner) = self.take_scanner()? else {
                return Ok(if is_live { Followed::Waiting } else { Followed::Abandoned { torn_bytes: 0 } });
            };
            // Looked for before reading: with a segment after it, this one does not grow any more.
            let is_last = !self.exists(self.segment + 1)?;
            let (step, events) = self.read(&mut scanner)?;
            match step {
                Step::Batch(_) => {
                    self.scanner = Some(scanner);
                    return Ok(Followed::Events(events));
                }
                Step::Trailer(trailer) => {
                    if trailer.chains != self.chains {
                        return Err(scanner.fault(FaultKind::Trailer).into());
                    }
                    if !is_last || scanner.next(|_| {})? != Step::End {
                        return Err(scanner.fault(FaultKind::AfterTrailer).into());
                    }
                    self.is_closed = true;
                }
                Step::End if !is_last => {
                    self.end = Some(scanner.end());
                    self.segment += 1;
                }
                Step::Torn(torn) if !is_last => return Err(scanner.fault(torn.fault()).into()),
                Step::End | Step::Torn(_) => {
                    self.scanner = Some(scanner);
                    let torn_bytes = if let Step::Torn(torn) = step { torn.bytes } else { 0 };
                    return Ok(if is_live { Followed::Waiting } else { Followed::Abandoned { torn_bytes } });
                }
            }
        }
    }

    fn exists(&self, segment: u32) -> Result<bool, ReadError> {
        let name = segment_name(segment);
        match self.directory.open(&name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(ReadError::io(&name, error)),
        }
    }

    /// Returns the scanner of the segment at hand, which sees what was appended; none if the segment is not there or
    /// its header is not whole.
    fn take_scanner(&mut self) -> Result<Option<Scanner>, ReadError> {
        if let Some(mut scanner) = self.scanner.take() {
            scanner.resume()?;
            return Ok(Some(scanner));
        }
        if !self.exists(self.segment)? {
            return Ok(None);
        }
        let is_last = !self.exists(self.segment + 1)?;
        let scanner = match Scanner::open(&self.directory, self.segment, self.hasher.clone()) {
            Err(ReadError::Truncated(_)) if is_last => return Ok(None),
            scanner => scanner?,
        };
        let end = self.end.clone().unwrap_or_else(|| End::before(&scanner.header().run_id));
        end.check_next(self.segment, scanner.header())?;
        Ok(Some(scanner))
    }

    fn read(&mut self, scanner: &mut Scanner) -> Result<(Step, Vec<Event>), ReadError> {
        let (batch, mut begun) = (scanner.batches(), 0);
        let mut events = Ok(Vec::new());
        let directory = &self.directory;
        let step = scanner.next(|seen| {
            begun += u32::from(seen.header.kind == Kind::Genesis);
            if let Ok(list) = &mut events {
                match event(directory, seen, batch) {
                    Ok(event) => list.push(event),
                    Err(error) => events = Err(error),
                }
            }
        })?;
        self.chains += begun;
        Ok((step, events?))
    }
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Follow").field("segment", &self.segment).finish_non_exhaustive()
    }
}
