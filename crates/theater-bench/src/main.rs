//! `theater-bench [GROUP...] [--json]`: all groups, all baselines, a few minutes.

use std::io::{self, Write};
use std::process::ExitCode;

use theater_bench::{Effort, Failure, Figure, groups, run};

const USAGE: &str = "usage: theater-bench [GROUP...] [--quick] [--json]";

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may read stderr; there is nowhere else to say so.
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn measure() -> Result<(), Failure> {
    let (mut names, mut is_json, mut effort) = (Vec::new(), false, Effort::Full);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => is_json = true,
            "--quick" => effort = Effort::Quick,
            option if option.starts_with('-') => return Err(USAGE.into()),
            _ => names.push(argument),
        }
    }
    let mut out = std::io::stdout().lock();
    let measured = run(&groups(&names)?, effort, &mut |figure: &Figure| {
        if is_json { writeln!(out, "{}", figure.to_json()) } else { writeln!(out, "{figure}") }
    });
    match measured {
        // A reader that goes away is its right.
        Err(failure) if failure.downcast_ref::<io::Error>().is_some_and(is_broken_pipe) => Ok(()),
        measured => measured,
    }
}

fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
