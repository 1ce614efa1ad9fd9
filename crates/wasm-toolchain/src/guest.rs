//! Builds guests: cargo for wasm32, the files that came out, and the usual mistakes explained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use serde_json::Value;

use crate::command::{CommandError, Streamed, capture, stream};
use crate::diagnosis::{build_hint, import_hint};
use crate::machine::Machine;
use crate::paths;
use crate::progress::Progress;
use crate::shorten::shorten;
use crate::toolchain::Toolchain;
use crate::wasm::{ReadWasmError, imported_modules};

/// Which cargo profile a guest is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// `--release`: what is run.
    #[default]
    Release,
    /// The `dev` profile: quick to build, large and slow.
    Dev,
}

/// What to build.
#[derive(Debug, Clone, Default)]
pub struct GuestBuild {
    /// The folder of the guest's `Cargo.toml`: a package, or a workspace of guests.
    pub manifest_dir: PathBuf,
    /// One package of it; otherwise the package of the folder, or every guest of the workspace.
    pub package: Option<String>,
    /// The profile.
    pub profile: Profile,
    /// Where cargo works, instead of the guest's own `target` folder.
    pub target_dir: Option<PathBuf>,
    /// Features of the package to switch on.
    pub features: Vec<String>,
    /// Whether cargo must not use the network.
    pub offline: bool,
}

impl GuestBuild {
    /// Returns the release build of a folder.
    #[must_use]
    pub fn new(manifest_dir: impl Into<PathBuf>) -> Self {
        Self { manifest_dir: manifest_dir.into(), ..Self::default() }
    }
}

/// A wasm file that cargo built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The name of the package.
    pub package: String,
    /// The file.
    pub path: PathBuf,
}

/// A guest could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is nothing to build.
    #[error("there is no Cargo.toml in {}", dir.display())]
    NoManifest {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// Cargo could not be run, or it could not read the manifest.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Cargo answered in a way that cargo does not.
    #[error("failed to read what cargo printed")]
    Unreadable(#[source] serde_json::Error),
    /// The package that was asked for is not there.
    #[error("{} has no package `{package}` (it has: {})", dir.display(), known.join(", "))]
    NoPackage {
        /// The folder.
        dir: PathBuf,
        /// What was asked for.
        package: String,
        /// What is there.
        known: Vec<String>,
    },
    /// The package is not made to become a wasm module.
    #[error("package `{package}` ({}) has no library of type `cdylib`", manifest.display())]
    NotACdylib {
        /// The package.
        package: String,
        /// Its Cargo.toml.
        manifest: PathBuf,
    },
    /// The folder is a workspace and none of its packages is a guest.
    #[error("no package in {} has a library of type `cdylib`", dir.display())]
    NoGuest {
        /// The folder.
        dir: PathBuf,
    },
    /// It does not compile; the compiler has said why.
    #[error("failed to compile ({status})")]
    Compile {
        /// How cargo ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// It compiles, to something that needs another host.
    #[error("package `{package}` imports from `{module}`, which no handler provides")]
    ForeignImport {
        /// The package.
        package: String,
        /// The module that it imports from.
        module: String,
    },
    /// Cargo named a file that is not what it should be.
    #[error(transparent)]
    Wasm(#[from] ReadWasmError),
    /// Cargo built everything and named no wasm file.
    #[error("cargo built no wasm file in {}", dir.display())]
    NoArtifact {
        /// The folder.
        dir: PathBuf,
    },
}

impl BuildError {
    /// Returns what a person can do about it, if the mistake is a known one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotACdylib { .. } | Self::NoGuest { .. } => {
                Some("write to Cargo.toml:\n\n[lib]\ncrate-type = [\"cdylib\"]")
            }
            Self::NoManifest { .. } => {
                Some("name the folder of a guest, or make one with `theater new NAME`")
            }
            Self::Compile { output, .. } => build_hint(output),
            Self::Command(error) => build_hint(error.output()),
            Self::ForeignImport { module, .. } => import_hint(module),
            Self::NoPackage { .. } | Self::Unreadable(_) | Self::Wasm(_) | Self::NoArtifact { .. } => None,
        }
    }
}

