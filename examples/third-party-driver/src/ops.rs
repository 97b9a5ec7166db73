//! Steps: each becomes a closure over the rows of its inputs, and the schema of what it gives.

mod combine;
mod project;
mod rows;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use laktory_core::{
    Error, ErrorKind, Frame, NamedFrames, Op, OpKind, Result, RunCx, SortKey, Support,
};

use crate::expr::Lower;
use crate::frame::{LiteFrame, Plan, Step};
use crate::unsupported;

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
    (OpKind::Aggregate, Support::Full),
    (OpKind::Join, Support::Full),
    (OpKind::Union, Support::Full),
    (OpKind::WithRowIndex, Support::Full),
    (OpKind::NullCount, Support::Full),
];

/// What a step makes of its inputs.
struct Applied {
    schema: SchemaRef,
    run: Step,
}

/// The frame after a step. Nothing is computed.
///
/// # Errors
/// `Unsupported`, `ForeignFrame`, `UnknownFrame`, `ColumnNotFound`, and those of the step's expressions.
pub(crate) fn apply(cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
    let mut inputs = vec![LiteFrame::plan(input)?];
    for name in op.frames() {
        inputs.push(LiteFrame::plan(named.get(name)?)?);
    }
    let applied = step(cx, op, &inputs)?;
    Ok(LiteFrame::step(applied.schema, inputs, applied.run))
}

fn step(cx: &RunCx, op: &Op, inputs: &[Arc<Plan>]) -> Result<Applied> {
    let schema = &inputs[0].schema;
    let lower = Lower { cx, schema };
    match op {
        Op::Select { exprs } => project::select(&lower, exprs),
        Op::WithColumns { exprs } => project::with_columns(&lower, exprs),
        Op::Filter { predicate } => project::filter(&lower, predicate),
        Op::Drop { columns, strict } => project::drop(schema, columns, *strict),
        Op::Rename { mapping } => project::rename(schema, mapping),
        Op::Cast { columns } => project::cast(&lower, columns),
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => project::aggregate(&lower, keys, aggs, *drop_null_keys),
        Op::NullCount => Ok(project::null_count(schema)),
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => project::with_row_index(&lower, name, order_by, partition_by),
        Op::Sort { by } => rows::sort(&lower, by, None),
        Op::TopK { k, by } => {
            if by.is_empty() {
                return Err(invalid(op, "`by` is needed"));
            }
            let nulls_last = |key: &SortKey| SortKey {
                nulls_last: true,
                ..key.clone()
            };
            let by: Vec<SortKey> = by.iter().map(nulls_last).collect();
            rows::sort(&lower, &by, Some(*k))
        }
        Op::Unique {
            subset,
            keep,
            order_by,
        } => rows::unique(&lower, subset.as_deref(), *keep, order_by),
        Op::DropNulls { subset } => rows::drop_nulls(&lower, subset.as_deref()),
        Op::Head { n } => Ok(rows::head(schema, *n)),
        Op::Tail { n } => Ok(rows::tail(schema, *n)),
        Op::GatherEvery { n: 0, .. } => Err(invalid(op, "`n` is at least 1")),
        Op::GatherEvery { n, offset } => Ok(rows::gather_every(schema, *n, *offset)),
        Op::Join {
            how,
            left_on,
            right_on,
            suffix,
            ..
        } => combine::join(cx, inputs, *how, (left_on, right_on), suffix),
        Op::Union { how, .. } => combine::union(inputs, *how),
        other => Err(unsupported(format!("`{}`", other.kind().name()))),
    }
}

fn invalid(op: &Op, why: &str) -> Error {
    let message = format!("`{}`: {why}", op.kind().name());
    Error::new(ErrorKind::InvalidArgument, message)
}

fn twice(name: &str) -> Error {
    Error::new(
        ErrorKind::DuplicateColumn,
        format!("two columns would be called `{name}`"),
    )
}
