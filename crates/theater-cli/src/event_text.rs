//! One event as a line for people, or as a JSON object that loses nothing.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};
use pack_abi::Value;
use serde_json::json;
use theater::render::{self, Shown};
use theater_chain::{Event, Kind, Outcome};

use crate::names::Names;
use crate::ui::text::{clean, hex, seconds};

/// Most characters of one half of a payload, unless all of it is asked for.
const HALF_MAX: usize = 4096;
/// Style of what matters less.
const FAINT: Style = Style::new().dimmed();
/// Style of actors.
const ACTOR: Style = AnsiColor::Cyan.on_default();
/// Style of what did not end well.
const FAILING: Style = AnsiColor::Red.on_default();

/// Returns an event as one line of at most so many characters.
pub(crate) fn line(event: &Event, names: &mut Names<'_>, width: usize) -> String {
    let header = &event.header;
    let ending = match header.outcome {
        Outcome::Ok => String::new(),
        other => format!(" [{other}]"),
    };
    let function = names.function(event).map_or_else(String::new, |function| format!(" {function}"));
    let values = values(event, names, width == usize::MAX);
    // Paths and names come from the run, which may be anybody's.
    let (actor, function) = (clean(names.actor(event.chain)).into_owned(), clean(&function));
    let (seq, time, kind) = (header.seq, seconds(header.time_us), header.kind.name());
    let plain = format!("{actor:<8} {seq:>5} {time:>10} {kind:<13}{function}");
    let most = width.saturating_sub(plain.chars().count() + ending.chars().count() + 1);
    let values = clean(&values).into_owned();
    let values = if values.is_empty() { values } else { format!(" {}", render::shorten(&values, most)) };
    let style =
        if header.outcome == Outcome::Ok && header.kind != Kind::Trap { Style::new() } else { FAILING };
    format!(
        "{ACTOR}{actor:<8}{ACTOR:#} {seq:>5} {FAINT}{time:>10}{FAINT:#} {style}{kind:<13}{style:#}{function}{values}{style}{ending}{style:#}"
    )
}

/// Returns both halves of the payload as text, or what is said of the event instead.
pub(crate) fn values(event: &Event, names: &mut Names<'_>, is_full: bool) -> String {
    if let Some(summary) = render::summary(event) {
        return summary;
    }
    let half = |shown: &dyn Display| {
        if is_full { shown.to_string() } else { render::shorten(shown, HALF_MAX) }
    };
    let names_of = if takes_arguments(event.header.kind) { names.parameters(event) } else { None };
    let input = half(&Arguments { shown: render::input(event), names: names_of.unwrap_or_default() });
    let output = half(&render::output(event));
    match (input.is_empty(), output.is_empty()) {
        (_, true) => input,
        (true, false) => format!("-> {output}"),
        (false, false) => format!("{input} -> {output}"),
    }
}

/// Says whether the input of an event is what a function is called with.
const fn takes_arguments(kind: Kind) -> bool {
    matches!(kind, Kind::Call | Kind::Exchange | Kind::HostCall | Kind::HostRequest)
}

/// Arguments, with the names of their parameters where they are known.
struct Arguments {
    shown: Shown,
    names: Vec<String>,
}

impl Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.shown, self.names.as_slice()) {
            (Shown::Value(Value::Tuple(items)), names) if !names.is_empty() && names.len() == items.len() => {
                for (place, (name, item)) in names.iter().zip(items.iter()).enumerate() {
                    f.write_str(if place == 0 { "(" } else { ", " })?;
                    write!(f, "{name}: {item}")?;
                }
                f.write_str(")")
            }
            (Shown::Value(value), [name]) => write!(f, "({name}: {value})"),
            (shown, _) => shown.fmt(f),
        }
    }
}

/// Returns an event as JSON.
pub(crate) fn object(event: &Event, names: &mut Names<'_>, run: &str) -> serde_json::Value {
    let header = &event.header;
    let shown = |shown: Shown| match shown {
        Shown::Nothing => None,
        shown => Some(shown.to_string()),
    };
    let value = |shown: Shown| match shown {
        Shown::Value(value) => json!(value),
        Shown::Nothing | Shown::Text(_) | Shown::Opaque(_) | Shown::Redacted => serde_json::Value::Null,
    };
    json!({
        "schema": "theater.event.1",
        "run": run,
        "actor": names.actor(event.chain),
        "chain": event.chain.0,
        "seq": header.seq,
        "kind": header.kind.name(),
        "outcome": header.outcome.name(),
        "time_us": header.time_us,
        "fuel": header.fuel,
        "function": names.function(event),
        "parameters": if takes_arguments(header.kind) { names.parameters(event) } else { None },
        "input": shown(render::input(event)),
        "output": shown(render::output(event)),
        "input_value": value(render::input(event)),
        "output_value": value(render::output(event)),
        "summary": render::summary(event),
        "input_hex": event.payload.input().map(hex),
        "output_hex": event.payload.output().map(hex),
        "batch": event.batch,
        "previous": event.previous.to_string(),
        "hash": event.hash.to_string(),
    })
}
