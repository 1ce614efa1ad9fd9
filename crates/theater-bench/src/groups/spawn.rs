//! From a linked package to an actor that is ready, and to its end, one after the other and on all cores.

use pack::{InstanceLimits, PackInstance, Package};
use theater_chain::Durability;

use super::{Bench, Failure, Plan};
use crate::bare;
use crate::figure::{Figure, Unit};
use crate::machine;
use crate::measure::{nanoseconds_each, rate, time};
use crate::stage::{FUEL, NONE, Stage, Unrecorded, block_on, guest, on_one_thread};

const INSTANCES: u32 = 20_000;
const ACTORS: u32 = 10_000;
const IN_A_ROW: u32 = 2000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    instances(bench)?;
    ready(bench)?;
    one_by_one(bench, Before::Ended)?;
    one_by_one(bench, Before::Alive)?;
    on_all_cores(bench)?;
    native(bench)
}

fn instances(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(INSTANCES);
    let wasm = guest(1)?;
    let package = Package::load(&bench.engine, &wasm)?;
    let prepared = package.prepare()?;
    let none = package.export(NONE).ok_or("the guest lacks an export")?;
    let limits = InstanceLimits::default();
    let bare = if bench.effort.has_peers() { bare::instances(&wasm, count)? } else { None };
    bench.measure(Plan {
        name: "spawn/instantiate".to_owned(),
        unit: Unit::Nanoseconds,
        settings: vec![("one", "instance out of the pool, its first call and its end".to_owned())],
        subject: Box::new(|| {
            nanoseconds_each(count, || {
                for _ in 0..count {
                    let made = PackInstance::instantiate(&prepared, Unrecorded(Vec::new()), &limits);
                    block_on(block_on(made)?.call(none, b"", FUEL))?;
                }
                Ok(())
            })
        }),
        baseline: bare.map(|round| ("bare pooled instantiation and call", round)),
    })?;
    Ok(())
}

fn settings() -> Vec<(&'static str, String)> {
    vec![("recording", "on".to_owned()), ("durability", "batched".to_owned())]
}

fn ready(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(ACTORS);
    let wasm = guest(1)?;
    let bare = if bench.effort.has_peers() { bare::instances(&wasm, count)? } else { None };
    let in_microseconds = |mut round: crate::measure::Round<'static>| -> crate::measure::Round<'static> {
        Box::new(move || Ok(round()? / 1000.0))
    };
    let stage = Stage::open(&bench.engine, on_one_thread()?, wasm, Durability::Batched)?;
    let first = stage.block_on(stage.spawn())?;
    bench.measure(Plan {
        name: "spawn/ready/warm".to_owned(),
        unit: Unit::Microseconds,
        settings: [settings(), vec![("until", "init has returned, and the actor's end".to_owned())]].concat(),
        subject: Box::new(|| {
            let each = nanoseconds_each(count, || {
                stage.block_on(async {
                    for _ in 0..count {
                        stage.spawn().await?.finish().await;
                    }
                    Ok(())
                })
            })?;
            Ok(each / 1000.0)
        }),
        baseline: bare.map(|round| ("bare pooled instantiation and call", in_microseconds(round))),
    })?;
    stage.close(first)?;
    Ok(())
}

/// What has become of the actors before when the next one is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// They have ended, and their places are free.
    Ended,
    /// They live, and the next one needs a place where none was before.
    Alive,
}

/// Each start timed by itself.
fn one_by_one(bench: &mut Bench<'_>, before: Before) -> Result<(), Failure> {
    let count = bench.effort.of(IN_A_ROW).min(bench.effort.instances_max() - 8);
    let stage = Stage::open(&bench.engine, on_one_thread()?, guest(1)?, Durability::Batched)?;
    let first = stage.block_on(stage.spawn())?;
    let (mut took, mut live) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (each, actor) = time(|| stage.block_on(stage.spawn()))?;
        took.push(each.as_secs_f64() * 1e6);
        match before {
            Before::Ended => drop(stage.block_on(actor.finish())),
            Before::Alive => live.push(actor),
        }
    }
    took.sort_by(f64::total_cmp);
    let beside = match before {
        Before::Ended => "ended",
        Before::Alive => "alive",
    };
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let value = took.get((took.len() * percent / 100).min(took.len() - 1)).copied().unwrap_or(f64::NAN);
        bench.show(&Figure {
            name: format!("spawn/ready/{beside}/{name}"),
            value,
            unit: Unit::Microseconds,
            baseline: None,
            settings: [
                settings(),
                vec![("in a row", count.to_string()), ("those before", beside.to_owned())],
            ]
            .concat(),
        })?;
    }
    stage.block_on(async {
        for actor in live {
            actor.finish().await;
        }
    });
    stage.close(first)?;
    Ok(())
}

/// Starts and ends of native actors, which have no sandbox and record nothing.
#[cfg(feature = "actors")]
fn native(bench: &mut Bench<'_>) -> Result<(), Failure> {
    use super::message_peer::Peer;

    if !bench.effort.has_peers() {
        return Ok(());
    }
    let count = bench.effort.of(ACTORS);
    let executor = on_one_thread()?;
    for peer in Peer::ALL {
        bench.measure(Plan {
            name: format!("spawn/native/{}", peer.name()),
            unit: Unit::Microseconds,
            settings: vec![("recording", "off".to_owned())],
            subject: Box::new(|| {
                let each = nanoseconds_each(count, || executor.block_on(peer.spawn_and_exit(count)))?;
                Ok(each / 1000.0)
            }),
            baseline: None,
        })?;
    }
    Ok(())
}

#[cfg(not(feature = "actors"))]
fn native(_: &mut Bench<'_>) -> Result<(), Failure> {
    Ok(())
}

fn on_all_cores(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(ACTORS);
    let cores = machine::cores() as u32;
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stage = Stage::open(&bench.engine, executor, guest(1)?, Durability::Batched)?;
    let stage = std::sync::Arc::new(stage);
    let first = stage.block_on(stage.spawn())?;
    let share = count.div_ceil(2 * cores);
    bench.measure(Plan {
        name: "spawn/exit/all-cores".to_owned(),
        unit: Unit::PerSecond,
        settings: [settings(), vec![("cores", cores.to_string())]].concat(),
        subject: Box::new(|| {
            rate(share * 2 * cores, || {
                stage.block_on(async {
                    let mut spawners = tokio::task::JoinSet::new();
                    for _ in 0..2 * cores {
                        let stage = std::sync::Arc::clone(&stage);
                        spawners.spawn(async move {
                            for _ in 0..share {
                                stage.spawn().await?.finish().await;
                            }
                            Ok::<(), Failure>(())
                        });
                    }
                    while let Some(spawner) = spawners.join_next().await {
                        spawner??;
                    }
                    Ok(())
                })
            })
        }),
        baseline: None,
    })?;
    let stage = std::sync::Arc::into_inner(stage).ok_or("the stage is still in use")?;
    stage.close(first)?;
    Ok(())
}
