//! Rows that leave and enter the engine.

use futures_util::{StreamExt, stream};
use laktory_core::{BatchStream, Frame, Result, RunCx};

use crate::arrow::{encoded, exported};
use crate::session::Session;
use crate::spool::Spool;
use crate::{DataFusionFrame, source, stream as plans};

/// The rows of a frame, in the encodings that [`exported`] promises. The engine works while they are read.
///
/// # Errors
/// Those of the plan; those of the rows come out of the stream.
pub(crate) async fn export(session: &Session, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
    let plan = session.plan(cx, frame).await?;
    let schema = exported(plan.schema().as_arrow());
    let rows = plans::rows(session, plan).await?;
    let state = (rows, cx.cancel().clone(), schema.clone());
    let batches = stream::try_unfold(state, |(mut rows, cancel, schema)| async {
        let Some(batch) = plans::next(&mut rows, &cancel).await? else {
            return Ok(None);
        };
        let batch = encoded(&batch, &schema)?;
        Ok::<_, laktory_core::Error>(Some((batch, (rows, cancel, schema))))
    });
    Ok(BatchStream::new(schema, batches))
}

/// A frame of rows from outside.
///
/// # Errors
/// Those of the stream; `Io` when rows cannot be spilled.
pub(crate) async fn import(
    session: &Session,
    cx: &RunCx,
    mut batches: BatchStream,
) -> Result<Frame> {
    let mut spool = Spool::new(cx, batches.schema());
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        spool = cx
            .blocking(move || {
                spool.push(batch)?;
                Ok(spool)
            })
            .await?;
    }
    let (_, table) = cx.blocking(move || spool.finish()).await?;
    Ok(DataFusionFrame::from_plan(source::scan(session, table)?))
}
