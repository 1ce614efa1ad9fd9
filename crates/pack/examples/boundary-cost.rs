//! What the boundary costs: calls, imports and instances here and on bare wasmtime, in one run.
//!
//! `cargo run --release -p pack --example boundary-cost`

#![expect(clippy::disallowed_methods, reason = "this program measures time")]
#![expect(clippy::print_stdout, reason = "its output is the measurement")]

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use pack::{
    Boundary, CallEnd, Engine, EngineOptions, ExportCall, ImportCall, ImportStep, InstanceLimits,
    PackInstance, Package, Prepared, Stop,
};
use wasmtime::{Caller, InstanceAllocationStrategy, Linker, Module, Store, TypedFunc};

/// `none` returns nothing, `same` its input (kept or freed), `loop` calls the import as often as its input says.
const GUEST: &str = r#"(module
    (import "test:host/calls" "ask" (func $ask (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 40)
    (data (i32.const 1048576) "some static data of a guest, so that there is an image to copy")
    ;; Slots and scratch have a place of their own, whatever else is asked for lies behind them.
    (func (export "__pack_alloc") (param $size i32) (result i32)
        (select (i32.const 1056768) (i32.const 1064960) (i32.eq (local.get $size) (i32.const 1039))))
    (func (export "__pack_free") (param i32 i32))
    (func (export "none") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "same") (param i32 i32 i32 i32) (result i32)
        (i32.store (local.get 2) (local.get 0)) (i32.store (local.get 3) (local.get 1)) (i32.const 0))
    (func $loop (export "loop") (param i32 i32 i32 i32) (result i32)
        (local $n i32)
        (local.set $n (i32.load (local.get 0)))
        (loop $l
            (drop (call $ask (i32.const 2048) (i32.const 64) (i32.const 32) (i32.const 36)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.const 0))
    SECTION)"#;

/// Answers every import with as many bytes.
struct Answer(usize);

impl Boundary for Answer {
    type Answer = ();

    fn enter(&mut self, _: ExportCall<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn import(&mut self, _: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<()> {
        reply.resize(self.0, 7);
        ImportStep::Reply
    }

    fn resume(&mut self, _: ImportCall<'_>, (): (), _: &mut Vec<u8>) -> ImportStep<()> {
        ImportStep::Reply
    }

    fn leave(&mut self, _: ExportCall<'_>, _: CallEnd<'_>) -> Result<(), Stop> {
        Ok(())
    }
}

const FUEL: u64 = 1 << 40;
const ROUNDS: u32 = 200_000;

/// Runs a future that waits for nothing but fuel.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// Prints the best of five, in nanoseconds per round.
fn measure(name: &str, rounds: u32, mut work: impl FnMut(u32)) {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        work(rounds);
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
    }
    println!("{name:<44} {best:>9.1} ns");
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let engine = Engine::new(&EngineOptions::default())?;
    println!("engine with {} places: {:?}", engine.instances_max(), start.elapsed());
    println!("its mappings: {}", mappings()?);
    let freed = Package::load(&engine, &wat::parse_str(GUEST.replace("SECTION", ""))?)?;
    let kept = GUEST.replace("SECTION", r#"(@custom "pack:sdk" "\01\01")"#);
    let kept = Package::load(&engine, &wat::parse_str(kept)?)?;
    bare()?;
    calls("free", &freed.prepare()?)?;
    calls("keep", &kept.prepare()?)?;
    instances(&kept.prepare()?)?;
    idle(&kept.prepare()?)
}

fn calls(name: &str, prepared: &Prepared<Answer>) -> Result<(), Box<dyn Error>> {
    let mut instance = block_on(PackInstance::instantiate(prepared, Answer(64), &InstanceLimits::default()))?;
    let export = |symbol| prepared.package().export(symbol).ok_or("no such export");
    let (none, same, repeat) = (export("none")?, export("same")?, export("loop")?);
    for (what, export, bytes) in [
        ("none", none, 0),
        ("same 64 B", same, 64),
        ("same 4 KiB", same, 4096),
        ("same 1 MiB", same, 1 << 20),
    ] {
        let input = vec![1; bytes];
        let rounds = if bytes > 10_000 { 500 } else { ROUNDS };
        measure(&format!("pack call {what}, result {name}"), rounds, |rounds| {
            for _ in 0..rounds {
                block_on(instance.call(export, &input, FUEL)).map(drop).expect("the guest returns");
            }
        });
    }
    for bytes in [0, 64, 1024, 1025, 4096] {
        instance.boundary_mut().0 = bytes;
        measure(&format!("pack import 64 B, reply {bytes} B"), ROUNDS, |rounds| {
            block_on(instance.call(repeat, &rounds.to_le_bytes(), FUEL))
                .map(drop)
                .expect("the guest returns");
        });
    }
    Ok(())
}

fn instances(prepared: &Prepared<Answer>) -> Result<(), Box<dyn Error>> {
    let limits = InstanceLimits::default();
    let none = prepared.package().export("none").ok_or("no such export")?;
    measure("pack instantiate and drop", 20_000, |rounds| {
        for _ in 0..rounds {
            drop(
                block_on(PackInstance::instantiate(prepared, Answer(0), &limits)).expect("there is a place"),
            );
        }
    });
    measure("pack instantiate, first call and drop", 20_000, |rounds| {
        for _ in 0..rounds {
            let mut instance =
                block_on(PackInstance::instantiate(prepared, Answer(0), &limits)).expect("there is a place");
            block_on(instance.call(none, b"", FUEL)).map(drop).expect("the guest returns");
        }
    });
    Ok(())
}

/// What instances hold that were called once and now wait.
fn idle(prepared: &Prepared<Answer>) -> Result<(), Box<dyn Error>> {
    const LIVE: u32 = 1000;
    let none = prepared.package().export("none").ok_or("no such export")?;
    let (mappings, resident) = (mappings()?, resident_bytes()?);
    let mut live = Vec::new();
    for _ in 0..LIVE {
        let mut instance =
            block_on(PackInstance::instantiate(prepared, Answer(0), &InstanceLimits::default()))?;
        block_on(instance.call(none, b"", FUEL)).map(drop)?;
        live.push(instance);
    }
    let per = |before: u64, after: u64| after.saturating_sub(before) as f64 / f64::from(LIVE);
    println!("idle instance: {:.1} mappings", per(mappings, self::mappings()?));
    println!("idle instance: {:.1} KiB resident", per(resident, resident_bytes()?) / 1024.0);
    Ok(())
}

fn mappings() -> Result<u64, Box<dyn Error>> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().count() as u64)
}

fn resident_bytes() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages = text.split_whitespace().nth(1).ok_or("no resident size")?;
    Ok(pages.parse::<u64>()? * 4096)
}

/// The same guest on wasmtime alone, configured for the same determinism.
fn bare() -> Result<(), Box<dyn Error>> {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true).cranelift_nan_canonicalization(true);
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = wasmtime::Engine::new(&config)?;
    let module = Module::new(&engine, wat::parse_str(GUEST.replace("SECTION", ""))?)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap_async("test:host/calls", "ask", |_: Caller<'_, ()>, _: (u32, u32, u32, u32)| {
        Box::new(async { 0 })
    })?;
    let ready = linker.instantiate_pre(&module)?;
    let store = || -> wasmtime::Result<Store<()>> {
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL)?;
        store.fuel_async_yield_interval(Some(100_000))?;
        Ok(store)
    };
    let mut live = store()?;
    let instance = block_on(ready.instantiate_async(&mut live))?;
    let none: TypedFunc<(u32, u32, u32, u32), i32> = instance.get_typed_func(&mut live, "none")?;
    measure("bare call_async", ROUNDS, |rounds| {
        for _ in 0..rounds {
            block_on(none.call_async(&mut live, (0, 0, 0, 0))).expect("the guest returns");
        }
    });
    let repeat: TypedFunc<(u32, u32, u32, u32), i32> = instance.get_typed_func(&mut live, "loop")?;
    let memory = instance.get_memory(&mut live, "memory").ok_or("no memory")?;
    memory.write(&mut live, 0, &ROUNDS.to_le_bytes())?;
    measure("bare async import", ROUNDS, |_| {
        block_on(repeat.call_async(&mut live, (0, 4, 32, 36))).expect("the guest returns");
    });
    measure("bare instantiate and drop", 20_000, |rounds| {
        for _ in 0..rounds {
            let mut store = store().expect("fuel is on");
            block_on(ready.instantiate_async(&mut store)).expect("there is a place");
        }
    });
    measure("bare instantiate, first call and drop", 20_000, |rounds| {
        for _ in 0..rounds {
            let mut store = store().expect("fuel is on");
            let instance = block_on(ready.instantiate_async(&mut store)).expect("there is a place");
            let none: TypedFunc<(u32, u32, u32, u32), i32> =
                instance.get_typed_func(&mut store, "none").expect("it is exported");
            block_on(none.call_async(&mut store, (0, 0, 0, 0))).expect("the guest returns");
        }
    });
    Ok(())
}
