//! Every hash of the chain format, computed straight from SHA-256's compression function.
//!
//! Each hash has a domain of its own: no preimage of one is a preimage of another. The domain fills the first
//! block where that makes the block constant for a run, so that its compression is paid once
//! ([`RunHasher::new`]) and not once per event.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use sha2::block_api::compress256;

use crate::event::Header;
use crate::text;

const BLOCK: usize = 64;
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

const SALT_TAG: [u8; 32] = padded(b"theater.run/chain/v1 salt");
const PAYLOAD_TAG: [u8; BLOCK] = padded(b"theater.run/chain/v1 payload");
const STATE_TAG: [u8; BLOCK] = padded(b"theater.run/chain/v1 state");
const BATCH_TAG: [u8; BLOCK] = padded(b"theater.run/chain/v1 batch");
const START_TAG: [u8; BLOCK] = padded(b"theater.run/chain/v1 start");
const EVENT_TAG: [u8; 8] = *b"thevent1";

const fn padded<const N: usize, const M: usize>(tag: &[u8; N]) -> [u8; M] {
    let mut block = [0; M];
    let mut index = 0;
    while index < N {
        block[index] = tag[index];
        index += 1;
    }
    block
}

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The 32 zero bytes: what stands before the first event of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Returns the plain SHA-256 of `bytes`, the name of a blob.
    pub fn of_blob(bytes: &[u8]) -> Self {
        let mut stream = Stream::new();
        stream.update(bytes);
        stream.finish()
    }

    /// Returns the first eight hex digits, for people.
    pub fn short(&self) -> String {
        text::hex(&self.0[..4])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is not 64 lowercase hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lowercase hex digits")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        text::parse_hex(text).map(Self).ok_or(NotAHash)
    }
}

/// Sixteen bytes that keep a removed payload from being guessed.
pub type Salt = [u8; 16];

/// SHA-256 over pieces: the constant first block may already be compressed into `state`.
#[derive(Clone)]
pub(crate) struct Stream {
    state: [u32; 8],
    length: u64,
    pending: [u8; BLOCK],
    pending_len: usize,
}

impl Stream {
    pub(crate) const fn new() -> Self {
        Self { state: INITIAL, length: 0, pending: [0; BLOCK], pending_len: 0 }
    }

    /// A stream that has read one constant block.
    fn after(block: [u8; BLOCK]) -> Self {
        let mut stream = Self::new();
        stream.update(&block);
        stream
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.pending_len > 0 {
            let taken = bytes.len().min(BLOCK - self.pending_len);
            self.pending[self.pending_len..self.pending_len + taken].copy_from_slice(&bytes[..taken]);
            self.pending_len += taken;
            bytes = &bytes[taken..];
            if self.pending_len < BLOCK {
                return;
            }
            compress256(&mut self.state, std::slice::from_ref(&self.pending));
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
        self.pending[..rest.len()].copy_from_slice(rest);
        self.pending_len = rest.len();
    }

    pub(crate) fn finish(mut self) -> Hash {
        let mut blocks = [[0; BLOCK]; 2];
        blocks[0][..self.pending_len].copy_from_slice(&self.pending[..self.pending_len]);
        blocks[0][self.pending_len] = 0x80;
        let count = if self.pending_len + 9 > BLOCK { 2 } else { 1 };
        blocks[count - 1][BLOCK - 8..].copy_from_slice(&(self.length * 8).to_be_bytes());
        compress256(&mut self.state, &blocks[..count]);
        digest(&self.state)
    }
}

fn digest(state: &[u32; 8]) -> Hash {
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    Hash(hash)
}

/// Binds the first batch of a run to the run's id.
pub(crate) fn start_commitment(version: u32, run_id: &[u8; 64]) -> Hash {
    let mut stream = Stream::after(START_TAG);
    stream.update(&version.to_le_bytes());
    stream.update(run_id);
    stream.finish()
}

/// A stream for a batch commitment; its fields are listed in [`crate::wire::BatchSummary::commitment`].
pub(crate) fn batch_stream() -> Stream {
    Stream::after(BATCH_TAG)
}

/// Computes salts, commitments and event hashes of one run.
#[derive(Clone)]
pub struct RunHasher {
    salt: [u32; 8],
    state: Stream,
}

/// The compressed first block of every payload commitment.
static PAYLOAD: LazyLock<[u32; 8]> = LazyLock::new(|| Stream::after(PAYLOAD_TAG).state);

impl RunHasher {
    /// Prepares the hashes of the run with this secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut block = [0; BLOCK];
        block[..32].copy_from_slice(&SALT_TAG);
        block[32..].copy_from_slice(secret);
        let mut salt = INITIAL;
        compress256(&mut salt, &[block]);
        let mut hasher = Self { salt, state: Stream::after(STATE_TAG) };
        let state_salt = hasher.salt(&Hash::ZERO, u64::MAX);
        hasher.state.update(&state_salt);
        hasher
    }

