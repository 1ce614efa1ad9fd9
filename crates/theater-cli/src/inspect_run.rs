//! `theater inspect RUN`: the actors of a run as a tree, how they ended, and what each of them did.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use theater::render;
use theater_chain::{ChainSummary, FunctionUse, Kind, NO_FUNCTION, Run, RunStatus, RuntimeGenesis};

use crate::names::Names;
use crate::recorded;
use crate::ui::error::CliError;
use crate::ui::exit;
use crate::ui::text::{Moment, bytes, clean, count, large, seconds};

/// A run and its actors.
pub(crate) struct Inspected {
    name: String,
    status: RunStatus,
    genesis: Option<RuntimeGenesis>,
    /// Bytes of the files of the run, or of the bundle.
    size: u64,
    /// Parents before their children.
    chains: Vec<Placed>,
}

struct Placed {
    depth: usize,
    chain: ChainSummary,
    /// Names of its functions.
    functions: Vec<(String, FunctionUse)>,
}

impl Inspected {
    /// Reads a run as far as it takes to describe it.
    pub(crate) fn read(dir: &Path) -> Result<Self, CliError> {
        let run = recorded::open(dir)?;
        let chains = recorded::chains(dir, &run)?;
        let mut names = Names::of(&run);
        for event in run.select(theater_chain::Query::default().of_kinds(&[Kind::Genesis])) {
            names.learn(&event.map_err(|error| recorded::unreadable(dir, error))?);
        }
        let size = match std::fs::metadata(dir) {
            Ok(file) if file.is_file() => file.len(),
            _ => recorded::tree_bytes(dir),
        };
        Ok(Self {
            name: recorded::name(dir),
            status: run.status(),
            genesis: recorded::runtime_genesis(&run),
            size,
            chains: placed(chains, &run, &mut names),
        })
    }

    fn state(&self) -> &'static str {
        match self.status {
            RunStatus::Closed => "closed",
            RunStatus::Incomplete { is_live: true } => "running",
            RunStatus::Incomplete { is_live: false } => "incomplete: it was not recorded to its end",
        }
    }

    fn events(&self) -> u64 {
        self.chains.iter().map(|placed| placed.chain.events).sum()
    }

    /// Returns the word for how an actor is.
    fn state_of(&self, chain: &ChainSummary) -> &'static str {
        match (&chain.exit, self.status) {
            (Some(reason), _) => exit::name(reason),
            (None, _) if chain.used.of_kind(Kind::Exit) > 0 => "ended",
            (None, RunStatus::Incomplete { is_live: true }) => "running",
            (None, RunStatus::Closed) if recorded::is_runtime(chain.index) => "closed",
            (None, RunStatus::Closed | RunStatus::Incomplete { .. }) => "unfinished",
        }
    }

    /// Describes it for people.
    pub(crate) fn report(&self) -> String {
        let mut text = String::new();
        let mut fact = |name: &str, what: &str| text.push_str(&format!("{name:<9} {}\n", clean(what)));
        fact("run", &format!("{}, {}", self.name, self.state()));
        if let Some(genesis) = &self.genesis {
            fact("started", &format!("{} UTC", Moment::from_unix(genesis.utc_us / 1_000_000).readable()));
            fact("theater", &format!("{} on {} {}", genesis.version, genesis.os, genesis.arch));
            if let Some(note) = &genesis.note {
                fact("note", note);
            }
        }
        let actors = self.actors().count() as u64;
        fact(
            "size",
            &format!("{}, {}, {}", count(actors, "actor"), count(self.events(), "event"), bytes(self.size)),
        );
        if actors > 0 {
            text.push_str(&format!(
                "\n{:<32} {:<11} {:>9} {:>8} {:>8} {:>8}  TIME\n",
                "ACTOR", "STATE", "EVENTS", "IN", "OUT", "FUEL"
            ));
        }
        for placed in self.actors() {
            text.push_str(&self.actor_text(placed));
        }
        text
    }

    fn actors(&self) -> impl Iterator<Item = &Placed> {
        self.chains.iter().filter(|placed| !recorded::is_runtime(placed.chain.index))
    }

    fn actor_text(&self, placed: &Placed) -> String {
        let Placed { depth, chain, functions } = placed;
        let total = total(functions);
        let label = format!("{:indent$}{}", "", clean(&recorded::label(chain)), indent = 2 * depth);
        let mut text = format!(
            "{label:<32} {:<11} {:>9} {:>8} {:>8} {:>8}  {} to {} s\n",
            self.state_of(chain),
            chain.events,
            bytes(total.input_bytes),
            bytes(total.output_bytes),
            large(total.fuel),
            seconds(chain.used.first_us),
            seconds(chain.used.last_us),
        );
        let indent = 2 * depth + 4;
        if let Some(detail) = chain.exit.as_ref().and_then(exit::detail) {
            text.push_str(&format!("{:indent$}{}\n", "", clean(detail.lines().next().unwrap_or_default())));
        }
        for (name, used) in functions.iter().filter(|(_, used)| used.calls > 0) {
            let failed = match used.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            let name = clean(name);
            text.push_str(&format!("{:indent$}{name}  {}{failed}\n", "", count(used.calls, "call")));
        }
        text
    }

    /// Describes it for programs.
    pub(crate) fn object(&self) -> Value {
        json!({
            "schema": "theater.inspect.1",
            "run": self.name,
            "closed": self.status == RunStatus::Closed,
            "live": self.status == (RunStatus::Incomplete { is_live: true }),
            "started_us": self.genesis.as_ref().map(|genesis| genesis.utc_us),
            "version": self.genesis.as_ref().map(|genesis| &genesis.version),
            "note": self.genesis.as_ref().and_then(|genesis| genesis.note.as_ref()),
            "bytes": self.size,
            "events": self.events(),
            "chains": self.chains.iter().map(|placed| self.chain_object(placed)).collect::<Vec<_>>(),
        })
    }

    fn chain_object(&self, placed: &Placed) -> Value {
        let Placed { chain, functions, .. } = placed;
        let total = total(functions);
        let kinds: serde_json::Map<String, Value> =
            Kind::ALL.iter().map(|kind| (kind.name().to_owned(), json!(chain.used.of_kind(*kind)))).collect();
        let used = |(name, used): &(String, FunctionUse)| {
            json!({
                "function": name, "calls": used.calls, "failed": used.failed, "input_bytes": used.input_bytes,
                "output_bytes": used.output_bytes, "fuel": used.fuel,
            })
        };
        let named = |(_, used): &&(String, FunctionUse)| used.function != NO_FUNCTION;
        json!({
            "chain": chain.index.0,
            "actor": recorded::label(chain),
            "parent": chain.parent,
            "id": chain.id.to_string(),
            "head": chain.head.to_string(),
            "state": self.state_of(chain),
            "detail": chain.exit.as_ref().and_then(exit::detail),
            "events": chain.events,
            "kinds": kinds,
            "input_bytes": total.input_bytes,
            "output_bytes": total.output_bytes,
            "fuel": total.fuel,
            "first_us": chain.used.first_us,
            "last_us": chain.used.last_us,
            "functions": functions.iter().filter(named).map(used).collect::<Vec<_>>(),
        })
    }
}

