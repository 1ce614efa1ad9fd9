//! Our reading of WIT against that of `wit-parser`.

use std::collections::BTreeSet;

use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Type, TypeDef, TypeDefKind};
use pack_wit::{Source, World, parse};
use wit_parser::{Resolve, Type as WitType, TypeDefKind as WitTypeKind, UnresolvedPackageGroup, WorldItem};

/// Texts that use no extension.
const PLAIN: &[&str] = &[
    "package a:b;
     interface types { record point { x: s32, y: s32 } enum colour { red, green } flags rights { read, write }
         variant shape { dot(point), named(string), none } type points = list<point>; }
     interface api { use types.{point, shape as form};
         draw: func(at: point, f: form) -> result<_, string>; ask: func() -> result<option<tuple<u8, char>>>; }
     world w { import types; import api; import now: func() -> u64; export run: func(args: list<string>) -> u32; }",
    "package a:b@0.2.0; interface %interface { %use: func(%type: u8); }
     world base { import %interface; } world w { include base; export %interface; }",
];

/// What we read: types with all that they are made of, so that it does not matter where a name leads.
mod ours {
    use super::*;

    pub(super) fn ty(of: &Type, interface: &Interface) -> String {
        let ty = |of: &Type| ty(of, interface);
        let optional = |of: &Option<Box<Type>>| of.as_ref().map_or("_".to_owned(), |of| ty(of));
        match of {
            Type::Named(name) => {
                let def = interface.types.iter().find(|def| def.name == *name).expect("a resolved name");
                definition(def, interface)
            }
            Type::List(item) => format!("list<{}>", ty(item)),
            Type::Option(inner) => format!("option<{}>", ty(inner)),
            Type::Result { ok, err } => format!("result<{}, {}>", optional(ok), optional(err)),
            Type::Tuple(items) => format!("tuple<{}>", list(items.iter().map(ty))),
            simple => simple.to_string(),
        }
    }

    pub(super) fn definition(def: &TypeDef, interface: &Interface) -> String {
        let plain = |cases: &[EnumCase]| list(cases.iter().map(|case| case.name.clone()));
        match &def.kind {
            TypeDefKind::Alias(target) => ty(target, interface),
            TypeDefKind::Record(fields) => {
                let field = |field: &Field| format!("{}: {}", field.name, ty(&field.ty, interface));
                format!("record {{{}}}", list(fields.iter().map(field)))
            }
            TypeDefKind::Variant(cases) => {
                let payload = |case: &Case| case.ty.as_ref().map(|of| ty(of, interface)).unwrap_or_default();
                let case = |case: &Case| format!("{}({})", case.name, payload(case));
                format!("variant {{{}}}", list(cases.iter().map(case)))
            }
            TypeDefKind::Enum(cases) => format!("enum {{{}}}", plain(cases)),
            TypeDefKind::Flags(flags) => format!("flags {{{}}}", plain(flags)),
            TypeDefKind::Parameter(_) => panic!("no text has a parameter"),
        }
    }

    pub(super) fn function(function: &Function, interface: &Interface) -> String {
        let params = function.params.iter().map(|of| format!("{}: {}", of.name, ty(&of.ty, interface)));
        let result = function.result.as_ref().map_or("_".to_owned(), |of| ty(of, interface));
        format!("func {}({}) -> {result}", function.name, list(params))
    }

    pub(super) fn lines(sources: &[(&str, &str)]) -> BTreeSet<String> {
        let sources: Vec<Source> = sources.iter().map(|(name, text)| Source::new(*name, *text)).collect();
        let document = parse(&sources).unwrap_or_else(|error| panic!("{error}"));
        let mut lines = BTreeSet::new();
        for package in &document.packages {
            for interface in &package.interfaces {
                let name = &interface.name;
                let types = interface.types.iter();
                lines.extend(
                    types.map(|def| format!("{name} type {} = {}", def.name, definition(def, interface))),
                );
                let functions = interface.functions.iter();
                lines.extend(functions.map(|of| format!("{name} {}", function(of, interface))));
            }
            package.worlds.iter().for_each(|of| world(of, &mut lines));
        }
        lines
    }

    /// The sides of a world. An interface of which only types are needed is an import to `wit-parser`, unless they can
    /// come from an export.
    fn world(world: &World, lines: &mut BTreeSet<String>) {
        let is_exported = |used: &&Interface| world.exports.iter().any(|export| export.name == used.name);
        let used = world.used.iter().filter(|used| !is_exported(used));
        let imports = world.imports.iter().chain(used).map(|interface| ("import", interface));
        for (side, interface) in imports.chain(world.exports.iter().map(|interface| ("export", interface))) {
            if interface.name.is_empty() {
                let functions = interface.functions.iter();
                lines
                    .extend(functions.map(|of| format!("{} {side} {}", world.name, function(of, interface))));
            } else {
                lines.insert(format!("{} {side} {}", world.name, interface.name));
            }
        }
    }
}

/// What `wit-parser` reads.
struct Theirs(Resolve);

impl Theirs {
    /// Reads files of one package; all but the first without their `package` line.
    fn new(sources: &[(&str, &str)]) -> Result<Self, String> {
        let text = sources.iter().enumerate().map(|(index, (_, text))| match index {
            0 => (*text).to_owned(),
            _ => text.replacen("package theater:simple;", "", 1),
        });
        let text = text.collect::<Vec<_>>().join("\n");
        let group = UnresolvedPackageGroup::parse("all.wit", &text)
            .unwrap_or_else(|error| panic!("wit-parser reads the text: {error:?}\n{text}"));
        let mut resolve = Resolve::default();
        resolve.push_group(group).map_err(|error| format!("{error:?}"))?;
        Ok(Self(resolve))
    }

