//! What can be wrong with a run, and where.

use std::fmt;
use std::io;

use crate::bundle::BundleError;
use crate::event::ChainIndex;
use crate::wire::Malformed;

/// Events of one chain within a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRange {
    /// The chain.
    pub chain: ChainIndex,
    /// The path of its actor, where it can be known.
    pub path: Option<String>,
    /// First of the events.
    pub first_seq: u64,
    /// Last of the events.
    pub last_seq: u64,
}

impl fmt::Display for EventRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(formatter, "chain {} ({path:?})", self.chain)?,
            None => write!(formatter, "chain {}", self.chain)?,
        }
        if self.first_seq == self.last_seq {
            write!(formatter, " event {}", self.first_seq)
        } else {
            write!(formatter, " events {} to {}", self.first_seq, self.last_seq)
        }
    }
}

/// The first thing that is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File that holds it.
    pub file: String,
    /// Byte offset of the frame that holds it; 0 where the file as a whole is meant.
    pub offset: u64,
    /// Batch that holds it, where it can be known.
    pub batch: Option<u64>,
    /// Events that it may concern, as far as they can be known.
    pub events: Vec<EventRange>,
    /// What is wrong.
    pub what: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RANGES_MAX: usize = 4;
        write!(formatter, "{}, offset {}", self.file, self.offset)?;
        if let Some(batch) = self.batch {
            write!(formatter, ", batch {batch}")?;
        }
        for range in self.events.iter().take(RANGES_MAX) {
            write!(formatter, ", {range}")?;
        }
        if self.events.len() > RANGES_MAX {
            write!(formatter, ", and {} more chains", self.events.len() - RANGES_MAX)?;
        }
        write!(formatter, ": {}", self.what)
    }
}

impl std::error::Error for Fault {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The file ends within a header, a batch or the trailer.
    #[error("truncated")]
    Truncated,
    /// A checksum does not match.
    #[error("corrupt: the checksum does not match")]
    Checksum,
    /// A record cannot be read.
    #[error("corrupt: {0}")]
    Malformed(Malformed),
    /// A batch is empty or too short for its commitment.
    #[error("corrupt: the batch has no events or no commitment")]
    EmptyBatch,
    /// A file name or a header is out of place.
    #[error("the segment does not continue the run: its {0} differs")]
    Discontinuous(&'static str),
    /// A segment is not there.
    #[error("the segment is missing")]
    MissingSegment,
    /// Something follows the trailer.
    #[error("something follows the end of the run")]
    AfterTrailer,
    /// The trailer says something else than the events.
    #[error("the trailer differs from the events")]
    Trailer,
    /// An event of a chain that was not begun.
    #[error("an event of a chain that has no genesis")]
    NoGenesis,
    /// A chain is begun twice.
    #[error("a second genesis of the chain")]
    SecondGenesis,
    /// A chain continues after its exit.
    #[error("an event after the exit of the chain")]
    AfterExit,
    /// A sequence number is out of place.
    #[error("the event says it is {found}, the next of the chain is {expected}")]
    Seq {
        /// Number that comes next.
        expected: u64,
        /// Number that was found.
        found: u64,
    },
    /// The run's secret is needed and not there.
    #[error("the secret of the run is missing or damaged, and the payload does not carry its salt")]
    NoSecret,
    /// The events are not those that the batch committed to.
    #[error("altered: the events differ from the commitment of their batch")]
    Commitment,
    /// A blob is missing.
    #[error("the blob is missing")]
    MissingBlob,
    /// A blob's bytes are not those that it is named after.
    #[error("altered: the blob differs from its name")]
    Blob,
    /// A file that does not belong where it is.
    #[error("not a file of this run")]
    ForeignFile,
    /// The record in a genesis or an exit cannot be read.
    #[error("the record of the event cannot be read: {0}")]
    Record(String),
    /// The checkpoint is not of this run, or not in the form in which it is written.
    #[error("the checkpoint differs from the run: {0}")]
    Checkpoint(String),
}

/// Why a run could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("failed to read {name}")]
    Io {
        /// File or folder within the run.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// There is no journal.
    #[error("not a run: {0}")]
    NotARun(&'static str),
    /// It was written by a newer version.
    #[error("written in format {found}, which is newer than this program; it reads format {known}")]
    Newer {
        /// Format that was found.
        found: u32,
        /// Format that is known.
        known: u32,
    },
    /// It is truncated.
    #[error("truncated: {0}")]
    Truncated(Fault),
    /// It is corrupt or was altered.
    #[error("{0}")]
    Faulty(Fault),
}

impl ReadError {
    pub(crate) fn io(name: &str, source: io::Error) -> Self {
        Self::Io { name: name.to_owned(), source }
    }
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        match fault.what {
            FaultKind::Truncated => Self::Truncated(fault),
            _ => Self::Faulty(fault),
        }
    }
}
