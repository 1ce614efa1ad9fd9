//! What lies in the repository and does not belong there: outputs, backups, giants, second copies.

use super::Source;

const BYTES_MAX: u64 = 200_000;
/// A recorded run, which holds its packages.
const BUNDLE_BYTES_MAX: u64 = 500_000;
const LINES_MAX: usize = 1000;

/// Files that are data in the form of code, read in one glance however long they are.
const TABLES: &[&str] = &[];

/// Endings of what builds and runs leave behind.
const OUTPUTS: &[&str] = &[
    "a", "class", "cwasm", "dll", "dylib", "exe", "log", "o", "pdb", "profraw", "pyc", "rlib", "rmeta", "so",
    "wasm",
];

/// Endings of what editors, merges and second thoughts leave behind.
const BACKUPS: &[&str] = &["bak", "backup", "disabled", "off", "old", "orig", "rej", "save", "swp", "tmp"];

/// An interface shorter than this, spaces not counted, may occur twice by chance.
const INTERFACE_BYTES_MIN: usize = 60;

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints: Vec<String> = sources.iter().filter_map(leftover).collect();
    complaints.extend(sources.iter().filter_map(giant));
    complaints.extend(sources.iter().filter_map(without_idea));
    complaints.extend(second_copies(sources));
    complaints
}

fn leftover(source: &Source) -> Option<String> {
    let path = source.path.display();
    let name = source.path.file_name()?.to_str()?;
    let extension = source.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if source.path.iter().any(|part| part == "target" || part == "node_modules")
        || OUTPUTS.contains(&extension)
    {
        return Some(format!("{path}: a build output"));
    }
    if BACKUPS.contains(&extension) || name.ends_with('~') || name.starts_with(".#") {
        return Some(format!("{path}: a backup"));
    }
    None
}

fn giant(source: &Source) -> Option<String> {
    let path = source.path.display();
    let bytes_max = if source.has_extension("theater") { BUNDLE_BYTES_MAX } else { BYTES_MAX };
    if source.bytes > bytes_max {
        return Some(format!("{path}: {} bytes, more than {bytes_max}", source.bytes));
    }
    let lines = source.text().lines().count();
    let is_table = TABLES.iter().any(|table| source.path.to_str() == Some(table));
    (source.has_extension("rs") && lines > LINES_MAX && !is_table)
        .then(|| format!("{path}: {lines} lines, more than {LINES_MAX}"))
}

/// Complains about code that does not say what it is about; templates and test guests begin as an author's file does.
fn without_idea(source: &Source) -> Option<String> {
    let is_of_an_author =
        source.is_below("templates") || source.path.iter().any(|part| part == "guest" || part == "guests");
    let is_code = source.has_extension("rs") && !is_of_an_author;
    let says_it = source.text().starts_with("//! ");
    (is_code && !says_it)
        .then(|| format!("{}: the first line does not say its idea (`//! ...`)", source.path.display()))
}

/// Complains about text of `wit/` that stands elsewhere too: it would change in one place only.
fn second_copies(sources: &[Source]) -> Vec<String> {
    let originals = sources.iter().filter(|source| source.is_below("wit") && source.has_extension("wit"));
    let interfaces: Vec<(&Source, String)> = originals
        .flat_map(|source| interfaces(source.text()).into_iter().map(move |text| (source, text)))
        .collect();
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| !source.is_below("wit")) {
        let text = squeezed(source.text());
        for (original, interface) in &interfaces {
            if text.contains(interface.as_str()) {
                let from = original.path.display();
                complaints
                    .push(format!("{}: a second copy of an interface of {from}", source.path.display()));
            }
        }
    }
    complaints
}

/// Returns the interfaces of an interface file without spaces and comments.
fn interfaces(text: &str) -> Vec<String> {
    let squeezed = squeezed(text);
    let mut found = Vec::new();
    for (start, _) in squeezed.match_indices("interface") {
        let mut depth = 0_usize;
        for (offset, character) in squeezed[start..].char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth <= 1 => {
                    let interface = &squeezed[start..=start + offset];
                    if interface.len() >= INTERFACE_BYTES_MIN {
                        found.push(interface.to_owned());
                    }
                    break;
                }
                '}' => depth -= 1,
                ';' if depth == 0 => break,
                _ => {}
            }
        }
    }
    found
}

fn squeezed(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::chars).filter(|character| !character.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    const INTERFACE: &str = "/// Says things.\ninterface runtime {\n    record entry { seq: u64 }\n    log: func(message: string);\n    read: func(from: u64) -> list<entry>;\n}\n";

    #[test]
    fn outputs_and_backups_are_refused() {
        for path in [
            "examples/a.wasm",
            "crates/x/target/debug/x",
            "src/lib.rs.orig",
            "src/lib.rs~",
            "tests/old.rs.disabled",
        ] {
            assert_eq!(check(&[source(path, "")]).len(), 1, "{path}");
        }
        assert_eq!(check(&[source("crates/x/src/target.rs", "//! Aims.\n")]), [""; 0]);
        for path in ["docs/backup.md", "Cargo.lock"] {
            assert_eq!(check(&[source(path, "")]), [""; 0], "{path}");
        }
    }

    #[test]
    fn giants_are_refused() {
        assert_eq!(
            check(&[source("src/long.rs", &format!("//! Long.{}", "\n".repeat(LINES_MAX + 1)))]).len(),
            1
        );
        assert_eq!(check(&[source("src/long.rs", &format!("//! Long.{}", "\n".repeat(LINES_MAX)))]), [""; 0]);
        let mut large = source("docs/picture.png", "");
        large.bytes = BYTES_MAX + 1;
        assert_eq!(check(&[large]).len(), 1);
    }

    #[test]
    fn a_file_says_its_idea_in_the_first_line() {
        assert_eq!(check(&[source("crates/a/src/b.rs", "use std::fmt;\n")]).len(), 1);
        assert_eq!(check(&[source("templates/a/src/lib.rs", "mod bindings {}\n")]), [""; 0]);
    }

    #[test]
    fn a_copied_interface_is_found_under_other_comments_and_spaces() {
        let original = || source("wit/simple/runtime.wit", INTERFACE);
        let copy = INTERFACE.replace("    ", "\t").replace("Says things", "Copied");
        assert_eq!(check(&[original(), source("templates/a/wit/deps/runtime.wit", &copy)]).len(), 1);
        assert_eq!(
            check(&[
                original(),
                source("crates/a/src/lib.rs", &format!("//! A.\nconst T: &str = r#\"{copy}\"#;"))
            ])
            .len(),
            1
        );
        let world = "world actor { import theater:simple/runtime; }";
        assert_eq!(check(&[original(), source("templates/a/wit/world.wit", world)]), [""; 0]);
    }
}
