//! Delta tables: written by pipelines, read back by them, and read beside them by what the protocol says: the log names the
//! files that count. The embedded engines have them by our own format, Sail brings them along; the Spark of the tests does not.

mod others;
mod writers;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::case::{Engine, engines, rows};
use crate::tables::World;

/// A test on an engine that has Delta.
type Test = fn(&Engine) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 3] = [
        ("every_mode_leaves_what_it_says", modes),
        (
            "rows_with_failed_rules_go_to_a_table_of_their_own",
            quarantine,
        ),
        (
            "a_table_is_not_replaced_by_its_own_rows",
            replaced_by_itself,
        ),
    ];
    let modes = engines().into_iter().flat_map(|engine| {
        tests.map(|(name, test)| {
            let (path, own) = (format!("delta/{name}"), engine.clone());
            let trial = engine.trial(&path, move || test(&own));
            match engine.has_delta {
                true => trial,
                false => trial
                    .with_kind("no Delta on this server")
                    .with_ignored_flag(true),
            }
        })
    });
    modes
        .chain(others::trials())
        .chain(writers::trials())
        .collect()
}

/// Files that count after the last version of the log, and the number of versions.
pub(crate) fn live(table: &Path) -> Result<(Vec<PathBuf>, usize), Failed> {
    let log = table.join("_delta_log");
    let mut versions: Vec<PathBuf> = fs::read_dir(&log)
        .map_err(|error| format!("{}: {error}", log.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    versions.sort();
    let mut files = BTreeSet::new();
    for version in &versions {
        for line in fs::read_to_string(version)?.lines() {
            let action: Value = serde_json::from_str(line)?;
            if let Some(path) = action["add"]["path"].as_str() {
                files.insert(table.join(path));
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                files.remove(&table.join(path));
            }
        }
    }
    Ok((files.into_iter().collect(), versions.len()))
}

/// Whether a table is of a version, and its rows have these values of `x`, whoever reads it.
fn holds(world: &World<'_>, table: &str, versions: usize, expected: &[i64]) -> Result<(), Failed> {
    let (files, found) = live(&world.root().join(table))?;
    let mut values = Vec::new();
    for file in &files {
        values.extend(rows(file)?.iter().filter_map(|row| row["x"].as_i64()));
    }
    values.sort_unstable();
    if found != versions || values != expected {
        return Err(format!(
            "{table} has {found} versions and holds {values:?}, expected {versions} and {expected:?}"
        )
        .into());
    }
    let pipeline = format!(
        "name: read\nnodes:\n- name: read\n  source: {{path: {table}, format: DELTA}}\n  sinks: [{{path: read.jsonl, format: JSONL}}]\n"
    );
    world.pipeline("read.yaml", &pipeline)?;
    world.succeeds(&["run", "read.yaml", "-q"])?;
    let read = rows(&world.root().join("read.jsonl"))?;
    let mut values: Vec<i64> = read.iter().filter_map(|row| row["x"].as_i64()).collect();
    values.sort_unstable();
    match values == expected {
        true => Ok(()),
        false => Err(format!("{table} is read as {values:?}, expected {expected:?}").into()),
    }
}

const ONE: &str = "
name: one
nodes:
- name: a
  source: {data: ROWS}
  sinks: [{path: a.delta, format: DELTA, mode: MODE}]
";

fn modes(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, ONE)?;
    let as_mode = |mode: &str, rows: &str| {
        world.pipeline(
            "mode.yaml",
            &ONE.replace("MODE", mode).replace("ROWS", rows),
        )
    };
    let two = "[{x: 1, s: a}, {x: 2, s: null}]";
    for (mode, versions, expected) in [
        ("ERROR", 1, &[1, 2][..]),
        ("APPEND", 2, &[1, 1, 2, 2]),
        ("IGNORE", 2, &[1, 1, 2, 2]),
        ("OVERWRITE", 3, &[1, 2]),
    ] {
        as_mode(mode, two)?;
        world.succeeds(&["run", "mode.yaml", "-q"])?;
        holds(&world, "a.delta", versions, expected)?;
    }
    as_mode("ERROR", two)?;
    let place = match engine.is_remote {
        true => "mode.yaml:4:3: error: ",
        false => "mode.yaml:6:11: error: ",
    };
    world.fails(&["run", "mode.yaml"], place)?;
    holds(&world, "a.delta", 3, &[1, 2])?;
    // Columns that are new arrive; with other columns a table is written anew.
    as_mode("APPEND", "[{x: 3, s: c, y: 1.5}]")?;
    world.succeeds(&["run", "mode.yaml", "-q"])?;
    holds(&world, "a.delta", 4, &[1, 2, 3])?;
    as_mode("OVERWRITE", "[{x: 4, z: true}]")?;
    world.succeeds(&["run", "mode.yaml", "-q"])?;
    holds(&world, "a.delta", 5, &[4])?;
    // Old versions stay readable.
    world.pipeline(
        "old.yaml",
        "
name: old
nodes:
- name: old
  source: {path: a.delta, format: DELTA, reader_kwargs: {versionAsOf: 1}}
  transformer: {nodes: [{expr: 'SELECT COUNT(*) AS n FROM {df}'}]}
  sinks: [{path: old.jsonl, format: JSONL}]
",
    )?;
    world.succeeds(&["run", "old.yaml", "-q"])?;
    world.holds("old.jsonl", &[r#"{"n":4}"#])
}

const RULES: &str = "
name: rules
nodes:
- name: a
  source: {data: [{x: 1, day: d1}, {x: 2, day: d2}, {x: 30, day: d1}]}
  expectations: [{name: small, expr: x < 10, action: QUARANTINE}]
  sinks:
  - {path: good.delta, format: DELTA, mode: APPEND, writer_methods: [{name: partitionBy, args: [day]}]}
  - {path: bad.delta, format: DELTA, mode: APPEND, is_quarantine: true}
";

fn quarantine(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, RULES)?;
    for run in 1..=2 {
        world.succeeds(&["run", "pipeline.yaml", "-q"])?;
        let good = [vec![1; run], vec![2; run]].concat();
        holds(&world, "good.delta", run, &good)?;
        holds(&world, "bad.delta", run, &vec![30; run])?;
    }
    match world.root().join("good.delta/day=d1").is_dir() {
        true => Ok(()),
        false => Err("there are no folders of days".into()),
    }
}

fn replaced_by_itself(engine: &Engine) -> Result<(), Failed> {
    let first = ONE.replace("MODE", "OVERWRITE");
    let world = World::new(engine, &first.replace("ROWS", "[{x: 1}, {x: 2}]"))?;
    world.pipeline(
        "again.yaml",
        "
name: again
nodes:
- name: a
  source: {path: a.delta, format: DELTA}
  transformer: {nodes: [{expr: 'SELECT x + 1 AS x FROM {df}'}]}
  sinks: [{path: a.delta, format: DELTA}]
",
    )?;
    world.succeeds(&["run", "pipeline.yaml", "-q"])?;
    // A second run would begin with the result of the first.
    world.is_refused(&["run", "again.yaml", "-q"], "which it reads")?;
    holds(&world, "a.delta", 1, &[1, 2])
}
