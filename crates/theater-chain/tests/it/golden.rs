//! The bytes of every kind of event, pinned.

use std::fmt::Write;

use theater_chain::{
    Cause, ChainIndex, Durability, EventDraft, Exit, ExitDetail, ExitReason, FunctionEntry, FunctionKind,
    Genesis, Hash, Journal, Kind, Outcome, Predecessor, Run, Setting,
};

use crate::support::{block_on, genesis, init, options, runtime_genesis, signer};

fn full_genesis() -> Genesis {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Genesis {
        incarnation: 2,
        predecessor: Some(Predecessor { chain: Hash([1; 32]), head: Hash([2; 32]), why: "trap".to_owned() }),
        parent: Some("root".to_owned()),
        cause: Some(Cause { chain: ChainIndex(0), seq: 1 }),
        state_hash: Hash([3; 32]),
        state: b"state".to_vec(),
        entry: None,
        setting: Setting {
            functions: vec![
                FunctionEntry {
                    interface: "theater:simple/runtime".to_owned(),
                    name: "log".to_owned(),
                    kind: FunctionKind::Import,
                },
                FunctionEntry {
                    interface: "theater:simple/actor".to_owned(),
                    name: "init".to_owned(),
                    kind: FunctionKind::Export,
                },
            ],
            interfaces: vec![("theater:simple/runtime".to_owned(), Hash([4; 32]))],
            fingerprint_semantic: vec![pair("engine", "48")],
            fingerprint_descriptive: vec![pair("cpu", "any")],
            limits: vec![("memory-bytes".to_owned(), 1 << 20)],
        }
        .into(),
        ..genesis("root/worker")
    }
}

fn full_exit() -> Exit {
    Exit {
        reason: ExitReason::Trap("unreachable".to_owned()),
        state_hash: Hash([3; 32]),
        result: Some(b"result".to_vec()),
        detail: Some(ExitDetail {
            function: Some("init".to_owned()),
            panic: Some("no luck".to_owned()),
            place: Some("src/lib.rs:1:1".to_owned()),
            backtrace: vec!["init".to_owned()],
            fuel: 77,
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// One event of every kind, each in a batch of its own, and then all outcomes in one batch.
fn record(dir: &std::path::Path) {
    let journal = Journal::create(dir, init(), options(Durability::Batched), Some(signer())).unwrap();
    let runtime = journal.open_chain();
    let worker = journal.open_chain();
    let append = |chain, draft: &EventDraft<'_>| journal.append(chain, draft).unwrap();
    let flush = || block_on(journal.chain_head(runtime)).unwrap();
    let bytes = runtime_genesis(Some(&signer())).encode().unwrap();
    append(runtime, &EventDraft { input: &[&bytes], ..EventDraft::new(Kind::Genesis, 0) });
    flush();
    let bytes = full_genesis().encode().unwrap();
    append(worker, &EventDraft { input: &[&bytes], ..EventDraft::new(Kind::Genesis, 1) });
    flush();
    for (number, kind) in Kind::ALL.iter().enumerate().skip(1).take(9) {
        let draft = EventDraft {
            function: if *kind == Kind::Snapshot { theater_chain::NO_FUNCTION } else { number as u32 % 2 },
            fuel: 300 * number as u64,
            input: &[b"in"],
            output: &[b"out"],
            ..EventDraft::new(*kind, 100 * number as u64)
        };
        append(worker, &draft);
        flush();
    }
    for outcome in Outcome::ALL {
        append(
            worker,
            &EventDraft { outcome: *outcome, function: 0, fuel: 5, ..EventDraft::new(Kind::Return, 2000) },
        );
    }
    let bytes = full_exit().encode().unwrap();
    append(worker, &EventDraft { output: &[&bytes], ..EventDraft::new(Kind::Exit, 3000) });
    append(runtime, &EventDraft::new(Kind::Exit, 3001));
    journal.close().unwrap();
}

fn print(dir: &std::path::Path) -> String {
    let mut text = String::new();
    for event in Run::open(dir).unwrap().all_events() {
        let event = event.unwrap();
        let header = event.header;
        writeln!(text, "batch {} chain {} {} {}", event.batch, event.chain, header.kind, header.outcome)
            .unwrap();
        writeln!(text, "  header {}", hex(&header.to_bytes())).unwrap();
        writeln!(text, "  input  {}", hex(event.payload.input().unwrap())).unwrap();
        writeln!(text, "  output {}", hex(event.payload.output().unwrap())).unwrap();
        writeln!(text, "  hash   {}", event.hash).unwrap();
    }
    let segment = std::fs::read(dir.join("journal/000000.seg")).unwrap();
    writeln!(text, "journal/000000.seg").unwrap();
    for line in segment.chunks(50) {
        writeln!(text, "  {}", hex(line)).unwrap();
    }
    writeln!(text, "checkpoint").unwrap();
    for line in std::fs::read_to_string(dir.join("checkpoint")).unwrap().lines() {
        writeln!(text, "  {line}").unwrap();
    }
    text
}

#[test]
fn the_bytes_of_every_kind_of_event_are_pinned() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/run.txt");
    let found = print(dir.path());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap();
    assert!(found == expected, "the format differs from {golden}; `cargo xtask bless` rewrites it\n{found}");
}

#[test]
fn the_records_read_back() {
    assert_eq!(Genesis::decode(&full_genesis().encode().unwrap()), Ok(full_genesis()));
    assert_eq!(Exit::decode(&full_exit().encode().unwrap()), Ok(full_exit()));
    let runtime = runtime_genesis(Some(&signer()));
    assert_eq!(theater_chain::RuntimeGenesis::decode(&runtime.encode().unwrap()), Ok(runtime));
    assert!(Genesis::decode(&full_exit().encode().unwrap()).is_err());
    for reason in [
        ExitReason::Normal,
        ExitReason::Shutdown,
        ExitReason::Error("e".to_owned()),
        ExitReason::Limit("l".to_owned()),
        ExitReason::HostFault("h".to_owned()),
        ExitReason::Killed,
        ExitReason::NoActor,
    ] {
        let exit = Exit { reason, result: None, detail: None, ..full_exit() };
        assert_eq!(Exit::decode(&exit.encode().unwrap()), Ok(exit));
    }
}
