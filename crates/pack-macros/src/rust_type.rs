//! Types of the interface language as Rust types.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::types::{Type, TypeDef, TypeDefKind};
use proc_macro2::TokenStream;
use quote::quote;

use crate::names::camel;

/// What is known of the types of one interface.
pub(crate) struct Types<'a> {
    krate: &'a TokenStream,
    by_name: BTreeMap<&'a str, &'a TypeDef>,
    /// For each type: those of which it holds a value in itself, directly or through others.
    inline: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// What a type can be derived to do.
#[derive(Clone, Copy)]
pub(crate) struct Abilities {
    pub(crate) is_copy: bool,
    /// Whether it has equality and order; floats and dynamic values have not.
    pub(crate) is_ordered: bool,
}

impl<'a> Types<'a> {
    pub(crate) fn new(krate: &'a TokenStream, types: &'a [TypeDef]) -> Self {
        let by_name = types.iter().map(|def| (def.name.as_str(), def)).collect();
        let mut inline: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for def in types {
            let mut names = BTreeSet::new();
            for ty in parts(&def.kind) {
                inline_names(ty, &mut names);
            }
            inline.insert(&def.name, names);
        }
        close(&mut inline);
        Self { krate, by_name, inline }
    }

    /// The type of a value that is owned.
    pub(crate) fn owned(&self, ty: &Type) -> TokenStream {
        self.spell(ty, None)
    }

    /// The type of a part of the definition of `owner`, boxed where the type holds itself.
    pub(crate) fn part(&self, owner: &str, ty: &Type) -> TokenStream {
        self.spell(ty, Some(owner))
    }

