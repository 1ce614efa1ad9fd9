//! Recorded runs as the commands see them: opened, named, with errors that say what to do.

use std::path::Path;

use theater_chain::{
    ChainIndex, ChainSummary, Event, Exit, Genesis, Kind, Query, ReadError, Report, Run, RuntimeGenesis,
    VerifyOptions, verify,
};

use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::ui::progress::Progress;
use crate::ui::text::nearest;

/// Opens a run.
pub(crate) fn open(dir: &Path) -> Result<Run, CliError> {
    Run::open(dir).map_err(|error| unreadable(dir, error))
}

/// Returns the error for a run that cannot be read.
pub(crate) fn unreadable(dir: &Path, error: ReadError) -> CliError {
    let hint = match &error {
        ReadError::Io { .. } => None,
        ReadError::Bundle(_) => {
            Some("a bundle is read only as it was exported; a repacked one can be unpacked and named")
        }
        ReadError::NotARun(_) => Some("`theater runs` lists the runs of this home"),
        ReadError::Newer { .. } => Some("read it with the version of theater that wrote it, or a newer one"),
        ReadError::Truncated(_) | ReadError::Faulty(_) => {
            Some("`theater verify` says how much of it is intact")
        }
    };
    let unreadable =
        CliError::environment(format!("the run {} cannot be read", dir.display())).because(error);
    match hint {
        Some(hint) => unreadable.hint(hint),
        None => unreadable,
    }
}

/// Verifies the run in a directory or a bundle, and shows a person how far that is.
pub(crate) fn verified(dir: &Path, options: VerifyOptions<'_>, printer: Printer) -> Result<Report, CliError> {
    let bar = Progress::begin(printer, "verifying", 0, "segments");
    let progress = |done: theater_chain::Progress| {
        bar.reach(u64::from(done.segments), u64::from(done.segments_total));
    };
    let options = VerifyOptions { progress: Some(&progress), ..options };
    verify(dir, &options).map_err(|error| unreadable(dir, error))
}

/// Says whether a folder looks like a run.
pub(crate) fn is_run(dir: &Path) -> bool {
    dir.join("journal").is_dir() && !dir.join(crate::project::MANIFEST).exists()
}

/// Says whether a file is called a bundle.
pub(crate) fn is_named_as_bundle(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "theater")
}

/// Returns the name by which people know a run.
pub(crate) fn name(dir: &Path) -> String {
    dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Returns the chains of a run.
pub(crate) fn chains(dir: &Path, run: &Run) -> Result<Vec<ChainSummary>, CliError> {
    run.chains().map_err(|error| unreadable(dir, error))
}

/// Returns what the runtime said of itself when the run began.
pub(crate) fn runtime_genesis(run: &Run) -> Option<RuntimeGenesis> {
    RuntimeGenesis::decode(first(run, ChainIndex(0))?.payload.input()?).ok()
}

/// Returns what the chain of an actor begins with.
pub(crate) fn genesis(run: &Run, chain: ChainIndex) -> Option<Genesis> {
    Genesis::decode(first(run, chain)?.payload.input()?).ok()
}

fn first(run: &Run, chain: ChainIndex) -> Option<Event> {
    run.select(Query::of_chain(chain).of_kinds(&[Kind::Genesis])).next()?.ok()
}

/// Returns how a chain ended, if it did and that was not removed.
pub(crate) fn exit(run: &Run, chain: ChainIndex) -> Result<Option<Exit>, ReadError> {
    let last = run.last(&Query::of_chain(chain).of_kinds(&[Kind::Exit]), 1, |_| true)?;
    Ok(last.first().and_then(|event| Exit::decode(event.payload.output()?).ok()))
}

/// Returns `root#1`, or `/` for the runtime's own chain.
pub(crate) fn label(chain: &ChainSummary) -> String {
    let path = chain.path.as_deref().unwrap_or("?");
    if is_runtime(chain.index) { path.to_owned() } else { format!("{path}#{}", chain.incarnation) }
}

/// Says whether a chain is the runtime's own, `/`, and no actor's.
pub(crate) fn is_runtime(chain: ChainIndex) -> bool {
    chain == ChainIndex(0)
}

/// Returns the chains of an actor, or of one life of it.
pub(crate) fn chains_of(chains: &[ChainSummary], actor: &str) -> Result<Vec<ChainIndex>, CliError> {
    let is_meant = |chain: &&ChainSummary| chain.path.as_deref() == Some(actor) || label(chain) == actor;
    let found: Vec<ChainIndex> = chains.iter().filter(is_meant).map(|chain| chain.index).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let all: Vec<String> = chains.iter().map(label).collect();
    let error = CliError::environment(format!("there is no actor `{actor}` in this run"));
    Err(match nearest(actor, chains.iter().filter_map(|chain| chain.path.as_deref())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("its actors are: {}", all.join(", "))),
    })
}

/// Returns the bytes of all files below a folder; what vanishes meanwhile counts for nothing.
pub(crate) fn tree_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => tree_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
