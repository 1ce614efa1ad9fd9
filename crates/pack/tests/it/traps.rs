//! Calls that go wrong: every kind of trap, and guests that break the calling convention on purpose.

use pack::{CallError, ImportStep, InstanceLimits, PackInstance, Refusal, TrapKind};

use crate::support::{ASK, FUEL, Heard, Listener, PRELUDE, call, export, guest, poll, prepare, start, trap};

async fn kind_of(body: &str) -> TrapKind {
    let mut instance = start(&guest(&export("go", body)), Listener::echo()).await;
    let trap = trap(&mut instance, "go").await;
    assert_eq!(instance.boundary().heard.last(), Some(&Heard::Trapped(trap.kind.as_str())));
    assert_eq!(instance.boundary().heard.iter().filter(|h| matches!(h, Heard::Trapped(_))).count(), 1);
    assert!(instance.poisoned());
    let echo = instance.package().export("echo").unwrap();
    assert!(matches!(instance.call(echo, b"", FUEL).await, Err(CallError::Spent)));
    trap.kind
}

#[tokio::test]
async fn every_trap_of_the_instruction_set_has_its_kind() {
    let table = "(table 2 funcref) (type $t (func)) (elem (i32.const 0) $free)";
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(i32.load (i32.const -4))", TrapKind::MemoryOutOfBounds),
        ("(i32.div_s (i32.const 0x80000000) (i32.const -1))", TrapKind::IntegerOverflow),
        ("(i32.div_u (i32.const 1) (i32.const 0))", TrapKind::IntegerDivisionByZero),
        ("(i32.trunc_f32_s (f32.const nan))", TrapKind::BadConversionToInteger),
        ("(i32.trunc_f32_s (f32.const 1e30))", TrapKind::IntegerOverflow),
    ];
    for (body, kind) in cases {
        assert_eq!(kind_of(body).await, kind, "{body}");
    }
    for (index, kind) in
        [(0, TrapKind::BadSignature), (1, TrapKind::IndirectCallToNull), (2, TrapKind::TableOutOfBounds)]
    {
        let body = format!("(call_indirect (type $t) (i32.const {index})) (i32.const 0)) {table} (func");
        assert_eq!(kind_of(&body).await, kind, "{index}");
    }
}

#[tokio::test]
async fn endless_recursion_and_endless_loops_end() {
    let recursion = "(call $deep)) (func $deep (result i32) (i32.add (call $deep) (call $deep))";
    assert_eq!(kind_of(recursion).await, TrapKind::StackOverflow);

    let mut instance = start(&guest(&export("go", "(loop $l (br $l)) unreachable")), Listener::echo()).await;
    let export = instance.package().export("go").unwrap();
    let Err(CallError::Trapped(trap)) = instance.call(export, b"", 1_000_000).await else { panic!() };
    assert_eq!((trap.kind, trap.fuel), (TrapKind::OutOfFuel, Some(1_000_000)));
}

#[tokio::test]
async fn pointers_outside_of_memory_are_refused_wherever_they_come_from() {
    let bad = TrapKind::Refused(Refusal::BadPointer);
    for (pointer, length) in [(0, -1), (-1, 1), (65_536, 1), (65_535, 2), (-2, 4), (1, -1)] {
        let result =
            format!("(call $put (local.get $sp) (local.get $sl) (i32.const {pointer}) (i32.const {length}))");
        assert_eq!(kind_of(&result).await, bad, "result {pointer} {length}");
        let input =
            format!("(call $ask (i32.const {pointer}) (i32.const {length}) (i32.const 32) (i32.const 36))");
        assert_eq!(kind_of(&input).await, bad, "input {pointer} {length}");
    }
    for slots in ["(i32.const 65533) (i32.const 32)", "(i32.const 32) (i32.const -1)"] {
        let import = format!("(call $ask (i32.const 0) (i32.const 0) {slots})");
        assert_eq!(kind_of(&import).await, bad, "slots {slots}");
    }
}

#[tokio::test]
async fn the_boundary_does_not_hear_of_an_import_with_bad_pointers() {
    let body = "(call $ask (i32.const 0) (i32.const 0) (i32.const -1) (i32.const -1))";
    let mut instance = start(&guest(&export("go", body)), Listener::echo()).await;
    trap(&mut instance, "go").await;
    assert!(!instance.boundary().heard.iter().any(|heard| matches!(heard, Heard::Import(..))));
}

