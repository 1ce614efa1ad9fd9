//! A guest prelude, and a boundary that writes down what it hears.

use std::sync::OnceLock;

use pack::{
    Boundary, BoundaryFuture, CallEnd, Engine, EngineOptions, ExportCall, ImportCall, ImportStep,
    InstanceLimits, PackInstance, Package, Prepared, Stop,
};

/// Memory, a bump allocator that grows, and an import for the tests that need one.
///
/// `$put` stores a result; the exports `echo` and `forward` return their input, or what the host made of it.
pub(crate) const PRELUDE: &str = r#"
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 8192))
    (global $allocs (mut i32) (i32.const 0))
    (global $frees (mut i32) (i32.const 0))
    (func $alloc (export "__pack_alloc") (param $size i32) (result i32)
        (local $at i32)
        (global.set $allocs (i32.add (global.get $allocs) (i32.const 1)))
        (local.set $at (global.get $top))
        (global.set $top (i32.add (global.get $top) (local.get $size)))
        (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
            (then (if (i32.eq (i32.const -1) (memory.grow
                (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536)))))
                (then (return (i32.const 0))))))
        (local.get $at))
    (func $free (export "__pack_free") (param i32 i32)
        (global.set $frees (i32.add (global.get $frees) (i32.const 1))))
    (func $put (param $slot_p i32) (param $slot_l i32) (param $p i32) (param $l i32) (result i32)
        (i32.store (local.get $slot_p) (local.get $p))
        (i32.store (local.get $slot_l) (local.get $l))
        (i32.const 0))
    (func $copy (param $p i32) (param $l i32) (result i32)
        (local $to i32)
        (local.set $to (call $alloc (local.get $l)))
        (memory.copy (local.get $to) (local.get $p) (local.get $l))
        (local.get $to))
    (func (export "echo") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (call $put (local.get $sp) (local.get $sl)
            (call $copy (local.get $p) (local.get $l)) (local.get $l)))
"#;

/// The import `test:host/calls.ask` and an export that forwards its input to it. The status of the
/// import is kept at address 64.
pub(crate) const FORWARD: &str = r#"
    (func (export "forward") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (i32.store (i32.const 64)
            (call $ask (local.get $p) (local.get $l) (i32.const 32) (i32.const 36)))
        (call $put (local.get $sp) (local.get $sl)
            (call $copy (i32.load (i32.const 32)) (i32.load (i32.const 36))) (i32.load (i32.const 36))))
    (func (export "counts") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (i32.store (i32.const 40) (global.get $allocs))
        (i32.store (i32.const 44) (global.get $frees))
        (call $put (local.get $sp) (local.get $sl) (i32.const 40) (i32.const 8)))
    (func (export "peek") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
        (call $put (local.get $sp) (local.get $sl)
            (call $copy (i32.load (local.get $p)) (i32.const 4)) (i32.const 4)))
"#;

pub(crate) const ASK: &str = r#"
    (import "test:host/calls" "ask" (func $ask (param i32 i32 i32 i32) (result i32)))
"#;

/// An export without use for its arguments.
pub(crate) fn export(name: &str, body: &str) -> String {
    format!(
        r#"(func (export "{name}") (param $p i32) (param $l i32) (param $sp i32) (param $sl i32) (result i32)
            {body})"#
    )
}

/// A module with the prelude and the import.
pub(crate) fn guest(body: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {ASK} {PRELUDE} {FORWARD} {body})")).unwrap()
}

/// One engine for all tests: an engine reserves a lot of address space.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            Engine::new(&EngineOptions { instances_max: 64, ..EngineOptions::default() }).unwrap()
        })
        .clone()
}

/// What a boundary heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Enter(u32, Vec<u8>),
    Import(u32, Vec<u8>),
    Resume(Vec<u8>),
    Returned(Vec<u8>),
    GuestError(String),
    Trapped(&'static str),
    Dropped { fuel: u64, pending: bool },
}

type Answer = Box<dyn FnMut(&[u8], &mut Vec<u8>) -> ImportStep<Vec<u8>> + Send>;

