//! Upstream's `.pact` interface files, read into the same syntax as WIT.
//!
//! A file is one interface, named in it or after the file, with its types and what it `exports`. What its `imports`
//! name is read and left alone, except for constraints of type parameters: it is a wish of an implementation and no
//! part of the interface. `use` brings in the types themselves, so they hash by their structure; upstream's host
//! hashes them by name. Transforms (`rpc(x)`) are refused.

use crate::Source;
use crate::ast::{
    Body, Definition, DefinitionKind, File, Interface, Name, PackageName, Part, Path, Renamed, Use,
};
use crate::error::{Fault, Span};
use crate::lexer::{Kind, tokenize};
use crate::parser::{Dialect, Parsed, Parser, is_identifier};

/// How deep interfaces may stand in each other.
const NESTING_MAX: usize = 16;

const ITEMS: &[&str] =
    &["interface", "use", "type", "record", "variant", "enum", "flags", "imports", "exports"];

/// Reads one file.
pub(crate) fn parse_file(index: usize, source: &Source) -> Parsed<File> {
    let tokens = tokenize(index, &source.text)?;
    let mut parser = Parser::new(index, &source.text, tokens, Dialect::Pact);
    // Nothing is in the file's own package, which would be that of the WIT files beside it.
    let mut file = File { parts: vec![Part::default()] };
    let is_named = parser.word() == Some("interface") && parser.peek_after(2).kind == Kind::Sign('{');
    if is_named {
        let docs = parser.peek().docs.clone();
        parser.next();
        parser.interface(docs, None, &mut file)?;
    } else {
        let name = Name {
            text: name_of_file(index, source)?.to_owned(),
            span: Span { end: 0, ..parser.peek().span },
        };
        parser.items(Head { name, docs: String::new(), package: None }, &mut file)?;
    }
    if parser.peek().kind == Kind::End {
        return Ok(file);
    }
    Err(parser.expected("the end of the file after the interface"))
}

/// Returns the name of an interface that has none in the text: that of its file.
fn name_of_file(index: usize, source: &Source) -> Parsed<&str> {
    let file = source.name.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".pact").unwrap_or(file);
    if is_identifier(stem) {
        return Ok(stem);
    }
    let message = format!("the interface is named after its file, but {file:?} gives no name");
    let hint =
        "call the file by letters, digits, `-` and `_`, or put `interface NAME { ... }` around its text";
    Err(Fault::new(Span { source: index, start: 0, end: 0 }, message).hint(hint))
}

/// An interface before its items are read.
struct Head {
    name: Name,
    docs: String,
    /// The package of the interface around it.
    package: Option<PackageName>,
}

