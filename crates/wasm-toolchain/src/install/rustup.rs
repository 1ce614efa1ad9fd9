//! `rustup target add`: what most machines need, if they need anything.

use std::path::Path;
use std::time::Duration;

use crate::command::{CommandError, stream_ok};
use crate::compiler::Compiler;
use crate::machine::Machine;
use crate::progress::Progress;

/// A download that shows no sign of life for this long will not end.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Returns the name of the rustup toolchain that a compiler belongs to.
pub(crate) fn toolchain_of(compiler: &Compiler) -> Option<&str> {
    let toolchains = compiler.sysroot.parent()?.file_name()?;
    (toolchains == "toolchains").then_some(compiler.sysroot.file_name()?.to_str()?)
}

/// Asks rustup for the wasm32 target of a toolchain.
pub(crate) fn add_target(
    machine: &Machine,
    rustup: &Path,
    toolchain: &str,
    progress: &mut dyn Progress,
) -> Result<(), CommandError> {
    progress.step(&format!("running `rustup target add {}`", crate::TARGET));
    let mut command = machine.run(rustup);
    command.args(["target", "add", "--toolchain", toolchain, crate::TARGET]);
    stream_ok(&mut command, Some(SILENCE_MAX), progress)
}
