//! Proof of one event: that it is in the run with a certain head, told without the rest of the run.
//!
//! It goes from the event along its chain to the end of its batch, from there to the batch's commitment, and up the
//! Merkle tree. Of other events in the batch it shows hashes only. Whoever checks it compares the head, or the
//! checkpoint that comes with it, with what they trust.

use pack_abi::{Value, WireType};

use crate::event::{ChainIndex, Header, Payload};
use crate::fault::ReadError;
use crate::fields::{
    Reader, as_bytes, as_hash, as_option, as_pair, as_text, as_u32, as_u64, bytes, encode, list, named,
    option, pair, record, text,
};
use crate::hash::{Hash, Lengths, RunHasher, Salt};
use crate::merkle::{Frontier, Head, inclusion_path, proves_inclusion};
use crate::note::Note;
use crate::read::{count_segments, read_secret};
use crate::record::RecordError;
use crate::scan::{Scanner, Seen, Step, payload_bytes};
use crate::storage::{Files, read_whole};
use crate::wire::{Advance, BatchSummary};

const NAME: &str = "event-proof";
const CHECKPOINT_BYTES_MAX: u64 = 1 << 20;

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes are no proof.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Its parts do not lead from the event to the head.
    #[error("the proof does not lead from the event to the head: {0}")]
    Broken(&'static str),
}

/// An event, and what shows that it is in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventProof {
    /// Id of the run.
    pub run_id: String,
    /// Head of the run.
    pub head: Head,
    /// The run's checkpoint, if it has one: a signed note.
    pub checkpoint: Option<String>,
    /// Chain of the event.
    pub chain: ChainIndex,
    /// Fields of the event.
    pub header: Header,
    /// Its payload.
    pub payload: Payload,
    /// Hash of the event before it in its chain.
    pub previous: Hash,
    /// Salt of its payload, unless that was removed.
    salt: Option<Salt>,
    /// Headers and payload commitments of the chain's later events in the batch.
    after: Vec<(Header, Hash)>,
    batch: u64,
    batch_previous: Hash,
    order: Vec<(u32, u32)>,
    /// Their first seqs are not hashed and not told.
    advances: Vec<Advance>,
    path: Vec<Hash>,
}

/// What a scan collects for a proof.
#[derive(Default)]
struct Found {
    proof: Option<EventProof>,
    leaves: Vec<Hash>,
    run_id: String,
}

/// Proves the event `seq` of a chain. None if the run has no such event.
///
/// # Errors
/// If the run up to its head is not intact, or the system refuses.
pub fn prove(files: &dyn Files, chain: ChainIndex, seq: u64) -> Result<Option<EventProof>, ReadError> {
    let mut found = Found::default();
    let hasher = read_secret(files)?;
    for number in 0..count_segments(files)? {
        let mut scanner = Scanner::open(files, number, hasher.clone())?;
        found.run_id.clone_from(&scanner.header().run_id);
        while found.next(files, &mut scanner, (chain, seq))? {}
    }
    let Some(mut proof) = found.proof else { return Ok(None) };
    let mut frontier = Frontier::new();
    found.leaves.iter().for_each(|leaf| frontier.push(leaf));
    proof.head = frontier.head();
    proof.path = inclusion_path(&found.leaves, proof.batch as usize);
    proof.run_id = found.run_id;
    proof.checkpoint = read_whole(files, "checkpoint", CHECKPOINT_BYTES_MAX)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(Some(proof))
}

