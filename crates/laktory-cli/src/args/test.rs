//! Arguments of `laktory test`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::AroundArgs;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 every test passed, 1 one failed, 2 one is invalid, or its pipeline is.\n\
                  Examples:\n  \
                  laktory test\n  \
                  laktory test pipeline.yaml --node slv_stock_prices\n  \
                  laktory test --format junit > tests.xml"
)]
pub(crate) struct TestArgs {
    /// Pipelines, files of tests (`*.test.yaml`), and folders of both; the current folder by default.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Tests of this node only; may be given several times.
    #[arg(long = "node", value_name = "NODE")]
    pub(crate) nodes: Vec<String>,

    /// The test of this name only; may be given several times.
    #[arg(long = "name", value_name = "TEST")]
    pub(crate) names: Vec<String>,

    /// Print a test of this node instead, made of the first rows that it reads, as a file of tests: `--record NODE > x.test.yaml`.
    /// Values of columns whose names tell of people or credentials are masked.
    #[arg(long, value_name = "NODE", conflicts_with_all = ["nodes", "names", "format"])]
    pub(crate) record: Option<String>,

    /// Rows of each input that `--record` takes.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "record")]
    pub(crate) rows: u64,

    /// Columns that `--record` masks too; comma-separated.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        requires = "record"
    )]
    pub(crate) mask: Vec<String>,

    /// Lines and tables for people, or data for programs.
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        default_value = "human",
        value_name = "FORMAT"
    )]
    pub(crate) format: TestFormat,

    #[command(flatten)]
    pub(crate) around: AroundArgs,
}

impl TestArgs {
    /// Whether a test is asked for.
    pub(crate) fn is_selected(&self, node: &str, name: &str) -> bool {
        let has = |wanted: &[String], it: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted == it)
        };
        has(&self.nodes, node) && has(&self.names, name)
    }

    /// The backends on which each test is run; that of the pipeline without any.
    pub(crate) fn backends(&self) -> Vec<Option<String>> {
        let Some(backends) = &self.around.backend else {
            return vec![None];
        };
        let names = backends.split(',').map(str::trim);
        names.map(|name| Some(name.to_owned())).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    Human,
    Json,
    Junit,
}
