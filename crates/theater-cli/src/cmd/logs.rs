//! `theater logs`: what the actors of a run logged, and how those ended that did not end well.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use pack_abi::Value;
use serde_json::json;
use theater::actor::is_orderly;
use theater::render::{self, Shown};
use theater_chain::{Event, Exit, Kind, NO_FUNCTION, Query, Run};

use crate::args::LogsArgs;
use crate::cmd::Outcome;
use crate::following::{self, Heard};
use crate::home::Home;
use crate::names::Names;
use crate::ui::error::CliError;
use crate::ui::pager::{Listing, Paging};
use crate::ui::printer::Printer;
use crate::ui::text::{Moment, clean, seconds};
use crate::{filter, recorded};

/// The function with which actors log.
const LOG: &str = "theater:simple/runtime.log";
/// Style of times.
const FAINT: Style = Style::new().dimmed();
/// Style of actors.
const ACTOR: Style = AnsiColor::Cyan.on_default();
/// Style of ends that are no good ones.
const FAILING: Style = AnsiColor::Red.on_default();

pub(crate) fn run(args: &LogsArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let dir = home.resolve(args.run.as_deref())?;
    let run = recorded::open(&dir)?;
    let is_paged = !args.no_pager && !args.json && !args.follow;
    let mut logs = Logs {
        names: Names::of(&run),
        listing: Listing::begin(printer, if is_paged { Paging::Auto } else { Paging::Never }),
        run_name: recorded::name(&dir),
        started_us: recorded::runtime_genesis(&run).map(|genesis| genesis.utc_us),
        actor: args.actor.clone(),
        is_json: args.json,
    };
    let outcome = if args.follow {
        following::follow(&dir, printer, |heard| {
            match heard {
                Heard::Event(event) => logs.hear(&event)?,
                Heard::Pause => logs.listing.flush()?,
            }
            Ok(true)
        })?
    } else {
        logs.all(&run, &dir)?;
        Outcome::Fine
    };
    logs.listing.end()?;
    Ok(outcome)
}

struct Logs<'r> {
    names: Names<'r>,
    listing: Listing,
    run_name: String,
    /// Wall clock of the start of the run, as the host claimed it.
    started_us: Option<u64>,
    actor: Option<String>,
    is_json: bool,
}

impl Logs<'_> {
    /// Reads the blocks in which something was logged or ended, and no others.
    fn all(&mut self, run: &Run, dir: &Path) -> Result<(), CliError> {
        let unreadable = |error| recorded::unreadable(dir, error);
        let chains = recorded::chains(dir, run)?;
        let mut functions = filter::functions_named(run, dir, |name| name == LOG)?;
        for chain in &chains {
            // An end is an event of no function.
            functions.entry(chain.index).or_default().insert(NO_FUNCTION);
        }
        let wanted = match &self.actor {
            Some(actor) => Some(recorded::chains_of(&chains, actor)?.into_iter().collect()),
            None => None,
        };
        let query = Query { chains: wanted, functions: Some(functions), ..Query::default() };
        for event in run.select(query.of_kinds(&[Kind::HostCall, Kind::HostRequest, Kind::Exit])) {
            self.hear(&event.map_err(unreadable)?)?;
        }
        Ok(())
    }

    fn hear(&mut self, event: &Event) -> Result<(), CliError> {
        self.names.learn(event);
        let Some((text, is_end)) = self.said(event) else { return Ok(()) };
        let label = self.names.actor(event.chain).to_owned();
        let is_of =
            |actor: &String| label == *actor || label.rsplit_once('#').is_some_and(|(path, _)| path == actor);
        if !self.actor.as_ref().is_none_or(is_of) {
            return Ok(());
        }
        if self.is_json {
            let object = json!({
                "schema": "theater.log.1",
                "run": self.run_name,
                "actor": label,
                "chain": event.chain.0,
                "seq": event.header.seq,
                "time_us": event.header.time_us,
                "utc_us": self.started_us.map(|started| started.saturating_add(event.header.time_us)),
                "end": is_end,
                "text": text,
            });
            return self.listing.line(&object.to_string());
        }
        let time = self.time(event.header.time_us);
        let label = clean(&label).into_owned();
        let style = if is_end { FAILING } else { Style::new() };
        for line in text.split('\n') {
            let line = clean(line);
            self.listing
                .line(&format!("{FAINT}{time}{FAINT:#} {ACTOR}[{label}]{ACTOR:#} {style}{line}{style:#}"))?;
        }
        Ok(())
    }

    /// Returns what an event says to people, and whether it is an end.
    fn said(&mut self, event: &Event) -> Option<(String, bool)> {
        if event.header.kind == Kind::Exit {
            let exit = Exit::decode(event.payload.output()?).ok()?;
            return (!is_orderly(&exit.reason)).then(|| (format!("ended: {}", exit.reason), true));
        }
        let is_call = matches!(event.header.kind, Kind::HostCall | Kind::HostRequest);
        if !is_call || self.names.function(event).as_deref() != Some(LOG) {
            return None;
        }
        Some((
            match render::input(event) {
                Shown::Value(Value::String(text)) => text.to_string(),
                other => other.to_string(),
            },
            false,
        ))
    }

    fn time(&self, time_us: u64) -> String {
        match self.started_us {
            Some(started) => Moment::millis(started.saturating_add(time_us) / 1000),
            None => seconds(time_us),
        }
    }
}
