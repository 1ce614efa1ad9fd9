//! Proof of one event: that it is in the run with a certain head, told without the rest of the run.
//!
//! It goes from the event along its chain to the end of its batch, from there to the batch's commitment, and up the
//! Merkle tree to the head that a checkpoint signs. Of other events in the batch it shows hashes only. As a file it is a
//! C2SP tlog-proof: anybody's program can follow it from the batch to the checkpoint, ours from the event.

use crate::event::{ChainIndex, Header, Payload};
use crate::fault::ReadError;
use crate::hash::{Hash, Lengths, RunHasher, Salt};
use crate::merkle::{Frontier, Head, inclusion_path, proves_inclusion};
use crate::note::{Checkpoint, Note};
use crate::read::{count_segments, read_secret};
use crate::scan::{Scanner, Seen, Step, payload_bytes};
use crate::storage::Files;
use crate::text;
use crate::wire::{Advance, BatchSummary};

/// The payload follows, with its salt (a form of records in segments, too).
const SALTED: u8 = 1;
/// The payload was removed; its commitment follows.
const REMOVED: u8 = 4;
/// First line of a file that holds a proof.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A tree has at most 2^64 leaves.
const PATH_MAX: usize = 64;

/// Why an event could not be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The run cannot be read up to its head.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such event.
    #[error("chain {chain} has no event {seq}")]
    NoEvent {
        /// The chain.
        chain: ChainIndex,
        /// The event.
        seq: u64,
    },
    /// The checkpoint was made before the event.
    #[error("the checkpoint is over {size} batches, and the event is in batch {batch}")]
    NotCovered {
        /// Batch of the event, counted from 0.
        batch: u64,
        /// Batches that the checkpoint is over.
        size: u64,
    },
    /// The checkpoint is of another run.
    #[error("the checkpoint is of {origin} with the head {head}, which this run does not have")]
    OtherRun {
        /// Origin of the checkpoint.
        origin: String,
        /// Head of the checkpoint.
        head: Head,
    },
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is no tlog-proof, or not as one is written here.
    #[error("not a proof in tlog-proof form: {0}")]
    Form(&'static str),
    /// Its parts do not lead from the event to the head.
    #[error("the proof does not lead from the event to the head: {0}")]
    Broken(&'static str),
}

/// An event, and what shows that it is in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventProof {
    /// The checkpoint whose head the proof leads to.
    pub note: Note,
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

/// Proves the event `seq` of a chain to the head of a checkpoint, or to the present head with a note that nobody has signed.
///
/// # Errors
/// If the run up to its head is not intact, has no such event, or the checkpoint is not of it or does not reach that far.
pub fn prove(
    files: &dyn Files,
    chain: ChainIndex,
    seq: u64,
    note: Option<Note>,
) -> Result<EventProof, ProveError> {
    let mut found = Found::default();
    let hasher = read_secret(files)?;
    for number in 0..count_segments(files)? {
        let mut scanner = Scanner::open(files, number, hasher.clone())?;
        found.run_id.clone_from(&scanner.header().run_id);
        while found.next(files, &mut scanner, Some((chain, seq)))? {}
    }
    let mut proof = found.proof.ok_or(ProveError::NoEvent { chain, seq })?;
    let present = Checkpoint::of_run(&found.run_id, head_of(&found.leaves), false);
    let note = note.unwrap_or_else(|| Note::new(present, None));
    let Checkpoint { origin, head, .. } = &note.checkpoint;
    let leaves = usize::try_from(head.size).ok().and_then(|size| found.leaves.get(..size));
    let is_ours = note.checkpoint.run_id() == Some(found.run_id.as_str());
    let Some(leaves) = leaves.filter(|leaves| is_ours && head_of(leaves) == *head) else {
        return Err(ProveError::OtherRun { origin: origin.clone(), head: *head });
    };
    if proof.batch >= head.size {
        return Err(ProveError::NotCovered { batch: proof.batch, size: head.size });
    }
    proof.path = inclusion_path(leaves, proof.batch as usize);
    proof.note = note;
    Ok(proof)
}

/// Returns the leaves of a run's Merkle tree: the commitments of its batches.
///
/// # Errors
/// If the run is not intact, or the system refuses.
pub fn batch_commitments(files: &dyn Files) -> Result<Vec<Hash>, ReadError> {
    let mut found = Found::default();
    let hasher = read_secret(files)?;
    for number in 0..count_segments(files)? {
        let mut scanner = Scanner::open(files, number, hasher.clone())?;
        while found.next(files, &mut scanner, None)? {}
    }
    Ok(found.leaves)
}

fn head_of(leaves: &[Hash]) -> Head {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.push(leaf));
    frontier.head()
}

