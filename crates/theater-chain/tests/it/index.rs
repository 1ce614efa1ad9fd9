//! Selected events of a run: the same with the writer's index, with one that a reader makes, and with one that lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use theater_chain::{
    ChainIndex, Durability, Event, EventDraft, FunctionUse, Journal, JournalOptions, Kind, Outcome, Query,
    ReadError, Run, VerifyOptions, verify,
};

use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};

const ACTORS: usize = 5;

/// A run of a few segments with some blocks each; actors begin and end on the way.
fn record(dir: &Path) {
    let options = JournalOptions { segment_bytes_max: 5 << 19, ..options(Durability::Batched) };
    let journal = Journal::create(dir, init(), options, Some(signer())).unwrap();
    let runtime = begin(&journal, None);
    let mut actors: Vec<_> = (0..ACTORS).map(|n| begin_actor(&journal, &format!("root/{n}"))).collect();
    let payload = vec![7; 3000];
    for number in 0..3600_u32 {
        let actor = number as usize / 7 % ACTORS;
        match number {
            900 | 1800 => {
                end(&journal, actors[actor]);
                actors[actor] = begin_actor(&journal, &format!("root/later-{number}"));
            }
            1234 => {
                let draft = EventDraft { outcome: Outcome::Trap, ..EventDraft::new(Kind::Trap, 1234) };
                journal.append(actors[actor], &draft).unwrap();
            }
            _ if number % 3 == 0 => exchange(&journal, actors[actor], number),
            _ => {
                let draft = EventDraft {
                    input: &[&payload],
                    function: 100 + number % 2,
                    ..EventDraft::new(Kind::HostCall, u64::from(number))
                };
                journal.append(actors[actor], &draft).unwrap();
            }
        }
        if number % 50 == 0 {
            block_on(journal.chain_head(runtime)).unwrap();
        }
    }
    for actor in actors {
        end(&journal, actor);
    }
    end(&journal, runtime);
    journal.close().unwrap();
}

fn queries() -> Vec<Query> {
    let all = Query::default();
    let chain = Query::of_chain(ChainIndex(2));
    let functions =
        BTreeMap::from([(ChainIndex(1), BTreeSet::from([100])), (ChainIndex(3), BTreeSet::from([2]))]);
    vec![
        chain.clone(),
        Query { from_seq: 300, ..chain.clone() },
        chain.of_kinds(&[Kind::Exchange]),
        all.clone().of_kinds(&[Kind::Trap]),
        all.clone().of_kinds(&[Kind::Genesis, Kind::Exit]),
        Query { failing_only: true, ..all.clone() },
        Query { from_us: 1000, until_us: Some(1100), ..all.clone() },
        Query { functions: Some(functions), ..all.clone() },
        Query { chains: Some(BTreeSet::new()), ..all.clone() },
        Query::of_chain(ChainIndex(99)),
        all,
    ]
}

fn check(dir: &Path) {
    let run = Run::open(dir).unwrap();
    let all: Vec<Event> = run.all_events().map(Result::unwrap).collect();
    for query in queries() {
        let expected: Vec<_> = all.iter().filter(|event| query.wants(event.chain, &event.header)).collect();
        let selected: Vec<_> = run.select(query.clone()).map(Result::unwrap).collect();
        assert!(selected.iter().eq(expected.iter().copied()), "{query:?}: {}", selected.len());
        for count in [0, 1, 20, 5000] {
            let last = run.last(&query, count, |_| true).unwrap();
            let from = expected.len().saturating_sub(count);
            assert!(last.iter().eq(expected[from..].iter().copied()), "{query:?}, last {count}");
        }
        let odd = run.last(&query, 3, |event| event.header.seq % 2 == 1).unwrap();
        let expected: Vec<_> = expected.into_iter().filter(|event| event.header.seq % 2 == 1).collect();
        assert!(odd.iter().eq(expected[expected.len().saturating_sub(3)..].iter().copied()), "{query:?}");
    }
    check_uses(&run, &all);
}

fn check_uses(run: &Run, all: &[Event]) {
    for used in run.uses().unwrap() {
        let events: Vec<_> = all.iter().filter(|event| event.chain == used.chain).collect();
        assert_eq!(used.events(), events.len() as u64);
        assert_eq!(Some(used.id), events.first().map(|event| event.hash));
        assert_eq!(Some(used.head), events.last().map(|event| event.hash));
        for kind in Kind::ALL {
            let count = events.iter().filter(|event| event.header.kind == *kind).count();
            assert_eq!(used.of_kind(*kind), count as u64);
        }
        for known in &used.functions {
            let events = || events.iter().filter(|event| event.header.function == known.function);
            let sum = |bytes: fn(&Event) -> u64| events().map(|event| bytes(event)).sum::<u64>();
            let begins = [Kind::Call, Kind::Exchange, Kind::HostCall, Kind::HostRequest];
            let ends = [Kind::Return, Kind::Exchange, Kind::Trap];
            let expected = FunctionUse {
                function: known.function,
                calls: events().filter(|event| begins.contains(&event.header.kind)).count() as u64,
                failed: events().filter(|event| event.header.outcome != Outcome::Ok).count() as u64,
                input_bytes: sum(|event| u64::from(event.payload.lengths().input)),
                output_bytes: sum(|event| u64::from(event.payload.lengths().output)),
                fuel: events()
                    .filter(|event| ends.contains(&event.header.kind))
                    .map(|event| event.header.fuel)
                    .sum(),
            };
            assert_eq!(*known, expected);
        }
        assert_eq!(
            used.functions.iter().map(|known| known.function).collect::<BTreeSet<_>>(),
            events.iter().map(|event| event.header.function).collect::<BTreeSet<_>>()
        );
    }
}

