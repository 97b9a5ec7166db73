//! What happens during a run, for logs and progress. `Display` gives the log line in the reference's wording.

use std::fmt;

use laktory_core::FrameName;
use serde::Serialize;

use crate::report::{ExpectationReport, NodeReport, OutputReport};

/// Receives events, from one thread at a time per node.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on(&self, event: &Event);
}

/// Forwards events to `tracing`, at level INFO (warnings at WARN).
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on(&self, event: &Event) {
        match event {
            Event::Warning { .. } | Event::NodeFailed { .. } => {
                tracing::warn!(target: "laktory", "{event}");
            }
            _ => tracing::info!(target: "laktory", "{event}"),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// Pipeline.
        pipeline: String,
        /// Nodes that take part, in order.
        nodes: Vec<String>,
    },
    /// A node begins.
    NodeStarted {
        /// Node.
        node: String,
    },
    /// An input's plan is built.
    Reading {
        /// Node.
        node: String,
        /// Kind of source, such as `FileDataSource`.
        kind: &'static str,
        /// Name for SQL and arguments.
        name: FrameName,
        /// Path, node name or other identification.
        source: String,
        /// Backend.
        backend: String,
    },
    /// A transformer step's plan is built.
    Step {
        /// Node.
        node: String,
        /// Position in the transformer, from 0.
        index: usize,
        /// `DataFrameExpr` or `DataFrameMethod`.
        kind: &'static str,
        /// The step as written.
        text: String,
    },
    /// An output is being computed and staged.
    Writing {
        /// Node.
        node: String,
        /// Target as written.
        path: String,
        /// Format.
        format: String,
        /// Options, without credentials.
        options: String,
    },
    /// An output was published.
    Written {
        /// Node.
        node: String,
        /// What was written.
        output: OutputReport,
    },
    /// An output was removed by a reset.
    Removed {
        /// Node.
        node: String,
        /// Target as written.
        path: String,
    },
    /// An expectation was judged.
    Checked {
        /// Node.
        node: String,
        /// The result.
        expectation: ExpectationReport,
    },
    /// Something that deserves attention.
    Warning {
        /// Node.
        node: String,
        /// What.
        message: String,
    },
    /// A node is done.
    NodeFinished {
        /// Its record.
        report: Box<NodeReport>,
    },
    /// A node failed.
    NodeFailed {
        /// Node.
        node: String,
        /// Why.
        message: String,
    },
    /// A node was not run because one that it needs failed, or the run was interrupted.
    NodeSkipped {
        /// Node.
        node: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunStarted { pipeline, nodes } => {
                write!(
                    f,
                    "Executing pipeline '{pipeline}' (nodes: {})",
                    nodes.join(", ")
                )
            }
            Self::NodeStarted { node } => write!(f, "Executing pipeline node {node}"),
            Self::Reading {
                kind,
                source,
                backend,
                ..
            } => {
                write!(
                    f,
                    "Reading `{kind}` {source} with DataFrameBackends.{backend}\nRead completed."
                )
            }
            Self::Step {
                index, kind, text, ..
            } => {
                if *index == 0 {
                    writeln!(f, "Executing DataFrame Transformer")?;
                }
                write!(f, "Executing DataFrame transformer node {index} ({kind}).")?;
                match *kind {
                    "DataFrameExpr" => write!(f, "\nDataFrame as\n{}", text.trim_end()),
                    _ => write!(f, "\nApplying df.{text}"),
                }
            }
            Self::Writing {
                path,
                format,
                options,
                ..
            } => {
                write!(
                    f,
                    "Writing static df to {path} with format '{format}' and {options}"
                )
            }
            Self::Written { output, .. } if output.skipped => {
                write!(
                    f,
                    "Write skipped: {} exists and its mode is IGNORE.",
                    output.path
                )
            }
            Self::Written { .. } => f.write_str("Write completed."),
            Self::Removed { path, .. } => write!(f, "Deleting {path}"),
            Self::Checked { expectation, .. } => write!(f, "{expectation}"),
            Self::Warning { message, .. } => f.write_str(message),
            Self::NodeFinished { report } => {
                write!(
                    f,
                    "Pipeline node {} done in {:.3} s",
                    report.name, report.seconds
                )?;
                match report.rows_out {
                    Some(rows) => write!(f, ", {rows} rows."),
                    None => f.write_str("."),
                }
            }
            Self::NodeFailed { node, message } => {
                write!(f, "Pipeline node {node} failed: {message}")
            }
            Self::NodeSkipped { node, reason } => {
                write!(f, "Pipeline node {node} skipped: {reason}")
            }
        }
    }
}
