//! A package: a compiled module that was checked to follow the calling convention.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pack_abi::contract::Contract;
use pack_abi::metadata::Metadata;
use pack_abi::types::{Function, Interface};
use sha2::{Digest as _, Sha256};
use wasmparser::{Parser, Payload};
use wasmtime::{ExternType, FuncType, Module, ModuleExport, ValType};

use crate::boundary::{ExportIndex, ImportIndex};
use crate::engine::Engine;
use crate::package_error::{PackageError, check_outside, explain, printable, wrong_target};
use crate::signatures::Signatures;
use crate::types;

/// The most functions that a package may import, and the most that it may export. Each instance pays for them.
const FUNCTIONS_MAX: usize = 10_000;

/// A function that a package imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFunction {
    /// The interface, e.g. `theater:simple/runtime`.
    pub interface: String,
    /// The function's name.
    pub name: String,
}

/// A function that a package exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFunction {
    /// The interface, e.g. `theater:simple/actor`; empty for a bare function.
    pub interface: String,
    /// The function's name.
    pub name: String,
    /// Interface and name as the module exports them.
    pub symbol: String,
}

/// A compiled, checked module. Clones are the same package.
#[derive(Clone)]
pub struct Package {
    pub(crate) inner: Arc<PackageInner>,
}

pub(crate) struct PackageInner {
    pub(crate) engine: Engine,
    pub(crate) module: Module,
    pub(crate) hash: [u8; 32],
    pub(crate) imports: Vec<ImportFunction>,
    pub(crate) exports: Vec<ExportFunction>,
    pub(crate) handles: Handles,
    pub(crate) sections: Sections,
    symbols: BTreeMap<String, ExportIndex>,
    metadata: Option<Metadata>,
    signatures: Signatures,
}

/// Exports of the calling convention, resolved.
pub(crate) struct Handles {
    pub(crate) memory: ModuleExport,
    pub(crate) alloc: ModuleExport,
    pub(crate) free: ModuleExport,
    pub(crate) panic: Option<ModuleExport>,
    pub(crate) ctors: Option<ModuleExport>,
    pub(crate) types: Option<ModuleExport>,
    /// There if the guest runs its calls as tasks; then it frees every reply itself.
    pub(crate) resume: Option<ModuleExport>,
    /// In the order of `PackageInner::exports`.
    pub(crate) functions: Vec<ModuleExport>,
}

/// What the module says outside of its code.
#[derive(Default)]
pub(crate) struct Sections {
    pub(crate) has_start: bool,
    /// Section `pack:sdk`, flags bit 0: the guest keeps its result buffer.
    pub(crate) keeps_result: bool,
    /// Section `pack:types`.
    types: Option<Vec<u8>>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package")
            .field("imports", &self.inner.imports.len())
            .field("exports", &self.inner.exports.len())
            .finish_non_exhaustive()
    }
}

impl Package {
    /// Checks and compiles a module, or finds it compiled: in this process, then in the engine's cache.
    ///
    /// # Errors
    ///
    /// If the bytes are not a module that follows the calling convention; the message says what they are
    /// instead and what to do.
    pub fn load(engine: &Engine, wasm: &[u8]) -> Result<Self, PackageError> {
        check_outside(wasm)?;
        let hash: [u8; 32] = Sha256::digest(wasm).into();
        if let Some(inner) = engine.loaded(&hash) {
            return Ok(Self { inner });
        }
        let mut sections = sections(wasm)?;
        let (module, was_checked) = compile(engine, &hash, wasm)?;
        let imports = imports(&module)?;
        bounded("exports", module.exports().len())?;
        let (exports, functions) = exports(&module);
        let handles = handles(&module, functions)?;
        let metadata = match sections.types.take() {
            Some(section) => {
                if !was_checked {
                    agrees(engine, &module, &handles, &section)?;
                }
                Some(section)
            }
            None => types::ask(engine, &module, &handles)
                .map_err(|trap| PackageError::TypesTrapped(Box::new(trap)))?,
        };
        let metadata = metadata.as_deref().map(described).transpose()?;
        let signatures = match &metadata {
            Some(metadata) => Signatures::new(metadata, &imports, &exports)?,
            None => Signatures::default(),
        };
        if !was_checked {
            keep(engine, &hash, &module);
        }
        let symbols = (0u32..)
            .zip(&exports)
            .map(|(index, export)| (export.symbol.clone(), ExportIndex(index)))
            .collect();
        let inner = PackageInner {
            engine: engine.clone(),
            module,
            hash,
            imports,
            exports,
            handles,
            sections,
            symbols,
            metadata,
            signatures,
        };
        let inner = Arc::new(inner);
        engine.remember(hash, &inner);
        Ok(Self { inner })
    }

