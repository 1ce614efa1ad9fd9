//! A real process that records is killed at a moment that nobody chose: what it leaves is a prefix of what it meant to
//! record, holds all that was acknowledged, and shows no effect without the request for it.
//!
//! The process is this test once more, told by a variable of its environment to record until it is killed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};
use theater_chain::{
    ChainIndex, Completeness, Durability, Event, EventDraft, Integrity, Journal, JournalError,
    JournalOptions, Kind, Run, RunInit, RunStatus, VerifyOptions, verify,
};

use crate::support::{block_on, options, signer};

/// Where the process that is to be killed writes, and how.
const FOLDER: &str = "THEATER_CHAIN_TEST_FOLDER";
/// How often a process is killed.
const ROUNDS: &str = "THEATER_CHAIN_TEST_KILLS";
const ROUNDS_OF_A_TEST: u64 = 200;

const CHAINS: u32 = 3;
/// Events of one run; then it is closed and the next begins, so that closing is interrupted as well.
const EVENTS: u32 = 40;
const BLOB_BYTES: usize = 300;

/// What a run is meant to record as its `number`-th event.
struct Intended {
    chain: u32,
    kind: Kind,
    input: Vec<u8>,
}

fn intended(number: u32) -> Intended {
    let kind = match number {
        0..CHAINS => Kind::Genesis,
        number if number >= EVENTS - CHAINS => Kind::Exit,
        number if number % 4 == 1 => Kind::HostRequest,
        _ => Kind::HostCall,
    };
    let input = if number % 7 == 5 { vec![number as u8; BLOB_BYTES] } else { number.to_le_bytes().to_vec() };
    Intended { chain: number % CHAINS, kind, input }
}

/// Small segments and blobs, so that a process seldom lives without rolling and sealing.
fn small(durability: Durability) -> JournalOptions {
    let segment = JournalOptions { segment_bytes_max: 900, blob_threshold_bytes: 256, ..options(durability) };
    match durability {
        Durability::Sync => segment,
        // Groups as short as they can be: what is written when nobody waits is the writer's own affair.
        Durability::Memory | Durability::Batched => JournalOptions { group_commit_ms: 1, ..segment },
    }
}

fn durability_of(round: u64) -> Durability {
    if round.is_multiple_of(2) { Durability::Sync } else { Durability::Batched }
}

fn run_dir(folder: &Path, run: u32) -> PathBuf {
    folder.join(format!("{run}.theater"))
}

/// Records run after run, says what is acknowledged and writes down each effect, until it is killed.
fn record(folder: &Path, durability: Durability) -> Result<(), JournalError> {
    let mut effects = File::create(folder.join("effects")).unwrap();
    for run in 0.. {
        let init = RunInit { run_id: format!("run-{run}"), secret: [7; 32] };
        let journal = Journal::create(&run_dir(folder, run), init, small(durability), Some(signer()))?;
        let chains: Vec<ChainIndex> = (0..CHAINS).map(|_| journal.open_chain()).collect();
        for number in 0..EVENTS {
            let Intended { chain, kind, input } = intended(number);
            let draft = EventDraft { input: &[&input], ..EventDraft::new(kind, u64::from(number)) };
            let appended = journal.append(chains[chain as usize], &draft)?;
            if durability == Durability::Sync && (kind == Kind::HostRequest || number.is_multiple_of(3)) {
                block_on(journal.durable(appended.position))?;
                say(run, number);
            }
            if durability == Durability::Sync && kind == Kind::HostRequest {
                writeln!(effects, "{run} {number}").unwrap();
            }
        }
        journal.close()?;
        say(run, EVENTS);
    }
    Ok(())
}

