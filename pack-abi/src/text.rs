//! Values and types as text: what is printed parses back to the same value, bit for bit.
//!
//! The form is that of upstream's literals, with what they lose added: the tag of a variant (`#3`), the element
//! type of a list where the first element does not show it (`[1u32]<T>`), floats that are not finite, names that
//! are not identifiers (quoted), and bytes (`b"..."`).

use core::fmt::{self, Display, Formatter, Write as _};

use crate::{MAX_DEPTH, RecordValue, Value, VariantValue, WireType};

/// The words that are types by themselves, so a record of that name is quoted.
pub(crate) const TYPE_WORDS: [&str; 21] = [
    "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string", "flags",
    "list", "option", "result", "tuple", "map", "set", "variant",
];

/// NaN as every operation produces it here; others are written by their bits.
pub(crate) const NAN_32: u32 = 0x7FC0_0000;
pub(crate) const NAN_64: u64 = 0x7FF8_0000_0000_0000;

/// What stands for values that are nested more deeply than values may be. It is no value: the text does not parse.
const TOO_DEEP: &str = "...";

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Nested { value: self, depth: 0 }.fmt(f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// A value at its depth in the whole one.
struct Nested<'v> {
    value: &'v Value,
    depth: u32,
}

impl Display for Nested<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Bool(value) => write!(f, "{value}"),
            Value::U8(value) => write!(f, "{value}u8"),
            Value::U16(value) => write!(f, "{value}u16"),
            Value::U32(value) => write!(f, "{value}u32"),
            Value::U64(value) => write!(f, "{value}u64"),
            Value::S8(value) => write!(f, "{value}s8"),
            Value::S16(value) => write!(f, "{value}s16"),
            Value::S32(value) => write!(f, "{value}s32"),
            Value::S64(value) => write!(f, "{value}s64"),
            Value::F32(value) => match value.to_bits() {
                NAN_32 => f.write_str("NaNf32"),
                bits if value.is_nan() => write!(f, "f32({bits:#010x})"),
                _ => write!(f, "{value:?}f32"),
            },
            Value::F64(value) => match value.to_bits() {
                NAN_64 => f.write_str("NaNf64"),
                bits if value.is_nan() => write!(f, "f64({bits:#018x})"),
                _ => write!(f, "{value:?}f64"),
            },
            Value::Char(value) => {
                f.write_char('\'')?;
                escaped(f, *value, '\'')?;
                f.write_char('\'')
            }
            Value::Flags(mask) => write!(f, "flags({mask:#x})"),
            Value::String(text) => quoted(f, text),
            Value::Bytes(bytes) => bytes_literal(f, bytes),
            // Text has one level more than the wire: see the parser.
            _ if self.depth > MAX_DEPTH => f.write_str(TOO_DEEP),
            Value::List(list) => {
                self.listed(f, '[', list.items(), ']')?;
                match list.items().first() {
                    Some(first) if first.is_of(list.elem()) => Ok(()),
                    Some(_) | None => write!(f, "<{}>", list.elem()),
                }
            }
            Value::Tuple(items) => self.listed(f, '(', items, ')'),
            Value::Option(option) => match option.value() {
                Some(value) => write!(f, "some<{}>({})", option.inner(), self.inside(value)),
                None => write!(f, "none<{}>", option.inner()),
            },
            Value::Result(result) => {
                let (word, value) = match result.value() {
                    Ok(value) => ("ok", value),
                    Err(value) => ("err", value),
                };
                write!(f, "{word}<{}, {}>({})", result.ok(), result.err(), self.inside(value))
            }
            Value::Record(record) => self.record(f, record),
            Value::Variant(variant) => self.variant(f, variant),
            Value::Map(map) => {
                write!(f, "map<{}, {}>[", map.key(), map.value())?;
                for (place, (key, value)) in map.entries().enumerate() {
                    separate(f, place)?;
                    write!(f, "{} => {}", self.inside(key), self.inside(value))?;
                }
                f.write_char(']')
            }
            Value::Set(set) => {
                write!(f, "set<{}>", set.elem())?;
                self.listed(f, '[', set.items(), ']')
            }
        }
    }
}

