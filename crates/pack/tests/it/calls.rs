//! Calls that go well: every size of input, result and reply, waits, errors of the guest.

use pack::{CallError, CallResult, ImportStep, PackInstance};

use crate::support::{FUEL, Heard, Listener, call, counts, export, guest, start};

#[tokio::test]
async fn inputs_of_every_size_come_back_unchanged() {
    let mut instance = start(&guest(""), Listener::echo()).await;
    for size in [0, 1, 64, 1023, 1024, 1025, 4096, 65_535, 65_536, 65_537, 1 << 20, 3, 0] {
        let input: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        assert_eq!(call(&mut instance, "echo", &input).await.unwrap(), input, "{size} bytes");
    }
    let heard = &instance.boundary().heard;
    assert_eq!(heard.len(), 26);
    assert_eq!(heard[2..4], [Heard::Enter(0, vec![0]), Heard::Returned(vec![0])]);
}

#[tokio::test]
async fn replies_of_every_size_reach_the_guest() {
    for (size, status) in [(0, 0), (1, 0), (64, 0), (1024, 0), (1025, 1), (1 << 20, 1)] {
        let mut instance = start(&guest(""), Listener::sized(size)).await;
        assert_eq!(call(&mut instance, "forward", b"q").await.unwrap(), vec![7; size], "{size} bytes");
        assert_eq!(instance.boundary().heard[1], Heard::Import(0, b"q".to_vec()));
        // The second call finds everything in place.
        assert_eq!(call(&mut instance, "forward", b"r").await.unwrap(), vec![7; size]);
        let status_of_import = guest_u32(&mut instance, 64).await;
        assert_eq!(status_of_import, status, "{size} bytes");
    }
}

/// Reads a word of guest memory through the guest.
async fn guest_u32(instance: &mut PackInstance<Listener>, address: u32) -> u32 {
    let bytes = call(instance, "peek", &address.to_le_bytes()).await.unwrap();
    u32::from_le_bytes(bytes.try_into().unwrap())
}

