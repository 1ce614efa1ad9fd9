//! The two streams: stdout for data, stderr for people.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::args::{Color, Global};
use crate::ui::error::{CliError, Shown};
use crate::ui::text::{clean, count};

/// Style of `error:`.
const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Style of `warning:` and of refused things.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Style of `hint:` and of what is in order.
const GOOD: Style = AnsiColor::Green.on_default();
/// Style of what matters less.
const FAINT: Style = Style::new().dimmed();

/// How much to say to people. What it prints on stderr is best effort: nobody may be listening.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: u8,
}

impl Printer {
    /// Sets colours for the whole program and returns the printer.
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { quiet: global.quiet, verbose: global.verbose }
    }

    /// Returns stdout, buffered; the caller must flush it.
    pub(crate) fn data(self) -> BufWriter<impl Write> {
        BufWriter::with_capacity(64 * 1024, anstream::stdout().lock())
    }

    /// Writes one JSON object to stdout.
    pub(crate) fn object(self, object: &serde_json::Value) -> Result<(), CliError> {
        let mut out = self.data();
        writeln!(out, "{object}").and_then(|()| out.flush()).shown()
    }

    /// Writes bytes to stdout as they are; for a person, so that a terminal obeys none of them.
    pub(crate) fn bytes(self, bytes: &[u8], what: &str) -> Result<(), CliError> {
        let mut out = self.data();
        match (self.is_terminal(), std::str::from_utf8(bytes)) {
            (false, _) => out.write_all(bytes).shown()?,
            (true, Ok(text)) => {
                for line in text.lines() {
                    writeln!(out, "{}", clean(line)).shown()?;
                }
            }
            (true, Err(_)) => {
                let size = count(bytes.len() as u64, "byte");
                self.note(format_args!("{what} has {size} that are no text; redirect stdout to keep them"));
            }
        }
        out.flush().shown()
    }

    /// Returns whether stdout is read by a person.
    pub(crate) fn is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Returns the columns of the terminal that stdout is, if it is one.
    pub(crate) fn width(self) -> Option<usize> {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
    }

    /// Returns whether nothing but errors is wanted.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Returns whether details are wanted.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbose > 0
    }

    /// Tells people what is going on, unless they asked for quiet.
    pub(crate) fn note(self, text: impl fmt::Display) {
        if !self.quiet {
            to_stderr(format_args!("{text}\n"));
        }
    }

    /// Tells people a detail, if they asked for details.
    pub(crate) fn detail(self, text: impl fmt::Display) {
        if self.is_verbose() {
            to_stderr(format_args!("{FAINT}{text}{FAINT:#}\n"));
        }
    }

    /// Warns people.
    pub(crate) fn warn(self, text: impl fmt::Display) {
        to_stderr(format_args!("{WARNING}warning{WARNING:#}: {text}\n"));
    }
}

/// Prints an error to stderr, its first word and its hints in colour.
pub(crate) fn print_error(error: &impl fmt::Display) {
    let text = error.to_string();
    let mut lines = String::new();
    for line in text.lines() {
        // Causes quote names from packages and runs.
        let line = clean(line);
        match line.strip_prefix("hint: ") {
            Some(hint) => lines.push_str(&format!("{GOOD}hint{GOOD:#}: {hint}\n")),
            None => lines.push_str(&format!("{line}\n")),
        }
    }
    to_stderr(format_args!("{ERROR}error{ERROR:#}: {lines}"));
}

/// Prints what an actor said, line by line, with nothing in it that a terminal would obey.
pub(crate) fn print_log(actor: &dyn fmt::Display, text: &str) {
    for line in text.split('\n') {
        to_stderr(format_args!("{FAINT}[{actor}]{FAINT:#} {}\n", clean(line)));
    }
}

/// Prints the report of an abnormal end, with nothing in it that a terminal would obey.
pub(crate) fn print_crash(crash: &impl fmt::Display) {
    print_text(&crash.to_string().lines().map(clean).collect::<Vec<_>>().join("\n"));
}

/// Prints text for people as it is.
pub(crate) fn print_text(text: &impl fmt::Display) {
    to_stderr(format_args!("{text}\n"));
}

/// Writes one piece in one go, so that lines of several threads do not mix.
fn to_stderr(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    let mut stderr = anstream::stderr().lock();
    if stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_err() {
        // Nobody reads stderr: there is nowhere left to say so.
    }
}
