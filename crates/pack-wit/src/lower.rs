//! Types as written to types of the Graph ABI: names become references, generic types are instantiated.
//!
//! A generic definition is a template. Each set of types that it is applied to makes a definition of its own, named
//! after them: `pair<u32, string>` is `pair-u32-string`. That is what the hash and the metadata of an application
//! are, and it leaves nobody behind this file to deal with parameters. The number of instances and the size of what
//! they are applied to are bounded, because templates can multiply without end.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pack_abi::types::{Case, Field, Function, Param, Type, TypeDef, TypeDefKind};

use crate::ast::{Definition, DefinitionKind, Name, Signature, TypeExpr, TypeKind};
use crate::check::{Key, Owner};
use crate::error::{Fault, Span};
use crate::parser::Parsed;
use crate::parser_types::TYPE_DEPTH_MAX;

/// The most types of one interface, those that it uses and those that it makes included.
pub(crate) const TYPES_MAX: usize = 1024;
/// The most terms of the types that one generic type is applied to.
const ARGUMENT_TERMS_MAX: usize = 256;
/// The most terms of all instances of one interface together.
const INSTANCE_TERMS_MAX: usize = 100_000;
/// Longer names of instances are cut down to the template's name and a number.
const INSTANCE_NAME_MAX: usize = 64;

/// A generic definition, and what the names in it are called where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) definition: Rc<Definition>,
    /// The name here of each type that the definition mentions, parameters and the built-in `value` aside.
    pub(crate) names: BTreeMap<String, String>,
}

/// The names that types can be called by in one interface.
#[derive(Default)]
pub(crate) struct Scope {
    /// Those that the text defines or uses, with their place.
    visible: BTreeMap<String, Span>,
    /// The same in lower case: names that differ in nothing else are one name to WIT.
    folded: BTreeSet<String>,
    /// Generic definitions, among them such that only others need.
    pub(crate) templates: BTreeMap<String, Template>,
    /// Types that are refused where they are defined.
    pub(crate) resources: BTreeSet<String>,
}

impl Scope {
    pub(crate) fn add(&mut self, name: &Name) -> Parsed<()> {
        if !self.folded.insert(name.text.to_ascii_lowercase()) {
            return Err(Fault::new(name.span, format!("there are two types `{}`", name.text)));
        }
        self.visible.insert(name.text.clone(), name.span);
        Ok(())
    }

    /// Takes the generic definitions and resources of an interface's own.
    pub(crate) fn add_own(&mut self, definitions: &[Definition]) {
        for definition in definitions {
            let name = definition.name.text.clone();
            if matches!(definition.kind, DefinitionKind::Resource(_)) {
                self.resources.insert(name);
            } else if !definition.params.is_empty() {
                let is_param = |name: &str| definition.params.iter().any(|param| param.text == name);
                let mut mentioned = mentioned(definition);
                mentioned.retain(|name| self.is_visible(name) && !is_param(name));
                let names = mentioned.into_iter().map(|name| (name.clone(), name)).collect();
                self.templates.insert(name, Template { definition: Rc::new(definition.clone()), names });
            }
        }
    }

    pub(crate) fn is_visible(&self, name: &str) -> bool {
        self.visible.contains_key(name)
    }

    /// Returns where the text defines or uses this name.
    pub(crate) fn place(&self, name: &str) -> Option<Span> {
        self.visible.get(name).copied()
    }

    pub(crate) fn is_resource(&self, name: &str) -> bool {
        self.resources.contains(name)
    }

    pub(crate) fn visible(&self) -> impl Iterator<Item = &str> {
        self.visible.keys().map(String::as_str)
    }

    /// How many types the type of this name is applied to, if there is one.
    pub(crate) fn arity(&self, name: &str) -> Option<usize> {
        match self.templates.get(name) {
            Some(template) if self.is_visible(name) => Some(template.definition.params.len()),
            Some(_) | None => (self.is_visible(name) || name == "value").then_some(0),
        }
    }
}

