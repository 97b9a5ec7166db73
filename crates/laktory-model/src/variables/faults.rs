//! What is wrong with placeholders, each told once and at its place.

use std::ops::Range;

use laktory_syntax::{Diagnostic, Span};

use super::Pass;
use crate::text_map;
use crate::tree::Node;

impl Pass<'_, '_> {
    /// Reports a missing name where it is first used, and adds later uses (at most 5) to that report.
    pub(super) fn once(
        &mut self,
        name: String,
        fault: Diagnostic,
        node: &Node,
        range: Range<usize>,
    ) {
        if let Some(first) = self.resolver.reported.get(&name) {
            let span = self.span(node, Some(range));
            if let (Some(fault), Some(span)) = (
                first.and_then(|first| self.diagnostics.get_mut(first)),
                span,
            ) && fault.related.len() < 5
                && fault.span.as_ref() != Some(&span)
                && fault.related.iter().all(|(known, _)| *known != span)
            {
                fault.related.push((span, "also used here".to_owned()));
            }
            return;
        }
        let told = self.report(fault, node, Some(range));
        self.resolver.reported.insert(name, told);
    }

    pub(super) fn exhausted(&mut self, node: &Node, range: Option<Range<usize>>) {
        if let Some(fault) = self.budget.fault() {
            self.report(fault, node, range);
        }
    }

    pub(super) fn unsupported(&mut self, message: &str, node: &Node, range: Range<usize>) {
        self.report(Diagnostic::error("unsupported", message), node, Some(range));
    }

    fn span(&self, node: &Node, range: Option<Range<usize>>) -> Option<Span> {
        let exact = || {
            let (text, range) = (node.as_text()?, range?);
            let file = self.sources.file(node.at.file)?;
            let range = text_map::locate(file.text(), node.at, text, range)?;
            Some(Span::new(file, range))
        };
        exact().or_else(|| self.sources.span(node.at))
    }

    /// Reports a fault, once; its position among those that are told.
    pub(super) fn report(
        &mut self,
        fault: Diagnostic,
        node: &Node,
        range: Option<Range<usize>>,
    ) -> Option<usize> {
        if self.diagnostics.is_full() {
            return self.diagnostics.push(fault);
        }
        let fault = fault.at(self.span(node, range));
        let told = self
            .diagnostics
            .iter()
            .rposition(|known| known.span == fault.span && known.message == fault.message);
        match told {
            Some(told) => Some(told),
            None => self.diagnostics.push(fault),
        }
    }
}
