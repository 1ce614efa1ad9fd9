//! What `theater run` was pointed at: a folder, a manifest or a bare wasm file, read whole and checked.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use pack::{Engine, Package};
use theater::limits;
use theater::manifest::{Manifest, PackageRef};
use theater_chain::Hash;

use crate::ui::error::CliError;

/// The manifest's name in an actor's folder.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// Largest wasm file that is read; compiling takes some forty times as much.
pub(crate) const WASM_BYTES_MAX: u64 = 256 << 20;

/// What a bare wasm file may use without being granted more.
const BARE_GRANT: &str = "runtime";

/// A manifest and the text that it was read from.
#[derive(Debug)]
pub(crate) struct Described {
    /// The checked manifest.
    pub(crate) manifest: Manifest,
    /// Its text, as it is recorded.
    pub(crate) text: String,
    /// Where its package comes from.
    pub(crate) source: Source,
    /// Whether it was made for a bare wasm file.
    pub(crate) is_bare: bool,
}

impl Described {
    /// Limits the fuel of a call, for a bare wasm file.
    pub(crate) fn with_fuel(mut self, path: &Path, fuel: u64) -> Result<Self, CliError> {
        let limit = format!("[limits]\nfuel_per_call = {fuel}");
        if !self.is_bare {
            return Err(CliError::environment("--fuel is for bare wasm files; a manifest has limits itself")
                .hint(format!("add this to the manifest:\n\n  {}", limit.replace('\n', "\n  "))));
        }
        self.text.push_str(&format!("\n{limit}\n"));
        self.manifest = Manifest::parse(&self.text, path).map_err(|error| manifest_error(&error))?;
        Ok(self)
    }
}

/// Where a package comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is built by cargo from this folder.
    Build(PathBuf),
    /// It is this file; if the manifest pins it, with this hash.
    File(PathBuf, Option<[u8; 32]>),
}

/// Finds and reads the manifest of what is to be run, or makes one for a bare wasm file.
pub(crate) fn describe(target: &Path, grants: &[String]) -> Result<Described, CliError> {
    let found = fs::metadata(target).map_err(|error| {
        CliError::io(format!("there is nothing to run at {}", target.display()), error)
            .hint("give an actor's folder, its manifest.toml, or a wasm file")
    })?;
    let is_manifest = target.extension().is_some_and(|extension| extension == "toml");
    if !found.is_dir() && !is_manifest {
        return bare(target, grants);
    }
    if let Some(grant) = grants.first() {
        return Err(CliError::environment("--grant is for bare wasm files; a manifest grants by itself")
            .hint(format!("add this to the manifest:\n\n  [[handler]]\n  type = \"{grant}\"")));
    }
    let path = if found.is_dir() { target.join(MANIFEST) } else { target.to_owned() };
    let text = read_manifest(&path)?;
    let manifest = Manifest::parse(&text, &path).map_err(|error| manifest_error(&error))?;
    let source = match &manifest.package {
        Some(PackageRef { path, sha256 }) => Source::File(path.clone(), *sha256),
        None => build_source(&path)?,
    };
    Ok(Described { manifest, text, source, is_bare: false })
}

/// Reads a wasm file, and checks the hash if the manifest pins one.
pub(crate) fn read_wasm(path: &Path, pinned: Option<[u8; 32]>) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::io(format!("failed to read the package {}", path.display()), error);
    let bytes = fs::metadata(path).map_err(failed)?;
    if bytes.is_dir() || bytes.len() > WASM_BYTES_MAX {
        return Err(CliError::environment(format!("{} is no wasm file", path.display()))
            .hint(format!("a package is a file of at most {WASM_BYTES_MAX} bytes")));
    }
    let wasm = fs::read(path).map_err(failed)?;
    let actual = Hash::of_blob(&wasm);
    match pinned {
        Some(pinned) if actual != Hash(pinned) => Err(CliError::environment(format!(
            "{} is not the package that the manifest pins",
            path.display()
        ))
        .hint(format!("the manifest says sha256 {}, the file has {actual}", Hash(pinned)))),
        _ => Ok(wasm),
    }
}

/// Compiles a package; the error says what the file is instead, and what to do.
pub(crate) fn load(engine: &Engine, wasm: &[u8], path: &Path) -> Result<Package, CliError> {
    Package::load(engine, wasm).map_err(|error| {
        CliError::environment(format!("{} is not a package that can run", path.display())).because(error)
    })
}

