//! What laktory adds to Spark, and what it costs that rows go from engine to engine.
//!
//! The first table puts a pipeline beside the same steps sent by pyspark, on one server, in turns. The second one is about
//! pipelines whose second node runs on another engine than the first, beside the ones where it does not.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::{Medians, Sample, measure, medians};
use crate::spark::{Kind, Server};
use crate::test_backends::backend_of;
use crate::{Options, cargo, python};

/// Nodes of the chain, each with an output.
const NODES: usize = 20;
/// Rows that go from engine to engine.
const ROWS: u64 = 1_000_000;
const BY_HAND: &str = include_str!("by_hand.py");

/// Prints both tables.
///
/// # Errors
/// When something cannot be built, installed or run.
pub(crate) fn run(options: &Options, laktory: &Path) -> Result<(), String> {
    let runs = usize::try_from(options.number("runs", 5)?.max(1)).unwrap_or(5);
    let rows = options.number("rows", ROWS)?;
    let folder = cargo::target()?.join("bench").join("spark");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let python = python::spark_client()?;
    let server = Server::start(Kind::Spark, &[])?;
    let bench = Bench {
        laktory,
        folder: &folder,
        remote: server.remote(),
        runs,
    };
    println!("\n{}", bench.nodes(&python)?);
    println!("{}", bench.transfers(rows)?);
    Ok(())
}

/// What all measurements share.
struct Bench<'a> {
    laktory: &'a Path,
    folder: &'a Path,
    /// The connection string of the server.
    remote: String,
    runs: usize,
}

