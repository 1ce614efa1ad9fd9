//! What goes into a journal comes out of it.

use std::path::Path;

use theater_chain::{
    Durability, EventDraft, ExitReason, Journal, JournalError, Kind, Run, RunStatus, VerifyOptions, verify,
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
