//! Reading a value whose type is known: what the text form says of types may be left out.
//!
//! `21` is a `u32` where one is expected, `{x: 1, y: 2}` the record that has these fields, `some(Ada)` an option of
//! text. What [`Value`] prints is read too, but only as a value of the expected type.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{ParseError, Parser};
use crate::names::{field_on_wire, is_field, is_type, type_on_wire};
use crate::text::{NAN_32, NAN_64};
use crate::types::{Case, EnumCase, Field, Type, TypeDef, TypeDefKind};
use crate::{MAX_DEPTH, Value, WireType};

/// Why a text is not a value of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteralError {
    /// What should have been there.
    pub expected: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

impl fmt::Display for LiteralError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.offset)
    }
}

impl core::error::Error for LiteralError {}

impl From<ParseError> for LiteralError {
    fn from(error: ParseError) -> Self {
        let expected = match error.expected {
            // What the other parser says of tokens is the token itself.
            token if token.len() <= 2 => format!("`{token}`"),
            words => words.to_string(),
        };
        Self { expected, offset: error.offset }
    }
}

/// Reads a value of the type `ty`; names of types are looked up in `types`.
///
/// A text or a character may stand without quotes if it is the whole value, a text of one word anywhere.
///
/// # Errors
///
/// If the text is not a value of this type; the error says what was expected, and where.
///
/// ```
/// use pack_abi::types::Type;
/// use pack_abi::{Value, parse_typed};
///
/// assert_eq!(parse_typed("21", &Type::U32, &[]), Ok(Value::U32(21)));
/// assert_eq!(parse_typed("Ada Lovelace", &Type::String, &[]), Ok(Value::from("Ada Lovelace")));
/// let error = parse_typed("300", &Type::U8, &[]).map_err(|error| error.to_string());
/// assert_eq!(error, Err("expected a u8, from 0 to 255, at byte 0".to_owned()));
/// ```
pub fn parse_typed(text: &str, ty: &Type, types: &[TypeDef]) -> Result<Value, LiteralError> {
    let reader = Reader { types };
    match reader.resolved(ty) {
        Type::String if !text.trim_start().starts_with('"') => return Ok(Value::from(text)),
        Type::Char => {
            let mut chars = text.chars();
            if let (Some(only), None) = (chars.next(), chars.next()) {
                return Ok(Value::Char(only));
            }
        }
        _ => {}
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let value = reader.value(&mut parser, ty)?;
    parser.end()?;
    Ok(value)
}

type Read<T> = Result<T, LiteralError>;

fn expected<T>(what: impl Into<String>, offset: usize) -> Read<T> {
    Err(LiteralError { expected: what.into(), offset })
}

fn named(def: &TypeDef) -> &str {
    &def.name
}

/// What is known of the expected types.
struct Reader<'t> {
    types: &'t [TypeDef],
}

