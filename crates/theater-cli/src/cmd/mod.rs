//! One file per command.

use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::ui::error::CliError;
use crate::ui::printer::Printer;

mod bench;
pub(crate) mod build;
mod call;
mod checkpoint;
mod completions;
mod cosign;
mod doctor;
mod events;
mod export;
mod inspect;
mod keys;
mod logs;
mod new;
mod prove;
mod ps;
mod replay;
mod run;
mod runs;
mod send;
mod state;
mod stop;
mod verify;

/// How a command ended that had no error to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is fine: 0.
    Fine,
    /// The actor or the check failed, and it has been said why: 1.
    Failed,
    /// A person ended it with Ctrl-C: 130, as shells expect.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Interrupted => Self::from(130),
        }
    }
}

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli, printer: Printer) -> Result<Outcome, CliError> {
    match cli.command {
        Command::New(args) => new::run(&args, printer),
        Command::Build(args) => build::run(&args, printer),
        Command::Run(args) => run::run(&args, printer),
        Command::Call(args) => call::run(&args, printer),
        Command::Inspect(args) => inspect::run(&args, printer),
        Command::Runs(args) => runs::run(&args, printer),
        Command::Events(args) => events::run(&args, printer),
        Command::Logs(args) => logs::run(&args, printer),
        Command::Export(args) => export::run(&args, printer),
        Command::Verify(args) => verify::run(&args, printer),
        Command::Keys(args) => keys::run(&args, printer),
        Command::Checkpoint(args) => checkpoint::run(&args, printer),
        Command::Cosign(args) => cosign::run(&args, printer),
        Command::Prove(args) => prove::run(&args, printer),
        Command::Replay(args) => replay::run(&args, printer),
        Command::Ps(args) => ps::list(&args, printer),
        Command::Tree(args) => ps::tree(&args, printer),
        Command::Send(args) => send::send(&args, printer),
        Command::Ask(args) => send::ask(&args, printer),
        Command::Stop(args) => stop::stop(&args, printer),
        Command::Kill(args) => stop::kill(&args, printer),
        Command::State(args) => state::run(&args, printer),
        Command::Bench(args) => bench::run(&args, printer),
        Command::Doctor(args) => doctor::run(&args, printer),
        Command::Completions(args) => completions::run(&args, printer),
    }
}
