//! Our syntax of WASI's files and of ours against what `wit-parser` reads: every item, type and doc comment.
//!
//! The syntax is compared and not the types, because the Graph ABI refuses resources and streams afterwards.

use std::collections::BTreeSet;

use wit_parser::{FunctionKind, Handle, Resolve, Type, TypeDef, TypeDefKind, TypeId, UnresolvedPackageGroup};

use crate::ast::{self, Body, Definition, DefinitionKind, Signature, TypeExpr, TypeKind};
use crate::{Source, syntax};

macro_rules! wasi {
    ($($path:literal),*) => {
        &[$(($path, include_str!(concat!("../tests/wasi/", $path)))),*]
    };
}

/// Files of WASI 0.2, each after those that it uses.
const P2: &[(&str, &str)] = wasi!(
    "p2/io.wit",
    "p2/clocks.wit",
    "p2/random.wit",
    "p2/filesystem.wit",
    "p2/sockets.wit",
    "p2/cli.wit",
    "p2/http.wit"
);

/// Files of WASI 0.3, which have streams, futures and async functions.
const P3: &[(&str, &str)] = wasi!(
    "p3/clocks.wit",
    "p3/random.wit",
    "p3/filesystem.wit",
    "p3/sockets.wit",
    "p3/cli.wit",
    "p3/http.wit"
);

