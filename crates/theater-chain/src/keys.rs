//! Ed25519 keys: those that sign checkpoints or cosign them, and the public keys by which others know them.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::hash::{Hash, Stream};
use crate::{storage, text};

const FILE_PREFIX: &str = "theater-node-key-1 ";
const KEY_FILE_BYTES_MAX: usize = 256;

/// The signature type of the signed-note format that stands for Ed25519 over the text.
pub(crate) const TYPE_ED25519: u8 = 1;
/// The one that stands for a witness's cosignature with a time.
pub(crate) const TYPE_COSIGNATURE: u8 = 4;

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system refused.
    #[error("failed to use the key {}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others can read the file.
    #[error("the key {} can be read by others; make it readable by its owner only", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// Others can put another key in its place.
    #[error("others can write to {}, where the key is; make it writable by its owner only", path.display())]
    ExposedFolder {
        /// The folder of the key file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} does not hold a signing key", path.display())]
    NotAKey {
        /// The key file.
        path: PathBuf,
    },
}

/// A text that is not a public key in the form `name+id+base64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPublicKey {
    /// Not three parts, or a name that cannot be one.
    #[error("a public key is written name+id+base64, its name without spaces and plus signs")]
    Form,
    /// The part after the id is no Ed25519 key.
    #[error("the public key is not an Ed25519 key")]
    Key,
    /// The id belongs to another name or key.
    #[error("the id of the public key does not belong to its name and key")]
    Id,
}

/// What a public key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// Checkpoints of its own runs.
    Node,
    /// Checkpoints that it has seen: a witness.
    Witness,
}

/// A named Ed25519 public key, written as the signed-note format writes verifier keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    name: String,
    key: [u8; 32],
    usage: KeyUse,
}

impl PublicKey {
    /// Returns the public key of the node with these 32 bytes; its name is derived from them.
    pub fn of_node(key: [u8; 32]) -> Self {
        Self { name: format!("theater.node/{}", text::hex(&key[..8])), key, usage: KeyUse::Node }
    }

    /// Returns the public key of the witness with these 32 bytes; its name is derived from them.
    pub fn of_witness(key: [u8; 32]) -> Self {
        Self { name: format!("theater.witness/{}", text::hex(&key[..8])), key, usage: KeyUse::Witness }
    }

    /// Returns the key under a name of somebody's choice.
    ///
    /// # Errors
    /// If the name is empty or has spaces or plus signs.
    pub fn named(name: &str, key: [u8; 32], usage: KeyUse) -> Result<Self, NotAPublicKey> {
        if name.is_empty() || name.chars().any(|c| c == '+' || c.is_whitespace()) {
            return Err(NotAPublicKey::Form);
        }
        Ok(Self { name: name.to_owned(), key, usage })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its 32 bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.key
    }

    /// Returns what it may sign.
    pub fn usage(&self) -> KeyUse {
        self.usage
    }

    const fn type_byte(&self) -> u8 {
        match self.usage {
            KeyUse::Node => TYPE_ED25519,
            KeyUse::Witness => TYPE_COSIGNATURE,
        }
    }

    /// Returns the four bytes by which a signature line names its key.
    pub fn id(&self) -> [u8; 4] {
        let mut stream = Stream::new();
        stream.update(self.name.as_bytes());
        stream.update(&[b'\n', self.type_byte()]);
        stream.update(&self.key);
        let Hash([a, b, c, d, ..]) = stream.finish();
        [a, b, c, d]
    }

    /// Says whether `signature` is this key's over `message`.
    pub fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.key)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.type_byte()];
        bytes.extend_from_slice(&self.key);
        write!(formatter, "{}+{}+{}", self.name, text::hex(&self.id()), text::base64(&bytes))
    }
}

impl FromStr for PublicKey {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<Self, NotAPublicKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAPublicKey::Form);
        };
        let bytes = text::parse_base64(key).ok_or(NotAPublicKey::Key)?;
        let usage = match bytes.first() {
            Some(&TYPE_ED25519) => KeyUse::Node,
            Some(&TYPE_COSIGNATURE) => KeyUse::Witness,
            _ => return Err(NotAPublicKey::Key),
        };
        let key: [u8; 32] = bytes[1..].try_into().map_err(|_| NotAPublicKey::Key)?;
        VerifyingKey::from_bytes(&key).map_err(|_| NotAPublicKey::Key)?;
        let key = Self::named(name, key, usage)?;
        if text::parse_hex::<4>(id) != Some(key.id()) {
            return Err(NotAPublicKey::Id);
        }
        Ok(key)
    }
}

