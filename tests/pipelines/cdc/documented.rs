//! The examples of the page about merges, run as they stand there.

use std::fs;

use libtest_mimic::Failed;
use serde_json::Value;

use super::run;
use crate::case::Engine;

const PAGE: &str = include_str!("../../../docs/cdc.md");
const CHANGES: &str = r#"{"id": 1, "name": "Ann", "changed_at": 10, "op": "I"}
{"id": 2, "name": "Bob", "changed_at": 10, "op": "I"}
{"id": 1, "name": "Anna", "changed_at": 20, "op": "U"}
{"id": 2, "name": "Bob", "changed_at": 30, "op": "D"}
"#;

/// The table of rows, and that of history, whose rows are in the page.
pub(super) fn page(engine: &Engine) -> Result<(), Failed> {
    let mut blocks = PAGE.split("```yaml\n").skip(1);
    let mut block = || {
        let block = blocks.next().and_then(|block| block.split("```").next());
        block.ok_or("the page has no such example")
    };
    let (rows, history) = (block()?, block()?);
    let (before, _) = rows
        .split_once("    merge_cdc_options:")
        .ok_or("no options")?;
    let found = merged(engine, rows)?;
    if found != [r#"{"id":1,"name":"Anna","changed_at":20}"#] {
        return Err(format!("rows: {found:#?}").into());
    }
    let told: Vec<String> = PAGE
        .lines()
        .filter(|line| line.starts_with("| 1 |") || line.starts_with("| 2 |"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let found: Vec<String> = merged(engine, &format!("{before}{history}"))?
        .iter()
        .map(|row| {
            let row: Value = serde_json::from_str(row)?;
            let values = row
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::values);
            let values = values.map(|value| value.to_string().replace('"', ""));
            Ok(values.collect::<Vec<_>>().join(" "))
        })
        .collect::<Result<_, Failed>>()?;
    match found == told {
        true => Ok(()),
        false => Err(format!("found {found:#?}, the page has {told:#?}").into()),
    }
}

/// The rows of the table behind a merge of the changes, in order.
fn merged(engine: &Engine, nodes: &str) -> Result<Vec<String>, Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::create_dir(root.join("changes"))?;
    fs::write(root.join("changes/all.jsonl"), CHANGES)?;
    fs::write(root.join("merge.yaml"), format!("name: merge\n{nodes}"))?;
    let read = "name: read\nnodes:\n- {name: read, source: {path: lake/customers, format: DELTA}, sinks: [{path: rows.jsonl, format: JSONL}]}\n";
    fs::write(root.join("read.yaml"), read)?;
    run(root, engine, &["run", "merge.yaml", "-q"])?;
    run(root, engine, &["run", "read.yaml", "-q"])?;
    let mut rows: Vec<String> = fs::read_to_string(root.join("rows.jsonl"))?
        .lines()
        .map(|line| Ok(serde_json::from_str::<Value>(line)?.to_string()))
        .collect::<Result<_, Failed>>()?;
    rows.sort_by_key(|row| row.replace("\"changed_at\":", ""));
    Ok(rows)
}
