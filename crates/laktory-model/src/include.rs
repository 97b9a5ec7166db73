//! Include tags (`!use`, `!update`, `!extend`) and merge keys (`<<`), expanded in the tree.
//!
//! Files come from a [`FileLoader`] that the caller hands in; nothing here touches the file system itself.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use laktory_syntax::{Diagnostic, Diagnostics};

use crate::budget::{Budget, Cause, MAX_FILE_BYTES};
use crate::encoding;
use crate::sources::{Sources, place};
use crate::tree::{Atom, Entry, IncludeTag, Kind, Node, Place, Style};
use crate::variables::Resolver;
use crate::yaml::{MAX_DEPTH, YamlReader};

/// Access to the files that include tags name.
pub trait FileLoader {
    /// The bytes of a file, which has at most `most` of them and is a regular one: devices, pipes and folders are not
    /// opened.
    ///
    /// # Errors
    /// `FileTooLarge`, or whatever else the file system says.
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;

    /// The paths directly inside a folder, in any order.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;

    /// Whether the path is a folder.
    fn is_dir(&self, path: &Path) -> bool;

    /// One name for all spellings of a path, to recognise files that include themselves.
    fn canonical(&self, path: &Path) -> PathBuf {
        normalized(path)
    }
}

/// `path` without `.` and `..` where that needs no file system.
fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

pub(crate) struct Includer<'a, 'o> {
    pub(crate) files: Option<&'a dyn FileLoader>,
    pub(crate) sources: &'a mut Sources,
    pub(crate) budget: &'a mut Budget,
    pub(crate) diagnostics: &'a mut Diagnostics,
    pub(crate) variables: &'a mut Resolver<'o>,
    /// The files being read, outermost first, as [`FileLoader::canonical`] names them.
    pub(crate) open: Vec<PathBuf>,
    /// The texts of files that were read, by the same names: a file is read once.
    pub(crate) read: HashMap<PathBuf, u32>,
}

