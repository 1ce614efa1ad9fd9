//! `theater new`: a project that travels.

use std::io::Write;

use crate::args::NewArgs;
use crate::cmd::Outcome;
use crate::scaffold;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

pub(crate) fn run(args: &NewArgs, printer: Printer) -> Result<Outcome, CliError> {
    let path = scaffold::create(&args.name, &args.template)?;
    let path = path.display();
    let mut out = printer.data();
    writeln!(out, "{path}").and_then(|()| out.flush()).shown()?;
    printer.note(format_args!(
        "created an actor; `cargo test` works in it, and\n\n  cd {path}\n  theater build\n  theater run"
    ));
    Ok(Outcome::Fine)
}
