//! What is inside of compound values: shared, so a clone of a subtree is a count, and taken apart without recursion.
//!
//! A compound value is two things: its head, which is all that it says of its type (names, declared types), and its
//! children. Both are shared. A decoder gives values of one shape one head, so ten thousand records of a list
//! hold their field names once.
//!
//! Values may be nested by hand far deeper than any encoder writes, and are dropped all the same: what is dropped
//! last takes its descendants into a list of its own instead of dropping them one inside the other.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::{Value, WireType};

/// Values in order, shared between clones.
#[derive(Clone, Default)]
pub struct Items(Option<Arc<[Value]>>);

impl Items {
    /// Returns no values.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Returns the values for a change; other clones keep theirs as they are.
    pub fn make_mut(&mut self) -> &mut [Value] {
        self.0.as_mut().map(Arc::make_mut).unwrap_or_default()
    }

    /// Whether both are the same values in the same place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl Deref for Items {
    type Target = [Value];

    #[inline]
    fn deref(&self) -> &[Value] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'i> IntoIterator for &'i Items {
    type Item = &'i Value;
    type IntoIter = core::slice::Iter<'i, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<Value>> for Items {
    fn from(items: Vec<Value>) -> Self {
        if items.is_empty() { Self(None) } else { Self(Some(items.into())) }
    }
}

impl<const N: usize> From<[Value; N]> for Items {
    fn from(items: [Value; N]) -> Self {
        if items.is_empty() { Self(None) } else { Self(Some(items.into())) }
    }
}

impl FromIterator<Value> for Items {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        let items = items.into_iter();
        if items.size_hint() == (0, Some(0)) { Self(None) } else { Self(Some(items.collect())) }
    }
}

impl core::fmt::Debug for Items {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One value, shared between clones: what is inside of an option or a result.
#[derive(Clone)]
pub(crate) struct Inner(Arc<Value>);

impl Inner {
    #[inline]
    pub(crate) fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn make_mut(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.0)
    }
}

impl Deref for Inner {
    type Target = Value;

    #[inline]
    fn deref(&self) -> &Value {
        &self.0
    }
}

/// Takes the compound values out of what is about to be dropped by its last owner.
fn take(value: &mut Value, taken: &mut Vec<Value>) {
    if value.is_compound() {
        taken.push(core::mem::replace(value, Value::Bool(false)));
    }
}

impl Items {
    fn take_into(&mut self, taken: &mut Vec<Value>) {
        if let Some(items) = self.0.as_mut().and_then(Arc::get_mut) {
            items.iter_mut().for_each(|item| take(item, taken));
        }
    }
}

impl Inner {
    fn take_into(&mut self, taken: &mut Vec<Value>) {
        if let Some(value) = Arc::get_mut(&mut self.0) {
            take(value, taken);
        }
    }
}

