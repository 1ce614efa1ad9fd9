//! Type definitions of the interface language as Rust items.

use pack_abi::types::{Case, EnumCase, Field, TypeDef, TypeDefKind};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::names::{RustName, camel, shouting, snake};
use crate::rust_type::Types;

/// A doc comment, if there is one.
pub(crate) fn docs(text: &str) -> TokenStream {
    if text.is_empty() {
        return TokenStream::new();
    }
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// The Rust item for a definition; the module it is in names the codec `__abi`.
pub(crate) fn definition(krate: &TokenStream, types: &Types<'_>, def: &TypeDef) -> TokenStream {
    let docs = docs(&def.docs);
    let name = camel(&def.name);
    let ident = &name.ident;
    let body = match &def.kind {
        TypeDefKind::Alias(target) => {
            let target = types.part(&def.name, target);
            return quote!(#docs #[allow(missing_docs)] pub type #ident = #target;);
        }
        TypeDefKind::Parameter(_) => {
            return quote!(#docs #[allow(missing_docs)] pub type #ident = #krate::Value;);
        }
        TypeDefKind::Flags(flags) => return flag_set(krate, &docs, &name, flags),
        TypeDefKind::Record(fields) => {
            let fields = fields.iter().map(|field| record_field(types, def, field));
            quote!(pub struct #ident { #(#fields,)* })
        }
        TypeDefKind::Variant(cases) => {
            let cases = cases.iter().map(|case| variant_case(types, def, case));
            quote!(pub enum #ident { #(#cases,)* })
        }
        TypeDefKind::Enum(cases) => {
            let cases = cases.iter().map(|case| {
                let (docs, name) = (self::docs(&case.docs), camel(&case.name));
                let (rename, ident) = (rename(&name), &name.ident);
                quote!(#docs #rename #ident)
            });
            quote!(pub enum #ident { #(#cases,)* })
        }
    };
    let abilities = types.abilities_of(def);
    let copy = abilities.is_copy.then(|| quote!(Copy,));
    let ordered = abilities.is_ordered.then(|| quote!(Eq, PartialOrd, Ord, Hash,));
    let type_name = rename(&name);
    quote! {
        #docs
        #[allow(missing_docs)]
        #[derive(Clone, #copy Debug, PartialEq, #ordered #krate::GraphValue)]
        #[graph(crate = "__abi")]
        #type_name
        #body
    }
}

fn record_field(types: &Types<'_>, def: &TypeDef, field: &Field) -> TokenStream {
    let (docs, name) = (docs(&field.docs), snake(&field.name));
    let (rename, ident, ty) = (rename(&name), &name.ident, types.part(&def.name, &field.ty));
    quote!(#docs #rename pub #ident: #ty)
}

fn variant_case(types: &Types<'_>, def: &TypeDef, case: &Case) -> TokenStream {
    let (docs, name) = (docs(&case.docs), camel(&case.name));
    let (rename, ident) = (rename(&name), &name.ident);
    let payload = case.ty.as_ref().map(|ty| {
        let ty = types.part(&def.name, ty);
        quote!((#ty))
    });
    quote!(#docs #rename #ident #payload)
}

fn rename(name: &RustName) -> Option<TokenStream> {
    name.rename().map(|name| quote!(#[graph(rename = #name)]))
}

/// A set of named bits, in the shape that Rust's own bindings of WIT have.
fn flag_set(krate: &TokenStream, docs: &TokenStream, name: &RustName, flags: &[EnumCase]) -> TokenStream {
    let ident = &name.ident;
    let type_name = rename(name);
    let constants = flags.iter().enumerate().map(|(bit, flag)| {
        let (docs, name, bit) =
            (self::docs(&flag.docs), shouting(&flag.name).ident, Literal::usize_unsuffixed(bit));
        quote!(#docs pub const #name: Self = Self(1 << #bit);)
    });
    let all = Literal::u64_unsuffixed(u64::MAX >> (64 - flags.len().clamp(1, 64)));
    quote! {
        #docs
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, #krate::GraphValue)]
        #[graph(crate = "__abi", flags)]
        #type_name
        pub struct #ident(u64);

        #[allow(missing_docs)]
        impl #ident {
            #(#constants)*

            /// Returns the set without flags.
            pub const fn empty() -> Self {
                Self(0)
            }

            /// Returns the set of all flags.
            pub const fn all() -> Self {
                Self(#all)
            }

            /// Returns the bits.
            pub const fn bits(&self) -> u64 {
                self.0
            }

            /// Returns the set with these bits, without those that have no name.
            pub const fn from_bits_truncate(bits: u64) -> Self {
                Self(bits & #all)
            }

            /// Returns whether no flag is set.
            pub const fn is_empty(&self) -> bool {
                self.0 == 0
            }

            /// Returns whether all flags of `other` are set.
            pub const fn contains(&self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Sets the flags of `other`.
            pub const fn insert(&mut self, other: Self) {
                self.0 |= other.0;
            }

            /// Clears the flags of `other`.
            pub const fn remove(&mut self, other: Self) {
                self.0 &= !other.0;
            }
        }

        impl ::core::ops::BitOr for #ident {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl ::core::ops::BitAnd for #ident {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }
    }
}