    /// Returns the salt of the event `seq` of `chain`; for a genesis, of the zero hash and the chain's ordinal.
    pub fn salt(&self, chain: &Hash, seq: u64) -> Salt {
        let mut block = [0; BLOCK];
        block[..32].copy_from_slice(&chain.0);
        block[32..40].copy_from_slice(&seq.to_le_bytes());
        block[40] = 0x80;
        block[BLOCK - 8..].copy_from_slice(&((BLOCK as u64 + 40) * 8).to_be_bytes());
        let mut state = self.salt;
        compress256(&mut state, &[block]);
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest(&state).0[..16]);
        salt
    }

    /// Returns the commitment to a payload, given as `input` followed by `output`. Whoever has the salt needs no secret.
    pub fn commitment(salt: &Salt, lengths: Lengths, payload: &[u8]) -> Hash {
        const PREFIX: usize = 24;
        const SHORT_BLOCKS: usize = 4;
        debug_assert_eq!(payload.len() as u64, lengths.total());
        let bits = (BLOCK as u64 + PREFIX as u64 + lengths.total()) * 8;
        let end = PREFIX + payload.len();
        if end + 9 > SHORT_BLOCKS * BLOCK {
            let mut stream = Self::payload_stream(salt, lengths);
            stream.update(payload);
            return stream.finish();
        }
        // Most payloads are short: one call of the compression function for all their blocks.
        let mut preimage = [0; SHORT_BLOCKS * BLOCK];
        preimage[..16].copy_from_slice(salt);
        preimage[16..20].copy_from_slice(&lengths.input.to_le_bytes());
        preimage[20..24].copy_from_slice(&lengths.output.to_le_bytes());
        preimage[PREFIX..end].copy_from_slice(payload);
        preimage[end] = 0x80;
        let used = (end + 9).next_multiple_of(BLOCK);
        preimage[used - 8..used].copy_from_slice(&bits.to_be_bytes());
        let mut state = *PAYLOAD;
        compress256(&mut state, preimage[..used].as_chunks::<BLOCK>().0);
        digest(&state)
    }

    /// A stream of the commitment to a payload too large for memory; the payload is to follow.
    pub(crate) fn payload_stream(salt: &Salt, lengths: Lengths) -> Stream {
        let mut stream =
            Stream { state: *PAYLOAD, length: BLOCK as u64, pending: [0; BLOCK], pending_len: 0 };
        stream.update(salt);
        stream.update(&lengths.input.to_le_bytes());
        stream.update(&lengths.output.to_le_bytes());
        stream
    }

    /// Returns the hash of an actor's state. One salt serves the run, so equal states have equal hashes in it.
    pub fn state_hash(&self, state: &[u8]) -> Hash {
        let mut stream = self.state.clone();
        stream.update(&(state.len() as u64).to_le_bytes());
        stream.update(state);
        stream.finish()
    }

    /// Returns the hash of an event that follows `previous`.
    pub fn event(previous: &Hash, header: &Header, commitment: &Hash) -> Hash {
        const LENGTH: usize = EVENT_TAG.len() + 32 + Header::BYTES + 32;
        const { assert!(LENGTH <= 119, "the preimage of an event fits two blocks") };
        let mut preimage = [0; 2 * BLOCK];
        preimage[..8].copy_from_slice(&EVENT_TAG);
        preimage[8..40].copy_from_slice(&previous.0);
        preimage[40..40 + Header::BYTES].copy_from_slice(&header.to_bytes());
        preimage[40 + Header::BYTES..LENGTH].copy_from_slice(&commitment.0);
        preimage[LENGTH] = 0x80;
        preimage[2 * BLOCK - 8..].copy_from_slice(&(LENGTH as u64 * 8).to_be_bytes());
        let mut state = INITIAL;
        compress256(&mut state, preimage.as_chunks::<BLOCK>().0);
        digest(&state)
    }
}

