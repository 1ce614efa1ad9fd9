//! `theater send` and `theater ask`: messages to the actors of a live run.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::args::{AskArgs, MessageArgs};
use crate::cmd::Outcome;
use crate::home::Home;
use crate::live::{Connection, MESSAGE_BYTES_MAX, Sockets, choose};
use crate::project::read_input;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::text::{count, hex};

pub(crate) fn send(args: &MessageArgs, printer: Printer) -> Result<Outcome, CliError> {
    let (run, data) = ready(args)?;
    run.send(&args.actor, &data)?;
    printer.detail(format_args!(
        "sent {} to {} of {}",
        count(data.len() as u64, "byte"),
        args.actor,
        run.run_id()
    ));
    Ok(Outcome::Fine)
}

pub(crate) fn ask(args: &AskArgs, printer: Printer) -> Result<Outcome, CliError> {
    let (run, data) = ready(&args.message)?;
    let answer = run.ask(&args.message.actor, &data, Duration::from_millis(args.timeout_ms))?;
    let mut out = printer.data();
    if args.json {
        let text = std::str::from_utf8(&answer).ok();
        let object = json!({
            "schema": "theater.answer.1",
            "run": run.run_id(),
            "actor": args.message.actor,
            "answer": text,
            "answer_hex": hex(&answer),
        });
        writeln!(out, "{object}").shown()?;
        out.flush().shown()?;
        return Ok(Outcome::Fine);
    }
    drop(out);
    printer.bytes(&answer, "the answer")?;
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
