//! THEATER_HOME: where runs, keys and the private toolchain live, and which run a word means.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ui::error::{CliError, is_full};
use crate::ui::text::nearest;

/// Digits of run ids: no letter that looks like a digit, in the order of their code points.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The folder that holds everything this program keeps.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Finds the folder without touching it.
    pub(crate) fn locate() -> Result<Self, CliError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = match (set("THEATER_HOME"), set("HOME")) {
            (Some(root), _) => root,
            (None, Some(home)) => home.join(".theater"),
            (None, None) => {
                return Err(CliError::environment(
                    "there is no folder to keep runs in: neither THEATER_HOME nor HOME is set",
                )
                .hint("set THEATER_HOME to a folder that can be written"));
            }
        };
        match std::path::absolute(&root) {
            Ok(root) => Ok(Self { root }),
            Err(error) => Err(CliError::io("failed to find the current folder", error)),
        }
    }

    /// Returns the folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of the runs.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Returns the folder of the keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Returns the file of this node's key.
    pub(crate) fn node_key(&self) -> PathBuf {
        self.keys().join("node.key")
    }

    /// Returns the file of this machine's key as a witness.
    pub(crate) fn witness_key(&self) -> PathBuf {
        self.keys().join("witness.key")
    }

    /// Returns the folder of the public keys that this node used to sign with.
    pub(crate) fn retired_keys(&self) -> PathBuf {
        self.keys().join("retired")
    }

    /// Returns the folder of the public keys that were trusted by hand.
    pub(crate) fn trusted_keys(&self) -> PathBuf {
        self.keys().join("trusted")
    }

    /// Returns the folder of the log of finished runs.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Returns the folder of what this machine has seen as a witness.
    pub(crate) fn witness(&self) -> PathBuf {
        self.root.join("witness")
    }

    /// Returns the folder of compiled code.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Creates the folder if need be, for its owner only.
    pub(crate) fn create(&self) -> Result<(), CliError> {
        private_dir(&self.root).and_then(|()| private_dir(&self.runs())).map_err(|error| self.unusable(error))
    }

    /// Returns the error for a home that cannot be written.
    pub(crate) fn unusable(&self, error: io::Error) -> CliError {
        let full = is_full(error.kind());
        let failed = CliError::io(format!("failed to write to {}", self.root.display()), error);
        if full {
            return failed;
        }
        failed.hint("set THEATER_HOME to a folder that can be written; `theater doctor` says what is wrong with this one")
    }

    /// Creates the directory of a new run; its name sorts by time. `utc_us` and `random` are the caller's.
    pub(crate) fn new_run(&self, utc_us: u64, random: [u8; 8]) -> Result<(String, PathBuf), CliError> {
        self.create()?;
        let mut salt = u64::from_le_bytes(random);
        loop {
            let id = run_id(utc_us, salt);
            let dir = self.runs().join(&id);
            match private_dir_new(&dir) {
                Ok(()) => return Ok((id, dir)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => salt = salt.wrapping_add(1),
                Err(error) => return Err(self.unusable(error)),
            }
        }
    }

    /// Returns the ids of all runs, oldest first.
    pub(crate) fn run_ids(&self) -> Result<Vec<String>, CliError> {
        let runs = self.runs();
        let entries = match fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(CliError::io(format!("failed to list {}", runs.display()), error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry =
                entry.map_err(|error| CliError::io(format!("failed to list {}", runs.display()), error))?;
            if let (true, Ok(name)) = (entry.path().is_dir(), entry.file_name().into_string())
                && !name.starts_with('.')
            {
                ids.push(name);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Returns the directory or the bundle of the run that a word means; no word means the last run.
    pub(crate) fn resolve(&self, word: Option<&str>) -> Result<PathBuf, CliError> {
        let word = word.unwrap_or("last");
        if word.contains('/') || word.ends_with(".theater") {
            let path = PathBuf::from(word);
            return match path.exists() {
                true => Ok(path),
                false => Err(CliError::environment(format!("there is no run at {word}")).hint(
                    "a run is a directory or a bundle; a word without `/` and `.theater` is looked up in `theater runs`",
                )),
            };
        }
        Ok(self.runs().join(self.resolve_id(word)?))
    }

    /// Returns the id of the run of this home that a word means: `last`, an id or the beginning of one.
    pub(crate) fn resolve_id(&self, word: &str) -> Result<String, CliError> {
        let ids = self.run_ids()?;
        let Some(last) = ids.last() else {
            return Err(CliError::environment(format!("there is no run in {}", self.runs().display()))
                .hint("`theater run DIR` makes one"));
        };
        if word == "last" {
            return Ok(last.clone());
        }
        if ids.iter().any(|id| id == word) {
            return Ok(word.to_owned());
        }
        let mut meant = ids.iter().filter(|id| id.starts_with(word));
        match (meant.next(), meant.next()) {
            (Some(first), Some(second)) => {
                Err(CliError::environment(format!("more than one run begins with `{word}`"))
                    .hint(format!("say more of the id: {first}, {second}, ...")))
            }
            (Some(id), None) => Ok(id.clone()),
            (None, _) => Err(unknown_run(word, &ids)),
        }
    }
}

fn unknown_run(word: &str, ids: &[String]) -> CliError {
    let error = CliError::environment(format!("there is no run `{word}`"));
    match nearest(word, ids.iter().map(String::as_str)) {
        Some(id) => error.hint(format!("did you mean {id}? `theater runs` lists them all")),
        None => error.hint("`theater runs` lists the runs; a path to a run has a `/` in it"),
    }
}

/// Returns an id that sorts by time: seconds to read, milliseconds and chance to tell apart.
pub(crate) fn run_id(utc_us: u64, salt: u64) -> String {
    let mut id = crate::ui::text::Moment::from_unix(utc_us / 1_000_000).compact();
    id.push('-');
    let tail = (utc_us / 1000 % 1000) << 20 | (salt & 0xf_ffff);
    for shift in (0..6).rev() {
        let digit = usize::try_from(tail >> (5 * shift) & 31).expect("five bits fit");
        id.push(char::from(DIGITS[digit]));
    }
    id
}

/// Creates a directory that only its owner can open; one that is there stays as it is.
pub(crate) fn private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
        fs::create_dir_all(parent)?;
    }
    match private_dir_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        result => result,
    }
}

fn private_dir_new(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_with(ids: &[&str]) -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let home = Home { root: dir.path().to_owned() };
        for id in ids {
            fs::create_dir_all(home.runs().join(id)).expect("it can be written");
        }
        (dir, home)
    }

    fn resolved(home: &Home, word: Option<&str>) -> Result<String, String> {
        let name = |path: PathBuf| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        home.resolve(word).map(name).map_err(|error| error.to_string())
    }

    #[test]
    fn run_ids_sort_by_time() {
        let ids: Vec<String> = [0, 999_000, 1_000_000, 1_001_000, 61_000_000]
            .into_iter()
            .map(|us| run_id(us, u64::MAX - us))
            .collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(run_id(1_795_342_530_000_000, 0), "20261122-101530-000000");
    }

    #[test]
    fn a_run_is_found_by_last_id_and_unique_prefix() {
        let (_dir, home) = home_with(&["20261122-101530-aa", "20261122-101531-bb", "20261122-101531-bbc"]);
        assert_eq!(resolved(&home, None).as_deref(), Ok("20261122-101531-bbc"));
        assert_eq!(resolved(&home, Some("20261122-101530")).as_deref(), Ok("20261122-101530-aa"));
        assert_eq!(resolved(&home, Some("20261122-101531-bb")).as_deref(), Ok("20261122-101531-bb"));
    }

    #[test]
    fn a_run_that_cannot_be_told_is_an_error_with_advice() {
        let (_dir, home) = home_with(&["20261122-101530-aa", "20261122-101531-bb"]);
        assert!(resolved(&home, Some("2026")).is_err_and(|error| error.contains("20261122-101531-bb")));
        assert!(
            resolved(&home, Some("20261122-101530-ab"))
                .is_err_and(|error| error.contains("did you mean 20261122-101530-aa"))
        );
        assert!(resolved(&home, Some("x")).is_err_and(|error| error.contains("`theater runs`")));
        assert!(resolved(&home, Some("./x")).is_err_and(|error| error.contains("./x")));
    }

    #[test]
    fn an_empty_home_says_how_to_make_a_run() {
        let (_dir, home) = home_with(&[]);
        assert!(resolved(&home, None).is_err_and(|error| error.contains("`theater run DIR`")));
    }

    #[test]
    fn two_runs_in_the_same_millisecond_get_two_directories() {
        let (_dir, home) = home_with(&[]);
        let made: Vec<_> =
            (0..2).map(|_| home.new_run(5, [7; 8]).map(|(id, _)| id).map_err(|e| e.to_string())).collect();
        assert_ne!(made[0], made[1]);
        assert!(made.iter().all(Result::is_ok));
    }
}
