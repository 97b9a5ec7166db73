//! The JSON schema of a pipeline document, for editors.

use serde_json::{Value, json};

use crate::decode::{Decode as _, Definitions};
use crate::model::Pipeline;

/// The JSON schema (draft 2020-12) of a pipeline document, in current keys. It is as lenient as the loader where JSON
/// schema allows it; old keys are left out, so that editors offer the current ones.
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = Definitions::default();
    let root = Pipeline::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "laktory pipeline",
        "$ref": root["$ref"],
        "$defs": definitions.into_parts(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_described() {
        let schema = json_schema();
        let parts = schema["$defs"].as_object().expect("an object");
        for name in [
            "pipeline",
            "pipeline_node",
            "file_source",
            "table_sink",
            "expectation",
            "SQL_step",
            "schema",
        ] {
            assert!(parts.contains_key(name), "{name} of {:?}", parts.keys());
        }
        assert!(parts.values().all(Value::is_object));
        let node = &parts["pipeline_node"];
        assert_eq!(node["required"], json!(["name"]));
        assert_eq!(
            node["properties"]["name"]["description"],
            json!("Name, by which other nodes refer to it.")
        );
        assert_eq!(node["additionalProperties"], json!(false));
    }
}
