//! The plan: what a run will do, as plain values. The same model and options give the same plan, byte for byte.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use laktory_core::{
    BackendConfig, Expr, Field, Format, FrameName, Layout, Op, Options, ReadSpec, SqlTemplate,
    TableName, TableSpec,
};
use laktory_model::Path;
use laktory_syntax::ColumnExprKind;

use crate::merge::MergePlan;
use crate::written::Written;

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Whether sinks are written.
    pub writes: bool,
    /// Nodes that take part, in the order in which they run; a node comes after those that it reads or waits for.
    pub nodes: Vec<NodePlan>,
    /// Nodes that do not take part, in order: what they have written is read back with the types of their columns, which are
    /// resolved from these. Their rows are not computed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<NodePlan>,
    /// Groups of nodes by `execution_task_name`, for orchestrators and `plan`.
    pub tasks: Vec<TaskPlan>,
    /// Settings of the backends, by their registered names. They may hold credentials, and are not printed.
    #[serde(skip)]
    pub settings: BTreeMap<String, BackendConfig>,
    /// Where these are written, under the names that the pipeline calls the backends by.
    #[serde(skip)]
    pub setting_places: SettingPlaces,
}

/// Where settings of backends are written, by the registered name of the backend and that of the setting.
pub type SettingPlaces = BTreeMap<String, BTreeMap<String, Path>>;

impl Plan {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodePlan> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Ends `node` after that many of its steps: without the rest of them, its rules and its sinks.
    pub fn cut(&mut self, node: &str, steps: usize) {
        if let Some(node) = self.nodes.iter_mut().find(|plan| plan.name == node) {
            node.steps.truncate(steps);
            node.expectations.clear();
            node.sinks.clear();
            node.handover = Handover::Materialize;
        }
    }
}

/// Nodes that an orchestrator runs together (R-TASK-1 to R-TASK-4).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskPlan {
    /// Name.
    pub name: String,
    /// Nodes, in order.
    pub nodes: Vec<String>,
    /// Tasks that must end first.
    pub upstream: Vec<String>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodePlan {
    /// Name.
    pub name: String,
    /// Task.
    pub task: String,
    /// Backend, by its registered name.
    pub backend: String,
    /// Nodes of this plan that must end before this one starts, by position in [`Plan::nodes`].
    pub upstream: Vec<usize>,
    /// Frames that the node reads.
    pub inputs: Vec<Input>,
    /// The input that flows through the steps; none when SQL alone makes the frame.
    pub primary: Option<FrameName>,
    /// Transformer steps.
    pub steps: Vec<Step>,
    /// Expectations.
    pub expectations: Vec<ExpectationPlan>,
    /// Whether quarantined rows are thrown away, as the pipeline says, rather than written to a quarantine sink.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub discards: bool,
    /// Whether a step is random, so that computing it twice gives other rows: it is computed once for all outputs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// Sinks, in order of declaration.
    pub sinks: Vec<SinkPlan>,
    /// How the output reaches the nodes that read it.
    pub handover: Handover,
    /// Place in the document.
    #[serde(skip)]
    pub place: Path,
}

/// A frame that a node reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Name for SQL and arguments.
    pub name: FrameName,
    /// Where the rows come from.
    pub source: InputSource,
    /// Post-read steps: filter, selects, renames, drops, drop_duplicates (R-SRC-3).
    pub steps: Vec<Step>,
    /// Sinks of other nodes that write what is read here by path or by the name of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub written_by: Vec<Writer>,
    /// Place in the document.
    #[serde(skip)]
    pub place: Path,
}

/// A sink of another node that writes what is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// The node, whether or not it is part of the plan.
    pub node: String,
    /// Position of the sink in [`NodePlan::sinks`].
    pub sink: usize,
    /// Whether what is read is just what the sink writes, not a part of it or more.
    pub whole: bool,
}

