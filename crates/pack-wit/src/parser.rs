//! Tokens to syntax: files, packages, interfaces and worlds.

use crate::ast::{
    Body, File, Include, Interface, Name, PackageName, Part, Path, Renamed, Side, TopUse, Use, World,
    WorldItem, WorldItemKind,
};
use crate::error::{Fault, Span};
use crate::lexer::{Kind, Token};
use crate::suggest::nearest;

pub(crate) type Parsed<T> = Result<T, Box<Fault>>;

/// Words that a name may be only with a `%` before it; those of WIT.
const KEYWORDS: &[&str] = &[
    "use",
    "type",
    "func",
    "u8",
    "u16",
    "u32",
    "u64",
    "s8",
    "s16",
    "s32",
    "s64",
    "f32",
    "f64",
    "char",
    "resource",
    "own",
    "borrow",
    "record",
    "flags",
    "variant",
    "enum",
    "bool",
    "string",
    "option",
    "result",
    "future",
    "stream",
    "error-context",
    "list",
    "map",
    "as",
    "from",
    "static",
    "interface",
    "tuple",
    "world",
    "import",
    "export",
    "package",
    "constructor",
    "include",
    "with",
    "async",
];

/// Whether a name needs a `%` in text.
pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

const FILE_ITEMS: &[&str] = &["package", "interface", "world", "use"];
const INTERFACE_ITEMS: &[&str] = &["use", "type", "record", "variant", "enum", "flags", "resource"];
const WORLD_ITEMS: &[&str] =
    &["import", "export", "include", "use", "type", "record", "variant", "enum", "flags"];

/// Reads one file.
pub(crate) fn parse_file(source: usize, text: &str, tokens: Vec<Token>) -> Parsed<File> {
    let mut parser = Parser::new(source, text, tokens, Dialect::Wit);
    let mut file = File { parts: vec![Part::default()] };
    parser.file(&mut file)?;
    Ok(file)
}

/// Reads no more than the `package` line.
pub(crate) fn leading_package(text: &str, tokens: Vec<Token>) -> Option<String> {
    let mut parser = Parser::new(0, text, tokens, Dialect::Wit);
    parser.gates().ok()?;
    if !parser.eat_word("package") {
        return None;
    }
    let name = parser.package_name().ok()?;
    parser.is_sign(';').then_some(name.name)
}

pub(crate) struct Parser<'a> {
    pub(crate) source: usize,
    pub(crate) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// How deep the type in hand, or in pact the interface, is nested.
    pub(crate) depth: usize,
    pub(crate) dialect: Dialect,
    /// The definition in hand, which `self` means in pact, with its parameters.
    pub(crate) owner: Option<(Name, Vec<Name>)>,
}

/// Which language the text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// WIT and its extensions.
    Wit,
    /// Upstream's `.pact` files: no reserved words, and commas and semicolons are optional.
    Pact,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(source: usize, text: &'a str, tokens: Vec<Token>, dialect: Dialect) -> Self {
        Self { source, text, tokens, at: 0, depth: 0, dialect, owner: None }
    }
}

