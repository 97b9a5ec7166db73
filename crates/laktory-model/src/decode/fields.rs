//! The fields of one object: taken one by one, then checked for what is unknown or missing.

use laktory_syntax::{did_you_mean, nearest};
use serde::ser::SerializeMap;
use serde_json::Value;

use crate::decode::scalars::truth;
use crate::decode::{Decode, Decoder, Definitions, Step};
use crate::finding::Finding;
use crate::tree::{Entry, Node};

/// One field of an object, for messages and the JSON schema.
#[derive(Clone, Copy)]
pub(crate) struct FieldInfo {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: fn(&mut Definitions) -> Value,
    /// What it is when it is left out, where that says something.
    pub(crate) default: fn() -> Option<Value>,
}

impl FieldInfo {
    /// A field that may be left out.
    pub(crate) const fn optional(
        name: &'static str,
        doc: &'static str,
        schema: fn(&mut Definitions) -> Value,
    ) -> Self {
        Self {
            name,
            doc,
            required: false,
            schema,
            default: || None,
        }
    }

    /// A field that must be given.
    pub(crate) const fn required(
        name: &'static str,
        doc: &'static str,
        schema: fn(&mut Definitions) -> Value,
    ) -> Self {
        Self {
            required: true,
            ..Self::optional(name, doc, schema)
        }
    }
}

