//! What happens during a run, for logs and progress. `Display` gives the log line in the reference's wording.

use std::fmt;

use laktory_core::FrameName;
use laktory_syntax::{visible, visible_lines};
use serde::Serialize;

use crate::report::{ExpectationReport, NodeReport, OutputReport, RunTotals};

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
        if event.is_warning() {
            tracing::warn!(target: "laktory", "{event}");
        } else {
            tracing::info!(target: "laktory", "{event}");
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
    /// An input is opened.
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
    /// An input's plan is built.
    Read {
        /// Node.
        node: String,
        /// Name for SQL and arguments.
        name: FrameName,
        /// Rows in what is read, where that is known beforehand.
        rows: Option<u64>,
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
    /// A node was not run because one that it needs failed.
    NodeSkipped {
        /// Node.
        node: String,
        /// Why.
        reason: String,
    },
    /// The user stopped the run before the node was done, or before it began.
    NodeInterrupted {
        /// Node.
        node: String,
    },
    /// The run is over.
    RunFinished(RunTotals),
}

impl Event {
    /// Whether a log tells it as a warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::Warning { .. }
                | Self::NodeFailed { .. }
                | Self::NodeSkipped { .. }
                | Self::NodeInterrupted { .. }
        )
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunStarted { pipeline, nodes } => {
                let nodes: Vec<_> = nodes.iter().map(|node| visible(node)).collect();
                let pipeline = visible(pipeline);
                write!(
                    f,
                    "Executing pipeline '{pipeline}' (nodes: {})",
                    nodes.join(", ")
                )
            }
            Self::NodeStarted { node } => write!(f, "Executing pipeline node {}", visible(node)),
            Self::Reading {
                kind,
                source,
                backend,
                ..
            } => {
                let source = visible(source);
                write!(
                    f,
                    "Reading `{kind}` {source} with DataFrameBackends.{backend}"
                )
            }
            Self::Read { .. } => f.write_str("Read completed."),
            Self::Step {
                index, kind, text, ..
            } => {
                if *index == 0 {
                    writeln!(f, "Executing DataFrame Transformer")?;
                }
                write!(f, "Executing DataFrame transformer node {index} ({kind}).")?;
                match *kind {
                    "DataFrameExpr" => {
                        write!(f, "\nDataFrame as\n{}", visible_lines(text.trim_end()))
                    }
                    _ => write!(f, "\nApplying df.{}", visible(text)),
                }
            }
            Self::Writing {
                path,
                format,
                options,
                ..
            } => {
                let (path, options) = (visible(path), visible(options));
                write!(
                    f,
                    "Writing static df to {path} with format '{format}' and {options}"
                )
            }
            Self::Written { output, .. } if output.skipped => {
                let path = visible(&output.path);
                write!(f, "Write skipped: {path} exists and its mode is IGNORE.")
            }
            Self::Written { .. } => f.write_str("Write completed."),
            Self::Removed { path, .. } => write!(f, "Deleting {}", visible(path)),
            Self::Checked { expectation, .. } => f.write_str(&visible(&expectation.to_string())),
            Self::Warning { message, .. } => f.write_str(&visible(message)),
            Self::NodeFinished { report } => {
                let name = visible(&report.name);
                write!(f, "Pipeline node {name} done in {:.3} s", report.seconds)?;
                match report.rows_out {
                    Some(rows) => write!(f, ", {rows} rows."),
                    None => f.write_str("."),
                }
            }
            Self::NodeFailed { node, message } => {
                let (node, message) = (visible(node), visible(message));
                write!(f, "Pipeline node {node} failed: {message}")
            }
            Self::NodeSkipped { node, reason } => {
                write!(f, "Pipeline node {} skipped: {reason}", visible(node))
            }
            Self::NodeInterrupted { node } => {
                write!(f, "Pipeline node {} interrupted", visible(node))
            }
            Self::RunFinished(totals) => {
                let pipeline = visible(&totals.pipeline);
                let status = totals.status.name();
                write!(
                    f,
                    "Pipeline '{pipeline}' {status}: {} of {} nodes in {:.3} s",
                    totals.nodes_succeeded, totals.nodes, totals.seconds
                )
            }
        }
    }
}
