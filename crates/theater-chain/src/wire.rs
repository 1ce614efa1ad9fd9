//! How a batch of events lies on disk: variable-length records and the commitment that closes them.
//!
//! Reading accepts only what writing produces: one spelling per batch.

use crate::event::{Header, Kind, Outcome};
use crate::hash::{Hash, Lengths, Salt, batch_stream};

const KIND_MASK: u8 = 0x0f;
const OTHER_CHAIN: u8 = 0x10;
const NOT_OK: u8 = 0x20;
const NOT_INLINE: u8 = 0x40;
const FIRST_IN_BATCH: u8 = 0x80;

const FORM_SALTED: u8 = 1;
const FORM_BLOB: u8 = 2;
const FORM_SALTED_BLOB: u8 = 3;
const FORM_REDACTED: u8 = 4;

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends early.
    #[error("the record ends early")]
    Short,
    /// A number is not in its shortest form or too large.
    #[error("a number is not in its shortest form or too large")]
    Number,
    /// An event kind that nobody writes.
    #[error("the event kind {0} is unknown")]
    Kind(u8),
    /// An outcome that nobody writes.
    #[error("the outcome {0} is unknown")]
    Outcome(u8),
    /// A form of payload that nobody writes.
    #[error("the payload form {0} is unknown")]
    Form(u8),
    /// The same record can be written in another way, which is the one that is written.
    #[error("the record has a second spelling")]
    Spelling,
}

/// Where the payload of a record is, and how its commitment is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// Here; the salt comes from the run's secret.
    Inline(&'a [u8]),
    /// Here, with its salt: the secret was dropped.
    Salted(Salt, &'a [u8]),
    /// In a blob; the salt comes from the run's secret.
    Blob(Hash),
    /// In a blob, with its salt.
    SaltedBlob(Salt, Hash),
    /// Nowhere.
    Redacted(Hash),
}

/// One event as it lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) chain: u32,
    /// The seq as written: present at the first event of a chain in a batch.
    pub(crate) first_seq: Option<u64>,
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) time_us: u64,
    pub(crate) function: u32,
    /// Absolute at the first event of a chain in a batch, else the difference to the event before.
    pub(crate) fuel: u64,
    pub(crate) lengths: Lengths,
    pub(crate) form: Form<'a>,
}

pub(crate) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

const fn zigzag(difference: u64) -> u64 {
    let signed = difference as i64;
    ((signed << 1) ^ (signed >> 63)) as u64
}

const fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

/// Maximal runs of events of one chain, and the chains that advanced: what a batch commits to.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchSummary {
    /// Chain and number of events, in journal order.
    pub(crate) order: Vec<(u32, u32)>,
    pub(crate) events: u32,
}

/// A chain that advanced in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Advance {
    pub(crate) chain: u32,
    pub(crate) first_seq: u64,
    pub(crate) seq: u64,
    pub(crate) head: Hash,
}

impl BatchSummary {
    pub(crate) fn clear(&mut self) {
        self.order.clear();
        self.events = 0;
    }

    pub(crate) fn count(&mut self, chain: u32) {
        self.events += 1;
        match self.order.last_mut() {
            Some((last, count)) if *last == chain => *count += 1,
            _ => self.order.push((chain, 1)),
        }
    }

    /// Hashes previous commitment, batch number, the order of the events by chain, and seq and head of every chain that advanced.
    pub(crate) fn commitment(&self, previous: &Hash, number: u64, advances: &[Advance]) -> Hash {
        debug_assert!(advances.is_sorted_by_key(|advance| advance.chain));
        let mut stream = batch_stream();
        stream.update(&previous.0);
        stream.update(&number.to_le_bytes());
        self.encode(advances, &mut |bytes| stream.update(bytes));
        stream.finish()
    }

    /// Returns what is hashed after the number of the batch.
    pub(crate) fn tail(&self, advances: &[Advance]) -> Vec<u8> {
        let mut tail = Vec::new();
        self.encode(advances, &mut |bytes| tail.extend_from_slice(bytes));
        tail
    }

    fn encode(&self, advances: &[Advance], write: &mut impl FnMut(&[u8])) {
        write(&self.events.to_le_bytes());
        write(&(self.order.len() as u32).to_le_bytes());
        for (chain, count) in &self.order {
            write(&chain.to_le_bytes());
            write(&count.to_le_bytes());
        }
        write(&(advances.len() as u32).to_le_bytes());
        for advance in advances {
            write(&advance.chain.to_le_bytes());
            write(&advance.seq.to_le_bytes());
            write(&advance.head.0);
        }
    }
}

/// What the records of a batch are relative to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    chain: Option<u32>,
    time_us: u64,
}

/// The place of an event in its chain, as far as the encoding needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) chain: u32,
    /// Fuel of the event before it, if that is in the same batch.
    pub(crate) fuel_before: Option<u64>,
}

