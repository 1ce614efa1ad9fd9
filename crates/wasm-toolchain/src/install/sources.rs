//! Builds the standard library for wasm32 from the sources that belong to a compiler.
//!
//! Only the compiler's own sources will do: lang items and intrinsics change with every release. The result
//! is what rustup would install: a folder of `.rlib` files, for guests that use `std` and guests that do not.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{CommandError, stream_ok};
use crate::compiler::Compiler;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::store::{StoreError, failed, remove_tree};

/// The crate whose dependencies are wanted and which is itself thrown away.
const EMPTY: &str = "wasm_std_only";

/// The library could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// Cargo or rustc failed.
    #[error("failed to build the standard library for wasm32")]
    Build(#[source] CommandError),
    /// The build ended well but has no `core` or `std`.
    #[error("the build in {} left no standard library", dir.display())]
    NoLibrary {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// Files could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to build the library with, and from.
pub(crate) struct LibraryBuild<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) cargo: &'a Path,
    pub(crate) compiler: &'a Compiler,
    /// The `library` folder of the compiler's sources.
    pub(crate) library: &'a Path,
    /// An empty folder for what is not kept.
    pub(crate) work: &'a Path,
}

impl LibraryBuild<'_> {
    /// Builds, and puts the compiled library into `libdir`.
    pub(crate) fn run(&self, libdir: &Path, progress: &mut dyn Progress) -> Result<(), SourcesError> {
        progress.step(&format!(
            "building the standard library of rustc {} for {} (once, about a minute)",
            self.compiler.version,
            crate::TARGET
        ));
        self.write_empty_crate()?;
        stream_ok(&mut self.command(), None, progress).map_err(SourcesError::Build)?;
        let deps = self.work.join("target").join(crate::TARGET).join("release/deps");
        copy_libraries(&deps, libdir)?;
        if crate::compiler::wasm_library(libdir).is_none() {
            return Err(SourcesError::NoLibrary { dir: deps });
        }
        remove_tree(self.work)?;
        Ok(())
    }

    fn write_empty_crate(&self) -> Result<(), StoreError> {
        let manifest = format!("[package]\nname = \"{EMPTY}\"\nedition = \"2021\"\n\n[workspace]\n");
        for (name, text) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", "#![no_std]\n")] {
            let path = self.work.join(name);
            let dir = path.parent().unwrap_or(self.work);
            fs::create_dir_all(dir).map_err(failed("create", dir))?;
            fs::write(&path, text).map_err(failed("write", &path))?;
        }
        Ok(())
    }

    fn command(&self) -> std::process::Command {
        let mut command = self.machine.run_scrubbed(self.cargo);
        command.current_dir(self.work).args(["build", "--release", "--target", crate::TARGET]);
        command.args(["-Zbuild-std=std,panic_abort", "--target-dir", "target"]);
        let vendor = self.library.join("vendor");
        if vendor.is_dir() {
            // The sources carry their dependencies: no registry is needed, and no configuration of one is read.
            let vendor = serde_json::Value::from(vendor.to_string_lossy());
            command.args(["--offline", "--config", "source.crates-io.replace-with='library-vendor'"]);
            command.args(["--config".to_owned(), format!("source.library-vendor.directory={vendor}")]);
            command.env("CARGO_HOME", self.work.join("cargo-home"));
        }
        command.env("RUSTC", &self.compiler.rustc).env("RUSTC_WRAPPER", "");
        // A released compiler builds its own library with the features that it denies to others.
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", self.flags());
        command
    }

    fn flags(&self) -> OsString {
        // Guests with `lto = true` need the bitcode. The paths that panics show must be those of every other
        // build of this release, not of this machine: they end up in the guest and so in its hash.
        let shown = format!("/rustc/{}/library", self.compiler.build);
        let mut flags = OsString::from("-Cembed-bitcode=yes");
        for prefix in [Some(self.library.to_owned()), self.library.canonicalize().ok()].into_iter().flatten()
        {
            flags.push("\u{1f}--remap-path-prefix=");
            flags.push(prefix);
            flags.push(format!("={shown}"));
        }
        flags
    }
}

fn copy_libraries(deps: &Path, libdir: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(libdir).map_err(failed("create", libdir))?;
    for entry in deps.read_dir().map_err(failed("read", deps))? {
        let from = entry.map_err(failed("read", deps))?.path();
        let Some(name) = from.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".rlib") && !name.starts_with(&format!("lib{EMPTY}-")) {
            let to = libdir.join(name);
            fs::copy(&from, &to).map_err(failed("write", &to))?;
        }
    }
    Ok(())
}
