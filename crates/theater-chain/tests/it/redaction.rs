//! A run whose payloads were removed still verifies, and says what is missing.

use std::sync::Arc;

use theater_chain::{
    ChainIndex, Durability, EventDraft, Header, Integrity, Journal, JournalOptions, Kind, MemoryFiles,
    Payload, Run, VerifyOptions, redact, verify_files,
};

use crate::support::{begin, begin_actor, end, exchange, init, options, signer};

fn record() -> MemoryFiles {
    let options = JournalOptions { blob_threshold_bytes: 2000, ..options(Durability::Memory) };
    let files = MemoryFiles::new();
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, Some(signer())).unwrap();
    journal.put_blob(b"package").unwrap();
    journal.put_blob(b"manifest").unwrap();
    let runtime = begin(&journal, Some(&signer()));
    let actor = begin_actor(&journal, "root");
    for number in 0..10 {
        exchange(&journal, actor, number);
    }
    for letter in [b'a', b'b'] {
        let draft = EventDraft { output: &[&[letter; 3000]], ..EventDraft::new(Kind::HostCall, 100) };
        journal.append(actor, &draft).unwrap();
    }
    end(&journal, actor);
    end(&journal, runtime);
    journal.close().unwrap();
    files
}

fn known() -> VerifyOptions<'static> {
    VerifyOptions { keys: vec![signer().public_key()], ..VerifyOptions::default() }
}

fn redacted(from: &MemoryFiles, keeps: &(dyn Fn(ChainIndex, &Header) -> bool + Sync)) -> (MemoryFiles, u64) {
    let to = MemoryFiles::new();
    let removed = redact(from, &to, keeps).unwrap();
    (to, removed)
}

#[test]
fn a_removed_payload_leaves_the_head_and_the_signature_as_they_were() {
    let files = record();
    let original = verify_files(&files, &known()).unwrap();
    // Goes: an exchange, and the first of the two payloads in blobs.
    let (copy, removed) = redacted(&files, &|chain, header| chain.0 == 0 || ![4, 11].contains(&header.seq));
    assert_eq!(removed, 2);
    let report = verify_files(&copy, &known()).unwrap();
    assert_eq!(
        (report.verdict(), report.head, &report.signer),
        (0, original.head, &original.signer),
        "{report}"
    );
    assert_eq!((report.redactions.payloads, report.redactions.is_secret_dropped), (2, true));
    assert!(report.to_string().contains("2 payloads removed; the secret of the run was dropped"), "{report}");
    let events = |files: &MemoryFiles| -> Vec<_> {
        Run::open_files(Arc::new(files.clone())).unwrap().all_events().map(Result::unwrap).collect()
    };
    for (was, is) in events(&files).into_iter().zip(events(&copy)) {
        assert_eq!((was.hash, was.header), (is.hash, is.header));
        let is_gone = was.chain.0 == 1 && [4, 11].contains(&was.header.seq);
        assert_eq!(matches!(is.payload, Payload::Redacted { .. }), is_gone);
        if !is_gone {
            assert_eq!(was.payload, is.payload);
        }
    }
    let bytes: Vec<_> = copy.names().iter().map(|name| copy.bytes(name).unwrap()).collect();
    assert!(
        !bytes.iter().any(|bytes| bytes.windows(8).any(|window| window == b"answer 3")),
        "it is still there"
    );
    assert!(bytes.iter().any(|bytes| bytes.windows(8).any(|window| window == b"answer 4")));
    assert!(!copy.names().contains(&"secret".to_owned()));
}

#[test]
fn a_redacted_run_can_be_redacted_further() {
    let files = record();
    let (once, _) = redacted(&files, &|_, header| header.seq != 4);
    let (twice, removed) = redacted(&once, &|_, _| false);
    assert_eq!(removed, 15);
    let report = verify_files(&twice, &known()).unwrap();
    assert_eq!((&report.integrity, report.redactions.payloads), (&Integrity::Intact, 16));
}

#[test]
fn a_payload_that_was_kept_cannot_be_altered() {
    let (copy, _) = redacted(&record(), &|_, header| header.seq != 4);
    let name = "journal/000000.seg";
    let mut bytes = copy.bytes(name).unwrap();
    let at = bytes.windows(8).position(|window| window == b"answer 5").unwrap();
    bytes[at] ^= 1;
    // Every byte of a run in one batch: its frame begins after the header.
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let length = u32::from_le_bytes(bytes[header + 4..header + 8].try_into().unwrap()) as usize;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[header..header + 8]);
    crc.update(&bytes[header + 12..header + 12 + length]);
    bytes[header + 8..header + 12].copy_from_slice(&crc.finalize().to_le_bytes());
    copy.insert(name, bytes);
    let report = verify_files(&copy, &known()).unwrap();
    assert!(matches!(report.integrity, Integrity::Broken(_)), "{report}");
}

#[test]
fn a_run_without_its_secret_and_without_salts_cannot_be_verified() {
    let files = record();
    let copy = MemoryFiles::new();
    for name in files.names().into_iter().filter(|name| name != "secret") {
        copy.insert(&name, files.bytes(&name).unwrap());
    }
    let report = verify_files(&copy, &known()).unwrap();
    assert!(report.to_string().contains("the secret of the run is missing or damaged"), "{report}");
    assert_eq!(report.verdict(), 1);
}
