//! The JSON schema of a pipeline document, for editors.

use serde_json::{Value, json};

use crate::decode::{Decode as _, Definitions};
use crate::model::Pipeline;

/// Names that the pipeline language leaves to others, for the places that take them. An empty list leaves its place open.
#[derive(Clone, Debug, Default)]
pub struct SchemaWords {
    /// Names of backends; others are refused.
    pub backends: Vec<String>,
    /// Names of file formats; others are refused.
    pub formats: Vec<String>,
    /// Names of methods, to offer.
    pub methods: Vec<String>,
}

/// The JSON schema (draft 2020-12) of a pipeline document. It accepts the keys, shapes and words that [`load`](crate::load)
/// accepts, those of older dialects included, which it marks as deprecated.
#[must_use]
pub fn json_schema(words: &SchemaWords) -> Value {
    let mut definitions = Definitions::of(words.clone());
    let root = Pipeline::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "laktory pipeline",
        "$ref": root["$ref"],
        "$defs": definitions.into_parts(),
    })
}
