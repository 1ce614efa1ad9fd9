//! `theater runs`: what was recorded in this home; nothing is deleted unasked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use theater_chain::{ChainIndex, ChainUse, Note, ReadError, Run, RunStatus, RuntimeGenesis};

use crate::args::{PruneArgs, RunsAction, RunsArgs};
use crate::cmd::Outcome;
use crate::home::Home;
use crate::recorded;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::span;
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
            remove(&home, &ids, printer)
        }
        Some(RunsAction::Prune(args)) => prune(&home, args, printer),
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
    let bytes = recorded::tree_bytes(dir);
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

/// A run that is about to be deleted; nobody can write it as long as its lock is held.
struct Doomed {
    id: String,
    dir: PathBuf,
    bytes: u64,
    _lock: Option<File>,
}

/// What became of an attempt to get hold of a run.
enum Hold {
    Held(Doomed),
    /// A process writes it.
    Live,
}

fn hold(home: &Home, id: &str) -> Hold {
    let dir = home.runs().join(id);
    let lock = File::open(dir.join("lock")).ok();
    if lock.as_ref().is_some_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock))) {
        return Hold::Live;
    }
    let bytes = recorded::tree_bytes(&dir);
    Hold::Held(Doomed { id: id.to_owned(), dir, bytes, _lock: lock })
}

/// Deletes what is named, or nothing if one of them is being written.
fn remove(home: &Home, ids: &[String], printer: Printer) -> Result<Outcome, CliError> {
    let mut doomed = Vec::new();
    for id in ids {
        match hold(home, id) {
            Hold::Held(run) => doomed.push(run),
            Hold::Live => {
                return Err(CliError::failed(format!("the run {id} is still being written"))
                    .hint("stop it first (Ctrl-C where it runs), or name the others one by one"));
            }
        }
    }
    delete(home, doomed, printer)
}

/// Deletes the runs to which all conditions apply; without `--yes` it says which those are.
fn prune(home: &Home, args: &PruneArgs, printer: Printer) -> Result<Outcome, CliError> {
    let larger_than = args.larger_than.as_deref().map(span::parse_size).transpose()?;
    let older_than = args.older_than.as_deref().map(span::parse).transpose()?;
    let latest = older_than.map(|age| theater::clock::utc_us().saturating_sub(age.micros()));
    let mut ids = home.run_ids()?;
    ids.truncate(ids.len().saturating_sub(args.keep.unwrap_or(0)));
    let mut doomed = Vec::new();
    for id in ids {
        let run = match hold(home, &id) {
            Hold::Held(run) => run,
            Hold::Live => {
                printer.note(format_args!("{id} is being written and stays"));
                continue;
            }
        };
        let is_large = larger_than.is_none_or(|most| run.bytes > most);
        if is_large && latest.is_none_or(|latest| began_us(&run.dir).is_some_and(|began| began < latest)) {
            doomed.push(run);
        }
    }
    if args.yes {
        return delete(home, doomed, printer);
    }
    let mut out = printer.data();
    for run in &doomed {
        writeln!(out, "{}  {:>7}", run.id, text::bytes(run.bytes)).shown()?;
    }
    out.flush().shown()?;
    let freed = doomed.iter().map(|run| run.bytes).sum();
    let number = text::count(doomed.len() as u64, "run");
    printer.note(format_args!("nothing was deleted; with --yes, {number} would go, {}", text::bytes(freed)));
    Ok(Outcome::Fine)
}

/// Returns when a run began: as it says itself, or since when its folder has not changed.
fn began_us(dir: &Path) -> Option<u64> {
    if let Some(genesis) = Run::open(dir).ok().and_then(|run| recorded::runtime_genesis(&run)) {
        return Some(genesis.utc_us);
    }
    let changed = fs::metadata(dir).ok()?.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_micros()).ok()
}

fn delete(home: &Home, doomed: Vec<Doomed>, printer: Printer) -> Result<Outcome, CliError> {
    let (mut freed, mut deleted) = (0, 0);
    for run in doomed {
        remember(home, &run)?;
        fs::remove_dir_all(&run.dir)
            .map_err(|error| CliError::io(format!("failed to delete {}", run.dir.display()), error))?;
        freed += run.bytes;
        deleted += 1;
        printer.detail(format_args!("deleted {}", run.id));
    }
    printer.note(format_args!("deleted {}, {}", text::count(deleted, "run"), text::bytes(freed)));
    Ok(Outcome::Fine)
}

/// Keeps a line of a run that is deleted: its id, its latest signed head, when it went.
fn remember(home: &Home, run: &Doomed) -> Result<(), CliError> {
    let note = fs::read(run.dir.join("checkpoint")).ok().and_then(|bytes| Note::parse(&bytes).ok());
    let head = match &note {
        Some(note) if note.checkpoint.is_closed() => note.checkpoint.head.to_string(),
        Some(note) => format!("{} incomplete", note.checkpoint.head),
        None => "- incomplete".to_owned(),
    };
    let when = Moment::from_unix(theater::clock::utc_us() / 1_000_000).readable();
    let path = home.runs().join("deleted.txt");
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .and_then(|mut file| {
            file.write_all(format!("{} {head} deleted {when} UTC\n", run.id).as_bytes())?;
            file.sync_data()
        })
        .map_err(|error| CliError::io(format!("failed to write {}", path.display()), error))
}