/// A signing key: of a node, or of a witness.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// Returns the signer with this seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// Loads the key file, or makes one from `entropy` if there is none: 0600 in a folder that is 0700.
    ///
    /// # Errors
    /// If the file cannot be read or made, holds no key, or can be read by others.
    pub fn load_or_create(path: &Path, entropy: &[u8; 32]) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        match fs::read(path) {
            Ok(bytes) => Self::parse(path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_key_file(path, entropy).map_err(io)?;
                // Another process may have been first: what the file holds counts.
                Self::parse(path, &fs::read(path).map_err(io)?)
            }
            Err(error) => Err(io(error)),
        }
    }

    /// Loads the key file, if there is one.
    ///
    /// # Errors
    /// As [`Self::load_or_create`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(path, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyError::Io { path: path.to_owned(), source }),
        }
    }

    /// Puts a new key, made from `entropy`, in the place of the one in the key file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn replace(path: &Path, entropy: &[u8; 32]) -> Result<Self, KeyError> {
        let replaced = write_key_file(path, entropy).and_then(|temporary| {
            fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
            fs::File::open(folder_of(path))?.sync_all()
        });
        replaced.map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
        Ok(Self::from_seed(entropy))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, KeyError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let mode = |of: &Path| fs::metadata(of).map(|metadata| metadata.mode());
            let io = |source| KeyError::Io { path: path.to_owned(), source };
            if mode(path).map_err(io)? & 0o077 != 0 {
                return Err(KeyError::Exposed { path: path.to_owned() });
            }
            if mode(folder_of(path)).map_err(io)? & 0o022 != 0 {
                return Err(KeyError::ExposedFolder { path: folder_of(path).to_owned() });
            }
        }
        std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.len() <= KEY_FILE_BYTES_MAX)
            .and_then(|text| text.strip_prefix(FILE_PREFIX)?.strip_suffix('\n'))
            .and_then(text::parse_hex)
            .map(|seed| Self::from_seed(&seed))
            .ok_or_else(|| KeyError::NotAKey { path: path.to_owned() })
    }

    /// Returns the public half as that of a node.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of_node(self.key.verifying_key().to_bytes())
    }

    /// Returns the public half as that of a witness.
    pub fn witness_key(&self) -> PublicKey {
        PublicKey::of_witness(self.key.verifying_key().to_bytes())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Derives a secret for another use of this node, such as authenticating its caches.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut stream = Stream::new();
        stream.update(b"theater.run/node/v1 derive");
        stream.update(self.key.as_bytes());
        stream.update(purpose.as_bytes());
        stream.finish().0
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.public_key())
    }
}

/// Tells the temporary names of one process apart.
static KEY_FILES_MADE: AtomicU32 = AtomicU32::new(0);

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Writes the key under a name of its own and links it into place: whoever is second keeps the first one's key.
fn create_key_file(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let temporary = write_key_file(path, seed)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(folder_of(path))?.sync_all(),
    }
}

/// Writes the key under a name of its own; nothing is left of it if that fails.
fn write_key_file(path: &Path, seed: &[u8; 32]) -> io::Result<PathBuf> {
    storage::private_folder(folder_of(path))?;
    let number = KEY_FILES_MADE.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let mut file = storage::create_options().truncate(true).open(&temporary)?;
    let written = file
        .write_all(format!("{FILE_PREFIX}{}\n", text::hex(seed)).as_bytes())
        .and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            // That it could not be written is the error to tell.
            fs::remove_file(&temporary).ok();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/node.key");
        let first = Signer::load_or_create(&path, &[1; 32]).unwrap();
        let second = Signer::load_or_create(&path, &[2; 32]).unwrap();
        assert_eq!(first.public_key(), second.public_key());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let exposed = Signer::load_or_create(&path, &[1; 32]);
            assert!(matches!(exposed, Err(KeyError::Exposed { .. })));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o770)).unwrap();
            let exposed = Signer::load(&path);
            assert!(matches!(exposed, Err(KeyError::ExposedFolder { .. })));
            fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::write(&path, "something else").unwrap();
        assert!(matches!(Signer::load_or_create(&path, &[1; 32]), Err(KeyError::NotAKey { .. })));
    }

    #[test]
    fn a_key_that_is_replaced_is_replaced_whole_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/node.key");
        assert!(Signer::load(&path).unwrap().is_none());
        let old = Signer::load_or_create(&path, &[1; 32]).unwrap().public_key();
        let new = Signer::replace(&path, &[2; 32]).unwrap().public_key();
        assert_ne!(old, new);
        assert_eq!(Signer::load(&path).unwrap().map(|signer| signer.public_key()), Some(new));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn all_who_are_first_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8u8)
                .map(|number| {
                    let path = &path;
                    scope.spawn(move || Signer::load_or_create(path, &[number; 32]).unwrap().public_key())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_public_key_reads_back_and_a_wrong_id_is_refused() {
        let key = Signer::from_seed(&[3; 32]).public_key();
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key.clone()));
        assert_eq!(text.replacen("theater", "theatre", 1).parse::<PublicKey>(), Err(NotAPublicKey::Id));
        assert_eq!("a+b".parse::<PublicKey>(), Err(NotAPublicKey::Form));
        assert_eq!("a+00000000+AA==".parse::<PublicKey>(), Err(NotAPublicKey::Key));
        let witness = PublicKey::named("w.example/1", key.bytes(), KeyUse::Witness).unwrap();
        assert_eq!(witness.to_string().parse(), Ok(witness));
    }

    #[test]
    fn the_verifier_key_of_the_signed_note_documentation_reads() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", text));
    }
}