impl Found {
    /// Reads a batch; false at the end of the segment.
    fn next(
        &mut self,
        files: &dyn Files,
        scanner: &mut Scanner,
        of: Option<(ChainIndex, u64)>,
    ) -> Result<bool, ReadError> {
        let batch = scanner.batches();
        let mut proof = None;
        let mut failure = None;
        let step = scanner.next(|seen| match &mut proof {
            None if Some((seen.chain, seen.header.seq)) == of => match begin(files, seen, batch) {
                Ok(begun) => proof = Some(begun),
                Err(error) => failure = Some(error),
            },
            Some(proof) if seen.chain == proof.chain => proof.after.push((seen.header, seen.commitment)),
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
        note: Note::new(Checkpoint::of_run("", Frontier::new().head(), false), None),
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
                let lengths = Lengths { input: number_of(input.len())?, output: number_of(output.len())? };
                RunHasher::commitment(salt, lengths, &[input.as_slice(), output].concat())
            }
            (Payload::Whole { .. }, None) => return Err(ProofError::Broken("its salt is missing")),
        };
        Ok(RunHasher::event(&self.previous, &self.header, &commitment))
    }

    /// Returns the id of the run, as the checkpoint says.
    pub fn run_id(&self) -> &str {
        self.note.checkpoint.run_id().unwrap_or_default()
    }