impl Nested<'_> {
    fn inside<'v>(&self, value: &'v Value) -> Nested<'v> {
        Nested { value, depth: self.depth + 1 }
    }

    fn listed(&self, f: &mut Formatter<'_>, open: char, items: &[Value], close: char) -> fmt::Result {
        listed(f, open, items.iter().map(|item| self.inside(item)), close)
    }

    fn record(&self, f: &mut Formatter<'_>, record: &RecordValue) -> fmt::Result {
        if !record.name().is_empty() {
            identifier(f, record.name())?;
        }
        f.write_char('{')?;
        for (place, (name, value)) in record.fields().enumerate() {
            separate(f, place)?;
            identifier(f, name)?;
            write!(f, ": {}", self.inside(value))?;
        }
        f.write_char('}')
    }

    fn variant(&self, f: &mut Formatter<'_>, variant: &VariantValue) -> fmt::Result {
        identifier(f, variant.type_name())?;
        f.write_str("::")?;
        identifier(f, variant.case())?;
        if variant.tag() != 0 {
            write!(f, "#{}", variant.tag())?;
        }
        if variant.payload().is_empty() { Ok(()) } else { self.listed(f, '(', variant.payload(), ')') }
    }
}

fn separate(f: &mut Formatter<'_>, place: usize) -> fmt::Result {
    if place > 0 { f.write_str(", ") } else { Ok(()) }
}

fn listed(
    f: &mut Formatter<'_>,
    open: char,
    items: impl Iterator<Item = impl Display>,
    close: char,
) -> fmt::Result {
    f.write_char(open)?;
    for (place, item) in items.enumerate() {
        separate(f, place)?;
        write!(f, "{item}")?;
    }
    f.write_char(close)
}

/// Whether a name can stand without quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(starts_identifier) && name.chars().all(continues_identifier)
}

pub(crate) fn starts_identifier(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(crate) fn continues_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn identifier(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    if is_plain(name) { f.write_str(name) } else { quoted(f, name) }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    text.chars().try_for_each(|c| escaped(f, c, '"'))?;
    f.write_char('"')
}

fn escaped(f: &mut Formatter<'_>, c: char, quote: char) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\\' => f.write_str("\\\\"),
        c if c == quote => write!(f, "\\{c}"),
        // Directional marks would let text show other than it is.
        c if c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') => {
            write!(f, "\\u{{{:x}}}", u32::from(c))
        }
        c => f.write_char(c),
    }
}

fn bytes_literal(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("b\"")?;
    for byte in bytes {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            0x20..=0x7E => f.write_char(char::from(*byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_char('"')
}

impl Display for WireType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(inner) | Self::Option(inner) | Self::Set(inner) => {
                write!(f, "{}<{inner}>", self.kind())
            }
            Self::Result(a, b) | Self::Map(a, b) => write!(f, "{}<{a}, {b}>", self.kind()),
            Self::Tuple(elements) => {
                f.write_str("tuple")?;
                listed(f, '<', elements.iter(), '>')
            }
            Self::Record(name) if TYPE_WORDS.contains(&name.as_str()) => quoted(f, name),
            Self::Record(name) => identifier(f, name),
            Self::Variant(name) => {
                f.write_str("variant ")?;
                identifier(f, name)
            }
            Self::Bool
            | Self::U8
            | Self::U16
            | Self::U32
            | Self::U64
            | Self::S8
            | Self::S16
            | Self::S32
            | Self::S64
            | Self::F32
            | Self::F64
            | Self::Char
            | Self::Flags
            | Self::String => f.write_str(self.kind().name()),
        }
    }
}
