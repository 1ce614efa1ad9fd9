//! `theater replay`: every actor of a run again, from the record alone.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pack::Engine;
use serde_json::json;
use theater::limits;
use theater::manifest::Limits;
use theater::replay::{Causes, Recording, ReplayError, ReplayOptions, Replayed, check_causes};
use theater_chain::{ChainIndex, ChainSummary, Run};

use crate::args::ReplayArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::progress::Progress;
use crate::ui::text::{clean, count};
use crate::{node, project, recorded};

pub(crate) fn run(args: &ReplayArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(args.run.as_deref())?;
    let run = recorded::open(&dir)?;
    let mut chains = recorded::chains(&dir, &run)?;
    let events = chains.iter().map(|chain| chain.events).sum();
    chains.retain(|chain| !recorded::is_runtime(chain.index));
    let packages = replacements(&args.wasm, &chains)?;
    if chains.is_empty() {
        return Err(CliError::environment(format!("no actor was started in the run {}", dir.display())));
    }
    let engine = node::engine_for_reading(&home)?;
    let mut out = printer.data();
    let mut outcome = Outcome::Fine;
    for (chain, replayed) in
        chains.iter().zip(replay_all(&run, &chains, &packages, &Again { engine: &engine, printer })?)
    {
        let label = recorded::label(chain);
        let replayed = match replayed {
            Ok(replayed) => replayed,
            Err(error) => {
                // What was replayed before is shown; the error comes after it.
                out.flush().shown()?;
                return Err(explained(error, &label, &run));
            }
        };
        if matches!(replayed, Replayed::Diverged(_)) {
            outcome = Outcome::Failed;
        }
        let line = match args.json {
            true => object(&label, &recorded::name(&dir), &replayed).to_string(),
            false => line(&label, &replayed, run.hasher().is_some()),
        };
        writeln!(out, "{line}").shown()?;
    }
    let causes = check_causes(&run, Some(told(printer, "comparing", events)))
        .map_err(|error| recorded::unreadable(&dir, error))?;
    if !causes.is_consistent() {
        outcome = Outcome::Failed;
    }
    if chains.len() > 1 || causes.arrived + causes.dead > 0 || !causes.is_consistent() {
        let line = match args.json {
            true => causes_object(&causes, &recorded::name(&dir)).to_string(),
            false => causes.to_string().lines().map(clean).collect::<Vec<_>>().join("\n"),
        };
        writeln!(out, "{line}").shown()?;
    }
    out.flush().shown()?;
    Ok(outcome)
}

fn causes_object(causes: &Causes, run: &str) -> serde_json::Value {
    let faults: Vec<_> =
        causes.faults.iter().map(|fault| json!({"at": fault.at, "what": fault.what})).collect();
    json!({
        "schema": "theater.causes.1",
        "run": run,
        "consistent": causes.is_consistent(),
        "arrived": causes.arrived,
        "dead": causes.dead,
        "under_way": causes.under_way,
        "unreadable": causes.unreadable,
        "faults": faults,
    })
}

/// What chains are replayed with, and who waits for it.
struct Again<'a> {
    engine: &'a Engine,
    printer: Printer,
}

/// Shows a person how many of so many events were read.
fn told(printer: Printer, what: &'static str, events: u64) -> theater::replay::Progress {
    let bar = Progress::begin(printer, what, events, "events");
    Arc::new(move |more| bar.advance(more))
}