impl Cursor {
    pub(crate) fn encode(
        &mut self,
        bytes: &mut Vec<u8>,
        placed: Placed,
        header: &Header,
        (lengths, form): (Lengths, Form<'_>),
    ) {
        let flag = |condition: bool, bit: u8| if condition { bit } else { 0 };
        let other_chain = self.chain != Some(placed.chain);
        let form_number = form_number(&form);
        bytes.push(
            header.kind.number()
                | flag(other_chain, OTHER_CHAIN)
                | flag(header.outcome != Outcome::Ok, NOT_OK)
                | flag(form_number != 0, NOT_INLINE)
                | flag(placed.fuel_before.is_none(), FIRST_IN_BATCH),
        );
        if other_chain {
            put_number(bytes, u64::from(placed.chain));
        }
        if header.outcome != Outcome::Ok {
            bytes.push(header.outcome.number());
        }
        if form_number != 0 {
            bytes.push(form_number);
        }
        put_number(bytes, zigzag(header.time_us.wrapping_sub(self.time_us)));
        // NO_FUNCTION becomes the one-byte 0.
        put_number(bytes, u64::from(header.function.wrapping_add(1)));
        if let Some(before) = placed.fuel_before {
            put_number(bytes, zigzag(header.fuel.wrapping_sub(before)));
        } else {
            put_number(bytes, header.seq);
            put_number(bytes, header.fuel);
        }
        put_payload(bytes, lengths, form);
        self.chain = Some(placed.chain);
        self.time_us = header.time_us;
    }

    /// Reads one record off the front of `bytes`.
    pub(crate) fn decode<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Record<'a>, Malformed> {
        let flags = take_byte(bytes)?;
        let kind = Kind::from_number(flags & KIND_MASK).ok_or(Malformed::Kind(flags & KIND_MASK))?;
        let chain = match self.chain {
            _ if flags & OTHER_CHAIN != 0 => take_u32(bytes)?,
            Some(chain) => chain,
            None => return Err(Malformed::Spelling),
        };
        if flags & OTHER_CHAIN != 0 && self.chain == Some(chain) {
            return Err(Malformed::Spelling);
        }
        let outcome = if flags & NOT_OK == 0 {
            Outcome::Ok
        } else {
            let number = take_byte(bytes)?;
            match Outcome::from_number(number).ok_or(Malformed::Outcome(number))? {
                Outcome::Ok => return Err(Malformed::Spelling),
                outcome => outcome,
            }
        };
        let form_number = if flags & NOT_INLINE == 0 { 0 } else { take_byte(bytes)? };
        let time_us = self.time_us.wrapping_add(unzigzag(take_number(bytes)?));
        let function = take_u32(bytes)?.wrapping_sub(1);
        let (first_seq, fuel) = if flags & FIRST_IN_BATCH == 0 {
            (None, unzigzag(take_number(bytes)?))
        } else {
            let seq = take_number(bytes)?;
            (Some(seq), take_number(bytes)?)
        };
        let (lengths, form) = take_payload(bytes, form_number, flags & NOT_INLINE != 0)?;
        self.chain = Some(chain);
        self.time_us = time_us;
        Ok(Record { chain, first_seq, kind, outcome, time_us, function, fuel, lengths, form })
    }
}

const fn form_number(form: &Form<'_>) -> u8 {
    match form {
        Form::Inline(_) => 0,
        Form::Salted(..) => FORM_SALTED,
        Form::Blob(_) => FORM_BLOB,
        Form::SaltedBlob(..) => FORM_SALTED_BLOB,
        Form::Redacted(_) => FORM_REDACTED,
    }
}

fn put_payload(bytes: &mut Vec<u8>, lengths: Lengths, form: Form<'_>) {
    if let Form::Redacted(commitment) = form {
        bytes.extend_from_slice(&commitment.0);
        return;
    }
    put_number(bytes, u64::from(lengths.input));
    put_number(bytes, u64::from(lengths.output));
    match form {
        Form::Inline(payload) => bytes.extend_from_slice(payload),
        Form::Salted(salt, payload) => {
            bytes.extend_from_slice(&salt);
            bytes.extend_from_slice(payload);
        }
        Form::Blob(commitment) | Form::Redacted(commitment) => bytes.extend_from_slice(&commitment.0),
        Form::SaltedBlob(salt, commitment) => {
            bytes.extend_from_slice(&salt);
            bytes.extend_from_slice(&commitment.0);
        }
    }
}

fn take_payload<'a>(
    bytes: &mut &'a [u8],
    form: u8,
    announced: bool,
) -> Result<(Lengths, Form<'a>), Malformed> {
    if form == FORM_REDACTED {
        return Ok((Lengths::default(), Form::Redacted(take_hash(bytes)?)));
    }
    let lengths = Lengths { input: take_u32(bytes)?, output: take_u32(bytes)? };
    let whole = usize::try_from(lengths.total()).map_err(|_| Malformed::Number)?;
    let form = match form {
        0 if announced => return Err(Malformed::Spelling),
        0 => Form::Inline(take(bytes, whole)?),
        FORM_SALTED => Form::Salted(take_salt(bytes)?, take(bytes, whole)?),
        FORM_BLOB => Form::Blob(take_hash(bytes)?),
        FORM_SALTED_BLOB => Form::SaltedBlob(take_salt(bytes)?, take_hash(bytes)?),
        other => return Err(Malformed::Form(other)),
    };
    Ok((lengths, form))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(taken)
}

