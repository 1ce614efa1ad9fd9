//! `theater call`: one function of any package, with arguments as a person writes them.

use std::io::Write;
use std::path::Path;

use pack::{Anatomy, Package};
use pack_abi::Value;
use serde_json::json;
use theater::actor::{CrashReport, ExitReport};
use theater::{ActorSpec, OneCall};
use theater_chain::{Durability, ExitReason};

use crate::args::CallArgs;
use crate::arguments::{self, Signature};
use crate::cmd::{Outcome, build};
use crate::description::Description;
use crate::drive::Ended;
use crate::home::Home;
use crate::launch::Launch;
use crate::link;
use crate::node::Places;
use crate::project::{self, Described};
use crate::ui::error::{CliError, Shown};
use crate::ui::exit;
use crate::ui::printer::{Printer, print_crash};
use crate::ui::text::{clean, count, hex, nearest};

/// Names that a message lists.
const LISTED: usize = 20;

pub(crate) fn run(args: &CallArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let described = project::describe(&args.target, &args.grant)?;
    let described = match args.fuel {
        Some(fuel) => described.with_fuel(&args.target, fuel)?,
        None => described,
    };
    let Described { manifest, text, source, is_bare } = described;
    let (path, wasm) = build::wasm_of(source, &home, printer)?;
    let durability = if args.record { Durability::Batched } else { Durability::Memory };
    let launch = Launch::new(&home, durability, Places::Few)?;
    let package = project::load(launch.engine(), &wasm, &path)?;
    let symbol = resolve(&package, &args.function, &path)?;
    let anatomy = Anatomy::read(&wasm)
        .map_err(|error| CliError::environment(format!("{} is damaged", path.display())).because(error))?;
    let description = Description::new(&package, &anatomy);
    let signature = Signature::find(&description, &symbol);
    let input = arguments::encode(&symbol, signature.as_ref(), &args.literals)?;
    let spec = ActorSpec { manifest, manifest_text: text.into_bytes(), wasm, state: None };
    let call = OneCall { symbol: symbol.clone(), input };
    let linked = link::checked_call(launch.engine(), &theater_handlers::registry(), (spec, is_bare), call)?;
    let ended = launch.run(&linked, args.note.clone(), false, printer)?;
    let came = Came::of(&ended.report);
    if args.record {
        let (id, events, head) =
            (&ended.closed.run_id, count(ended.closed.events, "event"), ended.closed.head);
        printer.note(format_args!("run {id}: {}, {events}, head {head}", exit::name(&ended.report.reason)));
    }
    show(args, (&symbol, came), &ended, printer)
}

/// Finds the export that is meant: by its symbol, or by the end of it that begins at a separator.
fn resolve(package: &Package, function: &str, path: &Path) -> Result<String, CliError> {
    let symbols: Vec<&str> = package.exports().iter().map(|export| export.symbol.as_str()).collect();
    if symbols.contains(&function) {
        return Ok(function.to_owned());
    }
    let is_meant = |symbol: &&&str| {
        let rest = symbol.strip_suffix(function).filter(|_| !function.is_empty());
        rest.is_some_and(|rest| rest.ends_with([':', '/', '.']))
    };
    let meant: Vec<&str> = symbols.iter().filter(is_meant).copied().collect();
    match meant.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(unknown(&symbols, function, path)),
        several => Err(CliError::environment(format!("`{function}` could be each of {}", listed(several)))
            .hint("give more of the name")),
    }
}

fn unknown(symbols: &[&str], function: &str, path: &Path) -> CliError {
    let error = CliError::environment(format!("{} does not export `{function}`", path.display()));
    if symbols.is_empty() {
        return error.hint("it exports no function that can be called");
    }
    let short = |symbol: &&str| symbol.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
    let names: Vec<String> = symbols.iter().map(short).collect();
    let near = nearest(function, symbols.iter().copied().chain(names.iter().map(String::as_str)));
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("it exports {}", listed(symbols))),
    }
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED);
    if more > 0 { format!("{}, and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// What came of a call.
enum Came<'r> {
    /// It returned this, which is not an `err`.
    Returned(Value),
    /// It returned this `err`.
    ReturnedErr(Value),
    /// It failed without a crash: the guest refused its arguments, or returned something that is no value.
    Refused(&'r str),
    /// It was ended: by a trap, a limit, a fault of the host, a person.
    Ended(Option<&'r CrashReport>),
}

impl<'r> Came<'r> {
    fn of(report: &'r ExitReport) -> Self {
        let answer = report.answer.as_deref().and_then(|answer| pack_abi::decode::<Value>(answer).ok());
        match (answer, &report.reason) {
            (Some(Value::Result(result)), ExitReason::Normal | ExitReason::Error(_))
                if result.value().is_err() =>
            {
                Self::ReturnedErr(Value::Result(result))
            }
            (Some(value), ExitReason::Normal) => Self::Returned(value),
            (_, ExitReason::Error(text)) => Self::Refused(text),
            (
                _,
                ExitReason::Normal
                | ExitReason::Shutdown
                | ExitReason::Trap(_)
                | ExitReason::Limit(_)
                | ExitReason::HostFault(_)
                | ExitReason::Killed
                | ExitReason::NoActor,
            ) => Self::Ended(report.crash.as_ref()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Returned(_) => "returned",
            Self::ReturnedErr(_) => "returned-err",
            Self::Refused(_) => "refused",
            Self::Ended(_) => "ended",
        }
    }

    fn value(&self) -> Option<&Value> {
        match self {
            Self::Returned(value) | Self::ReturnedErr(value) => Some(value),
            Self::Refused(_) | Self::Ended(_) => None,
        }
    }
}

fn show(
    args: &CallArgs,
    (symbol, came): (&str, Came<'_>),
    ended: &Ended,
    printer: Printer,
) -> Result<Outcome, CliError> {
    if let Came::Ended(Some(crash)) = &came {
        print_crash(crash);
    }
    let line = match (args.json, came.value()) {
        (true, _) => Some(object(args, (symbol, &came), ended).to_string()),
        (false, value) => value.map(|value| clean(&value.to_string()).into_owned()),
    };
    if let Some(line) = line {
        let mut out = printer.data();
        writeln!(out, "{line}").and_then(|()| out.flush()).shown()?;
    }
    match came {
        Came::Returned(_) => Ok(Outcome::Fine),
        Came::Refused(text) if !args.json => {
            Err(CliError::failed(format!("the call of `{symbol}` failed")).because(text.to_owned()))
        }
        Came::Ended(_) if ended.is_interrupted => Ok(Outcome::Interrupted),
        Came::Ended(None) if !args.json => Err(CliError::failed(format!("`{symbol}` did not return"))),
        Came::ReturnedErr(_) | Came::Refused(_) | Came::Ended(_) => Ok(Outcome::Failed),
    }
}

fn object(args: &CallArgs, (symbol, came): (&str, &Came<'_>), ended: &Ended) -> serde_json::Value {
    let Ended { closed, report, .. } = ended;
    let kept = |value: String| if args.record { json!(value) } else { json!(null) };
    json!({
        "schema": "theater.call.1",
        "function": symbol,
        "outcome": came.name(),
        "result": came.value().map(ToString::to_string),
        "result_value": came.value().map(|value| json!(value)),
        "result_hex": report.answer.as_deref().map(hex),
        "reason": exit::name(&report.reason),
        "detail": exit::detail(&report.reason),
        "crash": report.crash.as_ref().filter(|_| matches!(came, Came::Ended(_))).map(ToString::to_string),
        "run": kept(closed.run_id.clone()),
        "head": kept(closed.head.to_string()),
    })
}
