//! The files of the journal: a segment's header, the frames after it, the trailer of a closed run.

use std::io::{self, Read};

use crate::hash::Hash;
use crate::merkle::Frontier;

/// Version of everything on disk. Readers refuse a greater one.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"THTRSEG\n";
const FIXED_BYTES: usize = 136;
const LIVE_BYTES: usize = 76;
pub(crate) const FRAME_BYTES: usize = 12;
pub(crate) const TRAILER_BYTES: usize = 84;

/// No run has so many of anything: below it, counting on cannot overflow.
const COUNT_MAX: u64 = 1 << 62;

/// A writer closes a batch when it has so many bytes.
pub(crate) const BATCH_BYTES: usize = 1 << 20;
/// A reader allocates no more than this for one frame. A batch of the smallest records, six bytes each, must fit
/// even when every payload is replaced by its commitment, and so must one payload below the blob threshold.
pub(crate) const FRAME_BODY_BYTES_MAX: usize = 8 << 20;

/// Longest run id: it has a fixed place in every segment header.
pub const RUN_ID_BYTES_MAX: usize = 64;

/// Says whether a text can be a run id: 1 to 64 letters, digits, `-`, `_` and `.`, not beginning with `.`.
pub fn is_run_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=RUN_ID_BYTES_MAX).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_plain)
}

/// A run id, padded with zeros: how it is written and hashed.
pub(crate) fn padded_run_id(run_id: &str) -> [u8; RUN_ID_BYTES_MAX] {
    let mut padded = [0; RUN_ID_BYTES_MAX];
    let length = run_id.len().min(RUN_ID_BYTES_MAX);
    padded[..length].copy_from_slice(&run_id.as_bytes()[..length]);
    padded
}

fn unpadded_run_id(padded: &[u8; RUN_ID_BYTES_MAX]) -> Option<String> {
    let text = std::str::from_utf8(padded).ok()?.trim_end_matches('\0');
    is_run_id(text).then(|| text.to_owned())
}

pub(crate) fn segment_name(number: u32) -> String {
    format!("journal/{number:06}.seg")
}

/// A chain that a segment continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiveChain {
    pub(crate) chain: u32,
    pub(crate) next_seq: u64,
    pub(crate) id: Hash,
    pub(crate) head: Hash,
}

/// What a segment starts with: all that is needed to verify it without the segments before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) run_id: String,
    pub(crate) number: u32,
    pub(crate) events: u64,
    pub(crate) previous: Hash,
    /// Its size is the number of the first batch.
    pub(crate) frontier: Frontier,
    /// Chains begun and not ended, by ordinal.
    pub(crate) live: Vec<LiveChain>,
}

/// Why the start of a file is not a segment header.
#[derive(Debug)]
pub(crate) enum HeaderError {
    Io(io::Error),
    NotASegment,
    Newer(u32),
    Truncated,
    Corrupt,
}

impl From<io::Error> for HeaderError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Io(error) }
    }
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let roots = self.frontier.roots();
        let length = FIXED_BYTES + 8 + roots.len() * 32 + self.live.len() * LIVE_BYTES + 4;
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
        bytes.extend_from_slice(&padded_run_id(&self.run_id));
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&0u32.to_le_bytes());
        bytes.extend_from_slice(&self.frontier.size().to_le_bytes());
        bytes.extend_from_slice(&self.events.to_le_bytes());
        bytes.extend_from_slice(&self.previous.0);
        debug_assert_eq!(bytes.len(), FIXED_BYTES);
        bytes.extend_from_slice(&(roots.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.live.len() as u32).to_le_bytes());
        for root in roots {
            bytes.extend_from_slice(&root.0);
        }
        for live in &self.live {
            bytes.extend_from_slice(&live.chain.to_le_bytes());
            bytes.extend_from_slice(&live.next_seq.to_le_bytes());
            bytes.extend_from_slice(&live.id.0);
            bytes.extend_from_slice(&live.head.0);
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Returns the checksum that it ends with.
    pub(crate) fn crc(&self) -> u32 {
        let bytes = self.encode();
        bytes.last_chunk().map_or(0, |crc| u32::from_le_bytes(*crc))
    }

    /// Reads the header of a file of `size` bytes; returns its length too.
    pub(crate) fn read(source: &mut dyn Read, size: u64) -> Result<(Self, u64), HeaderError> {
        let mut fixed = [0; FIXED_BYTES + 8];
        source.read_exact(&mut fixed)?;
        let mut fields = Fields(&fixed);
        if fields.take::<8>() != MAGIC {
            // A file that was lengthened and not written is all zeros.
            let is_unwritten = fixed == [0; FIXED_BYTES + 8] && is_zero(source)?;
            return Err(if is_unwritten { HeaderError::Truncated } else { HeaderError::NotASegment });
        }
        match fields.u32() {
            FORMAT_VERSION => {}
            newer if newer > FORMAT_VERSION => return Err(HeaderError::Newer(newer)),
            _ => return Err(HeaderError::Corrupt),
        }
        let length = fields.u32();
        let run_id = unpadded_run_id(&fields.take());
        let number = fields.u32();
        let reserved = fields.u32();
        let batches = fields.u64();
        let events = fields.u64();
        let previous = Hash(fields.take());
        let (roots, live) = (fields.u32() as u64, fields.u32() as u64);
        if u64::from(length) > size {
            return Err(HeaderError::Truncated);
        }
        let expected = (FIXED_BYTES + 8 + 4) as u64 + roots * 32 + live * LIVE_BYTES as u64;
        if u64::from(length) != expected || reserved != 0 || batches.max(events) > COUNT_MAX {
            return Err(HeaderError::Corrupt);
        }
        let mut rest = vec![0; length as usize - fixed.len()];
        source.read_exact(&mut rest)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&fixed);
        crc.update(&rest[..rest.len() - 4]);
        let mut fields = Fields(&rest);
        let roots = (0..roots).map(|_| Hash(fields.take())).collect();
        let live: Vec<_> = (0..live)
            .map(|_| LiveChain {
                chain: fields.u32(),
                next_seq: fields.u64(),
                id: Hash(fields.take()),
                head: Hash(fields.take()),
            })
            .collect();
        let is_counted = live.iter().all(|live| (1..=COUNT_MAX).contains(&live.next_seq));
        if fields.u32() != crc.finalize() || !is_counted || !live.is_sorted_by(|a, b| a.chain < b.chain) {
            return Err(HeaderError::Corrupt);
        }
        let frontier = Frontier::from_parts(batches, roots).ok_or(HeaderError::Corrupt)?;
        let run_id = run_id.ok_or(HeaderError::Corrupt)?;
        Ok((Self { run_id, number, events, previous, frontier, live }, u64::from(length)))
    }
}

