//! What `cargo xtask instructions` counts: the way of an event into a run, and the check of that run.
//!
//! Run by itself it only prints the names of its cases, in their order.

use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use theater_chain::{
    ChainIndex, Durability, EventDraft, Genesis, Hash, Header, Journal, JournalOptions, Kind, Lengths,
    MemoryFiles, Outcome, Run, RunHasher, RunInit, Setting, VerifyOptions, verify_files,
};

const EVENTS: u64 = 1000;
const PAYLOAD: [u8; 100] = [7; 100];

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    hash()?;
    let (journal, chain) = begin()?;
    count("append/1000-events", || append(&journal, chain))?;
    // Here the writer's thread does its part, all in one batch.
    count("write/1000-events", || Ok(journal.close().map(drop)?))?;
    let files = journal.memory().ok_or("a journal in memory")?;
    count("verify/1000-events", || verify(&files))?;
    let run = Run::open_files(Arc::new(files))?;
    count("read/1000-events", || read(&run))
}

/// Hashes what as many events hash: salt, payload, event.
fn hash() -> Done {
    let hasher = RunHasher::new(&[7; 32]);
    let chain = Hash::of_blob(b"chain");
    let lengths = Lengths { input: 60, output: 40 };
    count("hash/1000-events", || {
        let mut previous = chain;
        for seq in 0..EVENTS {
            let salt = hasher.salt(&chain, seq);
            let commitment = RunHasher::commitment(&salt, lengths, black_box(&PAYLOAD));
            previous = RunHasher::event(&previous, &header(seq), &commitment);
        }
        black_box(previous);
        Ok(())
    })?;
    let state = vec![3; 16 << 10];
    count("hash/state-16KiB", || {
        black_box(hasher.state_hash(black_box(&state)));
        Ok(())
    })
}

fn header(seq: u64) -> Header {
    Header {
        kind: Kind::Exchange,
        outcome: Outcome::Ok,
        seq,
        time_us: 20 * seq,
        function: 3,
        fuel: 1000 * seq,
    }
}

/// Begins a run whose writer does nothing until the run is closed.
fn begin() -> Result<(Journal, ChainIndex), Box<dyn Error>> {
    let init = RunInit { run_id: "run-1".to_owned(), secret: [7; 32] };
    let options = JournalOptions { group_commit_ms: 600_000, ..JournalOptions::new(Durability::Memory) };
    let journal = Journal::create(Path::new(""), init, options, None)?;
    let chain = journal.open_chain();
    journal.append(chain, &EventDraft { input: &[&genesis()?], ..EventDraft::new(Kind::Genesis, 0) })?;
    Ok((journal, chain))
}

fn genesis() -> Result<Vec<u8>, Box<dyn Error>> {
    let genesis = Genesis {
        run_id: "run-1".to_owned(),
        path: "root".to_owned(),
        incarnation: 1,
        boundary_version: 1,
        predecessor: None,
        parent: None,
        cause: None,
        package: Hash::ZERO,
        manifest: Hash::ZERO,
        state_hash: Hash::ZERO,
        state: Vec::new(),
        entry: None,
        setting: Setting::default().into(),
    };
    Ok(genesis.encode()?)
}

fn append(journal: &Journal, chain: ChainIndex) -> Done {
    for seq in 1..=EVENTS {
        let Header { kind, outcome, time_us, function, fuel, .. } = header(seq);
        let (input, output) = PAYLOAD.split_at(60);
        let draft = EventDraft { kind, outcome, time_us, function, fuel, input: &[input], output: &[output] };
        journal.append(chain, black_box(&draft))?;
    }
    Ok(())
}

fn verify(files: &MemoryFiles) -> Done {
    let report = verify_files(files, &VerifyOptions { threads: 1, ..VerifyOptions::default() })?;
    if report.events == EVENTS + 1 { Ok(()) } else { Err(format!("not the run: {report}").into()) }
}

fn read(run: &Run) -> Done {
    for event in run.all_events() {
        black_box(event?);
    }
    Ok(())
}

/// Does the work in a function that callgrind is told about, all threads counted.
fn count(name: &str, mut work: impl FnMut() -> Done) -> Done {
    let mut done = Ok(());
    counted_by_callgrind(&mut || done = work());
    writeln!(std::io::stdout(), "{name}")?;
    done
}

#[inline(never)]
fn counted_by_callgrind(work: &mut dyn FnMut()) {
    black_box(&mut *work)();
    // Not a tail call: callgrind must see this function return.
    black_box(work);
}
