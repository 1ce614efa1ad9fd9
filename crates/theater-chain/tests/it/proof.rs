//! A proof of one event shows that event and no other.

use std::sync::Arc;

use theater_chain::{
    ChainIndex, Checkpoint, Durability, EventProof, Frontier, Journal, JournalOptions, MemoryFiles, Note,
    Payload, ProveError, Run, batch_commitments, prove, verify_files,
};

use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};

fn record() -> MemoryFiles {
    let options = JournalOptions { segment_bytes_max: 1500, ..options(Durability::Memory) };
    let files = MemoryFiles::new();
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, Some(signer())).unwrap();
    let runtime = begin(&journal, Some(&signer()));
    let actor = begin_actor(&journal, "root");
    for number in 0..21 {
        exchange(&journal, if number % 3 == 0 { runtime } else { actor }, number);
        if number % 5 == 4 {
            block_on(journal.chain_head(actor)).unwrap();
        }
    }
    end(&journal, actor);
    end(&journal, runtime);
    journal.close().unwrap();
    files
}

#[test]
fn every_event_of_a_run_can_be_proven_to_its_signed_head() {
    let files = record();
    let head = verify_files(&files, &theater_chain::VerifyOptions::default()).unwrap().head;
    for event in Run::open_files(Arc::new(files.clone())).unwrap().all_events() {
        let event = event.unwrap();
        let note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
        let proof = prove(&files, event.chain, event.header.seq, Some(note)).unwrap();
        let proof = EventProof::decode(proof.encode().unwrap().as_bytes()).unwrap();
        proof.check().unwrap();
        let proven = proof.note.checkpoint.head;
        assert_eq!((proven, proof.header, proof.event_hash().unwrap()), (head, event.header, event.hash));
        assert_eq!(proof.payload, event.payload);
        assert!(proof.note.is_signed_by(&signer().public_key()));
        let bare = proof.clone().without_payload();
        bare.check().unwrap();
        assert!(matches!(bare.payload, Payload::Redacted { .. }));
        assert_eq!(bare.event_hash().unwrap(), event.hash);
        assert_eq!(EventProof::decode(bare.encode().unwrap().as_bytes()).unwrap(), bare);
    }
    let none = prove(&files, ChainIndex(1), 99, None);
    assert!(matches!(none, Err(ProveError::NoEvent { .. })));
}

#[test]
fn an_event_is_proven_to_an_earlier_checkpoint_only_if_that_reaches_it() {
    let files = record();
    let leaves = batch_commitments(&files).unwrap();
    let note = |run: &str, size: usize| {
        let mut frontier = Frontier::new();
        leaves[..size].iter().for_each(|leaf| frontier.push(leaf));
        Note::new(Checkpoint::of_run(run, frontier.head(), false), Some(&signer()))
    };
    let (mut reached, mut late) = (0, 0);
    for size in 1..=leaves.len() {
        match prove(&files, ChainIndex(1), 7, Some(note("run-1", size))) {
            Ok(proof) => {
                proof.check().unwrap();
                reached += 1;
            }
            Err(ProveError::NotCovered { size: of, .. }) if of == size as u64 => late += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(reached > 1 && late > 1, "{reached} {late}");
    let mut other = note("run-1", 2);
    other.checkpoint.head.root.0[0] ^= 1;
    for note in [note("run-2", 2), other] {
        let proven = prove(&files, ChainIndex(1), 7, Some(note));
        assert!(matches!(proven, Err(ProveError::OtherRun { .. })));
    }
}

#[test]
fn no_flipped_bit_in_a_proof_proves_another_event() {
    let files = record();
    let note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    let proof = prove(&files, ChainIndex(1), 7, Some(note)).unwrap();
    let bytes = proof.encode().unwrap().into_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let proves = EventProof::decode(&altered)
            .is_ok_and(|read| read.check().is_ok() && read.note.is_signed_by(&signer().public_key()));
        assert!(!proves, "bit {bit}");
    }
}
