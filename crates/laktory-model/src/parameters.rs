//! Pipeline parameters: what `parameters:` declares and what the caller gives (R-PARAM, R-VAR-31).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use laktory_syntax::{Diagnostic, Diagnostics, did_you_mean};

use crate::placeholders::is_name;
use crate::sources::Sources;
use crate::tree::{Kind, Node, Place, Style};

/// Names that the run arguments use themselves.
pub(crate) const RESERVED: [&str; 5] = [
    "filepath",
    "selects",
    "refresh",
    "reset_mode",
    "full_refresh",
];

/// Declared parameters with their values.
pub(crate) struct Parameters<'a> {
    given: &'a BTreeMap<String, String>,
    /// `None` after a reported fault, so that uses are not reported again.
    values: IndexMap<String, Option<Node>>,
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(given: &'a BTreeMap<String, String>) -> Self {
        Self {
            given,
            values: IndexMap::new(),
        }
    }

    /// The value of a declared parameter.
    pub(crate) fn get(&self, name: &str) -> Option<Option<Node>> {
        self.values.get(name).cloned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    /// Reads the `parameters` of the document and checks what was given against them. What is no mapping is left to
    /// the decoder.
    pub(crate) fn declare(
        &mut self,
        root: &Node,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) {
        let declared = root.get("parameters").and_then(Node::as_map).unwrap_or(&[]);
        for entry in declared {
            let name = entry.key.as_str();
            if !entry.value.is_null() && entry.value.as_map().is_none() {
                // Told by the decoder.
                self.values.insert(name.to_owned(), None);
                continue;
            }
            let fault = if !is_name(name) {
                let message = format!("`{name}` cannot name a parameter");
                Some(Diagnostic::error("parameter", message).hint("use letters, digits and `_`"))
            } else if RESERVED.contains(&name) {
                let message = format!("parameter name `{name}` is reserved");
                Some(Diagnostic::error("parameter", message).hint("choose another name"))
            } else {
                None
            };
            if let Some(fault) = fault {
                let path = format!("parameters.{name}");
                diagnostics.push(fault.path(path).at(sources.span(entry.key_at)));
                self.values.insert(name.to_owned(), None);
                continue;
            }
            let given = self.given.get(name).filter(|value| !value.is_empty());
            let default = entry
                .value
                .get("default")
                .filter(|node| !node.is_null() && node.as_text() != Some(""));
            let value = match (given, default) {
                (Some(text), _) => Some(Node::text(text, entry.key_at.whole())),
                (None, Some(node)) => Some(node.clone()),
                (None, None) => {
                    let message = format!("parameter `{name}` has no value");
                    let fault = Diagnostic::error("parameter", message)
                        .path(format!("parameters.{name}"))
                        .hint(format!("pass `--param {name}=…`, or give it a `default`"));
                    diagnostics.push(fault.at(sources.span(entry.key_at)));
                    None
                }
            };
            self.values.insert(name.to_owned(), value);
        }
        for name in self
            .given
            .keys()
            .filter(|name| !self.values.contains_key(*name))
        {
            let names = self.values.keys().map(String::as_str);
            let mut fault = Diagnostic::error(
                "parameter",
                format!("the pipeline has no parameter `{name}`"),
            );
            fault.hint =
                did_you_mean(name, names).or_else(|| Some("it declares no parameters".to_owned()));
            let at = root
                .entry("parameters")
                .map_or(start_of(root), |entry| entry.key_at);
            diagnostics.push(fault.at(sources.span(at)));
        }
    }
}

/// Where a document begins.
pub(crate) fn start_of(root: &Node) -> Place {
    match &root.kind {
        Kind::Map(entries) if !entries.is_empty() => entries[0].key_at,
        _ => Place {
            end: root.at.start,
            style: Style::Whole,
            ..root.at
        },
    }
}