/// Where an input's rows come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InputSource {
    /// Files.
    Files(ReadSpec),
    /// A table or view of the engine's catalog.
    Table(TableSpec),
    /// Rows written in the pipeline itself.
    Inline(InlineRows),
    /// The output of a node of this plan.
    Node {
        /// Position in [`Plan::nodes`].
        node: usize,
        /// Its name.
        name: String,
        /// Whether the rows cross from one engine to another.
        transfer: bool,
    },
    /// What a node that is not part of this plan has written before.
    Sink {
        /// Name of the node.
        name: String,
        /// Backend of the node. What holds no types is read by it, and handed over.
        backend: String,
        /// Where its output is.
        read: Box<SinkPlan>,
    },
}

/// Rows written in the pipeline itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InlineRows {
    /// A mapping of columns to values, or a list of rows.
    pub data: serde_json::Value,
    /// Columns and types, where they are declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Vec<Field>>,
}

/// Rows at rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// In files.
    Files(ReadSpec),
    /// In a table, or behind a view, of the engine's catalog.
    Table(TableSpec),
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(spec) => f.write_str(&spec.path),
            Self::Table(spec) => spec.name.fmt(f),
        }
    }
}

impl InputSource {
    /// A node whose position in the plan is not known yet.
    pub(crate) fn open(name: &str) -> Self {
        Self::Node {
            node: usize::MAX,
            name: name.to_owned(),
            transfer: false,
        }
    }
}

/// A step of a transformer or of a source's post-read options.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The step as the user wrote it, for logs.
    pub label: String,
    /// What it does.
    pub kind: StepKind,
    /// Place in the document: the text of a SQL step, the whole of a method step.
    #[serde(skip)]
    pub place: Path,
    /// Places of a method's arguments that are expressions, in order; one for each expression of the operation, or none.
    #[serde(skip)]
    pub arguments: Vec<Path>,
    /// How it was written.
    #[serde(skip)]
    pub written: Written,
}

impl Step {
    /// Whether it gives the same rows each time it is computed from the same rows.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        match &self.kind {
            StepKind::Sql(query) => query.is_deterministic(),
            StepKind::Ops(ops) => ops.iter().all(Op::is_deterministic),
        }
    }

    /// Whether the columns that it leaves are values of its rows.
    #[must_use]
    pub fn looks_at_rows(&self) -> bool {
        match &self.kind {
            StepKind::Sql(_) => false,
            StepKind::Ops(ops) => ops.iter().any(|op| matches!(op, Op::Pivot { .. })),
        }
    }

    /// How often it reads a frame by name.
    #[must_use]
    pub fn references(&self, frame: &FrameName) -> usize {
        match &self.kind {
            StepKind::Sql(query) => query.references(frame),
            StepKind::Ops(ops) => {
                let named = ops.iter().flat_map(Op::frames);
                named.filter(|name| *name == frame).count()
            }
        }
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// One SQL statement.
    Sql(SqlTemplate),
    /// Relational operations, in order.
    Ops(Vec<Op>),
}

/// What an expectation looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the YAML's")]
pub enum ExpectationKind {
    Row,
    Aggregate,
}

impl ExpectationKind {
    /// The word of the pipeline file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "ROW",
            Self::Aggregate => "AGGREGATE",
        }
    }
}

/// What happens when an expectation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the YAML's")]
pub enum ExpectationAction {
    Warn,
    Drop,
    Quarantine,
    Fail,
}

impl ExpectationAction {
    /// The word of the pipeline file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warn => "WARN",
            Self::Drop => "DROP",
            Self::Quarantine => "QUARANTINE",
            Self::Fail => "FAIL",
        }
    }
}

/// How many failing rows an expectation tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToleranceLimit {
    /// Rows.
    Rows(u64),
    /// Share of the rows, 0 to 1.
    Share(f64),
}

