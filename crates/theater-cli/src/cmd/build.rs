//! `theater build`: a wasm file from an actor's folder, checked before anyone runs it.

use std::io::Write;
use std::path::{Path, PathBuf};

use pack::{Engine, Package};
use theater::ActorSpec;
use wasm_toolchain::{BuildError, GuestBuild, InstallPolicy, Progress};

use crate::args::BuildArgs;
use crate::cmd::Outcome;
use crate::home::Home;
use crate::project::{self, Described, Source};
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::{link, node};

pub(crate) fn run(args: &BuildArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let path = build(&args.dir, &home, printer)?;
    let wasm = project::read_wasm(&path, None)?;
    let engine = node::engine()?;
    let package = project::load(&engine, &wasm, &path)?;
    describe(&package, &wasm, printer);
    // A package that its own manifest keeps from running is built all the same; its author hears of it now.
    if args.dir.join(project::MANIFEST).is_file()
        && let Err(error) = fits_manifest(&args.dir, &engine, wasm)
    {
        printer.warn(error);
    }
    let mut out = printer.data();
    writeln!(out, "{}", path.display()).and_then(|()| out.flush()).shown()?;
    Ok(Outcome::Fine)
}

/// Builds the actor in a folder and returns the wasm file; cargo decides whether there is anything to do.
pub(crate) fn build(dir: &Path, home: &Home, printer: Printer) -> Result<PathBuf, CliError> {
    if !dir.join("Cargo.toml").is_file() {
        return Err(CliError::environment(format!("there is no Cargo.toml in {}", dir.display()))
            .hint("`theater new NAME` creates an actor; `theater build DIR` builds it"));
    }
    let mut progress = Spoken(printer);
    let toolchain = wasm_toolchain::find_or_install(home.root(), InstallPolicy::from_env(), &mut progress)
        .map_err(|error| {
            let hint = error.hint();
            CliError::environment("there is no toolchain to build wasm with").because(error).hint(hint)
        })?;
    printer.detail(format_args!("using {toolchain}"));
    let artifacts = toolchain
        .build(&GuestBuild::new(dir), &mut progress)
        .map_err(|error| explained(dir, error, printer))?;
    match artifacts.as_slice() {
        [one] => Ok(shortest(&one.path)),
        [] => Err(CliError::environment(format!("{} builds no wasm file", dir.display()))
            .hint("an actor's Cargo.toml says `[lib] crate-type = [\"cdylib\", \"rlib\"]`")),
        several => {
            let names: Vec<&str> = several.iter().map(|artifact| artifact.package.as_str()).collect();
            Err(CliError::environment(format!(
                "{} holds several actors: {}",
                dir.display(),
                names.join(", ")
            ))
            .hint("build the folder of one of them"))
        }
    }
}

/// Returns a package and where it lies; it is built if it has to be.
pub(crate) fn wasm_of(source: Source, home: &Home, printer: Printer) -> Result<(PathBuf, Vec<u8>), CliError> {
    let (path, pinned) = match source {
        Source::Build(dir) => (build(&dir, home, printer)?, None),
        Source::File(path, pinned) => (path, pinned),
    };
    let wasm = project::read_wasm(&path, pinned)?;
    Ok((path, wasm))
}

fn explained(dir: &Path, error: BuildError, printer: Printer) -> CliError {
    let hint = error.hint();
    // Whoever asked for quiet has not seen what the compiler said.
    let unseen = match &error {
        BuildError::Compile { output, .. } if printer.is_quiet() => format!("\n{}", output.trim_end()),
        _ => String::new(),
    };
    let failed = CliError::environment(format!("failed to build {}{unseen}", dir.display())).because(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// Says what was built, for those who want details.
fn describe(package: &Package, wasm: &[u8], printer: Printer) {
    printer.detail(crate::ui::text::bytes(wasm.len() as u64));
    for import in package.imports() {
        printer.detail(format_args!("import {}.{}", import.interface, import.name));
    }
    for export in package.exports() {
        printer.detail(format_args!("export {}", export.symbol));
    }
}

fn fits_manifest(dir: &Path, engine: &Engine, wasm: Vec<u8>) -> Result<(), CliError> {
    let Described { manifest, text, .. } = project::describe(dir, &[])?;
    let spec = ActorSpec { manifest, manifest_text: text.into_bytes(), wasm, state: None };
    link::checked(engine, &theater_handlers::registry(), spec, false).map(|_| ())
}

/// Returns the path relative to the current folder if it lies below it.
fn shortest(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned())
}

/// Shows the toolchain's progress to people.
pub(crate) struct Spoken(pub(crate) Printer);

impl Progress for Spoken {
    fn step(&mut self, text: &str) {
        self.0.note(text);
    }

    fn line(&mut self, text: &str) {
        // That nothing had to be done is no news.
        if text.trim_start().starts_with("Finished `") {
            self.0.detail(text);
        } else {
            self.0.note(text);
        }
    }
}
