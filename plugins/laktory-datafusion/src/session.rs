//! A session of the DATAFUSION backend: dispatch, and the engine's own session.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, Frame, Job, NamedFrames, Op,
    Outcome, ReadSpec, Result, RunCx, SqlTemplate, WriteSpec,
};

use laktory_formats::json::Known;

use crate::settings::Settings;
use crate::{DATAFUSION, DataFusionFrame, arrow, execute, export, ops, read};

/// The session.
pub(crate) struct Session {
    context: SessionContext,
    names: AtomicU64,
    known: Arc<Known>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Opens a session.
pub(crate) fn connect<'a>(
    cx: &'a RunCx,
    config: &'a BackendConfig,
) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async move {
        let settings = Settings::parse(config)?;
        let scratch = cx.scratch().to_owned();
        let context = cx.blocking(move || settings.context(&scratch)).await?;
        Ok(Arc::new(Session {
            context,
            names: AtomicU64::new(0),
            known: Arc::default(),
        }) as Arc<dyn Backend>)
    })
}

impl Session {
    /// The engine's session.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// What files of JSON hold that have been looked at.
    pub(crate) fn known(&self) -> &Arc<Known> {
        &self.known
    }

    /// A name that no scan of this session has yet.
    pub(crate) fn new_name(&self) -> String {
        format!("frame_{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// The whole plan of a frame: steps that had to look at data are carried out as far as they must.
    ///
    /// # Errors
    /// `ForeignFrame`; those of the waiting steps.
    pub(crate) async fn plan(&self, cx: &RunCx, frame: &Frame) -> Result<LogicalPlan> {
        let native = DataFusionFrame::of(frame)?;
        let mut plan = native.base().clone();
        for waiting in native.pending() {
            plan = ops::resolve(self, cx, plan, waiting).await?;
        }
        Ok(plan)
    }
}

impl Session {
    /// The rows of a plan, for steps that must look at data.
    pub(crate) async fn collect(
        &self,
        cx: &RunCx,
        plan: LogicalPlan,
    ) -> Result<Vec<laktory_core::arrow::array::RecordBatch>> {
        use crate::error::ResultExt;
        cx.cancel().check()?;
        let data = self.context.execute_logical_plan(plan.clone()).await;
        let rows = match data {
            Ok(data) => data.collect().await.or_error(),
            Err(error) => Err(error).or_error(),
        };
        match rows {
            Ok(rows) => Ok(rows),
            Err(error) => Err(read::locate(cx, error, &[plan]).await),
        }
    }
}

#[async_trait]
impl Backend for Session {
    fn descriptor(&self) -> &'static BackendDescriptor {
        &DATAFUSION
    }

    fn apply(&self, cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        ops::apply(cx, input, op, named)
    }

    async fn read(&self, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
        read::read(self, cx, spec).await
    }

    async fn sql(&self, cx: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        laktory_sql::frame(self, cx, query, named).await
    }

    async fn schema(&self, cx: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        let plan = self.plan(cx, frame).await?;
        Ok(arrow::exported(plan.schema().as_arrow()))
    }

    fn writable(&self, spec: &WriteSpec, columns: &SchemaRef) -> Result<()> {
        crate::write::Encoding::of(spec, columns)?;
        crate::write::text(spec, columns).map(drop)
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        execute::execute(self, cx, jobs).await
    }

    async fn export(&self, cx: &RunCx, frame: &Frame) -> Result<BatchStream> {
        export::export(self, cx, frame).await
    }

    async fn import(&self, cx: &RunCx, batches: BatchStream) -> Result<Frame> {
        export::import(self, cx, batches).await
    }
}
