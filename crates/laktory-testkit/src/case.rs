//! A conformance case: input frames, steps as users write them, and what must come of it.
//!
//! This module gives cases their meaning; the two written forms (JSON Lines and YAML) are read by `load`.

use std::collections::BTreeMap;

use laktory_syntax::Api;
use serde_json::{Map, Value};

use crate::frames::Table;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique name with slashes: `expr/str/to_uppercase/01`.
    pub id: String,
    /// Input frames; `df` flows through the steps, the others are `{name}`.
    pub frames: Vec<(String, Table)>,
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// What must come of it.
    pub expect: Expect,
    /// With an expected error: the result of an engine that knows the order of its rows, just as good.
    pub eager: Option<Table>,
    /// Whether another engine's answer is as good as the expected one.
    pub either: bool,
    /// Answers of other engines, for `either`.
    pub alternatives: Vec<Table>,
    /// Whether one of the other engines refuses, for `either`.
    pub refused_elsewhere: bool,
    /// With an expected error: anything better than the error is welcome.
    pub lenient: bool,
    /// Backends that cannot do this one yet, with the reason.
    pub not_yet: BTreeMap<String, String>,
}

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// A method.
    Method {
        /// Name, such as `with_columns` or `laktory.union`.
        name: String,
        /// Positional arguments as written.
        args: Vec<Value>,
        /// Arguments by name as written.
        kwargs: Map<String, Value>,
        /// The API that the name belongs to.
        api: Api,
    },
    /// A SQL statement.
    Sql(String),
}

/// The expected result.
#[derive(Clone, Debug)]
pub enum Expect {
    /// A frame.
    Frame {
        /// Columns and rows.
        table: Table,
        /// Whether the order of rows counts.
        ordered: bool,
    },
    /// A refusal of this kind, by snake_case name.
    Error(String),
    /// The value of an inspection of the frame's schema.
    Value(Value),
}

impl Case {
    /// A case from its JSON form.
    ///
    /// # Errors
    /// A sentence that says which key is wrong.
    pub fn from_json(json: &Value) -> Result<Self, String> {
        let object = json.as_object().ok_or("a case is a mapping")?;
        let id = text(object, "id")?.to_owned();
        Self::read(&id, object).map_err(|error| format!("case `{id}`: {error}"))
    }

    fn read(id: &str, object: &Map<String, Value>) -> Result<Self, String> {
        const KEYS: &[&str] = &[
            "id", "area", "tier", "frames", "steps", "expect", "eager", "alt", "either", "lenient",
            "mode", "engines", "note", "on",
        ];
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("`{key}` is not a key of a case"));
        }
        let flag = |key: &str| match object.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("`{key}` is {other}, not true or false")),
        };
        let frames = mapping(object, "frames")?
            .iter()
            .map(|(name, columns)| Ok((name.clone(), table(columns)?)))
            .collect::<Result<Vec<_>, String>>()?;
        let steps = list(object, "steps")?
            .iter()
            .map(Step::read)
            .collect::<Result<Vec<_>, String>>()?;
        let expect = Expect::read(mapping(object, "expect")?)?;
        let alternatives = match object.get("alt") {
            None => Vec::new(),
            Some(alternatives) => alternatives
                .as_array()
                .ok_or("`alt` is not a list")?
                .iter()
                // An engine may answer with a type that no driver has; then nothing can be like it.
                .filter_map(|alternative| table(alternative.get("columns")?).ok())
                .collect(),
        };
        let eager = object.get("eager").and_then(|eager| eager.get("columns"));
        Ok(Self {
            id: id.to_owned(),
            frames,
            steps,
            expect,
            eager: eager.map(table).transpose()?,
            either: flag("either")?,
            alternatives,
            refused_elsewhere: refused_elsewhere(object.get("engines")),
            lenient: flag("lenient")?,
            not_yet: not_yet(object.get("on"))?,
        })
    }

    /// The input frame called `name`.
    #[must_use]
    pub fn frame(&self, name: &str) -> Option<&Table> {
        self.frames
            .iter()
            .find_map(|(other, table)| (other == name).then_some(table))
    }
}

