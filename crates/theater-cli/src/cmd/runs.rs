//! `theater runs`: what was recorded in this home; nothing is deleted unasked.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;

use serde_json::json;
use theater_chain::{ChainIndex, ChainUse, ReadError, Run, RunStatus, RuntimeGenesis};

use crate::args::{RunsAction, RunsArgs};
use crate::cmd::Outcome;
use crate::home::Home;
use crate::recorded;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::text::{self, Moment, clean};

pub(crate) fn run(args: &RunsArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    match &args.action {
        None => list(&home, args.json, printer),
        Some(RunsAction::Rm { runs }) => {
            let mut ids = Vec::new();
            // All of them are looked up before the first is deleted.
            for word in runs {
                ids.push(home.resolve_id(word)?);
            }
            ids.sort();
            ids.dedup();
            delete(&home, &ids, printer)
        }
        Some(RunsAction::Prune { keep }) => {
            let mut ids = home.run_ids()?;
            ids.truncate(ids.len().saturating_sub(*keep));
            delete(&home, &ids, printer)
        }
    }
}

/// One run as the list shows it.
struct Listed {
    id: String,
    when: String,
    actor: String,
    events: u64,
    bytes: u64,
    is_closed: bool,
    outcome: String,
    note: String,
}

fn list(home: &Home, as_json: bool, printer: Printer) -> Result<Outcome, CliError> {
    let mut ids = home.run_ids()?;
    ids.reverse();
    let mut out = printer.data();
    if !as_json && !ids.is_empty() {
        writeln!(
            out,
            "{:<22}  {:<19}  {:<16}  {:>8}  {:>7}  OUTCOME",
            "RUN", "STARTED (UTC)", "ACTOR", "EVENTS", "SIZE"
        )
        .shown()?;
    }
    for id in ids {
        let run = look_at(&home.runs().join(&id), id);
        if as_json {
            let object = json!({
                "schema": "theater.run.1", "id": run.id, "started": run.when, "actor": run.actor, "events": run.events,
                "bytes": run.bytes, "closed": run.is_closed, "outcome": run.outcome, "note": run.note,
            });
            writeln!(out, "{object}").shown()?;
        } else {
            let note = if run.note.is_empty() { String::new() } else { format!("  ({})", run.note) };
            let rest = format!("{}{note}", run.outcome);
            writeln!(
                out,
                "{:<22}  {:<19}  {:<16}  {:>8}  {:>7}  {}",
                run.id,
                run.when,
                text::shorten(&clean(&run.actor), 16),
                run.events,
                text::bytes(run.bytes),
                text::shorten(&clean(&rest), 100)
            )
            .shown()?;
        }
    }
    out.flush().shown()?;
    Ok(Outcome::Fine)
}

/// Describes a run as far as it can be read; one that cannot is listed all the same.
fn look_at(dir: &Path, id: String) -> Listed {
    let bytes = tree_bytes(dir);
    let unknown = |outcome: String| Listed {
        id: id.clone(),
        when: String::new(),
        actor: String::new(),
        events: 0,
        bytes,
        is_closed: false,
        outcome,
        note: String::new(),
    };
    match read(dir) {
        Ok(run) => Listed { id: id.clone(), bytes, ..run },
        Err(error) => unknown(format!("unreadable: {error}")),
    }
}

fn read(dir: &Path) -> Result<Listed, ReadError> {
    let run = Run::open(dir)?;
    let uses = run.uses()?;
    let root = uses.iter().map(|used| used.chain).find(|chain| !recorded::is_runtime(*chain));
    let genesis = recorded::runtime_genesis(&run);
    let is_closed = run.status() == RunStatus::Closed;
    let outcome = match (run.status(), root) {
        (RunStatus::Incomplete { is_live: true }, _) => "running".to_owned(),
        (RunStatus::Incomplete { is_live: false }, _) => "incomplete".to_owned(),
        (RunStatus::Closed, Some(root)) => {
            recorded::exit(&run, root)?.map_or_else(|| "no exit".to_owned(), |exit| exit.reason.to_string())
        }
        (RunStatus::Closed, None) => "no actor".to_owned(),
    };
    let started = |genesis: &RuntimeGenesis| Moment::from_unix(genesis.utc_us / 1_000_000).readable();
    Ok(Listed {
        id: String::new(),
        when: genesis.as_ref().map_or_else(String::new, started),
        actor: root.and_then(|root| recorded_name(&run, root)).unwrap_or_default(),
        events: uses.iter().map(ChainUse::events).sum(),
        bytes: 0,
        is_closed,
        outcome,
        note: genesis.and_then(|genesis| genesis.note).unwrap_or_default(),
    })
}

/// Returns the name in the manifest of the root actor.
fn recorded_name(run: &Run, root: ChainIndex) -> Option<String> {
    let genesis = recorded::genesis(run, root)?;
    let manifest = run.blob(&genesis.manifest).ok()?;
    let table: toml::Table = String::from_utf8(manifest).ok()?.parse().ok()?;
    table.get("name")?.as_str().map(str::to_owned)
}

/// Says whether a process still writes the run.
fn is_live(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join("lock")) else { return false };
    matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

fn delete(home: &Home, ids: &[String], printer: Printer) -> Result<Outcome, CliError> {
    let mut freed = 0;
    let mut deleted = 0;
    for id in ids {
        let dir = home.runs().join(id);
        if is_live(&dir) {
            return Err(CliError::failed(format!("the run {id} is still being written"))
                .hint("stop it first (Ctrl-C where it runs), or name the others one by one"));
        }
        let bytes = tree_bytes(&dir);
        fs::remove_dir_all(&dir)
            .map_err(|error| CliError::io(format!("failed to delete {}", dir.display()), error))?;
        freed += bytes;
        deleted += 1;
        printer.detail(format_args!("deleted {id}"));
    }
    printer.note(format_args!("deleted {}, {}", text::count(deleted, "run"), text::bytes(freed)));
    Ok(Outcome::Fine)
}

/// Returns the bytes of all files below a folder; what vanishes meanwhile counts for nothing.
fn tree_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => tree_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
