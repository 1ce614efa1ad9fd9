//! Connects what a package imports with what its manifest grants, before any of it runs.

use std::sync::Arc;

use pack::{Engine, ExportIndex, ImportIndex, Package, PackageError, Prepared};
use pack_abi::contract::{Contract, Violation};
use pack_abi::type_diff::{TypeDifference, diff_functions};
use pack_abi::types::Interface;
use theater_chain::{FunctionEntry, FunctionKind, Hash, Setting, SharedSetting};

use crate::actor::{Entry, INIT};
use crate::handler::HandlerRegistry;
use crate::manifest::Manifest;
use crate::messaging::Callbacks;
use crate::record::{Recorder, Route};
use crate::render;

/// What an actor is made from.
pub struct ActorSpec {
    /// The checked manifest.
    pub manifest: Manifest,
    /// The manifest's text, as it was read.
    pub manifest_text: Vec<u8>,
    /// The package.
    pub wasm: Vec<u8>,
    /// The initial state, from wherever it came.
    pub state: Option<Vec<u8>>,
}

/// A package that cannot become an actor under this manifest.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The wasm file is not a usable package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The package has no `init`.
    #[error("the package does not export `{INIT}`, so it is not an actor; it exports {}", listed(.exports))]
    NoInit {
        /// What it exports.
        exports: Vec<String>,
    },
    /// The package has no such function to call.
    #[error("the package does not export `{symbol}`; it exports {}", listed(.exports))]
    NotExported {
        /// What was asked for.
        symbol: String,
        /// What it exports.
        exports: Vec<String>,
    },
    /// The manifest grants something that does not exist here.
    #[error("the manifest grants `{kind}`, but there is no such handler; there are {}", listed(.known))]
    UnknownHandler {
        /// The granted type.
        kind: String,
        /// The types that exist.
        known: Vec<String>,
    },
    /// An import that a handler could answer, but the manifest does not grant it.
    #[error("the package imports `{interface}`, which the manifest does not grant")]
    NotGranted {
        /// The imported interface.
        interface: String,
        /// The handler type that provides it.
        kind: String,
    },
    /// An import that nothing here can answer.
    #[error("the package imports `{interface}.{function}`, and no handler provides that interface")]
    NoProvider {
        /// The imported interface.
        interface: String,
        /// The imported function.
        function: String,
    },
    /// The interface is there, the function is not.
    #[error("the package imports `{interface}.{function}`; the interface has {}", listed(.known))]
    NoFunction {
        /// The imported interface.
        interface: String,
        /// The imported function.
        function: String,
        /// The functions that exist.
        known: Vec<String>,
    },
    /// Package and handler mean different things by one name.
    #[error(
        "`{interface}.{function}` has another type here\n  the package expects  {expected}\n  the handler provides {found}{}",
        lines(.differences)
    )]
    OtherType {
        /// The imported interface.
        interface: String,
        /// The imported function.
        function: String,
        /// The signature that the package was built with.
        expected: String,
        /// The signature that the handler provides.
        found: String,
        /// What differs, place by place.
        differences: Vec<TypeDifference>,
    },
    /// The package describes itself, but leaves out something that it calls.
    #[error("the package imports `{interface}.{function}`, but does not declare with which types")]
    Undeclared {
        /// The imported interface.
        interface: String,
        /// The imported function.
        function: String,
    },
    /// The function takes other arguments.
    #[error(transparent)]
    Arguments(Violation),
    /// The package's `init` is not that of an actor.
    #[error("the package cannot be started as an actor, which gets a state and `tuple<string>`: {0}")]
    OtherInit(#[source] Violation),
    /// A function that takes messages is not what it has to be.
    #[error("the package takes messages with other types than the runtime gives: {0}")]
    OtherCallback(#[source] Violation),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Returns what differs, each on a line of its own.
fn lines(differences: &[TypeDifference]) -> String {
    differences.iter().map(|difference| format!("\n  {difference}")).collect()
}

/// A package that fits its manifest; any number of actors can be started from it.
pub struct Linked {
    pub(crate) spec: ActorSpec,
    pub(crate) package: Package,
    pub(crate) prepared: Prepared<Recorder>,
    pub(crate) registry: HandlerRegistry,
    pub(crate) routes: Arc<[Route]>,
    pub(crate) entry: Entry,
    /// The manifest's text, hashed.
    pub(crate) manifest_hash: Hash,
    /// What every genesis of its actors has in common.
    pub(crate) setting: SharedSetting,
    /// The function table as readable names.
    pub(crate) function_names: Arc<[String]>,
}

impl Linked {
    /// Returns the manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.spec.manifest
    }

    /// Returns the package.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }
}

/// Loads a package and connects its imports with the handlers that the manifest grants.
///
/// # Errors
/// Fails if the file is not a package, has no `init` that an actor can be started with, or imports something that is
/// not granted, not provided or of another type. Nothing has run or been recorded then.
pub fn link(engine: &Engine, registry: &HandlerRegistry, spec: ActorSpec) -> Result<Linked, LinkError> {
    connect(engine, registry, spec, |package| match package.export(INIT) {
        Some(init) => {
            check_init(package, init)?;
            Callbacks::check(package).map_err(LinkError::OtherCallback)?;
            Ok(Entry::Init(init))
        }
        None => Err(LinkError::NoInit { exports: symbols(package) }),
    })
}

/// One function to call, and what to call it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneCall {
    /// The export, e.g. `my:app/math.double`.
    pub symbol: String,
    /// The encoded arguments: the bare value for one parameter, a tuple otherwise.
    pub input: Vec<u8>,
}