impl<'t> Reader<'t> {
    fn definition(&self, name: &str) -> Option<&'t TypeDef> {
        self.types.iter().find(|def| def.name == name)
    }

    /// Returns the type behind aliases; a chain of them that does not end is any value.
    fn resolved<'a>(&self, mut ty: &'a Type) -> &'a Type
    where
        't: 'a,
    {
        for _ in 0..MAX_DEPTH {
            let Type::Named(name) = ty else { return ty };
            match self.definition(name).map(|def| &def.kind) {
                Some(TypeDefKind::Alias(target)) => ty = target,
                // What is not defined stands for any value, as it does in hashes, and so does a parameter.
                Some(TypeDefKind::Parameter(_)) | None => return &Type::Value,
                Some(
                    TypeDefKind::Record(_)
                    | TypeDefKind::Variant(_)
                    | TypeDefKind::Enum(_)
                    | TypeDefKind::Flags(_),
                ) => return ty,
            }
        }
        &Type::Value
    }

    fn value(&self, parser: &mut Parser<'_>, ty: &Type) -> Read<Value> {
        parser.space();
        match self.resolved(ty) {
            Type::List(elem) => self.list(parser, elem),
            Type::Set(elem) => self.set(parser, elem),
            Type::Map(key, value) => self.map(parser, key, value),
            Type::Option(inner) => self.option(parser, inner),
            Type::Result { ok, err } => self.result(parser, ok.as_deref(), err.as_deref()),
            Type::Tuple(elements) => self.tuple(parser, elements),
            Type::Named(name) => match self.definition(name) {
                Some(def) => self.defined(parser, def),
                None => any(parser),
            },
            leaf @ (Type::Bool
            | Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::S8
            | Type::S16
            | Type::S32
            | Type::S64
            | Type::F32
            | Type::F64
            | Type::Char
            | Type::String
            | Type::Value) => scalar(parser, leaf),
        }
    }

    fn defined(&self, parser: &mut Parser<'_>, def: &TypeDef) -> Read<Value> {
        match &def.kind {
            TypeDefKind::Alias(target) => self.value(parser, target),
            TypeDefKind::Record(fields) => self.record(parser, def, fields),
            TypeDefKind::Variant(cases) => self.variant(parser, def, cases),
            TypeDefKind::Enum(cases) => enumeration(parser, def, cases),
            TypeDefKind::Flags(names) => flags(parser, def, names),
            TypeDefKind::Parameter(_) => any(parser),
        }
    }

    fn list(&self, parser: &mut Parser<'_>, elem: &Type) -> Read<Value> {
        let wire = self.wire_type(elem, 0);
        if wire == WireType::U8 {
            let rest = parser.rest();
            if rest.starts_with("b\"") {
                parser.next();
                return Ok(parser.bytes()?);
            }
            if rest.starts_with('"') {
                return Ok(Value::from(parser.quoted()?.into_bytes()));
            }
        }
        if !parser.eat("[") {
            let bytes = if wire == WireType::U8 { ", or bytes as in `b\"...\"`," } else { "" };
            return expected(format!("a list, as in `[...]`{bytes}"), parser.at);
        }
        let items = parser.list("]", |parser| self.value(parser, elem))?;
        stated(parser, &[&wire])?;
        Ok(Value::list(wire, items))
    }

    fn set(&self, parser: &mut Parser<'_>, elem: &Type) -> Read<Value> {
        let wire = self.wire_type(elem, 0);
        if parser.eat("set") {
            stated(parser, &[&wire])?;
        }
        if !parser.eat("[") {
            return expected("a set, as in `[...]`,", parser.at);
        }
        let items = parser.list("]", |parser| self.value(parser, elem))?;
        Ok(Value::set(wire, items))
    }

    fn map(&self, parser: &mut Parser<'_>, key: &Type, value: &Type) -> Read<Value> {
        let (wire_key, wire_value) = (self.wire_type(key, 0), self.wire_type(value, 0));
        if parser.eat("map") {
            stated(parser, &[&wire_key, &wire_value])?;
        }
        if !parser.eat("[") {
            return expected("a map, as in `[key => value]`,", parser.at);
        }
        let entries = parser.list("]", |parser| -> Read<_> {
            let key = self.value(parser, key)?;
            parser.need("=>")?;
            Ok((key, self.value(parser, value)?))
        })?;
        Ok(Value::map(wire_key, wire_value, entries))
    }

    fn option(&self, parser: &mut Parser<'_>, inner: &Type) -> Read<Value> {
        let start = parser.at;
        let wire = self.wire_type(inner, 0);
        match parser.word() {
            "none" => {
                stated(parser, &[&wire])?;
                Ok(Value::option(wire, None))
            }
            "some" => {
                stated(parser, &[&wire])?;
                let value = self.in_parentheses(parser, inner)?;
                Ok(Value::option(wire, Some(value)))
            }
            _ => expected("`some(...)` or `none`", start),
        }
    }

    fn result(&self, parser: &mut Parser<'_>, ok: Option<&Type>, err: Option<&Type>) -> Read<Value> {
        let start = parser.at;
        let wire =
            |ty: Option<&Type>| ty.map_or_else(|| WireType::Tuple(Vec::new()), |ty| self.wire_type(ty, 0));
        let (wire_ok, wire_err) = (wire(ok), wire(err));
        let (is_ok, payload) = match parser.word() {
            "ok" => (true, ok),
            "err" => (false, err),
            _ => return expected("`ok(...)` or `err(...)`", start),
        };
        stated(parser, &[&wire_ok, &wire_err])?;
        let inner = match payload {
            Some(ty) => self.in_parentheses(parser, ty)?,
            None => {
                // The text form writes what is not there as unit.
                if parser.eat("(") {
                    if parser.eat("(") {
                        parser.need(")")?;
                    }
                    parser.need(")")?;
                }
                Value::unit()
            }
        };
        let value = if is_ok { Ok(inner) } else { Err(inner) };
        Ok(Value::result(wire_ok, wire_err, value))
    }

    fn in_parentheses(&self, parser: &mut Parser<'_>, ty: &Type) -> Read<Value> {
        parser.need("(")?;
        let value = parser.deeper(|parser| self.value(parser, ty))?;
        parser.need(")")?;
        Ok(value)
    }

    fn tuple(&self, parser: &mut Parser<'_>, elements: &[Type]) -> Read<Value> {
        if !parser.eat("(") {
            return expected("a tuple, as in `(...)`,", parser.at);
        }
        let mut left = elements.iter();
        let items = parser.list(")", |parser| match left.next() {
            Some(ty) => self.value(parser, ty),
            None => expected(format!("the end of a tuple of {}", elements.len()), parser.at),
        })?;
        match left.next() {
            None => Ok(Value::tuple(items)),
            Some(next) => expected(
                format!("element {} of {} of the tuple, of type {next},", items.len() + 1, elements.len()),
                parser.at.saturating_sub(1),
            ),
        }
    }

    fn record(&self, parser: &mut Parser<'_>, def: &TypeDef, fields: &[Field]) -> Read<Value> {
        let start = parser.at;
        let is_named = parser.peek() != Some('{');
        if is_named && !parser.name().is_ok_and(|name| is_type(named(def), &name)) || !parser.eat("{") {
            return expected(format!("`{}`, as in `{{{}}}`,", named(def), field_list(fields)), start);
        }
        let mut values: Vec<Option<Value>> = fields.iter().map(|_| None).collect();
        parser.list("}", |parser| -> Read<()> {
            parser.space();
            let start = parser.at;
            let name = parser.name()?;
            let Some(place) = fields.iter().position(|field| is_field(&field.name, &name)) else {
                return expected(format!("a field of `{}` ({})", named(def), field_list(fields)), start);
            };
            parser.need(":")?;
            let value = self.value(parser, &fields[place].ty)?;
            match values[place].replace(value) {
                None => Ok(()),
                Some(_) => expected(format!("the field `{name}` only once, not again"), start),
            }
        })?;
        let mut read = Vec::with_capacity(fields.len());
        for (field, value) in fields.iter().zip(values) {
            match value {
                Some(value) => read.push((field_on_wire(&field.name), value)),
                None => {
                    let what = format!("the field `{}` of `{}`", field.name, named(def));
                    return expected(what, parser.at.saturating_sub(1));
                }
            }
        }
        Ok(Value::record(type_on_wire(named(def)), read))
    }

    fn variant(&self, parser: &mut Parser<'_>, def: &TypeDef, cases: &[Case]) -> Read<Value> {
        let (place, name) = case(parser, def, cases.iter().map(|case| case.name.as_str()))?;
        let payload = match cases.get(place).and_then(|case| case.ty.as_ref()) {
            Some(ty) => Vec::from([self.in_parentheses(parser, ty)?]),
            None => Vec::new(),
        };
        let tag = u32::try_from(place).unwrap_or(u32::MAX);
        Ok(Value::variant(type_on_wire(named(def)), type_on_wire(&name), tag, payload))
    }

    /// Returns the type as values carry it.
    fn wire_type(&self, ty: &Type, depth: u32) -> WireType {
        let inner = |ty: &Type| Box::new(self.wire_type(ty, depth + 1));
        let arm = |ty: Option<&Type>| ty.map_or_else(|| Box::new(WireType::Tuple(Vec::new())), &inner);
        match self.resolved(ty) {
            Type::Bool => WireType::Bool,
            Type::U8 => WireType::U8,
            Type::U16 => WireType::U16,
            Type::U32 => WireType::U32,
            Type::U64 => WireType::U64,
            Type::S8 => WireType::S8,
            Type::S16 => WireType::S16,
            Type::S32 => WireType::S32,
            Type::S64 => WireType::S64,
            Type::F32 => WireType::F32,
            Type::F64 => WireType::F64,
            Type::Char => WireType::Char,
            // A dynamic value stands for any type, and is written as upstream writes it.
            Type::String | Type::Value => WireType::String,
            // An alias may contain itself; a term so deep is refused when it is encoded.
            _ if depth > MAX_DEPTH => WireType::String,
            Type::List(elem) => WireType::List(inner(elem)),
            Type::Option(elem) => WireType::Option(inner(elem)),
            Type::Set(elem) => WireType::Set(inner(elem)),
            Type::Map(key, value) => WireType::Map(inner(key), inner(value)),
            Type::Result { ok, err } => WireType::Result(arm(ok.as_deref()), arm(err.as_deref())),
            Type::Tuple(elements) => {
                WireType::Tuple(elements.iter().map(|ty| self.wire_type(ty, depth + 1)).collect())
            }
            Type::Named(name) => match self.definition(name).map(|def| &def.kind) {
                Some(TypeDefKind::Record(_)) => WireType::Record(type_on_wire(name)),
                Some(TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) => WireType::Variant(type_on_wire(name)),
                Some(TypeDefKind::Flags(_)) => WireType::Flags,
                Some(TypeDefKind::Alias(_) | TypeDefKind::Parameter(_)) | None => WireType::String,
            },
        }
    }
}

