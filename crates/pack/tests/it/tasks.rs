//! Guests that run their calls as tasks: they park, and the host resumes them with the answer.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pack::{
    BoundaryVersion, CallError, CallResult, ImportStep, InstanceLimits, PackInstance, Package, PackageError,
    Refusal, Stop, TrapKind,
};

use crate::support::{
    FUEL, Heard, Listener, call, counts, engine, export, guest, poll, prepare, start, trap,
};

/// What a task guest has in common: `$ask` calls the host and keeps the status at 64, reply or id at 32 and 36.
/// `__pack_resume` keeps its id at 72, returns a copy of the answer and counts in `$resumed`.
const TASKS: &str = r#"
    (global $resumed (mut i32) (i32.const 0))
    (func $go (param $p i32) (param $l i32) (result i32)
        (i32.store (i32.const 64) (call $ask (local.get $p) (local.get $l) (i32.const 32) (i32.const 36)))
        (i32.load (i32.const 64)))
    (func $resume_with (param $id i32) (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (global.set $resumed (i32.add (global.get $resumed) (i32.const 1)))
        (i32.store (i32.const 72) (local.get $id))
        (call $put (local.get $sp) (local.get $sl)
            (call $copy (local.get $p) (local.get $l)) (local.get $l)))
"#;

/// An export whose task makes one call, and ends with its answer.
const FETCH: &str = r#"
    (func (export "fetch") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (if (i32.eqz (call $go (local.get $p) (local.get $l)))
            (then (return (call $put (local.get $sp) (local.get $sl)
                (i32.load (i32.const 32)) (i32.load (i32.const 36))))))
        (i32.load (i32.const 64)))
"#;

/// Resumed, the task is done.
const DONE: &str =
    "(call $resume_with (local.get $id) (local.get $p) (local.get $l) (local.get $sp) (local.get $sl))";

/// A task guest with these exports, whose `__pack_resume` has this body.
fn tasks(exports: &str, resume: &str) -> Vec<u8> {
    guest(&format!(
        r#"{TASKS} {exports}
        (func (export "__pack_resume") (param $id i32) (param $p i32) (param $l i32) (param $sp i32) (param $sl i32)
            (result i32) {resume})"#
    ))
}

/// Lets every call wait; the answer is the input, twice.
fn waits() -> Listener {
    Listener::new(|input, _| {
        let answer = [input, input].concat();
        ImportStep::Wait(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    })
}

async fn word(instance: &mut PackInstance<Listener>, address: u32) -> u32 {
    let bytes = call(instance, "peek", &address.to_le_bytes()).await.unwrap();
    u32::from_le_bytes(bytes.try_into().unwrap())
}

#[tokio::test]
async fn a_parked_guest_is_resumed_with_the_answer_of_its_call() {
    let mut instance = start(&tasks(FETCH, DONE), waits()).await;
    for id in 0..3 {
        assert_eq!(call(&mut instance, "fetch", b"ab").await.unwrap(), b"abab");
        assert_eq!(word(&mut instance, 64).await, 1, "the call was pending");
        assert_eq!(word(&mut instance, 32).await, id, "the id that the guest was told");
        assert_eq!(word(&mut instance, 72).await, id, "the id that it was resumed with");
    }
    assert_eq!(
        instance.boundary().heard[..4],
        [
            Heard::Enter(4, b"ab".to_vec()),
            Heard::Import(0, b"ab".to_vec()),
            Heard::Resume(b"abab".to_vec()),
            Heard::Returned(b"abab".to_vec()),
        ]
    );
}

#[tokio::test]
async fn an_answer_that_is_there_at_once_is_a_reply_without_parking() {
    let mut instance = start(&tasks(FETCH, "unreachable"), Listener::echo()).await;
    assert_eq!(call(&mut instance, "fetch", b"now").await.unwrap(), b"now");
    assert_eq!(word(&mut instance, 64).await, 0);
}

#[tokio::test]
async fn a_pause_of_the_host_is_not_seen_by_the_guest() {
    let listener = Listener::new(|input, _| {
        let answer = input.to_vec();
        ImportStep::Pause(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    });
    let mut instance = start(&tasks(FETCH, "unreachable"), listener).await;
    assert_eq!(call(&mut instance, "fetch", b"later").await.unwrap(), b"later");
    assert_eq!(word(&mut instance, 64).await, 0);
}

#[tokio::test]
async fn every_answer_is_freed_after_its_resumption() {
    let mut instance = start(&tasks(FETCH, DONE), waits()).await;
    let (allocated, freed) = counts(&mut instance).await;
    call(&mut instance, "fetch", b"ab").await.unwrap();
    let now = counts(&mut instance).await;
    // The input buffer stays; the answer, its copy that is the result, and the result of the first `counts` go.
    assert_eq!((now.0 - allocated, now.1 - freed), (3, 3));
    call(&mut instance, "fetch", &[7; 100_000]).await.unwrap();
    let then = counts(&mut instance).await;
    assert_eq!(
        (then.0 - now.0, then.1 - now.1),
        (3, 4),
        "large input, answer and copy; the result of `counts`"
    );
}

#[tokio::test]
async fn an_empty_answer_is_passed_without_allocation() {
    let listener = Listener::new(|_, _| ImportStep::Wait(Box::pin(async { Vec::new() })));
    let mut instance = start(&tasks(FETCH, DONE), listener).await;
    assert_eq!(call(&mut instance, "fetch", b"x").await.unwrap(), b"");
    assert_eq!(word(&mut instance, 72).await, 0);
}

#[tokio::test]
async fn a_second_call_in_flight_is_refused_and_the_first_goes_on() {
    let two = export(
        "two",
        "(drop (call $go (local.get $p) (local.get $l)))
        (i32.store (i32.const 80) (call $ask (local.get $p) (i32.const 1) (i32.const 48) (i32.const 52)))
        (i32.const 1)",
    );
    let mut instance = start(&tasks(&two, DONE), waits()).await;
    assert_eq!(call(&mut instance, "two", b"ab").await.unwrap(), b"abab");
    assert_eq!(word(&mut instance, 80).await, u32::MAX);
    assert_eq!(
        instance.boundary().heard[..5],
        [
            Heard::Enter(4, b"ab".to_vec()),
            Heard::Import(0, b"ab".to_vec()),
            Heard::Import(0, b"a".to_vec()),
            Heard::Resume(b"abab".to_vec()),
            Heard::Returned(b"abab".to_vec()),
        ]
    );
}

#[tokio::test]
async fn a_call_that_is_answered_at_once_is_served_while_another_is_in_flight() {
    let two = export(
        "two",
        "(drop (call $go (local.get $p) (local.get $l)))
        (i32.store (i32.const 80) (call $ask (local.get $p) (i32.const 1) (i32.const 48) (i32.const 52)))
        (i32.const 1)",
    );
    let listener = Listener::new(|input, reply| match input.len() {
        1 => {
            reply.extend_from_slice(b"at once");
            ImportStep::Reply
        }
        _ => ImportStep::Wait(Box::pin(async { b"later".to_vec() })),
    });
    let mut instance = start(&tasks(&two, DONE), listener).await;
    assert_eq!(call(&mut instance, "two", b"ab").await.unwrap(), b"later");
    assert_eq!((word(&mut instance, 80).await, word(&mut instance, 52).await), (0, 7));
}

#[tokio::test]
async fn a_guest_that_parks_with_nothing_in_flight_is_a_trap() {
    let stuck = export("stuck", "(i32.const 1)");
    let mut instance = start(&tasks(&stuck, DONE), waits()).await;
    let trap = trap(&mut instance, "stuck").await;
    assert_eq!(trap.kind, TrapKind::Refused(Refusal::NothingInFlight));
    assert_eq!(trap.to_string(), "the guest parked its task while no call to the host was in flight");
}

#[tokio::test]
async fn a_guest_that_parks_again_without_a_new_call_is_a_trap() {
    let mut instance = start(&tasks(FETCH, "(i32.const 1)"), waits()).await;
    assert_eq!(trap(&mut instance, "fetch").await.kind, TrapKind::Refused(Refusal::NothingInFlight));
    assert!(instance.poisoned());
}

#[tokio::test]
async fn a_guest_that_parks_for_ever_runs_out_of_fuel() {
    let again = "(call $go (local.get $p) (i32.const 1))";
    let listener = Listener::new(|_, _| ImportStep::Wait(Box::pin(async { b"on".to_vec() })));
    let mut instance = start(&tasks(FETCH, again), listener).await;
    let fetch = instance.package().export("fetch").unwrap();
    let ended = instance.call(fetch, b"x", 50_000).await;
    let Err(CallError::Trapped(trap)) = ended else { panic!("{ended:?}") };
    assert_eq!(trap.kind, TrapKind::OutOfFuel);
    assert!(instance.boundary().heard.len() > 100, "it was resumed many times");
}

#[tokio::test]
async fn a_status_without_meaning_from_a_resumed_guest_is_its_error() {
    for (resume, text) in [
        ("(i32.const -1)", ""),
        (
            "(drop (call $put (local.get $sp) (local.get $sl) (local.get $p) (local.get $l))) (i32.const 7)",
            "xx",
        ),
    ] {
        let mut instance = start(&tasks(FETCH, resume), waits()).await;
        let fetch = instance.package().export("fetch").unwrap();
        let ended = instance.call(fetch, b"x", FUEL).await.unwrap();
        assert_eq!(ended, CallResult::GuestError(text.to_owned()), "{resume}");
        assert!(!instance.poisoned());
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_into_memory_is_a_trap() {
    let listener = Listener::new(|_, _| ImportStep::Wait(Box::pin(async { vec![0; 1 << 20] })));
    let limits = InstanceLimits { memory_bytes: 256 << 10, ..InstanceLimits::default() };
    let prepared = prepare(&tasks(FETCH, DONE));
    let mut instance = PackInstance::instantiate(&prepared, listener, &limits).await.unwrap();
    let trap = trap(&mut instance, "fetch").await;
    assert_eq!(trap.kind, TrapKind::Refused(Refusal::AllocFailed));
    assert!(trap.memory_refused.is_some());
}

#[tokio::test]
async fn a_guest_may_end_its_call_without_the_answer_that_it_asked_for() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let is_dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_dropped);
    let listener = Listener::new(move |_, _| {
        let flag = Flag(Arc::clone(&flag));
        ImportStep::Wait(Box::pin(async move {
            let _flag = flag;
            pending().await
        }))
    });
    let leave = export("leave", "(drop (call $go (local.get $p) (local.get $l)))
        (call $put (local.get $sp) (local.get $sl) (call $copy (local.get $p) (local.get $l)) (local.get $l))");
    let mut instance = start(&tasks(&leave, "unreachable"), listener).await;
    assert_eq!(call(&mut instance, "leave", b"bye").await.unwrap(), b"bye");
    assert!(is_dropped.load(Ordering::SeqCst), "nobody will ask for the answer");
    // What is asked for next has an id of its own.
    call(&mut instance, "leave", b"bye").await.unwrap();
    assert_eq!(word(&mut instance, 32).await, 1);
}

#[tokio::test]
async fn a_stop_while_the_answer_is_awaited_ends_the_call() {
    struct Stops;
    impl pack::Boundary for Stops {
        type Answer = ();
        fn enter(&mut self, _: pack::ExportCall<'_>) -> Result<(), Stop> {
            Ok(())
        }
        fn import(&mut self, _: pack::ImportCall<'_>, _: &mut Vec<u8>) -> ImportStep<()> {
            ImportStep::Wait(Box::pin(async {}))
        }
        fn resume(&mut self, call: pack::ImportCall<'_>, (): (), _: &mut Vec<u8>) -> ImportStep<()> {
            assert!(call.input.is_empty() && call.fuel_used > 0);
            ImportStep::Stop(Stop("the journal is gone".into()))
        }
        fn leave(&mut self, _: pack::ExportCall<'_>, _: pack::CallEnd<'_>) -> Result<(), Stop> {
            Ok(())
        }
    }
    let prepared = Package::load(&engine(), &tasks(FETCH, DONE)).unwrap().prepare::<Stops>().unwrap();
    let mut instance = PackInstance::instantiate(&prepared, Stops, &InstanceLimits::default()).await.unwrap();
    let fetch = instance.package().export("fetch").unwrap();
    let Err(CallError::Stop(stop)) = instance.call(fetch, b"x", FUEL).await else { panic!() };
    assert_eq!(stop.to_string(), "the journal is gone");
}

#[tokio::test]
async fn a_constructor_sleeps_because_it_cannot_park() {
    let construct = r#"(func (export "_initialize")
        (drop (call $go (i32.const 0) (i32.const 2))))"#;
    let mut instance = start(&tasks(construct, "unreachable"), waits()).await;
    assert_eq!(word(&mut instance, 64).await, 0, "an answer, not an id");
    assert_eq!(word(&mut instance, 36).await, 4);
}

/// Works for a while, parks, works again when resumed.
fn worker() -> Vec<u8> {
    let work = "(local.set $p (i32.const 2000))
        (loop $work (br_if $work (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))";
    let exports =
        export("work", &format!("(drop (call $go (local.get $p) (i32.const 2))) {work} (i32.const 1)"));
    tasks(&exports, &format!("{work} (local.set $l (i32.const 2)) {DONE}"))
}

#[tokio::test]
async fn a_call_dropped_while_parked_is_repeated_by_its_fuel() {
    let prepared = prepare(&worker());
    let limits = InstanceLimits { yield_every_fuel: u64::MAX, ..InstanceLimits::default() };
    let listener = Listener::new(|_, _| ImportStep::Wait(Box::pin(pending())));
    let mut instance = PackInstance::instantiate(&prepared, listener, &limits).await.unwrap();
    let work = instance.package().export("work").unwrap();
    let mut running = Box::pin(instance.call(work, b"in", FUEL));
    assert!(poll(running.as_mut()).is_pending());
    drop(running);
    let (recorded, left) = instance.abandon();
    left.unwrap();
    let Some(Heard::Dropped { fuel, pending: true }) = recorded.heard.last().cloned() else {
        panic!("{:?}", recorded.heard)
    };

    // The fuel suffices to park, exactly: the next thing that runs is the allocation for the answer.
    let mut again = PackInstance::instantiate(&prepared, waits(), &limits).await.unwrap();
    let Err(CallError::Trapped(trap)) = again.call(work, b"in", fuel).await else { panic!() };
    assert_eq!(trap.kind, TrapKind::OutOfFuel);
    let repeated = again.into_boundary().heard;
    let all_but_end = recorded.heard.len() - 1;
    assert_eq!(repeated[..all_but_end], recorded.heard[..all_but_end]);
    assert!(
        matches!(repeated[all_but_end..], [Heard::Resume(_), Heard::Trapped("out-of-fuel")]),
        "{repeated:?}"
    );
}

#[tokio::test]
async fn a_call_dropped_at_a_yield_with_a_call_in_flight_is_repeated_by_its_fuel() {
    let prepared = prepare(&worker());
    let limits = InstanceLimits { yield_every_fuel: 1000, ..InstanceLimits::default() };
    let mut instance = PackInstance::instantiate(&prepared, waits(), &limits).await.unwrap();
    let work = instance.package().export("work").unwrap();
    let mut running = Box::pin(instance.call(work, b"in", FUEL));
    for _ in 0..3 {
        assert!(poll(running.as_mut()).is_pending());
    }
    drop(running);
    let (recorded, left) = instance.abandon();
    left.unwrap();
    let Some(Heard::Dropped { fuel, pending: false }) = recorded.heard.last().cloned() else {
        panic!("{:?}", recorded.heard)
    };
    let mut again = PackInstance::instantiate(&prepared, waits(), &limits).await.unwrap();
    let Err(CallError::Trapped(trap)) = again.call(work, b"in", fuel).await else { panic!() };
    assert_eq!((trap.kind, trap.fuel), (TrapKind::OutOfFuel, Some(fuel)));
    let repeated = again.into_boundary().heard;
    assert_eq!(repeated[..repeated.len() - 1], recorded.heard[..recorded.heard.len() - 1]);
}

#[tokio::test]
async fn under_version_1_a_task_guest_sleeps_like_all_others() {
    let package =
        Package::load(&engine(), &tasks(&format!("{FETCH} {}", export("stuck", "(i32.const 1)")), DONE));
    let prepared = package.unwrap().prepare_under::<Listener>(BoundaryVersion::V1).unwrap();
    let limits = InstanceLimits::default();
    let mut instance = PackInstance::instantiate(&prepared, waits(), &limits).await.unwrap();
    assert_eq!(call(&mut instance, "fetch", b"ab").await.unwrap(), b"abab");
    assert_eq!(word(&mut instance, 64).await, 0);
    assert_eq!(trap(&mut instance, "stuck").await.kind, TrapKind::Refused(Refusal::BadStatus));
}

#[test]
fn every_version_of_the_rules_has_its_number() {
    for number in 0..10 {
        let version = BoundaryVersion::from_number(number);
        assert_eq!(version.is_some(), (1..=pack::BOUNDARY_VERSION).contains(&number));
        assert!(version.is_none_or(|version| version.number() == number));
    }
}

#[test]
fn a_resume_function_of_another_shape_is_refused() {
    let wasm = guest(r#"(func (export "__pack_resume") (param i32) (result i32) (i32.const 0))"#);
    let error = Package::load(&engine(), &wasm).unwrap_err();
    assert!(matches!(&error, PackageError::ExportShape { name: "__pack_resume", .. }), "{error}");
}
