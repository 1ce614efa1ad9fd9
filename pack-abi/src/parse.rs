//! Reading the text form of values and types; `text.rs` writes it.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::text::{NAN_32, NAN_64, TYPE_WORDS, continues_identifier, starts_identifier};
use crate::{MAX_DEPTH, Value, WireType};

mod literal;

pub use literal::{LiteralError, parse_typed};

/// Why a text is not a value or a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What should have been there.
    pub expected: &'static str,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.offset)
    }
}

impl core::error::Error for ParseError {}

impl FromStr for Value {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let value = parser.value()?;
        parser.end()?;
        Ok(value)
    }
}

impl FromStr for WireType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let wire_type = parser.wire_type()?;
        parser.end()?;
        Ok(wire_type)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

type Parsed<T> = Result<T, ParseError>;

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fail<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(ParseError { expected, offset: self.at })
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn end(&mut self) -> Parsed<()> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { self.fail("the end") }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Passes over `token`, and the space before it, if it is there.
    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn need(&mut self, token: &'static str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.fail(token) }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self) -> &'t str {
        self.space();
        if self.peek().is_some_and(starts_identifier) { self.take_while(continues_identifier) } else { "" }
    }

    /// Reads a name: an identifier, or anything in quotes.
    fn name(&mut self) -> Parsed<String> {
        self.space();
        if self.peek() == Some('"') {
            return self.quoted();
        }
        match self.word() {
            "" => self.fail("a name"),
            word => Ok(word.into()),
        }
    }

    /// Goes one level down. There is one level more than values and types have on the wire: a packed list is
    /// no level there, and neither is what stands around the outermost type.
    fn deeper<T, E: From<ParseError>>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth > MAX_DEPTH {
            self.fail::<()>("a value that is nested less deeply")?;
        }
        self.depth += 1;
        let parsed = inner(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Reads what a value says of its types, whose levels are not those of the value.
    fn types<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let depth = core::mem::take(&mut self.depth);
        let parsed = inner(self)?;
        self.depth = depth;
        Ok(parsed)
    }

    /// Reads items up to `close`, separated by commas; one may follow the last.
    fn list<T, E: From<ParseError>>(
        &mut self,
        close: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        self.deeper(|parser| {
            let mut items = Vec::new();
            while !parser.eat(close) {
                items.push(item(parser)?);
                if !parser.eat(",") {
                    parser.need(close)?;
                    break;
                }
            }
            Ok(items)
        })
    }

    fn value(&mut self) -> Parsed<Value> {
        self.space();
        match self.peek() {
            Some('(') => {
                self.next();
                self.list(")", Self::value).map(Value::tuple)
            }
            Some('[') => {
                self.next();
                self.list_value()
            }
            Some('{') => self.record(String::new()),
            Some('\'') => self.char_value(),
            Some('"') => {
                let text = self.quoted()?;
                if self.starts_named() { self.named(text) } else { Ok(Value::from(text)) }
            }
            Some(c) if c.is_ascii_digit() || c == '-' => self.number(),
            Some(c) if starts_identifier(c) => self.worded(),
            Some(_) | None => self.fail("a value"),
        }
    }

    fn starts_named(&mut self) -> bool {
        self.space();
        self.rest().starts_with('{') || self.rest().starts_with("::")
    }

    fn named(&mut self, name: String) -> Parsed<Value> {
        if !self.eat("::") {
            return self.record(name);
        }
        let case = self.name()?;
        let tag = if self.eat("#") {
            match self.take_while(|c| c.is_ascii_digit()).parse() {
                Ok(tag) => tag,
                Err(_) => return self.fail("a tag"),
            }
        } else {
            0
        };
        let payload = if self.eat("(") { self.list(")", Self::value)? } else { Vec::new() };
        Ok(Value::variant(name, case, tag, payload))
    }

    fn record(&mut self, name: String) -> Parsed<Value> {
        self.need("{")?;
        let fields = self.list("}", |parser| {
            let name = parser.name()?;
            parser.need(":")?;
            Ok((name, parser.value()?))
        })?;
        Ok(Value::record(name, fields))
    }

    /// Reads a list after its bracket. A list of `u8` becomes bytes.
    fn list_value(&mut self) -> Parsed<Value> {
        let items = self.list("]", Self::value)?;
        let elem = match items.first() {
            _ if self.rest().starts_with('<') => self.types(Self::one_type)?,
            Some(first) => match first.wire_type() {
                Ok(elem) => elem,
                Err(_) => return self.fail("elements that are nested less deeply"),
            },
            None => return self.fail("the type of the elements, as in `[]<u32>`"),
        };
        Ok(Value::list(elem, items))
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        let mut before = ' ';
        while let Some(c) = self.peek() {
            let is_sign = matches!(c, '-' | '+') && (matches!(before, 'e' | 'E') || self.at == start);
            if !(c.is_ascii_alphanumeric() || c == '.' || is_sign) {
                break;
            }
            before = c;
            self.next();
        }
        let token = self.text.get(start..self.at).unwrap_or_default();
        parse_number(token)
            .ok_or(ParseError { expected: "a number with its type, as in `7u8` or `1.5f64`", offset: start })
    }

    /// Reads a value that begins with a word.
    fn worded(&mut self) -> Parsed<Value> {
        let start = self.at;
        let word = self.word();
        if word == "b" && self.rest().starts_with('"') {
            return self.bytes();
        }
        if self.starts_named() {
            return self.named(word.into());
        }
        match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "NaNf32" | "NaNf64" | "inff32" | "inff64" => Ok(not_finite(word)),
            "f32" => {
                let bits = self.hexadecimal()?;
                u32::try_from(bits).map(f32::from_bits).map(Value::F32).or_else(|_| self.fail("32 bits"))
            }
            "f64" => self.hexadecimal().map(f64::from_bits).map(Value::F64),
            "flags" => self.hexadecimal().map(Value::Flags),
            "some" => {
                let inner = self.types(Self::one_type)?;
                Ok(Value::option(inner, Some(self.one_value()?)))
            }
            "none" => Ok(Value::option(self.types(Self::one_type)?, None)),
            "ok" => {
                let (ok, err) = self.types(Self::two_types)?;
                Ok(Value::result(ok, err, Ok(self.one_value()?)))
            }
            "err" => {
                let (ok, err) = self.types(Self::two_types)?;
                Ok(Value::result(ok, err, Err(self.one_value()?)))
            }
            "set" => {
                let elem = self.types(Self::one_type)?;
                self.need("[")?;
                Ok(Value::set(elem, self.list("]", Self::value)?))
            }
            "map" => self.map(),
            _ => Err(ParseError { expected: "a value", offset: start }),
        }
    }

    fn map(&mut self) -> Parsed<Value> {
        let (key, value) = self.types(Self::two_types)?;
        self.need("[")?;
        let entries = self.list("]", |parser| {
            let key = parser.value()?;
            parser.need("=>")?;
            Ok((key, parser.value()?))
        })?;
        Ok(Value::map(key, value, entries))
    }

    fn one_value(&mut self) -> Parsed<Value> {
        self.need("(")?;
        let value = self.deeper(Self::value)?;
        self.need(")")?;
        Ok(value)
    }

    fn one_type(&mut self) -> Parsed<WireType> {
        self.need("<")?;
        let wire_type = self.deeper(Self::wire_type)?;
        self.need(">")?;
        Ok(wire_type)
    }

    fn two_types(&mut self) -> Parsed<(WireType, WireType)> {
        self.need("<")?;
        let first = self.deeper(Self::wire_type)?;
        self.need(",")?;
        let second = self.deeper(Self::wire_type)?;
        self.need(">")?;
        Ok((first, second))
    }

    fn hexadecimal(&mut self) -> Parsed<u64> {
        self.need("(")?;
        self.need("0x")?;
        let digits = self.take_while(|c| c.is_ascii_hexdigit());
        let Ok(bits) = u64::from_str_radix(digits, 16) else {
            return self.fail("up to sixteen hexadecimal digits");
        };
        self.need(")")?;
        Ok(bits)
    }

    fn char_value(&mut self) -> Parsed<Value> {
        self.next();
        let value = match self.next() {
            Some('\\') => self.escape()?,
            Some(c) if c != '\'' => c,
            Some(_) | None => return self.fail("a character"),
        };
        if self.next() == Some('\'') { Ok(Value::Char(value)) } else { self.fail("'") }
    }

    fn quoted(&mut self) -> Parsed<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) => text.push(c),
                None => return self.fail("\""),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        match self.next() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(c @ ('\\' | '"' | '\'')) => Ok(c),
            Some('u') => {
                self.need("{")?;
                let digits = self.take_while(|c| c.is_ascii_hexdigit());
                let Some(c) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) else {
                    return self.fail("a Unicode scalar value");
                };
                self.need("}")?;
                Ok(c)
            }
            Some(_) | None => self.fail("an escape such as \\n or \\u{7f}"),
        }
    }

    fn bytes(&mut self) -> Parsed<Value> {
        self.next();
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                Some('"') => return Ok(Value::from(bytes)),
                Some('\\') if self.peek() == Some('x') => {
                    self.next();
                    let digits = self.rest().get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    let Some(byte) = digits else { return self.fail("two hexadecimal digits") };
                    bytes.push(byte);
                    self.at += 2;
                }
                Some('\\') => match u8::try_from(self.escape()?) {
                    Ok(byte) => bytes.push(byte),
                    Err(_) => return self.fail("a byte"),
                },
                Some(c) if c.is_ascii() => bytes.push(c as u8),
                Some(_) | None => return self.fail("a byte"),
            }
        }
    }

    fn wire_type(&mut self) -> Parsed<WireType> {
        self.space();
        if self.peek() == Some('"') {
            return self.quoted().map(WireType::Record);
        }
        let start = self.at;
        let word = self.word();
        Ok(match word {
            "" => return self.fail("a type"),
            "list" => WireType::List(Box::new(self.one_type()?)),
            "option" => WireType::Option(Box::new(self.one_type()?)),
            "set" => WireType::Set(Box::new(self.one_type()?)),
            "result" => {
                let (ok, err) = self.two_types()?;
                WireType::Result(Box::new(ok), Box::new(err))
            }
            "map" => {
                let (key, value) = self.two_types()?;
                WireType::Map(Box::new(key), Box::new(value))
            }
            "tuple" => {
                self.need("<")?;
                WireType::Tuple(self.list(">", Self::wire_type)?)
            }
            "variant" => WireType::Variant(self.name()?),
            _ if TYPE_WORDS.contains(&word) => match leaf_type(word) {
                Some(leaf) => leaf,
                None => return Err(ParseError { expected: "a type", offset: start }),
            },
            name => WireType::Record(name.to_string()),
        })
    }
}