fn total(functions: &[(String, FunctionUse)]) -> FunctionUse {
    functions.iter().fold(FunctionUse::default(), |total, (_, used)| FunctionUse {
        input_bytes: total.input_bytes + used.input_bytes,
        output_bytes: total.output_bytes + used.output_bytes,
        fuel: total.fuel.saturating_add(used.fuel),
        ..total
    })
}

/// Puts chains below those of the actors that spawned them.
fn placed(chains: Vec<ChainSummary>, run: &Run, names: &mut Names<'_>) -> Vec<Placed> {
    let known: Vec<Option<String>> = chains.iter().map(|chain| chain.path.clone()).collect();
    let mut children: BTreeMap<Option<String>, Vec<ChainSummary>> = BTreeMap::new();
    for chain in chains {
        let parent = chain
            .parent
            .clone()
            .filter(|parent| known.contains(&Some(parent.clone())) && chain.path.as_ref() != Some(parent));
        children.entry(parent).or_default().push(chain);
    }
    let mut placed = Vec::new();
    let mut stack: Vec<(usize, ChainSummary)> = Vec::new();
    let push = |stack: &mut Vec<_>, depth, below: Vec<ChainSummary>| {
        stack.extend(below.into_iter().rev().map(|chain| (depth, chain)));
    };
    push(&mut stack, 0, children.remove(&None).unwrap_or_default());
    loop {
        while let Some((depth, chain)) = stack.pop() {
            // The children of an actor stand behind the first of its lives.
            let below = chain.path.as_ref().and_then(|path| children.remove(&Some(path.clone())));
            push(&mut stack, depth + 1, below.unwrap_or_default());
            let functions = functions_of(&chain, names);
            placed.push(Placed { depth, chain, functions });
        }
        // What is left names its own descendants as parents, which no runtime writes.
        match children.pop_first() {
            Some((_, left)) => push(&mut stack, 0, left),
            None => break,
        }
    }
    debug_assert_eq!(placed.len(), known.len(), "every chain of {} has a place", run.id());
    placed
}

fn functions_of(chain: &ChainSummary, names: &mut Names<'_>) -> Vec<(String, FunctionUse)> {
    let functions = names.functions(chain.index);
    let mut used: Vec<_> = chain
        .used
        .functions
        .iter()
        .map(|used| (render::function_name(functions, used.function), *used))
        .collect();
    used.sort_by(|(_, a), (_, b)| b.calls.cmp(&a.calls).then(a.function.cmp(&b.function)));
    used
}
