//! The wasm toolchain of the tests, and the example actors.

use std::path::PathBuf;

use wasm_toolchain::{GuestBuild, InstallPolicy, TOOLCHAIN_VARIABLE, Toolchain, WriteProgress, default_home};

use crate::shell::{Failure, Outcome, Shell, say};

/// The workspace of the example actors.
pub(crate) const EXAMPLES: &str = "examples";

/// Returns the toolchain, set up if it was missing.
pub(crate) fn toolchain() -> Result<Toolchain, Failure> {
    let home =
        default_home().ok_or_else(|| Failure::check("set THEATER_HOME: there is no home directory"))?;
    let mut progress = WriteProgress(std::io::stderr());
    let found = wasm_toolchain::find_or_install(&home, InstallPolicy::from_env(), &mut progress);
    let toolchain = found.map_err(|error| Failure::check(format!("{error}\nhint: {}", error.hint())))?;
    say(&format!("guests are built with {toolchain}"));
    Ok(toolchain)
}

/// Returns the variable by which everything that the tests start shares one toolchain, whatever its home.
pub(crate) fn shared_toolchain() -> Result<(&'static str, PathBuf), Failure> {
    let named = std::env::var_os(TOOLCHAIN_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dir = named.or_else(|| Some(default_home()?.join("toolchain")));
    let dir = dir.ok_or_else(|| Failure::check("set THEATER_HOME: there is no home directory"))?;
    Ok((TOOLCHAIN_VARIABLE, dir))
}

/// `cargo xtask guests`
pub(crate) fn run(shell: &Shell) -> Outcome {
    let toolchain = toolchain()?;
    let mut progress = WriteProgress(std::io::stderr());
    let built = toolchain.build(&GuestBuild::new(shell.root().join(EXAMPLES)), &mut progress);
    let artifacts = built.map_err(|error| {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        Failure::check(format!("{error}{hint}"))
    })?;
    for artifact in artifacts {
        let bytes = artifact.path.metadata().map(|meta| meta.len()).unwrap_or_default();
        let path = artifact.path.strip_prefix(shell.root()).unwrap_or(&artifact.path);
        say(&format!("{:>9} bytes  {}", bytes, path.display()));
    }
    Ok(())
}
