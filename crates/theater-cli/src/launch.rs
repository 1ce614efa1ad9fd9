//! Readies a run and drives it to its end: the engine, its name and folder, its options.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pack::Engine;
use theater::actor::{ActorPath, ExitReport, LogSink};
use theater::{Linked, RuntimeOptions, clock, entropy};
use theater_chain::{Durability, LogEntry, NodeLog, Run, Signer};

use crate::children::Projects;
use crate::drive::{Ended, Failure, Reach, drive};
use crate::home::{Home, run_id};
use crate::live::Sockets;
use crate::node::Places;
use crate::ui::error::CliError;
use crate::ui::printer::{Printer, print_crash, print_log};
use crate::ui::text::clean;
use crate::{checkpoints, node, recorded};

/// What is decided before anything is linked.
pub(crate) struct Launch<'h> {
    home: &'h Home,
    engine: Engine,
    signer: Option<Signer>,
    durability: Durability,
}

impl<'h> Launch<'h> {
    /// Makes the engine. A run that is not kept needs no home, so that one that cannot be written does not stand in
    /// its way.
    pub(crate) fn new(home: &'h Home, durability: Durability, places: Places) -> Result<Self, CliError> {
        let is_kept = durability != Durability::Memory;
        let signer = if is_kept { Some(node::signer(home)?) } else { None };
        let engine = match &signer {
            Some(signer) => node::engine_with_cache(home, signer, places)?,
            // A cache that cannot be used costs time and nothing else.
            None => node::engine_for_reading(home).or_else(|_| node::engine())?,
        };
        Ok(Self { home, engine, signer, durability })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs what was linked to its end.
    pub(crate) fn run(
        self,
        linked: &Linked,
        note: Option<String>,
        is_kept: bool,
        printer: Printer,
    ) -> Result<Ended, CliError> {
        let random = entropy::bytes()
            .map_err(|error| CliError::environment("failed to name the run").because(error))?;
        let (run_id, dir) = if self.durability == Durability::Memory {
            (run_id(clock::utc_us(), u64::from_le_bytes(random)), None)
        } else {
            let (id, dir) = self.home.new_run(clock::utc_us(), random)?;
            (id, Some(dir))
        };
        let (home, signer) = (self.home, self.signer.clone());
        let options = self.options(run_id, dir.clone().unwrap_or_default(), (note, printer));
        let executor = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| CliError::io("failed to start threads", error))?;
        let reach = Reach { sockets: Sockets::of(home), is_kept };
        let ended = executor.block_on(drive(linked, options, &reach, printer));
        if let (Ok(ended), Some(signer), Some(_)) = (&ended, signer, &dir) {
            log(home, ended, &signer, printer);
        }
        // What still runs belongs to an actor that nobody waits for any more; its journal is to be let go of. Whoever
        // ended the run from outside hears of it now.
        executor.shutdown_timeout(Duration::from_secs(1));
        ended.map_err(|failure| explained(failure, dir.as_deref()))
    }

    fn options(
        self,
        run_id: String,
        run_dir: PathBuf,
        (note, printer): (Option<String>, Printer),
    ) -> RuntimeOptions {
        RuntimeOptions {
            run_id,
            run_dir,
            durability: self.durability,
            note,
            user: None,
            signer: self.signer,
            log: Arc::new(Spoken(printer)),
            engine: self.engine,
            revision: option_env!("THEATER_REVISION").unwrap_or("unknown").to_owned(),
            packages: Arc::new(Projects { home: self.home.clone(), printer }),
            recreate_every: None,
        }
    }
}

/// Adds the run to the node's log. The run is closed and signed whatever comes of it.
fn log(home: &Home, ended: &Ended, signer: &Signer, printer: Printer) {
    let entry = LogEntry { run_id: ended.closed.run_id.clone(), head: ended.closed.head };
    if let Err(error) = NodeLog::append(&home.log(), &entry, signer) {
        let error = checkpoints::unusable_log(error);
        let id = &entry.run_id;
        printer.warn(format_args!(
            "the run is not in the node's log; `theater checkpoint {id}` adds it\n  {error}"
        ));
    }
}

/// Shows what actors log.
struct Spoken(Printer);

impl LogSink for Spoken {
    fn log(&self, actor: &ActorPath, text: &str) {
        print_log(actor, text);
    }

    fn warn(&self, actor: &ActorPath, text: &str) {
        self.0.warn(format_args!("{actor}: {}", clean(text)));
    }

    fn ended(&self, report: &ExitReport) {
        // That of the root is shown when the run is over.
        if let Some(crash) = &report.crash
            && report.actor != ActorPath::root()
        {
            print_crash(crash);
        }
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
