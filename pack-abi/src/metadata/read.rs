//! Metadata read: type descriptions as interfaces with definitions of their own.
//!
//! What is described is a definition of the interface that uses it. The same description twice is one definition; two
//! of one name are told apart by a number.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::MetadataError;
use crate::Value;
use crate::hash::TypeHash;
use crate::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};

/// The most named types of one interface.
const NAMED_TYPES_MAX: usize = 1024;

pub(super) fn list_field<'v>(value: &'v Value, name: &'static str) -> Result<&'v [Value], MetadataError> {
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

pub(super) fn read_hashes(items: &[Value]) -> Result<Vec<(String, TypeHash)>, MetadataError> {
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
pub(super) type Params = BTreeMap<String, Option<String>>;

pub(super) fn read_params(value: &Value) -> Result<Params, MetadataError> {
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

pub(super) fn read_functions(items: &[Value], params: &Params) -> Result<Vec<Interface>, MetadataError> {
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
