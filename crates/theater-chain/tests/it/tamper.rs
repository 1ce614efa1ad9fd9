//! What somebody who alters the files can reach: never exit 0, and where it can be known, the place.

use std::sync::Arc;

use theater_chain::{
    Closed, Durability, EventDraft, FaultKind, Head, HeadCheck, Integrity, Journal, JournalOptions, Kind,
    MemoryFiles, Note, Progress, ReadError, Report, Run, RunStatus, Signer, SignerCheck, VerifyOptions,
    verify_files,
};

use crate::support::{begin, begin_actor, end, exchange, init, options, signer};

/// A run in three segments, with a payload in a blob of its own and a kept package.
pub(crate) fn record(signer: Option<Signer>, word: &str) -> (MemoryFiles, Closed) {
    let options =
        JournalOptions { segment_bytes_max: 1500, blob_threshold_bytes: 2000, ..options(Durability::Memory) };
    let files = MemoryFiles::new();
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, signer.clone()).unwrap();
    journal.put_blob(b"package").unwrap();
    journal.put_blob(b"manifest").unwrap();
    let runtime = begin(&journal, signer.as_ref());
    let actor = begin_actor(&journal, "root");
    for number in 0..12 {
        exchange(&journal, if number % 4 == 0 { runtime } else { actor }, number);
        if number % 4 == 3 {
            // A look-up makes the writer finish a batch.
            crate::support::block_on(journal.chain_head(actor)).unwrap();
        }
    }
    let large = word.repeat(2000);
    let draft = EventDraft { input: &[large.as_bytes()], ..EventDraft::new(Kind::HostCall, 50) };
    journal.append(actor, &draft).unwrap();
    end(&journal, actor);
    end(&journal, runtime);
    let closed = journal.close().unwrap();
    (files, closed)
}

pub(crate) fn known() -> VerifyOptions<'static> {
    VerifyOptions { keys: vec![signer().public_key()], threads: 1, ..VerifyOptions::default() }
}

pub(crate) fn with_head(head: Head) -> VerifyOptions<'static> {
    VerifyOptions { head: Some(head), threads: 1, ..VerifyOptions::default() }
}

pub(crate) fn copy(files: &MemoryFiles) -> MemoryFiles {
    let copy = MemoryFiles::new();
    for name in files.names() {
        copy.insert(&name, files.bytes(&name).unwrap());
    }
    copy
}

fn fault(report: &Report) -> &theater_chain::Fault {
    match &report.integrity {
        Integrity::Broken(fault) => fault,
        Integrity::Intact => panic!("no fault was found:\n{report}"),
    }
}

#[test]
fn no_flipped_bit_in_any_file_gives_exit_0() {
    let (files, closed) = record(Some(signer()), "x");
    let both = VerifyOptions { head: Some(closed.head), ..known() };
    assert_eq!(verify_files(&files, &known()).unwrap().verdict(), 0);
    assert!(files.names().iter().filter(|name| name.starts_with("journal/")).count() >= 2);
    let mut flips = 0;
    for name in files.names() {
        let bytes = files.bytes(&name).unwrap();
        for bit in 0..bytes.len() * 8 {
            let altered = copy(&files);
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            altered.insert(&name, bytes);
            for options in [&known(), &both, &with_head(closed.head)] {
                let verdict = verify_files(&altered, options).map_or(2, |report| report.verdict());
                assert_ne!(verdict, 0, "bit {bit} of {name}");
            }
            flips += 1;
        }
    }
    assert!(flips > 20_000, "only {flips} bits");
}

#[test]
fn no_file_cut_short_gives_exit_0() {
    let (files, closed) = record(Some(signer()), "x");
    for name in files.names() {
        let bytes = files.bytes(&name).unwrap();
        for length in 0..bytes.len() {
            let altered = copy(&files);
            altered.insert(&name, bytes[..length].to_vec());
            let verdict = verify_files(&altered, &known()).map_or(2, |report| report.verdict());
            assert_ne!(verdict, 0, "{name} cut to {length} bytes");
            if name != "checkpoint" {
                let verdict =
                    verify_files(&altered, &with_head(closed.head)).map_or(2, |report| report.verdict());
                assert_ne!(verdict, 0, "{name} cut to {length} bytes, with its head");
            }
        }
    }
}