fn words(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// What we read.
mod ours {
    use super::*;

    pub(super) fn ty(of: &TypeExpr) -> String {
        let optional = |of: &Option<Box<TypeExpr>>| of.as_ref().map_or("_".to_owned(), |of| ty(of));
        match &of.kind {
            TypeKind::Simple(simple) => simple.to_string(),
            TypeKind::List(item) => format!("list<{}>", ty(item)),
            TypeKind::Array(item, length) => format!("list<{}, {length}>", ty(item)),
            TypeKind::Option(inner) => format!("option<{}>", ty(inner)),
            TypeKind::Result(ok, err) => format!("result<{}, {}>", optional(ok), optional(err)),
            TypeKind::Tuple(items) => format!("tuple<{}>", list(items.iter().map(ty))),
            TypeKind::Map(key, value) => format!("map<{}, {}>", ty(key), ty(value)),
            TypeKind::Set(item) => format!("set<{}>", ty(item)),
            TypeKind::Named(name, _) | TypeKind::Handle("own", name) => name.text.clone(),
            TypeKind::Handle(word, name) => format!("{word}<{}>", name.text),
            TypeKind::Channel(word, item) => format!("{word}<{}>", optional(item)),
            TypeKind::ErrorContext => "error-context".to_owned(),
        }
    }

    fn signature(name: &str, of: &Signature, owner: Option<&str>, made: Option<&str>) -> String {
        let itself = owner.map(|owner| format!("self: borrow<{owner}>"));
        let params = of.params.iter().map(|(name, of)| format!("{}: {}", name.text, ty(of)));
        let params = list(itself.into_iter().chain(params));
        let result = of.result.as_ref().map(ty).or(made.map(str::to_owned)).unwrap_or_default();
        let word = if of.asynchronous.is_some() { "async " } else { "" };
        format!("{word}func {name}({params}) -> {result} // {}", words(&of.docs))
    }

    fn definition(def: &Definition, lines: &mut Vec<String>) {
        let name = &def.name.text;
        let plain = |cases: &[pack_abi::types::EnumCase]| {
            list(cases.iter().map(|case| format!("{} // {}", case.name, words(&case.docs))))
        };
        let kind =
            match &def.kind {
                DefinitionKind::Alias(target) => format!("type {}", ty(target)),
                DefinitionKind::Record(fields) => format!(
                    "record {}",
                    list(fields.iter().map(|field| {
                        format!("{}: {} // {}", field.name, ty(&field.ty), words(&field.docs))
                    }))
                ),
                DefinitionKind::Variant(cases) => format!(
                    "variant {}",
                    list(cases.iter().map(|case| {
                        let payload = case.ty.as_ref().map(ty).unwrap_or_default();
                        format!("{}({payload}) // {}", case.name, words(&case.docs))
                    }))
                ),
                DefinitionKind::Enum(cases) => format!("enum {}", plain(cases)),
                DefinitionKind::Flags(flags) => format!("flags {}", plain(flags)),
                DefinitionKind::Parameter(_) => panic!("no file has a parameter"),
                DefinitionKind::Resource(methods) => {
                    for method in methods {
                        let function = &method.signature;
                        let local = &function.name.text;
                        lines.push(if method.is_constructor {
                            signature(&format!("[constructor]{name}"), function, None, Some(name))
                        } else if method.is_static {
                            signature(&format!("[static]{name}.{local}"), function, None, None)
                        } else {
                            signature(&format!("[method]{name}.{local}"), function, Some(name), None)
                        });
                    }
                    "resource".to_owned()
                }
            };
        lines.push(format!("{name} = {kind} // {}", words(&def.docs)));
    }

    pub(super) fn body(interface: &str, docs: &str, body: &Body) -> Vec<String> {
        let mut lines = vec![format!("interface // {}", words(docs))];
        let used = body.uses.iter().flat_map(|used| &used.names);
        lines.extend(used.map(|name| format!("{} = use {}", name.local.text, name.original.text)));
        body.types.iter().for_each(|def| definition(def, &mut lines));
        lines.extend(body.functions.iter().map(|of| signature(&of.name.text, of, None, None)));
        lines.into_iter().map(|line| format!("{interface} {line}")).collect()
    }
}

/// What `wit-parser` reads.
struct Theirs(Resolve);

impl Theirs {
    fn name(&self, id: TypeId) -> String {
        self.0.types[id].name.clone().unwrap_or_else(|| self.kind(&self.0.types[id]))
    }

    fn ty(&self, of: &Type) -> String {
        match of {
            Type::Id(id) => self.name(*id),
            Type::ErrorContext => "error-context".to_owned(),
            simple => format!("{simple:?}").to_lowercase(),
        }
    }

    fn kind(&self, def: &TypeDef) -> String {
        let optional = |of: &Option<Type>| of.as_ref().map_or("_".to_owned(), |of| self.ty(of));
        let docs = |docs: &wit_parser::Docs| words(docs.contents.as_deref().unwrap_or_default());
        match &def.kind {
            TypeDefKind::Record(record) => format!(
                "record {}",
                list(record.fields.iter().map(|field| {
                    format!("{}: {} // {}", field.name, self.ty(&field.ty), docs(&field.docs))
                }))
            ),
            TypeDefKind::Resource => "resource".to_owned(),
            TypeDefKind::Handle(Handle::Own(id)) => self.name(*id),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", self.name(*id)),
            TypeDefKind::Flags(flags) => format!(
                "flags {}",
                list(flags.flags.iter().map(|flag| { format!("{} // {}", flag.name, docs(&flag.docs)) }))
            ),
            TypeDefKind::Tuple(tuple) => format!("tuple<{}>", list(tuple.types.iter().map(|of| self.ty(of)))),
            TypeDefKind::Variant(variant) => format!(
                "variant {}",
                list(variant.cases.iter().map(|case| {
                    let payload = case.ty.as_ref().map(|of| self.ty(of)).unwrap_or_default();
                    format!("{}({payload}) // {}", case.name, docs(&case.docs))
                }))
            ),
            TypeDefKind::Enum(cases) => format!(
                "enum {}",
                list(cases.cases.iter().map(|case| { format!("{} // {}", case.name, docs(&case.docs)) }))
            ),
            TypeDefKind::Option(inner) => format!("option<{}>", self.ty(inner)),
            TypeDefKind::Result(result) => {
                format!("result<{}, {}>", optional(&result.ok), optional(&result.err))
            }
            TypeDefKind::List(item) => format!("list<{}>", self.ty(item)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", self.ty(key), self.ty(value)),
            TypeDefKind::FixedLengthList(item, length) => format!("list<{}, {length}>", self.ty(item)),
            TypeDefKind::Future(item) => format!("future<{}>", optional(item)),
            TypeDefKind::Stream(item) => format!("stream<{}>", optional(item)),
            TypeDefKind::Type(of) => self.ty(of),
            TypeDefKind::Unknown => "unknown".to_owned(),
        }
    }

    /// A definition as the text has it: an alias says so, a type of another interface is used.
    fn definition(&self, name: &str, id: TypeId) -> String {
        let def = &self.0.types[id];
        let docs = words(def.docs.contents.as_deref().unwrap_or_default());
        match &def.kind {
            TypeDefKind::Type(Type::Id(target)) if self.0.types[*target].owner != def.owner => {
                format!("{name} = use {}", self.name(*target))
            }
            TypeDefKind::Record(_)
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_) => format!("{name} = {} // {docs}", self.kind(def)),
            _ => format!("{name} = type {} // {docs}", self.kind(def)),
        }
    }

    fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for (_, interface) in &self.0.interfaces {
            let package = &self.0.packages[interface.package.expect("a package")].name;
            let local = interface.name.as_deref().expect("a name");
            let title = format!("{}:{}/{local}", package.namespace, package.name);
            let docs = words(interface.docs.contents.as_deref().unwrap_or_default());
            lines.insert(format!("{title} interface // {docs}"));
            lines.extend(
                interface.types.iter().map(|(name, id)| format!("{title} {}", self.definition(name, *id))),
            );
            for (name, function) in &interface.functions {
                let params =
                    function.params.iter().map(|param| format!("{}: {}", param.name, self.ty(&param.ty)));
                let result = function.result.as_ref().map(|of| self.ty(of)).unwrap_or_default();
                let docs = words(function.docs.contents.as_deref().unwrap_or_default());
                let is_async = matches!(
                    function.kind,
                    FunctionKind::AsyncFreestanding
                        | FunctionKind::AsyncMethod(_)
                        | FunctionKind::AsyncStatic(_)
                );
                let word = if is_async { "async " } else { "" };
                lines.insert(format!("{title} {word}func {name}({}) -> {result} // {docs}", list(params)));
            }
        }
        for (_, world) in &self.0.worlds {
            lines.insert(format!("world {}", world.name));
        }
        lines
    }
}

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(name, text)| Source::new(*name, *text)).collect()
}

