//! A plan carried out: frames built, checked with the engine, computed in one pass for each node, judged by its
//! expectations, staged and published; with events on the way and a record at the end.
//!
//! This crate knows no engine: it drives the [`Backend`](laktory_core::Backend) of each node.

mod append;
mod blame;
mod build;
mod check;
mod effect;
mod endings;
mod engine;
mod event;
mod expectations;
mod fault;
mod files;
mod folder;
mod inline;
mod lineage;
mod locate;
mod lock;
mod merge;
mod node;
mod output;
mod outputs;
mod outside;
mod owner;
mod pass;
mod places;
mod pool;
mod prune;
mod record;
mod removal;
mod report;
mod run;
mod seen;
mod sessions;
mod staging;
mod tables;
mod target;
mod unwritten;

pub use check::NodeSchema;
pub use effect::{Effect, What, effects, may_report};
pub use event::{Event, Observer, TracingObserver};
pub use fault::Fault;
pub use inline::typed::array as typed_array;
pub use inline::{check_rows, rows_as_json, rows_of};
pub use output::NodeOutput;
pub use places::survey;
pub use prune::Kept;
pub use report::{
    CheckStatus, ExpectationReport, MergeReport, NodeReport, OutputReport, RunReport, RunTotals,
    Status,
};
pub use run::{Refresh, Run, RunOptions, foresee, lineage, preview, resolve, run};
pub use seen::{SourceFiles, changed_error};
pub use sessions::{Reach, connect};