/// The names in a definition.
fn mentioned(definition: &Definition) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match &definition.kind {
        DefinitionKind::Alias(target) => names_in(target, &mut names),
        DefinitionKind::Record(fields) => fields.iter().for_each(|field| names_in(&field.ty, &mut names)),
        DefinitionKind::Variant(cases) => {
            cases.iter().filter_map(|case| case.ty.as_ref()).for_each(|ty| names_in(ty, &mut names));
        }
        DefinitionKind::Enum(_)
        | DefinitionKind::Flags(_)
        | DefinitionKind::Parameter(_)
        | DefinitionKind::Resource(_) => {}
    }
    names
}

fn names_in(ty: &TypeExpr, names: &mut BTreeSet<String>) {
    match &ty.kind {
        TypeKind::Named(name, arguments) => {
            names.insert(name.text.clone());
            arguments.iter().for_each(|argument| names_in(argument, names));
        }
        TypeKind::List(inner)
        | TypeKind::Option(inner)
        | TypeKind::Set(inner)
        | TypeKind::Array(inner, _) => {
            names_in(inner, names);
        }
        TypeKind::Result(ok, err) => [ok, err].into_iter().flatten().for_each(|arm| names_in(arm, names)),
        TypeKind::Tuple(items) => items.iter().for_each(|item| names_in(item, names)),
        TypeKind::Map(key, value) => {
            names_in(key, names);
            names_in(value, names);
        }
        TypeKind::Channel(_, item) => item.iter().for_each(|item| names_in(item, names)),
        TypeKind::Simple(_) | TypeKind::Handle(..) | TypeKind::ErrorContext => {}
    }
}

/// What a name in a type means besides what the scope says.
struct Bound<'a> {
    params: BTreeMap<&'a str, Type>,
    /// `None` for the interface's own text.
    names: Option<&'a BTreeMap<String, String>>,
}

/// An instance whose definition is still to be made.
struct Pending {
    place: usize,
    template: Template,
    arguments: Vec<Type>,
}

/// The types of one interface while they are made.
pub(crate) struct Lowering<'a> {
    scope: &'a Scope,
    pub(crate) types: Vec<TypeDef>,
    /// The types that were made here, and where each stands in the text.
    pub(crate) owners: Vec<Owner>,
    pub(crate) keys: Vec<Key>,
    taken: BTreeSet<String>,
    /// The name of each instance by what it is an instance of.
    instances: BTreeMap<String, String>,
    pending: Vec<Pending>,
    terms: usize,
}

impl<'a> Lowering<'a> {
    /// Begins with the types that were copied into the interface.
    pub(crate) fn new(scope: &'a Scope, copied: Vec<TypeDef>) -> Self {
        let mut taken: BTreeSet<String> = scope.visible.keys().cloned().collect();
        taken.extend(copied.iter().map(|def| def.name.clone()));
        taken.insert("value".to_owned());
        Self {
            scope,
            types: copied,
            owners: Vec::new(),
            keys: Vec::new(),
            taken,
            instances: BTreeMap::new(),
            pending: Vec::new(),
            terms: 0,
        }
    }

    /// Makes the type of one definition; templates and resources make none.
    pub(crate) fn definition(&mut self, definition: &Definition) -> Parsed<()> {
        let is_type = definition.params.is_empty() && !self.scope.is_resource(&definition.name.text);
        if !is_type {
            return Ok(());
        }
        let bound = Bound { params: BTreeMap::new(), names: None };
        let kind = self.kind(definition, &bound)?;
        let name = definition.name.text.clone();
        self.push(TypeDef { name, docs: definition.docs.clone(), kind }, definition.name.span)
    }

    pub(crate) fn function(&mut self, signature: &Signature) -> Parsed<Function> {
        let bound = Bound { params: BTreeMap::new(), names: None };
        let mut params = Vec::with_capacity(signature.params.len());
        for (name, ty) in &signature.params {
            params.push(Param { name: name.text.clone(), ty: self.ty(ty, &bound)? });
        }
        let result = signature.result.as_ref().map(|ty| self.ty(ty, &bound)).transpose()?;
        Ok(Function { name: signature.name.text.clone(), docs: signature.docs.clone(), params, result })
    }

    /// Makes the definitions of all instances that were asked for, and of those that they ask for.
    pub(crate) fn instantiate(&mut self) -> Parsed<()> {
        while let Some(Pending { place, template, arguments }) = self.pending.pop() {
            let definition = Rc::clone(&template.definition);
            let params = definition.params.iter().map(|param| param.text.as_str()).zip(arguments).collect();
            let bound = Bound { params, names: Some(&template.names) };
            self.types[place].kind = self.kind(&definition, &bound)?;
        }
        Ok(())
    }