/// A guest with this allocator; `echo` returns the input where it lies.
fn allocator(alloc: &str, free: &str) -> Vec<u8> {
    let echo = export(
        "echo",
        "(i32.store (local.get $sp) (local.get $p)) (i32.store (local.get $sl) (local.get $l)) (i32.const 0)",
    );
    let ask = export("ask", &format!("(drop {ASK_NOTHING}) (i32.const 0)"));
    wat::parse_str(format!(
        r#"(module {ASK}
            (memory (export "memory") 1)
            (global $n (mut i32) (i32.const 0))
            (func (export "__pack_alloc") (param $size i32) (result i32)
                (global.set $n (i32.add (global.get $n) (i32.const 1))) {alloc})
            (func (export "__pack_free") (param i32 i32) {free})
            {echo} {ask})"#
    ))
    .unwrap()
}

const ASK_NOTHING: &str = "(call $ask (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36))";

#[tokio::test]
async fn hostile_allocators_end_their_own_call() {
    let refused = |refusal| TrapKind::Refused(refusal);
    let cases = [
        ("(i32.const 0)".to_owned(), refused(Refusal::AllocFailed)),
        ("(i32.const -1)".to_owned(), refused(Refusal::BadPointer)),
        ("(i32.const 65535)".to_owned(), refused(Refusal::BadPointer)),
        (ASK_NOTHING.to_owned(), refused(Refusal::ReentrantImport)),
        ("(loop $l (br $l)) (i32.const 1)".to_owned(), TrapKind::OutOfFuel),
        ("unreachable".to_owned(), TrapKind::Unreachable),
        // The first allocation, slots and scratch, succeeds; the second, the input, does not.
        (
            "(select (i32.const 1024) (i32.const 0) (i32.eq (global.get $n) (i32.const 1)))".to_owned(),
            refused(Refusal::AllocFailed),
        ),
    ];
    for (alloc, kind) in cases {
        let mut instance = start(&allocator(&alloc, ""), Listener::echo()).await;
        assert_eq!(trap(&mut instance, "echo").await.kind, kind, "{alloc}");
        let heard = &instance.boundary().heard;
        assert_eq!(heard.len(), 2, "entered, trapped, and no import: {heard:?}");
    }
}

#[tokio::test]
async fn an_import_inside_of_free_is_refused() {
    let alloc = "(i32.mul (global.get $n) (i32.const 8192))";
    let mut instance = start(&allocator(alloc, &format!("(drop {ASK_NOTHING})")), Listener::echo()).await;
    assert_eq!(trap(&mut instance, "echo").await.kind, TrapKind::Refused(Refusal::ReentrantImport));
}

#[tokio::test]
async fn an_import_inside_of_an_allocation_for_a_reply_is_refused() {
    // The third allocation, after slots and input, is the one for the large reply.
    let alloc = format!(
        "(if (i32.eq (global.get $n) (i32.const 3)) (then (drop {ASK_NOTHING}))) (i32.mul (global.get $n) (i32.const 8192))"
    );
    let mut instance = start(&allocator(&alloc, ""), Listener::sized(5000)).await;
    assert_eq!(trap(&mut instance, "ask").await.kind, TrapKind::Refused(Refusal::ReentrantImport));
    assert_eq!(instance.boundary().heard.len(), 3, "one import was served");
}