/// Offsets, lengths and tags of the frames of a segment.
pub(crate) fn frames(segment: &[u8]) -> Vec<(usize, usize, [u8; 4])> {
    let word = |at: usize| u32::from_le_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
    let mut offset = word(12);
    let mut frames = Vec::new();
    while offset < segment.len() {
        let length = word(offset + 4);
        frames.push((offset, length, segment[offset..offset + 4].try_into().unwrap()));
        offset += 12 + length;
    }
    frames
}

fn repair_crc(segment: &mut [u8], (offset, length, _): (usize, usize, [u8; 4])) {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&segment[offset..offset + 8]);
    crc.update(&segment[offset + 12..offset + 12 + length]);
    segment[offset + 8..offset + 12].copy_from_slice(&crc.finalize().to_le_bytes());
}

pub(crate) fn replace(haystack: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let at = haystack.windows(from.len()).position(|window| window == from).unwrap();
    haystack[at..at + to.len()].copy_from_slice(to);
    at
}

/// Makes all checksums of a segment right again, as far as its lengths allow.
pub(crate) fn repair(segment: &mut [u8]) {
    let word =
        |segment: &[u8], at: usize| u32::from_le_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
    let header = word(segment, 12);
    if !(140..segment.len()).contains(&header) {
        return;
    }
    let crc = crc32fast::hash(&segment[..header - 4]);
    segment[header - 4..header].copy_from_slice(&crc.to_le_bytes());
    let mut offset = header;
    while offset + 12 <= segment.len() {
        let length = word(segment, offset + 4);
        if length > segment.len() - offset - 12 {
            return;
        }
        repair_crc(segment, (offset, length, [0; 4]));
        offset += 12 + length;
    }
}

#[test]
fn no_flipped_bit_with_repaired_checksums_gives_exit_0_or_a_panic() {
    let (files, closed) = record(Some(signer()), "x");
    for name in files.names().into_iter().filter(|name| name.starts_with("journal/")) {
        let bytes = files.bytes(&name).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            repair(&mut altered);
            if altered == bytes {
                continue; // The bit was one of a checksum.
            }
            let files = copy(&files);
            files.insert(&name, altered);
            let verdict = verify_files(&files, &with_head(closed.head)).map_or(2, |report| report.verdict());
            assert_ne!(verdict, 0, "bit {bit} of {name}");
            let run = Run::open_files(Arc::new(files));
            let is_whole = run.is_ok_and(|run| {
                run.status() == RunStatus::Closed && run.all_events().all(|event| event.is_ok())
            });
            assert!(!is_whole, "bit {bit} of {name} reads as if nothing had happened");
        }
    }
}

#[test]
fn an_edited_payload_with_a_repaired_checksum_is_named_by_segment_batch_and_events() {
    let (files, closed) = record(Some(signer()), "x");
    let holds = |name: &String| files.bytes(name).unwrap().windows(8).any(|window| window == b"answer 5");
    let name = files.names().into_iter().find(holds).unwrap();
    let mut bytes = files.bytes(&name).unwrap();
    let at = replace(&mut bytes, b"answer 5", b"answer 6");
    let frame =
        frames(&bytes).into_iter().find(|(offset, length, _)| (*offset..offset + 12 + length).contains(&at));
    let frame = frame.unwrap();
    repair_crc(&mut bytes, frame);
    files.insert(&name, bytes);
    for options in [known(), with_head(closed.head)] {
        let report = verify_files(&files, &options).unwrap();
        assert_eq!(report.verdict(), 1);
        let fault = fault(&report);
        assert_eq!(
            (fault.file.as_str(), fault.offset, &fault.what),
            (name.as_str(), frame.0 as u64, &FaultKind::Commitment)
        );
        let actor = fault.events.iter().find(|range| range.path.as_deref() == Some("root")).unwrap();
        assert!((actor.first_seq..=actor.last_seq).contains(&4), "{fault}");
        assert!(fault.batch.is_some() && fault.to_string().contains("altered"), "{fault}");
    }
}

