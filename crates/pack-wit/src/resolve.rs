//! Names to definitions: packages, interfaces, and the types that one takes from another.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pack_abi::types::{Case, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};

use crate::ast::{self, Name, PackageName, Path};
use crate::check::{check_keys, check_types};
use crate::copies::Copies;
use crate::error::{Fault, Span};
use crate::lower::{Lowering, Scope as Types, TYPES_MAX, Template, too_many_types};
use crate::parser::Parsed;
use crate::refuse::check_body;
use crate::suggest::nearest;
use crate::{Document, Origin, Package, Source};

/// How many interfaces or worlds may build on each other in a row.
const TRAIL_MAX: usize = 64;

/// One package of all files that belong to it.
pub(crate) struct PackageSyntax {
    name: String,
    version: Option<String>,
    docs: String,
    pub(crate) interfaces: Vec<(ast::Interface, Scope)>,
    pub(crate) worlds: Vec<(ast::World, Scope)>,
}

/// Where names are looked up: a package, and the `use` lines of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) package: usize,
    file: usize,
}

/// Identifies an interface: package and position in it.
pub(crate) type InterfaceId = (usize, usize);

/// An interface with its types, and where those come from that are not its own.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) interface: Interface,
    pub(crate) origins: Vec<Origin>,
    /// Its generic definitions.
    pub(crate) templates: BTreeMap<String, Template>,
    /// Its resources, which are refused where they are defined.
    resources: BTreeSet<String>,
}

impl Resolved {
    pub(crate) fn new(interface: Interface) -> Self {
        let (templates, resources) = (BTreeMap::new(), BTreeSet::new());
        Self { interface, origins: Vec::new(), templates, resources }
    }
}

pub(crate) struct Resolver {
    pub(crate) packages: Vec<PackageSyntax>,
    files: Vec<Vec<ast::TopUse>>,
    done: BTreeMap<InterfaceId, Rc<Resolved>>,
    trail: Vec<InterfaceId>,
    /// Mistakes that did not keep the rest from being read.
    faults: Vec<Box<Fault>>,
}

/// Resolves all files together.
pub(crate) fn resolve(sources: &[Source], files: Vec<ast::File>) -> Result<Document, Vec<Box<Fault>>> {
    let mut resolver = Resolver::collect(sources, files).map_err(|fault| vec![fault])?;
    let mut packages = Vec::new();
    for index in 0..resolver.packages.len() {
        let mut interfaces = Vec::new();
        for position in 0..resolver.packages[index].interfaces.len() {
            match resolver.interface((index, position)) {
                Ok(resolved) => interfaces.push(resolved.interface.clone()),
                Err(fault) => resolver.faults.push(fault),
            }
        }
        let mut worlds = Vec::new();
        for position in 0..resolver.packages[index].worlds.len() {
            match crate::resolve_world::world(&mut resolver, (index, position)) {
                Ok(world) => worlds.push(world),
                Err(fault) => resolver.faults.push(fault),
            }
        }
        let syntax = &resolver.packages[index];
        packages.push(Package {
            name: syntax.name.clone(),
            version: syntax.version.clone(),
            docs: syntax.docs.clone(),
            interfaces,
            worlds,
        });
    }
    if resolver.faults.is_empty() { Ok(Document { packages }) } else { Err(resolver.faults) }
}

/// Packages
impl Resolver {
    /// Puts the parts of each package together.
    pub(crate) fn collect(sources: &[Source], files: Vec<ast::File>) -> Parsed<Self> {
        let folders = folder_packages(sources, &files);
        let mut resolver = Self {
            packages: Vec::new(),
            files: Vec::new(),
            done: BTreeMap::new(),
            trail: Vec::new(),
            faults: Vec::new(),
        };
        for (source, file) in sources.iter().zip(files) {
            for (index, part) in file.parts.into_iter().enumerate() {
                let is_empty = part.interfaces.is_empty() && part.worlds.is_empty();
                if index == 0 && part.package.is_none() && is_empty {
                    continue;
                }
                let inherited = folders.get(folder(&source.name)).cloned().flatten().filter(|_| index == 0);
                resolver.add(part, inherited)?;
            }
        }
        Ok(resolver)
    }

