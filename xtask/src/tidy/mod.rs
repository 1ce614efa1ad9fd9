//! What compilers and lints do not see: who may use whom, what may lie around, where words may stand.

mod files;
mod layers;
mod modules;
mod words;

use std::path::{Path, PathBuf};

use crate::shell::{Failure, Outcome, Shell, complain, say};

/// A file of the repository, read once.
struct Source {
    /// Relative to the repository.
    path: PathBuf,
    bytes: u64,
    /// `None` if it is not text.
    text: Option<String>,
}

impl Source {
    fn has_extension(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|found| found == extension)
    }

    fn is_below(&self, dir: &str) -> bool {
        self.path.starts_with(dir)
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// `cargo xtask tidy`
pub(crate) fn run(shell: &Shell) -> Outcome {
    let sources = sources(shell)?;
    let mut complaints = layers::check(shell)?;
    complaints.extend(files::check(&sources));
    complaints.extend(words::check(&sources));
    complaints.extend(modules::check(&sources));
    complaints.sort();
    for complaint in &complaints {
        complain(complaint);
    }
    if complaints.is_empty() {
        say(&format!("{} files are tidy", sources.len()));
        return Ok(());
    }
    Err(Failure::check(format!("{} things are untidy", complaints.len())))
}

/// Returns every file that is committed or would be.
fn sources(shell: &Shell) -> Result<Vec<Source>, Failure> {
    let mut command = std::process::Command::new("git");
    command.current_dir(shell.root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell.capture(&mut command)?;
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(paths.filter_map(|path| read(shell.root(), path)).collect())
}

/// Returns a listed file, unless it is deleted and not yet committed so.
fn read(root: &Path, path: PathBuf) -> Option<Source> {
    let bytes = std::fs::read(root.join(&path)).ok()?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Some(Source { path, bytes: length, text: String::from_utf8(bytes).ok() })
}

#[cfg(test)]
fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.into(),
        bytes: u64::try_from(text.len()).expect("small"),
        text: Some(text.to_owned()),
    }
}
