//! The types of a world while it is put together from what it uses and from the worlds that it includes.

use std::collections::{BTreeMap, BTreeSet};

use pack_abi::types::{Type, TypeDef, TypeDefKind};

use crate::Origin;
use crate::copies::hidden_name;
use crate::error::{Fault, Span};
use crate::parser::Parsed;
use crate::resolve::{Resolved, refuse_hidden_value, rename_kind};

/// Types by name. One that the text names keeps that name; one that is there only because another needs it is called
/// after its origin until all are known, since each included world has its own name for it.
#[derive(Default)]
pub(crate) struct WorldTypes {
    types: Vec<WorldType>,
    places: BTreeMap<String, usize>,
}

struct WorldType {
    def: TypeDef,
    /// Where the type comes from if it is not the world's own.
    origin: Option<Origin>,
}

impl WorldType {
    fn is_hidden(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| !origin.is_visible)
    }
}

/// What no name in a text can be.
fn origin_name(origin: &Origin) -> String {
    format!("{}#{}", origin.from, origin.original)
}

impl WorldTypes {
    /// The types of a body; takes their origins out of it.
    pub(crate) fn of_body(resolved: &mut Resolved) -> Self {
        let defs = std::mem::take(&mut resolved.interface.types);
        let is_type = |origin: &Origin| defs.iter().any(|def| def.name == origin.name);
        let (origins, others) = std::mem::take(&mut resolved.origins).into_iter().partition(is_type);
        resolved.origins = others;
        let origins: BTreeMap<String, Origin> =
            Vec::into_iter(origins).map(|origin| (origin.name.clone(), origin)).collect();
        let mut types = Self::default();
        for mut def in defs {
            def.kind = rename_kind(&def.kind, &mut |name| {
                let hidden = origins.get(name).filter(|origin| !origin.is_visible);
                Type::Named(hidden.map_or_else(|| name.to_owned(), origin_name))
            });
            let ty = WorldType { origin: origins.get(&def.name).cloned(), def };
            types.push(ty);
        }
        types
    }

    fn push(&mut self, mut ty: WorldType) {
        if let Some(origin) = ty.origin.as_ref().filter(|origin| !origin.is_visible) {
            ty.def.name = origin_name(origin);
        }
        self.places.insert(ty.def.name.clone(), self.types.len());
        self.types.push(ty);
    }

    fn get(&self, name: &str) -> Option<&WorldType> {
        self.places.get(name).map(|&place| &self.types[place])
    }

    /// What a type is made of, each part called after its origin if it has one.
    fn true_kind(&self, ty: &WorldType) -> TypeDefKind {
        rename_kind(&ty.def.kind, &mut |name| {
            let origin = self.get(name).and_then(|part| part.origin.as_ref());
            Type::Named(origin.map_or_else(|| name.to_owned(), origin_name))
        })
    }

    /// Adds the types of another body or world.
    pub(crate) fn merge(&mut self, other: Self, span: Span) -> Parsed<()> {
        for ty in &other.types {
            let Some(known) = self.get(&ty.def.name) else { continue };
            let (ours, theirs) = (known.origin.as_ref(), ty.origin.as_ref());
            let comes_from_one =
                ours.zip(theirs).is_none_or(|(ours, theirs)| origin_name(ours) == origin_name(theirs));
            let is_same = known.def.docs == ty.def.docs && self.true_kind(known) == other.true_kind(ty);
            if comes_from_one && is_same {
                continue;
            }
            let fault = match theirs {
                Some(origin) if comes_from_one && ours.is_some() => {
                    Fault::new(span, format!("two versions of `{}` meet in this world", origin.from))
                        .hint("names on the wire carry no version")
                }
                _ => Fault::new(span, format!("there are two types `{}` in this world", ty.def.name)),
            };
            return Err(fault);
        }
        for ty in other.types {
            if !self.places.contains_key(&ty.def.name) {
                self.push(ty);
            }
        }
        Ok(())
    }

    /// Gives every type its name here; returns the types, and where those come from that are not the world's own.
    pub(crate) fn finish(self, span: Span) -> Parsed<(Vec<TypeDef>, Vec<Origin>)> {
        let is_named = |ty: &&WorldType| !ty.is_hidden();
        let mut taken: BTreeSet<String> =
            self.types.iter().filter(is_named).map(|ty| ty.def.name.clone()).collect();
        let is_value_taken = !taken.insert("value".to_owned());
        let mut local: BTreeMap<String, String> = BTreeMap::new();
        for ty in self.types.iter().filter(is_named) {
            if let Some(origin) = &ty.origin {
                local.entry(origin_name(origin)).or_insert_with(|| ty.def.name.clone());
            }
        }
        let (mut types, mut origins) = (Vec::new(), Vec::new());
        for WorldType { mut def, origin } in self.types {
            if let Some(mut origin) = origin {
                if !origin.is_visible {
                    if local.contains_key(&def.name) {
                        continue;
                    }
                    let name = hidden_name(&origin.from, &origin.original, &mut taken);
                    local.insert(std::mem::replace(&mut def.name, name.clone()), name.clone());
                    origin.name = name;
                }
                origins.push(origin);
            }
            types.push(def);
        }
        for def in &mut types {
            let named = |name: &str| local.get(name).map_or(name, String::as_str).to_owned();
            def.kind = rename_kind(&def.kind, &mut |name| Type::Named(named(name)));
        }
        if is_value_taken {
            refuse_hidden_value(&types, span)?;
        }
        Ok((types, origins))
    }
}
