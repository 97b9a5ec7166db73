//! Rows that are in memory, or that arrive while a plan runs, as tables of one partition whose order is kept.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session as EngineSession, TableProvider};
use datafusion::common::Column;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures_util::stream;
use laktory_core::Result;
use laktory_core::arrow::array::RecordBatch;

use crate::error::ResultExt;
use crate::session::Session;

/// A plan that reads a table, with columns that have no qualifier. Each scan has a name of its own, by which plans are
/// told apart.
///
/// # Errors
/// Those of the engine, for tables that it cannot scan.
pub(crate) fn scan(session: &Session, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    named_scan(session.new_name(), table)
}

/// As [`scan`], by a name that the caller has chosen.
pub(crate) fn named_scan(name: String, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let scan = LogicalPlanBuilder::scan(
        datafusion::common::TableReference::bare(name),
        provider_as_source(table),
        None,
    )
    .or_error()?;
    unqualified(scan.build().or_error()?)
}

/// The plan with columns of the same names and no qualifiers.
///
/// # Errors
/// `DuplicateColumn`.
pub(crate) fn unqualified(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = plan.schema();
    if schema.iter().all(|(qualifier, _)| qualifier.is_none()) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = schema
        .iter()
        .map(|(qualifier, field)| {
            Expr::Column(Column::new(qualifier.cloned(), field.name())).alias(field.name())
        })
        .collect();
    LogicalPlanBuilder::from(plan)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .or_error()
}

/// A table whose rows come from one stream.
#[derive(Debug)]
pub(crate) struct Rows {
    stream: Arc<dyn PartitionStream>,
}

impl Rows {
    /// The rows of batches in memory.
    pub(crate) fn memory(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self {
            stream: Arc::new(Memory { schema, batches }),
        }
    }

    /// The rows of a stream, which can be read once.
    pub(crate) fn once(stream: SendableRecordBatchStream) -> Self {
        Self {
            stream: Arc::new(Once {
                schema: stream.schema(),
                stream: Mutex::new(Some(stream)),
            }),
        }
    }
}

#[async_trait]
impl TableProvider for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.stream.schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(StreamingTableExec::try_new(
            self.schema(),
            vec![Arc::clone(&self.stream)],
            projection,
            Vec::new(),
            false,
            limit,
        )?))
    }
}

/// Batches in memory.
struct Memory {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("batches", &self.batches.len())
            .finish_non_exhaustive()
    }
}

impl PartitionStream for Memory {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let size = context.session_config().batch_size().max(1);
        let batches = self.batches.clone().into_iter().flat_map(move |batch| {
            let rows = batch.num_rows();
            (0..rows)
                .step_by(size)
                .map(move |start| Ok(batch.slice(start, size.min(rows - start))))
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream::iter(batches),
        ))
    }
}

/// A stream that arrives while the plan runs.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self
            .stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        taken.unwrap_or_else(|| {
            let error = DataFusionError::Internal("a stream was read twice".into());
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                stream::iter([Err(error)]),
            ))
        })
    }
}
