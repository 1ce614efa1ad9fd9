//! Interface text as written: names are not resolved, but know their place.

use pack_abi::types::{EnumCase, Type};

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
    /// Whether every type of the interface is used; then there are no names.
    pub(crate) takes_all: bool,
}

/// `a` or `a as b`
#[derive(Clone, Debug)]
pub(crate) struct Renamed {
    pub(crate) original: Name,
    pub(crate) local: Name,
}

/// A type as written.
#[derive(Clone, Debug)]
pub(crate) struct TypeExpr {
    pub(crate) kind: TypeKind,
    pub(crate) span: Span,
}

/// What a type is; all that WIT has, whether the Graph ABI can carry it or not.
#[derive(Clone, Debug)]
pub(crate) enum TypeKind {
    /// A type without parts, such as `u8` or `string`.
    Simple(Type),
    List(Box<TypeExpr>),
    /// `list<T, 4>`
    Array(
        Box<TypeExpr>,
        #[cfg_attr(not(test), expect(dead_code, reason = "arrays are refused; tests compare"))] String,
    ),
    Option(Box<TypeExpr>),
    Result(Option<Box<TypeExpr>>, Option<Box<TypeExpr>>),
    Tuple(Vec<TypeExpr>),
    Map(Box<TypeExpr>, Box<TypeExpr>),
    Set(Box<TypeExpr>),
    /// A type that is defined elsewhere, with what it is applied to.
    Named(Name, Vec<TypeExpr>),
    /// `own<T>` or `borrow<T>`
    Handle(&'static str, Name),
    /// `stream<T>` or `future<T>`, with or without its type.
    Channel(&'static str, Option<Box<TypeExpr>>),
    ErrorContext,
}

/// A type definition.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Name,
    pub(crate) docs: String,
    /// The parameters of a generic type: `a` and `b` of `pair<a, b>`.
    pub(crate) params: Vec<Name>,
    pub(crate) kind: DefinitionKind,
}

/// What a definition defines.
#[derive(Clone, Debug)]
pub(crate) enum DefinitionKind {
    Alias(TypeExpr),
    Record(Vec<FieldExpr>),
    Variant(Vec<CaseExpr>),
    Enum(Vec<EnumCase>),
    Flags(Vec<EnumCase>),
    /// `type t: constraint`: a parameter of the whole interface.
    Parameter(Option<String>),
    Resource(
        #[cfg_attr(not(test), expect(dead_code, reason = "resources are refused; tests compare"))]
        Vec<Method>,
    ),
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(crate) struct FieldExpr {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) ty: TypeExpr,
}

/// A case of a variant.
#[derive(Clone, Debug)]
pub(crate) struct CaseExpr {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) ty: Option<TypeExpr>,
}

/// A function of a resource.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "resources are refused; tests compare"))]
pub(crate) struct Method {
    pub(crate) is_static: bool,
    pub(crate) is_constructor: bool,
    pub(crate) signature: Signature,
}

/// A function.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: Name,
    pub(crate) docs: String,
    pub(crate) params: Vec<(Name, TypeExpr)>,
    pub(crate) result: Option<TypeExpr>,
    /// Where it says `async`.
    pub(crate) asynchronous: Option<Span>,
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