/// Like [`link`], for an actor that is started for one call and ends with it: any package will do. It has no state,
/// and [`ExitReport::answer`](crate::actor::ExitReport::answer) holds what the function returned.
///
/// # Errors
/// Fails as [`link`] does, and if there is no such export or it takes other arguments.
pub fn link_call(
    engine: &Engine,
    registry: &HandlerRegistry,
    spec: ActorSpec,
    call: OneCall,
) -> Result<Linked, LinkError> {
    connect(engine, registry, spec, |package| match package.export(&call.symbol) {
        Some(export) => {
            let contract = package.contract(export);
            contract
                .map_or(Ok(()), |contract| contract.check_call(&call.input))
                .map_err(LinkError::Arguments)?;
            Ok(Entry::Call { export, symbol: call.symbol, input: call.input })
        }
        None => Err(LinkError::NotExported { symbol: call.symbol, exports: symbols(package) }),
    })
}

fn symbols(package: &Package) -> Vec<String> {
    package.exports().iter().map(|export| export.symbol.clone()).collect()
}

fn connect(
    engine: &Engine,
    registry: &HandlerRegistry,
    spec: ActorSpec,
    entry: impl FnOnce(&Package) -> Result<Entry, LinkError>,
) -> Result<Linked, LinkError> {
    let package = Package::load(engine, &spec.wasm)?;
    let granted = granted(registry, &spec.manifest)?;
    let routes = routes(registry, &package, &granted)?;
    check_types(&package, &granted)?;
    let entry = entry(&package)?;
    let prepared = package.prepare()?;
    let functions = function_table(&package);
    let function_names =
        (0_u32..).zip(&functions).map(|(at, _)| render::function_name(&functions, at)).collect();
    let fingerprint = engine.fingerprint();
    let setting = Setting {
        functions,
        interfaces: used_interfaces(&package, &granted),
        fingerprint_semantic: fingerprint.semantic,
        fingerprint_descriptive: fingerprint.descriptive,
        limits: spec.manifest.limits.entries(),
    };
    Ok(Linked {
        manifest_hash: Hash::of_blob(&spec.manifest_text),
        setting: setting.into(),
        function_names,
        spec,
        package,
        prepared,
        registry: registry.clone(),
        routes: routes.into(),
        entry,
    })
}

/// The interfaces that a manifest grants, each with the position of its entry in the manifest.
fn granted(registry: &HandlerRegistry, manifest: &Manifest) -> Result<Vec<(usize, Interface)>, LinkError> {
    let mut granted = Vec::new();
    for (position, entry) in manifest.handlers.iter().enumerate() {
        let Some(factory) = registry.get(&entry.kind) else {
            return Err(LinkError::UnknownHandler {
                kind: entry.kind.clone(),
                known: registry.kinds().map(str::to_owned).collect(),
            });
        };
        granted.extend(factory.interfaces().into_iter().map(|interface| (position, interface)));
    }
    Ok(granted)
}

