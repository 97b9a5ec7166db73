//! The plan that jobs have in common, carried out once. Its rows pass through one bounded channel for each job that
//! reads them. A job reads its channel at one place only, so that none ever waits for itself; who ends early drops its
//! end and is left out from then on.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session as EngineSession, TableProvider};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::{TableType, source_as_provider};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures_util::stream;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::{Error, Result, RunCx};
use tokio::sync::mpsc;

use crate::error::{ResultExt, carry};
use crate::session::Session;
use crate::source::{Rows, named_scan};
use crate::stream::{next, run};

/// Batches that wait for one job.
const WAITING: usize = 4;

/// What passes through a channel; its end without [`Message::End`] is that of a task that died.
enum Message {
    Batch(RecordBatch),
    Failed(Arc<DataFusionError>),
    End,
}

/// The rows of each plan, and the task that feeds those that share a plan.
pub(super) async fn streams(
    session: &Session,
    cx: &RunCx,
    plans: Vec<LogicalPlan>,
) -> Result<(Vec<SendableRecordBatchStream>, Option<SpawnedTask<()>>)> {
    let state = session.context().state();
    let common = common(&plans)?;
    let mut optimized = Vec::with_capacity(plans.len());
    let mut wanted = BTreeSet::new();
    let mut slots = Vec::with_capacity(plans.len());
    for plan in plans {
        let own = state.optimize(&plan).or_error()?;
        let shared = match &common {
            Some(common) if occurrences(&plan, common)? == 1 => {
                let slot = Arc::new(Slot::new(Arc::clone(common.schema().inner())));
                let replaced = replaced(session, plan, common, &slot)?;
                let replaced = state.optimize(&replaced).or_error()?;
                columns(&replaced)?.map(|columns| (replaced, slot, columns))
            }
            _ => None,
        };
        match shared {
            Some((plan, slot, columns)) => {
                wanted.extend(columns);
                optimized.push(plan);
                slots.push(Some(slot));
            }
            None => {
                optimized.push(own);
                slots.push(None);
            }
        }
    }
    let columns: Vec<usize> = wanted.into_iter().collect();
    let pump = match common {
        Some(common) if slots.iter().any(Option::is_some) => {
            Some(pump(session, cx, &common, &columns, &slots).await?)
        }
        _ => None,
    };
    let mut streams = Vec::with_capacity(optimized.len());
    for (plan, slot) in optimized.into_iter().zip(slots) {
        let planner = state.query_planner();
        let physical = planner
            .create_physical_plan(&plan, &state)
            .await
            .or_error()?;
        // A channel that the plan does not read after all would hold up the others.
        drop(slot.map(|slot| slot.take()));
        streams.push(run(physical, state.task_ctx())?);
    }
    Ok((streams, pump))
}

/// The largest plan that most of the jobs contain, if computing it once saves anything.
fn common(plans: &[LogicalPlan]) -> Result<Option<LogicalPlan>> {
    let mut best: Option<(usize, LogicalPlan)> = None;
    for (at, plan) in plans.iter().enumerate() {
        let mut candidates = Vec::new();
        plan.apply_with_subqueries(|node| {
            candidates.push(node.clone());
            Ok(TreeNodeRecursion::Continue)
        })
        .or_error()?;
        for candidate in candidates {
            if !worth_sharing(&candidate)? {
                continue;
            }
            let mut readers = 1;
            for other in &plans[at + 1..] {
                readers += usize::from(occurrences(other, &candidate)? == 1);
            }
            let better = best.as_ref().is_none_or(|(most, _)| readers > *most);
            if readers > 1 && occurrences(plan, &candidate)? == 1 && better {
                best = Some((readers, candidate));
            }
        }
    }
    Ok(best.map(|(_, plan)| plan))
}

/// Whether a plan stands for itself, and does more than to look at rows in memory.
fn worth_sharing(plan: &LogicalPlan) -> Result<bool> {
    if plan
        .schema()
        .iter()
        .any(|(qualifier, _)| qualifier.is_some())
        || plan.schema().fields().is_empty()
    {
        return Ok(false);
    }
    let mut works = false;
    let mut stands_alone = true;
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                let provider = source_as_provider(&scan.source)?;
                works |= provider.downcast_ref::<Rows>().is_none();
            }
            LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => {}
            _ => works = true,
        }
        stands_alone &= !node.expressions().iter().any(Expr::contains_outer);
        Ok(TreeNodeRecursion::Continue)
    })
    .or_error()?;
    Ok(works && stands_alone)
}

