//! A run whose messages do not fit together is found out, although each of its chains is intact.

use std::fs;

use theater::record::cause_of;
use theater::replay::{Causes, check_causes};
use theater_chain::{ChainIndex, Durability, Event, EventDraft, Journal, JournalOptions, Kind, Run, RunInit};

use crate::house::House;

/// What is done with one event of a forged run.
enum Change {
    Keep,
    Drop,
    /// Other bytes in its input.
    Input(Vec<u8>),
    /// It comes a second time.
    Twice,
}

impl House {
    /// Writes the run once more, with every hash as it should be, and checks its causes.
    fn forged(&self, mut change: impl FnMut(&Event) -> Change) -> Causes {
        let dir = self.dir.path().join("run");
        let forged = self.dir.path().join("forged");
        if forged.exists() {
            fs::remove_dir_all(&forged).unwrap();
        }
        let secret = fs::read(dir.join("secret")).unwrap().try_into().unwrap();
        let init = RunInit { run_id: "run".to_owned(), secret };
        let journal = Journal::create(&forged, init, JournalOptions::new(Durability::Batched), None).unwrap();
        for event in Run::open(&dir).unwrap().all_events() {
            let event = event.unwrap();
            if event.header.kind == Kind::Genesis {
                assert_eq!(journal.open_chain(), event.chain);
            }
            let (input, times) = match change(&event) {
                Change::Keep => (event.payload.input().unwrap().to_vec(), 1),
                Change::Drop => continue,
                Change::Input(input) => (input, 1),
                Change::Twice => (event.payload.input().unwrap().to_vec(), 2),
            };
            for _ in 0..times {
                let draft = EventDraft {
                    outcome: event.header.outcome,
                    function: event.header.function,
                    fuel: event.header.fuel,
                    input: &[&input],
                    output: &[event.payload.output().unwrap()],
                    ..EventDraft::new(event.header.kind, event.header.time_us)
                };
                journal.append(event.chain, &draft).unwrap();
            }
        }
        journal.close().unwrap();
        check_causes(&Run::open(&forged).unwrap(), None).unwrap()
    }
}

fn is_receive(event: &Event) -> bool {
    matches!(event.header.kind, Kind::Call | Kind::Exchange) && cause_of(event).is_some()
}

fn is_reply(event: &Event) -> bool {
    event.header.kind == Kind::HostResponse && cause_of(event).is_some()
}

async fn recorded() -> House {
    let house = House::new();
    house.play("spawn manifest.toml;send root/puppet-1 hello;request root/puppet-1 reply pong").await;
    let causes = house.forged(|_| Change::Keep);
    assert!(causes.is_consistent(), "{causes}");
    // The message, the request and its answer.
    assert_eq!((causes.arrived, causes.dead), (3, 0));
    house
}

/// Returns what the first fault says.
fn fault(causes: &Causes) -> &str {
    &causes.faults.first().unwrap_or_else(|| panic!("{causes}")).what
}

#[tokio::test(start_paused = true)]
async fn message_with_other_bytes_than_were_sent_is_found() {
    let house = recorded().await;
    let causes = house.forged(|event| {
        let mut input = event.payload.input().unwrap().to_vec();
        match input.windows(5).position(|bytes| bytes == b"hello") {
            Some(at) if is_receive(event) => {
                input[at] = b'J';
                Change::Input(input)
            }
            _ => Change::Keep,
        }
    });
    assert!(fault(&causes).contains("the send has other bytes than event"), "{causes}");
    assert!(causes.faults[0].at.starts_with("root/puppet-1#1 event "), "{causes}");
}

#[tokio::test(start_paused = true)]
async fn message_that_arrives_twice_or_never_is_found() {
    let house = recorded().await;
    let is_first =
        |event: &Event| is_receive(event) && event.payload.input().unwrap().windows(5).any(|b| b == b"hello");
    let lost = house.forged(|event| {
        let is_of_call = matches!(event.header.kind, Kind::Call | Kind::Exchange);
        if is_of_call && is_first(event) { Change::Drop } else { Change::Keep }
    });
    assert!(
        lost.faults.iter().any(|fault| fault.what.contains("did not arrive, and is no dead letter")),
        "{lost}"
    );
    let twice = house.forged(|event| if is_first(event) { Change::Twice } else { Change::Keep });
    assert!(fault(&twice).contains("sent no such send, or it arrived before"), "{twice}");
}

#[tokio::test(start_paused = true)]
async fn cause_that_lies_in_the_future_or_is_another_is_found() {
    let house = recorded().await;
    // Behind the form and the chain stands the seq of the cause.
    let with_seq = |event: &Event, seq: u64| {
        let mut input = event.payload.input().unwrap().to_vec();
        input[5..13].copy_from_slice(&seq.to_le_bytes());
        Change::Input(input)
    };
    let future = house.forged(|event| if is_receive(event) { with_seq(event, 1000) } else { Change::Keep });
    assert!(fault(&future).contains("which is not before it"), "{future}");
    let other = house.forged(|event| if is_receive(event) { with_seq(event, 1) } else { Change::Keep });
    assert!(fault(&other).contains("sent no such"), "{other}");
}

#[tokio::test(start_paused = true)]
async fn reply_that_nobody_gave_is_found() {
    let house = recorded().await;
    let mut has_reply = false;
    let causes = house.forged(|event| {
        let is_answer =
            is_reply(event) && event.payload.output().unwrap().windows(4).any(|bytes| bytes == b"pong");
        has_reply |= is_answer;
        match is_answer {
            true => Change::Input(event.payload.input().unwrap()[..8].to_vec()),
            false => Change::Keep,
        }
    });
    assert!(has_reply);
    assert_eq!(fault(&causes), "a reply that nobody gave");
}

#[tokio::test(start_paused = true)]
async fn forged_run_replays_chain_by_chain_and_is_only_found_as_a_whole() {
    let house = recorded().await;
    let chain = ChainIndex(2);
    let causes = house.forged(|event| match event.chain == chain && is_receive(event) {
        true => {
            let mut input = event.payload.input().unwrap().to_vec();
            input[5] = input[5].wrapping_sub(1);
            Change::Input(input)
        }
        false => Change::Keep,
    });
    assert!(!causes.is_consistent());
    // The cause is copied by a replay: it cannot know what another actor did.
    for blob in fs::read_dir(house.dir.path().join("run/blobs")).unwrap() {
        let blob = blob.unwrap();
        fs::create_dir_all(house.dir.path().join("forged/blobs")).unwrap();
        fs::copy(blob.path(), house.dir.path().join("forged/blobs").join(blob.file_name())).unwrap();
    }
    let run = Run::open(house.dir.path().join("forged")).unwrap();
    let options = theater::replay::ReplayOptions {
        engine: house.engine.clone(),
        wasm: None,
        ceiling: theater::manifest::Limits::default(),
        progress: None,
    };
    let replayed = theater::replay::replay(&run, chain, &options).await.unwrap();
    assert!(matches!(replayed, theater::replay::Replayed::Same { .. }), "{replayed:?}");
}