fn routes(
    registry: &HandlerRegistry,
    package: &Package,
    granted: &[(usize, Interface)],
) -> Result<Vec<Route>, LinkError> {
    let mut routes = Vec::with_capacity(package.imports().len());
    for import in package.imports() {
        let (interface, function) = (import.interface.clone(), import.name.clone());
        let Some((handler, provided)) = granted.iter().find(|(_, provided)| provided.name == interface)
        else {
            return Err(match registry.provider(&interface) {
                Some(kind) => LinkError::NotGranted { kind: kind.to_owned(), interface },
                None => LinkError::NoProvider { interface, function },
            });
        };
        let Some(signature) = provided.functions.iter().find(|known| known.name == function) else {
            let known = provided.functions.iter().map(|known| known.name.clone()).collect();
            return Err(LinkError::NoFunction { interface, function, known });
        };
        let contract = Arc::new(Contract::new(provided, signature));
        routes.push(Route { handler: *handler, interface, function, contract });
    }
    Ok(routes)
}

/// Compares the signatures that the package was built with against those of the handlers, the order of cases and
/// flags included. The embedded hashes are checked against the embedded signatures when the package is loaded.
///
/// What a package declares and does not import is not compared: a linker drops what nobody calls.
fn check_types(package: &Package, granted: &[(usize, Interface)]) -> Result<(), LinkError> {
    if package.metadata().is_none() {
        return Ok(());
    }
    for (index, import) in (0_u32..).zip(package.imports()) {
        let (interface, function) = (import.interface.clone(), import.name.clone());
        let Some(expected) = package.import_signature(ImportIndex(index)) else {
            return Err(LinkError::Undeclared { interface, function });
        };
        let provided = granted.iter().find(|(_, provided)| provided.name == interface);
        let found = provided.and_then(|(_, provided)| {
            let known = provided.functions.iter().find(|known| known.name == function)?;
            Some((known, provided))
        });
        // `routes` has found both.
        let Some((known, provided)) = found else { continue };
        let differences = diff_functions((expected.1, expected.0), (known, provided));
        if !differences.is_empty() {
            let (expected, found) = (expected.1.to_string(), known.to_string());
            return Err(LinkError::OtherType { interface, function, expected, found, differences });
        }
    }
    Ok(())
}

/// Makes sure that `init` takes what every actor is started with: a state, which may be missing, and its id.
fn check_init(package: &Package, init: ExportIndex) -> Result<(), LinkError> {
    let Some(contract) = package.contract(init) else { return Ok(()) };
    for state in [None, Some(&[][..])] {
        let arguments: (Option<&[u8]>, (&str,)) = (state, ("root",));
        if let Ok(input) = pack_abi::encode(&arguments) {
            contract.check_call(&input).map_err(LinkError::OtherInit)?;
        }
    }
    Ok(())
}

/// Returns the interfaces that the package uses, each with the hash of the part that it uses.
fn used_interfaces(package: &Package, granted: &[(usize, Interface)]) -> Vec<(String, Hash)> {
    let mut used = Vec::new();
    for (_, provided) in granted {
        let functions: Vec<&str> = package
            .imports()
            .iter()
            .filter(|import| import.interface == provided.name)
            .map(|import| import.name.as_str())
            .collect();
        if !functions.is_empty() {
            used.push((provided.name.clone(), Hash(provided.hash_subset(&functions).0)));
        }
    }
    used
}

/// Returns the function table of a genesis: the package's imports, then its exports.
pub(crate) fn function_table(package: &Package) -> Vec<FunctionEntry> {
    let imports = package.imports().iter().map(|import| FunctionEntry {
        interface: import.interface.clone(),
        name: import.name.clone(),
        kind: FunctionKind::Import,
    });
    let exports = package.exports().iter().map(|export| FunctionEntry {
        interface: export.interface.clone(),
        name: export.name.clone(),
        kind: FunctionKind::Export,
    });
    imports.chain(exports).collect()
}
