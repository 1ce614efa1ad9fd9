//! Events, hashes, the journal and its verification; no engine, no async runtime.
//!
//! A run is a directory, or one file made of it by [`export`]. [`Journal`] writes it, [`Run`] reads it, [`verify`] says
//! what it proves. The byte layout is in `docs/chain-format.md`.
//!
//! ```
//! use theater_chain::{Durability, EventDraft, Journal, JournalOptions, Kind, Run, RunInit, VerifyOptions, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let init = RunInit { run_id: "run-1".to_owned(), secret: [7; 32] };
//! let journal = Journal::create(dir, init, JournalOptions::new(Durability::Batched), None)?;
//! let chain = journal.open_chain();
//! journal.append(chain, &EventDraft { input: &[b"hello"], ..EventDraft::new(Kind::Genesis, 0) })?;
//! journal.append(chain, &EventDraft::new(Kind::Exit, 10))?;
//! let closed = journal.close()?;
//!
//! for event in Run::open(dir)?.all_events() {
//!     let event = event?;
//!     assert_eq!(event.chain, chain);
//! }
//! let report = verify(dir, &VerifyOptions { head: Some(closed.head), ..VerifyOptions::default() })?;
//! assert!(report.is_proven());
//! # Ok(())
//! # }
//! ```
//!
//! Everything that is hashed is encoded by hand here (`hash.rs`, `wire.rs`) or is a graph value (`record.rs`).

mod bundle;
mod event;
mod fault;
mod fields;
mod follow;
mod hash;
mod index;
mod journal;
mod keys;
mod merkle;
mod nodelog;
mod note;
mod pattern;
mod prove;
mod read;
mod record;
mod redact;
mod report;
mod scan;
mod segment;
mod select;
mod setting;
mod statement;
mod storage;
mod text;
mod verify;
mod vouch;
mod wire;
mod witness;

pub use bundle::{
    BUNDLE_ENTRIES_MAX, BUNDLE_ENTRY_BYTES_MAX, Bundle, BundleError, ExportError, Exported, export,
};
pub use event::{ChainIndex, Entry, Event, EventDraft, Halves, Header, Kind, NO_FUNCTION, Outcome, Payload};
pub use fault::{EventRange, Fault, FaultKind, ReadError};
pub use follow::{Follow, Followed};
pub use hash::{Hash, Lengths, NotAHash, RunHasher, Salt};
pub use index::{ChainUse, FunctionUse};
pub use journal::{
    Appended, BLOB_THRESHOLD_BYTES, ChainHead, Closed, Durability, ENTRIES_MAX, GROUP_COMMIT_MS, Journal,
    JournalError, JournalOptions, PAYLOAD_BYTES_MAX, Position, QUEUE_BYTES_MAX, RunInit, SEGMENT_BYTES_MAX,
};
pub use keys::{KeyError, KeyUse, NotAPublicKey, PublicKey, Signer};
pub use merkle::{
    Frontier, Head, NotAHead, consistency_path, inclusion_path, proves_consistency, proves_inclusion,
};
pub use nodelog::{LogEntry, NodeLog, NodeLogError};
pub use note::{Checkpoint, NotANote, Note, NoteSignature};
pub use pattern::{Pattern, PatternError, Selection};
pub use prove::{EventProof, ProofError, ProveError, batch_commitments, prove};
pub use read::{ChainSummary, Events, Run, RunStatus};
pub use record::{
    Cause, Exit, ExitDetail, ExitReason, FunctionEntry, FunctionKind, Genesis, Predecessor, RecordError,
    RuntimeGenesis,
};
pub use redact::{Redacted, redact};
pub use report::{Completeness, HeadCheck, Integrity, Redactions, Report, SignerCheck, Witnesses};
pub use segment::{FORMAT_VERSION, RUN_ID_BYTES_MAX, is_run_id};
pub use select::{Query, Selected};
pub use setting::{Setting, SharedSetting};
pub use statement::{NotAStatement, Statement, Subject, Trust};
pub use storage::{Append, Directory, Files, MemoryFiles, ReadAt, Storage, lock_file};
pub use verify::{Progress, VerifyOptions, verify, verify_files};
pub use wire::Malformed;
pub use witness::{Witness, WitnessError};
