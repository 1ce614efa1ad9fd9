//! What goes into a journal comes out of it.

use std::path::Path;

use theater_chain::{
    Durability, EventDraft, ExitReason, Journal, JournalError, JournalOptions, Kind, Run, RunInit, RunStatus,
    VerifyOptions, verify,
};

use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};

fn small_run(dir: &Path) -> theater_chain::Closed {
    let journal = Journal::create(dir, init(), options(Durability::Batched), Some(signer())).unwrap();
    assert_eq!(journal.put_blob(b"package").unwrap(), journal.put_blob(b"package").unwrap());
    journal.put_blob(b"manifest").unwrap();
    let runtime = begin(&journal, Some(&signer()));
    let (a, b) = (begin_actor(&journal, "root"), begin_actor(&journal, "root/worker"));
    for number in 0..20 {
        exchange(&journal, if number % 3 == 0 { b } else { a }, number);
    }
    for chain in [b, a, runtime] {
        end(&journal, chain);
    }
    journal.close().unwrap()
}

#[test]
fn a_closed_run_reads_back_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let closed = small_run(dir.path());
    assert_eq!((closed.events, closed.chains), (26, 3));
    let run = Run::open(dir.path()).unwrap();
    assert_eq!((run.id(), run.status()), ("run-1", RunStatus::Closed));
    let chains = run.chains().unwrap();
    let paths: Vec<_> = chains.iter().map(|chain| chain.path.as_deref().unwrap()).collect();
    assert_eq!(paths, ["/", "root", "root/worker"]);
    assert!(chains.iter().all(|chain| chain.exit == Some(ExitReason::Normal)));
    let events: Vec<_> = run.events(chains[1].index).map(Result::unwrap).collect();
    assert_eq!(events.len() as u64, chains[1].events);
    assert_eq!(events[1].payload.input().unwrap(), b"say question 1");
    assert_eq!(events[1].payload.output().unwrap(), b"answer 1");
    assert_eq!((events[1].header.fuel, events[1].header.time_us, events[1].header.function), (1000, 21, 1));
    assert_eq!((events[1].previous, chains[1].id), (events[0].hash, events[0].hash));
    assert_eq!(run.all_events().count(), 26);

    let key = signer().public_key();
    let known = verify(dir.path(), &VerifyOptions { keys: vec![key], ..VerifyOptions::default() }).unwrap();
    assert_eq!((known.verdict(), known.head), (0, closed.head), "{known}");
    let unknown = verify(dir.path(), &VerifyOptions::default()).unwrap();
    assert_eq!(unknown.verdict(), 1);
    assert!(unknown.to_string().contains("proves nothing against its keeper"), "{unknown}");
    let head = VerifyOptions { head: Some(closed.head), ..VerifyOptions::default() };
    assert_eq!(verify(dir.path(), &head).unwrap().verdict(), 0);
}

#[test]
fn a_live_journal_is_read_back_while_it_is_written() {
    for durability in [Durability::Memory, Durability::Batched, Durability::Sync] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::create(dir.path(), init(), options(durability), None).unwrap();
        let chain = begin_actor(&journal, "root");
        for number in 0..600 {
            exchange(&journal, chain, number);
        }
        let head = block_on(journal.chain_head(chain)).unwrap();
        let entries = block_on(journal.entries(chain, 400..1000)).unwrap();
        assert_eq!((entries.len(), entries[0].seq, head.seq), (201, 400, 600));
        assert_eq!((entries[200].hash, entries[200].input_len), (head.hash, 16));
        assert_eq!(block_on(journal.entries(chain, 0..1000)).unwrap().len(), 256);
        let (input, output) = block_on(journal.payload(chain, 300)).unwrap().unwrap();
        assert_eq!((input.as_slice(), output.as_slice()), (&b"say question 299"[..], &b"answer 299"[..]));
        assert!(block_on(journal.payload(chain, 601)).unwrap().is_none());
        journal.close().unwrap();
        assert!(matches!(journal.append(chain, &EventDraft::new(Kind::Call, 0)), Err(JournalError::Closed)));
    }
}

#[test]
fn a_chain_begins_once_with_its_genesis_and_ends_with_its_exit() {
    let journal = Journal::create(Path::new(""), init(), options(Durability::Memory), None).unwrap();
    let (genesis, call) = (EventDraft::new(Kind::Genesis, 0), EventDraft::new(Kind::Call, 0));
    let chain = journal.open_chain();
    assert!(matches!(journal.append(chain, &call), Err(JournalError::NotBegun(_))));
    assert_eq!(journal.append(chain, &genesis).unwrap().seq, 0);
    assert!(matches!(journal.append(chain, &genesis), Err(JournalError::Begun(_))));
    assert_eq!(journal.append(chain, &call).unwrap().seq, 1);
    assert_eq!(journal.append(chain, &EventDraft::new(Kind::Exit, 0)).unwrap().seq, 2);
    assert!(matches!(journal.append(chain, &call), Err(JournalError::Ended(_))));
    let other = Journal::create(Path::new(""), init(), options(Durability::Memory), None).unwrap();
    assert!(matches!(other.append(chain, &genesis), Err(JournalError::UnknownChain(_))));
}

