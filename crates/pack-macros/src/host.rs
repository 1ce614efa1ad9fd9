//! The host side of an interface: its calls as one type, so that a handler answers all of them or does not compile.

use pack_abi::types::{Function, Interface};
use proc_macro2::TokenStream;
use quote::quote;

use crate::definitions::{definition, docs};
use crate::names::{camel, snake};
use crate::rust_type::Types;

/// Generates types, calls, results and description.
pub(crate) fn generate(interface: &Interface) -> TokenStream {
    let krate = quote!(self::__pack);
    let types = Types::new(&krate, &interface.types);
    let definitions = interface.types.iter().map(|def| definition(&krate, &types, def));
    let calls = calls(&types, interface);
    let results = interface.functions.iter().map(|function| {
        let name = camel(&function.name).ident;
        let docs = format!(" What `{}` answers.", function.name);
        let result = function.result.as_ref().map_or(quote!(()), |ty| types.owned(ty));
        quote!(#[doc = #docs] pub type #name = #result;)
    });
    let title = format!(" Returns the description of `{}`.", interface.name);
    let literal = crate::literal::interface(interface);
    quote! {
        #[doc(hidden)]
        mod __pack {
            pub(super) mod rt {
                pub(in super::super) use ::std::boxed::Box;
                pub(in super::super) use ::std::collections::{BTreeMap, BTreeSet};
                pub(in super::super) use ::std::string::String;
                pub(in super::super) use ::std::vec::Vec;
            }
            pub(super) use ::pack_abi::Value;
            pub(super) use ::pack_macros::GraphValue;
        }
        use ::pack_abi as __abi;

        #(#definitions)*
        #calls

        /// What each function answers.
        pub mod results {
            use super::*;

            #(#results)*
        }

        #[doc = #title]
        #[must_use]
        pub fn interface() -> __abi::types::Interface {
            use __abi::types as __types;
            #literal
        }
    }
}

fn calls(types: &Types<'_>, interface: &Interface) -> TokenStream {
    let mut cases = TokenStream::new();
    let mut arms = TokenStream::new();
    let mut reads = TokenStream::new();
    for function in &interface.functions {
        let (docs, case, name) = (docs(&function.docs), camel(&function.name).ident, &function.name);
        let names: Vec<_> = function.params.iter().map(|param| snake(&param.name).ident).collect();
        let tys: Vec<_> = function.params.iter().map(|param| types.read(&param.ty)).collect();
        let fields = if names.is_empty() { quote!() } else { quote!({ #(#names: #tys),* }) };
        cases.extend(quote!(#docs #case #fields,));
        arms.extend(quote!(Self::#case { .. } => #name,));
        reads.extend(read(function, &names));
    }
    let is_borrowing = interface.functions.iter().flat_map(|function| &function.params).any(|param| {
        // The lifetime is there only if something is borrowed.
        types.read(&param.ty).to_string().contains("'a")
    });
    let lifetime = is_borrowing.then(|| quote!(<'a>));
    let input = if is_borrowing { quote!(&'a [u8]) } else { quote!(&[u8]) };
    let title = format!(" A call of `{}`.", interface.name);
    let unknown = format!("`{}` has no function `{{name}}`", interface.name);
    quote! {
        #[doc = #title]
        #[allow(missing_docs)]
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call #lifetime { #cases }

        impl #lifetime Call #lifetime {
            /// Reads a call from the name of the function and its encoded arguments.
            ///
            /// # Errors
            /// If there is no such function, or the arguments are not its.
            pub fn read(function: &str, input: #input) -> ::core::result::Result<Self, CallError> {
                match function {
                    #reads
                    name => ::core::result::Result::Err(CallError::UnknownFunction { name: name.into() }),
                }
            }

            /// Returns the name of the function.
            #[must_use]
            pub fn function(&self) -> &'static str {
                match self { #arms }
            }
        }

        /// Why bytes are not a call; the caller's mistake.
        #[derive(Clone, Debug, PartialEq)]
        pub enum CallError {
            /// The interface has no such function.
            UnknownFunction {
                /// The name that was called.
                name: ::std::string::String,
            },
            /// The arguments are of another type.
            Arguments {
                /// The function.
                function: &'static str,
                /// What is wrong with them, and where.
                source: __abi::DecodeError,
            },
        }

        impl ::core::fmt::Display for CallError {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    Self::UnknownFunction { name } => ::core::write!(f, #unknown),
                    Self::Arguments { function, source } => {
                        ::core::write!(f, "the arguments of `{function}` are of another type: {source}")
                    }
                }
            }
        }

        impl ::core::error::Error for CallError {
            fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                match self {
                    Self::UnknownFunction { .. } => ::core::option::Option::None,
                    Self::Arguments { source, .. } => ::core::option::Option::Some(source),
                }
            }
        }
    }
}

/// The arm that reads one function's arguments: a bare value for one parameter, a tuple otherwise.
fn read(function: &Function, names: &[proc_macro2::Ident]) -> TokenStream {
    let (case, name) = (camel(&function.name).ident, &function.name);
    let (pattern, make) = match names {
        [] => (quote!(()), quote!(Self::#case)),
        [only] => (quote!(#only), quote!(Self::#case { #only })),
        several => (quote!((#(#several),*)), quote!(Self::#case { #(#several),* })),
    };
    quote! {
        #name => match __abi::decode(input) {
            ::core::result::Result::Ok(#pattern) => ::core::result::Result::Ok(#make),
            ::core::result::Result::Err(source) => {
                ::core::result::Result::Err(CallError::Arguments { function: #name, source })
            }
        },
    }
}
