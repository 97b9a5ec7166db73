//! The public items of a crate as lines of text.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, UseTree, Visibility};

use super::source::{Module, is_test};

/// One line for each public item, sorted.
///
/// # Errors
/// A re-export that leads nowhere.
pub(super) fn public(root: &Module) -> Result<Vec<String>, String> {
    let mut found = Found {
        root,
        lines: BTreeSet::new(),
        types: BTreeMap::new(),
    };
    found.module(root)?;
    for module in root.all() {
        for item in &module.items {
            if let Item::Impl(block) = item {
                found.block(block);
            }
        }
    }
    Ok(found.lines.into_iter().collect())
}

struct Found<'m> {
    root: &'m Module,
    lines: BTreeSet<String>,
    /// Public types and traits by their names, with the path by which everybody names them.
    types: BTreeMap<String, String>,
}

impl<'m> Found<'m> {
    fn module(&mut self, module: &'m Module) -> Result<(), String> {
        let path = module.path.join("::");
        self.lines.insert(format!("{path}: pub mod"));
        for item in &module.items {
            match item {
                Item::Use(used) if is_public(&used.vis) && !is_hidden(&used.attrs) => {
                    self.exported(&used.tree, &mut Vec::new(), (module, &path), None)?;
                }
                item => self.item(item, &path),
            }
        }
        for inner in module.inner.iter().filter(|inner| inner.public) {
            self.module(inner)?;
        }
        Ok(())
    }