#[test]
fn a_run_hashed_anew_throughout_is_another_run() {
    let (original, closed) = record(Some(signer()), "x");
    assert_eq!(verify_files(&original, &known()).unwrap().verdict(), 0);
    // Somebody without the key tells the story with another word and recomputes every hash.
    for forger in [None, Some(Signer::from_seed(&[13; 32]))] {
        let is_signed = forger.is_some();
        let (forged, other) = record(forger, "y");
        assert_ne!(other.head, closed.head);
        let with_head = verify_files(&forged, &VerifyOptions { head: Some(closed.head), ..known() }).unwrap();
        assert_eq!((with_head.verdict(), &with_head.integrity), (1, &Integrity::Intact));
        let without = verify_files(&forged, &known()).unwrap();
        assert_eq!(without.verdict(), 1);
        assert_eq!(matches!(without.signer, SignerCheck::Unknown { .. }), is_signed);
        assert!(without.to_string().contains("proves nothing against its keeper"), "{without}");
        // The original's signature does not help.
        forged.insert("checkpoint", original.bytes("checkpoint").unwrap());
        let stolen = verify_files(&forged, &known()).unwrap();
        assert_eq!((stolen.verdict(), &*fault(&stolen).file), (1, "checkpoint"));
    }
}

#[test]
fn a_run_without_its_signature_proves_nothing_unless_its_head_is_known() {
    let (files, closed) = record(None, "x");
    let report = verify_files(&files, &known()).unwrap();
    assert_eq!((report.verdict(), &report.signer), (1, &SignerCheck::Unsigned));
    assert!(report.to_string().contains("unsigned: proves nothing against its keeper"), "{report}");
    assert_eq!(verify_files(&files, &with_head(closed.head)).unwrap().verdict(), 0);
}

#[test]
fn a_run_cut_back_to_an_earlier_checkpoint_is_not_closed() {
    let (files, _) = record(Some(signer()), "x");
    let name = files.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let bytes = files.bytes(&name).unwrap();
    let trailer = frames(&bytes).pop().unwrap();
    assert_eq!(&trailer.2, b"TRLR");
    files.insert(&name, bytes[..trailer.0].to_vec());
    let report = verify_files(&files, &known()).unwrap();
    assert_eq!(report.verdict(), 1);
    assert!(fault(&report).to_string().contains("closes a run"), "{report}");
    assert_ne!(Run::open_files(Arc::new(files)).unwrap().status(), RunStatus::Closed);
}

#[test]
fn a_torn_tail_is_incomplete_and_what_is_before_it_verifies() {
    let (files, closed) = record(None, "x");
    let name = files.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let bytes = files.bytes(&name).unwrap();
    let trailer = frames(&bytes).pop().unwrap();
    let torn = MemoryFiles::new();
    // The payload in a blob belongs to the batch that is torn.
    for name in files.names().into_iter().filter(|name| name != "checkpoint") {
        torn.insert(&name, files.bytes(&name).unwrap());
    }
    torn.insert(&name, bytes[..trailer.0 - 5].to_vec());
    let report = verify_files(&torn, &known()).unwrap();
    assert_eq!((report.verdict(), &report.integrity), (1, &Integrity::Intact), "{report}");
    assert!(report.events > 0 && report.events < closed.events, "{report}");
    let line = format!("incomplete, {} events verify", report.events);
    assert!(report.to_string().contains(&line), "{report}");
    let events =
        Run::open_files(Arc::new(torn)).unwrap().all_events().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(events.len() as u64, report.events);
}

