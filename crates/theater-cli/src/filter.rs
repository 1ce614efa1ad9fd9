//! Which events a command line asks for: what the index can answer, and what only their text does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use theater::render;
use theater_chain::{ChainIndex, Event, Kind, Query, Run};

use crate::args::{EventFilter, EventsArgs};
use crate::event_text;
use crate::names::Names;
use crate::recorded;
use crate::ui::error::CliError;
use crate::ui::span::{self, Span};
use crate::ui::text::nearest;

/// Wanted events.
pub(crate) struct Filter {
    pub(crate) query: Query,
    /// Part of the name of a function; in `query` too unless the run still grows.
    function: Option<String>,
    /// Path of an actor, or one life of it; in `query` too unless the run still grows.
    actor: Option<String>,
    /// Part of the text of an event.
    text: Option<String>,
}

impl Filter {
    /// Reads the filters of `theater events`. Of a run that is followed, actors and functions are yet to come.
    pub(crate) fn new(args: &EventsArgs, dir: &Path, run: &Run) -> Result<Self, CliError> {
        let EventFilter { actor, function, kind, since, until, grep, failing, from } = &args.filter;
        let mut query = Query {
            from_seq: *from,
            from_us: since.as_deref().map(micros).transpose()?.unwrap_or(0),
            until_us: until.as_deref().map(micros).transpose()?,
            failing_only: *failing,
            ..Query::default()
        };
        if !kind.is_empty() {
            query.kinds = Some(kind.iter().map(|name| kind_of(name)).collect::<Result<_, _>>()?);
        }
        if !args.follow {
            if let Some(actor) = actor {
                let chains = recorded::chains_of(&recorded::chains(dir, run)?, actor)?;
                query.chains = Some(chains.into_iter().collect());
            }
            if let Some(function) = function {
                query.functions = Some(functions_named(run, dir, |name| name.contains(function))?);
            }
        }
        Ok(Self { query, function: function.clone(), actor: actor.clone(), text: grep.clone() })
    }

    /// Says whether an event is wanted, whatever the query says of it.
    pub(crate) fn wants(&self, event: &Event, names: &mut Names<'_>) -> bool {
        if !self.query.wants(event.chain, &event.header) {
            return false;
        }
        let is_of = |actor: &String| {
            let label = names.actor(event.chain);
            label == actor || label.rsplit_once('#').is_some_and(|(path, _)| path == actor)
        };
        if !self.actor.as_ref().is_none_or(is_of) {
            return false;
        }
        let is_called = |wanted: &String| names.function(event).is_some_and(|name| name.contains(wanted));
        if !self.function.as_ref().is_none_or(is_called) {
            return false;
        }
        self.text.as_ref().is_none_or(|text| {
            names.function(event).is_some_and(|name| name.contains(text))
                || event_text::values(event, names, true).contains(text)
        })
    }
}

/// Returns the numbers of the functions with such a name, by chain.
pub(crate) fn functions_named(
    run: &Run,
    dir: &Path,
    is_meant: impl Fn(&str) -> bool,
) -> Result<BTreeMap<ChainIndex, BTreeSet<u32>>, CliError> {
    let mut names = Names::of(run);
    let mut meant = BTreeMap::new();
    for event in run.select(Query::default().of_kinds(&[Kind::Genesis])) {
        let event = event.map_err(|error| recorded::unreadable(dir, error))?;
        names.learn(&event);
        let functions = names.functions(event.chain);
        let numbers: BTreeSet<u32> = (0..)
            .take(functions.len())
            .filter(|number| is_meant(&render::function_name(functions, *number)))
            .collect();
        if !numbers.is_empty() {
            meant.insert(event.chain, numbers);
        }
    }
    Ok(meant)
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

fn micros(text: &str) -> Result<u64, CliError> {
    span::parse(text).map(Span::micros)
}
