//! The modules of a crate, as its files have them.

use std::fs;
use std::path::{Path, PathBuf};

/// A module: its items, and where it stands.
pub(super) struct Module {
    /// Names from the crate down.
    pub(super) path: Vec<String>,
    /// Whether everybody may name it, when its parent may be named.
    pub(super) public: bool,
    pub(super) items: Vec<syn::Item>,
    pub(super) inner: Vec<Module>,
}

impl Module {
    /// The module below this one that a path leads to.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        match path {
            [] => Some(self),
            [first, rest @ ..] => {
                let mut inner = self.inner.iter();
                inner
                    .find(|module| module.path.last() == Some(first))?
                    .at(rest)
            }
        }
    }

    /// This module and all below it.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for module in &self.inner {
            all.extend(module.all());
        }
        all
    }
}

/// Reads a crate from its first file.
///
/// # Errors
/// Files that cannot be read, or are no Rust.
pub(super) fn read(file: &Path, name: &str) -> Result<Module, String> {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    module(items_of(file)?, vec![name.to_owned()], true, &folder)
}

fn items_of(file: &Path) -> Result<Vec<syn::Item>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(parsed.items)
}

/// A module whose own modules lie in `folder`.
fn module(
    items: Vec<syn::Item>,
    path: Vec<String>,
    public: bool,
    folder: &Path,
) -> Result<Module, String> {
    let mut kept = Vec::new();
    let mut inner = Vec::new();
    for item in items {
        let syn::Item::Mod(declared) = item else {
            kept.push(item);
            continue;
        };
        if is_test(&declared.attrs) {
            continue;
        }
        let name = declared.ident.to_string();
        let mut below = path.clone();
        below.push(name.clone());
        let public = matches!(declared.vis, syn::Visibility::Public(_));
        let items = match declared.content {
            Some((_, items)) => items,
            None => items_of(&file_of(folder, &name)?)?,
        };
        inner.push(module(items, below, public, &folder.join(&name))?);
    }
    Ok(Module {
        path,
        public,
        items: kept,
        inner,
    })
}

fn file_of(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let flat = folder.join(format!("{name}.rs"));
    let nested = folder.join(name).join("mod.rs");
    [flat, nested]
        .into_iter()
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{}: the module `{name}` has no file", folder.display()))
}

/// Whether an item is there for tests only.
pub(super) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}
