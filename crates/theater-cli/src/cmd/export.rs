//! `theater export`: a run in one file, with or without some of its payloads.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;
use theater_chain::{
    ChainIndex, ExportError, Exported, Header, Kind, Pattern, PatternError, Redacted, Run, RunStatus,
    Selection, export,
};

use crate::args::ExportArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::output::{self, Readers};
use crate::recorded;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

const WRITE_FAILED: &str = "failed to write the bundle";

pub(crate) fn run(args: &ExportArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(args.run.as_deref())?;
    let run = recorded::open(&dir)?;
    if run.status() == (RunStatus::Incomplete { is_live: true }) {
        return Err(CliError::environment(format!("{} is still being written", recorded::name(&dir)))
            .hint("wait for its end"));
    }
    let patterns = args.redact.iter().map(|text| text.parse()).collect::<Result<Vec<Pattern>, _>>();
    let patterns = patterns.map_err(|error| unselected(&dir, error))?;
    let kept = kept_chains(args, &dir, &run)?;
    let is_whole = patterns.is_empty() && kept.is_none();
    let mut file = output::create(&args.output, Readers::Owner)?;
    let written = write(&run, &dir, (&patterns, kept.as_deref()), &mut file);
    let (exported, removed) = match written {
        Ok(written) => written,
        Err(error) => {
            // Half a bundle is none; that it could not be written is the error to show.
            fs::remove_file(&args.output).ok();
            return Err(error);
        }
    };
    let mut out = printer.data();
    let path = args.output.display();
    if args.json {
        let object = json!({
            "schema": "theater.export.1",
            "run": recorded::name(&dir),
            "file": path.to_string(),
            "files": exported.files,
            "bytes": exported.bytes,
            "removed": removed,
            "has_secret": is_whole && run.hasher().is_some(),
        });
        writeln!(out, "{object}").shown()?;
    } else {
        let removed = if is_whole { String::new() } else { format!(", {removed} payloads removed") };
        writeln!(out, "{path}: {} bytes{removed}", exported.bytes).shown()?;
    }
    out.flush().shown()?;
    Ok(Outcome::Fine)
}

/// Returns the chains of the actors that are to be kept; none if all are.
fn kept_chains(args: &ExportArgs, dir: &Path, run: &Run) -> Result<Option<Vec<ChainIndex>>, CliError> {
    if args.actor.is_empty() {
        return Ok(None);
    }
    let chains = recorded::chains(dir, run)?;
    let found = args.actor.iter().map(|actor| recorded::chains_of(&chains, actor));
    Ok(Some(found.collect::<Result<Vec<_>, _>>()?.concat()))
}

/// Says whether a payload is kept. What the runtime says of itself goes along: who signs the run stands there.
fn is_kept(kept: Option<&[ChainIndex]>, chain: ChainIndex, header: &Header) -> bool {
    let is_runtimes = recorded::is_runtime(chain) && header.kind == Kind::Genesis;
    kept.is_none_or(|kept| kept.contains(&chain)) || is_runtimes
}

fn write(
    run: &Run,
    dir: &Path,
    (patterns, kept): (&[Pattern], Option<&[ChainIndex]>),
    file: &mut File,
) -> Result<(Exported, u64), CliError> {
    let failed = |error| match error {
        ExportError::Read(error) => recorded::unreadable(dir, error),
        ExportError::Write(error) => CliError::io(WRITE_FAILED, error),
        ExportError::TooLarge { .. } | ExportError::TooMany => {
            CliError::environment(format!("failed to export {}", recorded::name(dir))).because(error)
        }
    };
    let mut to = BufWriter::with_capacity(256 << 10, file);
    let written = if patterns.is_empty() && kept.is_none() {
        (export(run.files(), &mut to).map_err(failed)?, 0)
    } else {
        let selection = Selection::find(run.files(), patterns).map_err(|error| unselected(dir, error))?;
        let keeps =
            |chain, header: &Header| is_kept(kept, chain, header) && !selection.contains(chain, header);
        let redacted =
            Redacted::new(run.files(), &keeps).map_err(|error| recorded::unreadable(dir, error))?;
        (export(&redacted, &mut to).map_err(failed)?, redacted.removed())
    };
    let synced = to.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all());
    synced.map_err(|error| CliError::io(WRITE_FAILED, error))?;
    Ok(written)
}

fn unselected(dir: &Path, error: PatternError) -> CliError {
    match error {
        PatternError::Read(error) => recorded::unreadable(dir, error),
        error => CliError::environment(error.to_string()).hint(
            "name an actor's path or a function as `theater events` prints it; `*` stands for any text",
        ),
    }
}
