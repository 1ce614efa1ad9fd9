//! The interop matrix: packages of two SDKs, built from source, in two hosts.

use std::process::Command;

use crate::guests;
use crate::shell::{Outcome, Shell};

/// The packages: a workspace of their own, because they are built for wasm32.
const GUESTS: &str = "interop/guests/Cargo.toml";
/// Pack's own host: a workspace of its own, because it links another engine.
const PACK_HOST: &str = "interop/host/Cargo.toml";

/// `cargo xtask interop`
pub(crate) fn run(shell: &Shell) -> Outcome {
    let toolchain = guests::toolchain()?;
    let (wasm_dir, host_dir) = (shell.target().join("interop/guests"), shell.target().join("interop/host"));
    let mut command = toolchain.cargo_command();
    command.current_dir(shell.root());
    command.args(["build", "--locked", "--release", "--examples", "--target", wasm_toolchain::TARGET]);
    shell.run(command.args(["--manifest-path", GUESTS, "--target-dir"]).arg(&wasm_dir))?;
    let mut command = shell.cargo(["build", "--locked", "--manifest-path", PACK_HOST, "--target-dir"]);
    shell.run(command.arg(&host_dir))?;
    // With the command line beside it: alone it has other features in its tree, and cargo compiles the engine again.
    shell.run(&mut shell.cargo(["build", "--locked", "--package", "interop", "--package", "theater-cli"]))?;
    let mut command = Command::new(shell.target().join("debug/interop"));
    command.arg(wasm_dir.join(wasm_toolchain::TARGET).join("release/examples"));
    shell.run(command.arg(host_dir.join("debug/interop-host")))
}
