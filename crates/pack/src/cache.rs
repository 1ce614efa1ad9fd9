//! Compiled code on disk: one private directory of entries that are authenticated before they are run.
//!
//! Whoever can write an entry that is accepted here runs native code in this process. So the directory is
//! 0700 and ours, and each entry carries an HMAC-SHA-256 under the node key over engine, package and code.
//! An entry that does not match is treated as absent and written again.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

/// Where compiled code is kept, and the key that authenticates it.
#[derive(Clone)]
pub struct CacheDir {
    /// The directory; made if it is missing.
    pub path: PathBuf,
    /// A secret of this node.
    pub key: [u8; 32],
}

impl fmt::Debug for CacheDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheDir").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a directory is not used as a cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("cannot use {path:?}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{0:?} is open to other users; `chmod 700` it")]
    Open(PathBuf),
    #[error("{0:?} belongs to another user")]
    Foreign(PathBuf),
}

/// Files in the directory beyond which the oldest go.
const FILES_MAX: usize = 256;

const MAGIC: &[u8; 8] = b"PKCODE1\n";
const MAC_BYTES: usize = 32;

/// An open cache of one engine.
pub(crate) struct Cache {
    path: PathBuf,
    key: [u8; 32],
    engine: [u8; 32],
}

impl Cache {
    /// Opens the directory for the engine with this identity.
    pub(crate) fn open(dir: &CacheDir, engine: [u8; 32]) -> Result<Self, CacheError> {
        make_private(&dir.path)?;
        Ok(Self { path: dir.path.clone(), key: dir.key, engine })
    }

    /// Returns the compiled code of a package, if there is an entry that this node wrote.
    pub(crate) fn read(&self, package: &[u8; 32]) -> Option<Vec<u8>> {
        let mut entry = fs::read(self.entry(package)).ok()?;
        let header = MAGIC.len() + MAC_BYTES;
        if entry.len() < header || entry[..MAGIC.len()] != *MAGIC {
            return None;
        }
        let expected = self.mac(package, &entry[header..]);
        if !equal(&expected, &entry[MAGIC.len()..header]) {
            return None;
        }
        entry.drain(..header);
        Some(entry)
    }

    /// Writes an entry; readers see all of it or nothing.
    pub(crate) fn write(&self, package: &[u8; 32], code: &[u8]) -> io::Result<()> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path.join(format!(".{}-{unique}.tmp", std::process::id()));
        let written = (|| {
            let mut file = fs::File::create(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(&self.mac(package, code))?;
            file.write_all(code)?;
            drop(file);
            fs::rename(&temporary, self.entry(package))?;
            self.prune(FILES_MAX)
        })();
        if written.is_err() {
            // The write has failed already; what the removal says adds nothing.
            drop(fs::remove_file(&temporary));
        }
        written
    }

    /// Removes the oldest files, also those that a crash left half written, until so many are left.
    fn prune(&self, files_max: usize) -> io::Result<()> {
        let mut files = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            files.push((file.metadata()?.modified()?, file.path()));
        }
        files.sort();
        let surplus = files.len().saturating_sub(files_max);
        for (_, path) in &files[..surplus] {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn entry(&self, package: &[u8; 32]) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(self.engine);
        hash.update(package);
        let mut name = String::with_capacity(69);
        for byte in hash.finalize() {
            name.push_str(&format!("{byte:02x}"));
        }
        name.push_str(".code");
        self.path.join(name)
    }

    fn mac(&self, package: &[u8; 32], code: &[u8]) -> [u8; 32] {
        hmac(&self.key, &[b"pack/code/1", &self.engine, package, code])
    }
}

/// HMAC-SHA-256 of the concatenated parts.
fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut inner_pad = [0x36; 64];
    let mut outer_pad = [0x5c; 64];
    for (i, byte) in key.iter().enumerate() {
        inner_pad[i] ^= byte;
        outer_pad[i] ^= byte;
    }
    let mut inner = Sha256::new();
    inner.update(inner_pad);
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(outer_pad);
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// Compares without an early exit.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(unix)]
fn make_private(path: &Path) -> Result<(), CacheError> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    let io = |source| CacheError::Io { path: path.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    let dir = fs::metadata(path).map_err(io)?;
    if dir.mode() & 0o077 != 0 {
        return Err(CacheError::Open(path.to_owned()));
    }
    // A file that this process makes has its owner; the standard library has no other way to ask.
    let probe_path = path.join(format!(".{}.probe", std::process::id()));
    let probe = fs::File::create(&probe_path).and_then(|f| f.metadata()).map_err(io)?;
    fs::remove_file(&probe_path).map_err(io)?;
    if probe.uid() != dir.uid() {
        return Err(CacheError::Foreign(path.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> Result<(), CacheError> {
    fs::create_dir_all(path).map_err(|source| CacheError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_is_the_hmac_of_rfc_4231() {
        // Test case 1, its 20-byte key padded with zeros as HMAC itself does.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = hmac(&key, &[b"Hi ", b"There"]);
        let hex: String = mac.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn entry_of_another_package_engine_or_key_is_absent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        let open = |key, engine| Cache::open(&CacheDir { path: path.clone(), key: [key; 32] }, [engine; 32]);
        let cache = open(1, 1).unwrap();
        cache.write(&[7; 32], b"code").unwrap();
        assert_eq!(cache.read(&[7; 32]).as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.read(&[8; 32]), None);
        assert_eq!(open(1, 2).unwrap().read(&[7; 32]), None);
        assert_eq!(open(2, 1).unwrap().read(&[7; 32]), None);
        fs::rename(cache.entry(&[7; 32]), cache.entry(&[8; 32])).unwrap();
        assert_eq!(cache.read(&[8; 32]), None, "an entry under another name is not accepted");
    }

    #[test]
    fn entry_with_any_flipped_bit_is_absent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        let cache = Cache::open(&CacheDir { path, key: [1; 32] }, [1; 32]).unwrap();
        cache.write(&[7; 32], b"code").unwrap();
        let whole = fs::read(cache.entry(&[7; 32])).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(cache.entry(&[7; 32]), &bad).unwrap();
            assert_eq!(cache.read(&[7; 32]), None, "bit {bit}");
        }
        for length in 0..whole.len() {
            fs::write(cache.entry(&[7; 32]), &whole[..length]).unwrap();
            assert_eq!(cache.read(&[7; 32]), None, "length {length}");
        }
    }

    #[test]
    fn oldest_files_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code");
        let cache = Cache::open(&CacheDir { path, key: [1; 32] }, [1; 32]).unwrap();
        for package in 0..5_u8 {
            cache.write(&[package; 32], b"code").unwrap();
            let age = std::time::Duration::from_secs(1000 + u64::from(package));
            let file = fs::File::options().write(true).open(cache.entry(&[package; 32])).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + age).unwrap();
        }
        cache.prune(2).unwrap();
        let kept: Vec<_> = (0..5_u8).filter(|package| cache.read(&[*package; 32]).is_some()).collect();
        assert_eq!(kept, [3, 4]);
    }

    #[cfg(unix)]
    #[test]
    fn directory_is_private_or_refused() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/code");
        make_private(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(make_private(&path), Err(CacheError::Open(_))));
    }
}
