//! Arguments of `laktory init`.

use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "In the folder, `laktory run` and `laktory test` work without arguments then.\n\
                  Example: laktory init --template medallion my-pipeline"
)]
pub(crate) struct InitArgs {
    /// The folder; made when it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,

    /// What to begin with. Without it, a terminal is asked.
    #[arg(long, value_enum, ignore_case = true, value_name = "TEMPLATE")]
    pub(crate) template: Option<Template>,

    /// Ask nothing: the minimal template, unless another one is named.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// One source, one statement, one output.
    Minimal,
    /// Bronze, silver and gold, with a join and a parameter.
    Medallion,
    /// Rules that warn, drop, quarantine and stop.
    Quality,
    /// Nodes on two engines.
    MultiEngine,
}
