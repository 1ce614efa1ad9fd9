//! Walks the nodes of a value and the shapes of a signature side by side.
//!
//! Each step goes down one level of the value, so the recursion is bounded by the depth that a [`View`](crate::View)
//! accepts. The way back to a fault is worked out only once there is one.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::problem::{Problem, found};
use super::shape::{FlagsShape, Program, RecordShape, Shape, ShapeId, VariantShape};
use crate::{DecodeError, DecodeErrorKind, Kind, NodeRef};

/// What is wrong, at which byte.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) problem: Problem,
}

type Checked = Result<(), Box<Fault>>;

#[cold]
fn fault(node: NodeRef<'_, '_>, problem: Problem) -> Box<Fault> {
    Box::new(Fault { offset: node.offset(), problem })
}

#[cold]
fn unreadable(node: NodeRef<'_, '_>, kind: DecodeErrorKind) -> Box<Fault> {
    fault(node, Problem::Unreadable(kind))
}

impl Program {
    /// Checks the subtree of a node.
    pub(super) fn check(&self, node: NodeRef<'_, '_>, id: ShapeId) -> Checked {
        let kind = node.kind();
        match self.shape(id) {
            Shape::Any => every_node_is_readable(node),
            Shape::Scalar(wanted) if kind == *wanted => scalar_is_readable(node, kind),
            Shape::Text if kind == Kind::String => text_is_readable(node),
            Shape::Flags(flags) if kind == Kind::Flags => flags_are_named(node, flags, node.payload()),
            Shape::Packed(elem, wanted) => self.packed(node, id, (*elem, *wanted)),
            Shape::List(elem) => self.list(node, id, *elem),
            Shape::Option(inner) if kind == Kind::Option => match node.children().next() {
                Some(child) => self.check(child, *inner),
                None => Ok(()),
            },
            Shape::Result(ok, err) => match node.result() {
                Ok(Ok(child)) => self.check(child, *ok),
                Ok(Err(child)) => self.check(child, *err),
                Err(_) => Err(self.other(node, id)),
            },
            Shape::Tuple(elements) if kind == Kind::Tuple => self.tuple(node, elements),
            Shape::Set(elem) if kind == Kind::Set => {
                node.children().try_for_each(|child| self.check(child, *elem))?;
                keys_are_unique(node, 1)
            }
            Shape::Map(key, value) if kind == Kind::Map => {
                let mut children = node.children();
                while let (Some(k), Some(v)) = (children.next(), children.next()) {
                    self.check(k, *key)?;
                    self.check(v, *value)?;
                }
                keys_are_unique(node, 2)
            }
            Shape::Record(record) if kind == Kind::Record => self.record(node, record),
            Shape::Variant(variant) if kind == Kind::Variant => self.variant(node, variant),
            Shape::OrUnit(_) if kind == Kind::Tuple && node.children().len() == 0 => Ok(()),
            Shape::OrUnit(arm) => self.check(node, *arm),
            Shape::Scalar(_)
            | Shape::Text
            | Shape::Flags(_)
            | Shape::Option(_)
            | Shape::Tuple(_)
            | Shape::Set(_)
            | Shape::Map(..)
            | Shape::Record(_)
            | Shape::Variant(_) => Err(self.other(node, id)),
        }
    }

    #[cold]
    fn other(&self, node: NodeRef<'_, '_>, id: ShapeId) -> Box<Fault> {
        fault(node, Problem::Type { expected: self.text(id), found: found(node) })
    }

    /// Checks a list of elements of one width; an empty list has no elements that could be wrong.
    fn packed(&self, node: NodeRef<'_, '_>, id: ShapeId, (elem, wanted): (ShapeId, Kind)) -> Checked {
        let Ok(elements) = node.packed(wanted) else { return Err(self.other(node, id)) };
        match self.shape(elem) {
            Shape::Flags(flags) => {
                elements.chunks_exact(8).try_for_each(|bits| flags_are_named(node, flags, bits))
            }
            _ if wanted == Kind::Bool || wanted == Kind::Char => packed_is_readable(node, wanted, elements),
            _ => Ok(()),
        }
    }

