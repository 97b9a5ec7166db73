//! Decoding of scalars, lists and mappings, with the lenient conversions of R-MODEL-4 and R-TYPE-03.

use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, Step};
use crate::model::Kwargs;
use crate::tree::{Atom, Kind, Node};

/// Notes that a value is not what it should be, unless its fault is known already.
pub(crate) fn expected(wanted: &str, node: &Node, decoder: &mut Decoder<'_>) {
    if !node.is_poison() {
        let message = format!("expected {wanted}, found {}", node.describe());
        decoder.error("wrong-type", message);
    }
}

impl Decode for String {
    /// Any scalar but null; numbers and booleans as they were written.
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let text = node.as_text();
        if text.is_none() {
            expected("a text", node, decoder);
        }
        text.map(str::to_owned)
    }

    fn schema(_: &mut Definitions) -> Value {
        crate::decode::text()
    }
}

/// What a boolean or one of the words for it says.
pub(crate) fn truth(node: &Node) -> Option<bool> {
    match node.as_text()?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// `label` with its indefinite article.
pub(crate) fn a(label: &str) -> String {
    let article = if label.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {label}")
}

impl Decode for bool {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let value = truth(node);
        if value.is_none() {
            expected("`true` or `false`", node, decoder);
        }
        value
    }

    fn schema(_: &mut Definitions) -> Value {
        let words = [
            "true", "yes", "on", "y", "t", "1", "false", "no", "off", "n", "f", "0",
        ];
        json!({ "anyOf": [
            { "type": "boolean" },
            { "type": "string", "pattern": crate::decode::any_case(&words).replace(r"\s*", "") },
            { "type": "integer", "minimum": 0, "maximum": 1 },
        ] })
    }
}

impl Decode for i64 {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let value = match &node.kind {
            Kind::Scalar { text, atom } => match atom {
                Atom::Int(value) => Some(*value),
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "checked to be integral and small"
                )]
                Atom::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                    Some(*value as Self)
                }
                Atom::Text => text.trim().parse().ok(),
                _ => None,
            },
            _ => None,
        };
        if value.is_none() {
            expected("an integer", node, decoder);
        }
        value
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$" }] })
    }
}

impl Decode for u64 {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let value = i64::decode(node, decoder)?;
        let value = Self::try_from(value);
        if value.is_err() {
            decoder.error("out-of-range", "expected a number that is not negative");
        }
        value.ok()
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": r"^\s*\+?[0-9]+\s*$" },
        ] })
    }
}

/// Texts that are numbers.
pub(crate) const FLOAT: &str = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])([eE][+-]?[0-9]+)?\s*$";

impl Decode for f64 {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let value = match &node.kind {
            Kind::Scalar { text, atom } => match atom {
                Atom::Float(value) => Some(*value),
                #[allow(clippy::cast_precision_loss, reason = "a fraction is wanted")]
                Atom::Int(value) => Some(*value as Self),
                Atom::Text => text.trim().parse().ok(),
                _ => None,
            },
            _ => None,
        };
        if value.is_none() {
            expected("a number", node, decoder);
        }
        value
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": FLOAT }] })
    }
}

impl Decode for Value {
    fn decode<'a>(node: &'a Node, _: &mut Decoder<'a>) -> Option<Self> {
        (!node.is_poison()).then(|| node.to_json())
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({})
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        if node.is_null() {
            return Some(None);
        }
        T::decode(node, decoder).map(Some)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let schema = T::schema(definitions);
        json!({ "anyOf": [schema, definitions.unset()] })
    }
}

/// Items of a list. An item of wrong type takes its default, so that positions stay those of the document.
impl<T: Decode + Default + Item> Decode for Vec<T> {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(items) = node.as_seq() else {
            if T::SCALAR && matches!(node.kind, Kind::Scalar { .. }) {
                return T::decode(node, decoder).map(|item| vec![item]);
            }
            if !node.is_poison() {
                let message = format!("expected a list, found {}", node.describe());
                let hint = "write each item on a line of its own, after `- `".to_owned();
                decoder.error_with_hint("wrong-type", message, Some(hint));
            }
            return None;
        };
        let decode = |(index, item)| {
            decoder
                .at(Step::Index(index), |decoder| T::decode(item, decoder))
                .unwrap_or_default()
        };
        Some(items.iter().enumerate().map(decode).collect())
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let item = T::schema(definitions);
        let list = definitions.list(&item, T::SCALAR);
        let others = T::instead_of_list(definitions);
        if others.is_empty() {
            return list;
        }
        let forms: Vec<Value> = std::iter::once(list).chain(others).collect();
        json!({ "anyOf": forms })
    }
}

/// What may stand in a list.
pub(crate) trait Item {
    /// A scalar in place of the list is a list of one.
    const SCALAR: bool = false;

    /// Schemas of what else may stand for a list of these, by the dialects.
    fn instead_of_list(_: &mut Definitions) -> Vec<Value> {
        Vec::new()
    }
}

impl Item for String {
    const SCALAR: bool = true;
}

impl Item for Value {
    const SCALAR: bool = true;
}

impl<T: super::Object> Item for T {}

impl Decode for Kwargs {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        match node.kind {
            Kind::Map(_) => match node.to_json() {
                Value::Object(map) => Some(map),
                _ => None,
            },
            _ => {
                expected("a mapping", node, decoder);
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "object" })
    }
}

impl<T: Decode> Decode for IndexMap<String, T> {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("a mapping", node, decoder);
            return None;
        };
        let mut map = Self::with_capacity(entries.len());
        for entry in entries {
            let value = decoder.at(Step::Key(&entry.key), |decoder| {
                T::decode(&entry.value, decoder)
            });
            if let Some(value) = value {
                map.insert(entry.key.clone(), value);
            }
        }
        Some(map)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let value = T::schema(definitions);
        let elsewhere = definitions.elsewhere();
        json!({ "type": "object", "additionalProperties": { "anyOf": [value, elsewhere] } })
    }
}