fn occurrences(plan: &LogicalPlan, part: &LogicalPlan) -> Result<usize> {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        if node == part {
            count += 1;
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .or_error()?;
    Ok(count)
}

/// The plan with a scan of a slot in the place of a part.
fn replaced(
    session: &Session,
    plan: LogicalPlan,
    part: &LogicalPlan,
    slot: &Arc<Slot>,
) -> Result<LogicalPlan> {
    let scan = named_scan(
        session.new_name(),
        Arc::clone(slot) as Arc<dyn TableProvider>,
    )?;
    let changed = plan.transform_down_with_subqueries(|node| {
        if node == *part {
            return Ok(Transformed::new(
                scan.clone(),
                true,
                TreeNodeRecursion::Jump,
            ));
        }
        Ok(Transformed::no(node))
    });
    Ok(changed.or_error()?.data)
}

/// The columns that a plan reads from its slot; `None` unless it reads it at one place.
fn columns(plan: &LogicalPlan) -> Result<Option<Vec<usize>>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            if provider.downcast_ref::<Slot>().is_some() {
                let all = (0..provider.schema().fields().len()).collect();
                found.push(scan.projection.clone().unwrap_or(all));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .or_error()?;
    Ok(match found.len() {
        1 => found.pop(),
        _ => None,
    })
}

/// Starts to compute the common plan, of which only some columns are wanted, and fills the slots.
async fn pump(
    session: &Session,
    cx: &RunCx,
    common: &LogicalPlan,
    columns: &[usize],
    slots: &[Option<Arc<Slot>>],
) -> Result<SpawnedTask<()>> {
    let fields = common.schema().fields();
    let exprs: Vec<Expr> = columns
        .iter()
        .map(|at| ident(fields[*at].name().as_str()))
        .collect();
    let plan = LogicalPlanBuilder::from(common.clone())
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .or_error()?;
    let mut rows = crate::stream::rows(session, plan).await?;
    let schema = rows.schema();
    let mut channels = Vec::new();
    for slot in slots.iter().flatten() {
        let (sender, receiver) = mpsc::channel(WAITING);
        slot.fill(columns.to_vec(), received(Arc::clone(&schema), receiver));
        channels.push(sender);
    }
    let cancel = cx.cancel().clone();
    Ok(SpawnedTask::spawn(async move {
        while !channels.is_empty() {
            match next(&mut rows, &cancel).await {
                Ok(Some(batch)) => {
                    let mut open = Vec::with_capacity(channels.len());
                    for channel in channels {
                        if channel.send(Message::Batch(batch.clone())).await.is_ok() {
                            open.push(channel);
                        }
                    }
                    channels = open;
                }
                Ok(None) => {
                    for channel in &channels {
                        let _ = channel.send(Message::End).await;
                    }
                    return;
                }
                Err(error) => {
                    let error = Arc::new(carry(error));
                    for channel in &channels {
                        let _ = channel.send(Message::Failed(Arc::clone(&error))).await;
                    }
                    return;
                }
            }
        }
    }))
}

fn received(schema: SchemaRef, receiver: mpsc::Receiver<Message>) -> SendableRecordBatchStream {
    let batches = stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Message::Batch(batch)) => Some((Ok(batch), Some(receiver))),
            Some(Message::Failed(error)) => Some((Err(DataFusionError::Shared(error)), None)),
            Some(Message::End) => None,
            None => {
                let error = Error::internal("the shared part of a plan ended without an answer");
                Some((Err(carry(error)), None))
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// The place of a shared plan in the plan of a job, filled when its columns are known.
struct Slot {
    schema: SchemaRef,
    filled: Mutex<Option<(Vec<usize>, SendableRecordBatchStream)>>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl Slot {
    fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            filled: Mutex::new(None),
        }
    }

    fn fill(&self, columns: Vec<usize>, rows: SendableRecordBatchStream) {
        *self.filled.lock().unwrap_or_else(PoisonError::into_inner) = Some((columns, rows));
    }

    fn take(&self) -> Option<(Vec<usize>, SendableRecordBatchStream)> {
        self.filled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[async_trait]
impl TableProvider for Slot {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let Some((columns, rows)) = self.take() else {
            return Err(DataFusionError::Internal(
                "a shared plan was asked for twice".into(),
            ));
        };
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let places: Option<Vec<usize>> = projection
            .unwrap_or(&all)
            .iter()
            .map(|wanted| columns.iter().position(|column| column == wanted))
            .collect();
        let Some(places) = places else {
            return Err(DataFusionError::Internal(
                "a shared plan was asked for another column".into(),
            ));
        };
        Rows::once(rows)
            .scan(state, Some(&places), filters, limit)
            .await
    }
}
