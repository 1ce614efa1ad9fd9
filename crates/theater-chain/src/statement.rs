//! What a checkpoint, a proof or a node's log shows by itself, without the run.

use std::fmt;

use crate::event::Header;
use crate::keys::PublicKey;
use crate::merkle::Head;
use crate::nodelog::NodeLog;
use crate::note::Note;
use crate::prove::{EventProof, ProofError};
use crate::report::{HeadCheck, SignerCheck, Witnesses};
use crate::vouch::{Known, vouch};

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A signed head.
    Checkpoint {
        /// The log or run that it speaks of.
        origin: String,
        /// It says that the run is complete.
        is_closed: bool,
    },
    /// One event of a run.
    Event {
        /// Id of the run.
        run_id: String,
        /// Chain of the event.
        chain: u32,
        /// Fields of the event.
        header: Header,
        /// Bytes of its payload; none if that was removed.
        payload_bytes: Option<u64>,
    },
    /// The log of a node's finished runs.
    Log {
        /// Name of the log.
        origin: String,
        /// Finished runs in it.
        entries: u64,
        /// How many of them its head is signed over.
        signed: u64,
    },
}

/// What was shown of something that is not a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub subject: Subject,
    /// The head that it leads to.
    pub head: Head,
    /// Who vouches for that head?
    pub signer: SignerCheck,
    /// Who has seen it?
    pub witnesses: Witnesses,
    /// Is it the head that was meant?
    pub head_check: HeadCheck,
}

/// Whom and what to trust.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The known keys, of nodes and of witnesses.
    pub keys: Vec<PublicKey>,
    /// Witnesses that must have cosigned.
    pub witnesses: Vec<PublicKey>,
    /// The head that it must have.
    pub head: Option<Head>,
}

impl Trust {
    fn state(&self, subject: Subject, note: Option<&Note>, head: Head) -> Statement {
        let known = Known { keys: &self.keys, required: &self.witnesses, own: None };
        let unsigned = || (SignerCheck::Unsigned, Witnesses::missing_all(&self.witnesses));
        let (signer, witnesses) = note.map_or_else(unsigned, |note| vouch(note, known));
        let head_check = match self.head {
            None => HeadCheck::NotGiven,
            Some(given) if given == head => HeadCheck::Equal,
            Some(given) => HeadCheck::Differs { given },
        };
        Statement { subject, head, signer, witnesses, head_check }
    }
}

/// Why a file states nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotAStatement {
    /// It is something else.
    #[error("it is neither a run, a bundle, a checkpoint nor a proof")]
    Unknown,
    /// It is a proof that proves nothing.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Statement {
    /// Says what a checkpoint or a proof in a file is worth.
    ///
    /// # Errors
    /// If it is neither, or a proof that does not lead to its checkpoint.
    pub fn of_file(file: &[u8], trust: &Trust) -> Result<Self, NotAStatement> {
        if EventProof::is_one(file) {
            return Ok(Self::of_proof(&EventProof::decode(file)?, trust)?);
        }
        let note = Note::parse(file).map_err(|_| NotAStatement::Unknown)?;
        Ok(Self::of_checkpoint(&note, trust))
    }

    /// Says what a checkpoint is worth.
    pub fn of_checkpoint(note: &Note, trust: &Trust) -> Self {
        let (origin, is_closed) = (note.checkpoint.origin.clone(), note.checkpoint.is_closed());
        trust.state(Subject::Checkpoint { origin, is_closed }, Some(note), note.checkpoint.head)
    }

    /// Says what a proof is worth.
    ///
    /// # Errors
    /// If it does not lead from its event to its checkpoint.
    pub fn of_proof(proof: &EventProof, trust: &Trust) -> Result<Self, ProofError> {
        proof.check()?;
        let subject = Subject::Event {
            run_id: proof.run_id().to_owned(),
            chain: proof.chain.0,
            header: proof.header,
            payload_bytes: proof.payload.input().map(|_| proof.payload.lengths().total()),
        };
        Ok(trust.state(subject, Some(&proof.note), proof.note.checkpoint.head))
    }

    /// Says what a log is worth. A head that was given may be an earlier one: the log goes on.
    pub fn of_log(log: &NodeLog, trust: &Trust) -> Self {
        let head = log.note().map_or_else(|| log.head(), |note| note.checkpoint.head);
        let (entries, signed) =
            (log.entries().len() as u64, log.note().map_or(0, |note| note.checkpoint.head.size));
        let subject = Subject::Log { origin: log.origin().to_owned(), entries, signed };
        let mut statement = trust.state(subject, log.note(), head);
        if let HeadCheck::Differs { given } = statement.head_check
            && log.head_at(given.size) == Some(given)
        {
            statement.head_check = HeadCheck::Earlier { given };
        }
        statement
    }

    /// Says whether it leads to a head that is signed by a known key or equal to the one that was given.
    pub fn is_proven(&self) -> bool {
        let is_vouched = match (&self.signer, &self.head_check) {
            (SignerCheck::Invalid { .. } | SignerCheck::Unchecked, _) | (_, HeadCheck::Differs { .. }) => {
                false
            }
            (_, HeadCheck::Equal) => true,
            (SignerCheck::Known(_), HeadCheck::NotGiven | HeadCheck::Earlier { .. }) => true,
            (
                SignerCheck::Unknown { .. } | SignerCheck::Unsigned | SignerCheck::Partly { .. },
                HeadCheck::NotGiven | HeadCheck::Earlier { .. },
            ) => false,
        };
        is_vouched && self.witnesses.missing.is_empty()
    }

    /// Returns the exit code: 0 if it is proven, else 1.
    pub fn verdict(&self) -> u8 {
        u8::from(!self.is_proven())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint { origin, is_closed: true } => {
                write!(formatter, "checkpoint   {origin}, closed")
            }
            Self::Checkpoint { origin, is_closed: false } => write!(formatter, "checkpoint   {origin}"),
            Self::Event { run_id, chain, header, payload_bytes } => {
                let Header { kind, outcome, seq, time_us, .. } = header;
                let time = format_args!("{}.{:06}", time_us / 1_000_000, time_us % 1_000_000);
                write!(
                    formatter,
                    "event        {seq} of chain {chain} of run {run_id}: {kind}, {outcome}, {time} s, "
                )?;
                match payload_bytes {
                    Some(bytes) => write!(formatter, "{bytes} bytes of payload"),
                    None => formatter.write_str("its payload removed"),
                }
            }
            Self::Log { origin, entries, signed } if entries == signed => {
                write!(formatter, "log          {origin}: {entries} finished runs")
            }
            Self::Log { origin, entries, signed } => {
                write!(formatter, "log          {origin}: {entries} finished runs, {signed} of them signed")
            }
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.subject)?;
        writeln!(formatter, "signer       {}", self.signer.line(&self.head_check, self.head))?;
        writeln!(formatter, "witnesses    {}", self.witnesses)?;
        self.head_check.write(self.head, formatter)
    }
}
