//! Interface text as written: names are not resolved, but know their place.

use pack_abi::types::{Function, TypeDef};

use crate::error::Span;

/// A name and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// `ns:name@version`
#[derive(Clone, Debug)]
pub(crate) struct PackageName {
    /// `ns:name`
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) span: Span,
}

/// `name` or `ns:package/name@version`
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) package: Option<PackageName>,
    pub(crate) name: Name,
}

/// `use path.{a, b as c};`
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) path: Path,
    pub(crate) names: Vec<Renamed>,
}

/// `a` or `a as b`
#[derive(Clone, Debug)]
pub(crate) struct Renamed {
    pub(crate) original: Name,
    pub(crate) local: Name,
}

/// A type definition with the place of its name and of each type that it names.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Name,
    pub(crate) def: TypeDef,
    pub(crate) references: Vec<Name>,
    pub(crate) keys: Vec<Key>,
}

/// A function with the place of its name and of each type that it names.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: Name,
    pub(crate) function: Function,
    pub(crate) references: Vec<Name>,
    pub(crate) keys: Vec<Key>,
}

/// The key type of a map or set: it must have an order.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) ty: pack_abi::types::Type,
    pub(crate) span: Span,
}

/// An interface, or the types and functions of a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) uses: Vec<Use>,
    pub(crate) types: Vec<Definition>,
    pub(crate) functions: Vec<Signature>,
}

/// `interface name { ... }`
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) body: Body,
}

/// `world name { ... }`
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) name: Name,
    pub(crate) docs: String,
    /// `use` and type definitions.
    pub(crate) body: Body,
    pub(crate) items: Vec<WorldItem>,
    pub(crate) includes: Vec<Include>,
}

/// Which side of a world an item is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Import,
    Export,
}

/// `import ...;` or `export ...;`
#[derive(Clone, Debug)]
pub(crate) struct WorldItem {
    pub(crate) side: Side,
    pub(crate) kind: WorldItemKind,
}

/// What is imported or exported.
#[derive(Clone, Debug)]
pub(crate) enum WorldItemKind {
    Path(Path),
    Function(Signature),
    Interface(Interface),
}

/// `include path with { a as b };`
#[derive(Clone, Debug)]
pub(crate) struct Include {
    pub(crate) path: Path,
    pub(crate) renames: Vec<Renamed>,
}

/// `use path as name;` outside of interfaces
#[derive(Clone, Debug)]
pub(crate) struct TopUse {
    pub(crate) path: Path,
    pub(crate) local: Name,
}

/// The content of one package in one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) package: Option<PackageName>,
    pub(crate) docs: String,
    pub(crate) uses: Vec<TopUse>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) worlds: Vec<World>,
}

/// A file: its own package, then those nested in it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) parts: Vec<Part>,
}
