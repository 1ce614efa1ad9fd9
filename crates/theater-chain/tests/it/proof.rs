//! A proof of one event shows that event and no other.

use std::sync::Arc;

use theater_chain::{
    ChainIndex, Durability, EventProof, Journal, JournalOptions, MemoryFiles, Payload, Run, prove,
    verify_files,
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
        let proof = prove(&files, event.chain, event.header.seq).unwrap().unwrap();
        let proof = EventProof::decode(&proof.encode().unwrap()).unwrap();
        proof.check().unwrap();
        assert_eq!((proof.head, proof.header, proof.event_hash().unwrap()), (head, event.header, event.hash));
        assert_eq!(proof.payload, event.payload);
        assert!(proof.note().unwrap().is_signed_by(&signer().public_key()));
        let bare = proof.clone().without_payload();
        bare.check().unwrap();
        assert!(matches!(bare.payload, Payload::Redacted { .. }));
        assert_eq!(bare.event_hash().unwrap(), event.hash);
        assert_eq!(EventProof::decode(&bare.encode().unwrap()).unwrap(), bare);
    }
    assert_eq!(prove(&files, ChainIndex(1), 99).unwrap(), None);
}

#[test]
fn no_flipped_bit_in_a_proof_proves_another_event() {
    let files = record();
    let proof = prove(&files, ChainIndex(1), 7).unwrap().unwrap();
    let bytes = proof.encode().unwrap();
    let proof = EventProof::decode(&bytes).unwrap();
    let mut refused = 0;
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(read) = EventProof::decode(&altered) else {
            refused += 1;
            continue;
        };
        let holds = read.check().is_ok() && read.head == proof.head;
        if holds {
            // Only what is not proven may differ: the run's name and the checkpoint, which is checked by itself.
            assert_eq!(
                (read.chain, read.header, &read.payload),
                (proof.chain, proof.header, &proof.payload),
                "{bit}"
            );
            assert!(
                read.note().is_none_or(|note| !note.is_signed_by(&signer().public_key())) || read == proof
            );
        } else {
            refused += 1;
        }
    }
    assert!(refused > bytes.len() * 4, "only {refused} of {} flips were refused", bytes.len() * 8);
}
