//! `theater run`: builds if need be, runs, records, and says how it ended.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use theater::actor::{ActorPath, LogSink, is_orderly};
use theater::{ActorSpec, Linked, RuntimeOptions, clock, entropy};
use theater_chain::Run;

use crate::args::{Durability, RunArgs};
use crate::cmd::{Outcome, build};
use crate::drive::{Ended, Failure, drive};
use crate::home::{Home, run_id};
use crate::project::{self, Described, Source};
use crate::ui::error::{CliError, Shown};
use crate::ui::exit;
use crate::ui::printer::{Printer, print_log, print_text};
use crate::ui::text::{clean, count, hex};
use crate::{link, node, recorded};

pub(crate) fn run(args: &RunArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let described = project::describe(&args.target, &args.grant)?;
    let Started { linked, options, dir } = prepare(args, described, &home, printer)?;
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("failed to start threads", error))?;
    let ended = executor.block_on(drive(&linked, options, printer));
    // What still runs belongs to an actor that nobody waits for any more; its journal is to be let go of.
    executor.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(ended) => report(args, &ended, printer),
        Err(failure) => Err(explained(failure, dir.as_deref())),
    }
}

/// Everything that is needed to start, checked.
struct Started {
    linked: Linked,
    options: RuntimeOptions,
    /// Where the run is written, if it is kept.
    dir: Option<PathBuf>,
}

fn prepare(args: &RunArgs, described: Described, home: &Home, printer: Printer) -> Result<Started, CliError> {
    let Described { manifest, text, source, is_bare } = described;
    let state = match &args.state {
        Some(path) => Some(project::read_state(path)?),
        None => manifest.initial_state().map_err(|error| CliError::environment(error.to_string()))?,
    };
    let wasm = match source {
        Source::Build(dir) => project::read_wasm(&build::build(&dir, home, printer)?, None)?,
        Source::File(path, pinned) => project::read_wasm(&path, pinned)?,
    };
    let is_kept = !matches!(args.durability, Durability::Memory);
    // A run that is not kept needs no home, so that one that cannot be written does not stand in its way.
    let signer = if is_kept { Some(node::signer(home)?) } else { None };
    let engine = match &signer {
        Some(signer) => node::engine_with_cache(home, signer)?,
        None => node::engine()?,
    };
    let spec = ActorSpec { manifest, manifest_text: text.into_bytes(), wasm, state };
    let linked = link::checked(&engine, &theater_handlers::registry(), spec, is_bare)?;
    let random =
        entropy::bytes().map_err(|error| CliError::environment("failed to name the run").because(error))?;
    let (run_id, dir) = if is_kept {
        let (id, dir) = home.new_run(clock::utc_us(), random)?;
        (id, Some(dir))
    } else {
        (run_id(clock::utc_us(), u64::from_le_bytes(random)), None)
    };
    let options = RuntimeOptions {
        run_id,
        run_dir: dir.clone().unwrap_or_default(),
        durability: match args.durability {
            Durability::Memory => theater_chain::Durability::Memory,
            Durability::Batched => theater_chain::Durability::Batched,
            Durability::Sync => theater_chain::Durability::Sync,
        },
        note: args.note.clone(),
        user: None,
        signer,
        log: Arc::new(Spoken),
        engine,
        revision: option_env!("THEATER_REVISION").unwrap_or("unknown").to_owned(),
        recreate_every: None,
    };
    Ok(Started { linked, options, dir })
}

/// Shows what actors log.
struct Spoken;

impl LogSink for Spoken {
    fn log(&self, actor: &ActorPath, text: &str) {
        print_log(actor, text);
    }
}

/// Turns a failure into the error to end with. A run in which no actor came to life is of no use and deleted.
fn explained(failure: Failure, dir: Option<&Path>) -> CliError {
    let error = failure.explained();
    let Some(dir) = dir else { return error };
    let chains = Run::open(dir).and_then(|run| run.chains());
    let is_usable = chains.is_ok_and(|chains| chains.iter().any(|chain| !recorded::is_runtime(chain.index)));
    if is_usable {
        return error.hint(format!("what was recorded until then is kept: theater verify {}", dir.display()));
    }
    match std::fs::remove_dir_all(dir) {
        Ok(()) => error,
        Err(left) => error.hint(format!("{} could not be deleted: {left}", dir.display())),
    }
}

fn report(args: &RunArgs, ended: &Ended, printer: Printer) -> Result<Outcome, CliError> {
    let Ended { closed, report, is_interrupted } = ended;
    if let Some(crash) = &report.crash {
        print_text(&crash.to_string().lines().map(clean).collect::<Vec<_>>().join("\n"));
    }
    if args.json {
        let mut out = printer.data();
        writeln!(out, "{}", object(ended)).and_then(|()| out.flush()).shown()?;
    } else if let Some(result) = &report.result {
        show_result(result, printer)?;
    }
    let (id, events, head) = (&closed.run_id, count(closed.events, "event"), closed.head);
    printer.note(format_args!("run {id}: {}, {events}, head {head}", exit::name(&report.reason)));
    Ok(match (is_interrupted, is_orderly(&report.reason)) {
        (true, _) => Outcome::Interrupted,
        (false, true) => Outcome::Fine,
        (false, false) => Outcome::Failed,
    })
}

/// Writes the result as it is; for a person, so that a terminal obeys none of it.
fn show_result(result: &[u8], printer: Printer) -> Result<(), CliError> {
    let mut out = printer.data();
    match (printer.is_terminal(), std::str::from_utf8(result)) {
        (false, _) => out.write_all(result).shown()?,
        (true, Ok(text)) => {
            for line in text.lines() {
                writeln!(out, "{}", clean(line)).shown()?;
            }
        }
        (true, Err(_)) => {
            printer.note(format_args!(
                "the result has {} that are no text; redirect stdout to keep them",
                count(result.len() as u64, "byte")
            ));
        }
    }
    out.flush().shown()
}

fn object(ended: &Ended) -> serde_json::Value {
    let Ended { closed, report, is_interrupted } = ended;
    let text = report.result.as_deref().and_then(|result| std::str::from_utf8(result).ok());
    json!({
        "schema": "theater.result.1",
        "run": closed.run_id,
        "actor": format!("{}#{}", report.actor, report.incarnation),
        "reason": exit::name(&report.reason),
        "detail": exit::detail(&report.reason),
        "interrupted": is_interrupted,
        "result": text,
        "result_hex": report.result.as_deref().map(hex),
        "crash": report.crash.as_ref().map(ToString::to_string),
        "events": closed.events,
        "head": closed.head.to_string(),
    })
}