    fn add(&mut self, part: ast::Part, inherited: Option<PackageName>) -> Parsed<()> {
        let (name, version) = match part.package.or(inherited) {
            Some(package) => (package.name, package.version),
            None => (String::new(), None),
        };
        let known = self.packages.iter().position(|other| other.name == name && other.version == version);
        let package = known.unwrap_or_else(|| {
            let docs = String::new();
            self.packages.push(PackageSyntax {
                name,
                version,
                docs,
                interfaces: Vec::new(),
                worlds: Vec::new(),
            });
            self.packages.len() - 1
        });
        let scope = Scope { package, file: self.files.len() };
        self.files.push(part.uses);
        let syntax = &mut self.packages[package];
        if syntax.docs.is_empty() {
            syntax.docs = part.docs;
        }
        for interface in part.interfaces {
            syntax.refuse_twin(&interface.name)?;
            syntax.interfaces.push((interface, scope));
        }
        for world in part.worlds {
            syntax.refuse_twin(&world.name)?;
            syntax.worlds.push((world, scope));
        }
        Ok(())
    }

    fn find_package(&self, wanted: &PackageName) -> Parsed<usize> {
        let of_name = |index: &usize| self.packages[*index].name == wanted.name;
        let same_name: Vec<usize> = (0..self.packages.len()).filter(of_name).collect();
        let exact = same_name.iter().copied().find(|index| self.packages[*index].version == wanted.version);
        match (exact, &wanted.version, same_name.as_slice()) {
            (Some(index), _, _) | (None, None, &[index]) => Ok(index),
            (None, None, [_, _, ..]) => {
                let fault =
                    Fault::new(wanted.span, format!("there are several versions of `{}`", wanted.name));
                Err(fault.hint("say which one: `ns:package/interface@1.2.3`"))
            }
            (None, Some(version), [_, ..]) => {
                let known: Vec<&str> = same_name
                    .iter()
                    .map(|index| self.packages[*index].version.as_deref().unwrap_or("without a version"))
                    .collect();
                let fault =
                    Fault::new(wanted.span, format!("there is no version {version} of `{}`", wanted.name));
                Err(fault.hint(format!("known: {}", known.join(", "))))
            }
            (None, _, []) => {
                let fault = Fault::new(wanted.span, format!("there is no package `{}`", wanted.name));
                let known = self.packages.iter().map(|package| package.name.as_str());
                Err(match nearest(&wanted.name, known) {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault.hint("the files of other packages belong into `deps` beside the world"),
                })
            }
        }
    }

    /// Returns the interface that a path means here.
    pub(crate) fn find_interface(&self, path: &Path, scope: Scope) -> Parsed<InterfaceId> {
        if let Some(package) = &path.package {
            return self.interface_in(self.find_package(package)?, &path.name);
        }
        let alias = self.files[scope.file].iter().find(|alias| alias.local.text == path.name.text);
        match alias {
            Some(alias) => match &alias.path.package {
                Some(package) => self.interface_in(self.find_package(package)?, &alias.path.name),
                None => self.interface_in(scope.package, &alias.path.name),
            },
            None => self.interface_in(scope.package, &path.name),
        }
    }

    /// Returns the interface with this full name, in the order of packages.
    pub(crate) fn id_of(&self, name: &str) -> Option<InterfaceId> {
        let (package, interface) = name.rsplit_once('/').unwrap_or(("", name));
        let mut packages = (0..self.packages.len()).filter(|index| self.packages[*index].name == package);
        packages.find_map(|index| {
            let mut names = self.packages[index].interfaces.iter().map(|(known, _)| &known.name.text);
            Some((index, names.position(|known| known == interface)?))
        })
    }