    /// The SHA-256 of the module's bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.inner.hash
    }

    /// The engine that compiled it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The functions that the module imports, each once, in the order of their first appearance.
    #[must_use]
    pub fn imports(&self) -> &[ImportFunction] {
        &self.inner.imports
    }

    /// The functions that can be called, in the order of the module.
    #[must_use]
    pub fn exports(&self) -> &[ExportFunction] {
        &self.inner.exports
    }

    /// The interfaces with their types, as the package describes itself; the hashes were recomputed.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.inner.metadata.as_ref()
    }

    /// The signature of an import with its interface, if the package describes it.
    #[must_use]
    pub fn import_signature(&self, import: ImportIndex) -> Option<(&Interface, &Function)> {
        self.inner.signatures.import(self.metadata()?, import.0 as usize)
    }

    /// The signature of an export with its interface, if the package describes it.
    #[must_use]
    pub fn export_signature(&self, export: ExportIndex) -> Option<(&Interface, &Function)> {
        self.inner.signatures.export(self.metadata()?, export.0 as usize)
    }

    /// What the arguments and the result of an export are checked against, if the package describes it.
    #[must_use]
    pub fn contract(&self, export: ExportIndex) -> Option<&Contract> {
        self.inner.signatures.contract(export.0 as usize)
    }

    /// Finds an export by its symbol, e.g. `theater:simple/actor.init` or `double`.
    #[must_use]
    pub fn export(&self, symbol: &str) -> Option<ExportIndex> {
        self.inner.symbols.get(symbol).copied()
    }

    /// Whether the package runs its calls as tasks that can park (`__pack_resume`).
    #[must_use]
    pub fn is_task(&self) -> bool {
        self.inner.handles.resume.is_some()
    }

    /// Whether instantiation runs guest code, and so is a call of its own.
    #[must_use]
    pub fn has_start(&self) -> bool {
        self.inner.sections.has_start || self.inner.handles.ctors.is_some()
    }
}

/// Compiles, or reads what was compiled before; says whether it was, for then it was checked before, too.
fn compile(engine: &Engine, hash: &[u8; 32], wasm: &[u8]) -> Result<(Module, bool), PackageError> {
    if let Some(code) = engine.cache().and_then(|cache| cache.read(hash))
        && let Ok(module) = deserialize(engine, &code)
    {
        return Ok((module, true));
    }
    let module = Module::from_binary(engine.wasmtime(), wasm).map_err(|error| explain(wasm, error))?;
    Ok((module, false))
}

/// Keeps the compiled code of a package that has passed all checks.
fn keep(engine: &Engine, hash: &[u8; 32], module: &Module) {
    if let Some(cache) = engine.cache()
        && let Ok(code) = module.serialize()
    {
        // A cache that cannot be written to costs time at the next start and nothing else.
        drop(cache.write(hash, &code));
    }
}

/// Makes sure that hosts which call `__pack_types` get what the section says.
fn agrees(engine: &Engine, module: &Module, handles: &Handles, section: &[u8]) -> Result<(), PackageError> {
    match types::ask(engine, module, handles) {
        Ok(Some(answer)) if answer != section => Err(PackageError::TypesDisagree),
        // A package whose start function calls its host can be asked only by one that answers.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[expect(unsafe_code, reason = "compiled code is native code; wasmtime cannot check what it does")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: the cache returns only bytes with this node's MAC over engine, package and code; what it
    // signed came from `Module::serialize` of an engine with the same settings.
    unsafe { Module::deserialize(engine.wasmtime(), code) }
}

/// Decodes the package's description and checks that its hashes are those of its signatures.
fn described(bytes: &[u8]) -> Result<Metadata, PackageError> {
    let metadata = Metadata::decode(bytes)?;
    metadata.check_hashes()?;
    Ok(metadata)
}

fn sections(wasm: &[u8]) -> Result<Sections, PackageError> {
    let mut sections = Sections::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| PackageError::Invalid {
            message: error.message().to_owned(),
            offset: error.offset(),
        })?;
        match payload {
            Payload::StartSection { .. } => sections.has_start = true,
            Payload::CustomSection(section) if section.name() == "pack:sdk" => match *section.data() {
                [1, flags] => sections.keeps_result = flags & 1 != 0,
                [version, ..] if version != 1 => return Err(PackageError::NewerSdk(version)),
                ref data => return Err(PackageError::BrokenSdkSection(data.len())),
            },
            Payload::CustomSection(section) if section.name() == "pack:types" => {
                sections.types = Some(section.data().to_vec());
            }
            _ => {}
        }
    }
    Ok(sections)
}