#[test]
fn truncated_corrupt_and_newer_are_three_different_errors() {
    let first_error = |files: &MemoryFiles| match Run::open_files(Arc::new(files.clone())) {
        Err(error) => error,
        Ok(run) => run.all_events().find_map(Result::err).unwrap(),
    };
    let (files, _) = record(None, "x");
    let bytes = files.bytes("journal/000000.seg").unwrap();

    files.insert("journal/000000.seg", bytes[..bytes.len() - 1].to_vec());
    let error = first_error(&files);
    assert!(matches!(error, ReadError::Truncated(_)), "{error}");

    let mut corrupt = bytes.clone();
    *corrupt.last_mut().unwrap() ^= 1;
    files.insert("journal/000000.seg", corrupt);
    let error = first_error(&files);
    assert!(matches!(&error, ReadError::Faulty(fault) if fault.what == FaultKind::Checksum), "{error}");

    let mut newer = bytes;
    newer[8] = 2;
    files.insert("journal/000000.seg", newer);
    let error = first_error(&files);
    assert!(matches!(error, ReadError::Newer { found: 2, known: 1 }), "{error}");
    assert!(verify_files(&files, &known()).is_err());
}

#[test]
fn segments_that_are_missing_swapped_or_of_another_run_are_found() {
    let (files, _) = record(None, "x");
    let (other, _) = record(None, "y");
    let segment = |number: u32| format!("journal/{number:06}.seg");
    let bytes = |number| files.bytes(&segment(number)).unwrap();

    let swapped = copy(&files);
    swapped.insert(&segment(0), bytes(1));
    swapped.insert(&segment(1), bytes(0));
    assert!(matches!(fault(&verify_files(&swapped, &known()).unwrap()).what, FaultKind::Discontinuous(_)));

    let mixed = copy(&files);
    let last = other.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    mixed.insert(&last, other.bytes(&last).unwrap());
    assert_eq!(verify_files(&mixed, &known()).unwrap().verdict(), 1);

    let gap = MemoryFiles::new();
    for name in files.names().into_iter().filter(|name| *name != segment(0)) {
        gap.insert(&name, files.bytes(&name).unwrap());
    }
    assert_eq!(fault(&verify_files(&gap, &known()).unwrap()).what, FaultKind::MissingSegment);
}

#[test]
fn blobs_that_are_missing_or_foreign_are_found() {
    let (files, _) = record(None, "x");
    let payload = files.names().into_iter().find(|name| name.ends_with(".payload")).unwrap();
    let missing = MemoryFiles::new();
    for name in files.names().into_iter().filter(|name| *name != payload) {
        missing.insert(&name, files.bytes(&name).unwrap());
    }
    let report = verify_files(&missing, &known()).unwrap();
    assert_eq!((&fault(&report).what, &*fault(&report).file), (&FaultKind::MissingBlob, &*payload));
    let foreign = copy(&files);
    foreign.insert("blobs/note.txt", b"hello".to_vec());
    assert_eq!(fault(&verify_files(&foreign, &known()).unwrap()).what, FaultKind::ForeignFile);
    // A package that is not included is no fault, and is said.
    let without = MemoryFiles::new();
    for name in
        files.names().into_iter().filter(|name| !name.starts_with("blobs/") || name.ends_with(".payload"))
    {
        without.insert(&name, files.bytes(&name).unwrap());
    }
    let report = verify_files(&without, &known()).unwrap();
    assert_eq!((&report.integrity, report.redactions.withheld.len()), (&Integrity::Intact, 2));
}

#[test]
fn a_witness_that_is_known_is_named_and_one_that_is_not_is_said_to_be_unchecked() {
    let (files, _) = record(Some(signer()), "x");
    let witness = Signer::from_seed(&[6; 32]);
    let mut note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    note.cosign(&witness, 1_700_000_000);
    files.insert("checkpoint", note.to_string().into_bytes());
    let report = verify_files(&files, &known()).unwrap();
    let key = witness.witness_key();
    let name = || vec![key.name().to_owned()];
    assert_eq!((report.verdict(), report.witnesses.unknown), (0, name()));
    let both = VerifyOptions { keys: vec![signer().public_key(), key.clone()], ..VerifyOptions::default() };
    let report = verify_files(&files, &both).unwrap();
    assert_eq!((report.verdict(), report.witnesses.known), (0, name()));
    // Only the witness is known: that is not a signature of the node.
    let only = VerifyOptions { keys: vec![key.clone()], ..VerifyOptions::default() };
    let report = verify_files(&files, &only).unwrap();
    assert_eq!((report.verdict(), matches!(report.signer, SignerCheck::Unknown { .. })), (1, true));
}

