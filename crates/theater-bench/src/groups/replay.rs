//! A recorded run, executed again from its file: every import is compared and answered from the chain.

use theater::manifest::Limits;
use theater::replay::{ReplayOptions, Replayed, replay};
use theater_chain::{ChainIndex, Durability, Run};

use super::{Bench, Failure, Plan};
use crate::bare::{self, Hashing};
use crate::figure::Unit;
use crate::measure::{Round, rate};
use crate::stage::{ARGUMENT_BYTES, LOOP, Stage, guest, on_one_thread, reply};

const EVENTS: u32 = 500_000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let events = bench.effort.of(EVENTS);
    let wasm = guest(events)?;
    let payload_bytes = ARGUMENT_BYTES + reply()?.len();
    let bare = if bench.effort.has_peers() {
        bare::imports(&wasm, events, Hashing::Event { payload_bytes })?
    } else {
        None
    };
    let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, Durability::Batched)?;
    let actor = stage.block_on(stage.spawn())?;
    stage.call(&actor, LOOP)?;
    let (dir, _) = stage.close(actor)?;
    let run = Run::open(dir.path().join("run"))?;
    let options = ReplayOptions {
        engine: bench.engine.clone(),
        wasm: None,
        ceiling: Limits::default(),
        progress: None,
    };
    let executor = on_one_thread()?;
    bench.measure(Plan {
        name: "replay/host-calls".to_owned(),
        unit: Unit::PerSecond,
        settings: vec![("payload", "64 B".to_owned()), ("events", events.to_string())],
        subject: Box::new(|| {
            rate(events, || match executor.block_on(replay(&run, ChainIndex(1), &options))? {
                Replayed::Same { .. } => Ok(()),
                other @ (Replayed::ResourceEnd { .. } | Replayed::Diverged(_)) => {
                    Err(format!("the replay went another way: {other:?}").into())
                }
            })
        }),
        baseline: bare.map(|round| ("bare wasmtime async import and SHA-256", per_second(round))),
    })?;
    Ok(())
}

/// Turns nanoseconds each into so many a second.
fn per_second(mut round: Round<'static>) -> Round<'static> {
    Box::new(move || Ok(1e9 / round()?))
}
