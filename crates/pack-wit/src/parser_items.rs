//! Tokens to syntax: functions, type definitions and resources.

use pack_abi::types::EnumCase;

use crate::ast::{CaseExpr, Definition, DefinitionKind, FieldExpr, Method, Name, Signature, TypeExpr};
use crate::error::Fault;
use crate::lexer::Kind;
use crate::parser::{Dialect, Parsed, Parser};

/// Flags are one 64-bit word on the wire.
pub(crate) const FLAGS_MAX: usize = 64;

/// Functions
impl Parser<'_> {
    /// `name: func(a: t) -> t`, without the semicolon.
    pub(crate) fn function(&mut self, what: &str) -> Parsed<Signature> {
        let docs = self.peek().docs.clone();
        let name = self.name(what)?;
        self.expect(':', "after the name of the function")?;
        self.signature(name, docs)
    }

    /// `func(a: t) -> t`, perhaps with `async` before it.
    fn signature(&mut self, name: Name, docs: String) -> Parsed<Signature> {
        let before = self.peek().span;
        let asynchronous = self.eat_word("async").then_some(before);
        if !self.eat_word("func") {
            let fault = self.expected("`func`");
            let is_near =
                self.word().is_some_and(|word| ["fn", "fun", "function", "fucn", "fnc"].contains(&word));
            return Err(if is_near { fault.hint("did you mean `func`?") } else { fault });
        }
        let params = self.params()?;
        let result = if self.peek().kind == Kind::Arrow { Some(self.result_type()?) } else { None };
        Ok(Signature { name, docs, params, result, asynchronous })
    }

    fn params(&mut self) -> Parsed<Vec<(Name, TypeExpr)>> {
        self.expect('(', "to begin the parameters")?;
        let mut params: Vec<(Name, TypeExpr)> = Vec::new();
        let mut seen = Seen::default();
        while !self.eat(')') {
            let name = self.name("the name of a parameter or `)`")?;
            seen.add(&name, "parameters")?;
            self.expect(':', "after the name of the parameter")?;
            params.push((name, self.ty()?));
            self.comma(')')?;
        }
        Ok(params)
    }

    fn result_type(&mut self) -> Parsed<TypeExpr> {
        self.next();
        if self.is_sign('(') {
            return Err(Fault::new(self.peek().span, "a function has one result")
                .hint("write `tuple<A, B>` or give the results names in a `record`"));
        }
        self.ty()
    }
}

/// Names of which each may come once.
#[derive(Default)]
struct Seen(std::collections::BTreeSet<String>);

impl Seen {
    fn add(&mut self, name: &Name, what: &str) -> Parsed<()> {
        if self.0.insert(name.text.to_ascii_lowercase()) {
            return Ok(());
        }
        Err(Fault::new(name.span, format!("there are two {what} `{}`", name.text)))
    }
}