    fn ty(&self, of: &WitType) -> String {
        match of {
            WitType::Id(id) => self.kind(&self.0.types[*id].kind),
            simple => format!("{simple:?}").to_lowercase(),
        }
    }

    fn kind(&self, kind: &WitTypeKind) -> String {
        let optional = |of: &Option<WitType>| of.as_ref().map_or("_".to_owned(), |of| self.ty(of));
        match kind {
            WitTypeKind::Type(of) => self.ty(of),
            WitTypeKind::List(item) => format!("list<{}>", self.ty(item)),
            WitTypeKind::Option(inner) => format!("option<{}>", self.ty(inner)),
            WitTypeKind::Result(of) => format!("result<{}, {}>", optional(&of.ok), optional(&of.err)),
            WitTypeKind::Tuple(tuple) => {
                format!("tuple<{}>", list(tuple.types.iter().map(|of| self.ty(of))))
            }
            WitTypeKind::Record(record) => {
                let fields =
                    record.fields.iter().map(|field| format!("{}: {}", field.name, self.ty(&field.ty)));
                format!("record {{{}}}", list(fields))
            }
            WitTypeKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let payload = case.ty.as_ref().map(|of| self.ty(of)).unwrap_or_default();
                    format!("{}({payload})", case.name)
                });
                format!("variant {{{}}}", list(cases))
            }
            WitTypeKind::Enum(of) => {
                format!("enum {{{}}}", list(of.cases.iter().map(|case| case.name.clone())))
            }
            WitTypeKind::Flags(of) => {
                format!("flags {{{}}}", list(of.flags.iter().map(|flag| flag.name.clone())))
            }
            other => panic!("no text has {other:?}"),
        }
    }

    fn function(&self, name: &str, function: &wit_parser::Function) -> String {
        let params = function.params.iter().map(|param| format!("{}: {}", param.name, self.ty(&param.ty)));
        let result = function.result.as_ref().map_or("_".to_owned(), |of| self.ty(of));
        format!("func {name}({}) -> {result}", list(params))
    }

    fn interface(&self, id: wit_parser::InterfaceId) -> String {
        let interface = &self.0.interfaces[id];
        let package = &self.0.packages[interface.package.expect("a package")].name;
        format!("{}:{}/{}", package.namespace, package.name, interface.name.as_deref().expect("a name"))
    }

    fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for (id, interface) in &self.0.interfaces {
            let title = self.interface(id);
            lines.extend(
                interface.types.iter().map(|(name, id)| {
                    format!("{title} type {name} = {}", self.kind(&self.0.types[*id].kind))
                }),
            );
            lines.extend(
                interface.functions.iter().map(|(name, of)| format!("{title} {}", self.function(name, of))),
            );
        }
        for (_, world) in &self.0.worlds {
            for (side, items) in [("import", &world.imports), ("export", &world.exports)] {
                lines.extend(items.iter().filter_map(|(key, item)| match item {
                    WorldItem::Interface { id, .. } => {
                        Some(format!("{} {side} {}", world.name, self.interface(*id)))
                    }
                    WorldItem::Function(of) => Some(format!(
                        "{} {side} {}",
                        world.name,
                        self.function(&self.0.name_world_key(key), of)
                    )),
                    // A name in the world for a type: functions are compared with what it leads to.
                    WorldItem::Type { .. } => None,
                }));
            }
        }
        lines
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// What only one of both reads.
pub(crate) struct Differences {
    pub(crate) theirs: Vec<String>,
    pub(crate) ours: Vec<String>,
}

/// Compares all that both read, and returns it with what differs. Types that only we have are not told: those that a
/// used type is made of are copied with it. An error is why `wit-parser` does not resolve the text.
pub(crate) fn compared(sources: &[(&str, &str)]) -> Result<(BTreeSet<String>, Differences), String> {
    let (ours, theirs) = (ours::lines(sources), Theirs::new(sources)?.lines());
    let extra = ours.difference(&theirs).filter(|line| !line.contains(" type "));
    let differences =
        Differences { theirs: theirs.difference(&ours).cloned().collect(), ours: extra.cloned().collect() };
    Ok((theirs, differences))
}

fn same(sources: &[(&str, &str)]) -> BTreeSet<String> {
    let (lines, Differences { theirs, ours }) = compared(sources).expect("wit-parser resolves the text");
    assert!(theirs.is_empty() && ours.is_empty(), "only theirs: {theirs:#?}\nonly ours: {ours:#?}");
    lines
}

#[test]
fn wit_parser_reads_our_interface_files_as_we_do() {
    let lines = same(wit::FILES);
    let log = "theater:simple/runtime func log(msg: string) -> _";
    assert!(lines.contains(log), "{lines:#?}");
}

#[test]
fn wit_parser_reads_plain_wit_as_we_do() {
    let lines: BTreeSet<String> = PLAIN.iter().flat_map(|text| same(&[("plain.wit", *text)])).collect();
    let draw = "a:b/api func draw(at: record {x: s32, y: s32}, \
                f: variant {dot(record {x: s32, y: s32}), named(string), none()}) -> result<_, string>";
    assert!(lines.contains(draw), "{lines:#?}");
}

/// The others have resources, streams or async functions; their syntax is compared in the crate itself.
#[test]
fn the_files_of_wasi_that_the_abi_can_carry_have_the_types_that_wit_parser_finds() {
    for text in [include_str!("../wasi/p2/random.wit"), include_str!("../wasi/p3/random.wit")] {
        assert!(same(&[("random.wit", text)]).len() >= 6);
    }
}