/// Replays chains side by side; what came of them is in their order, up to the first that could not be replayed.
fn replay_all(
    run: &Run,
    chains: &[ChainSummary],
    packages: &[Replacement],
    again: &Again<'_>,
) -> Result<Vec<Result<Replayed, ReplayError>>, CliError> {
    let events = chains.iter().map(|chain| chain.events).sum();
    let progress = told(again.printer, "replaying", events);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (recording, results) = (Recording::new(run, chains), Mutex::new(BTreeMap::new()));
    let work = || {
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // What was taken is replayed, so that what came of it has no gaps.
        while !failed.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(chain) = chains.get(place) else { break };
            let wasm = packages.iter().find(|package| package.chains.contains(&chain.index));
            let wasm = wasm.map(|package| package.wasm.clone());
            let options = ReplayOptions {
                engine: again.engine.clone(),
                wasm,
                ceiling: ceiling(),
                progress: Some(Arc::clone(&progress)),
            };
            let replayed = executor.block_on(recording.replay(chain.index, &options));
            failed.fetch_or(replayed.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(PoisonError::into_inner).insert(place, replayed);
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let started: io::Result<()> = std::thread::scope(|scope| {
        for _ in 1..threads.min(chains.len()) {
            // One that cannot be started leaves its share to the others.
            scope.spawn(work);
        }
        work()
    });
    started.map_err(|error| CliError::io("failed to start", error))?;
    Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect())
}

/// Fuel for one replayed call: some quarter of an hour, which no recording can extend.
const REPLAY_FUEL_MAX: u64 = 100 * limits::FUEL_PER_CALL_DEFAULT;

/// The most that a recording can ask for here, whatever it says.
fn ceiling() -> Limits {
    Limits { memory_bytes: limits::MEMORY_BYTES_MAX, fuel_per_call: REPLAY_FUEL_MAX, ..Limits::default() }
}

fn explained(error: ReplayError, label: &str, run: &Run) -> CliError {
    let hint = match &error {
        ReplayError::Engine { .. } | ReplayError::Boundary { .. } => {
            Some(match recorded::runtime_genesis(run) {
                Some(genesis) => {
                    format!("replay it with the version of theater that recorded it, {}", genesis.version)
                }
                None => "replay it with the version of theater that recorded it".to_owned(),
            })
        }
        ReplayError::Redacted { .. } => Some(
            "what was removed from a run cannot be replayed; ask its keeper for the whole of it".to_owned(),
        ),
        ReplayError::Read(_) | ReplayError::NoGenesis(_) | ReplayError::Malformed { .. } => {
            Some("`theater verify` says whether the run is intact".to_owned())
        }
        ReplayError::Package(_) | ReplayError::Start(_) => None,
    };
    let error =
        CliError::environment(format!("{label} of the run {} cannot be replayed", run.id())).because(error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A package to execute instead of a recorded one, and the chains that it stands in for.
struct Replacement {
    chains: Vec<ChainIndex>,
    wasm: Vec<u8>,
}

fn replacements(words: &[String], chains: &[ChainSummary]) -> Result<Vec<Replacement>, CliError> {
    let mut all = Vec::new();
    for word in words {
        // A file may have `=` in its name; an actor's path has none.
        let (chains_meant, path) = match word.split_once('=') {
            Some((actor, file)) if !Path::new(word).exists() => {
                (recorded::chains_of(chains, actor)?, PathBuf::from(file))
            }
            _ => (chains.iter().map(|chain| chain.index).collect(), PathBuf::from(word)),
        };
        let wasm = project::read_wasm(&path, None)?;
        all.push(Replacement { chains: chains_meant, wasm });
    }
    Ok(all)
}

fn line(label: &str, replayed: &Replayed, has_secret: bool) -> String {
    let label = clean(label);
    match replayed {
        Replayed::Same { events } if has_secret => {
            format!("{label}: {} replayed, same", count(*events, "event"))
        }
        Replayed::Same { events } => {
            format!(
                "{label}: {} replayed, same; hashes of states not compared: the secret of the run was dropped",
                count(*events, "event")
            )
        }
        Replayed::ResourceEnd { events, what } => {
            format!(
                "{label}: {} replayed, same up to a resource end, not re-derived: {}",
                count(*events, "event"),
                clean(what)
            )
        }
        Replayed::Diverged(divergence) => {
            divergence.to_string().lines().map(clean).collect::<Vec<_>>().join("\n")
        }
    }
}

fn object(label: &str, run: &str, replayed: &Replayed) -> serde_json::Value {
    let (outcome, events, report) = match replayed {
        Replayed::Same { events } => ("same", Some(*events), None),
        Replayed::ResourceEnd { events, what } => ("resource-end", Some(*events), Some(what.clone())),
        Replayed::Diverged(divergence) => ("diverged", None, Some(divergence.to_string())),
    };
    let seq = match replayed {
        Replayed::Diverged(divergence) => Some(divergence.seq),
        Replayed::Same { .. } | Replayed::ResourceEnd { .. } => None,
    };
    json!({"schema": "theater.replay.1", "run": run, "actor": label, "outcome": outcome, "events": events, "seq": seq, "report": report})
}
