//! What is wrong with interface text, and where.

use std::fmt;

use crate::Source;

/// A stretch of one source, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A mistake before it is given its text position.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { span, message: message.into(), hint: None })
    }

    pub(crate) fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }
}

/// Where in the text a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the source.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The line as written.
    pub text: String,
    /// How many characters are meant, at least 1.
    pub width: usize,
}

/// A mistake in interface text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// Where; absent if the mistake is in no single place, such as a missing world.
    pub place: Option<Place>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ParseError {
    pub(crate) fn unplaced(message: String) -> Self {
        Self { message, place: None, hint: None }
    }

    pub(crate) fn at(sources: &[Source], fault: Fault) -> Self {
        let Fault { span, message, hint } = fault;
        let place = sources.get(span.source).map(|source| locate(source, span));
        Self { message, place, hint }
    }
}

fn locate(source: &Source, span: Span) -> Place {
    let text = source.text.as_str();
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_text = text[line_start..].lines().next().unwrap_or("");
    let column = before[line_start..].chars().count() + 1;
    let meant = text.get(span.start..span.end).and_then(|meant| meant.lines().next()).unwrap_or("");
    Place {
        file: source.name.clone(),
        line: before.matches('\n').count() + 1,
        column,
        text: line_text.to_owned(),
        width: meant.chars().count().max(1),
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs are kept under the line, so that the caret stands where it should.
            let lead: String = place
                .text
                .chars()
                .take(place.column - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{margin}--> {}:{}:{}", place.file, place.line, place.column)?;
            write!(f, "\n{margin} |\n{number} | {}", place.text)?;
            write!(f, "\n{margin} | {lead}{}", "^".repeat(place.width))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  help: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}
