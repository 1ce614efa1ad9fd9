//! `theater inspect`: what a package imports, exports, weighs, and has to be granted. It is not run. A run is handed on.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use pack::{Anatomy, Package};
use pack_abi::types::{Function, TypeDef};
use serde_json::{Value, json};
use theater::actor::INIT;
use theater::handler::HandlerRegistry;
use theater_chain::Hash;

use crate::args::InspectArgs;
use crate::cmd::{Outcome, build};
use crate::description::{Description, Part};
use crate::home::Home;
use crate::project::{self, WASM_BYTES_MAX};
use crate::ui::error::{CliError, Shown};
use crate::ui::pager::{Listing, Paging};
use crate::ui::printer::Printer;
use crate::ui::text::{bytes, clean, count};
use crate::{inspect_run, node, recorded};

/// Functions whose size is shown to a person.
const FUNCTIONS_SHOWN: usize = 8;

pub(crate) fn run(args: &InspectArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    if let Some(dir) = meant_run(&args.target, &home)? {
        return inspect_run(&dir, args, printer);
    }
    let (label, wasm) = read(&args.target, &home, printer)?;
    let engine = node::engine_for_reading(&home)?;
    let package = project::load(&engine, &wasm, Path::new(&label))?;
    let anatomy = Anatomy::read(&wasm)
        .map_err(|error| CliError::environment(format!("{label} is damaged")).because(error))?;
    let description = Description::new(&package, &anatomy);
    if let Some(fault) = &description.text_fault {
        printer.warn(format_args!("the interface text in the package is not shown: {}", clean(fault)));
    }
    let registry = theater_handlers::registry();
    let inspected =
        Inspected { label, wasm_bytes: wasm.len() as u64, package, anatomy, description, registry };
    let text = match (args.wit, args.json) {
        (true, _) => inspected.wit()?,
        (false, true) => format!("{}\n", inspected.object()),
        (false, false) => inspected.report(),
    };
    let mut out = printer.data();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).shown()?;
    Ok(Outcome::Fine)
}

/// Returns the run that is meant, if none of the files of a package is.
fn meant_run(target: &Path, home: &Home) -> Result<Option<PathBuf>, CliError> {
    let is_bundle = target.extension().is_some_and(|extension| extension == "theater");
    if is_bundle || (target.is_dir() && recorded::is_run(target)) {
        let word = target.to_string_lossy();
        return if target.exists() {
            Ok(Some(target.to_owned()))
        } else {
            home.resolve(Some(&word)).map(Some)
        };
    }
    let word = target.to_str().filter(|word| !target.exists() && *word != "-" && !word.contains(['/', '.']));
    word.map(|word| home.resolve(Some(word))).transpose()
}

fn inspect_run(dir: &Path, args: &InspectArgs, printer: Printer) -> Result<Outcome, CliError> {
    if args.wit {
        return Err(CliError::environment(format!(
            "{} is a run, which has no interfaces of its own",
            dir.display()
        ))
        .hint("`theater inspect WASM --wit` prints those of a package"));
    }
    let inspected = inspect_run::Inspected::read(dir)?;
    let mut listing = Listing::begin(printer, if args.json { Paging::Never } else { Paging::Auto });
    let text = if args.json { inspected.object().to_string() } else { inspected.report() };
    text.lines().try_for_each(|line| listing.line(line))?;
    listing.end()?;
    Ok(Outcome::Fine)
}

/// Reads what is to be inspected, and says what it is called.
fn read(target: &Path, home: &Home, printer: Printer) -> Result<(String, Vec<u8>), CliError> {
    if target == Path::new("-") {
        let mut wasm = Vec::new();
        let read = std::io::stdin().lock().take(WASM_BYTES_MAX + 1).read_to_end(&mut wasm);
        read.map_err(|error| CliError::io("failed to read the package from standard input", error))?;
        if wasm.len() as u64 > WASM_BYTES_MAX {
            return Err(CliError::environment("what came on standard input is too large for a package"));
        }
        return Ok(("standard input".to_owned(), wasm));
    }
    let name = target.display().to_string();
    if !target.exists() {
        return Err(CliError::environment(format!("there is no package at {name}"))
            .hint("give a wasm file, an actor's folder, its manifest.toml, or a run"));
    }
    let described = project::describe(target, &[])?;
    let (path, wasm) = build::wasm_of(described.source, home, printer)?;
    Ok((path.display().to_string(), wasm))
}

/// Who provides the interfaces that a package imports.
struct Needs {
    /// Types of handlers that a manifest has to grant.
    grants: Vec<String>,
    /// Interfaces that nobody here provides.
    unprovided: Vec<String>,
}

struct Inspected {
    label: String,
    wasm_bytes: u64,
    package: Package,
    anatomy: Anatomy,
    description: Description,
    registry: HandlerRegistry,
}

