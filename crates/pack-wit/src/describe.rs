//! The metadata of a package as interface text that says the same: parsed again, every hash is the one it had.
//!
//! The names of types do not count in hashes, so a type whose name the text cannot spell gets another one. Any other
//! name that it cannot spell is an error; and because metadata may come from anyone, the text is parsed and compared
//! before it is handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pack_abi::metadata::Metadata;
use pack_abi::types::{Interface, Type, TypeDef, TypeDefKind};

use crate::parser::is_identifier;
use crate::resolve::{rename_function, rename_kind};
use crate::{ParseError, Source, World, parse, print_world};

/// Why metadata cannot be written as interface text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrintError {
    /// A name is not made of letters, digits, `-` and `_`.
    Name {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The types are none that interface text allows.
    Refused(ParseError),
    /// The text would mean another interface.
    Changed {
        /// The interface.
        interface: String,
    },
}

impl fmt::Display for PrintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { what, name } => {
                write!(f, "the name {name:?} of a {what} cannot be written as interface text")
            }
            Self::Refused(error) => write!(f, "interface text does not allow these types: {}", error.message),
            Self::Changed { interface } => {
                write!(
                    f,
                    "interface `{interface}` cannot be written as interface text: its hash would change"
                )
            }
        }
    }
}

impl std::error::Error for PrintError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Name { .. } | Self::Changed { .. } => None,
        }
    }
}

/// Returns the interfaces of a package as the text of one world.
///
/// `world` becomes the world's name, brought into the form of one; a file stem will do.
///
/// # Errors
/// If the metadata holds what interface text has no form for.
///
/// # Examples
/// ```
/// let source = pack_wit::Source::new("w.wit", "world w { export double: func(n: s64) -> s64; }");
/// let document = pack_wit::parse(&[source])?;
/// let world = document.world(None)?;
/// let metadata = pack_abi::metadata::Metadata::new(world.imports.clone(), world.exports.clone());
/// let text = pack_wit::print_metadata("my_package", &metadata)?;
/// assert_eq!(text, "world my-package {\n    export double: func(n: s64) -> s64;\n}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn print_metadata(world: &str, metadata: &Metadata) -> Result<String, PrintError> {
    let spelt = |interfaces: &[Interface]| -> Result<Vec<Interface>, PrintError> {
        with_functions(interfaces).map(spell).collect()
    };
    let (mut imports, mut exports) = (spelt(&metadata.imports)?, spelt(&metadata.exports)?);
    share_bare_types(&mut imports, &mut exports);
    let name = world_name(world);
    let text = print_world(&World { name: name.clone(), imports, exports, ..World::default() });
    let document =
        parse(&[Source::new(format!("{name}.wit"), text.as_str())]).map_err(PrintError::Refused)?;
    let reread = document.world(None).map_err(PrintError::Refused)?;
    check_same(&metadata.imports, &reread.imports)?;
    check_same(&metadata.exports, &reread.exports)?;
    Ok(text)
}

/// An interface without functions leaves no trace in metadata.
fn with_functions(interfaces: &[Interface]) -> impl Iterator<Item = &Interface> {
    interfaces.iter().filter(|interface| !interface.functions.is_empty())
}

fn check_same(stated: &[Interface], reread: &[Interface]) -> Result<(), PrintError> {
    let changed = |interface: &Interface| Err(PrintError::Changed { interface: interface.name.clone() });
    for interface in with_functions(stated) {
        match reread.iter().find(|other| other.name == interface.name) {
            Some(other) if other.hash() == interface.hash() => {}
            Some(_) | None => return changed(interface),
        }
    }
    match reread.iter().find(|other| stated.iter().all(|interface| interface.name != other.name)) {
        Some(extra) => changed(extra),
        None => Ok(()),
    }
}

/// Words of a name as a world may be called.
fn world_name(name: &str) -> String {
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let words: Vec<String> = name
        .split(|c| !is_letter(c))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "package".to_owned() } else { words.join("-") }
}

