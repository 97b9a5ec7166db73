//! Steps: each becomes a closure over the rows of its inputs, and the schema of what it gives.

mod combine;
mod explode;
mod project;
mod rows;

use arrow::datatypes::SchemaRef;
use laktory_core::{
    Backend, Error, ErrorKind, Frame, NamedFrames, Op, OpKind, Result, RunCx, Support, UnionHow,
    lowering,
};

use crate::expr::Lower;
use crate::frame::{LiteFrame, Step};

/// The steps that the driver has of its own. Others are made of them, by `laktory_core::lowering`.
pub(crate) const KINDS: &[(OpKind, Support)] = &[
    (OpKind::Select, Support::Full),
    (OpKind::WithColumns, Support::Full),
    (OpKind::Filter, Support::Full),
    (OpKind::Sort, Support::Full),
    (OpKind::Unique, Support::Full),
    (OpKind::Head, Support::Full),
    (OpKind::Aggregate, Support::Full),
    (OpKind::Join, Support::Full),
    (OpKind::Union, Support::Full),
    (OpKind::Explode, Support::Full),
    // By the steps above, as the front end plans statements.
    (OpKind::Sql, Support::Full),
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
pub(crate) fn apply(
    backend: &dyn Backend,
    cx: &RunCx,
    input: &Frame,
    op: &Op,
    named: &NamedFrames,
) -> Result<Frame> {
    let mut inputs = vec![LiteFrame::plan(input)?];
    for name in op.frames() {
        inputs.push(LiteFrame::plan(named.get(name)?)?);
    }
    let schema = &inputs[0].schema;
    let lower = Lower { cx, schema };
    let applied = match op {
        Op::Select { exprs } => project::select(&lower, exprs)?,
        Op::WithColumns { exprs } => project::with_columns(&lower, exprs)?,
        Op::Filter { predicate } => project::filter(&lower, predicate)?,
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => project::aggregate(&lower, keys, aggs, *drop_null_keys)?,
        Op::Sort { by } => rows::sort(&lower, by)?,
        Op::Unique {
            subset,
            keep,
            order_by,
        } => rows::unique(&lower, subset.as_deref(), *keep, order_by)?,
        Op::Head { n } => rows::head(schema, *n),
        Op::Join {
            how,
            left_on,
            right_on,
            suffix,
            nulls_equal,
            ..
        } => {
            let keys = (left_on.as_slice(), right_on.as_slice());
            let matching = combine::Matching {
                how: *how,
                nulls_equal: *nulls_equal,
            };
            combine::join(cx, &inputs, matching, keys, suffix)?
        }
        Op::Explode {
            columns,
            empty_as_null,
            keep_nulls,
        } => explode::explode(schema, columns, *empty_as_null, *keep_nulls)?,
        Op::Union {
            how: how @ (UnionHow::Vertical | UnionHow::Diagonal),
            ..
        } => combine::union(&inputs, *how)?,
        // What other steps are made of is said once for all drivers; what is left is refused by its name.
        other => return lowering::apply(backend, cx, input, other, named),
    };
    Ok(LiteFrame::step(applied.schema, inputs, applied.run))
}

fn twice(name: &str) -> Error {
    Error::new(
        ErrorKind::DuplicateColumn,
        format!("two columns would be called `{name}`"),
    )
}
