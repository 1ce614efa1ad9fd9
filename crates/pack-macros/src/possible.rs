//! What interface text allows and Rust's bindings cannot carry; refused before anything is generated, so that the
//! message can name the place in the text.

use std::collections::BTreeMap;

use pack_abi::types::{Function, Interface, Type, TypeDef, TypeDefKind};

use crate::names::{RustName, camel, shouting, snake};
use crate::rust_type::parts;

/// What a world asks for that bindings cannot give.
pub(crate) struct Impossible {
    /// The interface, or `""` for the world itself.
    pub(crate) interface: String,
    /// The type or function.
    pub(crate) item: String,
    pub(crate) message: String,
}

/// The codec reads and writes no larger tuples of Rust.
pub(crate) const TUPLE_ITEMS_MAX: usize = 12;

/// Refuses what bindings of an interface cannot give.
pub(crate) fn check(interface: &Interface) -> Result<(), Impossible> {
    let impossible = |item: &str, message: String| {
        Err(Impossible { interface: interface.name.clone(), item: item.to_owned(), message })
    };
    let types = interface.types.iter().map(|def| (&def.name, parts(&def.kind), type_twins(def)));
    let functions = interface.functions.iter().map(|function| {
        let types = function.params.iter().map(|param| &param.ty).chain(&function.result).collect();
        (&function.name, types, param_twins(function))
    });
    for (item, types, twins) in types.chain(functions) {
        if let Some(twins) = twins {
            return impossible(item, format!("in `{item}`, {twins}"));
        }
        if let Some(count) = types.into_iter().map(largest_tuple).max().filter(|n| *n > TUPLE_ITEMS_MAX) {
            let message =
                format!("`{item}` has a tuple of {count} elements, at most {TUPLE_ITEMS_MAX} are possible");
            return impossible(item, message);
        }
    }
    let types = interface.types.iter().map(|def| (def.name.as_str(), camel(&def.name)));
    let functions =
        interface.functions.iter().map(|function| (function.name.as_str(), snake(&function.name)));
    for (what, found) in [("types", twins(types)), ("functions", twins(functions))] {
        if let Some(Twins { first, second, ident }) = found {
            return impossible(&second, told(what, &first, &second, &ident));
        }
    }
    Ok(())
}

/// Two names that Rust spells the same.
struct Twins {
    first: String,
    second: String,
    ident: String,
}

fn twins<'a>(names: impl Iterator<Item = (&'a str, RustName)>) -> Option<Twins> {
    let mut seen = BTreeMap::new();
    for (second, name) in names {
        if let Some(first) = seen.insert(name.ident.clone(), second) {
            return Some(Twins {
                first: first.to_owned(),
                second: second.to_owned(),
                ident: name.ident.to_string(),
            });
        }
    }
    None
}

fn told(what: &str, first: &str, second: &str, ident: &str) -> String {
    format!("the {what} `{first}` and `{second}` would both be `{ident}` in Rust")
}

fn type_twins(def: &TypeDef) -> Option<String> {
    let (what, found) = match &def.kind {
        TypeDefKind::Record(fields) => {
            ("fields", twins(fields.iter().map(|field| (field.name.as_str(), snake(&field.name)))))
        }
        TypeDefKind::Variant(cases) => {
            ("cases", twins(cases.iter().map(|case| (case.name.as_str(), camel(&case.name)))))
        }
        TypeDefKind::Enum(cases) => {
            ("cases", twins(cases.iter().map(|case| (case.name.as_str(), camel(&case.name)))))
        }
        TypeDefKind::Flags(flags) => {
            ("flags", twins(flags.iter().map(|flag| (flag.name.as_str(), shouting(&flag.name)))))
        }
        TypeDefKind::Alias(_) | TypeDefKind::Parameter(_) => return None,
    };
    found.map(|Twins { first, second, ident }| told(what, &first, &second, &ident))
}

fn param_twins(function: &Function) -> Option<String> {
    let found = twins(function.params.iter().map(|param| (param.name.as_str(), snake(&param.name))));
    found.map(|Twins { first, second, ident }| told("parameters", &first, &second, &ident))
}

/// The most elements that a tuple in a type has.
fn largest_tuple(ty: &Type) -> usize {
    match ty {
        Type::Tuple(items) => items.iter().map(largest_tuple).max().unwrap_or(0).max(items.len()),
        Type::List(inner) | Type::Option(inner) | Type::Set(inner) => largest_tuple(inner),
        Type::Map(key, value) => largest_tuple(key).max(largest_tuple(value)),
        Type::Result { ok, err } => {
            [ok, err].into_iter().flatten().map(|arm| largest_tuple(arm)).max().unwrap_or(0)
        }
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
        | Type::Value
        | Type::Named(_) => 0,
    }
}
