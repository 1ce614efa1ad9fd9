//! What the grammar cannot say: types that have values, aliases that end, keys that have an order.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::types::{Type, TypeDef, TypeDefKind};

use crate::error::{Fault, Span};

/// The key type of a map or set: it must have an order.
pub(crate) struct Key {
    pub(crate) ty: Type,
    pub(crate) span: Span,
}

/// A type that an interface defines itself, and where.
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// Checks the types of one interface; `all` are its own and those copied into it.
pub(crate) fn check_types(own: &[Owner], all: &[TypeDef], faults: &mut Vec<Box<Fault>>) {
    let by_name: BTreeMap<&str, &TypeDef> = all.iter().map(|def| (def.name.as_str(), def)).collect();
    let buildable = buildable(all);
    for Owner { name, span } in own {
        if is_endless_alias(name, &by_name) {
            let fault = Fault::new(*span, format!("alias `{name}` is defined by itself"));
            faults.push(fault.hint("a type that refers to itself is a `record` or `variant`"));
        } else if !buildable.contains(name.as_str()) {
            let fault = Fault::new(*span, format!("`{name}` contains itself and could never be built"));
            faults.push(fault.hint("put it behind `option` or `list`, or give it a case without it"));
        }
    }
}

/// Checks that the keys of maps and sets have an order.
pub(crate) fn check_keys(keys: &[Key], all: &[TypeDef], faults: &mut Vec<Box<Fault>>) {
    let by_name: BTreeMap<&str, &TypeDef> = all.iter().map(|def| (def.name.as_str(), def)).collect();
    for key in keys {
        if let Some(what) = unordered_part(&key.ty, &by_name) {
            let fault = Fault::new(key.span, format!("`{what}` has no order, so it cannot be in a key"));
            faults.push(
                fault.hint("keys are made of `bool`, integers, `char`, `string` and types built from them"),
            );
        }
    }
}

fn is_endless_alias(alias: &str, by_name: &BTreeMap<&str, &TypeDef>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = Vec::new();
    let Some(TypeDefKind::Alias(target)) = by_name.get(alias).map(|def| &def.kind) else { return false };
    named_in(target, &mut open);
    while let Some(name) = open.pop() {
        if name == alias {
            return true;
        }
        if let (true, Some(def)) = (seen.insert(name), by_name.get(name))
            && let TypeDefKind::Alias(target) = &def.kind
        {
            named_in(target, &mut open);
        }
    }
    false
}

/// Collects the names that a type mentions.
pub(crate) fn named_in<'a>(ty: &'a Type, names: &mut Vec<&'a str>) {
    match ty {
        Type::Named(name) => names.push(name),
        Type::List(inner) | Type::Option(inner) | Type::Set(inner) => named_in(inner, names),
        Type::Result { ok, err } => {
            for arm in [ok, err].into_iter().flatten() {
                named_in(arm, names);
            }
        }
        Type::Tuple(items) => items.iter().for_each(|item| named_in(item, names)),
        Type::Map(key, value) => {
            named_in(key, names);
            named_in(value, names);
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
        | Type::Value => {}
    }
}

/// The types that have at least one finite value, by the least fixed point.
fn buildable(all: &[TypeDef]) -> BTreeSet<&str> {
    let mut known = BTreeSet::new();
    loop {
        let before = known.len();
        for def in all {
            let is_buildable = match &def.kind {
                TypeDefKind::Alias(target) => has_value(target, &known),
                TypeDefKind::Record(fields) => fields.iter().all(|field| has_value(&field.ty, &known)),
                TypeDefKind::Variant(cases) => {
                    cases.iter().any(|case| case.ty.as_ref().is_none_or(|ty| has_value(ty, &known)))
                }
                TypeDefKind::Enum(_) | TypeDefKind::Flags(_) | TypeDefKind::Parameter(_) => true,
            };
            if is_buildable {
                known.insert(def.name.as_str());
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

fn has_value(ty: &Type, known: &BTreeSet<&str>) -> bool {
    match ty {
        Type::Named(name) => known.contains(name.as_str()),
        Type::Tuple(items) => items.iter().all(|item| has_value(item, known)),
        Type::Result { ok, err } => {
            [ok, err].into_iter().any(|arm| arm.as_ref().is_none_or(|ty| has_value(ty, known)))
        }
        _ => true,
    }
}

/// The part of a type that has no order, if there is one.
fn unordered_part(ty: &Type, by_name: &BTreeMap<&str, &TypeDef>) -> Option<&'static str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![ty];
    // A worklist and no recursion, because a chain of names is as long as the text likes.
    while let Some(ty) = open.pop() {
        match ty {
            Type::F32 => return Some("f32"),
            Type::F64 => return Some("f64"),
            Type::Value => return Some("value"),
            Type::Named(name) if seen.insert(name.as_str()) => {
                match by_name.get(name.as_str()).map(|def| &def.kind) {
                    Some(TypeDefKind::Alias(target)) => open.push(target),
                    Some(TypeDefKind::Record(fields)) => open.extend(fields.iter().map(|field| &field.ty)),
                    Some(TypeDefKind::Variant(cases)) => {
                        open.extend(cases.iter().filter_map(|case| case.ty.as_ref()))
                    }
                    Some(TypeDefKind::Parameter(_)) => return Some("value"),
                    Some(TypeDefKind::Enum(_) | TypeDefKind::Flags(_)) | None => {}
                }
            }
            Type::List(inner) | Type::Option(inner) | Type::Set(inner) => open.push(inner),
            Type::Result { ok, err } => open.extend([ok, err].into_iter().flatten().map(|arm| &**arm)),
            Type::Tuple(items) => open.extend(items),
            Type::Map(key, value) => open.extend([&**key, &**value]),
            _ => {}
        }
    }
    None
}
