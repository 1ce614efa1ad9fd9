//! What a command makes: on stdout, or in a file that was not there before.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// It holds secrets of a run.
    Owner,
    /// It is made to be given away.
    All,
}

/// Creates a file; nothing is replaced unasked.
pub(crate) fn create(path: &Path, readers: Readers) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => CliError::environment(format!("{} exists already", path.display()))
            .hint("name another file or delete this one: nothing is replaced unasked"),
        ErrorKind::NotFound => CliError::io(format!("failed to create {}", path.display()), error)
            .hint("its folder must be there already"),
        _ => CliError::io(format!("failed to create {}", path.display()), error),
    })
}

/// Writes a text to the file that was asked for, or to stdout. Nothing is left of a file that could not be written.
pub(crate) fn write(path: Option<&Path>, text: &str, printer: Printer) -> Result<(), CliError> {
    let Some(path) = path else {
        let mut out = printer.data();
        return out.write_all(text.as_bytes()).and_then(|()| out.flush()).shown();
    };
    let mut file = create(path, Readers::All)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a file is none; that it could not be written is the error to show.
        fs::remove_file(path).ok();
        CliError::io(format!("failed to write {}", path.display()), error)
    })
}
