//! The manifest: what an actor is, what it may do and how much of it.
//!
//! A manifest is read once, checked whole, and recorded as the bytes that were read. Capability tables
//! stay opaque here: each handler checks its own when it is opened for an actor. Every message names the
//! file, the line and the column.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::limits;

/// A manifest that cannot be used, with the place in the file.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text is not TOML, or not a manifest; the message shows line, column and a caret.
    #[error("{origin} is not a usable manifest\n{message}")]
    Syntax {
        /// The file.
        origin: PathBuf,
        /// What is wrong, with the line and a caret.
        message: String,
    },
    /// A value is of the right type and still makes no sense.
    #[error("{origin}:{line}:{column}: {message}\n{excerpt}")]
    Meaning {
        /// The file.
        origin: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// The line with a caret below it.
        excerpt: String,
    },
    /// A file that the manifest names cannot be read.
    #[error("{origin} names {path}, which cannot be read: {source}")]
    File {
        /// The manifest.
        origin: PathBuf,
        /// The file it names.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A checked manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Name of the actor's kind.
    pub name: String,
    /// Version, for people.
    pub version: Option<String>,
    /// Description, for people.
    pub description: Option<String>,
    /// The package, if the manifest names one.
    pub package: Option<PackageRef>,
    /// Grants: one entry per handler.
    pub handlers: Vec<HandlerEntry>,
    /// Bounds of the actor.
    pub limits: Limits,
    /// What an error of a function that nobody waits for means.
    pub on_error: OnError,
    /// Children that are started after `init`, in this order.
    pub children: Vec<ChildSpec>,
    state: InitialState,
    origin: PathBuf,
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRef {
    /// Path, resolved against the manifest's folder.
    pub path: PathBuf,
    /// SHA-256 that the file must have.
    pub sha256: Option<[u8; 32]>,
}

/// One grant: the handler's name and its own settings.
#[derive(Clone, Debug, PartialEq)]
pub struct HandlerEntry {
    /// The `type` of the entry.
    pub kind: String,
    /// Everything else in the entry.
    pub config: toml::Table,
}

/// What an error of a function that nobody waits for means, such as one of `handle-send`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// A warning; the actor lives on.
    #[default]
    Warn,
    /// The end of the actor.
    Exit,
}

/// One child that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildSpec {
    /// Its name: the last part of its path.
    pub id: String,
    /// Its manifest, resolved against the folder of this one.
    pub manifest: PathBuf,
    /// How long its ordered end may take.
    pub shutdown_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum InitialState {
    None,
    Text(String),
    File(PathBuf),
}

/// Bounds of one actor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most bytes of linear memory.
    pub memory_bytes: u64,
    /// Most fuel one call may use: about one unit per wasm instruction.
    pub fuel_per_call: u64,
    /// Most wall-clock milliseconds one call may take, waits included.
    pub call_ms: u64,
    /// Most messages that wait.
    pub mailbox_messages: u32,
    /// Most bytes of the messages that wait.
    pub mailbox_bytes: u64,
    /// Most children at a time.
    pub children: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: limits::MEMORY_BYTES_DEFAULT,
            fuel_per_call: limits::FUEL_PER_CALL_DEFAULT,
            call_ms: limits::CALL_MS_DEFAULT,
            mailbox_messages: limits::MAILBOX_MESSAGES_DEFAULT,
            mailbox_bytes: limits::MAILBOX_BYTES_DEFAULT,
            children: limits::CHILDREN_DEFAULT,
        }
    }
}

