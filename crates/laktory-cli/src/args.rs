//! The command line.

mod init;
mod test;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use laktory::core::Registry;
use laktory::exec::RunOptions;

use crate::exit::Failure;

pub(crate) use init::{InitArgs, Template};
pub(crate) use test::{TestArgs, TestFormat};

/// Declarative dataframe pipelines: YAML in, tables out, on the engine of your choice.
#[derive(Debug, Parser)]
#[command(
    name = "laktory",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 success, 1 the run failed, 2 usage or invalid pipeline, 130 interrupted.\n\
                  Environment: LAKTORY_LOG_LEVEL (ERROR, WARNING, INFO, DEBUG), LAKTORY_LOCK_TIMEOUT, LAKTORY_DATAFRAME_BACKEND, \
                  LAKTORY_DATAFRAME_API (NARWHALS, NATIVE), LAKTORY_RUNTIME_ROOT, LAKTORY_WORKSPACE_ROOT, LAKTORY_BUILD_ROOT."
)]
pub(crate) struct Args {
    /// Log lines with their time, and the rows and bytes of each read and write; on a terminal, instead of progress.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Errors only: no log, no warnings, no summary.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Run as if started in this folder; relative paths of the pipeline start there.
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    /// How errors and warnings are printed.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub(crate) error_format: ErrorFormat,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a small pipeline with tests and data, to begin with; nothing that is there is overwritten.
    Init(InitArgs),
    /// Run a pipeline.
    Run(RunArgs),
    /// Check a pipeline completely without reading rows or writing anything.
    Validate(ValidateArgs),
    /// Print the columns and types of every node's output, found without reading rows.
    Schema(SchemaArgs),
    /// Run the tests of nodes: from given rows alone, without reading or writing anything else.
    Test(TestArgs),
    /// Print the output of a node as a table, computed without writing anything.
    Show(ShowArgs),
    /// Print what a run would do.
    Plan(PlanArgs),
    /// Print the graph of the nodes, as a tree or as Mermaid.
    Graph(GraphArgs),
    /// Print what columns are made of and what decides about them, across nodes, or what they end up in.
    Lineage(LineageArgs),
    /// Look up a step, method, function or clause: what it takes and gives, an example, the backends that have it.
    Docs(DocsArgs),
    /// List the backends of this build and what they can do.
    Backends(BackendsArgs),
    /// Look at the environments of a stack: `env list [STACK]`, `--json` for programs.
    #[command(subcommand)]
    Env(EnvCommand),
    /// Look at a table that keeps a log: `tables history PATH` lists its versions, `--json` for programs.
    #[command(subcommand)]
    Tables(TablesCommand),
    /// Print the JSON schema of the pipeline file, for editors.
    JsonSchema,
    /// Print versions.
    Version,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The pipeline, and what surrounds it.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// Pipeline file or stack; `-` is standard input. Without it, `stack.yaml`, `laktory.yaml` or `pipeline.yaml` of the current
    /// folder. Where there is a `stack.yaml`, the name of one of its pipelines will do.
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) stack: StackArgs,

    #[command(flatten)]
    pub(crate) around: AroundArgs,
}

/// Which part of a stack.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StackArgs {
    /// Environment of the stack; without it, the stack is taken as it stands.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Pipeline of the stack; the only one by default.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
}

/// What surrounds a pipeline.
#[derive(Debug, clap::Args)]
pub(crate) struct AroundArgs {
    /// Value of `${vars.KEY}`; wins over all other places.
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) variables: Vec<(String, String)>,

    /// Value of `${params.KEY}`.
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Backend of every node, whatever the pipeline says.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,

    /// Setting of a backend; wins over the pipeline's `backend_settings`.
    #[arg(long = "setting", value_name = "BACKEND.NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String, String)>,
}

impl AroundArgs {
    /// How to carry out plans, as far as the settings of backends tell it.
    pub(crate) fn run_options(&self, registry: &Registry) -> Result<RunOptions, Failure> {
        let mut options = RunOptions::default();
        for (backend, name, value) in &self.settings {
            let backend = registry.get(backend).map_err(|error| {
                Failure::usage(vec![laktory::diagnostic(&error).path("--setting")])
            })?;
            let own = options.backends.entry(backend.name.to_owned()).or_default();
            own.insert(name.clone(), value.clone());
        }
        Ok(options)
    }
}

