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

/// A mistake in interface text, and those found after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// Where; absent if the mistake is in no single place, such as a missing world.
    pub place: Option<Box<Place>>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Further mistakes, in the order of the text.
    pub others: Vec<Self>,
}

/// How many mistakes are reported at once.
const MISTAKES_MAX: usize = 20;

impl ParseError {
    pub(crate) fn unplaced(message: String) -> Self {
        Self { message, place: None, hint: None, others: Vec::new() }
    }

    /// Makes one error of mistakes; the same one may have been found in several ways.
    pub(crate) fn all(sources: &[Source], mut faults: Vec<Box<Fault>>) -> Self {
        faults.sort_by_key(|fault| (fault.span.source, fault.span.start));
        faults.dedup_by(|later, earlier| later.span == earlier.span && later.message == earlier.message);
        let left_out = faults.len().saturating_sub(MISTAKES_MAX);
        faults.truncate(MISTAKES_MAX);
        let mut errors = faults.into_iter().map(|fault| Self::at(sources, *fault));
        let first = errors.next().unwrap_or_else(|| Self::unplaced("the interface text is wrong".to_owned()));
        let mut others: Vec<Self> = errors.collect();
        if left_out > 0 {
            others.push(Self::unplaced(format!("{left_out} more mistakes are not shown")));
        }
        Self { others, ..first }
    }

    pub(crate) fn at(sources: &[Source], fault: Fault) -> Self {
        let Fault { span, message, hint } = fault;
        let place = sources.get(span.source).map(|source| Box::new(locate(source, span)));
        Self { message, place, hint, others: Vec::new() }
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

/// The most characters of a line that are shown.
const SHOWN_MAX: usize = 120;
/// How many of them stand before the mistake, if the line is longer.
const SHOWN_BEFORE: usize = 50;

impl Place {
    /// The line, or the part of it around the mistake, and what stands under it.
    fn shown(&self) -> (String, String) {
        let length = self.text.chars().count();
        let start = if length <= SHOWN_MAX { 0 } else { (self.column - 1).saturating_sub(SHOWN_BEFORE) };
        let (mut line, mut under) = (String::new(), String::new());
        if start > 0 {
            line.push_str("...");
            under.push_str("   ");
        }
        let meant = self.column - 1..self.column - 1 + self.width;
        for (at, c) in self.text.chars().enumerate().skip(start).take(SHOWN_MAX) {
            // What moves the cursor would move the caret away, or hide what is written.
            let shown = if c == '\t' || !is_hidden(c) { c } else { char::REPLACEMENT_CHARACTER };
            line.push(shown);
            let mark = if meant.contains(&at) { '^' } else { ' ' };
            if c == '\t' && mark == ' ' {
                under.push('\t');
            } else {
                under.extend(std::iter::repeat_n(mark, columns(shown)));
            }
        }
        if start + SHOWN_MAX < length {
            line.push_str("...");
        }
        if !under.contains('^') {
            under.push('^');
        }
        (line, under.trim_end().to_owned())
    }
}

/// Whether a character is not seen, and perhaps changes how others are.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// How many columns a terminal gives to a character.
fn columns(c: char) -> usize {
    use unicode_width::UnicodeWidthChar as _;
    c.width().unwrap_or(1)
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let (line, under) = place.shown();
            write!(f, "\n{margin}--> {}:{}:{}", place.file, place.line, place.column)?;
            write!(f, "\n{margin} |\n{number} | {line}")?;
            write!(f, "\n{margin} | {under}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  help: {hint}")?;
        }
        self.others.iter().try_for_each(|other| write!(f, "\n\n{other}"))
    }
}

impl std::error::Error for ParseError {}
