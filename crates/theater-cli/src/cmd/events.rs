//! `theater events`: what happened in a run, one line per event, in the order in which it was recorded.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use theater::render;
use theater_chain::{ChainIndex, Event, FunctionEntry, Genesis, Kind, Outcome as Ending, Run};

use crate::args::EventsArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::recorded;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::text::{clean, hex, nearest};

/// Characters of a line that nobody's terminal limits.
const WIDTH_DEFAULT: usize = 160;

/// Most characters of one half of a payload, unless all of it is asked for.
const HALF_MAX: usize = 4096;

pub(crate) fn run(args: &EventsArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(args.run.as_deref())?;
    let run = recorded::open(&dir)?;
    let filter = Filter::new(args, &dir, &run)?;
    let mut names = Names::default();
    let width = if args.full { usize::MAX } else { printer.width().unwrap_or(WIDTH_DEFAULT) };
    let mut out = printer.data();
    let mut left = args.limit.unwrap_or(usize::MAX);
    let run_name = recorded::name(&dir);
    let mut events = run.all_events();
    while left > 0 {
        let Some(event) = events.next() else { break };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                // What could be read was shown; the error comes after it.
                out.flush().shown()?;
                return Err(recorded::unreadable(&dir, error));
            }
        };
        names.learn(&event);
        let function = names.function(&event);
        if !filter.wants(&event, &function) {
            continue;
        }
        left -= 1;
        let line = match args.json {
            true => object(&event, &function, names.actor(&event), &run_name).to_string(),
            false => line(&event, &function, names.actor(&event), width),
        };
        writeln!(out, "{line}").shown()?;
    }
    out.flush().shown()?;
    Ok(Outcome::Fine)
}

/// Which events are wanted.
struct Filter {
    chains: Option<Vec<ChainIndex>>,
    function: Option<String>,
    kind: Option<Kind>,
    from: u64,
}

impl Filter {
    fn new(args: &EventsArgs, dir: &Path, run: &Run) -> Result<Self, CliError> {
        let chains = match &args.actor {
            Some(actor) => Some(recorded::chains_of(&recorded::chains(dir, run)?, actor)?),
            None => None,
        };
        let kind = args.kind.as_deref().map(kind_of).transpose()?;
        Ok(Self { chains, function: args.function.clone(), kind, from: args.from })
    }

    fn wants(&self, event: &Event, function: &str) -> bool {
        event.header.seq >= self.from
            && self.kind.is_none_or(|kind| event.header.kind == kind)
            && self.chains.as_ref().is_none_or(|chains| chains.contains(&event.chain))
            && self.function.as_deref().is_none_or(|wanted| function.contains(wanted))
    }
}

fn kind_of(name: &str) -> Result<Kind, CliError> {
    if let Some(kind) = Kind::ALL.iter().find(|kind| kind.name() == name) {
        return Ok(*kind);
    }
    let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let error = CliError::environment(format!("no kind of event is called `{name}`"));
    Err(match nearest(name, all.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the kinds are: {}", all.join(", "))),
    })
}

/// Names of actors and functions, by chain; learnt from each genesis as it passes.
#[derive(Default)]
struct Names {
    chains: BTreeMap<ChainIndex, (String, Vec<FunctionEntry>)>,
}

impl Names {
    fn learn(&mut self, event: &Event) {
        if event.header.kind != Kind::Genesis {
            return;
        }
        let genesis = event.payload.input().and_then(|input| Genesis::decode(input).ok());
        let known = match genesis {
            Some(genesis) => (format!("{}#{}", genesis.path, genesis.incarnation), genesis.functions),
            None if recorded::is_runtime(event.chain) => ("/".to_owned(), Vec::new()),
            // Its genesis was removed from the run, or is of a form that is not known.
            None => (format!("chain {}", event.chain), Vec::new()),
        };
        self.chains.insert(event.chain, known);
    }

    fn actor(&self, event: &Event) -> &str {
        self.chains.get(&event.chain).map_or("?", |(actor, _)| actor)
    }

    fn function(&self, event: &Event) -> String {
        let functions = self.chains.get(&event.chain).map_or(&[][..], |(_, functions)| functions);
        render::function_name(functions, event.header.function)
    }
}

fn line(event: &Event, function: &str, actor: &str, width: usize) -> String {
    let header = &event.header;
    let ending = match header.outcome {
        Ending::Ok => String::new(),
        other => format!(" [{other}]"),
    };
    let time = format!("{}.{:06}", header.time_us / 1_000_000, header.time_us % 1_000_000);
    let function = if function == "-" { String::new() } else { format!(" {function}") };
    // Paths and names come from the run, which may be anybody's.
    let (actor, function) = (clean(actor), clean(&function));
    let start = format!("{actor:<8} {:>5} {time:>10} {:<13}{function}", header.seq, header.kind.name());
    let most = width.saturating_sub(start.chars().count() + ending.chars().count() + 1);
    let values = clean(&values(event, if width == usize::MAX { usize::MAX } else { HALF_MAX })).into_owned();
    let values = if values.is_empty() { values } else { format!(" {}", render::shorten(&values, most)) };
    format!("{start}{values}{ending}")
}

fn values(event: &Event, most: usize) -> String {
    if let Some(summary) = render::summary(event) {
        return summary;
    }
    let half = |shown: render::Shown| {
        if most == usize::MAX { shown.to_string() } else { render::shorten(&shown, most) }
    };
    let (input, output) = (half(render::input(event)), half(render::output(event)));
    match (input.is_empty(), output.is_empty()) {
        (_, true) => input,
        (true, false) => format!("-> {output}"),
        (false, false) => format!("{input} -> {output}"),
    }
}

fn object(event: &Event, function: &str, actor: &str, run: &str) -> serde_json::Value {
    let header = &event.header;
    let shown = |shown: render::Shown| match shown {
        render::Shown::Nothing => None,
        shown => Some(shown.to_string()),
    };
    let value = |shown: render::Shown| match shown {
        render::Shown::Value(value) => json!(value),
        render::Shown::Nothing
        | render::Shown::Text(_)
        | render::Shown::Opaque(_)
        | render::Shown::Redacted => serde_json::Value::Null,
    };
    json!({
        "schema": "theater.event.1",
        "run": run,
        "actor": actor,
        "chain": event.chain.0,
        "seq": header.seq,
        "kind": header.kind.name(),
        "outcome": header.outcome.name(),
        "time_us": header.time_us,
        "fuel": header.fuel,
        "function": (function != "-").then_some(function),
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
