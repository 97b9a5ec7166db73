//! The document as a tree of values that know where they were written.
//!
//! The tree is the only form between YAML text and typed objects: includes, variables and dialect renames rewrite it
//! in place. It knows nothing of pipelines.

use std::ops::Range;

use serde_json::Value;

use crate::path::Segment;

/// How a scalar was written; decides how its text maps back to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
    /// A list, a mapping, or a text that is not in the file as such (substituted, repaired, included).
    Whole,
}

/// Bytes `start..end` of file number `file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) style: Style,
}

impl Place {
    pub(crate) fn whole(self) -> Self {
        Self {
            style: Style::Whole,
            ..self
        }
    }
}

/// What a scalar means under the YAML 1.2 core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Atom {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    Float(f64),
    Text,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The decoded text as written, and what it means.
    Scalar {
        text: String,
        atom: Atom,
    },
    Seq(Vec<Node>),
    Map(Vec<Entry>),
    /// `!use`, `!update` or `!extend`, not loaded yet.
    Include {
        tag: IncludeTag,
        target: String,
    },
    /// A value whose fault has been reported already.
    Poison,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncludeTag {
    Use,
    Update,
    Extend,
}

impl IncludeTag {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Use => "!use",
            Self::Update => "!update",
            Self::Extend => "!extend",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Place,
    pub(crate) value: Node,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) at: Place,
    /// Of a text with placeholders in it: where in it the value of each stands, in their order.
    pub(crate) filled: Option<Box<[Range<usize>]>>,
}

impl Node {
    pub(crate) fn new(kind: Kind, at: Place) -> Self {
        Self {
            kind,
            at,
            filled: None,
        }
    }

    /// The text that came of one with placeholders, whose values stand at `filled`.
    pub(crate) fn filled(text: String, at: Place, filled: Vec<Range<usize>>) -> Self {
        Self {
            filled: Some(filled.into()),
            ..Self::text(text, at)
        }
    }

    pub(crate) fn text(text: impl Into<String>, at: Place) -> Self {
        Self::new(
            Kind::Scalar {
                text: text.into(),
                atom: Atom::Text,
            },
            at,
        )
    }

    pub(crate) fn poison(at: Place) -> Self {
        Self::new(Kind::Poison, at)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(
            self.kind,
            Kind::Scalar {
                atom: Atom::Null,
                ..
            }
        )
    }

    pub(crate) fn is_poison(&self) -> bool {
        matches!(self.kind, Kind::Poison)
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The text of any scalar but null.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, atom } if *atom != Atom::Null => Some(text),
            _ => None,
        }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(crate) fn step(&self, segment: &Segment) -> Option<&Node> {
        match segment {
            Segment::Key(key) => self.get(key),
            Segment::Index(index) => self.as_seq()?.get(*index),
        }
    }

    /// What the value is, with its article, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { atom, .. } => match atom {
                Atom::Null => "null",
                Atom::Bool(_) => "a boolean",
                Atom::Int(_) | Atom::UInt(_) => "an integer",
                Atom::Float(_) => "a number",
                Atom::Text => "a text",
            },
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Include { .. } | Kind::Poison => "a faulty value",
        }
    }

    /// The value as JSON. Numbers that JSON lacks (`.inf`, `.nan`) stay texts.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar { text, atom } => match atom {
                Atom::Null => Value::Null,
                Atom::Bool(value) => Value::Bool(*value),
                Atom::Int(value) => Value::from(*value),
                Atom::UInt(value) => Value::from(*value),
                Atom::Float(value) => serde_json::Number::from_f64(*value)
                    .map_or_else(|| Value::String(text.clone()), Value::Number),
                Atom::Text => Value::String(text.clone()),
            },
            Kind::Seq(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect(),
            ),
            Kind::Include { .. } | Kind::Poison => Value::Null,
        }
    }

    /// How many values and bytes of text the subtree holds and how deep it nests.
    pub(crate) fn extent(&self) -> Extent {
        let mut extent = Extent {
            values: 1,
            bytes: 0,
            height: 0,
        };
        let mut grow = |child: &Self| {
            let inner = child.extent();
            extent.values += inner.values;
            extent.bytes += inner.bytes;
            extent.height = extent.height.max(inner.height + 1);
        };
        match &self.kind {
            Kind::Seq(items) => items.iter().for_each(&mut grow),
            Kind::Map(entries) => {
                entries.iter().for_each(|entry| grow(&entry.value));
                extent.bytes += entries.iter().map(|entry| entry.key.len()).sum::<usize>();
            }
            Kind::Scalar { text, .. } => extent.bytes = text.len(),
            Kind::Include { target, .. } => extent.bytes = target.len(),
            Kind::Poison => {}
        }
        extent
    }
}

/// The size of a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) values: usize,
    /// Of keys and texts.
    pub(crate) bytes: usize,
    pub(crate) height: usize,
}

/// What a plain scalar means: the YAML 1.2 core schema, so `yes`, `on`, dates and `012`-like texts stay what they
/// look like (R-YAML-2). Unlike YAML 1.1, `1e3` is a number and `012` is twelve.
pub(crate) fn plain_atom(text: &str) -> Atom {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Atom::Null,
        "true" | "True" | "TRUE" => return Atom::Bool(true),
        "false" | "False" | "FALSE" => return Atom::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Atom::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Atom::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Atom::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let first = text.as_bytes()[0];
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return Atom::Text;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).map_or(Atom::Text, integer);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).map_or(Atom::Text, integer);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(value) = text.parse::<i64>() {
            return Atom::Int(value);
        }
        if let Ok(value) = text.parse::<u64>() {
            return Atom::UInt(value);
        }
    }
    let numeric = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && !unsigned.starts_with(['e', 'E']);
    if numeric && let Ok(value) = text.parse::<f64>() {
        return Atom::Float(value);
    }
    Atom::Text
}

fn integer(value: u64) -> Atom {
    i64::try_from(value).map_or(Atom::UInt(value), Atom::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_yaml_2_plain_scalars_follow_the_core_schema() {
        for text in [
            "on",
            "off",
            "yes",
            "no",
            "y",
            "n",
            "2024-01-01",
            "1_000",
            "-",
            "+",
            ".",
            "1.2.3",
            "e5",
            "0x",
            "--1",
        ] {
            assert_eq!(plain_atom(text), Atom::Text, "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(plain_atom(text), Atom::Null, "{text}");
        }
        assert_eq!(plain_atom("012"), Atom::Int(12));
        assert_eq!(plain_atom("-3"), Atom::Int(-3));
        assert_eq!(plain_atom("0xff"), Atom::Int(255));
        assert_eq!(plain_atom("0o14"), Atom::Int(12));
        assert_eq!(plain_atom("1e3"), Atom::Float(1000.0));
        assert_eq!(plain_atom(".5"), Atom::Float(0.5));
        assert_eq!(plain_atom("18446744073709551615"), Atom::UInt(u64::MAX));
        assert_eq!(plain_atom("True"), Atom::Bool(true));
    }
}
