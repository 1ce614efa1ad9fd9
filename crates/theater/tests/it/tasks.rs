//! Guests that run their calls as tasks: recorded and replayed with one host call in flight.

use std::num::NonZeroU32;

use theater::replay::{ReplayError, Replayed};
use theater_chain::{Durability, ExitReason, Genesis, Kind, Outcome, Setting};

use crate::guest::{RESUME, Step, actor_with, encoded, log, ok_state, park, task};
use crate::house::House;
use crate::mutations::{forged, must_be_noticed, replayed};
use crate::requests::{INTERFACE, house, kinds};

fn ask(function: &'static str) -> Step {
    Step::Import { interface: INTERFACE, function, input: encoded(&()) }
}

/// Stops the guest if the last import was not answered at once, or if it was.
fn must_be(pending: bool) -> Step {
    Step::Wat(match pending {
        true => "(if (i32.ne (global.get $status) (i32.const 1)) (then unreachable))",
        false => "(if (i32.ne (global.get $status) (i32.const 0)) (then unreachable))",
    })
}

fn done() -> Step {
    Step::Return(ok_state(Some(b"done")))
}

#[tokio::test]
async fn a_task_that_parks_is_one_call_and_its_response_comes_after_more_fuel() {
    for durability in [Durability::Batched, Durability::Sync] {
        let (mut house, _) = house();
        house.durability = durability;
        let twice = task(
            &[ask("answer"), must_be(true), park()],
            &[
                // Resumed for the first time, it asks once more.
                Step::Wat("(if (i32.eqz (local.get $id)) (then"),
                ask("answer"),
                Step::Wat("(return (i32.const 1))))"),
                done(),
            ],
        );
        let report = house.run("a", twice, None).await;
        assert_eq!(report.reason, ExitReason::Normal);
        assert_eq!(
            kinds(&house),
            [
                Kind::Genesis,
                Kind::Call,
                Kind::HostRequest,
                Kind::HostResponse,
                Kind::HostRequest,
                Kind::HostResponse,
                Kind::Return,
                Kind::Exit
            ]
        );
        let events = house.events("a");
        assert_eq!(events[5].payload.input().unwrap(), 4_u64.to_le_bytes());
        let fuel: Vec<u64> = events[2..7].iter().map(|event| event.header.fuel).collect();
        assert!(fuel.is_sorted_by(|one, other| one < other), "{fuel:?}");
    }
}

#[tokio::test]
async fn a_second_request_in_flight_is_refused_and_the_record_says_why() {
    let (house, _) = house();
    let report = house.run("a", task(&[ask("answer"), ask("answer"), park()], &[done()]), None).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
    assert_eq!(
        kinds(&house),
        [Kind::Genesis, Kind::Call, Kind::HostRequest, Kind::HostCall, Kind::Trap, Kind::Exit]
    );
    let refused = &house.events("a")[3];
    assert_eq!(refused.header.outcome, Outcome::Refused);
    let text = String::from_utf8(refused.payload.output().unwrap().to_vec()).unwrap();
    assert!(text.starts_with("another call of this guest is in flight"), "{text}");
}