/// Tells the test that so much of a run is acknowledged.
fn say(run: u32, number: u32) {
    // Past the test harness, which keeps what a test prints.
    let mut out = std::io::stdout();
    out.write_all(format!("acknowledged {run} {number}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

fn pair(words: &str) -> Option<(u32, u32)> {
    let (run, number) = words.split_once(' ')?;
    Some((run.parse().ok()?, number.parse().ok()?))
}

/// Numbers that look random and can be had again.
fn draw(round: u64, range: Range<u64>) -> u64 {
    let digest = Sha256::digest([b"killed".as_slice(), &round.to_le_bytes()].concat());
    let number = digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    range.start + number % (range.end - range.start)
}

/// Starts the process, kills it some time after it has begun to record, and returns all that it said.
fn kill_one(folder: &Path, round: u64) -> Vec<(u32, u32)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_process_that_is_killed_leaves_a_prefix", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUNDS, round.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wanted = match durability_of(round) {
        Durability::Sync => draw(round, 1..40),
        // It speaks once a run.
        Durability::Memory | Durability::Batched => draw(round, 1..4),
    };
    let mut said = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    for line in lines.by_ref() {
        said.extend(line.strip_prefix("acknowledged ").and_then(pair));
        if said.len() as u64 == wanted {
            break;
        }
    }
    // Up to about a millisecond, in which it goes on.
    for turn in 0..draw(round ^ u64::MAX, 0..1_000_000) {
        std::hint::black_box(turn);
    }
    child.kill().unwrap();
    said.extend(lines.filter_map(|line| line.strip_prefix("acknowledged ").and_then(pair)));
    assert!(!child.wait().unwrap().success(), "round {round}: it ended by itself");
    said
}

/// What was seen of all the processes that were killed.
#[derive(Debug, Default)]
struct Seen {
    runs: u32,
    events: u64,
    effects: usize,
    interrupted: u32,
    torn: u32,
    before_the_first_event: u32,
}

/// Checks one run against what was meant, and returns how many of its events are there.
fn check_run(dir: &Path, acknowledged: Option<u32>, case: &str, seen: &mut Seen) -> u32 {
    let run = match Run::open(dir) {
        Ok(run) => run,
        Err(error) => {
            assert_eq!(acknowledged, None, "{case}: acknowledged events are gone: {error}");
            seen.before_the_first_event += 1;
            return 0;
        }
    };
    let events: Vec<Event> =
        run.all_events().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{case}: {error}"));
    for (number, event) in (0..).zip(&events) {
        let wanted = intended(number);
        assert_eq!((event.chain.0, event.header.kind), (wanted.chain, wanted.kind), "{case}: {number}");
        assert_eq!(event.header.time_us, u64::from(number), "{case}: {number}");
        assert_eq!(event.payload.input(), Some(&*wanted.input), "{case}: {number}");
    }
    let count = events.len() as u32;
    if let Some(number) = acknowledged {
        assert!(number < count || number == EVENTS && count == EVENTS, "{case}: {number} of {count} is gone");
    }
    let options = VerifyOptions { keys: vec![signer().public_key()], ..VerifyOptions::default() };
    let report = verify(dir, &options).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(report.integrity, Integrity::Intact, "{case}: {report}");
    assert_eq!(report.events, u64::from(count), "{case}");
    assert!(acknowledged != Some(EVENTS) || report.verdict() == 0, "{case}: {report}");
    match report.completeness {
        // Its signature comes after its trailer.
        Completeness::Closed => assert_eq!(count, EVENTS, "{case}: {report}"),
        Completeness::Incomplete { torn_bytes } => {
            assert_eq!(run.status(), RunStatus::Incomplete { is_live: false }, "{case}: its lock is held");
            seen.interrupted += 1;
            seen.torn += u32::from(torn_bytes > 0);
        }
        Completeness::Unknown => panic!("{case}: {report}"),
    }
    seen.runs += 1;
    seen.events += u64::from(count);
    count
}

fn check(folder: &Path, said: &[(u32, u32)], case: &str, seen: &mut Seen) {
    let last = |run| said.iter().filter(|(of, _)| *of == run).map(|(_, number)| *number).max();
    let runs = (0..).take_while(|run| run_dir(folder, *run).exists());
    let counts: Vec<u32> = runs
        .map(|run| check_run(&run_dir(folder, run), last(run), &format!("{case}, run {run}"), seen))
        .collect();
    let effects = fs::read_to_string(folder.join("effects")).unwrap();
    for line in effects.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (run, number) = pair(line).unwrap();
        assert!(counts[run as usize] > number, "{case}: effect {number} of run {run} without its request");
        seen.effects += 1;
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_prefix() {
    let rounds = std::env::var(ROUNDS).map_or(ROUNDS_OF_A_TEST, |rounds| rounds.parse().expect("a number"));
    if let Some(folder) = std::env::var_os(FOLDER) {
        record(Path::new(&folder), durability_of(rounds)).unwrap();
        return;
    }
    let mut seen = Seen::default();
    for round in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        let said = kill_one(folder.path(), round);
        check(folder.path(), &said, &format!("round {round}"), &mut seen);
    }
    println!("{rounds} processes killed: {seen:?}");
    assert!(seen.interrupted > 0 && seen.runs > seen.interrupted && seen.effects > 0, "{seen:?}");
}
