//! Rows that leave and enter the engine.

use std::sync::Arc;

use datafusion::datasource::MemTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use futures_util::{StreamExt, TryStreamExt};
use laktory_core::{BatchStream, Frame, Result, RunCx};

use crate::DataFusionFrame;
use crate::error::{ResultExt, engine_error};
use crate::session::Session;

/// The rows of a frame.
pub(crate) async fn export(session: &Session, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
    let plan = session.plan(cx, frame).await?;
    let schema = crate::arrow::exported(plan.schema().as_arrow());
    let data = session
        .context()
        .execute_logical_plan(plan)
        .await
        .or_error()?;
    let stream = data.execute_stream().await.or_error()?;
    Ok(BatchStream::new(schema, stream.map_err(engine_error)))
}

/// A frame of rows from outside.
pub(crate) async fn import(_: &Session, _: &RunCx, mut batches: BatchStream) -> Result<Frame> {
    let schema = batches.schema();
    let mut all = Vec::new();
    while let Some(batch) = batches.next().await {
        all.push(batch?);
    }
    let table = MemTable::try_new(schema, vec![all]).or_error()?;
    let plan = LogicalPlanBuilder::scan("t", provider_as_source(Arc::new(table)), None)
        .and_then(LogicalPlanBuilder::build)
        .or_error()?;
    Ok(DataFusionFrame::from_plan(plan))
}