    /// What a `pub use` of a module exports, under the path `here`; of several names, the one that is `wanted`.
    fn exported(
        &mut self,
        tree: &UseTree,
        before: &mut Vec<String>,
        (module, here): (&Module, &str),
        wanted: Option<&str>,
    ) -> Result<(), String> {
        let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.exported(&path.tree, before, (module, here), wanted)?;
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.exported(tree, before, (module, here), wanted)?;
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                if is_wanted(&name) {
                    self.one(&name, &name, before, (module, here))?;
                }
            }
            UseTree::Rename(renamed) => {
                let to = renamed.rename.to_string();
                if is_wanted(&to) {
                    self.one(&renamed.ident.to_string(), &to, before, (module, here))?;
                }
            }
            UseTree::Glob(_) => {
                return Err(format!("{here}: a glob is exported; name what is public"));
            }
        }
        Ok(())
    }

    fn one(
        &mut self,
        name: &str,
        to: &str,
        before: &[String],
        (module, here): (&Module, &str),
    ) -> Result<(), String> {
        let local = match before {
            [first, rest @ ..] if first == "crate" => self.root.at(rest),
            [first, rest @ ..] if first == "self" => module.at(rest),
            [] => None,
            path => module.at(path).or_else(|| self.root.at(path)),
        };
        let Some(local) = local else {
            // Of another crate.
            let from = [before, &[name.to_owned()]].concat().join("::");
            self.lines.insert(format!("{here}::{to}: pub use {from}"));
            return Ok(());
        };
        let mut known = false;
        for item in &local.items {
            if name_of(item).as_deref() == Some(name) {
                self.item(item, here);
                known = true;
            } else if let Item::Macro(table) = item
                && name == "Func"
                && table.mac.path.is_ident("functions")
            {
                self.table(here, table.mac.tokens.clone());
                known = true;
            } else if let Item::Use(used) = item
                && is_public(&used.vis)
                && names(&used.tree).contains(&name.to_owned())
            {
                self.exported(&used.tree, &mut Vec::new(), (local, here), Some(name))?;
                known = true;
            }
        }
        let makes = |item: &Item| matches!(item, Item::Macro(made) if made.mac.tokens.to_string().contains(name));
        if !known && local.items.iter().any(makes) {
            self.lines.insert(format!("{here}::{to}: made by a macro"));
            known = true;
        }
        match known {
            true => Ok(()),
            false => Err(format!("{here}: exports `{name}`, which was not found")),
        }
    }

    /// The table of functions, which a macro makes an enum of.
    fn table(&mut self, path: &str, tokens: TokenStream) {
        let mut before: Option<String> = None;
        let mut row = true;
        self.types
            .insert("Func".to_owned(), format!("{path}::Func"));
        self.lines
            .insert(format!("{path}::Func: pub enum, non_exhaustive"));
        for token in tokens {
            match token {
                TokenTree::Ident(name) if row => before = Some(name.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == ':' && row => {
                    if let Some(name) = before.take() {
                        self.lines.insert(format!("{path}::Func::{name}"));
                    }
                    row = false;
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => row = true,
                _ => {}
            }
        }
    }

    fn item(&mut self, item: &Item, path: &str) {
        let named = |ident: &syn::Ident| format!("{path}::{ident}");
        match item {
            Item::Struct(item) if is_public(&item.vis) => {
                let name = named(&item.ident);
                self.types.insert(item.ident.to_string(), name.clone());
                let marks = marks(&item.attrs);
                let generics = &item.generics;
                self.line(&format!("{name}{}: pub struct{marks}", text(generics)));
                self.fields(&name, &item.fields, true);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let name = named(&item.ident);
                self.types.insert(item.ident.to_string(), name.clone());
                let marks = marks(&item.attrs);
                self.line(&format!("{name}{}: pub enum{marks}", text(&item.generics)));
                for variant in &item.variants {
                    let variant_name = format!("{name}::{}", variant.ident);
                    match &variant.fields {
                        Fields::Unnamed(fields) => {
                            self.line(&format!("{variant_name}{}", text(&stripped(fields))));
                        }
                        fields => {
                            self.line(&variant_name);
                            self.fields(&variant_name, fields, false);
                        }
                    }
                }
            }
            Item::Trait(item) if is_public(&item.vis) => {
                let name = named(&item.ident);
                self.types.insert(item.ident.to_string(), name.clone());
                let bounds = text(&item.supertraits);
                let generics = text(&item.generics);
                self.line(&format!("{name}{generics}: pub trait: {bounds}"));
                for member in &item.items {
                    if let TraitItem::Fn(method) = member {
                        let given = match method.default {
                            Some(_) => " (provided)",
                            None => "",
                        };
                        self.line(&format!("{name}: {}{given}", text(&method.sig)));
                    }
                }
            }
            Item::Fn(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                self.line(&format!(
                    "{}: pub {}",
                    named(&item.sig.ident),
                    text(&item.sig)
                ));
            }
            Item::Type(item) if is_public(&item.vis) => {
                let generics = text(&item.generics);
                let name = named(&item.ident);
                self.line(&format!("{name}{generics}: pub type = {}", text(&item.ty)));
            }
            Item::Const(item) if is_public(&item.vis) => {
                self.line(&format!(
                    "{}: pub const: {}",
                    named(&item.ident),
                    text(&item.ty)
                ));
            }
            Item::Static(item) if is_public(&item.vis) => {
                self.line(&format!(
                    "{}: pub static: {}",
                    named(&item.ident),
                    text(&item.ty)
                ));
            }
            Item::Macro(item) if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) => {
                if let Some(ident) = &item.ident {
                    let root = self.root.path.join("::");
                    self.line(&format!("{root}::{ident}!: macro"));
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &str) {
        self.lines.insert(line.trim_end().to_owned());
    }

    /// Fields; those of variants are as public as their enum.
    fn fields(&mut self, name: &str, fields: &Fields, checked: bool) {
        for (index, field) in fields.iter().enumerate() {
            if checked && !is_public(&field.vis) {
                continue;
            }
            let field_name = match &field.ident {
                Some(ident) => ident.to_string(),
                None => index.to_string(),
            };
            self.line(&format!("{name}.{field_name}: {}", text(&field.ty)));
        }
    }

    /// An `impl` of a public type.
    fn block(&mut self, block: &syn::ItemImpl) {
        let syn::Type::Path(of) = &*block.self_ty else {
            return;
        };
        let Some(name) = of.path.segments.last().map(|part| part.ident.to_string()) else {
            return;
        };
        let Some(name) = self.types.get(&name).cloned() else {
            return;
        };
        if is_test(&block.attrs) {
            return;
        }
        if let Some((_, path, _)) = &block.trait_ {
            self.line(&format!("{name}: impl {}", text(path)));
            return;
        }
        for member in &block.items {
            match member {
                ImplItem::Fn(method) if is_public(&method.vis) && !is_hidden(&method.attrs) => {
                    self.line(&format!("{name}: pub {}", text(&method.sig)));
                }
                ImplItem::Const(known) if is_public(&known.vis) => {
                    let (ident, ty) = (&known.ident, text(&known.ty));
                    self.line(&format!("{name}: pub const {ident}: {ty}"));
                }
                _ => {}
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "hidden")
    })
}

/// Attributes that users of an item can notice: whether it may grow, and the traits that are derived.
fn marks(attributes: &[Attribute]) -> String {
    let mut out = String::new();
    for attribute in attributes {
        if attribute.path().is_ident("non_exhaustive") {
            out.push_str(", non_exhaustive");
        }
        if attribute.path().is_ident("derive")
            && let syn::Meta::List(list) = &attribute.meta
        {
            out.push_str(&format!(", derive({})", tidied(&list.tokens.to_string())));
        }
    }
    out
}

/// Types of a tuple variant without their documentation.
fn stripped(fields: &syn::FieldsUnnamed) -> syn::FieldsUnnamed {
    let mut fields = fields.clone();
    for field in &mut fields.unnamed {
        field.attrs.clear();
    }
    fields
}

fn name_of(item: &Item) -> Option<String> {
    Some(
        match item {
            Item::Struct(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Type(item) => &item.ident,
            Item::Const(item) => &item.ident,
            Item::Static(item) => &item.ident,
            _ => return None,
        }
        .to_string(),
    )
}

/// The names that a `use` brings.
fn names(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => names(&path.tree),
        UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Rename(renamed) => vec![renamed.rename.to_string()],
        UseTree::Glob(_) => Vec::new(),
    }
}

/// Tokens as text, without the blanks that the printer puts between all of them.
fn text(tokens: &impl ToTokens) -> String {
    tidied(&tokens.to_token_stream().to_string())
}

fn tidied(text: &str) -> String {
    let mut text = text.replace('\n', " ");
    for (wide, narrow) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        ("> (", ">("),
        (" ,", ","),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("& ", "&"),
        ("' ", "'"),
        (" :", ":"),
        (" (", "("),
        ("->(", "-> ("),
        (",)", ")"),
        ("# [", "#["),
        (" !", "!"),
    ] {
        text = text.replace(wide, narrow);
    }
    text.replace("< ", "<")
        .replace("- >", "->")
        .replace("->", " ->")
        .replace("  ->", " ->")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let module = Module {
            path: vec!["a".to_owned()],
            public: true,
            items: syn::parse_file(text).unwrap().items,
            inner: vec![Module {
                path: vec!["a".to_owned(), "hidden".to_owned()],
                public: false,
                items: syn::parse_file("pub struct S { pub x: u8, y: u8 } impl S { pub fn f(&self) -> Option<&'static str> { None } fn g() {} }")
                    .unwrap()
                    .items,
                inner: Vec::new(),
            }],
        };
        public(&module).unwrap()
    }

    #[test]
    fn what_is_re_exported_is_public_and_nothing_else() {
        assert_eq!(
            of("pub use hidden::S; pub fn h<T: Copy>(x: [T; 2]) {} fn i() {}"),
            [
                "a: pub mod",
                "a::S.x: u8",
                "a::S: pub fn f(&self) -> Option<&'static str>",
                "a::S: pub struct",
                "a::h: pub fn h<T: Copy>(x: [T; 2])",
            ]
        );
    }

    #[test]
    fn enums_traits_and_marks_are_told() {
        let lines = of(
            "#[derive(Clone, Debug)] #[non_exhaustive] pub enum E { A(u8, String), B { x: u8 } }\n\
                        pub trait T: Send { fn f(&self); fn g(&self) {} }\n\
                        functions! { Abs: \"abs\", Method, [x: y]; Neg: \"-\", Operator; }\n\
                        impl From<u8> for E { fn from(_: u8) -> Self { todo() } }",
        );
        assert_eq!(
            lines,
            [
                "a: pub mod",
                "a::E: impl From<u8>",
                "a::E: pub enum, derive(Clone, Debug), non_exhaustive",
                "a::E::A(u8, String)",
                "a::E::B",
                "a::E::B.x: u8",
                "a::T: fn f(&self)",
                "a::T: fn g(&self) (provided)",
                "a::T: pub trait: Send",
            ]
        );
    }
}