/// Definitions
impl Parser<'_> {
    /// A type definition, if the next word begins one.
    pub(crate) fn definition(&mut self) -> Parsed<Option<Definition>> {
        let docs = self.peek().docs.clone();
        let word = match self.word() {
            Some(word @ ("type" | "record" | "variant" | "enum" | "flags" | "resource")) => word.to_owned(),
            _ => return Ok(None),
        };
        self.next();
        let name = self.name(&format!("the name of the {word}"))?;
        let params = if self.is_sign('<') { self.type_params(&word, &name)? } else { Vec::new() };
        self.owner = Some((name.clone(), params.clone()));
        let kind = match word.as_str() {
            "type" => self.alias_or_parameter(!params.is_empty())?,
            "record" => DefinitionKind::Record(self.fields()?),
            "variant" => DefinitionKind::Variant(self.cases(&name)?),
            "enum" => DefinitionKind::Enum(self.words("case", &name)?),
            "flags" => DefinitionKind::Flags(self.flags(&name)?),
            _ => DefinitionKind::Resource(self.methods()?),
        };
        self.owner = None;
        Ok(Some(Definition { name, docs, params, kind }))
    }

    fn type_params(&mut self, word: &str, owner: &Name) -> Parsed<Vec<Name>> {
        let open = self.expect('<', "to begin the parameters")?;
        if !["type", "record", "variant"].contains(&word) {
            return Err(Fault::new(open, format!("a type of kind `{word}` has no parameters")));
        }
        if owner.text == "set" {
            return Err(Fault::new(owner.span, "`set<T>` is built in").hint("give the type another name"));
        }
        let mut params = Vec::new();
        let mut seen = Seen::default();
        while !self.eat('>') {
            let name = self.name("the name of a parameter")?;
            seen.add(&name, "parameters")?;
            params.push(name);
            self.comma('>')?;
        }
        if params.is_empty() {
            return Err(Fault::new(open, "there is no parameter in the angle brackets"));
        }
        Ok(params)
    }

    fn alias_or_parameter(&mut self, is_generic: bool) -> Parsed<DefinitionKind> {
        let ends =
            self.is_sign(';') || (self.dialect == Dialect::Pact && !self.is_sign('=') && !self.is_sign(':'));
        if !is_generic && ends {
            self.eat(';');
            return Ok(DefinitionKind::Parameter(None));
        }
        if !is_generic && self.eat(':') {
            let constraint = self.name("the interface that the type must satisfy")?;
            self.end_of_statement("after the parameter")?;
            return Ok(DefinitionKind::Parameter(Some(constraint.text)));
        }
        self.expect('=', "after the name of the type")?;
        let target = self.ty()?;
        self.end_of_statement("after the type")?;
        Ok(DefinitionKind::Alias(target))
    }

    fn fields(&mut self) -> Parsed<Vec<FieldExpr>> {
        self.expect('{', "to begin the fields")?;
        let mut fields = Vec::new();
        let mut seen = Seen::default();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name("the name of a field or `}`")?;
            seen.add(&name, "fields")?;
            self.expect(':', "after the name of the field")?;
            fields.push(FieldExpr { name: name.text, docs, ty: self.ty()? });
            self.comma('}')?;
        }
        Ok(fields)
    }

    fn cases(&mut self, variant: &Name) -> Parsed<Vec<CaseExpr>> {
        self.expect('{', "to begin the cases")?;
        let mut cases = Vec::new();
        let mut seen = Seen::default();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name("the name of a case or `}`")?;
            seen.add(&name, "cases")?;
            let ty = if self.eat('(') { Some(self.payload()?) } else { None };
            cases.push(CaseExpr { name: name.text, docs, ty });
            self.comma('}')?;
        }
        if cases.is_empty() {
            return Err(no_cases(variant));
        }
        Ok(cases)
    }

    fn payload(&mut self) -> Parsed<TypeExpr> {
        let ty = self.ty()?;
        if self.is_sign(',') {
            return Err(Fault::new(self.peek().span, "a case carries one type")
                .hint("write `case(tuple<A, B>)` to carry several"));
        }
        self.expect(')', "after the type of the case")?;
        Ok(ty)
    }

    /// The cases of an enum, or flags.
    fn words(&mut self, what: &str, owner: &Name) -> Parsed<Vec<EnumCase>> {
        self.expect('{', &format!("to begin the {what}s"))?;
        let mut words = Vec::new();
        let mut seen = Seen::default();
        while !self.eat('}') {
            let docs = self.peek().docs.clone();
            let name = self.name(&format!("the name of a {what} or `}}`"))?;
            seen.add(&name, &format!("{what}s"))?;
            if self.is_sign('(') {
                let fault =
                    Fault::new(self.peek().span, format!("a {what} of `{}` carries nothing", owner.text));
                return Err(fault.hint("cases with a payload make a `variant`"));
            }
            words.push(EnumCase { name: name.text, docs });
            self.comma('}')?;
        }
        if words.is_empty() && what == "case" {
            return Err(no_cases(owner));
        }
        Ok(words)
    }

    fn flags(&mut self, owner: &Name) -> Parsed<Vec<EnumCase>> {
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

fn no_cases(owner: &Name) -> Box<Fault> {
    Fault::new(owner.span, format!("`{}` has no case, so it could never have a value", owner.text))
}

/// Resources: read in full, so that they can be refused where they stand and not by chance before.
impl Parser<'_> {
    fn methods(&mut self) -> Parsed<Vec<Method>> {
        if self.eat(';') {
            return Ok(Vec::new());
        }
        self.expect('{', "to begin the functions of the resource")?;
        let mut methods = Vec::new();
        while !self.eat('}') {
            self.gates()?;
            let docs = self.peek().docs.clone();
            methods.push(self.method(docs)?);
            self.end_of_statement("after the function")?;
        }
        Ok(methods)
    }

    fn method(&mut self, docs: String) -> Parsed<Method> {
        if self.word() == Some("constructor") {
            let span = self.next().span;
            let name = Name { text: "constructor".to_owned(), span };
            let params = self.params()?;
            let result = if self.peek().kind == Kind::Arrow { Some(self.result_type()?) } else { None };
            let signature = Signature { name, docs, params, result, asynchronous: None };
            return Ok(Method { is_static: false, is_constructor: true, signature });
        }
        let name = self.name("a function of the resource")?;
        self.expect(':', "after the name of the function")?;
        let is_static = self.eat_word("static");
        let signature = self.signature(name, docs)?;
        Ok(Method { is_static, is_constructor: false, signature })
    }
}
