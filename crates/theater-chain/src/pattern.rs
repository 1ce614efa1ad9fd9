//! Which events a person means who names actors or functions with `*`.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::event::{ChainIndex, Header, Kind};
use crate::fault::ReadError;
use crate::read::{actor_of, count_segments, read_secret};
use crate::record::Genesis;
use crate::redact::is_more;
use crate::scan::{Scanner, Seen, payload_bytes};
use crate::storage::Files;

/// A name in which `*` stands for any text, also for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// Why a pattern selects nothing.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is empty.
    #[error("a pattern is a name in which `*` stands for any text")]
    Empty,
    /// Nothing in the run has such a name.
    #[error("no actor and no function of the run is named {0:?}")]
    Unknown(String),
    /// The run cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() { Err(PatternError::Empty) } else { Ok(Self(text.to_owned())) }
    }
}

impl Pattern {
    /// Says whether a name has this form.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// The events of a run that patterns select: all of an actor with such a path, and all of a function with such a name
/// (`interface.function`, as the genesis of the chain lists it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    chains: BTreeSet<ChainIndex>,
    functions: BTreeSet<(ChainIndex, u32)>,
}

impl Selection {
    /// Reads the run once for the names in it.
    ///
    /// # Errors
    /// If it cannot be read, or if a pattern selects nothing: it may be misspelt.
    pub fn find(files: &dyn Files, patterns: &[Pattern]) -> Result<Self, PatternError> {
        let mut selection = Self::default();
        let mut is_used = vec![false; patterns.len()];
        for number in 0..count_segments(files)? {
            let mut scanner = Scanner::open(files, number, read_secret(files)?)?;
            let mut failure = Ok(());
            while is_more(&mut scanner, |seen| {
                if failure.is_ok() && seen.header.kind == Kind::Genesis {
                    failure = selection.note(files, seen, patterns.iter().zip(&mut is_used));
                }
            })? {}
            failure?;
        }
        match patterns.iter().zip(is_used).find(|(_, is_used)| !is_used) {
            Some((Pattern(unused), _)) => Err(PatternError::Unknown(unused.clone())),
            None => Ok(selection),
        }
    }

    fn note<'p>(
        &mut self,
        files: &dyn Files,
        seen: &Seen<'_>,
        patterns: impl Iterator<Item = (&'p Pattern, &'p mut bool)>,
    ) -> Result<(), ReadError> {
        let Some((input, _)) = payload_bytes(files, seen)? else { return Ok(()) };
        let path = actor_of(&input).map(|(path, _)| path);
        let functions: Vec<_> = Genesis::decode(&input).map_or_else(
            |_| Vec::new(),
            |genesis| {
                genesis
                    .setting
                    .functions
                    .iter()
                    .map(|entry| format!("{}.{}", entry.interface, entry.name))
                    .collect()
            },
        );
        for (pattern, is_used) in patterns {
            if path.as_ref().is_some_and(|path| pattern.matches(path)) {
                *is_used |= true;
                self.chains.insert(seen.chain);
            }
            for (index, _) in functions.iter().enumerate().filter(|(_, name)| pattern.matches(name)) {
                *is_used |= true;
                self.functions.insert((seen.chain, index as u32));
            }
        }
        Ok(())
    }

    /// Says whether an event is selected.
    pub fn contains(&self, chain: ChainIndex, header: &Header) -> bool {
        self.chains.contains(&chain) || self.functions.contains(&(chain, header.function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let matches = |pattern: &str, name: &str| pattern.parse::<Pattern>().unwrap().matches(name);
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("root", "root"),
            ("root/*", "root/a/b"),
            ("*.log", "x:y/z.log"),
            ("a*b*c", "abc"),
            ("a*b*c", "axbxbxc"),
            ("*a*", "bab"),
            ("a**b", "ab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("root", "root/a"), ("root/*", "root"), ("*.log", "x.logs"), ("a*a", "a"), ("a*b*c", "acb")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!("".parse::<Pattern>().is_err());
    }
}
