//! A recording that was altered, shortened, lengthened or reordered does not replay, whoever signed it.

use std::path::Path;

use theater::replay::{ReplayError, ReplayOptions, Replayed, replay};
use theater_chain::{
    ChainIndex, Durability, Event, EventDraft, Exit, ExitReason, Header, Journal, JournalOptions, Kind,
    Outcome, Payload, Run, RunInit,
};

use crate::guest::{Step, actor, log, ok_state, shutdown};
use crate::house::House;

/// The secret of the runs that the tests forge; states are hashed with it, so it is the recorded run's.
fn secret(dir: &Path) -> [u8; 32] {
    std::fs::read(dir.join("secret")).unwrap().try_into().unwrap()
}

/// Writes a run whose chain 1 has these events, every hash as it should be.
pub(crate) fn forged(house: &House, name: &str, events: &[Event]) {
    let secret = secret(&house.dir.path().join("a"));
    let dir = house.dir.path().join(name);
    let init = RunInit { run_id: "a".to_owned(), secret };
    let journal = Journal::create(&dir, init, JournalOptions::new(Durability::Batched), None).unwrap();
    let genesis =
        Run::open(house.dir.path().join("a")).unwrap().events(ChainIndex(0)).next().unwrap().unwrap();
    for (chain, event) in std::iter::once((journal.open_chain(), &genesis))
        .chain(events.iter().map(|event| (ChainIndex(1), event)))
    {
        if chain == ChainIndex(1) && event.header.kind == Kind::Genesis {
            journal.open_chain();
        }
        let header = event.header;
        let draft = EventDraft {
            kind: header.kind,
            outcome: header.outcome,
            time_us: header.time_us,
            function: header.function,
            fuel: header.fuel,
            input: &[event.payload.input().unwrap()],
            output: &[event.payload.output().unwrap()],
        };
        journal.append(chain, &draft).unwrap();
    }
    for blob in std::fs::read_dir(house.dir.path().join("a/blobs")).unwrap() {
        journal.put_blob(&std::fs::read(blob.unwrap().path()).unwrap()).unwrap();
    }
    journal.close().unwrap();
}

pub(crate) async fn replayed(house: &House, name: &str) -> Result<Replayed, ReplayError> {
    house.replay_all(name, None).await.remove(0)
}

