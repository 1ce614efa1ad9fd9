//! `theater run`: builds if need be, runs, records, and says how it ended.

use serde_json::json;
use theater::ActorSpec;
use theater::actor::is_orderly;

use crate::args::{Durability, RunArgs};
use crate::cmd::{Outcome, build};
use crate::drive::Ended;
use crate::home::Home;
use crate::launch::Launch;
use crate::link;
use crate::node::Places;
use crate::project::{self, Described};
use crate::ui::error::CliError;
use crate::ui::exit;
use crate::ui::printer::{Printer, print_crash};
use crate::ui::text::{count, hex};

pub(crate) fn run(args: &RunArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let Described { manifest, text, source, is_bare } = project::describe(&args.target, &args.grant)?;
    let state = match &args.state {
        Some(path) => Some(project::read_state(path)?),
        None => manifest.initial_state().map_err(|error| CliError::environment(error.to_string()))?,
    };
    let (_, wasm) = build::wasm_of(source, &home, printer)?;
    let may_have_children =
        !manifest.children.is_empty() || manifest.handlers.iter().any(|entry| entry.kind == "supervisor");
    let places = if may_have_children { Places::Many } else { Places::Few };
    let launch = Launch::new(&home, args.durability.into(), places)?;
    let spec = ActorSpec { manifest, manifest_text: text.into_bytes(), wasm, state };
    let linked = link::checked(launch.engine(), &theater_handlers::registry(), spec, is_bare)?;
    let ended = launch.run(&linked, args.note.clone(), args.keep, printer)?;
    report(args, &ended, printer)
}

impl From<Durability> for theater_chain::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Memory => Self::Memory,
            Durability::Batched => Self::Batched,
            Durability::Sync => Self::Sync,
        }
    }
}

fn report(args: &RunArgs, ended: &Ended, printer: Printer) -> Result<Outcome, CliError> {
    let Ended { closed, report, is_interrupted } = ended;
    if let Some(crash) = &report.crash {
        print_crash(crash);
    }
    if args.json {
        printer.object(&object(ended))?;
    } else if let Some(result) = &report.result {
        printer.bytes(result, "the result")?;
    }
    let (id, events, head) = (&closed.run_id, count(closed.events, "event"), closed.head);
    printer.note(format_args!("run {id}: {}, {events}, head {head}", exit::name(&report.reason)));
    Ok(match (is_interrupted, is_orderly(&report.reason)) {
        (true, _) => Outcome::Interrupted,
        (false, true) => Outcome::Fine,
        (false, false) => Outcome::Failed,
    })
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
