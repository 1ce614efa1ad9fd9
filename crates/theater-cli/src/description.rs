//! What a package says of itself, brought together: what the module imports and exports, the types in its
//! metadata, the docs in its interface text.
//!
//! The text is a claim: it is shown where its functions have the hashes that the metadata has, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use pack::{Anatomy, Package};
use pack_abi::hash::TypeHash;
use pack_abi::types::{Function, Interface, Type, TypeDef, TypeDefKind};
use pack_wit::{Source, World};

/// A package, described.
#[derive(Debug)]
pub(crate) struct Description {
    /// What it calls, by interface.
    pub(crate) imports: Vec<Part>,
    /// What can be called in it, by interface; functions without interface are in the one named `""`.
    pub(crate) exports: Vec<Part>,
    /// The world of its interface text, if it has one that agrees with its metadata.
    pub(crate) world: Option<World>,
    /// What its interface text says otherwise than its metadata, if it has one.
    pub(crate) text_fault: Option<String>,
}

/// An interface as a package uses or offers it.
#[derive(Debug)]
pub(crate) struct Part {
    /// Name, docs, the functions that are in the module, and the types that these need.
    pub(crate) interface: Interface,
    /// The hash that the metadata states, and that was recomputed.
    pub(crate) hash: Option<TypeHash>,
    /// Functions of the module that the metadata does not describe.
    pub(crate) undescribed: Vec<String>,
    /// How many functions the metadata describes that are not in the module.
    pub(crate) absent: usize,
}

impl Description {
    /// Brings together what there is.
    pub(crate) fn new(package: &Package, anatomy: &Anatomy) -> Self {
        let mut description =
            Self { imports: Vec::new(), exports: Vec::new(), world: None, text_fault: None };
        match anatomy.interface_text.as_deref().map(|text| read_text(text, package)) {
            Some(Ok(world)) => description.world = Some(world),
            Some(Err(fault)) => description.text_fault = Some(fault),
            None => {}
        }
        let imports = package.imports().iter();
        let imports = imports.map(|import| (import.interface.as_str(), import.name.as_str()));
        let exports = package.exports().iter();
        let exports = exports.map(|export| (export.interface.as_str(), export.name.as_str()));
        let (metadata, world) = (package.metadata(), description.world.as_ref());
        let described = metadata.map_or(&[][..], |metadata| &metadata.imports);
        let hashes = metadata.map_or(&[][..], |metadata| &metadata.import_hashes);
        let documented = world.map_or(&[][..], |world| &world.imports);
        description.imports = parts(imports, described, hashes, documented);
        let described = metadata.map_or(&[][..], |metadata| &metadata.exports);
        let hashes = metadata.map_or(&[][..], |metadata| &metadata.export_hashes);
        let documented = world.map_or(&[][..], |world| &world.exports);
        description.exports = parts(exports, described, hashes, documented);
        description
    }
}

/// Reads the interface text of a package, and compares it with the metadata.
fn read_text(text: &str, package: &Package) -> Result<World, String> {
    let Some(metadata) = package.metadata() else {
        return Err("there is no metadata to compare it with".to_owned());
    };
    let document = pack_wit::parse(&[Source::new("pack:wit", text)]).map_err(|error| error.to_string())?;
    let world = document.world(None).map_err(|error| error.to_string())?;
    for (side, stated, written) in [
        ("imports", &metadata.import_hashes, &world.imports),
        ("exports", &metadata.export_hashes, &world.exports),
    ] {
        let with_functions = written.iter().filter(|interface| !interface.functions.is_empty());
        let written: BTreeMap<&str, TypeHash> =
            with_functions.map(|interface| (interface.name.as_str(), interface.hash())).collect();
        let stated: BTreeMap<&str, TypeHash> =
            stated.iter().map(|(name, hash)| (name.as_str(), *hash)).collect();
        let differs = |name: &&&str| written.get(**name) != stated.get(**name);
        if let Some(name) = written.keys().chain(stated.keys()).find(differs) {
            return Err(format!("the metadata {side} another `{name}`"));
        }
    }
    Ok(world.clone())
}

/// Sorts the functions of a module by interface, in the order of the module, and describes them.
fn parts<'a>(
    functions: impl Iterator<Item = (&'a str, &'a str)>,
    described: &[Interface],
    hashes: &[(String, TypeHash)],
    documented: &[Interface],
) -> Vec<Part> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
    for (interface, name) in functions {
        let place = *places.entry(interface).or_insert_with(|| {
            grouped.push((interface, Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(name);
    }
    let named = |interfaces: &[Interface], name: &str| -> Option<Interface> {
        interfaces.iter().find(|interface| interface.name == name).cloned()
    };
    grouped
        .into_iter()
        .map(|(name, functions)| {
            let hash = hashes.iter().find(|(known, _)| known == name).map(|(_, hash)| *hash);
            let interface = named(documented, name).or_else(|| named(described, name));
            part(interface.unwrap_or_else(|| bare(name)), hash, &functions)
        })
        .collect()
}

fn bare(name: &str) -> Interface {
    Interface { name: name.to_owned(), ..Interface::default() }
}

fn part(mut interface: Interface, hash: Option<TypeHash>, functions: &[&str]) -> Part {
    let wanted: BTreeSet<&str> = functions.iter().copied().collect();
    let known: BTreeSet<&str> = interface.functions.iter().map(|function| function.name.as_str()).collect();
    let is_undescribed = |name: &&&str| !known.contains(**name);
    let undescribed = functions.iter().filter(is_undescribed).map(|name| (*name).to_owned()).collect();
    let absent = known.difference(&wanted).count();
    interface.functions.retain(|function| wanted.contains(function.name.as_str()));
    let needed = needed(&interface.functions, &interface.types);
    interface.types.retain(|def| needed.contains(&def.name));
    Part { interface, hash, undescribed, absent }
}

/// Returns the names of the types that functions of an interface need.
pub(crate) fn needed(functions: &[Function], types: &[TypeDef]) -> BTreeSet<String> {
    let mut open: Vec<&Type> = functions.iter().flat_map(types_of).collect();
    let defs: BTreeMap<&str, &TypeDef> = types.iter().map(|def| (def.name.as_str(), def)).collect();
    let mut needed = BTreeSet::new();
    while let Some(ty) = open.pop() {
        match ty {
            Type::Named(name) => {
                if let Some(def) = defs.get(name.as_str())
                    && needed.insert(name.clone())
                {
                    open.extend(inside(&def.kind));
                }
            }
            Type::List(inner) | Type::Option(inner) | Type::Set(inner) => open.push(inner),
            Type::Map(key, value) => open.extend([key.as_ref(), value.as_ref()]),
            Type::Tuple(items) => open.extend(items),
            Type::Result { ok, err } => open.extend(ok.iter().chain(err).map(AsRef::as_ref)),
            Type::Bool
            | Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::S8
            | Type::S16
            | Type::S32
            | Type::S64
            | Type::F32
            | Type::F64
            | Type::Char
            | Type::String
            | Type::Value => {}
        }
    }
    needed
}

fn types_of(function: &Function) -> impl Iterator<Item = &Type> {
    function.params.iter().map(|param| &param.ty).chain(&function.result)
}

fn inside(kind: &TypeDefKind) -> Vec<&Type> {
    match kind {
        TypeDefKind::Alias(target) => vec![target],
        TypeDefKind::Record(fields) => fields.iter().map(|field| &field.ty).collect(),
        TypeDefKind::Variant(cases) => cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) | TypeDefKind::Parameter(_) => Vec::new(),
    }
}
