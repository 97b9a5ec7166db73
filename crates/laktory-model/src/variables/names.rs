//! The variables that a document declares or names, and values given for others.

use std::collections::BTreeSet;
use std::ops::Range;

use laktory_syntax::{Diagnostic, Diagnostics, did_you_mean};

use super::{FREE_FORM, Resolver};
use crate::placeholders::{Namespace, What, find};
use crate::sources::Sources;
use crate::tree::{Kind, Node};

impl Resolver<'_> {
    /// Takes down the variables that a document declares or names of which only a part is left.
    pub(crate) fn mention(&mut self, root: &Node) {
        mentioned_in(root, &mut self.in_paths);
    }

    /// Refuses values for variables that the document neither declares nor names: a misspelt `--var` would change nothing,
    /// and nobody would see it.
    pub(super) fn check_given(
        &self,
        root: &Node,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) {
        // What could not be included may name any variable.
        if self.given.is_empty() || diagnostics.iter().any(Diagnostic::is_error) {
            return;
        }
        let mut names = self.in_paths.clone();
        mentioned_in(root, &mut names);
        let known = |name: &String| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        for name in self.given.keys().filter(|name| !known(name)) {
            let message =
                format!("the pipeline has no variable `{name}`, which `--var` gives a value");
            let mut fault = Diagnostic::error("unknown-variable", message);
            fault.hint = did_you_mean(name, names.iter().map(String::as_str)).or_else(|| {
                Some(
                    "it has no variables: write `${vars.<name>}` where the value belongs"
                        .to_owned(),
                )
            });
            let at = root
                .entry("variables")
                .map_or_else(|| crate::parameters::start_of(root), |entry| entry.key_at);
            diagnostics.push(fault.at(sources.span(at)));
        }
    }
}

/// The variables that a document declares or names. What a test sets is a value for a variable, as that of `--var` is.
fn mentioned_in(root: &Node, names: &mut BTreeSet<String>) {
    let Some(entries) = root.as_map() else {
        return mentioned(root, false, names);
    };
    for entry in entries {
        if let ("variables", Some(declared)) = (entry.key.as_str(), entry.value.as_map()) {
            names.extend(declared.iter().map(|entry| entry.key.clone()));
        }
        let free = entry.key == "tests" || FREE_FORM.contains(&entry.key.as_str());
        mentioned(&entry.value, free, names);
    }
}

/// The variables that a part of a document declares or names.
fn mentioned(node: &Node, free: bool, names: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::Scalar { text, .. } => names.extend(names_in(text)),
        Kind::Seq(items) => {
            for item in items {
                mentioned(item, free, names);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                let free = free || FREE_FORM.contains(&entry.key.as_str());
                if let (false, "variables", Some(declared)) =
                    (free, entry.key.as_str(), entry.value.as_map())
                {
                    names.extend(declared.iter().map(|entry| entry.key.clone()));
                }
                mentioned(&entry.value, free, names);
            }
        }
        Kind::Include { .. } | Kind::Poison => {}
    }
}

/// The variables that a text names.
pub(super) fn names_in(text: &str) -> Vec<String> {
    if !text.contains("${") {
        return Vec::new();
    }
    let named = find(text).into_iter().flat_map(|found| match found.what {
        What::Name(Namespace::Vars, name) => vec![name],
        // Not read yet, so that any word may be one.
        What::Expression => text[found.range]
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    });
    named.collect()
}

/// The placeholder itself, for places whose values are not needed yet.
pub(super) fn as_written(node: &Node, range: Range<usize>) -> Node {
    let text = node.as_text().unwrap_or_default();
    Node::text(&text[range], node.at.whole())
}
