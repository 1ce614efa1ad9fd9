//! The paths that panics in a guest show: the same wherever it is built, because they end up in its hash.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;

/// Makes a build of the workspace at `root` show its own files below `.`, those beside it below `..`, and those of
/// registries and repositories below `registry` and `git`.
pub(crate) fn hide(command: &mut Command, machine: &Machine, root: &Path) {
    let home = machine.env("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let flags: Vec<String> = shown(root, home.as_deref())
        .into_iter()
        .map(|(prefix, name)| format!("--remap-path-prefix={}={name}", prefix.display()))
        .collect();
    let flags = serde_json::Value::from(flags);
    // Beside what other configuration says, not instead of it.
    command.args(["--config".to_owned(), format!("target.{}.rustflags={flags}", crate::TARGET)]);
}

/// Returns folders and their names, of which the last that fits a path counts.
fn shown(root: &Path, cargo_home: Option<&Path>) -> Vec<(PathBuf, String)> {
    let above = root.ancestors().skip(1).filter(|dir| dir.parent().is_some()).enumerate();
    let mut shown: Vec<(PathBuf, String)> =
        above.map(|(above, dir)| (dir.to_owned(), format!("..{}", "/..".repeat(above)))).collect();
    shown.reverse();
    shown.push((root.to_owned(), ".".to_owned()));
    if let Some(home) = cargo_home {
        shown.push((home.join("registry").join("src"), "registry".to_owned()));
        shown.push((home.join("git").join("checkouts"), "git".to_owned()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearer_counts_more_and_the_root_of_the_file_system_is_nothing() {
        let shown = shown(Path::new("/home/me/actor"), Some(Path::new("/home/me/.cargo")));
        let shown: Vec<_> = shown.iter().map(|(dir, name)| (dir.to_str().unwrap(), name.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("/home", "../.."),
                ("/home/me", ".."),
                ("/home/me/actor", "."),
                ("/home/me/.cargo/registry/src", "registry"),
                ("/home/me/.cargo/git/checkouts", "git"),
            ]
        );
    }
}
