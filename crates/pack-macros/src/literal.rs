//! The description of an interface as a Rust expression.

use pack_abi::types::{Case, EnumCase, Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// An expression that makes this interface, where `__types` names `pack_abi::types`.
pub(crate) fn interface(interface: &Interface) -> TokenStream {
    let Interface { name, docs, types, functions } = interface;
    let types = list(types, type_def);
    let functions = list(functions, function);
    quote!(__types::Interface { name: #name.into(), docs: #docs.into(), types: #types, functions: #functions })
}

fn list<T>(items: &[T], item: impl Fn(&T) -> TokenStream) -> TokenStream {
    let items = items.iter().map(item);
    quote!(::std::vec::Vec::from([#(#items),*]))
}

fn type_def(TypeDef { name, docs, kind }: &TypeDef) -> TokenStream {
    let kind = match kind {
        TypeDefKind::Alias(target) => {
            let target = ty(target);
            quote!(Alias(#target))
        }
        TypeDefKind::Record(fields) => {
            let fields = list(fields, |Field { name, docs, ty: of }| {
                let of = ty(of);
                quote!(__types::Field { name: #name.into(), docs: #docs.into(), ty: #of })
            });
            quote!(Record(#fields))
        }
        TypeDefKind::Variant(cases) => {
            let cases = list(cases, |Case { name, docs, ty }| {
                let ty = optional(ty.as_ref());
                quote!(__types::Case { name: #name.into(), docs: #docs.into(), ty: #ty })
            });
            quote!(Variant(#cases))
        }
        TypeDefKind::Enum(cases) => {
            let cases = list(cases, word);
            quote!(Enum(#cases))
        }
        TypeDefKind::Flags(flags) => {
            let flags = list(flags, word);
            quote!(Flags(#flags))
        }
        TypeDefKind::Parameter(constraint) => match constraint {
            None => quote!(Parameter(::core::option::Option::None)),
            Some(constraint) => quote!(Parameter(::core::option::Option::Some(#constraint.into()))),
        },
    };
    quote!(__types::TypeDef { name: #name.into(), docs: #docs.into(), kind: __types::TypeDefKind::#kind })
}

fn word(EnumCase { name, docs }: &EnumCase) -> TokenStream {
    quote!(__types::EnumCase { name: #name.into(), docs: #docs.into() })
}

fn function(Function { name, docs, params, result }: &Function) -> TokenStream {
    let params = list(params, |Param { name, ty: of }| {
        let of = ty(of);
        quote!(__types::Param { name: #name.into(), ty: #of })
    });
    let result = optional(result.as_ref());
    quote!(__types::Function { name: #name.into(), docs: #docs.into(), params: #params, result: #result })
}

fn optional(of: Option<&Type>) -> TokenStream {
    of.map_or(quote!(::core::option::Option::None), |of| {
        let of = ty(of);
        quote!(::core::option::Option::Some(#of))
    })
}

fn boxed(of: &Type) -> TokenStream {
    let of = ty(of);
    quote!(::std::boxed::Box::new(#of))
}

fn ty(of: &Type) -> TokenStream {
    let of = match of {
        Type::List(inner) => {
            let inner = boxed(inner);
            quote!(List(#inner))
        }
        Type::Option(inner) => {
            let inner = boxed(inner);
            quote!(Option(#inner))
        }
        Type::Set(inner) => {
            let inner = boxed(inner);
            quote!(Set(#inner))
        }
        Type::Map(key, value) => {
            let (key, value) = (boxed(key), boxed(value));
            quote!(Map(#key, #value))
        }
        Type::Tuple(items) => {
            let items = list(items, ty);
            quote!(Tuple(#items))
        }
        Type::Result { ok, err } => {
            let [ok, err] = [ok, err].map(|arm| {
                arm.as_ref().map_or(quote!(::core::option::Option::None), |ty| {
                    let ty = boxed(ty);
                    quote!(::core::option::Option::Some(#ty))
                })
            });
            quote!(Result { ok: #ok, err: #err })
        }
        Type::Named(name) => quote!(Named(#name.into())),
        // The variants without contents are spelt as `Debug` spells them.
        simple => {
            let ident = format_ident!("{simple:?}");
            quote!(#ident)
        }
    };
    quote!(__types::Type::#of)
}
