//! Several outputs in one pass: what their plans have in common is computed once.

use arrow::array::RecordBatch;
use laktory_core::{Error, Frame, Job, Outcome, Result, RunCx, Target, WriteReport};

use crate::frame::{LiteFrame, Run};
use crate::{files, unsupported};

/// Computes all jobs, away from the asynchronous threads.
///
/// # Errors
/// Those of the plans and files; `Cancelled`.
pub(crate) async fn execute(cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
    let cancel = cx.cancel().clone();
    cx.blocking(move || {
        let plans = jobs
            .iter()
            .map(|job| LiteFrame::plan(&job.frame))
            .collect::<Result<Vec<_>>>()?;
        let mut run = Run::new(&cancel, &plans);
        jobs.iter()
            .zip(&plans)
            .map(|(job, plan)| done(run.rows(plan)?, &job.target))
            .collect()
    })
    .await
}

fn done(rows: RecordBatch, target: &Target) -> Result<Outcome> {
    let count = rows.num_rows() as u64;
    Ok(match target {
        Target::Write(spec) => {
            files::write(spec, &rows)?;
            Outcome::Written(WriteReport::new(count))
        }
        Target::Materialize => Outcome::Materialized {
            frame: LiteFrame::rows(rows),
            rows: count,
        },
        Target::Collect => Outcome::Collected(vec![rows]),
        _ => return Err(unsupported("this kind of output")),
    })
}

/// The rows of one frame.
///
/// # Errors
/// As [`execute`].
pub(crate) async fn rows(cx: &RunCx, frame: &Frame) -> Result<RecordBatch> {
    let job = Job::new(frame.clone(), Target::Collect);
    match execute(cx, vec![job]).await?.pop() {
        Some(Outcome::Collected(mut batches)) if batches.len() == 1 => Ok(batches.remove(0)),
        _ => Err(Error::internal("a collected frame without rows")),
    }
}