/// One expectation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectationPlan {
    /// Name.
    pub name: String,
    /// The condition as written.
    pub text: String,
    /// The language that it is said to be in.
    #[serde(skip)]
    pub language: Option<ColumnExprKind>,
    /// The condition.
    pub expr: Expr,
    /// Rows or the whole.
    pub kind: ExpectationKind,
    /// What happens.
    pub action: ExpectationAction,
    /// What is tolerated.
    pub tolerance: ToleranceLimit,
    /// Place of the expression in the document.
    #[serde(skip)]
    pub place: Path,
}

/// What a sink does with a target that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the YAML's")]
pub enum SinkMode {
    Overwrite,
    Append,
    Ignore,
    Error,
    Merge,
}

impl SinkMode {
    /// The word of the pipeline file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overwrite => "OVERWRITE",
            Self::Append => "APPEND",
            Self::Ignore => "IGNORE",
            Self::Error => "ERROR",
            Self::Merge => "MERGE",
        }
    }
}

/// Where a sink writes; displays as the user names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkTarget {
    /// A file or folder.
    File {
        /// The path as written.
        path: String,
        /// Format of the files.
        format: Format,
    },
    /// A table of the engine's catalog.
    Table {
        /// Its name.
        name: TableName,
        /// Format of its files.
        format: Format,
    },
    /// A view of the engine's catalog, on the query of the node.
    View {
        /// Its name.
        name: TableName,
        /// The table behind each frame of the query.
        tables: Vec<(FrameName, TableName)>,
    },
}

impl SinkTarget {
    /// The format of what is written; none for a view.
    #[must_use]
    pub fn format(&self) -> Option<&Format> {
        match self {
            Self::File { format, .. } | Self::Table { format, .. } => Some(format),
            Self::View { .. } => None,
        }
    }

    /// The format's name, `VIEW` for a view.
    #[must_use]
    pub fn format_name(&self) -> &str {
        self.format().map_or("VIEW", Format::name)
    }
}

impl fmt::Display for SinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => f.write_str(path),
            Self::Table { name, .. } | Self::View { name, .. } => name.fmt(f),
        }
    }
}

/// One sink.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SinkPlan {
    /// Where it writes.
    pub target: SinkTarget,
    /// What happens to an existing target.
    pub mode: SinkMode,
    /// How rows are merged, in mode MERGE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergePlan>,
    /// Whether it receives the quarantined rows.
    pub quarantine: bool,
    /// Columns and types that the output must have; others are left out.
    pub schema: Option<Vec<Field>>,
    /// Writer options.
    pub options: Options,
    /// How rows are spread over files.
    pub layout: Layout,
    /// How to read back what it wrote.
    pub read: Stored,
    /// Why what it holds after a run is not the node's output as it was handed over; none where it is, as far as that
    /// shows without the types of the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inexact: Option<String>,
    /// Place in the document.
    #[serde(skip)]
    pub place: Path,
}

impl SinkPlan {
    /// Whether a run leaves the node's output here in a form that loses nothing: same columns, same types, no rows of
    /// earlier runs.
    #[must_use]
    pub fn holds_output(&self) -> bool {
        let lossless = match &self.target {
            SinkTarget::File { format, .. } => format.is_lossless(),
            SinkTarget::Table { format, .. } => format.is_lossless() || *format == Format::Delta,
            // What readers get is what the view shows.
            SinkTarget::View { .. } => true,
        };
        lossless && !self.quarantine && self.inexact.is_none()
    }

    /// Whether what is read back has its types from a declaration.
    #[must_use]
    pub fn is_untyped(&self) -> bool {
        let format = self.target.format();
        format.is_some_and(|format| !format.holds_types()) && matches!(self.read, Stored::Files(_))
    }
}

/// How a node's output reaches its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// Nobody in this plan reads it.
    None,
    /// Its one reader, which refers to it once, computes it as part of its own plan.
    Inline,
    /// Readers read what this sink wrote, by position in [`NodePlan::sinks`].
    Sink(usize),
    /// It is kept, in memory or spilled, until the last reader is done.
    Materialize,
}
