//! Tokens to syntax: types.

use pack_abi::types::Type;

use crate::ast::{Name, TypeExpr, TypeKind};
use crate::error::{Fault, Span};
use crate::lexer::Kind;
use crate::parser::{Dialect, Parsed, Parser};
use crate::suggest::nearest;

/// How deep types may be nested in each other; the codec's own limit is higher.
pub(crate) const TYPE_DEPTH_MAX: usize = 64;

/// The built-in types that take others.
const APPLIED: &[&str] = &["list", "option", "result", "tuple", "map", "set"];

const TYPE_WORDS: &[&str] = &[
    "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string", "list",
    "option", "result", "tuple", "map", "set", "value",
];

/// Words of other languages, and what they are called here.
const FOREIGN_TYPES: &[(&str, &str)] = &[
    ("i8", "s8"),
    ("i16", "s16"),
    ("i32", "s32"),
    ("i64", "s64"),
    ("int", "s32"),
    ("uint", "u32"),
    ("float", "f64"),
    ("float32", "f32"),
    ("float64", "f64"),
    ("double", "f64"),
    ("str", "string"),
    ("boolean", "bool"),
    ("bytes", "list<u8>"),
    ("vec", "list"),
    ("array", "list"),
    ("unit", "tuple<>"),
    ("void", "tuple<>"),
    ("usize", "u64"),
];

