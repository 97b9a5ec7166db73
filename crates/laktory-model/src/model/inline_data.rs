//! Rows written in the document.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, Item, Step, expected};
use crate::model::Kwargs;
use crate::tree::{Atom, Kind, Node};

/// Rows written in the document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum InlineData {
    /// Values by column, all of one length.
    Columns(IndexMap<String, Vec<Value>>),
    /// Values by row; what a row lacks is null (R-DSRC-1).
    Rows(Vec<Kwargs>),
}

impl Default for InlineData {
    fn default() -> Self {
        Self::Rows(Vec::new())
    }
}

impl Item for Kwargs {}

impl Decode for InlineData {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        numbers_that_stay(node, decoder);
        match node.kind {
            Kind::Map(_) => IndexMap::decode(node, decoder).map(Self::Columns),
            Kind::Seq(_) => Vec::decode(node, decoder).map(Self::Rows),
            _ => {
                expected(
                    "a mapping of columns to values, or a list of rows",
                    node,
                    decoder,
                );
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let columns = IndexMap::<String, Vec<Value>>::schema(definitions);
        let rows = Vec::<Kwargs>::schema(definitions);
        json!({ "anyOf": [columns, rows] })
    }
}

/// Refuses numbers that rows cannot hold: they would be others, or texts.
fn numbers_that_stay<'a>(node: &'a Node, decoder: &mut Decoder<'a>) {
    match &node.kind {
        Kind::Seq(items) => {
            for (at, item) in items.iter().enumerate() {
                decoder.at(Step::Index(at), |decoder| numbers_that_stay(item, decoder));
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                decoder.at(Step::Key(&entry.key), |decoder| {
                    numbers_that_stay(&entry.value, decoder);
                });
            }
        }
        Kind::Scalar {
            text,
            atom: Atom::Float(value),
        } => {
            let is_whole = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte));
            let (why, hint) = if !value.is_finite() {
                (
                    "is no number that inline data has",
                    format!(
                        "write it as a text, `'{}'`, and cast the column to float64",
                        name_of(*value)
                    ),
                )
            } else if is_whole {
                (
                    "does not fit into 64 bits",
                    format!("write it as a text, `'{text}'`, and cast the column to a decimal"),
                )
            } else {
                return;
            };
            decoder.error_with_hint("inline-data", format!("`{text}` {why}"), Some(hint));
        }
        _ => {}
    }
}

/// A float that is none of the numbers, as casts read it.
fn name_of(value: f64) -> &'static str {
    match value {
        value if value.is_nan() => "nan",
        value if value > 0.0 => "inf",
        _ => "-inf",
    }
}