async fn recorded() -> (House, Vec<Event>) {
    let house = House::new(crate::stage::registry());
    let steps =
        [log("one"), log("two"), log("three"), shutdown(Some(b"42")), Step::Return(ok_state(Some(b"s")))];
    let report = house.run("a", actor(&steps), None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    let events = house.events("a");
    assert_eq!(events.len(), 8);
    (house, events)
}

/// Fails unless the replay of these events notices that something is wrong. Returns the event that the report names.
pub(crate) async fn must_be_noticed(house: &House, name: &str, events: &[Event]) -> u64 {
    forged(house, name, events);
    match replayed(house, name).await {
        Ok(Replayed::Diverged(divergence)) => divergence.seq,
        Err(ReplayError::Malformed { seq, .. }) => seq,
        other => panic!("{name}: {other:?}"),
    }
}

/// Counts mutations, each of which was noticed where it is.
#[derive(Default)]
struct Sweep {
    tried: usize,
}

impl Sweep {
    /// Fails unless the report names exactly this event.
    async fn must_be_noticed_at(&mut self, house: &House, name: &str, events: &[Event], seq: usize) {
        assert_eq!(must_be_noticed(house, name, events).await, seq as u64, "{name}");
        self.tried += 1;
    }

    /// Returns what to say of it.
    fn end(self, what: &str, at_least: usize) -> String {
        assert!(self.tried >= at_least, "{what}: only {} were tried", self.tried);
        format!("{what}: {} mutations tried, all noticed at the event", self.tried)
    }
}

#[tokio::test]
async fn unaltered_copy_replays() {
    let (house, events) = recorded().await;
    forged(&house, "copy", &events);
    assert!(matches!(replayed(&house, "copy").await.unwrap(), Replayed::Same { events: 8 }));
}

#[tokio::test]
async fn every_dropped_event_is_noticed_where_it_was() {
    let (house, events) = recorded().await;
    let mut sweep = Sweep::default();
    for at in 1..events.len() - 1 {
        let mut fewer = events.clone();
        fewer.remove(at);
        sweep.must_be_noticed_at(&house, &format!("drop-{at}"), &fewer, at).await;
    }
    let only_ends = [events[0].clone(), events[events.len() - 1].clone()];
    sweep.must_be_noticed_at(&house, "no-calls", &only_ends, 1).await;
    println!("{}", sweep.end("drop", 7));
}

#[tokio::test]
async fn every_inserted_and_every_swapped_event_is_noticed_where_it_is() {
    let (house, events) = recorded().await;
    let mut sweep = Sweep::default();
    // Each event at each place where another stands; in front of its like, the second of the two is the one too many.
    for (from, event) in events.iter().enumerate().skip(1).take(events.len() - 2) {
        for at in 1..events.len() {
            let mut more = events.clone();
            more.insert(at, event.clone());
            let expected = if at == from { at + 1 } else { at };
            sweep.must_be_noticed_at(&house, &format!("insert-{from}-{at}"), &more, expected).await;
        }
    }
    for first in 1..events.len() - 1 {
        for second in first + 1..events.len() - 1 {
            let mut other = events.clone();
            other.swap(first, second);
            sweep.must_be_noticed_at(&house, &format!("swap-{first}-{second}"), &other, first).await;
        }
    }
    println!("{}", sweep.end("insert and swap", 50));
}

/// What is done to one event.
type Alteration = fn(&mut Event);

#[tokio::test]
async fn every_altered_header_and_payload_is_noticed_where_it_is() {
    let (house, events) = recorded().await;
    let mut sweep = Sweep::default();
    let alterations: [(&str, Alteration); 6] = [
        ("function", |event| event.header.function ^= 1),
        ("fuel", |event| event.header.fuel += 1),
        ("error", |event| event.header.outcome = flipped(event.header, Outcome::Error)),
        ("fault", |event| event.header.outcome = flipped(event.header, Outcome::HostFault)),
        ("dropped", |event| event.header.outcome = flipped(event.header, Outcome::Dropped)),
        ("input", |event| alter(event, true)),
    ];
    for at in 1..events.len() {
        for (what, alteration) in &alterations {
            // An exit and a return have no input to alter.
            let has_input = events[at].payload.input().is_some_and(|input| !input.is_empty());
            if *what == "input" && !has_input {
                continue;
            }
            let mut altered = events.clone();
            alteration(&mut altered[at]);
            sweep.must_be_noticed_at(&house, &format!("{what}-{at}"), &altered, at).await;
        }
    }
    let mut altered = events.clone();
    alter(&mut altered[6], false);
    sweep.must_be_noticed_at(&house, "output", &altered, 6).await;
    println!("{}", sweep.end("alter", 35));
}

#[tokio::test]
async fn every_inserted_decision_and_every_other_end_is_noticed_where_it_is() {
    let (house, events) = recorded().await;
    let mut sweep = Sweep::default();
    let mut decision = events[2].clone();
    decision.header =
        Header { kind: Kind::Decision, function: theater_chain::NO_FUNCTION, fuel: 0, ..decision.header };
    for at in 1..events.len() {
        let mut more = events.clone();
        more.insert(at, decision.clone());
        sweep.must_be_noticed_at(&house, &format!("decision-{at}"), &more, at).await;
    }
    let last = events.len() - 1;
    let exit = Exit::decode(events[last].payload.output().unwrap()).unwrap();
    let ends = [
        Exit { result: Some(b"43".to_vec()), ..exit.clone() },
        Exit { result: None, ..exit.clone() },
        Exit { reason: ExitReason::Error("no".to_owned()), ..exit.clone() },
        Exit { reason: ExitReason::Trap("no".to_owned()), ..exit.clone() },
        Exit { reason: ExitReason::Shutdown, ..exit },
    ];
    for (at, end) in ends.iter().enumerate() {
        let mut other = events.clone();
        other[last].payload = Payload::Whole { input: Vec::new(), output: end.encode().unwrap() };
        sweep.must_be_noticed_at(&house, &format!("end-{at}"), &other, last).await;
    }
    println!("{}", sweep.end("decisions and ends", 12));
}

fn flipped(header: Header, to: Outcome) -> Outcome {
    if header.outcome == to { Outcome::Ok } else { to }
}

fn alter(event: &mut Event, is_input: bool) {
    let Payload::Whole { input, output } = &mut event.payload else { panic!("nothing is redacted here") };
    let half = if is_input { input } else { output };
    if let Some(byte) = half.last_mut() {
        *byte ^= 1;
    }
}

#[tokio::test]
async fn hostile_payload_of_a_listing_costs_little() {
    let (house, events) = recorded().await;
    let mut hostile = events.clone();
    let huge = [1, 0x80, 0x96, 0x98, 0].to_vec();
    hostile[1].payload = Payload::Whole { input: huge, output: Vec::new() };
    forged(&house, "hostile", &hostile);
    let run = Run::open(house.dir.path().join("hostile")).unwrap();
    let event = run.events(ChainIndex(1)).nth(1).unwrap().unwrap();
    assert_eq!(theater::render::input(&event).to_string(), "0x0180969800");
    let options = ReplayOptions {
        engine: house.engine.clone(),
        wasm: None,
        ceiling: theater::manifest::Limits::default(),
        progress: None,
    };
    assert!(matches!(replay(&run, ChainIndex(1), &options).await, Ok(Replayed::Diverged(_)) | Err(_)));
}