#[test]
fn a_payload_too_large_for_the_format_is_refused_and_the_journal_goes_on() {
    let journal = Journal::create(Path::new(""), init(), options(Durability::Memory), None).unwrap();
    let chain = begin_actor(&journal, "root");
    let mebibyte = vec![0; 1 << 20];
    let pieces = vec![mebibyte.as_slice(); 1025];
    let draft = EventDraft { input: &pieces, ..EventDraft::new(Kind::HostCall, 0) };
    assert!(matches!(journal.append(chain, &draft), Err(JournalError::TooLarge { .. })));
    exchange(&journal, chain, 1);
    assert_eq!(journal.close().unwrap().events, 2);
}

#[test]
fn a_directory_holds_one_run_and_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let create = || Journal::create(dir.path(), init(), options(Durability::Batched), None);
    let journal = create().unwrap();
    let chain = begin_actor(&journal, "root");
    assert!(matches!(create(), Err(JournalError::Locked)));
    block_on(journal.chain_head(chain)).unwrap();
    let live = Run::open(dir.path()).unwrap();
    assert_eq!(live.status(), RunStatus::Incomplete { is_live: true });
    assert_eq!(live.all_events().map(Result::unwrap).count(), 1);
    drop(journal);
    assert_eq!(Run::open(dir.path()).unwrap().status(), RunStatus::Incomplete { is_live: false });
    assert!(matches!(create(), Err(JournalError::Exists)));
    let bad = RunInit { run_id: "../up".to_owned(), secret: [0; 32] };
    let refused = Journal::create(dir.path(), bad, options(Durability::Memory), None);
    assert!(matches!(refused, Err(JournalError::BadRunId(_))));
}

#[test]
fn a_journal_in_memory_is_exported_as_the_run_that_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(dir.path(), init(), options(Durability::Memory), Some(signer())).unwrap();
    let runtime = begin(&journal, Some(&signer()));
    end(&journal, runtime);
    assert!(matches!(journal.export(dir.path()), Err(JournalError::NotExportable)));
    let closed = journal.close().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    journal.export(dir.path()).unwrap();
    let known = VerifyOptions { keys: vec![signer().public_key()], ..VerifyOptions::default() };
    let report = verify(dir.path(), &known).unwrap();
    assert_eq!((report.verdict(), report.head), (0, closed.head), "{report}");
}

#[test]
fn producers_that_wait_when_pressed_keep_the_queue_short_and_lose_nothing() {
    const EVENTS: u32 = 5000;
    let options = JournalOptions { queue_bytes_max: 20_000, ..options(Durability::Batched) };
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(dir.path(), init(), options, None).unwrap();
    let pressed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|number| {
                let journal = journal.clone();
                scope.spawn(move || {
                    let chain = begin_actor(&journal, &format!("root/{number}"));
                    let mut pressed = 0;
                    for _ in 0..EVENTS {
                        let draft = EventDraft { input: &[&[7; 100]], ..EventDraft::new(Kind::HostCall, 1) };
                        if journal.append(chain, &draft).unwrap().pressed {
                            pressed += 1;
                            block_on(journal.ready()).unwrap();
                        }
                    }
                    pressed
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
    });
    assert!(pressed > 0);
    let closed = journal.close().unwrap();
    assert_eq!(closed.events, 3 * u64::from(EVENTS) + 3);
    let head = VerifyOptions { head: Some(closed.head), ..VerifyOptions::default() };
    assert_eq!(verify(dir.path(), &head).unwrap().verdict(), 0);
}

#[test]
fn a_chain_that_ended_long_ago_is_read_from_the_run_and_not_looked_up() {
    let journal = Journal::create(Path::new(""), init(), options(Durability::Memory), None).unwrap();
    let first = begin_actor(&journal, "root/0");
    end(&journal, first);
    assert_eq!(block_on(journal.chain_head(first)).unwrap().seq, 1);
    for number in 0..4096 {
        let chain = journal.open_chain();
        journal.append(chain, &EventDraft::new(Kind::Genesis, number)).unwrap();
        end(&journal, chain);
    }
    assert!(matches!(block_on(journal.chain_head(first)), Err(JournalError::Forgotten(_))));
    journal.close().unwrap();
    let run = Run::open_files(std::sync::Arc::new(journal.memory().unwrap())).unwrap();
    assert_eq!(run.events(first).map(Result::unwrap).count(), 2);
}
