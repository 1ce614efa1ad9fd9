//! A world as Rust: modules of imported functions, traits to implement, and the macro that exports them.

use std::collections::BTreeMap;

use pack_abi::types::{Function, Interface};
use pack_wit::World;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::definitions::{definition, docs};
use crate::names::{camel, modules, snake};
use crate::possible::{Impossible, TUPLE_ITEMS_MAX};
use crate::rust_type::Types;

/// Generates the bindings of a world; `krate` names the guest crate.
pub(crate) fn generate(krate: &TokenStream, world: &World) -> Result<TokenStream, Impossible> {
    for interface in world.imports.iter().chain(&world.used).chain(&world.exports) {
        crate::possible::check(interface)?;
    }
    let bindings = Bindings { krate, world };
    let mut root = Module::default();
    let mut root_types = None;
    for (side, interfaces) in
        [(Side::Import, &world.imports), (Side::Import, &world.used), (Side::Export, &world.exports)]
    {
        for interface in interfaces {
            if interface.name.is_empty() {
                root_types = Some(interface);
                root.items.extend(bindings.functions(interface, side));
            } else {
                let module = root.at(&module_path(side, &interface.name));
                module.docs = docs(&interface.docs);
                module.items.extend(bindings.types(interface, side));
                module.items.extend(bindings.functions(interface, side));
            }
        }
    }
    if let Some(interface) = root_types {
        root.items.extend(bindings.types(interface, Side::Import));
    }
    root.items.extend(crate::exports::export_macro(krate, world)?);
    Ok(root.into_tokens())
}

/// Which way functions go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Import,
    Export,
}

/// The modules of an interface on one side, from the root of the bindings.
pub(crate) fn module_path(side: Side, interface: &str) -> Vec<Ident> {
    let mut path = Vec::new();
    if side == Side::Export && !interface.is_empty() {
        path.push(format_ident!("exports"));
    }
    path.extend(modules(interface));
    path
}

/// The name of a function in symbols and messages: `ns:package/interface.function`, or bare.
pub(crate) fn full_name(interface: &Interface, function: &Function) -> String {
    match interface.name.as_str() {
        "" => function.name.clone(),
        name => format!("{name}.{}", function.name),
    }
}

#[derive(Default)]
struct Module {
    docs: TokenStream,
    items: TokenStream,
    children: BTreeMap<Ident, Self>,
}

impl Module {
    fn at(&mut self, path: &[Ident]) -> &mut Self {
        path.iter().fold(self, |module, name| module.children.entry(name.clone()).or_default())
    }

    fn into_tokens(self) -> TokenStream {
        let items = self.items;
        let children = self.children.into_iter().map(|(name, child)| {
            let docs = child.docs.clone();
            let content = child.into_tokens();
            quote! {
                #docs
                #[allow(dead_code, missing_docs, unused_imports, clippy::all, clippy::pedantic)]
                pub mod #name { #content }
            }
        });
        quote!(#items #(#children)*)
    }
}

struct Bindings<'a> {
    krate: &'a TokenStream,
    world: &'a World,
}

impl Bindings<'_> {
    /// The types of an interface: its own as items, those it uses by their name elsewhere.
    fn types(&self, interface: &Interface, side: Side) -> TokenStream {
        let krate = self.krate;
        let types = Types::new(krate, &interface.types);
        let mut items = TokenStream::new();
        for def in &interface.types {
            let origin =
                self.world.origins.iter().find(|o| o.interface == interface.name && o.name == def.name);
            match origin {
                None => items.extend(definition(krate, &types, def)),
                Some(origin) if origin.is_visible => {
                    let is_exported = self.world.exports.iter().any(|export| export.name == origin.from);
                    let from = if side == Side::Export && is_exported { Side::Export } else { Side::Import };
                    let supers = module_path(side, &interface.name).into_iter().map(|_| quote!(super::));
                    let path = module_path(from, &origin.from);
                    let (original, local) = (camel(&origin.original).ident, camel(&origin.name).ident);
                    items.extend(quote!(pub use #(#supers)* #(#path::)* #original as #local;));
                }
                // Reached only through a type that is named.
                Some(_) => {}
            }
        }
        if !items.is_empty() {
            items.extend(quote!(#[allow(unused_imports)] use #krate::abi as __abi;));
        }
        items
    }

    fn functions(&self, interface: &Interface, side: Side) -> TokenStream {
        let types = Types::new(self.krate, &interface.types);
        match side {
            Side::Import => {
                interface.functions.iter().map(|function| self.import(&types, interface, function)).collect()
            }
            Side::Export if interface.functions.is_empty() => TokenStream::new(),
            Side::Export => guest_trait(&types, interface),
        }
    }

    fn import(&self, types: &Types<'_>, interface: &Interface, function: &Function) -> TokenStream {
        let krate = self.krate;
        let docs = docs(&function.docs);
        let ident = snake(&function.name).ident;
        let names: Vec<Ident> = function.params.iter().map(|param| snake(&param.name).ident).collect();
        let tys = function.params.iter().map(|param| types.lent(&param.ty));
        let result = function.result.as_ref().map(|ty| {
            let ty = types.owned(ty);
            quote!(-> #ty)
        });
        let (arguments_type, arguments) = match names.as_slice() {
            [name] => (None, quote!(#name)),
            names if names.len() <= TUPLE_ITEMS_MAX => (None, quote!((#(#names),*))),
            names => (Some(arguments_type(krate, names.len())), quote!(__Arguments(#(#names),*))),
        };
        let (module, field, title) = (&interface.name, &function.name, full_name(interface, function));
        quote! {
            #docs
            #[allow(dead_code, unsafe_code, clippy::all, clippy::pedantic)]
            #[track_caller]
            pub fn #ident(#(#names: #tys),*) #result {
                #[cfg(target_arch = "wasm32")]
                #[link(wasm_import_module = #module)]
                unsafe extern "C" {
                    #[link_name = #field]
                    fn __raw(input: *const u8, input_len: usize, out: *mut *mut u8, out_len: *mut usize) -> i32;
                }
                #[cfg(not(target_arch = "wasm32"))]
                use #krate::import::unavailable as __raw;
                #arguments_type
                #krate::import::call(#title, __raw, &#arguments)
            }
        }
    }
}

/// A tuple of more elements than the codec's tuples have, for the arguments of one function.
pub(crate) fn arguments_type(krate: &TokenStream, count: usize) -> TokenStream {
    let types: Vec<Ident> = (0..count).map(|index| format_ident!("T{index}")).collect();
    quote! {
        use #krate::abi as __abi;
        #[derive(#krate::GraphValue)]
        #[graph(crate = "__abi")]
        struct __Arguments<#(#types),*>(#(#types),*);
    }
}

/// The trait that an actor implements for an interface that it exports.
fn guest_trait(types: &Types<'_>, interface: &Interface) -> TokenStream {
    let functions = interface.functions.iter().map(|function| {
        let docs = docs(&function.docs);
        let ident = snake(&function.name).ident;
        let names = function.params.iter().map(|param| snake(&param.name).ident);
        let tys = function.params.iter().map(|param| types.owned(&param.ty));
        let result = function.result.as_ref().map(|ty| {
            let ty = types.owned(ty);
            quote!(-> #ty)
        });
        quote!(#docs fn #ident(#(#names: #tys),*) #result;)
    });
    let docs = docs(&interface.docs);
    quote! {
        #docs
        pub trait Guest { #(#functions)* }
    }
}

/// A byte string as an array's value.
pub(crate) fn byte_array(bytes: &[u8]) -> TokenStream {
    let literal = Literal::byte_string(bytes);
    quote!(*#literal)
}
