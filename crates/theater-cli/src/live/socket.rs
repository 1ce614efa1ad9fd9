//! Where the control sockets of live runs are: in a folder that only its owner can open, by paths short enough for
//! every system.
//!
//! `/tmp/theater-UID/HOME/RUN.sock`, where HOME stands for the home whose runs they are.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::home::Home;
use crate::ui::error::CliError;

/// A home of any length must not make the path of a socket longer than the 104 bytes that some systems allow.
const BASE: &str = "/tmp";
const SUFFIX: &str = ".sock";

/// The sockets of one home's live runs.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    /// Of this user, and in it of this home.
    folders: [PathBuf; 2],
}

/// A socket that is listened to; its file goes away with it.
pub(crate) struct Listening {
    pub(crate) listener: UnixListener,
    path: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Whoever finds it later finds nobody behind it, and deletes it.
        fs::remove_file(&self.path).ok();
    }
}

impl Sockets {
    /// Returns the sockets of a home.
    pub(crate) fn of(home: &Home) -> Self {
        Self::below(Path::new(BASE), home.root())
    }

    fn below(base: &Path, home: &Path) -> Self {
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let name = theater_chain::Hash::of_blob(home.as_os_str().as_encoded_bytes());
        let user = base.join(format!("theater-{}", rustix::process::geteuid().as_raw()));
        let name: String = name.to_string().chars().take(12).collect();
        Self { folders: [user.clone(), user.join(name)] }
    }

    fn folder(&self) -> &Path {
        &self.folders[1]
    }

    fn path(&self, run_id: &str) -> PathBuf {
        self.folder().join(format!("{run_id}{SUFFIX}"))
    }

    /// Listens for what is said to a run.
    ///
    /// # Errors
    /// Fails if the folder is not this user's alone, or if the system refuses.
    pub(crate) fn listen(&self, run_id: &str) -> Result<Listening, CliError> {
        for folder in &self.folders {
            make_private(folder)?;
        }
        let path = self.path(run_id);
        let listener = UnixListener::bind(&path)
            .map_err(|error| CliError::io(format!("failed to listen at {}", path.display()), error))?;
        Ok(Listening { listener, path })
    }

    /// Connects to a run; none if it does not listen.
    ///
    /// # Errors
    /// Fails if the folder is not this user's alone, or if the system refuses.
    pub(crate) fn connect(&self, run_id: &str) -> Result<Option<UnixStream>, CliError> {
        for folder in &self.folders {
            if !folder.try_exists().unwrap_or(true) {
                return Ok(None);
            }
            check_private(folder)?;
        }
        let path = self.path(run_id);
        match UnixStream::connect(&path) {
            Ok(stream) => Ok(Some(stream)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // Its process is gone without a word.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(&path).ok();
                Ok(None)
            }
            Err(error) => Err(CliError::io(format!("failed to connect to {}", path.display()), error)),
        }
    }

    /// Returns the ids of the runs that listen, oldest first.
    ///
    /// # Errors
    /// Fails if the folder is not this user's alone, or if the system refuses.
    pub(crate) fn live(&self) -> Result<Vec<String>, CliError> {
        let entries = match fs::read_dir(self.folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(CliError::io(format!("failed to read {}", self.folder().display()), error));
            }
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids = Vec::new();
        for id in names.filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned)) {
            if self.connect(&id)?.is_some() {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }
}

fn make_private(folder: &Path) -> Result<(), CliError> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(folder),
        Err(error) => Err(CliError::io(format!("failed to make {}", folder.display()), error)),
    }
}

/// Refuses a folder that somebody else could have put there, or could look into.
fn check_private(folder: &Path) -> Result<(), CliError> {
    let found = fs::symlink_metadata(folder)
        .map_err(|error| CliError::io(format!("failed to look at {}", folder.display()), error))?;
    let is_ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if is_ours && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    let what = format!("{} is not a folder that only you can open", folder.display());
    Err(CliError::environment(what).hint("delete it: it is made anew"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn socket_is_found_while_it_is_listened_to_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let sockets = Sockets::below(dir.path(), dir.path());
        assert_eq!(sockets.live().unwrap(), Vec::<String>::new());
        assert!(sockets.connect("20261122-101530-000000").unwrap().is_none());
        let listening = sockets.listen("20261122-101530-000000").unwrap();
        assert_eq!(sockets.live().unwrap(), ["20261122-101530-000000"]);
        for folder in &sockets.folders {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(Sockets::below(dir.path(), elsewhere.path()).live().unwrap().is_empty(), "another home");
        drop(listening);
        assert_eq!(sockets.live().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn socket_whose_process_is_gone_is_no_live_run() {
        let dir = tempfile::tempdir().unwrap();
        let sockets = Sockets::below(dir.path(), dir.path());
        let Listening { listener, path } = &*std::mem::ManuallyDrop::new(sockets.listen("run").unwrap());
        assert!(path.exists());
        // Closed without the file being deleted, as by a process that is killed.
        drop(listener.try_clone().unwrap());
        rustix::net::shutdown(listener, rustix::net::Shutdown::Both).unwrap();
        assert!(sockets.live().unwrap().is_empty());
        assert!(!path.exists());
    }

    #[test]
    fn folder_that_others_can_open_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let sockets = Sockets::below(dir.path(), dir.path());
        drop(sockets.listen("run").unwrap());
        fs::set_permissions(&sockets.folders[0], fs::Permissions::from_mode(0o755)).unwrap();
        assert!(sockets.listen("run").is_err_and(|error| error.to_string().contains("only you")));
        assert!(sockets.connect("run").is_err());
        fs::remove_dir_all(&sockets.folders[0]).unwrap();
        std::os::unix::fs::symlink(dir.path(), &sockets.folders[0]).unwrap();
        assert!(sockets.listen("run").is_err(), "a link to elsewhere");
    }

    #[test]
    fn path_of_a_socket_fits_everywhere() {
        let home = PathBuf::from("/").join("long".repeat(100));
        let path = Sockets::below(Path::new(BASE), &home).path("20261122-101530-000000");
        assert!(path.as_os_str().len() < 90, "{}", path.display());
    }
}
