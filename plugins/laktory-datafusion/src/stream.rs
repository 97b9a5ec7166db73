//! Plans carried out: their rows as one stream, in order where the plan keeps the order of its sources.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, execute_stream, execute_stream_partitioned,
};
use futures_util::{Stream, StreamExt, stream};
use laktory_core::arrow::array::RecordBatch;
use laktory_core::{Cancel, Result};
use tokio::sync::{Semaphore, mpsc};

use crate::error::{ResultExt, engine_error};
use crate::session::Session;

/// Bytes of batches that later partitions of one plan may hold ready while earlier ones are read.
const AHEAD: usize = 128 << 20;

/// How often a waiting run looks whether it was interrupted.
const WATCH: Duration = Duration::from_millis(100);

/// The rows of a plan.
///
/// # Errors
/// Those of the engine while it plans; those of the rows come out of the stream.
pub(crate) async fn rows(
    session: &Session,
    plan: LogicalPlan,
) -> Result<SendableRecordBatchStream> {
    let state = session.context().state();
    let physical = state.create_physical_plan(&plan).await.or_error()?;
    run(physical, state.task_ctx())
}

/// The rows of a physical plan.
pub(crate) fn run(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    if plan.output_partitioning().partition_count() > 1 && keeps_order(&*plan) {
        let schema = plan.schema();
        let partitions = execute_stream_partitioned(plan, context).or_error()?;
        return Ok(one_after_another(schema, partitions));
    }
    execute_stream(plan, context).or_error()
}

/// Whether the partitions of a plan, one after another, hold the rows in the order of its sources.
fn keeps_order(plan: &dyn ExecutionPlan) -> bool {
    const KEEPING: &[&str] = &[
        "CoalesceBatchesExec",
        "CooperativeExec",
        "DataSourceExec",
        "FilterExec",
        "ProjectionExec",
        "StreamingTableExec",
        "UnionExec",
        "UnnestExec",
    ];
    KEEPING.contains(&plan.name()) && plan.children().iter().all(|child| keeps_order(&***child))
}

/// The rows of several streams, which run side by side, one stream after another.
fn one_after_another(
    schema: SchemaRef,
    partitions: Vec<SendableRecordBatchStream>,
) -> SendableRecordBatchStream {
    let share = (AHEAD / partitions.len()).clamp(1 << 16, u32::MAX as usize >> 4);
    let running: Vec<_> = partitions
        .into_iter()
        .map(|partition| ahead(partition, share))
        .collect();
    let batches = stream::iter(running).flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// A stream that runs ahead of its reader by up to `bytes`, in a task that ends with it.
fn ahead(
    mut input: SendableRecordBatchStream,
    bytes: usize,
) -> impl Stream<Item = Result<RecordBatch, DataFusionError>> + Send {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(bytes));
    let producing = SpawnedTask::spawn(async move {
        while let Some(batch) = input.next().await {
            let size = batch.as_ref().map_or(0, RecordBatch::get_array_memory_size);
            let permits = u32::try_from(size.clamp(1, bytes)).unwrap_or(u32::MAX);
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_many_owned(permits).await else {
                return;
            };
            let failed = batch.is_err();
            if sender.send((batch, permit)).is_err() || failed {
                return;
            }
        }
    });
    stream::unfold(Some((receiver, producing)), |state| async {
        let (mut receiver, producing) = state?;
        if let Some((batch, _permit)) = receiver.recv().await {
            return Some((batch, Some((receiver, producing))));
        }
        // The end of a task that died is not the end of the rows.
        let error = producing.join().await.err()?;
        Some((Err(DataFusionError::External(Box::new(error))), None))
    })
}

/// The next batch of a stream, unless the run is interrupted while it is awaited.
///
/// # Errors
/// `Cancelled`; those of the stream.
pub(crate) async fn next(
    rows: &mut SendableRecordBatchStream,
    cancel: &Cancel,
) -> Result<Option<RecordBatch>> {
    cancel.check()?;
    loop {
        match tokio::time::timeout(WATCH, rows.next()).await {
            Ok(batch) => return batch.transpose().map_err(engine_error),
            Err(_) => cancel.check()?,
        }
    }
}
