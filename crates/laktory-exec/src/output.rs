//! What a node has put out, for people and programs: a lazy frame with the session that can read it.

use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{
    Backend, BatchStream, Error, ErrorKind, Format, Frame, Job, NamedFrames, Op, Outcome, Result,
    RunCx, Target, WriteSpec,
};

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

    /// Writes the rows, or the first `n`, to a new file as a sink of that format would; the number of rows.
    ///
    /// # Errors
    /// `Unsupported` when the engine cannot write the format to a local file; those of the engine.
    pub async fn write(&self, format: Format, path: &Path, n: Option<u64>) -> Result<u64> {
        let backend = self.backend.descriptor();
        let capabilities = (backend.capabilities)();
        let supported = capabilities.write(&format).support.is_available();
        if !supported || !capabilities.local_files {
            let name = backend.name;
            let message = format!("backend {name} cannot write {format} to a local file");
            let error = Error::new(ErrorKind::Unsupported, message);
            return Err(error.with_hint("write it with a sink, or show a table"));
        }
        let frame = match n {
            Some(n) => {
                let head = Op::Head { n };
                self.backend
                    .apply(&self.cx, &self.frame, &head, &NamedFrames::new())?
            }
            None => self.frame.clone(),
        };
        let spec = WriteSpec::new(format, path.to_owned());
        let job = Job::new(frame, Target::Write(spec));
        match self.backend.execute(&self.cx, vec![job]).await?.pop() {
            Some(Outcome::Written(report)) => Ok(report.rows),
            _ => Err(Error::internal("the engine wrote nothing")),
        }
    }
}
