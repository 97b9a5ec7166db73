//! Every writer option, in every mode, format and embedded engine: what was added is what each run wrote, one after the
//! other, and what was replaced is what the last run wrote. Read back by the command itself.

mod variants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::case::{Engine, engines, laktory};

use self::variants::Variant;
pub(crate) use self::variants::{SPARK, VARIANTS};

/// How a sink of a variant is called, its key of the mode, and the runs whose rows it holds after two.
pub(crate) type Sink = (&'static str, &'static str, &'static [usize]);

/// How a sink of a variant is called, its key of the mode, and the runs whose rows it holds after two.
pub(crate) const SINKS: &[Sink] = &[
    ("over", "", &[1]),
    ("add", ", mode: APPEND", &[0, 1]),
    ("first", ", mode: IGNORE", &[0]),
    ("parts/", ", mode: APPEND", &[0, 1]),
    ("whole/", ", mode: OVERWRITE", &[1]),
];

/// The formats whose options are tried.
pub(crate) const FORMATS: [&str; 7] = ["CSV", "JSONL", "JSON", "PARQUET", "IPC", "AVRO", "ORC"];

/// The rows of each run.
const RUNS: [&str; 2] = [
    r#"[{i: 1, f: 1.5, s: "plain", d: "2024-01-31"}, {i: null, f: null, s: "a;b,c\"d'e|f\tg", d: null}, {i: 3, f: 1234.5, s: "two\nlines", d: "2024-02-29"}]"#,
    r#"[{i: 4, f: 0.25, s: "über | all", d: "1999-12-31"}, {i: 5, f: -2.5, s: null, d: "2024-01-01"}]"#,
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![Trial::test("options/every_option_has_a_variant", complete)];
    for engine in engines().into_iter().filter(|engine| !engine.is_remote) {
        for format in FORMATS {
            let one = engine.clone();
            let name = format!("options/{}", format.to_lowercase());
            trials.push(engine.trial(&name, move || holds(&one, format)));
        }
    }
    trials
}

/// The options that an engine has for writing a format.
pub(crate) fn known(engine: &Engine, format: &str) -> Result<BTreeSet<&'static str>, Failed> {
    let registry = laktory::registry().map_err(|error| error.to_string())?;
    let backend = registry
        .get(engine.name)
        .map_err(|error| error.to_string())?;
    let format = laktory::core::Format::parse(format);
    let options = (backend.capabilities)().write(&format).options;
    Ok(options.iter().copied().collect())
}

pub(crate) fn names(options: &str) -> Vec<&str> {
    let pairs = options.split(", ").filter_map(|pair| pair.split_once(": "));
    pairs.map(|(name, _)| name).collect()
}

fn complete() -> Result<(), Failed> {
    for engine in engines().into_iter().filter(|engine| !engine.is_remote) {
        for format in FORMATS {
            let tried: BTreeSet<&str> = VARIANTS
                .iter()
                .filter(|(of, ..)| *of == format)
                .flat_map(|(_, options, ..)| names(options))
                .collect();
            let missing: Vec<&str> = known(&engine, format)?
                .difference(&tried)
                .copied()
                .collect();
            if !missing.is_empty() {
                return Err(format!("{} {format}: {missing:?}", engine.name).into());
            }
        }
    }
    Ok(())
}

fn holds(engine: &Engine, format: &str) -> Result<(), Failed> {
    let known = known(engine, format)?;
    let variants: Vec<&Variant> = VARIANTS
        .iter()
        .filter(|(of, options, ..)| {
            *of == format && names(options).iter().all(|name| known.contains(name))
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let mut each = Vec::new();
    for rows in RUNS {
        // What each run writes alone, in folders of its own.
        let alone = root.join(format!("alone{}", each.len()));
        fs::create_dir(&alone)?;
        command(&alone, engine, &writing(&variants, rows, &SINKS[..1]))?;
        each.push(alone);
        command(root, engine, &writing(&variants, rows, SINKS))?;
    }
    let mut faults = String::new();
    let mut alone = Vec::new();
    for folder in &each {
        alone.push(read(folder, engine, &variants, &SINKS[..1])?);
    }
    let found = read(root, engine, &variants, SINKS)?;
    for (number, (_, options, _, same)) in variants.iter().enumerate() {
        for (place, (sink, _, runs)) in SINKS.iter().enumerate() {
            let expected: Vec<&Value> = runs.iter().flat_map(|run| &alone[*run][number]).collect();
            let found: Vec<&Value> = found[number * SINKS.len() + place].iter().collect();
            if found != expected {
                let _ = writeln!(
                    faults,
                    "{{{options}}} {sink}: {found:?}, expected {expected:?}"
                );
            }
        }
        for (run, rows) in alone.iter().enumerate() {
            if rows[number].len() != 3 - run || *same && rows[number] != rows[0] {
                let _ = writeln!(faults, "{{{options}}} alone: {:?}", rows[number]);
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.into())
    }
}

/// A pipeline that writes rows to every sink of every variant.
fn writing(variants: &[&Variant], rows: &str, sinks: &[Sink]) -> String {
    let mut text = format!(
        "name: options
nodes:
- name: a
  source: {{data: {rows}}}
  transformer:
    nodes: [{{expr: \"SELECT i, f, s, CAST(d AS DATE) AS d, CAST(d AS TIMESTAMP) AS t FROM {{df}}\"}}]
  sinks:
"
    );
    for (number, (format, options, ..)) in variants.iter().enumerate() {
        for (sink, mode, _) in sinks {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  - {{path: out/{number}-{sink}, format: {format}{mode}, writer_kwargs: {{{options}}}}}"
            );
        }
    }
    text
}

/// The rows of every sink of every variant, in order.
fn read(
    root: &Path,
    engine: &Engine,
    variants: &[&Variant],
    sinks: &[Sink],
) -> Result<Vec<Vec<Value>>, Failed> {
    let mut text = String::from("name: read\nnodes:\n");
    let mut files = Vec::new();
    for (number, (format, _, options, _)) in variants.iter().enumerate() {
        for (sink, ..) in sinks {
            let file = format!("back/{}.jsonl", files.len());
            let _ = writeln!(
                text,
                "- {{name: n{}, source: {{path: out/{number}-{sink}, format: {format}, reader_kwargs: {{{options}}}}}, sinks: [{{path: {file}, format: JSONL}}]}}",
                files.len()
            );
            files.push(file);
        }
    }
    command(root, engine, &text)?;
    let lines = |file: &String| -> Result<Vec<Value>, Failed> {
        let text = fs::read_to_string(root.join(file))?;
        let rows: Result<_, _> = text.lines().map(serde_json::from_str).collect();
        Ok(rows?)
    };
    files.iter().map(lines).collect()
}

pub(crate) fn command(root: &Path, engine: &Engine, pipeline: &str) -> Result<(), Failed> {
    fs::write(root.join("pipeline.yaml"), pipeline)?;
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    let environment: BTreeMap<String, String> = engine.environment.clone();
    let output = laktory(root, &arguments, &environment)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}
