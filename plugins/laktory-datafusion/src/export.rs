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
    let rows = plans::rows(session, plan.clone()).await?;
    let state = (rows, cx.clone(), schema.clone(), plan);
    let batches = stream::try_unfold(state, |(mut rows, cx, schema, plan)| async {
        let batch = match plans::next(&mut rows, cx.cancel()).await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(None),
            Err(error) => return Err(crate::read::locate(&cx, error, &[plan]).await),
        };
        let batch = encoded(&batch, &schema)?;
        Ok::<_, laktory_core::Error>(Some((batch, (rows, cx, schema, plan))))
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
