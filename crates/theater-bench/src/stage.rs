//! The guest that is measured, the handler that answers it, and a run in which it plays.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pack::{Boundary, CallEnd, Engine, ExportCall, ImportCall, ImportStep, Stop};
use pack_abi::Value;
use pack_abi::types::{Function, Interface, Type};
use tempfile::TempDir;
use theater::actor::{ActorHandle, ActorPath, CallFailure, LogSink};
use theater::handler::{
    ActorContext, Answer, Call, ChainAccess, ConfigError, Handler, HandlerFactory, HandlerRegistry, HostFault,
};
use theater::manifest::Manifest;
use theater::packages::{LoadError, Packages};
use theater::{ActorSpec, ClosedRun, Linked, LiveRun, RuntimeOptions, TheaterRuntime, link};
use theater_chain::Durability;
use tokio::runtime::Runtime;

use crate::groups::Failure;

/// Bytes of the argument of each import.
pub(crate) const ARGUMENT_BYTES: usize = 64;
/// Fuel of calls that are not to run out of it.
pub(crate) const FUEL: u64 = 1 << 40;

/// Exports of the guest.
pub(crate) const NONE: &str = "bench:guest/calls.none";
pub(crate) const LOOP: &str = "bench:guest/calls.loop";
pub(crate) const LOG: &str = "bench:guest/calls.log";
pub(crate) const SETTLE: &str = "bench:guest/calls.settle";

const INTERFACE: &str = "bench:host/calls";
const MANIFEST: &str = "name = \"bench\"\n[[handler]]\ntype = \"bench\"\n[[handler]]\ntype = \"runtime\"\n";

