//! Procedural macros: derive(GraphValue), guest bindings, host bindings.

mod derive;

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
