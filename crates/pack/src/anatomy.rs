//! What a module consists of: its sections, its functions by size, what made it. Read, never compiled or run.

use std::collections::BTreeMap;

use pack_abi::metadata::Metadata;
use wasmparser::{KnownCustom, Name, NameSectionReader, Parser, Payload, ProducersSectionReader, TypeRef};

use crate::package_error::{PackageError, check_outside};
use crate::trap::demangle;

/// The custom section with the package's interface text, doc comments included.
const TEXT_SECTION: &str = "pack:wit";

/// What a module consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// The sections in the order of the file; with the eight bytes before them they are the whole file.
    pub sections: Vec<Section>,
    /// The functions that the module defines, the largest first.
    pub functions: Vec<FunctionBody>,
    /// The names of all exports, those of the calling convention among them.
    pub exports: Vec<String>,
    /// What made the module, as the tools signed themselves: role, name, version.
    pub producers: Vec<Producer>,
    /// The interface text that the package carries, if it does: a claim, to be compared with its metadata.
    pub interface_text: Option<String>,
    /// Its types from the section `pack:types`, as it states them: not compared with what it imports and exports.
    pub types: Option<Metadata>,
}

/// A section of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name: `code`, `data`, or that of a custom section.
    pub name: String,
    /// Whether it is a custom section, which no engine needs.
    pub is_custom: bool,
    /// Its size, header included.
    pub bytes: u64,
}

/// The body of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionBody {
    /// Its place in the index space of functions: imports come first.
    pub index: u32,
    /// Its demangled name, if the module keeps names.
    pub name: Option<String>,
    /// The size of its body.
    pub bytes: u64,
}

/// A tool that took part in making a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub role: String,
    /// The tool.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

impl Anatomy {
    /// Takes a module apart. Names and producers that cannot be read are left out: nobody needs them to run it.
    ///
    /// # Errors
    ///
    /// If the bytes are not the sections of a module.
    pub fn read(wasm: &[u8]) -> Result<Self, PackageError> {
        check_outside(wasm)?;
        let mut anatomy = Self::default();
        let mut names = BTreeMap::new();
        let mut next_function = 0;
        let mut end = 8;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(|error| invalid(&error))?;
            if let Some((id, range)) = payload.as_section() {
                let (name, is_custom) = section_name(&payload, id);
                let bytes = range.end.saturating_sub(end) as u64;
                anatomy.sections.push(Section { name, is_custom, bytes });
                end = range.end;
            }
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import.map_err(|error| invalid(&error))?;
                        if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                            next_function += 1;
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        anatomy.exports.push(export.map_err(|error| invalid(&error))?.name.to_owned());
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let bytes = body.range().len() as u64;
                    anatomy.functions.push(FunctionBody { index: next_function, name: None, bytes });
                    next_function += 1;
                }
                Payload::CustomSection(section) if section.name() == TEXT_SECTION => {
                    anatomy.interface_text = String::from_utf8(section.data().to_vec()).ok();
                }
                Payload::CustomSection(section) if section.name() == "pack:types" => {
                    anatomy.types = Metadata::decode(section.data()).ok();
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Name(reader) => names = function_names(reader),
                    KnownCustom::Producers(reader) => anatomy.producers = producers(reader),
                    _ => {}
                },
                _ => {}
            }
        }
        for function in &mut anatomy.functions {
            function.name = names.remove(&function.index);
        }
        anatomy.functions.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.index.cmp(&b.index)));
        Ok(anatomy)
    }
}

fn invalid(error: &wasmparser::BinaryReaderError) -> PackageError {
    PackageError::Invalid { message: error.message().to_owned(), offset: error.offset() }
}

fn section_name(payload: &Payload<'_>, id: u8) -> (String, bool) {
    if let Payload::CustomSection(section) = payload {
        return (section.name().to_owned(), true);
    }
    let name = match id {
        1 => "type",
        2 => "import",
        3 => "function",
        4 => "table",
        5 => "memory",
        6 => "global",
        7 => "export",
        8 => "start",
        9 => "element",
        10 => "code",
        11 => "data",
        12 => "data count",
        13 => "tag",
        _ => "unknown",
    };
    (name.to_owned(), false)
}

fn function_names(reader: NameSectionReader<'_>) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    // What follows a broken entry cannot be found.
    for part in reader.map_while(Result::ok) {
        let Name::Function(map) = part else { continue };
        for naming in map.into_iter().map_while(Result::ok) {
            names.insert(naming.index, demangle(naming.name));
        }
    }
    names
}

fn producers(reader: ProducersSectionReader<'_>) -> Vec<Producer> {
    let mut producers = Vec::new();
    for field in reader.into_iter().map_while(Result::ok) {
        for value in field.values.into_iter().map_while(Result::ok) {
            producers.push(Producer {
                role: field.name.to_owned(),
                name: value.name.to_owned(),
                version: value.version.to_owned(),
            });
        }
    }
    producers
}
