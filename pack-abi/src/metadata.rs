//! What a package says of itself: the interfaces that it imports and exports, and their hashes.
//!
//! The bytes are those of upstream's `__pack_types`: one graph value, read by field names and tags. Types are
//! inlined there at every use, so the names come back as definitions of the interface that uses them; doc comments
//! and aliases do not come back. A type that refers to itself comes back as `value` at that point, which has the
//! same hash.
//!
//! Two things are added where upstream's readers pass over them: the names of flags (payload of tag 13) and which
//! arms a result does not have (field `absent` of a result; upstream writes `bool` and `string` for them).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use crate::hash::TypeHash;
use crate::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use crate::{DecodeError, EncodeError, Limits, Value, WireType};

/// Metadata larger than this is nobody's honest work.
const METADATA_BYTES_MAX: usize = 4 << 20;
/// The most named types of one interface.
const NAMED_TYPES_MAX: usize = 1024;
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

fn record(name: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::record(name, fields)
}

fn records(items: Vec<Value>) -> Value {
    Value::list(WireType::Record(String::new()), items)
}

fn type_descs(items: Vec<Value>) -> Value {
    Value::list(WireType::Variant(String::new()), items)
}

fn hash_list(hashes: &[(String, TypeHash)]) -> Value {
    let item = |(name, hash): &(String, TypeHash)| {
        let words = Value::tuple(hash.words().map(Value::U64));
        record("interface-hash", vec![("name", name.clone().into()), ("hash", words)])
    };
    records(hashes.iter().map(item).collect())
}

fn function_list(interfaces: &[Interface], terms: &mut u32) -> Result<Value, EncodeError> {
    let mut items = Vec::new();
    for interface in interfaces {
        let mut describer = Describer { types: &interface.types, open: Vec::new(), terms: *terms };
        for function in &interface.functions {
            items.push(describer.function(&interface.name, function)?);
        }
        *terms = describer.terms;
    }
    Ok(records(items))
}

/// Turns the types of one interface into type descriptions.
struct Describer<'i> {
    types: &'i [TypeDef],
    /// The names that are being described, outermost first.
    open: Vec<&'i str>,
    /// How many terms may still be written.
    terms: u32,
}

impl<'i> Describer<'i> {
    fn function(&mut self, interface: &str, function: &'i Function) -> Result<Value, EncodeError> {
        let mut params = Vec::new();
        for param in &function.params {
            let ty = self.describe(&param.ty)?;
            params.push(record("param-sig", vec![("name", param.name.clone().into()), ("type", ty)]));
        }
        let results = match &function.result {
            Some(result) => vec![self.describe(result)?],
            None => Vec::new(),
        };
        Ok(record(
            "function-sig",
            vec![
                ("interface", interface.into()),
                ("name", function.name.clone().into()),
                ("params", records(params)),
                ("results", type_descs(results)),
            ],
        ))
    }

    fn describe(&mut self, ty: &'i Type) -> Result<Value, EncodeError> {
        self.terms = self.terms.checked_sub(1).ok_or(EncodeError::TooLarge)?;
        if let Some((case, tag)) = leaf_case(ty) {
            return Ok(desc(case, tag, None));
        }
        Ok(match ty {
            Type::List(inner) => desc("list", 14, Some(self.describe(inner)?)),
            Type::Option(inner) => desc("option", 15, Some(self.describe(inner)?)),
            Type::Set(inner) => desc("set", 23, Some(self.describe(inner)?)),
            Type::Result { ok, err } => {
                let absent = match (ok, err) {
                    (Some(_), Some(_)) => None,
                    (None, Some(_)) => Some("ok"),
                    (Some(_), None) => Some("err"),
                    (None, None) => Some("both"),
                };
                let ok = self.describe(ok.as_deref().unwrap_or(&Type::Bool))?;
                let err = self.describe(err.as_deref().unwrap_or(&Type::String))?;
                let mut arms = vec![("ok", ok), ("err", err)];
                arms.extend(absent.map(|absent| ("absent", absent.into())));
                desc("result", 16, Some(record("result-desc", arms)))
            }
            Type::Map(key, value) => {
                let (key, value) = (self.describe(key)?, self.describe(value)?);
                desc("map", 22, Some(record("map-desc", vec![("key", key), ("value", value)])))
            }
            Type::Tuple(elements) => {
                let mut items = Vec::new();
                for element in elements {
                    items.push(self.describe(element)?);
                }
                desc("tuple", 19, Some(type_descs(items)))
            }
            Type::Named(name) => self.named(name)?,
            _ => desc("value", 20, None),
        })
    }

