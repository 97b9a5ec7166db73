//! A session for tests, with a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt, stream};
use laktory_core::arrow::array::RecordBatch;
use laktory_core::{
    Backend, BackendConfig, BatchStream, BlockingPool, Cancel, Frame, FrameName, Job, NamedFrames,
    Outcome, ReadSpec, Result, RunCx, SqlSegment, SqlTemplate, Target,
};

/// A session with its runtime.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) cx: RunCx,
    pub(crate) cancel: Cancel,
    backend: Arc<dyn Backend>,
    runtime: tokio::runtime::Runtime,
}

struct Pool(tokio::runtime::Handle);

impl BlockingPool for Pool {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        drop(self.0.spawn_blocking(work));
    }
}

impl Bench {
    /// A session whose materialised frames may hold so many bytes.
    pub(crate) fn with_budget(budget: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let cx = RunCx::new(
            Arc::new(Pool(runtime.handle().clone())),
            cancel.clone(),
            folder.path().join("scratch"),
            budget,
            SystemTime::now(),
        );
        let config = BackendConfig::new();
        let backend = runtime
            .block_on(crate::session::connect(&cx, &config))
            .unwrap();
        Self {
            folder,
            cx,
            cancel,
            backend,
            runtime,
        }
    }

    pub(crate) fn new() -> Self {
        Self::with_budget(1 << 30)
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A frame of batches.
    pub(crate) fn import(&self, batches: Vec<RecordBatch>) -> Result<Frame> {
        let schema = batches[0].schema();
        let batches = stream::iter(batches.into_iter().map(Ok)).boxed();
        self.runtime.block_on(
            self.backend
                .import(&self.cx, BatchStream::new(schema, batches)),
        )
    }

    pub(crate) fn read(&self, spec: &ReadSpec) -> Result<Frame> {
        self.runtime.block_on(self.backend.read(&self.cx, spec))
    }

    /// The result of a statement over `{df}`.
    pub(crate) fn sql(&self, frame: &Frame, text: &str) -> Result<Frame> {
        let mut segments = Vec::new();
        let mut at = 0;
        for (start, placeholder) in text.match_indices("{df}") {
            segments.push((SqlSegment::Text(text[at..start].to_owned()), at..start));
            at = start + placeholder.len();
            segments.push((SqlSegment::Frame(FrameName::Df), start..at));
        }
        segments.push((SqlSegment::Text(text[at..].to_owned()), at..text.len()));
        let mut named = NamedFrames::new();
        named.insert(FrameName::Df, frame.clone());
        let template = SqlTemplate::new(segments);
        self.runtime
            .block_on(self.backend.sql(&self.cx, &template, &named))
    }

    pub(crate) fn rows(&self, frame: &Frame) -> Result<Vec<RecordBatch>> {
        self.runtime.block_on(async {
            let rows = self.backend.export(&self.cx, frame).await?;
            rows.try_collect().await
        })
    }

    pub(crate) fn execute(&self, jobs: Vec<(&Frame, Target)>) -> Result<Vec<Outcome>> {
        let jobs = jobs
            .into_iter()
            .map(|(frame, target)| Job::new(frame.clone(), target));
        self.runtime
            .block_on(self.backend.execute(&self.cx, jobs.collect()))
    }

    /// Columns of a frame, as `name type: values`.
    pub(crate) fn shown(&self, frame: &Frame) -> Result<String> {
        self.rows(frame).map(|batches| shown(&batches))
    }
}

/// Columns of batches, as `name type: values`.
pub(crate) fn shown(batches: &[RecordBatch]) -> String {
    use datafusion::arrow::array::Array;
    use datafusion::arrow::util::display::array_value_to_string;
    let Some(first) = batches.first() else {
        return "no batch".to_owned();
    };
    let schema = first.schema();
    let columns = schema.fields().iter().enumerate().map(|(at, field)| {
        let mut text = format!(
            "{} {}:",
            field.name(),
            crate::types::shown(field.data_type())
        );
        for batch in batches {
            let column = batch.column(at);
            for row in 0..batch.num_rows() {
                let nulls = column.logical_nulls();
                let value = match nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    true => "null".to_owned(),
                    false => array_value_to_string(column, row).unwrap(),
                };
                text = format!("{text} {value}");
            }
        }
        text
    });
    columns.collect::<Vec<_>>().join(", ")
}
