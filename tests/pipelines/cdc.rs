//! Changes merged into tables: the table is a function of the set of changes, whatever their order, repetition and split into runs.
//! Many streams go through one table, each with a key of its own, so that a run is one batch of each of them.

mod documented;
mod oracle;

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::case::{Engine, engines, laktory};
use crate::random::Random;
use crate::sizes::number;
use oracle::{Event, Rules};

/// Streams in one table; more by `LAKTORY_CDC_STREAMS`.
const STREAMS: usize = 300;
/// Runs into which the streams are split.
const BATCHES: usize = 5;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 3] = [
        ("cdc/the_table_is_a_function_of_the_changes", law),
        ("cdc/the_page_is_right", documented::page),
        ("cdc/files_without_keys_of_the_batch_are_not_opened", pruned),
    ];
    let local = engines().into_iter().filter(|engine| !engine.is_remote);
    let of_engine = |engine: Engine| {
        tests.map(|(name, test)| {
            let own = engine.clone();
            Trial::test(engine.test_name(name), move || test(&own))
        })
    };
    local.flat_map(of_engine).collect()
}

/// A test on an engine.
type Test = fn(&Engine) -> Result<(), Failed>;

/// Each kind of merge, by the name of its table.
const TABLES: [(&str, Rules); 5] = [
    (
        "scd1",
        Rules {
            history: false,
            nulls_equal: true,
            ignore_nulls: false,
        },
    ),
    (
        "scd1_null",
        Rules {
            history: false,
            nulls_equal: false,
            ignore_nulls: false,
        },
    ),
    (
        "scd1_fill",
        Rules {
            history: false,
            nulls_equal: true,
            ignore_nulls: true,
        },
    ),
    (
        "scd2",
        Rules {
            history: true,
            nulls_equal: true,
            ignore_nulls: false,
        },
    ),
    (
        "scd2_null",
        Rules {
            history: true,
            nulls_equal: false,
            ignore_nulls: false,
        },
    ),
];

fn law(engine: &Engine) -> Result<(), Failed> {
    let streams = number("LAKTORY_CDC_STREAMS", STREAMS)?;
    let seed = number("LAKTORY_SEED", 1)?;
    let mut random = Random::new(seed);
    let events: Vec<Vec<Event>> = (0..streams)
        .map(|stream| drawn(&mut random, stream))
        .collect();
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("merge.yaml"), merges())?;
    fs::write(root.join("read.yaml"), reads())?;
    for (number, batch) in split(&mut random, &events).iter().enumerate() {
        let lines: Vec<String> = batch.iter().map(|event| event.row().to_string()).collect();
        fs::write(root.join("batch.jsonl"), lines.join("\n"))?;
        let report = run(
            root,
            engine,
            &["run", "merge.yaml", "-q", "--report", "report.json"],
        )
        .and_then(|()| Ok(fs::read_to_string(root.join("report.json"))?))?;
        let report: Value = serde_json::from_str(&report)?;
        closes(&report, batch.len(), number)?;
        if number == 0 {
            repeats(&report, batch)?;
        }
    }
    run(root, engine, &["run", "read.yaml", "-q"])?;
    for (table, rules) in TABLES {
        let mut found: Vec<String> = fs::read_to_string(root.join(format!("{table}.jsonl")))?
            .lines()
            .map(|line| Ok(serde_json::from_str::<Value>(line)?.to_string()))
            .collect::<Result<_, Failed>>()?;
        found.sort();
        let mut expected: Vec<String> = events
            .iter()
            .flat_map(|stream| oracle::rows(stream, rules))
            .map(|row| row.to_string())
            .collect();
        expected.sort();
        if found != expected {
            return Err(differs(table, &events, &found, &expected, seed).into());
        }
    }
    Ok(())
}

/// The first stream whose rows are others.
fn differs(
    table: &str,
    events: &[Vec<Event>],
    found: &[String],
    expected: &[String],
    seed: u64,
) -> String {
    for (stream, events) in events.iter().enumerate() {
        let of = |rows: &[String]| -> Vec<String> {
            let own = format!("{{\"s\":{stream},");
            rows.iter()
                .filter(|row| row.starts_with(&own))
                .cloned()
                .collect()
        };
        let (found, expected) = (of(found), of(expected));
        if found != expected {
            let events: Vec<String> = events.iter().map(|event| event.row().to_string()).collect();
            return format!(
                "{table}, LAKTORY_SEED={seed}, stream {stream}:\nevents\n  {}\nfound\n  {}\nexpected\n  {}",
                events.join("\n  "),
                found.join("\n  "),
                expected.join("\n  ")
            );
        }
    }
    format!("{table}: the rows differ in those of no stream")
}

fn drawn(random: &mut Random, stream: usize) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for _ in 0..1 + random.below(9) {
        let event = Event {
            stream,
            key: [Some(0), Some(1), None][random.below(3)],
            time: random.below(6),
            value: [Some(0), Some(1), None][random.below(3)],
            word: [Some("a"), Some("b"), None][random.below(3)],
            op: [Some("D"), Some("U"), None][random.below(3)],
        };
        events.push(event);
    }
    events
}

