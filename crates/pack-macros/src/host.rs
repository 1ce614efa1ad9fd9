//! The host side of an interface: its calls as one type and one trait, so that a handler answers all of them or does
//! not compile.

use pack_abi::types::{Function, Interface};
use proc_macro2::TokenStream;
use quote::quote;

use crate::bindings::arguments_type;
use crate::definitions::{definition, docs};
use crate::names::{camel, snake};
use crate::possible::TUPLE_ITEMS_MAX;
use crate::rust_type::Types;

/// Generates types, calls, results and description; with the module that has what a handler is made of, also the
/// trait of one.
pub(crate) fn generate(interface: &Interface, handler: Option<&syn::Path>) -> TokenStream {
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
    let handler = handler.map(|module| handler_trait(module, &types, interface));
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

        #handler
    }
}

/// The trait with one method per function, and what makes a handler of a type that has them.
fn handler_trait(module: &syn::Path, types: &Types<'_>, interface: &Interface) -> TokenStream {
    let mut methods = TokenStream::new();
    let mut arms = TokenStream::new();
    for function in &interface.functions {
        let (docs, case) = (docs(&function.docs), camel(&function.name).ident);
        let method = snake(&function.name).ident;
        let names: Vec<_> = function.params.iter().map(|param| snake(&param.name).ident).collect();
        let tys: Vec<_> = function.params.iter().map(|param| types.read(&param.ty)).collect();
        let is_borrowing = tys.iter().any(|ty| ty.to_string().contains("'a"));
        let (declared, lifetime) =
            if is_borrowing { (quote!(<'a>), quote!('a)) } else { (quote!(), quote!('_)) };
        methods.extend(quote! {
            #docs
            fn #method #declared(
                &mut self,
                call: &__host::Call<#lifetime>,
                #(#names: #tys),*
            ) -> __host::Reply<results::#case>;
        });
        // The arguments keep clear of the names of this function's own.
        let places: Vec<_> = (0..names.len()).map(|place| quote::format_ident!("argument_{place}")).collect();
        let fields = if names.is_empty() { quote!() } else { quote!({ #(#names: #places),* }) };
        arms.extend(quote! {
            ::core::result::Result::Ok(Call::#case #fields) => {
                handler.#method(&call, #(#places),*).into_answer(reply)
            }
        });
    }
    let title = format!(" Answers the calls of `{}`: one method per function.", interface.name);
    quote! {
        use #module as __host;

        #[doc = #title]
        #[allow(missing_docs)]
        pub trait Handler: ::core::marker::Send { #methods }

        /// Answers a call by the method for its function.
        pub fn answer(
            handler: &mut (impl Handler + ?::core::marker::Sized),
            call: __host::Call<'_>,
            reply: &mut ::std::vec::Vec<u8>,
        ) -> __host::Answer {
            match Call::read(call.function, call.input) {
                #arms
                ::core::result::Result::Err(error) => {
                    __host::Answer::Refused(::std::string::ToString::to_string(&error))
                }
            }
        }

        /// Makes a handler of a type with these methods.
        pub fn handler(methods: impl Handler + 'static) -> ::std::boxed::Box<dyn __host::Handler> {
            struct Typed<H>(H);

            impl<H: Handler> __host::Handler for Typed<H> {
                fn call(
                    &mut self,
                    call: __host::Call<'_>,
                    reply: &mut ::std::vec::Vec<u8>,
                ) -> __host::Answer {
                    answer(&mut self.0, call, reply)
                }

                fn is_typed(&self) -> bool {
                    true
                }
            }

            ::std::boxed::Box::new(Typed(methods))
        }
    }
}

fn calls(types: &Types<'_>, interface: &Interface) -> TokenStream {
    let mut cases = TokenStream::new();
    let mut arms = TokenStream::new();
    let mut reads = TokenStream::new();
    for (place, function) in interface.functions.iter().enumerate() {
        let (docs, case, name) = (docs(&function.docs), camel(&function.name).ident, &function.name);
        let names: Vec<_> = function.params.iter().map(|param| snake(&param.name).ident).collect();
        let tys: Vec<_> = function.params.iter().map(|param| types.read(&param.ty)).collect();
        let fields = if names.is_empty() { quote!() } else { quote!({ #(#names: #tys),* }) };
        cases.extend(quote!(#docs #case #fields,));
        arms.extend(quote!(Self::#case { .. } => #name,));
        reads.extend(read((place, function), &names));
    }
    let is_borrowing = interface.functions.iter().flat_map(|function| &function.params).any(|param| {
        // The lifetime is there only if something is borrowed.
        types.read(&param.ty).to_string().contains("'a")
    });
    let lifetime = is_borrowing.then(|| quote!(<'a>));
    let input = if is_borrowing { quote!(&'a [u8]) } else { quote!(&[u8]) };
    let title = format!(" A call of `{}`.", interface.name);
    let error = call_error(interface);
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

        #error
    }
}

/// Why bytes are not a call; the place is looked for only then.
fn call_error(interface: &Interface) -> TokenStream {
    let unknown = format!("`{}` has no function `{{name}}`", interface.name);
    quote! {
        /// Why bytes are not a call; the caller's mistake.
        #[derive(Clone, Debug, PartialEq)]
        pub enum CallError {
            /// The interface has no such function.
            UnknownFunction {
                /// The name that was called.
                name: ::std::string::String,
            },
            /// The arguments are of another type: which, and where.
            Arguments(__abi::contract::Violation),
        }

        impl CallError {
            /// Looks for the place that decoding has stumbled over.
            #[cold]
            fn explain(place: usize, input: &[u8], error: __abi::DecodeError) -> Self {
                static CONTRACTS: ::std::sync::LazyLock<::std::vec::Vec<__abi::contract::Contract>> =
                    ::std::sync::LazyLock::new(|| {
                        let interface = interface();
                        let functions = interface.functions.iter();
                        functions.map(|function| __abi::contract::Contract::new(&interface, function)).collect()
                    });
                let contract = &CONTRACTS[place];
                Self::Arguments(contract.check_import(input).err().unwrap_or_else(|| {
                    __abi::contract::Violation {
                        function: contract.function().into(),
                        path: ::std::string::String::new(),
                        problem: ::std::boxed::Box::new(__abi::contract::Problem::Malformed(error)),
                    }
                }))
            }
        }

        impl ::core::fmt::Display for CallError {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    Self::UnknownFunction { name } => ::core::write!(f, #unknown),
                    Self::Arguments(violation) => ::core::fmt::Display::fmt(violation, f),
                }
            }
        }

        impl ::core::error::Error for CallError {}
    }
}

/// The arm that reads one function's arguments: a bare value for one parameter, a tuple otherwise.
fn read((place, function): (usize, &Function), names: &[proc_macro2::Ident]) -> TokenStream {
    let (case, name) = (camel(&function.name).ident, &function.name);
    let (pattern, make) = match names {
        [] => (quote!(()), quote!(Self::#case)),
        [only] => (quote!(#only), quote!(Self::#case { #only })),
        several if several.len() <= TUPLE_ITEMS_MAX => {
            (quote!((#(#several),*)), quote!(Self::#case { #(#several),* }))
        }
        many => (quote!(__Arguments(#(#many),*)), quote!(Self::#case { #(#many),* })),
    };
    let definition =
        (names.len() > TUPLE_ITEMS_MAX).then(|| arguments_type(&quote!(self::__pack), names.len()));
    quote! {
        #name => {
            #definition
            match __abi::decode(input) {
                ::core::result::Result::Ok(#pattern) => ::core::result::Result::Ok(#make),
                ::core::result::Result::Err(error) => {
                    ::core::result::Result::Err(CallError::explain(#place, input, error))
                }
            }
        }
    }
}
