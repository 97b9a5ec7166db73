//! The types of columns, by all rows of a document.

use std::collections::BTreeMap;

use laktory_core::{DType, Field};

use super::tree::Node;
use crate::csv::Candidates;

/// What values of one place are.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Whether one of them is a text.
    text: bool,
    /// Whether one of them has fields.
    object: bool,
    /// Whether there are several in one row.
    list: bool,
    fields: BTreeMap<String, Shape>,
    candidates: Candidates,
}

impl Shape {
    /// Takes a value into account.
    pub(super) fn look(&mut self, node: &Node, guesses: bool) {
        match node {
            Node::Null => {}
            Node::Text(text) => {
                self.text = true;
                if guesses {
                    self.candidates.look(text, false, true);
                }
            }
            Node::Object(fields) => {
                self.object = true;
                for (name, value) in fields {
                    let known = self.fields.entry(name.clone()).or_default();
                    known.look(value, guesses);
                }
            }
            Node::List(items) => {
                self.list = true;
                items.iter().for_each(|item| self.look(item, guesses));
            }
        }
        if !guesses {
            // All texts are texts.
            self.candidates.look("a text", false, true);
        }
    }

    /// The type that holds all of them; texts beside objects are fields of the name `value`.
    pub(super) fn dtype(&self, value: &str) -> DType {
        let own = match self.object {
            false => self.candidates.dtype(),
            true => {
                let mut fields: BTreeMap<&str, DType> = self
                    .fields
                    .iter()
                    .map(|(name, shape)| (name.as_str(), shape.dtype(value)))
                    .collect();
                if self.text {
                    fields
                        .entry(value)
                        .or_insert_with(|| self.candidates.dtype());
                }
                let fields = fields.into_iter();
                DType::Struct(
                    fields
                        .map(|(name, dtype)| Field::new(name, dtype))
                        .collect(),
                )
            }
        };
        match self.list {
            true => DType::List(Box::new(own)),
            false => own,
        }
    }
}
