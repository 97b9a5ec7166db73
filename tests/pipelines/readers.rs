//! What was written, as other programs see it: every option of every writer, in every mode and format, read back by
//! polars, pyarrow and duckdb, which have nothing of ours in them.

mod ask;
mod expected;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use self::ask::{PYTHON, ask};
use self::expected::Form;
use crate::case::{Engine, engines};
use crate::options::{FORMATS, SINKS, SPARK, Sink, VARIANTS, command, known, names};

const READERS: [&str; 3] = ["polars", "pyarrow", "duckdb"];

/// The rows of each run, as JSON lines. Numbers of rows are unique.
const RUNS: [&[&str]; 2] = [
    &[
        r#"{"i": 1, "f": 1.5, "s": "plain", "b": true, "d": "2024-01-31", "t": "2024-01-31 12:30:00", "m": "12.30", "l": [1, 2], "r": {"u": 1, "v": "x"}}"#,
        r#"{"i": 2, "f": null, "s": "a;b,c\"d'e|f\tg", "b": null, "d": null, "t": null, "m": null, "l": null, "r": null}"#,
        r#"{"i": 3, "f": 1234.5, "s": "two\nlines", "b": false, "d": "2024-02-29", "t": "2024-02-29 00:00:00", "m": "-0.01", "l": [], "r": {"u": null, "v": null}}"#,
        r#"{"i": 9007199254740993, "f": -0.1, "s": "", "b": true, "d": "1969-12-31", "t": "1969-12-31 23:59:59.123456", "m": "9999999999.99", "l": [null], "r": {"u": 9007199254740993, "v": ""}}"#,
        r#"{"i": 5, "f": 0.25, "s": null, "b": null, "d": null, "t": null, "m": null, "l": null, "r": null}"#,
        r#"{"i": 6, "f": 1e21, "s": " padded ", "b": false, "d": "2024-01-01", "t": "2024-01-01 01:02:03", "m": "0.00", "l": [3], "r": {"u": 1, "v": "a\"b"}}"#,
        r#"{"i": 7, "f": 123456789.125, "s": "NULL", "b": false, "d": "2024-01-01", "t": "2024-01-01 01:02:03", "m": "1.00", "l": [3], "r": {"u": 1, "v": "\n"}}"#,
    ],
    &[
        r#"{"i": -4, "f": 0.25, "s": "über|all 😀", "b": true, "d": "1999-12-31", "t": "1999-12-31 23:59:00", "m": "1.50", "l": [4], "r": {"u": 4, "v": "|"}}"#,
        r#"{"i": 8, "f": -2.5, "s": "back\\slash", "b": true, "d": "2024-01-01", "t": "2024-01-01 10:00:00.5", "m": "7.00", "l": [5], "r": {"u": 5, "v": "\\"}}"#,
        r#"{"i": 9, "f": 3.0, "s": "two\r\nlines, 'quoted' and \"quoted\"", "b": false, "d": "2024-01-01", "t": "2024-01-01 10:00:00", "m": "8.00", "l": [6], "r": {"u": 6, "v": "a #"}}"#,
        r#"{"i": 10, "f": 4.75, "s": "|", "b": null, "d": "2024-12-31", "t": "2024-12-31 10:00:00", "m": "9.10", "l": [7, null], "r": {"u": 7, "v": "\t"}}"#,
    ],
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in engines() {
        for format in FORMATS {
            if engine.is_remote && matches!(format, "AVRO" | "IPC" | "ORC") {
                continue;
            }
            let one = engine.clone();
            let name = format!("readers/{}", format.to_lowercase());
            let trial = engine.trial(&name, move || sweep(&one, format));
            trials.push(match std::env::var_os(PYTHON) {
                Some(_) => trial,
                None => trial
                    .with_kind("no independent readers: `cargo xtask test-all-backends` has them")
                    .with_ignored_flag(true),
            });
        }
    }
    trials
}

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    readings: u64,
    values: u64,
}

#[allow(clippy::print_stderr, reason = "the tally is read by people")]
fn sweep(engine: &Engine, format: &'static str) -> Result<(), Failed> {
    let known = known(engine, format)?;
    let all: Vec<(&str, &str)> = match engine.is_remote {
        true => SPARK.to_vec(),
        false => VARIANTS.iter().map(|one| (one.0, one.1)).collect(),
    };
    let variants: Vec<&str> = all
        .iter()
        .filter(|(of, options)| {
            *of == format && names(options).iter().all(|name| known.contains(name))
        })
        // None of the readers has these.
        .filter(|(of, options)| {
            let codecs = ["zstd", "bzip2", "xz"];
            *of != "AVRO" || !codecs.iter().any(|codec| options.ends_with(codec))
        })
        .map(|(_, options)| *options)
        .collect();
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let mut rows = Vec::new();
    for lines in RUNS {
        fs::write(root.join("in.jsonl"), lines.join("\n") + "\n")?;
        command(root, engine, &writing(root, format, &variants))?;
        let parsed: Result<Vec<Value>, _> = lines
            .iter()
            .map(|line| serde_json::from_str(line))
            .collect();
        rows.push(parsed?);
    }
    let mut tally = Tally::default();
    let mut faults = String::new();
    for (number, options) in variants.iter().enumerate() {
        // Spark writes decimals as numbers, the others as texts.
        let decimals = if engine.is_remote { "float" } else { "text" };
        let form = Form::new(format, options, decimals)?;
        let mut seen = 0;
        for (sink, _, runs) in sinks(format) {
            let expected: Vec<&Value> = runs.iter().flat_map(|run| &rows[*run]).collect();
            let files = files(&root.join(format!("out/{number}-{sink}")))?;
            tally.files += files.len() as u64;
            for reader in READERS {
                let place = format!("{{{options}}} {sink} by {reader}");
                match read(&form, reader, &files)? {
                    Read::Cannot => {}
                    Read::Failed(error) => {
                        seen += 1;
                        let _ = writeln!(faults, "{place}: {error}");
                    }
                    Read::Rows(found) => {
                        seen += 1;
                        tally.readings += 1;
                        let in_order = !engine.is_remote && files.len() == 1;
                        if let Err(error) = compare(&form, &expected, found, in_order, &mut tally) {
                            let _ = writeln!(faults, "{place}: {error}");
                        }
                    }
                }
            }
        }
        if seen == 0 {
            let _ = writeln!(faults, "{{{options}}}: no reader reads it");
        }
    }
    eprintln!(
        "{} {format}: {} variants, {tally:?}",
        engine.name,
        variants.len()
    );
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.into()),
    }
}