impl Bench<'_> {
    /// A chain of nodes, beside the same steps by hand.
    fn nodes(&self, python: &Path) -> Result<String, String> {
        self.write("data.yaml", &numbers("in.parquet", 1_000))?;
        self.write("chain.yaml", &chain())?;
        self.write("by_hand.py", BY_HAND)?;
        self.run("data.yaml")?;
        let (mut samples, mut by_hand) = (Vec::new(), Vec::new());
        // The first rounds warm the server, which compiles what it runs often.
        for round in 0..self.runs + 2 {
            let sample = self.run("chain.yaml")?;
            let seconds = self.sent_by_hand(python)?;
            if round > 1 {
                samples.push(sample);
                by_hand.push(seconds);
            }
        }
        by_hand.sort_by(f64::total_cmp);
        let (ours, by_hand) = (medians(&samples).wall * 1e3, by_hand[self.runs / 2] * 1e3);
        #[allow(clippy::cast_precision_loss, reason = "a few nodes")]
        let each = (ours - by_hand) / NODES as f64;
        Ok(format!(
            "### {NODES} nodes on Spark, {} runs\n\n\
             | program | wall ms | ms for each node |\n|---|---|---|\n\
             | `laktory run`, the whole process | {ours:.0} | |\n\
             | pyspark, from the connection on | {by_hand:.0} | |\n\
             | overhead | {:.0} | {each:.1} |\n",
            self.runs,
            ours - by_hand
        ))
    }

    fn sent_by_hand(&self, python: &Path) -> Result<f64, String> {
        let output = Command::new(python)
            .arg(self.folder.join("by_hand.py"))
            .arg(&self.remote)
            .arg(self.folder)
            .arg(NODES.to_string())
            .output()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().map_err(|_| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("pyspark failed ({}): {errors}", output.status)
        })
    }

    /// Every pair of engines.
    fn transfers(&self, rows: u64) -> Result<String, String> {
        self.write("rows.yaml", &numbers("rows.parquet", rows))?;
        self.run("rows.yaml")?;
        let mut text = format!(
            "### Transfers of {rows} rows of four numbers and a text, {} runs\n\n\
             | from | to | ms | on one of the two ms | million rows a second | peak MB of laktory |\n\
             |---|---|---|---|---|---|\n",
            self.runs
        );
        let engines: Vec<String> = cargo::plugins(&cargo::metadata()?)
            .iter()
            .filter(|plugin| plugin.is_backend)
            .map(|plugin| backend_of(&plugin.feature).to_uppercase())
            .collect();
        let alone = engines
            .iter()
            .map(|engine| Ok(self.timed(engine, engine)?.wall))
            .collect::<Result<Vec<f64>, String>>()?;
        for (from, one) in engines.iter().zip(&alone) {
            for (to, other) in engines.iter().zip(&alone).filter(|(to, _)| *to != from) {
                let mixed = self.timed(from, to)?;
                // The slower of the two has to be started in any case.
                let alone = one.max(*other);
                let seconds = (mixed.wall - alone).max(1e-3);
                #[allow(clippy::cast_precision_loss, reason = "millions")]
                let speed = rows as f64 / seconds / 1e6;
                let _ = writeln!(
                    text,
                    "| {from} | {to} | {:.0} | {:.0} | {speed:.1} | {:.0} |",
                    mixed.wall * 1e3,
                    alone * 1e3,
                    mixed.peak_mb
                );
            }
        }
        Ok(text)
    }

    fn timed(&self, from: &str, to: &str) -> Result<Medians, String> {
        self.write("transfer.yaml", &transfer(from, to))?;
        self.run("transfer.yaml")?;
        let samples = (0..self.runs)
            .map(|_| self.run("transfer.yaml"))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(medians(&samples))
    }

    fn run(&self, pipeline: &str) -> Result<Sample, String> {
        let folder = self.folder.display().to_string();
        let setting = format!("PYSPARK.spark_remote={}", self.remote);
        let arguments = ["run", "-q", "-C", &folder, pipeline, "--setting", &setting];
        measure(self.laktory, &arguments)
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Each node reads what the one before it wrote.
fn chain() -> String {
    let mut text = String::from("name: chain\ndataframe_backend: PYSPARK\nnodes:\n");
    for node in 0..NODES {
        let source = match node {
            0 => "{path: in.parquet, format: PARQUET}".to_owned(),
            _ => format!("{{node_name: n{}}}", node - 1),
        };
        let _ = write!(
            text,
            "- name: n{node}
  source: {source}
  transformer:
    nodes:
    - expr: SELECT x, y * 2 AS y FROM {{df}} WHERE x >= -{node}
    - func_name: with_columns
      func_kwargs: {{z: nw.col('x') + 1}}
  sinks: [{{path: out/n{node}.parquet, format: PARQUET}}]
"
        );
    }
    text
}

/// A pipeline that writes numbers and texts: pairs of the numbers below the root of `rows`.
fn numbers(path: &str, rows: u64) -> String {
    let root = rows.isqrt() + 1;
    let below: Vec<String> = (0..root).map(|number| number.to_string()).collect();
    format!(
        "name: data
dataframe_backend: DATAFUSION
nodes:
- name: pairs
  source: {{data: {{n: [{}]}}}}
  transformer: {{nodes: [{{expr: 'SELECT a.n * {root} + b.n AS x FROM {{df}} AS a CROSS JOIN {{df}} AS b'}}]}}
- name: data
  source: {{node_name: pairs, filter: x < {rows}}}
  transformer:
    nodes:
    - expr: SELECT x, x % 1000 AS y, CAST(x AS DOUBLE) / 7 AS f, CAST(x AS VARCHAR) AS s FROM {{df}}
  sinks: [{{path: {path}, format: PARQUET}}]
",
        below.join(", ")
    )
}

/// Where the rows of one node are counted by a second one on an engine.
fn transfer(from: &str, to: &str) -> String {
    format!(
        "name: transfer
nodes:
- name: a
  dataframe_backend: {from}
  source: {{path: rows.parquet, format: PARQUET}}
  transformer: {{nodes: [{{func_name: with_columns, func_kwargs: {{z: nw.col('x') + 1}}}}]}}
- name: b
  dataframe_backend: {to}
  source: {{node_name: a}}
  transformer:
    nodes:
    - func_name: select
      func_args: [nw.len().alias('n'), nw.col('x').sum(), nw.col('z').max(), nw.col('f').mean(), nw.col('s').max()]
  sinks: [{{path: out/{from}_{to}.jsonl, format: JSONL}}]
"
    )
}
