//! Dropped calls: the fuel they used leads a repetition to the same place.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pack::{CallError, ImportStep, InstanceLimits, PackInstance, Stop, TrapKind};

use crate::support::{ASK, FUEL, Heard, Listener, export, guest, poll, prepare};

/// Works for ever; every round calls an import.
fn busy() -> Vec<u8> {
    guest(&export(
        "busy",
        "(local $i i32)
        (loop $round
            (local.set $i (i32.const 0))
            (loop $work
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $work (i32.lt_u (local.get $i) (i32.rem_u (local.get $p) (i32.const 37)))))
            (local.set $p (i32.add (local.get $p) (i32.const 13)))
            (drop (call $ask (local.get $p) (i32.const 3) (i32.const 32) (i32.const 36)))
            (br $round))
        unreachable",
    ))
}

const LIMITS: InstanceLimits = InstanceLimits {
    memory_bytes: 1 << 20,
    table_elements: 100,
    fuel_per_instantiate: 1_000_000,
    yield_every_fuel: 1000,
};

fn imports(heard: &[Heard]) -> usize {
    heard.iter().filter(|heard| matches!(heard, Heard::Import(..))).count()
}

#[tokio::test]
async fn a_call_dropped_at_a_yield_is_repeated_by_its_fuel() {
    let prepared = prepare(&busy());
    for polls in [1, 2, 3, 10, 57] {
        let mut instance = PackInstance::instantiate(&prepared, Listener::echo(), &LIMITS).await.unwrap();
        let export = instance.package().export("busy").unwrap();
        let mut call = Box::pin(instance.call(export, b"seed", FUEL));
        for _ in 0..polls {
            assert!(poll(call.as_mut()).is_pending());
        }
        drop(call);
        assert!(instance.poisoned());
        let (recorded, left) = instance.abandon();
        left.unwrap();
        let Some(Heard::Dropped { fuel, pending: false }) = recorded.heard.last().cloned() else { panic!() };
        assert!(fuel >= polls * 1000);

        // The repetition yields elsewhere: that must not matter.
        let limits = InstanceLimits { yield_every_fuel: 777_777, ..LIMITS };
        let mut again = PackInstance::instantiate(&prepared, Listener::echo(), &limits).await.unwrap();
        let Err(CallError::Trapped(trap)) = again.call(export, b"seed", fuel).await else { panic!() };
        assert_eq!((trap.kind, trap.fuel), (TrapKind::OutOfFuel, Some(fuel)));
        let repeated = again.into_boundary();
        let all_but_end = recorded.heard.len() - 1;
        assert!(imports(&recorded.heard) > 1);
        assert_eq!(repeated.heard[..all_but_end], recorded.heard[..all_but_end], "{polls} polls");
        assert_eq!(repeated.heard.len(), recorded.heard.len());
    }
}

#[tokio::test]
async fn a_call_dropped_at_a_pending_import_is_repeated_by_its_fuel() {
    let prepared = prepare(&busy());
    for waits_at in [1, 2, 30] {
        let mut count = 0;
        let listener = Listener::new(move |_, _| {
            count += 1;
            if count < waits_at { ImportStep::Reply } else { ImportStep::Wait(Box::pin(pending())) }
        });
        let limits = InstanceLimits { yield_every_fuel: u64::MAX, ..LIMITS };
        let mut instance = PackInstance::instantiate(&prepared, listener, &limits).await.unwrap();
        let export = instance.package().export("busy").unwrap();
        let mut call = Box::pin(instance.call(export, b"seed", FUEL));
        assert!(poll(call.as_mut()).is_pending());
        drop(call);
        let (recorded, left) = instance.abandon();
        left.unwrap();
        let Some(Heard::Dropped { fuel, pending: true }) = recorded.heard.last().cloned() else { panic!() };

        // A replayer knows at which import the recording ends; the fuel suffices to get there, exactly.
        let mut count = 0;
        let replayer = Listener::new(move |_, _| {
            count += 1;
            if count < waits_at { ImportStep::Reply } else { ImportStep::Stop(Stop("end".into())) }
        });
        let mut again = PackInstance::instantiate(&prepared, replayer, &LIMITS).await.unwrap();
        assert!(matches!(again.call(export, b"seed", fuel).await, Err(CallError::Stop(_))));
        let repeated = again.into_boundary();
        assert_eq!(repeated.fuel, fuel);
        let all_but_end = recorded.heard.len() - 1;
        assert_eq!(repeated.heard[..all_but_end], recorded.heard[..all_but_end]);

        // With one unit less it does not get there, or just so: never further.
        let mut less = PackInstance::instantiate(&prepared, Listener::echo(), &LIMITS).await.unwrap();
        let Err(CallError::Trapped(trap)) = less.call(export, b"seed", fuel - 1).await else { panic!() };
        assert_eq!(trap.kind, TrapKind::OutOfFuel);
        assert!(imports(&less.into_boundary().heard) <= waits_at);
    }
}

