//! Actor ids: paths decided by parentage and name, so that two runs with the same inputs have the same ids.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The id of an actor, e.g. `root` or `root/worker-3`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorPath(Arc<str>);

impl ActorPath {
    /// Returns the path of the first actor of a run.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from("root"))
    }

    /// Returns the path of a child.
    #[must_use]
    pub(crate) fn child(&self, name: &str) -> Self {
        Self(Arc::from(format!("{self}/{name}")))
    }

    /// Returns the range of the paths of all descendants.
    pub(crate) fn below(&self) -> Range<Self> {
        let end = |last: char| Self(Arc::from(format!("{self}{last}")));
        // The character behind the one that separates.
        end('/')..end('0')
    }

    /// Returns the path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ActorPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