    fn push(&mut self, def: TypeDef, span: Span) -> Parsed<()> {
        if self.types.len() >= TYPES_MAX {
            return Err(too_many_types(span));
        }
        self.owners.push(Owner { name: def.name.clone(), span });
        self.types.push(def);
        Ok(())
    }

    fn kind(&mut self, definition: &Definition, bound: &Bound<'_>) -> Parsed<TypeDefKind> {
        Ok(match &definition.kind {
            DefinitionKind::Alias(target) => TypeDefKind::Alias(self.ty(target, bound)?),
            DefinitionKind::Record(fields) => {
                let mut lowered = Vec::with_capacity(fields.len());
                for field in fields {
                    let ty = self.ty(&field.ty, bound)?;
                    lowered.push(Field { name: field.name.clone(), docs: field.docs.clone(), ty });
                }
                TypeDefKind::Record(lowered)
            }
            DefinitionKind::Variant(cases) => {
                let mut lowered = Vec::with_capacity(cases.len());
                for case in cases {
                    let ty = case.ty.as_ref().map(|ty| self.ty(ty, bound)).transpose()?;
                    lowered.push(Case { name: case.name.clone(), docs: case.docs.clone(), ty });
                }
                TypeDefKind::Variant(lowered)
            }
            DefinitionKind::Enum(cases) => TypeDefKind::Enum(cases.clone()),
            DefinitionKind::Flags(flags) => TypeDefKind::Flags(flags.clone()),
            DefinitionKind::Parameter(constraint) => TypeDefKind::Parameter(constraint.clone()),
            DefinitionKind::Resource(_) => TypeDefKind::Alias(REFUSED),
        })
    }

    fn ty(&mut self, ty: &TypeExpr, bound: &Bound<'_>) -> Parsed<Type> {
        if bound.names.is_some() {
            self.terms += 1;
            if self.terms > INSTANCE_TERMS_MAX {
                return Err(Fault::new(ty.span, "the generic types of this interface make too many others"));
            }
        }
        Ok(match &ty.kind {
            TypeKind::Simple(simple) => simple.clone(),
            TypeKind::List(item) => Type::List(Box::new(self.ty(item, bound)?)),
            TypeKind::Option(inner) => Type::Option(Box::new(self.ty(inner, bound)?)),
            TypeKind::Set(item) => Type::Set(Box::new(self.key(item, bound)?)),
            TypeKind::Map(key, value) => {
                let key = self.key(key, bound)?;
                Type::Map(Box::new(key), Box::new(self.ty(value, bound)?))
            }
            TypeKind::Result(ok, err) => {
                let mut arm = |ty: &Option<Box<TypeExpr>>| {
                    ty.as_ref().map(|ty| self.ty(ty, bound).map(Box::new)).transpose()
                };
                Type::Result { ok: arm(ok)?, err: arm(err)? }
            }
            TypeKind::Tuple(items) => {
                let items: Parsed<Vec<Type>> = items.iter().map(|item| self.ty(item, bound)).collect();
                Type::Tuple(items?)
            }
            TypeKind::Named(name, arguments) => self.named(ty.span, name, arguments, bound)?,
            TypeKind::Array(..) | TypeKind::Handle(..) | TypeKind::Channel(..) | TypeKind::ErrorContext => {
                REFUSED
            }
        })
    }

    /// The key of a map or set, whose order is checked once all types are known.
    fn key(&mut self, ty: &TypeExpr, bound: &Bound<'_>) -> Parsed<Type> {
        let lowered = self.ty(ty, bound)?;
        self.keys.push(Key { ty: lowered.clone(), span: ty.span });
        Ok(lowered)
    }