impl Limits {
    /// Returns the limits by name, as genesis records them.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, u64)> {
        vec![
            ("memory-bytes".to_owned(), self.memory_bytes),
            ("fuel-per-call".to_owned(), self.fuel_per_call),
            ("call-ms".to_owned(), self.call_ms),
            ("mailbox-messages".to_owned(), u64::from(self.mailbox_messages)),
            ("mailbox-bytes".to_owned(), self.mailbox_bytes),
            ("children".to_owned(), u64::from(self.children)),
        ]
    }

    /// Reads back what [`entries`](Self::entries) wrote; a name that is missing keeps its default.
    #[must_use]
    pub fn from_entries(entries: &[(String, u64)]) -> Self {
        let mut limits = Self::default();
        for (name, value) in entries {
            match name.as_str() {
                "memory-bytes" => limits.memory_bytes = *value,
                "fuel-per-call" => limits.fuel_per_call = *value,
                "call-ms" => limits.call_ms = *value,
                "mailbox-messages" => limits.mailbox_messages = u32::try_from(*value).unwrap_or(u32::MAX),
                "mailbox-bytes" => limits.mailbox_bytes = *value,
                "children" => limits.children = u32::try_from(*value).unwrap_or(u32::MAX),
                _ => {}
            }
        }
        limits
    }

    /// Returns the limits with memory and fuel no higher than `ceiling`'s: what a replay of a foreign run uses.
    #[must_use]
    pub fn within(mut self, ceiling: &Self) -> Self {
        self.memory_bytes = self.memory_bytes.min(ceiling.memory_bytes);
        self.fuel_per_call = self.fuel_per_call.min(ceiling.fuel_per_call);
        self
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    name: Spanned<String>,
    version: Option<String>,
    description: Option<String>,
    package: Option<Spanned<RawPackage>>,
    initial_state: Option<String>,
    initial_state_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    handler: Vec<Spanned<toml::Table>>,
    limits: Option<Spanned<Limits>>,
    #[serde(default)]
    on_error: OnError,
    #[serde(default)]
    child: Vec<RawChild>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChild {
    id: Spanned<String>,
    manifest: PathBuf,
    restart: Option<Spanned<String>>,
    shutdown_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPackage {
    Path(PathBuf),
    Pinned(PinnedPackage),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedPackage {
    path: PathBuf,
    sha256: Option<String>,
}

/// Text and origin, to point into the file.
struct Source<'a> {
    text: &'a str,
    origin: &'a Path,
}

impl Source<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>) -> ManifestError {
        let start = span.start.min(self.text.len());
        let before = &self.text.as_bytes()[..start];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let shown = self.text.lines().nth(line - 1).unwrap_or("");
        let gutter = line.to_string();
        let excerpt =
            format!("{gutter} | {shown}\n{} | {}^", " ".repeat(gutter.len()), " ".repeat(column - 1),);
        ManifestError::Meaning {
            origin: self.origin.to_owned(),
            line,
            column,
            message: message.into(),
            excerpt,
        }
    }
}

impl Manifest {
    /// Reads a manifest. `origin` is the file it came from: relative paths are relative to its folder.
    ///
    /// # Errors
    /// Fails on text that is not TOML, unknown keys, duplicate handler types and values that make no
    /// sense; the message names the place.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, ManifestError> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| ManifestError::Syntax {
            origin: origin.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let source = Source { text, origin };
        check_name(&raw.name, &source)?;
        let folder = origin.parent().unwrap_or(Path::new(""));
        let package = raw.package.map(|package| package_ref(package, folder, &source)).transpose()?;
        let state = match (raw.initial_state, raw.initial_state_file) {
            (Some(_), Some(file)) => {
                return Err(
                    source.error(file.span(), "`initial_state` and `initial_state_file` exclude each other")
                );
            }
            (Some(text), None) => InitialState::Text(text),
            (None, Some(file)) => InitialState::File(folder.join(file.into_inner())),
            (None, None) => InitialState::None,
        };
        Ok(Self {
            name: raw.name.into_inner(),
            version: raw.version,
            description: raw.description,
            package,
            handlers: handler_entries(raw.handler, &source)?,
            limits: checked_limits(raw.limits, &source)?,
            on_error: raw.on_error,
            children: child_specs(raw.child, folder, &source)?,
            state,
            origin: origin.to_owned(),
        })
    }

    /// Returns the text of a manifest for a bare wasm file: `runtime` and what was granted by hand.
    #[must_use]
    pub fn bare_text(name: &str, grants: &[String]) -> String {
        let mut text = format!("name = {}\n", toml::Value::String(name.to_owned()));
        for kind in grants {
            text.push_str(&format!("\n[[handler]]\ntype = {}\n", toml::Value::String(kind.clone())));
        }
        text
    }

    /// Returns the folder against which its paths are resolved.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.origin.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Returns the initial state that the manifest gives, reading `initial_state_file` if there is one.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is larger than [`limits::STATE_BYTES_MAX`].
    pub fn initial_state(&self) -> Result<Option<Vec<u8>>, ManifestError> {
        match &self.state {
            InitialState::None => Ok(None),
            InitialState::Text(text) => Ok(Some(text.clone().into_bytes())),
            InitialState::File(path) => {
                read_bounded(path, limits::STATE_BYTES_MAX).map(Some).map_err(|error| ManifestError::File {
                    origin: self.origin.clone(),
                    path: path.clone(),
                    source: error,
                })
            }
        }
    }
}

