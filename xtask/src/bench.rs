//! Benchmarks as whole processes: the stock prices pipeline beside the same work written by hand, and start-up times.
//!
//! Prints the tables of `docs/benchmarks.md`. Times are medians; the commands compared take turns, so that a machine
//! that slows down slows down both.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::{Options, cargo, gen_data, protoc, spark_bench, tpch};

/// Rows of the large run when none are given.
const ROWS: u64 = 2_000_000;

/// One measured process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    wall: Duration,
    cpu: Duration,
    /// Peak resident memory in bytes.
    peak: u64,
}

/// The medians of several runs of one command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Medians {
    pub(crate) wall: f64,
    cpu: f64,
    pub(crate) peak_mb: f64,
}

/// Runs every benchmark.
///
/// # Errors
/// When something cannot be built or run.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    if let Some(protoc) = protoc::path()? {
        cargo::set_variable("PROTOC", &protoc.display().to_string());
    }
    match options.get("suite") {
        None => {}
        Some("tpch") => return tpch::run(options),
        Some("spark") => {
            let binaries = binaries(options.get("profile").unwrap_or("release"))?;
            return spark_bench::run(options, &binaries.join("laktory"));
        }
        Some(other) => return Err(format!("there is no suite `{other}`; suites: tpch, spark")),
    }
    let rows = options.number("rows", ROWS)?;
    let runs = usize::try_from(options.number("runs", 5)?.max(1)).unwrap_or(5);
    let build = [
        "build",
        "--release",
        "-p",
        "laktory-cli",
        "-p",
        "laktory-baseline",
    ];
    if !cargo::stream(&build, |_| {})? {
        return Err("the release build failed".to_owned());
    }
    let binaries = cargo::target()?.join("release");
    let laktory = binaries.join("laktory");
    let work = cargo::target()?.join("bench");
    println!("\nbinary: {:.1} MB\n", megabytes(&laktory)?);
    println!(
        "{}",
        mission(&laktory, &binaries.join("baseline"), &work, rows, runs)?
    );
    println!("{}", startup(&laktory, &work, runs.max(11))?);
    println!("{}", validation(&laktory, &work, runs)?);
    Ok(())
}

/// Builds all programs with every engine; the folder with them.
pub(crate) fn binaries(profile: &str) -> Result<PathBuf, String> {
    // Another selection of packages would have the engines built anew.
    let arguments = [
        "build",
        "--workspace",
        "--bins",
        "--features",
        "laktory-baseline/sql",
        "--profile",
        profile,
    ];
    if !cargo::stream(&arguments, |_| {})? {
        return Err(format!("the {profile} build failed"));
    }
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(cargo::target()?.join(folder))
}

/// The mission's pipeline over many rows, beside the hand-written program.
fn mission(
    laktory: &Path,
    baseline: &Path,
    work: &Path,
    rows: u64,
    runs: usize,
) -> Result<String, String> {
    let folder = prepared(work, rows)?;
    let folder_text = folder.display().to_string();
    let ours = ["run", "-q", "-C", &folder_text, "pipeline.yaml"];
    let by_hand = [folder_text.as_str()];
    let mut samples = (Vec::new(), Vec::new());
    for round in 0..=runs {
        let first = measure(laktory, &ours)?;
        let second = measure(baseline, &by_hand)?;
        // The first round warms the file cache and is not counted.
        if round > 0 {
            samples.0.push(first);
            samples.1.push(second);
        }
    }
    same_rows(laktory, &folder)?;
    let (ours, by_hand) = (medians(&samples.0), medians(&samples.1));
    let mut text = format!("### Stock prices, {rows} rows, {runs} runs\n\n");
    text.push_str("| program | wall s | CPU s | peak MB |\n|---|---|---|---|\n");
    for (name, medians) in [("`laktory run`", ours), ("by hand on polars", by_hand)] {
        let _ = writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:.0} |",
            medians.wall, medians.cpu, medians.peak_mb
        );
    }
    let _ = writeln!(
        text,
        "| ratio | {:.2} | {:.2} | {:.2} |",
        ours.wall / by_hand.wall,
        ours.cpu / by_hand.cpu,
        ours.peak_mb / by_hand.peak_mb
    );
    Ok(text)
}

/// A folder with the pipeline and `rows` generated rows; kept for the next time.
fn prepared(work: &Path, rows: u64) -> Result<PathBuf, String> {
    let folder = work.join(format!("stock_prices_{rows}"));
    let data = folder.join("data/stock_prices");
    if !data.exists() {
        let out = data.display().to_string();
        let rows = rows.to_string();
        let options = ["--rows", &rows, "--out", &out, "--files", "4"].map(str::to_owned);
        gen_data::run(&Options::parse(&options, &["rows", "out", "files"])?)?;
    }
    let pipeline = cargo::root().join("examples/stock_prices/pipeline.yaml");
    fs::copy(pipeline, folder.join("pipeline.yaml")).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Both programs must have done the same work.
fn same_rows(laktory: &Path, folder: &Path) -> Result<(), String> {
    let count = |file: &str| -> Result<String, String> {
        let pipeline = format!(
            "name: count\nnodes:\n- name: count\n  source: {{path: data/{file}, format: PARQUET}}\n  transformer:\n    nodes:\n    - expr: SELECT COUNT(*) AS n, SUM(close) AS s, MIN(created_at) AS t FROM {{df}}\n"
        );
        fs::write(folder.join("count.yaml"), pipeline).map_err(|error| error.to_string())?;
        let output = Command::new(laktory)
            .args(["show", "count.yaml", "count"])
            .current_dir(folder)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // Sums in another order differ in their last digits: the count and the time decide.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .take(200)
            .collect())
    };
    let (ours, by_hand) = (
        count("slv_stock_prices.parquet")?,
        count("slv_by_hand.parquet")?,
    );
    let head = |text: &str| text.split('┆').take(4).collect::<Vec<_>>().join(" ");
    if head(&ours) == head(&by_hand) {
        Ok(())
    } else {
        Err(format!("the results differ:\n{ours}\n{by_hand}"))
    }
}

