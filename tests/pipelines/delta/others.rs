//! Tables of others, read here, and ours, read by others: deltalake and polars for Python.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::case::{Engine, engines, rows};
use crate::tables::World;

/// A Python interpreter that has deltalake, which `cargo xtask test-all-backends` installs.
const PYTHON: &str = "LAKTORY_READERS_PYTHON";

/// A test on an engine.
type Test = fn(&Engine) -> Result<(), Failed>;

pub(super) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 2] = [
        ("tables_of_others_are_read", read_here),
        ("others_read_what_is_written", read_there),
    ];
    let local = engines().into_iter().filter(|engine| !engine.is_remote);
    local
        .flat_map(|engine| {
            tests.map(|(name, test)| {
                let own = engine.clone();
                with_others(engine.trial(&format!("delta/{name}"), move || test(&own)))
            })
        })
        .collect()
}

/// A test that needs deltalake.
pub(super) fn with_others(trial: Trial) -> Trial {
    match std::env::var_os(PYTHON) {
        Some(_) => trial,
        None => trial
            .with_kind("no deltalake: `cargo xtask test-all-backends` has it")
            .with_ignored_flag(true),
    }
}

/// The command that works on tables of deltalake.
pub(super) fn other(arguments: &[&str]) -> Result<Command, Failed> {
    let python: OsString = std::env::var_os(PYTHON).ok_or("there is no deltalake")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("delta/other.py");
    let mut command = Command::new(python);
    command.arg(script).args(arguments);
    Ok(command)
}

/// What deltalake has to say.
fn asked(arguments: &[&str]) -> Result<Value, Failed> {
    let Output {
        status,
        stdout,
        stderr,
    } = other(arguments)?.output()?;
    match status.success() {
        true => Ok(serde_json::from_slice(&stdout)?),
        false => Err(String::from_utf8_lossy(&stderr).into_owned().into()),
    }
}

/// Rows of tables that deltalake wrote, by the engine; columns with a form of their own in JSON as texts.
fn read_here(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, "name: none\nnodes: []\n")?;
    let folder = world.root().join("others");
    fs::create_dir(&folder)?;
    let tables = asked(&["write", &folder.to_string_lossy()])?;
    let mut faults = Vec::new();
    for (name, expected) in tables.as_object().ok_or("no tables")? {
        world.pipeline(
            "read.yaml",
            &format!(
                "name: read\nnodes:\n- name: read\n  source: {{path: others/{name}, format: DELTA}}\n  sinks: [{{path: {name}.jsonl, format: JSONL}}]\n"
            ),
        )?;
        if let Err(error) = world.succeeds(&["run", "read.yaml", "-q"]) {
            faults.push(format!("{name}: {error:?}"));
            continue;
        }
        let file = world.root().join(format!("{name}.jsonl"));
        let mut found = match fs::metadata(&file)?.len() {
            0 => Vec::new(),
            _ => rows(&file)?,
        };
        found.sort_by_key(|row| row["x"].as_i64());
        let found: Vec<Value> = found.into_iter().map(alike).collect();
        let expected: Vec<Value> = (expected.as_array().cloned().unwrap_or_default().into_iter())
            .map(alike)
            .collect();
        if found != expected {
            faults.push(format!("{name}: {found:?}, expected {expected:?}"));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.join("\n").into()),
    }
}

/// A row, with points in time in one form, and without columns that are null.
fn alike(row: Value) -> Value {
    let Value::Object(fields) = row else {
        return row;
    };
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(name, value)| match value {
        Value::String(text) if name == "moment" => {
            let text = text.replace('T', " ");
            let text = text.trim_end_matches('Z').trim_end_matches("+00:00");
            let text = text.trim_end_matches(".000000");
            (name, Value::String(text.to_owned()))
        }
        value => (name, value),
    });
    Value::Object(fields.collect())
}

const TYPES: &str = r#"
name: types
nodes:
- name: types
  source: {path: in.jsonl, format: JSONL}
  transformer:
    nodes:
    - expr: SELECT x, small, f, s, b, CAST(d AS DATE) AS d, CAST(t AS TIMESTAMP) AS t, CAST(m AS DECIMAL(12, 2)) AS m, l, r FROM {df}
    - {func_name: with_columns, func_kwargs: {small: "nw.col('small').cast(nw.UInt8)", z: "nw.col('t').dt.replace_time_zone('Europe/Berlin')"}}
  sinks:
  - {path: types, format: DELTA, mode: APPEND}
  - {path: parts, format: DELTA, mode: APPEND, writer_kwargs: {partitionBy: [s, b, d]}}
"#;

const ROWS: &str = r#"{"x": 1, "small": 200, "f": 1.5, "s": "plain", "b": true, "d": "2024-01-31", "t": "2024-01-31 12:30:00.123456", "m": "12.30", "l": [1, 2], "r": {"u": 1, "v": "x"}}
{"x": 2, "small": null, "f": null, "s": null, "b": null, "d": null, "t": null, "m": null, "l": null, "r": null}
{"x": 3, "small": 0, "f": -0.25, "s": "a/b c%d:e=f?g#h&i\\j\"k'l", "b": false, "d": "1969-12-31", "t": "1969-12-31 23:59:59", "m": "-0.01", "l": [], "r": {"u": null, "v": null}}
{"x": 4, "small": 1, "f": 1e300, "s": "über 😀", "b": true, "d": "2024-02-29", "t": "2024-02-29 00:00:00", "m": "9999999999.99", "l": [null], "r": {"u": 1, "v": ""}}
"#;

fn read_there(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, TYPES)?;
    fs::write(world.root().join("in.jsonl"), ROWS)?;
    world.succeeds(&["run", "pipeline.yaml", "-q"])?;
    let rows: Result<Vec<Value>, _> = ROWS.lines().map(serde_json::from_str).collect();
    let mut expected = rows?;
    for row in &mut expected {
        let (local, zoned) = match row["x"].as_i64() {
            Some(1) => ("2024-01-31 12:30:00.123456", "2024-01-31 11:30:00.123456Z"),
            Some(3) => ("1969-12-31 23:59:59.000000", "1969-12-31 22:59:59.000000Z"),
            Some(4) => ("2024-02-29 00:00:00.000000", "2024-02-28 23:00:00.000000Z"),
            _ => {
                row["z"] = Value::Null;
                continue;
            }
        };
        (row["t"], row["z"]) = (local.into(), zoned.into());
    }
    for table in ["types", "parts"] {
        let path = world.root().join(table);
        let answer = asked(&["read", &path.to_string_lossy()])?;
        for reader in ["deltalake", "polars"] {
            if answer[reader] != json!(expected) {
                return Err(format!(
                    "{table} by {reader}: {:#}, expected {:#}",
                    answer[reader],
                    json!(expected)
                )
                .into());
            }
        }
        if answer["some"] != json!([2]) {
            return Err(format!("{table}: a filter gives {}", answer["some"]).into());
        }
    }
    Ok(())
}
