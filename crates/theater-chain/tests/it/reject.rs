//! Runs that were tampered with, each with the fault that both verifiers must name: generated here, not kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use theater_chain::{
    ChainIndex, Checkpoint, Durability, Hash, Head, Journal, JournalOptions, LogEntry, MemoryFiles, NodeLog,
    NodeLogError, NotAStatement, Note, Signer, Statement, Trust, VerifyOptions, prove, verify_files,
};

use crate::second::{second, second_on};
use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};
use crate::tamper::{copy, frames, known, record, repair, replace};

/// A run that must be refused.
struct Case {
    name: &'static str,
    files: MemoryFiles,
    /// What both verifiers must say.
    says: &'static str,
    code: u8,
}

impl Case {
    fn check(&self, head: Option<Head>) {
        let Self { name, files, says, code } = self;
        let (verdict, text) = match verify_files(files, &VerifyOptions { head, ..known() }) {
            Ok(report) => (report.verdict(), report.to_string()),
            Err(error) => (2, error.to_string()),
        };
        assert_eq!(verdict, *code, "{name}: {text}");
        assert!(text.contains(says), "{name}: {text}");
        let answer = second_on(files, head);
        assert_eq!(answer.code, i32::from(*code), "{name}: {}", answer.text);
        assert!(answer.text.contains(says), "{name}: {}", answer.text);
    }
}

/// Alters one file of a copy.
fn altered(files: &MemoryFiles, name: &str, change: impl Fn(&mut Vec<u8>)) -> MemoryFiles {
    let files = copy(files);
    let mut bytes = files.bytes(name).unwrap();
    change(&mut bytes);
    files.insert(name, bytes);
    files
}

/// Leaves one file out of a copy.
fn without(files: &MemoryFiles, missing: &str) -> MemoryFiles {
    let rest = MemoryFiles::new();
    for name in files.names().into_iter().filter(|name| name != missing) {
        rest.insert(&name, files.bytes(&name).unwrap());
    }
    rest
}

/// One segment; after the first two batches, each batch holds one event of `a` or of `b`, in turns and of one length.
fn twins() -> MemoryFiles {
    let files = MemoryFiles::new();
    let options = JournalOptions { ..options(Durability::Memory) };
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, Some(signer())).unwrap();
    let runtime = begin(&journal, Some(&signer()));
    block_on(journal.chain_head(runtime)).unwrap();
    let actors = ["a", "b"].map(|path| begin_actor(&journal, path));
    block_on(journal.chain_head(runtime)).unwrap();
    for number in 0..3 {
        for actor in actors {
            exchange(&journal, actor, number);
            block_on(journal.chain_head(actor)).unwrap();
        }
    }
    actors.into_iter().for_each(|actor| end(&journal, actor));
    end(&journal, runtime);
    journal.close().unwrap();
    files
}

const FIRST: &str = "journal/000000.seg";

/// Alters the frame with this number in the first segment and makes the checksums right again.
fn in_frame(files: &MemoryFiles, number: usize, change: impl Fn(&mut Vec<u8>)) -> MemoryFiles {
    altered(files, FIRST, |segment| {
        let (offset, length, _) = frames(segment)[number];
        let mut body = segment[offset + 12..offset + 12 + length].to_vec();
        change(&mut body);
        segment[offset + 4..offset + 8].copy_from_slice(&(body.len() as u32).to_le_bytes());
        segment.splice(offset + 12..offset + 12 + length, body);
        repair(segment);
    })
}

fn case(name: &'static str, files: MemoryFiles, says: &'static str) -> Case {
    Case { name, files, says, code: 1 }
}

