//! A session of the backend: dispatch only. There is nothing to connect to.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures_util::{TryStreamExt as _, stream};
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, Error, ErrorKind, Frame,
    Job, NamedFrames, Op, Outcome, ReadSpec, Result, RunCx, SqlTemplate,
};

use crate::{ARROWLITE, LiteFrame, batch, execute, files, ops, types};

#[derive(Debug)]
struct Session;

/// Opens a session.
pub(crate) fn connect<'a>(
    _: &'a RunCx,
    config: &'a BackendConfig,
) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async move {
        match config.keys().next() {
            None => Ok(Arc::new(Session) as Arc<dyn Backend>),
            Some(name) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{name}` is not a setting of backend {}", crate::NAME),
            )
            .with_hint("it has none")),
        }
    })
}

#[async_trait]
impl Backend for Session {
    fn descriptor(&self) -> &'static BackendDescriptor {
        &ARROWLITE
    }

    fn apply(&self, cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        ops::apply(self, cx, input, op, named)
    }

    async fn read(&self, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
        let spec = spec.clone();
        cx.blocking(move || files::read(&spec)).await
    }

    async fn sql(&self, cx: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        laktory_sql::frame(self, cx, query, named).await
    }

    async fn schema(&self, _: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        Ok(Arc::clone(&LiteFrame::plan(frame)?.schema))
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        execute::execute(cx, jobs).await
    }

    async fn export(&self, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
        let rows = execute::rows(cx, frame).await?;
        let schema = rows.schema();
        Ok(BatchStream::new(schema, stream::iter([Ok(rows)])))
    }

    async fn import(&self, cx: &RunCx, batches: BatchStream) -> Result<Frame> {
        let schema = types::encoded_schema(&batches.schema());
        let batches: Vec<_> = batches.try_collect().await?;
        let rows = cx
            .blocking(move || batch::joined(&schema, &batches))
            .await?;
        Ok(LiteFrame::rows(rows))
    }
}