fn any(parser: &mut Parser<'_>) -> Read<Value> {
    Ok(parser.value()?)
}

/// Reads what holds no other value; kept apart so that a level of nesting costs little stack.
fn scalar(parser: &mut Parser<'_>, ty: &Type) -> Read<Value> {
    match ty {
        Type::Bool => boolean(parser),
        Type::U8 => integer(parser, "u8", "a u8, from 0 to 255,").map(Value::U8),
        Type::U16 => integer(parser, "u16", "a u16, from 0 to 65535,").map(Value::U16),
        Type::U32 => integer(parser, "u32", "a u32, from 0 to 4294967295,").map(Value::U32),
        Type::U64 => integer(parser, "u64", "a u64, from 0 to 18446744073709551615,").map(Value::U64),
        Type::S8 => integer(parser, "s8", "an s8, from -128 to 127,").map(Value::S8),
        Type::S16 => integer(parser, "s16", "an s16, from -32768 to 32767,").map(Value::S16),
        Type::S32 => integer(parser, "s32", "an s32, from -2147483648 to 2147483647,").map(Value::S32),
        Type::S64 => integer(parser, "s64", "an s64, from -9223372036854775808 to 9223372036854775807,")
            .map(Value::S64),
        Type::F32 => float_32(parser),
        Type::F64 => float_64(parser),
        Type::Char => match parser.peek() {
            Some('\'') => Ok(parser.char_value()?),
            _ => expected("a character in quotes, as in `'a'`,", parser.at),
        },
        Type::String => text(parser).map(Value::from),
        Type::List(_)
        | Type::Set(_)
        | Type::Map(..)
        | Type::Option(_)
        | Type::Result { .. }
        | Type::Tuple(_)
        | Type::Named(_)
        | Type::Value => any(parser),
    }
}