    fn named(&mut self, span: Span, name: &Name, arguments: &[TypeExpr], bound: &Bound<'_>) -> Parsed<Type> {
        if let Some(ty) = bound.params.get(name.text.as_str()) {
            return Ok(ty.clone());
        }
        let local = match bound.names {
            None if self.scope.is_visible(&name.text) => name.text.as_str(),
            None => "",
            Some(names) => names.get(&name.text).map_or("", String::as_str),
        };
        if local.is_empty() {
            return Ok(if name.text == "value" { Type::Value } else { REFUSED });
        }
        if self.scope.is_resource(local) {
            return Ok(REFUSED);
        }
        let Some(template) = self.scope.templates.get(local) else {
            return Ok(Type::Named(local.to_owned()));
        };
        if template.definition.params.len() != arguments.len() {
            return Ok(REFUSED);
        }
        let arguments: Parsed<Vec<Type>> =
            arguments.iter().map(|argument| self.ty(argument, bound)).collect();
        self.instance(span, local, template.clone(), arguments?)
    }

    fn instance(
        &mut self,
        span: Span,
        local: &str,
        template: Template,
        arguments: Vec<Type>,
    ) -> Parsed<Type> {
        let mut terms = 0;
        for argument in &arguments {
            measure(argument, 1, &mut terms).map_err(|()| endless(span, local))?;
        }
        let spelling = Type::Tuple(arguments.clone()).to_string();
        let spelling = format!("{local}{spelling}");
        if let Some(known) = self.instances.get(&spelling) {
            return Ok(Type::Named(known.clone()));
        }
        let name = self.instance_name(local, &arguments);
        self.instances.insert(spelling, name.clone());
        let place = self.types.len();
        let docs = template.definition.docs.clone();
        self.push(TypeDef { name: name.clone(), docs, kind: TypeDefKind::Enum(Vec::new()) }, span)?;
        self.pending.push(Pending { place, template, arguments });
        Ok(Type::Named(name))
    }

    fn instance_name(&mut self, local: &str, arguments: &[Type]) -> String {
        let mut name = local.to_owned();
        arguments.iter().for_each(|argument| append(&mut name, argument));
        if name.len() > INSTANCE_NAME_MAX {
            local.clone_into(&mut name);
        }
        free_name(&name, &mut self.taken)
    }
}

/// Stands where something was refused: it has an order and a value, so that it causes no further complaint.
const REFUSED: Type = Type::Bool;

/// Returns the name itself, or with a number if it is taken, and takes it.
pub(crate) fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-x{number}");
        number += 1;
    }
    candidate
}

pub(crate) fn too_many_types(span: Span) -> Box<Fault> {
    Fault::new(span, format!("an interface has at most {TYPES_MAX} types"))
}

fn endless(span: Span, name: &str) -> Box<Fault> {
    Fault::new(span, format!("`{name}` is applied to ever larger types"))
        .hint("a generic type that contains itself is applied to its own parameters there")
}

/// Counts the terms of a type, as long as it is neither too large nor too deep.
fn measure(ty: &Type, depth: usize, terms: &mut usize) -> Result<(), ()> {
    *terms += 1;
    if depth > TYPE_DEPTH_MAX || *terms > ARGUMENT_TERMS_MAX {
        return Err(());
    }
    match ty {
        Type::List(inner) | Type::Option(inner) | Type::Set(inner) => measure(inner, depth + 1, terms),
        Type::Map(key, value) => {
            measure(key, depth + 1, terms)?;
            measure(value, depth + 1, terms)
        }
        Type::Result { ok, err } => {
            [ok, err].into_iter().flatten().try_for_each(|arm| measure(arm, depth + 1, terms))
        }
        Type::Tuple(items) => items.iter().try_for_each(|item| measure(item, depth + 1, terms)),
        _ => Ok(()),
    }
}

/// Appends what a type is called in the name of an instance.
fn append(name: &mut String, ty: &Type) {
    name.push('-');
    match ty {
        Type::List(inner) => {
            name.push_str("list");
            append(name, inner);
        }
        Type::Option(inner) => {
            name.push_str("option");
            append(name, inner);
        }
        Type::Set(inner) => {
            name.push_str("set");
            append(name, inner);
        }
        Type::Map(key, value) => {
            name.push_str("map");
            append(name, key);
            append(name, value);
        }
        Type::Result { ok, err } => {
            name.push_str("result");
            for arm in [ok, err] {
                append(name, arm.as_deref().unwrap_or(&Type::Tuple(Vec::new())));
            }
        }
        Type::Tuple(items) if items.is_empty() => name.push_str("unit"),
        Type::Tuple(items) => {
            name.push_str("tuple");
            items.iter().for_each(|item| append(name, item));
        }
        simple => name.push_str(&simple.to_string()),
    }
}
