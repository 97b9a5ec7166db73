//! Bytes to a checked pipeline: encoding, YAML, includes, variables, dialects, decoding, validation, in this order.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path as FilePath;

use laktory_core::Secrets;
use laktory_syntax::{Diagnostic, Diagnostics};

use crate::budget::{Budget, Cause, MAX_FILE_BYTES};
use crate::decode::{Decode as _, Decoder};
use crate::dialect::Dialect;
use crate::document::Document;
use crate::encoding;
use crate::finding::Finding;
use crate::include::{FileLoader, Includer, is_empty, unreadable};
use crate::model::{Pipeline, TestFile};
use crate::path::{Path, Segment};
use crate::secrets;
use crate::settings::Settings;
use crate::sources::{Sources, place};
use crate::stack::{self, Stack, StackChoice};
use crate::tree::{Kind, Node};
use crate::validate::validate;
use crate::variables::Resolver;
use crate::yaml::YamlReader;

/// What a document may refer to from outside.
#[derive(Clone, Default)]
pub struct LoadOptions<'a> {
    /// Variables of the command line. They win over those of the document.
    pub variables: BTreeMap<String, String>,
    /// Values of the pipeline's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Environment variables, which stand behind those of the document.
    pub environment: BTreeMap<String, String>,
    /// Where include tags read from; without it they are refused.
    pub files: Option<&'a dyn FileLoader>,
    /// Process-wide settings.
    pub settings: Settings,
    /// Which part of a stack is wanted, where the document is one.
    pub stack: StackChoice,
}

/// The outcome of [`load`].
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The pipeline; none when there is any error.
    pub pipeline: Option<Pipeline>,
    /// What could be read of a faulty pipeline, with defaults in place of faults, so that the rest of it can be
    /// checked too. See [`Loaded::admits`].
    pub draft: Option<Pipeline>,
    /// The document, which places findings.
    pub document: Document,
    /// Everything that is wrong or worth knowing, in the order of the passes.
    pub diagnostics: Diagnostics,
    /// Values that must not be shown.
    pub secrets: Secrets,
    /// The stack that the pipeline is a part of.
    pub stack: Option<Stack>,
    /// Where faults are, so that their consequences are not told as faults of their own.
    faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
struct Fault {
    path: Path,
    /// A key is misspelt or missing, so that rules on its siblings may fail for that reason only.
    on_key: bool,
}

impl Loaded {
    /// Whether there is any error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Whether a later finding tells something new, rather than a consequence of a known fault.
    #[must_use]
    pub fn admits(&self, finding: &Finding) -> bool {
        // What is given twice is given, whatever else is wrong around it.
        let certain = matches!(
            finding.code,
            "duplicate-node" | "duplicate-source" | "shared"
        );
        // What is empty may stand for what could not be read.
        let absent = finding.code == "empty-value";
        let place = finding.path.segments();
        let around = place.split_last().map(|(_, rest)| rest);
        let node = finding.path.node_index();
        self.faults.iter().all(|fault| {
            let object = match fault.path.segments() {
                [rest @ .., Segment::Key(_)] => rest,
                whole => whole,
            };
            let beside = around == Some(object);
            // At the top, only a misspelt key can be the reason for what is absent: `nmae` for `name`.
            let linked = if object.is_empty() {
                fault.on_key && absent
            } else {
                fault.on_key || absent
            };
            let near = place == object || linked && beside;
            let same_node = node.is_some() && fault.path.node_index() == node;
            !(finding.path.starts_with(&fault.path)
                || near && !certain
                || same_node && !finding.is_error())
        })
    }
}

/// Reads the document `name` (a path, or `<inline>`) into a pipeline.
///
/// Every fault is collected, each once, with its place; nothing outside `options` is read.
///
/// ```
/// use laktory_model::{LoadOptions, load};
///
/// let loaded = load("pipeline.yaml", b"name: p\nnods: []\n", &LoadOptions::default());
/// assert!(loaded.pipeline.is_none());
/// assert_eq!(
///     loaded.diagnostics[0].to_string(),
///     "pipeline.yaml:2:1: error: unknown key `nods` in a pipeline (nods); did you mean `nodes`?"
/// );
/// ```
#[must_use]
pub fn load(name: &str, bytes: &[u8], options: &LoadOptions<'_>) -> Loaded {
    let mut diagnostics = Diagnostics::default();
    let mut sources = Sources::default();
    let mut secrets = Secrets::default();
    let mut stack = None;
    let root = read(
        (name, bytes),
        Kept::Pipeline(&mut stack),
        options,
        &mut sources,
        &mut secrets,
        &mut diagnostics,
    );
    if let Some(root) = &root {
        secrets::of_options(root, false, &mut secrets);
    }
    let document = Document { root, sources };
    let mut loaded = Loaded {
        document,
        diagnostics,
        secrets,
        stack,
        ..Loaded::default()
    };
    name_paths(&mut loaded);
    let Some(root) = &loaded.document.root else {
        return loaded;
    };
    let mut decoder = Decoder::default();
    let draft = Pipeline::decode(root, &mut decoder);
    let (found, left_out) = decoder.finish();
    loaded.faults.extend(found.iter().map(|finding| Fault {
        path: finding.path.clone(),
        on_key: matches!(finding.code, "unknown-key" | "missing-key"),
    }));
    report(&mut loaded, found);
    loaded.diagnostics.count(left_out);
    if let Some(draft) = draft.as_ref().filter(|_| !loaded.diagnostics.is_full()) {
        let found = validate(draft)
            .into_iter()
            .filter(|finding| loaded.admits(finding))
            .collect();
        report(&mut loaded, found);
    }
    if loaded.has_errors() {
        loaded.draft = draft;
    } else {
        loaded.pipeline = draft;
    }
    loaded
}

