//! `theater checkpoint`: the signed head of a run, or of the node's log.

use theater_chain::NodeLog;

use crate::args::CheckpointArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::{checkpoints, node, output};

pub(crate) fn run(args: &CheckpointArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let note = if args.log {
        let log = NodeLog::read(&home.log()).map_err(checkpoints::unusable_log)?;
        let note = log.note().cloned();
        note.ok_or_else(|| {
            CliError::environment("the node's log has no signed head yet").hint("the next run signs it")
        })?
    } else {
        let dir = home.resolve(args.run.as_deref())?;
        let note = checkpoints::of_run(&home, &dir, printer)?;
        // A run that was closed just before a crash is not in the log yet.
        let own = node::public_key(&home)?;
        if note.checkpoint.is_closed() && own.is_some_and(|own| note.is_signed_by(&own)) {
            checkpoints::log(&home, &note).map_err(checkpoints::unusable_log)?;
        }
        note
    };
    output::write(args.output.as_deref(), &note.to_string(), printer)?;
    Ok(Outcome::Fine)
}
