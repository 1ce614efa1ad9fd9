//! From what a macro is given to what it puts there: files read, interfaces parsed, mistakes placed.

use std::path::PathBuf;

use pack_wit::ParseError;
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::bindings;
use crate::options::{HostOptions, Options};

/// Expands `generate!`.
pub(crate) fn guest(input: TokenStream) -> TokenStream {
    let options: Options = match syn::parse2(input) {
        Ok(options) => options,
        Err(error) => return error.to_compile_error(),
    };
    let (sources, watched) = match options.read() {
        Ok(files) => files,
        Err(message) => return failure(&message, &[]),
    };
    let world = options.world.as_ref().map(LitStr::value);
    let generated = pack_wit::parse(&sources).and_then(|document| {
        bindings::generate(&options.krate, document.world(world.as_deref())?).map_err(|impossible| {
            ParseError::about(&sources, &impossible.interface, &impossible.item, impossible.message)
        })
    });
    finish(generated.map_err(|error| error.to_string()), &watched)
}

/// Expands `host!`.
pub(crate) fn host(input: TokenStream) -> TokenStream {
    let options: HostOptions = match syn::parse2(input) {
        Ok(options) => options,
        Err(error) => return error.to_compile_error(),
    };
    let (sources, watched) = match crate::options::read_folder(&options.path) {
        Ok(files) => files,
        Err(message) => return failure(&message, &[]),
    };
    let generated = pack_wit::parse(&sources).map_err(|error| error.to_string()).and_then(|document| {
        let Some(interface) = document.interface(&options.interface) else {
            return Err(no_interface(&document, &options.interface));
        };
        crate::possible::check(interface).map_err(|impossible| {
            ParseError::about(&sources, &impossible.interface, &impossible.item, impossible.message)
                .to_string()
        })?;
        Ok(crate::host::generate(interface, options.handler.as_ref()))
    });
    finish(generated, &watched)
}

fn no_interface(document: &pack_wit::Document, wanted: &str) -> String {
    let known = document.packages.iter().flat_map(|package| &package.interfaces);
    let known: Vec<&str> = known.map(|interface| interface.name.as_str()).collect();
    format!("there is no interface `{wanted}`; the files have {}", known.join(", "))
}

