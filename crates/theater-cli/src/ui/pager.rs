//! Where long listings go: to a pager on a terminal, else to stdout as they are.

use std::io::{self, BufWriter, Write};
use std::process::{Child, Command, Stdio};

use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

/// A listing on its way out.
pub(crate) struct Listing {
    out: Option<Box<dyn Write>>,
    pager: Option<Child>,
}

/// Whether a person may be shown the listing page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// On a terminal.
    Auto,
    /// Never.
    Never,
}

impl Listing {
    /// Begins a listing. A pager that cannot be started is done without.
    pub(crate) fn begin(printer: Printer, paging: Paging) -> Self {
        let plain = || Self { out: Some(Box::new(printer.data())), pager: None };
        let Some(command) = (paging == Paging::Auto && printer.is_terminal()).then(chosen).flatten() else {
            return plain();
        };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Ends by itself if all fits on the screen, passes colours on, leaves the text on the screen.
            shell.env("LESS", "FRX");
        }
        let Ok(mut child) = shell.spawn() else { return plain() };
        let Some(stdin) = child.stdin.take() else { return plain() };
        let choice = anstream::AutoStream::choice(&io::stdout());
        let stdin: Box<dyn Write> = Box::new(stdin);
        let out = BufWriter::with_capacity(64 * 1024, anstream::AutoStream::new(stdin, choice));
        Self { out: Some(Box::new(out)), pager: Some(child) }
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), CliError> {
        match &mut self.out {
            Some(out) => writeln!(out, "{line}").shown(),
            None => Ok(()),
        }
    }

    /// Lets the reader see what was written.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        match &mut self.out {
            Some(out) => out.flush().shown(),
            None => Ok(()),
        }
    }

    /// Ends the listing, and waits for the person to be done with it.
    pub(crate) fn end(mut self) -> Result<(), CliError> {
        self.flush()
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        // The pager sees the end of its input, then has its own end.
        self.out = None;
        if let Some(mut pager) = self.pager.take() {
            pager.wait().ok();
        }
    }
}

/// The command that the person chose; none for one that passes everything through.
fn chosen() -> Option<String> {
    let set = |name| std::env::var(name).ok();
    let command = set("THEATER_PAGER").or_else(|| set("PAGER")).unwrap_or_else(|| "less".to_owned());
    let is_none = matches!(command.trim(), "" | "cat");
    (!is_none).then_some(command)
}