/// Writes down every crossing; imports are answered by a closure, waits by their answer.
pub(crate) struct Listener {
    pub(crate) heard: Vec<Heard>,
    pub(crate) fuel: u64,
    pub(crate) answer: Answer,
    pub(crate) ready: Option<BoundaryFuture<Result<(), Stop>>>,
}

impl Listener {
    pub(crate) fn new(
        answer: impl FnMut(&[u8], &mut Vec<u8>) -> ImportStep<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { heard: Vec::new(), fuel: 0, answer: Box::new(answer), ready: None }
    }

    /// Replies with the input.
    pub(crate) fn echo() -> Self {
        Self::new(|input, reply| {
            reply.extend_from_slice(input);
            ImportStep::Reply
        })
    }

    /// Replies with this many bytes, whatever the input.
    pub(crate) fn sized(bytes: usize) -> Self {
        Self::new(move |_, reply| {
            reply.resize(bytes, 7);
            ImportStep::Reply
        })
    }
}

impl Boundary for Listener {
    type Answer = Vec<u8>;

    fn enter(&mut self, call: ExportCall<'_>) -> Result<(), Stop> {
        self.heard.push(Heard::Enter(call.export.0, call.input.to_vec()));
        Ok(())
    }

    fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<Vec<u8>> {
        assert!(reply.is_empty());
        self.heard.push(Heard::Import(call.function.0, call.input.to_vec()));
        (self.answer)(call.input, reply)
    }

    fn resume(&mut self, _: ImportCall<'_>, answer: Vec<u8>, reply: &mut Vec<u8>) -> ImportStep<Vec<u8>> {
        self.heard.push(Heard::Resume(answer.clone()));
        reply.extend_from_slice(&answer);
        ImportStep::Reply
    }

    fn leave(&mut self, _: ExportCall<'_>, end: CallEnd<'_>) -> Result<(), Stop> {
        let heard = match end {
            CallEnd::Returned { output, fuel } => {
                self.fuel = fuel;
                Heard::Returned(output.to_vec())
            }
            CallEnd::GuestError { message, fuel } => {
                self.fuel = fuel;
                Heard::GuestError(String::from_utf8_lossy(message).into_owned())
            }
            CallEnd::Trapped { trap } => {
                self.fuel = trap.fuel.unwrap();
                Heard::Trapped(trap.kind.as_str())
            }
            CallEnd::Dropped { fuel, pending_import } => {
                self.fuel = fuel;
                Heard::Dropped { fuel, pending: pending_import.is_some() }
            }
        };
        self.heard.push(heard);
        Ok(())
    }

    fn wait_ready(&mut self) -> Option<BoundaryFuture<Result<(), Stop>>> {
        self.ready.take()
    }
}

pub(crate) const FUEL: u64 = 1_000_000_000;

pub(crate) fn prepare(wasm: &[u8]) -> Prepared<Listener> {
    Package::load(&engine(), wasm).unwrap().prepare().unwrap()
}

pub(crate) async fn start(wasm: &[u8], listener: Listener) -> PackInstance<Listener> {
    PackInstance::instantiate(&prepare(wasm), listener, &InstanceLimits::default()).await.unwrap()
}

/// Calls an export that is expected to trap.
pub(crate) async fn trap(instance: &mut PackInstance<Listener>, symbol: &str) -> pack::Trap {
    match call(instance, symbol, b"input").await {
        Err(pack::CallError::Trapped(trap)) => trap,
        other => panic!("no trap: {other:?}"),
    }
}

/// Polls a future once.
pub(crate) fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

/// Allocations and releases that the guest has counted.
pub(crate) async fn counts(instance: &mut PackInstance<Listener>) -> (u32, u32) {
    let bytes = call(instance, "counts", b"").await.unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    (word(0), word(4))
}

/// Calls an export by name and copies the result.
pub(crate) async fn call(
    instance: &mut PackInstance<Listener>,
    symbol: &str,
    input: &[u8],
) -> Result<Vec<u8>, pack::CallError> {
    let export = instance.package().export(symbol).unwrap();
    match instance.call(export, input, FUEL).await? {
        pack::CallResult::Returned(bytes) => Ok(bytes.to_vec()),
        pack::CallResult::GuestError(message) => panic!("guest error: {message}"),
    }
}