    /// Returns the package in which the world of a path is looked up.
    pub(crate) fn package_of(&self, path: &Path, scope: Scope) -> Parsed<usize> {
        path.package.as_ref().map_or(Ok(scope.package), |package| self.find_package(package))
    }

    fn interface_in(&self, package: usize, name: &Name) -> Parsed<InterfaceId> {
        let syntax = &self.packages[package];
        let position = syntax.interfaces.iter().position(|(interface, _)| interface.name.text == name.text);
        if let Some(position) = position {
            return Ok((package, position));
        }
        let owner =
            if syntax.name.is_empty() { "here".to_owned() } else { format!("in package `{}`", syntax.name) };
        let fault = Fault::new(name.span, format!("there is no interface `{}` {owner}", name.text));
        if syntax.worlds.iter().any(|(world, _)| world.name.text == name.text) {
            return Err(fault.hint("that is a world: take it in with `include`"));
        }
        let known = syntax.interfaces.iter().map(|(interface, _)| interface.name.text.as_str());
        Err(match nearest(&name.text, known.clone()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None if syntax.interfaces.is_empty() => fault,
            None => fault.hint(format!("known: {}", crate::list_names(known))),
        })
    }
}

impl PackageSyntax {
    fn refuse_twin(&self, name: &Name) -> Parsed<()> {
        let interfaces = self.interfaces.iter().map(|(interface, _)| &interface.name);
        let mut names = interfaces.chain(self.worlds.iter().map(|(world, _)| &world.name));
        if names.any(|other| other.text == name.text) {
            return Err(Fault::new(
                name.span,
                format!("there are two definitions of `{}` in one package", name.text),
            ));
        }
        Ok(())
    }

    /// The package's name, without version.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The package that each folder's files declare.
fn folder_packages<'a>(sources: &'a [Source], files: &[ast::File]) -> BTreeMap<&'a str, Option<PackageName>> {
    let mut folders: BTreeMap<&str, Option<PackageName>> = BTreeMap::new();
    for (source, file) in sources.iter().zip(files) {
        let known = folders.entry(folder(&source.name)).or_default();
        if let (None, Some(package)) = (&known, file.parts.first().and_then(|part| part.package.clone())) {
            *known = Some(package);
        }
    }
    folders
}

/// Interfaces
impl Resolver {
    /// Resolves one interface, and before it those that it uses.
    pub(crate) fn interface(&mut self, id: InterfaceId) -> Parsed<Rc<Resolved>> {
        if let Some(done) = self.done.get(&id) {
            return Ok(Rc::clone(done));
        }
        let package = &self.packages[id.0];
        let (syntax, scope) = package.interfaces[id.1].clone();
        if self.trail.contains(&id) {
            let message = format!("interface `{}` uses itself, directly or through others", syntax.name.text);
            return Err(Fault::new(syntax.name.span, message));
        }
        if self.trail.len() >= TRAIL_MAX {
            return Err(Fault::new(
                syntax.name.span,
                format!("more than {TRAIL_MAX} interfaces use each other"),
            ));
        }
        let name = match package.name.as_str() {
            "" => syntax.name.text.clone(),
            package => format!("{package}/{}", syntax.name.text),
        };
        self.trail.push(id);
        let resolved = self.body(name, &syntax.body, scope);
        self.trail.pop();
        let mut resolved = resolved?;
        resolved.interface.docs = syntax.docs;
        let resolved = Rc::new(resolved);
        self.done.insert(id, Rc::clone(&resolved));
        Ok(resolved)
    }