    fn list(&self, node: NodeRef<'_, '_>, id: ShapeId, elem: ShapeId) -> Checked {
        match node.list() {
            Ok(mut children) => children.try_for_each(|child| self.check(child, elem)),
            // A list of any values may well be packed.
            Err(_) if node.kind() == Kind::Array && matches!(self.shape(elem), Shape::Any) => {
                every_node_is_readable(node)
            }
            Err(_) => Err(self.other(node, id)),
        }
    }

    fn tuple(&self, node: NodeRef<'_, '_>, elements: &[ShapeId]) -> Checked {
        let children = node.children();
        if children.len() != elements.len() {
            let (expected, found) = (elements.len(), children.len());
            return Err(fault(node, Problem::Count { what: "elements", expected, found }));
        }
        elements.iter().zip(children).try_for_each(|(shape, child)| self.check(child, *shape))
    }

    fn record(&self, node: NodeRef<'_, '_>, record: &RecordShape) -> Checked {
        let mut cursor = node.cursor();
        cursor.text().map_err(unreadable_at)?;
        // Encoders write the names in order, so that one comparison tells all of them.
        if let Some(links) = cursor.rest().strip_prefix(&*record.head)
            && links.len() == 4 * record.fields.len()
        {
            let children = record.fields.iter().zip(node.children());
            return children.into_iter().try_for_each(|(field, child)| self.check(child, field.shape));
        }
        self.record_by_name(node, record)
    }

    fn record_by_name(&self, node: NodeRef<'_, '_>, record: &RecordShape) -> Checked {
        let read = node.record().map_err(unreadable_at)?;
        let count = read.field_count();
        let mut found: BTreeMap<&str, NodeRef<'_, '_>> = read.iter().collect();
        if found.len() != count {
            return Err(unreadable(node, DecodeErrorKind::DuplicateKey));
        }
        let record_name = || record.name.to_string();
        for field in &record.fields {
            let child = found.remove(&*field.on_wire).or_else(|| found.remove(&*field.name));
            let Some(child) = child else {
                let field = field.name.to_string();
                return Err(fault(node, Problem::MissingField { record: record_name(), field }));
            };
            self.check(child, field.shape)?;
        }
        match found.keys().next() {
            Some(name) => {
                Err(fault(node, Problem::UnknownField { record: record_name(), field: (*name).to_string() }))
            }
            None => Ok(()),
        }
    }

