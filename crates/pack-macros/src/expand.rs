//! From what a macro is given to what it puts there: files read, interfaces parsed, mistakes placed.

use std::path::PathBuf;

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
    let generated = pack_wit::parse(&sources)
        .and_then(|document| document.world(options.world.as_ref().map(LitStr::value).as_deref()).cloned())
        .map_err(|error| error.to_string())
        .and_then(|world| bindings::generate(&options.krate, &world));
    finish(generated, &watched)
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
    fn functions_with_too_many_parameters_are_refused() {
        let params: Vec<String> = (0..13).map(|index| format!("p{index}: u8")).collect();
        let code =
            expanded(&format!("package a:b; world w {{ import f: func({}); }}", params.join(", ")), "w");
        assert!(code.contains("f has 13 parameters, at most 12 are possible"), "{code}");
    }

    #[test]
    fn an_own_copy_of_a_package_goes_before_that_of_the_sdk() {
        let text = "package theater:simple; interface runtime { mine: func(); } world w { import runtime; }";
        let code = expanded(text, "w");
        assert!(code.contains("fn mine") && !code.contains("fn shutdown"), "{code}");
    }
}
