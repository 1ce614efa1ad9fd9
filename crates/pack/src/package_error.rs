//! Why bytes are not a package: one variant per usual mistake, and what to do about it.

use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

use crate::engine::PROPOSALS;
use crate::trap::Trap;

/// Why bytes are not a package that runs here.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// There is nothing.
    #[error("the file is empty")]
    Empty,
    /// It is another kind of file.
    #[error("not a WebAssembly module: this looks like {0}")]
    NotWasm(String),
    /// It is the text form.
    #[error("this is WebAssembly text; turn it into a module with `wat2wasm` or `wasm-tools parse`")]
    Text,
    /// It is a component of the component model.
    #[error(
        "this is a component, not a core module; build for wasm32-unknown-unknown without `cargo component`"
    )]
    Component,
    /// The file ends early.
    #[error("the module is cut off: the section at byte {offset} needs {needed} bytes, {present} are there")]
    Truncated {
        /// Where the section begins that is not complete.
        offset: usize,
        /// Bytes that it says it has.
        needed: usize,
        /// Bytes that follow.
        present: usize,
    },
    /// It is not valid.
    #[error("not a valid module: {message} (at byte {offset:#x})")]
    Invalid {
        /// What the validator says.
        message: String,
        /// Where.
        offset: usize,
    },
    /// It uses a proposal that is not on the list of this engine.
    #[error(
        "the module uses the proposal `{proposal}`, which is not enabled here (at byte {offset:#x}): {message}"
    )]
    UnsupportedProposal {
        /// Its name.
        proposal: String,
        /// What the validator says.
        message: String,
        /// Where.
        offset: usize,
    },
    /// It was built for a host of another kind.
    #[error("the module imports `{interface}.{name}`: {hint}")]
    WrongTarget {
        /// The module part of the import.
        interface: String,
        /// The name part of the import.
        name: String,
        /// What to do.
        hint: &'static str,
    },
    /// It imports or exports more functions than anyone wrote.
    #[error("the module has {count} {what}, more than {maximum}")]
    TooManyFunctions {
        /// Imports or exports.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        maximum: usize,
    },
    /// An import is not a function of the calling convention.
    #[error("the import `{interface}.{name}` is {found}; imports are functions (i32, i32, i32, i32) -> i32")]
    ImportShape {
        /// The module part of the import.
        interface: String,
        /// The name part of the import.
        name: String,
        /// What it is instead.
        found: String,
    },
    /// An export of the calling convention is missing.
    #[error("the module does not export `{0}`; actors get it from the guest SDK")]
    MissingExport(&'static str),
    /// An export of the calling convention has another type.
    #[error("the export `{name}` is {found}, not {expected}")]
    ExportShape {
        /// Which.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The custom section `pack:sdk` has a version that this host does not know.
    #[error("the package was built with a newer SDK (section `pack:sdk`, version {0})")]
    NewerSdk(u8),
    /// The custom section `pack:sdk` is broken.
    #[error("the section `pack:sdk` is {0} bytes long, not 2")]
    BrokenSdkSection(usize),
    /// `__pack_types` does not work.
    #[error("`__pack_types` failed")]
    TypesTrapped(#[source] Box<Trap>),
    /// The section and the function say different things.
    #[error("the section `pack:types` and the function `__pack_types` describe different interfaces")]
    TypesDisagree,
    /// The description has a function twice.
    #[error("the package describes `{interface}.{function}` twice")]
    DeclaredTwice {
        /// The interface.
        interface: String,
        /// The function.
        function: String,
    },
    /// The description of the interfaces cannot be read.
    #[error("the package's description of its interfaces is broken")]
    Metadata(#[from] pack_abi::metadata::MetadataError),
    /// The description states a hash that is not that of its signatures.
    #[error("the package misstates one of its interfaces")]
    MetadataHash(#[from] pack_abi::metadata::HashMismatch),
    /// The engine cannot compile or hold it.
    #[error("the module cannot be compiled")]
    Compile(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const MAGIC: &[u8; 4] = b"\0asm";

/// Looks at the outside of the file: kind, version, completeness.
pub(crate) fn check_outside(wasm: &[u8]) -> Result<(), PackageError> {
    if wasm.is_empty() {
        return Err(PackageError::Empty);
    }
    if !wasm.starts_with(MAGIC) {
        return Err(looks_like(wasm));
    }
    let Some(version) = wasm.get(4..8) else {
        return Err(PackageError::Truncated { offset: 4, needed: 4, present: wasm.len().saturating_sub(4) });
    };
    match version {
        [1, 0, 0, 0] => check_sections(wasm),
        [_, _, 1, 0] => Err(PackageError::Component),
        _ => Err(PackageError::Invalid { message: format!("unknown version {version:?}"), offset: 4 }),
    }
}

/// Follows the section lengths to the end of the file.
fn check_sections(wasm: &[u8]) -> Result<(), PackageError> {
    let mut position = 8;
    while position < wasm.len() {
        let offset = position;
        let Some((length, length_bytes)) = leb128(&wasm[position + 1..]) else {
            return Err(PackageError::Truncated { offset, needed: 2, present: wasm.len() - offset });
        };
        let body = position + 1 + length_bytes;
        let needed = usize::try_from(length).unwrap_or(usize::MAX);
        let present = wasm.len() - body;
        if needed > present {
            return Err(PackageError::Truncated { offset, needed, present });
        }
        position = body + needed;
    }
    Ok(())
}

/// Reads an unsigned 32-bit number and tells how long it was.
fn leb128(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, i + 1));
        }
    }
    None
}

/// First bytes of files that end up in place of a module.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a native program or library (ELF)"),
    (b"\xcf\xfa\xed\xfe", "a native program or library (Mach-O)"),
    (b"MZ", "a native program or library (Windows)"),
    (b"!<arch>\n", "a static library (.a or .rlib)"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\x1f\x8b", "gzip data; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive; unpack it, or give a run bundle to a command that takes runs"),
    (b"CGRF", "an encoded graph value"),
    (b"#!", "a script"),
];

fn looks_like(bytes: &[u8]) -> PackageError {
    if let Some((_, what)) = SIGNATURES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return PackageError::NotWasm((*what).to_owned());
    }
    let head = &bytes[..bytes.len().min(4096)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut in two at the end of the head.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    if text.is_empty() || text.contains('\0') {
        let start: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        return PackageError::NotWasm(format!("unknown data that begins with {}", start.join(" ")));
    }
    let code = text
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with(";;"))
        .unwrap_or_default();
    if code.starts_with("(module") || code.starts_with("(;") || code.starts_with("(component") {
        return PackageError::Text;
    }
    let lower = code.get(..9).unwrap_or(code).to_lowercase();
    let what = match lower.as_str() {
        l if l.starts_with("<!doctype") || l.starts_with("<html") => {
            "an HTML page, perhaps of a failed download"
        }
        l if l.starts_with('{') => "JSON text",
        l if l.starts_with('[') => "a manifest or other configuration text",
        l if l.starts_with("version h") => "a Git LFS pointer; run `git lfs pull`",
        _ => "text",
    };
    PackageError::NotWasm(what.to_owned())
}

/// Tells why the engine refused the module: validity, a proposal, or the engine itself.
pub(crate) fn explain(wasm: &[u8], refused: wasmtime::Error) -> PackageError {
    let Err(error) = validate(wasm, PROPOSALS) else { return PackageError::Compile(refused.into()) };
    let everything = WasmFeatures::all();
    if validate(wasm, everything).is_err() {
        return PackageError::Invalid { message: error.message().to_owned(), offset: error.offset() };
    }
    // Some single proposal explains most modules; of those that need several, the first one left out is named.
    let missing = || everything.difference(PROPOSALS).iter_names();
    let proposal = missing()
        .find(|(_, flag)| validate(wasm, PROPOSALS.union(*flag)).is_ok())
        .or_else(|| missing().find(|(_, flag)| validate(wasm, everything.difference(*flag)).is_err()))
        .map_or_else(|| "unknown".to_owned(), |(name, _)| name.to_lowercase().replace('_', "-"));
    PackageError::UnsupportedProposal {
        proposal,
        message: error.message().to_owned(),
        offset: error.offset(),
    }
}

fn validate(wasm: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(features).validate_all(wasm).map(drop)
}

/// Recognises imports of other hosts.
pub(crate) fn wrong_target(interface: &str, name: &str) -> Option<PackageError> {
    let hint = match interface {
        _ if interface.starts_with("wasi") => {
            "it was built for WASI; build with `--target wasm32-unknown-unknown`"
        }
        _ if interface.starts_with("__wbindgen") || interface == "wbg" => {
            "a dependency uses wasm-bindgen, which needs a JavaScript host; switch off its `js` or `wasm-bindgen` feature"
        }
        "env" if name == "memory" || name == "__memory_base" || name == "__indirect_function_table" => {
            "it is position-independent or imports its memory; build a `cdylib` for wasm32-unknown-unknown"
        }
        "env" => {
            "a symbol was left undefined by the linker, often C code in a dependency; no host function has this name"
        }
        "pack:alloc" => {
            "it was built for an old Pack whose host had the allocator; build it with a current SDK"
        }
        "go" | "gojs" => "it was built for Go's JavaScript host; use TinyGo with `-target wasm-unknown`",
        _ => return None,
    };
    Some(PackageError::WrongTarget { interface: printable(interface), name: printable(name), hint })
}

/// A name of a module, which may hold anything, as it can be shown.
pub(crate) fn printable(name: &str) -> String {
    const CHARS_MAX: usize = 200;
    let mut shown: String = name.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if name.chars().nth(CHARS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}