/// Each event in one batch or more, the last of which has all of them.
fn split(random: &mut Random, events: &[Vec<Event>]) -> Vec<Vec<Event>> {
    let mut batches = vec![Vec::new(); BATCHES];
    for event in events.iter().flatten() {
        for _ in 0..1 + random.one_in(3) + random.one_in(3) {
            let batch: &mut Vec<Event> = &mut batches[random.below(BATCHES)];
            let place = random.below(batch.len() + 1);
            batch.insert(place, event.clone());
        }
    }
    batches.push(events.iter().flatten().cloned().collect());
    batches
}

fn merges() -> String {
    let mut sinks = String::new();
    for (table, rules) in TABLES {
        let Rules {
            history,
            nulls_equal,
            ignore_nulls,
        } = rules;
        let kind = 1 + usize::from(history);
        // Some of the tables are partitioned, by a key that may be null.
        let by = match nulls_equal && !ignore_nulls {
            true => "writer_kwargs: {partitionBy: [k]}, ",
            false => "",
        };
        sinks.push_str(&format!(
            "\n  - {{path: {table}, format: DELTA, mode: MERGE, {by}merge_cdc_options: {{scd_type: {kind}, order_by: t, delete_where: op = 'D', exclude_columns: [op], null_equals_null: {nulls_equal}, ignore_null_updates: {ignore_nulls}}}}}"
        ));
    }
    format!(
        "name: merge
nodes:
- name: merge
  primary_keys: [s, k]
  source:
    path: batch.jsonl
    format: JSONL
    schema_definition: {{columns: {{s: int64, k: int64, t: int64, v: int64, w: string, op: string}}}}
  sinks:{sinks}
"
    )
}

fn reads() -> String {
    let nodes = TABLES.map(|(table, _)| {
        format!("\n- {{name: {table}, source: {{path: {table}, format: DELTA}}, sinks: [{{path: {table}.jsonl, format: JSONL}}]}}")
    });
    format!("name: read\nnodes:{}\n", nodes.concat())
}

fn run(root: &std::path::Path, engine: &Engine, arguments: &[&str]) -> Result<(), Failed> {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let output = laktory(root, &arguments, &engine.environment)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// That the report counts each change once, and that the batch which repeats all of them changes nothing.
fn closes(report: &Value, changes: usize, number: usize) -> Result<(), Failed> {
    for output in report["nodes"][0]["outputs"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let merge = &output["merge"];
        let count = |name: &str| merge[name].as_u64().unwrap_or(u64::MAX);
        let kinds = [
            "inserted",
            "updated",
            "deleted",
            "late",
            "repeated",
            "unchanged",
        ];
        let sum: u64 = kinds.iter().map(|name| count(name)).sum();
        let changed = count("inserted") + count("updated") + count("deleted");
        if sum != changes as u64 || (number == BATCHES && changed > 0) {
            return Err(format!("batch {number} of {changes} changes: {output}").into());
        }
    }
    match report["nodes"][0]["outputs"].as_array().map(Vec::len) {
        Some(outputs) if outputs == TABLES.len() => Ok(()),
        _ => Err(format!("the report is {}", json!(report)).into()),
    }
}

/// A file that is not there would be missed by whoever opens it.
fn pruned(engine: &Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let merge = |kind: usize, rows: &str| -> Result<(), Failed> {
        let text = format!(
            "name: p
nodes:
- name: a
  source: {{data: [{rows}]}}
  sinks: [{{path: t{kind}, format: DELTA, mode: MERGE, merge_cdc_options: {{scd_type: {kind}, primary_keys: [day, id], order_by: v}}}}]
"
        );
        fs::write(root.join("merge.yaml"), text)?;
        run(root, engine, &["run", "merge.yaml", "-q"])
    };
    for kind in [1, 2] {
        merge(kind, "{day: a, id: 1, v: 1}, {day: b, id: 9, v: 1}")?;
        let old: Vec<_> = fs::read_dir(root.join(format!("t{kind}")))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        merge(kind, "{day: a, id: 20, v: 1}, {day: a, id: 30, v: 1}")?;
        for file in old {
            fs::remove_file(file)?;
        }
        merge(kind, "{day: a, id: 20, v: 2}, {day: b, id: 40, v: 2}")?;
        if merge(kind, "{day: a, id: 5, v: 2}").is_ok() {
            return Err("a file was left out that may hold the key".into());
        }
    }
    Ok(())
}

/// That the first batch repeats what is in it more than once, of changes that nulls in keys do not tell apart.
fn repeats(report: &Value, batch: &[Event]) -> Result<(), Failed> {
    let distinct: BTreeSet<Event> = batch.iter().map(Event::bare).collect();
    let expected = batch.len() - distinct.len();
    for output in report["nodes"][0]["outputs"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let by_null = output["path"]
            .as_str()
            .is_some_and(|path| path.ends_with("_null"));
        if !by_null && output["merge"]["repeated"] != expected {
            return Err(format!("{expected} changes are repeated: {output}").into());
        }
    }
    Ok(())
}
