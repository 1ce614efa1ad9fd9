//! One file per command.

use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::ui::error::CliError;
use crate::ui::printer::Printer;

mod completions;
mod new;

/// How a command ended that had no error to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is fine: 0.
    Fine,
    /// The actor or the check failed, and it has been said why: 1.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
        }
    }
}

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli, printer: Printer) -> Result<Outcome, CliError> {
    match cli.command {
        Command::New(args) => new::run(&args, printer),
        Command::Completions(args) => completions::run(&args, printer),
        _ => Err(CliError::environment("not here")),
    }
}
