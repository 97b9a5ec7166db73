//! From the tree to typed objects: one table per object gives its fields, their defaults, its decoder, its dump and
//! its JSON schema.
//!
//! Decoding never stops: a faulty field takes its default, the fault is noted, and the pipeline is withheld in the end.
//! A null counts as unset everywhere (R-MODEL-3), and scalars are converted leniently (R-MODEL-4).

mod fields;
mod macros;
mod scalars;
mod schema;

pub(crate) use fields::{FieldInfo, Fields, Object, told_default};
pub(crate) use macros::{choice, object, shorthand};
pub(crate) use scalars::{FLOAT, Item, a, expected};
pub(crate) use schema::{Definitions, any_case, given, one_of_words, text};

use serde_json::Value;

use crate::finding::Finding;
use crate::path::{Path, Segment};
use crate::tree::Node;

/// A value that can be read from a tree.
pub(crate) trait Decode: Sized {
    /// The value; none after a fault, which is noted in `decoder`.
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self>;

    /// The JSON schema of what [`Self::decode`] reads.
    fn schema(definitions: &mut Definitions) -> Value;
}

/// One step of the place being decoded, borrowed from the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Where decoding is, and what it found.
#[derive(Debug, Default)]
pub(crate) struct Decoder<'a> {
    steps: Vec<Step<'a>>,
    findings: Vec<Finding>,
    /// How many more there were.
    left_out: usize,
}

/// Findings that are kept; a file with more faults is not read to the end by anybody.
const MOST: usize = 500;

impl<'a> Decoder<'a> {
    /// Decodes `node`, which lies one step further.
    pub(crate) fn at<T>(&mut self, step: Step<'a>, decode: impl FnOnce(&mut Self) -> T) -> T {
        self.steps.push(step);
        let value = decode(self);
        self.steps.pop();
        value
    }

    /// The place being decoded.
    pub(crate) fn path(&self) -> Path {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => Segment::Key((*key).to_owned()),
                Step::Index(index) => Segment::Index(*index),
            })
            .collect()
    }

    pub(crate) fn error(&mut self, code: &'static str, message: impl Into<String>) {
        self.report_with(|decoder| Finding::error(code, decoder.path(), message));
    }

    pub(crate) fn error_with_hint(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.report_with(|decoder| {
            let mut finding = Finding::error(code, decoder.path(), message);
            finding.hint = hint;
            finding
        });
    }

    /// Notes what is made only when there is room for it.
    pub(crate) fn report_with(&mut self, finding: impl FnOnce(&Self) -> Finding) {
        if self.findings.len() < MOST {
            let finding = finding(self);
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Whether findings are only counted by now.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() >= MOST
    }

    /// Counts a fault that nobody made a finding of.
    pub(crate) fn count(&mut self) {
        self.left_out += 1;
    }

    /// How many faults there are so far.
    pub(crate) fn found(&self) -> usize {
        self.findings.len() + self.left_out
    }

    /// The first findings, and how many more there were.
    pub(crate) fn finish(self) -> (Vec<Finding>, usize) {
        (self.findings, self.left_out)
    }
}
