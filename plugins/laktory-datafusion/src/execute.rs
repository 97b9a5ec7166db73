//! Several outputs in one pass: the largest plan that jobs have in common is computed once, and its rows are handed to
//! each of them.

mod shared;

use std::panic::AssertUnwindSafe;

use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::{Error, Job, Outcome, Result, RunCx, Target, WriteReport, WriteSpec};

use laktory_formats::packed::Pack;

use crate::arrow::{encoded, exported};
use crate::session::Session;
use crate::spool::Spool;
use crate::write::Encoding;
use crate::{DataFusionFrame, source, stream};

/// What a job gave.
enum Done {
    Written(u64),
    Kept(Box<Spool>),
    Collected(Vec<RecordBatch>),
}

/// Computes all jobs.
///
/// # Errors
/// Those of the plans and sinks; `Cancelled`.
pub(crate) async fn execute(session: &Session, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
    let mut plans = Vec::with_capacity(jobs.len());
    for job in &jobs {
        plans.push(session.plan(cx, &job.frame).await?);
    }
    // Damaged files may have the engine panic, also on the thread that asks.
    let ran = AssertUnwindSafe(run(session, cx, plans.clone(), jobs)).catch_unwind();
    let ran = ran
        .await
        .unwrap_or_else(|panic| Err(Error::from_panic(&*panic)));
    match ran {
        Ok(outcomes) => Ok(outcomes),
        Err(error) => Err(crate::read::locate(cx, error, &plans).await),
    }
}

async fn run(
    session: &Session,
    cx: &RunCx,
    plans: Vec<LogicalPlan>,
    jobs: Vec<Job>,
) -> Result<Vec<Outcome>> {
    let (streams, pump) = shared::streams(session, cx, plans).await?;
    let tasks = streams
        .into_iter()
        .zip(jobs)
        .map(|(rows, job)| SpawnedTask::spawn(consume(cx.clone(), rows, job.target)));
    let finished = try_join_all(tasks.map(|task| async {
        task.join()
            .await
            .unwrap_or_else(|error| Err(panicked(error)))
    }))
    .await?;
    drop(pump);
    let mut outcomes = Vec::with_capacity(finished.len());
    for done in finished {
        outcomes.push(match done {
            Done::Written(rows) => Outcome::Written(WriteReport::new(rows)),
            Done::Collected(batches) => Outcome::Collected(batches),
            Done::Kept(spool) => {
                let (rows, table) = cx.blocking(move || spool.finish()).await?;
                let frame = DataFusionFrame::from_plan(source::scan(session, table)?);
                Outcome::Materialized { frame, rows }
            }
        });
    }
    Ok(outcomes)
}

/// The error of a task that ended without an answer.
fn panicked(error: tokio::task::JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => Error::from_panic(&*panic),
        Err(error) => Error::internal(format!("a task of the engine was stopped: {error}")),
    }
}

async fn consume(cx: RunCx, rows: SendableRecordBatchStream, target: Target) -> Result<Done> {
    match target {
        Target::Write(spec) => write(&cx, rows, spec).await.map(Done::Written),
        Target::Materialize => {
            let spool = Spool::new(&cx, rows.schema());
            let kept = keep(&cx, rows, spool).await?;
            Ok(Done::Kept(Box::new(kept)))
        }
        Target::Collect => {
            let schema = exported(&rows.schema());
            let spool = keep(&cx, rows, Spool::unbounded(schema.clone())).await?;
            let batches = spool.into_batches().into_iter();
            let batches = batches.map(|batch| encoded(&batch, &schema));
            Ok(Done::Collected(batches.collect::<Result<_>>()?))
        }
        _ => Err(Error::unsupported("this kind of output")),
    }
}

async fn keep(cx: &RunCx, mut rows: SendableRecordBatchStream, mut spool: Spool) -> Result<Spool> {
    while let Some(batch) = stream::next(&mut rows, cx.cancel()).await? {
        spool = cx
            .blocking(move || {
                spool.push(batch)?;
                Ok(spool)
            })
            .await?;
    }
    Ok(spool)
}

/// Writes rows to a file; one batch is encoded while the next is computed.
async fn write(
    cx: &RunCx,
    mut rows: SendableRecordBatchStream,
    mut spec: WriteSpec,
) -> Result<u64> {
    let schema = exported(&rows.schema());
    let text = crate::write::text(&spec, &schema)?;
    if let Some(text) = &text {
        spec.path = text.engine_path();
    }
    let pack = text.as_ref().filter(|text| !text.is_beside());
    let pack = pack.map_or(Pack::None, |text| text.pack);
    let encoding = Encoding::of(&spec, &schema)?;
    let opened = schema.clone();
    let mut sink = cx
        .blocking(move || encoding.create(&spec.path, &opened, pack))
        .await?;
    let mut written = 0;
    while let Some(batch) = stream::next(&mut rows, cx.cancel()).await? {
        written += batch.num_rows() as u64;
        let schema = schema.clone();
        sink = cx
            .blocking(move || {
                sink.push(&encoded(&batch, &schema)?)?;
                Ok(sink)
            })
            .await?;
    }
    drop(rows);
    cx.blocking(move || {
        sink.finish()?;
        match text {
            Some(text) => text.finish(written),
            None => Ok(()),
        }
    })
    .await?;
    Ok(written)
}
