//! The 22 queries of TPC-H at scale 0.1 as pipelines, on every engine, held to DuckDB's answers (`tpch/answers.py`).
//!
//! The tables are generated once and stay in the target folder; queries and pipelines are those of `examples/tpch`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::case::{Engine, engines, laktory, rows};

#[path = "../../xtask/src/tpch/data.rs"]
mod data;

const SCALE: f64 = 0.1;

/// Relative difference of numbers that are the same: sums in another order differ in their last digits.
const TOLERANCE: f64 = 1e-9;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for number in 1..=22 {
        for engine in engines() {
            let own = engine.clone();
            let path = format!("tpch/q{number:02}");
            trials.push(engine.trial(&path, move || query(&own, &format!("q{number:02}"))));
        }
    }
    trials
}

/// The folder with pipelines and tables.
fn prepared() -> Result<PathBuf, Failed> {
    static PREPARING: Mutex<()> = Mutex::new(());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tpch_{SCALE}"));
    let _one = PREPARING.lock().unwrap_or_else(PoisonError::into_inner);
    fs::create_dir_all(&folder)?;
    fs::copy(examples().join("data.yaml"), folder.join("data.yaml"))?;
    let command = Path::new(env!("CARGO_BIN_EXE_laktory-under-test"));
    data::prepare(&folder, SCALE, command)?;
    Ok(folder)
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tpch")
}

fn query(engine: &Engine, name: &str) -> Result<(), Failed> {
    let tables = prepared()?.join("data");
    let folder = tempfile::tempdir()?;
    let (root, file) = (folder.path(), format!("{name}.yaml"));
    // Tables are read where they are: other queries run beside this one.
    let pipeline = fs::read_to_string(examples().join(&file))?;
    let tables = tables.display().to_string();
    fs::write(
        root.join(&file),
        pipeline.replace("path: data/", &format!("path: {tables}/")),
    )?;
    fs::create_dir(root.join("sql"))?;
    let sql = format!("sql/{name}.sql");
    fs::copy(examples().join(&sql), root.join(&sql))?;
    let arguments = ["run", &file, "-q", "--backend", engine.name].map(str::to_owned);
    let output = laktory(root, &arguments, &engine.environment)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let answers = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tpch/{name}.csv"));
    let (expected, found) = (
        rows(&answers)?,
        rows(&root.join(format!("out/{name}.csv")))?,
    );
    if expected.is_empty() || expected.len() != found.len() {
        return Err(format!("{} rows, not {}", found.len(), expected.len()).into());
    }
    for (at, (expected, found)) in expected.iter().zip(&found).enumerate() {
        if !same_row(expected, found) {
            return Err(format!("row {at} is {found}, not {expected}").into());
        }
    }
    Ok(())
}

fn same_row(expected: &Value, found: &Value) -> bool {
    let (Some(expected), Some(found)) = (expected.as_object(), found.as_object()) else {
        return false;
    };
    let cell = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    expected.len() == found.len()
        && expected
            .iter()
            .zip(found)
            .all(|((name, expected), (other, found))| {
                name == other && same_cell(&cell(expected), &cell(found))
            })
}

fn same_cell(expected: &str, found: &str) -> bool {
    match (expected.parse::<f64>(), found.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        _ => expected == found,
    }
}