    fn variant(&self, node: NodeRef<'_, '_>, variant: &VariantShape) -> Checked {
        let read = node.variant().map_err(unreadable_at)?;
        let (tag, name) = (read.tag(), read.name());
        let Some(case) = variant.cases.get(tag as usize) else {
            let (variant, case) = (variant.name.to_string(), name.to_string());
            return Err(fault(node, Problem::UnknownTag { variant, tag, case }));
        };
        if *case.on_wire != *name && *case.name != *name {
            return Err(fault(
                node,
                Problem::OtherCase {
                    variant: variant.name.to_string(),
                    tag,
                    expected: case.name.to_string(),
                    found: name.to_string(),
                },
            ));
        }
        let mut payloads = read.payloads();
        let expected = usize::from(case.payload.is_some());
        if payloads.len() != expected {
            return Err(fault(node, Problem::Count { what: "payloads", expected, found: payloads.len() }));
        }
        match (case.payload, payloads.next()) {
            (Some(shape), Some(child)) => self.check(child, shape),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

#[cold]
fn unreadable_at(error: DecodeError) -> Box<Fault> {
    Box::new(Fault { offset: error.offset as usize, problem: Problem::Unreadable(error.kind) })
}

fn text_is_readable(node: NodeRef<'_, '_>) -> Checked {
    node.as_str().map(drop).map_err(unreadable_at)
}

fn scalar_is_readable(node: NodeRef<'_, '_>, kind: Kind) -> Checked {
    match kind {
        Kind::Bool => node.decode::<bool>().map(drop).map_err(unreadable_at),
        Kind::Char => node.decode::<char>().map(drop).map_err(unreadable_at),
        // Every pattern of bits is a number, and so are flags.
        _ => Ok(()),
    }
}

fn packed_is_readable(node: NodeRef<'_, '_>, element: Kind, elements: &[u8]) -> Checked {
    let is_readable = match element {
        Kind::Bool => elements.iter().all(|byte| *byte <= 1),
        Kind::Char => {
            let (scalars, _) = elements.as_chunks::<4>();
            scalars.iter().all(|raw| char::from_u32(u32::from_le_bytes(*raw)).is_some())
        }
        _ => true,
    };
    let kind = if element == Kind::Bool { DecodeErrorKind::BadBool } else { DecodeErrorKind::BadChar };
    if is_readable { Ok(()) } else { Err(unreadable(node, kind)) }
}

fn flags_are_named(node: NodeRef<'_, '_>, flags: &FlagsShape, bits: &[u8]) -> Checked {
    let set = bits.first_chunk::<8>().map_or(0, |raw| u64::from_le_bytes(*raw));
    match set & !flags.bits {
        0 => Ok(()),
        bits => Err(fault(node, Problem::UnknownFlags { flags: flags.name.to_string(), bits })),
    }
}

/// Checks what a structural check of the bytes leaves to the moment of reading, in all of a subtree.
fn every_node_is_readable(node: NodeRef<'_, '_>) -> Checked {
    for index in node.subtree_nodes() {
        let inner = node.sibling(index);
        match inner.kind() {
            Kind::String => text_is_readable(inner)?,
            Kind::Record => inner.record().map(drop).map_err(unreadable_at)?,
            Kind::Variant => inner.variant().map(drop).map_err(unreadable_at)?,
            Kind::Array => {
                let elements = inner.payload().split_first_chunk::<5>();
                let element = elements.and_then(|(head, _)| Kind::from_byte(head[0]));
                if let (Some(element), Some((_, elements))) = (element, elements) {
                    packed_is_readable(inner, element, elements)?;
                }
            }
            kind => scalar_is_readable(inner, kind)?,
        }
    }
    Ok(())
}

/// Makes sure that no key is there twice; the keys are every `stride`-th child.
fn keys_are_unique(node: NodeRef<'_, '_>, stride: usize) -> Checked {
    let mut keys: Vec<_> = node.children().step_by(stride).map(|key| (key.kind(), alone(key), key)).collect();
    keys.sort_by(|(kind, bytes, _), (other_kind, other, _)| (kind, bytes).cmp(&(other_kind, other)));
    let twice = keys
        .iter()
        .zip(keys.iter().skip(1))
        .find(|((kind, bytes, _), (other_kind, other, _))| (kind, bytes) == (other_kind, other));
    match twice {
        Some((_, (_, _, key))) => Err(unreadable(*key, DecodeErrorKind::DuplicateKey)),
        None => Ok(()),
    }
}

/// Returns the contents of a subtree as they would be if it stood alone: links count from its first node.
fn alone<'a>(node: NodeRef<'a, '_>) -> Cow<'a, [u8]> {
    let nodes = node.subtree_nodes();
    if nodes.len() == 1 {
        return Cow::Borrowed(node.payload());
    }
    let first = nodes.start;
    let mut bytes = Vec::with_capacity(node.subtree_range().len());
    for inner in nodes.map(|index| node.sibling(index)) {
        let (children, payload) = (inner.children(), inner.payload());
        let own = payload.len() - 4 * children.len();
        bytes.push(inner.kind() as u8);
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(payload.get(..own).unwrap_or_default());
        for child in children {
            bytes.extend_from_slice(&(child.index() - first).to_le_bytes());
        }
    }
    Cow::Owned(bytes)
}
