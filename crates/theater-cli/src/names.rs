//! Names for what events hold as numbers: actors, functions and their parameters, looked up in the run when needed.

use std::collections::BTreeMap;
use std::rc::Rc;

use pack::Anatomy;
use pack_abi::types::Interface;
use theater::render;
use theater_chain::{ChainIndex, Event, FunctionEntry, FunctionKind, Genesis, Hash, Kind, Run};

use crate::recorded;

/// Names of the parameters of each function, by its number; none where the package does not tell them.
type Parameters = Vec<Option<Vec<String>>>;

/// What is known of a run's chains so far.
pub(crate) struct Names<'r> {
    run: &'r Run,
    chains: BTreeMap<ChainIndex, Named>,
    /// By package: actors of the same one share them.
    parameters: BTreeMap<Hash, Rc<Parameters>>,
}

struct Named {
    actor: String,
    functions: Vec<FunctionEntry>,
    package: Option<Hash>,
}

impl<'r> Names<'r> {
    /// Knows nothing yet.
    pub(crate) fn of(run: &'r Run) -> Self {
        Self { run, chains: BTreeMap::new(), parameters: BTreeMap::new() }
    }

    /// Learns from a birth that passes by.
    pub(crate) fn learn(&mut self, event: &Event) {
        if event.header.kind != Kind::Genesis {
            return;
        }
        let genesis = event.payload.input().and_then(|input| Genesis::decode(input).ok());
        self.chains.insert(event.chain, Named::of(event.chain, genesis));
    }

    fn named(&mut self, chain: ChainIndex) -> &Named {
        let run = self.run;
        self.chains.entry(chain).or_insert_with(|| Named::of(chain, recorded::genesis(run, chain)))
    }

    /// Returns `root/worker#2`, or `/`.
    pub(crate) fn actor(&mut self, chain: ChainIndex) -> &str {
        &self.named(chain).actor
    }

    /// Returns `interface.function`, or none for an event that is of no function.
    pub(crate) fn function(&mut self, event: &Event) -> Option<String> {
        let name = render::function_name(&self.named(event.chain).functions, event.header.function);
        (name != "-").then_some(name)
    }

    /// Returns the functions of a chain.
    pub(crate) fn functions(&mut self, chain: ChainIndex) -> &[FunctionEntry] {
        &self.named(chain).functions
    }

    /// Returns the names of the parameters of an event's function, where the package in the run tells them.
    pub(crate) fn parameters(&mut self, event: &Event) -> Option<Vec<String>> {
        let run = self.run;
        let named = self.named(event.chain);
        let package = named.package?;
        let functions = named.functions.clone();
        let known =
            self.parameters.entry(package).or_insert_with(|| Rc::new(told(run, &package, &functions)));
        known.get(usize::try_from(event.header.function).ok()?)?.clone()
    }
}

impl Named {
    fn of(chain: ChainIndex, genesis: Option<Genesis>) -> Self {
        match genesis {
            Some(genesis) => Self {
                actor: format!("{}#{}", genesis.path, genesis.incarnation),
                functions: genesis.setting.functions.clone(),
                package: Some(genesis.package),
            },
            None if recorded::is_runtime(chain) => {
                Self { actor: "/".to_owned(), functions: Vec::new(), package: None }
            }
            // Its genesis was removed from the run, or is of a form that is not known.
            None => Self { actor: format!("chain {chain}"), functions: Vec::new(), package: None },
        }
    }
}

/// Reads the parameters that a package in the run tells. It is not compiled, and nothing in it is executed.
fn told(run: &Run, package: &Hash, functions: &[FunctionEntry]) -> Parameters {
    let types = run.blob(package).ok().and_then(|wasm| Anatomy::read(&wasm).ok()?.types);
    let Some(types) = types else { return Vec::new() };
    let find = |entry: &FunctionEntry| {
        let interfaces: &[Interface] = match entry.kind {
            FunctionKind::Import => &types.imports,
            FunctionKind::Export => &types.exports,
        };
        let interface = interfaces.iter().find(|interface| interface.name == entry.interface)?;
        let function = interface.functions.iter().find(|function| function.name == entry.name)?;
        Some(function.params.iter().map(|param| param.name.clone()).collect())
    };
    functions.iter().map(find).collect()
}