/// An actor whose `loop` calls an import REPEAT times, without allocating; `log` does so with `runtime.log`.
const GUEST: &str = r#"(module
    (import "bench:host/calls" "ask" (func $ask (param i32 i32 i32 i32) (result i32)))
    (import "bench:host/calls" "settle" (func $settle (param i32 i32 i32 i32) (result i32)))
    (import "theater:simple/runtime" "log" (func $log (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 40)
    (data (i32.const 2048) "ARGUMENT")
    (data (i32.const 4096) "RESULT")
    (data (i32.const 1048576) "some static data of a guest, so that there is an image to copy")
    ;; Slots and scratch have a place of their own, whatever else is asked for lies behind them.
    (func (export "__pack_alloc") (param $size i32) (result i32)
        (select (i32.const 1056768) (i32.const 1064960) (i32.eq (local.get $size) (i32.const 4111))))
    (func (export "__pack_free") (param i32 i32))
    (func $done (param $out i32) (param $out_len i32) (result i32)
        (i32.store (local.get $out) (i32.const 4096))
        (i32.store (local.get $out_len) (i32.const RESULT_LENGTH))
        (i32.const 0))
    (func (export "theater:simple/actor.init") (param i32 i32 i32 i32) (result i32)
        (call $done (local.get 2) (local.get 3)))
    (func (export "bench:guest/calls.none") (param i32 i32 i32 i32) (result i32)
        (call $done (local.get 2) (local.get 3)))
    (func (export "bench:guest/calls.loop") (param i32 i32 i32 i32) (result i32)
        (local $n i32)
        (local.set $n (i32.const REPEAT))
        (loop $again
            (drop (call $ask (i32.const 2048) (i32.const 64) (i32.const 32) (i32.const 36)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $done (local.get 2) (local.get 3)))
    (func (export "bench:guest/calls.log") (param i32 i32 i32 i32) (result i32)
        (local $n i32)
        (local.set $n (i32.const REPEAT))
        (loop $again
            (drop (call $log (i32.const 2048) (i32.const 64) (i32.const 32) (i32.const 36)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $done (local.get 2) (local.get 3)))
    (func (export "bench:guest/calls.settle") (param i32 i32 i32 i32) (result i32)
        (drop (call $settle (i32.const 2048) (i32.const 64) (i32.const 32) (i32.const 36)))
        (call $done (local.get 2) (local.get 3)))
    ;; Says, as the SDK does, that results are kept by the guest: the host does not free them.
    (@custom "pack:sdk" "\01\01"))"#;

/// Returns the guest with loops of this length.
pub(crate) fn guest(repeat: u32) -> Result<Vec<u8>, Failure> {
    // With its header and the header of its one node, a string of 40 bytes takes 64.
    let argument = pack_abi::encode(&"x".repeat(ARGUMENT_BYTES - encoded_string_overhead()?))?;
    let result = pack_abi::encode(&Ok::<_, String>((None::<Vec<u8>>,)))?;
    let text = GUEST
        .replace("ARGUMENT", &escaped(&argument))
        .replace("RESULT_LENGTH", &result.len().to_string())
        .replace("RESULT", &escaped(&result))
        .replace("REPEAT", &repeat.to_string());
    Ok(wat::parse_str(text)?)
}

fn encoded_string_overhead() -> Result<usize, Failure> {
    Ok(pack_abi::encode("")?.len())
}

pub(crate) fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// Runs a future that waits for nothing but fuel.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// Bytes of the reply to every import: an encoded unit.
pub(crate) fn reply() -> Result<Vec<u8>, Failure> {
    Ok(pack_abi::encode(&())?)
}

/// Answers every import and records nothing.
pub(crate) struct Unrecorded(pub(crate) Vec<u8>);

impl Boundary for Unrecorded {
    type Answer = ();

    fn enter(&mut self, _: ExportCall<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn import(&mut self, _: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<()> {
        reply.extend_from_slice(&self.0);
        ImportStep::Reply
    }

    fn resume(&mut self, _: ImportCall<'_>, (): (), _: &mut Vec<u8>) -> ImportStep<()> {
        ImportStep::Reply
    }

    fn leave(&mut self, _: ExportCall<'_>, _: CallEnd<'_>) -> Result<(), Stop> {
        Ok(())
    }
}

/// The capability of the guest: `ask` answers at once, `settle` when everything recorded so far is written.
struct AskFactory {
    reply: Vec<u8>,
}

impl HandlerFactory for AskFactory {
    fn kind(&self) -> &'static str {
        "bench"
    }

    fn interfaces(&self) -> Vec<Interface> {
        let function = |name: &str| Function {
            name: name.to_owned(),
            docs: String::new(),
            params: vec![pack_abi::types::Param { name: "text".to_owned(), ty: Type::String }],
            result: None,
        };
        let functions = vec![function("ask"), function("settle")];
        vec![Interface { name: INTERFACE.to_owned(), functions, ..Interface::default() }]
    }

    fn open(&self, _: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(Ask { reply: self.reply.clone(), chain: actor.chain.clone() }))
    }
}

struct Ask {
    reply: Vec<u8>,
    chain: ChainAccess,
}

impl Handler for Ask {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        if call.function == "ask" {
            reply.extend_from_slice(&self.reply);
            return Answer::Reply;
        }
        let (chain, answer) = (self.chain.clone(), self.reply.clone());
        Answer::Request(Box::pin(async move {
            // Reading the chain waits until it is written.
            chain.entries(0, 1).await.map_err(|error| HostFault(error.to_string()))?;
            Ok(answer)
        }))
    }

    /// It stands for generated code, which reads its arguments; what a check costs has figures of its own.
    fn is_typed(&self) -> bool {
        true
    }
}

/// Takes log lines and shows them to nobody.
struct Unheard;

impl LogSink for Unheard {
    fn log(&self, _: &ActorPath, _: &str) {}
}

/// What the actors of a run are made from, whatever manifest they are started with.
pub(crate) struct Cast {
    pub(crate) manifest: &'static str,
    pub(crate) wasm: Vec<u8>,
}

impl Packages for Cast {
    fn load(&self, manifest: &Path) -> Result<ActorSpec, LoadError> {
        let manifest = Manifest::parse(self.manifest, manifest)?;
        Ok(ActorSpec { manifest, manifest_text: self.manifest.into(), wasm: self.wasm.clone(), state: None })
    }
}

/// A run in which actors of the guest are started.
pub(crate) struct Stage {
    executor: Runtime,
    linked: Linked,
    runtime: TheaterRuntime,
    dir: TempDir,
}

impl Stage {
    /// Begins a run on an executor and links a guest.
    pub(crate) fn open(
        engine: &Engine,
        executor: Runtime,
        wasm: Vec<u8>,
        durability: Durability,
    ) -> Result<Self, Failure> {
        Self::of(engine, executor, Cast { manifest: MANIFEST, wasm }, durability)
    }

    /// Begins a run with a cast, of which everybody is, children too.
    pub(crate) fn of(
        engine: &Engine,
        executor: Runtime,
        cast: Cast,
        durability: Durability,
    ) -> Result<Self, Failure> {
        let dir = tempfile::tempdir()?;
        // A child is started by a manifest that is there.
        let manifest = dir.path().join("bench.toml");
        std::fs::write(&manifest, cast.manifest)?;
        let spec = cast.load(&manifest)?;
        let registry: HandlerRegistry = theater_handlers::registry().with(AskFactory { reply: reply()? });
        let linked = link(engine, &registry, spec)?;
        let run_dir = dir.path().join("run");
        let options = RuntimeOptions {
            durability,
            packages: Arc::new(cast),
            ..RuntimeOptions::new("bench".to_owned(), run_dir, engine.clone(), Arc::new(Unheard))
        };
        let runtime = TheaterRuntime::start(options)?;
        Ok(Self { executor, linked, runtime, dir })
    }

    /// Starts an actor and waits until it is ready.
    pub(crate) async fn spawn(&self) -> Result<ActorHandle, Failure> {
        Ok(self.runtime.spawn_root(&self.linked).await?)
    }

    /// Runs a future to its end, with the actors meanwhile.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.executor.block_on(future)
    }

    /// Calls an export without parameters.
    pub(crate) fn call(&self, actor: &ActorHandle, export: &str) -> Result<(), Failure> {
        self.executor.block_on(call(actor, export))
    }

    /// Returns the run as it is reached from outside.
    pub(crate) fn live(&self) -> LiveRun {
        self.runtime.live()
    }

    /// Returns where the run is.
    pub(crate) fn run_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("run")
    }

    /// Ends an actor and the run, and returns where the run is.
    pub(crate) fn close(self, actor: ActorHandle) -> Result<(TempDir, ClosedRun), Failure> {
        let Self { executor, linked, runtime, dir } = self;
        let report = executor.block_on(actor.finish());
        drop(linked);
        let closed = executor.block_on(runtime.close(&report))?;
        Ok((dir, closed))
    }
}

/// Calls an export without parameters.
pub(crate) async fn call(actor: &ActorHandle, export: &str) -> Result<(), Failure> {
    match actor.call(export, Value::unit()).await {
        Ok(_) => Ok(()),
        Err(CallFailure::Ended(path)) => {
            Err(format!("{path} has ended: {}", actor.ended().await.reason).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns an executor on the thread of its caller.
pub(crate) fn on_one_thread() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_of_an_import_has_the_size_that_its_figures_say() {
        let argument = "x".repeat(ARGUMENT_BYTES - encoded_string_overhead().unwrap());
        assert_eq!(pack_abi::encode(&argument).unwrap().len(), ARGUMENT_BYTES);
    }

    #[test]
    fn what_was_appended_is_written_once_the_guest_has_settled() {
        let engine = Engine::new(&pack::EngineOptions { instances_max: 2, ..Default::default() }).unwrap();
        let executor = on_one_thread().unwrap();
        let stage = Stage::open(&engine, executor, guest(3).unwrap(), Durability::Batched).unwrap();
        let actor = stage.block_on(stage.spawn()).unwrap();
        for export in [NONE, LOOP, LOG, SETTLE] {
            stage.call(&actor, export).unwrap();
        }
        let (dir, closed) = stage.close(actor).unwrap();
        let run = theater_chain::Run::open(dir.path().join("run")).unwrap();
        let imports = run.all_events().map(Result::unwrap).filter(|event| {
            event.header.kind == theater_chain::Kind::HostCall && event.payload.lengths().input == 64
        });
        assert_eq!(imports.count(), 6);
        assert_eq!(closed.run_id, "bench");
    }
}