    /// The type of an imported function's parameter: what can be lent is lent.
    pub(crate) fn lent(&self, ty: &Type) -> TokenStream {
        match ty {
            Type::String => quote!(&str),
            Type::List(item) => {
                let item = self.owned(item);
                quote!(&[#item])
            }
            Type::Option(inner) => {
                let inner = self.lent(inner);
                quote!(::core::option::Option<#inner>)
            }
            Type::Result { ok, err } => {
                let [ok, err] = [ok, err].map(|arm| arm.as_ref().map_or(quote!(()), |ty| self.lent(ty)));
                quote!(::core::result::Result<#ok, #err>)
            }
            Type::Tuple(items) => {
                let items = items.iter().map(|item| self.lent(item));
                quote!((#(#items,)*))
            }
            Type::Map(..) | Type::Set(_) | Type::Value | Type::Named(_) => {
                let owned = self.owned(ty);
                if self.abilities(ty).is_copy { owned } else { quote!(&#owned) }
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
            | Type::Char => self.owned(ty),
        }
    }

    /// The type that a value is read as when the bytes it is in stay: text and bytes are borrowed.
    pub(crate) fn read(&self, ty: &Type) -> TokenStream {
        match ty {
            Type::String => quote!(&'a str),
            Type::List(item) if **item == Type::U8 => quote!(&'a [u8]),
            Type::Option(inner) => {
                let inner = self.read(inner);
                quote!(::core::option::Option<#inner>)
            }
            Type::Result { ok, err } => {
                let [ok, err] = [ok, err].map(|arm| arm.as_ref().map_or(quote!(()), |ty| self.read(ty)));
                quote!(::core::result::Result<#ok, #err>)
            }
            Type::Tuple(items) => {
                let items = items.iter().map(|item| self.read(item));
                quote!((#(#items,)*))
            }
            other => self.owned(other),
        }
    }

    fn spell(&self, ty: &Type, owner: Option<&str>) -> TokenStream {
        let krate = self.krate;
        match ty {
            Type::Bool => quote!(bool),
            Type::U8 => quote!(u8),
            Type::U16 => quote!(u16),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::S8 => quote!(i8),
            Type::S16 => quote!(i16),
            Type::S32 => quote!(i32),
            Type::S64 => quote!(i64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::Char => quote!(char),
            Type::String => quote!(#krate::rt::String),
            Type::Value => quote!(#krate::Value),
            Type::List(item) => {
                let item = self.spell(item, None);
                quote!(#krate::rt::Vec<#item>)
            }
            Type::Set(item) => {
                let item = self.spell(item, None);
                quote!(#krate::rt::BTreeSet<#item>)
            }
            Type::Map(key, value) => {
                let [key, value] = [key, value].map(|ty| self.spell(ty, None));
                quote!(#krate::rt::BTreeMap<#key, #value>)
            }
            Type::Option(inner) => {
                let inner = self.spell(inner, owner);
                quote!(::core::option::Option<#inner>)
            }
            Type::Result { ok, err } => {
                let arms = [ok, err].map(|arm| arm.as_ref().map_or(quote!(()), |ty| self.spell(ty, owner)));
                let [ok, err] = arms;
                quote!(::core::result::Result<#ok, #err>)
            }
            Type::Tuple(items) => {
                let items = items.iter().map(|item| self.spell(item, owner));
                quote!((#(#items,)*))
            }
            Type::Named(name) => {
                let ident = camel(name).ident;
                let is_cyclic = owner.is_some_and(|owner| self.holds(name, owner));
                if is_cyclic { quote!(#krate::rt::Box<#ident>) } else { quote!(#ident) }
            }
        }
    }

    fn holds(&self, outer: &str, inner: &str) -> bool {
        self.inline.get(outer).is_some_and(|names| names.contains(inner))
    }

    /// What a value of this type can do.
    pub(crate) fn abilities(&self, ty: &Type) -> Abilities {
        let mut abilities = Abilities { is_copy: true, is_ordered: true };
        self.limit(ty, &mut abilities, &mut BTreeSet::new());
        abilities
    }

    /// What a type with this definition can do.
    pub(crate) fn abilities_of(&self, def: &TypeDef) -> Abilities {
        self.abilities(&Type::Named(def.name.clone()))
    }

    fn limit(&self, ty: &Type, abilities: &mut Abilities, seen: &mut BTreeSet<String>) {
        match ty {
            Type::F32 | Type::F64 => abilities.is_ordered = false,
            Type::Value => *abilities = Abilities { is_copy: false, is_ordered: false },
            Type::String => abilities.is_copy = false,
            Type::List(inner) | Type::Set(inner) => {
                abilities.is_copy = false;
                self.limit(inner, abilities, seen);
            }
            Type::Map(key, value) => {
                abilities.is_copy = false;
                self.limit(key, abilities, seen);
                self.limit(value, abilities, seen);
            }
            Type::Option(inner) => self.limit(inner, abilities, seen),
            Type::Result { ok, err } => {
                for arm in [ok, err].into_iter().flatten() {
                    self.limit(arm, abilities, seen);
                }
            }
            Type::Tuple(items) => items.iter().for_each(|item| self.limit(item, abilities, seen)),
            Type::Named(name) => {
                // A type that holds itself is boxed somewhere.
                abilities.is_copy &= !self.holds(name, name);
                if let (true, Some(def)) = (seen.insert(name.clone()), self.by_name.get(name.as_str())) {
                    parts(&def.kind).into_iter().for_each(|ty| self.limit(ty, abilities, seen));
                }
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
            | Type::Char => {}
        }
    }
}

/// The types that a definition is made of.
pub(crate) fn parts(kind: &TypeDefKind) -> Vec<&Type> {
    match kind {
        TypeDefKind::Alias(target) => vec![target],
        TypeDefKind::Record(fields) => fields.iter().map(|field| &field.ty).collect(),
        TypeDefKind::Variant(cases) => cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        // A parameter is any value.
        TypeDefKind::Parameter(_) => vec![&Type::Value],
        TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => Vec::new(),
    }
}

/// The names of which a type holds a value in itself, not behind a list, map or set.
fn inline_names<'a>(ty: &'a Type, names: &mut BTreeSet<&'a str>) {
    match ty {
        Type::Named(name) => {
            names.insert(name);
        }
        Type::Option(inner) => inline_names(inner, names),
        Type::Result { ok, err } => {
            for arm in [ok, err].into_iter().flatten() {
                inline_names(arm, names);
            }
        }
        Type::Tuple(items) => items.iter().for_each(|item| inline_names(item, names)),
        _ => {}
    }
}

/// The transitive closure.
fn close(graph: &mut BTreeMap<&str, BTreeSet<&str>>) {
    loop {
        let mut is_done = true;
        let before = graph.clone();
        for names in graph.values_mut() {
            let reached: Vec<&str> =
                names.iter().filter_map(|name| before.get(name)).flatten().copied().collect();
            for name in reached {
                is_done &= !names.insert(name);
            }
        }
        if is_done {
            return;
        }
    }
}
