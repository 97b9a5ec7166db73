//! The orchestrator of a pipeline: its type is checked, its options are kept as they are.

use laktory_syntax::did_you_mean;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Definitions, Step, expected};
use crate::model::Kwargs;
use crate::tree::Node;

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

    fn schema(_: &mut Definitions) -> Value {
        json!({
            "type": "object",
            "properties": { "type": { "type": "string", "enum": Self::TYPES } },
            "required": ["type"],
        })
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
