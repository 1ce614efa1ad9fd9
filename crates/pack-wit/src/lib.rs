//! Parser of interface text (WIT and its extensions) into pack-abi types.
//!
//! The text is WIT, read in full, with these extensions: `value` (any graph value), `map<K, V>`, `set<T>`, types that
//! refer to themselves, generic types, interfaces with a type parameter, and `%` before any name of Pack. What the
//! Graph ABI cannot carry (resources, streams, futures, async functions) is refused with its position. Macros, the
//! command line and hosts all read interfaces through [`parse`].

#![expect(clippy::vec_box, reason = "a fault is boxed when it is made, because it travels as an error")]

mod ast;
mod check;
mod copies;
mod describe;
#[cfg(test)]
mod differential;
mod error;
mod lexer;
mod locate;
mod lower;
mod pact;
mod parser;
mod parser_items;
mod parser_types;
mod print;
mod refuse;
mod resolve;
mod resolve_world;
mod suggest;
mod world_types;

use pack_abi::types::Interface;

pub use describe::{PrintError, print_metadata};
pub use error::{ParseError, Place};
pub use print::{print_interface, print_items, print_world};

/// A file of interface text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that errors show, a path with `/`; files without `package` belong to the package of their folder.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Returns the source with this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// A package with everything in it resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The name without version, e.g. `theater:simple`; empty for text that declares none.
    pub name: String,
    /// The version, if one is declared.
    pub version: Option<String>,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// The interfaces in the order of the text.
    pub interfaces: Vec<Interface>,
    /// The worlds in the order of the text.
    pub worlds: Vec<World>,
}

/// What a package takes from its host and what it offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The package that declares it, e.g. `my:actor`.
    pub package: String,
    /// The name as written.
    pub name: String,
    /// Doc comment; empty if there is none.
    pub docs: String,
    /// Interfaces that the package calls. Bare functions are in one with an empty name.
    pub imports: Vec<Interface>,
    /// Interfaces that the package implements. Bare functions are in one with an empty name.
    pub exports: Vec<Interface>,
    /// Interfaces of which only types are used, without their functions.
    pub used: Vec<Interface>,
    /// For each type that was copied into an interface: where it is defined.
    pub origins: Vec<Origin>,
}

/// Says that a type of an interface is a copy of another interface's type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The interface that holds the copy.
    pub interface: String,
    /// The name of the copy.
    pub name: String,
    /// The interface that defines the type.
    pub from: String,
    /// The name there.
    pub original: String,
    /// Whether the text names the type (`use`), or it is only needed by such a type.
    pub is_visible: bool,
}

/// All packages of a set of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The packages; the first is that of the first file.
    pub packages: Vec<Package>,
}

impl Document {
    /// Returns the interface with this full name, e.g. `theater:simple/runtime`.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.packages.iter().flat_map(|package| &package.interfaces).find(|interface| interface.name == name)
    }

    /// Returns the world of this name in the first package (or, as `ns:package/world`, in any), or the
    /// only world of the first package.
    ///
    /// # Errors
    /// If there is no such world, or no name is given and there is not exactly one.
    pub fn world(&self, name: Option<&str>) -> Result<&World, ParseError> {
        let Some(main) = self.packages.first() else {
            return Err(ParseError::unplaced("there is no interface text".to_owned()));
        };
        let Some(name) = name else {
            return match main.worlds.as_slice() {
                [world] => Ok(world),
                [] => Err(ParseError::unplaced(format!("package `{}` declares no world", main.name))),
                _ => Err(ParseError::unplaced(format!(
                    "package `{}` declares several worlds ({}): say which one",
                    main.name,
                    list_names(main.worlds.iter().map(|world| world.name.as_str()))
                ))),
            };
        };
        let found = match name.rsplit_once('/') {
            None => main.worlds.iter().find(|world| world.name == name),
            Some((package, name)) => (self.packages.iter())
                .filter(|candidate| candidate.name == package)
                .find_map(|candidate| candidate.worlds.iter().find(|world| world.name == name)),
        };
        found.ok_or_else(|| ParseError::unplaced(format!("there is no world `{name}`")))
    }
}

fn list_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the package that a file declares for itself, if it does and is readable so far.
pub fn declared_package(source: &Source) -> Option<String> {
    let tokens = lexer::tokenize(0, &source.text).ok()?;
    parser::leading_package(&source.text, tokens)
}

/// Parses and resolves a set of files; those whose name ends in `.pact` are read as upstream's.
///
/// # Errors
/// The mistakes in the text, each with its place: the first, with the others in [`ParseError::others`]. Within one
/// file what can be read shapes what is looked at next, so of mistakes in its grammar only the first is reported.
///
/// # Examples
/// ```
/// let source = pack_wit::Source::new("math.wit", "package a:b; interface math { double: func(n: s64) -> s64; }");
/// let document = pack_wit::parse(&[source])?;
/// assert_eq!(document.interface("a:b/math").map(|math| math.functions.len()), Some(1));
/// # Ok::<(), pack_wit::ParseError>(())
/// ```
pub fn parse(sources: &[Source]) -> Result<Document, ParseError> {
    let files = syntax(sources).map_err(|faults| ParseError::all(sources, faults))?;
    resolve::resolve(sources, files).map_err(|faults| ParseError::all(sources, faults))
}

/// The syntax of all files, or what is wrong with each that cannot be read.
fn syntax(sources: &[Source]) -> Result<Vec<ast::File>, Vec<Box<error::Fault>>> {
    let (mut files, mut faults) = (Vec::with_capacity(sources.len()), Vec::new());
    for (index, source) in sources.iter().enumerate() {
        let is_pact = source.name.ends_with(".pact");
        let file = if is_pact { pact::parse_file(index, source) } else { read_wit(index, &source.text) };
        match file {
            Ok(file) => files.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

fn read_wit(index: usize, text: &str) -> parser::Parsed<ast::File> {
    parser::parse_file(index, text, lexer::tokenize(index, text)?)
}