/// The outcome of [`load_tests`].
#[derive(Clone, Debug, Default)]
pub struct LoadedTests {
    /// The tests, as far as they could be read: those that an error is about are not whole. None when nothing could be.
    pub file: Option<TestFile>,
    /// The document, which places findings.
    pub document: Document,
    /// Everything that is wrong or worth knowing.
    pub diagnostics: Diagnostics,
    /// Values that must not be shown.
    pub secrets: Secrets,
}

/// Reads the document `name` into the tests of a pipeline. They are checked against it by
/// [`validate_tests`](crate::validate_tests).
#[must_use]
pub fn load_tests(name: &str, bytes: &[u8], options: &LoadOptions<'_>) -> LoadedTests {
    let mut loaded = LoadedTests::default();
    let root = read(
        (name, bytes),
        Kept::Tests,
        options,
        &mut loaded.document.sources,
        &mut loaded.secrets,
        &mut loaded.diagnostics,
    );
    let Some(root) = root else { return loaded };
    let mut decoder = Decoder::default();
    let file = TestFile::decode(&root, &mut decoder);
    let (found, left_out) = decoder.finish();
    loaded.document.root = Some(root);
    for finding in found {
        let document = &loaded.document;
        let severity = finding.severity;
        loaded
            .diagnostics
            .push_with(severity, || document.locate(finding));
    }
    loaded.diagnostics.count(left_out);
    loaded.file = file;
    loaded
}

fn report(loaded: &mut Loaded, findings: Vec<Finding>) {
    for finding in findings {
        let document = &loaded.document;
        loaded
            .diagnostics
            .push_with(finding.severity, || document.locate(finding));
    }
}

/// Adds paths to what the passes over the tree found; they know places only.
fn name_paths(loaded: &mut Loaded) {
    for diagnostic in loaded.diagnostics.iter_mut() {
        let Some(span) = &diagnostic.span else {
            continue;
        };
        let Some(path) = loaded.document.path_at(span) else {
            continue;
        };
        if diagnostic.path.is_none() {
            diagnostic.path = Some(loaded.document.describe(&path));
        }
        if diagnostic.is_error() {
            let on_key = diagnostic.code == "unsupported";
            loaded.faults.push(Fault { path, on_key });
        }
    }
    if let Some(root) = &loaded.document.root
        && !loaded.diagnostics.is_empty()
    {
        poisoned(root, &mut Vec::new(), &mut loaded.faults);
    }
}

/// The places whose values could not be made out.
fn poisoned(node: &Node, at: &mut Vec<Segment>, faults: &mut Vec<Fault>) {
    match &node.kind {
        Kind::Poison => faults.push(Fault {
            path: at.iter().cloned().collect(),
            on_key: false,
        }),
        Kind::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Segment::Index(index));
                poisoned(item, at, faults);
                at.pop();
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                at.push(Segment::Key(entry.key.clone()));
                poisoned(&entry.value, at, faults);
                at.pop();
            }
        }
        Kind::Scalar { .. } | Kind::Include { .. } => {}
    }
}

/// What a document holds.
#[derive(Debug)]
enum Kept<'a> {
    /// A pipeline, or a stack, of which there is something to tell.
    Pipeline(&'a mut Option<Stack>),
    Tests,
}

