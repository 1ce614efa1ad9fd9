//! Bytes to dynamic values: one pass over the nodes, without recursion.
//!
//! Nodes come children first, so each parent takes its children off a stack. What values say of their types is
//! mostly what the one before said: such heads are recognised by their bytes and shared instead of read again.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::compound::{CaseNames, Inner, Items, ListValue, MapValue};
use crate::compound::{OptionValue, RecordNames, RecordValue, ResultValue, VariantValue};
use crate::cursor::Cursor;
use crate::{Decode, DecodeError, DecodeErrorKind, Flags, Kind, NodeRef, Value, WireType};

impl<'a> Decode<'a> for Value {
    fn decode_node(node: NodeRef<'a, '_>) -> Result<Self, DecodeError> {
        let mut reader = Reader::default();
        for index in node.subtree_nodes() {
            let value = reader.read(node.sibling(index))?;
            reader.built.push(value);
        }
        // A subtree ends with its own node, which has taken all that was built before it.
        reader.built.pop().ok_or_else(|| node.error(DecodeErrorKind::Truncated))
    }

    fn decode_list(node: NodeRef<'a, '_>) -> Result<Vec<Self>, DecodeError> {
        match Self::decode_node(node)? {
            Self::List(list) => Ok(list.items.to_vec()),
            Self::Bytes(bytes) => Ok(bytes.iter().map(|byte| Self::U8(*byte)).collect()),
            _ => node.list().map(|_| Vec::new()),
        }
    }
}

/// How many heads of each sort are remembered: those of a record with some optional fields or a small tree.
const HEADS: usize = 4;

/// The latest heads and their bytes. Heads say where they end, so none is the beginning of another.
struct Heads<'a, T> {
    known: [Option<(&'a [u8], Arc<T>)>; HEADS],
    next: usize,
}

impl<T> Default for Heads<'_, T> {
    fn default() -> Self {
        Self { known: [const { None }; HEADS], next: 0 }
    }
}

impl<'a, T> Heads<'a, T> {
    /// Returns the head at the cursor, which moves behind it.
    fn at(
        &mut self,
        cursor: &mut Cursor<'a>,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T, DecodeError>,
    ) -> Result<Arc<T>, DecodeError> {
        let bytes = cursor.rest();
        for (known, head) in self.known.iter().flatten() {
            if bytes.starts_with(known) {
                cursor.take(known.len())?;
                return Ok(Arc::clone(head));
            }
        }
        let head = Arc::new(read(cursor)?);
        let length = bytes.len() - cursor.rest().len();
        self.known[self.next] = Some((&bytes[..length], Arc::clone(&head)));
        self.next = (self.next + 1) % HEADS;
        Ok(head)
    }
}

