//! A validator of JSON schemas, for the keywords that the schema of pipelines is made of. The well-kept crates for it
//! change features of crates that the engines share, so that the engines would be built twice.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

/// A schema with its patterns compiled.
pub(crate) struct Validator<'s> {
    schema: &'s Value,
    patterns: HashMap<&'s str, Regex>,
}

/// Keywords that say nothing about validity.
const NOTES: [&str; 7] = [
    "$defs",
    "$schema",
    "default",
    "deprecated",
    "description",
    "examples",
    "title",
];

impl<'s> Validator<'s> {
    pub(crate) fn new(schema: &'s Value) -> Result<Self, String> {
        let mut patterns = HashMap::new();
        compile(schema, &mut patterns)?;
        Ok(Self { schema, patterns })
    }

    /// Whether the schema accepts `value`.
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        self.valid(self.schema, value)
    }

    fn valid(&self, schema: &'s Value, value: &Value) -> bool {
        match schema {
            Value::Bool(accepts) => *accepts,
            Value::Object(keywords) => keywords
                .iter()
                .all(|(keyword, rule)| self.holds(keyword, rule, keywords, value)),
            _ => false,
        }
    }

    fn holds(
        &self,
        keyword: &str,
        rule: &'s Value,
        keywords: &'s Map<String, Value>,
        value: &Value,
    ) -> bool {
        let all = |rules: &'s Value| rules.as_array().into_iter().flatten();
        match (keyword, value) {
            ("$ref", _) => {
                let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#'));
                let part = pointer.and_then(|pointer| self.schema.pointer(pointer));
                part.is_some_and(|part| self.valid(part, value))
            }
            ("type", _) => match rule {
                Value::String(name) => is(name, value),
                names => all(names).any(|name| name.as_str().is_some_and(|name| is(name, value))),
            },
            ("enum", _) => all(rule).any(|word| word == value),
            ("anyOf", _) => all(rule).any(|rule| self.valid(rule, value)),
            ("allOf", _) => all(rule).all(|rule| self.valid(rule, value)),
            ("not", _) => !self.valid(rule, value),
            ("pattern", Value::String(text)) => self.matches(rule, text),
            ("minimum", Value::Number(number)) => number.as_f64() >= rule.as_f64(),
            ("maximum", Value::Number(number)) => number.as_f64() <= rule.as_f64(),
            ("minProperties", Value::Object(entries)) => rule
                .as_u64()
                .is_some_and(|least| entries.len() as u64 >= least),
            ("items", Value::Array(items)) => items.iter().all(|item| self.valid(rule, item)),
            ("required", Value::Object(entries)) => {
                all(rule).all(|key| key.as_str().is_some_and(|key| entries.contains_key(key)))
            }
            ("properties", Value::Object(entries)) => entries
                .iter()
                .all(|(key, value)| rule.get(key).is_none_or(|rule| self.valid(rule, value))),
            ("patternProperties", _) => true,
            ("additionalProperties", Value::Object(entries)) => {
                entries.iter().all(|(key, value)| {
                    let declared = keywords.get("properties").and_then(|known| known.get(key));
                    let merged = key == "<<" && keywords.contains_key("patternProperties");
                    declared.is_some() || merged || self.valid(rule, value)
                })
            }
            (
                "pattern"
                | "minimum"
                | "maximum"
                | "minProperties"
                | "items"
                | "required"
                | "properties"
                | "additionalProperties",
                _,
            ) => true,
            (keyword, _) if NOTES.contains(&keyword) => true,
            (keyword, _) => panic!("keyword `{keyword}` is not known to this validator"),
        }
    }

    fn matches(&self, pattern: &Value, text: &str) -> bool {
        let pattern = pattern.as_str().and_then(|rule| self.patterns.get(rule));
        pattern.is_some_and(|pattern| pattern.is_match(text))
    }
}

fn is(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("integer", Value::Number(number)) => {
            number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        _ => false,
    }
}

fn compile<'s>(schema: &'s Value, patterns: &mut HashMap<&'s str, Regex>) -> Result<(), String> {
    match schema {
        Value::Object(keywords) => {
            if let Some(Value::String(pattern)) = keywords.get("pattern") {
                let compiled = Regex::new(pattern).map_err(|error| error.to_string())?;
                patterns.insert(pattern, compiled);
            }
            keywords
                .values()
                .try_for_each(|schema| compile(schema, patterns))
        }
        Value::Array(schemas) => schemas
            .iter()
            .try_for_each(|schema| compile(schema, patterns)),
        _ => Ok(()),
    }
}
