//! `theater bench`: how fast this machine records, verifies and replays.

use std::io::Write;

use theater_bench::{Effort, Figure, groups, run as measure};

use crate::args::BenchArgs;
use crate::cmd::Outcome;
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

pub(crate) fn run(args: &BenchArgs, printer: Printer) -> Result<Outcome, CliError> {
    let groups = groups(&args.groups).map_err(|error| CliError::environment(error.to_string()))?;
    let mut out = printer.data();
    let mut take = |figure: &Figure| {
        if args.json { writeln!(out, "{}", figure.to_json()) } else { writeln!(out, "{figure}") }?;
        // A figure may take seconds; whoever waits sees the ones before it.
        out.flush()
    };
    match measure(&groups, Effort::Quick, &mut take) {
        Ok(()) => Ok(Outcome::Fine),
        Err(failure) => match failure.downcast::<std::io::Error>() {
            Ok(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(*error).shown(),
            Ok(error) => Err(CliError::io("failed to measure", *error)),
            Err(failure) => Err(CliError::environment("failed to measure").because(failure)),
        },
    }
}