pub(crate) fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(*taken)
}

fn take_byte(bytes: &mut &[u8]) -> Result<u8, Malformed> {
    take_array::<1>(bytes).map(|[byte]| byte)
}

pub(crate) fn take_hash(bytes: &mut &[u8]) -> Result<Hash, Malformed> {
    take_array(bytes).map(Hash)
}

fn take_salt(bytes: &mut &[u8]) -> Result<Salt, Malformed> {
    take_array(bytes)
}

pub(crate) fn take_u32(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    u32::try_from(take_number(bytes)?).map_err(|_| Malformed::Number)
}

pub(crate) fn take_number(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0;
    for place in 0..10 {
        let byte = take_byte(bytes)?;
        if place == 9 && byte > 1 {
            return Err(Malformed::Number);
        }
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return if byte == 0 && place > 0 { Err(Malformed::Number) } else { Ok(number) };
        }
    }
    Err(Malformed::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(take_number(&mut bytes.as_slice()), Ok(number));
            assert_eq!(unzigzag(zigzag(number)), number);
        }
        for bytes in [&[0x80, 0][..], &[0xff; 10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
        {
            assert_eq!(take_number(&mut &*bytes), Err(Malformed::Number));
        }
        assert_eq!(take_number(&mut &[0x80][..]), Err(Malformed::Short));
    }

    #[test]
    fn kinds_outcomes_and_forms_that_nobody_writes_are_refused() {
        let read = |bytes: &[u8]| Cursor::default().decode(&mut &*bytes).map(|record| record.kind);
        assert_eq!(read(&[0x91, 0, 0, 0, 0, 0, 0, 0]), Ok(Kind::Call));
        assert_eq!(read(&[0x9b, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::Kind(11)));
        assert_eq!(read(&[0xb1, 0, 6, 0, 0, 0, 0, 0, 0]), Err(Malformed::Outcome(6)));
        assert_eq!(read(&[0xb1, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::Spelling));
        assert_eq!(read(&[0xd1, 0, 9, 0, 0, 0, 0, 0, 0]), Err(Malformed::Form(9)));
        assert_eq!(read(&[0xd1, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::Spelling));
        assert_eq!(read(&[0x81, 0, 0, 0, 0, 0, 0]), Err(Malformed::Spelling));
    }

    fn forms() -> impl Strategy<Value = (u8, [u8; 16], [u8; 32])> {
        (0..5u8, any::<[u8; 16]>(), any::<[u8; 32]>())
    }

    proptest! {
        #[test]
        fn every_record_reads_back(
            numbers in (0..11u8, 0..6u8, any::<[u64; 3]>(), any::<u32>(), any::<u32>()),
            before in any::<Option<u64>>(),
            payload in proptest::collection::vec(any::<u8>(), 0..64),
            (form, salt, commitment) in forms(),
        ) {
            let (kind, outcome, [seq, time_us, fuel], function, chain) = numbers;
            let header = Header {
                kind: Kind::from_number(kind).unwrap(),
                outcome: Outcome::from_number(outcome).unwrap(),
                seq, time_us, function, fuel,
            };
            let mut lengths = Lengths { input: payload.len() as u32 / 2, output: payload.len().div_ceil(2) as u32 };
            let form = match form {
                0 => Form::Inline(&payload),
                1 => Form::Salted(salt, &payload),
                2 => Form::Blob(Hash(commitment)),
                3 => Form::SaltedBlob(salt, Hash(commitment)),
                _ => { lengths = Lengths::default(); Form::Redacted(Hash(commitment)) }
            };
            let mut bytes = Vec::new();
            Cursor::default().encode(&mut bytes, Placed { chain, fuel_before: before }, &header, (lengths, form));
            let mut rest = bytes.as_slice();
            let record = Cursor::default().decode(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert_eq!(record.first_seq, before.is_none().then_some(seq));
            prop_assert_eq!(before.map_or(record.fuel, |before| before.wrapping_add(record.fuel)), fuel);
            prop_assert_eq!((record.chain, record.kind.number(), record.outcome.number()), (chain, kind, outcome));
            prop_assert_eq!((record.time_us, record.function), (time_us, function));
            prop_assert_eq!((record.lengths, record.form), (lengths, form));
            for cut in 0..bytes.len() {
                prop_assert!(Cursor::default().decode(&mut &bytes[..cut]).is_err());
            }
        }

        #[test]
        fn what_reads_is_what_would_be_written(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut rest = bytes.as_slice();
            if let Ok(record) = Cursor::default().decode(&mut rest) {
                let header = Header {
                    kind: record.kind, outcome: record.outcome, seq: record.first_seq.unwrap_or(0),
                    time_us: record.time_us, function: record.function, fuel: record.fuel,
                };
                let placed = Placed { chain: record.chain, fuel_before: record.first_seq.is_none().then_some(0) };
                let mut again = Vec::new();
                Cursor::default().encode(&mut again, placed, &header, (record.lengths, record.form));
                prop_assert_eq!(&again, &bytes[..bytes.len() - rest.len()]);
            }
        }
    }
}
