//! Tokens to syntax: functions, type definitions and types.

use pack_abi::types::{Case, EnumCase, Field, Function, Param, Type, TypeDef, TypeDefKind};

use crate::ast::{Definition, Key, Signature};
use crate::error::{Fault, Span};
use crate::parser::{Parsed, Parser};
use crate::suggest::nearest;

/// How deep types may be nested in each other; the codec's own limit is higher.
const TYPE_DEPTH_MAX: usize = 64;
/// Flags are one 64-bit word on the wire.
const FLAGS_MAX: usize = 64;

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

/// Functions
impl Parser<'_> {
    /// `name: func(a: t) -> t`, without the semicolon.
    pub(crate) fn function(&mut self, what: &str) -> Parsed<Signature> {
        let docs = self.peek().docs.clone();
        let name = self.name(what)?;
        self.expect(':', "after the name of the function")?;
        if self.word() == Some("async") {
            return Err(Fault::new(self.peek().span, "async functions are not supported by the Graph ABI")
                .hint("leave `async` out: every call may wait"));
        }
        if !self.eat_word("func") {
            let fault = self.expected("`func`");
            let is_near =
                self.word().is_some_and(|word| ["fn", "fun", "function", "fucn", "fnc"].contains(&word));
            return Err(if is_near { fault.hint("did you mean `func`?") } else { fault });
        }
        self.expect('(', "to begin the parameters")?;
        let mut params: Vec<Param> = Vec::new();
        while !self.eat(')') {
            let name = self.name("the name of a parameter or `)`")?;
            if params.iter().any(|param| param.name == name.text) {
                return Err(Fault::new(name.span, format!("there are two parameters `{}`", name.text)));
            }
            self.expect(':', "after the name of the parameter")?;
            params.push(Param { name: name.text, ty: self.ty()? });
            self.comma(')')?;
        }
        let result =
            if self.peek().kind == crate::lexer::Kind::Arrow { Some(self.result_type()?) } else { None };
        let function = Function { name: name.text.clone(), docs, params, result };
        Ok(Signature { name, function, references: self.take_references(), keys: self.take_keys() })
    }

    fn result_type(&mut self) -> Parsed<Type> {
        self.next();
        if self.is_sign('(') {
            return Err(Fault::new(self.peek().span, "a function has one result")
                .hint("write `tuple<A, B>` or give the results names in a `record`"));
        }
        self.ty()
    }

    fn take_references(&mut self) -> Vec<crate::ast::Name> {
        std::mem::take(&mut self.references)
    }

    fn take_keys(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.keys)
    }
}