fn indices(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(dir.join("index")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn events_are_found_with_the_index_of_the_writer_and_with_that_of_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    record(&dir);
    let written: Vec<_> = indices(&dir).iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(written.len() > 2, "{}", written.len());
    check(&dir);
    let unread: Vec<_> = indices(&dir).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(unread, written, "an index that is right is left alone");
    fs::remove_dir_all(dir.join("index")).unwrap();
    check(&dir);
    let made: Vec<_> = indices(&dir).iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(made == written, "a reader makes another index than the writer");
    let options = VerifyOptions { keys: vec![signer().public_key()], ..VerifyOptions::default() };
    assert!(verify(&dir, &options).unwrap().is_proven(), "side data is no part of the run");
}

#[test]
fn an_index_that_is_damaged_missing_or_of_another_segment_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    record(&dir);
    let paths = indices(&dir);
    let written: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut bytes = written[0].clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&paths[0], bytes).unwrap();
    fs::write(&paths[1], &written[2]).unwrap();
    fs::write(&paths[2], &written[2][..written[2].len() - 1]).unwrap();
    check(&dir);
    for (path, written) in paths.iter().zip(&written) {
        assert!(fs::read(path).unwrap() == *written, "{} was not repaired", path.display());
    }
}

/// Writes an index whose checksum is right and whose content is not.
fn forge(path: &Path, written: &[u8], place: usize) {
    let mut bytes = written[..written.len() - 4].to_vec();
    bytes[place] ^= 1;
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_index_that_lies_about_a_head_is_found_out_by_the_commitment_of_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    record(&dir);
    let path = &indices(&dir)[1];
    let written = fs::read(path).unwrap();
    let run = Run::open(&dir).unwrap();
    // The heads with which the second segment begins stand in its index.
    let before: Vec<_> = run.all_events().map(Result::unwrap).collect();
    let heads: Vec<_> = before
        .iter()
        .filter_map(|event| written.windows(32).position(|bytes| bytes == event.hash.0))
        .collect();
    assert!(heads.len() >= ACTORS, "{}", heads.len());
    let all = |run: &Run| run.select(Query::default()).map(Result::unwrap).count();
    let mut found_out = 0;
    for place in heads {
        forge(path, &written, place + 5);
        assert_eq!(all(&Run::open(&dir).unwrap()), before.len());
        assert_eq!(Run::open(&dir).unwrap().last(&Query::default(), 9000, |_| true).unwrap(), before);
        found_out += usize::from(fs::read(path).unwrap() == written);
    }
    assert!(found_out > 0, "no forged index was replaced");
}

#[test]
fn any_byte_of_an_index_may_lie_and_no_event_is_shown_that_is_not_in_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    record(&dir);
    let path = &indices(&dir)[1];
    let written = fs::read(path).unwrap();
    let all: BTreeSet<_> = Run::open(&dir).unwrap().all_events().map(|event| event.unwrap().hash.0).collect();
    for place in (0..written.len() - 4).step_by(101) {
        forge(path, &written, place);
        let run = Run::open(&dir).unwrap();
        for event in run.select(Query::default()) {
            assert!(event.is_ok_and(|event| all.contains(&event.hash.0)), "byte {place}");
        }
        run.last(&Query::default(), 9000, |_| true).unwrap();
        run.chains().unwrap();
    }
}

#[test]
fn a_fault_in_a_run_is_told_when_it_is_reached_with_an_index_or_without() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    record(&dir);
    let path = dir.join("journal/000001.seg");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    for has_index in [true, false] {
        if !has_index {
            fs::remove_dir_all(dir.join("index")).unwrap();
        }
        let run = Run::open(&dir).unwrap();
        let mut good = 0;
        let error = run.select(Query::default()).find_map(|event| event.inspect(|_| good += 1).err());
        assert!(matches!(error, Some(ReadError::Faulty(fault)) if fault.file == "journal/000001.seg"));
        assert!(good > 500, "{good}");
        assert!(run.last(&Query::default(), 9000, |_| true).is_err());
    }
}

#[test]
fn a_run_that_grows_is_read_with_the_indices_of_its_full_segments() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let options = JournalOptions { segment_bytes_max: 1200, ..options(Durability::Batched) };
    let journal = Journal::create(&dir, init(), options, None).unwrap();
    begin(&journal, None);
    let actor = begin_actor(&journal, "root");
    for number in 0..40 {
        exchange(&journal, actor, number);
        block_on(journal.chain_head(actor)).unwrap();
        let run = Run::open(&dir).unwrap();
        let last = run.last(&Query::of_chain(actor), 1, |_| true).unwrap();
        assert_eq!(last[0].header.seq, u64::from(number) + 1);
        assert_eq!(run.chains().unwrap()[1].events, u64::from(number) + 2);
    }
    let segments = fs::read_dir(dir.join("journal")).unwrap().count();
    assert_eq!(indices(&dir).len(), segments - 1, "the segment at hand has none yet");
    drop(journal);
    let torn = dir.join(format!("journal/{:06}.seg", segments - 1));
    let bytes = fs::read(&torn).unwrap();
    fs::write(&torn, &bytes[..bytes.len() - 1]).unwrap();
    let run = Run::open(&dir).unwrap();
    assert_eq!(run.select(Query::of_chain(actor)).map(Result::unwrap).count(), 40);
    assert_eq!(indices(&dir).len(), segments, "a run that crashed gets its last one when it is read");
}
