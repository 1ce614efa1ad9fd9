//! Interface text to tokens; doc comments travel with the token they stand before.

use crate::error::{Fault, Span, is_hidden};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name, not yet checked.
    Word,
    /// `%name`, the span includes the sign.
    Escaped,
    /// Digits.
    Number,
    /// `@1.2.3`, the span includes the sign.
    Version,
    /// A string in double quotes; only pact has them.
    Text,
    /// One of `{}()<>,;:=*/.@_`.
    Sign(char),
    /// `->`
    Arrow,
    /// The end of the text.
    End,
}

/// A token with the doc comment before it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) docs: String,
}

/// Cuts the text into tokens; the last one is always [`Kind::End`].
pub(crate) fn tokenize(source: usize, text: &str) -> Result<Vec<Token>, Box<Fault>> {
    let first = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    refuse_hidden(source, text, first)?;
    let mut lexer = Lexer { source, text, at: first };
    let mut tokens = Vec::new();
    loop {
        let docs = lexer.skip_blank()?;
        let start = lexer.at;
        let kind = lexer.token()?;
        tokens.push(Token { kind, span: lexer.span(start), docs });
        if kind == Kind::End {
            return Ok(tokens);
        }
    }
}

/// Refuses what a reader does not see but a parser does, or that shows text in another order than it is read.
fn refuse_hidden(source: usize, text: &str, first: usize) -> Result<(), Box<Fault>> {
    let is_bad = |c: char| is_hidden(c) && !matches!(c, '\t' | '\n' | '\r');
    let Some((at, found)) = text[first..].char_indices().find(|(_, c)| is_bad(*c)) else { return Ok(()) };
    let start = first + at;
    let span = Span { source, start, end: start + found.len_utf8() };
    let message = format!("the character U+{:04X} is not seen and not allowed", u32::from(found));
    Err(Fault::new(span, message).hint("delete it"))
}

struct Lexer<'a> {
    source: usize,
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn span(&self, start: usize) -> Span {
        Span { source: self.source, start, end: self.at }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat_while(&mut self, is_wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !is_wanted(c)).unwrap_or(rest.len());
    }

    /// Skips white space and comments; returns the doc comment among them.
    fn skip_blank(&mut self) -> Result<String, Box<Fault>> {
        let mut docs: Vec<String> = Vec::new();
        loop {
            self.eat_while(char::is_whitespace);
            let rest = self.rest();
            if let Some(comment) = rest.strip_prefix("//") {
                let line = comment.lines().next().unwrap_or("");
                if let Some(doc) = line.strip_prefix('/').filter(|doc| !doc.starts_with('/')) {
                    docs.push(doc.strip_prefix(' ').unwrap_or(doc).trim_end().to_owned());
                }
                self.eat_while(|c| c != '\n');
            } else if rest.starts_with("/*") {
                let start = self.at;
                self.at += block_comment_length(rest).ok_or_else(|| {
                    let span = Span { source: self.source, start, end: start + 2 };
                    Fault::new(span, "this comment has no end").hint("close it with `*/`")
                })?;
                let comment = &self.text[start..self.at];
                if let Some(body) = comment.strip_prefix("/**").and_then(|body| body.strip_suffix("*/")) {
                    docs.extend(block_doc_lines(body));
                }
            } else {
                return Ok(docs.join("\n"));
            }
        }
    }

    fn token(&mut self) -> Result<Kind, Box<Fault>> {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok(Kind::End);
        };
        self.at += first.len_utf8();
        match first {
            '-' if self.rest().starts_with('>') => {
                self.at += 1;
                Ok(Kind::Arrow)
            }
            '-' if self.rest().starts_with(|c: char| c.is_ascii_digit()) => {
                self.eat_while(|c| c.is_ascii_digit());
                Ok(Kind::Number)
            }
            '@' if self.rest().starts_with(|c: char| c.is_ascii_digit()) => {
                self.version();
                Ok(Kind::Version)
            }
            '%' if self.rest().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                self.identifier();
                Ok(Kind::Escaped)
            }
            '_' if !self.rest().starts_with(is_word_letter) => Ok(Kind::Sign('_')),
            '{' | '}' | '(' | ')' | '<' | '>' | ',' | ';' | ':' | '=' | '*' | '/' | '.' | '@' => {
                Ok(Kind::Sign(first))
            }
            '0'..='9' => {
                self.eat_while(|c| c.is_ascii_digit());
                Ok(Kind::Number)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                self.word();
                Ok(Kind::Word)
            }
            '"' => self.string(start),
            other => Err(unexpected(self.span(start), other)),
        }
    }

    /// The rest of a string.
    fn string(&mut self, start: usize) -> Result<Kind, Box<Fault>> {
        let mut is_escaped = false;
        for (at, c) in self.rest().char_indices() {
            if c == '"' && !is_escaped {
                self.at += at + 1;
                return Ok(Kind::Text);
            }
            if c == '\n' {
                break;
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        Err(Fault::new(self.span(start), "this string has no end")
            .hint("close it with `\"` on the same line"))
    }

    /// The rest of a word; a hyphen belongs to it only before another letter, so `a->b` has an arrow.
    fn word(&mut self) {
        loop {
            self.eat_while(is_word_letter);
            let mut rest = self.rest().chars();
            if rest.next() != Some('-') || !rest.next().is_some_and(is_word_letter) {
                return;
            }
            self.at += 1;
        }
    }

    /// The rest of an escaped name, which may also be one of Pack's; a hyphen before `>` is an arrow's.
    fn identifier(&mut self) {
        self.eat_while(|c| is_word_letter(c) || c == '-');
        if self.rest().starts_with('>') && self.text[..self.at].ends_with('-') {
            self.at -= 1;
        }
    }

    /// The rest of a semantic version; the point before `{` in `use a:b/c@1.0.0.{d}` is not part of it.
    fn version(&mut self) {
        loop {
            self.eat_while(|c| c.is_ascii_alphanumeric());
            let mut rest = self.rest().chars();
            let is_joint = matches!(rest.next(), Some('.' | '-' | '+'));
            if !is_joint || !rest.next().is_some_and(|c| c.is_ascii_alphanumeric()) {
                return;
            }
            self.at += 1;
        }
    }
}

fn is_word_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn unexpected(span: Span, found: char) -> Box<Fault> {
    let fault = Fault::new(span, format!("unexpected character {found:?}"));
    match found {
        '\'' => fault.hint("interface text has no string literals"),
        '#' => fault.hint("comments begin with `//`"),
        '&' | '[' | ']' => {
            fault.hint("interface text has no references or slices: write `string` or `list<T>`")
        }
        _ => fault,
    }
}

/// Length of the block comment that the text begins with; they nest.
fn block_comment_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

fn block_doc_lines(body: &str) -> Vec<String> {
    let mut lines: Vec<String> = body
        .lines()
        .map(|line| line.trim().trim_start_matches('*').trim().to_owned())
        .skip_while(String::is_empty)
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
