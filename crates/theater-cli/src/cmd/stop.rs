//! `theater stop` and `theater kill`: end an actor of a live run, or the run with its root.

use serde_json::json;

use crate::args::EndArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::live::{Connection, Sockets, choose};
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::ui::text::clean;

pub(crate) fn stop(args: &EndArgs, printer: Printer) -> Result<Outcome, CliError> {
    end(args, printer, Connection::stop)
}

pub(crate) fn kill(args: &EndArgs, printer: Printer) -> Result<Outcome, CliError> {
    end(args, printer, Connection::kill)
}

fn end(
    args: &EndArgs,
    printer: Printer,
    order: impl FnOnce(&Connection, &str) -> Result<(), CliError>,
) -> Result<Outcome, CliError> {
    let run = choose(&Sockets::of(&Home::locate()?), args.run.as_deref())?;
    order(&run, &args.actor)?;
    if args.json {
        let object = json!({"schema": "theater.ended.1", "run": run.run_id(), "actor": args.actor});
        printer.object(&object)?;
        return Ok(Outcome::Fine);
    }
    match args.actor.as_str() {
        "root" => printer.note(format_args!("the run {} has ended", run.run_id())),
        actor => printer.note(format_args!("{} of {} has ended", clean(actor), run.run_id())),
    }
    Ok(Outcome::Fine)
}