#[test]
fn a_witness_that_is_asked_for_must_have_cosigned() {
    let (files, closed) = record(Some(signer()), "x");
    let witness = Signer::from_seed(&[6; 32]);
    let asked = VerifyOptions { witnesses: vec![witness.witness_key()], ..known() };
    let report = verify_files(&files, &VerifyOptions { head: Some(closed.head), ..asked.clone() }).unwrap();
    let name = witness.witness_key().name().to_owned();
    assert_eq!((report.verdict(), report.witnesses.missing), (1, vec![name.clone()]));
    // The cosigned checkpoint need not lie in the run.
    let mut note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    note.cosign(&witness, 1_700_000_000);
    let kept = VerifyOptions { checkpoint: Some(note.clone()), ..asked.clone() };
    let report = verify_files(&files, &kept).unwrap();
    assert_eq!((report.verdict(), report.witnesses.known), (0, vec![name]));
    let altered = note.to_string().replace("closed\n", "");
    let altered = Note::parse(altered.as_bytes()).unwrap();
    let report = verify_files(&files, &VerifyOptions { checkpoint: Some(altered), ..asked.clone() }).unwrap();
    assert_eq!(report.verdict(), 1, "{report}");
    assert!(matches!(report.signer, SignerCheck::Invalid { .. }), "{report}");
    let (other, _) = record(Some(signer()), "y");
    let report = verify_files(&other, &VerifyOptions { checkpoint: Some(note), ..asked }).unwrap();
    assert!(report.verdict() == 1 && report.to_string().contains("its head is"), "{report}");
}

#[test]
fn a_run_whose_writer_was_killed_is_signed_up_to_its_last_checkpoint() {
    let files = MemoryFiles::new();
    let options = JournalOptions { segment_bytes_max: 1500, ..options(Durability::Sync) };
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, Some(signer())).unwrap();
    let runtime = begin(&journal, Some(&signer()));
    for number in 0..40 {
        exchange(&journal, runtime, number);
        crate::support::block_on(journal.chain_head(runtime)).unwrap();
    }
    drop(journal);
    let report = verify_files(&files, &known()).unwrap();
    assert_eq!((report.verdict(), report.events, &report.integrity), (1, 41, &Integrity::Intact));
    assert!(matches!(report.signer, SignerCheck::Partly { signed: 1..40, .. }), "{report}");
    assert!(report.to_string().contains(" of 40 only"), "{report}");
}

#[test]
fn progress_is_told_up_to_the_last_segment() {
    let (files, closed) = record(Some(signer()), "x");
    let told = std::sync::Mutex::new(Vec::new());
    let progress = |progress: Progress| told.lock().unwrap().push(progress);
    let options = VerifyOptions { threads: 2, progress: Some(&progress), ..known() };
    assert_eq!(verify_files(&files, &options).unwrap().verdict(), 0);
    let told = told.into_inner().unwrap();
    assert!(told.iter().any(|progress| progress.segments == progress.segments_total));
    assert!(told.iter().any(|progress| progress.events == closed.events));
}

#[test]
fn an_earlier_head_of_the_same_run_is_recognised_and_is_not_enough() {
    let (files, closed) = record(None, "x");
    let name = files.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let bytes = files.bytes(&name).unwrap();
    let earlier = MemoryFiles::new();
    for name in files.names().into_iter().filter(|name| name != "checkpoint") {
        earlier.insert(&name, files.bytes(&name).unwrap());
    }
    earlier.insert(&name, bytes[..frames(&bytes).pop().unwrap().0].to_vec());
    let without_last = frames(&bytes).iter().rev().nth(1).unwrap().0;
    earlier.insert(&name, bytes[..without_last].to_vec());
    let head = verify_files(&earlier, &known()).unwrap().head;
    assert!(head.size < closed.head.size);
    let report = verify_files(&files, &with_head(head)).unwrap();
    assert_eq!((report.verdict(), report.head_check), (1, HeadCheck::Earlier { given: head }), "{report}");
}