/// Frames moved, doubled, dropped and spliced.
fn moved(twins: &MemoryFiles) -> Vec<Case> {
    let frame = |segment: &[u8], number: usize| {
        let (offset, length, _) = frames(segment)[number];
        offset..offset + 12 + length
    };
    let swapped = altered(twins, FIRST, |segment| {
        let (a, b) = (frame(segment, 2), frame(segment, 4));
        let (first, second) = (segment[a.clone()].to_vec(), segment[b.clone()].to_vec());
        segment.splice(b, first);
        segment.splice(a, second);
    });
    let doubled = altered(twins, FIRST, |segment| {
        let range = frame(segment, 2);
        let again = segment[range.clone()].to_vec();
        segment.splice(range.end..range.end, again);
    });
    let dropped = altered(twins, FIRST, |segment| drop(segment.drain(frame(segment, 2))));
    let headless = altered(twins, FIRST, |segment| drop(segment.drain(frame(segment, 1))));
    let reborn = altered(twins, FIRST, |segment| {
        let again = segment[frame(segment, 1)].to_vec();
        let at = frame(segment, 2).end;
        segment.splice(at..at, again);
    });
    let undead = altered(twins, FIRST, |segment| {
        let again = segment[frame(segment, 8)].to_vec();
        let at = frame(segment, 8).end;
        segment.splice(at..at, again);
    });
    let spliced = in_frame(twins, 2, |body| body[1] = 2);
    vec![
        case(
            "two batches of one chain swapped",
            swapped,
            "the event says it is 2, the next of the chain is 1",
        ),
        case("a batch twice", doubled, "the event says it is 1, the next of the chain is 2"),
        case("a batch dropped", dropped, "altered: the events differ from the commitment of their batch"),
        case("the genesis dropped", headless, "an event of a chain that has no genesis"),
        case("a second genesis", reborn, "a second genesis of the chain"),
        case("an event after the exit", undead, "an event after the exit of the chain"),
        case("an event spliced into another actor's chain", spliced, "altered: the events differ"),
    ]
}

/// Events told otherwise, and bytes that nobody writes.
fn told_otherwise(twins: &MemoryFiles) -> Vec<Case> {
    let genesis = in_frame(twins, 1, |body| {
        replace(body, b"\x01\0\0\0a", b"\x01\0\0\0z");
    });
    let payload = in_frame(twins, 2, |body| {
        replace(body, b"answer 0", b"answer 1");
    });
    // The lengths of input and output: one byte of the question goes to the answer.
    let at = |body: &[u8]| body.windows(4).position(|window| window == b"say ").unwrap() - 2;
    let lengths = in_frame(twins, 2, |body| {
        let at = at(body);
        body[at] -= 1;
        body[at + 1] += 1;
    });
    let longer = in_frame(twins, 2, |body| {
        let at = at(body);
        body[at] += 100;
    });
    let padded = in_frame(twins, 2, |body| {
        let at = at(body);
        body[at] |= 0x80;
        body.insert(at + 1, 0);
    });
    let respelt = in_frame(twins, 2, |body| {
        body[0] |= 0x40;
        body.insert(2, 0);
    });
    vec![
        case("another genesis", genesis, "altered: the events differ from the commitment of their batch"),
        case("another answer", payload, "altered: the events differ from the commitment of their batch"),
        case("a byte moved from input to output", lengths, "altered: the events differ"),
        case("an input longer than its batch", longer, "corrupt: the record ends early"),
        case("a number in a longer form", padded, "corrupt: a number is not in its shortest form"),
        case("a form that need not be said", respelt, "corrupt: the record has a second spelling"),
        case("an unknown kind", in_frame(twins, 2, |body| body[0] = 0x9b), "the event kind 11 is unknown"),
        case("an empty batch", in_frame(twins, 2, Vec::clear), "the batch has no events or no commitment"),
    ]
}

