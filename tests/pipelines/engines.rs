//! What engines must agree on: one pipeline on each of them, and pipelines in which several of them work together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::case::{Engine, engines, laktory, rows, sorted};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in engines() {
        if engine.name == laktory::DEFAULT_BACKEND {
            continue;
        }
        let name = format!(
            "{}::engines/the_example_gives_the_rows_of_the_default",
            engine.name.to_lowercase()
        );
        trials.push(with(&engine.clone(), &name, move || same_example(&engine)));
    }
    let all = engines();
    let is_missing = all.iter().any(|engine| engine.is_missing);
    trials.push(
        Trial::test("engines/all_of_them_in_one_pipeline", mixed).with_ignored_flag(is_missing),
    );
    trials
}

/// A test that needs an engine.
fn with(
    engine: &Engine,
    name: &str,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::test(name, test).with_ignored_flag(engine.is_missing)
}

/// Runs the example of the README on an engine, and reads what it wrote.
fn example(engine: &Engine) -> Result<BTreeMap<&'static str, Vec<String>>, Failed> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/stock_prices");
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data/stock_prices");
    fs::create_dir_all(&data)?;
    fs::copy(
        example.join("pipeline.yaml"),
        folder.path().join("pipeline.yaml"),
    )?;
    for part in fs::read_dir(example.join("data/stock_prices"))? {
        let part = part?;
        fs::copy(part.path(), data.join(part.file_name()))?;
    }
    let arguments = ["run", "pipeline.yaml", "-q", "--backend", engine.name].map(str::to_owned);
    run(folder.path(), &arguments, &engine.environment)?;
    let read = |name: &'static str| -> Result<_, Failed> {
        let rows = rows(&folder.path().join(format!("data/{name}.parquet")))?;
        Ok((name, sorted(&rows, true)))
    };
    Ok(BTreeMap::from([
        read("brz_stock_prices")?,
        read("slv_stock_prices")?,
    ]))
}

fn same_example(engine: &Engine) -> Result<(), Failed> {
    let default = engines()
        .into_iter()
        .find(|engine| engine.name == laktory::DEFAULT_BACKEND)
        .ok_or("the default backend is not linked")?;
    let (expected, found) = (example(&default)?, example(engine)?);
    for (node, expected) in &expected {
        let found = &found[node];
        if expected.is_empty() {
            return Err(format!("`{node}` has no rows").into());
        }
        if found != expected {
            let first = expected.iter().zip(found).find(|(a, b)| a != b);
            return Err(format!(
                "`{node}` has {} rows and {} on {}; the first difference: {first:?}",
                expected.len(),
                found.len(),
                engine.name
            )
            .into());
        }
    }
    Ok(())
}

const MIXED: &str = "
name: mixed
nodes:
- name: prices
  dataframe_backend: POLARS
  source: {path: in.jsonl, format: JSONL}
  transformer:
    nodes:
    - expr: SELECT symbol, CAST(at AS TIMESTAMP) AS at, close FROM {df}
- name: daily
  dataframe_backend: PYSPARK
  source: {node_name: prices}
  transformer:
    nodes:
    - expr: SELECT symbol, CAST(at AS DATE) AS day, MAX(close) AS high, COUNT(*) AS n FROM {df} GROUP BY symbol, CAST(at AS DATE)
  expectations:
  - {name: plausible, expr: high < 1000, action: QUARANTINE}
  sinks:
  - {path: out/daily.parquet, format: PARQUET}
  - {path: out/bad.parquet, format: PARQUET, is_quarantine: true}
- name: symbols
  dataframe_backend: DATAFUSION
  source: {node_name: daily}
  transformer:
    nodes:
    - expr: SELECT symbol, SUM(n) AS n FROM {df} GROUP BY symbol
- name: joined
  dataframe_backend: PYSPARK
  source: {node_name: symbols}
  transformer:
    nodes:
    - func_name: join
      func_kwargs: {other: \"{nodes.prices}\", on: symbol}
    - func_name: with_columns
      func_kwargs: {share: nw.col('close') / nw.col('n')}
- name: report
  dataframe_backend: POLARS
  source: {node_name: joined}
  sinks:
  - {path: out/report.jsonl, format: JSONL}
";

/// Rows go from engine to engine and back, and the plan says where.
fn mixed() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), MIXED)?;
    fs::write(
        root.join("in.jsonl"),
        concat!(
            "{\"symbol\": \"A\", \"at\": \"2024-05-01 10:00:00\", \"close\": 1.5}\n",
            "{\"symbol\": \"A\", \"at\": \"2024-05-01 11:00:00\", \"close\": 2.5}\n",
            "{\"symbol\": \"A\", \"at\": \"2024-05-02 10:00:00\", \"close\": 4000.0}\n",
            "{\"symbol\": \"B\", \"at\": \"2024-05-02 10:00:00\", \"close\": 8.0}\n",
        ),
    )?;
    let environment = all_environments();
    let plan = run(
        root,
        &["plan", "pipeline.yaml"].map(str::to_owned),
        &environment,
    )?;
    let transfers = plan.matches("over Arrow from another engine").count();
    if transfers != 5 {
        return Err(format!("the plan shows {transfers} transfers, expected 5:\n{plan}").into());
    }
    run(
        root,
        &["run", "pipeline.yaml"].map(str::to_owned),
        &environment,
    )?;
    let expected = [
        (
            "daily.parquet",
            vec![
                r#"{"day":"2024-05-01","high":2.5,"n":2,"symbol":"A"}"#,
                r#"{"day":"2024-05-02","high":8.0,"n":1,"symbol":"B"}"#,
            ],
        ),
        (
            "bad.parquet",
            vec![r#"{"day":"2024-05-02","high":4000.0,"n":1,"symbol":"A"}"#],
        ),
        (
            "report.jsonl",
            vec![
                r#"{"at":"2024-05-01 10:00:00.000000","close":1.5,"n":2,"share":0.75,"symbol":"A"}"#,
                r#"{"at":"2024-05-01 11:00:00.000000","close":2.5,"n":2,"share":1.25,"symbol":"A"}"#,
                r#"{"at":"2024-05-02 10:00:00.000000","close":4000.0,"n":2,"share":2000.0,"symbol":"A"}"#,
                r#"{"at":"2024-05-02 10:00:00.000000","close":8.0,"n":1,"share":8.0,"symbol":"B"}"#,
            ],
        ),
    ];
    for (file, expected) in expected {
        let found = sorted(&rows(&root.join("out").join(file))?, true);
        if found != expected {
            return Err(format!("{file} holds {found:#?}, expected {expected:#?}").into());
        }
    }
    Ok(())
}

/// What the command needs to reach every engine.
fn all_environments() -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = engines()
        .into_iter()
        .flat_map(|engine| engine.environment)
        .collect();
    environment.remove("LAKTORY_DATAFRAME_BACKEND");
    environment
}

/// Runs the command; gives its standard output.
fn run(
    root: &Path,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<String, Failed> {
    let output = laktory(root, arguments, environment)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