#[tokio::test]
async fn a_waiting_import_goes_on_with_its_answer() {
    let listener = Listener::new(|input, _| {
        let answer = [input, b"!"].concat();
        ImportStep::Wait(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    });
    let mut instance = start(&guest(""), listener).await;
    assert_eq!(call(&mut instance, "forward", b"hello").await.unwrap(), b"hello!");
    assert_eq!(
        instance.boundary().heard,
        [
            Heard::Enter(1, b"hello".to_vec()),
            Heard::Import(0, b"hello".to_vec()),
            Heard::Resume(b"hello!".to_vec()),
            Heard::Returned(b"hello!".to_vec()),
        ]
    );
}

#[tokio::test]
async fn buffers_are_reused_and_results_freed() {
    let mut instance = start(&guest(""), Listener::echo()).await;
    assert_eq!(counts(&mut instance).await, (1, 0), "slots and scratch");
    call(&mut instance, "echo", &[1; 64]).await.unwrap();
    // The result of `counts` was freed, an input buffer and a result were allocated, the result was freed.
    assert_eq!(counts(&mut instance).await, (3, 2));
    call(&mut instance, "echo", &[1; 1000]).await.unwrap();
    assert_eq!(counts(&mut instance).await, (4, 4), "the input buffer suffices");
    call(&mut instance, "echo", &[1; 2000]).await.unwrap();
    assert_eq!(counts(&mut instance).await, (6, 7), "the input buffer is replaced");
    call(&mut instance, "echo", &[1; 70_000]).await.unwrap();
    assert_eq!(counts(&mut instance).await, (8, 10), "a large input is freed after its call");
}

#[tokio::test]
async fn a_kept_result_is_read_in_place_and_not_freed() {
    let mut instance = start(&guest(r#"(@custom "pack:sdk" "\01\01")"#), Listener::echo()).await;
    assert_eq!(call(&mut instance, "echo", b"kept").await.unwrap(), b"kept");
    assert_eq!(call(&mut instance, "echo", &[9; 100_000]).await.unwrap(), [9; 100_000]);
    assert_eq!(counts(&mut instance).await.1, 1, "only the large input");
}

#[tokio::test]
async fn a_guest_error_is_its_text() {
    let body =
        r#"(call $put (local.get $sp) (local.get $sl) (local.get $p) (local.get $l)) drop (i32.const -1)"#;
    let mut instance = start(&guest(&export("fail", body)), Listener::echo()).await;
    let fail = instance.package().export("fail").unwrap();
    let result = instance.call(fail, b"no such thing", FUEL).await.unwrap();
    assert_eq!(result, CallResult::GuestError("no such thing".to_owned()));
    assert_eq!(instance.boundary().heard.last(), Some(&Heard::GuestError("no such thing".to_owned())));
    assert!(!instance.poisoned());
    assert_eq!(call(&mut instance, "echo", b"alive").await.unwrap(), b"alive");
}

#[tokio::test]
async fn a_guest_error_that_says_nothing_is_empty_and_not_the_last_result() {
    let mut instance = start(&guest(&export("fail", "(i32.const -1)")), Listener::echo()).await;
    call(&mut instance, "echo", b"before").await.unwrap();
    let fail = instance.package().export("fail").unwrap();
    assert_eq!(instance.call(fail, b"", FUEL).await.unwrap(), CallResult::GuestError(String::new()));
}

#[tokio::test]
async fn a_refused_import_gives_the_guest_minus_one() {
    let listener = Listener::new(|_, reply| {
        reply.extend_from_slice(b"not for the guest");
        ImportStep::Refused
    });
    let mut instance = start(&guest(""), listener).await;
    assert_eq!(call(&mut instance, "forward", b"x").await.unwrap(), b"");
    assert_eq!(guest_u32(&mut instance, 64).await, u32::MAX);
}

#[tokio::test]
async fn a_guest_that_frees_its_replies_gets_allocations_with_status_zero() {
    let resume = r#"(func (export "__pack_resume") (param i32 i32 i32 i32 i32) (result i32) (i32.const 0))"#;
    let mut instance = start(&guest(resume), Listener::echo()).await;
    assert_eq!(call(&mut instance, "forward", b"small").await.unwrap(), b"small");
    assert_eq!(guest_u32(&mut instance, 64).await, 0);
    // Slots, input, reply, result; then input of `peek` is in place and its result allocated.
    assert_eq!(counts(&mut instance).await, (5, 2));
}

#[tokio::test]
async fn exports_of_an_interface_are_found_by_symbol() {
    let instance =
        start(&guest(&export("theater:simple/actor.init", "(i32.const 0)")), Listener::echo()).await;
    let package = instance.package();
    let index = package.export("theater:simple/actor.init").unwrap();
    let function = &package.exports()[index.0 as usize];
    assert_eq!((function.interface.as_str(), function.name.as_str()), ("theater:simple/actor", "init"));
    assert_eq!(package.exports()[0].interface, "");
    assert_eq!(package.export("init"), None);
    assert_eq!(package.export("__pack_alloc"), None, "the convention's own exports are not for callers");
}

#[tokio::test]
async fn an_unknown_export_is_an_error_that_the_boundary_does_not_hear_of() {
    let mut instance = start(&guest(""), Listener::echo()).await;
    for index in [99, u32::MAX] {
        let result = instance.call(pack::ExportIndex(index), b"", FUEL).await;
        assert!(matches!(result, Err(CallError::NoSuchExport(_))));
    }
    assert!(instance.boundary().heard.is_empty());
}

#[tokio::test]
async fn the_same_run_takes_the_same_fuel() {
    let mut fuels = Vec::new();
    for _ in 0..2 {
        let mut instance = start(&guest(""), Listener::sized(5000)).await;
        for _ in 0..2 {
            call(&mut instance, "forward", &[1; 100]).await.unwrap();
            fuels.push(instance.boundary().fuel);
        }
    }
    // These numbers are part of recordings: if they change, so has the meaning of fuel, and the
    // engine's fingerprint must say so.
    assert_eq!(fuels, [5112, 5076, 5112, 5076]);
}

#[tokio::test]
async fn nan_has_one_bit_pattern() {
    let body = r#"
        (i32.store (i32.const 96) (i32.reinterpret_f32
            (f32.div (f32.const -nan:0x200001) (f32.const 0))))
        (call $put (local.get $sp) (local.get $sl) (i32.const 96) (i32.const 4))"#;
    let mut instance = start(&guest(&export("nan", body)), Listener::echo()).await;
    assert_eq!(call(&mut instance, "nan", b"").await.unwrap(), 0x7fc0_0000_u32.to_le_bytes());
}
