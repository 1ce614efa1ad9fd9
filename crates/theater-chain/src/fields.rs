//! Fields of records, written and read by name: what the records of [`crate::record`] have in common.

use pack_abi::{Value, WireType};

use crate::hash::Hash;
use crate::record::{ABI_VERSION, ALGORITHM, RecordError};
use crate::segment::FORMAT_VERSION;

/// Room that most records fit in.
const RECORD_BYTES: usize = 4096;

pub(crate) fn encode(name: &'static str, fields: Vec<(&str, Value)>) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::with_capacity(RECORD_BYTES);
    let encoded = pack_abi::encode_into(&record(name, fields), &mut bytes);
    encoded.map_err(|source| RecordError::Encode { name, source })?;
    Ok(bytes)
}

pub(crate) fn record(name: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::record(name, fields)
}

pub(crate) fn text(text: &str) -> Value {
    Value::from(text)
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::bytes(bytes)
}

pub(crate) fn option(inner: WireType, value: Option<Value>) -> Value {
    Value::option(inner, value)
}

pub(crate) fn list(elem: WireType, items: Vec<Value>) -> Value {
    Value::list(elem, items)
}

pub(crate) fn pair(first: Value, second: Value) -> Value {
    Value::tuple([first, second])
}

pub(crate) fn text_pairs(pairs: &[(String, String)]) -> Value {
    let items = pairs.iter().map(|(name, value)| pair(text(name), text(value))).collect();
    list(pair_type(WireType::String), items)
}

pub(crate) fn named(name: &str) -> WireType {
    WireType::Record(name.to_owned())
}

pub(crate) fn byte_list() -> WireType {
    WireType::List(Box::new(WireType::U8))
}

pub(crate) fn pair_type(second: WireType) -> WireType {
    WireType::Tuple(vec![WireType::String, second])
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    if let Value::String(text) = value { Some((**text).to_owned()) } else { None }
}

pub(crate) fn as_bytes(value: &Value) -> Option<Vec<u8>> {
    if let Value::Bytes(bytes) = value { Some(bytes.to_vec()) } else { None }
}

pub(crate) fn as_hash(value: &Value) -> Option<Hash> {
    as_bytes(value)?.try_into().ok().map(Hash)
}

pub(crate) const fn as_u32(value: &Value) -> Option<u32> {
    if let Value::U32(number) = value { Some(*number) } else { None }
}

pub(crate) const fn as_u64(value: &Value) -> Option<u64> {
    if let Value::U64(number) = value { Some(*number) } else { None }
}

pub(crate) fn as_option<T>(value: &Value, inner: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    let Value::Option(option) = value else { return None };
    match option.value() {
        Some(value) => inner(value).map(Some),
        None => Some(None),
    }
}

pub(crate) fn as_list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    if let Value::List(list) = value { list.items().iter().map(item).collect() } else { None }
}

pub(crate) fn as_pair<A, B>(
    value: &Value,
    first: impl Fn(&Value) -> Option<A>,
    second: impl Fn(&Value) -> Option<B>,
) -> Option<(A, B)> {
    let Value::Tuple(items) = value else { return None };
    let [a, b] = &**items else { return None };
    Some((first(a)?, second(b)?))
}

pub(crate) fn as_text_pair(value: &Value) -> Option<(String, String)> {
    as_pair(value, as_text, as_text)
}

/// A decoded record whose fields are taken by name.
pub(crate) struct Reader {
    name: &'static str,
    value: Value,
}

impl Reader {
    pub(crate) fn new(name: &'static str, bytes: &[u8]) -> Result<Self, RecordError> {
        let value = pack_abi::decode(bytes).map_err(|source| RecordError::Decode { name, source })?;
        match &value {
            Value::Record(record) if record.name() == name => Ok(Self { name, value }),
            _ => Err(RecordError::Shape { name, what: "its name" }),
        }
    }

    pub(crate) fn get<T>(
        &self,
        what: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, RecordError> {
        self.value.field(what).and_then(read).ok_or(RecordError::Shape { name: self.name, what })
    }

    /// Reads a field that may be left out.
    pub(crate) fn optional<T>(
        &self,
        what: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, RecordError> {
        if self.value.field(what).is_some() { self.get(what, read).map(Some) } else { Ok(None) }
    }

    pub(crate) fn text(&self, what: &'static str) -> Result<String, RecordError> {
        self.get(what, as_text)
    }

    pub(crate) fn u32(&self, what: &'static str) -> Result<u32, RecordError> {
        self.get(what, as_u32)
    }

    pub(crate) fn option<T>(
        &self,
        what: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, RecordError> {
        self.get(what, |value| as_option(value, &read))
    }

    pub(crate) fn list<T>(
        &self,
        what: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, RecordError> {
        self.get(what, |value| as_list(value, &read))
    }

    pub(crate) fn check_versions(&self) -> Result<(), RecordError> {
        let check = |what, found: String, known: &str| {
            let name = self.name;
            if found == known { Ok(()) } else { Err(RecordError::Unknown { name, what, found }) }
        };
        check("format", self.u32("format")?.to_string(), &FORMAT_VERSION.to_string())?;
        check("abi", self.u32("abi")?.to_string(), &ABI_VERSION.to_string())?;
        check("algorithm", self.text("algorithm")?, ALGORITHM)
    }
}
