//! Calls in and out of a guest: with nothing recorded, and through the recorder into a journal.
//!
//! The baseline is the bare engine, whose import or export also hashes what the recorded event hashes: both on the
//! thread of the guest, while ours hashes on the thread of its journal.

use pack::{InstanceLimits, PackInstance, Package};
use theater_chain::Durability;

use super::{Bench, Failure, Plan};
use crate::bare::{self, Hashing};
use crate::figure::Unit;
use crate::measure::nanoseconds_each;
use crate::stage::{
    ARGUMENT_BYTES, FUEL, LOG, LOOP, NONE, SETTLE, Stage, Unrecorded, block_on, guest, on_one_thread, reply,
};

/// Imports in a loop that outlasts the journal's queue, so that the journal sets the pace.
const LONG: u32 = 200_000;
/// Imports in a burst that its queue takes.
const BURST: u32 = 20_000;
const EXPORTS: u32 = 50_000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    unrecorded(bench)?;
    recorded(bench, Durability::Memory, "memory")?;
    recorded(bench, Durability::Batched, "batched")
}

fn settings(durability: Option<&str>) -> Vec<(&'static str, String)> {
    let recording = durability.map_or("off", |_| "on");
    let mut settings = vec![("payload", "64 B".to_owned()), ("recording", recording.to_owned())];
    settings.extend(durability.map(|durability| ("durability", durability.to_owned())));
    settings
}

fn unrecorded(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let (imports, exports) = (bench.effort.of(LONG), bench.effort.of(EXPORTS));
    let wasm = guest(imports)?;
    let package = Package::load(&bench.engine, &wasm)?;
    let prepared = package.prepare()?;
    let index = |symbol| package.export(symbol).ok_or("the guest lacks an export");
    let (none, again) = (index(NONE)?, index(LOOP)?);
    let mut instance =
        block_on(PackInstance::instantiate(&prepared, Unrecorded(reply()?), &InstanceLimits::default()))?;
    let has_peers = bench.effort.has_peers();
    let bare = if has_peers { bare::imports(&wasm, imports, Hashing::None)? } else { None };
    bench.measure(Plan {
        name: "call/import/unrecorded/64B".to_owned(),
        unit: Unit::Nanoseconds,
        settings: settings(None),
        subject: Box::new(|| {
            nanoseconds_each(imports, || {
                block_on(instance.call(again, b"", FUEL))?;
                Ok(())
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime async import", round)),
    })?;
    let bare = if has_peers { bare::exports(&wasm, exports, Hashing::None)? } else { None };
    let input = vec![1; ARGUMENT_BYTES];
    bench.measure(Plan {
        name: "call/export/unrecorded/64B".to_owned(),
        unit: Unit::Nanoseconds,
        settings: settings(None),
        subject: Box::new(|| {
            nanoseconds_each(exports, || {
                for _ in 0..exports {
                    block_on(instance.call(none, &input, FUEL))?;
                }
                Ok(())
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime call_async", round)),
    })?;
    Ok(())
}

fn recorded(bench: &mut Bench<'_>, durability: Durability, name: &'static str) -> Result<(), Failure> {
    for (export, path, count) in
        [(LOOP, "64B", LONG), (LOOP, "64B/burst", BURST), (LOG, "64B/runtime-log", LONG)]
    {
        let count = bench.effort.of(count);
        let wasm = guest(count)?;
        let hashing = Hashing::Event { payload_bytes: ARGUMENT_BYTES + reply()?.len() };
        let bare = if bench.effort.has_peers() { bare::imports(&wasm, count, hashing)? } else { None };
        let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, durability)?;
        let actor = stage.block_on(stage.spawn())?;
        bench.measure(Plan {
            name: format!("call/import/recorded/{name}/{path}"),
            unit: Unit::Nanoseconds,
            settings: [settings(Some(name)), vec![("loop", count.to_string())]].concat(),
            subject: Box::new(|| {
                // What earlier rounds left in the queue is not this round's.
                stage.call(&actor, SETTLE)?;
                nanoseconds_each(count, || stage.call(&actor, export))
            }),
            baseline: bare.map(|round| ("bare wasmtime async import and SHA-256", round)),
        })?;
        stage.close(actor)?;
    }
    exports(bench, durability, name)
}

fn exports(bench: &mut Bench<'_>, durability: Durability, name: &'static str) -> Result<(), Failure> {
    let count = bench.effort.of(EXPORTS);
    let wasm = guest(1)?;
    let hashing = Hashing::Event { payload_bytes: ARGUMENT_BYTES };
    let bare = if bench.effort.has_peers() { bare::exports(&wasm, count, hashing)? } else { None };
    let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, durability)?;
    let actor = stage.block_on(stage.spawn())?;
    bench.measure(Plan {
        name: format!("call/export/recorded/{name}"),
        unit: Unit::Nanoseconds,
        settings: vec![
            ("payload", "state and unit".to_owned()),
            ("recording", "on".to_owned()),
            ("durability", name.to_owned()),
            ("way", "through the mailbox and back, one thread".to_owned()),
        ],
        subject: Box::new(|| {
            nanoseconds_each(count, || {
                stage.block_on(async {
                    for _ in 0..count {
                        crate::stage::call(&actor, NONE).await?;
                    }
                    Ok(())
                })
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime call_async and SHA-256", round)),
    })?;
    stage.close(actor)?;
    Ok(())
}
