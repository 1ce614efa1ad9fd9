//! The wasm toolchain of the tests, the example actors, and how large the smallest actors are.

use std::path::PathBuf;

use wasm_toolchain::{
    Artifact, GuestBuild, InstallPolicy, Progress, TOOLCHAIN_VARIABLE, Toolchain, WriteProgress, default_home,
};

use crate::shell::{Failure, Outcome, Shell, say};

/// The workspace of the example actors.
pub(crate) const EXAMPLES: &str = "examples";

/// Actors that measure what the SDK costs, and the most bytes that a host reads of each.
const MEASURED: &[(&str, usize)] = &[
    // Without the standard library: one import, two exports, two calls of `format!`.
    ("crates/theater-guest/tests/hello-guest", 26_500),
    // The actor of the documentation.
    ("crates/theater-guest/tests/guest", 28_000),
];

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
    let examples = GuestBuild::new(shell.root().join(EXAMPLES));
    for artifact in build(&toolchain, &examples, &mut progress)? {
        let bytes = artifact.path.metadata().map(|meta| meta.len()).unwrap_or_default();
        let path = artifact.path.strip_prefix(shell.root()).unwrap_or(&artifact.path);
        say(&format!("{:>9} bytes  {}", bytes, path.display()));
    }
    let mut too_large = Vec::new();
    for (folder, bytes_max) in MEASURED {
        let mut guest = GuestBuild::new(shell.root().join(folder));
        guest.target_dir = Some(shell.root().join("target/measured"));
        for Artifact { package, path } in build(&toolchain, &guest, &mut progress)? {
            let whole = path.metadata().map_or(0, |meta| meta.len());
            let bytes =
                wasm_toolchain::bytes_for_hosts(&path).map_err(|error| Failure::check(error.to_string()))?;
            say(&format!("{bytes:>9} bytes  {package} (at most {bytes_max}; with names {whole})"));
            if bytes > *bytes_max {
                too_large.push(package);
            }
        }
    }
    if too_large.is_empty() {
        return Ok(());
    }
    Err(Failure::check(format!("larger than it may be: {}", too_large.join(", "))))
}

fn build(
    toolchain: &Toolchain,
    guest: &GuestBuild,
    progress: &mut dyn Progress,
) -> Result<Vec<Artifact>, Failure> {
    toolchain.build(guest, progress).map_err(|error| {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        Failure::check(format!("{error}{hint}"))
    })
}
