//! Writes a new actor project that needs nothing but cargo: the SDK travels inside it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ui::error::CliError;
use crate::ui::text::nearest;

/// Path and contents of a file that travels in the binary.
type File = (&'static str, &'static [u8]);

/// What a new project is made from.
struct Template {
    name: &'static str,
    /// What it uses besides the SDK.
    dependencies: &'static [&'static str],
    /// Name and lock file entry of each package that these need.
    lock: &'static [(&'static str, &'static str)],
    files: &'static [File],
}

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Longest name of an actor: it becomes a folder, a crate and part of file names.
const NAME_BYTES_MAX: usize = 64;

/// Crate names that cargo or the compiler keep for themselves.
const RESERVED: [&str; 13] = [
    "alloc",
    "bin",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "pack-abi",
    "proc-macro",
    "proc_macro",
    "std",
    "test",
    "theater-guest",
];

/// Words of the language, which no crate can be called.
const KEYWORDS: [&str; 50] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while",
];

/// Creates `path` from a template. Either the whole project is there afterwards or nothing is.
pub(crate) fn create(path: &Path, template: &str) -> Result<PathBuf, CliError> {
    let name = name_of(path)?;
    let template = find(template)?;
    if fs::symlink_metadata(path).is_ok() {
        let empty = path.is_dir() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if !empty {
            return Err(CliError::environment(format!(
                "{} exists already and is not an empty folder",
                path.display()
            ))
            .hint("choose another name, or move away what is there"));
        }
    }
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let failed = |error| CliError::io(format!("failed to create {}", path.display()), error);
    // Written beside its place and renamed into it at the end; dropped, and with that removed, on any error.
    let beside = tempfile::Builder::new().prefix(".theater-new-").tempdir_in(parent).map_err(failed)?;
    let project = beside.path().join(name);
    write_project(&project, name, template).map_err(failed)?;
    fs::rename(&project, path).map_err(failed)?;
    Ok(path.to_owned())
}

/// Returns the names of the templates.
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    embedded::TEMPLATES.iter().map(|template| template.name)
}

fn find(wanted: &str) -> Result<&'static Template, CliError> {
    if let Some(template) = embedded::TEMPLATES.iter().find(|template| template.name == wanted) {
        return Ok(template);
    }
    let all: Vec<&str> = templates().collect();
    let error = CliError::environment(format!("there is no template `{wanted}`"));
    Err(match nearest(wanted, all.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the templates are: {}", all.join(", "))),
    })
}

/// Returns the last part of the path if an actor can be called so.
fn name_of(path: &Path) -> Result<&str, CliError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let refuse = |why: String| {
        let lower = name.to_lowercase().replace([' ', '.'], "-");
        let error = CliError::environment(format!("an actor cannot be called `{}`: {why}", path.display()))
            .hint("a name has small letters and digits, in words joined by `-` or `_`, and begins with a letter");
        if lower != name && fault(&lower).is_none() { error.hint(format!("try `{lower}`")) } else { error }
    };
    match fault(name) {
        None => Ok(name),
        Some(why) => Err(refuse(why)),
    }
}

/// Returns what is wrong with a name.
fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("that is no name".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("it is longer than {NAME_BYTES_MAX} letters"));
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some("it does not begin with a small letter".to_owned());
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        return Some(format!("it has {wrong:?} in it"));
    }
    if name.split(['-', '_']).any(str::is_empty) {
        return Some("there is a `-` or `_` with no word beside it".to_owned());
    }
    if KEYWORDS.contains(&name) || RESERVED.contains(&name) {
        return Some("the language or cargo uses that word".to_owned());
    }
    None
}

