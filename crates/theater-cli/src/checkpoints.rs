//! Checkpoints as the commands make and read them.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use theater_chain::{
    Checkpoint, Integrity, LogEntry, NodeLog, NodeLogError, Note, Report, RuntimeGenesis, VerifyOptions,
};

use crate::home::Home;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::{keyring, node, recorded};

/// A note is a few lines; witnesses add one each.
const NOTE_BYTES_MAX: u64 = 1 << 20;

/// Reads a checkpoint.
pub(crate) fn read(path: &Path) -> Result<Note, CliError> {
    let shown = path.display();
    let failed = |error| CliError::io(format!("failed to read {shown}"), error);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(NOTE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Note::parse(&bytes).map_err(|error| {
        CliError::environment(format!("{shown} is no checkpoint"))
            .because(error)
            .hint("`theater checkpoint -o FILE` writes one; it must be given whole and unchanged")
    })
}

/// Returns the checkpoint that closed a run, or signs the present head of one that goes on or was cut off.
pub(crate) fn of_run(home: &Home, dir: &Path, printer: Printer) -> Result<Note, CliError> {
    let options = VerifyOptions {
        keys: keyring::all(home)?.into_iter().map(|known| known.key).collect(),
        ..VerifyOptions::default()
    };
    if dir.is_dir() {
        sync(dir)?;
    }
    let report = recorded::verified(dir, options, printer)?;
    if let Integrity::Broken(fault) = &report.integrity {
        return Err(CliError::failed(format!(
            "the run {} is broken: no head of it is signed",
            dir.display()
        ))
        .because(fault.clone())
        .hint("`theater verify` says what is wrong with it"));
    }
    let written = written(dir)?;
    if let Some(note) = written.filter(|note| note.checkpoint.is_closed()) {
        return Ok(note);
    }
    let run = recorded::open(dir)?;
    let genesis = recorded::runtime_genesis(&run);
    let signer = node::signer(home)?;
    check_own(genesis.as_ref(), &report, &signer.public_key())?;
    let checkpoint = Checkpoint::of_run(&report.run_id, report.head, false);
    Ok(Note::new(checkpoint, Some(&signer)))
}

/// A signed head must not be lost with what it was made over.
fn sync(dir: &Path) -> Result<(), CliError> {
    let journal = dir.join("journal");
    let Ok(entries) = fs::read_dir(&journal) else { return Ok(()) };
    let last = entries.filter_map(Result::ok).map(|entry| entry.path()).max();
    let synced = last.map_or(Ok(()), |path| File::open(path)?.sync_all());
    synced.map_err(|error| CliError::io(format!("failed to sync {}", journal.display()), error))
}

fn written(dir: &Path) -> Result<Option<Note>, CliError> {
    let run = recorded::open(dir)?;
    let mut bytes = Vec::new();
    match run.files().open("checkpoint") {
        Ok(file) => {
            let read = file.take(NOTE_BYTES_MAX).read_to_end(&mut bytes);
            read.map_err(|error| CliError::io(format!("failed to read {}", dir.display()), error))?;
            Ok(Note::parse(&bytes).ok())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::io(format!("failed to read {}", dir.display()), error)),
    }
}

/// Only the node that recorded a run signs its heads.
fn check_own(
    genesis: Option<&RuntimeGenesis>,
    report: &Report,
    own: &theater_chain::PublicKey,
) -> Result<(), CliError> {
    let named = genesis.and_then(|genesis| genesis.node_key.as_deref());
    if named.is_none_or(|named| named == own.to_string()) {
        return Ok(());
    }
    let name = named.and_then(|named| named.split('+').next()).unwrap_or_default();
    Err(CliError::environment(format!(
        "run {} was recorded under the key {name}, not under this node's",
        report.run_id
    ))
    .hint("the node that recorded it can sign its head; `theater cosign` adds what a witness has seen"))
}

/// Adds a run that this node has closed to the node's log.
pub(crate) fn log(home: &Home, note: &Note) -> Result<u64, NodeLogError> {
    let signer = node::signer(home).map_err(|error| NodeLogError::Broken(error.to_string()))?;
    let run_id = note.checkpoint.run_id().unwrap_or_default().to_owned();
    NodeLog::append(&home.log(), &LogEntry { run_id, head: note.checkpoint.head }, &signer)
}

/// Returns the error for the node's log.
pub(crate) fn unusable_log(error: NodeLogError) -> CliError {
    match error {
        NodeLogError::Missing { .. } => {
            CliError::environment(error.to_string()).hint("the first run that this node finishes begins it")
        }
        NodeLogError::Io { path, source } => {
            CliError::io(format!("failed to use the node's log in {}", path.display()), source)
        }
        NodeLogError::Broken(_) | NodeLogError::OtherHead { .. } => CliError::failed(error.to_string())
            .hint("nothing is added to it; compare it with a copy, or move it away to begin another one"),
    }
}