    /// Checks that the event is in the run with the head that the checkpoint names. Whether that head is to be trusted
    /// is the caller's question: compare it, or look at who signed the note.
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
        let leaf = self.summary()?.commitment(&self.batch_previous, self.batch, &self.advances);
        if !proves_inclusion(&self.note.checkpoint.head, self.batch, &leaf, &self.path) {
            return Err(ProofError::Broken("its batch is not in the tree"));
        }
        match self.note.checkpoint.run_id() {
            Some(_) => Ok(()),
            None => Err(ProofError::Broken("its checkpoint is not of a run")),
        }
    }

    fn summary(&self) -> Result<BatchSummary, ProofError> {
        let events = self.order.iter().try_fold(0u32, |sum, (_, count)| sum.checked_add(*count));
        let events = events.ok_or(ProofError::Broken("its batch has too many events"))?;
        Ok(BatchSummary { order: self.order.clone(), events })
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

    /// Returns the proof as a file, to be kept or sent.
    ///
    /// # Errors
    /// If the payload is larger than a graph value can be.
    pub fn encode(&self) -> Result<String, ProofError> {
        let mut file = format!("{FIRST_LINE}\nextra {}\n", text::base64(&self.encode_extra()?));
        file.push_str(&format!("index {}\n", self.batch));
        for hash in &self.path {
            file.push_str(&text::base64(&hash.0));
            file.push('\n');
        }
        file.push_str(&format!("\n{}", self.note));
        Ok(file)
    }

    /// What leads from the event to its batch; the end is what the batch commitment hashes after the batch's number.
    fn encode_extra(&self) -> Result<Vec<u8>, ProofError> {
        let mut extra = self.chain.0.to_le_bytes().to_vec();
        extra.extend_from_slice(&self.header.to_bytes());
        extra.extend_from_slice(&self.previous.0);
        match &self.payload {
            Payload::Redacted { commitment } => {
                extra.push(REMOVED);
                extra.extend_from_slice(&commitment.0);
            }
            Payload::Whole { input, output } => {
                extra.push(SALTED);
                extra.extend_from_slice(&self.salt.ok_or(ProofError::Broken("its salt is missing"))?);
                extra.extend_from_slice(&number_of(input.len())?.to_le_bytes());
                extra.extend_from_slice(&number_of(output.len())?.to_le_bytes());
                extra.extend_from_slice(input);
                extra.extend_from_slice(output);
            }
        }
        extra.extend_from_slice(&number_of(self.after.len())?.to_le_bytes());
        for (header, commitment) in &self.after {
            extra.extend_from_slice(&header.to_bytes());
            extra.extend_from_slice(&commitment.0);
        }
        extra.extend_from_slice(&self.batch_previous.0);
        extra.extend_from_slice(&self.summary()?.tail(&self.advances));
        Ok(extra)
    }

    /// Says whether a file begins as a proof does.
    pub(crate) fn is_one(file: &[u8]) -> bool {
        file.starts_with(FIRST_LINE.as_bytes())
    }

    /// Reads such a file, and no other: what writing it again would not give is refused. It is still to be
    /// [checked](Self::check).
    ///
    /// # Errors
    /// If it is something else.
    pub fn decode(file: &[u8]) -> Result<Self, ProofError> {
        let whole = std::str::from_utf8(file).map_err(|_| ProofError::Form("it is no text"))?;
        let (proof, note) = whole.split_once("\n\n").ok_or(ProofError::Form("it ends early"))?;
        let note = Note::parse(note.as_bytes()).map_err(|_| ProofError::Form("its checkpoint is none"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(ProofError::Form("its first line is another"));
        }
        let mut value = |name| lines.next().and_then(|line| line.strip_prefix(name));
        let extra = value("extra ").and_then(text::parse_base64);
        let extra = extra.and_then(|extra| Self::decode_extra(&extra));
        let extra = extra.ok_or(ProofError::Form("the line `extra` is missing or holds something else"))?;
        let batch = value("index ").and_then(|number| number.parse().ok());
        let batch = batch.ok_or(ProofError::Form("the line `index` is missing or no number"))?;
        let hash = |line| Some(Hash(text::parse_base64(line)?.try_into().ok()?));
        let path: Option<Vec<Hash>> = lines.take(PATH_MAX + 1).map(hash).collect();
        let path = path.filter(|path| path.len() <= PATH_MAX);
        let path = path.ok_or(ProofError::Form("its path is no list of hashes"))?;
        let proof = Self { note, batch, path, ..extra };
        if proof.encode()? == whole { Ok(proof) } else { Err(ProofError::Form("it is spelt otherwise")) }
    }

    fn decode_extra(mut extra: &[u8]) -> Option<Self> {
        let bytes = &mut extra;
        let chain = ChainIndex(take_u32(bytes)?);
        let header = Header::from_bytes(&take(bytes)?)?;
        let previous = Hash(take(bytes)?);
        let (payload, salt) = match take::<1>(bytes)? {
            [REMOVED] => (Payload::Redacted { commitment: Hash(take(bytes)?) }, None),
            [SALTED] => {
                let salt = take(bytes)?;
                let (input, output) = (take_u32(bytes)?, take_u32(bytes)?);
                let input = take_slice(bytes, input)?.to_vec();
                (Payload::Whole { input, output: take_slice(bytes, output)?.to_vec() }, Some(salt))
            }
            _ => return None,
        };
        let after = take_list(bytes, |bytes| Some((Header::from_bytes(&take(bytes)?)?, Hash(take(bytes)?))))?;
        let batch_previous = Hash(take(bytes)?);
        let events = take_u32(bytes)?;
        let order = take_list(bytes, |bytes| Some((take_u32(bytes)?, take_u32(bytes)?)))?;
        let advances = take_list(bytes, |bytes| {
            let chain = take_u32(bytes)?;
            let seq = u64::from_le_bytes(take(bytes)?);
            Some(Advance { chain, first_seq: seq, seq, head: Hash(take(bytes)?) })
        })?;
        let note = Note::new(Checkpoint::of_run("", Frontier::new().head(), false), None);
        let (batch, path) = (0, Vec::new());
        let proof = Self {
            note,
            chain,
            header,
            payload,
            previous,
            salt,
            after,
            batch,
            batch_previous,
            order,
            advances,
            path,
        };
        (bytes.is_empty() && proof.summary().is_ok_and(|summary| summary.events == events)).then_some(proof)
    }
}

fn number_of(count: usize) -> Result<u32, ProofError> {
    u32::try_from(count).map_err(|_| ProofError::Broken("something in it is longer than 4 GiB"))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn take_slice<'a>(bytes: &mut &'a [u8], length: u32) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length as usize)?;
    *bytes = rest;
    Some(taken)
}

/// Takes a count and so many items; memory is paid for by bytes that are there.
fn take_list<T>(bytes: &mut &[u8], item: impl Fn(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    (0..take_u32(bytes)?).map(|_| item(bytes)).collect()
}