/// Reads a file of at most so many bytes.
pub(crate) fn read_bounded(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A size that the system claims is none: a device or a pipe has as many bytes as it likes.
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than the {most} bytes that it may have");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

fn child_specs(
    raw: Vec<RawChild>,
    folder: &Path,
    source: &Source<'_>,
) -> Result<Vec<ChildSpec>, ManifestError> {
    let mut children: Vec<ChildSpec> = Vec::with_capacity(raw.len());
    for child in raw {
        check_name(&child.id, source)?;
        if children.iter().any(|known| known.id == *child.id.get_ref()) {
            let message = format!("there is a child `{}` already", child.id.get_ref());
            return Err(source.error(child.id.span(), message));
        }
        if let Some(restart) = child.restart
            && restart.get_ref() != "temporary"
        {
            let message = "a child is `temporary`, which is never restarted: there is no other `restart` yet";
            return Err(source.error(restart.span(), message));
        }
        children.push(ChildSpec {
            id: child.id.into_inner(),
            manifest: folder.join(child.manifest),
            shutdown_ms: child.shutdown_ms.unwrap_or(limits::SHUTDOWN_MS_DEFAULT),
        });
    }
    Ok(children)
}

fn check_name(name: &Spanned<String>, source: &Source<'_>) -> Result<(), ManifestError> {
    let text = name.get_ref();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
        return Err(source.error(name.span(), "a name has 1 to 64 letters, digits, `-`, `_` or `.`"));
    }
    Ok(())
}

fn package_ref(
    package: Spanned<RawPackage>,
    folder: &Path,
    source: &Source<'_>,
) -> Result<PackageRef, ManifestError> {
    let span = package.span();
    match package.into_inner() {
        RawPackage::Path(path) => Ok(PackageRef { path: folder.join(path), sha256: None }),
        RawPackage::Pinned(pinned) => {
            let sha256 = pinned
                .sha256
                .map(|text| {
                    hex_32(&text).ok_or_else(|| source.error(span, "`sha256` has 64 hexadecimal digits"))
                })
                .transpose()?;
            Ok(PackageRef { path: folder.join(pinned.path), sha256 })
        }
    }
}

fn hex_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn handler_entries(
    raw: Vec<Spanned<toml::Table>>,
    source: &Source<'_>,
) -> Result<Vec<HandlerEntry>, ManifestError> {
    let mut entries: Vec<HandlerEntry> = Vec::with_capacity(raw.len());
    for table in raw {
        let span = table.span();
        let mut config = table.into_inner();
        let Some(toml::Value::String(kind)) = config.remove("type") else {
            return Err(source.error(span, "a [[handler]] needs `type = \"...\"`"));
        };
        if entries.iter().any(|entry| entry.kind == kind) {
            return Err(source.error(span, format!("handler type `{kind}` is listed twice")));
        }
        entries.push(HandlerEntry { kind, config });
    }
    Ok(entries)
}