/// Reads an initial state from a file or, for `-`, from standard input.
pub(crate) fn read_state(path: &Path) -> Result<Vec<u8>, CliError> {
    read_input(path, "an initial state", limits::STATE_BYTES_MAX)
}

/// Reads a file or, for `-`, standard input: at most so many bytes.
pub(crate) fn read_input(path: &Path, what: &str, bytes_max: u64) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::io(format!("failed to read {what} from {}", path.display()), error);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(CliError::environment(format!("what {} holds is too large", path.display()))
            .hint(format!("{what} has at most {bytes_max} bytes")));
    }
    Ok(bytes)
}

fn bare(path: &Path, grants: &[String]) -> Result<Described, CliError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let mut name: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .collect();
    name.truncate(64);
    if name.is_empty() {
        "actor".clone_into(&mut name);
    }
    let mut all = vec![BARE_GRANT.to_owned()];
    for grant in grants {
        if !all.contains(grant) {
            all.push(grant.clone());
        }
    }
    let text = Manifest::bare_text(&name, &all);
    let manifest = Manifest::parse(&text, path).map_err(|error| manifest_error(&error))?;
    Ok(Described { manifest, text, source: Source::File(path.to_owned(), None), is_bare: true })
}

fn read_manifest(path: &Path) -> Result<String, CliError> {
    let failed = |error: std::io::Error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let failed = CliError::io(format!("failed to read the manifest {}", path.display()), error);
        if missing { failed.hint("`theater new NAME` creates an actor with a manifest") } else { failed }
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > limits::MANIFEST_BYTES_MAX {
        return Err(CliError::environment(format!("{} is too large for a manifest", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

fn build_source(manifest: &Path) -> Result<Source, CliError> {
    let dir = match manifest.parent() {
        Some(dir) if dir != Path::new("") => dir.to_owned(),
        _ => PathBuf::from("."),
    };
    if dir.join("Cargo.toml").is_file() {
        return Ok(Source::Build(dir));
    }
    Err(CliError::environment(format!(
        "{} names no package, and there is no Cargo.toml beside it to build",
        manifest.display()
    ))
    .hint("add `package = \"actor.wasm\"`"))
}

fn manifest_error(error: &theater::manifest::ManifestError) -> CliError {
    CliError::environment(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        for (name, text) in files {
            fs::write(dir.path().join(name), text).expect("it can be written");
        }
        dir
    }

    #[test]
    fn a_manifest_beside_a_cargo_toml_is_built() {
        let dir = folder(&[("manifest.toml", "name = \"a\""), ("Cargo.toml", "")]);
        let described = describe(dir.path(), &[]).expect("it is an actor's folder");
        assert_eq!(described.source, Source::Build(dir.path().to_owned()));
    }

    #[test]
    fn a_manifest_without_package_and_sources_says_what_to_add() {
        let dir = folder(&[("manifest.toml", "name = \"a\"")]);
        let error = describe(dir.path(), &[]).expect_err("there is nothing to run");
        assert!(error.to_string().contains("add `package = "), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_bare_wasm_file_gets_runtime_and_what_is_granted() {
        let dir = folder(&[("my actor.wasm", "")]);
        let described =
            describe(&dir.path().join("my actor.wasm"), &["store".to_owned(), "runtime".to_owned()]);
        let described = described.expect("it is a file");
        let kinds: Vec<&str> = described.manifest.handlers.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!((described.manifest.name.as_str(), kinds), ("my-actor", vec!["runtime", "store"]));
    }

    #[test]
    fn grants_beside_a_manifest_are_refused_with_the_lines_to_write() {
        let dir = folder(&[("manifest.toml", "name = \"a\""), ("Cargo.toml", "")]);
        let error = describe(dir.path(), &["store".to_owned()]).expect_err("a manifest grants by itself");
        assert!(error.to_string().contains("type = \"store\""), "{error}");
    }

    #[test]
    fn a_pinned_package_with_other_bytes_is_refused() {
        let dir = folder(&[("a.wasm", "abc")]);
        let path = dir.path().join("a.wasm");
        assert!(read_wasm(&path, Some(Hash::of_blob(b"abc").0)).is_ok());
        let error = read_wasm(&path, Some([0; 32])).expect_err("the bytes are others");
        assert!(error.to_string().contains(&Hash::of_blob(b"abc").to_string()), "{error}");
    }
}
