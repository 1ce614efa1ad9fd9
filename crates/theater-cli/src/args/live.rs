//! The words of the commands that reach a live run.

use std::path::PathBuf;

use clap::Args;

/// `theater ps`, `theater tree`
#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// The live run, by its id or the beginning of it
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// One JSON object per actor
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater send`
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) message: MessageArgs,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A message, and whom it is for.
#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    /// The actor: `root`, `root/worker-1`; see `theater tree`
    pub(crate) actor: String,
    /// The message; `-` reads it from standard input
    #[arg(conflicts_with = "file", required_unless_present = "file", allow_hyphen_values = true)]
    pub(crate) text: Option<String>,
    /// Send the bytes of a file
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// The live run, by its id or the beginning of it (default: the only one)
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// `theater ask`
#[derive(Debug, Args)]
#[command(after_help = "\
The answer is written to standard output as it is.\n\
Example: theater run --keep . & theater ask root hello\n\n\
Exit status: 0 it was answered, 1 the actor failed, is not there or took too long, 2 usage or environment.")]
pub(crate) struct AskArgs {
    #[command(flatten)]
    pub(crate) message: MessageArgs,
    /// How many milliseconds to wait for the answer
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub(crate) timeout_ms: u64,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater stop`, `theater kill`
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// The actor
    #[arg(default_value = "root")]
    pub(crate) actor: String,
    /// The live run, by its id or the beginning of it (default: the only one)
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `theater state`
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// The actor
    #[arg(default_value = "root")]
    pub(crate) actor: String,
    /// The live run, by its id or the beginning of it (default: the only one)
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// How many milliseconds to wait for the end of the call that runs
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub(crate) timeout_ms: u64,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