impl Step {
    fn read(step: &Value) -> Result<Self, String> {
        let step = step.as_object().ok_or("a step is a mapping")?;
        if let Some(key) = step.keys().find(|key| {
            ![
                "expr",
                "func_name",
                "func_args",
                "func_kwargs",
                "dataframe_api",
            ]
            .contains(&key.as_str())
        }) {
            return Err(format!("`{key}` is not a key of a step"));
        }
        if let Some(expr) = step.get("expr") {
            let expr = expr.as_str().ok_or("`expr` is not a text")?;
            return Ok(Self::Sql(expr.to_owned()));
        }
        let args = match step.get("func_args") {
            None => Vec::new(),
            Some(args) => args.as_array().ok_or("`func_args` is not a list")?.clone(),
        };
        let kwargs = match step.get("func_kwargs") {
            None => Map::new(),
            Some(kwargs) => kwargs
                .as_object()
                .ok_or("`func_kwargs` is not a mapping")?
                .clone(),
        };
        let api = match step.get("dataframe_api").map(Value::as_str) {
            None | Some(Some("NARWHALS")) => Api::Narwhals,
            Some(Some("NATIVE")) => Api::Native,
            Some(_) => return Err("`dataframe_api` is neither NARWHALS nor NATIVE".to_owned()),
        };
        Ok(Self::Method {
            name: text(step, "func_name")?.to_owned(),
            args,
            kwargs,
            api,
        })
    }
}

impl Expect {
    fn read(expect: &Map<String, Value>) -> Result<Self, String> {
        if let Some(columns) = expect.get("columns") {
            let ordered = match expect.get("ordered") {
                None => true,
                Some(ordered) => ordered.as_bool().ok_or("`ordered` is not true or false")?,
            };
            return Ok(Self::Frame {
                table: table(columns)?,
                ordered,
            });
        }
        match (expect.get("error"), expect.get("value")) {
            (Some(Value::String(kind)), None) => Ok(Self::Error(kind.clone())),
            (None, Some(value)) => Ok(Self::Value(value.clone())),
            _ => Err("`expect` holds neither columns, nor an error kind, nor a value".to_owned()),
        }
    }
}

fn table(columns: &Value) -> Result<Table, String> {
    Table::parse(columns.as_array().ok_or("columns are not a list")?)
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    object
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("`{key}` is missing, or not a text"))
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a Vec<Value>, String> {
    object
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("`{key}` is missing, or not a list"))
}

fn mapping<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> Result<&'a Map<String, Value>, String> {
    object
        .get(key)
        .and_then(Value::as_object)
        .ok_or_else(|| format!("`{key}` is missing, or not a mapping"))
}

fn refused_elsewhere(engines: Option<&Value>) -> bool {
    engines.and_then(Value::as_object).is_some_and(|engines| {
        engines.values().filter_map(Value::as_str).any(|answer| {
            ["error", "unsupported"]
                .iter()
                .any(|word| answer.starts_with(word))
        })
    })
}

fn not_yet(on: Option<&Value>) -> Result<BTreeMap<String, String>, String> {
    let Some(on) = on else {
        return Ok(BTreeMap::new());
    };
    on.as_object()
        .ok_or("`on` is not a mapping")?
        .iter()
        .map(
            |(backend, what)| match what.get("not_yet").and_then(Value::as_str) {
                Some(reason) if !reason.trim().is_empty() => {
                    Ok((backend.clone(), reason.to_owned()))
                }
                _ => Err(format!("`on.{backend}` has no reason under `not_yet`")),
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn minimal() -> Value {
        json!({
            "id": "a/b", "frames": {"df": [["x", "int64", [1]]]},
            "steps": [{"expr": "SELECT * FROM {df}"}],
            "expect": {"columns": [["x", "int64", [1]]], "ordered": false},
        })
    }

    #[test]
    fn a_case_reads_from_json() {
        let mut json = minimal();
        json["either"] = json!(true);
        json["alt"] = json!([{"engines": ["duckdb"], "columns": [["x", "int64", [2]]]}]);
        json["engines"] = json!({"duckdb": "error: overflow"});
        json["on"] = json!({"OTHER": {"not_yet": "issue 4"}});
        let case = Case::from_json(&json).unwrap();
        assert_eq!(case.frame("df").unwrap().rows, 1);
        assert!(case.either && case.refused_elsewhere && case.alternatives.len() == 1);
        assert_eq!(case.not_yet["OTHER"], "issue 4");
        assert!(matches!(case.expect, Expect::Frame { ordered: false, .. }));
    }

    #[test]
    fn a_wrong_case_is_refused_by_name() {
        let wrong = |key: &str, value: Value| {
            let mut json = minimal();
            json[key] = value;
            Case::from_json(&json).unwrap_err()
        };
        assert_eq!(
            wrong("stepz", json!([])),
            "case `a/b`: `stepz` is not a key of a case"
        );
        assert!(wrong("expect", json!({})).contains("neither columns"));
        assert!(wrong("steps", json!([{"func_nam": "x"}])).contains("`func_nam`"));
        assert!(wrong("on", json!({"OTHER": {"not_yet": ""}})).contains("no reason"));
    }
}