    fn named(&mut self, name: &'i str) -> Result<Value, EncodeError> {
        let def = self.types.iter().find(|def| def.name == name);
        let Some(def) = def.filter(|_| !self.open.contains(&name)) else {
            return Ok(desc("value", 20, None));
        };
        if self.open.len() > crate::MAX_DEPTH as usize {
            return Err(EncodeError::TooDeep);
        }
        self.open.push(name);
        let described = self.definition(def)?;
        self.open.pop();
        Ok(described)
    }

    fn definition(&mut self, def: &'i TypeDef) -> Result<Value, EncodeError> {
        match &def.kind {
            TypeDefKind::Alias(target) => self.describe(target),
            TypeDefKind::Parameter(_) => {
                let name = record("TypeRef", vec![("name", def.name.clone().into())]);
                Ok(desc("ref", 18, Some(name)))
            }
            TypeDefKind::Flags(flags) => {
                let names: Vec<Value> = flags.iter().map(|flag| flag.name.as_str().into()).collect();
                let names = Value::list(WireType::String, names);
                let payload = record("flags-desc", vec![("name", def.name.clone().into()), ("flags", names)]);
                Ok(desc("flags", 13, Some(payload)))
            }
            TypeDefKind::Record(fields) => {
                let mut items = Vec::new();
                for field in fields {
                    let ty = self.describe(&field.ty)?;
                    items.push(record("field-desc", vec![("name", field.name.clone().into()), ("type", ty)]));
                }
                let payload = vec![("name", def.name.clone().into()), ("fields", records(items))];
                Ok(desc("record", 17, Some(record("record-desc", payload))))
            }
            TypeDefKind::Variant(cases) => {
                let mut items = Vec::new();
                for case in cases {
                    let payload = case.ty.as_ref().map(|ty| self.describe(ty)).transpose()?;
                    items.push(case_desc(&case.name, payload));
                }
                Ok(variant_desc(&def.name, items))
            }
            TypeDefKind::Enum(cases) => {
                let items = cases.iter().map(|case| case_desc(&case.name, None)).collect();
                Ok(variant_desc(&def.name, items))
            }
        }
    }
}

const fn leaf_case(ty: &Type) -> Option<(&'static str, u32)> {
    Some(match ty {
        Type::Bool => ("bool", 0),
        Type::U8 => ("u8", 1),
        Type::U16 => ("u16", 2),
        Type::U32 => ("u32", 3),
        Type::U64 => ("u64", 4),
        Type::S8 => ("s8", 5),
        Type::S16 => ("s16", 6),
        Type::S32 => ("s32", 7),
        Type::S64 => ("s64", 8),
        Type::F32 => ("f32", 9),
        Type::F64 => ("f64", 10),
        Type::Char => ("char", 11),
        Type::String => ("string", 12),
        Type::Value => ("value", 20),
        Type::List(_)
        | Type::Option(_)
        | Type::Result { .. }
        | Type::Tuple(_)
        | Type::Map(..)
        | Type::Set(_)
        | Type::Named(_) => return None,
    })
}

fn desc(case: &str, tag: u32, payload: Option<Value>) -> Value {
    Value::variant("type-desc", case, tag, payload.into_iter().collect::<Vec<_>>())
}

fn case_desc(name: &str, payload: Option<Value>) -> Value {
    let payload = Value::option(WireType::Variant(String::new()), payload);
    record("case-desc", vec![("name", name.into()), ("payload", payload)])
}

fn variant_desc(name: &str, cases: Vec<Value>) -> Value {
    let payload = record("variant-desc", vec![("name", name.into()), ("cases", records(cases))]);
    desc("variant", 18, Some(payload))
}

fn list_field<'v>(value: &'v Value, name: &'static str) -> Result<&'v [Value], MetadataError> {
    match value.field(name) {
        Some(Value::List(list)) => Ok(list.items()),
        Some(Value::Bytes(bytes)) if bytes.is_empty() => Ok(&[]),
        Some(_) | None => Err(MetadataError::Malformed(name)),
    }
}

fn text_field<'v>(value: &'v Value, name: &'static str) -> Result<&'v str, MetadataError> {
    match value.field(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) | None => Err(MetadataError::Malformed(name)),
    }
}

fn read_hashes(items: &[Value]) -> Result<Vec<(String, TypeHash)>, MetadataError> {
    let read = |item: &Value| Ok((text_field(item, "name")?.to_string(), read_hash(item)?));
    items.iter().map(read).collect()
}