/// Start-up of the process, and of a small pipeline.
fn startup(laktory: &Path, work: &Path, runs: usize) -> Result<String, String> {
    let folder = prepared(work, 80)?;
    let folder = folder.display().to_string();
    fs::write(work.join("empty.yaml"), "name: empty\nnodes: []\n")
        .map_err(|error| error.to_string())?;
    let empty = work.join("empty.yaml").display().to_string();
    let commands: [(&str, Vec<&str>); 3] = [
        ("`laktory --version`", vec!["--version"]),
        ("empty pipeline", vec!["run", "-q", &empty]),
        (
            "stock prices, 80 rows",
            vec!["run", "-q", "-C", &folder, "pipeline.yaml"],
        ),
    ];
    let mut text = format!(
        "### Start-up, {runs} runs\n\n| command | wall ms | CPU ms | peak MB |\n|---|---|---|---|\n"
    );
    for (name, arguments) in commands {
        let medians = repeated(laktory, &arguments, runs)?;
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.0} | {:.0} |",
            medians.wall * 1e3,
            medians.cpu * 1e3,
            medians.peak_mb
        );
    }
    Ok(text)
}

/// Validation of large files.
fn validation(laktory: &Path, work: &Path, runs: usize) -> Result<String, String> {
    let mut text = String::from(
        "### `laktory validate`\n\n| nodes | depth | wall s | CPU s | peak MB |\n|---|---|---|---|---|\n",
    );
    fs::write(work.join("in.csv"), "x,y\n1,a\n").map_err(|error| error.to_string())?;
    let folder = work.display().to_string();
    for nodes in [1_000, 10_000] {
        let file = format!("nodes_{nodes}.yaml");
        fs::write(work.join(&file), large_pipeline(nodes)).map_err(|error| error.to_string())?;
        for (depth, more) in [("file", Some("--offline")), ("file and schemas", None)] {
            let mut arguments = vec!["validate", "-q", "-C", &folder, &file];
            arguments.extend(more);
            let medians = repeated(laktory, &arguments, runs)?;
            let _ = writeln!(
                text,
                "| {nodes} | {depth} | {:.3} | {:.3} | {:.0} |",
                medians.wall, medians.cpu, medians.peak_mb
            );
        }
    }
    Ok(text)
}

/// A pipeline of chains of ten nodes, each with SQL, a method and an expectation.
fn large_pipeline(nodes: u32) -> String {
    let mut text = String::from("name: large\nnodes:\n");
    for node in 0..nodes {
        let source = if node % 10 == 0 {
            "{path: in.csv, format: CSV, infer_schema: true}".to_owned()
        } else {
            format!("{{node_name: n{}}}", node - 1)
        };
        let _ = write!(
            text,
            "- name: n{node}\n  source: {source}\n  transformer:\n    nodes:\n    - expr: SELECT x, y FROM {{df}} WHERE x > 0\n    - func_name: with_columns\n      func_kwargs: {{z: \"nw.col('x') + 1\"}}\n  expectations:\n  - {{name: positive, expr: x > 0}}\n  sinks:\n  - {{path: out/n{node}.parquet, format: PARQUET}}\n"
        );
    }
    text
}

fn repeated(program: &Path, arguments: &[&str], runs: usize) -> Result<Medians, String> {
    measure(program, arguments)?;
    let samples = (0..runs)
        .map(|_| measure(program, arguments))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(medians(&samples))
}

pub(crate) fn measure(program: &Path, arguments: &[&str]) -> Result<Sample, String> {
    let shown = || format!("{} {}", program.display(), arguments.join(" "));
    let began = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", shown()))?;
    let used = child
        .wait4()
        .map_err(|error| format!("{}: {error}", shown()))?;
    let wall = began.elapsed();
    if !used.status.success() {
        return Err(format!("{} failed: {}", shown(), used.status));
    }
    Ok(Sample {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
    })
}

pub(crate) fn medians(samples: &[Sample]) -> Medians {
    let median = |value: fn(&Sample) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    #[allow(clippy::cast_precision_loss, reason = "megabytes")]
    Medians {
        wall: median(|sample| sample.wall.as_secs_f64()),
        cpu: median(|sample| sample.cpu.as_secs_f64()),
        peak_mb: median(|sample| sample.peak as f64 / 1e6),
    }
}

#[allow(clippy::cast_precision_loss, reason = "megabytes")]
fn megabytes(file: &Path) -> Result<f64, String> {
    let metadata = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(metadata.len() as f64 / 1e6)
}
