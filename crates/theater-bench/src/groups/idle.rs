//! What actors hold that were started and now wait.

use std::fs;

use theater_chain::Durability;

use super::{Bench, Failure};
use crate::figure::{Figure, Unit};
use crate::stage::{Stage, guest, on_one_thread};

const LIVE: u32 = 10_000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(LIVE).min(bench.effort.instances_max() - 8);
    let stage = Stage::open(&bench.engine, on_one_thread()?, guest(1)?, Durability::Batched)?;
    let first = stage.block_on(stage.spawn())?;
    let (mappings, resident) = (self::mappings()?, resident_bytes()?);
    let mut live = Vec::new();
    stage.block_on(async {
        for _ in 0..count {
            live.push(stage.spawn().await?);
        }
        Ok::<(), Failure>(())
    })?;
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / f64::from(count);
    let settings = vec![("actors", count.to_string()), ("recording", "on".to_owned())];
    for (name, unit, value) in [
        ("resident", Unit::Kibibytes, each(resident, resident_bytes()?) / 1024.0),
        ("mappings", Unit::Count, each(mappings, self::mappings()?)),
    ] {
        let name = format!("idle/actor/{name}");
        bench.show(&Figure { name, value, unit, baseline: None, settings: settings.clone() })?;
    }
    stage.block_on(async {
        for actor in live {
            actor.finish().await;
        }
    });
    stage.close(first)?;
    Ok(())
}

fn mappings() -> Result<u64, Failure> {
    Ok(fs::read_to_string("/proc/self/maps")?.lines().count() as u64)
}

fn resident_bytes() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident size")?;
    let kibibytes = line.split_whitespace().next().ok_or("no resident size")?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
