//! The JSON schema of the language, and which object a key belongs to, both read off the tables.
//!
//! A schema accepts what the decoder of the same table accepts: nulls count as absent, texts may be any scalar, and a value
//! may be a placeholder, since what it stands for may have any type. Words are offered for completion as `enum`, and read
//! in any letter case by a `pattern` beside it.

use serde_json::{Map, Value, json};

use crate::decode::{FieldInfo, Object, a};
use crate::dialect::{self, OldKey};
use crate::json_schema::SchemaWords;
use crate::model;
use crate::model::NAMED_SOURCES;

/// Named parts of a schema under construction.
#[derive(Default)]
pub(crate) struct Definitions {
    parts: Map<String, Value>,
    /// Names that the caller knows.
    words: SchemaWords,
}

impl Definitions {
    pub(crate) fn of(words: SchemaWords) -> Self {
        Self {
            words,
            ..Self::default()
        }
    }

    /// A reference to the schema of an object.
    pub(crate) fn object<T: Object>(&mut self) -> Value {
        self.named(T::LABEL, |definitions| {
            definitions.fields(T::LABEL, T::DOC, &[T::FIELDS])
        })
    }

    /// A reference to the part `name`, built on first use.
    pub(crate) fn named(&mut self, name: &str, build: impl FnOnce(&mut Self) -> Value) -> Value {
        let name = part_name(name);
        if !self.parts.contains_key(&name) {
            // Stands in while the part is built, which ends recursion.
            self.parts.insert(name.clone(), Value::Null);
            let part = build(self);
            self.parts.insert(name.clone(), part);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// The schema of a mapping with the fields of all `tables`, and the old spellings of the object `label`.
    pub(crate) fn fields(
        &mut self,
        label: &str,
        doc: &str,
        tables: &[&'static [FieldInfo]],
    ) -> Value {
        let mut properties = Map::new();
        let mut rules = Vec::new();
        let old_keys = dialect::old_keys(label);
        for field in tables.iter().flat_map(|fields| fields.iter()) {
            let property = self.property(field);
            let spellings: Vec<&OldKey> = old_keys
                .iter()
                .filter(|old| old.new == field.name)
                .collect();
            for old in &spellings {
                let mut property = property.clone();
                if let Value::Object(property) = &mut property {
                    let doc = if old.silent {
                        format!("The same as `{}`.", old.new)
                    } else {
                        property.insert("deprecated".to_owned(), true.into());
                        format!("Old name of `{}`.", old.new)
                    };
                    property.insert("description".to_owned(), doc.into());
                    property.remove("default");
                    if old.old == "source"
                        && let Some(Value::Array(forms)) = property.get_mut("anyOf")
                    {
                        // It is one source, or a list, and no mapping of names.
                        let named = json!(format!("#/$defs/{}", part_name(NAMED_SOURCES)));
                        forms.retain(|form| form.get("$ref") != Some(&named));
                    }
                }
                properties.insert(old.old.to_owned(), property);
            }
            let names: Vec<&str> = std::iter::once(field.name)
                .chain(spellings.iter().map(|old| old.old))
                .collect();
            // One key has one value, however it is spelt.
            for (index, name) in names.iter().enumerate() {
                for other in &names[index + 1..] {
                    rules.push(json!({ "not": { "required": [name, other] } }));
                }
            }
            if field.required {
                rules.push(one_of_keys(&names));
            }
            properties.insert(field.name.to_owned(), property);
        }
        for (key, doc) in dialect::idle_keys(label) {
            let doc = format!("Has no effect: {doc}.");
            properties.insert(
                (*key).to_owned(),
                json!({ "deprecated": true, "description": doc }),
            );
        }
        properties.insert(
            "variables".to_owned(),
            json!({
                "type": ["object", "null"],
                "description": "Values of `${vars.x}` in this object and below it.",
            }),
        );
        let mut object = json!({
            "type": "object",
            "description": tidy(doc),
            "properties": properties,
            // A merge key, which the editor may not have resolved.
            "patternProperties": { "^<<$": {} },
            "additionalProperties": false,
        });
        if let (Value::Object(object), false) = (&mut object, rules.is_empty()) {
            object.insert("allOf".to_owned(), rules.into());
        }
        object
    }

    /// What may stand under a key.
    fn property(&mut self, field: &FieldInfo) -> Value {
        let schema = self
            .suggested(field)
            .unwrap_or_else(|| (field.schema)(self));
        let mut forms = match schema.get("anyOf").and_then(Value::as_array) {
            Some(forms) => forms.clone(),
            None => vec![schema],
        };
        forms.push(self.elsewhere());
        if !field.required {
            forms.push(self.unset());
        }
        let mut property = json!({ "description": tidy(field.doc), "anyOf": forms });
        if let (Value::Object(property), Some(default)) = (&mut property, (field.default)()) {
            property.insert("default".to_owned(), default);
        }
        property
    }

    /// The schema of a field whose names the caller knows.
    fn suggested(&self, field: &FieldInfo) -> Option<Value> {
        let (words, closed) = match field.name {
            "dataframe_backend" => (&self.words.backends, true),
            "format" => (&self.words.formats, true),
            "func_name" => (&self.words.methods, false),
            // One value each; which settings there are is the engine's business.
            "backend_settings" => {
                let setting = json!({ "not": { "type": ["array", "object"] } });
                let settings = json!({ "type": "object", "additionalProperties": setting });
                return Some(json!({ "type": "object", "additionalProperties": settings }));
            }
            _ => return None,
        };
        if words.is_empty() {
            return None;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match closed {
            true => one_of_words(&words, &words),
            false => json!({ "anyOf": [{ "enum": words }, text()] }),
        })
    }

    /// What stands for something that is written elsewhere: a placeholder, or a file behind a tag (which a reader that does
    /// not know tags sees as a text).
    pub(crate) fn elsewhere(&mut self) -> Value {
        self.named("elsewhere", |_| {
            json!({
                "type": "string",
                "pattern": r"\$\{|\.([yY][aA]?[mM][lL]|[jJ][sS][oO][nN]|[sS][qQ][lL])$",
                "description": "A placeholder such as `${vars.x}`, or `!use file.yaml`.",
            })
        })
    }

    /// Null, which is the same as leaving the key out. Said by what it is not, so that editors do not offer it.
    pub(crate) fn unset(&mut self) -> Value {
        self.named(
            "unset",
            |_| json!({ "not": { "type": ["array", "boolean", "number", "object", "string"] } }),
        )
    }

    /// A list of `item`, or an item alone where a scalar may stand for the list.
    pub(crate) fn list(&mut self, item: &Value, scalar: bool) -> Value {
        let elsewhere = self.elsewhere();
        let list = json!({ "type": "array", "items": { "anyOf": [item, elsewhere] } });
        match scalar {
            // A mapping alone is no list, whatever its items are.
            true => {
                json!({ "anyOf": [list, { "allOf": [item, { "not": { "type": "object" } }] }] })
            }
            false => list,
        }
    }

    pub(crate) fn into_parts(self) -> Map<String, Value> {
        self.parts
    }
}

fn part_name(name: &str) -> String {
    name.replace(' ', "_")
}

/// Any scalar but null. Said by what it is not, so that editors do not offer `true` and `false`.
pub(crate) fn text() -> Value {
    json!({ "not": { "type": ["array", "object", "null"] } })
}

/// One of `offered`, or another of `words`, in any letter case.
pub(crate) fn one_of_words(offered: &[&str], words: &[&str]) -> Value {
    json!({ "anyOf": [{ "enum": offered }, { "type": "string", "pattern": any_case(words) }] })
}

/// A pattern of words in any letter case; JSON schema has no flag for it.
pub(crate) fn any_case(words: &[&str]) -> String {
    let letters = |word: &&str| -> String {
        word.chars()
            .map(|letter| match letter {
                letter if letter.is_ascii_alphabetic() => format!(
                    "[{}{}]",
                    letter.to_ascii_lowercase(),
                    letter.to_ascii_uppercase()
                ),
                letter if letter.is_ascii_alphanumeric() || letter == '_' => letter.to_string(),
                letter => format!("\\{letter}"),
            })
            .collect()
    };
    let words: Vec<String> = words.iter().map(letters).collect();
    format!(r"^\s*({})\s*$", words.join("|"))
}

/// That at least one of some keys has a value.
fn one_of_keys(keys: &[&str]) -> Value {
    match keys {
        [key] => given(key),
        keys => {
            let given: Vec<Value> = keys.iter().map(|key| given(key)).collect();
            json!({ "anyOf": given })
        }
    }
}

/// That a key has a value.
pub(crate) fn given(key: &str) -> Value {
    json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } })
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
