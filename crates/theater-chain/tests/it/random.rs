//! Whatever is appended is read back, and hashes as the format says.

use std::sync::Arc;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use theater_chain::{
    ChainIndex, Durability, EventDraft, Hash, Journal, JournalOptions, Kind, MemoryFiles, Outcome, Run,
    VerifyOptions, verify_files,
};

use crate::support::{block_on, init, options};

#[derive(Clone, Debug)]
struct Step {
    chain: usize,
    kind: u8,
    outcome: u8,
    numbers: [u64; 2],
    function: u32,
    input: Vec<u8>,
    output: Vec<u8>,
    flushes: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let payload = || proptest::collection::vec(any::<u8>(), 0..200);
    let numbers = prop_oneof![any::<[u64; 2]>(), [0..1000u64, 0..1000u64]];
    let step = (0..5usize, 1..10u8, 0..6u8, numbers, any::<u32>(), payload(), payload(), any::<bool>());
    let step = step.prop_map(|(chain, kind, outcome, numbers, function, input, output, flushes)| Step {
        chain,
        kind,
        outcome,
        numbers,
        function,
        input,
        output,
        flushes,
    });
    proptest::collection::vec(step, 1..60)
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Hash(hasher.finalize().into())
}

fn padded(tag: &str, length: usize) -> Vec<u8> {
    let mut bytes = tag.as_bytes().to_vec();
    bytes.resize(length, 0);
    bytes
}

/// The hash of an event by the words of docs/chain-format.md.
fn reference(event: &theater_chain::Event, id: &Hash) -> Hash {
    let header = event.header;
    let (id, seq) = if header.seq == 0 { (Hash::ZERO, u64::from(event.chain.0)) } else { (*id, header.seq) };
    let tag = padded("theater.run/chain/v1 salt", 32);
    let salt = sha256(&[&tag, &init().secret, &id.0, &seq.to_le_bytes()]);
    let (input, output) = (event.payload.input().unwrap(), event.payload.output().unwrap());
    let commitment = sha256(&[
        &padded("theater.run/chain/v1 payload", 64),
        &salt.0[..16],
        &(input.len() as u32).to_le_bytes(),
        &(output.len() as u32).to_le_bytes(),
        input,
        output,
    ]);
    sha256(&[
        b"thevent1",
        &event.previous.0,
        &[header.kind.number(), header.outcome.number()],
        &header.seq.to_le_bytes(),
        &header.time_us.to_le_bytes(),
        &header.function.to_le_bytes(),
        &header.fuel.to_le_bytes(),
        &commitment.0,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_appended_is_read_back_and_hashes_as_documented(
        steps in steps(),
        segment_bytes_max in 100..4000u64,
        blob_threshold_bytes in 100..500usize,
    ) {
        let files = MemoryFiles::new();
        let options =
            JournalOptions { segment_bytes_max, blob_threshold_bytes, ..options(Durability::Memory) };
        let journal = Journal::create_in(Arc::new(files.clone()), init(), options, None).unwrap();
        let chains: Vec<ChainIndex> = (0..5).map(|_| journal.open_chain()).collect();
        let mut begun = [false; 5];
        let mut expected = Vec::new();
        for step in &steps {
            let chain = chains[step.chain];
            let kind = if begun[step.chain] { Kind::from_number(step.kind).unwrap() } else { Kind::Genesis };
            begun[step.chain] = true;
            let (first, second) = step.input.split_at(step.input.len() / 3);
            let draft = EventDraft {
                kind,
                outcome: Outcome::from_number(step.outcome).unwrap(),
                time_us: step.numbers[0],
                function: step.function,
                fuel: step.numbers[1],
                input: &[first, second],
                output: &[&step.output],
            };
            let appended = journal.append(chain, &draft).unwrap();
            expected.push((chain, appended.seq, kind, step));
            if step.flushes {
                let head = block_on(journal.chain_head(chain)).unwrap();
                prop_assert_eq!(head.seq, appended.seq);
                let payload = block_on(journal.payload(chain, appended.seq)).unwrap().unwrap();
                prop_assert_eq!(payload, (step.input.clone(), step.output.clone()));
            }
        }
        let closed = journal.close().unwrap();
        let run = Run::open_files(Arc::new(files.clone())).unwrap();
        let mut heads = [(Hash::ZERO, Hash::ZERO); 5];
        let mut count = 0;
        for (event, (chain, seq, kind, step)) in run.all_events().zip(&expected) {
            let event = event.unwrap();
            let header = event.header;
            prop_assert_eq!((event.chain, header.seq, header.kind), (*chain, *seq, *kind));
            prop_assert_eq!((header.outcome.number(), header.function), (step.outcome, step.function));
            prop_assert_eq!([header.time_us, header.fuel], step.numbers);
            prop_assert_eq!((event.payload.input().unwrap(), event.payload.output().unwrap()), (&*step.input, &*step.output));
            let (id, head) = &mut heads[step.chain];
            prop_assert_eq!(event.previous, *head);
            prop_assert_eq!(event.hash, reference(&event, id));
            if *seq == 0 {
                *id = event.hash;
            }
            *head = event.hash;
            count += 1;
        }
        prop_assert_eq!(count, expected.len());
        let options = VerifyOptions { head: Some(closed.head), threads: 2, ..VerifyOptions::default() };
        let report = verify_files(&files, &options).unwrap();
        prop_assert_eq!((report.verdict(), report.events), (0, count as u64), "{}", report);
        for (number, chain) in chains.iter().enumerate().filter(|(number, _)| begun[*number]) {
            let hashes: Vec<_> = run.events(*chain).map(|event| event.unwrap().hash).collect();
            prop_assert_eq!(*hashes.last().unwrap(), heads[number].1);
        }
    }
}

/// A first segment whose only batch has this body, all checksums right.
fn segment_with(body: &[u8]) -> MemoryFiles {
    let files = MemoryFiles::new();
    let journal =
        Journal::create_in(Arc::new(files.clone()), init(), options(Durability::Memory), None).unwrap();
    drop(journal);
    let mut segment = files.bytes("journal/000000.seg").unwrap();
    let mut frame = b"BTCH".to_vec();
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    let crc = crc32fast::hash(&[frame.as_slice(), body].concat());
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(body);
    segment.extend_from_slice(&frame);
    // Something follows, so that the frame cannot be taken for a torn tail.
    segment.extend_from_slice(b"BTCH");
    files.insert("journal/000000.seg", segment);
    files
}

proptest! {
    #[test]
    fn a_batch_of_arbitrary_bytes_is_a_fault_and_no_panic(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        starts_as_genesis in any::<bool>(),
    ) {
        let mut body = body;
        if starts_as_genesis {
            body.splice(0..0, [0x90, 1, 0, 0, 0, 0, 0, 0]);
        }
        let files = segment_with(&body);
        let report = verify_files(&files, &VerifyOptions::default()).unwrap();
        prop_assert!(matches!(report.integrity, theater_chain::Integrity::Broken(_)), "{}", report);
        prop_assert!(Run::open_files(Arc::new(files)).unwrap().all_events().any(|event| event.is_err()));
    }

    #[test]
    fn arbitrary_text_is_no_checkpoint(text in "\\PC*") {
        prop_assert!(theater_chain::Note::parse(text.as_bytes()).is_err());
    }
}
