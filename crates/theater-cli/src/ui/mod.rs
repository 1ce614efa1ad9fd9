//! How things are said: data on stdout, words for people on stderr.

use tracing_subscriber::EnvFilter;

use crate::args::Global;

pub(crate) mod error;
pub(crate) mod exit;
pub(crate) mod pager;
pub(crate) mod printer;
pub(crate) mod progress;
pub(crate) mod span;
pub(crate) mod text;

/// Sends the runtime's own diagnostics to stderr: those that THEATER_LOG asks for, else few, with `-v` more.
pub(crate) fn diagnostics(global: &Global) {
    let default = match global.verbose {
        0 => "warn",
        1 => "warn,theater=info,pack=info,wasm_toolchain=info",
        _ => "info,theater=debug,pack=debug,wasm_toolchain=debug",
    };
    let filter = match std::env::var("THEATER_LOG") {
        Ok(wanted) if !wanted.is_empty() => {
            EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(default))
        }
        _ => EnvFilter::new(default),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .finish();
    tracing::subscriber::set_global_default(subscriber).ok();
}