/// Lengths and counts that lie.
fn lengths_that_lie(twins: &MemoryFiles) -> Vec<Case> {
    let number_at = |at: usize, number: u32| {
        altered(twins, FIRST, |segment| {
            segment[at..at + 4].copy_from_slice(&number.to_le_bytes());
            repair(segment);
        })
    };
    let frame_length = |number: u32| {
        altered(twins, FIRST, |segment| {
            let at = frames(segment)[2].0 + 4;
            segment[at..at + 4].copy_from_slice(&number.to_le_bytes());
        })
    };
    let after_end = altered(twins, FIRST, |segment| {
        let again = segment[frames(segment).pop().unwrap().0..].to_vec();
        segment.extend_from_slice(&again);
    });
    let trailer = altered(twins, FIRST, |segment| {
        let at = frames(segment).pop().unwrap().0 + 12 + 16;
        segment[at] += 1;
        repair(segment);
    });
    vec![
        case("a frame longer than any", frame_length(u32::MAX), "corrupt: the checksum does not match"),
        case("a frame one byte longer", frame_length(200), "corrupt: the checksum does not match"),
        case("a frame longer than the file", frame_length(8 << 20), "truncated"),
        case("a header longer than the file", number_at(12, u32::MAX), "truncated"),
        case("more subtree roots than there can be", number_at(136, u32::MAX), ""),
        case("more live chains than there can be", number_at(140, u32::MAX), ""),
        case("another segment number", number_at(80, 7), "the segment does not continue the run"),
        case("a second trailer", after_end, "something follows the end of the run"),
        case("a trailer with one chain more", trailer, "the trailer differs from the events"),
    ]
}

/// Files that are missing, foreign, exchanged or cut.
fn files_otherwise(twins: &MemoryFiles) -> Vec<Case> {
    let (run, _) = record(Some(signer()), "x");
    let (other, _) = record(Some(signer()), "y");
    let named = |end: &str| run.names().into_iter().find(|name| name.ends_with(end)).unwrap();
    let payload = named(".payload");
    let package =
        run.names().into_iter().find(|name| name.starts_with("blobs/") && *name != payload).unwrap();
    let last = run.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let exchanged = copy(&run);
    exchanged.insert(&last, other.bytes(&last).unwrap());
    let note = copy(&run);
    note.insert("checkpoint", other.bytes("checkpoint").unwrap());
    let foreign = copy(&run);
    foreign.insert("blobs/note.txt", b"hello".to_vec());
    let cut_at = |back: usize| {
        altered(twins, FIRST, |segment| {
            let frames = frames(segment);
            segment.truncate(frames[frames.len() - back].0);
        })
    };
    let flip = |name: &str| altered(&run, name, |bytes| bytes[0] ^= 1);
    vec![
        case(
            "a segment cut short",
            altered(&run, FIRST, |bytes| bytes.truncate(bytes.len() - 1)),
            "truncated",
        ),
        case("a segment missing", without(&run, FIRST), "the segment is missing"),
        case("the last segment of another run", exchanged, "not a file of this run"),
        case("an altered payload blob", flip(&payload), "altered: the blob differs from its name"),
        case("an altered package", flip(&package), "altered: the blob differs from its name"),
        case("a payload blob missing", without(&run, &payload), "the blob is missing"),
        case("a foreign blob", foreign, "not a file of this run"),
        case("the secret missing", without(&run, "secret"), "the secret of the run is missing or damaged"),
        case("the checkpoint of another run", note, "the checkpoint differs from the run: its head is"),
        case(
            "the trailer cut off after its checkpoint",
            cut_at(1),
            "it closes a run that goes on or lacks its end",
        ),
        case(
            "the tail cut off after its checkpoint",
            cut_at(3),
            "the checkpoint differs from the run: its head is",
        ),
        Case {
            name: "a newer format",
            files: altered(&run, FIRST, |bytes| bytes[8] = 2),
            says: "newer",
            code: 2,
        },
        Case {
            name: "no segment",
            files: altered(&run, FIRST, |bytes| bytes[0] = 0),
            says: "segment",
            code: 2,
        },
    ]
}

