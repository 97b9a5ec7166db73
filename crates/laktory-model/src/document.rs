//! The loaded document: from paths back to the bytes that somebody wrote.
//!
//! Lookups walk the tree from the root; they are meant for the few places that a diagnostic names.

use std::fmt::Write as _;
use std::ops::Range;

use laktory_syntax::{Diagnostic, Span, shortened};

use crate::finding::Finding;
use crate::path::{Path, Segment, write_segments};
use crate::sources::Sources;
use crate::text_map;
use crate::tree::{Kind, Node, Place};

/// The document tree after includes, merge keys, variables and dialect renames. Every value knows where it was written.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(crate) root: Option<Node>,
    pub(crate) sources: Sources,
}

impl Document {
    /// The files that it was read from, in the order in which they were first read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.sources.names()
    }

    /// Where the value at `path` was written, or else its nearest enclosing value. None for a pipeline declared in code.
    #[must_use]
    pub fn span(&self, path: &Path) -> Option<Span> {
        let mut node = self.root.as_ref()?;
        let mut at = start_of(node);
        for segment in path.segments() {
            let Some(entry) = child(node, segment) else {
                break;
            };
            (at, node) = match entry {
                // An absent value is shown at its key.
                Child::Entry(entry) if entry.value.at.start == entry.value.at.end => {
                    (entry.key_at, &entry.value)
                }
                Child::Entry(entry) => (entry.value.at, &entry.value),
                Child::Item(node) => (node.at, node),
            };
        }
        self.sources.span(at)
    }

    /// Where the key at `path` was written; for a list item or an absent key as [`Self::span`].
    #[must_use]
    pub fn key_span(&self, path: &Path) -> Option<Span> {
        let key = path.segments().split_last().and_then(|(last, rest)| {
            let mut node = self.root.as_ref()?;
            for segment in rest {
                node = node.step(segment)?;
            }
            match last {
                Segment::Key(key) => node.entry(key),
                Segment::Index(_) => None,
            }
        });
        match key {
            Some(entry) => self.sources.span(entry.key_at),
            None => self.span(path),
        }
    }

    /// The text at `path`, with its variables in it.
    #[must_use]
    pub fn text(&self, path: &Path) -> Option<&str> {
        self.node(path)?.as_text()
    }

    /// Where the bytes `range` of the text at `path` were written, through quotes, escapes, folding and indentation.
    /// What a variable put there was written as its placeholder. The whole value when that cannot be told.
    #[must_use]
    pub fn text_span(&self, path: &Path, range: Range<usize>) -> Option<Span> {
        self.exact(path, range).or_else(|| self.span(path))
    }

    fn exact(&self, path: &Path, range: Range<usize>) -> Option<Span> {
        let node = self.node(path)?;
        let file = self.sources.file(node.at.file)?;
        let text = node.as_text()?;
        let range = match &node.filled {
            Some(values) => text_map::locate_filled(file.text(), node.at, text, values, range)?,
            None => text_map::locate(file.text(), node.at, text, range)?,
        };
        Some(Span::new(file, range))
    }

    fn node(&self, path: &Path) -> Option<&Node> {
        let mut node = self.root.as_ref()?;
        for segment in path.segments() {
            node = node.step(segment)?;
        }
        Some(node)
    }

    /// The path for people, with the names of nodes: ``nodes[1] `slv` > transformer.nodes[0].expr``.
    #[must_use]
    pub fn describe(&self, path: &Path) -> String {
        let segments = path.segments();
        let Some(index) = path.node_index() else {
            return path.to_string();
        };
        let mut out = format!("nodes[{index}]");
        let name = self
            .node(&Path::node(index))
            .and_then(|node| node.get("name"))
            .and_then(Node::as_text);
        // Writing to a String cannot fail.
        if let Some(name) = name {
            let _ = write!(out, " `{name}`");
        }
        if segments.len() > 2 {
            out.push_str(if name.is_some() { " > " } else { "." });
            let _ = write_segments(&mut out, &segments[2..]);
        }
        out
    }

    /// The path as far as it was written: an object in its short form (`expr: x > 0` for `expr: {expr: x > 0}`) is a
    /// text, and has no parts.
    #[must_use]
    pub fn written(&self, path: Path) -> Path {
        let mut node = self.root.as_ref();
        for (depth, segment) in path.segments().iter().enumerate() {
            let next = node.and_then(|node| node.step(segment));
            if next.is_none() && node.is_some_and(|node| node.as_text().is_some()) {
                return path.segments()[..depth].iter().cloned().collect();
            }
            node = next;
        }
        path
    }

    /// The finding at its place in the file.
    #[must_use]
    pub fn locate(&self, mut finding: Finding) -> Diagnostic {
        finding.path = self.written(finding.path);
        let span = match (&finding.range, finding.at_key) {
            (Some(range), _) => self.text_span(&finding.path, range.clone()),
            (None, true) => self.key_span(&finding.path),
            (None, false) => self.span(&finding.path),
        };
        let path = self.describe(&finding.path);
        let related = finding
            .related
            .into_iter()
            .filter_map(|(path, label)| Some((self.span(&path)?, label)))
            .collect();
        Diagnostic {
            severity: finding.severity,
            code: finding.code,
            message: shortened(finding.message),
            span,
            path: (!path.is_empty()).then(|| shortened(path)),
            related,
            hint: finding.hint.map(shortened),
        }
    }

    /// Whether a diagnostic is about the tests that the document holds.
    #[must_use]
    pub fn is_of_tests(&self, diagnostic: &Diagnostic) -> bool {
        self.test_place(diagnostic).is_some()
    }

    /// The position of the test that a diagnostic is about; none for one about more than a single test.
    #[must_use]
    pub fn test_at(&self, diagnostic: &Diagnostic) -> Option<usize> {
        match self.test_place(diagnostic)?.segments() {
            [_, Segment::Index(index), ..] => Some(*index),
            _ => None,
        }
    }

    fn test_place(&self, diagnostic: &Diagnostic) -> Option<Path> {
        let told = diagnostic.path.as_deref().unwrap_or_default();
        let number = told
            .strip_prefix("tests[")
            .and_then(|rest| rest.split(']').next());
        if let Some(index) = number.and_then(|number| number.parse().ok()) {
            return Some(Path::root().key("tests").index(index));
        }
        let path = self.path_at(diagnostic.span.as_ref()?)?;
        let is_of_tests = matches!(path.segments(), [Segment::Key(key), ..] if key == "tests");
        is_of_tests.then_some(path)
    }

    /// The path of the innermost value that was written around `span`.
    pub(crate) fn path_at(&self, span: &Span) -> Option<Path> {
        let mut node = self.root.as_ref()?;
        let mut segments = Vec::new();
        let covers = |at: Place| {
            at.start as usize <= span.start
                && span.end <= at.end as usize
                && self
                    .sources
                    .file(at.file)
                    .is_some_and(|file| std::sync::Arc::ptr_eq(file, &span.file))
        };
        loop {
            let next = match &node.kind {
                Kind::Map(entries) => entries
                    .iter()
                    .find(|entry| covers(entry.value.at) || covers(entry.key_at))
                    .map(|entry| (Segment::Key(entry.key.clone()), &entry.value)),
                Kind::Seq(items) => items
                    .iter()
                    .position(|item| covers(item.at))
                    .map(|index| (Segment::Index(index), &items[index])),
                _ => None,
            };
            let Some((segment, child)) = next else { break };
            segments.push(segment);
            node = child;
        }
        (!segments.is_empty()).then(|| segments.into_iter().collect())
    }
}

enum Child<'a> {
    Entry(&'a crate::tree::Entry),
    Item(&'a Node),
}

fn child<'a>(node: &'a Node, segment: &Segment) -> Option<Child<'a>> {
    match segment {
        Segment::Key(key) => node.entry(key).map(Child::Entry),
        Segment::Index(index) => node.as_seq()?.get(*index).map(Child::Item),
    }
}

/// A document is shown at its first key, not as a whole.
fn start_of(root: &Node) -> Place {
    match &root.kind {
        Kind::Map(entries) if !entries.is_empty() => entries[0].key_at,
        _ => root.at,
    }
}
