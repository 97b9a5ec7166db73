//! Steps: each becomes nodes of the logical plan.

mod combine;
mod project;
mod reshape;
mod rows;
mod stages;

use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use laktory_core::{Error, ErrorKind, Frame, NamedFrames, Op, OpKind, Result, RunCx, Support};

use crate::DataFusionFrame;
use crate::error::ResultExt;
use crate::frame::Pending;
use crate::session::Session;

/// The steps that the driver has.
pub(crate) const KINDS: &[(OpKind, Support)] = &[
    (OpKind::Select, Support::Full),
    (OpKind::WithColumns, Support::Full),
    (OpKind::Filter, Support::Full),
    (OpKind::Drop, Support::Full),
    (OpKind::Rename, Support::Full),
    (OpKind::Cast, Support::Full),
    (OpKind::Sort, Support::Full),
    (OpKind::Unique, Support::Full),
    (OpKind::DropNulls, Support::Full),
    (OpKind::Head, Support::Full),
    (OpKind::Tail, Support::Full),
    (OpKind::TopK, Support::Full),
    (OpKind::GatherEvery, Support::Full),
    (
        OpKind::Sample,
        Support::Partial {
            note: "rows are counted when the schema is resolved",
        },
    ),
    (OpKind::Aggregate, Support::Full),
    (OpKind::Join, Support::Full),
    (OpKind::JoinAsof, Support::Full),
    (OpKind::Union, Support::Full),
    (OpKind::WithRowIndex, Support::Full),
    (OpKind::Explode, Support::Full),
    (OpKind::Unpivot, Support::Full),
    (
        OpKind::Pivot,
        Support::Partial {
            note: "the distinct values of `on` are computed when the schema is resolved",
        },
    ),
    (OpKind::NullCount, Support::Full),
    (OpKind::Sql, Support::Full),
];

/// The frame after a step.
///
/// # Errors
/// `Unsupported`, `ForeignFrame`, `UnknownFrame`, `ColumnNotFound`, and those of the step's expressions.
pub(crate) fn apply(cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
    let frame = DataFusionFrame::of(input)?;
    let mut waits = !frame.pending().is_empty() || looks_at_data(op);
    let mut others = Vec::new();
    for name in op.frames() {
        let other = DataFusionFrame::of(named.get(name)?)?;
        waits |= !other.pending().is_empty();
        others.push(other.base().clone());
    }
    if waits {
        return Ok(frame.waiting(op, named));
    }
    let plan = step(cx, frame.base().clone(), op, others)?;
    Ok(DataFusionFrame::from_plan(plan))
}

/// Whether the step's plan depends on values, not on columns and types alone.
fn looks_at_data(op: &Op) -> bool {
    matches!(op, Op::Pivot { .. } | Op::Sample { .. })
}

/// The plan after a step that waited.
///
/// # Errors
/// As [`apply`], and those of the queries that find out what the step depends on.
pub(crate) async fn resolve(
    session: &Session,
    cx: &RunCx,
    plan: LogicalPlan,
    waiting: &Arc<Pending>,
) -> Result<LogicalPlan> {
    match &waiting.op {
        Op::Pivot {
            on,
            index,
            values,
            aggregate,
            sort_columns,
            separator,
        } => {
            let pivot = reshape::Pivot {
                on,
                index: index.as_deref(),
                values: values.as_deref(),
                aggregate: *aggregate,
                sort_columns: *sort_columns,
                separator,
            };
            reshape::pivot(session, cx, plan, &pivot).await
        }
        Op::Sample {
            n,
            fraction,
            with_replacement,
            seed,
        } => rows::sample(session, cx, plan, (*n, *fraction), *with_replacement, *seed).await,
        op => {
            let mut others = Vec::new();
            for name in op.frames() {
                // Boxed, since a frame that waits may itself wait for frames.
                others.push(Box::pin(session.plan(cx, waiting.named.get(name)?)).await?);
            }
            step(cx, plan, op, others)
        }
    }
}

/// Builds a plan.
pub(crate) fn built(
    builder: Result<LogicalPlanBuilder, datafusion::error::DataFusionError>,
) -> Result<LogicalPlan> {
    builder.and_then(LogicalPlanBuilder::build).or_error()
}

fn step(
    cx: &RunCx,
    plan: LogicalPlan,
    op: &Op,
    mut others: Vec<LogicalPlan>,
) -> Result<LogicalPlan> {
    let mut other = || {
        others
            .pop()
            .ok_or_else(|| Error::internal("a join without other frame"))
    };
    match op {
        Op::Select { exprs } => project::select(cx, plan, exprs),
        Op::WithColumns { exprs } => project::with_columns(cx, plan, exprs),
        Op::Filter { predicate } => project::filter(cx, plan, predicate),
        Op::Drop { columns, strict } => project::drop(plan, columns, *strict),
        Op::Rename { mapping } => project::rename(plan, mapping),
        Op::Cast { columns } => project::cast(cx, plan, columns),
        Op::Sort { by } => project::sort(cx, plan, by, None),
        Op::TopK { k, by } => {
            if by.is_empty() {
                return Err(invalid(op, "`by` is needed"));
            }
            let by: Vec<_> = by
                .iter()
                .map(|key| laktory_core::SortKey {
                    nulls_last: true,
                    ..key.clone()
                })
                .collect();
            project::sort(cx, plan, &by, Some(rows::count(*k)))
        }
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => project::aggregate(cx, plan, keys, aggs, *drop_null_keys),
        Op::Unique {
            subset,
            keep,
            order_by,
        } => rows::unique(cx, plan, subset.as_deref(), *keep, order_by),
        Op::DropNulls { subset } => rows::drop_nulls(plan, subset.as_deref()),
        Op::Head { n } => built(LogicalPlanBuilder::from(plan).limit(0, Some(rows::count(*n)))),
        Op::Tail { n } => rows::tail(plan, rows::count(*n)),
        Op::GatherEvery { n, offset } => {
            if *n == 0 {
                return Err(invalid(op, "`n` is at least 1"));
            }
            rows::gather_every(plan, *n, *offset)
        }
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
            ..
        } => rows::with_row_index(cx, plan, name, order_by, partition_by),
        Op::Join {
            how,
            left_on,
            right_on,
            suffix,
            nulls_equal,
            ..
        } => {
            let keys = (left_on.as_slice(), right_on.as_slice());
            combine::join(plan, other()?, *how, keys, *nulls_equal, suffix)
        }
        Op::JoinAsof {
            left_on,
            right_on,
            by_left,
            by_right,
            strategy,
            suffix,
            ..
        } => {
            let keys = combine::AsofKeys {
                on: (left_on, right_on),
                by: (by_left, by_right),
            };
            combine::join_asof(plan, other()?, &keys, *strategy, suffix)
        }
        Op::Union { how, .. } => combine::union(plan, others, *how),
        Op::Explode {
            columns,
            empty_as_null,
            keep_nulls,
        } => reshape::explode(plan, columns, *empty_as_null, *keep_nulls),
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => reshape::unpivot(plan, on.as_deref(), index, variable_name, value_name),
        Op::NullCount => reshape::null_count(plan),
        other => Err(Error::unsupported(format!(
            "`{}` is not available on backend DATAFUSION",
            other.kind().name()
        ))),
    }
}

fn invalid(op: &Op, why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("`{}`: {why}", op.kind().name()),
    )
}
