//! Procedural macros: derive(GraphValue), guest bindings, host bindings.

mod bindings;
mod definitions;
mod derive;
mod describe;
mod exports;
mod names;
mod options;
mod rust_type;

/// Derives `GraphType`, `Encode` and `Decode` of `pack_abi` for a struct or an enum.
///
/// A struct with named fields is a record, a tuple struct a tuple, an enum a variant. The names on the wire are
/// those of the Rust source, as upstream's derive has them.
///
/// On the type: `#[graph(crate = "path")]` names the codec (default `::pack_abi`), `rename = "..."` the type,
/// `forward_compatible` (structs) gives missing fields their default and passes over unknown ones, `flags`
/// (`struct Name(u64)`) makes a set of flags. On a field: `rename = "..."`. On a variant: `rename = "..."`,
/// `tag = N` (default: its place in the enum).
#[proc_macro_derive(GraphValue, attributes(graph))]
pub fn derive_graph_value(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::expand(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

/// Generates guest bindings; `generate!` of the guest crates calls it with what they know.
#[proc_macro]
pub fn bindings(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let options = syn::parse_macro_input!(input as options::Options);
    let (sources, watched) = match options.read() {
        Ok(files) => files,
        Err(message) => return failure(&message, &[]).into(),
    };
    let generated = pack_wit::parse(&sources)
        .and_then(|document| {
            document.world(options.world.as_ref().map(syn::LitStr::value).as_deref()).cloned()
        })
        .map_err(|error| error.to_string())
        .and_then(|world| bindings::generate(&options.krate, &world));
    match generated {
        Ok(items) => {
            let watch = watch(&watched);
            quote::quote!(#watch #items).into()
        }
        Err(message) => failure(&message, &watched).into(),
    }
}

/// A mistake, at the place of the macro; the message names the place in the interface file.
fn failure(message: &str, watched: &[std::path::PathBuf]) -> proc_macro2::TokenStream {
    let watch = watch(watched);
    quote::quote!(#watch ::core::compile_error!(#message);)
}

/// Makes the compiler run the macro again when a file changes.
fn watch(files: &[std::path::PathBuf]) -> proc_macro2::TokenStream {
    let paths = files.iter().map(|file| file.to_string_lossy().into_owned());
    quote::quote!(#(const _: &[u8] = ::core::include_bytes!(#paths);)*)
}
