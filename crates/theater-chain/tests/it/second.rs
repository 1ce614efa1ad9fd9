//! The second verifier, `docs/verify.py`, comes to the same verdict on runs of every shape, on proofs and on notes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use theater_chain::{
    ChainIndex, Durability, Head, Journal, JournalOptions, MemoryFiles, Note, Signer, VerifyOptions, prove,
    redact, verify_files,
};

use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};
use crate::tamper::{copy, known, record};

/// What the second verifier answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) text: String,
}

/// Asks one Python process again and again: starting one takes longer than the answer.
const DRIVER: &str = "
import contextlib, io, json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = verify.exit_code(line.rstrip('\\n').split('\\x1f'))
    print(said.getvalue(), end='')
    print('\\0%d' % code, flush=True)
";

/// It ends when this process does, which closes its input.
struct Python {
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Runs `docs/verify.py`, which needs Python: without it the test fails.
pub(crate) fn second(words: &[&str]) -> Answer {
    static PYTHON: OnceLock<Mutex<Python>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut process = Command::new("python3")
            .args(["-c", DRIVER])
            .arg(docs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 (3.9 or later) runs the second verifier; install it");
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Mutex::new(Python { _process: process, questions, answers })
    });
    let mut python = python.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(python.questions, "{}", words.join("\x1f")).unwrap();
    let mut text = String::new();
    loop {
        let start = text.len();
        assert_ne!(python.answers.read_line(&mut text).unwrap(), 0, "the second verifier ended: {text}");
        if let Some(code) = text[start..].strip_prefix('\0') {
            let code = code.trim().parse().unwrap();
            text.truncate(start);
            return Answer { code, text };
        }
    }
}

/// Writes files into a folder.
pub(crate) fn to_disk(files: &MemoryFiles, folder: &Path) -> PathBuf {
    for name in files.names() {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, files.bytes(&name).unwrap()).unwrap();
    }
    folder.to_owned()
}

/// Asks the second verifier about a run in a directory, with the known key and perhaps a head.
pub(crate) fn second_on(files: &MemoryFiles, head: Option<Head>) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let run = to_disk(files, folder.path());
    let key = signer().public_key().to_string();
    let head = head.map(|head| head.to_string());
    let mut words = vec![run.to_str().unwrap(), "--key", &key];
    words.extend(head.iter().flat_map(|head| ["--head", head]));
    second(&words)
}

fn agree(files: &MemoryFiles, shape: &str) {
    let report = verify_files(files, &known()).unwrap();
    for head in [None, Some(report.head), Some(Head { size: report.head.size + 1, ..report.head })] {
        let report = verify_files(files, &VerifyOptions { head, ..known() }).unwrap();
        let answer = second_on(files, head);
        assert_eq!(answer.code, i32::from(report.verdict()), "{shape}, {head:?}:\n{report}\n{}", answer.text);
        assert!(answer.text.contains(&format!("head         {}", report.head)), "{shape}:\n{}", answer.text);
        let intact = format!(
            "intact: {} events in {} chains and {} batches",
            report.events, report.chains, report.head.size
        );
        assert!(answer.text.contains(&intact), "{shape}:\n{}", answer.text);
    }
}

/// A run of many chains and segments, some of them ended, written to its end or not.
fn many_chains(actors: u32, is_closed: bool, signer: Option<&Signer>) -> MemoryFiles {
    let options = JournalOptions { segment_bytes_max: 900, ..options(Durability::Sync) };
    let files = MemoryFiles::new();
    let journal = Journal::create_in(Arc::new(files.clone()), init(), options, signer.cloned()).unwrap();
    let runtime = begin(&journal, signer);
    for actor in 0..actors {
        let chain = begin_actor(&journal, &format!("root/{actor}"));
        for number in 0..5 {
            exchange(&journal, chain, number);
            exchange(&journal, runtime, number);
        }
        if actor % 2 == 0 {
            end(&journal, chain);
        }
        block_on(journal.chain_head(runtime)).unwrap();
    }
    if is_closed {
        end(&journal, runtime);
        journal.close().unwrap();
    }
    files
}

