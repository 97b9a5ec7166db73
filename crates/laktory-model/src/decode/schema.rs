//! The JSON schema of the language, and which object a key belongs to, both read off the tables.

use serde_json::{Map, Value, json};

use crate::decode::{FieldInfo, Object, a};
use crate::model;

/// Named parts of a schema under construction.
#[derive(Default)]
pub(crate) struct Definitions {
    parts: Map<String, Value>,
}

impl Definitions {
    /// A reference to the schema of an object.
    pub(crate) fn object<T: Object>(&mut self) -> Value {
        self.named(T::LABEL, |definitions| {
            definitions.fields(T::DOC, &[T::FIELDS])
        })
    }

    /// A reference to the part `name`, built on first use.
    pub(crate) fn named(&mut self, name: &str, build: impl FnOnce(&mut Self) -> Value) -> Value {
        let name = name.replace(' ', "_");
        if !self.parts.contains_key(&name) {
            // Stands in while the part is built, which ends recursion.
            self.parts.insert(name.clone(), Value::Null);
            let part = build(self);
            self.parts.insert(name.clone(), part);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// The schema of a mapping with the fields of all `tables`.
    pub(crate) fn fields(&mut self, doc: &str, tables: &[&'static [FieldInfo]]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in tables.iter().flat_map(|fields| fields.iter()) {
            let mut schema = (field.schema)(self);
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".to_owned(), tidy(field.doc).into());
            }
            properties.insert(field.name.to_owned(), schema);
            if field.required {
                required.push(field.name);
            }
        }
        properties.insert("variables".to_owned(), json!({ "type": "object" }));
        json!({
            "type": "object",
            "description": tidy(doc),
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    pub(crate) fn into_parts(self) -> Map<String, Value> {
        self.parts
    }
}

fn tidy(doc: &str) -> String {
    doc.lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// The objects that have a key `key`, for somebody who put it in the wrong place.
pub(crate) fn owner_of(key: &str) -> Option<String> {
    let owners: Vec<String> = model::tables()
        .into_iter()
        .filter(|(_, fields)| fields.iter().any(|field| field.name == key))
        .map(|(label, _)| a(label))
        .take(3)
        .collect();
    (!owners.is_empty()).then(|| owners.join(", "))
}