/// Which nodes.
#[derive(Debug, clap::Args)]
pub(crate) struct SelectArgs {
    /// Nodes, tasks or tags: `x`, `*x` with all before it, `x*` with all behind it, `*x*`; comma-separated. The star is no
    /// wildcard.
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub(crate) select: Option<Vec<String>>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// What happens to existing outputs: each sink's mode decides (incremental), all are replaced (full), or they are
    /// removed and nothing is run (reset).
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        default_value = "incremental",
        value_name = "MODE"
    )]
    pub(crate) refresh: RefreshMode,

    /// The same as `--refresh full`.
    #[arg(long, conflicts_with = "refresh")]
    pub(crate) full_refresh: bool,

    /// Nodes that may run side by side; the number of cores by default.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// How long to wait for another run that writes one of the targets, as `60s`, `5m` or `500ms`; 0 does not wait. The
    /// default is that of LAKTORY_LOCK_TIMEOUT, else 60s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_timeout: Option<Duration>,

    /// Check the pipeline and print the plan, but read no rows and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Compute and check every node, but write no sink.
    #[arg(long)]
    pub(crate) no_write: bool,

    /// Print the output of this node afterwards; may be given several times.
    #[arg(long, value_name = "NODE")]
    pub(crate) show: Vec<String>,

    /// Rows that `--show` prints.
    #[arg(long, visible_alias = "rows", value_name = "N", default_value_t = 10)]
    pub(crate) limit: u64,

    /// Write the record of the run as JSON to this file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Progress for people on a terminal, else log lines; `text` and `json` always print log lines.
    #[arg(long, value_enum, default_value = "auto", value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,

    /// Megabytes that an output kept between nodes may take in memory before it is spilled to disk.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    pub(crate) memory: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Pipeline files, stacks with all of their pipelines, and folders: of these, each YAML file that has `nodes`; `-` is standard
    /// input. Without any, `stack.yaml`, `laktory.yaml` or `pipeline.yaml` of the current folder; where there is a `stack.yaml`, the
    /// name of one of its pipelines will do.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) stack: StackArgs,

    #[command(flatten)]
    pub(crate) around: AroundArgs,

    /// Check the file only: no source is opened, so unknown columns are not found.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Types are those of expressions and schemas: Int64, List(String), Datetime(time_unit='us', time_zone=None).\n\
                  Example: laktory schema pipeline.yaml slv_stock_prices --json"
)]
pub(crate) struct SchemaArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// This node only; all by default. Without FILE it may stand first.
    pub(crate) node: Option<String>,

    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// The node; without FILE it may stand first.
    pub(crate) node: Option<String>,

    /// Rows to print.
    #[arg(long, visible_alias = "rows", value_name = "N", default_value_t = 10)]
    pub(crate) limit: u64,

    /// The rows after this step of the transformer, counted from 1, before any rule; 0 is the source.
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<usize>,

    /// A table for people, or data as a sink of that format would hold it.
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(crate) format: ShowFormat,

    /// Write to this new file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Print the plan as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Print a Mermaid flowchart instead of a tree.
    #[arg(long)]
    pub(crate) mermaid: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A column is made of others when their values are in it, and decided by those that choose rows or branches: \
                  conditions, filters, joins, groups, windows, rules.\n\
                  Examples:\n  \
                  laktory lineage pipeline.yaml\n  \
                  laktory lineage pipeline.yaml slv_stock_prices.close\n  \
                  laktory lineage pipeline.yaml slv_stock_prices --format json\n  \
                  laktory lineage pipeline.yaml ./data/stock_prices.jsonl.symbol --downstream"
)]
pub(crate) struct LineageArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// This node, or this column of a node, only; with `--downstream` also a source, by its path or table as written. Without FILE it
    /// may stand first.
    #[arg(value_name = "NODE[.COLUMN]")]
    pub(crate) of: Option<String>,

    /// What the columns end up in, rather than what they depend on; of the sources by default.
    #[arg(long)]
    pub(crate) downstream: bool,

    /// How it is printed.
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        default_value = "tree",
        value_name = "FORMAT"
    )]
    pub(crate) format: LineageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageFormat {
    Tree,
    Json,
    Mermaid,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A name is written as in a pipeline: `join`, `str.contains`, `nw.coalesce`, `LPAD`, `GROUP BY`; its last part \
                  will do, and so will the title of a group.\n\
                  Examples:\n  \
                  laktory docs str.contains\n  \
                  laktory docs LPAD\n  \
                  laktory docs 'dates and times'"
)]
pub(crate) struct DocsArgs {
    /// What to look up; without a name, everything is listed.
    pub(crate) names: Vec<String>,

    /// Print JSON; without a name also what is refused, the types, and the commands.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackendsArgs {
    /// List every step, function and format too.
    #[arg(long)]
    pub(crate) all: bool,

    /// Print JSON: with `--all`, the whole table of functions beside what each backend does with them.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum EnvCommand {
    /// List the environments of a stack, and the pipelines that each has.
    List(EnvArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct EnvArgs {
    /// The stack; `stack.yaml` of the current folder by default.
    #[arg(value_name = "STACK")]
    pub(crate) file: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum TablesCommand {
    /// List the versions of a table that its log keeps, the newest first.
    History(HistoryArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The folder of the table.
    pub(crate) path: PathBuf,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RefreshMode {
    Incremental,
    Full,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    Table,
    Json,
    Jsonl,
    Csv,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Auto,
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// With the source line and a caret.
    Text,
    /// One line each: `file:line:column: error: message`.
    Short,
    /// One JSON object each.
    Json,
}

/// `key=value`, split at the first `=`.
fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// `60s`, `5m`, `1h`, `500ms`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || "write it as `60s`, `5m`, `1h` or `500ms`".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// `backend.name=value`; names may hold more points, and values equals signs.
fn setting(text: &str) -> Result<(String, String, String), String> {
    let wrong = || "write it as BACKEND.NAME=VALUE".to_owned();
    let (key, value) = key_value(text).map_err(|_| wrong())?;
    match key.split_once('.') {
        Some((backend, name)) if !backend.is_empty() && !name.is_empty() => {
            Ok((backend.to_owned(), name.to_owned(), value))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in [
            ("60s", 60_000),
            ("2", 2_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("500ms", 500),
            ("0", 0),
        ] {
            assert_eq!(
                duration(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
        for text in ["", "s", "-1", "1.5s", "1d", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_split_at_the_first_equals_sign() {
        assert_eq!(
            key_value("a=b=c").unwrap(),
            ("a".to_owned(), "b=c".to_owned())
        );
        assert_eq!(key_value("a=").unwrap(), ("a".to_owned(), String::new()));
        assert!(key_value("a").is_err());
        assert!(key_value("=b").is_err());
        assert_eq!(
            setting("pyspark.spark.sql.x=a=b").unwrap(),
            (
                "pyspark".to_owned(),
                "spark.sql.x".to_owned(),
                "a=b".to_owned()
            )
        );
        assert!(setting("x=1").is_err());
    }
}
