//! Several writers of one table at once, and writers that are killed: every row that a run said to have written is there, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use super::live;
use super::others::{other, with_others};
use crate::case::{laktory, litter, rows};
use crate::sizes::number;
use crate::start::command;

/// Rows that each writer appends, one by one.
const APPENDS: usize = 20;
/// Runs that are killed.
const KILLS: u32 = 40;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("delta/two_writers_lose_nothing", || two_of_ours(APPEND)),
        with_others(Trial::test("delta/writers_of_others_lose_nothing", || {
            ours_and_others(APPEND)
        })),
        Trial::test("delta/killed_writers_leave_whole_versions", || {
            killed(APPEND)
        }),
        Trial::test("cdc/two_writers_lose_nothing", || two_of_ours(MERGE)),
        with_others(Trial::test("cdc/writers_of_others_lose_nothing", || {
            ours_and_others(MERGE)
        })),
        Trial::test("cdc/killed_writers_leave_whole_versions", || killed(MERGE)),
    ]
}

const APPEND: &str = "
name: append
nodes:
- name: append
  source: {data: [{x: 1}]}
  transformer: {nodes: [{expr: 'SELECT CAST(${vars.first} + x - 1 AS BIGINT) AS x FROM {df}'}]}
  sinks: [{path: table, format: DELTA, mode: APPEND}]
";

/// The same by merges, each of which reads the table and may be overtaken.
const MERGE: &str = "
name: append
nodes:
- name: append
  source: {data: [{x: 1}]}
  transformer: {nodes: [{expr: 'SELECT CAST(${vars.first} + x - 1 AS BIGINT) AS x FROM {df}'}]}
  sinks: [{path: table, format: DELTA, mode: MERGE, merge_cdc_options: {primary_keys: [x], order_by: x}}]
";

/// Runs that append the numbers from `first` on.
fn append(root: &Path, first: usize, count: usize) -> Result<(), String> {
    for number in first..first + count {
        let value = format!("first={number}");
        let arguments = ["run", "append.yaml", "-q", "--var", &value].map(str::to_owned);
        let output = laktory(root, &arguments, &BTreeMap::new())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}

/// The values of `x` in the files that count, which are read one by one.
fn values(root: &Path) -> Result<Vec<i64>, Failed> {
    let pipeline = "name: read\nnodes:\n- name: read\n  source: {path: table, format: DELTA}\n  sinks: [{path: read.jsonl, format: JSONL}]\n";
    fs::write(root.join("read.yaml"), pipeline)?;
    let arguments = ["run", "read.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut values: Vec<i64> = rows(&root.join("read.jsonl"))?
        .iter()
        .filter_map(|row| row["x"].as_i64())
        .collect();
    values.sort_unstable();
    Ok(values)
}

fn all_there(root: &Path, expected: usize) -> Result<(), Failed> {
    let expected: Vec<i64> = (0..i64::try_from(expected)?).collect();
    let found = values(root)?;
    if found != expected {
        return Err(format!(
            "the table holds {found:?}, expected 0 to {}",
            expected.len()
        )
        .into());
    }
    match litter(root) {
        Some(left) => Err(format!("left behind: {}", left.display()).into()),
        None => no_strangers(root),
    }
}

/// Every file in the folder of the table is named by its log.
fn no_strangers(root: &Path) -> Result<(), Failed> {
    let table = root.join("table");
    let (named, _) = live(&table)?;
    let there = fs::read_dir(&table)?.flatten().map(|entry| entry.path());
    let strangers: Vec<_> = there
        .filter(|path| path.is_file() && !named.contains(path))
        .collect();
    match strangers.is_empty() {
        true => Ok(()),
        false => Err(format!("the log does not name {strangers:?}").into()),
    }
}

fn two_of_ours(pipeline: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("append.yaml"), pipeline)?;
    let appends = number("LAKTORY_DELTA_APPENDS", APPENDS)?;
    std::thread::scope(|scope| {
        let writers = [0, appends].map(|first| scope.spawn(move || append(root, first, appends)));
        writers.into_iter().try_for_each(|writer| {
            writer
                .join()
                .unwrap_or_else(|_| Err("a writer panicked".to_owned()))
        })
    })?;
    all_there(root, 2 * appends)
}

fn ours_and_others(pipeline: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("append.yaml"), pipeline)?;
    let appends = number("LAKTORY_DELTA_APPENDS", APPENDS)?;
    append(root, 0, 1)?;
    let table = root.join("table");
    let (first, count) = (appends.to_string(), (10 * appends).to_string());
    let mut theirs = other(&["append", &table.to_string_lossy(), &first, &count])?
        .stdout(Stdio::null())
        .spawn()?;
    let ours = append(root, 1, appends - 1);
    let theirs = theirs.wait()?;
    ours?;
    if !theirs.success() {
        return Err("deltalake could not append".into());
    }
    all_there(root, 11 * appends)
}

fn killed(pipeline: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("append.yaml"), pipeline)?;
    let began = Instant::now();
    append(root, 0, 1)?;
    let whole = began.elapsed();
    let mut certain = BTreeSet::from([0]);
    let kills = number("LAKTORY_KILLS", KILLS)?;
    for kill in 1..=kills {
        let value = format!("first={kill}");
        let mut child = command(root)
            .args(["run", "append.yaml", "-q", "--var", &value])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // Most kills near the end, where something is committed.
        let part = 0.5 + 0.6 * f64::from(kill) / f64::from(kills);
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * part));
        child.kill()?;
        if child.wait()?.success() {
            certain.insert(i64::from(kill));
        }
        if kill % 10 == 0 {
            let found = values(root)?;
            let once: BTreeSet<i64> = found.iter().copied().collect();
            if once.len() != found.len() || !once.is_superset(&certain) {
                return Err(format!(
                    "at kill {kill} the table holds {found:?}, and should {certain:?}"
                )
                .into());
            }
        }
    }
    append(root, usize::try_from(kills)? + 1, 1)?;
    match litter(root) {
        Some(left) => Err(format!("left behind: {}", left.display()).into()),
        None => no_strangers(root),
    }
}
