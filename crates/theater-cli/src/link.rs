//! Does a package fit its manifest? Asked before anything runs or is recorded; the answer says what to change.

use pack::Engine;
use theater::handler::HandlerRegistry;
use theater::{ActorSpec, LinkError, Linked, OneCall, link, link_call};

use crate::ui::error::CliError;
use crate::ui::text::nearest;

/// Links a package; `is_bare` says that there is no manifest to edit.
pub(crate) fn checked(
    engine: &Engine,
    registry: &HandlerRegistry,
    spec: ActorSpec,
    is_bare: bool,
) -> Result<Linked, CliError> {
    let name = spec.manifest.name.clone();
    link(engine, registry, spec).map_err(|error| explained(error, &name, registry, is_bare))
}

/// Links a package for one call.
pub(crate) fn checked_call(
    engine: &Engine,
    registry: &HandlerRegistry,
    (spec, is_bare): (ActorSpec, bool),
    call: OneCall,
) -> Result<Linked, CliError> {
    let name = spec.manifest.name.clone();
    link_call(engine, registry, spec, call).map_err(|error| explained(error, &name, registry, is_bare))
}

fn explained(error: LinkError, name: &str, registry: &HandlerRegistry, is_bare: bool) -> CliError {
    let hints = hints(&error, registry, is_bare);
    let what = CliError::environment(format!("`{name}` cannot run")).because(error);
    hints.into_iter().fold(what, CliError::hint)
}

fn hints(error: &LinkError, registry: &HandlerRegistry, is_bare: bool) -> Vec<String> {
    let hint = match error {
        LinkError::Package(_) => return Vec::new(),
        LinkError::NoInit { .. } => {
            "an actor's world says `export theater:simple/actor;` and its source `bindings::export!(...)`; \
             `theater call` calls a function of any package"
                .to_owned()
        }
        LinkError::NotExported { symbol, exports } => {
            match nearest(symbol, exports.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`theater inspect` shows what it exports".to_owned(),
            }
        }
        LinkError::UnknownHandler { kind, known } => match nearest(kind, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the capabilities are: {}", known.join(", ")),
        },
        LinkError::NotGranted { kind, .. } if is_bare => format!("add `--grant {kind}`"),
        LinkError::NotGranted { kind, .. } => {
            format!("add this to the manifest:\n\n  [[handler]]\n  type = \"{kind}\"")
        }
        LinkError::NoProvider { interface, .. } => {
            let known = provided(registry);
            match nearest(interface, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("provided are: {}", known.join(", ")),
            }
        }
        LinkError::NoFunction { function, known, .. } => {
            match nearest(function, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the package may be built for another version of theater".to_owned(),
            }
        }
        LinkError::Undeclared { function, .. } => {
            format!("declare `{function}` in the package's world, or in its `pack_types!`")
        }
        LinkError::Arguments(_) => "`theater inspect` shows what each function takes".to_owned(),
        LinkError::OtherInit(_) => {
            "an actor's world says `export theater:simple/actor;`; any other package is for `theater call`"
                .to_owned()
        }
        LinkError::OtherType { .. } | LinkError::OtherCallback(_) => {
            "build the package again with this version's SDK (`vendor/theater` in a scaffold)".to_owned()
        }
    };
    vec![hint]
}

fn provided(registry: &HandlerRegistry) -> Vec<String> {
    let factories = registry.kinds().filter_map(|kind| registry.get(kind));
    factories.flat_map(|factory| factory.interfaces()).map(|interface| interface.name).collect()
}