fn boolean(parser: &mut Parser<'_>) -> Read<Value> {
    let start = parser.at;
    match parser.word() {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        _ => expected("`true` or `false`", start),
    }
}

/// Takes what a number is made of, and returns where it begins.
fn number_token<'t>(parser: &mut Parser<'t>) -> (usize, &'t str) {
    let start = parser.at;
    let mut before = ' ';
    while let Some(c) = parser.peek() {
        let is_sign = matches!(c, '-' | '+') && (matches!(before, 'e' | 'E') || parser.at == start);
        if !(c.is_ascii_alphanumeric() || c == '.' || is_sign) {
            break;
        }
        before = c;
        parser.next();
    }
    (start, parser.text.get(start..parser.at).unwrap_or_default())
}

fn integer<T: FromStr>(parser: &mut Parser<'_>, suffix: &str, what: &str) -> Read<T> {
    let (start, token) = number_token(parser);
    let digits = token.strip_suffix(suffix).unwrap_or(token);
    digits.parse().or_else(|_| expected(what, start))
}

/// Returns the number before the suffix; one too large for the type is refused rather than made infinite.
fn float<T: FromStr>(token: &str, suffix: &str, is_infinite: impl Fn(&T) -> bool) -> Option<T> {
    let digits = token.strip_suffix(suffix).filter(|digits| digits.parse::<T>().is_ok()).unwrap_or(token);
    let number = digits.parse().ok()?;
    let says_so = digits.trim_start_matches(['-', '+']).starts_with(['i', 'I']);
    (says_so || !is_infinite(&number)).then_some(number)
}

fn float_32(parser: &mut Parser<'_>) -> Read<Value> {
    if parser.rest().starts_with("f32(") {
        return Ok(parser.worded()?);
    }
    let (start, token) = number_token(parser);
    match float(token, "f32", |number: &f32| number.is_infinite()) {
        Some(number) if number.is_nan() => Ok(Value::F32(f32::from_bits(NAN_32))),
        Some(number) => Ok(Value::F32(number)),
        None => expected("an f32, as in `1.5`,", start),
    }
}

fn float_64(parser: &mut Parser<'_>) -> Read<Value> {
    if parser.rest().starts_with("f64(") {
        return Ok(parser.worded()?);
    }
    let (start, token) = number_token(parser);
    match float(token, "f64", |number: &f64| number.is_infinite()) {
        Some(number) if number.is_nan() => Ok(Value::F64(f64::from_bits(NAN_64))),
        Some(number) => Ok(Value::F64(number)),
        None => expected("an f64, as in `1.5`,", start),
    }
}