/// Reads a hash: four words, or 32 bytes as upstream's host writes it.
fn read_hash(item: &Value) -> Result<TypeHash, MetadataError> {
    let malformed = MetadataError::Malformed("hash");
    match item.field("hash") {
        Some(Value::Bytes(bytes)) => (**bytes).try_into().map(TypeHash).map_err(|_| malformed),
        Some(Value::Tuple(words)) => match &**words {
            [Value::U64(a), Value::U64(b), Value::U64(c), Value::U64(d)] => {
                Ok(TypeHash::from_words([*a, *b, *c, *d]))
            }
            _ => Err(malformed),
        },
        Some(_) | None => Err(malformed),
    }
}

/// The parameters of interfaces with the constraint of each; most packages have none.
type Params = BTreeMap<String, Option<String>>;

fn read_params(value: &Value) -> Result<Params, MetadataError> {
    if value.field("type-params").is_none() {
        return Ok(Params::new());
    }
    let read = |item: &Value| {
        let constraint = text_field(item, "constraint")?;
        let constraint = (!constraint.is_empty()).then(|| constraint.to_string());
        Ok((text_field(item, "name")?.to_string(), constraint))
    };
    list_field(value, "type-params")?.iter().map(read).collect()
}

fn read_functions(items: &[Value], params: &Params) -> Result<Vec<Interface>, MetadataError> {
    let mut interfaces: Vec<Definitions<'_>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let name = text_field(item, "interface")?;
        let place = *places.entry(name).or_insert_with(|| {
            interfaces.push(Definitions::new(name, params));
            interfaces.len() - 1
        });
        if let Some(definitions) = interfaces.get_mut(place) {
            definitions.function(item)?;
        }
    }
    Ok(interfaces.into_iter().map(|definitions| definitions.interface).collect())
}

/// One interface while its functions are read.
struct Definitions<'p> {
    interface: Interface,
    params: &'p Params,
    /// Places in `interface.types` of all definitions that share a name.
    by_name: BTreeMap<String, Vec<usize>>,
}

impl<'p> Definitions<'p> {
    fn new(name: &str, params: &'p Params) -> Self {
        let interface = Interface { name: name.into(), ..Interface::default() };
        Self { interface, params, by_name: BTreeMap::new() }
    }

    fn function(&mut self, item: &Value) -> Result<(), MetadataError> {
        let name = text_field(item, "name")?;
        let mut params = Vec::new();
        for param in list_field(item, "params")? {
            let name = text_field(param, "name")?.to_string();
            params.push(Param { name, ty: self.type_field(param, "type")? });
        }
        let result = match list_field(item, "results")? {
            [] => None,
            [result] => Some(self.read(result)?),
            _ => return Err(MetadataError::SeveralResults { function: name.into() }),
        };
        self.interface.functions.push(Function { name: name.into(), docs: String::new(), params, result });
        Ok(())
    }

    fn type_field(&mut self, value: &Value, name: &'static str) -> Result<Type, MetadataError> {
        self.read(value.field(name).ok_or(MetadataError::Malformed(name))?)
    }

    fn boxed_field(&mut self, value: &Value, name: &'static str) -> Result<Box<Type>, MetadataError> {
        self.type_field(value, name).map(Box::new)
    }

    fn read(&mut self, value: &Value) -> Result<Type, MetadataError> {
        let Value::Variant(variant) = value else {
            return Err(MetadataError::Malformed("type"));
        };
        let tag = variant.tag();
        if let Some(leaf) = leaf_type(tag) {
            return Ok(leaf);
        }
        let payload = match (tag, variant.payload().first()) {
            (13, flags) => return self.read_flags(flags),
            (_, Some(payload)) => payload,
            (_, None) => return Err(MetadataError::Malformed("type")),
        };
        Ok(match tag {
            14 => Type::List(Box::new(self.read(payload)?)),
            15 => Type::Option(Box::new(self.read(payload)?)),
            16 => self.read_result(payload)?,
            17 => self.read_record(payload)?,
            18 if payload.field("cases").is_none() && payload.field("name").is_some() => {
                self.read_reference(text_field(payload, "name")?)?
            }
            18 => self.read_variant(payload)?,
            19 => match payload {
                Value::List(list) => {
                    Type::Tuple(list.items().iter().map(|item| self.read(item)).collect::<Result<_, _>>()?)
                }
                _ => return Err(MetadataError::Malformed("tuple")),
            },
            22 => Type::Map(self.boxed_field(payload, "key")?, self.boxed_field(payload, "value")?),
            23 => Type::Set(Box::new(self.read(payload)?)),
            _ => return Err(MetadataError::Malformed("type tag")),
        })
    }

