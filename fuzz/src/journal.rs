//! Arbitrary files, or one arbitrary bundle, are a run or a fault with a place: reading and verifying them never
//! panics, and what is found intact can be read to its end.

use std::io::Cursor;
use std::sync::Arc;
use std::task::{Context, Waker};

use theater_chain::{
    Bundle, Durability, EventDraft, Files, Integrity, Journal, JournalOptions, Kind, MemoryFiles, Run,
    RunInit, Signer, VerifyOptions, export, verify_files,
};

use crate::target::{Seed, Target};

pub(crate) const TARGET: Target = Target { name: "journal", seeds, check };

/// The same for one file that holds all others.
pub(crate) const BUNDLE: Target = Target { name: "bundle", seeds: bundles, check: check_bundle };

/// Byte lengths of the fixed parts of a segment: `docs/chain-format.md`.
const FRAME_BYTES: usize = 12;
const LENGTH_OF_HEADER: std::ops::Range<usize> = 12..16;

fn check(input: &[u8]) {
    check_files(Arc::new(put_together(input)));
}

fn check_files(files: Arc<dyn Files>) {
    let verified = verify_files(files.as_ref(), &VerifyOptions { threads: 1, ..VerifyOptions::default() });
    if let Ok(report) = &verified {
        assert!(!report.to_string().is_empty());
    }
    let Ok(run) = Run::open_files(files) else { return };
    let events = run.all_events().take_while(Result::is_ok).count();
    let chains = run.chains();
    if let Ok(report) = verified
        && matches!(report.integrity, Integrity::Intact)
    {
        assert_eq!(events as u64, report.events, "{report}");
        assert!(chains.is_ok(), "{report}");
    }
}

/// What opens as a bundle is exported as the same bytes, unless one of its checksums is wrong.
fn check_bundle(bytes: &[u8]) {
    let bundle = match Bundle::from_source(Box::new(Cursor::new(bytes.to_vec()))) {
        Ok(bundle) => Arc::new(bundle),
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    check_files(bundle.clone());
    let mut first = Cursor::new(Vec::new());
    if export(bundle.as_ref(), &mut first).is_err() {
        return;
    }
    let first = first.into_inner();
    let is_whole = matches!(bundle.damaged(), Ok(None));
    assert_eq!(is_whole, first == bytes, "one run has two bundles");
}

/// An input is a list of parts, each after a byte that says where it belongs and its length in two bytes.
fn put_together(input: &[u8]) -> MemoryFiles {
    let files = MemoryFiles::new();
    let mut rest = input;
    while let Some(([place, low, high], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (part, after) = after.split_at(length);
        put(&files, *place, part);
        rest = after;
    }
    files
}

/// Appends a part to its file. Checksums are made here, because no fuzzer guesses one.
fn put(files: &MemoryFiles, place: u8, part: &[u8]) {
    let segment = format!("journal/{:06}.seg", place >> 4);
    match place & 0x0F {
        0 => files.insert("secret", part.to_vec()),
        1 => files.insert("checkpoint", part.to_vec()),
        // A header, which ends with its checksum.
        2 => append(files, &segment, &[part, &crc32fast::hash(part).to_le_bytes()]),
        // A frame: kind, then body.
        3 => {
            let (kind, body) = part.split_at(part.len().min(4));
            let head = [kind, &(body.len() as u32).to_le_bytes()].concat();
            let checksum = crc32fast::hash(&[head.as_slice(), body].concat());
            append(files, &segment, &[&head, &checksum.to_le_bytes(), body]);
        }
        // Anything, as it is.
        _ => append(files, &segment, &[part]),
    }
}

fn same(one: &MemoryFiles, other: &MemoryFiles) -> bool {
    one.names() == other.names() && one.names().iter().all(|name| one.bytes(name) == other.bytes(name))
}

fn append(files: &MemoryFiles, name: &str, parts: &[&[u8]]) {
    let mut bytes = files.bytes(name).unwrap_or_default();
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    files.insert(name, bytes);
}

fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, files) in runs() {
        let input = take_apart(&files);
        assert!(same(&put_together(&input), &files), "the run of {name} is not made as it was taken apart");
        seeds.push((format!("run of {name}"), input));
    }
    seeds
}

