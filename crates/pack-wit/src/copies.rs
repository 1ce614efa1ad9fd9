//! Types on their way from the interface that defines them into one that uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pack_abi::types::{Type, TypeDef};

use crate::Origin;
use crate::check::named_in;
use crate::lower::{Scope as Types, Template};
use crate::resolve::{Resolved, each_type, rename_kind};

/// Where a type is really defined: interface and name.
type TrueName = (String, String);

/// Types on their way from one interface into another.
pub(crate) struct Copies {
    taken: BTreeSet<String>,
    /// The name here of each type that is copied.
    local: BTreeMap<TrueName, String>,
    defs: Vec<Copy>,
    /// Types whose parts have been taken.
    followed: BTreeSet<TrueName>,
}

/// One type on its way.
struct Copy {
    source: Rc<Resolved>,
    /// The name in `source`.
    name: String,
    origin: TrueName,
    /// The name here.
    local: String,
    is_visible: bool,
}

impl Copies {
    pub(crate) fn new(names: &Types) -> Self {
        let taken = names.visible().map(str::to_owned).chain(["value".to_owned()]).collect();
        Self { taken, local: BTreeMap::new(), defs: Vec::new(), followed: BTreeSet::new() }
    }

    /// How many types are on their way.
    pub(crate) fn len(&self) -> usize {
        self.defs.len()
    }

    /// Takes a type that the text names.
    pub(crate) fn take(&mut self, source: &Rc<Resolved>, original: &str, local: &str) {
        let origin = true_name(source, original);
        self.local.entry(origin.clone()).or_insert_with(|| local.to_owned());
        let (source, name, local) = (Rc::clone(source), original.to_owned(), local.to_owned());
        self.defs.push(Copy { source, name, origin, local, is_visible: true });
    }

    /// Takes what a type is made of, as far as it has not been taken.
    pub(crate) fn take_parts(&mut self, source: &Rc<Resolved>, original: &str) {
        let mut open = vec![original.to_owned()];
        while let Some(name) = open.pop() {
            let origin = true_name(source, &name);
            if !self.followed.insert(origin.clone()) {
                continue;
            }
            if !self.local.contains_key(&origin) {
                let local = hidden_name(&origin.0, &origin.1, &mut self.taken);
                self.local.insert(origin.clone(), local.clone());
                let source = Rc::clone(source);
                self.defs.push(Copy { source, name: name.clone(), origin, local, is_visible: false });
            }
            open.extend(parts(source, &name).into_iter().rev());
        }
    }

    /// Writes the types; returns what has none: generic definitions and resources.
    pub(crate) fn write(self, into: &mut Resolved) -> (BTreeMap<String, Template>, BTreeSet<String>) {
        let (mut templates, mut resources) = (BTreeMap::new(), BTreeSet::new());
        let known = &self.local;
        for Copy { source, name, origin, local, is_visible } in self.defs {
            let here =
                |part: &str| known.get(&true_name(&source, part)).map_or(part, String::as_str).to_owned();
            if let Some(def) = source.interface.types.iter().find(|def| def.name == name) {
                let kind = rename_kind(&def.kind, &mut |part| Type::Named(here(part)));
                into.interface.types.push(TypeDef { name: local.clone(), docs: def.docs.clone(), kind });
            } else if let Some(template) = source.templates.get(&name) {
                let names = template.names.iter().map(|(theirs, ours)| (theirs.clone(), here(ours)));
                let (definition, names) = (Rc::clone(&template.definition), names.collect());
                templates.insert(local.clone(), Template { definition, names });
            } else {
                resources.insert(local.clone());
            }
            let (interface, (from, original)) = (into.interface.name.clone(), origin);
            into.origins.push(Origin { interface, name: local, from, original, is_visible });
        }
        (templates, resources)
    }
}

/// A name for a type that the text does not name here: its own if free, else with its interface's.
pub(crate) fn hidden_name(interface: &str, name: &str, taken: &mut BTreeSet<String>) -> String {
    if taken.insert(name.to_owned()) {
        return name.to_owned();
    }
    let interface = interface.rsplit('/').next().unwrap_or(interface);
    crate::lower::free_name(&format!("{interface}-{name}"), taken)
}

/// The names, in their interface, of the types that a type is made of.
fn parts(source: &Resolved, name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(def) = source.interface.types.iter().find(|def| def.name == name) {
        each_type(&def.kind, &mut |ty| named_in(ty, &mut parts));
        parts.into_iter().map(str::to_owned).collect()
    } else if let Some(template) = source.templates.get(name) {
        template.names.values().cloned().collect()
    } else {
        Vec::new()
    }
}

fn true_name(source: &Resolved, name: &str) -> TrueName {
    let origin = source.origins.iter().find(|origin| origin.name == name);
    origin.map_or_else(
        || (source.interface.name.clone(), name.to_owned()),
        |origin| (origin.from.clone(), origin.original.clone()),
    )
}