fn checked_limits(raw: Option<Spanned<Limits>>, source: &Source<'_>) -> Result<Limits, ManifestError> {
    let Some(raw) = raw else { return Ok(Limits::default()) };
    let span = raw.span();
    let checked = raw.into_inner();
    let refuse = |message: String| Err(source.error(span.clone(), message));
    if checked.memory_bytes == 0 || checked.memory_bytes > limits::MEMORY_BYTES_MAX {
        return refuse(format!("`memory_bytes` is between 1 and {}", limits::MEMORY_BYTES_MAX));
    }
    if checked.fuel_per_call == 0 || checked.fuel_per_call > i64::MAX as u64 {
        return refuse(format!("`fuel_per_call` is between 1 and {}", i64::MAX));
    }
    if checked.call_ms == 0 {
        return refuse("`call_ms` is at least 1".to_owned());
    }
    if checked.mailbox_messages == 0 || checked.mailbox_bytes == 0 {
        return refuse("`mailbox_messages` and `mailbox_bytes` are at least 1".to_owned());
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text, Path::new("dir/manifest.toml"))
    }

    #[test]
    fn full_manifest_is_read() {
        let manifest = parse(
            "name = \"a\"\nversion = \"1\"\npackage = \"x.wasm\"\ninitial_state = \"s\"\n\
             [limits]\nmemory_bytes = 1048576\n[[handler]]\ntype = \"runtime\"\nlevel = 3\n",
        )
        .unwrap();
        assert_eq!(manifest.name, "a");
        assert_eq!(manifest.package.as_ref().unwrap().path, Path::new("dir/x.wasm"));
        assert_eq!(manifest.limits.memory_bytes, 1 << 20);
        assert_eq!(manifest.limits.call_ms, limits::CALL_MS_DEFAULT);
        assert_eq!(manifest.handlers[0].kind, "runtime");
        assert_eq!(manifest.handlers[0].config["level"].as_integer(), Some(3));
        assert_eq!(manifest.initial_state().unwrap().unwrap(), b"s");
    }

    #[test]
    fn unknown_key_is_named_with_line_and_caret() {
        let text = parse("name = \"a\"\nnmae = \"b\"\n").unwrap_err().to_string();
        assert!(text.contains("line 2"), "{text}");
        assert!(text.contains("nmae") && text.contains('^'), "{text}");
    }

    #[test]
    fn duplicate_handler_is_named_with_its_line() {
        let text = parse("name = \"a\"\n[[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"runtime\"\n")
            .unwrap_err()
            .to_string();
        assert!(text.contains("`runtime` is listed twice"), "{text}");
        assert!(text.contains("dir/manifest.toml:4:"), "{text}");
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        assert!(parse("name = \"a\"\n[limits]\nmemory_bytes = 0\n").is_err());
        assert!(parse("name = \"a\"\n[limits]\nmemory_bytes = 99999999999\n").is_err());
        assert!(parse("name = \"a\"\n[limits]\nmemory_byte = 1\n").is_err());
    }

    #[test]
    fn pinned_package_needs_a_whole_hash() {
        assert!(parse("name = \"a\"\npackage = { path = \"x\", sha256 = \"ab\" }\n").is_err());
        let hash = "ab".repeat(32);
        let manifest = parse(&format!("name = \"a\"\npackage = {{ path = \"x\", sha256 = \"{hash}\" }}\n"));
        assert_eq!(manifest.unwrap().package.unwrap().sha256, Some([0xab; 32]));
    }

    #[test]
    fn bare_text_parses_and_grants() {
        let text = Manifest::bare_text("a", &["runtime".to_owned()]);
        let manifest = parse(&text).unwrap();
        assert_eq!(manifest.handlers.len(), 1);
    }

    #[test]
    fn children_are_read_in_file_order_with_paths_of_the_folder() {
        let manifest = parse(
            "name = \"a\"\non_error = \"exit\"\n[[child]]\nid = \"db\"\nmanifest = \"db/manifest.toml\"\n\
             [[child]]\nid = \"web\"\nmanifest = \"/web.toml\"\nrestart = \"temporary\"\nshutdown_ms = 7\n",
        )
        .unwrap();
        assert_eq!(manifest.on_error, OnError::Exit);
        let shown: Vec<_> =
            manifest.children.iter().map(|child| (child.id.as_str(), child.shutdown_ms)).collect();
        assert_eq!(shown, [("db", limits::SHUTDOWN_MS_DEFAULT), ("web", 7)]);
        assert_eq!(manifest.children[0].manifest, Path::new("dir/db/manifest.toml"));
        assert_eq!(manifest.children[1].manifest, Path::new("/web.toml"));
    }

    #[test]
    fn children_that_make_no_sense_are_refused_with_their_line() {
        let child = "[[child]]\nid = \"db\"\nmanifest = \"db.toml\"\n";
        let twice = parse(&format!("name = \"a\"\n{child}{child}")).unwrap_err().to_string();
        assert!(twice.contains("dir/manifest.toml:6:") && twice.contains("`db` already"), "{twice}");
        let restart =
            parse(&format!("name = \"a\"\n{child}restart = \"permanent\"\n")).unwrap_err().to_string();
        assert!(restart.contains("dir/manifest.toml:5:") && restart.contains("temporary"), "{restart}");
        let slash = parse("name = \"a\"\n[[child]]\nid = \"a/b\"\nmanifest = \"db.toml\"\n");
        assert!(slash.unwrap_err().to_string().contains("dir/manifest.toml:3:"));
    }

    #[test]
    fn limits_survive_genesis() {
        let limits = Limits { memory_bytes: 7, call_ms: 9, ..Limits::default() };
        assert_eq!(Limits::from_entries(&limits.entries()), limits);
    }
}