fn ours_of(files: &[(&str, &str)]) -> BTreeSet<String> {
    let sources = sources(files);
    let read: Vec<ast::File> = syntax(&sources).unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut lines = BTreeSet::new();
    for part in read.iter().flat_map(|file| &file.parts) {
        let package = part.package.as_ref().map_or("", |package| package.name.as_str());
        for interface in &part.interfaces {
            let title = format!("{package}/{}", interface.name.text);
            lines.extend(ours::body(&title, &interface.docs, &interface.body));
        }
        lines.extend(part.worlds.iter().map(|world| format!("world {}", world.name.text)));
    }
    lines
}

fn theirs_of(files: &[(&str, &str)]) -> BTreeSet<String> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    for (name, text) in files {
        let group = UnresolvedPackageGroup::parse(name, text).expect("wit-parser reads the text");
        resolve.push_group(group).expect("wit-parser resolves the text");
    }
    Theirs(resolve).lines()
}

fn check(files: &[(&str, &str)], lines_min: usize) {
    let (ours, theirs) = (ours_of(files), theirs_of(files));
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let extra: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:#?}\nextra: {extra:#?}");
    assert!(ours.len() >= lines_min, "{} lines", ours.len());
}

#[test]
fn wasi_0_2_is_read_as_wit_parser_reads_it() {
    check(P2, 300);
}

#[test]
fn wasi_0_3_is_read_as_wit_parser_reads_it() {
    check(P3, 150);
}

#[test]
fn what_the_abi_cannot_carry_is_refused_once_where_it_stands() {
    let error = crate::parse(&sources(P2)).expect_err("WASI has resources");
    let places: Vec<(String, usize)> = std::iter::once(&error)
        .chain(&error.others)
        .filter_map(|error| error.place.as_ref())
        .map(|place| (place.file.clone(), place.line))
        .collect();
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
    assert!(places.len() >= 15);
    let all = std::iter::once(&error).chain(&error.others).filter(|error| error.place.is_some());
    all.for_each(|error| assert_eq!(error.message, "resources are not supported by the Graph ABI"));
}