#[test]
fn both_verifiers_agree_on_runs_of_every_shape() {
    assert_eq!(second(&["--self-test"]).code, 0);
    let (files, _) = record(Some(signer()), "x");
    agree(&files, "segments and a blob");
    agree(&record(None, "x").0, "unsigned");
    agree(&record(Some(Signer::from_seed(&[13; 32])), "x").0, "signed by another");
    for actors in [0, 1, 9] {
        for is_closed in [true, false] {
            agree(&many_chains(actors, is_closed, Some(&signer())), &format!("{actors} actors, {is_closed}"));
        }
    }
    agree(&many_chains(3, false, None), "incomplete and unsigned");
    for kept in [0, 1, 2] {
        let redacted = MemoryFiles::new();
        redact(&files, &redacted, &|_, header| header.seq % 3 < kept).unwrap();
        agree(&redacted, &format!("redacted, {kept} of 3 kept"));
    }
}

#[test]
fn both_verifiers_see_the_same_torn_tail() {
    let (files, _) = record(None, "x");
    let name = files.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let bytes = files.bytes(&name).unwrap();
    for cut in [1, 50, 97, 200, bytes.len() - 20] {
        let torn = copy(&files);
        torn.insert(&name, bytes[..bytes.len() - cut].to_vec());
        let torn_without_note = MemoryFiles::new();
        for name in torn.names().into_iter().filter(|name| name != "checkpoint") {
            torn_without_note.insert(&name, torn.bytes(&name).unwrap());
        }
        agree(&torn_without_note, &format!("{cut} bytes cut off"));
        let mut zeros = bytes[..bytes.len() - cut].to_vec();
        zeros.extend_from_slice(&[0; 300]);
        torn_without_note.insert(&name, zeros);
        let report = verify_files(&torn_without_note, &known()).unwrap();
        let answer = second_on(&torn_without_note, None);
        assert_eq!(
            answer.code,
            i32::from(report.verdict()),
            "{cut} bytes zeroed:\n{report}\n{}",
            answer.text
        );
    }
}

#[test]
fn both_verifiers_check_proofs_and_cosigned_notes() {
    let folder = tempfile::tempdir().unwrap();
    let (files, closed) = record(Some(signer()), "x");
    let path = folder.path().join("proof");
    let (path, key, head) =
        (path.to_str().unwrap(), signer().public_key().to_string(), closed.head.to_string());
    let other = &format!("1:{}", "0".repeat(64));
    for (seq, is_bare) in [(0, false), (3, true), (5, false), (10, true)] {
        let note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
        let proof = prove(&files, ChainIndex(1), seq, Some(note)).unwrap();
        let proof = if is_bare { proof.without_payload() } else { proof };
        let bytes = proof.encode().unwrap().into_bytes();
        fs::write(path, &bytes).unwrap();
        for (words, code) in
            [(["--key", &key], 0), (["--head", &head], 0), (["--head", other], 1), (["--head", "1:00"], 2)]
        {
            let answer = second(&[path, words[0], words[1]]);
            assert_eq!(answer.code, code, "{seq} {words:?}: {}", answer.text);
        }
        assert_eq!(second(&[path]).code, 1, "a proof to a head that nobody vouches for");
        for at in (0..bytes.len()).step_by(bytes.len() / 12) {
            let mut altered = bytes.clone();
            altered[at] ^= 4;
            fs::write(path, &altered).unwrap();
            assert_ne!(second(&[path, "--key", &key]).code, 0, "byte {at} of the proof of {seq}");
        }
    }
    let witness = Signer::from_seed(&[6; 32]);
    let mut note = Note::parse(&files.bytes("checkpoint").unwrap()).unwrap();
    note.cosign(&witness, 1_700_000_000);
    let known = witness.witness_key();
    let (name, known) = (known.name().to_owned(), known.to_string());
    fs::write(path, note.to_string()).unwrap();
    let answer = second(&[path, "--key", &key, "--key", &known]);
    assert!(answer.code == 0 && answer.text.contains(&format!("witnesses    {name}")), "{answer:?}");
    fs::write(path, note.to_string().replace("closed\n", "clozed\n")).unwrap();
    let answer = second(&[path, "--key", &known]);
    assert!(answer.code == 1 && answer.text.contains("does not hold"), "{answer:?}");
}