fn leaf_type(word: &str) -> Option<WireType> {
    let leaves = (0..=u8::MAX).filter_map(crate::Kind::from_byte).filter_map(WireType::leaf);
    leaves.into_iter().find(|leaf| leaf.kind().name() == word)
}

fn not_finite(word: &str) -> Value {
    match word {
        "NaNf32" => Value::F32(f32::from_bits(NAN_32)),
        "inff32" => Value::F32(f32::INFINITY),
        "inff64" => Value::F64(f64::INFINITY),
        _ => Value::F64(f64::from_bits(NAN_64)),
    }
}

fn parse_number(token: &str) -> Option<Value> {
    let (digits, suffix) = token.split_at_checked(token.rfind(|c: char| c.is_ascii_alphabetic())?)?;
    Some(match suffix {
        "u8" => Value::U8(digits.parse().ok()?),
        "u16" => Value::U16(digits.parse().ok()?),
        "u32" => Value::U32(digits.parse().ok()?),
        "u64" => Value::U64(digits.parse().ok()?),
        "s8" => Value::S8(digits.parse().ok()?),
        "s16" => Value::S16(digits.parse().ok()?),
        "s32" => Value::S32(digits.parse().ok()?),
        "s64" => Value::S64(digits.parse().ok()?),
        "f32" => Value::F32(digits.parse().ok()?),
        "f64" => Value::F64(digits.parse().ok()?),
        _ => return None,
    })
}
