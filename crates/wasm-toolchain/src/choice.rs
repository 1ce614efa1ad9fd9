//! The toolchain that was found last time, so that finding it again costs a few file lookups.
//!
//! The file remembers size and time of every tool, and where a better library was missing. If a tool changed or
//! such a library came, the search starts anew; a file that cannot be read or written only costs the search.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::toolchain::{Origin, Toolchain};

const FORMAT: u64 = 2;

/// Returns the remembered toolchain if all its files are as they were.
pub(crate) fn read(file: &Path) -> Option<Toolchain> {
    let text = fs::read_to_string(file).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    if value["format"].as_u64() != Some(FORMAT) {
        return None;
    }
    let missing = value["missing"].as_array()?.iter().filter_map(Value::as_str);
    if missing.into_iter().any(|dir| Path::new(dir).exists()) {
        return None;
    }
    let path = |name: &str| value[name].as_str().map(PathBuf::from);
    let origin = Origin::ALL.into_iter().find(|origin| value["origin"].as_str() == Some(origin.name()))?;
    let toolchain = Toolchain {
        rustc: path("rustc")?,
        cargo: path("cargo")?,
        linker: path("linker")?,
        sysroot: path("sysroot"),
        library: [path("core")?, path("std")?],
        origin,
        version: value["version"].as_str()?.parse().ok()?,
    };
    (stamps(&toolchain)? == value["stamps"]).then_some(toolchain)
}

/// Remembers a toolchain, and the folders that would hold a better library. Failing to do so is no error: the next
/// search takes longer.
pub(crate) fn write(file: &Path, toolchain: &Toolchain, missing: &[&Path]) {
    let Some(stamps) = stamps(toolchain) else { return };
    let text = |path: &Path| path.to_str().map(str::to_owned);
    let value = json!({
        "format": FORMAT,
        "rustc": text(&toolchain.rustc),
        "cargo": text(&toolchain.cargo),
        "linker": text(&toolchain.linker),
        "sysroot": toolchain.sysroot.as_deref().map(text),
        "core": text(&toolchain.library[0]),
        "std": text(&toolchain.library[1]),
        "origin": toolchain.origin.name(),
        "version": toolchain.version.to_string(),
        "stamps": stamps,
        "missing": missing.iter().map(|dir| text(dir)).collect::<Vec<_>>(),
    });
    let Some(dir) = file.parent() else { return };
    // Renamed into place: a reader sees the old file or the new one, never half of one.
    let aside = dir.join(format!("choice.{}", std::process::id()));
    let written = fs::create_dir_all(dir).and_then(|()| fs::write(&aside, format!("{value:#}\n")));
    if written.and_then(|()| fs::rename(&aside, file)).is_err() {
        fs::remove_file(&aside).ok();
    }
}

/// Size and time of every file that the choice rests on.
fn stamps(toolchain: &Toolchain) -> Option<Value> {
    let Toolchain { rustc, cargo, linker, library: [core, std], .. } = toolchain;
    let stamp = |path: &PathBuf| {
        let meta = fs::metadata(path).ok()?;
        let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(json!([meta.len(), modified.as_micros().to_string()]))
    };
    [rustc, cargo, linker, core, std].into_iter().map(stamp).collect::<Option<Vec<_>>>().map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(dir: &Path) -> Toolchain {
        let file = |name: &str| {
            let path = dir.join(name);
            fs::write(&path, name).expect("written");
            path
        };
        Toolchain {
            rustc: file("rustc"),
            cargo: file("cargo"),
            linker: file("rust-lld"),
            sysroot: Some(dir.to_owned()),
            library: [file("libcore-1.rlib"), file("libstd-1.rlib")],
            origin: Origin::Sources,
            version: "1.96.0".parse().expect("a version"),
        }
    }

    #[test]
    fn a_choice_is_read_back_as_it_was_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("toolchain/choice.json");
        let toolchain = toolchain(dir.path());
        write(&file, &toolchain, &[]);
        assert_eq!(read(&file), Some(toolchain));
        assert_eq!(file.parent().expect("a folder").read_dir().expect("readable").count(), 1);
    }

    #[test]
    fn a_changed_or_missing_tool_makes_the_choice_stale() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("choice.json");
        for name in ["rustc", "cargo", "rust-lld", "libcore-1.rlib", "libstd-1.rlib"] {
            write(&file, &toolchain(dir.path()), &[]);
            fs::write(dir.path().join(name), "another release").expect("written");
            assert_eq!(read(&file), None, "{name} changed");
            write(&file, &toolchain(dir.path()), &[]);
            fs::remove_file(dir.path().join(name)).expect("deleted");
            assert_eq!(read(&file), None, "{name} deleted");
        }
    }

    #[test]
    fn a_damaged_choice_is_no_choice() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("choice.json");
        assert_eq!(read(&file), None);
        write(&file, &toolchain(dir.path()), &[]);
        let good = fs::read_to_string(&file).expect("readable");
        for bad in [&good[..good.len() / 2], "", "null", &good.replace("\"format\": 2", "\"format\": 3")] {
            fs::write(&file, bad).expect("written");
            assert_eq!(read(&file), None, "{bad}");
        }
    }

    #[test]
    fn a_better_library_that_came_later_makes_the_choice_stale() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("choice.json");
        let better = dir.path().join("better");
        write(&file, &toolchain(dir.path()), &[&better]);
        assert!(read(&file).is_some());
        fs::create_dir(&better).expect("created");
        assert_eq!(read(&file), None);
    }
}