    /// Reads a name without cases: a parameter of the interface; one that is not declared is any value.
    fn read_reference(&mut self, name: &str) -> Result<Type, MetadataError> {
        match self.params.get(name) {
            Some(constraint) => self.intern(name, TypeDefKind::Parameter(constraint.clone())),
            None => Ok(Type::Value),
        }
    }

    fn read_result(&mut self, value: &Value) -> Result<Type, MetadataError> {
        let ok = self.boxed_field(value, "ok")?;
        let err = self.boxed_field(value, "err")?;
        let (has_ok, has_err) = match value.field("absent") {
            None => (true, true),
            Some(Value::String(absent)) => match &**absent {
                "ok" => (false, true),
                "err" => (true, false),
                "both" => (false, false),
                _ => return Err(MetadataError::Malformed("absent")),
            },
            Some(_) => return Err(MetadataError::Malformed("absent")),
        };
        Ok(Type::Result { ok: has_ok.then_some(ok), err: has_err.then_some(err) })
    }

    /// Upstream writes neither the name nor the flags.
    fn read_flags(&mut self, value: Option<&Value>) -> Result<Type, MetadataError> {
        let Some(value) = value else { return self.intern("flags", TypeDefKind::Flags(Vec::new())) };
        let mut flags = Vec::new();
        for flag in list_field(value, "flags")? {
            match flag {
                Value::String(name) => flags.push(EnumCase { name: (**name).into(), docs: String::new() }),
                _ => return Err(MetadataError::Malformed("flags")),
            }
        }
        self.intern(text_field(value, "name")?, TypeDefKind::Flags(flags))
    }

    fn read_record(&mut self, value: &Value) -> Result<Type, MetadataError> {
        let mut fields = Vec::new();
        for field in list_field(value, "fields")? {
            let name = text_field(field, "name")?.to_string();
            fields.push(Field { name, docs: String::new(), ty: self.type_field(field, "type")? });
        }
        self.intern(text_field(value, "name")?, TypeDefKind::Record(fields))
    }

    fn read_variant(&mut self, value: &Value) -> Result<Type, MetadataError> {
        let mut cases = Vec::new();
        for case in list_field(value, "cases")? {
            let name = text_field(case, "name")?.to_string();
            let ty = match case.field("payload") {
                Some(Value::Option(option)) => {
                    option.value().map(|payload| self.read(payload)).transpose()?
                }
                Some(_) | None => return Err(MetadataError::Malformed("payload")),
            };
            cases.push(Case { name, docs: String::new(), ty });
        }
        let kind = if cases.iter().all(|case| case.ty.is_none()) && !cases.is_empty() {
            let plain = |case: Case| EnumCase { name: case.name, docs: case.docs };
            TypeDefKind::Enum(cases.into_iter().map(plain).collect())
        } else {
            TypeDefKind::Variant(cases)
        };
        self.intern(text_field(value, "name")?, kind)
    }

    /// Returns the name of this definition: its own, or with a number if another type has that one.
    fn intern(&mut self, name: &str, kind: TypeDefKind) -> Result<Type, MetadataError> {
        let types = &mut self.interface.types;
        let places = self.by_name.entry(name.into()).or_default();
        let same = places.iter().filter_map(|place| types.get(*place)).find(|def| def.kind == kind);
        if let Some(def) = same {
            return Ok(Type::Named(def.name.clone()));
        }
        if types.len() >= NAMED_TYPES_MAX {
            return Err(MetadataError::TooManyTypes { interface: self.interface.name.clone() });
        }
        let mut unique = name.to_string();
        let mut number = places.len();
        while types.iter().any(|def| def.name == unique) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        places.push(types.len());
        types.push(TypeDef { name: unique.clone(), docs: String::new(), kind });
        Ok(Type::Named(unique))
    }
}

const fn leaf_type(tag: u32) -> Option<Type> {
    Some(match tag {
        0 => Type::Bool,
        1 => Type::U8,
        2 => Type::U16,
        3 => Type::U32,
        4 => Type::U64,
        5 => Type::S8,
        6 => Type::S16,
        7 => Type::S32,
        8 => Type::S64,
        9 => Type::F32,
        10 => Type::F64,
        11 => Type::Char,
        12 => Type::String,
        20 => Type::Value,
        21 => Type::Tuple(Vec::new()),
        _ => return None,
    })
}