/// Runs that are whole and signed by somebody else.
fn signed_otherwise() -> Vec<Case> {
    let thief = Signer::from_seed(&[13; 32]);
    let (run, _) = record(Some(signer()), "x");
    let resigned = copy(&run);
    let note = Note::parse(&run.bytes("checkpoint").unwrap()).unwrap();
    resigned.insert("checkpoint", Note::new(note.checkpoint.clone(), Some(&thief)).to_string().into_bytes());
    let stripped = copy(&run);
    stripped.insert("checkpoint", Note::new(note.checkpoint, None).to_string().into_bytes());
    let damaged = altered(&run, "checkpoint", |bytes| {
        let at = bytes.len() - 30;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    });
    vec![
        case("signed again by somebody else", resigned, "does not hold"),
        case("the signature taken off", stripped, "unsigned"),
        case("a damaged signature", damaged, "does not hold"),
        case("hashed and signed anew by somebody else", record(Some(thief), "y").0, "nobody known"),
        case("without its checkpoint", without(&run, "checkpoint"), "unsigned"),
    ]
}

#[test]
fn both_verifiers_refuse_every_run_that_was_tampered_with_and_name_the_same_fault() {
    let twins = twins();
    assert_eq!((verify_files(&twins, &known()).unwrap().verdict(), second_on(&twins, None).code), (0, 0));
    let cases = [moved(&twins), told_otherwise(&twins), lengths_that_lie(&twins), files_otherwise(&twins)];
    for case in cases.iter().flatten() {
        case.check(None);
    }
    let (_, closed) = record(Some(signer()), "x");
    for case in signed_otherwise() {
        case.check(None);
        // A signature in the name of the run's own key must hold even where the head is known.
        if case.says == "does not hold" {
            case.check(Some(closed.head));
        }
    }
}

/// What a file or a log is worth to the first verifier, as `theater verify` says it.
fn stated(path: &Path, trust: &Trust) -> (u8, String) {
    if path.is_dir() {
        return match NodeLog::read(path) {
            Ok(log) => {
                let statement = Statement::of_log(&log, trust);
                (statement.verdict(), statement.to_string())
            }
            Err(NodeLogError::Missing { .. } | NodeLogError::Io { .. }) => (2, String::new()),
            Err(error) => (1, error.to_string()),
        };
    }
    match Statement::of_file(&fs::read(path).unwrap(), trust) {
        Ok(statement) => (statement.verdict(), statement.to_string()),
        Err(NotAStatement::Unknown) => (2, String::new()),
        Err(error) => (1, error.to_string()),
    }
}