impl Found {
    /// Reads a batch; false at the end of the segment.
    fn next(
        &mut self,
        files: &dyn Files,
        scanner: &mut Scanner,
        of: (ChainIndex, u64),
    ) -> Result<bool, ReadError> {
        let batch = scanner.batches();
        let mut proof = None;
        let mut failure = None;
        let step = scanner.next(|seen| match &mut proof {
            None if (seen.chain, seen.header.seq) == of => match begin(files, seen, batch) {
                Ok(begun) => proof = Some(begun),
                Err(error) => failure = Some(error),
            },
            Some(proof) if seen.chain == of.0 => proof.after.push((seen.header, seen.commitment)),
            _ => {}
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        match step {
            Step::Batch(commitment) => self.leaves.push(commitment),
            Step::Trailer(_) => return Ok(true),
            Step::End | Step::Torn(_) => return Ok(false),
        }
        if let Some(mut proof) = proof {
            let (before, summary, advances) = scanner.latest();
            proof.batch_previous = before;
            proof.order.clone_from(&summary.order);
            proof
                .advances
                .extend(advances.iter().map(|advance| Advance { first_seq: advance.seq, ..*advance }));
            self.proof = Some(proof);
        }
        Ok(true)
    }
}

fn begin(files: &dyn Files, seen: &Seen<'_>, batch: u64) -> Result<EventProof, ReadError> {
    let payload = match payload_bytes(files, seen)? {
        Some((input, output)) => Payload::Whole { input, output },
        None => Payload::Redacted { commitment: seen.commitment },
    };
    Ok(EventProof {
        run_id: String::new(),
        head: Head { size: 0, root: Hash::ZERO },
        checkpoint: None,
        chain: seen.chain,
        header: seen.header,
        payload,
        previous: seen.previous,
        salt: seen.salt,
        after: Vec::new(),
        batch,
        batch_previous: Hash::ZERO,
        order: Vec::new(),
        advances: Vec::new(),
        path: Vec::new(),
    })
}

impl EventProof {
    /// Returns the hash of the event.
    ///
    /// # Errors
    /// If the payload is there without its salt.
    pub fn event_hash(&self) -> Result<Hash, ProofError> {
        let commitment = match (&self.payload, &self.salt) {
            (Payload::Redacted { commitment }, _) => *commitment,
            (Payload::Whole { input, output }, Some(salt)) => {
                let length =
                    |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| ProofError::Broken("its length"));
                let lengths = Lengths { input: length(input)?, output: length(output)? };
                RunHasher::commitment(salt, lengths, &[input.as_slice(), output].concat())
            }
            (Payload::Whole { .. }, None) => return Err(ProofError::Broken("its salt is missing")),
        };
        Ok(RunHasher::event(&self.previous, &self.header, &commitment))
    }

    /// Checks that the event is in the run with the head that the proof names. Whether that head is to be trusted
    /// is the caller's question: compare it, or look at who signed [`Self::note`].
    ///
    /// # Errors
    /// If it does not lead there.
    pub fn check(&self) -> Result<(), ProofError> {
        let (mut hash, mut seq) = (self.event_hash()?, self.header.seq);
        for (header, commitment) in &self.after {
            if seq.checked_add(1) != Some(header.seq) {
                return Err(ProofError::Broken("the events after it do not follow each other"));
            }
            (hash, seq) = (RunHasher::event(&hash, header, commitment), header.seq);
        }
        let is_end =
            |advance: &&Advance| advance.chain == self.chain.0 && advance.seq == seq && advance.head == hash;
        if self.advances.iter().filter(is_end).count() != 1 {
            return Err(ProofError::Broken("its batch does not end its chain there"));
        }
        if !self.advances.is_sorted_by(|a, b| a.chain < b.chain) {
            return Err(ProofError::Broken("the chains of its batch are out of order"));
        }
        let events = self.order.iter().try_fold(0u32, |sum, (_, count)| sum.checked_add(*count));
        let events = events.ok_or(ProofError::Broken("its batch has too many events"))?;
        let summary = BatchSummary { order: self.order.clone(), events };
        let leaf = summary.commitment(&self.batch_previous, self.batch, &self.advances);
        if proves_inclusion(&self.head, self.batch, &leaf, &self.path) {
            Ok(())
        } else {
            Err(ProofError::Broken("its batch is not in the tree"))
        }
    }

    /// Returns the checkpoint, if it is one over the head of the proof.
    pub fn note(&self) -> Option<Note> {
        let note = Note::parse(self.checkpoint.as_ref()?.as_bytes()).ok()?;
        let is_of_run = note.checkpoint.origin == format!("theater.run/{}", self.run_id);
        (is_of_run && note.checkpoint.head == self.head).then_some(note)
    }

    /// Returns the proof without the payload: it then shows the event's fields, and that it had this commitment.
    #[must_use]
    pub fn without_payload(mut self) -> Self {
        if let (Payload::Whole { input, output }, Some(salt)) = (&self.payload, self.salt.take()) {
            let whole = [input.as_slice(), output].concat();
            let commitment = RunHasher::commitment(&salt, self.payload.lengths(), &whole);
            self.payload = Payload::Redacted { commitment };
        }
        self
    }

    /// Returns the proof as a graph value, to be kept or sent.
    ///
    /// # Errors
    /// If the payload is larger than a graph value can be.
    pub fn encode(&self) -> Result<Vec<u8>, ProofError> {
        let (input, output, commitment) = match &self.payload {
            Payload::Whole { input, output } => (input.as_slice(), output.as_slice(), None),
            Payload::Redacted { commitment } => (&[][..], &[][..], Some(bytes(&commitment.0))),
        };
        let byte_list = || WireType::List(Box::new(WireType::U8));
        let after = self.after.iter().map(|(header, hash)| pair(bytes(&header.to_bytes()), bytes(&hash.0)));
        let order = self.order.iter().map(|(chain, count)| pair(Value::U32(*chain), Value::U32(*count)));
        let advances = self.advances.iter().map(|advance| {
            let fields = vec![
                ("chain", Value::U32(advance.chain)),
                ("seq", Value::U64(advance.seq)),
                ("head", bytes(&advance.head.0)),
            ];
            record("advance", fields)
        });
        let fields = vec![
            ("run", text(&self.run_id)),
            ("size", Value::U64(self.head.size)),
            ("root", bytes(&self.head.root.0)),
            ("checkpoint", option(WireType::String, self.checkpoint.as_deref().map(text))),
            ("chain", Value::U32(self.chain.0)),
            ("header", bytes(&self.header.to_bytes())),
            ("salt", option(byte_list(), self.salt.map(|salt| bytes(&salt)))),
            ("input", bytes(input)),
            ("output", bytes(output)),
            ("commitment", option(byte_list(), commitment)),
            ("previous", bytes(&self.previous.0)),
            ("after", list(WireType::Tuple(vec![byte_list(), byte_list()]), after.collect())),
            ("batch", Value::U64(self.batch)),
            ("batch-previous", bytes(&self.batch_previous.0)),
            ("order", list(WireType::Tuple(vec![WireType::U32, WireType::U32]), order.collect())),
            ("advances", list(named("advance"), advances.collect())),
            ("path", list(byte_list(), self.path.iter().map(|hash| bytes(&hash.0)).collect())),
        ];
        Ok(encode(NAME, fields)?)
    }

    /// Reads such a value. It is still to be [checked](Self::check).
    ///
    /// # Errors
    /// If it is something else.
    pub fn decode(proof: &[u8]) -> Result<Self, ProofError> {
        let record = Reader::new(NAME, proof)?;
        let payload = match record.option("commitment", as_hash)? {
            Some(commitment) => Payload::Redacted { commitment },
            None => Payload::Whole {
                input: record.get("input", as_bytes)?,
                output: record.get("output", as_bytes)?,
            },
        };
        Ok(Self {
            run_id: record.text("run")?,
            head: Head { size: record.get("size", as_u64)?, root: record.get("root", as_hash)? },
            checkpoint: record.get("checkpoint", |value| as_option(value, as_text))?,
            chain: ChainIndex(record.u32("chain")?),
            header: record.get("header", as_header)?,
            payload,
            previous: record.get("previous", as_hash)?,
            salt: record.option("salt", |value| as_bytes(value)?.try_into().ok())?,
            after: record.list("after", |value| as_pair(value, as_header, as_hash))?,
            batch: record.get("batch", as_u64)?,
            batch_previous: record.get("batch-previous", as_hash)?,
            order: record.list("order", |value| as_pair(value, as_u32, as_u32))?,
            advances: record.list("advances", as_advance)?,
            path: record.list("path", as_hash)?,
        })
    }
}

fn as_header(value: &Value) -> Option<Header> {
    Header::from_bytes(as_bytes(value)?.as_slice().try_into().ok()?)
}

fn as_advance(value: &Value) -> Option<Advance> {
    let seq = as_u64(value.field("seq")?)?;
    let (chain, head) = (as_u32(value.field("chain")?)?, as_hash(value.field("head")?)?);
    Some(Advance { chain, first_seq: seq, seq, head })
}
