//! The one pass over a node's rows: its jobs, what each is for, and what came of them.

use std::collections::BTreeMap;

use laktory_core::arrow::array::RecordBatch;
use laktory_core::{Error, ErrorKind, Expr, Field, Frame, Func, Job, Op, Outcome, Result, Target};
use laktory_model::Path;

use crate::expectations::{self, Metrics};
use crate::outputs::Output;

/// What a job of the node's pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Output(usize),
    /// Changes that are merged once the rows are judged.
    Merge(usize),
    /// Rows that a file held before it is appended to.
    Existing(usize),
    Metrics,
    Keep,
    Quarantine,
    Count,
}

/// The jobs of one pass, and what each is for.
#[derive(Default)]
pub(crate) struct Pass {
    pub(crate) jobs: Vec<Job>,
    pub(crate) purposes: Vec<Purpose>,
}

impl Pass {
    pub(crate) fn add(&mut self, purpose: Purpose, frame: Frame, target: Target) {
        self.jobs.push(Job::new(frame, target));
        self.purposes.push(purpose);
    }

    /// The jobs that write files of this machine, with the places of their sinks.
    pub(crate) fn writes(&self, outputs: &[Output]) -> Vec<(Path, Job)> {
        let jobs = self.purposes.iter().zip(&self.jobs);
        jobs.filter_map(|(purpose, job)| match (purpose, &job.target) {
            (Purpose::Output(number), Target::Write(_)) => {
                Some((outputs.get(*number)?.sink.place.clone(), job.clone()))
            }
            _ => None,
        })
        .collect()
    }
}

/// Column of [`count_rows`].
const ROWS: &str = "rows";

/// The outcomes of a pass, by purpose.
pub(crate) struct Results {
    /// Rows in each output, by position among the outputs.
    pub(crate) written: BTreeMap<usize, u64>,
    /// Rows in each file of an output, in the order of the jobs.
    pub(crate) parts: BTreeMap<usize, Vec<u64>>,
    /// Changes to be merged, by position among the outputs.
    pub(crate) changes: BTreeMap<usize, Frame>,
    /// Rows that were in the file before.
    pub(crate) existing: BTreeMap<usize, u64>,
    pub(crate) metrics: Option<Vec<RecordBatch>>,
    pub(crate) kept: Option<(Frame, u64)>,
    pub(crate) quarantined: Option<Frame>,
    pub(crate) counted: Option<u64>,
}

impl Results {
    pub(crate) fn of(purposes: &[Purpose], outcomes: Vec<Outcome>) -> Result<Self> {
        let mut results = Self {
            written: BTreeMap::new(),
            parts: BTreeMap::new(),
            changes: BTreeMap::new(),
            existing: BTreeMap::new(),
            metrics: None,
            kept: None,
            quarantined: None,
            counted: None,
        };
        if purposes.len() != outcomes.len() {
            return Err(Error::internal(
                "the engine returned fewer outcomes than jobs",
            ));
        }
        for (purpose, outcome) in purposes.iter().zip(outcomes) {
            match (*purpose, outcome) {
                (Purpose::Output(number), Outcome::Written(report)) => {
                    *results.written.entry(number).or_default() += report.rows;
                    results.parts.entry(number).or_default().push(report.rows);
                }
                (Purpose::Merge(number), Outcome::Materialized { frame, rows }) => {
                    results.written.insert(number, rows);
                    results.changes.insert(number, frame);
                }
                (Purpose::Existing(number), Outcome::Collected(batches)) => {
                    results.existing.insert(number, counted(&batches)?);
                }
                (Purpose::Metrics, Outcome::Collected(batches)) => results.metrics = Some(batches),
                (Purpose::Keep, Outcome::Materialized { frame, rows }) => {
                    results.kept = Some((frame, rows));
                }
                (Purpose::Quarantine, Outcome::Materialized { frame, .. }) => {
                    results.quarantined = Some(frame);
                }
                (Purpose::Count, Outcome::Collected(batches)) => {
                    results.counted = Some(counted(&batches)?);
                }
                (purpose, _) => {
                    return Err(Error::internal(format!(
                        "the engine returned another outcome than {purpose:?} asked for"
                    )));
                }
            }
        }
        results.with_existing()?;
        Ok(results)
    }