fn write_project(project: &Path, name: &str, template: &Template) -> io::Result<()> {
    for (path, contents) in template.files {
        match path.strip_suffix(".in") {
            // `.in` marks a template of a file: with the name put in, or called so that tools leave it alone here.
            Some(target) => {
                let text = String::from_utf8_lossy(contents).replace("{{name}}", name);
                let target = if target == "gitignore" { ".gitignore" } else { target };
                write(&project.join(target), text.as_bytes())?;
            }
            None => write(&project.join(path), contents)?,
        }
    }
    write(&project.join("Cargo.lock"), lock_file(name, template).as_bytes())?;
    let vendor = project.join("vendor").join("theater");
    for (path, contents) in embedded::SDK {
        write(&vendor.join(path), contents)?;
    }
    Ok(())
}

/// Returns the lock file of a project: the versions that this program was built and tested with.
fn lock_file(name: &str, template: &Template) -> String {
    let mut used = [template.dependencies, &["theater-guest"]].concat();
    used.sort_unstable();
    let used: String = used.iter().map(|name| format!(" \"{name}\",\n")).collect();
    let actor = format!("[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n{used}]\n");
    let needed: BTreeMap<&str, &str> = template.lock.iter().chain(embedded::LOCK).copied().collect();
    let mut entries: Vec<(&str, &str)> = needed.into_iter().chain([(name, actor.as_str())]).collect();
    entries.sort_unstable();
    let entries: Vec<&str> = entries.into_iter().map(|(_, entry)| entry).collect();
    // The lines that cargo itself writes, so that it leaves the file as it is.
    let header =
        "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\n";
    format!("{header}version = 4\n\n{}", entries.join("\n"))
}

fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_crates_are_refused() {
        for name in
            ["", "1st", "Hello", "a b", "a/../b!", "-a", "a--b", "a-", "fn", "test", "ähm", &"x".repeat(65)]
        {
            assert!(fault(name).is_some(), "{name}");
        }
        for name in ["a", "hello", "hello-world", "hello_2", "a-2nd", "async-thing"] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_with_capitals_gets_a_suggestion() {
        let error = name_of(Path::new("Hello World")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("try `hello-world`")));
    }

    #[test]
    fn a_folder_with_something_in_it_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let path = dir.path().join("hello");
        fs::create_dir(&path).expect("it can be written");
        fs::write(path.join("mine.txt"), "mine").expect("it can be written");
        assert!(create(&path, "basic").is_err_and(|error| error.to_string().contains("exists already")));
        let names: Vec<_> = fs::read_dir(dir.path()).expect("it can be listed").collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
        assert_eq!(fs::read_dir(&path).expect("it can be listed").count(), 1);
    }

    #[test]
    fn a_project_is_complete_and_holds_no_build_output() {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let path = create(&dir.path().join("hello"), "basic").expect("the folder is free");
        for file in [
            "Cargo.toml",
            "manifest.toml",
            "src/lib.rs",
            "src/tests.rs",
            "wit/world.wit",
            "README.md",
            ".gitignore",
        ] {
            assert!(path.join(file).is_file(), "{file}");
        }
        assert!(path.join("vendor/theater/theater-guest/src/lib.rs").is_file());
        assert!(!embedded::SDK.iter().any(|(path, _)| path.contains("target/") || path.contains("tests/")));
        let manifest = fs::read_to_string(path.join("Cargo.toml")).expect("it is text");
        assert!(manifest.contains("name = \"hello\"") && !manifest.contains("{{"));
    }

    #[test]
    fn the_default_actor_is_the_one_that_the_documentation_shows() {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let path = create(&dir.path().join("hello"), "basic").expect("the folder is free");
        let source = fs::read_to_string(path.join("src/lib.rs")).expect("it is text");
        assert!(source.starts_with("mod bindings { theater_guest::generate!(\"wit\"); }\n"));
        let shown = "use bindings::exports::theater::simple::actor::Guest;
use bindings::theater::simple::runtime::log;
struct Component;
impl Guest for Component {
    fn init(state: Option<Vec<u8>>, params: (String,)) -> Result<(Option<Vec<u8>>,), String> {
        log(\"Actor initialized!\");
        Ok((state,))
    }
}
bindings::export!(Component with_types_in bindings);
";
        assert!(source.ends_with(shown));
    }
}
