//! All tests: what they need, nextest where it is installed, doctests, the examples.

use std::process::{Command, Stdio};

use crate::shell::{Outcome, Shell, say};
use crate::{examples, guests};

/// `cargo xtask test [FILTER]`
pub(crate) fn run(shell: &Shell, filter: Option<&str>) -> Outcome {
    say("1. the wasm toolchain, with which the tests build their guests");
    guests::toolchain()?;
    say("2. the tests of the workspace");
    workspace(shell, filter)?;
    if filter.is_some() {
        say("a filter was given: the examples are left out");
        return Ok(());
    }
    say("3. the code in the documentation");
    doctests(shell)?;
    say("4. the examples: built, run, verified, replayed");
    guests::run(shell)?;
    examples::run(shell)
}

/// The unit and integration tests.
pub(crate) fn workspace(shell: &Shell, filter: Option<&str>) -> Outcome {
    let (name, dir) = guests::shared_toolchain()?;
    let mut command = if has_nextest(shell) {
        shell.cargo(["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        say("cargo-nextest is not installed: using `cargo test`");
        shell.cargo(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    shell.run(command.args(filter).env(name, dir))
}

/// The examples in the documentation.
pub(crate) fn doctests(shell: &Shell) -> Outcome {
    shell.run(&mut shell.cargo(["test", "--workspace", "--doc", "--quiet"]))
}

/// `cargo xtask bless`: the golden files take what the tests print now. Look at the difference before committing it.
pub(crate) fn bless(shell: &Shell) -> Outcome {
    guests::toolchain()?;
    let (name, dir) = guests::shared_toolchain()?;
    let mut command = shell.cargo(["test", "--workspace", "--lib", "--bins", "--tests"]);
    shell.run(command.env(name, dir).env("INSTA_UPDATE", "always").env("THEATER_BLESS", "1"))?;
    say("look at what changed: git diff");
    Ok(())
}

fn has_nextest(shell: &Shell) -> bool {
    let mut command: Command = shell.cargo(["nextest", "--version"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