    /// Resolves the types and functions of an interface or a world.
    pub(crate) fn body(&mut self, name: String, body: &ast::Body, scope: Scope) -> Parsed<Resolved> {
        let mut names = Types::default();
        for definition in &body.types {
            names.add(&definition.name)?;
        }
        let uses = self.named_uses(&body.uses, scope)?;
        for renamed in uses.iter().flat_map(|used| &used.names) {
            names.add(&renamed.local)?;
        }
        let mut resolved = Resolved::new(Interface { name, ..Interface::default() });
        self.copy_used(&uses, scope, &mut names, &mut resolved)?;
        names.add_own(&body.types);
        check_body(body, &names, &mut self.faults);
        let mut lowering = Lowering::new(&names, std::mem::take(&mut resolved.interface.types));
        for definition in &body.types {
            lowering.definition(definition)?;
        }
        let mut functions = BTreeSet::new();
        for signature in &body.functions {
            let name = &signature.name;
            if !functions.insert(name.text.to_ascii_lowercase()) {
                self.faults.push(Fault::new(name.span, format!("there are two functions `{}`", name.text)));
                continue;
            }
            resolved.interface.functions.push(lowering.function(signature)?);
        }
        lowering.instantiate()?;
        if let Some(span) = names.place("value") {
            refuse_hidden_value(&lowering.types, span)?;
        }
        check_types(&lowering.owners, &lowering.types, &mut self.faults);
        check_keys(&lowering.keys, &lowering.types, &mut self.faults);
        resolved.interface.types = lowering.types;
        (resolved.templates, resolved.resources) = (names.templates, names.resources);
        Ok(resolved)
    }

    /// The uses with the names of all types where a use takes all.
    fn named_uses(&mut self, uses: &[ast::Use], scope: Scope) -> Parsed<Vec<ast::Use>> {
        let mut named = uses.to_vec();
        for used in named.iter_mut().filter(|used| used.takes_all) {
            let source = self.interface(self.find_interface(&used.path, scope)?)?;
            let span = used.path.name.span;
            let renamed = |text: String| {
                let name = Name { text, span };
                ast::Renamed { original: name.clone(), local: name }
            };
            used.names = offered(&source).map(str::to_owned).map(renamed).collect();
        }
        Ok(named)
    }

    /// Copies the types that `use` names, and what those are made of.
    fn copy_used(
        &mut self,
        uses: &[ast::Use],
        scope: Scope,
        names: &mut Types,
        into: &mut Resolved,
    ) -> Parsed<()> {
        let mut copies = Copies::new(names);
        for used in uses {
            let source = self.interface(self.find_interface(&used.path, scope)?)?;
            for renamed in &used.names {
                check_is_offered(&source, &renamed.original)?;
                if copies.len() >= TYPES_MAX {
                    return Err(too_many_types(renamed.local.span));
                }
                copies.take(&source, &renamed.original.text, &renamed.local.text);
            }
        }
        // What is needed but not named comes after all that is named, so that it finds the names taken.
        for used in uses {
            let source = self.interface(self.find_interface(&used.path, scope)?)?;
            for renamed in &used.names {
                copies.take_parts(&source, &renamed.original.text);
                if copies.len() > TYPES_MAX {
                    return Err(too_many_types(renamed.local.span));
                }
            }
        }
        let (templates, resources) = copies.write(into);
        names.templates.extend(templates);
        names.resources.extend(resources);
        Ok(())
    }
}

/// A type called `value` hides the built-in one, so none that comes from elsewhere may need that.
pub(crate) fn refuse_hidden_value(types: &[TypeDef], span: Span) -> Parsed<()> {
    let mut has_value = false;
    for def in types {
        each_type(&def.kind, &mut |ty| has_value |= mentions_value(ty));
    }
    if !has_value {
        return Ok(());
    }
    let message = "`value` would mean two types here: this one, and the built-in one that used types hold";
    Err(Fault::new(span, message).hint("give this type another name"))
}

fn mentions_value(ty: &Type) -> bool {
    match ty {
        Type::Value => true,
        Type::List(inner) | Type::Option(inner) | Type::Set(inner) => mentions_value(inner),
        Type::Map(key, value) => mentions_value(key) || mentions_value(value),
        Type::Result { ok, err } => [ok, err].into_iter().flatten().any(|arm| mentions_value(arm)),
        Type::Tuple(items) => items.iter().any(mentions_value),
        _ => false,
    }
}