/// Definitions
impl Parser<'_> {
    /// A type definition, if the next word begins one.
    pub(crate) fn definition(&mut self) -> Parsed<Option<Definition>> {
        let docs = self.peek().docs.clone();
        let kind = match self.word() {
            Some(kind @ ("type" | "record" | "variant" | "enum" | "flags")) => kind.to_owned(),
            _ => return Ok(None),
        };
        self.next();
        let name = self.name(&format!("the name of the {kind}"))?;
        let kind = match kind.as_str() {
            "type" => {
                self.expect('=', "after the name of the type")?;
                let target = self.ty()?;
                self.end_of_statement("after the type")?;
                TypeDefKind::Alias(target)
            }
            "record" => TypeDefKind::Record(self.fields()?),
            "variant" => TypeDefKind::Variant(self.cases(&name)?),
            "enum" => TypeDefKind::Enum(self.words("case", &name)?),
            _ => TypeDefKind::Flags(self.flags(&name)?),
        };
        let def = TypeDef { name: name.text.clone(), docs, kind };
        Ok(Some(Definition { name, def, references: self.take_references(), keys: self.take_keys() }))
    }

    fn fields(&mut self) -> Parsed<Vec<Field>> {
        self.expect('{', "to begin the fields")?;
        let mut fields: Vec<Field> = Vec::new();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name("the name of a field or `}`")?;
            if fields.iter().any(|field| field.name == name.text) {
                return Err(Fault::new(name.span, format!("there are two fields `{}`", name.text)));
            }
            self.expect(':', "after the name of the field")?;
            fields.push(Field { name: name.text, docs, ty: self.ty()? });
            self.comma('}')?;
        }
        Ok(fields)
    }

    fn cases(&mut self, variant: &crate::ast::Name) -> Parsed<Vec<Case>> {
        self.expect('{', "to begin the cases")?;
        let mut cases: Vec<Case> = Vec::new();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name("the name of a case or `}`")?;
            if cases.iter().any(|case| case.name == name.text) {
                return Err(Fault::new(name.span, format!("there are two cases `{}`", name.text)));
            }
            let ty = if self.eat('(') { Some(self.payload()?) } else { None };
            cases.push(Case { name: name.text, docs, ty });
            self.comma('}')?;
        }
        if cases.is_empty() {
            return Err(no_cases(variant));
        }
        Ok(cases)
    }

    fn payload(&mut self) -> Parsed<Type> {
        let ty = self.ty()?;
        if self.is_sign(',') {
            return Err(Fault::new(self.peek().span, "a case carries one type")
                .hint("write `case(tuple<A, B>)` to carry several"));
        }
        self.expect(')', "after the type of the case")?;
        Ok(ty)
    }

    fn words(&mut self, what: &str, owner: &crate::ast::Name) -> Parsed<Vec<EnumCase>> {
        self.expect('{', &format!("to begin the {what}s"))?;
        let mut words: Vec<EnumCase> = Vec::new();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name(&format!("the name of a {what} or `}}`"))?;
            if words.iter().any(|word| word.name == name.text) {
                return Err(Fault::new(name.span, format!("there are two {what}s `{}`", name.text)));
            }
            if self.is_sign('(') {
                let fault =
                    Fault::new(self.peek().span, format!("a {what} of `{}` carries nothing", owner.text));
                return Err(fault.hint("cases with a payload make a `variant`"));
            }
            words.push(EnumCase { name: name.text, docs });
            self.comma('}')?;
        }
        if words.is_empty() {
            return Err(no_cases(owner));
        }
        Ok(words)
    }

    fn flags(&mut self, owner: &crate::ast::Name) -> Parsed<Vec<EnumCase>> {
        let flags = self.words("flag", owner)?;
        if flags.len() > FLAGS_MAX {
            return Err(Fault::new(
                owner.span,
                format!("`{}` has {} flags, {FLAGS_MAX} fit", owner.text, flags.len()),
            ));
        }
        Ok(flags)
    }
}

fn no_cases(owner: &crate::ast::Name) -> Box<Fault> {
    Fault::new(owner.span, format!("`{}` has no case, so it could never have a value", owner.text))
}

