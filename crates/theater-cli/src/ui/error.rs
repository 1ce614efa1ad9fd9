//! The one error of the command line: what went wrong, why, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;

type Source = Box<dyn Error + Send + Sync>;

/// What helps when the disk is full.
pub(crate) const FULL: &str = "the disk is full: free some space; `theater runs` lists what old runs take";

/// Says whether nothing more can be written.
pub(crate) fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Who has to act, and with that the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The actor or the check failed: 1.
    Failed,
    /// Usage or environment: 2.
    Environment,
    /// A person wanted it to end: 130.
    Interrupted,
    /// The reader of stdout went away, which is its right: 0.
    BrokenPipe,
}

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    what: String,
    source: Option<Source>,
    hints: Vec<String>,
}

impl CliError {
    /// Returns an error of usage or environment.
    pub(crate) fn environment(what: impl Into<String>) -> Self {
        Self { kind: Kind::Environment, what: what.into(), source: None, hints: Vec::new() }
    }

    /// Returns an error that says that the actor or the check failed.
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, ..Self::environment(what) }
    }

    /// Returns an error that says that a person ended it.
    pub(crate) fn interrupted(what: impl Into<String>) -> Self {
        Self { kind: Kind::Interrupted, ..Self::environment(what) }
    }

    /// Returns the error for a file that could not be used.
    pub(crate) fn io(what: impl Into<String>, error: io::Error) -> Self {
        let hint = match error.kind() {
            kind if is_full(kind) => Some(FULL),
            io::ErrorKind::ReadOnlyFilesystem => Some("set THEATER_HOME to a folder that can be written"),
            _ => None,
        };
        let error = Self::environment(what).because(error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Adds the cause.
    pub(crate) fn because(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns who has to act.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the exit status.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Environment => 2,
            Kind::Interrupted => 130,
            Kind::BrokenPipe => 0,
        }
    }
}

/// Shows the whole error: what, the causes, a blank line, the hints.
impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        let mut shown = self.what.clone();
        let mut next = self.source.as_ref().map(|source| source.as_ref() as &dyn Error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Many errors print their cause themselves; saying it twice helps nobody.
            if !shown.contains(&text) {
                write!(f, "\n  {}", text.trim_end().replace('\n', "\n  "))?;
                shown = text;
            }
            next = cause.source();
        }
        if !self.hints.is_empty() {
            writeln!(f)?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// Marks results of writing to stdout.
pub(crate) trait Shown<T> {
    /// Turns a failed write to stdout into the error that ends the program.
    ///
    /// # Errors
    ///
    /// Returns what the write returned; a reader that went away is no failure for the exit status.
    fn shown(self) -> Result<T, CliError>;
}

impl<T> Shown<T> for io::Result<T> {
    fn shown(self) -> Result<T, CliError> {
        self.map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::BrokenPipe => Kind::BrokenPipe,
                _ => Kind::Environment,
            };
            CliError { kind, ..CliError::io("failed to write to standard output", error) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_causes_then_hints() {
        let error = CliError::environment("failed to read `x`")
            .because(io::Error::other("no such thing"))
            .hint("make it");
        assert_eq!(error.to_string(), "failed to read `x`\n  no such thing\n\nhint: make it");
    }

    #[test]
    fn a_cause_that_was_printed_already_is_left_out() {
        let error = CliError::environment("failed: disk on fire").because(io::Error::other("disk on fire"));
        assert_eq!(error.to_string(), "failed: disk on fire");
    }

    #[test]
    fn a_reader_that_goes_away_is_no_failure() {
        let result: Result<(), CliError> = Err(io::Error::from(io::ErrorKind::BrokenPipe)).shown();
        assert_eq!(result.map_err(|error| error.exit_code()), Err(0));
    }
}
