//! Worlds: what they import and export, with what they include and the types they use taken in.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::types::{Function, Interface, TypeDef};

use crate::ast::{self, Side, WorldItemKind};
use crate::error::{Fault, Span};
use crate::parser::Parsed;
use crate::resolve::{InterfaceId, Resolved, Resolver, Scope};
use crate::suggest::nearest;
use crate::world_types::WorldTypes;
use crate::{Origin, World};

/// How many worlds may include each other in a row.
const INCLUDE_DEPTH_MAX: usize = 64;
/// How many worlds one world may take in, counted as often as they come.
const INCLUDES_MAX: usize = 1024;

/// Identifies a world: package and position in it.
type WorldId = (usize, usize);

/// Resolves one world.
pub(crate) fn world(resolver: &mut Resolver, id: WorldId) -> Parsed<World> {
    let mut builder = Builder::default();
    builder.take_world(resolver, id)?;
    builder.finish(resolver, id)
}

/// One side of a world while it is put together.
#[derive(Default)]
struct SideParts {
    interfaces: Vec<Interface>,
    functions: Vec<Function>,
}

#[derive(Default)]
struct Builder {
    imports: SideParts,
    exports: SideParts,
    /// The types of its bare functions.
    types: WorldTypes,
    origins: BTreeSet<Origin>,
    /// The interface behind each name, because names on the wire carry no version.
    known: BTreeMap<String, InterfaceId>,
    trail: Vec<WorldId>,
    /// How many worlds were taken in so far.
    taken: usize,
}

impl Builder {
    fn take_world(&mut self, resolver: &mut Resolver, id: WorldId) -> Parsed<()> {
        let (syntax, scope) = resolver.packages[id.0].worlds[id.1].clone();
        if self.trail.contains(&id) {
            return Err(Fault::new(
                syntax.name.span,
                format!("world `{}` includes itself", syntax.name.text),
            ));
        }
        self.taken += 1;
        if self.trail.len() >= INCLUDE_DEPTH_MAX || self.taken > INCLUDES_MAX {
            return Err(Fault::new(syntax.name.span, "too many worlds include each other"));
        }
        self.trail.push(id);
        for side in [Side::Import, Side::Export] {
            let mut resolved = resolver.body(String::new(), &bare_body(&syntax, side), scope)?;
            self.types.merge(WorldTypes::of_body(&mut resolved), syntax.name.span)?;
            self.origins.extend(resolved.origins);
            for function in resolved.interface.functions {
                self.add_function(function, side, syntax.name.span)?;
            }
        }
        for item in syntax.items {
            match item.kind {
                WorldItemKind::Path(path) => {
                    let id = resolver.find_interface(&path, scope)?;
                    self.take_interface(resolver, id, item.side, path.name.span)?;
                }
                WorldItemKind::Interface(interface) => {
                    let mut resolved = resolver.body(interface.name.text.clone(), &interface.body, scope)?;
                    resolved.interface.docs = interface.docs;
                    self.origins.extend(resolved.origins);
                    self.add_interface(resolved.interface, item.side, interface.name.span)?;
                }
                // Taken above, with the types of the world.
                WorldItemKind::Function(_) => {}
            }
        }
        for include in &syntax.includes {
            self.include(resolver, include, scope)?;
        }
        self.trail.pop();
        Ok(())
    }