impl fmt::Debug for RunHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunHasher").finish_non_exhaustive()
    }
}

/// Lengths of the two halves of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Lengths {
    /// Bytes of input.
    pub input: u32,
    /// Bytes of output.
    pub output: u32,
}

impl Lengths {
    /// Returns the length of the whole payload.
    pub fn total(self) -> u64 {
        u64::from(self.input) + u64::from(self.output)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::event::{Kind, Outcome};

    fn reference(parts: &[&[u8]]) -> Hash {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Hash(hasher.finalize().into())
    }

    #[test]
    fn streams_agree_with_sha256_at_every_length_and_split() {
        let bytes: Vec<u8> = (0..300u32).map(|byte| (byte * 7) as u8).collect();
        for length in 0..bytes.len() {
            let mut stream = Stream::new();
            stream.update(&bytes[..length / 3]);
            stream.update(&bytes[length / 3..length]);
            assert_eq!(stream.finish(), reference(&[&bytes[..length]]), "{length} bytes");
            assert_eq!(Hash::of_blob(&bytes[..length]), reference(&[&bytes[..length]]));
        }
    }

    #[test]
    fn commitments_are_the_documented_preimage_at_every_length() {
        let hasher = RunHasher::new(&[7; 32]);
        let chain = Hash([9; 32]);
        let salt = hasher.salt(&chain, 5);
        let expected = reference(&[
            &padded::<25, 32>(b"theater.run/chain/v1 salt"),
            &[7; 32],
            &chain.0,
            &5u64.to_le_bytes(),
        ]);
        assert_eq!(salt, expected.0[..16]);
        let payload: Vec<u8> = (0..300u32).map(|byte| (byte * 5) as u8).collect();
        for length in 0..payload.len() {
            let lengths = Lengths { input: length as u32 / 2, output: (length - length / 2) as u32 };
            let tag = padded::<28, 64>(b"theater.run/chain/v1 payload");
            let expected = reference(&[
                &tag,
                &salt,
                &lengths.input.to_le_bytes(),
                &lengths.output.to_le_bytes(),
                &payload[..length],
            ]);
            assert_eq!(RunHasher::commitment(&salt, lengths, &payload[..length]), expected, "{length} bytes");
            let mut stream = RunHasher::payload_stream(&salt, lengths);
            stream.update(&payload[..length]);
            assert_eq!(stream.finish(), expected);
        }
    }

    #[test]
    fn an_event_hash_is_the_documented_preimage() {
        let header = Header {
            kind: Kind::Call,
            outcome: Outcome::Refused,
            seq: 3,
            time_us: 1_000_000,
            function: 4,
            fuel: 99,
        };
        let (previous, commitment) = (Hash([1; 32]), Hash([2; 32]));
        let mut bytes = vec![1, 2];
        bytes.extend_from_slice(&3u64.to_le_bytes());
        bytes.extend_from_slice(&1_000_000u64.to_le_bytes());
        bytes.extend_from_slice(&4u32.to_le_bytes());
        bytes.extend_from_slice(&99u64.to_le_bytes());
        let expected = reference(&[b"thevent1", &previous.0, &bytes, &commitment.0]);
        assert_eq!(RunHasher::event(&previous, &header, &commitment), expected);
    }

    #[test]
    fn a_hash_reads_back_from_its_text_and_from_nothing_else() {
        let hash = Hash::of_blob(b"text");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse::<Hash>(), Err(NotAHash));
        assert_eq!(hash.short(), hash.to_string()[..8]);
    }
}
