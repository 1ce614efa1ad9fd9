//! `theater completions`: what a shell needs to complete our commands.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::cmd::Outcome;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

pub(crate) fn run(args: &CompletionsArgs, printer: Printer) -> Result<Outcome, CliError> {
    // Generated into memory first: the generator panics when its output goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "theater", &mut script);
    let mut out = printer.data();
    out.write_all(&script).and_then(|()| out.flush()).shown()?;
    Ok(Outcome::Fine)
}