/// Tokens
impl Parser<'_> {
    pub(crate) fn peek(&self) -> &Token {
        // The last token is the end and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(crate) fn peek_after(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(crate) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(crate) fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(crate) fn is_sign(&self, sign: char) -> bool {
        self.peek().kind == Kind::Sign(sign)
    }

    pub(crate) fn eat(&mut self, sign: char) -> bool {
        let is_there = self.is_sign(sign);
        if is_there {
            self.at += 1;
        }
        is_there
    }

    pub(crate) fn expect(&mut self, sign: char, place: &str) -> Parsed<Span> {
        if self.is_sign(sign) {
            Ok(self.next().span)
        } else {
            Err(self.expected(&format!("`{sign}` {place}")))
        }
    }

    /// Where something that is missing would have stood: right after the token before.
    pub(crate) fn end_of_previous(&self) -> Span {
        let end = self.at.checked_sub(1).map_or(0, |before| self.tokens[before].span.end);
        Span { source: self.source, start: end, end }
    }

    fn semicolon(&mut self, place: &str) -> Parsed<()> {
        if self.eat(';') {
            return Ok(());
        }
        let found = self.found();
        Err(Fault::new(self.end_of_previous(), format!("expected `;` {place}, found {found}")))
    }

    pub(crate) fn word(&self) -> Option<&str> {
        let token = self.peek();
        (token.kind == Kind::Word).then(|| self.slice(token.span))
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let is_there = self.word() == Some(word);
        if is_there {
            self.at += 1;
        }
        is_there
    }

    fn found(&self) -> String {
        let token = self.peek();
        if token.kind == Kind::End {
            "the end of the file".to_owned()
        } else {
            format!("`{}`", self.slice(token.span))
        }
    }

    pub(crate) fn expected(&self, what: &str) -> Box<Fault> {
        let fault = Fault::new(self.peek().span, format!("expected {what}, found {}", self.found()));
        let is_string = self.peek().kind == Kind::Text && self.dialect == Dialect::Wit;
        if is_string { fault.hint("interface text has no string literals") } else { fault }
    }

    /// A fault at a word that begins no item, with the item that was perhaps meant.
    pub(crate) fn unknown_item(&self, place: &str, items: &[&str]) -> Box<Fault> {
        let fault = self.expected(place);
        let Some(word) = self.word() else {
            return if self.is_sign(';') {
                fault.hint("nothing is put after a closing brace")
            } else {
                fault
            };
        };
        match word {
            "struct" => fault.hint("a type with fields is a `record`"),
            "fn" => fault.hint("functions are written `name: func(parameter: type) -> type;`"),
            _ => match nearest(word, items.iter().copied()) {
                Some(item) => fault.hint(format!("did you mean `{item}`?")),
                None => fault,
            },
        }
    }
}

/// Names
impl Parser<'_> {
    /// A name; `what` says of what, for errors.
    pub(crate) fn name(&mut self, what: &str) -> Parsed<Name> {
        let token = self.peek().clone();
        let text = match token.kind {
            Kind::Word => self.slice(token.span),
            Kind::Escaped => self.slice(token.span).trim_start_matches('%'),
            _ => return Err(self.expected(what)),
        }
        .to_owned();
        let is_plain = token.kind == Kind::Word && self.dialect == Dialect::Wit;
        if is_plain && KEYWORDS.contains(&text.as_str()) {
            let fault = Fault::new(token.span, format!("expected {what}, found the keyword `{text}`"));
            return Err(fault.hint(format!("write `%{text}` to use the word as a name")));
        }
        if is_plain {
            check_name(&text, token.span)?;
        }
        self.at += 1;
        Ok(Name { text, span: token.span })
    }

    fn package_name(&mut self) -> Parsed<PackageName> {
        let namespace = self.name("a namespace")?;
        self.expect(':', "between namespace and package name")?;
        self.package_name_after(&namespace)
    }

    fn package_name_after(&mut self, namespace: &Name) -> Parsed<PackageName> {
        let name = self.name("a package name")?;
        let version = self.version();
        let span = Span { end: self.end_of_previous().end, ..namespace.span };
        Ok(PackageName { name: format!("{}:{}", namespace.text, name.text), version, span })
    }

    fn version(&mut self) -> Option<String> {
        let token = self.peek().clone();
        if token.kind != Kind::Version {
            return None;
        }
        self.at += 1;
        Some(self.slice(token.span).trim_start_matches('@').to_owned())
    }

    /// `name` or `ns:package/name@version`
    fn path(&mut self, what: &str) -> Parsed<Path> {
        let first = self.name(what)?;
        if !self.eat(':') {
            return Ok(Path { package: None, name: first });
        }
        let mut package = self.package_name_after(&first)?;
        self.expect('/', "between package and interface")?;
        let name = self.name(what)?;
        if let Some(version) = self.version() {
            package.version = Some(version);
        }
        Ok(Path { package: Some(package), name })
    }

    fn renamed(&mut self) -> Parsed<Renamed> {
        let original = self.name("the name of a type")?;
        let local = if self.eat_word("as") { self.name("a new name")? } else { original.clone() };
        Ok(Renamed { original, local })
    }
}

/// Whether this can be a name in interface text, be it after a `%`: what Pack allows in names.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Whether this is a name of WIT: words of lower-case or upper-case letters and digits, joined by hyphens.
pub(crate) fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        let has_lower = word.contains(|c: char| c.is_ascii_lowercase());
        let has_upper = word.contains(|c: char| c.is_ascii_uppercase());
        !(word.is_empty() || word.contains('_') || (has_lower && has_upper))
    })
}

