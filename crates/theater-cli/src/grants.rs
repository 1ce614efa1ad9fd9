//! Does the manifest grant what the package imports? Asked before anything runs or is recorded.

use std::collections::BTreeSet;

use pack::Package;
use theater::handler::HandlerRegistry;
use theater::manifest::Manifest;

use crate::ui::error::CliError;
use crate::ui::text::nearest;

/// The interface without which a package is no actor.
pub(crate) const ACTOR: &str = "theater:simple/actor";

/// Something that keeps a package from running under a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The manifest grants a capability that does not exist.
    UnknownGrant { kind: String, near: Option<String>, known: Vec<String> },
    /// The package imports what the manifest does not grant.
    NotGranted { interface: String, kind: String },
    /// The package imports what nothing provides.
    NotProvided { interface: String, known: Vec<String> },
    /// The package exports no actor.
    NoActor { exports: Vec<String> },
}

/// Returns the faults of a package under a manifest.
pub(crate) fn faults(manifest: &Manifest, package: &Package, registry: &HandlerRegistry) -> Vec<Fault> {
    let mut faults = unknown_grants(manifest, registry);
    let granted = |kind: &str| manifest.handlers.iter().any(|entry| entry.kind == kind);
    let imported: BTreeSet<&str> = package.imports().iter().map(|import| import.interface.as_str()).collect();
    for interface in imported {
        match registry.provider(interface) {
            Some(kind) if granted(kind) => {}
            Some(kind) => faults.push(Fault::NotGranted { interface: interface.to_owned(), kind: kind.to_owned() }),
            None => faults.push(Fault::NotProvided { interface: interface.to_owned(), known: provided(registry) }),
        }
    }
    let exported: BTreeSet<&str> = package.exports().iter().map(|export| export.interface.as_str()).collect();
    if !exported.contains(ACTOR) {
        let named = exported.into_iter().filter(|interface| !interface.is_empty());
        faults.push(Fault::NoActor { exports: named.map(str::to_owned).collect() });
    }
    faults
}

fn unknown_grants(manifest: &Manifest, registry: &HandlerRegistry) -> Vec<Fault> {
    let known: Vec<String> = registry.kinds().map(str::to_owned).collect();
    let unknown = manifest.handlers.iter().filter(|entry| registry.get(&entry.kind).is_none());
    unknown
        .map(|entry| Fault::UnknownGrant {
            kind: entry.kind.clone(),
            near: nearest(&entry.kind, known.iter().map(String::as_str)).map(str::to_owned),
            known: known.clone(),
        })
        .collect()
}

fn provided(registry: &HandlerRegistry) -> Vec<String> {
    let factories = registry.kinds().filter_map(|kind| registry.get(kind));
    factories.flat_map(|factory| factory.interfaces()).map(|interface| interface.name).collect()
}

impl Fault {
    /// Returns the error to end with; `is_bare` says that there is no manifest to edit.
    pub(crate) fn error(&self, name: &str, is_bare: bool) -> CliError {
        match self {
            Self::UnknownGrant { kind, near, known } => {
                let error = CliError::environment(format!("`{name}` is granted `{kind}`, which is no capability"));
                match near {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("the capabilities are: {}", known.join(", "))),
                }
            }
            Self::NotGranted { interface, kind } => {
                let error = CliError::environment(format!("`{name}` imports {interface}, which it is not granted"));
                if is_bare {
                    error.hint(format!("add `--grant {kind}`"))
                } else {
                    error.hint(format!("add this to the manifest:\n\n  [[handler]]\n  type = \"{kind}\""))
                }
            }
            Self::NotProvided { interface, known } => {
                let error = CliError::environment(format!("`{name}` imports {interface}, which nothing here provides"));
                match nearest(interface, known.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint(format!("provided are: {}", known.join(", "))),
                }
            }
            Self::NoActor { exports } => {
                let error = CliError::environment(format!("`{name}` is a package but no actor: it does not export {ACTOR}"));
                match exports.is_empty() {
                    true => error.hint("`export theater:simple/actor;` in its world, and `bindings::export!(...)` in its source"),
                    false => error.hint(format!("it exports: {}", exports.join(", "))),
                }
            }
        }
    }
}