fn read(
    (name, bytes): (&str, &[u8]),
    mut kept: Kept<'_>,
    options: &LoadOptions<'_>,
    sources: &mut Sources,
    secrets: &mut Secrets,
    diagnostics: &mut Diagnostics,
) -> Option<crate::tree::Node> {
    if bytes.len() > MAX_FILE_BYTES {
        let fault = unreadable(name, &io::ErrorKind::FileTooLarge.into());
        diagnostics.push(fault);
        return None;
    }
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(fault) => {
            let file = sources.add(name, fault.text);
            let span = sources.span(place(file, fault.at..fault.at));
            diagnostics.push(fault.diagnostic.at(span));
            return None;
        }
    };
    let blank = text.trim().is_empty();
    let text_length = text.len();
    let file = sources.add(name, text);
    let start = place(file, 0..0);
    if blank {
        let needs = match kept {
            Kept::Pipeline(_) => "a pipeline needs at least `name` and `nodes`",
            Kept::Tests => "a file of tests needs at least `tests`",
        };
        let fault = Diagnostic::error("empty-file", "the file is empty").hint(needs);
        diagnostics.push(fault.at(sources.span(start)));
        return None;
    }
    let mut budget = Budget::default();
    if budget.take_text(text_length, Cause::Written).is_err() {
        diagnostics.extend(budget.fault());
        return None;
    }
    let mut root = YamlReader {
        sources,
        budget: &mut budget,
        diagnostics,
    }
    .read(file)
    .ok()?;
    if is_empty(&root) {
        let fault = Diagnostic::error("empty-file", "the file holds no document, only comments");
        diagnostics.push(fault.at(sources.span(start)));
        return None;
    }
    let is_pipeline = matches!(kept, Kept::Pipeline(_));
    let is_stack = is_pipeline && stack::is_stack(&root);
    if !is_stack && options.stack != StackChoice::default() && is_pipeline {
        diagnostics.push(stack::no_stack(&options.stack).at(sources.span(start)));
        return None;
    }
    if is_stack {
        stack::prune(&mut root, &options.stack);
    }
    let mut variables = Resolver::new(options);
    let path = FilePath::new(name);
    let base = path.parent().unwrap_or(FilePath::new(""));
    let open = options.files.map(|files| files.canonical(path));
    Includer {
        files: options.files,
        sources,
        budget: &mut budget,
        diagnostics,
        variables: &mut variables,
        open: open.into_iter().collect(),
        read: HashMap::new(),
    }
    .expand(&mut root, base, 0);
    if let (Kept::Pipeline(stack), true) = (&mut kept, is_stack) {
        variables.mention(&root);
        let selected = stack::select(&root, &options.stack, sources, diagnostics);
        let found = stack.insert(selected.stack);
        let scoped = selected
            .variables
            .is_some_and(|scope| variables.enter(&scope));
        if let Some(settings) = &selected.settings {
            let resolve = |text: &str, at, diagnostics: &mut Diagnostics| {
                variables.text(text, at, sources, diagnostics)
            };
            found.settings = stack::settings(settings, sources, diagnostics, resolve);
        }
        if scoped {
            variables.leave();
        }
        variables.settings = options.settings.overlaid(&found.settings);
        let Some(pipeline) = selected.pipeline else {
            diagnostics.extend(stack::unnamed(found, diagnostics));
            return None;
        };
        root = pipeline;
    }
    if !budget.is_exhausted() {
        variables.substitute(&mut root, sources, &mut budget, diagnostics);
    }
    secrets.extend(&variables.secrets);
    if budget.is_exhausted() {
        return None;
    }
    if is_pipeline {
        Dialect::new(sources, diagnostics).pipeline(&mut root);
    }
    match root.kind {
        Kind::Map(_) => Some(root),
        Kind::Poison => None,
        _ => {
            let (what, hint) = match kept {
                Kept::Pipeline(_) => ("a pipeline", "begin with `name: …`"),
                Kept::Tests => ("a file of tests", "begin with `tests:`"),
            };
            let message = format!(
                "{what} is a mapping, but the file holds {}",
                root.describe()
            );
            let fault = Diagnostic::error("wrong-type", message).hint(hint);
            diagnostics.push(fault.at(sources.span(root.at)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_tests_are_told_apart() {
        let text =
            b"tests:\n- {name: a, node: x, expect: []}\n- {name: b, nod: x}\n- 5\ntest: []\n";
        let loaded = load_tests("p.test.yaml", text, &LoadOptions::default());
        assert_eq!(loaded.file.unwrap().tests.len(), 3);
        let at = |fault| loaded.document.test_at(fault);
        let places: Vec<_> = loaded.diagnostics.iter().map(at).collect();
        assert_eq!(places, [Some(1), Some(1), Some(2), None]);
    }

    #[test]
    fn a_test_gives_values_and_declares_no_variables() {
        let text =
            b"name: p\nnodes: []\ntests:\n- {name: a, node: x, variables: {v: 1}, expect: []}\n";
        let variables = [("v".to_owned(), "1".to_owned())].into();
        let options = LoadOptions {
            variables,
            ..LoadOptions::default()
        };
        let loaded = load("p.yaml", text, &options);
        let mut codes = loaded.diagnostics.iter().map(|fault| fault.code);
        assert!(codes.any(|code| code == "unknown-variable"));
    }
}
