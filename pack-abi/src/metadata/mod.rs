//! What a package says of itself: the interfaces that it imports and exports, and their hashes.
//!
//! The bytes are those of upstream's `__pack_types`: one graph value, read by field names and tags. Types are
//! inlined there at every use, so the names come back as definitions of the interface that uses them; doc comments
//! and aliases do not come back. A type that refers to itself comes back as `value` at that point, which has the
//! same hash.
//!
//! Two things are added where upstream's readers pass over them: the names of flags (payload of tag 13) and which
//! arms a result does not have (field `absent` of a result; upstream writes `bool` and `string` for them).

mod describe;
mod read;

#[cfg(feature = "hash")]
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use self::describe::{function_list, hash_list, record, records};
use self::read::{list_field, read_functions, read_hashes, read_params};
use crate::hash::TypeHash;
use crate::types::{Interface, TypeDefKind};
use crate::{DecodeError, EncodeError, Limits, Value};

/// Metadata larger than this is nobody's honest work.
const METADATA_BYTES_MAX: usize = 4 << 20;
/// The most terms that the types of a package may come to when all names are replaced by what they stand for.
const TYPE_TERMS_MAX: u32 = 100_000;

/// The interfaces of a package, with their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// What the package calls.
    pub imports: Vec<Interface>,
    /// What can be called in the package; functions without interface are in the one named `""`.
    pub exports: Vec<Interface>,
    /// The hashes of the imports, as the package states them, by interface name.
    pub import_hashes: Vec<(String, TypeHash)>,
    /// The hashes of the exports, as the package states them, by interface name.
    pub export_hashes: Vec<(String, TypeHash)>,
}

impl Metadata {
    /// Makes metadata and computes the hashes.
    #[cfg(feature = "hash")]
    #[must_use]
    pub fn new(imports: Vec<Interface>, exports: Vec<Interface>) -> Self {
        let (import_hashes, export_hashes) = (hashes_of(&imports), hashes_of(&exports));
        Self { imports, exports, import_hashes, export_hashes }
    }

    /// Compares each stated hash with that of the signatures.
    ///
    /// # Errors
    ///
    /// If one differs, is missing, or belongs to no interface.
    #[cfg(feature = "hash")]
    pub fn check_hashes(&self) -> Result<(), HashMismatch> {
        for (interfaces, stated) in
            [(&self.imports, &self.import_hashes), (&self.exports, &self.export_hashes)]
        {
            let computed: BTreeMap<String, TypeHash> = hashes_of(interfaces).into_iter().collect();
            let stated: BTreeMap<String, TypeHash> = stated.iter().cloned().collect();
            for interface in computed.keys().chain(stated.keys()) {
                let (computed, stated) = (computed.get(interface).copied(), stated.get(interface).copied());
                if computed != stated {
                    return Err(HashMismatch { interface: interface.clone(), stated, computed });
                }
            }
        }
        Ok(())
    }

    /// Encodes it as `__pack_types` returns it.
    ///
    /// # Errors
    ///
    /// If the types are nested too deeply, or too many once all names are replaced by what they stand for.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut terms = TYPE_TERMS_MAX;
        let imports = function_list(&self.imports, &mut terms)?;
        let exports = function_list(&self.exports, &mut terms)?;
        let mut fields = vec![
            ("imports", imports),
            ("exports", exports),
            ("import-hashes", hash_list(&self.import_hashes)),
            ("export-hashes", hash_list(&self.export_hashes)),
        ];
        // As upstream does it: a package without parameters says nothing of them.
        fields.extend(self.param_list().map(|params| ("type-params", params)));
        crate::encode(&record("package-metadata", fields))
    }

    /// The parameters of all interfaces, if there are any; those of one name are one.
    fn param_list(&self) -> Option<Value> {
        let defs = self.imports.iter().chain(&self.exports).flat_map(|interface| &interface.types);
        let mut params: Vec<(&str, &str)> = Vec::new();
        for def in defs {
            if let TypeDefKind::Parameter(constraint) = &def.kind
                && params.iter().all(|(name, _)| *name != def.name)
            {
                params.push((&def.name, constraint.as_deref().unwrap_or_default()));
            }
        }
        let item = |(name, constraint): (&str, &str)| {
            record("type-param", vec![("name", name.into()), ("constraint", constraint.into())])
        };
        (!params.is_empty()).then(|| records(params.into_iter().map(item).collect()))
    }

    /// Decodes what `__pack_types` returns; upstream's form and ours are the same.
    ///
    /// # Errors
    ///
    /// If the bytes are not a value, or not metadata.
    pub fn decode(bytes: &[u8]) -> Result<Self, MetadataError> {
        let limits = Limits { buffer_bytes_max: METADATA_BYTES_MAX, ..Limits::default() };
        let value: Value = crate::decode_with(bytes, &limits).map_err(MetadataError::Decode)?;
        let params = read_params(&value)?;
        Ok(Self {
            imports: read_functions(list_field(&value, "imports")?, &params)?,
            exports: read_functions(list_field(&value, "exports")?, &params)?,
            import_hashes: read_hashes(list_field(&value, "import-hashes")?)?,
            export_hashes: read_hashes(list_field(&value, "export-hashes")?)?,
        })
    }
}

/// A stated hash that is not that of the signatures beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashMismatch {
    /// The interface.
    pub interface: String,
    /// The hash that the package states, if it does.
    pub stated: Option<TypeHash>,
    /// The hash of the signatures, if there are any.
    pub computed: Option<TypeHash>,
}

impl fmt::Display for HashMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interface, stated, computed } = self;
        match (stated, computed) {
            (None, _) => write!(f, "interface `{interface}` has no hash"),
            (Some(_), None) => write!(f, "there is a hash for `{interface}` but no function of it"),
            (Some(stated), Some(computed)) => {
                write!(f, "interface `{interface}` states the hash {stated}, its functions have {computed}")
            }
        }
    }
}

impl core::error::Error for HashMismatch {}

/// Why bytes are not metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// The bytes are not a value.
    Decode(DecodeError),
    /// A part is missing or of another type.
    Malformed(&'static str),
    /// A function has more than one result.
    SeveralResults {
        /// The function.
        function: String,
    },
    /// An interface uses more than 1024 named types.
    TooManyTypes {
        /// The interface.
        interface: String,
    },
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => write!(f, "metadata cannot be read: {error}"),
            Self::Malformed(part) => write!(f, "metadata is malformed: {part}"),
            Self::SeveralResults { function } => {
                write!(f, "function `{function}` has more than one result")
            }
            Self::TooManyTypes { interface } => write!(f, "interface `{interface}` has too many types"),
        }
    }
}

impl core::error::Error for MetadataError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Malformed(_) | Self::SeveralResults { .. } | Self::TooManyTypes { .. } => None,
        }
    }
}

/// An interface without functions leaves no trace in metadata, so it has no hash there either.
#[cfg(feature = "hash")]
fn hashes_of(interfaces: &[Interface]) -> Vec<(String, TypeHash)> {
    let with_functions = interfaces.iter().filter(|interface| !interface.functions.is_empty());
    let mut hashes: Vec<_> =
        with_functions.map(|interface| (interface.name.clone(), interface.hash())).collect();
    hashes.sort();
    hashes
}