fn imports(module: &Module) -> Result<Vec<ImportFunction>, PackageError> {
    bounded("imports", module.imports().len())?;
    let mut imports: Vec<ImportFunction> = Vec::new();
    let mut seen = BTreeSet::new();
    for import in module.imports() {
        let (interface, name) = (import.module(), import.name());
        if let Some(error) = wrong_target(interface, name) {
            return Err(error);
        }
        let ty = import.ty();
        if !matches!(&ty, ExternType::Func(func) if is_convention(func)) {
            return Err(PackageError::ImportShape {
                interface: printable(interface),
                name: printable(name),
                found: describe(&ty),
            });
        }
        if seen.insert((interface, name)) {
            imports.push(ImportFunction { interface: interface.to_owned(), name: name.to_owned() });
        }
    }
    Ok(imports)
}

fn bounded(what: &'static str, count: usize) -> Result<(), PackageError> {
    if count > FUNCTIONS_MAX {
        return Err(PackageError::TooManyFunctions { what, count, maximum: FUNCTIONS_MAX });
    }
    Ok(())
}

/// Functions of the calling convention's shape; others cannot be called and are left alone.
fn exports(module: &Module) -> (Vec<ExportFunction>, Vec<ModuleExport>) {
    let callable = module.exports().filter(
        |export| matches!(export.ty(), ExternType::Func(func) if is_convention(&func) && !export.name().starts_with("__")),
    );
    callable
        .filter_map(|export| {
            let symbol = export.name().to_owned();
            let (interface, name) = symbol.rsplit_once('.').unwrap_or(("", &symbol));
            let function = ExportFunction {
                interface: interface.to_owned(),
                name: name.to_owned(),
                symbol: symbol.clone(),
            };
            Some((function, module.get_export_index(&symbol)?))
        })
        .unzip()
}

fn handles(module: &Module, functions: Vec<ModuleExport>) -> Result<Handles, PackageError> {
    let required = |name, shape: &Shape| match optional(module, name, shape)? {
        Some(handle) => Ok(handle),
        None => Err(PackageError::MissingExport(name)),
    };
    Ok(Handles {
        memory: required("memory", &Shape::Memory)?,
        alloc: required("__pack_alloc", &Shape::Function { params: 1, results: 1, text: "(i32) -> i32" })?,
        free: required("__pack_free", &Shape::Function { params: 2, results: 0, text: "(i32, i32)" })?,
        panic: optional(
            module,
            "__pack_panic",
            &Shape::Function { params: 0, results: 1, text: "() -> i32" },
        )?,
        ctors: match optional(module, "_initialize", &NOTHING)? {
            Some(handle) => Some(handle),
            None => optional(module, "__wasm_call_ctors", &NOTHING)?,
        },
        types: optional(
            module,
            "__pack_types",
            &Shape::Function { params: 2, results: 1, text: "(i32, i32) -> i32" },
        )?,
        resume: optional(
            module,
            "__pack_resume",
            &Shape::Function { params: 5, results: 1, text: "(i32, i32, i32, i32, i32) -> i32" },
        )?,
        functions,
    })
}

/// What an export of the calling convention must be.
enum Shape {
    Memory,
    /// A function over i32 only.
    Function {
        params: usize,
        results: usize,
        text: &'static str,
    },
}

const NOTHING: Shape = Shape::Function { params: 0, results: 0, text: "()" };

fn optional(
    module: &Module,
    name: &'static str,
    shape: &Shape,
) -> Result<Option<ModuleExport>, PackageError> {
    let Some(ty) = module.get_export(name) else { return Ok(None) };
    let (fits, expected) = match (shape, &ty) {
        (Shape::Memory, ExternType::Memory(memory)) => (!memory.is_64() && !memory.is_shared(), "a memory"),
        (Shape::Memory, _) => (false, "a memory"),
        (Shape::Function { params, results, text }, ExternType::Func(func)) => {
            (is_i32(func, *params, *results), *text)
        }
        (Shape::Function { text, .. }, _) => (false, *text),
    };
    if !fits {
        return Err(PackageError::ExportShape { name, expected, found: describe(&ty) });
    }
    Ok(module.get_export_index(name))
}

fn is_convention(func: &FuncType) -> bool {
    is_i32(func, 4, 1)
}

fn is_i32(func: &FuncType, params: usize, results: usize) -> bool {
    func.params().len() == params
        && func.results().len() == results
        && func.params().chain(func.results()).all(|ty| matches!(ty, ValType::I32))
}

fn describe(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(func) => {
            let list = |types: &mut dyn Iterator<Item = ValType>| {
                types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
            };
            let (params, results) = (list(&mut func.params()), list(&mut func.results()));
            if results.is_empty() { format!("({params})") } else { format!("({params}) -> {results}") }
        }
        ExternType::Global(_) => "a global".to_owned(),
        ExternType::Table(_) => "a table".to_owned(),
        ExternType::Memory(_) => "a memory".to_owned(),
        ExternType::Tag(_) => "an exception tag".to_owned(),
    }
}
