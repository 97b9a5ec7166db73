//! Parts equal the whole: nodes of random pipelines, run one by one in a random legal order, leave what one run of all of
//! them leaves, or are refused before anything is read.

mod generate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use laktory::{Execute as _, ExecuteError, Planning, Project, Surroundings};
use libtest_mimic::{Failed, Trial};

use self::generate::Pipeline;
use crate::case::on_local_engines;
use crate::random::Random;

/// How many pipelines are tried on each engine, and from which number on.
const COUNT_VARIABLE: &str = "LAKTORY_PARTS_PIPELINES";
const FIRST_VARIABLE: &str = "LAKTORY_PARTS_FIRST";
const COUNT: u64 = 30;

pub(crate) fn trials() -> Vec<Trial> {
    on_local_engines("parts/equal_the_whole", parts_equal_the_whole)
}

pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(default)
}

#[allow(
    clippy::print_stderr,
    reason = "the tally of a long run is read by people"
)]
fn parts_equal_the_whole(engine: &'static str, engines: &[&'static str]) -> Result<(), Failed> {
    let base = tempfile::tempdir()?;
    for nan in [false, true] {
        rows_of_every_type(engine, base.path(), nan)?;
    }
    let first = number(FIRST_VARIABLE, 0);
    let mut tally = Tally::default();
    let mut differences = Vec::new();
    for seed in first..first + number(COUNT_VARIABLE, COUNT) {
        let pipeline = Random::new(seed).pipeline(engine, engines);
        if let Err(difference) = compare(engine, base.path(), seed, &pipeline, &mut tally) {
            let text = pipeline.text("FOLDER", "BASE");
            differences.push(format!(
                "{FIRST_VARIABLE}={seed}: {}\n{text}",
                difference.message().unwrap_or_default()
            ));
            if differences.len() == 5 {
                break;
            }
        }
    }
    if std::env::var_os(COUNT_VARIABLE).is_some() {
        eprintln!("{engine}: {tally:?}");
    }
    if !differences.is_empty() {
        return Err(differences.join("\n\n").into());
    }
    if tally.parts == 0 || tally.refused > tally.parts {
        return Err(format!("too little was compared: {tally:?}").into());
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Tally {
    pipelines: u64,
    /// Nodes that were run alone, those that read what another run had written, and those that were refused.
    parts: u64,
    apart: u64,
    refused: u64,
    outputs: u64,
}

/// The file of the rows, with or without floats that are no numbers: JSON has no form of these.
fn base(nan: bool) -> &'static str {
    if nan { "nan.parquet" } else { "base.parquet" }
}

/// Rows of every type, with what tends to be lost on the way.
fn rows_of_every_type(engine: &str, folder: &Path, nan: bool) -> Result<(), Failed> {
    let texts = [
        "null",
        "\"\"",
        "\" padded \"",
        "\"NA\"",
        "\"a,b;c\"",
        "\"a \\\"quoted\\\" 'text'\"",
        "\"ü\"",
        "\"null\"",
        "\"1\"",
        "\"two\\nlines\"",
        "\"#\"",
        "\"a\\\\b\"",
    ];
    let floats = match nan {
        true => [
            "null",
            "\"1.5\"",
            "\"NaN\"",
            "\"inf\"",
            "\"-inf\"",
            "\"1e300\"",
            "\"3\"",
        ],
        false => [
            "null",
            "\"1.5\"",
            "\"0.1\"",
            "\"1e-7\"",
            "\"-0.1\"",
            "\"1e300\"",
            "\"3\"",
        ],
    };
    let mut lines = String::new();
    for row in 0..24_usize {
        let _ = writeln!(
            lines,
            "{{\"id\": {row}, \"k\": {}, \"i\": {}, \"f\": {}, \"s\": {}, \"b\": {}, \"d\": {}, \"t\": {}, \"m\": {}, \"l\": {}, \"r\": {}}}",
            ["1", "2", "3", "null"][row % 4],
            ["9007199254740993", "-1", "0", "null", "7"][row % 5],
            floats[row % floats.len()],
            texts[row % texts.len()],
            ["true", "false", "null"][row % 3],
            ["\"2024-02-29\"", "null", "\"1969-12-31\""][row % 3],
            [
                "\"2024-02-29 12:30:00.123456\"",
                "\"1969-12-31 23:59:59\"",
                "null",
                "\"2024-01-01 00:00:00\""
            ][row % 4],
            ["\"12.30\"", "null", "\"-0.01\""][row % 3],
            ["[1, 2]", "[]", "null", "[null]"][row % 4],
            [
                "{\"u\": 1, \"v\": \"x\"}",
                "{\"u\": null, \"v\": \"\"}",
                "null"
            ][row % 3],
        );
    }
    fs::write(folder.join("in.jsonl"), lines)?;
    let text = format!(
        "
name: base
nodes:
- name: base
  source: {{path: {0}/in.jsonl, format: JSONL}}
  transformer:
    nodes:
    - expr: >
        SELECT id, CAST(k AS INT) AS k, i, CAST(f AS DOUBLE) AS f, s, b, CAST(d AS DATE) AS d, CAST(t AS TIMESTAMP) AS t,
        CAST(m AS DECIMAL(12, 2)) AS m, l, r FROM {{df}}
  sinks: [{{path: {0}/{1}, format: PARQUET}}]
",
        folder.display(),
        base(nan)
    );
    execute(engine, &text, None)?.map_err(|error| error.to_string())?;
    Ok(())
}

type Executed = Result<laktory::Execution, ExecuteError>;

fn execute(engine: &str, text: &str, node: Option<&str>) -> Result<Executed, Failed> {
    let surroundings = Surroundings::default();
    let project = Project::parse("p.yaml", text.as_bytes(), &surroundings);
    let project = project.map_err(|faults| ExecuteError::from(faults).to_string())?;
    // Told beside a text, an engine wins over those of its nodes.
    let told = text.contains("dataframe_backend");
    let planning = Planning {
        selects: node.map(|node| vec![node.to_owned()]),
        backend: (!told).then(|| engine.to_owned()),
        ..Planning::default()
    };
    Ok(project.execute_with(&planning, laktory::exec::RunOptions::default(), &Quiet))
}

struct Quiet;

impl laktory::exec::Observer for Quiet {
    fn on(&self, _: &laktory::exec::Event) {}
}

/// Runs the pipeline whole in one folder and in parts in another, and compares what lies there.
fn compare(
    engine: &str,
    base: &Path,
    seed: u64,
    pipeline: &Pipeline,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    let base = base.join(self::base(pipeline.nan)).display().to_string();
    let text = |folder: &Path| pipeline.text(&folder.display().to_string(), &base);
    let mut random = Random::new(seed ^ 0x5EED);
    tally.pipelines += 1;
    let mut refused: BTreeSet<usize> = BTreeSet::new();
    // A second run finds what the first one left.
    for _ in 0..1 + random.one_in(3) {
        execute(engine, &text(&whole), None)?
            .map_err(|error| format!("the whole run fails: {error}"))?;
        for node in pipeline.order(&mut random) {
            let above = &pipeline.nodes[node].above;
            if above.iter().any(|above| refused.contains(above)) {
                refused.insert(node);
                continue;
            }
            if pipeline.nodes[node].sinks.is_empty() {
                continue;
            }
            tally.parts += 1;
            tally.apart += u64::from(!above.is_empty());
            match execute(engine, &text(&parts), Some(&format!("n{node}")))? {
                Ok(_) => {}
                Err(error) => {
                    let told = error.to_string();
                    if error.report.is_some() || !told.contains("--select '*") {
                        return Err(format!("node n{node} alone fails: {told}").into());
                    }
                    tally.refused += 1;
                    refused.insert(node);
                }
            }
        }
    }
    for (number, node) in pipeline.nodes.iter().enumerate() {
        if refused.contains(&number) {
            continue;
        }
        for sink in &node.sinks {
            let read = |folder: &Path| contents(engine, &folder.join(&sink.file), sink.format);
            let (expected, found) = (read(&whole)?, read(&parts)?);
            tally.outputs += 1;
            if expected != found {
                let differs = expected.iter().zip(&found).find(|(a, b)| a != b);
                return Err(format!(
                    "`{}` of node n{number} has {} rows in the whole run and {} in parts; the first difference: {differs:#?}",
                    sink.file,
                    expected.len(),
                    found.len()
                )
                .into());
            }
        }
    }
    Ok(())
}

/// The rows of a file, in no order; the types of its columns come first where it has them.
fn contents(engine: &str, path: &Path, format: &str) -> Result<Vec<String>, Failed> {
    if !path.exists() {
        return Ok(vec!["nothing".to_owned()]);
    }
    let bytes = fs::read(path)?;
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    if !matches!(format, "PARQUET" | "IPC") && !is_packed {
        let text = String::from_utf8(bytes)?;
        let mut lines: Vec<String> = match format {
            "JSON" => {
                let rows: Vec<serde_json::Value> = serde_json::from_str(&text)?;
                rows.iter().map(ToString::to_string).collect()
            }
            _ => text.lines().map(str::to_owned).collect(),
        };
        lines.sort();
        return Ok(lines);
    }
    let text = format!(
        "name: look\nnodes: [{{name: look, source: {{path: {}, format: {format}}}}}]",
        path.display()
    );
    let looked = execute(engine, &text, None)?.map_err(|error| error.to_string())?;
    let output = looked.nodes["look"]
        .output()
        .map_err(|error| error.to_string())?;
    let schema = output.schema().map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for batch in output.collect().map_err(|error| error.to_string())? {
        for row in 0..batch.num_rows() {
            rows.push(format!("{:?}", batch.slice(row, 1).columns()));
        }
    }
    rows.sort();
    rows.insert(0, format!("{schema:?}"));
    Ok(rows)
}