impl Inspected {
    fn is_actor(&self) -> bool {
        self.package.export(INIT).is_some()
    }

    fn has_section(&self, name: &str) -> bool {
        self.anatomy.sections.iter().any(|section| section.is_custom && section.name == name)
    }

    fn has_export(&self, name: &str) -> bool {
        self.anatomy.exports.iter().any(|export| export == name)
    }

    /// Where the types come from: the section, an export that had to be called, or nowhere.
    fn types_from(&self) -> Option<&'static str> {
        self.package.metadata()?;
        Some(if self.has_section("pack:types") { "section" } else { "call" })
    }

    fn needs(&self) -> Needs {
        let mut needs = Needs { grants: Vec::new(), unprovided: Vec::new() };
        for part in &self.description.imports {
            let name = &part.interface.name;
            match self.registry.provider(name) {
                Some(kind) if needs.grants.iter().any(|known| known == kind) => {}
                Some(kind) => needs.grants.push(kind.to_owned()),
                None => needs.unprovided.push(name.clone()),
            }
        }
        needs
    }

    /// Returns the interfaces as text that parses again.
    fn wit(&self) -> Result<String, CliError> {
        if let Some(world) = &self.description.world {
            return Ok(pack_wit::print_world(world));
        }
        match self.package.metadata() {
            Some(metadata) => {
                let stem = Path::new(&self.label).file_stem().and_then(|stem| stem.to_str());
                pack_wit::print_metadata(stem.unwrap_or_default(), metadata).map_err(|error| {
                    CliError::failed(format!("the types of {} are no interface text", self.label))
                        .because(error)
                })
            }
            None => Err(CliError::failed(format!("{} does not say what its types are", self.label))
                .hint("packages of this SDK and of packr-guest do; without --wit the names are shown")),
        }
    }
}

/// For people.
impl Inspected {
    fn report(&self) -> String {
        let mut text = String::new();
        let mut fact = |name: &str, what: &str| text.push_str(&format!("{name:<10} {}\n", clean(what)));
        fact("package", &format!("{}, {}", self.label, bytes(self.wasm_bytes)));
        fact("sha256", &Hash(self.package.hash()).to_string());
        fact("kind", &self.kind_text());
        fact("made by", &self.makers_text());
        fact("types", &self.types_text());
        for (title, parts) in [("imports", &self.description.imports), ("exports", &self.description.exports)]
        {
            text.push_str(&format!("\n{title}\n"));
            if parts.is_empty() {
                text.push_str("  nothing\n");
            }
            for part in parts {
                text.push_str(&part_text(part));
            }
        }
        text.push_str(&self.grants_text());
        text.push_str(&self.sizes_text());
        text
    }

    fn kind_text(&self) -> String {
        let kind = match (self.is_actor(), self.package.exports().is_empty()) {
            (true, _) => format!("an actor: it exports {INIT}"),
            (false, true) => "a module without functions to call".to_owned(),
            (false, false) => format!("a library: it does not export {INIT}; `theater call` calls it"),
        };
        let tasks =
            if self.has_export("__pack_resume") { "; its calls are tasks (`__pack_resume`)" } else { "" };
        format!("{kind}{tasks}")
    }

    fn makers_text(&self) -> String {
        let sdk =
            if self.has_section("pack:sdk") { "the SDK of theater" } else { "another SDK than theater's" };
        let mut makers = vec![sdk.to_owned()];
        for producer in &self.anatomy.producers {
            let maker = format!("{} {}", producer.name, producer.version);
            makers.push(maker.trim().to_owned());
        }
        makers.join(", ")
    }

    fn types_text(&self) -> String {
        let types = match self.types_from() {
            None => {
                return "none: the package does not describe itself, so values need their types".to_owned();
            }
            Some("section") => "in section `pack:types`",
            Some(_) => "from calling `__pack_types`",
        };
        let docs =
            if self.description.world.is_some() { "; docs in section `pack:wit`" } else { "; no docs" };
        format!("{types}, hashes recomputed{docs}")
    }

    fn grants_text(&self) -> String {
        let Needs { grants, unprovided } = self.needs();
        let mut text = String::new();
        if !grants.is_empty() {
            text.push_str("\nto be granted in the manifest\n");
            for kind in grants {
                text.push_str(&format!("  [[handler]]\n  type = \"{kind}\"\n"));
            }
        }
        if !unprovided.is_empty() {
            text.push_str("\nprovided by no handler of this program, so it cannot run here\n");
            for interface in unprovided {
                text.push_str(&format!("  {}\n", clean(&interface)));
            }
        }
        text
    }

