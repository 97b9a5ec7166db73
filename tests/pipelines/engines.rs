//! What engines must agree on: one pipeline on each of them, and pipelines in which several of them work together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::case::{Engine, engines, laktory, rows, sorted};
use crate::start::command;
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in engines() {
        if engine.name == laktory::DEFAULT_BACKEND {
            continue;
        }
        let (path, own) = (
            "engines/the_example_gives_the_rows_of_the_default",
            engine.clone(),
        );
        trials.push(engine.trial(path, move || same_example(&own)));
    }
    for engine in engines().into_iter().filter(|engine| engine.is_remote) {
        let own = engine.clone();
        let path = "engines/many_rows_of_every_type_come_back";
        trials.push(engine.trial(path, move || there_and_back(&own)));
    }
    let all = engines();
    let is_missing = all.iter().any(|engine| engine.is_missing);
    trials.push(
        Trial::test("engines/all_of_them_in_one_pipeline", mixed).with_ignored_flag(is_missing),
    );
    let spark = std::env::var("LAKTORY_SPARK_HOME").ok();
    for engine in all.into_iter().filter(|engine| engine.is_remote) {
        let with_token = engine
            .environment
            .values()
            .any(|value| value.contains("token="));
        let (own, home) = (engine.clone(), spark.clone().unwrap_or_default());
        trials.push(
            Trial::test("engines/a_wrong_token_is_told", move || {
                wrong_token(&engine)
            })
            .with_ignored_flag(!with_token),
        );
        trials.push(
            Trial::test(
                "engines/a_server_of_ones_own_starts_stops_and_may_be_killed",
                move || own_server(&own, &home),
            )
            .with_ignored_flag(spark.is_none()),
        );
    }
    trials
}

/// Another token than that of the server.
fn wrong_token(engine: &Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("pipeline.yaml"), ROW)?;
    let mut environment = engine.environment.clone();
    for value in environment.values_mut() {
        *value = value.replace("token=", "token=not-");
    }
    let arguments = ["run", "pipeline.yaml"].map(str::to_owned);
    let output = laktory(folder.path(), &arguments, &environment)?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(2) && text.contains("does not accept the token") {
        return Ok(());
    }
    Err(format!("{}: {text}", output.status).into())
}

const ROW: &str = "
name: row
nodes:
- {name: a, source: {data: [{x: 1}]}, sinks: [{path: out/a.parquet, format: PARQUET}]}
";

const SLOW: &str = "
name: slow
nodes:
- name: a
  source: {data: [{x: 1}]}
  transformer:
    nodes:
    - expr: SELECT SUM(a.id % 7 * b.id) AS s FROM range(1000000) AS a CROSS JOIN range(1000000) AS b CROSS JOIN {df}
  sinks: [{path: out/slow.parquet, format: PARQUET}]
";

