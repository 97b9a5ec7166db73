//! Runs that are killed: whatever the moment, the old output is whole or the new one is, and the next run succeeds.
//!
//! `LAKTORY_KILLS` is their number; a long hunt is `LAKTORY_KILLS=500`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::case::{laktory, litter};
use crate::sizes::number;
use crate::start::run;

/// Kills in all, spread over the time that a whole run takes, when nothing else is told.
const KILLS: u32 = 200;

const PIPELINE: &str = "
name: killed
nodes:
- name: brz
  source: {path: in, format: JSONL}
  sinks:
  - {path: out/brz.parquet, format: PARQUET}
  - {path: out/brz.csv, format: CSV}
  - {path: out/parts/, format: PARQUET}
- name: slv
  source: {node_name: brz}
  transformer:
    nodes:
    - expr: SELECT id, batch, id * 2 AS twice FROM {df}
  expectations:
  - {name: positive, expr: id >= 0, action: QUARANTINE}
  sinks:
  - {path: out/slv.parquet, format: PARQUET}
  - {path: out/bad.parquet, format: PARQUET, is_quarantine: true}
";

/// Rows of each input.
const ROWS: usize = 8_000;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("killed/old_outputs_survive_any_kill", killed_at_any_moment),
        Trial::test("killed/an_interrupt_leaves_nothing_torn", interrupted),
    ]
}

fn killed_at_any_moment() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), PIPELINE)?;
    write_input(root, 0)?;
    let began = Instant::now();
    run_whole(root, "pipeline.yaml")?;
    let whole = began.elapsed();
    fs::write(root.join("out/parts/.notes"), "of somebody")?;
    let kills = number("LAKTORY_KILLS", KILLS)?;
    for kill in 0..kills {
        // The input changes, so that old and new outputs differ.
        write_input(root, kill + 1)?;
        let mut child = run(root, Stdio::null())?;
        std::thread::sleep(whole * kill / kills);
        child.kill()?;
        child.wait()?;
        if kill % 10 == 0 {
            outputs_are_whole(root)?;
        }
        for file in [
            "out/brz.parquet",
            "out/slv.parquet",
            "out/bad.parquet",
            "out/brz.csv",
            "out/parts/.notes",
        ] {
            if fs::metadata(root.join(file)).is_err() {
                return Err(format!("{file} vanished at kill {kill}").into());
            }
        }
    }
    outputs_are_whole(root)?;
    run_whole(root, "pipeline.yaml")?;
    outputs_are_whole(root)?;
    match litter(root) {
        Some(left) => Err(format!("left behind after a whole run: {}", left.display()).into()),
        None => Ok(()),
    }
}

/// Every output holds all rows of one and the same input.
fn outputs_are_whole(root: &Path) -> Result<(), Failed> {
    let outputs = [
        ("brz.parquet", "PARQUET", ROWS),
        ("slv.parquet", "PARQUET", ROWS - 1),
        ("bad.parquet", "PARQUET", 1),
        ("brz.csv", "CSV", ROWS),
        ("parts", "PARQUET", ROWS),
    ];
    let mut pipeline = String::from("name: check\nnodes:\n");
    for (file, format, _) in outputs {
        // Writing to a String cannot fail.
        let _ = write!(
            pipeline,
            "- name: {file}
  source: {{path: out/{file}, format: {format}}}
  transformer:
    nodes:
    - expr: SELECT COUNT(*) AS n, MIN(batch) AS low, MAX(batch) AS high FROM {{df}}
  sinks:
  - {{path: check/{file}.jsonl, format: JSONL}}
"
        );
    }
    fs::write(root.join("check.yaml"), pipeline)?;
    run_whole(root, "check.yaml")?;
    for (file, _, expected) in outputs {
        let text = fs::read_to_string(root.join(format!("check/{file}.jsonl")))?;
        let found: serde_json::Value = serde_json::from_str(&text)?;
        if found["n"] != expected || found["low"] != found["high"] {
            return Err(
                format!("{file} holds {found}, expected {expected} rows of one batch").into(),
            );
        }
    }
    Ok(())
}

/// Ctrl-C ends a run with exit code 130, keeps the outputs, and cleans up.
fn interrupted() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), PIPELINE)?;
    write_input(root, 0)?;
    run_whole(root, "pipeline.yaml")?;
    write_input(root, 1)?;
    let mut seen = false;
    for delay in (0..40).map(|step| Duration::from_millis(10 * step)) {
        let mut child = run(root, Stdio::null())?;
        std::thread::sleep(delay);
        let signalled = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status()?;
        let status = child.wait()?;
        outputs_are_whole(root)?;
        if signalled.success() && status.code() == Some(130) {
            seen = true;
            if let Some(left) = litter(root) {
                return Err(format!("left behind by an interrupt: {}", left.display()).into());
            }
        }
    }
    if seen {
        Ok(())
    } else {
        Err("no interrupt met a running pipeline".into())
    }
}

fn run_whole(root: &Path, file: &str) -> Result<(), Failed> {
    let arguments = ["run", file, "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

fn write_input(root: &Path, batch: u32) -> std::io::Result<()> {
    let mut text = String::new();
    for row in 0..ROWS {
        let id = if row == 0 {
            -1
        } else {
            i64::try_from(row).unwrap_or(0)
        };
        let _ = writeln!(
            text,
            "{{\"id\": {id}, \"batch\": {batch}, \"text\": \"some text to write {row}\"}}"
        );
    }
    fs::create_dir_all(root.join("in"))?;
    fs::write(root.join("in/rows.jsonl"), text)
}
