//! What a node has put out, for people and programs: a lazy frame with the session that can read it.

use std::sync::Arc;

use futures_util::TryStreamExt;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{Backend, BatchStream, Frame, NamedFrames, Op, Result, RunCx};

use crate::run::Run;

/// The output of a node.
#[derive(Debug)]
pub struct NodeOutput {
    cx: RunCx,
    backend: Arc<dyn Backend>,
    frame: Frame,
    /// The run whose scratch space the frame may need.
    run: Option<Box<Run>>,
}

impl NodeOutput {
    pub(crate) fn new(cx: RunCx, backend: Arc<dyn Backend>, frame: Frame) -> Self {
        Self {
            cx,
            backend,
            frame,
            run: None,
        }
    }

    pub(crate) fn keeping(mut self, run: Run) -> Self {
        self.run = Some(Box::new(run));
        self
    }

    /// The engine's lazy frame, for the driver's typed extension.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Names and types of the columns.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn schema(&self) -> Result<SchemaRef> {
        self.backend.schema(&self.cx, &self.frame).await
    }

    /// The rows, batch by batch.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn stream(&self) -> Result<BatchStream> {
        self.backend.export(&self.cx, &self.frame).await
    }

    /// The rows, in memory.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn collect(&self) -> Result<Vec<RecordBatch>> {
        self.stream().await?.try_collect().await
    }

    /// The first `n` rows, in memory.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn head(&self, n: u64) -> Result<Vec<RecordBatch>> {
        let head =
            self.backend
                .apply(&self.cx, &self.frame, &Op::Head { n }, &NamedFrames::new())?;
        self.backend
            .export(&self.cx, &head)
            .await?
            .try_collect()
            .await
    }
}
