//! A small run to test with, and what it takes to wait for it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use theater_chain::{
    ChainIndex, Durability, EventDraft, Exit, ExitReason, Genesis, Hash, Journal, JournalOptions, Kind,
    Outcome, RunInit, RuntimeGenesis, Setting, Signer,
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

pub(crate) fn signer() -> Signer {
    Signer::from_seed(&[42; 32])
}

pub(crate) fn init() -> RunInit {
    RunInit { run_id: "run-1".to_owned(), secret: [7; 32] }
}

/// Options under which the writer moves only when it is waited for, so that batches do not depend on the scheduler.
pub(crate) fn options(durability: Durability) -> JournalOptions {
    JournalOptions { group_commit_ms: 600_000, ..JournalOptions::new(durability) }
}

pub(crate) fn runtime_genesis(signer: Option<&Signer>) -> RuntimeGenesis {
    RuntimeGenesis {
        run_id: "run-1".to_owned(),
        utc_us: 1_700_000_000_000_000,
        version: "0.1.0".to_owned(),
        revision: "unknown".to_owned(),
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        node_key: signer.map(|signer| signer.public_key().to_string()),
        user: None,
        note: Some("a test".to_owned()),
    }
}

pub(crate) fn genesis(path: &str) -> Genesis {
    Genesis {
        run_id: "run-1".to_owned(),
        path: path.to_owned(),
        incarnation: 1,
        boundary_version: 1,
        predecessor: None,
        parent: None,
        cause: None,
        package: Hash::of_blob(b"package"),
        manifest: Hash::of_blob(b"manifest"),
        state_hash: Hash::ZERO,
        state: Vec::new(),
        entry: None,
        setting: Setting::default().into(),
    }
}

pub(crate) fn exit() -> Exit {
    Exit { reason: ExitReason::Normal, state_hash: Hash::ZERO, result: None, detail: None }
}

/// Begins the runtime's chain.
pub(crate) fn begin(journal: &Journal, signer: Option<&Signer>) -> ChainIndex {
    let chain = journal.open_chain();
    let bytes = runtime_genesis(signer).encode().unwrap();
    journal.append(chain, &EventDraft { input: &[&bytes], ..EventDraft::new(Kind::Genesis, 0) }).unwrap();
    chain
}

/// Begins an actor's chain.
pub(crate) fn begin_actor(journal: &Journal, path: &str) -> ChainIndex {
    let chain = journal.open_chain();
    let bytes = genesis(path).encode().unwrap();
    journal.append(chain, &EventDraft { input: &[&bytes], ..EventDraft::new(Kind::Genesis, 10) }).unwrap();
    chain
}

/// Appends an exchange.
pub(crate) fn exchange(journal: &Journal, chain: ChainIndex, number: u32) {
    let input = format!("question {number}");
    let output = format!("answer {number}");
    let draft = EventDraft {
        kind: Kind::Exchange,
        outcome: if number % 5 == 4 { Outcome::Error } else { Outcome::Ok },
        time_us: 20 + u64::from(number),
        function: number % 3,
        fuel: 1000 * u64::from(number),
        input: &[b"say ", input.as_bytes()],
        output: &[output.as_bytes()],
    };
    journal.append(chain, &draft).unwrap();
}

/// Ends a chain.
pub(crate) fn end(journal: &Journal, chain: ChainIndex) {
    let bytes = exit().encode().unwrap();
    journal.append(chain, &EventDraft { output: &[&bytes], ..EventDraft::new(Kind::Exit, 1000) }).unwrap();
}
