//! Where in a value a byte is, in words for a person.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use crate::{DecodeError, Kind, Limits, NodeRef, View};

impl View<'_> {
    /// Returns the way from the root to the node that holds this byte, as `.0.name[3]`; empty for the root.
    ///
    /// A step is `.field`, `.0` in a tuple, `[3]` in a list, set or map (the n-th key or value), `::case(0)`, `?` in
    /// an option, `.ok` or `.err`.
    #[must_use]
    pub fn path_at(&self, offset: usize) -> String {
        self.root().path_to(offset)
    }
}

impl NodeRef<'_, '_> {
    /// Returns the way from this node to the one of its subtree that holds this byte; see [`View::path_at`].
    #[must_use]
    pub fn path_to(self, offset: usize) -> String {
        let mut path = String::new();
        let mut node = self;
        while !node.range().contains(&offset) {
            let found =
                node.children().enumerate().find(|(_, child)| child.subtree_range().contains(&offset));
            let Some((place, child)) = found else { break };
            step(&mut path, node, place);
            node = child;
        }
        path
    }
}

fn step(path: &mut String, node: NodeRef<'_, '_>, place: usize) {
    let written = match node.kind() {
        Kind::Tuple => write!(path, ".{place}"),
        Kind::Option => write!(path, "?"),
        Kind::Result if matches!(node.result(), Ok(Err(_))) => write!(path, ".err"),
        Kind::Result => write!(path, ".ok"),
        Kind::Record => match node.record().ok().and_then(|record| record.iter().nth(place)) {
            Some((name, _)) => write!(path, ".{name}"),
            None => write!(path, ".{place}"),
        },
        Kind::Variant => match node.variant() {
            Ok(case) => write!(path, "::{}({place})", case.name()),
            Err(_) => write!(path, "({place})"),
        },
        Kind::Map => write!(path, "[{}]{}", place / 2, if place.is_multiple_of(2) { " (key)" } else { "" }),
        _ => write!(path, "[{place}]"),
    };
    // Writing to a string does not fail.
    debug_assert!(written.is_ok());
}

impl DecodeError {
    /// Returns the error with the place in the value instead of the byte, if the bytes have a structure at all.
    ///
    /// ```
    /// let bytes = pack_abi::encode(&("Ada", vec![Some(1u8)]))?;
    /// let error = pack_abi::decode::<(&str, Vec<Option<u32>>)>(&bytes).unwrap_err();
    /// assert_eq!(error.to_string(), "expected u32, found u8 at byte 31");
    /// assert_eq!(error.explain(&bytes), "expected u32, found u8 at .1[0]?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, bytes: &[u8]) -> String {
        let path = View::parse(bytes, &Limits::default()).map(|view| view.path_at(self.offset as usize));
        match path {
            Ok(path) if path.is_empty() => format!("{} at the value itself", self.kind),
            Ok(path) => format!("{} at {path}", self.kind),
            Err(_) => format!("{self}"),
        }
    }
}