fn check_name(text: &str, span: Span) -> Parsed<()> {
    if is_kebab(text) {
        return Ok(());
    }
    let mut kebab = String::new();
    let mut is_after_lower = false;
    for c in text.chars() {
        if c == '_' || (c.is_ascii_uppercase() && is_after_lower) {
            kebab.push('-');
        }
        if c != '_' {
            kebab.push(c.to_ascii_lowercase());
        }
        is_after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let kebab = kebab.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let fault =
        Fault::new(span, format!("`{text}` is not a name: names are lower-case words joined by hyphens"));
    Err(fault.hint(format!("write `{kebab}`")))
}

/// Items of a file
impl Parser<'_> {
    fn file(&mut self, file: &mut File) -> Parsed<()> {
        let mut is_first = true;
        while self.peek().kind != Kind::End {
            self.gates()?;
            let docs = self.peek().docs.clone();
            if self.eat_word("package") {
                self.package(file, docs, is_first)?;
            } else {
                self.package_item(&mut file.parts[0], docs)?;
            }
            is_first = false;
        }
        Ok(())
    }

    fn package(&mut self, file: &mut File, docs: String, is_first: bool) -> Parsed<()> {
        let name = self.package_name()?;
        if self.eat('{') {
            let mut part = Part { package: Some(name), docs, ..Part::default() };
            while !self.eat('}') {
                self.gates()?;
                let docs = self.peek().docs.clone();
                self.package_item(&mut part, docs)?;
            }
            file.parts.push(part);
            return Ok(());
        }
        if !is_first {
            return Err(Fault::new(name.span, "`package` stands before everything else in its file"));
        }
        self.semicolon("after the package name")?;
        file.parts[0].package = Some(name);
        file.parts[0].docs = docs;
        Ok(())
    }

    fn package_item(&mut self, part: &mut Part, docs: String) -> Parsed<()> {
        if self.eat_word("interface") {
            let name = self.name("the name of the interface")?;
            let body = self.interface_body()?;
            part.interfaces.push(Interface { name, docs, body });
        } else if self.eat_word("world") {
            part.worlds.push(self.world(docs)?);
        } else if self.eat_word("use") {
            let path = self.path("the name of an interface")?;
            let local = if self.eat_word("as") { self.name("a new name")? } else { path.name.clone() };
            self.semicolon("after `use`")?;
            part.uses.push(TopUse { path, local });
        } else {
            return Err(self.unknown_item("`interface`, `world`, `use` or `package`", FILE_ITEMS));
        }
        Ok(())
    }

    /// `@since(...)`, `@unstable(...)`, `@deprecated(...)`: accepted, because they change nothing here.
    pub(crate) fn gates(&mut self) -> Parsed<()> {
        while self.is_sign('@') {
            let sign = self.next();
            let name = self.name("`since`, `unstable` or `deprecated`")?;
            if !["since", "unstable", "deprecated"].contains(&name.text.as_str()) {
                let fault = Fault::new(name.span, format!("unknown annotation `@{}`", name.text));
                return Err(fault.hint("known are `@since`, `@unstable` and `@deprecated`"));
            }
            self.expect('(', "after the annotation")?;
            while !self.eat(')') {
                if self.peek().kind == Kind::End {
                    return Err(self.expected("`)`"));
                }
                self.at += 1;
            }
            // The doc comment stands before the annotation and is meant for the item after it.
            let after = self.at.min(self.tokens.len() - 1);
            if self.tokens[after].docs.is_empty() {
                self.tokens[after].docs = sign.docs;
            }
        }
        Ok(())
    }

    fn interface_body(&mut self) -> Parsed<Body> {
        self.expect('{', "to begin the interface")?;
        let mut body = Body::default();
        while !self.eat('}') {
            self.gates()?;
            let is_function = self.peek_after(1).kind == Kind::Sign(':') && self.word() != Some("package");
            if is_function {
                body.functions.push(self.function("an item of the interface")?);
                self.semicolon("after the function")?;
            } else if !self.body_item(&mut body)? {
                return Err(self.unknown_item("a function, a type, `use` or `}`", INTERFACE_ITEMS));
            }
        }
        Ok(body)
    }

    /// `use` or a type definition; false if it is neither.
    fn body_item(&mut self, body: &mut Body) -> Parsed<bool> {
        if self.eat_word("use") {
            body.uses.push(self.use_names()?);
        } else if let Some(definition) = self.definition()? {
            body.types.push(definition);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn use_names(&mut self) -> Parsed<Use> {
        let path = self.path("the name of an interface")?;
        self.expect('.', "and the names of types in braces")?;
        self.expect('{', "and the names of types")?;
        let mut names = Vec::new();
        while !self.eat('}') {
            names.push(self.renamed()?);
            self.comma('}')?;
        }
        self.semicolon("after `use`")?;
        Ok(Use { path, names, takes_all: false })
    }

    /// A comma between items, which may be left out before `close`, and in pact anywhere.
    pub(crate) fn comma(&mut self, close: char) -> Parsed<()> {
        if self.dialect == Dialect::Pact && close == '}' {
            while self.eat(',') || self.eat(';') {}
            return Ok(());
        }
        if self.eat(',') || self.is_sign(close) {
            Ok(())
        } else {
            Err(self.expected(&format!("`,` or `{close}`")))
        }
    }

    /// A required end of statement.
    pub(crate) fn end_of_statement(&mut self, place: &str) -> Parsed<()> {
        if self.dialect == Dialect::Pact {
            return Ok(());
        }
        self.semicolon(place)
    }

    fn world(&mut self, docs: String) -> Parsed<World> {
        let name = self.name("the name of the world")?;
        self.expect('{', "to begin the world")?;
        let mut world = World { name, docs, body: Body::default(), items: Vec::new(), includes: Vec::new() };
        while !self.eat('}') {
            self.gates()?;
            let docs = self.peek().docs.clone();
            if self.eat_word("import") {
                let kind = self.world_item(docs)?;
                world.items.push(WorldItem { side: Side::Import, kind });
            } else if self.eat_word("export") {
                let kind = self.world_item(docs)?;
                world.items.push(WorldItem { side: Side::Export, kind });
            } else if self.eat_word("include") {
                world.includes.push(self.include()?);
            } else if !self.body_item(&mut world.body)? {
                return Err(
                    self.unknown_item("`import`, `export`, `include`, `use`, a type or `}`", WORLD_ITEMS)
                );
            }
        }
        Ok(world)
    }

    fn world_item(&mut self, docs: String) -> Parsed<WorldItemKind> {
        match self.word_after_path() {
            "interface" => {
                let name = self.inline_name()?;
                self.expect(':', "after the name")?;
                self.at += 1;
                let body = self.interface_body()?;
                Ok(WorldItemKind::Interface(Interface { name, docs, body }))
            }
            "func" | "async" => {
                let mut function = self.function("the name of a function")?;
                function.docs = docs;
                self.semicolon("after the function")?;
                Ok(WorldItemKind::Function(function))
            }
            _ => {
                let path = self.path("the name of an interface or function")?;
                self.semicolon("after the interface")?;
                Ok(WorldItemKind::Path(path))
            }
        }
    }

    /// The word after the colon that ends the path in hand, such as `interface` in `a:b/c: interface`.
    fn word_after_path(&self) -> &str {
        let mut ahead = 1;
        loop {
            let is_colon = self.peek_after(ahead).kind == Kind::Sign(':');
            let word = self.slice(self.peek_after(ahead + 1).span);
            if is_colon && matches!(word, "func" | "interface" | "async") {
                return word;
            }
            if !is_colon && self.peek_after(ahead).kind != Kind::Sign('/') {
                return "";
            }
            ahead += 2;
        }
    }

    /// The name of an interface that stands in a world: one name, or a path as packages of Pack have them.
    fn inline_name(&mut self) -> Parsed<Name> {
        let mut name = self.name("the name of an interface")?;
        while !(self.is_sign(':') && self.slice(self.peek_after(1).span) == "interface") {
            let sign = if self.eat('/') { '/' } else { ':' };
            if sign == ':' {
                self.expect(':', "or `/` in the path of the interface")?;
            }
            let part = self.name("the name of an interface")?;
            name.text = format!("{}{sign}{}", name.text, part.text);
            name.span.end = part.span.end;
        }
        Ok(name)
    }

    fn include(&mut self) -> Parsed<Include> {
        let path = self.path("the name of a world")?;
        let mut renames = Vec::new();
        if self.eat_word("with") {
            self.expect('{', "to begin the new names")?;
            while !self.eat('}') {
                renames.push(self.renamed()?);
                self.comma('}')?;
            }
            // The list may stand for the end of the statement.
            self.eat(';');
        } else {
            self.semicolon("after `include`")?;
        }
        Ok(Include { path, renames })
    }
}