#[tokio::test]
async fn what_is_answered_at_once_is_served_while_a_request_is_in_flight() {
    let (house, _) = house();
    let steps = [ask("answer"), must_be(true), ask("at-once"), must_be(false), park()];
    let report = house.run("a", task(&steps, &[done()]), None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(kinds(&house)[2..5], [Kind::HostRequest, Kind::HostCall, Kind::HostResponse]);
}

#[tokio::test]
async fn a_refusal_of_the_handler_is_one_with_nothing_in_flight_too() {
    let (house, _) = house();
    let report = house.run("a", task(&[ask("refuse")], &[done()]), None).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
    assert_eq!(kinds(&house)[2], Kind::HostCall);
}

#[tokio::test]
async fn a_host_fault_ends_a_parked_task() {
    for function in ["fail", "panic-later"] {
        let (house, _) = house();
        let report = house.run("a", task(&[ask(function), park()], &[done()]), None).await;
        assert!(matches!(report.reason, ExitReason::HostFault(_)), "{:?}", report.reason);
        assert_eq!(kinds(&house)[2..4], [Kind::HostRequest, Kind::HostResponse]);
    }
}

#[tokio::test]
async fn a_task_that_waits_for_nothing_is_a_trap_that_replays() {
    let (house, _) = house();
    let report = house.run("a", task(&[park()], &[done()]), None).await;
    let ExitReason::Trap(text) = &report.reason else { panic!("{:?}", report.reason) };
    assert!(text.contains("nothing-in-flight"), "{text}");
    assert!(matches!(replayed(&house, "a").await.unwrap(), Replayed::Same { .. }));
}

#[tokio::test]
async fn a_task_may_end_without_the_answer_it_asked_for() {
    let (mut house, _) = house();
    house.recreate_every = NonZeroU32::new(2);
    let wasm = actor_with(&[
        ("theater:simple/actor.init", &[ask("never"), must_be(true), done()]),
        ("my:app/it.again", &[ask("answer"), must_be(true), park()]),
        (RESUME, &[done()]),
    ]);
    let report = house
        .run_with("a", wasm, None, async |handle| {
            for _ in 0..3 {
                handle.call("my:app/it.again", pack_abi::Value::unit()).await.unwrap();
            }
        })
        .await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(kinds(&house)[1..5], [Kind::Call, Kind::HostRequest, Kind::Return, Kind::Call]);
    assert!(kinds(&house).contains(&Kind::Snapshot), "ids count anew in another instance");
}

#[tokio::test]
async fn kill_reaches_a_parked_task_and_the_replay_parks_there_too() {
    for at_once in [false, true] {
        let (house, asked) = house();
        let mut steps = vec![ask("never"), must_be(true)];
        if at_once {
            steps.extend([ask("at-once"), must_be(false)]);
        }
        steps.push(park());
        let runtime = house.start("a");
        let wasm = actor_with(&[
            ("theater:simple/actor.init", &[done()]),
            ("my:app/it.ask", &steps),
            (RESUME, &[done()]),
        ]);
        let linked = theater::link(&house.engine, &house.registry, house.spec(wasm, None)).unwrap();
        let handle = runtime.spawn_root(&linked).await.unwrap();
        let asking = handle.call("my:app/it.ask", pack_abi::Value::unit());
        let (ended, ()) = tokio::join!(asking, async {
            asked.notified().await;
            handle.kill();
        });
        assert!(ended.is_err());
        let report = handle.finish().await;
        assert_eq!(report.reason, ExitReason::Killed);
        runtime.close(&report).await.unwrap();
        house.check("a").await;
        let Replayed::ResourceEnd { what, .. } = replayed(&house, "a").await.unwrap() else { panic!() };
        assert!(what.contains("request") && what.contains("pending"), "{what}");
    }
}

#[tokio::test]
async fn altered_recordings_of_tasks_are_noticed() {
    let (house, _) = house();
    let steps = [ask("answer"), ask("at-once"), park()];
    house.run("a", task(&steps, &[ask("at-once"), done()]), None).await;
    let events = house.events("a");
    assert_eq!(events.len(), 8, "{:?}", kinds(&house));
    for at in 1..events.len() - 1 {
        let mut other = events.clone();
        other.remove(at);
        must_be_noticed(&house, &format!("drop-{at}"), &other).await;
        let mut other = events.clone();
        other[at].header.fuel += 1;
        must_be_noticed(&house, &format!("fuel-{at}"), &other).await;
    }
    for at in 1..events.len() - 2 {
        let mut other = events.clone();
        other.swap(at, at + 1);
        must_be_noticed(&house, &format!("swap-{at}"), &other).await;
    }
}

#[tokio::test]
async fn recordings_under_earlier_rules_replay_and_those_under_later_ones_say_so() {
    let house = House::new(crate::stage::registry());
    house.run("a", crate::guest::actor(&[log("one"), done()]), None).await;
    let events = house.events("a");
    for version in [1, pack::BOUNDARY_VERSION, pack::BOUNDARY_VERSION + 1] {
        let mut genesis = Genesis::decode(events[0].payload.input().unwrap()).unwrap();
        genesis.boundary_version = version;
        let mut setting = Setting::clone(&genesis.setting);
        for (name, value) in &mut setting.fingerprint_semantic {
            if name == "boundary" {
                *value = version.to_string();
            }
        }
        genesis.setting = setting.into();
        let mut other = events.clone();
        other[0].payload = theater_chain::Payload::Whole {
            input: genesis.encode().unwrap(),
            output: events[0].payload.output().unwrap().to_vec(),
        };
        let name = format!("version-{version}");
        forged(&house, &name, &other);
        match replayed(&house, &name).await {
            Ok(Replayed::Same { .. }) => assert!(version <= pack::BOUNDARY_VERSION),
            Err(ReplayError::Boundary { recorded, .. }) => {
                assert_eq!(recorded, pack::BOUNDARY_VERSION + 1);
            }
            other => panic!("{version}: {other:?}"),
        }
    }
}
