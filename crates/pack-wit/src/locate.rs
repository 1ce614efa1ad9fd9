//! Where an item stands, for mistakes that only the user of parsed interfaces can see.

use crate::ast::{Body, Name, WorldItemKind};
use crate::error::{Fault, ParseError};
use crate::resolve::{PackageSyntax, Resolver};
use crate::{Source, syntax};

impl ParseError {
    /// Makes an error about a type or function of an interface, placed where the sources define it.
    ///
    /// `interface` is the full name, that of an interface written into a world, or `""` for what stands in a
    /// world itself. An item that is not found gives an error without place.
    #[must_use]
    pub fn about(sources: &[Source], interface: &str, item: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let place = resolver(sources).and_then(|resolver| {
            resolver.packages.iter().find_map(|package| find(package, interface, item).map(|name| name.span))
        });
        match place {
            Some(span) => Self::at(sources, *Fault::new(span, message)),
            None => Self::unplaced(message),
        }
    }
}

fn resolver(sources: &[Source]) -> Option<Resolver> {
    let files = syntax(sources).ok()?;
    Resolver::collect(sources, files).ok()
}

fn find<'a>(package: &'a PackageSyntax, interface: &str, item: &str) -> Option<&'a Name> {
    let (owner, plain) = interface.rsplit_once('/').unwrap_or(("", interface));
    if owner == package.name() && !plain.is_empty() {
        let mut known = package.interfaces.iter().filter(|(known, _)| known.name.text == plain);
        if let Some(name) = known.find_map(|(known, _)| in_body(&known.body, item)) {
            return Some(name);
        }
    }
    if !owner.is_empty() {
        return None;
    }
    package.worlds.iter().find_map(|(world, _)| {
        let in_items = || {
            world.items.iter().find_map(|known| match &known.kind {
                WorldItemKind::Function(function) if plain.is_empty() && function.name.text == item => {
                    Some(&function.name)
                }
                WorldItemKind::Interface(inner) if inner.name.text == plain => in_body(&inner.body, item),
                WorldItemKind::Function(_) | WorldItemKind::Interface(_) | WorldItemKind::Path(_) => None,
            })
        };
        let own = if plain.is_empty() { in_body(&world.body, item) } else { None };
        own.or_else(in_items)
    })
}

fn in_body<'a>(body: &'a Body, item: &str) -> Option<&'a Name> {
    let types = body.types.iter().map(|definition| &definition.name);
    let functions = body.functions.iter().map(|signature| &signature.name);
    types.chain(functions).find(|name| name.text == item)
}
