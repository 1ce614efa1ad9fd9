//! Makes a package short: what runs and what a backtrace shows stays, what only a linker needs goes.
//!
//! The compiler writes each function's name as `_ZN8pack_abi4view4scan17h0b60f420175f6b58E`, and the names of a
//! small guest are as large as its code. Here it becomes `pack_abi::view::scan`, which is what people are shown
//! anyway. The numbers in code become short too, unless debug information says at which byte of it a line begins.
//! Cargo's own file in `deps` becomes the same.

use std::path::Path;
use std::{fs, io};

use crate::wasm::{ReadWasmError, Reader};

const CUSTOM_SECTION: u8 = 0;
const CODE_SECTION: u8 = 10;
/// Subsections of the section `name`.
const FUNCTION_NAMES: u8 = 1;
const GLOBAL_NAMES: u8 = 7;
const DATA_SEGMENT_NAMES: u8 = 9;
/// Instances of generic functions can have names without end.
const NAME_CHARS_MAX: usize = 256;

/// Shortens a file.
pub(crate) fn shorten(path: &Path) -> Result<(), ReadWasmError> {
    let io = |source| ReadWasmError::Io { path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(io)?;
    let short =
        shortened(&bytes).map_err(|offset| ReadWasmError::Malformed { path: path.to_owned(), offset })?;
    if short == bytes {
        return Ok(());
    }
    replace(path, &short).map_err(|source| ReadWasmError::Write { path: path.to_owned(), source })
}

/// Replaces a file that cargo has made, at once, so that whoever builds or reads it meanwhile finds a whole one.
///
/// Cargo's own file in `deps` becomes the same one: of another, cargo would make the name anew at every build, and for a
/// moment there would be none.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new().prefix(".short-").tempdir_in(folder)?;
    let (first, second) = (fresh.path().join("first"), fresh.path().join("second"));
    fs::write(&first, bytes)?;
    let own = folder.join("deps").join(path.file_name().unwrap_or_default());
    // A file system without links has copies, and cargo makes those anew.
    if own.is_file() && fs::hard_link(&first, &second).is_ok() {
        fs::rename(&second, &own)?;
    }
    fs::rename(&first, path)
}

/// Returns the module with short names and numbers; the error is the offset of the first byte that does not fit.
fn shortened(bytes: &[u8]) -> Result<Vec<u8>, usize> {
    let has_lines = has_debug_information(bytes)?;
    let mut reader = Reader::of_module(bytes)?;
    let mut out = bytes[..reader.at].to_vec();
    while reader.at < bytes.len() {
        let start = reader.at;
        let (id, section) = reader.section()?;
        let inside = reader.at - section.len();
        let mut contents = Reader { bytes: section, at: 0 };
        let name = if id == CUSTOM_SECTION { contents.name().map_err(|at| inside + at)? } else { b"" };
        match name {
            b"name" => {
                let names = names(contents).map_err(|at| inside + at)?;
                out.push(CUSTOM_SECTION);
                put_sized(&mut out, &names);
            }
            // Says to linkers and optimisers what they may use; both have done their work.
            b"target_features" => {}
            _ if id == CODE_SECTION && !has_lines => {
                out.push(CODE_SECTION);
                put_sized(&mut out, &crate::code::compressed(section).map_err(|at| inside + at)?);
            }
            _ => out.extend_from_slice(&bytes[start..reader.at]),
        }
    }
    Ok(out)
}