/// Types
impl Parser<'_> {
    pub(crate) fn ty(&mut self) -> Parsed<TypeExpr> {
        if self.depth >= TYPE_DEPTH_MAX {
            return Err(Fault::new(
                self.peek().span,
                format!("types are nested more than {TYPE_DEPTH_MAX} deep"),
            )
            .hint("give the inner type a name"));
        }
        self.depth += 1;
        let start = self.peek().span;
        let kind = self.ty_kind();
        self.depth -= 1;
        Ok(TypeExpr { kind: kind?, span: Span { end: self.end_of_previous().end, ..start } })
    }

    fn ty_kind(&mut self) -> Parsed<TypeKind> {
        let is_pact = self.dialect == Dialect::Pact;
        if is_pact && self.eat('_') {
            return Ok(TypeKind::Tuple(Vec::new()));
        }
        let Some(word) = self.word() else {
            return self.named();
        };
        if is_pact && word == "self" {
            return Ok(self.itself());
        }
        let simple = match word {
            "bool" => Type::Bool,
            "u8" => Type::U8,
            "u16" => Type::U16,
            "u32" => Type::U32,
            "u64" => Type::U64,
            "s8" => Type::S8,
            "s16" => Type::S16,
            "s32" => Type::S32,
            "s64" => Type::S64,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "char" => Type::Char,
            "string" => Type::String,
            _ => return self.ty_compound(),
        };
        self.next();
        Ok(TypeKind::Simple(simple))
    }

    /// What `self` means in pact: the type that is being defined, or in a function any value.
    fn itself(&mut self) -> TypeKind {
        let span = self.next().span;
        let (name, params) =
            self.owner.clone().unwrap_or((Name { text: "value".to_owned(), span }, Vec::new()));
        let argument =
            |param: Name| TypeExpr { kind: TypeKind::Named(Name { span, ..param }, Vec::new()), span };
        TypeKind::Named(Name { span, ..name }, params.into_iter().map(argument).collect())
    }

    fn ty_compound(&mut self) -> Parsed<TypeKind> {
        let word = self.slice(self.peek().span).to_owned();
        let is_applied = self.is_applied();
        let is_pact = self.dialect == Dialect::Pact;
        match word.as_str() {
            "list" | "option" | "tuple" | "map" => {}
            "set" if is_applied => {}
            "own" | "borrow" | "stream" | "future" | "error-context" if is_pact => return self.named(),
            "own" | "borrow" if is_applied => return self.handle(),
            "stream" | "future" => return self.channel(is_applied),
            "error-context" => {
                self.next();
                return Ok(TypeKind::ErrorContext);
            }
            "result" => {
                self.next();
                return if self.eat('<') { self.result_arms() } else { Ok(TypeKind::Result(None, None)) };
            }
            _ => return self.named(),
        }
        self.next();
        self.expect('<', &format!("after `{word}`"))?;
        match word.as_str() {
            "list" => self.list_item(),
            "option" => Ok(TypeKind::Option(Box::new(self.last_argument()?))),
            "tuple" => Ok(TypeKind::Tuple(self.arguments()?)),
            "map" => {
                let key = self.ty()?;
                self.expect(',', "between key and value")?;
                Ok(TypeKind::Map(Box::new(key), Box::new(self.last_argument()?)))
            }
            _ => Ok(TypeKind::Set(Box::new(self.last_argument()?))),
        }
    }

    /// Whether the word in hand is followed by `<`.
    fn is_applied(&self) -> bool {
        self.peek_after(1).kind == Kind::Sign('<')
    }

    fn last_argument(&mut self) -> Parsed<TypeExpr> {
        let ty = self.ty()?;
        self.close_angle()?;
        Ok(ty)
    }

    fn close_angle(&mut self) -> Parsed<Span> {
        self.expect('>', "to close the type")
    }

    fn list_item(&mut self) -> Parsed<TypeKind> {
        let item = Box::new(self.ty()?);
        if !self.eat(',') {
            self.close_angle()?;
            return Ok(TypeKind::List(item));
        }
        let length = self.peek().clone();
        if length.kind != Kind::Number {
            return Err(self.expected("the length of the list, or nothing after its type"));
        }
        self.next();
        self.close_angle()?;
        Ok(TypeKind::Array(item, self.slice(length.span).to_owned()))
    }

    /// Types up to the `>`, which is passed.
    fn arguments(&mut self) -> Parsed<Vec<TypeExpr>> {
        let mut items = Vec::new();
        while !self.eat('>') {
            items.push(self.ty()?);
            self.comma('>')?;
        }
        Ok(items)
    }

    fn result_arms(&mut self) -> Parsed<TypeKind> {
        let ok = if self.eat('_') { None } else { Some(Box::new(self.ty()?)) };
        let has_err = self.eat(',') && !self.eat('_');
        let err = if has_err { Some(Box::new(self.ty()?)) } else { None };
        if ok.is_none() && err.is_none() {
            return Err(self
                .expected("`,` and the type of the error")
                .hint("`result` alone has neither payload"));
        }
        self.close_angle()?;
        Ok(TypeKind::Result(ok, err))
    }

    fn handle(&mut self) -> Parsed<TypeKind> {
        let word = if self.word() == Some("own") { "own" } else { "borrow" };
        self.next();
        self.expect('<', &format!("after `{word}`"))?;
        let name = self.name("the name of a resource")?;
        self.close_angle()?;
        Ok(TypeKind::Handle(word, name))
    }

    fn channel(&mut self, is_applied: bool) -> Parsed<TypeKind> {
        let word = if self.word() == Some("stream") { "stream" } else { "future" };
        self.next();
        if !is_applied {
            return Ok(TypeKind::Channel(word, None));
        }
        self.expect('<', &format!("after `{word}`"))?;
        Ok(TypeKind::Channel(word, Some(Box::new(self.last_argument()?))))
    }

    /// A type that is defined elsewhere; whether it is, is found out later.
    fn named(&mut self) -> Parsed<TypeKind> {
        if !matches!(self.peek().kind, Kind::Word | Kind::Escaped) {
            return Err(self.expected("a type"));
        }
        let name = self.name("a type")?;
        let arguments = if self.eat('<') { self.arguments()? } else { Vec::new() };
        Ok(TypeKind::Named(name, arguments))
    }
}

/// Returns the type that `name` was perhaps meant to be: one of `local` or a built-in one.
pub(crate) fn near_type<'a>(
    name: &Name,
    is_applied: bool,
    local: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = name.text.as_str();
    let foreign = FOREIGN_TYPES.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    let built_in = if is_applied { APPLIED } else { TYPE_WORDS };
    foreign.or_else(|| nearest(word, local.chain(built_in.iter().copied())))
}
