//! Credentials do not leave the command: every command is run with values that stand for them, and all that it prints and
//! writes is searched.

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::start::command;

/// What every credential of this test holds.
const CANARY: &str = "canary";

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("secrets/no_command_shows_them", canaries)]
}

/// A pipeline that runs, and warns.
const GOOD: &str = r#"
name: good
parameters: {api_key: {default: canary-param}}
backend_settings: {PYSPARK: {token: canary-setting}}
orchestrator: {type: LAKEFLOW_JOB, tags: {client_secret: canary-tag}}
nodes:
- name: a
  source: {data: {x: [1, 2], s: [u, v]}, filter: "s <> '${vars.db_password}'"}
  transformer:
    nodes:
    - {expr: "SELECT x, s FROM {df} WHERE s <> '${vars.db_password}' AND s <> '${params.api_key}' AND s <> '${vars.env_token}'"}
    - {func_name: filter, func_args: ["nw.col('s') != '${vars.db_password}'"]}
  expectations:
  - {name: warned, expr: "s <> '${vars.db_password}' AND x > 1"}
- name: b
  source: {node_name: a}
  sinks: [{path: b.jsonl, format: JSONL}]
"#;

/// Pipelines that fail, each in another pass.
const BAD: [(&str, &str); 7] = [
    ("column.yaml", "
name: p
nodes:
- name: a
  source: {data: {x: [1]}}
  transformer: {nodes: [{expr: \"SELECT nope, '${vars.db_password}' AS s FROM {df}\"}]}
"),
    ("rule.yaml", "
name: p
nodes:
- name: a
  source: {data: {x: [1]}}
  expectations: [{name: e, expr: \"x > 1 AND 'u' <> '${vars.db_password}'\", action: FAIL}]
  sinks: [{path: c.jsonl, format: JSONL}]
"),
    ("options.yaml", "
name: p
nodes:
- name: a
  source: {path: 's3://me:canary-url@host/x.csv?sig=canary-sig', format: CSV, reader_kwargs: {password: canary-literal, storage_options: {account_key: 'canary-nested'}}}
  sinks: [{path: 'https://me:canary-url@host/x.csv', format: CSV, writer_kwargs: {sas_token: \"canary-writer\"}}]
"),
    ("missing.yaml", "
name: p
nodes:
- {name: a, source: {path: 'gone-${vars.db_password}.csv', format: CSV}}
"),
    ("broken.yaml", "
name: p
nodes:
- {name: a, source: {path: x.csv, format: CSV, reader_kwargs: {password: canary-literal}}
- {}}
"),
    ("shape.yaml", "
name: p
nodes:
- {name: a, source: {path: x.csv, format: CSV, reader_kwargs: {password: canary-literal}, nope: 1}}
"),
    ("word.yaml", "
name: p
nodes:
- {name: a, source: {path: x.csv, format: '${vars.db_password}'}, sinks: [{path: y.csv, format: CSV, mode: '${vars.db_password}'}]}
"),
];

const COMMANDS: [&[&str]; 12] = [
    &["run", "-vv"],
    &[
        "run",
        "-vv",
        "--log-format",
        "json",
        "--report",
        "report.json",
    ],
    &["run", "--report", "-"],
    &["run", "--dry-run"],
    &["run", "--no-write", "-v"],
    &["plan"],
    &["plan", "--json"],
    &["graph"],
    &["graph", "--mermaid"],
    &["validate"],
    &["validate", "--offline"],
    &["schema", "--json"],
];

fn canaries() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut files = vec![("good.yaml", GOOD)];
    files.extend(BAD);
    for (name, text) in &files {
        fs::write(folder.path().join(name), text)?;
    }
    let mut shown = Vec::new();
    for (name, text) in &files {
        for command in COMMANDS {
            for format in ["text", "short", "json"] {
                let report = folder.path().join("report.json");
                let mut arguments = vec![command[0], name];
                arguments.extend(&command[1..]);
                arguments.extend(["--error-format", format]);
                // A variable that a pipeline does not name cannot be given.
                if text.contains("db_password") {
                    arguments.extend(["--var", "db_password=canary-var"]);
                }
                let output = call(folder.path(), &arguments)?;
                let written = fs::read(&report).unwrap_or_default();
                for (place, bytes) in [
                    ("standard output", &output.stdout),
                    ("standard error", &output.stderr),
                    ("the record", &written),
                ] {
                    let text = String::from_utf8_lossy(bytes);
                    if let Some(line) = text.lines().find(|line| line.contains(CANARY)) {
                        shown.push(format!("{arguments:?} on {place}: {line}"));
                    }
                }
                let _ = fs::remove_file(report);
            }
        }
    }
    let output = call(
        folder.path(),
        &["show", "good.yaml", "b", "--var", "db_password=canary-var"],
    )?;
    if !String::from_utf8_lossy(&output.stdout).contains('2') {
        shown.push(format!("show: {}", String::from_utf8_lossy(&output.stderr)));
    }
    if shown.is_empty() {
        return Ok(());
    }
    Err(shown.join("\n").into())
}

fn call(folder: &Path, arguments: &[&str]) -> Result<std::process::Output, Failed> {
    let mut command = command(folder);
    command.args(arguments).env("ENV_TOKEN", "canary-env");
    Ok(command.output()?)
}