fn text(parser: &mut Parser<'_>) -> Read<String> {
    if parser.peek() == Some('"') {
        return Ok(parser.quoted()?);
    }
    match parser.word() {
        "" => expected("a text, in quotes unless it is one word,", parser.at),
        word => Ok(word.to_string()),
    }
}

/// Passes over types that the text states all the same; they must be the expected ones.
fn stated(parser: &mut Parser<'_>, wanted: &[&WireType]) -> Read<()> {
    if !parser.rest().starts_with('<') {
        return Ok(());
    }
    let start = parser.at;
    let is_same = match wanted {
        [first, second] => parser.types(Parser::two_types)? == ((*first).clone(), (*second).clone()),
        wanted => wanted.contains(&&parser.types(Parser::one_type)?),
    };
    if is_same {
        return Ok(());
    }
    let wanted: Vec<String> = wanted.iter().map(|wire| format!("{wire}")).collect();
    expected(format!("`<{}>`", wanted.join(", ")), start)
}

/// Reads the name of a case, with what the text form adds to it, and returns its place and its name.
fn case<'c>(
    parser: &mut Parser<'_>,
    def: &TypeDef,
    cases: impl Iterator<Item = &'c str> + Clone,
) -> Read<(usize, String)> {
    let start = parser.at;
    let among = |offset| {
        let names: Vec<&str> = cases.clone().collect();
        expected(format!("a case of `{}` ({})", named(def), names.join(", ")), offset)
    };
    let Ok(mut name) = parser.name() else { return among(start) };
    let mut name_at = start;
    if parser.eat("::") {
        if !is_type(named(def), &name) {
            return expected(format!("`{}`", named(def)), start);
        }
        parser.space();
        name_at = parser.at;
        let Ok(case) = parser.name() else { return among(name_at) };
        name = case;
    }
    let Some((place, known)) = cases.clone().enumerate().find(|(_, known)| is_type(known, &name)) else {
        return among(name_at);
    };
    if parser.rest().starts_with('#') {
        parser.next();
        let digits = parser.take_while(|c| c.is_ascii_digit());
        if digits.parse() != Ok(place) {
            return expected(format!("`#{place}`, the tag of `{known}`,"), name_at + name.len());
        }
    }
    Ok((place, known.to_string()))
}

fn enumeration(parser: &mut Parser<'_>, def: &TypeDef, cases: &[EnumCase]) -> Read<Value> {
    let (place, name) = case(parser, def, cases.iter().map(|case| case.name.as_str()))?;
    let tag = u32::try_from(place).unwrap_or(u32::MAX);
    let (type_name, case) = (type_on_wire(named(def)), type_on_wire(&name));
    Ok(Value::variant(type_name, case, tag, []))
}

fn flags(parser: &mut Parser<'_>, def: &TypeDef, names: &[EnumCase]) -> Read<Value> {
    let start = parser.at;
    if parser.eat("flags") {
        let mask = parser.hexadecimal()?;
        let unknown = mask.checked_shr(u32::try_from(names.len()).unwrap_or(u32::MAX)).unwrap_or(0);
        // Upstream's metadata does not tell the names.
        return if unknown == 0 || names.is_empty() {
            Ok(Value::Flags(mask))
        } else {
            expected(format!("at most {} flags of `{}`", names.len(), named(def)), start)
        };
    }
    let listed: Vec<&str> = names.iter().map(|flag| flag.name.as_str()).collect();
    if !parser.eat("{") {
        return expected(format!("flags, as in `{{{}}}` or `flags(0x0)`,", listed.join(", ")), start);
    }
    let mut mask = 0_u64;
    parser.list("}", |parser| -> Read<()> {
        parser.space();
        let start = parser.at;
        let name = parser.name()?;
        let place = names.iter().position(|flag| is_field(&flag.name, &name) || is_type(&flag.name, &name));
        let bit = place.and_then(|place| 1_u64.checked_shl(u32::try_from(place).ok()?));
        match bit {
            Some(bit) => {
                mask |= bit;
                Ok(())
            }
            None => expected(format!("a flag of `{}` ({})", named(def), listed.join(", ")), start),
        }
    })?;
    Ok(Value::Flags(mask))
}

fn field_list(fields: &[Field]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
    fields.join(", ")
}

#[cfg(test)]
mod tests;
