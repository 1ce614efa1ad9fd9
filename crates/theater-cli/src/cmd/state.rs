//! `theater state`: the state of an actor of a live run, as it is between two calls.

use std::time::Duration;

use pack_abi::Value;
use serde_json::json;

use crate::args::StateArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::live::{Sockets, choose};
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::ui::text::{clean, hex};

pub(crate) fn run(args: &StateArgs, printer: Printer) -> Result<Outcome, CliError> {
    let run = choose(&Sockets::of(&Home::locate()?), args.run.as_deref())?;
    let state = run.state(&args.actor, Duration::from_millis(args.timeout_ms))?;
    let held = match &state {
        Value::Option(option) => option.value(),
        other => Some(other),
    };
    if args.json {
        let bytes = match held {
            Some(Value::Bytes(bytes)) => Some(bytes),
            Some(_) | None => None,
        };
        let object = json!({
            "schema": "theater.state.1",
            "run": run.run_id(),
            "actor": args.actor,
            "state": bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()),
            "state_value": state,
            "state_hex": bytes.map(|bytes| hex(bytes)),
        });
        printer.object(&object)?;
        return Ok(Outcome::Fine);
    }
    match held {
        Some(Value::Bytes(bytes)) => printer.bytes(bytes, "the state")?,
        Some(value) => printer.bytes(value.to_string().as_bytes(), "the state")?,
        None => printer.note(format_args!("{} has no state", clean(&args.actor))),
    }
    Ok(Outcome::Fine)
}
