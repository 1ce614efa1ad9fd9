//! Signed notes and checkpoints in the text forms of C2SP (signed-note, tlog-checkpoint, tlog-cosignature).
//!
//! Reading is strict: a note that reads is exactly the bytes that writing it gives.

use std::fmt;

use crate::hash::Hash;
use crate::keys::{KeyUse, PublicKey, Signer};
use crate::merkle::Head;
use crate::text;

/// What stands before a run's id in the origin of its checkpoints.
const RUN_ORIGIN: &str = "theater.run/";

/// A checkpoint of a run that is complete says so in this line.
const CLOSED: &str = "closed";

/// A time and an Ed25519 signature.
const COSIGNATURE_BYTES: usize = 8 + 64;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log that it speaks of: `theater.run/` and the run's id.
    pub origin: String,
    /// Number of batches and Merkle root over them.
    pub head: Head,
    /// Further lines.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Returns the checkpoint of a run.
    pub fn of_run(run_id: &str, head: Head, is_closed: bool) -> Self {
        let extensions = if is_closed { vec![CLOSED.to_owned()] } else { Vec::new() };
        Self { origin: format!("{RUN_ORIGIN}{run_id}"), head, extensions }
    }

    /// Returns the id of the run that it speaks of, if it speaks of one.
    pub fn run_id(&self) -> Option<&str> {
        self.origin.strip_prefix(RUN_ORIGIN)
    }

    /// Says whether it claims that the run is complete.
    pub fn is_closed(&self) -> bool {
        self.extensions.iter().any(|line| line == CLOSED)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next()?.to_owned();
        let size = lines.next()?;
        let root = text::parse_base64(lines.next()?)?;
        let head = Head { size: size.parse().ok()?, root: Hash(root.try_into().ok()?) };
        let checkpoint = Self { origin, head, extensions: lines.map(str::to_owned).collect() };
        let is_plain = |line: &str| !line.is_empty() && !line.chars().any(char::is_control);
        let plain = is_plain(&checkpoint.origin) && checkpoint.extensions.iter().all(|line| is_plain(line));
        (plain && checkpoint.to_string() == text).then_some(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.head.size, text::base64(&self.head.root.0))?;
        for line in &self.extensions {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    /// The signature, for a cosignature behind its time.
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// Returns the name of the key that the line names.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says whether the line names this key, whatever its signature is worth.
    pub fn names(&self, key: &PublicKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }

    /// Says whether the line has the form of a witness's cosignature.
    pub fn is_cosignature(&self) -> bool {
        self.bytes.len() == COSIGNATURE_BYTES
    }

    /// Says whether the line holds this key's signature over the text.
    pub fn is_by(&self, key: &PublicKey, text: &str) -> bool {
        if !self.names(key) {
            return false;
        }
        match key.usage() {
            KeyUse::Node => <&[u8; 64]>::try_from(self.bytes.as_slice())
                .is_ok_and(|signature| key.has_signed(text.as_bytes(), signature)),
            KeyUse::Witness => self.bytes.split_first_chunk::<8>().is_some_and(|(time, signature)| {
                let message = cosignature_message(u64::from_be_bytes(*time), text);
                <&[u8; 64]>::try_from(signature)
                    .is_ok_and(|signature| key.has_signed(message.as_bytes(), signature))
            }),
        }
    }
}

fn cosignature_message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(formatter, "\u{2014} {} {}", self.name, text::base64(&bytes))
    }
}

/// A checkpoint and the signatures below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// By whom, in the order of the lines; none for a run without a key.
    pub signatures: Vec<NoteSignature>,
}

/// A text that is not a checkpoint in the form in which one is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint in signed-note form")]
pub struct NotANote;

impl Note {
    /// Makes a note, signed if there is a signer.
    pub fn new(checkpoint: Checkpoint, signer: Option<&Signer>) -> Self {
        let text = checkpoint.to_string();
        let sign = |signer: &Signer| {
            let key = signer.public_key();
            NoteSignature {
                name: key.name().to_owned(),
                id: key.id(),
                bytes: signer.sign(text.as_bytes()).to_vec(),
            }
        };
        Self { signatures: signer.map(sign).into_iter().collect(), checkpoint }
    }

    /// Adds a witness's cosignature; `time` is in seconds since 1970. An older one of the same witness goes.
    pub fn cosign(&mut self, signer: &Signer, time: u64) {
        let key = signer.witness_key();
        let message = cosignature_message(time, &self.checkpoint.to_string());
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signer.sign(message.as_bytes()));
        self.signatures.retain(|signature| !signature.names(&key));
        self.signatures.push(NoteSignature { name: key.name().to_owned(), id: key.id(), bytes });
    }

    /// Reads a note.
    ///
    /// # Errors
    /// If writing it would not give the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotANote> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotANote)?;
        // The last empty line divides: a checkpoint has none within.
        let (body, lines) = text.rsplit_once("\n\n").ok_or(NotANote)?;
        let body_length = body.len() + 1;
        let checkpoint = Checkpoint::parse(&text[..body_length]).ok_or(NotANote)?;
        let signatures = lines.lines().map(parse_signature).collect::<Option<Vec<_>>>().ok_or(NotANote)?;
        let note = Self { checkpoint, signatures };
        if note.to_string() == text { Ok(note) } else { Err(NotANote) }
    }

    /// Says whether one of the signatures is by this key.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let text = self.checkpoint.to_string();
        self.signatures.iter().any(|signature| signature.is_by(key, &text))
    }
}

fn parse_signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = text::parse_base64(encoded)?;
    let (id, bytes) = bytes.split_first_chunk()?;
    if name.is_empty() || name.contains('+') || name.chars().any(char::is_whitespace) || bytes.is_empty() {
        return None;
    }
    Some(NoteSignature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.checkpoint)?;
        for signature in &self.signatures {
            fmt::Display::fmt(signature, formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> (Note, Signer) {
        let signer = Signer::from_seed(&[5; 32]);
        let head = Head { size: 3, root: Hash::of_blob(b"root") };
        (Note::new(Checkpoint::of_run("run-1", head, true), Some(&signer)), signer)
    }

    #[test]
    fn a_note_reads_back_and_its_signatures_hold() {
        let (mut note, signer) = note();
        let witness = Signer::from_seed(&[6; 32]);
        note.cosign(&witness, 1_600_000_000);
        note.cosign(&witness, 1_700_000_000);
        assert_eq!(note.signatures.len(), 2, "one cosignature for each witness");
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note);
        assert!(read.checkpoint.is_closed());
        assert!(read.is_signed_by(&signer.public_key()));
        assert!(read.is_signed_by(&witness.witness_key()));
        assert!(!read.is_signed_by(&witness.public_key()));
    }

    #[test]
    fn a_note_with_one_bit_flipped_is_not_a_signed_note() {
        let (note, signer) = note();
        let bytes = note.to_string().into_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let holds = Note::parse(&altered).is_ok_and(|note| note.is_signed_by(&signer.public_key()));
            assert!(!holds, "bit {bit}");
        }
    }

    #[test]
    fn the_signature_of_the_signed_note_documentation_holds() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let signature = parse_signature(line).unwrap();
        assert!(signature.is_by(&key, text));
        assert!(!signature.is_by(&key, &text.replace("answer", "problem")));
    }

    #[test]
    fn an_unsigned_note_reads_and_proves_nothing() {
        let (note, signer) = note();
        let unsigned = Note::new(note.checkpoint, None);
        let read = Note::parse(unsigned.to_string().as_bytes()).unwrap();
        assert_eq!(read, unsigned);
        assert!(!read.is_signed_by(&signer.public_key()));
    }
}
