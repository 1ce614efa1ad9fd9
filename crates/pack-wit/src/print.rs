//! Interfaces and worlds as canonical text, which parses to what was printed.

use std::collections::BTreeMap;

use pack_abi::types::{EnumCase, Function, Interface, Type, TypeDef, TypeDefKind};

use crate::World;
use crate::parser::{is_kebab, is_keyword};

const INDENT: &str = "    ";

/// Returns the text of one interface, `package` line included if its name has one.
pub fn print_interface(interface: &Interface) -> String {
    let mut printer = Printer::default();
    let name = match interface.name.rsplit_once('/') {
        Some((package, name)) => {
            printer.line(&format!("package {};", package_name(package)));
            printer.line("");
            name
        }
        None => interface.name.as_str(),
    };
    printer.interface(name, interface);
    printer.text
}

/// Returns what stands between the braces of an interface, not indented.
pub fn print_items(interface: &Interface) -> String {
    let mut printer = Printer::default();
    printer.interface_items(interface);
    printer.text
}

/// Returns the text of a world together with every interface that it needs.
///
/// Types that an interface takes from another are printed where they are used, so the text says the same
/// without `use`.
pub fn print_world(world: &World) -> String {
    let mut printer = Printer::default();
    if !world.package.is_empty() {
        printer.line(&format!("package {};", package_name(&world.package)));
    }
    let mut packages: BTreeMap<&str, BTreeMap<&str, &Interface>> = BTreeMap::new();
    for interface in world.imports.iter().chain(&world.exports) {
        if let (false, Some((package, name))) = (is_inline(world, interface), interface.name.rsplit_once('/'))
        {
            packages.entry(package).or_default().insert(name, interface);
        }
    }
    for (package, interfaces) in &packages {
        let is_own = *package == world.package;
        if !is_own {
            printer.separate();
            printer.open(&format!("package {}", package_name(package)));
        }
        for (name, interface) in interfaces {
            printer.separate();
            printer.interface(name, interface);
        }
        if !is_own {
            printer.close();
        }
    }
    printer.separate();
    printer.world(world);
    printer.text
}

/// Whether an interface stands in the world itself: it is in no package, or what its package holds is the other side's.
fn is_inline(world: &World, interface: &Interface) -> bool {
    let parts: Vec<&str> = interface.name.split('/').collect();
    let [package, _] = parts.as_slice() else { return true };
    let has_namespace = package.split(':').count() == 2;
    let is_other = |import: &Interface| import.name == interface.name && import != interface;
    !has_namespace || world.imports.iter().any(is_other)
}

