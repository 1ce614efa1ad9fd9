//! Metadata written: interfaces and their types as type descriptions.
//!
//! A description names no definition. Every name is replaced by what it stands for, which takes room: so the terms of a
//! package are counted.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::hash::TypeHash;
use crate::types::{Function, Interface, Type, TypeDef, TypeDefKind};
use crate::{EncodeError, Value, WireType};

pub(super) fn record(name: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::record(name, fields)
}

pub(super) fn records(items: Vec<Value>) -> Value {
    Value::list(WireType::Record(String::new()), items)
}

fn type_descs(items: Vec<Value>) -> Value {
    Value::list(WireType::Variant(String::new()), items)
}

pub(super) fn hash_list(hashes: &[(String, TypeHash)]) -> Value {
    let item = |(name, hash): &(String, TypeHash)| {
        let words = Value::tuple(hash.words().map(Value::U64));
        record("interface-hash", vec![("name", name.clone().into()), ("hash", words)])
    };
    records(hashes.iter().map(item).collect())
}

pub(super) fn function_list(interfaces: &[Interface], terms: &mut u32) -> Result<Value, EncodeError> {
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
        Ok(match ty {
            Type::Bool => desc("bool", 0, None),
            Type::U8 => desc("u8", 1, None),
            Type::U16 => desc("u16", 2, None),
            Type::U32 => desc("u32", 3, None),
            Type::U64 => desc("u64", 4, None),
            Type::S8 => desc("s8", 5, None),
            Type::S16 => desc("s16", 6, None),
            Type::S32 => desc("s32", 7, None),
            Type::S64 => desc("s64", 8, None),
            Type::F32 => desc("f32", 9, None),
            Type::F64 => desc("f64", 10, None),
            Type::Char => desc("char", 11, None),
            Type::String => desc("string", 12, None),
            Type::Value => any_value(),
            Type::List(inner) => desc("list", 14, Some(self.describe(inner)?)),
            Type::Option(inner) => desc("option", 15, Some(self.describe(inner)?)),
            Type::Set(inner) => desc("set", 23, Some(self.describe(inner)?)),
            Type::Result { ok, err } => self.result(ok.as_deref(), err.as_deref())?,
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
        })
    }

    /// Describes a result; upstream has no other way to leave out an arm than to write some type for it.
    fn result(&mut self, ok: Option<&'i Type>, err: Option<&'i Type>) -> Result<Value, EncodeError> {
        let absent = match (ok, err) {
            (Some(_), Some(_)) => None,
            (None, Some(_)) => Some("ok"),
            (Some(_), None) => Some("err"),
            (None, None) => Some("both"),
        };
        let ok = self.describe(ok.unwrap_or(&Type::Bool))?;
        let err = self.describe(err.unwrap_or(&Type::String))?;
        let mut arms = vec![("ok", ok), ("err", err)];
        arms.extend(absent.map(|absent| ("absent", absent.into())));
        Ok(desc("result", 16, Some(record("result-desc", arms))))
    }

    fn named(&mut self, name: &'i str) -> Result<Value, EncodeError> {
        let def = self.types.iter().find(|def| def.name == name);
        let Some(def) = def.filter(|_| !self.open.contains(&name)) else {
            return Ok(any_value());
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

fn desc(case: &str, tag: u32, payload: Option<Value>) -> Value {
    Value::variant("type-desc", case, tag, payload.into_iter().collect::<Vec<_>>())
}

fn any_value() -> Value {
    desc("value", 20, None)
}

fn case_desc(name: &str, payload: Option<Value>) -> Value {
    let payload = Value::option(WireType::Variant(String::new()), payload);
    record("case-desc", vec![("name", name.into()), ("payload", payload)])
}

fn variant_desc(name: &str, cases: Vec<Value>) -> Value {
    let payload = record("variant-desc", vec![("name", name.into()), ("cases", records(cases))]);
    desc("variant", 18, Some(payload))
}