/// The interface with type names that the text can spell; all other names are checked.
fn spell(interface: &Interface) -> Result<Interface, PrintError> {
    for part in interface.name.split([':', '/']).filter(|_| !interface.name.is_empty()) {
        check_name("interface", part)?;
    }
    for function in &interface.functions {
        check_name("function", &function.name)?;
        function.params.iter().try_for_each(|param| check_name("parameter", &param.name))?;
    }
    interface.types.iter().try_for_each(check_definition)?;
    let mut taken: BTreeSet<String> = interface.types.iter().map(|def| def.name.clone()).collect();
    let mut renamed = BTreeMap::new();
    for def in &interface.types {
        // A type called `value` would hide the built-in one, which metadata holds for every recursion.
        if def.name == "value" || !is_identifier(&def.name) {
            let stem = if def.name == "value" { "value" } else { "unnamed" };
            renamed.insert(def.name.clone(), free_name(stem, &mut taken));
        }
    }
    Ok(rename_types(interface, &renamed))
}

fn check_name(what: &'static str, name: &str) -> Result<(), PrintError> {
    if is_identifier(name) { Ok(()) } else { Err(PrintError::Name { what, name: name.to_owned() }) }
}

fn check_definition(def: &TypeDef) -> Result<(), PrintError> {
    match &def.kind {
        TypeDefKind::Alias(_) | TypeDefKind::Parameter(None) => Ok(()),
        TypeDefKind::Parameter(Some(constraint)) => check_name("constraint", constraint),
        TypeDefKind::Record(fields) => fields.iter().try_for_each(|field| check_name("field", &field.name)),
        TypeDefKind::Variant(cases) => cases.iter().try_for_each(|case| check_name("case", &case.name)),
        TypeDefKind::Enum(cases) => cases.iter().try_for_each(|case| check_name("case", &case.name)),
        TypeDefKind::Flags(flags) => flags.iter().try_for_each(|flag| check_name("flag", &flag.name)),
    }
}

/// A name that is not taken yet; it is then.
fn free_name(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let mut number = 1;
    loop {
        let name = format!("{stem}-x{number}");
        if taken.insert(name.clone()) {
            return name;
        }
        number += 1;
    }
}

fn rename_types(interface: &Interface, renamed: &BTreeMap<String, String>) -> Interface {
    let rename = &mut |name: &str| Type::Named(renamed.get(name).map_or(name, String::as_str).to_owned());
    let new_name = |name: &String| renamed.get(name).unwrap_or(name).clone();
    let types = interface.types.iter().map(|def| TypeDef {
        name: new_name(&def.name),
        docs: def.docs.clone(),
        kind: rename_kind(&def.kind, rename),
    });
    let types = types.collect();
    let functions = interface.functions.iter().map(|function| rename_function(function, rename)).collect();
    Interface { types, functions, ..interface.clone() }
}

/// Gives the bare functions of both sides one set of types, because in a world they have one.
fn share_bare_types(imports: &mut [Interface], exports: &mut [Interface]) {
    let find = |interfaces: &[Interface]| interfaces.iter().position(|interface| interface.name.is_empty());
    let (Some(import), Some(export)) = (find(imports), find(exports)) else { return };
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for def in imports[import].types.iter().chain(&exports[export].types) {
        taken.insert(def.name.clone());
    }
    let mut renamed = BTreeMap::new();
    for def in &exports[export].types {
        if imports[import].types.iter().any(|other| other.name == def.name) {
            renamed.insert(def.name.clone(), free_name(&def.name, &mut taken));
        }
    }
    exports[export] = rename_types(&exports[export], &renamed);
    let types: Vec<TypeDef> = imports[import].types.iter().chain(&exports[export].types).cloned().collect();
    imports[import].types.clone_from(&types);
    exports[export].types = types;
}
