//! A session of the POLARS backend: dispatch only. Frames carry their plans; what sessions hold is known of files anyway.

use std::sync::Arc;

use async_trait::async_trait;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, Error, ErrorKind, Frame,
    Job, NamedFrames, Op, Outcome, ReadSpec, Result, RunCx, SqlTemplate, Subject, WriteSpec,
};

use laktory_formats::json::Known;

use crate::diagnose::unless_damaged;
use crate::error::engine_error;
use crate::spool::Spool;
use crate::{POLARS, PolarsFrame, arrow, execute, export, ops, read};

/// The session.
#[derive(Debug, Default)]
struct Session {
    /// What files of JSON hold that have been looked at.
    known: Arc<Known>,
}

/// Opens a session. The backend has no settings.
pub(crate) fn connect<'a>(
    _: &'a RunCx,
    config: &'a BackendConfig,
) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async move {
        match config.keys().next() {
            Some(name) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("backend POLARS has no setting `{name}`"),
            )
            .with_subject(Subject::Name(name.clone()))
            .with_hint("it has no settings")),
            None => {
                environment()?;
                // Warnings of the engine would go to standard error.
                polars_error::set_warning_function(|message, _| {
                    tracing::debug!(message, "Warning of polars")
                });
                Ok(Arc::new(Session::default()) as Arc<dyn Backend>)
            }
        }
    })
}

/// Refuses what the environment asks of the engine where that would end the process: numbers of threads that cannot be had,
/// sizes of nothing, and the engine's own wish to end it.
fn environment() -> Result<()> {
    const SIZES: [&str; 9] = [
        "_BUDGET",
        "_CONCURRENCY",
        "_COUNT",
        "_DEPTH",
        "_FACTOR",
        "_LEN",
        "_LIMIT",
        "_SIZE",
        "_THREAD",
    ];
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let wanted = if name == "POLARS_MAX_THREADS" || name == "RAYON_NUM_THREADS" {
            let fits = value
                .parse()
                .is_ok_and(|count: u32| (1..=1024).contains(&count));
            (!fits).then_some((
                "a number of threads from 1 to 1024",
                "leave it out for as many threads as there are cores",
            ))
        } else if !name.starts_with("POLARS_") {
            None
        } else if SIZES.iter().any(|end| name.ends_with(end)) {
            let fits = value.parse().is_ok_and(|size: u64| size > 0);
            (!fits).then_some(("a number of at least 1", "leave it out"))
        } else if name.starts_with("POLARS_PANIC_") {
            (value != "0").then_some(("only known as 0", "leave it out"))
        } else {
            None
        };
        if let Some((wanted, hint)) = wanted {
            let message = format!("the environment variable `{name}` is {wanted}, not `{value}`");
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint));
        }
    }
    Ok(())
}

#[async_trait]
impl Backend for Session {
    fn descriptor(&self) -> &'static BackendDescriptor {
        &POLARS
    }

    fn apply(&self, cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        ops::apply(cx, input, op, named)
    }

    async fn read(&self, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
        read::read(cx, &self.known, spec).await
    }

    async fn sql(&self, cx: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        laktory_sql::frame(self, cx, query, named).await
    }

    async fn schema(&self, cx: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        let native = PolarsFrame::of(frame)?;
        let (mut lazy, sources) = (native.plan(), native.sources());
        cx.blocking(move || {
            let schema = unless_damaged(&sources, || lazy.collect_schema().map_err(engine_error))?;
            arrow::arrow_schema(&schema)
        })
        .await
    }

    fn writable(&self, spec: &WriteSpec, columns: &SchemaRef) -> Result<()> {
        crate::write::check(spec, arrow::empty_frame(columns)?)
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        let run = cx.clone();
        cx.blocking(move || execute::execute(&run, &jobs)).await
    }

    async fn export(&self, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
        let schema = self.schema(cx, frame).await?;
        export::export(cx, frame, schema)
    }

    async fn import(&self, cx: &RunCx, mut batches: BatchStream) -> Result<Frame> {
        let empty = arrow::empty_frame(&batches.schema())?;
        let mut spool = Spool::new(cx, Arc::clone(empty.schema()));
        while let Some(batch) = next(&mut batches).await {
            let batch = batch?;
            spool = cx
                .blocking(move || {
                    spool.push(arrow::from_batch(&batch)?)?;
                    Ok(spool)
                })
                .await?;
        }
        let (_, lazy) = cx.blocking(move || spool.finish()).await?;
        Ok(PolarsFrame::from_lazy(lazy))
    }
}

/// The next batch of a stream.
async fn next(
    batches: &mut BatchStream,
) -> Option<Result<laktory_core::arrow::array::RecordBatch>> {
    use futures_core::Stream;
    use std::pin::Pin;
    std::future::poll_fn(|cx| Pin::new(&mut *batches).poll_next(cx)).await
}