fn bundles() -> Vec<Seed> {
    let exported = |(name, files)| {
        let mut bundle = Cursor::new(Vec::new());
        export(&files, &mut bundle).expect("a run that was closed can be exported");
        (format!("bundle of {name}"), bundle.into_inner())
    };
    runs().into_iter().map(exported).collect()
}

fn runs() -> Vec<(&'static str, MemoryFiles)> {
    let signer = Signer::from_seed(&[42; 32]);
    let small = record(400, Some(signer.clone()));
    assert!(small.names().iter().filter(|name| name.starts_with("journal/")).count() > 1);
    vec![
        ("one segment", record(1 << 20, None)),
        ("a signed segment", record(1 << 20, Some(signer))),
        ("small segments", small),
    ]
}

fn record(segment_bytes_max: u64, signer: Option<Signer>) -> MemoryFiles {
    let files = MemoryFiles::new();
    let init = RunInit { run_id: "run-1".to_owned(), secret: [7; 32] };
    // The writer moves only when it is asked for something, so that the run is the same every time.
    let options = JournalOptions {
        segment_bytes_max,
        group_commit_ms: 600_000,
        ..JournalOptions::new(Durability::Memory)
    };
    let journal = Journal::create_in(Arc::new(files.clone()), init, options, signer)
        .expect("a run in memory can be created");
    let chains = [journal.open_chain(), journal.open_chain()];
    for number in 0..8u64 {
        let kind = match number {
            0 | 1 => Kind::Genesis,
            6 | 7 => Kind::Exit,
            _ => Kind::Exchange,
        };
        let (input, output) = ([number as u8; 9], [0xFF; 3]);
        let draft = EventDraft { input: &[&input], output: &[&output], ..EventDraft::new(kind, number) };
        let chain = chains[number as usize % 2];
        journal.append(chain, &draft).expect("an event can be appended in memory");
        if number % 3 == 2 {
            let mut head = std::pin::pin!(journal.chain_head(chain));
            while head.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                std::thread::yield_now();
            }
        }
    }
    journal.close().expect("a run in memory can be closed");
    files
}

/// Makes the input that [`put_together`] makes these files of.
fn take_apart(files: &MemoryFiles) -> Vec<u8> {
    let mut input = Vec::new();
    for name in files.names() {
        let bytes = files.bytes(&name).unwrap_or_default();
        match name.strip_prefix("journal/").and_then(|name| name.get(..6)).map(str::parse::<u8>) {
            Some(Ok(number)) => take_apart_segment(number << 4, &bytes, &mut input),
            Some(Err(_)) | None => push(&mut input, u8::from(name == "checkpoint"), &bytes),
        }
    }
    input
}

fn take_apart_segment(place: u8, bytes: &[u8], input: &mut Vec<u8>) {
    let word = |bytes: &[u8]| bytes.first_chunk::<4>().map_or(0, |word| u32::from_le_bytes(*word) as usize);
    let (header, mut frames) = bytes.split_at(word(&bytes[LENGTH_OF_HEADER]));
    push(input, place | 2, &header[..header.len() - 4]);
    while let Some((head, rest)) = frames.split_first_chunk::<FRAME_BYTES>() {
        let length = word(&head[4..]).min(rest.len());
        let (body, after) = rest.split_at(length);
        push(input, place | 3, &[&head[..4], body].concat());
        frames = after;
    }
}

fn push(input: &mut Vec<u8>, place: u8, part: &[u8]) {
    input.push(place);
    input.extend_from_slice(&(part.len() as u16).to_le_bytes());
    input.extend_from_slice(part);
}