/// Drops the values, each after its descendants have been taken out of it.
fn take_apart(mut taken: Vec<Value>) {
    while let Some(mut value) = taken.pop() {
        match &mut value {
            Value::Tuple(items) => items.take_into(&mut taken),
            Value::List(list) | Value::Set(list) => list.items.take_into(&mut taken),
            Value::Record(record) => record.values.take_into(&mut taken),
            Value::Variant(variant) => variant.payload.take_into(&mut taken),
            Value::Map(map) => map.entries.take_into(&mut taken),
            Value::Option(option) => {
                if let Some(value) = &mut option.value {
                    value.take_into(&mut taken);
                }
            }
            Value::Result(result) => match &mut result.value {
                Ok(value) | Err(value) => value.take_into(&mut taken),
            },
            Value::Bool(_)
            | Value::U8(_)
            | Value::U16(_)
            | Value::U32(_)
            | Value::U64(_)
            | Value::S8(_)
            | Value::S16(_)
            | Value::S32(_)
            | Value::S64(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::Char(_)
            | Value::Flags(_)
            | Value::String(_)
            | Value::Bytes(_) => {}
        }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        let mut taken = Vec::new();
        self.take_into(&mut taken);
        take_apart(taken);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut taken = Vec::new();
        self.take_into(&mut taken);
        take_apart(taken);
    }
}

/// A `list<T>`, not of bytes, or a `set<T>`.
#[derive(Clone)]
pub struct ListValue {
    pub(crate) elem: Arc<WireType>,
    pub(crate) items: Items,
}

impl ListValue {
    /// Returns the declared type of the elements.
    #[must_use]
    pub fn elem(&self) -> &WireType {
        &self.elem
    }

    /// Returns the elements, in order.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

/// An `option<T>`.
#[derive(Clone)]
pub struct OptionValue {
    pub(crate) inner: Arc<WireType>,
    pub(crate) value: Option<Inner>,
}

impl OptionValue {
    /// Returns the declared type of what is inside.
    #[must_use]
    pub fn inner(&self) -> &WireType {
        &self.inner
    }

    /// Returns what is inside.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.value.as_deref()
    }
}

/// A `result<T, E>`.
#[derive(Clone)]
pub struct ResultValue {
    pub(crate) types: Arc<(WireType, WireType)>,
    pub(crate) value: Result<Inner, Inner>,
}

impl ResultValue {
    /// Returns the declared type of `ok`.
    #[must_use]
    pub fn ok(&self) -> &WireType {
        &self.types.0
    }

    /// Returns the declared type of `err`.
    #[must_use]
    pub fn err(&self) -> &WireType {
        &self.types.1
    }

    /// Returns what is inside.
    ///
    /// # Errors
    ///
    /// It is the value of an `err`.
    pub fn value(&self) -> Result<&Value, &Value> {
        match &self.value {
            Ok(value) => Ok(value),
            Err(value) => Err(value),
        }
    }

    /// Returns what is inside for a change; other clones keep theirs as it is.
    ///
    /// # Errors
    ///
    /// It is the value of an `err`.
    pub fn value_mut(&mut self) -> Result<&mut Value, &mut Value> {
        match &mut self.value {
            Ok(value) => Ok(value.make_mut()),
            Err(value) => Err(value.make_mut()),
        }
    }
}

/// The names of a record, shared by the records of one shape.
#[derive(PartialEq, Eq)]
pub(crate) struct RecordNames {
    pub(crate) name: Box<str>,
    pub(crate) fields: Box<[Box<str>]>,
}

/// A `record`.
#[derive(Clone)]
pub struct RecordValue {
    pub(crate) names: Arc<RecordNames>,
    /// As many as there are names.
    pub(crate) values: Items,
}

impl RecordValue {
    pub(crate) fn new(name: Box<str>, fields: impl Iterator<Item = (Box<str>, Value)>) -> Self {
        let (fields, values): (Vec<_>, Vec<_>) = fields.unzip();
        Self { names: Arc::new(RecordNames { name, fields: fields.into() }), values: values.into() }
    }

    /// Returns the name of the type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.names.name
    }

    /// Returns names and values of the fields, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + Clone {
        self.names.fields.iter().map(|name| &**name).zip(self.values.iter())
    }

    /// Returns the value of the first field of this name.
    #[must_use]
    pub fn field(&self, wanted: &str) -> Option<&Value> {
        self.fields().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

/// The names of a case, shared by the variants that are in it.
#[derive(PartialEq, Eq)]
pub(crate) struct CaseNames {
    pub(crate) type_name: Box<str>,
    pub(crate) case: Box<str>,
    pub(crate) tag: u32,
}

/// A `variant` or an `enum`.
#[derive(Clone)]
pub struct VariantValue {
    pub(crate) names: Arc<CaseNames>,
    pub(crate) payload: Items,
}

impl VariantValue {
    /// Returns the name of the type.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.names.type_name
    }

    /// Returns the name of the case.
    #[must_use]
    pub fn case(&self) -> &str {
        &self.names.case
    }

    /// Returns the number that decides which case it is.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.names.tag
    }

    /// Returns the payloads.
    #[must_use]
    pub fn payload(&self) -> &[Value] {
        &self.payload
    }
}

