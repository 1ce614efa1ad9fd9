//! `#[derive(GraphValue)]`: a Rust type becomes a graph value, written and read without a detour.
//!
//! All names and counts of a record or case are known here, so the generated code holds them as one byte string:
//! writing a record is copying it, reading one is comparing with it.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DataEnum, DeriveInput, Fields, GenericParam, Generics, Ident, LitInt, LitStr, Path};

const KIND_VARIANT: u8 = 0x08;
const KIND_RECORD: u8 = 0x09;

/// Returns the implementations, or what is wrong with the input as a compile error at its place.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    derive(input).unwrap_or_else(|error| error.to_compile_error())
}

fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let options = Options::of_type(input)?;
    let body = match &input.data {
        Data::Struct(data) if options.is_flags => flags_body(input, &data.fields, &options)?,
        Data::Struct(data) => struct_body(&data.fields, &options)?,
        Data::Enum(data) => enum_body(data, &options)?,
        Data::Union(_) => {
            return Err(syn::Error::new_spanned(&input.ident, "GraphValue cannot be derived for unions"));
        }
    };
    Ok(implement(input, &options, &body))
}

/// What `#[graph(...)]` says on a type.
struct Options {
    krate: Path,
    name: String,
    forward_compatible: bool,
    is_flags: bool,
}

impl Options {
    fn of_type(input: &DeriveInput) -> syn::Result<Self> {
        let mut options = Self {
            krate: syn::parse_quote!(::pack_abi),
            name: input.ident.unraw().to_string(),
            forward_compatible: false,
            is_flags: false,
        };
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("graph")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    options.krate = meta.value()?.parse::<LitStr>()?.parse()?;
                } else if meta.path.is_ident("rename") {
                    options.name = meta.value()?.parse::<LitStr>()?.value();
                } else if meta.path.is_ident("forward_compatible") {
                    options.forward_compatible = true;
                } else if meta.path.is_ident("flags") {
                    options.is_flags = true;
                } else {
                    return Err(meta.error("expected `crate`, `rename`, `forward_compatible` or `flags`"));
                }
                Ok(())
            })?;
        }
        if options.forward_compatible && matches!(input.data, Data::Enum(_)) {
            let message = "`forward_compatible` is for structs: an unknown case has no default";
            return Err(syn::Error::new_spanned(&input.ident, message));
        }
        Ok(options)
    }
}

/// What `#[graph(...)]` says on a field or a variant.
struct Names {
    name: String,
    tag: Option<LitInt>,
}

fn names_of(attributes: &[syn::Attribute], ident: &Ident, tag_allowed: bool) -> syn::Result<Names> {
    let mut names = Names { name: ident.unraw().to_string(), tag: None };
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("graph")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                names.name = meta.value()?.parse::<LitStr>()?.value();
                Ok(())
            } else if tag_allowed && meta.path.is_ident("tag") {
                names.tag = Some(meta.value()?.parse()?);
                Ok(())
            } else if tag_allowed {
                Err(meta.error("expected `rename` or `tag`"))
            } else {
                Err(meta.error("expected `rename`"))
            }
        })?;
    }
    Ok(names)
}

/// The bodies of the generated functions; `__codec` names the crate, `encoder`, `node` and `types` the parameters.
struct Body {
    fixed: TokenStream,
    write_type: TokenStream,
    encode: TokenStream,
    decode: TokenStream,
    /// Replaces the default of `decode_list`.
    decode_list: TokenStream,
}

