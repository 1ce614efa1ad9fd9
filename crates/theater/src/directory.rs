//! Who lives where: paths, the lives that were lived at them, and the names of children to come.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::actor::ActorPath;
use crate::messaging::Peer;

/// The actors of a run, by path.
#[derive(Default)]
pub(crate) struct Directory {
    places: RwLock<BTreeMap<ActorPath, Place>>,
}

/// A path at which an actor lives, or lived and may live again.
#[derive(Default)]
struct Place {
    lives: u32,
    peer: Option<Arc<Peer>>,
    /// Whether the path can be lived at again: by the root, or a child that a manifest names.
    is_lasting: bool,
    /// How many children of each name were spawned.
    spawned: BTreeMap<String, u64>,
}

/// How a child gets its name.
pub(crate) enum Naming<'a> {
    /// A manifest names it; nobody else has the name.
    Declared(&'a str),
    /// After its kind, with a number.
    Numbered(&'a str),
}

impl Directory {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<ActorPath, Place>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<ActorPath, Place>> {
        self.places.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the live actor at a path.
    pub(crate) fn find(&self, path: &str) -> Option<Arc<Peer>> {
        self.read().get(path)?.peer.clone()
    }

    /// Returns all live actors, parents before their children.
    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        self.read().values().filter_map(|place| place.peer.clone()).collect()
    }

    /// Begins another life of the root.
    pub(crate) fn begin_root(&self) -> (ActorPath, u32) {
        let path = ActorPath::root();
        let mut places = self.write();
        let place = places.entry(path.clone()).or_default();
        place.is_lasting = true;
        place.lives += 1;
        (path, place.lives)
    }

    /// Gives a child its path. The same parent that does the same gives the same paths.
    pub(crate) fn begin_child(&self, parent: &ActorPath, naming: &Naming<'_>) -> (ActorPath, u32) {
        let mut places = self.write();
        let path = match naming {
            Naming::Declared(id) => parent.child(id),
            Naming::Numbered(kind) => {
                let mut number =
                    places.get(parent).and_then(|place| place.spawned.get(*kind)).copied().unwrap_or(0);
                let path = loop {
                    number += 1;
                    let path = parent.child(&format!("{kind}-{number}"));
                    if !places.contains_key(&path) {
                        break path;
                    }
                };
                if let Some(place) = places.get_mut(parent) {
                    place.spawned.insert((*kind).to_owned(), number);
                }
                path
            }
        };
        let place = places.entry(path.clone()).or_default();
        place.is_lasting = matches!(naming, Naming::Declared(_));
        place.lives += 1;
        (path, place.lives)
    }

    /// The actor can be sent to from now on.
    pub(crate) fn enter(&self, peer: &Arc<Peer>) {
        if let Some(place) = self.write().get_mut(peer.path()) {
            place.peer = Some(Arc::clone(peer));
        }
    }

    /// The actor has ended, or, if there is none, did not come to life.
    pub(crate) fn leave(&self, path: &ActorPath, peer: Option<&Peer>) {
        let mut places = self.write();
        let Some(place) = places.get_mut(path) else { return };
        // The embedding program may have several roots at once; the latest one is the one that is found.
        let is_another = |live: &Arc<Peer>| peer.is_none_or(|peer| live.chain() != peer.chain());
        if place.peer.as_ref().is_some_and(is_another) {
            return;
        }
        if place.is_lasting {
            place.peer = None;
        } else {
            places.remove(path);
            // Children end before their parents: nobody lives below, and nobody will.
            places.extract_if(path.below(), |_, place| place.peer.is_none()).for_each(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_that_is_not_lived_at_again_leaves_nothing_behind() {
        let directory = Directory::default();
        let (root, _) = directory.begin_root();
        let begin = |parent: &ActorPath, naming| directory.begin_child(parent, &naming);
        let (first, _) = begin(&root, Naming::Numbered("a"));
        let (second, _) = begin(&root, Naming::Numbered("a"));
        for parent in [&first, &second] {
            let (named, lives) = begin(parent, Naming::Declared("named"));
            assert_eq!((named.as_str(), lives), (&*format!("{parent}/named"), 1));
            directory.leave(&named, None);
        }
        let (again, lives) = begin(&first, Naming::Declared("named"));
        assert_eq!(lives, 2, "a name of the manifest is lived at again while its parent lives");
        directory.leave(&again, None);
        directory.leave(&first, None);
        let left: Vec<String> = directory.read().keys().map(ToString::to_string).collect();
        assert_eq!(left, ["root", "root/a-2", "root/a-2/named"]);
    }
}
