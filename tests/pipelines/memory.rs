//! DATAFUSION under a memory limit: what does not fit is spilled, and a limit in which nothing fits is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::case::laktory;

/// Rows of the input; with its text a row takes more than 60 bytes in memory.
const ROWS: u64 = 400_000;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("memory/a_sort_beyond_the_limit_spills", sorted_by_spilling),
        Trial::test("memory/a_limit_that_is_too_small_is_told", too_small),
    ]
}

fn pipeline(limit: &str) -> String {
    format!(
        "name: p
dataframe_backend: DATAFUSION
backend_settings:
  DATAFUSION: {{memory_limit: {limit}}}
nodes:
- name: a
  source: {{path: in.csv, format: CSV, infer_schema: true}}
  transformer:
    nodes:
    - {{func_name: sort, func_args: [key]}}
  sinks:
  - {{path: out.csv, format: CSV}}
"
    )
}

/// A row for each number, with keys in no order.
fn input(folder: &Path) -> Result<(), Failed> {
    let mut text = String::from("key,n\n");
    for n in 0..ROWS {
        let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "a key that is long enough {key:016x},{n}");
    }
    fs::write(folder.join("in.csv"), text)?;
    Ok(())
}

fn run(folder: &Path, limit: &str) -> Result<std::process::Output, Failed> {
    fs::write(folder.join("pipeline.yaml"), pipeline(limit))?;
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    Ok(laktory(folder, &arguments, &BTreeMap::new())?)
}

fn sorted_by_spilling() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    input(folder.path())?;
    // Below the size of the data, which can thus not be sorted in memory.
    let output = run(folder.path(), "20MB")?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = fs::read_to_string(folder.path().join("out.csv"))?;
    let keys: Vec<&str> = text.lines().skip(1).collect();
    if u64::try_from(keys.len())? != ROWS {
        return Err(format!("{} rows of {ROWS}", keys.len()).into());
    }
    if !keys.is_sorted() {
        return Err("the rows are not sorted".into());
    }
    Ok(())
}

fn too_small() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    input(folder.path())?;
    let output = run(folder.path(), "100kB")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(1) || !errors.contains("`memory_limit`") {
        return Err(format!("{:?}: {errors}", output.status).into());
    }
    if folder.path().join("out.csv").exists() {
        return Err("something was published".into());
    }
    Ok(())
}