fn finish(generated: Result<TokenStream, String>, watched: &[PathBuf]) -> TokenStream {
    match generated {
        Ok(items) => {
            let watch = watch(watched);
            quote!(#watch #items)
        }
        Err(message) => failure(&message, watched),
    }
}

/// A mistake, at the place of the macro; the message names the place in the interface file.
fn failure(message: &str, watched: &[PathBuf]) -> TokenStream {
    let watch = watch(watched);
    quote!(#watch ::core::compile_error!(#message);)
}

/// Makes the compiler run the macro again when a file changes.
fn watch(files: &[PathBuf]) -> TokenStream {
    let paths = files.iter().map(|file| file.to_string_lossy().into_owned());
    quote!(#(const _: &[u8] = ::core::include_bytes!(#paths);)*)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    fn expanded(inline: &str, world: &str) -> String {
        let sources = wit::FILES.iter().map(|(name, text)| quote!((#name, #text)));
        let input = quote! {
            crate = [guest]; sources = [#(#sources),*]; { inline: #inline, world: #world }
        };
        super::guest(input).to_string()
    }

    #[test]
    fn a_mistake_in_a_file_is_reported_with_its_place_there() {
        let code = expanded("package a:b;\nworld w {\n    import theater:simple/runtim;\n}", "w");
        assert!(code.contains("compile_error"), "{code}");
        assert!(code.contains("inline:3:27") && code.contains("did you mean `runtime`?"), "{code}");
    }

    #[test]
    fn a_missing_world_is_named() {
        let code = expanded("package a:b; world one {}", "two");
        assert!(code.contains("there is no world `two`"), "{code}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let code = super::guest(quote!(crate = [guest]; sources = []; "nowhere")).to_string();
        assert!(code.contains("cannot read the folder") && code.contains("nowhere"), "{code}");
    }

    #[test]
    fn options_that_do_not_exist_are_refused() {
        let code = super::guest(quote!(crate = [guest]; sources = []; { wold: "w" })).to_string();
        assert!(code.contains("expected `path`, `world` or `inline`"), "{code}");
    }

    #[test]
    fn a_tuple_that_rust_cannot_carry_is_reported_where_it_stands() {
        let items = ["u8"; 13].join(", ");
        for text in [
            format!(
                "package a:b;\ninterface i {{\n    record large {{ x: tuple<{items}> }}\n}}\nworld w {{ import i; }}"
            ),
            format!("package a:b;\nworld w {{\n    export large: func(x: list<tuple<{items}>>);\n}}"),
            format!(
                "package a:b;\nworld w {{ import i: interface {{\n    large: func() -> tuple<{items}>; }} }}"
            ),
        ] {
            let code = expanded(&text, "w");
            assert!(code.contains("`large` has a tuple of 13 elements, at most 12 are possible"), "{code}");
            assert!(code.contains("--> inline:3:"), "{code}");
        }
    }

    #[test]
    fn names_that_rust_cannot_tell_apart_are_reported_where_they_stand() {
        for (items, line, message) in [
            ("enum a-1 { x }\nenum a1 { x }", 4, "the types `a-1` and `a1` would both be `A1` in Rust"),
            ("f-1: func();\n%f_1: func();", 4, "the functions `f-1` and `f_1` would both be `f_1` in Rust"),
            (
                "record r { a-1: u8, %a_1: u8 }",
                3,
                "in `r`, the fields `a-1` and `a_1` would both be `a_1` in Rust",
            ),
            ("variant v { a-1, a1 }", 3, "in `v`, the cases `a-1` and `a1` would both be `A1` in Rust"),
            ("f: func(%type: u8, %type_: u8);", 3, "the parameters `type` and `type_` would both be `type_`"),
        ] {
            let text = format!("package a:b;\ninterface i {{\n{items}\n}}\nworld w {{ import i; }}");
            let code = expanded(&text, "w");
            assert!(code.contains(message), "{code}");
            assert!(code.contains(&format!("--> inline:{line}:")), "{code}");
        }
    }

    #[test]
    fn what_the_graph_abi_cannot_carry_is_reported_where_it_stands() {
        let code = expanded("package a:b;\nworld w {\n    import i: interface { resource file; }\n}", "w");
        assert!(code.contains("compile_error") && code.contains("--> inline:3:36"), "{code}");
        assert!(code.contains("not supported by the Graph ABI"), "{code}");
    }

    #[test]
    fn docs_go_to_everything_that_they_describe() {
        let code = expanded(
            "package a:b;\n\
             /// Of i.\ninterface i {\n\
             /// Of r.\nrecord r {\n/// Of x.\nx: u8 }\n\
             /// Of v.\nvariant v {\n/// Of c.\nc(r) }\n\
             /// Of e.\nenum e {\n/// Of d.\nd }\n\
             /// Of p.\nflags p {\n/// Of q.\nq }\n\
             /// Of t.\ntype t = r;\n\
             /// Of f.\n/// Second line.\nf: func(x: r, v: v, e: e, p: p, t: t);\n}\n\
             /// Of j.\ninterface j {\n/// Of g.\ng: func(); }\n\
             world w {\n import i; export j;\n/// Of b.\nimport b: func();\n}",
            "w",
        );
        for (name, item) in [
            ("i", "pub mod i"),
            ("r", "pub struct R"),
            ("x", "pub x : u8"),
            ("v", "pub enum V"),
            ("c", "C (R)"),
            ("e", "pub enum E"),
            ("d", "D"),
            ("p", "pub struct P"),
            ("q", "pub const Q"),
            ("t", "pub type T"),
            ("j", "pub mod j"),
            ("g", "fn g ()"),
            ("b", "pub fn b ()"),
        ] {
            let doc = format!("# [doc = \" Of {name}.\"]");
            let at = code.find(&doc).unwrap_or_else(|| panic!("{doc} is not in {code}"));
            let before_next = code[at + doc.len()..].split("[doc = \" Of").next().unwrap_or_default();
            assert!(before_next.contains(item), "{doc} is not before {item}: {before_next}");
        }
        assert!(code.contains("# [doc = \" Of j.\"] pub trait Guest"), "{code}");
        assert!(code.contains("# [doc = \" Of f.\"] # [doc = \" Second line.\"]"), "{code}");
    }

    #[test]
    fn interface_text_is_embedded_where_it_has_docs() {
        let plain = expanded("package a:b; world w { export f: func(); }", "w");
        assert!(plain.contains("pack:types") && !plain.contains("pack:wit"), "{plain}");
        let with_docs = expanded("package a:b; world w {\n/// Of f.\nexport f: func(); }", "w");
        assert!(with_docs.contains("pack:wit"), "{with_docs}");
    }

    #[test]
    fn an_own_copy_of_a_package_goes_before_that_of_the_sdk() {
        let text = "package theater:simple; interface runtime { mine: func(); } world w { import runtime; }";
        let code = expanded(text, "w");
        assert!(code.contains("fn mine") && !code.contains("fn shutdown"), "{code}");
    }
}
