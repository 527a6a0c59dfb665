//! What the crate generates at compile time: shapes and the texts of SQL files.
//!
//! `#[derive(Shape)]`: the shape of a serde type's JSON, read from the same attributes that serde reads.
//!
//! It implements `refsync::api::shape::Shaped`. Names come from `rename` and `rename_all`. `default`, `skip_serializing_if`
//! and the field's type decide whether a key may be missing. `flatten`, `tag`, `untagged` and `deny_unknown_fields` mean
//! the same as in serde. `#[schemars(range(min = …, max = …))]` limits an optional number.

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use serde_derive_internals::{
    Ctxt, Derive,
    ast::{Container, Data, Field, Style, Variant},
    attr::{Default, TagType},
};
use syn::{DeriveInput, Ident, LitInt, LitStr, Meta, Token, parse_macro_input, punctuated::Punctuated};

/// Derives `Shaped`.
#[proc_macro_derive(Shape, attributes(serde, schemars))]
pub fn shape(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The text of an SQL file, by its path below `src/service/store`: without comments, indentation and empty lines, which
/// would be a third of what a user downloads, and would go to the database with each statement.
///
/// A line that begins with `--` is a comment, also within a string of several lines. Such strings are not allowed.
#[proc_macro]
pub fn sql_text(input: TokenStream) -> TokenStream {
    let path = parse_macro_input!(input as LitStr);
    let file = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default())
        .join("src/service/store")
        .join(path.value());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            return syn::Error::new(path.span(), message).into_compile_error().into();
        }
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"));
    let sql = lines.collect::<Vec<_>>().join("\n");
    let file = file.display().to_string();
    // The compiler watches the file because of `include_str!`.
    quote! {{ const _: &str = include_str!(#file); #sql }}.into()
}

fn expand(input: &DeriveInput) -> syn::Result<Tokens> {
    let context = Ctxt::new();
    let container =
        Container::from_ast(&context, input, Derive::Serialize, &Ident::new("__private", Span::call_site()));
    context.check()?;
    let container = container.ok_or_else(|| refused(input, "is no struct and no enum"))?;
    let shape = match &container.data {
        Data::Struct(Style::Struct, fields) => {
            let keys = keys(fields)?;
            let refuses_others = container.attrs.deny_unknown_fields();
            quote! { Shape::Object { keys: #keys, refuses_others: #refuses_others } }
        }
        Data::Enum(variants) => match container.attrs.tag() {
            TagType::Internal { tag } => {
                let variants = variants.iter().map(|variant| {
                    let (word, keys) = (word(variant), keys(&variant.fields)?);
                    Ok(quote! { (#word, #keys) })
                });
                let variants = variants.collect::<syn::Result<Vec<_>>>()?;
                quote! { Shape::Tagged(#tag, &[#(#variants),*]) }
            }
            // A word that this version does not know is accepted.
            TagType::External if variants.iter().any(|variant| variant.attrs.untagged()) => quote! { Shape::Text },
            TagType::External if variants.iter().all(|variant| matches!(variant.style, Style::Unit)) => {
                let words = variants.iter().map(word);
                quote! { Shape::Word(&[#(#words),*]) }
            }
            _ => return Err(refused(input, "is an enum that is neither of words nor internally tagged")),
        },
        Data::Struct(..) => return Err(refused(input, "has no named fields")),
    };
    let (name, (generics, of, bounds)) = (&container.ident, container.generics.split_for_impl());
    Ok(quote! {
        const _: () = {
            #[allow(unused_imports)]
            use crate::api::shape::{Key, Missing, Shape, Shaped, join, total};
            impl #generics Shaped for #name #of #bounds {
                const SHAPE: Shape = #shape;
            }
        };
    })
}

fn word<'a>(variant: &'a Variant<'_>) -> &'a str {
    &variant.attrs.name().deserialize_name().value
}

/// The keys of these fields, as an expression of type `&'static [Key]`.
fn keys(fields: &[Field]) -> syn::Result<Tokens> {
    let (mut own, mut flattened) = (Vec::new(), Vec::new());
    for field in fields {
        let ty = field.ty;
        if field.attrs.flatten() {
            flattened.push(quote! { <#ty as Shaped>::SHAPE.keys() });
            continue;
        }
        let name = &field.attrs.name().deserialize_name().value;
        let (shape, missing) = match (field.attrs.default(), field.attrs.skip_serializing_if()) {
            (Default::None, _) => (quote! { SHAPE }, quote! { <#ty as Shaped>::MISSING }),
            (_, None) => (quote! { SHAPE }, quote! { <#ty as Shaped>::DEFAULT }),
            (_, Some(_)) => (quote! { IF_THERE }, quote! { Missing::LeaveOut }),
        };
        let shape = match range(field)? {
            Some((min, max)) => quote! { Shape::NullIsMissing(&Shape::Between(#min, #max)) },
            None => quote! { <#ty as Shaped>::#shape },
        };
        own.push(quote! { Key { name: #name, shape: #shape, missing: #missing } });
    }
    if flattened.is_empty() {
        return Ok(quote! { &[#(#own),*] });
    }
    Ok(quote! {{
        const PARTS: &[&[Key]] = &[#(#flattened,)* &[#(#own),*]];
        const ALL: [Key; total(PARTS)] = join(PARTS);
        &ALL
    }})
}

/// The bounds of `#[schemars(range(min = …, max = …))]`.
fn range(field: &Field) -> syn::Result<Option<(LitInt, LitInt)>> {
    let mut range = None;
    for attribute in field.original.attrs.iter().filter(|attribute| attribute.path().is_ident("schemars")) {
        for meta in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            let Meta::List(list) = meta else { continue };
            if !list.path.is_ident("range") {
                continue;
            }
            let (mut min, mut max) = (None, None);
            list.parse_nested_meta(|bound| {
                let value = bound.value()?.parse::<LitInt>()?;
                if bound.path.is_ident("min") {
                    min = Some(value)
                } else {
                    max = Some(value)
                };
                Ok(())
            })?;
            range = min.zip(max);
        }
    }
    Ok(range)
}

fn refused(input: &DeriveInput, why: &str) -> syn::Error {
    syn::Error::new_spanned(&input.ident, format!("Shape: {} {why}", input.ident))
}
