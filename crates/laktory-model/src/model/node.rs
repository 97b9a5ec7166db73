//! Nodes of a pipeline.

use crate::decode::object;
use crate::model::{DataFrameApi, DataSink, DataSource, Expectation, QuarantinedRows, Transformer};

object! {
    /// One node: it reads its sources, transforms them, checks the result and writes it.
    object PipelineNode ["pipeline node"] {
        /// Name, by which other nodes refer to it.
        name: String, required;
        /// What it reads; the first one is the primary source, `{df}` of the first step.
        sources: Vec<DataSource>;
        /// What it does to the data.
        transformer: Option<Transformer>;
        /// What must hold of the result.
        expectations: Vec<Expectation>;
        /// What becomes of rows that fail `QUARANTINE` rules: they go to the quarantine sinks (`KEEP`), or are counted and
        /// thrown away (`DISCARD`).
        quarantine: QuarantinedRows;
        /// Where the result goes.
        sinks: Vec<DataSink>;
        /// Nodes that must run before, besides those it reads.
        depends_on: Vec<String>;
        /// Columns that identify a row.
        primary_keys: Option<Vec<String>>;
        /// Column that holds the time of a row.
        time_column: Option<String>;
        /// Comment of the produced table.
        comment: Option<String>;
        /// Groups to select nodes by.
        tags: Vec<String>;
        /// Task that the node runs in; `node-<name>` when absent.
        execution_task_name: Option<String>;
        /// Checkpoint of the expectations of a stream.
        expectations_checkpoint_path: Option<String>;
        /// Script that a declarative pipeline runs the node with.
        ldp_template: Option<String>;
        /// Working folder; below that of the pipeline when absent.
        root_path: Option<String>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}