impl Includer<'_, '_> {
    /// Expands what `node` includes; `base` is the folder that relative paths start from (R-YAML-20).
    pub(crate) fn expand(&mut self, node: &mut Node, base: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            self.report(
                Diagnostic::error("too-deep", "includes nest too deep"),
                node.at,
            );
            *node = Node::poison(node.at);
            return;
        }
        match &mut node.kind {
            Kind::Include { tag, target } => {
                let (tag, target) = (*tag, std::mem::take(target));
                *node = self.include(tag, &target, node.at, base, depth);
            }
            Kind::Seq(items) => {
                if items.iter().any(is_extend) {
                    let mut out = Vec::with_capacity(items.len());
                    for mut item in items.drain(..) {
                        let splice = is_extend(&item);
                        self.expand(&mut item, base, depth + 1);
                        match item.kind {
                            Kind::Seq(inner) if splice => out.extend(inner),
                            kind => out.push(Node::new(kind, item.at)),
                        }
                    }
                    *items = out;
                } else {
                    for item in items {
                        self.expand(item, base, depth + 1);
                    }
                }
            }
            Kind::Map(entries) => self.expand_map(entries, base, depth),
            Kind::Scalar { .. } | Kind::Poison => {}
        }
    }

    fn expand_map(&mut self, entries: &mut Vec<Entry>, base: &Path, depth: usize) {
        let mut scoped = false;
        if let Some(own) = entries.iter_mut().find(|entry| entry.key == "variables") {
            self.expand(&mut own.value, base, depth + 1);
            scoped = self.variables.enter(&own.value);
        }
        if entries.iter().any(is_merge) {
            let mut merged = Merged::default();
            for mut entry in entries.drain(..) {
                if entry.key != "variables" {
                    self.expand(&mut entry.value, base, depth + 1);
                }
                if is_merge(&entry) {
                    self.merge(&mut merged, entry.value);
                } else {
                    merged.put(entry);
                }
            }
            *entries = merged.entries;
        } else {
            for entry in entries {
                if entry.key != "variables" {
                    self.expand(&mut entry.value, base, depth + 1);
                }
            }
        }
        if scoped {
            self.variables.leave();
        }
    }

    /// Merges in the order of the text: later keys overwrite earlier ones (R-YAML-23). In a list of mappings the
    /// first one wins, as the YAML merge key says.
    fn merge(&mut self, merged: &mut Merged, value: Node) {
        match value.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    merged.put(entry);
                }
            }
            Kind::Seq(items) => {
                for item in items.into_iter().rev() {
                    match item.kind {
                        Kind::Map(_) | Kind::Poison => self.merge(merged, item),
                        _ => self.not_mergeable(&item),
                    }
                }
            }
            Kind::Poison => {}
            _ => self.not_mergeable(&value),
        }
    }

    fn not_mergeable(&mut self, node: &Node) {
        let message = format!("`<<` merges mappings, but this is {}", node.describe());
        self.report(Diagnostic::error("merge", message), node.at);
    }

    fn include(
        &mut self,
        tag: IncludeTag,
        target: &str,
        at: Place,
        base: &Path,
        depth: usize,
    ) -> Node {
        let Some(target) = self
            .variables
            .text(target, at, self.sources, self.diagnostics)
        else {
            return Node::poison(at);
        };
        let path = base.join(&target);
        let loaded = self.load(tag, &path, at, base, depth);
        let fits = match (tag, &loaded.kind) {
            (_, Kind::Poison) | (IncludeTag::Use, _) => return loaded,
            (IncludeTag::Update, Kind::Map(_)) | (IncludeTag::Extend, Kind::Seq(_)) => None,
            (IncludeTag::Update, _) => Some("a mapping"),
            (IncludeTag::Extend, _) => Some("a list"),
        };
        let Some(wanted) = fits else { return loaded };
        let message = format!(
            "`{}` needs {wanted}, but `{}` holds {}",
            tag.name(),
            path.display(),
            loaded.describe()
        );
        self.report(Diagnostic::error("include", message), at);
        Node::poison(at)
    }

    fn load(&mut self, tag: IncludeTag, path: &Path, at: Place, base: &Path, depth: usize) -> Node {
        let Some(files) = self.files else {
            let fault = Diagnostic::error(
                "include",
                format!(
                    "`{}` cannot be used here: no folder to read from",
                    tag.name()
                ),
            );
            self.report(fault, at);
            return Node::poison(at);
        };
        if files.is_dir(path) && tag == IncludeTag::Use {
            return self.folder(files, path, at, depth);
        }
        let name = files.canonical(path);
        if self.open.contains(&name) {
            let fault = Diagnostic::error(
                "circular-include",
                format!(
                    "circular `{}`: `{}` is already being loaded",
                    tag.name(),
                    path.display()
                ),
            );
            self.report(fault, at);
            return Node::poison(at);
        }
        let file = match self.read.get(&name) {
            Some(file) => *file,
            None => {
                let Some(file) = self.read_file(files, tag, path, at, base) else {
                    return Node::poison(at);
                };
                self.read.insert(name.clone(), file);
                file
            }
        };
        let Some(source) = self.sources.file(file).map(Arc::clone) else {
            return Node::poison(at);
        };
        let length = source.text().len();
        let enough = self
            .budget
            .take_file()
            .and_then(|()| self.budget.take_text(length, Cause::Include));
        if enough.is_err() {
            self.exhausted(at);
            return Node::poison(at);
        }
        let raw = tag == IncludeTag::Use && path.extension().is_some_and(|ext| ext == "sql");
        if raw {
            let own = Place {
                style: Style::Plain,
                ..place(file, 0..length)
            };
            return Node::text(source.text(), own);
        }
        let read = YamlReader {
            sources: self.sources,
            budget: self.budget,
            diagnostics: self.diagnostics,
        }
        .read(file);
        let Ok(mut node) = read else {
            return Node::poison(at);
        };
        self.open.push(name);
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.expand(&mut node, &folder, depth + 1);
        self.open.pop();
        node
    }

    /// The text of a file among the sources; none after a reported fault.
    fn read_file(
        &mut self,
        files: &dyn FileLoader,
        tag: IncludeTag,
        path: &Path,
        at: Place,
        base: &Path,
    ) -> Option<u32> {
        let shown = path.display().to_string();
        let bytes = match files.read(path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => {
                let fault = if error.kind() == io::ErrorKind::NotFound {
                    let base = if base.as_os_str().is_empty() {
                        Path::new(".")
                    } else {
                        base
                    };
                    let base = base.display();
                    let message = format!(
                        "`{}` target not found: `{shown}` (referenced from `{base}`)",
                        tag.name()
                    );
                    Diagnostic::error("include", message)
                } else {
                    unreadable(&shown, &error)
                };
                self.report(fault, at);
                return None;
            }
        };
        match encoding::decode(&bytes) {
            Ok(text) => Some(self.sources.add(&shown, text)),
            Err(fault) => {
                let file = self.sources.add(&shown, fault.text);
                let fault_at = place(file, fault.at..fault.at);
                self.report(fault.diagnostic, fault_at);
                None
            }
        }
    }

    fn exhausted(&mut self, at: Place) {
        if let Some(fault) = self.budget.fault() {
            self.report(fault, at);
        }
    }

    /// One item per YAML file below `path`, sorted by full path (R-YAML-22).
    fn folder(&mut self, files: &dyn FileLoader, path: &Path, at: Place, depth: usize) -> Node {
        let mut found = Vec::new();
        let mut open = vec![path.to_owned()];
        while let Some(folder) = open.pop() {
            let listed = match files.list(&folder) {
                Ok(listed) => listed,
                Err(error) => {
                    let message = format!("cannot list `{}`: {error}", folder.display());
                    self.report(Diagnostic::error("include", message), at);
                    return Node::poison(at);
                }
            };
            for path in listed {
                if self.budget.take_file().is_err() {
                    self.exhausted(at);
                    return Node::poison(at);
                }
                if files.is_dir(&path) {
                    open.push(path);
                } else if path
                    .extension()
                    .is_some_and(|ext| ext == "yaml" || ext == "yml")
                {
                    found.push(path);
                }
            }
        }
        found.sort();
        let items = found
            .iter()
            .map(|file| self.load(IncludeTag::Use, file, at, path, depth + 1))
            .collect();
        Node::new(Kind::Seq(items), at.whole())
    }

    fn report(&mut self, fault: Diagnostic, at: Place) {
        let span = self.sources.span(at);
        self.diagnostics.push(fault.at(span));
    }
}