/// The names of the types that others may use.
fn offered(source: &Resolved) -> impl Iterator<Item = &str> {
    let is_hidden =
        |name: &str| source.origins.iter().any(|origin| origin.name == name && !origin.is_visible);
    let types = source.interface.types.iter().map(|def| def.name.as_str());
    let others = source.templates.keys().chain(&source.resources).map(String::as_str);
    types.chain(others).filter(move |name| !is_hidden(name))
}

fn check_is_offered(source: &Resolved, wanted: &Name) -> Parsed<()> {
    if offered(source).any(|name| name == wanted.text) {
        return Ok(());
    }
    let message = format!("interface `{}` has no type `{}`", source.interface.name, wanted.text);
    let fault = Fault::new(wanted.span, message);
    if source.interface.functions.iter().any(|function| function.name == wanted.text) {
        return Err(fault.hint("that is a function: `use` takes types only"));
    }
    Err(match nearest(&wanted.text, offered(source)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    })
}

/// Calls `visit` with each type that a definition is made of.
pub(crate) fn each_type<'a>(kind: &'a TypeDefKind, visit: &mut impl FnMut(&'a Type)) {
    match kind {
        TypeDefKind::Alias(target) => visit(target),
        TypeDefKind::Record(fields) => fields.iter().for_each(|field| visit(&field.ty)),
        TypeDefKind::Variant(cases) => cases.iter().filter_map(|case| case.ty.as_ref()).for_each(visit),
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) | TypeDefKind::Parameter(_) => {}
    }
}

pub(crate) fn rename_kind(kind: &TypeDefKind, rename: &mut impl FnMut(&str) -> Type) -> TypeDefKind {
    match kind {
        TypeDefKind::Alias(target) => TypeDefKind::Alias(rename_type(target, rename)),
        TypeDefKind::Record(fields) => {
            let renamed =
                fields.iter().map(|field| Field { ty: rename_type(&field.ty, rename), ..field.clone() });
            TypeDefKind::Record(renamed.collect())
        }
        TypeDefKind::Variant(cases) => {
            let renamed = cases.iter().map(|case| {
                let ty = case.ty.as_ref().map(|ty| rename_type(ty, rename));
                Case { ty, ..case.clone() }
            });
            TypeDefKind::Variant(renamed.collect())
        }
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) | TypeDefKind::Parameter(_) => kind.clone(),
    }
}

pub(crate) fn rename_function(function: &Function, rename: &mut impl FnMut(&str) -> Type) -> Function {
    let params = function
        .params
        .iter()
        .map(|param| Param { name: param.name.clone(), ty: rename_type(&param.ty, rename) });
    Function {
        name: function.name.clone(),
        docs: function.docs.clone(),
        params: params.collect(),
        result: function.result.as_ref().map(|result| rename_type(result, rename)),
    }
}

/// Replaces every named type by what `rename` gives for it.
fn rename_type(ty: &Type, rename: &mut impl FnMut(&str) -> Type) -> Type {
    let mut boxed = |ty: &Type| Box::new(rename_type(ty, rename));
    match ty {
        Type::Named(name) => rename(name),
        Type::List(inner) => Type::List(boxed(inner)),
        Type::Option(inner) => Type::Option(boxed(inner)),
        Type::Set(inner) => Type::Set(boxed(inner)),
        Type::Map(key, value) => Type::Map(boxed(key), boxed(value)),
        Type::Result { ok, err } => {
            Type::Result { ok: ok.as_deref().map(&mut boxed), err: err.as_deref().map(&mut boxed) }
        }
        Type::Tuple(items) => Type::Tuple(items.iter().map(|item| rename_type(item, rename)).collect()),
        simple => simple.clone(),
    }
}
