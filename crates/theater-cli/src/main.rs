//! The `theater` command line: parse, run, say what went wrong, return the exit status.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod arguments;
mod checkpoints;
mod children;
mod cmd;
mod description;
mod drive;
mod event_text;
mod filter;
mod following;
mod home;
mod inspect_run;
mod keyring;
mod launch;
mod link;
mod live;
mod names;
mod node;
mod output;
mod plain;
mod project;
mod recorded;
mod scaffold;
mod ui;

use ui::error::{CliError, Kind, Shown};

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too; they go to stdout with status 0.
        Err(usage) => {
            return end(usage.print().shown(), ExitCode::from(if usage.use_stderr() { 2 } else { 0 }));
        }
    };
    let printer = ui::printer::Printer::new(&cli.global);
    ui::diagnostics(&cli.global);
    let result = cmd::run(cli, printer);
    let code = result.as_ref().map_or(ExitCode::SUCCESS, |outcome| ExitCode::from(*outcome));
    end(result.map(|_| ()), code)
}

fn end(result: Result<(), CliError>, code: ExitCode) -> ExitCode {
    let Err(error) = result else { return code };
    if error.kind() != Kind::BrokenPipe {
        ui::printer::print_error(&error);
    }
    ExitCode::from(error.exit_code())
}
