//! A signature's types as one flat list: named types are looked up once, aliases are gone, recursion is an index.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::Kind;
use crate::names::{field_on_wire, type_on_wire};
use crate::types::{EnumCase, Field, Type, TypeDef, TypeDefKind};

/// Types are written down to this level: an alias of a list of itself has no last one.
const TEXT_LEVELS_MAX: u32 = 5;

/// The place of a shape in its program.
pub(super) type ShapeId = u32;

/// What a node must be.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Any value.
    Any,
    /// A number, `bool` or `char`.
    Scalar(Kind),
    /// Flags, with the bits that have names.
    Flags(FlagsShape),
    /// Text.
    Text,
    /// A list of elements that travel packed; the element is a scalar or flags.
    Packed(ShapeId, Kind),
    /// A list of other elements.
    List(ShapeId),
    Option(ShapeId),
    Result(ShapeId, ShapeId),
    Tuple(Box<[ShapeId]>),
    Map(ShapeId, ShapeId),
    Set(ShapeId),
    Record(RecordShape),
    Variant(VariantShape),
    /// An arm of a result that may also be absent: upstream's metadata says `bool` or `string` where there is none.
    OrUnit(ShapeId),
}

#[derive(Clone, Debug)]
pub(super) struct FlagsShape {
    pub(super) name: Box<str>,
    /// All bits if the names are not known.
    pub(super) bits: u64,
}

#[derive(Clone, Debug)]
pub(super) struct RecordShape {
    pub(super) name: Box<str>,
    pub(super) fields: Box<[FieldShape]>,
    /// Number and names of the fields as an encoder writes them.
    pub(super) head: Box<[u8]>,
}

#[derive(Clone, Debug)]
pub(super) struct FieldShape {
    pub(super) name: Box<str>,
    /// As an encoder writes it.
    pub(super) on_wire: Box<str>,
    pub(super) shape: ShapeId,
}

#[derive(Clone, Debug)]
pub(super) struct VariantShape {
    pub(super) name: Box<str>,
    /// In order of their tags.
    pub(super) cases: Box<[CaseShape]>,
}

#[derive(Clone, Debug)]
pub(super) struct CaseShape {
    pub(super) name: Box<str>,
    /// As an encoder writes it.
    pub(super) on_wire: Box<str>,
    pub(super) payload: Option<ShapeId>,
}

/// All shapes of one signature.
#[derive(Clone, Debug)]
pub(super) struct Program(Vec<Shape>);

impl Program {
    pub(super) fn shape(&self, id: ShapeId) -> &Shape {
        // Ids come from the compiler that made this list.
        self.0.get(id as usize).unwrap_or(&Shape::Any)
    }

    /// Returns the type as the interface language writes it: named ones by their name, what is deep inside by dots.
    pub(super) fn text(&self, id: ShapeId) -> String {
        self.text_to(id, TEXT_LEVELS_MAX)
    }

    fn text_to(&self, id: ShapeId, levels: u32) -> String {
        let Some(levels) = levels.checked_sub(1) else { return "...".into() };
        let text = |id: &ShapeId| self.text_to(*id, levels);
        match self.shape(id) {
            Shape::Any => "value".into(),
            Shape::Scalar(kind) => kind.to_string(),
            Shape::Text => "string".into(),
            Shape::Flags(flags) => format!("flags `{}`", flags.name),
            Shape::Record(record) => format!("record `{}`", record.name),
            Shape::Variant(variant) => format!("variant `{}`", variant.name),
            Shape::Packed(elem, _) | Shape::List(elem) => format!("list<{}>", text(elem)),
            Shape::Option(inner) => format!("option<{}>", text(inner)),
            Shape::Set(elem) => format!("set<{}>", text(elem)),
            Shape::Map(key, value) => format!("map<{}, {}>", text(key), text(value)),
            Shape::Result(ok, err) => format!("result<{}, {}>", text(ok), text(err)),
            Shape::Tuple(elements) if elements.is_empty() => "_".into(),
            Shape::Tuple(elements) => {
                let elements: Vec<String> = elements.iter().map(text).collect();
                format!("tuple<{}>", elements.join(", "))
            }
            Shape::OrUnit(arm) => text(arm),
        }
    }
}

/// Fills a program.
pub(super) struct Compiler<'i> {
    types: &'i [TypeDef],
    named: BTreeMap<&'i str, ShapeId>,
    shapes: Vec<Shape>,
}

impl<'i> Compiler<'i> {
    pub(super) fn new(types: &'i [TypeDef]) -> Self {
        Self { types, named: BTreeMap::new(), shapes: Vec::new() }
    }

    pub(super) fn into_program(self) -> Program {
        Program(self.shapes)
    }

