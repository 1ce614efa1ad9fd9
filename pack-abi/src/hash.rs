//! Structural hashes: two sides agree on an interface if its hash is the same.
//!
//! Names of types and parameters do not count, names of fields, cases, functions and the interface do. A type that
//! refers to itself hashes to a constant at that point, and so does [`Type::Value`](crate::types::Type::Value): that is also what the metadata
//! of a package holds there, so a hash is the same before and after the trip. A missing `ok` counts as `bool` and a
//! missing `err` as `string`: upstream's choice, frozen in the hashes of published packages.

use core::fmt;
use core::str::FromStr;

/// The hash of a type, a function or an interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeHash(pub [u8; 32]);

impl TypeHash {
    /// Returns the four little-endian words in which metadata carries it.
    #[must_use]
    pub fn words(&self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks::<8>();
        core::array::from_fn(|place| words.get(place).map_or(0, |word| u64::from_le_bytes(*word)))
    }

    /// Makes the hash from its four words.
    #[must_use]
    pub fn from_words(words: [u64; 4]) -> Self {
        let mut bytes = [0; 32];
        let (slots, _) = bytes.as_chunks_mut::<8>();
        for (slot, word) in slots.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        Self(bytes)
    }
}

impl fmt::Display for TypeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TypeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeHash({self})")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHashError;

impl fmt::Display for ParseHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash is 64 hexadecimal digits")
    }
}

impl core::error::Error for ParseHashError {}

impl FromStr for TypeHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let (pairs, odd) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !odd.is_empty() {
            return Err(ParseHashError);
        }
        let digit = |byte: u8| (byte as char).to_digit(16).ok_or(ParseHashError);
        let mut hash = [0; 32];
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = (digit(*high)? * 16 + digit(*low)?) as u8;
        }
        Ok(Self(hash))
    }
}

#[cfg(feature = "hash")]
pub use structural::{hash_function, hash_type};

#[cfg(feature = "hash")]
mod structural {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use sha2::{Digest, Sha256};

    use super::TypeHash;
    use crate::types::{Function, Interface, Type, TypeDef, TypeDefKind};

    const BOOL: TypeHash = constant([0x00, 0x01]);
    const STRING: TypeHash = constant([0x00, 0x0D]);
    const FLAGS: TypeHash = constant([0x00, 0x0E]);
    const SELF: TypeHash = constant([0xFF, 0xFF]);

    const fn constant([a, b]: [u8; 2]) -> TypeHash {
        let mut bytes = [0; 32];
        bytes[0] = a;
        bytes[1] = b;
        TypeHash(bytes)
    }

    impl Interface {
        /// Returns the structural hash of the interface.
        #[must_use]
        pub fn hash(&self) -> TypeHash {
            self.hash_of(|_| true)
        }

        /// Returns the hash that the interface has with only these functions: that of an importer that uses no more.
        #[must_use]
        pub fn hash_subset(&self, functions: &[&str]) -> TypeHash {
            self.hash_of(|name| functions.contains(&name))
        }

        fn hash_of(&self, wanted: impl Fn(&str) -> bool) -> TypeHash {
            let mut scope = Scope::new(&self.types);
            let mut functions: Vec<(&str, TypeHash)> = self
                .functions
                .iter()
                .filter(|function| wanted(&function.name))
                .map(|function| (function.name.as_str(), scope.function(function)))
                .collect();
            functions.sort_by_key(|(name, _)| *name);
            let mut hash = Preimage::new(0x17);
            hash.text(&self.name);
            hash.count(0);
            hash.count(functions.len());
            for (name, function) in functions {
                hash.text(name);
                hash.child(function);
            }
            hash.finish()
        }
    }

    /// Returns the hash of a type; names are looked up in `types`.
    #[must_use]
    pub fn hash_type(ty: &Type, types: &[TypeDef]) -> TypeHash {
        Scope::new(types).of(ty).0
    }

    /// Returns the hash of a function's signature; names are looked up in `types`.
    #[must_use]
    pub fn hash_function(function: &Function, types: &[TypeDef]) -> TypeHash {
        Scope::new(types).function(function)
    }

    /// The bytes that are hashed for one item.
    struct Preimage(Sha256);

    impl Preimage {
        fn new(tag: u8) -> Self {
            Self(Sha256::new_with_prefix([tag]))
        }

        fn count(&mut self, count: usize) {
            self.0.update((count as u32).to_le_bytes());
        }

        fn text(&mut self, text: &str) {
            self.count(text.len());
            self.0.update(text);
        }

        fn child(&mut self, child: TypeHash) {
            self.0.update(child.0);
        }

        fn finish(self) -> TypeHash {
            TypeHash(self.0.finalize().into())
        }
    }

    /// How far down the stack of names a type refers: `usize::MAX` if it does not.
    type Reach = usize;