/// Without a server's name the command starts the Spark that is installed, and stops it. When that is killed in the middle
/// of a run, the run says so, and the next one works.
fn own_server(engine: &Engine, home: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), ROW)?;
    fs::write(root.join("slow.yaml"), SLOW)?;
    let environment = BTreeMap::from([
        ("SPARK_HOME".to_owned(), home.to_owned()),
        (
            "LAKTORY_DATAFRAME_BACKEND".to_owned(),
            engine.name.to_owned(),
        ),
    ]);
    let log = fs::File::create(root.join("log"))?;
    let mut running = command(root)
        .args(["run", "slow.yaml", "--error-format", "short"])
        .envs(&environment)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?;
    let started = Instant::now();
    let text = || fs::read_to_string(root.join("log")).unwrap_or_default();
    while !text().contains("Writing static df") && running.try_wait()?.is_none() {
        if started.elapsed() > Duration::from_secs(180) {
            running.kill()?;
            return Err(format!("the run does not get to its sink: {}", text()).into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let servers = descendants(running.id(), "java");
    for server in &servers {
        Command::new("kill").args(["-KILL", server]).status()?;
    }
    let status = running.wait()?;
    let lost = "slow.yaml:4:3: error: the connection to the Spark server `127.0.0.1:";
    if servers.len() != 1 || status.code() != Some(1) || !text().contains(lost) {
        return Err(format!("{} servers, {status}: {}", servers.len(), text()).into());
    }
    run(
        root,
        &["run", "pipeline.yaml"].map(str::to_owned),
        &environment,
    )?;
    let found = sorted(&rows(&root.join("out/a.parquet"))?, true);
    if found != [r#"{"x":1}"#] {
        return Err(format!("the run after it gives {found:?}").into());
    }
    Ok(())
}

/// The processes below one that have a name.
fn descendants(process: u32, name: &str) -> Vec<String> {
    let read = |file: String| fs::read_to_string(file).unwrap_or_default();
    let mut found = Vec::new();
    let mut open = vec![process.to_string()];
    while let Some(process) = open.pop() {
        // A process has children of each of its threads.
        for thread in fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children = read(thread.path().join("children").display().to_string());
            open.extend(children.split_whitespace().map(str::to_owned));
        }
        if read(format!("/proc/{process}/comm")).trim() == name {
            found.push(process);
        }
    }
    found
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
                r#"{"at":"2024-05-01T10:00:00","close":1.5,"n":2,"share":0.75,"symbol":"A"}"#,
                r#"{"at":"2024-05-01T11:00:00","close":2.5,"n":2,"share":1.25,"symbol":"A"}"#,
                r#"{"at":"2024-05-02T10:00:00","close":4000.0,"n":2,"share":2000.0,"symbol":"A"}"#,
                r#"{"at":"2024-05-02T10:00:00","close":8.0,"n":1,"share":8.0,"symbol":"B"}"#,
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

const THERE_AND_BACK: &str = "
name: there_and_back
nodes:
- name: first
  source: {path: in.jsonl, format: JSONL}
  transformer:
    nodes:
    - expr: >
        SELECT CASE WHEN n % 7 = 0 THEN NULL ELSE n END AS i, CAST(n % 100 AS SMALLINT) AS small, n / 7.0 AS f,
        CAST(n AS REAL) AS r, CASE WHEN n % 5 = 0 THEN NULL ELSE s END AS s, n % 2 = 0 AS b, CAST('2024-02-29' AS DATE) AS d,
        CAST(n * 0.01 AS DECIMAL(12, 2)) AS money FROM {df}
    - func_name: with_columns
      func_kwargs:
        local: nw.col('i').cast(nw.Datetime('us'))
        zoned: nw.col('i').cast(nw.Datetime('us', 'Europe/Zurich'))
        length: nw.col('i').cast(nw.Duration('us'))
        record: nw.struct(nw.col('i'), nw.col('s'))
        items: nw.list(nw.col('i'), nw.col('small').cast(nw.Int64))
        nothing: nw.lit(None)
  sinks: [{path: first.parquet, format: PARQUET}]
- name: there
  dataframe_backend: ENGINE
  source: {node_name: first}
  transformer: {nodes: [{func_name: with_columns, func_kwargs: {one: nw.lit(1)}}]}
- name: back
  source: {node_name: there}
  transformer: {nodes: [{func_name: drop, func_args: [one]}]}
  sinks: [{path: back.parquet, format: PARQUET}]
";

/// Rows that are too many for a plan arrive as they were sent.
fn there_and_back(engine: &Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let pipeline = THERE_AND_BACK.replace("ENGINE", engine.name);
    fs::write(root.join("pipeline.yaml"), pipeline)?;
    let line =
        |number: usize| format!("{{\"n\": {number}, \"s\": \"the text of number {number}\"}}\n");
    let lines: String = (0..20_000).map(line).collect();
    fs::write(root.join("in.jsonl"), lines)?;
    run(
        root,
        &["run", "pipeline.yaml", "-q"].map(str::to_owned),
        &all_environments(),
    )?;
    let sent = sorted(&rows(&root.join("first.parquet"))?, true);
    let found = sorted(&rows(&root.join("back.parquet"))?, true);
    if sent.len() != 20_000 || sent != found {
        let first = sent.iter().zip(&found).find(|(sent, found)| sent != found);
        return Err(format!(
            "{} rows were sent and {} came back; the first difference: {first:?}",
            sent.len(),
            found.len()
        )
        .into());
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