/// The sinks of a format. The writer of ORC gives up on one integer among eleven that is far larger than the others, as they are
/// in one file.
fn sinks(format: &str) -> impl Iterator<Item = &'static Sink> {
    let is_orc = format == "ORC";
    SINKS
        .iter()
        .filter(move |sink| !(is_orc && sink.0 == "add"))
}

/// A pipeline that writes the rows to every sink of every variant.
fn writing(root: &Path, format: &str, variants: &[&str]) -> String {
    let others = match format {
        "CSV" => ", CAST(t AS TIMESTAMP) AS t, CAST(m AS DECIMAL(12, 2)) AS m",
        // It is written without nested types and decimals, and has no form for the second before 1970.
        "ORC" => "",
        _ => ", CAST(t AS TIMESTAMP) AS t, CAST(m AS DECIMAL(12, 2)) AS m, l, r",
    };
    let mut text = format!(
        "name: readers
nodes:
- name: a
  source: {{path: {}/in.jsonl, format: JSONL}}
  transformer:
    nodes:
    - expr: >
        SELECT i, CAST(f AS DOUBLE) AS f, s, b, CAST(d AS DATE) AS d{others}
        FROM {{df}}
  sinks:
",
        root.display()
    );
    for (number, options) in variants.iter().enumerate() {
        for (sink, mode, _) in sinks(format) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  - {{path: {}/out/{number}-{sink}, format: {format}{mode}, writer_kwargs: {{{options}}}}}",
                root.display()
            );
        }
    }
    text
}

/// A file, or those of a folder that hold rows.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failed> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

enum Read {
    Rows(Vec<Vec<Value>>),
    Failed(String),
    /// The reader has no such thing.
    Cannot,
}

/// The rows of all files, as a reader sees them.
fn read(form: &Form, reader: &str, files: &[PathBuf]) -> Result<Read, Failed> {
    let requests: Vec<Value> = files
        .iter()
        .map(|file| form.request(reader, &file.display().to_string()))
        .collect();
    let names: Vec<&str> = form.columns().map(|column| column.name).collect();
    let mut rows = Vec::new();
    for answer in ask(&requests)? {
        if let Some(error) = answer.get("error") {
            return Ok(Read::Failed(error.to_string()));
        }
        if answer.get("cannot").is_some() {
            return Ok(Read::Cannot);
        }
        if answer["columns"] != serde_json::json!(names) {
            return Ok(Read::Failed(format!("columns {}", answer["columns"])));
        }
        for row in answer["rows"].as_array().into_iter().flatten() {
            rows.push(row.as_array().cloned().unwrap_or_default());
        }
    }
    Ok(Read::Rows(rows))
}

fn compare(
    form: &Form,
    expected: &[&Value],
    found: Vec<Vec<Value>>,
    in_order: bool,
    tally: &mut Tally,
) -> Result<(), String> {
    if expected.len() != found.len() {
        return Err(format!(
            "{} rows of {}: {found:?}",
            found.len(),
            expected.len()
        ));
    }
    let number = |row: &Vec<Value>| match &row[0] {
        Value::String(text) => text.clone(),
        other => other["number"].as_str().unwrap_or_default().to_owned(),
    };
    let numbers: Vec<String> = found.iter().map(number).collect();
    let wanted: Vec<String> = expected.iter().map(|row| row["i"].to_string()).collect();
    if in_order && numbers != wanted {
        return Err(format!("rows {numbers:?} of {wanted:?}"));
    }
    let by_number: BTreeMap<String, Vec<Value>> = numbers.into_iter().zip(found).collect();
    for row in expected {
        let Some(found) = by_number.get(&row["i"].to_string()) else {
            return Err(format!("no row {}", row["i"]));
        };
        for (column, found) in form.columns().zip(found) {
            tally.values += 1;
            let wanted = &row[column.name];
            if !form.is_same(column.kind, wanted, found) {
                return Err(format!("`{}` {wanted} is {found}", column.name));
            }
        }
    }
    Ok(())
}
