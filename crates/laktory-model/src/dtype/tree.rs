//! Data types in a document: texts and mappings.

use laktory_core::{DType, Field};
use serde_json::{Value, json};

use super::{Parameter, build, parse_dtype};
use crate::decode::{Decode as _, Decoder, Definitions, FieldInfo, Fields, Step, expected, text};
use crate::tree::{Kind, Node};

static FIELDS: [FieldInfo; 10] = [
    FieldInfo::required("name", "Name, such as `Int64` or `List`.", String::schema),
    FieldInfo::optional(
        "inner",
        "Type of the items, for List and Array.",
        json_schema,
    ),
    FieldInfo::optional("shape", "Width or widths, for Array.", |_| json!({})),
    FieldInfo::optional("fields", "Fields, for Struct.", |definitions| {
        let member = definitions.named("struct field", |definitions| {
            definitions.fields("struct field", "A field of a struct.", &[&MEMBER])
        });
        let list = definitions.list(&member, false);
        let dtype = json_schema(definitions);
        json!({ "anyOf": [list, { "type": "object", "additionalProperties": dtype }] })
    }),
    FieldInfo::optional(
        "time_unit",
        "`us`, `ms` or `ns`, for Datetime and Duration.",
        String::schema,
    ),
    FieldInfo::optional(
        "time_zone",
        "Zone, for Datetime; null for local time. Default UTC.",
        |_| json!({}),
    ),
    FieldInfo::optional("precision", "Digits, for Decimal.", u64::schema),
    FieldInfo::optional("scale", "Digits after the point, for Decimal.", u64::schema),
    FieldInfo::optional("categories", "Categories, for Enum.", Vec::<String>::schema),
    FieldInfo::optional("category", "Has no effect.", |_| json!({})),
];

/// The JSON schema of a type.
pub(crate) fn json_schema(definitions: &mut Definitions) -> Value {
    let object = definitions.named("data type", |definitions| {
        definitions.fields("data type", "A data type.", &[&FIELDS])
    });
    json!({ "anyOf": [text(), object] })
}

/// A type as a text or as a mapping.
pub(crate) fn decode<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<DType> {
    if let Some(text) = node.as_text() {
        return match parse_dtype(text) {
            Ok(dtype) => Some(dtype),
            Err(error) => {
                decoder.report_with(|decoder| crate::Finding::in_text(decoder.path(), error));
                None
            }
        };
    }
    let Some(entries) = node.as_map() else {
        expected("a data type", node, decoder);
        return None;
    };
    let mut fields = Fields::new(entries, decoder);
    let zone = node
        .get("time_zone")
        .map(|zone| zone.as_text().map(str::to_owned));
    fields.claim("time_zone");
    fields.claim("category");
    let inner = nested(&mut fields, "inner");
    let members = fields.claim("fields").and_then(|entry| {
        fields.decoder.at(Step::Key(&entry.key), |decoder| {
            struct_fields(&entry.value, decoder)
        })
    });
    let unit: Option<String> = fields.optional("time_unit");
    let shape = fields.claim("shape").map(|entry| entry.value.to_json());
    let precision: Option<u64> = fields.optional("precision");
    let scale: Option<u64> = fields.optional("scale");
    let categories: Option<Vec<String>> = fields.optional("categories");
    let name: String = fields.required("name");
    fields.finish("a data type", &[&FIELDS]);
    if name.is_empty() {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let mut given = Vec::new();
    match lower.as_str() {
        "list" | "array" => {
            given.extend(inner.map(Parameter::Type));
            match shape {
                Some(Value::Number(width)) => given.extend(width.as_u64().map(Parameter::Number)),
                Some(Value::Array(widths)) => {
                    let widths = widths.iter().filter_map(Value::as_u64).collect();
                    given.push(Parameter::Numbers(widths));
                }
                _ if lower == "array" => {
                    decoder.error("dtype", "type `Array` needs `inner` and `shape`");
                    return None;
                }
                _ => {}
            }
        }
        "struct" => given.extend(members.map(Parameter::Fields)),
        "enum" => given.extend(categories.map(Parameter::Texts)),
        "decimal" => {
            if precision.is_some() || scale.is_some() {
                given.push(precision.map_or(Parameter::None, Parameter::Number));
                given.push(Parameter::Number(scale.unwrap_or(0)));
            }
        }
        "datetime" | "timestamp" => {
            given.push(Parameter::Text(unit.unwrap_or_else(|| "us".to_owned())));
            given.push(match zone {
                Some(None) => Parameter::None,
                Some(Some(zone)) => Parameter::Text(zone),
                None => Parameter::Text("UTC".to_owned()),
            });
        }
        "duration" => given.extend(unit.map(Parameter::Text)),
        _ => {
            return match parse_dtype(&name) {
                Ok(dtype) => Some(dtype),
                Err(error) => {
                    decoder.report_with(|decoder| {
                        crate::Finding::in_text(decoder.path().key("name"), error)
                    });
                    None
                }
            };
        }
    }
    let needs = match lower.as_str() {
        "list" => "`inner`",
        "array" => "`inner` and `shape`",
        "struct" => "`fields`",
        "enum" => "`categories`",
        "decimal" => "a `precision` of 1 to 38, and a `scale` not above it",
        _ => "a `time_unit` of `s`, `ms`, `us` or `ns`",
    };
    let dtype = build(&lower, given);
    if dtype.is_none() {
        decoder.error("dtype", format!("type `{name}` needs {needs}"));
    }
    dtype
}

fn nested(fields: &mut Fields<'_, '_>, key: &str) -> Option<DType> {
    let entry = fields.claim(key)?;
    fields.decoder.at(Step::Key(&entry.key), |decoder| {
        decode(&entry.value, decoder)
    })
}

/// A list of `{name, dtype}`, or a mapping of names to types.
fn struct_fields<'a>(node: &'a Node, decoder: &mut Decoder<'a>) -> Option<Vec<Field>> {
    match &node.kind {
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| {
                let dtype = decoder.at(Step::Key(&entry.key), |decoder| {
                    decode(&entry.value, decoder)
                })?;
                Some(Field::new(entry.key.clone(), dtype))
            })
            .collect(),
        Kind::Seq(items) => {
            let decode_item = |(index, item): (usize, &'a Node)| {
                decoder.at(Step::Index(index), |decoder| {
                    let Some(entries) = item.as_map() else {
                        expected("a field (a mapping with `name` and `dtype`)", item, decoder);
                        return None;
                    };
                    let mut fields = Fields::new(entries, decoder);
                    let name: String = fields.required("name");
                    let dtype = nested(&mut fields, "dtype");
                    fields.finish("a struct field", &[&MEMBER]);
                    dtype.map(|dtype| Field::new(name, dtype))
                })
            };
            items.iter().enumerate().map(decode_item).collect()
        }
        _ => {
            expected("a list of fields", node, decoder);
            None
        }
    }
}

static MEMBER: [FieldInfo; 2] = [
    FieldInfo::required("name", "Name.", String::schema),
    FieldInfo::required("dtype", "Type.", json_schema),
];