/// Interfaces and what is in them
impl Parser<'_> {
    /// `name { ... }`, after the word `interface`.
    fn interface(&mut self, docs: String, package: Option<PackageName>, file: &mut File) -> Parsed<()> {
        let name = self.name("the name of the interface")?;
        if self.is_sign('=') {
            return Err(transform(name.span));
        }
        self.expect('{', "to begin the interface")?;
        if self.depth >= NESTING_MAX {
            return Err(Fault::new(name.span, format!("interfaces are nested more than {NESTING_MAX} deep")));
        }
        self.depth += 1;
        self.items(Head { name, docs, package }, file)?;
        self.depth -= 1;
        self.expect('}', "to end the interface")?;
        Ok(())
    }

    /// The items of an interface, up to its brace or the end of the file.
    fn items(&mut self, head: Head, file: &mut File) -> Parsed<()> {
        let Head { name, docs, mut package } = head;
        let mut body = Body::default();
        let mut constraints: Vec<(Name, Name)> = Vec::new();
        while !self.is_sign('}') && self.peek().kind != Kind::End {
            let docs = self.peek().docs.clone();
            if self.eat(';') {
                continue;
            } else if self.eat('@') {
                self.annotation(&mut package)?;
            } else if self.eat_word("use") {
                body.uses.push(self.use_types()?);
            } else if self.eat_word("imports") {
                self.imports(&mut constraints)?;
            } else if self.eat_word("exports") {
                self.exports(&mut body)?;
            } else if self.eat_word("interface") {
                self.interface(docs, package.clone(), file)?;
            } else if let Some(definition) = self.definition()? {
                body.types.push(definition);
            } else {
                return Err(self.unknown_item("an item of the interface", ITEMS));
            }
        }
        for (param, constraint) in constraints {
            constrain(&mut body.types, &param, constraint)?;
        }
        let interfaces = vec![Interface { name, docs, body }];
        file.parts.push(Part { package, interfaces, ..Part::default() });
        Ok(())
    }

    /// `name: type = literal`; only the package and its version mean something here.
    fn annotation(&mut self, package: &mut Option<PackageName>) -> Parsed<()> {
        let name = self.name("the name of the annotation")?;
        self.expect(':', "after the name of the annotation")?;
        self.ty()?;
        self.expect('=', "before the value of the annotation")?;
        let span = self.peek().span;
        let text = self.literal()?;
        match (name.text.as_str(), text) {
            ("package", Some(text)) => {
                if !text.split(':').all(is_identifier) {
                    return Err(
                        Fault::new(span, "this is not the name of a package").hint("write `\"ns:name\"`")
                    );
                }
                let version = package.take().and_then(|package| package.version);
                *package = Some(PackageName { name: text, version, span });
            }
            ("version", Some(version)) => {
                // Before `@package` there is no package yet that could have it, and names carry no version.
                if let Some(package) = package {
                    package.version = Some(version);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A literal, and what it says if it is a string.
    fn literal(&mut self) -> Parsed<Option<String>> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Text => {
                self.next();
                let text = self.slice(token.span);
                Ok(Some(text[1..text.len() - 1].replace("\\\"", "\"")))
            }
            Kind::Number => {
                self.next();
                if self.eat('.') {
                    self.next();
                }
                Ok(None)
            }
            Kind::Word if matches!(self.word(), Some("true" | "false")) => {
                self.next();
                Ok(None)
            }
            Kind::Sign('{') if self.depth < NESTING_MAX => {
                self.next();
                self.depth += 1;
                while !self.eat('}') {
                    self.name("the name of a field or `}`")?;
                    self.expect(':', "after the name of the field")?;
                    self.literal()?;
                    self.comma('}')?;
                }
                self.depth -= 1;
                Ok(None)
            }
            _ => Err(self.expected("a string, a number, `true`, `false` or a record")),
        }
    }

    /// `use iface` or `use iface.{a, b}`
    fn use_types(&mut self) -> Parsed<Use> {
        let name = self.name("the name of an interface")?;
        if self.is_sign('(') {
            return Err(transform(name.span));
        }
        let path = Path { package: None, name };
        if !self.eat('.') {
            return Ok(Use { path, names: Vec::new(), takes_all: true });
        }
        self.expect('{', "and the names of types")?;
        let mut names = Vec::new();
        while !self.eat('}') {
            let original = self.name("the name of a type")?;
            names.push(Renamed { local: original.clone(), original });
            self.comma('}')?;
        }
        Ok(Use { path, names, takes_all: false })
    }

    fn imports(&mut self, constraints: &mut Vec<(Name, Name)>) -> Parsed<()> {
        self.expect('{', "to begin the imports")?;
        while !self.eat('}') {
            if self.eat(';') {
                continue;
            }
            let name = self.name("an interface, a function of one, a type parameter or `}`")?;
            if self.eat(':') {
                constraints.push((name, self.name("the interface that the type must satisfy")?));
            } else if self.eat('.') {
                self.name("a function of the interface")?;
            }
        }
        Ok(())
    }

    fn exports(&mut self, body: &mut Body) -> Parsed<()> {
        self.expect('{', "to begin the exports")?;
        while !self.eat('}') {
            if self.eat(';') {
                continue;
            }
            let is_function =
                self.peek_after(2).kind == Kind::Word && self.slice(self.peek_after(2).span) == "func";
            if is_function {
                body.functions.push(self.function("the name of a function")?);
                continue;
            }
            let docs = self.peek().docs.clone();
            let name = self.name("a function, a type or `}`")?;
            self.expect(':', "after the name")?;
            let kind = DefinitionKind::Alias(self.ty()?);
            body.types.push(Definition { name, docs, params: Vec::new(), kind });
        }
        Ok(())
    }
}

fn transform(span: Span) -> Box<Fault> {
    Fault::new(span, "transforms of interfaces are not supported")
        .hint("write out the interface that the transform makes")
}

/// `imports { t: constraint }` says of a parameter what `type t: constraint` says.
fn constrain(types: &mut [Definition], param: &Name, constraint: Name) -> Parsed<()> {
    let found = types.iter_mut().find(|definition| definition.name.text == param.text);
    match found.map(|definition| &mut definition.kind) {
        Some(DefinitionKind::Parameter(known)) => {
            *known = Some(constraint.text);
            Ok(())
        }
        Some(_) | None => {
            let fault = Fault::new(param.span, format!("there is no type parameter `{}`", param.text));
            Err(fault.hint(format!("declare it with `type {}`", param.text)))
        }
    }
}
