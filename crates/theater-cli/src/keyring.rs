//! The keys of this home: the node's own, those that it used to have, and those that were trusted by hand.
//!
//! `keys/node.key` and `keys/witness.key` are secrets; `keys/retired/` and `keys/trusted/` hold public keys, one in
//! each file, named by people.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use theater_chain::{KeyUse, NotAPublicKey, PublicKey, Signer};

use crate::home::{Home, private_dir};
use crate::node;
use crate::ui::error::CliError;

/// Largest file that can hold a public key.
const FILE_BYTES_MAX: u64 = 4096;
const EXTENSION: &str = "pub";

/// Why a key is in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This node signs with it.
    Own,
    /// This node cosigns with it.
    OwnWitness,
    /// This node has signed with it.
    Retired,
    /// It was trusted by hand.
    Trusted,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnWitness => "own witness",
            Self::Retired => "retired",
            Self::Trusted => "trusted",
        }
    }
}

/// A key and why it is known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) origin: Origin,
    /// The name by which people know it here.
    pub(crate) label: String,
    pub(crate) key: PublicKey,
}

/// Returns every key that this home knows.
pub(crate) fn all(home: &Home) -> Result<Vec<Known>, CliError> {
    let mut known = Vec::new();
    if let Some(key) = node::public_key(home)? {
        known.push(Known { origin: Origin::Own, label: "node".to_owned(), key });
    }
    if let Some(signer) = node::load(&home.witness_key(), home)? {
        let key = signer.witness_key();
        known.push(Known { origin: Origin::OwnWitness, label: "witness".to_owned(), key });
    }
    for (folder, origin) in [(home.retired_keys(), Origin::Retired), (home.trusted_keys(), Origin::Trusted)] {
        known.extend(listed(&folder, origin)?);
    }
    Ok(known)
}

fn listed(folder: &Path, origin: Origin) -> Result<Vec<Known>, CliError> {
    let failed = |error| CliError::io(format!("failed to list {}", folder.display()), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    paths.sort();
    let known = |path: &PathBuf| {
        let label = path.file_stem().map(|label| label.to_string_lossy().into_owned()).unwrap_or_default();
        let key = read(path)
            .map_err(|error| error.hint(format!("write the key anew, or delete {}", path.display())))?;
        Ok(Known { origin, label, key })
    };
    paths.iter().map(known).collect()
}

/// Reads a key: the word itself, or the first line of the file that it names.
pub(crate) fn key_of(word: &str) -> Result<PublicKey, CliError> {
    if Path::new(word).is_file() {
        return read(Path::new(word));
    }
    word.parse().map_err(|error| not_a_key(word, error))
}

/// Reads a key that must be of a witness, or must not.
pub(crate) fn key_for(word: &str, usage: KeyUse) -> Result<PublicKey, CliError> {
    let key = key_of(word)?;
    if key.usage() == usage {
        return Ok(key);
    }
    let what = match usage {
        KeyUse::Node => "is the key of a witness, which signs no runs",
        KeyUse::Witness => "is the key of a node, which cosigns nothing",
    };
    let error = CliError::environment(format!("{} {what}", key.name()));
    Err(match usage {
        KeyUse::Node => error.hint("give it with `--witness`"),
        KeyUse::Witness => {
            error.hint("give it with `--key`; `theater keys export --witness` prints a witness's")
        }
    })
}

fn read(path: &Path) -> Result<PublicKey, CliError> {
    let shown = path.display();
    let mut text = String::new();
    fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)).map_err(
        |error| match error.kind() {
            io::ErrorKind::InvalidData => not_a_key(&shown.to_string(), NotAPublicKey::Form),
            _ => CliError::io(format!("failed to read the key in {shown}"), error),
        },
    )?;
    text.lines()
        .next()
        .unwrap_or_default()
        .trim()
        .parse()
        .map_err(|error| not_a_key(&shown.to_string(), error))
}

fn not_a_key(word: &str, error: NotAPublicKey) -> CliError {
    CliError::environment(format!("`{word}` is neither a public key nor a file that holds one"))
        .because(error)
        .hint("`theater keys export` prints the one of a node, name+id+base64")
}

/// Trusts a key under a name of this home. One that is there already is fine, another key of this name is not.
pub(crate) fn trust(home: &Home, key: &PublicKey, label: &str) -> Result<(), CliError> {
    check_label(label)?;
    if all(home)?.iter().any(|known| known.key == *key && known.label == label) {
        return Ok(());
    }
    home.create()?;
    store(home, &home.trusted_keys(), label, key)
}

/// Stops trusting a key.
pub(crate) fn forget(home: &Home, label: &str) -> Result<(), CliError> {
    check_label(label)?;
    let path = home.trusted_keys().join(format!("{label}.{EXTENSION}"));
    fs::remove_file(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            CliError::environment(format!("no key is trusted under the name `{label}`"))
                .hint("`theater keys` lists them")
        }
        _ => CliError::io(format!("failed to delete {}", path.display()), error),
    })
}

/// Puts a new node key in the place of the old one, whose public half stays to verify what it has signed.
pub(crate) fn rotate(home: &Home, seed: &[u8; 32]) -> Result<(PublicKey, PublicKey), CliError> {
    let old = node::signer(home)?.public_key();
    let lock = home.keys().join("lock");
    let held = theater_chain::lock_file(&lock)
        .map_err(|error| CliError::io(format!("failed to lock {}", lock.display()), error))?;
    // Another process may have been first.
    let old = node::public_key(home)?.unwrap_or(old);
    let label = old.name().rsplit('/').next().unwrap_or_default().to_owned();
    store(home, &home.retired_keys(), &label, &old)?;
    let new = Signer::replace(&home.node_key(), seed).map_err(|error| node::unusable_key(home, error))?;
    drop(held);
    Ok((old, new.public_key()))
}

fn store(home: &Home, folder: &Path, label: &str, key: &PublicKey) -> Result<(), CliError> {
    let path = folder.join(format!("{label}.{EXTENSION}"));
    private_dir(&home.keys()).and_then(|()| private_dir(folder)).map_err(|error| home.unusable(error))?;
    let mut file =
        tempfile::Builder::new().prefix(".key-").tempfile_in(folder).map_err(|error| home.unusable(error))?;
    writeln!(file, "{key}").and_then(|()| file.as_file().sync_all()).map_err(|error| home.unusable(error))?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            if read(&path).is_ok_and(|there| there == *key) {
                return Ok(());
            }
            Err(CliError::environment(format!("another key is known under the name `{label}`"))
                .hint("choose a name with `--name`, or `theater keys forget` the other one"))
        }
        Err(error) => Err(home.unusable(error.error)),
    }
}

fn check_label(label: &str) -> Result<(), CliError> {
    if theater_chain::is_run_id(label) {
        return Ok(());
    }
    Err(CliError::environment(format!("`{label}` cannot be the name of a key here"))
        .hint("use letters, digits, `-`, `_` and `.`, at most 64 of them: `--name build-server`"))
}