    fn include(&mut self, resolver: &mut Resolver, include: &ast::Include, scope: Scope) -> Parsed<()> {
        let package = resolver.package_of(&include.path, scope)?;
        let worlds = &resolver.packages[package].worlds;
        let wanted = &include.path.name;
        let Some(position) = worlds.iter().position(|(world, _)| world.name.text == wanted.text) else {
            let fault = Fault::new(wanted.span, format!("there is no world `{}`", wanted.text));
            let known = worlds.iter().map(|(world, _)| world.name.text.as_str());
            return Err(match nearest(&wanted.text, known) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault,
            });
        };
        let mut included = Self { trail: self.trail.clone(), taken: self.taken, ..Self::default() };
        included.take_world(resolver, (package, position))?;
        self.taken = included.taken;
        for renamed in &include.renames {
            let mut is_found = false;
            for parts in [&mut included.imports, &mut included.exports] {
                is_found |= parts.rename(&renamed.original.text, &renamed.local.text);
            }
            if !is_found {
                let message = format!("world `{}` has no item `{}`", wanted.text, renamed.original.text);
                return Err(Fault::new(renamed.original.span, message)
                    .hint("only functions and interfaces without a package can be given a new name"));
            }
        }
        self.merge(included, wanted.span)
    }

    fn merge(&mut self, included: Self, span: Span) -> Parsed<()> {
        self.types.merge(included.types, span)?;
        self.origins.extend(included.origins);
        for (name, id) in included.known {
            self.know(name, id, span)?;
        }
        for (side, parts) in [(Side::Import, included.imports), (Side::Export, included.exports)] {
            for function in parts.functions {
                self.add_function(function, side, span)?;
            }
            for interface in parts.interfaces {
                self.add_interface(interface, side, span)?;
            }
        }
        Ok(())
    }

    fn know(&mut self, name: String, id: InterfaceId, span: Span) -> Parsed<()> {
        match self.known.insert(name.clone(), id) {
            Some(other) if other != id => {
                let fault = Fault::new(span, format!("two versions of `{name}` meet in this world"));
                Err(fault.hint("names on the wire carry no version"))
            }
            _ => Ok(()),
        }
    }

    fn take_interface(
        &mut self,
        resolver: &mut Resolver,
        id: InterfaceId,
        side: Side,
        span: Span,
    ) -> Parsed<()> {
        let resolved = resolver.interface(id)?;
        self.know(resolved.interface.name.clone(), id, span)?;
        self.origins.extend(resolved.origins.iter().cloned());
        self.add_interface(resolved.interface.clone(), side, span)
    }

    fn side(&mut self, side: Side) -> &mut SideParts {
        match side {
            Side::Import => &mut self.imports,
            Side::Export => &mut self.exports,
        }
    }

    fn add_interface(&mut self, interface: Interface, side: Side, span: Span) -> Parsed<()> {
        let parts = self.side(side);
        match parts.interfaces.iter().find(|known| known.name == interface.name) {
            Some(known) if *known == interface => {}
            Some(_) => {
                return Err(Fault::new(
                    span,
                    format!("there are two interfaces `{}` in this world", interface.name),
                ));
            }
            None => parts.interfaces.push(interface),
        }
        Ok(())
    }

    fn add_function(&mut self, function: Function, side: Side, span: Span) -> Parsed<()> {
        let parts = self.side(side);
        match parts.functions.iter().find(|known| known.name == function.name) {
            Some(known) if *known == function => {}
            Some(_) => {
                return Err(Fault::new(
                    span,
                    format!("there are two functions `{}` in this world", function.name),
                ));
            }
            None => parts.functions.push(function),
        }
        Ok(())
    }

    fn finish(mut self, resolver: &mut Resolver, id: WorldId) -> Parsed<World> {
        let syntax = &resolver.packages[id.0];
        let (world, _) = syntax.worlds[id.1].clone();
        let package = syntax.name().to_owned();
        let (types, origins) = std::mem::take(&mut self.types).finish(world.name.span)?;
        self.origins.extend(origins);
        let mut used = self.used_interfaces(resolver, world.name.span)?;
        let has_functions = !(self.imports.functions.is_empty() && self.exports.functions.is_empty());
        if !has_functions && !types.is_empty() {
            used.push(Interface { types: types.clone(), ..Interface::default() });
        }
        Ok(World {
            package,
            name: world.name.text,
            docs: world.docs,
            imports: self.imports.finish(&types),
            exports: self.exports.finish(&types),
            used,
            origins: self.origins.into_iter().collect(),
        })
    }

    /// The interfaces whose types are used although they are not imported.
    fn used_interfaces(&mut self, resolver: &mut Resolver, span: Span) -> Parsed<Vec<Interface>> {
        let mut used = Vec::new();
        let mut open: Vec<String> = self.origins.iter().map(|origin| origin.from.clone()).collect();
        let mut seen: BTreeSet<String> =
            self.imports.interfaces.iter().map(|known| known.name.clone()).collect();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let Some(id) = resolver.id_of(&name) else { continue };
            let mut resolved = Resolved::clone(&*resolver.interface(id)?);
            self.know(name, id, span)?;
            open.extend(resolved.origins.iter().map(|origin| origin.from.clone()));
            self.origins.extend(resolved.origins);
            resolved.interface.functions.clear();
            used.push(resolved.interface);
        }
        used.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(used)
    }
}

impl SideParts {
    fn rename(&mut self, from: &str, to: &str) -> bool {
        let mut is_found = false;
        for function in self.functions.iter_mut().filter(|function| function.name == from) {
            to.clone_into(&mut function.name);
            is_found = true;
        }
        for interface in self.interfaces.iter_mut().filter(|interface| interface.name == from) {
            to.clone_into(&mut interface.name);
            is_found = true;
        }
        is_found
    }

    fn finish(self, types: &[TypeDef]) -> Vec<Interface> {
        let mut interfaces = self.interfaces;
        if !self.functions.is_empty() {
            let types = types.to_vec();
            interfaces.push(Interface { types, functions: self.functions, ..Interface::default() });
        }
        interfaces
    }
}

/// The types of a world with the bare functions of one side.
fn bare_body(syntax: &ast::World, side: Side) -> ast::Body {
    let mut body = syntax.body.clone();
    for item in syntax.items.iter().filter(|item| item.side == side) {
        if let WorldItemKind::Function(signature) = &item.kind {
            body.functions.push(signature.clone());
        }
    }
    body
}
