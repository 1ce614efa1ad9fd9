//! Instantiation: start functions and constructors as calls, limits, places in the pool.

use std::future::pending;

use pack::{Engine, EngineOptions, ImportStep, InstanceLimits, PackInstance, Package, StartError, TrapKind};

use crate::support::{FUEL, Heard, Listener, call, guest, poll, prepare, start};

const START: &str = r#"
    (start $start)
    (func $start (drop (call $ask (i32.const 0) (i32.const 4) (i32.const 32) (i32.const 36))))
    (func (export "__wasm_call_ctors")
        (drop (call $ask (i32.load (i32.const 32)) (i32.load (i32.const 36)) (i32.const 48) (i32.const 52))))
"#;

#[tokio::test]
async fn start_function_and_constructors_are_one_recorded_call() {
    let mut instance = start(&guest(START), Listener::sized(3)).await;
    assert_eq!(
        instance.boundary().heard,
        [
            Heard::Enter(u32::MAX, vec![]),
            Heard::Import(0, vec![0; 4]),
            Heard::Import(0, vec![7; 3]),
            Heard::Returned(vec![]),
        ]
    );
    assert!(instance.boundary().fuel > 0);
    assert_eq!(call(&mut instance, "echo", b"ready").await.unwrap(), b"ready");
}

