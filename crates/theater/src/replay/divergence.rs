//! The first difference between a recording and its replay, told to a person.

use std::fmt;

use pack_abi::Value;
use theater_chain::{Event, FunctionEntry};

use crate::render::{self, Shown};

/// Characters of a value that a report shows.
const VALUE_CHARS: usize = 2000;
/// Characters of a preceding event that a report shows.
const EVENT_CHARS: usize = 160;

/// The first difference between a recording and its replay.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// Path and incarnation of the actor.
    pub who: String,
    /// Sequence number of the event that was not reproduced.
    pub seq: u64,
    /// What differs.
    pub what: String,
    /// What the recording has.
    pub expected: String,
    /// What the replay did.
    pub actual: String,
    /// The differences inside the two values, if both could be decoded.
    pub differences: Vec<String>,
    /// The events before, as text, oldest first.
    pub before: Vec<String>,
    /// Guest frames at the difference, innermost first.
    pub backtrace: Vec<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} diverged at event {}: {}", self.who, self.seq, self.what)?;
        writeln!(f, "  expected  {}", self.expected)?;
        write!(f, "  actual    {}", self.actual)?;
        for (number, difference) in self.differences.iter().enumerate() {
            let label = if number == 0 { "differs" } else { "" };
            write!(f, "\n  {label:<9} {}", difference.replace('\n', "\n            "))?;
        }
        for (number, event) in self.before.iter().enumerate() {
            let label = if number == 0 { "before" } else { "" };
            write!(f, "\n  {label:<9} {event}")?;
        }
        for (number, frame) in self.backtrace.iter().enumerate() {
            let label = if number == 0 { "backtrace" } else { "" };
            write!(f, "\n  {label:<9} {frame}")?;
        }
        Ok(())
    }
}

/// Two halves that differ, as text and as a structural difference.
pub(crate) struct Pair {
    pub(crate) expected: String,
    pub(crate) actual: String,
    pub(crate) differences: Vec<String>,
}

impl Pair {
    /// Compares two decoded payloads; `context` stands before both, e.g. the function's name.
    pub(crate) fn of(context: &str, expected: &Shown, actual: &Shown) -> Self {
        let text = |shown: &Shown| render::shorten(&format_args!("{context} {shown}"), VALUE_CHARS);
        let differences = match (expected, actual) {
            (Shown::Value(left), Shown::Value(right)) => value_differences(left, right),
            _ => Vec::new(),
        };
        Self { expected: text(expected), actual: text(actual), differences }
    }

    /// Two things that are only named.
    pub(crate) fn named(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into(), differences: Vec::new() }
    }
}

/// Differences that a report lists.
const DIFFERENCES_SHOWN: usize = 10;

fn value_differences(left: &Value, right: &Value) -> Vec<String> {
    let differences = pack_abi::diff(left, right);
    let more = differences.len().saturating_sub(DIFFERENCES_SHOWN);
    let mut shown: Vec<_> = differences
        .iter()
        .take(DIFFERENCES_SHOWN)
        .map(|difference| render::shorten(difference, VALUE_CHARS))
        .collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
}

/// Returns one line about an event.
pub(crate) fn event_line(event: &Event, functions: &[FunctionEntry]) -> String {
    let header = &event.header;
    let function = render::function_name(functions, header.function);
    let body = match render::summary(event) {
        Some(summary) => summary,
        None => format!("{} -> {}", render::input(event), render::output(event)),
    };
    render::shorten(&format_args!("{:>5} {} {function} {body}", header.seq, header.kind), EVENT_CHARS)
}