/// Whether the module has sections such as `.debug_line`.
fn has_debug_information(bytes: &[u8]) -> Result<bool, usize> {
    let mut reader = Reader::of_module(bytes)?;
    while reader.at < bytes.len() {
        let (id, section) = reader.section()?;
        let mut contents = Reader { bytes: section, at: 0 };
        if id == CUSTOM_SECTION && contents.name().is_ok_and(|name| name.starts_with(b".debug_")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The contents of the section `name`, which begin with its name.
fn names(mut reader: Reader<'_>) -> Result<Vec<u8>, usize> {
    let mut out = reader.bytes[..reader.at].to_vec();
    while reader.at < reader.bytes.len() {
        let (id, names) = reader.section()?;
        let start = reader.at - names.len();
        match id {
            FUNCTION_NAMES => {
                let names = function_names(Reader { bytes: names, at: 0 }).map_err(|at| start + at)?;
                out.push(id);
                put_sized(&mut out, &names);
            }
            GLOBAL_NAMES | DATA_SEGMENT_NAMES => {}
            _ => {
                out.push(id);
                put_sized(&mut out, names);
            }
        }
    }
    Ok(out)
}

fn function_names(mut reader: Reader<'_>) -> Result<Vec<u8>, usize> {
    let mut out = Vec::new();
    let count = reader.number()?;
    put_number(&mut out, count);
    for _ in 0..count {
        put_number(&mut out, reader.number()?);
        let name = String::from_utf8_lossy(reader.name()?).into_owned();
        put_sized(&mut out, readable(&name).as_bytes());
    }
    Ok(out)
}

/// The name as a person would write it, without the hash that the compiler appends.
fn readable(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name,
    }
}

/// Bytes and before them their number.
pub(crate) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// An unsigned number in LEB128.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, contents: &[u8]) -> Vec<u8> {
        let mut out = vec![id];
        put_sized(&mut out, contents);
        out
    }

    fn custom(name: &str, contents: &[u8]) -> Vec<u8> {
        let mut inside = Vec::new();
        put_sized(&mut inside, name.as_bytes());
        inside.extend_from_slice(contents);
        section(CUSTOM_SECTION, &inside)
    }

    /// A module whose functions 3 and 200 have these names.
    fn module(names: [&str; 2]) -> Vec<u8> {
        let mut functions = vec![2, 3];
        put_sized(&mut functions, names[0].as_bytes());
        put_number(&mut functions, 200);
        put_sized(&mut functions, names[1].as_bytes());
        let of_functions = section(FUNCTION_NAMES, &functions);
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend(custom("pack:sdk", &[1, 1]));
        bytes.extend(section(1, &[0]));
        bytes.extend(custom("name", &[section(0, b"\x01m"), of_functions].concat()));
        bytes
    }

    #[test]
    fn mangled_names_become_readable_and_nothing_else_changes() {
        let mangled =
            module(["_ZN8pack_abi4view4scan17h0b60f420175f6b58E", "_RNvNtCsgXGp5Oqx2Ny_4core3fmt5write"]);
        let short = module(["pack_abi::view::scan", "core::fmt::write"]);
        assert_eq!(shortened(&mangled), Ok(short.clone()));
        assert_eq!(shortened(&short), Ok(short), "names that are short already stay");
    }

    #[test]
    fn what_only_a_linker_needs_goes() {
        let mut bytes = module(["f", "g"]);
        let whole = bytes.clone();
        bytes.extend(custom("target_features", b"\x01+\x0bbulk-memory"));
        assert_eq!(shortened(&bytes), Ok(whole));
        let globals = section(GLOBAL_NAMES, b"\x01\0\x01s");
        let mut named = b"\0asm\x01\0\0\0".to_vec();
        named.extend(custom("name", &globals));
        let mut bare = b"\0asm\x01\0\0\0".to_vec();
        bare.extend(custom("name", b""));
        assert_eq!(shortened(&named), Ok(bare));
    }

    #[test]
    fn numbers_in_code_become_short_unless_debug_information_counts_its_bytes() {
        let code: &[u8] = &[1, 8, 0, 0x10, 0x83, 0x80, 0x80, 0x80, 0x00, 0x0B];
        let header = b"\0asm\x01\0\0\0".as_slice();
        let module = [header, &section(CODE_SECTION, code)].concat();
        let short = [header, &section(CODE_SECTION, &[1, 4, 0, 0x10, 0x03, 0x0B])].concat();
        assert_eq!(shortened(&module), Ok(short));
        let with_lines = [module, custom(".debug_line", b"x")].concat();
        assert_eq!(shortened(&with_lines), Ok(with_lines.clone()));
    }

    #[test]
    fn a_module_cut_anywhere_is_refused_or_whole_sections() {
        let whole = module(["_ZN8pack_abi4view4scan17h0b60f420175f6b58E", "g"]);
        for end in 0..whole.len() {
            match shortened(&whole[..end]) {
                Ok(short) => assert!([8, 21, 24].contains(&end) && short == whole[..end], "{end}"),
                Err(offset) => assert!(offset <= end, "{end}: {offset}"),
            }
        }
    }

    #[test]
    fn a_file_is_replaced_and_another_name_of_it_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let (own, uplifted) = (dir.path().join("own.wasm"), dir.path().join("uplifted.wasm"));
        let mangled = module(["_ZN1a1b17h0b60f420175f6b58E", "g"]);
        std::fs::write(&own, &mangled).expect("written");
        std::fs::hard_link(&own, &uplifted).expect("linked");
        shorten(&uplifted).expect("shortened");
        assert_eq!(std::fs::read(&uplifted).expect("read"), module(["a::b", "g"]));
        assert_eq!(std::fs::read(&own).expect("read"), mangled);
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 2);
    }
}