#[tokio::test]
async fn a_reactor_is_initialized_once_and_by_itself() {
    let body = r#"
        (func (export "_initialize") (i32.store (i32.const 64) (i32.add (i32.const 1) (i32.load (i32.const 64)))))
        (func (export "__wasm_call_ctors") unreachable)"#;
    let mut instance = start(&guest(body), Listener::echo()).await;
    assert_eq!(instance.boundary().heard, [Heard::Enter(u32::MAX, vec![]), Heard::Returned(vec![])]);
    for _ in 0..2 {
        assert_eq!(call(&mut instance, "peek", &64_u32.to_le_bytes()).await.unwrap(), [1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn a_package_without_start_function_runs_nothing_before_its_first_call() {
    let instance = start(&guest(""), Listener::echo()).await;
    assert!(instance.boundary().heard.is_empty());
    assert_eq!(instance.memory_bytes(), 65_536);
}

#[tokio::test]
async fn a_start_function_that_traps_gives_the_boundary_back() {
    let prepared = prepare(&guest("(start $start) (func $start unreachable)"));
    let result = PackInstance::instantiate(&prepared, Listener::echo(), &InstanceLimits::default()).await;
    let error = result.map(drop).unwrap_err();
    assert!(matches!(&error.error, StartError::Trapped(trap) if trap.kind == TrapKind::Unreachable));
    assert_eq!(error.boundary.heard, [Heard::Enter(u32::MAX, vec![]), Heard::Trapped("unreachable")]);
}

#[tokio::test]
async fn a_start_function_runs_under_fuel() {
    let prepared = prepare(&guest("(start $start) (func $start (loop $l (br $l)))"));
    let limits = InstanceLimits { fuel_per_instantiate: 5000, ..InstanceLimits::default() };
    let error = PackInstance::instantiate(&prepared, Listener::echo(), &limits).await.map(drop).unwrap_err();
    assert!(matches!(&error.error, StartError::Trapped(trap) if trap.kind == TrapKind::OutOfFuel));
}

#[tokio::test]
async fn a_dropped_start_is_heard_of() {
    let listener = Listener::new(|_, _| ImportStep::Wait(Box::pin(pending())));
    let mut instance = PackInstance::new(&prepare(&guest(START)), listener, &InstanceLimits::default());
    let mut starting = Box::pin(instance.start());
    assert!(poll(starting.as_mut()).is_pending());
    drop(starting);
    let (boundary, left) = instance.abandon();
    left.unwrap();
    assert!(matches!(boundary.heard.last(), Some(Heard::Dropped { pending: true, .. })));
}

#[tokio::test]
async fn a_data_segment_out_of_bounds_is_a_trap() {
    let prepared = prepare(&guest(r#"(data (i32.const 65535) "ab")"#));
    let result = PackInstance::instantiate(&prepared, Listener::echo(), &InstanceLimits::default()).await;
    let error = result.map(drop).unwrap_err();
    assert!(
        matches!(&error.error, StartError::Trapped(trap) if trap.kind == TrapKind::MemoryOutOfBounds),
        "{error:?}"
    );
    assert!(error.boundary.heard.is_empty(), "no guest code ran");
}

#[tokio::test]
async fn limits_that_cannot_be_met_are_told_apart() {
    let prepared = prepare(&guest("(table 30 funcref)"));
    let with = |memory_bytes, table_elements| InstanceLimits {
        memory_bytes,
        table_elements,
        ..InstanceLimits::default()
    };
    let cases = [
        (
            with(5 << 30, 100),
            "the limit of 5368709120 bytes of memory is above the engine's maximum of 4294967296",
        ),
        (with(1 << 20, 90_000), "the limit of 90000 table elements is above the engine's maximum of 20000"),
        (with(1000, 100), "the package starts with 65536 bytes of memory, its limit is 1000"),
        (with(1 << 20, 29), "the package needs a larger table than its limit of 29 elements"),
    ];
    for (limits, message) in cases {
        let error =
            PackInstance::instantiate(&prepared, Listener::echo(), &limits).await.map(drop).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn an_exhausted_pool_is_an_error_that_passes() {
    let engine = Engine::new(&EngineOptions { instances_max: 3, ..EngineOptions::default() }).unwrap();
    let prepared = Package::load(&engine, &guest(START)).unwrap().prepare::<Listener>().unwrap();
    let limits = InstanceLimits::default();
    let mut alive = Vec::new();
    for _ in 0..3 {
        alive.push(PackInstance::instantiate(&prepared, Listener::sized(5000), &limits).await.unwrap());
    }
    for _ in 0..5 {
        let error =
            PackInstance::instantiate(&prepared, Listener::echo(), &limits).await.map(drop).unwrap_err();
        assert!(matches!(error.error, StartError::PoolExhausted { instances_max: 3 }), "{error}");
        assert_eq!(error.boundary.heard.len(), 2, "its call was entered and left");
    }
    alive.pop();
    alive.push(PackInstance::instantiate(&prepared, Listener::echo(), &limits).await.unwrap());
}

#[tokio::test]
async fn every_place_can_wait_in_an_import_after_a_large_reply() {
    // There is one stack for each place: allocator, large reply and wait all run on that of their call.
    let engine = Engine::new(&EngineOptions { instances_max: 3, ..EngineOptions::default() }).unwrap();
    let twice = crate::support::export(
        "twice",
        "(drop (call $ask (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36)))
         (call $ask (i32.const 0) (i32.const 1) (i32.const 32) (i32.const 36))",
    );
    let prepared = Package::load(&engine, &guest(&twice)).unwrap().prepare::<Listener>().unwrap();
    let mut instances = Vec::new();
    for _ in 0..3 {
        let listener = Listener::new(|input, reply| {
            if input.is_empty() {
                reply.resize(10_000, 1);
                return ImportStep::Reply;
            }
            ImportStep::Wait(Box::pin(pending()))
        });
        instances
            .push(PackInstance::instantiate(&prepared, listener, &InstanceLimits::default()).await.unwrap());
    }
    let export = prepared.package().export("twice").unwrap();
    let mut calls: Vec<_> =
        instances.iter_mut().map(|instance| Box::pin(instance.call(export, b"", FUEL))).collect();
    for call in &mut calls {
        assert!(poll(call.as_mut()).is_pending());
    }
    drop(calls);
    for instance in &instances {
        assert!(matches!(instance.boundary().heard.last(), Some(Heard::Dropped { pending: true, .. })));
    }
}

#[tokio::test]
async fn calls_run_on_any_thread() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let mut instance = start(&guest(""), Listener::echo()).await;
    let task = tokio::spawn(is_send(async move { call(&mut instance, "forward", b"moved").await.unwrap() }));
    assert_eq!(task.await.unwrap(), b"moved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_instances_wait_yield_and_move_between_threads() {
    let prepared = prepare(&guest(""));
    let limits = InstanceLimits { yield_every_fuel: 500, ..InstanceLimits::default() };
    let tasks: Vec<_> = (0..40_usize)
        .map(|task| {
            let prepared = prepared.clone();
            tokio::spawn(async move {
                let listener = Listener::new(move |input, reply| {
                    if input.len() % 2 == 0 {
                        reply.resize(5000 + task, 1);
                        return ImportStep::Reply;
                    }
                    ImportStep::Wait(Box::pin(async move {
                        for _ in 0..task {
                            tokio::task::yield_now().await;
                        }
                        vec![2; 5000 + task]
                    }))
                });
                let mut instance = PackInstance::instantiate(&prepared, listener, &limits).await.unwrap();
                for round in 0..50_usize {
                    let reply = call(&mut instance, "forward", &vec![0; round]).await.unwrap();
                    let expected = if round % 2 == 0 { 1 } else { 2 };
                    assert_eq!(reply, vec![expected; 5000 + task]);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
