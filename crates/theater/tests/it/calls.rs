//! Actors that are started for one call of any export, and end with it.

use theater::LinkError;
use theater::OneCall;
use theater::replay::Replayed;
use theater_chain::{ExitReason, Genesis, Hash, Kind};

use crate::guest::{Step, actor_with, encoded, log, ok_state, shutdown};
use crate::house::House;

fn house() -> House {
    House::new(crate::stage::registry())
}

fn one(symbol: &str) -> OneCall {
    OneCall { symbol: symbol.to_owned(), input: encoded(&(1_u32, "a")) }
}

#[tokio::test]
async fn any_export_can_be_called_and_genesis_says_which() {
    let house = house();
    let wasm = actor_with(&[("math.double", &[log("at it"), Step::Return(encoded(&42_u32))])]);
    let report = house.call("a", wasm, one("math.double")).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(report.answer, Some(encoded(&42_u32)));
    let events = house.events("a");
    let kinds: Vec<Kind> = events.iter().map(|event| event.header.kind).collect();
    assert_eq!(kinds, [Kind::Genesis, Kind::Call, Kind::HostCall, Kind::Return, Kind::Exit]);
    let genesis = Genesis::decode(events[0].payload.input().unwrap()).unwrap();
    assert_eq!(genesis.entry.as_deref(), Some("math.double"));
    assert_eq!((genesis.state.as_slice(), genesis.state_hash), (&[][..], Hash::ZERO));
}

#[tokio::test]
async fn what_looks_like_a_state_is_not_taken_for_one() {
    let house = house();
    let wasm = actor_with(&[("take", &[Step::Return(ok_state(Some(b"state")))])]);
    let report = house.call("a", wasm, one("take")).await;
    assert_eq!(report.answer, Some(ok_state(Some(b"state"))));
    let events = house.events("a");
    // The form of a whole graph, and the graph.
    assert_eq!(events[1].payload.output().unwrap()[1..], ok_state(Some(b"state")));
}

#[tokio::test]
async fn errors_traps_and_refusals_of_the_one_call_are_its_end() {
    let house = house();
    let failed = encoded(&Err::<u32, _>("no luck"));
    let wasm = actor_with(&[
        ("fails", &[Step::Return(failed.clone())]),
        ("asks-and-fails", &[shutdown(Some(b"x")), Step::Return(failed.clone())]),
        ("refuses", &[Step::Fail("cannot decode")]),
        ("garbage", &[Step::Return(b"garbage".to_vec())]),
        ("traps", &[Step::Wat("unreachable")]),
        ("asks", &[shutdown(Some(b"x")), Step::Return(encoded(&1_u8))]),
    ]);
    let error = |text: &str| ExitReason::Error(text.to_owned());
    for (symbol, reason, answer) in [
        ("fails", error("no luck"), Some(failed.clone())),
        ("asks-and-fails", error("no luck"), Some(failed)),
        ("refuses", error("cannot decode"), None),
        ("asks", ExitReason::Normal, Some(encoded(&1_u8))),
    ] {
        let report = house.call(symbol, wasm.clone(), one(symbol)).await;
        assert_eq!((&report.reason, &report.answer), (&reason, &answer), "{symbol}");
    }
    let report = house.call("garbage", wasm.clone(), one("garbage")).await;
    assert!(matches!(&report.reason, ExitReason::Error(text) if text.contains("no graph value")));
    let report = house.call("traps", wasm, one("traps")).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
    let crash = report.crash.as_ref().unwrap().to_string();
    assert!(crash.contains("traps(1u32, \"a\")"), "{crash}");
}

#[tokio::test]
async fn another_package_is_compared_at_the_same_function() {
    let house = house();
    let with = |value: u32| actor_with(&[("double", &[Step::Return(encoded(&value))])]);
    house.call("a", with(42), one("double")).await;
    let same = house.replay_all("a", Some(with(42))).await.remove(0).unwrap();
    assert!(matches!(same, Replayed::Same { .. }), "{same:?}");
    let other = house.replay_all("a", Some(with(43))).await.remove(0).unwrap();
    assert!(matches!(&other, Replayed::Diverged(divergence) if divergence.seq == 1), "{other:?}");
    let missing = actor_with(&[("triple", &[Step::Return(encoded(&42_u32))])]);
    let missing = house.replay_all("a", Some(missing)).await.remove(0).unwrap();
    assert!(matches!(&missing, Replayed::Diverged(_)), "{missing:?}");
}

#[tokio::test]
async fn export_that_is_not_there_is_named_with_those_that_are() {
    let house = house();
    let wasm = actor_with(&[("double", &[Step::Return(encoded(&1_u8))])]);
    let error = house.link_call(wasm, one("treble")).map(drop).unwrap_err();
    assert!(
        matches!(&error, LinkError::NotExported { symbol, exports } if symbol == "treble" && exports == &["double"]),
        "{error}"
    );
}