/// Its allocator works for a long time once it is asked for a large reply.
fn slow_allocator() -> Vec<u8> {
    let go = export(
        "go",
        "(drop (call $ask (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36))) (i32.const 0)",
    );
    wat::parse_str(format!(
        r#"(module {ASK} (memory (export "memory") 1)
            (func (export "__pack_alloc") (param $size i32) (result i32)
                (local $n i32)
                (local.set $n (select (i32.const 100000) (i32.const 1) (i32.eq (local.get $size) (i32.const 5000))))
                (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (i32.add (i32.const 8192) (local.get $size)))
            (func (export "__pack_free") (param i32 i32)) {go})"#
    ))
    .unwrap()
}

#[tokio::test]
async fn a_call_dropped_inside_of_an_allocation_is_repeated_by_its_fuel() {
    let prepared = prepare(&slow_allocator());
    for polls in [1, 5, 100] {
        let mut instance =
            PackInstance::instantiate(&prepared, Listener::sized(5000), &LIMITS).await.unwrap();
        let export = instance.package().export("go").unwrap();
        let mut call = Box::pin(instance.call(export, b"seed", FUEL));
        for _ in 0..polls {
            assert!(poll(call.as_mut()).is_pending());
        }
        drop(call);
        let (recorded, left) = instance.abandon();
        left.unwrap();
        let Some(Heard::Dropped { fuel, pending: false }) = recorded.heard.last().cloned() else { panic!() };
        assert_eq!(imports(&recorded.heard), 1);
        let limits = InstanceLimits { yield_every_fuel: u64::MAX, ..LIMITS };
        let mut again = PackInstance::instantiate(&prepared, Listener::sized(5000), &limits).await.unwrap();
        let Err(CallError::Trapped(trap)) = again.call(export, b"seed", fuel).await else { panic!() };
        assert_eq!((trap.kind, trap.fuel), (TrapKind::OutOfFuel, Some(fuel)));
        assert_eq!(imports(&again.into_boundary().heard), 1);
    }
}

#[tokio::test]
async fn an_allocation_that_yields_comes_to_its_end() {
    let prepared = prepare(&slow_allocator());
    let mut instance = PackInstance::instantiate(&prepared, Listener::sized(5000), &LIMITS).await.unwrap();
    let export = instance.package().export("go").unwrap();
    instance.call(export, b"seed", FUEL).await.unwrap();
    assert!(instance.boundary().fuel > 300_000);
}

#[tokio::test]
async fn the_waiting_future_of_an_import_is_dropped_with_the_call() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let is_dropped = Arc::new(AtomicBool::new(false));
    let flag = is_dropped.clone();
    let listener = Listener::new(move |_, _| {
        let flag = Flag(flag.clone());
        ImportStep::Wait(Box::pin(async move {
            let _flag = flag;
            pending().await
        }))
    });
    let mut instance = PackInstance::instantiate(&prepare(&busy()), listener, &LIMITS).await.unwrap();
    let export = instance.package().export("busy").unwrap();
    let mut call = Box::pin(instance.call(export, b"", FUEL));
    assert!(poll(call.as_mut()).is_pending());
    assert!(!is_dropped.load(Ordering::SeqCst));
    drop(call);
    assert!(is_dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_call_that_was_never_polled_is_no_call() {
    let mut instance = PackInstance::instantiate(&prepare(&busy()), Listener::echo(), &LIMITS).await.unwrap();
    let export = instance.package().export("busy").unwrap();
    drop(instance.call(export, b"", FUEL));
    assert!(!instance.poisoned());
    assert!(instance.boundary().heard.is_empty());
}

#[tokio::test]
async fn a_call_dropped_during_back_pressure_has_ended_before() {
    let mut instance = PackInstance::instantiate(&prepare(&busy()), Listener::echo(), &LIMITS).await.unwrap();
    instance.boundary_mut().ready = Some(Box::pin(pending()));
    let echo = instance.package().export("echo").unwrap();
    let mut call = Box::pin(instance.call(echo, b"x", FUEL));
    assert!(poll(call.as_mut()).is_pending());
    drop(call);
    assert!(!instance.poisoned());
    assert_eq!(instance.boundary().heard.last(), Some(&Heard::Returned(b"x".to_vec())));
}

#[tokio::test]
async fn back_pressure_that_fails_stops_the_call() {
    let mut instance = PackInstance::instantiate(&prepare(&busy()), Listener::echo(), &LIMITS).await.unwrap();
    instance.boundary_mut().ready = Some(Box::pin(async { Err(Stop("disk full".into())) }));
    let echo = instance.package().export("echo").unwrap();
    let Err(CallError::Stop(stop)) = instance.call(echo, b"x", FUEL).await else { panic!() };
    assert_eq!(stop.to_string(), "disk full");
}
