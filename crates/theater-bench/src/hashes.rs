//! The least that recording an event can cost: SHA-256 of what the chain hashes, and nothing else.

use std::hint::black_box;

use sha2::{Digest, Sha256};

/// Bytes that the salt of an event is hashed from.
const SALT_BYTES: usize = 40;
/// Bytes of salt and lengths ahead of a payload.
const COMMITMENT_BYTES: usize = 24;
/// Bytes that the hash of an event is computed from: tag, previous hash, header, commitment.
const EVENT_BYTES: usize = 8 + 32 + 30 + 32;

/// The preimages of one event with a payload of a certain size.
pub(crate) struct Preimages {
    payload: Vec<u8>,
}

impl Preimages {
    pub(crate) fn new(payload_bytes: usize) -> Self {
        Self { payload: vec![3; COMMITMENT_BYTES + payload_bytes] }
    }

    /// Hashes what one event hashes: salt, commitment and event.
    pub(crate) fn hash(&mut self, number: u32) {
        self.payload[..4].copy_from_slice(&number.to_le_bytes());
        black_box(Sha256::digest(black_box([1_u8; SALT_BYTES])));
        black_box(Sha256::digest(black_box(&self.payload)));
        black_box(Sha256::digest(black_box([2_u8; EVENT_BYTES])));
    }

    /// Hashes what so many events hash.
    pub(crate) fn hash_all(&mut self, events: u32) {
        for number in 0..events {
            self.hash(number);
        }
    }
}