    /// The types of one interface while they are hashed.
    struct Scope<'i> {
        types: BTreeMap<&'i str, &'i TypeDefKind>,
        /// The names that are being hashed, outermost first.
        stack: Vec<&'i str>,
        /// Hashes of names that are part of no recursion: theirs do not depend on the way that led to them.
        known: BTreeMap<&'i str, TypeHash>,
    }

    impl<'i> Scope<'i> {
        fn new(types: &'i [TypeDef]) -> Self {
            let types = types.iter().rev().map(|def| (def.name.as_str(), &def.kind)).collect();
            Self { types, stack: Vec::new(), known: BTreeMap::new() }
        }

        fn function(&mut self, function: &'i Function) -> TypeHash {
            let mut hash = Preimage::new(0x16);
            hash.count(function.params.len());
            for param in &function.params {
                hash.child(self.of(&param.ty).0);
            }
            hash.count(usize::from(function.result.is_some()));
            if let Some(result) = &function.result {
                hash.child(self.of(result).0);
            }
            hash.finish()
        }

        fn of(&mut self, ty: &'i Type) -> (TypeHash, Reach) {
            match ty {
                Type::Bool => (BOOL, Reach::MAX),
                Type::U8 => (constant([0, 0x02]), Reach::MAX),
                Type::U16 => (constant([0, 0x03]), Reach::MAX),
                Type::U32 => (constant([0, 0x04]), Reach::MAX),
                Type::U64 => (constant([0, 0x05]), Reach::MAX),
                Type::S8 => (constant([0, 0x06]), Reach::MAX),
                Type::S16 => (constant([0, 0x07]), Reach::MAX),
                Type::S32 => (constant([0, 0x08]), Reach::MAX),
                Type::S64 => (constant([0, 0x09]), Reach::MAX),
                Type::F32 => (constant([0, 0x0A]), Reach::MAX),
                Type::F64 => (constant([0, 0x0B]), Reach::MAX),
                Type::Char => (constant([0, 0x0C]), Reach::MAX),
                Type::String => (STRING, Reach::MAX),
                Type::Value => (SELF, Reach::MAX),
                Type::List(inner) => self.compound(0x10, &[inner]),
                Type::Option(inner) => self.compound(0x11, &[inner]),
                Type::Map(key, value) => self.compound(0x18, &[key, value]),
                Type::Set(inner) => self.compound(0x19, &[inner]),
                Type::Result { ok, err } => {
                    let (ok, ok_reach) = ok.as_ref().map_or((BOOL, Reach::MAX), |ok| self.of(ok));
                    let (err, err_reach) = err.as_ref().map_or((STRING, Reach::MAX), |err| self.of(err));
                    let mut hash = Preimage::new(0x12);
                    hash.child(ok);
                    hash.child(err);
                    (hash.finish(), ok_reach.min(err_reach))
                }
                Type::Tuple(elements) => {
                    let mut hash = Preimage::new(0x13);
                    hash.count(elements.len());
                    let mut reach = Reach::MAX;
                    for element in elements {
                        let (child, child_reach) = self.of(element);
                        hash.child(child);
                        reach = reach.min(child_reach);
                    }
                    (hash.finish(), reach)
                }
                Type::Named(name) => self.named(name),
            }
        }

        fn compound(&mut self, tag: u8, inner: &[&'i Type]) -> (TypeHash, Reach) {
            let mut hash = Preimage::new(tag);
            let mut reach = Reach::MAX;
            for ty in inner {
                let (child, child_reach) = self.of(ty);
                hash.child(child);
                reach = reach.min(child_reach);
            }
            (hash.finish(), reach)
        }

        fn named(&mut self, name: &'i str) -> (TypeHash, Reach) {
            if let Some(place) = self.stack.iter().position(|open| *open == name) {
                return (SELF, place);
            }
            if let Some(hash) = self.known.get(name) {
                return (*hash, Reach::MAX);
            }
            let Some(kind) = self.types.get(name).copied() else {
                return (SELF, Reach::MAX);
            };
            let place = self.stack.len();
            self.stack.push(name);
            let (hash, reach) = self.definition(kind);
            self.stack.pop();
            if reach > place {
                self.known.insert(name, hash);
                return (hash, Reach::MAX);
            }
            (hash, reach)
        }

        fn definition(&mut self, kind: &'i TypeDefKind) -> (TypeHash, Reach) {
            match kind {
                TypeDefKind::Alias(target) => self.of(target),
                TypeDefKind::Flags(_) => (FLAGS, Reach::MAX),
                TypeDefKind::Parameter(_) => (SELF, Reach::MAX),
                TypeDefKind::Record(fields) => {
                    let mut fields: Vec<_> =
                        fields.iter().map(|field| (field.name.as_str(), self.of(&field.ty))).collect();
                    fields.sort_by_key(|(name, _)| *name);
                    let mut hash = Preimage::new(0x14);
                    hash.count(fields.len());
                    let mut reach = Reach::MAX;
                    for (name, (child, child_reach)) in fields {
                        hash.text(name);
                        hash.child(child);
                        reach = reach.min(child_reach);
                    }
                    (hash.finish(), reach)
                }
                TypeDefKind::Variant(cases) => {
                    let cases = cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref()));
                    self.cases(cases.collect())
                }
                TypeDefKind::Enum(cases) => {
                    self.cases(cases.iter().map(|case| (case.name.as_str(), None)).collect())
                }
            }
        }

        fn cases(&mut self, mut cases: Vec<(&'i str, Option<&'i Type>)>) -> (TypeHash, Reach) {
            cases.sort_by_key(|(name, _)| *name);
            let mut hash = Preimage::new(0x15);
            hash.count(cases.len());
            let mut reach = Reach::MAX;
            for (name, ty) in cases {
                hash.text(name);
                match ty {
                    None => hash.0.update([0]),
                    Some(ty) => {
                        let (child, child_reach) = self.of(ty);
                        hash.0.update([1]);
                        hash.child(child);
                        reach = reach.min(child_reach);
                    }
                }
            }
            (hash.finish(), reach)
        }
    }
}