/// Reads fixed-width fields off a slice whose length was checked; past its end it reads zeros.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((taken, rest)) => {
                self.0 = rest;
                *taken
            }
            None => [0; N],
        }
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Batch,
    Trailer,
}

impl FrameKind {
    const fn tag(self) -> [u8; 4] {
        match self {
            Self::Batch => *b"BTCH",
            Self::Trailer => *b"TRLR",
        }
    }
}

/// Leaves room in an empty buffer for what [`finish_frame`] writes.
pub(crate) fn start_frame(frame: &mut Vec<u8>) {
    frame.clear();
    frame.extend_from_slice(&[0; FRAME_BYTES]);
}

/// Writes tag, length and checksum in front of the body.
pub(crate) fn finish_frame(frame: &mut [u8], kind: FrameKind) {
    let length = (frame.len() - FRAME_BYTES) as u32;
    frame[..4].copy_from_slice(&kind.tag());
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    let crc = frame_crc(&frame[..8], &frame[FRAME_BYTES..]);
    frame[8..12].copy_from_slice(&crc.to_le_bytes());
}

fn frame_crc(start: &[u8], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(start);
    crc.update(body);
    crc.finalize()
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextFrame {
    /// A frame, its body in the buffer.
    Whole(FrameKind),
    /// The end of the file.
    End,
    /// The file ends within a frame.
    Short,
    /// Not a frame, or not with this checksum; true if it would have been the last.
    Corrupt { is_last: bool },
}

/// Reads the next frame, of which at most `remaining` bytes are there.
pub(crate) fn read_frame(source: &mut dyn Read, remaining: u64, body: &mut Vec<u8>) -> io::Result<NextFrame> {
    if remaining == 0 {
        return Ok(NextFrame::End);
    }
    if remaining < FRAME_BYTES as u64 {
        return Ok(NextFrame::Short);
    }
    let mut start = [0; FRAME_BYTES];
    source.read_exact(&mut start)?;
    let mut fields = Fields(&start);
    let (tag, length, crc) = (fields.take::<4>(), fields.u32(), fields.u32());
    let rest = remaining - FRAME_BYTES as u64;
    let kind = match [FrameKind::Batch, FrameKind::Trailer].into_iter().find(|kind| kind.tag() == tag) {
        Some(kind) if length as usize <= FRAME_BODY_BYTES_MAX => kind,
        // A file that was lengthened and not written ends in zeros.
        _ => return Ok(NextFrame::Corrupt { is_last: start == [0; FRAME_BYTES] && is_zero(source)? }),
    };
    if u64::from(length) > rest {
        return Ok(NextFrame::Short);
    }
    body.resize(length as usize, 0);
    source.read_exact(body)?;
    if frame_crc(&start[..8], body) != crc {
        return Ok(NextFrame::Corrupt { is_last: u64::from(length) == rest });
    }
    Ok(NextFrame::Whole(kind))
}

fn is_zero(source: &mut dyn Read) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok(true);
        }
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
}

/// The last frame of a closed run: all of it can be computed from the frames before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) batches: u64,
    pub(crate) events: u64,
    pub(crate) chains: u32,
    pub(crate) previous: Hash,
    pub(crate) root: Hash,
}

impl Trailer {
    pub(crate) fn encode(&self, frame: &mut Vec<u8>) {
        start_frame(frame);
        frame.extend_from_slice(&self.batches.to_le_bytes());
        frame.extend_from_slice(&self.events.to_le_bytes());
        frame.extend_from_slice(&self.chains.to_le_bytes());
        frame.extend_from_slice(&self.previous.0);
        frame.extend_from_slice(&self.root.0);
        finish_frame(frame, FrameKind::Trailer);
    }

    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        (body.len() == TRAILER_BYTES).then(|| Self {
            batches: fields.u64(),
            events: fields.u64(),
            chains: fields.u32(),
            previous: Hash(fields.take()),
            root: Hash(fields.take()),
        })
    }
}