/// Types
impl Parser<'_> {
    pub(crate) fn ty(&mut self) -> Parsed<Type> {
        if self.depth >= TYPE_DEPTH_MAX {
            return Err(Fault::new(
                self.peek().span,
                format!("types are nested more than {TYPE_DEPTH_MAX} deep"),
            )
            .hint("give the inner type a name"));
        }
        self.depth += 1;
        let ty = self.ty_inner();
        self.depth -= 1;
        ty
    }

    fn ty_inner(&mut self) -> Parsed<Type> {
        let Some(word) = self.word() else {
            return self.named();
        };
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
        Ok(simple)
    }

    fn ty_compound(&mut self) -> Parsed<Type> {
        let token = self.peek().clone();
        let word = self.slice(token.span).to_owned();
        let is_applied = self.is_applied();
        match word.as_str() {
            "list" | "option" | "tuple" => {
                self.next();
                self.angle(&word)?;
            }
            "result" => {
                self.next();
                return if self.eat('<') {
                    self.result_arms()
                } else {
                    Ok(Type::Result { ok: None, err: None })
                };
            }
            "map" | "set" if is_applied => {
                self.next();
                self.angle(&word)?;
            }
            "stream" | "future" | "own" | "borrow" | "error-context" => {
                return Err(Fault::new(token.span, format!("`{word}` is not supported by the Graph ABI"))
                    .hint("pass values, or an identifier of what stays on the other side"));
            }
            "map" => return Err(self.expected("`map<key, value>` with its types")),
            _ => return self.named(),
        }
        match word.as_str() {
            "list" => Ok(Type::List(Box::new(self.list_item()?))),
            "option" => Ok(Type::Option(Box::new(self.last_argument()?))),
            "tuple" => self.tuple_items(),
            "map" => {
                let key = self.key()?;
                self.expect(',', "between key and value")?;
                Ok(Type::Map(Box::new(key), Box::new(self.last_argument()?)))
            }
            _ => {
                let item = self.key()?;
                self.close_angle()?;
                Ok(Type::Set(Box::new(item)))
            }
        }
    }

    /// Whether the word in hand is followed by `<`.
    fn is_applied(&self) -> bool {
        let after = self.peek().span.end;
        self.text[after..].trim_start().starts_with('<')
    }

    fn angle(&mut self, word: &str) -> Parsed<Span> {
        self.expect('<', &format!("after `{word}`"))
    }

    fn close_angle(&mut self) -> Parsed<Span> {
        self.expect('>', "to close the type")
    }

    fn last_argument(&mut self) -> Parsed<Type> {
        let ty = self.ty()?;
        self.close_angle()?;
        Ok(ty)
    }

    fn list_item(&mut self) -> Parsed<Type> {
        let ty = self.ty()?;
        if self.is_sign(',') {
            return Err(Fault::new(
                self.peek().span,
                "lists of fixed length are not supported by the Graph ABI",
            )
            .hint("write `list<T>` or `tuple<T, T>`"));
        }
        self.close_angle()?;
        Ok(ty)
    }

    fn key(&mut self) -> Parsed<Type> {
        let start = self.peek().span;
        let ty = self.ty()?;
        let end = self.peek().span.start;
        self.keys.push(Key { ty: ty.clone(), span: Span { end: end.max(start.end), ..start } });
        Ok(ty)
    }

    fn tuple_items(&mut self) -> Parsed<Type> {
        let mut items = Vec::new();
        while !self.eat('>') {
            items.push(self.ty()?);
            self.comma('>')?;
        }
        Ok(Type::Tuple(items))
    }

    fn result_arms(&mut self) -> Parsed<Type> {
        let ok = if self.eat('_') { None } else { Some(Box::new(self.ty()?)) };
        let err = if self.eat(',') { Some(Box::new(self.ty()?)) } else { None };
        if ok.is_none() && err.is_none() {
            return Err(self
                .expected("`,` and the type of the error")
                .hint("`result` alone has neither payload"));
        }
        self.close_angle()?;
        Ok(Type::Result { ok, err })
    }

    /// A type that is defined elsewhere; whether it is, is found out later.
    fn named(&mut self) -> Parsed<Type> {
        let token = self.peek().clone();
        let fault = self.expected("a type");
        if let Some(word) = self.word() {
            if self.is_applied() {
                let fault = Fault::new(token.span, format!("`{word}` takes no types in angle brackets"));
                return Err(match nearest(word, ["list", "option", "result", "tuple", "map", "set"]) {
                    Some(near) => fault.hint(format!("did you mean `{near}<...>`?")),
                    None => fault.hint("types of your own cannot be generic"),
                });
            }
        } else if token.kind != crate::lexer::Kind::Escaped {
            return Err(fault);
        }
        let name = self.name("a type")?;
        self.references.push(name.clone());
        Ok(Type::Named(name.text))
    }
}

/// Returns the type that `word` was perhaps meant to be: one of `local` or a built-in one.
pub(crate) fn near_type<'a>(word: &str, local: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let foreign = FOREIGN_TYPES.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    foreign.or_else(|| nearest(word, local.chain(TYPE_WORDS.iter().copied())))
}
