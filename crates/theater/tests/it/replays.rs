//! Replay finds every difference, at the event where it is.

use theater::replay::{Divergence, Replayed};
use theater_chain::{Event, Header, Kind};

use crate::guest::{Step, actor, log, ok_state, shutdown};
use crate::house::House;

fn house() -> House {
    House::new(crate::stage::registry())
}

/// Records one package and replays the run with another.
async fn diverged(recorded: &[Step], replayed: &[Step]) -> Divergence {
    let house = house();
    house.run("a", actor(recorded), None).await;
    match house.replay_all("a", Some(actor(replayed))).await.remove(0).unwrap() {
        Replayed::Diverged(divergence) => *divergence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_log_text_is_found_with_both_texts() {
    let steps = |text| [log("one"), log(text), Step::Return(ok_state(None))];
    let found = diverged(&steps("two"), &steps("zwei")).await;
    assert_eq!(found.seq, 3);
    assert!(found.expected.contains("\"two\""), "{found}");
    assert!(found.actual.contains("\"zwei\""), "{found}");
    assert!(!found.differences.is_empty(), "{found}");
    assert!(found.before.last().unwrap().contains("one"), "{found}");
}

#[tokio::test]
async fn an_additional_call_is_found() {
    let found = diverged(
        &[log("one"), Step::Return(ok_state(None))],
        &[log("one"), log("two"), Step::Return(ok_state(None))],
    )
    .await;
    assert_eq!(found.seq, 3);
    assert!(found.actual.contains("two"), "{found}");
}

#[tokio::test]
async fn a_first_call_where_there_was_none_is_found() {
    let found = diverged(&[Step::Return(ok_state(None))], &[log("two"), Step::Return(ok_state(None))]).await;
    assert!(found.expected.contains("without a host call"), "{found}");
}

#[tokio::test]
async fn a_missing_call_is_found() {
    let found = diverged(
        &[log("one"), log("two"), Step::Return(ok_state(None))],
        &[log("one"), Step::Return(ok_state(None))],
    )
    .await;
    assert_eq!(found.seq, 3);
    assert!(found.expected.contains("two"), "{found}");
}

#[tokio::test]
async fn another_function_is_found() {
    let found = diverged(
        &[log("one"), Step::Return(ok_state(None))],
        &[shutdown(None), Step::Return(ok_state(None))],
    )
    .await;
    assert_eq!(found.seq, 2);
    assert!(found.actual.contains("shutdown"), "{found}");
}

#[tokio::test]
async fn another_state_is_found() {
    let found = diverged(&[Step::Return(ok_state(Some(b"a")))], &[Step::Return(ok_state(Some(b"b")))]).await;
    assert_eq!(found.seq, 1);
}

#[tokio::test]
async fn a_trap_where_there_was_a_result_is_found_and_the_other_way_round() {
    let well = [log("one"), Step::Return(ok_state(None))];
    let trap = [log("one"), Step::Wat("unreachable")];
    assert!(diverged(&well, &trap).await.actual.contains("trap"));
    assert!(diverged(&trap, &well).await.expected.contains("trap"));
}

#[tokio::test]
async fn more_fuel_for_the_same_crossings_is_no_difference_for_another_package() {
    let house = house();
    house.run("a", actor(&[log("one"), Step::Return(ok_state(None))]), None).await;
    let slower = actor(&[Step::Wat("(drop (i32.const 1))"), log("one"), Step::Return(ok_state(None))]);
    let replayed = house.replay_all("a", Some(slower)).await.remove(0).unwrap();
    assert!(matches!(replayed, Replayed::Same { .. }), "{replayed:?}");
}

#[tokio::test]
async fn two_runs_over_the_same_input_differ_in_what_was_recorded_only() {
    let house = house();
    let wasm = actor(&[log("one"), shutdown(Some(b"x")), Step::Return(ok_state(Some(b"same")))]);
    house.run("a", wasm.clone(), Some(b"same")).await;
    house.run("b", wasm, Some(b"same")).await;
    let (first, second) = (house.events("a"), house.events("b"));
    assert_eq!(first.len(), second.len());
    for (left, right) in first.iter().zip(&second) {
        // Time is recorded; hashes of states and events are salted with the run's own secret.
        let produced = |event: &Event| {
            let header = Header { time_us: 0, ..event.header };
            let is_crossing = !matches!(header.kind, Kind::Genesis | Kind::Exit);
            (header, is_crossing.then(|| event.payload.clone()))
        };
        assert_eq!(produced(left), produced(right));
    }
}