/// Asks both about a file or a log.
fn both(path: &Path, trust: &Trust) -> (u8, String) {
    let (code, text) = stated(path, trust);
    let mut words = vec![path.to_str().unwrap().to_owned()];
    for key in &trust.keys {
        words.extend(["--key".to_owned(), key.to_string()]);
    }
    for key in &trust.witnesses {
        words.extend(["--witness".to_owned(), key.to_string()]);
    }
    if let Some(head) = trust.head {
        words.extend(["--head".to_owned(), head.to_string()]);
    }
    let answer = second(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(answer.code, i32::from(code), "{}:\n{text}\n{}", path.display(), answer.text);
    (code, text)
}

#[test]
fn both_verifiers_refuse_altered_proofs_and_cosignatures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let (files, closed) = record(Some(signer()), "x");
    let witness = Signer::from_seed(&[6; 32]);
    let mut note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    note.cosign(&witness, 1_700_000_000);
    let asks =
        |head| Trust { keys: vec![signer().public_key()], witnesses: vec![witness.witness_key()], head };
    let proof = prove(&files, ChainIndex(1), 3, Some(note.clone())).unwrap();
    let mut refused = 0;
    for text in [note.to_string(), proof.encode().unwrap()] {
        for head in [None, Some(closed.head)] {
            fs::write(&path, &text).unwrap();
            assert_eq!(both(&path, &asks(head)).0, 0, "{text}");
            let other = Head { size: 1, ..closed.head };
            assert_eq!(both(&path, &asks(Some(other))).0, 1, "{text}");
            // One byte at a time, by one bit: over all of a note, spread over a proof.
            for at in (0..text.len()).step_by(text.len() / 30) {
                let mut altered = text.clone().into_bytes();
                altered[at] ^= 1;
                fs::write(&path, &altered).unwrap();
                // With the head known, a line of nobody known is nobody's: it is enough that both say the same.
                let code = both(&path, &asks(head)).0;
                assert!(code != 0 || head.is_some(), "byte {at} of\n{text}");
                refused += u32::from(code != 0);
            }
            for cut in [0, 1, text.len() / 2, text.len() - 1] {
                fs::write(&path, &text[..text.floor_char_boundary(cut)]).unwrap();
                assert_ne!(both(&path, &asks(head)).0, 0, "cut at {cut} of\n{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
    let elsewhere = note.to_string().replace("theater.run/run-1", "theater.run/run-2");
    fs::write(&path, elsewhere).unwrap();
    assert_eq!(
        both(&path, &asks(Some(closed.head))).0,
        1,
        "a checkpoint of another run with these signatures"
    );
    let bare = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    fs::write(&path, bare.to_string()).unwrap();
    let (code, text) = both(&path, &asks(Some(closed.head)));
    assert!(code == 1 && text.contains("missing: theater.witness/"), "{text}");
}

#[test]
fn both_verifiers_see_that_a_log_was_rewound_or_altered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut heads = Vec::new();
    for number in 0..5u8 {
        let head = Head { size: 3, root: Hash::of_blob(&[number]) };
        let entry = LogEntry { run_id: format!("run-{number}"), head };
        NodeLog::append(&path, &entry, &signer()).unwrap();
        heads.push(NodeLog::read(&path).unwrap().head());
    }
    let asks = |head| Trust { keys: vec![signer().public_key()], head, ..Trust::default() };
    assert_eq!(both(&path, &asks(None)).0, 0);
    for head in &heads {
        assert_eq!(both(&path, &asks(Some(*head))).0, 0, "it goes on after {head}");
    }
    assert_eq!(both(&path, &Trust::default()).0, 1, "signed by nobody known");
    let (entries, note) = (fs::read_to_string(path.join("entries")).unwrap(), path.join("checkpoint"));
    let without = |missing: &str| -> String {
        entries.lines().filter(|line| !line.starts_with(missing)).map(|line| format!("{line}\n")).collect()
    };
    let altered = [
        without("run-4"),
        without("run-0"),
        without("theater"),
        entries.replace("run-2", "run-9"),
        String::new(),
    ];
    for text in altered {
        fs::write(path.join("entries"), &text).unwrap();
        assert_eq!(both(&path, &asks(None)).0, 1, "{text}");
    }
    // Rewound with an old note of its own: only who has seen more can tell.
    fs::write(path.join("entries"), without("run-4")).unwrap();
    let before = Checkpoint {
        origin: NodeLog::read(&path)
            .map_or_else(|_| entries.lines().next().unwrap().to_owned(), |log| log.origin().to_owned()),
        head: heads[3],
        extensions: Vec::new(),
    };
    fs::write(&note, Note::new(before, Some(&signer())).to_string()).unwrap();
    assert_eq!(both(&path, &asks(None)).0, 0);
    assert_eq!(both(&path, &asks(Some(heads[4]))).0, 1);
    fs::remove_file(&note).unwrap();
    assert_eq!(both(&path, &asks(None)).0, 1, "unsigned");
    fs::write(path.join("entries"), "theater.log/01").unwrap();
    assert_eq!(both(&path, &asks(None)).0, 2, "not begun");
}

#[test]
fn a_run_told_anew_is_refused_by_the_head_that_was_written_down() {
    let (_, closed) = record(Some(signer()), "x");
    let forged = record(Some(signer()), "y").0;
    case("told anew with the stolen key", forged, "given").check(Some(closed.head));
}