    fn sizes_text(&self) -> String {
        let mut text = String::from("\nsize\n");
        let mut sections: Vec<_> = self.anatomy.sections.iter().collect();
        sections.sort_by_key(|section| std::cmp::Reverse(section.bytes));
        for section in sections {
            let name =
                if section.is_custom { format!("custom `{}`", section.name) } else { section.name.clone() };
            text.push_str(&format!("  {:>7}  {}\n", bytes(section.bytes), clean(&name)));
        }
        let functions = &self.anatomy.functions;
        if !functions.is_empty() {
            text.push_str(&format!("\nlargest of {}\n", count(functions.len() as u64, "function")));
        }
        for function in functions.iter().take(FUNCTIONS_SHOWN) {
            let number = format!("function {}", function.index);
            let name = function.name.as_ref().unwrap_or(&number);
            text.push_str(&format!("  {:>7}  {}\n", bytes(function.bytes), clean(name)));
        }
        text
    }
}

fn part_text(part: &Part) -> String {
    let mut text = String::new();
    let name = if part.interface.name.is_empty() { "(no interface)" } else { part.interface.name.as_str() };
    text.push_str(&format!("  {}\n", clean(name)));
    if let Some(hash) = part.hash {
        text.push_str(&format!("    hash {hash}\n"));
    }
    for line in part.interface.docs.lines() {
        text.push_str(&format!("    /// {}\n", clean(line)));
    }
    for line in pack_wit::print_items(&part.interface).lines() {
        text.push_str(format!("    {}", clean(line)).trim_end());
        text.push('\n');
    }
    for function in &part.undescribed {
        text.push_str(&format!("    {}: not described\n", clean(function)));
    }
    if part.absent > 0 {
        text.push_str(&format!(
            "    and {} that the module does not use\n",
            count(part.absent as u64, "function")
        ));
    }
    text
}

/// For programs.
impl Inspected {
    fn object(&self) -> Value {
        let Needs { grants, unprovided } = self.needs();
        let section = |section: &pack::Section| json!({"name": section.name, "custom": section.is_custom, "bytes": section.bytes});
        let function = |function: &pack::FunctionBody| json!({"index": function.index, "name": function.name, "bytes": function.bytes});
        let producer = |producer: &pack::Producer| json!({"role": producer.role, "name": producer.name, "version": producer.version});
        json!({
            "schema": "theater.package.1",
            "package": self.label,
            "bytes": self.wasm_bytes,
            "sha256": Hash(self.package.hash()).to_string(),
            "actor": self.is_actor(),
            "theater_sdk": self.has_section("pack:sdk"),
            "tasks": self.has_export("__pack_resume"),
            "types_from": self.types_from(),
            "docs": self.description.world.is_some(),
            "imports": self.description.imports.iter().map(|part| self.part(part, true)).collect::<Vec<_>>(),
            "exports": self.description.exports.iter().map(|part| self.part(part, false)).collect::<Vec<_>>(),
            "grants": grants,
            "unprovided": unprovided,
            "producers": self.anatomy.producers.iter().map(producer).collect::<Vec<_>>(),
            "sections": self.anatomy.sections.iter().map(section).collect::<Vec<_>>(),
            "functions": self.anatomy.functions.iter().map(function).collect::<Vec<_>>(),
        })
    }

    fn part(&self, part: &Part, is_import: bool) -> Value {
        let interface = &part.interface;
        let mut functions: Vec<Value> =
            interface.functions.iter().map(|function| described(&interface.name, function)).collect();
        functions.extend(part.undescribed.iter().map(|name| undescribed(&interface.name, name)));
        let mut object = json!({
            "interface": interface.name,
            "hash": part.hash.map(|hash| hash.to_string()),
            "docs": interface.docs,
            "types": interface.types.iter().map(definition).collect::<Vec<_>>(),
            "functions": functions,
        });
        if is_import {
            object["handler"] = json!(self.registry.provider(&interface.name));
        }
        object
    }
}

fn described(interface: &str, function: &Function) -> Value {
    let param = |param: &pack_abi::types::Param| json!({"name": param.name, "type": param.ty.to_string()});
    json!({
        "name": function.name,
        "symbol": symbol(interface, &function.name),
        "docs": function.docs,
        "params": function.params.iter().map(param).collect::<Vec<_>>(),
        "result": function.result.as_ref().map(ToString::to_string),
        "signature": function.to_string(),
    })
}

fn undescribed(interface: &str, name: &str) -> Value {
    json!({"name": name, "symbol": symbol(interface, name), "docs": "", "params": null, "result": null, "signature": null})
}

fn symbol(interface: &str, function: &str) -> String {
    if interface.is_empty() { function.to_owned() } else { format!("{interface}.{function}") }
}

fn definition(def: &TypeDef) -> Value {
    let interface = pack_abi::types::Interface { types: vec![def.clone()], ..Default::default() };
    json!({"name": def.name, "docs": def.docs, "definition": pack_wit::print_items(&interface)})
}