fn struct_body(fields: &Fields, options: &Options) -> syn::Result<Body> {
    let fixed = quote!(::core::option::Option::None);
    let decode_list = TokenStream::new();
    match fields {
        Fields::Named(_) => {
            let record = Record::new(&options.name, fields, options.forward_compatible)?;
            let name = &options.name;
            let idents = fields.iter().map(|field| &field.ident);
            let write = record.write(&quote!(#(&self.#idents),*));
            let (shape, read) = (record.shape(), record.read(&quote!(fields)));
            Ok(Body {
                fixed,
                write_type: quote!(types.named(__codec::Kind::Record, #name)),
                encode: write,
                decode: quote! {
                    #shape
                    let fields = node.fields(&SHAPE)?;
                    ::core::result::Result::Ok(Self { #read })
                },
                decode_list,
            })
        }
        Fields::Unnamed(_) | Fields::Unit => {
            let count = fields.len();
            let wire_count = wire_count(count, Span::call_site())?;
            let places = (0..count).map(syn::Index::from);
            let types = fields.iter().map(|field| &field.ty);
            let forward_compatible = options.forward_compatible;
            let get = getter(forward_compatible);
            let numbers = 0..count;
            let fields = (0..count).map(syn::Index::from);
            Ok(Body {
                fixed,
                write_type: quote! {
                    types.tuple(#wire_count, |_types| {
                        #(<#types as __codec::GraphType>::write_type(_types)?;)*
                        ::core::result::Result::Ok(())
                    })
                },
                encode: quote! {
                    encoder.enter()?;
                    let children: [u32; #count] = [#(__codec::Encode::encode_node(&self.#places, encoder)?),*];
                    encoder.tuple(&children)
                },
                decode: quote! {
                    let _elements = node.elements(#count, #forward_compatible)?;
                    ::core::result::Result::Ok(Self { #(#fields: _elements.#get(#numbers)?),* })
                },
                decode_list,
            })
        }
    }
}

/// A tuple struct over `u64` that travels as `flags`.
fn flags_body(input: &DeriveInput, fields: &Fields, options: &Options) -> syn::Result<Body> {
    if !matches!(fields, Fields::Unnamed(_)) || fields.len() != 1 || options.forward_compatible {
        let message = "`flags` is for a tuple struct with one field of type `u64`";
        return Err(syn::Error::new_spanned(&input.ident, message));
    }
    Ok(Body {
        fixed: quote!(::core::option::Option::Some(__codec::Kind::Flags)),
        write_type: quote!(types.leaf(__codec::Kind::Flags)),
        encode: quote!(__codec::Encode::encode_node(&__codec::Flags(self.0), encoder)),
        decode: quote! {
            let flags = <__codec::Flags as __codec::Decode<'graph>>::decode_node(node)?;
            ::core::result::Result::Ok(Self(flags.0))
        },
        decode_list: quote! {
            fn decode_list(
                node: __codec::NodeRef<'graph, '_>,
            ) -> ::core::result::Result<__codec::__private::Vec<Self>, __codec::DecodeError> {
                let flags = <__codec::Flags as __codec::Decode<'graph>>::decode_list(node)?;
                ::core::result::Result::Ok(flags.into_iter().map(|flags| Self(flags.0)).collect())
            }
        },
    })
}

fn enum_body(data: &DataEnum, options: &Options) -> syn::Result<Body> {
    let mut encode_arms = Vec::new();
    let mut decode_arms = Vec::new();
    let mut shapes = Vec::new();
    let mut tags: Vec<u32> = Vec::new();
    for (place, variant) in data.variants.iter().enumerate() {
        let names = names_of(&variant.attrs, &variant.ident, true)?;
        let tag = match &names.tag {
            Some(tag) => tag.base10_parse()?,
            None => wire_count(place, variant.span())?,
        };
        if tags.contains(&tag) {
            return Err(syn::Error::new_spanned(&variant.ident, format!("tag {tag} is already taken")));
        }
        tags.push(tag);
        let case = EnumCase { type_name: &options.name, name: &names.name, tag, variant };
        encode_arms.push(case.encode_arm()?);
        decode_arms.push(case.decode_arm()?);
        shapes.push(case.shape()?);
    }
    let name = &options.name;
    let encode = if data.variants.is_empty() {
        quote!(let _ = encoder; match *self {})
    } else {
        quote!(match self { #(#encode_arms)* })
    };
    Ok(Body {
        fixed: quote!(::core::option::Option::None),
        write_type: quote!(types.named(__codec::Kind::Variant, #name)),
        encode,
        decode: quote! {
            static CASES: &[__codec::CaseShape] = &[#(#shapes),*];
            let case = node.case(CASES)?;
            match case.tag() {
                #(#decode_arms)*
                _ => ::core::result::Result::Err(case.unknown()),
            }
        },
        decode_list: TokenStream::new(),
    })
}

/// One variant of an enum.
struct EnumCase<'i> {
    type_name: &'i str,
    name: &'i str,
    tag: u32,
    variant: &'i syn::Variant,
}

impl EnumCase<'_> {
    /// The payload of the node up to the number of payloads.
    fn names_and_tag(&self) -> syn::Result<Vec<u8>> {
        let mut payload = Vec::new();
        put_text(&mut payload, self.type_name, self.variant.span())?;
        put_text(&mut payload, self.name, self.variant.span())?;
        payload.extend_from_slice(&self.tag.to_le_bytes());
        Ok(payload)
    }

    fn shape(&self) -> syn::Result<TokenStream> {
        let (type_name, name) = (self.type_name, self.name);
        let head = Literal::byte_string(&self.names_and_tag()?);
        Ok(quote!(__codec::CaseShape { type_name: #type_name, name: #name, head: #head }))
    }

    /// The node of this case up to the indices of its payloads.
    fn head(&self, payloads: usize) -> syn::Result<Literal> {
        let mut payload = self.names_and_tag()?;
        payload.extend_from_slice(&wire_count(payloads, self.variant.span())?.to_le_bytes());
        node_head(KIND_VARIANT, &payload, payloads, self.variant.span())
    }

    fn encode_arm(&self) -> syn::Result<TokenStream> {
        let ident = &self.variant.ident;
        let fields = &self.variant.fields;
        match fields {
            Fields::Named(_) => {
                let record = Record::new(self.name, fields, false)?;
                let places: Vec<_> = (0..fields.len()).map(|place| format_ident!("field{place}")).collect();
                let idents = fields.iter().map(|field| &field.ident);
                let write = record.write(&quote!(#(#places),*));
                let head = self.head(1)?;
                Ok(quote! {
                    Self::#ident { #(#idents: #places),* } => {
                        encoder.enter()?;
                        let record = { #write }?;
                        encoder.compound(#head, &[record])
                    }
                })
            }
            Fields::Unnamed(_) | Fields::Unit => {
                let count = fields.len();
                let places: Vec<_> = (0..count).map(|place| format_ident!("field{place}")).collect();
                let numbers = (0..count).map(syn::Index::from);
                let head = self.head(count)?;
                Ok(quote! {
                    Self::#ident { #(#numbers: #places),* } => {
                        encoder.enter()?;
                        let children: [u32; #count] = [#(__codec::Encode::encode_node(#places, encoder)?),*];
                        encoder.compound(#head, &children)
                    }
                })
            }
        }
    }

    fn decode_arm(&self) -> syn::Result<TokenStream> {
        let (ident, tag) = (&self.variant.ident, self.tag);
        let fields = &self.variant.fields;
        match fields {
            Fields::Named(_) => {
                let record = Record::new(self.name, fields, false)?;
                let (shape, read) = (record.shape(), record.read(&quote!(fields)));
                Ok(quote! {
                    #tag => {
                        #shape
                        let [record] = case.payloads_of::<1>()?;
                        let fields = record.fields(&SHAPE)?;
                        ::core::result::Result::Ok(Self::#ident { #read })
                    }
                })
            }
            Fields::Unnamed(_) | Fields::Unit => {
                let count = fields.len();
                let places: Vec<_> = (0..count).map(|place| format_ident!("field{place}")).collect();
                let numbers = (0..count).map(syn::Index::from);
                Ok(quote! {
                    #tag => {
                        let [#(#places),*] = case.payloads_of::<#count>()?;
                        ::core::result::Result::Ok(Self::#ident {
                            #(#numbers: __codec::Decode::decode_node(#places)?),*
                        })
                    }
                })
            }
        }
    }
}

/// The record that named fields make.
struct Record<'i> {
    head: Literal,
    payload: Literal,
    names: Vec<String>,
    idents: Vec<&'i Ident>,
    forward_compatible: bool,
}

impl<'i> Record<'i> {
    fn new(type_name: &str, fields: &'i Fields, forward_compatible: bool) -> syn::Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut idents = Vec::new();
        for field in fields {
            let Some(ident) = &field.ident else { continue };
            let name = names_of(&field.attrs, ident, false)?.name;
            if names.contains(&name) {
                return Err(syn::Error::new_spanned(ident, format!("field name `{name}` is already taken")));
            }
            names.push(name);
            idents.push(ident);
        }
        let span = fields.span();
        let mut payload = Vec::new();
        put_text(&mut payload, type_name, span)?;
        payload.extend_from_slice(&wire_count(names.len(), span)?.to_le_bytes());
        for name in &names {
            put_text(&mut payload, name, span)?;
        }
        let head = node_head(KIND_RECORD, &payload, names.len(), span)?;
        Ok(Self { head, payload: Literal::byte_string(&payload), names, idents, forward_compatible })
    }

    /// Writes the record; `values` are references to the fields, in order.
    fn write(&self, values: &TokenStream) -> TokenStream {
        let (head, count) = (&self.head, self.names.len());
        if count == 0 {
            return quote! {{ encoder.enter()?; encoder.compound(#head, &[]) }};
        }
        let places: Vec<_> = (0..count).map(|place| format_ident!("value{place}")).collect();
        quote! {{
            encoder.enter()?;
            let (#(#places,)*) = (#values,);
            let children: [u32; #count] = [#(__codec::Encode::encode_node(#places, encoder)?),*];
            encoder.compound(#head, &children)
        }}
    }

    fn shape(&self) -> TokenStream {
        let (head, names, forward_compatible) = (&self.payload, &self.names, self.forward_compatible);
        quote! {
            static SHAPE: __codec::RecordShape = __codec::RecordShape {
                head: #head,
                names: &[#(#names),*],
                forward_compatible: #forward_compatible,
            };
        }
    }

    /// The initialisers of all fields from `fields`.
    fn read(&self, fields: &TokenStream) -> TokenStream {
        let (idents, get) = (&self.idents, getter(self.forward_compatible));
        let places = 0..self.names.len();
        if self.names.is_empty() {
            return TokenStream::new();
        }
        quote!(#(#idents: #fields.#get(#places)?),*)
    }
}

fn getter(forward_compatible: bool) -> Ident {
    if forward_compatible { format_ident!("get_or_default") } else { format_ident!("get") }
}

fn wire_count(count: usize, span: Span) -> syn::Result<u32> {
    u32::try_from(count).map_err(|_| syn::Error::new(span, "too many for the Graph ABI"))
}

fn put_text(bytes: &mut Vec<u8>, text: &str, span: Span) -> syn::Result<()> {
    bytes.extend_from_slice(&wire_count(text.len(), span)?.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

/// A node up to the indices of its children: header, then the payload before the indices.
fn node_head(kind: u8, payload: &[u8], children: usize, span: Span) -> syn::Result<Literal> {
    let length = wire_count(payload.len() + 4 * children, span)?;
    let mut head = vec![kind, 0, 0, 0];
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(payload);
    Ok(Literal::byte_string(&head))
}

fn implement(input: &DeriveInput, options: &Options, body: &Body) -> TokenStream {
    let (name, krate) = (&input.ident, &options.krate);
    let (_, type_generics, _) = input.generics.split_for_impl();
    let describe = bounded(&input.generics, &quote!(#krate::GraphType));
    let (describe_impl, _, describe_where) = describe.split_for_impl();
    let write = bounded(&input.generics, &quote!(#krate::Encode));
    let (write_impl, _, write_where) = write.split_for_impl();
    let read = borrowing(&bounded(&input.generics, &quote!(#krate::Decode<'graph>)));
    let (read_impl, _, read_where) = read.split_for_impl();
    let Body { fixed, write_type, encode, decode, decode_list } = body;
    quote! {
        const _: () = {
            use #krate as __codec;

            #[automatically_derived]
            impl #describe_impl __codec::GraphType for #name #type_generics #describe_where {
                const FIXED: ::core::option::Option<__codec::Kind> = #fixed;

                fn write_type(
                    types: &mut __codec::TypeWriter<'_>,
                ) -> ::core::result::Result<(), __codec::EncodeError> {
                    #write_type
                }
            }

            #[automatically_derived]
            impl #write_impl __codec::Encode for #name #type_generics #write_where {
                fn encode_node(
                    &self,
                    encoder: &mut __codec::Encoder<'_>,
                ) -> ::core::result::Result<u32, __codec::EncodeError> {
                    #encode
                }
            }

            #[automatically_derived]
            impl #read_impl __codec::Decode<'graph> for #name #type_generics #read_where {
                fn decode_node(
                    node: __codec::NodeRef<'graph, '_>,
                ) -> ::core::result::Result<Self, __codec::DecodeError> {
                    #decode
                }

                #decode_list
            }
        };
    }
}

/// Every type parameter must have the trait: then the containers of it have it too.
fn bounded(generics: &Generics, bound: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in parameters {
        generics.make_where_clause().predicates.push(syn::parse_quote!(#parameter: #bound));
    }
    generics
}

/// Adds the lifetime of the buffer, which outlives whatever the type borrows.
fn borrowing(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let lifetimes: Vec<_> = generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    for lifetime in lifetimes {
        generics.make_where_clause().predicates.push(syn::parse_quote!('graph: #lifetime));
    }
    generics.params.insert(0, GenericParam::Lifetime(syn::parse_quote!('graph)));
    generics
}

#[cfg(test)]
mod tests {
    use super::expand;

    /// The generated code, without spaces.
    fn expanded(input: &str) -> String {
        let input = syn::parse_str(input).expect("the test's input is Rust");
        expand(&input).to_string().replace(' ', "")
    }

    #[track_caller]
    fn refused(input: &str, message: &str) {
        let output = expanded(input);
        let wanted = message.replace(' ', "");
        assert!(output.contains("compile_error!") && output.contains(&wanted), "{output}");
    }

    #[test]
    fn misused_attributes_are_named() {
        refused(
            "#[graph(nonsense)] struct A;",
            "expected `crate`, `rename`, `forward_compatible` or `flags`",
        );
        refused("struct A { #[graph(tag = 1)] a: u8 }", "expected `rename`");
        refused("enum A { #[graph(other)] B }", "expected `rename` or `tag`");
        refused("#[graph(forward_compatible)] enum A { B }", "an unknown case has no default");
        refused("#[graph(flags)] struct A { a: u64 }", "`flags` is for a tuple struct with one field");
        refused("#[graph(crate = 7)] struct A;", "expected string literal");
        refused("union A { a: u8 }", "cannot be derived for unions");
    }

    #[test]
    fn names_and_tags_must_differ() {
        refused("enum A { B, #[graph(tag = 0)] C }", "tag 0 is already taken");
        refused("struct A { a: u8, #[graph(rename = \"a\")] b: u8 }", "field name `a` is already taken");
        refused("enum A { B { a: u8, #[graph(rename = \"a\")] b: u8 } }", "field name `a` is already taken");
    }

    #[test]
    fn attributes_may_be_joined_or_apart() {
        let joined = expanded(
            "#[graph(crate = \"guest::abi\", rename = \"n\", forward_compatible)] struct A { a: u8 }",
        );
        let apart = expanded(
            "#[graph(crate = \"guest::abi\")] #[graph(rename = \"n\")] #[graph(forward_compatible)] struct A { a: u8 }",
        );
        assert_eq!(joined, apart);
        assert!(joined.contains("useguest::abias__codec") && joined.contains("get_or_default"));
    }
}
