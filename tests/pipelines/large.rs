//! Large pipelines: thousands of nodes are loaded, checked and run in a time that grows with their number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::case::{laktory, rows};

/// Bounds that only work which grows with the square of the nodes would break: fifteen seconds are usual in a build without
/// optimisations, many times that on a busy machine. The benchmark measures the real thing.
const CHECK: Duration = Duration::from_secs(600);
const RUN: Duration = Duration::from_secs(300);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("large/5000_nodes_are_validated", validated),
        Trial::test("large/faults_in_5000_nodes_are_told", faults),
        Trial::test("large/a_chain_of_300_nodes_runs", chain),
        Trial::test("large/300_nodes_side_by_side_run", wide),
    ]
}

/// Chains of ten nodes, each with a SQL step, a method step and an expectation.
fn pipeline(nodes: usize, column: &str) -> String {
    let mut text = String::from("name: large\nnodes:\n");
    for node in 0..nodes {
        let source = match node % 10 {
            0 => "data: [{x: 1, y: 2.5}]".to_owned(),
            _ => format!("node_name: node_{}", node - 1),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "- name: node_{node}
  source: {{{source}}}
  transformer:
    nodes:
    - expr: |
        SELECT {column}, y
        FROM {{df}}
    - func_name: with_columns
      func_kwargs: {{z: nw.col('x') + 1}}
  expectations:
  - {{name: positive, expr: x > 0, action: DROP}}
  sinks:
  - {{path: out/{node}.parquet, format: PARQUET}}
"
        );
    }
    text
}

fn validated() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("pipeline.yaml"), pipeline(5_000, "x"))?;
    within(
        CHECK,
        folder.path(),
        &["validate", "pipeline.yaml", "--offline"],
        0,
    )?;
    within(CHECK, folder.path(), &["validate", "pipeline.yaml"], 0)?;
    within(
        CHECK,
        folder.path(),
        &["plan", "pipeline.yaml", "--select", "*node_4999"],
        0,
    )?;
    if folder.path().join("out").exists() {
        return Err("validation wrote something".into());
    }
    Ok(())
}

/// The first node of each chain is at fault; those behind it are not blamed.
fn faults() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("pipeline.yaml"),
        pipeline(5_000, "nowhere"),
    )?;
    let text = within(CHECK, folder.path(), &["validate", "pipeline.yaml"], 2)?;
    let lines: Vec<&str> = text.lines().collect();
    let first = "pipeline.yaml:8:16: error: there is no column `nowhere` (nodes[0] `node_0`";
    // A hundred are told, the rest counted.
    let rest = lines.last().is_some_and(|line| line.contains("400 more"));
    if lines.len() != 101 || !lines[0].starts_with(first) || !rest {
        return Err(format!("{} errors, the first is {:?}", lines.len(), lines.first()).into());
    }
    Ok(())
}

fn chain() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut text = String::from("name: chain\nnodes:\n");
    for node in 0..300 {
        let source = match node {
            0 => "data: [{x: 0}]".to_owned(),
            _ => format!("node_name: n{}", node - 1),
        };
        let sinks = if node % 100 == 99 {
            format!("\n  sinks: [{{path: out/{node}.parquet, format: PARQUET}}]")
        } else {
            String::new()
        };
        let _ = write!(
            text,
            "- name: n{node}\n  source: {{{source}}}\n  transformer: {{nodes: [{{expr: \"SELECT x + 1 AS x FROM {{df}}\"}}]}}{sinks}\n"
        );
    }
    fs::write(folder.path().join("pipeline.yaml"), text)?;
    within(RUN, folder.path(), &["run", "pipeline.yaml", "-q"], 0)?;
    let rows = rows(&folder.path().join("out/299.parquet"))?;
    match rows.as_slice() {
        [row] if row["x"] == 300 => Ok(()),
        _ => Err(format!("the last node of the chain holds {rows:?}").into()),
    }
}

fn wide() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut text = String::from("name: wide\nnodes:\n- {name: first, source: {data: [{x: 1}]}}\n");
    for node in 0..300 {
        let _ = writeln!(
            text,
            "- {{name: n{node}, source: {{node_name: first}}, sinks: [{{path: out/{node}.csv, format: CSV}}]}}"
        );
    }
    fs::write(folder.path().join("pipeline.yaml"), text)?;
    within(
        RUN,
        folder.path(),
        &["run", "pipeline.yaml", "-q", "--jobs", "8"],
        0,
    )?;
    let written = fs::read_dir(folder.path().join("out"))?.count();
    if written != 300 {
        return Err(format!("{written} files were written").into());
    }
    Ok(())
}

/// Runs the command; gives its standard error.
fn within(bound: Duration, root: &Path, arguments: &[&str], exit: i32) -> Result<String, Failed> {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let began = Instant::now();
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    let took = began.elapsed();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() != Some(exit) {
        return Err(format!("{arguments:?} ended with {}: {text}", output.status).into());
    }
    if took > bound {
        return Err(format!("{arguments:?} took {took:?}, more than {bound:?}").into());
    }
    Ok(text)
}