#[tokio::test]
async fn a_trap_inside_of_an_allocation_for_a_reply_ends_the_call() {
    let cases = [
        ("unreachable", TrapKind::Unreachable),
        ("(drop (call $deep))", TrapKind::StackOverflow),
        ("(return (i32.const 0))", TrapKind::Refused(Refusal::AllocFailed)),
        ("(return (i32.const 65000))", TrapKind::Refused(Refusal::BadPointer)),
    ];
    for (body, kind) in cases {
        let alloc = format!(
            "(if (i32.eq (global.get $n) (i32.const 3)) (then {body})) (i32.mul (global.get $n) (i32.const 8192)))
            (func $deep (result i32) (i32.add (call $deep) (call $deep))"
        );
        let mut instance = start(&allocator(&alloc, ""), Listener::sized(5000)).await;
        assert_eq!(trap(&mut instance, "ask").await.kind, kind, "{body}");
        assert_eq!(instance.boundary().heard.last(), Some(&Heard::Trapped(kind.as_str())));
    }
}

#[tokio::test]
async fn imports_work_wherever_the_stack_of_the_guest_ends() {
    // Recurses as deep as its input says, then asks for a large reply; the host's part of the stack is its own.
    let body = "(drop (call $down (i32.load (local.get $p)))) (i32.const 0))
        (func $down (param $n i32) (result i32)
            (if (i32.eqz (local.get $n))
                (then (return (call $ask (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 36)))))
            (i32.add (i32.const 1) (call $down (i32.sub (local.get $n) (i32.const 1))))";
    let prepared = prepare(&guest(&export("go", body)));
    let mut outcomes = [0, 0];
    for depth in (1000_u32..20_000).step_by(97) {
        let limits = InstanceLimits::default();
        let mut instance =
            PackInstance::instantiate(&prepared, Listener::sized(5000), &limits).await.unwrap();
        let export = instance.package().export("go").unwrap();
        match instance.call(export, &depth.to_le_bytes(), FUEL).await {
            Ok(_) => outcomes[0] += 1,
            Err(CallError::Trapped(trap)) => {
                assert_eq!(trap.kind, TrapKind::StackOverflow);
                outcomes[1] += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[tokio::test]
async fn an_allocator_that_gives_everyone_the_same_place_harms_only_itself() {
    let mut instance = start(&allocator("(i32.const 1024)", ""), Listener::sized(5000)).await;
    // The slots lie over the input, so the guest reads zeros there.
    let output = call(&mut instance, "echo", &[0xff; 600]).await.unwrap();
    assert_eq!(output.len(), 600);
    assert_eq!(output[8..], [0xff; 592]);
    // The reply lies over the slots, so they point nowhere.
    assert_eq!(trap(&mut instance, "ask").await.kind, TrapKind::Refused(Refusal::BadPointer));
}

#[tokio::test]
async fn an_allocator_that_moves_the_break_does_not_confuse_the_host() {
    let alloc = "(i32.mul (memory.grow (i32.const 8)) (i32.const 65536))";
    let mut instance = start(&allocator(alloc, ""), Listener::sized(300_000)).await;
    assert_eq!(call(&mut instance, "echo", &[5; 200_000]).await.unwrap(), [5; 200_000]);
    call(&mut instance, "ask", b"").await.unwrap();
}

#[tokio::test]
async fn a_panic_has_text_and_a_backtrace() {
    let body = r#"
        (i32.store (i32.const 96) (i32.const 128)) (i32.store (i32.const 100) (i32.const 9))
        (call $named))
        (data (i32.const 128) "it broke!")
        (func (export "__pack_panic") (result i32) (i32.const 96))
        (func $named (result i32) unreachable"#;
    let mut instance = start(&guest(&export("go", body)), Listener::echo()).await;
    let trap = trap(&mut instance, "go").await;
    assert_eq!(trap.message.as_deref(), Some("it broke!"));
    assert_eq!(trap.to_string(), "the guest reached `unreachable` (panic or abort): it broke!");
    assert_eq!(trap.backtrace[0].function, "named");
    assert_eq!(trap.backtrace.len(), 2);
}

#[tokio::test]
async fn a_backtrace_names_lines_where_the_package_has_debug_info() {
    let text = format!("(module {ASK} {PRELUDE}\n{})", export("go", "unreachable"));
    let line = text.lines().position(|line| line.contains("unreachable")).unwrap() + 1;
    let wasm =
        wat::Parser::new().generate_dwarf(wat::GenerateDwarf::Full).parse_str(Some("go.wat".as_ref()), &text);
    let mut instance = start(&wasm.unwrap(), Listener::echo()).await;
    let trap = trap(&mut instance, "go").await;
    let frame = &trap.backtrace[0];
    assert_eq!(frame.line, Some(u32::try_from(line).unwrap()));
    assert!(frame.file.as_deref().unwrap().ends_with("go.wat"), "{frame:?}");
}

#[tokio::test]
async fn a_lying_panic_text_is_left_out() {
    for address in [-1, 65_532, 96] {
        // At 96 there is a pointer to the end of memory with a length of 4 GiB.
        let body = format!(
            r#"(i32.store (i32.const 96) (i32.const 65535)) (i32.store (i32.const 100) (i32.const -1)) unreachable)
            (func (export "__pack_panic") (result i32) (i32.const {address})"#
        );
        let mut instance = start(&guest(&export("go", &body)), Listener::echo()).await;
        assert_eq!(trap(&mut instance, "go").await.message, None);
    }
}

#[tokio::test]
async fn a_panic_text_from_before_does_not_explain_other_traps() {
    let body = r#"
        (i32.store (i32.const 96) (i32.const 128)) (i32.store (i32.const 100) (i32.const 9))
        (i32.load (i32.const -1)))
        (func (export "__pack_panic") (result i32) (i32.const 96)"#;
    let mut instance = start(&guest(&export("go", body)), Listener::echo()).await;
    assert_eq!(trap(&mut instance, "go").await.message, None);
}

#[tokio::test]
async fn a_stop_passes_through_the_guest_unchanged() {
    #[derive(Debug, thiserror::Error, PartialEq)]
    #[error("diverged at {0}")]
    struct Diverged(u32);
    let listener = Listener::new(|_, _| ImportStep::Stop(pack::Stop(Box::new(Diverged(17)))));
    let mut instance = start(&guest(""), listener).await;
    let Err(CallError::Stop(stop)) = call(&mut instance, "forward", b"").await else { panic!() };
    assert_eq!(stop.0.downcast_ref::<Diverged>(), Some(&Diverged(17)));
    assert_eq!(instance.boundary().heard.last(), Some(&Heard::Trapped("stopped")));
    assert!(instance.poisoned());
}

#[tokio::test]
async fn a_panic_of_the_boundary_still_ends_the_call() {
    let listener = Listener::new(|_, _| panic!("a handler broke"));
    let mut instance = start(&guest(""), listener).await;
    let forward = instance.package().export("forward").unwrap();
    let mut future = Box::pin(instance.call(forward, b"", FUEL));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(future.as_mut()).is_ready()));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"a handler broke"));
    drop(future);
    assert!(matches!(instance.boundary().heard.last(), Some(Heard::Dropped { pending: false, .. })));
    assert_eq!(instance.boundary().heard.len(), 3);
    assert!(instance.poisoned());
}

#[tokio::test]
async fn memory_refused_by_the_limit_is_minus_one_and_remembered() {
    // 1 page to begin with, 4 at most: 2 more are granted, 8 are not, 65536 no memory can have.
    let grow = export(
        "go",
        "(if (i32.ne (memory.grow (i32.const 2)) (i32.const 1)) (then (return (i32.const -2))))
         (if (i32.ne (memory.grow (i32.const 65535)) (i32.const -1)) (then (return (i32.const -3))))
         (if (i32.ne (memory.grow (i32.const 8)) (i32.const -1)) (then (return (i32.const -4))))
         unreachable",
    );
    let limits = InstanceLimits { memory_bytes: 4 * 65_536, ..InstanceLimits::default() };
    let mut instance =
        PackInstance::instantiate(&prepare(&guest(&grow)), Listener::echo(), &limits).await.unwrap();
    let trap = trap(&mut instance, "go").await;
    assert_eq!((trap.kind, trap.memory_refused), (TrapKind::Unreachable, Some(11 * 65_536)));
    assert_eq!(instance.memory_bytes(), 3 * 65_536);
}

#[tokio::test]
async fn a_table_beyond_its_limit_is_minus_one() {
    let body = "(i32.store (i32.const 64) (table.grow $t (ref.null func) (i32.const 100))) (i32.const 0))
        (table $t 1 funcref) (func";
    let grow = export("go", body);
    let limits = InstanceLimits { table_elements: 50, ..InstanceLimits::default() };
    let mut instance =
        PackInstance::instantiate(&prepare(&guest(&grow)), Listener::echo(), &limits).await.unwrap();
    call(&mut instance, "go", b"").await.unwrap();
    assert_eq!(call(&mut instance, "peek", &64_u32.to_le_bytes()).await.unwrap(), [0xff; 4]);
}
