//! What `generate!` is told, and the interface files that it means.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pack_wit::Source;
use proc_macro2::{Group, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Path, Token};

/// The input of the macro: the crate to name, texts that come with it, and what the caller wrote.
pub(crate) struct Options {
    pub(crate) krate: TokenStream,
    sources: Vec<Source>,
    path: Option<LitStr>,
    inline: Option<LitStr>,
    pub(crate) world: Option<LitStr>,
}

mod word {
    syn::custom_keyword!(sources);
    syn::custom_keyword!(path);
    syn::custom_keyword!(inline);
    syn::custom_keyword!(world);
}

impl Parse for Options {
    /// `crate = [path]; sources = [("name", "text"), ...]; "folder"`, or `{ path: "...", world: "..." }` at the end.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let krate = input.parse::<Group>()?.stream();
        input.parse::<Token![;]>()?;
        input.parse::<word::sources>()?;
        input.parse::<Token![=]>()?;
        let list;
        syn::bracketed!(list in input);
        let mut sources = Vec::new();
        while !list.is_empty() {
            let pair;
            syn::parenthesized!(pair in list);
            let name: LitStr = pair.parse()?;
            pair.parse::<Token![,]>()?;
            let text: LitStr = pair.parse()?;
            sources.push(Source::new(name.value(), text.value()));
            list.parse::<Option<Token![,]>>()?;
        }
        input.parse::<Token![;]>()?;
        let mut options = Self { krate, sources, path: None, inline: None, world: None };
        if input.peek(LitStr) {
            options.path = Some(input.parse()?);
        } else if !input.is_empty() {
            let fields;
            syn::braced!(fields in input);
            options.fields(&fields)?;
        }
        if input.is_empty() { Ok(options) } else { Err(input.error("expected nothing more")) }
    }
}

impl Options {
    fn fields(&mut self, fields: ParseStream<'_>) -> syn::Result<()> {
        while !fields.is_empty() {
            let name: Ident = fields.parse()?;
            fields.parse::<Token![:]>()?;
            let value: LitStr = fields.parse()?;
            match name.to_string().as_str() {
                "path" => self.path = Some(value),
                "inline" => self.inline = Some(value),
                "world" => self.world = Some(value),
                _ => return Err(syn::Error::new(name.span(), "expected `path`, `world` or `inline`")),
            }
            fields.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    }

    /// Reads the files that are meant; the second part are their paths, for the compiler to watch.
    pub(crate) fn read(&self) -> Result<(Vec<Source>, Vec<PathBuf>), String> {
        let mut sources = Vec::new();
        let mut watched = Vec::new();
        if let Some(inline) = &self.inline {
            sources.push(Source::new("inline", inline.value()));
        }
        if self.path.is_some() || self.inline.is_none() {
            let path = self.path.as_ref().map_or_else(|| "wit".to_owned(), LitStr::value);
            let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
            watched = interface_files(&root.join(&path))?;
            if watched.is_empty() {
                return Err(format!("the folder `{path}` beside Cargo.toml holds no `.wit` file"));
            }
            for file in &watched {
                let text =
                    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
                sources.push(Source::new(shown(file, &root), text));
            }
        }
        // Texts that come with the SDK give way to the project's own copy of a package.
        let own: BTreeSet<String> = sources.iter().filter_map(pack_wit::declared_package).collect();
        let is_needed = |source: &&Source| {
            pack_wit::declared_package(source).is_none_or(|package| !own.contains(&package))
        };
        let needed: Vec<Source> = self.sources.iter().filter(is_needed).cloned().collect();
        sources.extend(needed);
        Ok((sources, watched))
    }
}

/// Reads the interface files of a folder beside `Cargo.toml`; the second part are their paths.
pub(crate) fn read_folder(path: &str) -> Result<(Vec<Source>, Vec<PathBuf>), String> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let files = interface_files(&root.join(path))?;
    if files.is_empty() {
        return Err(format!("the folder `{path}` beside Cargo.toml holds no `.wit` file"));
    }
    let mut sources = Vec::with_capacity(files.len());
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        sources.push(Source::new(shown(file, &root), text));
    }
    Ok((sources, files))
}

fn shown(file: &std::path::Path, root: &std::path::Path) -> String {
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The files of a folder, then those of `deps` in it; or the file itself.
fn interface_files(path: &std::path::Path) -> Result<Vec<PathBuf>, String> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = listed(path)?;
    let deps = path.join("deps");
    if deps.is_dir() {
        files.extend(listed(&deps)?);
        for folder in entries(&deps)?.into_iter().filter(|entry| entry.is_dir()) {
            files.extend(listed(&folder)?);
        }
    }
    Ok(files)
}

fn listed(folder: &std::path::Path) -> Result<Vec<PathBuf>, String> {
    let is_interface =
        |file: &PathBuf| file.is_file() && file.extension().is_some_and(|extension| extension == "wit");
    Ok(entries(folder)?.into_iter().filter(is_interface).collect())
}

fn entries(folder: &std::path::Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("cannot read the folder {}: {error}", folder.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    Ok(entries)
}

/// The input of `host!`.
pub(crate) struct HostOptions {
    pub(crate) path: String,
    pub(crate) interface: String,
    /// The module that has what a handler is made of.
    pub(crate) handler: Option<Path>,
}

impl Parse for HostOptions {
    /// `path: "...", interface: "...", handler: ::some::module`; the last may be left out.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut path, mut interface, mut handler) = (None, None, None);
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            match name.to_string().as_str() {
                "path" => path = Some(input.parse::<LitStr>()?.value()),
                "interface" => interface = Some(input.parse::<LitStr>()?.value()),
                "handler" => handler = Some(input.parse()?),
                _ => return Err(syn::Error::new(name.span(), "expected `path`, `interface` or `handler`")),
            }
            input.parse::<Option<Token![,]>>()?;
        }
        let (Some(path), Some(interface)) = (path, interface) else {
            return Err(input.error("`path` and `interface` are needed"));
        };
        Ok(Self { path, interface, handler })
    }
}
