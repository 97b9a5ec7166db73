//! Runs side by side on one target: each waits for the other, and no row of either is lost. `LAKTORY_PAIRS` is the number of
//! pairs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use libtest_mimic::{Failed, Trial};

use crate::case::{laktory, litter, rows};
use crate::sizes::number;
use crate::start::run;

/// Pairs of runs, when nothing else is told.
const PAIRS: usize = 100;

const PIPELINE: &str = "
name: pairs
nodes:
- name: a
  source: {data: [{x: 1}, {x: 2}]}
  sinks:
  - {path: out/b.parquet, format: PARQUET, mode: APPEND}
  - {path: out/a.csv, format: CSV, mode: APPEND}
  - {path: out/c.jsonl, format: JSONL, mode: APPEND}
  - {path: out/d.json, format: JSON, mode: APPEND}
  - {path: out/e/, format: CSV, mode: APPEND}
  - {path: out/f/, format: CSV}
";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("pairs/runs_that_append_lose_nothing", appended),
        Trial::test("pairs/who_waits_too_long_is_told", told),
    ]
}

fn appended() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), PIPELINE)?;
    let pairs = number("LAKTORY_PAIRS", PAIRS)?;
    for _ in 0..pairs {
        let both = [run(root, Stdio::piped())?, run(root, Stdio::piped())?];
        for child in both {
            let output = child.wait_with_output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
        }
    }
    for (path, expected) in [
        ("out/b.parquet", 4 * pairs),
        ("out/a.csv", 4 * pairs),
        ("out/c.jsonl", 4 * pairs),
        ("out/d.json", 4 * pairs),
    ] {
        let found = rows(&root.join(path))?.len();
        if found != expected {
            return Err(format!("{path} has {found} rows, expected {expected}").into());
        }
    }
    for (path, expected) in [("out/e", 2 * pairs), ("out/f", 1)] {
        let found = fs::read_dir(root.join(path))?.count();
        if found != expected {
            return Err(format!("{path} has {found} files, expected {expected}").into());
        }
    }
    match litter(root) {
        Some(left) => Err(format!("left behind: {}", left.display()).into()),
        None => Ok(()),
    }
}

/// A run that is held up by another one says so, and gives up after its time.
fn told() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), PIPELINE)?;
    fs::create_dir(root.join("out"))?;
    let held = fs::File::create(root.join("out/.laktory-lock-a.csv"))?;
    held.lock()?;
    let arguments = ["run", "pipeline.yaml", "--lock-timeout", "300ms"].map(str::to_owned);
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    let text = String::from_utf8_lossy(&output.stderr);
    for part in [
        "waits for another run that writes the same target",
        "another run writes `out/a.csv`, and did not end within 300 ms",
    ] {
        if !text.contains(part) {
            return Err(format!("{part:?} is not in\n{text}").into());
        }
    }
    if output.status.code() != Some(1) || root.join("out/b.parquet").exists() {
        return Err(format!("exit {:?}\n{text}", output.status.code()).into());
    }
    drop(held);
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    match (output.status.success(), litter(root)) {
        (true, None) => Ok(()),
        (_, left) => Err(format!("{left:?} {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
