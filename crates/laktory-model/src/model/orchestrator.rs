//! The orchestrator of a pipeline: its type and its keys are checked, the values of its options are kept as they are.

use laktory_syntax::{did_you_mean, nearest};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::decode::{Decode, Decoder, Definitions, Step, expected, one_of_words};
use crate::dialect::ORCHESTRATORS as OLD_TYPES;
use crate::finding::Finding;
use crate::model::{Kwargs, orchestrator_keys};
use crate::tree::{Entry, Kind, Node};

/// What runs the pipeline when it is deployed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orchestrator {
    /// One of [`Orchestrator::TYPES`].
    pub r#type: String,
    /// Its options, as written.
    pub options: Kwargs,
}

impl Orchestrator {
    /// The known types.
    pub const TYPES: [&'static str; 4] = [
        "LAKEFLOW_JOB",
        "LAKEFLOW_DECLARATIVE_PIPELINE",
        "SPARK_DECLARATIVE_PIPELINE",
        "AIRFLOW",
    ];

    /// Whether it declares datasets instead of running nodes, so that sinks are not written.
    #[must_use]
    pub fn is_declarative(&self) -> bool {
        self.r#type.ends_with("DECLARATIVE_PIPELINE")
    }
}

impl Decode for Orchestrator {
    fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            expected("an orchestrator (a mapping with `type`)", node, decoder);
            return None;
        };
        let Some(entry) = entries.iter().find(|entry| entry.key == "type") else {
            let hint = did_you_mean("", Self::TYPES);
            decoder.error_with_hint("missing-key", "an orchestrator needs `type`", hint);
            return None;
        };
        let text: String = decoder.at(Step::Key("type"), |decoder| {
            String::decode(&entry.value, decoder)
        })?;
        let kind = text.trim().to_ascii_uppercase();
        if !Self::TYPES.contains(&kind.as_str()) {
            decoder.at(Step::Key("type"), |decoder| {
                let hint = did_you_mean(&kind, Self::TYPES);
                decoder.error_with_hint(
                    "unknown-word",
                    format!("`{text}` is not an orchestrator type"),
                    hint,
                );
            });
            return None;
        }
        for entry in entries {
            check_key(&kind, entry, decoder);
        }
        let options = entries
            .iter()
            .filter(|entry| entry.key != "type" && entry.key != "variables")
            .map(|entry| (entry.key.clone(), entry.value.to_json()))
            .collect();
        Some(Self {
            r#type: kind,
            options,
        })
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let mut words: Vec<&str> = Self::TYPES.to_vec();
        words.extend(OLD_TYPES.iter().map(|(old, _)| *old));
        let mut forms = vec![one_of_words(&Self::TYPES, &words)];
        for kind in Self::TYPES {
            let old = OLD_TYPES.iter().filter(|(_, new)| *new == kind);
            let spellings: Vec<&str> = old.map(|(old, _)| *old).chain([kind]).collect();
            let keys = orchestrator_keys::of(kind);
            let mut properties: Map<String, Value> =
                keys.map(|key| (key.to_owned(), json!({}))).collect();
            properties.insert("type".to_owned(), one_of_words(&[kind], &spellings));
            forms.push(definitions.named(kind, |_| {
                json!({
                    "type": "object",
                    "properties": properties,
                    "patternProperties": { "^<<$": {} },
                    "required": ["type"],
                    "additionalProperties": false,
                })
            }));
        }
        // Its type is known when its placeholders are.
        forms.push(json!({
            "type": "object",
            "properties": { "type": { "type": "string", "pattern": r"\$\{" } },
            "required": ["type"],
        }));
        json!({ "anyOf": forms })
    }
}

/// Notes a key that an orchestrator of this type has not.
fn check_key<'a>(kind: &str, entry: &'a Entry, decoder: &mut Decoder<'a>) {
    let key = entry.key.as_str();
    let known = orchestrator_keys::of(kind);
    if known.clone().any(|known| known == key) {
        check_nested(entry, decoder);
        return;
    }
    let hint = nearest(key, known.clone())
        .map(|name| format!("did you mean `{name}`?"))
        .or_else(|| {
            let (other, _) = orchestrator_keys::TYPES
                .iter()
                .find(|(_, keys)| keys.contains(&key))?;
            Some(format!("`{key}` is a key of orchestrator `{other}`"))
        })
        .or_else(|| did_you_mean(key, known));
    let message = format!("unknown key `{key}` in an orchestrator of type `{kind}`");
    let path = decoder.path().key(key);
    let mut finding = Finding::error("unknown-key", path, message).at_key();
    finding.hint = hint;
    decoder.report_with(|_| finding);
}

/// Notes keys below `entry` that are slips of known ones.
fn check_nested<'a>(entry: &'a Entry, decoder: &mut Decoder<'a>) {
    decoder.at(Step::Key(&entry.key), |decoder| match &entry.value.kind {
        Kind::Map(entries) => check_mapping(&entry.key, entries, decoder),
        Kind::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                let entries = item.as_map().unwrap_or(&[]);
                decoder.at(Step::Index(index), |decoder| {
                    check_mapping(&entry.key, entries, decoder);
                });
            }
        }
        _ => {}
    });
}

fn check_mapping<'a>(parent: &str, entries: &'a [Entry], decoder: &mut Decoder<'a>) {
    for entry in entries {
        if let Some(meant) = orchestrator_keys::slip(parent, &entry.key) {
            let message = format!(
                "unknown key `{}` in `{parent}` of an orchestrator",
                entry.key
            );
            let path = decoder.path().key(entry.key.as_str());
            // What is below is open to names that are not known here, so that it is no fault of shape.
            let finding = Finding::error("unknown-option", path, message).at_key();
            let finding = finding.hint(format!("did you mean `{meant}`?"));
            decoder.report_with(|_| finding);
        } else {
            check_nested(entry, decoder);
        }
    }
}

impl Serialize for Orchestrator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.r#type)?;
        for (key, value) in &self.options {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