    /// That no file which was read and written again has fewer rows than before.
    fn with_existing(&self) -> Result<()> {
        for (number, existing) in &self.existing {
            let written = self.written.get(number).copied().unwrap_or(0);
            if written < *existing {
                let message = format!(
                    "an output that is appended to had {existing} rows, and would have {written}"
                );
                return Err(Error::new(ErrorKind::RowsLost, message)
                    .with_hint("nothing was published; run again when nothing else writes to it"));
            }
        }
        Ok(())
    }

    /// Rows that this run added to an output.
    pub(crate) fn rows_added(&self, number: usize) -> u64 {
        let written = self.written.get(&number).copied().unwrap_or(0);
        written.saturating_sub(self.existing.get(&number).copied().unwrap_or(0))
    }

    /// Rows of the node's output, when no expectation counted them.
    pub(crate) fn rows_kept(&self, outputs: &[Output]) -> Option<u64> {
        self.counted
            .or(self.kept.as_ref().map(|(_, rows)| *rows))
            .or_else(|| {
                let number = outputs.iter().position(|output| !output.sink.quarantine)?;
                Some(self.rows_added(number))
            })
    }
}

/// Rows in = rows out + dropped + quarantined, counted on both sides of the pass.
pub(crate) fn conserved(metrics: &Metrics, results: &Results, outputs: &[Output]) -> Result<()> {
    let removed = metrics.dropped + metrics.quarantined;
    let lost = |place: &str, rows: u64, expected: u64| {
        Error::new(
            ErrorKind::RowsLost,
            format!(
                "{place} has {rows} rows, but {} came in, {} were dropped and {} quarantined, which leaves {expected}",
                metrics.rows, metrics.dropped, metrics.quarantined
            ),
        )
        .with_hint("nothing was published; a non-deterministic expression can cause this, else it is a bug")
    };
    if removed > metrics.rows {
        return Err(lost("the output", 0, 0));
    }
    let kept = metrics.rows - removed;
    for (number, output) in outputs.iter().enumerate() {
        let expected = if output.sink.quarantine {
            metrics.quarantined
        } else {
            kept
        };
        let rows = results.rows_added(number);
        if output.is_counted() && rows != expected {
            return Err(lost(&format!("`{}`", output.sink.target), rows, expected));
        }
    }
    match &results.kept {
        Some((_, rows)) if *rows != kept => Err(lost("the output", *rows, kept)),
        _ => Ok(()),
    }
}

/// The columns that a sink's schema wants, with its types.
pub(crate) fn conform(schema: &[Field]) -> Op {
    let exprs = schema.iter().map(|field| Expr::Cast {
        expr: Box::new(Expr::column(&field.name)),
        to: field.dtype.clone(),
        strict: true,
    });
    Op::Select {
        exprs: exprs.collect(),
    }
}

pub(crate) fn count_rows() -> Op {
    Op::Aggregate {
        keys: Vec::new(),
        aggs: vec![count_rows_as(ROWS)],
        drop_null_keys: false,
    }
}

/// The number of rows, as a column.
pub(crate) fn count_rows_as(name: &str) -> Expr {
    Expr::Call {
        func: Func::Len,
        args: Vec::new(),
    }
    .alias(name)
}

fn counted(batches: &[RecordBatch]) -> Result<u64> {
    expectations::count(batches, ROWS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use laktory_core::WriteReport;
    use laktory_core::arrow::array::UInt64Array;

    use super::*;

    #[test]
    fn a_file_that_is_appended_to_does_not_get_shorter() {
        let added = |existing: u64, rows: u64| {
            let count = Arc::new(UInt64Array::from(vec![existing])) as _;
            let batch = RecordBatch::try_from_iter([(ROWS, count)]).unwrap();
            let outcomes = vec![
                Outcome::Collected(vec![batch]),
                Outcome::Written(WriteReport::new(rows)),
            ];
            let purposes = [Purpose::Existing(0), Purpose::Output(0)];
            Results::of(&purposes, outcomes).map(|results| results.rows_added(0))
        };
        assert_eq!(added(3, 5).unwrap(), 2);
        assert_eq!(added(3, 3).unwrap(), 0);
        assert_eq!(added(3, 2).unwrap_err().kind(), ErrorKind::RowsLost);
    }
}
