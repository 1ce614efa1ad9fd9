//! How actors end, and what their chains and reports say of it.

use std::num::NonZeroU32;

use pack_abi::Value;
use theater::LinkError;
use theater::actor::CallFailure;
use theater_chain::{Durability, ExitReason, Kind};

use crate::guest::{Step, actor, actor_with, encoded, log, ok_state, shutdown};
use crate::house::House;

fn house() -> House {
    House::new(crate::stage::registry())
}

fn kinds(house: &House, name: &str) -> Vec<Kind> {
    house.events(name).iter().map(|event| event.header.kind).collect()
}

#[tokio::test]
async fn actor_that_does_nothing_ends_by_itself_with_one_exchange() {
    let house = house();
    let report = house.run("a", actor(&[Step::Return(ok_state(None))]), None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert!(report.crash.is_none());
    assert_eq!(kinds(&house, "a"), [Kind::Genesis, Kind::Exchange, Kind::Exit]);
}

#[tokio::test]
async fn logged_line_is_an_event_and_reaches_the_sink() {
    let house = house();
    let report = house.run("a", actor(&[log("hello"), Step::Return(ok_state(None))]), None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(house.lines.all(), ["hello"]);
    assert_eq!(kinds(&house, "a"), [Kind::Genesis, Kind::Call, Kind::HostCall, Kind::Return, Kind::Exit]);
}

#[tokio::test]
async fn result_of_shutdown_is_the_result_of_the_actor() {
    let house = house();
    let wasm = actor(&[shutdown(Some(b"42")), Step::Return(ok_state(None))]);
    let report = house.run("a", wasm, None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(report.result.as_deref(), Some(&b"42"[..]));
}

#[tokio::test]
async fn changed_state_is_hashed_and_kept_state_is_not_repeated() {
    let house = house();
    let big = vec![7; 100_000];
    let wasm = actor(&[Step::Return(ok_state(Some(b"new")))]);
    house.run("a", wasm, Some(&big)).await;
    let exchange = &house.events("a")[1];
    assert!(exchange.payload.input().unwrap().len() < 200, "the state is not in the call");
    assert!(exchange.payload.output().unwrap().len() < 200);
}

#[tokio::test]
async fn error_of_init_is_a_failed_start() {
    let house = house();
    let wasm = actor(&[Step::Return(encoded(&Err::<(Option<Vec<u8>>,), _>("no luck")))]);
    let report = house.run("a", wasm, None).await;
    assert_eq!(report.reason, ExitReason::Error("no luck".to_owned()));
    assert!(report.crash.as_ref().unwrap().to_string().contains("no luck"));
}

#[tokio::test]
async fn status_minus_one_of_init_is_a_failed_start_with_its_text() {
    let house = house();
    let report = house.run("a", actor(&[Step::Fail("cannot decode")]), None).await;
    assert_eq!(report.reason, ExitReason::Error("cannot decode".to_owned()));
}

#[tokio::test]
async fn trap_is_an_event_and_the_crash_report_explains_it() {
    let house = house();
    let report = house.run("a", actor(&[log("before"), Step::Wat("unreachable")]), None).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
    let crash = report.crash.as_ref().unwrap().to_string();
    assert!(crash.contains("root#1 crashed") && crash.contains("theater events a"), "{crash}");
    assert!(crash.contains("theater:simple/actor.init(state, (\"root\"))"), "{crash}");
    assert_eq!(kinds(&house, "a"), [Kind::Genesis, Kind::Call, Kind::HostCall, Kind::Trap, Kind::Exit]);
}

#[tokio::test]
async fn endless_loop_ends_at_the_fuel_limit() {
    let mut house = house();
    house.manifest.push_str("[limits]\nfuel_per_call = 100000\n");
    let report = house.run("a", actor(&[Step::Wat("(loop (br 0))")]), None).await;
    let ExitReason::Limit(text) = &report.reason else { panic!("{:?}", report.reason) };
    assert!(text.contains("fuel_per_call"), "{text}");
}

#[tokio::test]
async fn endless_loop_ends_at_the_deadline_and_replays_to_the_same_place() {
    let mut house = house();
    house.manifest.push_str("[limits]\ncall_ms = 20\n");
    let wasm = actor(&[Step::Wat("(loop (br 0))")]);
    let report = house.run("a", wasm, None).await;
    let ExitReason::Limit(text) = &report.reason else { panic!("{:?}", report.reason) };
    assert!(text.contains("call_ms"), "{text}");
}

#[tokio::test]
async fn deep_recursion_ends_at_the_stack_limit() {
    let house = house();
    let report = house.run("a", actor(&[Step::Wat("(drop (call $down))")]), None).await;
    let ExitReason::Limit(text) = &report.reason else { panic!("{:?}", report.reason) };
    assert!(text.contains("stack"), "{text}");
}

#[tokio::test]
async fn refused_memory_explains_the_trap_that_follows() {
    let mut house = house();
    house.manifest.push_str("[limits]\nmemory_bytes = 1048576\n");
    let hungry = "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable))";
    let report = house.run("a", actor(&[Step::Wat(hungry)]), None).await;
    let ExitReason::Limit(text) = &report.reason else { panic!("{:?}", report.reason) };
    assert!(text.contains("memory_bytes"), "{text}");
}

#[tokio::test]
async fn malformed_arguments_are_refused_and_recorded() {
    let house = house();
    let bad = Step::Import { interface: "theater:simple/runtime", function: "log", input: b"junk".to_vec() };
    let report = house.run("a", actor(&[bad]), None).await;
    assert!(matches!(report.reason, ExitReason::Trap(_)), "{:?}", report.reason);
}

#[tokio::test]
async fn runs_are_the_same_in_every_durability() {
    for durability in [Durability::Batched, Durability::Sync] {
        let mut house = house();
        house.durability = durability;
        let wasm = actor(&[log("one"), shutdown(Some(b"x")), Step::Return(ok_state(Some(b"s")))]);
        let report = house.run("a", wasm, None).await;
        assert_eq!(report.result.as_deref(), Some(&b"x"[..]));
        assert_eq!(house.lines.all(), ["one"]);
    }
}

#[tokio::test]
async fn calls_from_outside_see_the_state_of_the_last_one() {
    for recreate_every in [None, NonZeroU32::new(1), NonZeroU32::new(3)] {
        let mut house = house();
        house.recreate_every = recreate_every;
        let echo = [log("called"), Step::Return(ok_state(Some(b"s2")))];
        let wasm = actor_with(&[
            ("theater:simple/actor.init", &[Step::Return(ok_state(Some(b"s1")))]),
            ("my:app/it.touch", &echo),
        ]);
        house
            .run_with("a", wasm, None, async |handle| {
                for _ in 0..7 {
                    let output = handle.call("my:app/it.touch", Value::unit()).await.unwrap();
                    assert_eq!(output, ok_state(Some(b"s2")));
                }
                let missing = handle.call("my:app/it.none", Value::unit()).await;
                assert!(matches!(missing, Err(CallFailure::NoFunction(_))));
            })
            .await;
        let snapshots = kinds(&house, "a").iter().filter(|kind| **kind == Kind::Snapshot).count();
        assert_eq!(snapshots, recreate_every.map_or(0, |every| 8 / every.get() as usize));
    }
}

#[tokio::test]
async fn stop_ends_after_the_call_in_hand_and_kill_within_it() {
    let house = house();
    let wasm = actor_with(&[
        ("theater:simple/actor.init", &[Step::Return(ok_state(None))]),
        ("my:app/it.spin", &[Step::Wat("(loop (br 0))")]),
    ]);
    let report = house.run_with("stop", wasm.clone(), None, async |handle| handle.stop()).await;
    assert_eq!(report.reason, ExitReason::Shutdown);
    let report = house
        .run_with("kill", wasm, None, async |handle| {
            let spinning = handle.call("my:app/it.spin", Value::unit());
            let (ended, ()) = tokio::join!(spinning, async {
                tokio::task::yield_now().await;
                handle.kill();
            });
            assert!(matches!(ended, Err(CallFailure::Ended(_))));
        })
        .await;
    assert_eq!(report.reason, ExitReason::Killed);
}

#[tokio::test]
async fn package_must_fit_its_manifest() {
    let mut house = house();
    let wasm = actor(&[log("x"), Step::Return(ok_state(None))]);
    assert!(house.link(wasm.clone()).is_ok());
    house.manifest = "name = \"test\"\n".to_owned();
    assert!(matches!(house.link(wasm.clone()), Err(LinkError::NotGranted { kind, .. }) if kind == "runtime"));
    house.manifest = "name = \"test\"\n[[handler]]\ntype = \"teleport\"\n".to_owned();
    assert!(matches!(house.link(wasm), Err(LinkError::UnknownHandler { .. })));
    let import = |interface, function| Step::Import { interface, function, input: Vec::new() };
    house.manifest = "name = \"test\"\n[[handler]]\ntype = \"runtime\"\n".to_owned();
    let foreign = actor(&[import("other:thing/api", "run"), Step::Return(ok_state(None))]);
    assert!(matches!(house.link(foreign), Err(LinkError::NoProvider { .. })));
    let unknown = actor(&[import("theater:simple/runtime", "logg"), Step::Return(ok_state(None))]);
    assert!(matches!(house.link(unknown), Err(LinkError::NoFunction { .. })));
    let no_init = actor_with(&[("my:app/it.touch", &[Step::Return(ok_state(None))])]);
    assert!(matches!(house.link(no_init), Err(LinkError::NoInit { .. })));
}

#[tokio::test]
async fn what_is_linked_starts_any_number_of_actors_and_is_kept_once() {
    let house = House::new(crate::stage::registry());
    let runtime = house.start("a");
    let wasm = actor(&[log("one"), Step::Return(ok_state(None))]);
    let linked = theater::link(&house.engine, &house.registry, house.spec(wasm, None)).unwrap();
    let first = runtime.spawn_root(&linked).await.unwrap();
    let second = runtime.spawn_root(&linked).await.unwrap();
    first.finish().await;
    let report = second.finish().await;
    runtime.close(&report).await.unwrap();
    house.check("a").await;
    assert_eq!(house.replay_all("a", None).await.len(), 2);
    assert_eq!(std::fs::read_dir(house.dir.path().join("a/blobs")).unwrap().count(), 2);
}

#[tokio::test]
async fn result_that_is_no_graph_is_the_error_of_the_guest() {
    for first in [None, Some(log("before"))] {
        let house = house();
        let steps: Vec<_> = first.into_iter().chain([Step::Return(b"junk".to_vec())]).collect();
        let report = house.run("a", actor(&steps), None).await;
        let ExitReason::Error(text) = &report.reason else { panic!("{:?}", report.reason) };
        assert!(text.contains("no graph value"), "{text}");
    }
}

#[tokio::test]
async fn start_function_is_a_recorded_call() {
    let house = house();
    let wasm = with_start("(call $log (i32.const 4096) (i32.const 4) (i32.const 0) (i32.const 4)) drop", "x");
    let report = house.run("a", wasm, None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(kinds(&house, "a")[..4], [Kind::Genesis, Kind::Call, Kind::HostCall, Kind::Return]);
    let wasm = with_start("nop", "x");
    let report = house.run("b", wasm, None).await;
    assert_eq!(report.reason, ExitReason::Normal);
    assert_eq!(kinds(&house, "b")[..2], [Kind::Genesis, Kind::Exchange]);
}

#[tokio::test]
async fn start_function_that_never_ends_is_stopped_like_any_call() {
    for limit in ["fuel_per_call = 1000000", "call_ms = 20"] {
        let mut house = house();
        house.manifest.push_str(&format!("[limits]\n{limit}\n"));
        let report = house.run("a", with_start("(loop (br 0))", "x"), None).await;
        assert!(matches!(report.reason, ExitReason::Limit(_)), "{:?}", report.reason);
    }
}

/// Returns an actor whose module has a start function.
fn with_start(body: &str, text: &str) -> Vec<u8> {
    crate::guest::actor_starting_with(body, &[log(text), Step::Return(ok_state(None))])
}

// A failed `init` that had asked for its end was recorded as a normal end, which its replay contradicted.
#[tokio::test]
async fn error_of_init_is_a_failed_start_even_after_a_shutdown() {
    let house = house();
    let failed = Step::Return(encoded(&Err::<(Option<Vec<u8>>,), _>("no luck")));
    let report = house.run("a", actor(&[shutdown(Some(b"42")), failed]), None).await;
    assert_eq!(report.reason, ExitReason::Error("no luck".to_owned()));
    assert_eq!(report.result, None);
}

#[tokio::test]
async fn kill_of_an_idle_actor_blames_no_call() {
    let house = house();
    let wasm = actor(&[Step::Return(ok_state(None))]);
    let report = house.run_with("a", wasm, None, async |handle| handle.kill()).await;
    assert_eq!(report.reason, ExitReason::Killed);
    assert_eq!(report.crash.as_ref().unwrap().in_hand, None);
}