/// The fault of a configuration file that is there but cannot be read.
#[must_use]
pub fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            let limit = MAX_FILE_BYTES >> 20;
            let message = format!(
                "`{name}` is larger than {limit} MiB, the most that a configuration file may have"
            );
            Diagnostic::error("too-large", message).hint(
                "keep data in files of their own and read them as sources, or split the pipeline",
            )
        }
        io::ErrorKind::InvalidInput => Diagnostic::error("io", format!("`{name}` is {error}"))
            .hint("configuration is read from regular files only"),
        _ => Diagnostic::error("io", format!("cannot read `{name}`: {error}")),
    }
}

fn is_merge(entry: &Entry) -> bool {
    entry.key == "<<" && entry.key_at.style == Style::Plain
}

fn is_extend(node: &Node) -> bool {
    matches!(
        node.kind,
        Kind::Include {
            tag: IncludeTag::Extend,
            ..
        }
    )
}

/// A mapping under construction: a key put twice keeps its first position and its last value.
#[derive(Default)]
struct Merged {
    entries: Vec<Entry>,
    positions: HashMap<String, usize>,
}

impl Merged {
    fn put(&mut self, entry: Entry) {
        match self.positions.get(&entry.key) {
            Some(position) => self.entries[*position] = entry,
            None => {
                self.positions.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

/// Whether the tree is an empty document.
pub(crate) fn is_empty(node: &Node) -> bool {
    matches!(
        &node.kind,
        Kind::Scalar {
            atom: Atom::Null,
            ..
        }
    )
}