#[derive(Default)]
struct Reader<'a> {
    built: Vec<Value>,
    types: Heads<'a, WireType>,
    pairs: Heads<'a, (WireType, WireType)>,
    records: Heads<'a, RecordNames>,
    cases: Heads<'a, CaseNames>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, node: NodeRef<'a, '_>) -> Result<Value, DecodeError> {
        Ok(match node.kind() {
            Kind::Bool => Value::Bool(node.decode()?),
            Kind::U8 => Value::U8(node.decode()?),
            Kind::U16 => Value::U16(node.decode()?),
            Kind::U32 => Value::U32(node.decode()?),
            Kind::U64 => Value::U64(node.decode()?),
            Kind::S8 => Value::S8(node.decode()?),
            Kind::S16 => Value::S16(node.decode()?),
            Kind::S32 => Value::S32(node.decode()?),
            Kind::S64 => Value::S64(node.decode()?),
            Kind::F32 => Value::F32(node.decode()?),
            Kind::F64 => Value::F64(node.decode()?),
            Kind::Char => Value::Char(node.decode()?),
            Kind::Flags => Value::Flags(node.decode::<Flags>()?.0),
            Kind::String => Value::String(node.as_str()?.into()),
            Kind::Array => self.array(node)?,
            Kind::Tuple => {
                let count = node.cursor().u32()?;
                Value::Tuple(self.children(count as usize))
            }
            Kind::List => Value::List(self.list(node)?),
            Kind::Set => Value::Set(self.list(node)?),
            Kind::Option => {
                let mut cursor = node.cursor();
                let inner = self.types.at(&mut cursor, WireType::read)?;
                let value = if cursor.u8()? == 0 { None } else { self.built.pop().map(Inner::new) };
                Value::Option(OptionValue { inner, value })
            }
            Kind::Result => {
                let mut cursor = node.cursor();
                let types = self.pairs.at(&mut cursor, read_pair)?;
                let is_ok = cursor.u32()? == 0;
                let child = Inner::new(self.built.pop().unwrap_or_else(Value::unit));
                Value::Result(ResultValue { types, value: if is_ok { Ok(child) } else { Err(child) } })
            }
            Kind::Record => {
                let mut cursor = node.cursor();
                let names = self.records.at(&mut cursor, read_names)?;
                cursor.links(names.fields.len())?;
                let values = self.children(names.fields.len());
                Value::Record(RecordValue { names, values })
            }
            Kind::Variant => {
                let mut cursor = node.cursor();
                let names = self.cases.at(&mut cursor, read_case)?;
                let count = cursor.u32()?;
                Value::Variant(VariantValue { names, payload: self.children(count as usize) })
            }
            Kind::Map => {
                let mut cursor = node.cursor();
                let types = self.pairs.at(&mut cursor, read_pair)?;
                let count = cursor.u32()? as usize;
                Value::Map(MapValue { types, entries: self.children(2 * count) })
            }
        })
    }

    /// Takes that many children, which are the last that were built.
    fn children(&mut self, count: usize) -> Items {
        // The view has seen as many nodes before this one as it has children.
        self.built.drain(self.built.len() - count..).collect()
    }

    fn list(&mut self, node: NodeRef<'a, '_>) -> Result<ListValue, DecodeError> {
        let mut cursor = node.cursor();
        let elem = self.types.at(&mut cursor, WireType::read)?;
        let count = cursor.u32()?;
        Ok(ListValue { elem, items: self.children(count as usize) })
    }

    fn array(&mut self, node: NodeRef<'a, '_>) -> Result<Value, DecodeError> {
        fn items<'a, T: Decode<'a>>(
            node: NodeRef<'a, '_>,
            item: impl FnMut(T) -> Value,
        ) -> Result<Items, DecodeError> {
            Ok(T::decode_list(node)?.into_iter().map(item).collect())
        }
        if node.payload().first() == Some(&(Kind::U8 as u8)) {
            return node.as_bytes().map(|bytes| Value::Bytes(bytes.into()));
        }
        let elem = self.types.at(&mut node.cursor(), WireType::read)?;
        let items = match *elem {
            WireType::Bool => items(node, Value::Bool)?,
            WireType::U16 => items(node, Value::U16)?,
            WireType::U32 => items(node, Value::U32)?,
            WireType::U64 => items(node, Value::U64)?,
            WireType::S8 => items(node, Value::S8)?,
            WireType::S16 => items(node, Value::S16)?,
            WireType::S32 => items(node, Value::S32)?,
            WireType::S64 => items(node, Value::S64)?,
            WireType::F32 => items(node, Value::F32)?,
            WireType::F64 => items(node, Value::F64)?,
            WireType::Char => items(node, Value::Char)?,
            WireType::Flags => items(node, |flags: Flags| Value::Flags(flags.0))?,
            WireType::U8
            | WireType::String
            | WireType::List(_)
            | WireType::Option(_)
            | WireType::Result(..)
            | WireType::Tuple(_)
            | WireType::Map(..)
            | WireType::Set(_)
            | WireType::Record(_)
            | WireType::Variant(_) => return Err(node.error(DecodeErrorKind::WrongListForm)),
        };
        Ok(Value::List(ListValue { elem, items }))
    }
}

fn read_pair(cursor: &mut Cursor<'_>) -> Result<(WireType, WireType), DecodeError> {
    Ok((WireType::read(cursor)?, WireType::read(cursor)?))
}

fn read_names(cursor: &mut Cursor<'_>) -> Result<RecordNames, DecodeError> {
    let name = cursor.text()?.into();
    let count = cursor.u32()? as usize;
    // The view has seen that the record has an index for each name.
    let mut fields = Vec::with_capacity(count);
    for _ in 0..count {
        fields.push(cursor.text()?.into());
    }
    Ok(RecordNames { name, fields: fields.into() })
}

fn read_case(cursor: &mut Cursor<'_>) -> Result<CaseNames, DecodeError> {
    Ok(CaseNames { type_name: cursor.text()?.into(), case: cursor.text()?.into(), tag: cursor.u32()? })
}