/// A default for the schema: none where nothing is the default.
pub(crate) fn told_default(value: &impl serde::Serialize) -> Option<Value> {
    serde_json::to_value(value)
        .ok()
        .filter(|value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            Value::String(text) => !text.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
}

/// An object with a table of fields.
pub(crate) trait Object: Sized {
    /// What the object is called in messages, without an article.
    const LABEL: &'static str;
    /// The table.
    const FIELDS: &'static [FieldInfo];
    /// What it is for.
    const DOC: &'static str;

    /// Takes the fields of this object, leaving others for another object or for [`Fields::finish`].
    fn take<'a>(fields: &mut Fields<'a, '_>) -> Self;

    /// Writes the fields that differ from their defaults.
    fn dump<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// Keys of other tools, and what they are called here.
fn habit(key: &str) -> Option<&'static str> {
    const HABITS: [(&str, &str); 9] = [
        ("sql", "expr"),
        ("query", "expr"),
        ("statement", "expr"),
        ("condition", "expr"),
        ("method", "func_name"),
        ("function", "func_name"),
        ("args", "func_args"),
        ("kwargs", "func_kwargs"),
        ("options", "reader_kwargs"),
    ];
    let (_, meant) = HABITS.iter().find(|(known, _)| *known == key)?;
    Some(meant)
}

/// A mapping whose keys are being taken.
pub(crate) struct Fields<'a, 'd> {
    entries: &'a [Entry],
    taken: Vec<bool>,
    missing: Vec<&'static str>,
    pub(crate) decoder: &'d mut Decoder<'a>,
}

impl<'a, 'd> Fields<'a, 'd> {
    pub(crate) fn new(entries: &'a [Entry], decoder: &'d mut Decoder<'a>) -> Self {
        Self {
            entries,
            taken: vec![false; entries.len()],
            missing: Vec::new(),
            decoder,
        }
    }

    /// The value under `key`; null counts as absent.
    pub(crate) fn peek(&self, key: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// Marks `key` as known; its value, unless it is null.
    pub(crate) fn claim(&mut self, key: &str) -> Option<&'a Entry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        self.taken[index] = true;
        let entry = &self.entries[index];
        (!entry.value.is_null()).then_some(entry)
    }

    /// Decodes the value under `key`.
    pub(crate) fn optional<T: Decode>(&mut self, key: &str) -> Option<T> {
        let entry = self.claim(key)?;
        self.decoder.at(Step::Key(&entry.key), |decoder| {
            T::decode(&entry.value, decoder)
        })
    }

    /// As [`Self::optional`], with the fault of an absent key noted.
    pub(crate) fn required<T: Decode + Default>(&mut self, key: &'static str) -> T {
        if self.peek(key).is_none() {
            self.claim(key);
            self.missing.push(key);
            return T::default();
        }
        self.optional(key).unwrap_or_default()
    }

    /// A text in upper case.
    pub(crate) fn upper(&mut self, key: &str) -> Option<String> {
        let text: String = self.optional(key)?;
        Some(text.trim().to_ascii_uppercase())
    }

    /// A required text in upper case.
    pub(crate) fn required_upper(&mut self, key: &'static str) -> String {
        let text: String = self.required(key);
        text.trim().to_ascii_uppercase()
    }

    /// An option that can also be switched on with its defaults by `true`, or off by `false`.
    pub(crate) fn switch<T: Decode + Default>(&mut self, key: &str) -> Option<T> {
        match self.peek(key).and_then(truth) {
            Some(on) => {
                self.claim(key);
                on.then(T::default)
            }
            None => self.optional(key),
        }
    }

    /// Notes unknown and missing keys. `known` are the tables of all objects that the mapping is made of.
    pub(crate) fn finish(mut self, label: &str, known: &[&'static [FieldInfo]]) {
        // Every object may declare variables; they have been substituted already (R-TYPE-01).
        if let Some(entry) = self.claim("variables")
            && entry.value.as_map().is_none()
            && !entry.value.is_poison()
        {
            let message = format!("expected a mapping, found {}", entry.value.describe());
            self.decoder.at(Step::Key(&entry.key), |decoder| {
                decoder.error("wrong-type", message);
            });
        }
        let names = || {
            known
                .iter()
                .flat_map(|fields| fields.iter().map(|field| field.name))
        };
        // One level is left out: its keys are told as one fault.
        let skipped = match names().collect::<Vec<_>>().as_slice() {
            [only] if self.missing.contains(only) => Some(*only),
            _ => None,
        };
        let mut meant = Vec::new();
        for (entry, _) in self
            .entries
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| !**taken)
        {
            let key = entry.key.as_str();
            if skipped.is_some_and(|level| meant.contains(&level)) {
                continue;
            }
            if self.decoder.is_full() {
                // Guesses cost more than the rest, and nobody reads them.
                self.decoder.count();
                continue;
            }
            // What people write for it.
            let shown = match key {
                "schema_definition" => "schema",
                key => key,
            };
            // What is missing is the likelier guess.
            let guess = habit(key)
                .filter(|meant| names().any(|name| name == *meant))
                .or_else(|| nearest(key, self.missing.iter().copied()))
                .or_else(|| nearest(key, names()));
            // A piece of an unquoted text that holds a comma.
            let is_rest = entry.value.is_null() && key.contains([')', '(', ' ', '\'']);
            let hint = match guess {
                _ if is_rest => Some(
                    "a comma ends an unquoted text inside of `{ }`: put quotes around the whole text"
                        .to_owned(),
                ),
                Some(name) => {
                    meant.push(name);
                    Some(format!("did you mean `{name}`?"))
                }
                None if skipped.is_some() => skipped.map(|level| {
                    meant.push(level);
                    format!("put it below `{level}`: `{level}: {{{key}: ...}}`")
                }),
                None => super::schema::owner_of(key)
                    .map(|owner| format!("`{shown}` is a key of {owner}"))
                    .or_else(|| did_you_mean(key, names().collect::<Vec<_>>())),
            };
            let message = format!("unknown key `{shown}` in {label}");
            let path = self.decoder.path().key(key);
            let mut finding = Finding::error("unknown-key", path, message).at_key();
            finding.hint = hint;
            self.decoder.report_with(|_| finding);
        }
        for key in self.missing {
            // A misspelt key is one fault, not an unknown and a missing one.
            if !meant.contains(&key) {
                self.decoder
                    .error("missing-key", format!("{label} needs `{key}`"));
            }
        }
    }
}
