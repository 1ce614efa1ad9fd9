//! Procedural macros: derive(GraphValue), guest bindings, host bindings.

mod bindings;
mod definitions;
mod derive;
mod describe;
mod expand;
mod exports;
mod host;
mod literal;
mod names;
mod options;
mod possible;
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
    expand::guest(input.into()).into()
}

/// Generates the host side of an interface: its types, a type for its calls, its description.
///
/// `host! { path: "wit", interface: "ns:package/name" }` reads the interface files in a folder beside
/// `Cargo.toml` and generates, where it stands:
///
/// - the types of the interface;
/// - `enum Call`, one case per function with its arguments, and `Call::read(function, input)`;
/// - `mod results`, one type per function: what it answers;
/// - `fn interface()`, the description of the interface.
///
/// With `handler: ::theater::handler` it also generates
///
/// - `trait Handler`, one method per function: it takes the call and its arguments, and returns a `Reply` of the result;
/// - `fn handler(methods)`, which makes a handler of a type that has these methods, and `fn answer` for one call.
///
/// The module must have what the runtime's has: `Call`, `Answer`, `Reply` and the runtime's own trait `Handler`.
/// The generated code names `pack_abi` and `pack_macros`.
#[proc_macro]
pub fn host(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::host(input.into()).into()
}