/// A `map<K, V>`.
#[derive(Clone)]
pub struct MapValue {
    pub(crate) types: Arc<(WireType, WireType)>,
    /// Keys and values in turn.
    pub(crate) entries: Items,
}

impl MapValue {
    /// Returns the declared type of the keys.
    #[must_use]
    pub fn key(&self) -> &WireType {
        &self.types.0
    }

    /// Returns the declared type of the values.
    #[must_use]
    pub fn value(&self) -> &WireType {
        &self.types.1
    }

    /// Returns keys and values, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + Clone {
        let (pairs, _) = self.entries.as_chunks::<2>();
        pairs.iter().map(|[key, value]| (key, value))
    }
}

/// How values are made by hand; whoever knows the Rust type uses [`Value::of`].
impl Value {
    /// Returns the empty tuple.
    #[must_use]
    pub const fn unit() -> Self {
        Self::Tuple(Items::new())
    }

    /// Returns a `tuple<...>`.
    #[must_use]
    pub fn tuple(items: impl Into<Items>) -> Self {
        Self::Tuple(items.into())
    }

    /// Returns a `string`.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// Returns a `list<u8>`.
    #[must_use]
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// Returns a `list<T>`; a list of `u8` that holds nothing else becomes [`Bytes`](Self::Bytes), as it is decoded.
    #[must_use]
    pub fn list(elem: WireType, items: impl Into<Items>) -> Self {
        let items = items.into();
        let byte = |item: &Self| if let Self::U8(byte) = item { Some(*byte) } else { None };
        if elem == WireType::U8
            && let Some(bytes) = items.iter().map(byte).collect::<Option<Vec<u8>>>()
        {
            return Self::Bytes(bytes.into());
        }
        Self::List(ListValue { elem: Arc::new(elem), items })
    }

    /// Returns a `set<T>`; the order is kept as it is.
    #[must_use]
    pub fn set(elem: WireType, items: impl Into<Items>) -> Self {
        Self::Set(ListValue { elem: Arc::new(elem), items: items.into() })
    }

    /// Returns a `map<K, V>`; the order is kept as it is.
    #[must_use]
    pub fn map(key: WireType, value: WireType, entries: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let entries: Vec<Self> = entries.into_iter().flat_map(|(key, value)| [key, value]).collect();
        Self::Map(MapValue { types: Arc::new((key, value)), entries: entries.into() })
    }

    /// Returns an `option<T>`.
    #[must_use]
    pub fn option(inner: WireType, value: Option<Self>) -> Self {
        Self::Option(OptionValue { inner: Arc::new(inner), value: value.map(Inner::new) })
    }

    /// Returns a `result<T, E>`.
    #[must_use]
    pub fn result(ok: WireType, err: WireType, value: Result<Self, Self>) -> Self {
        let value = value.map(Inner::new).map_err(Inner::new);
        Self::Result(ResultValue { types: Arc::new((ok, err)), value })
    }

    /// Returns a `record`.
    #[must_use]
    pub fn record<N: Into<String>>(
        name: impl Into<String>,
        fields: impl IntoIterator<Item = (N, Self)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into().into_boxed_str(), value));
        Self::Record(RecordValue::new(name.into().into_boxed_str(), fields))
    }

    /// Returns a `variant`, or an `enum` if there is no payload.
    #[must_use]
    pub fn variant(
        type_name: impl Into<String>,
        case: impl Into<String>,
        tag: u32,
        payload: impl Into<Items>,
    ) -> Self {
        let (type_name, case) = (type_name.into().into_boxed_str(), case.into().into_boxed_str());
        Self::Variant(VariantValue {
            names: Arc::new(CaseNames { type_name, case, tag }),
            payload: payload.into(),
        })
    }
}
