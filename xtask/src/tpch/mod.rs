//! `bench --suite tpch`: queries of TPC-H as pipelines, beside the same SQL handed directly to the engine.
//!
//! Both run as whole processes and take turns. The results of both must be the same rows. What a pipeline may cost more
//! is a twentieth of the time and 20 ms for each node.

mod compare;
mod data;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::bench::{binaries, measure, medians};
use crate::{Options, cargo};

/// Pipelines, and the SQL that does the same.
const QUERIES: &[(&str, &str)] = &[
    ("q01", "q01"),
    ("q01_methods", "q01"),
    ("q03", "q03"),
    ("q05", "q05"),
    ("q06", "q06"),
    ("q06_methods", "q06"),
    ("q09", "q09"),
    ("q18", "q18"),
];

/// Engines, as the program of `tests/baseline` and the command call them.
const ENGINES: &[&str] = &["POLARS", "DATAFUSION"];

/// What a pipeline may take: this much of the time by hand, and
const ALLOWED_RATIO: f64 = 1.05;
/// this many milliseconds for each node. Each pipeline here is one node.
const ALLOWED_MS: f64 = 20.0;

/// Runs the suite and prints a table for each engine.
///
/// # Errors
/// When something cannot be built or run, or results differ.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let scale = options.get("scale").unwrap_or("1");
    let number: f64 = scale
        .parse()
        .ok()
        .filter(|scale| *scale > 0.0)
        .ok_or_else(|| format!("`--scale {scale}` is not a scale factor"))?;
    let runs = usize::try_from(options.number("runs", 5)?.max(1)).unwrap_or(5);
    let binaries = binaries(options.get("profile").unwrap_or("release"))?;
    let laktory = binaries.join("laktory");
    let folder = cargo::target()?.join("bench").join(format!("tpch_{scale}"));
    copy(&cargo::root().join("examples/tpch"), &folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    data::prepare(&folder, number, &laktory)?;
    for engine in ENGINES {
        println!(
            "\n{}",
            table(
                &laktory,
                &binaries.join("baseline"),
                &folder,
                engine,
                scale,
                runs
            )?
        );
    }
    Ok(())
}

fn table(
    laktory: &Path,
    baseline: &Path,
    folder: &Path,
    engine: &str,
    scale: &str,
    runs: usize,
) -> Result<String, String> {
    let mut text = format!(
        "### TPC-H at scale {scale} on {engine}, {runs} runs\n\n\
         | query | pipeline ms | by hand ms | ratio | overhead ms for each node | within 1.05 x + 20 ms |\n\
         |---|---|---|---|---|---|\n"
    );
    let place = folder.display().to_string();
    for (pipeline, sql) in QUERIES {
        let file = format!("{pipeline}.yaml");
        let ours = ["run", "-q", "-C", &place, &file, "--backend", engine];
        let by_hand = ["tpch", engine, sql, &place];
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
        let out = folder.join("out");
        compare::same_rows(
            &out.join(format!("{pipeline}.csv")),
            &out.join(format!("{sql}_by_hand.csv")),
        )
        .map_err(|difference| format!("{pipeline} on {engine}: {difference}"))?;
        let ours = medians(&samples.0).wall * 1e3;
        let by_hand = medians(&samples.1).wall * 1e3;
        let within = if ours <= by_hand * ALLOWED_RATIO + ALLOWED_MS {
            "yes"
        } else {
            "**no**"
        };
        let _ = writeln!(
            text,
            "| {pipeline} | {ours:.0} | {by_hand:.0} | {:.2} | {:.0} | {within} |",
            ours / by_hand,
            ours - by_hand
        );
    }
    Ok(text)
}

/// Copies a folder of small files.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
