//! The macro that makes a type's functions the exports of the package, and embeds what the package is.

use pack_abi::types::{Function, Interface};
use pack_wit::World;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::bindings::{Side, arguments_type, byte_array, full_name, module_path};
use crate::names::snake;
use crate::possible::{Impossible, TUPLE_ITEMS_MAX};

/// Defines `export!` in the root of the bindings.
pub(crate) fn export_macro(krate: &TokenStream, world: &World) -> Result<TokenStream, Impossible> {
    let name = format_ident!("__export_{}_impl", snake(&world.name).ident);
    let mut count = 0_usize;
    let mut exports = TokenStream::new();
    let mut checks = TokenStream::new();
    for interface in world.exports.iter().filter(|interface| !interface.functions.is_empty()) {
        let path = module_path(Side::Export, &interface.name);
        let guest = quote!($($path_to_types_root)*::#(#path::)*Guest);
        checks.extend(quote! {
            const _: () = {
                const fn is_implemented<T: #guest>() {}
                is_implemented::<$ty>();
            };
        });
        for function in &interface.functions {
            exports.extend(export(krate, interface, function, (&guest, count)));
            count += 1;
        }
    }
    let description = description(krate, world)?;
    Ok(quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #name {
            ($ty:ident) => { self::export!($ty with_types_in self); };
            ($ty:ident with_types_in $($path_to_types_root:tt)*) => {
                const _: ::core::marker::PhantomData<$ty> = ::core::marker::PhantomData;
                #checks
                #[cfg(target_arch = "wasm32")]
                #[allow(unsafe_code, missing_docs, clippy::all, clippy::pedantic)]
                const _: () = {
                    #exports
                    #description
                };
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #name as export;
    })
}

fn export(
    krate: &TokenStream,
    interface: &Interface,
    function: &Function,
    (guest, index): (&TokenStream, usize),
) -> TokenStream {
    let symbol = full_name(interface, function);
    let (outer, method) = (format_ident!("export_{index}"), snake(&function.name).ident);
    let names: Vec<_> = (0..function.params.len()).map(|index| format_ident!("argument_{index}")).collect();
    let read = match names.as_slice() {
        [] => quote!(let _ = input;),
        [name] => quote!(let #name = #krate::export::argument(input)?;),
        names if names.len() <= TUPLE_ITEMS_MAX => {
            quote!(let (#(#names),*) = #krate::export::arguments(input)?;)
        }
        names => {
            let arguments_type = arguments_type(krate, names.len());
            quote! {
                #arguments_type
                let __Arguments(#(#names),*) = #krate::export::arguments(input)?;
            }
        }
    };
    quote! {
        #[unsafe(export_name = #symbol)]
        unsafe extern "C" fn #outer(
            input: *const u8,
            input_len: usize,
            out: *mut *const u8,
            out_len: *mut usize,
        ) -> i32 {
            fn answer(
                input: &[u8],
                reply: &mut #krate::rt::Vec<u8>,
            ) -> ::core::result::Result<(), #krate::export::CallError> {
                #read
                #krate::export::reply(&<$ty as #guest>::#method(#(#names),*), reply)
            }
            unsafe { #krate::export::serve((input, input_len), (out, out_len), answer) }
        }
    }
}

/// What the package is, for hosts that run it and for tools that only read it.
fn description(krate: &TokenStream, world: &World) -> Result<TokenStream, Impossible> {
    let bytes = crate::describe::metadata(world)?;
    let packed = pack_abi::squeeze::squeeze(&bytes);
    let (packed_length, packed) = (Literal::usize_unsuffixed(packed.len()), byte_array(&packed));
    let (length, bytes) = (Literal::usize_unsuffixed(bytes.len()), byte_array(&bytes));
    let text = crate::describe::text(world).map(|text| {
        let (length, text) = (Literal::usize_unsuffixed(text.len()), byte_array(text.as_bytes()));
        quote! {
            #[unsafe(link_section = "pack:wit")]
            static WIT_SECTION: [u8; #length] = #text;
        }
    });
    Ok(quote! {
        static TYPES: [u8; #packed_length] = #packed;

        #[unsafe(link_section = "pack:types")]
        static TYPES_SECTION: [u8; #length] = #bytes;

        #text

        #[unsafe(link_section = "pack:sdk")]
        static SDK_SECTION: [u8; 2] = #krate::rt::SDK;

        #[unsafe(export_name = "__pack_types")]
        unsafe extern "C" fn types(out: *mut *const u8, out_len: *mut usize) -> i32 {
            unsafe { #krate::export::describe(&TYPES, (out, out_len)) }
        }
    })
}
