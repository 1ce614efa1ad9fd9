//! `theater send` and `theater ask`: messages to the actors of a live run.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::args::{AskArgs, MessageArgs, SendArgs};
use crate::cmd::Outcome;
use crate::home::Home;
use crate::live::{Connection, MESSAGE_BYTES_MAX, Sockets, choose};
use crate::project::read_input;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::ui::text::{clean, count, hex};

pub(crate) fn send(args: &SendArgs, printer: Printer) -> Result<Outcome, CliError> {
    let (run, data) = ready(&args.message)?;
    run.send(&args.message.actor, &data)?;
    if args.json {
        let object = json!({
            "schema": "theater.sent.1",
            "run": run.run_id(),
            "actor": args.message.actor,
            "bytes": data.len(),
        });
        printer.object(&object)?;
    } else {
        let (size, run) = (count(data.len() as u64, "byte"), run.run_id());
        printer.detail(format_args!("sent {size} to {} of {run}", clean(&args.message.actor)));
    }
    Ok(Outcome::Fine)
}

pub(crate) fn ask(args: &AskArgs, printer: Printer) -> Result<Outcome, CliError> {
    let (run, data) = ready(&args.message)?;
    let answer = run.ask(&args.message.actor, &data, Duration::from_millis(args.timeout_ms))?;
    if args.json {
        let text = std::str::from_utf8(&answer).ok();
        let object = json!({
            "schema": "theater.answer.1",
            "run": run.run_id(),
            "actor": args.message.actor,
            "answer": text,
            "answer_hex": hex(&answer),
        });
        printer.object(&object)?;
    } else {
        printer.bytes(&answer, "the answer")?;
    }
    Ok(Outcome::Fine)
}

/// Finds the run and reads the message, in this order: what is typed is not to be lost.
fn ready(args: &MessageArgs) -> Result<(Connection, Vec<u8>), CliError> {
    let run = choose(&Sockets::of(&Home::locate()?), args.run.as_deref())?;
    Ok((run, data(args)?))
}

fn data(args: &MessageArgs) -> Result<Vec<u8>, CliError> {
    match (&args.file, args.text.as_deref()) {
        (Some(path), _) => read_input(path, "a message", MESSAGE_BYTES_MAX),
        (None, Some("-")) => read_input(Path::new("-"), "a message", MESSAGE_BYTES_MAX),
        (None, text) => Ok(text.unwrap_or_default().as_bytes().to_vec()),
    }
}