    pub(super) fn compile(&mut self, ty: &'i Type) -> ShapeId {
        let shape = match ty {
            Type::Named(name) => return self.named(name),
            Type::List(elem) => {
                let elem = self.compile(elem);
                match self.packed(elem) {
                    Some(kind) => Shape::Packed(elem, kind),
                    None => Shape::List(elem),
                }
            }
            Type::Option(inner) => Shape::Option(self.compile(inner)),
            Type::Set(elem) => Shape::Set(self.compile(elem)),
            Type::Map(key, value) => Shape::Map(self.compile(key), self.compile(value)),
            Type::Result { ok, err } => Shape::Result(
                self.arm(ok.as_deref(), |ty| *ty == Type::Bool),
                self.arm(err.as_deref(), |ty| *ty == Type::String),
            ),
            Type::Tuple(elements) => {
                Shape::Tuple(elements.iter().map(|element| self.compile(element)).collect())
            }
            Type::String => Shape::Text,
            Type::Value => Shape::Any,
            Type::Bool => Shape::Scalar(Kind::Bool),
            Type::U8 => Shape::Scalar(Kind::U8),
            Type::U16 => Shape::Scalar(Kind::U16),
            Type::U32 => Shape::Scalar(Kind::U32),
            Type::U64 => Shape::Scalar(Kind::U64),
            Type::S8 => Shape::Scalar(Kind::S8),
            Type::S16 => Shape::Scalar(Kind::S16),
            Type::S32 => Shape::Scalar(Kind::S32),
            Type::S64 => Shape::Scalar(Kind::S64),
            Type::F32 => Shape::Scalar(Kind::F32),
            Type::F64 => Shape::Scalar(Kind::F64),
            Type::Char => Shape::Scalar(Kind::Char),
        };
        self.push(shape)
    }

    fn push(&mut self, shape: Shape) -> ShapeId {
        self.shapes.push(shape);
        // A signature of four thousand million types does not fit into memory.
        (self.shapes.len() - 1) as ShapeId
    }

    fn packed(&self, elem: ShapeId) -> Option<Kind> {
        match self.shapes.get(elem as usize)? {
            Shape::Scalar(kind) => Some(*kind),
            Shape::Flags(_) => Some(Kind::Flags),
            Shape::Any
            | Shape::Text
            | Shape::Packed(..)
            | Shape::List(_)
            | Shape::Option(_)
            | Shape::Result(..)
            | Shape::Tuple(_)
            | Shape::Map(..)
            | Shape::Set(_)
            | Shape::Record(_)
            | Shape::Variant(_)
            | Shape::OrUnit(_) => None,
        }
    }

    fn arm(&mut self, ty: Option<&'i Type>, stands_for_none: impl Fn(&Type) -> bool) -> ShapeId {
        let Some(ty) = ty else { return self.push(Shape::Tuple(Box::default())) };
        let arm = self.compile(ty);
        if stands_for_none(ty) { self.push(Shape::OrUnit(arm)) } else { arm }
    }

    fn named(&mut self, name: &'i str) -> ShapeId {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        // Known before it is filled, so that it may refer to itself. One that is nothing but itself stays any value.
        let id = self.push(Shape::Any);
        self.named.insert(name, id);
        if let Some(def) = self.types.iter().find(|def| def.name == name) {
            let shape = self.definition(def);
            if let Some(slot) = self.shapes.get_mut(id as usize) {
                *slot = shape;
            }
        }
        id
    }

    fn definition(&mut self, def: &'i TypeDef) -> Shape {
        let name = def.name.as_str().into();
        match &def.kind {
            TypeDefKind::Alias(target) => {
                let target = self.compile(target);
                self.shapes.get(target as usize).cloned().unwrap_or(Shape::Any)
            }
            TypeDefKind::Record(fields) => Shape::Record(self.record(name, fields)),
            TypeDefKind::Variant(cases) => {
                let cases = cases.iter().map(|case| {
                    let payload = case.ty.as_ref().map(|ty| self.compile(ty));
                    CaseShape::new(&case.name, payload)
                });
                Shape::Variant(VariantShape { name, cases: cases.collect() })
            }
            TypeDefKind::Enum(cases) => {
                let cases = cases.iter().map(|case| CaseShape::new(&case.name, None)).collect();
                Shape::Variant(VariantShape { name, cases })
            }
            TypeDefKind::Parameter(_) => Shape::Any,
            TypeDefKind::Flags(flags) => Shape::Flags(FlagsShape { name, bits: bits(flags) }),
        }
    }

    fn record(&mut self, name: Box<str>, fields: &'i [Field]) -> RecordShape {
        let mut head = (fields.len() as u32).to_le_bytes().to_vec();
        let mut shapes = Vec::with_capacity(fields.len());
        for field in fields {
            let on_wire = field_on_wire(&field.name);
            head.extend_from_slice(&(on_wire.len() as u32).to_le_bytes());
            head.extend_from_slice(on_wire.as_bytes());
            let shape = self.compile(&field.ty);
            shapes.push(FieldShape { name: field.name.as_str().into(), on_wire: on_wire.into(), shape });
        }
        RecordShape { name, fields: shapes.into(), head: head.into() }
    }
}

impl CaseShape {
    fn new(name: &str, payload: Option<ShapeId>) -> Self {
        Self { name: name.into(), on_wire: type_on_wire(name).into(), payload }
    }
}

/// The bits that have names; all of them where upstream's metadata leaves the names out.
fn bits(flags: &[EnumCase]) -> u64 {
    match flags.len() {
        0 | 64.. => u64::MAX,
        count => (1 << count) - 1,
    }
}