#[derive(Default)]
struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&INDENT.repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    fn separate(&mut self) {
        let is_first = self.text.is_empty() || self.text.ends_with("{\n");
        if !is_first {
            self.line("");
        }
    }

    fn open(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn docs(&mut self, docs: &str) {
        if docs.is_empty() {
            return;
        }
        for line in docs.split('\n') {
            self.line(if line.is_empty() { "///".to_owned() } else { format!("/// {line}") }.as_str());
        }
    }

    fn interface(&mut self, name: &str, interface: &Interface) {
        self.docs(&interface.docs);
        self.open(&format!("interface {}", escaped(name)));
        self.interface_items(interface);
        self.close();
    }

    fn interface_items(&mut self, interface: &Interface) {
        for def in &interface.types {
            self.separate();
            self.definition(def);
        }
        for function in &interface.functions {
            self.separate();
            self.docs(&function.docs);
            self.line(&format!("{};", signature(function)));
        }
    }

    fn definition(&mut self, def: &TypeDef) {
        self.docs(&def.docs);
        let name = escaped(&def.name);
        match &def.kind {
            TypeDefKind::Alias(target) => self.line(&format!("type {name} = {};", type_text(target))),
            TypeDefKind::Record(fields) => {
                self.open(&format!("record {name}"));
                for field in fields {
                    self.docs(&field.docs);
                    self.line(&format!("{}: {},", escaped(&field.name), type_text(&field.ty)));
                }
                self.close();
            }
            TypeDefKind::Variant(cases) => {
                self.open(&format!("variant {name}"));
                for case in cases {
                    self.docs(&case.docs);
                    let payload =
                        case.ty.as_ref().map_or_else(String::new, |ty| format!("({})", type_text(ty)));
                    self.line(&format!("{}{payload},", escaped(&case.name)));
                }
                self.close();
            }
            TypeDefKind::Enum(cases) => self.words(&format!("enum {name}"), cases),
            TypeDefKind::Flags(flags) => self.words(&format!("flags {name}"), flags),
            TypeDefKind::Parameter(None) => self.line(&format!("type {name};")),
            TypeDefKind::Parameter(Some(constraint)) => {
                self.line(&format!("type {name}: {};", escaped(constraint)));
            }
        }
    }

    fn words(&mut self, head: &str, words: &[EnumCase]) {
        self.open(head);
        for word in words {
            self.docs(&word.docs);
            self.line(&format!("{},", escaped(&word.name)));
        }
        self.close();
    }

    fn world(&mut self, world: &World) {
        self.docs(&world.docs);
        self.open(&format!("world {}", escaped(&world.name)));
        let bare =
            |interfaces: &'_ [Interface]| interfaces.iter().find(|known| known.name.is_empty()).cloned();
        let types = bare(&world.imports).or_else(|| bare(&world.exports)).or_else(|| bare(&world.used));
        for def in types.iter().flat_map(|interface| &interface.types) {
            self.separate();
            self.definition(def);
        }
        for (side, interfaces) in [("import", &world.imports), ("export", &world.exports)] {
            for interface in interfaces {
                self.separate();
                self.world_item(side, interface, world);
            }
        }
        self.close();
    }

    fn world_item(&mut self, side: &str, interface: &Interface, world: &World) {
        if interface.name.is_empty() {
            for function in &interface.functions {
                self.docs(&function.docs);
                self.line(&format!("{side} {};", signature(function)));
            }
            return;
        }
        let path: Vec<String> = interface.name.split('/').map(package_name).collect();
        let path = path.join("/");
        if is_inline(world, interface) {
            self.docs(&interface.docs);
            self.open(&format!("{side} {path}: interface"));
            self.interface_items(interface);
            self.close();
            return;
        }
        match interface.name.rsplit_once('/') {
            Some((package, name)) if package == world.package => {
                self.line(&format!("{side} {};", escaped(name)));
            }
            Some(_) | None => self.line(&format!("{side} {path};")),
        }
    }
}

fn escaped(name: &str) -> String {
    if is_keyword(name) || !is_kebab(name) { format!("%{name}") } else { name.to_owned() }
}

fn package_name(package: &str) -> String {
    package.split(':').map(escaped).collect::<Vec<_>>().join(":")
}

fn signature(function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", escaped(&param.name), type_text(&param.ty)))
        .collect();
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", type_text(ty)));
    format!("{}: func({}){result}", escaped(&function.name), params.join(", "))
}

/// The type as interface text writes it.
fn type_text(ty: &Type) -> String {
    let simple = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::Value => "value",
        Type::Named(name) => return escaped(name),
        Type::List(item) => return format!("list<{}>", type_text(item)),
        Type::Option(inner) => return format!("option<{}>", type_text(inner)),
        Type::Set(item) => return format!("set<{}>", type_text(item)),
        Type::Map(key, value) => return format!("map<{}, {}>", type_text(key), type_text(value)),
        Type::Tuple(items) => {
            return format!("tuple<{}>", items.iter().map(type_text).collect::<Vec<_>>().join(", "));
        }
        Type::Result { ok, err } => {
            return match (ok, err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{}>", type_text(ok)),
                (None, Some(err)) => format!("result<_, {}>", type_text(err)),
                (Some(ok), Some(err)) => format!("result<{}, {}>", type_text(ok), type_text(err)),
            };
        }
    };
    simple.to_owned()
}