impl Toolchain {
    /// Builds guests and returns their wasm files, in the order of their names.
    ///
    /// Cargo's own output goes to `progress` as it comes. The names in the files are made readable and short.
    ///
    /// # Errors
    /// See [`BuildError`]; [`BuildError::hint`] explains the usual mistakes.
    pub fn build(
        &self,
        build: &GuestBuild,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Artifact>, BuildError> {
        self.build_on(&Machine::host(), build, progress)
    }

    /// Builds with the environment of a machine as described.
    ///
    /// # Errors
    /// As [`Toolchain::build`].
    pub fn build_on(
        &self,
        machine: &Machine,
        build: &GuestBuild,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Artifact>, BuildError> {
        let dir = &build.manifest_dir;
        if !dir.join("Cargo.toml").is_file() {
            return Err(BuildError::NoManifest { dir: dir.clone() });
        }
        let (root, guests) = self.guests(machine, build)?;
        let mut command = self.cargo_command_on(machine);
        paths::hide(&mut command, machine, &root);
        arguments(&mut command, build, &guests);
        let Streamed { status, stdout, stderr } = stream(&mut command, None, progress)?;
        if !status.success() {
            return Err(BuildError::Compile { status, output: stderr });
        }
        let artifacts = artifacts(&stdout, &guests)?;
        if artifacts.is_empty() {
            return Err(BuildError::NoArtifact { dir: dir.clone() });
        }
        for artifact in &artifacts {
            check_imports(artifact)?;
            shorten(&artifact.path)?;
        }
        Ok(artifacts)
    }

    /// Returns the folder of the workspace and the packages to build, before anything is compiled.
    fn guests(&self, machine: &Machine, build: &GuestBuild) -> Result<(PathBuf, Vec<Package>), BuildError> {
        let dir = &build.manifest_dir;
        let mut command = self.cargo_command_on(machine);
        command.current_dir(dir).args(["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let metadata: Value =
            serde_json::from_str(&capture(&mut command)?).map_err(BuildError::Unreadable)?;
        let packages = packages(&metadata);
        let root = PathBuf::from(metadata["workspace_root"].as_str().unwrap_or_default());
        let own = dir.join("Cargo.toml").canonicalize().ok();
        let is_wanted = |package: &Package| match &build.package {
            Some(name) => *name == package.name,
            None => package.manifest.canonicalize().ok() == own,
        };
        match (packages.iter().find(|package| is_wanted(package)), &build.package) {
            (Some(package), _) if package.is_guest => Ok((root, vec![package.clone()])),
            (Some(package), _) => Err(BuildError::NotACdylib {
                package: package.name.clone(),
                manifest: package.manifest.clone(),
            }),
            (None, Some(name)) => Err(BuildError::NoPackage {
                dir: dir.clone(),
                package: name.clone(),
                known: packages.into_iter().map(|package| package.name).collect(),
            }),
            (None, None) => {
                let guests: Vec<Package> = packages.into_iter().filter(|package| package.is_guest).collect();
                if guests.is_empty() {
                    Err(BuildError::NoGuest { dir: dir.clone() })
                } else {
                    Ok((root, guests))
                }
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    id: String,
    name: String,
    manifest: PathBuf,
    is_guest: bool,
}

fn packages(metadata: &Value) -> Vec<Package> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let package = |value: &Value| Package {
        id: text(&value["id"]),
        name: text(&value["name"]),
        manifest: text(&value["manifest_path"]).into(),
        is_guest: items(&value["targets"])
            .any(|target| items(&target["crate_types"]).any(|kind| kind == "cdylib")),
    };
    items(&metadata["packages"]).map(package).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn arguments(command: &mut Command, build: &GuestBuild, guests: &[Package]) {
    command.current_dir(&build.manifest_dir);
    command.args(["build", "--lib", "--target", crate::TARGET, "--message-format=json-render-diagnostics"]);
    if build.profile == Profile::Release {
        command.arg("--release");
    }
    for guest in guests {
        command.args(["--package", &guest.id]);
    }
    if let Some(dir) = &build.target_dir {
        // Cargo runs in the guest's folder, and the caller's relative path is meant from here.
        command.arg("--target-dir").arg(std::path::absolute(dir).unwrap_or_else(|_| dir.clone()));
    }
    if !build.features.is_empty() {
        command.arg("--features").arg(build.features.join(","));
    }
    if build.offline {
        command.arg("--offline");
    }
}

/// Picks the wasm files of the guests out of cargo's messages.
fn artifacts(messages: &[String], guests: &[Package]) -> Result<Vec<Artifact>, BuildError> {
    let names: BTreeMap<&str, &str> =
        guests.iter().map(|guest| (guest.id.as_str(), guest.name.as_str())).collect();
    let mut found = Vec::new();
    for message in messages.iter().filter(|message| message.starts_with('{')) {
        let message: Value = serde_json::from_str(message).map_err(BuildError::Unreadable)?;
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let Some(package) = message["package_id"].as_str().and_then(|id| names.get(id)) else { continue };
        let files = items(&message["filenames"]).filter_map(Value::as_str).map(PathBuf::from);
        found.extend(
            files
                .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
                .map(|path| Artifact { package: (*package).to_owned(), path }),
        );
    }
    found.sort_by(|one, other| (&one.package, &one.path).cmp(&(&other.package, &other.path)));
    Ok(found)
}

fn check_imports(artifact: &Artifact) -> Result<(), BuildError> {
    let modules = imported_modules(Path::new(&artifact.path))?;
    match modules.into_iter().find(|module| import_hint(module).is_some()) {
        Some(module) => Err(BuildError::ForeignImport { package: artifact.package.clone(), module }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str) -> Package {
        Package {
            id: format!("path+file:///{name}#0.1.0"),
            name: name.to_owned(),
            manifest: "".into(),
            is_guest: true,
        }
    }

    #[test]
    fn only_wasm_files_of_the_guests_themselves_are_artifacts() {
        let message = |package: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///{package}#0.1.0","filenames":["{file}"]}}"#
            )
        };
        let messages = [
            message("b", "/t/b.wasm"),
            message("a", "/t/liba.rlib"),
            message("a", "/t/a.wasm"),
            message("dependency", "/t/dependency.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "a line printed by a build script".to_owned(),
        ];
        let found = artifacts(&messages, &[guest("b"), guest("a")]).expect("readable");
        let found: Vec<_> =
            found.iter().map(|artifact| (artifact.package.as_str(), artifact.path.to_str())).collect();
        assert_eq!(found, [("a", Some("/t/a.wasm")), ("b", Some("/t/b.wasm"))]);
    }

    #[test]
    fn a_guest_is_a_package_with_a_cdylib() {
        let metadata = serde_json::json!({"packages": [
            {"id": "a", "name": "a", "manifest_path": "/a/Cargo.toml", "targets": [{"crate_types": ["cdylib", "rlib"]}]},
            {"id": "b", "name": "b", "manifest_path": "/b/Cargo.toml", "targets": [{"crate_types": ["bin"]}]},
        ]});
        let guests: Vec<bool> = packages(&metadata).iter().map(|package| package.is_guest).collect();
        assert_eq!(guests, [true, false]);
    }

    #[test]
    fn a_folder_without_a_manifest_says_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = BuildError::NoManifest { dir: dir.path().to_owned() };
        assert!(error.to_string().contains("no Cargo.toml"));
        assert!(error.hint().is_some());
    }
}
