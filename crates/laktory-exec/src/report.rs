//! The record of a run: what each node read, kept, dropped, quarantined and wrote, and how long it took.

use std::fmt;

use serde::Serialize;

/// How a run, or a node of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything that was asked for is done.
    Succeeded,
    /// An error stopped it; outputs are as they were before.
    Failed,
    /// Not run, because something before it failed.
    Skipped,
    /// Stopped by the user; outputs are as they were before.
    Interrupted,
}

impl Status {
    /// The name in run records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The record of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Version of the record's layout.
    pub version: u32,
    /// Version of laktory.
    pub laktory: String,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Unique name of the run.
    pub run_id: String,
    /// When it began, RFC 3339 UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How it ended.
    pub status: Status,
    /// The nodes, in the order of the plan.
    pub nodes: Vec<NodeReport>,
}

/// A run in one line: how it ended, and what it moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunTotals {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Unique name of the run.
    pub run_id: String,
    /// How it ended.
    pub status: Status,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Nodes that took part.
    pub nodes: usize,
    /// Nodes that succeeded.
    pub nodes_succeeded: usize,
    /// Nodes that failed.
    pub nodes_failed: usize,
    /// Rows removed by DROP expectations.
    pub rows_dropped: u64,
    /// Rows removed by QUARANTINE expectations.
    pub rows_quarantined: u64,
    /// Rows written to sinks, quarantined ones too.
    pub rows_written: u64,
    /// Warnings of nodes.
    pub warnings: usize,
}

impl RunReport {
    /// The sums over the nodes.
    #[must_use]
    pub fn totals(&self) -> RunTotals {
        let with = |status| self.nodes.iter().filter(move |node| node.status == status);
        RunTotals {
            pipeline: self.pipeline.clone(),
            run_id: self.run_id.clone(),
            status: self.status,
            seconds: self.seconds,
            nodes: self.nodes.len(),
            nodes_succeeded: with(Status::Succeeded).count(),
            nodes_failed: with(Status::Failed).count(),
            rows_dropped: self.nodes.iter().map(|node| node.rows_dropped).sum(),
            rows_quarantined: self.nodes.iter().map(|node| node.rows_quarantined).sum(),
            rows_written: self.nodes.iter().map(NodeReport::rows_written).sum(),
            warnings: self.nodes.iter().map(|node| node.warnings.len()).sum(),
        }
    }
}

impl NodeReport {
    /// Rows written to the node's sinks, quarantined ones too.
    #[must_use]
    pub fn rows_written(&self) -> u64 {
        self.outputs.iter().map(|output| output.rows).sum()
    }
}

/// The record of a node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Name.
    pub name: String,
    /// Backend.
    pub backend: String,
    /// How it ended.
    pub status: Status,
    /// Rows in what the node reads: in the files, in the pipeline, or put out by the nodes before; null where one of them
    /// was not counted.
    pub rows_read: Option<u64>,
    /// Rows after the transformer, which the expectations look at; null when the node was computed as part of its reader's plan.
    pub rows_in: Option<u64>,
    /// Rows that stayed.
    pub rows_out: Option<u64>,
    /// Rows removed by DROP expectations.
    pub rows_dropped: u64,
    /// Rows removed by QUARANTINE expectations.
    pub rows_quarantined: u64,
    /// Rows among the quarantined that no sink received.
    pub rows_discarded: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was written.
    pub outputs: Vec<OutputReport>,
    /// What was checked.
    pub expectations: Vec<ExpectationReport>,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// Why it failed or was skipped.
    pub error: Option<String>,
    /// Stable name of the error's kind.
    pub error_kind: Option<&'static str>,
}

/// One output of a node.
#[derive(Clone, Debug, Serialize)]
pub struct OutputReport {
    /// Target as written in the pipeline.
    pub path: String,
    /// Format.
    pub format: String,
    /// What happened to an existing target.
    pub mode: String,
    /// Whether it holds the quarantined rows.
    pub quarantine: bool,
    /// Whether nothing was written because the target existed (mode IGNORE).
    pub skipped: bool,
    /// Rows written by this run; of a merge, the changes that it was given.
    pub rows: u64,
    /// What became of these changes, of a merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeReport>,
    /// Bytes written by this run; none where an engine writes to storage of its own, which is not read back.
    pub bytes: Option<u64>,
}

/// What became of the changes of a merge; each of them is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// Changes that made a row, or a version of one.
    pub inserted: u64,
    /// Changes that replaced a row, or a version.
    pub updated: u64,
    /// Changes that removed a row, or ended its history.
    pub deleted: u64,
    /// Changes that came behind others which count instead of them.
    pub late: u64,
    /// Changes that were there already, or came more than once.
    pub repeated: u64,
    /// Changes after which the table shows what it showed before.
    pub unchanged: u64,
    /// Rows of the table that were written again, since they share a file with others that changed.
    pub rewritten: u64,
    /// Events that are kept beside the table, so that what comes late finds its place.
    pub remembered: u64,
}

impl MergeReport {
    /// All changes.
    #[must_use]
    pub fn events(&self) -> u64 {
        let Self {
            inserted,
            updated,
            deleted,
            late,
            repeated,
            unchanged,
            ..
        } = self;
        inserted + updated + deleted + late + repeated + unchanged
    }
}

/// Whether an expectation held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckStatus {
    /// Within its tolerance.
    Pass,
    /// Not.
    Fail,
}

/// The result of an expectation (section 15.2 of the execution rules).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectationReport {
    /// Name.
    pub name: String,
    /// Condition as written.
    pub expr: String,
    /// `ROW` or `AGGREGATE`.
    pub kind: &'static str,
    /// `WARN`, `DROP`, `QUARANTINE` or `FAIL`.
    pub action: &'static str,
    /// Whether it held.
    pub status: CheckStatus,
    /// Rows looked at.
    pub rows_count: u64,
    /// Rows that failed; null for AGGREGATE.
    pub fails_count: Option<u64>,
}

impl ExpectationReport {
    /// Failing share of the rows: 0 for an empty frame, none for AGGREGATE.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        let fails = self.fails_count?;
        if self.rows_count == 0 {
            return Some(0.0);
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        Some(fails as f64 / self.rows_count as f64)
    }

    /// `status: FAIL | fails count: 1 / 4 (25.00 %)`.
    #[must_use]
    pub fn summary(&self) -> String {
        let status = match self.status {
            CheckStatus::Pass => "PASS",
            CheckStatus::Fail => "FAIL",
        };
        match (self.fails_count, self.failure_rate()) {
            (Some(fails), Some(rate)) => format!(
                "status: {status} | fails count: {fails} / {} ({:.2} %)",
                self.rows_count,
                rate * 100.0
            ),
            _ => format!("status: {status}"),
        }
    }
}

impl fmt::Display for ExpectationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Checking expectation '{}' | {} (type: {}) | {}",
            self.name,
            self.expr,
            self.kind,
            self.summary()
        )
    }
}
