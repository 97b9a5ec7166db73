//! Steps: each becomes a node of the lazy plan.

mod combine;
mod keys;
mod reshape;

use std::sync::Arc;

use laktory_core::{
    Error, ErrorKind, Expr, Frame, Keep, NamedFrames, Op, OpKind, Result, RunCx, SortKey, Support,
};
use polars::prelude::{
    DataFrame, DataType, Expr as PolarsExpr, IdxSize, LazyFrame, PolarsResult, SortMultipleOptions,
    UdfSchema, UniqueKeepStrategy, int_range, len, lit,
};
use polars_plan::dsl::DslPlan;
use polars_plan::plans::{DataFrameUdf, DslFunction, FunctionIR};

use self::keys::{Known, grouped_by_one};
use crate::expr::{by_name, cast, column, lower, lower_all, sort_options};
use crate::heights::held_last;
use crate::{PolarsFrame, user};

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
    (OpKind::Sample, Support::Full),
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
    (OpKind::Native, Support::Full),
    (
        OpKind::Sql,
        Support::Partial {
            note: "no RANGE with a distance, no recursive CTE, no PIVOT",
        },
    ),
];

/// The frame after a step.
///
/// # Errors
/// `Unsupported`, `ForeignFrame`, `UnknownFrame`, `InvalidArgument`; unknown columns are found when the schema is resolved.
pub(crate) fn apply(cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
    let frame = PolarsFrame::of(input)?;
    let others = op
        .frames()
        .into_iter()
        .map(|name| PolarsFrame::of(named.get(name)?))
        .collect::<Result<Vec<_>>>()?;
    let plans = others.iter().map(|other| other.plan()).collect();
    let weights = others.iter().map(|other| other.weight());
    let weight = weights.fold(frame.weight(), u32::saturating_add);
    let lazy = step(cx, frame.plan(), op, plans, &Known::of(input, op, named)?)?;
    let sources = PolarsFrame::all_sources(std::iter::once(frame).chain(others));
    Ok(PolarsFrame::reading(lazy, sources, weight))
}

fn step(
    cx: &RunCx,
    lazy: LazyFrame,
    op: &Op,
    mut others: Vec<LazyFrame>,
    known: &Known,
) -> Result<LazyFrame> {
    let invalid = |why: &str| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}`: {why}", op.kind().name()),
        )
    };
    Ok(match op {
        Op::Select { exprs } => held_last(lazy.select(lower_all(cx, exprs)?)),
        Op::WithColumns { exprs } => lazy.with_columns(lower_all(cx, exprs)?),
        Op::Filter { predicate } => lazy.filter(lower(cx, predicate)?),
        Op::Drop { columns, strict } => lazy.drop(by_name(columns, *strict)),
        Op::Rename { mapping } => {
            let (old, new): (Vec<&str>, Vec<&str>) = mapping
                .iter()
                .map(|(old, new)| (old.as_str(), new.as_str()))
                .unzip();
            lazy.rename(old, new, true)
        }
        Op::Cast { columns } => lazy.with_columns(
            columns
                .iter()
                .map(|(name, dtype)| cast(column(name), dtype, true))
                .collect::<Result<Vec<_>>>()?,
        ),
        Op::Sort { by } => sorted(cx, lazy, by)?,
        Op::Unique {
            subset,
            keep,
            order_by,
        } => match subset.as_deref() {
            Some([one]) if known.is_decimal(one) => grouped_by_one(lazy, |lazy, more| {
                let subset = [one.clone(), more.to_owned()];
                unique(cx, lazy, Some(&subset), *keep, order_by)
            })?,
            subset => unique(cx, lazy, subset, *keep, order_by)?,
        },
        Op::DropNulls { subset } => match subset {
            Some(subset) if subset.is_empty() => lazy,
            Some(subset) => lazy.drop_nulls(Some(by_name(subset, true))),
            None => lazy.drop_nulls(None),
        },
        Op::Head { n } => first(lazy, *n),
        Op::Tail { n } => lazy.tail(rows(*n)),
        Op::TopK { k, by } => {
            if by.is_empty() {
                return Err(invalid("`by` is needed"));
            }
            let options = SortMultipleOptions {
                nulls_last: vec![true; by.len()],
                ..sort_options(by)
            };
            first(lazy.sort_by_exprs(keys(cx, by)?, options), *k)
        }
        Op::GatherEvery { n, offset } => {
            let n = usize::try_from(*n)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| invalid("`n` is at least 1"))?;
            let offset = usize::try_from(*offset).map_err(|_| invalid("`offset` is too large"))?;
            lazy.select([polars::prelude::all().as_expr().gather_every(n, offset)])
        }
        Op::Sample {
            n,
            fraction,
            with_replacement,
            seed,
        } => reshape::sample(lazy, *n, *fraction, *with_replacement, *seed)?,
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => match keys.as_slice() {
            [Expr::Column(one)] if known.is_decimal(one) => grouped_by_one(lazy, |lazy, more| {
                let keys = [keys[0].clone(), Expr::column(more)];
                aggregate(cx, lazy, &keys, aggs, *drop_null_keys)
            })?,
            keys => aggregate(cx, lazy, keys, aggs, *drop_null_keys)?,
        },
        Op::Join {
            how,
            left_on,
            right_on,
            suffix,
            nulls_equal,
            ..
        } => {
            let right = one(&mut others)?;
            let join = |left, right, how, (left_on, right_on): (&[String], &[String])| {
                combine::join(left, right, how, (left_on, right_on), *nulls_equal, suffix)
            };
            known.joined(lazy, right, *how, (left_on, right_on), join)?
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
            let right = one(&mut others)?;
            combine::join_asof(
                lazy,
                right,
                (left_on, right_on),
                (by_left, by_right),
                *strategy,
                suffix,
            )
        }
        Op::Union { how, .. } => combine::union(lazy, others, *how)?,
        Op::Native { func, args } => user::step(cx, lazy, &others, func, args)?,
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => match partition_by.as_slice() {
            [Expr::Column(one)] if known.is_decimal(one) => grouped_by_one(lazy, |lazy, more| {
                let partition = [partition_by[0].clone(), Expr::column(more)];
                row_index(cx, lazy, name, order_by, &partition)
            })?,
            partition_by => row_index(cx, lazy, name, order_by, partition_by)?,
        },
        Op::Explode {
            columns,
            empty_as_null,
            keep_nulls,
        } => reshape::explode(lazy, columns, *empty_as_null, *keep_nulls),
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => reshape::unpivot(lazy, on.as_deref(), index, variable_name, value_name),
        Op::Pivot {
            on,
            index,
            values,
            aggregate,
            sort_columns,
            separator,
        } => reshape::pivot(
            lazy,
            reshape::Pivot {
                on: on.clone(),
                index: index.clone(),
                values: values.clone(),
                aggregate: *aggregate,
                sort_columns: *sort_columns,
                separator: separator.clone(),
            },
        )?,
        Op::NullCount => {
            let counts = polars::prelude::all().as_expr().cast(DataType::Int64);
            lazy.null_count().select([counts])
        }
        other => {
            return Err(Error::unsupported(format!(
                "`{}` is not available on backend POLARS",
                other.kind().name()
            )));
        }
    })
}

/// A step that needs all rows at once, as a function of the engine's plan.
pub(crate) fn opaque(
    lazy: LazyFrame,
    name: &str,
    function: impl Fn(DataFrame) -> PolarsResult<DataFrame> + Send + Sync + 'static,
    schema: Option<Arc<dyn UdfSchema>>,
) -> LazyFrame {
    let function: Arc<dyn DataFrameUdf> = Arc::new(function);
    // Common sub-plans are found by hashes, in which such a function counts by its name alone; the address tells two
    // of them apart as long as both exist.
    let name = format!("{name} {:p}", Arc::as_ptr(&function).cast::<()>());
    let function = FunctionIR::Opaque {
        function,
        schema,
        predicate_pd: false,
        projection_pd: false,
        streamable: false,
        fmt_str: name.into(),
    };
    LazyFrame::from(DslPlan::MapFunction {
        input: Arc::new(lazy.logical_plan),
        function: DslFunction::FunctionIR(function),
    })
}

fn one(others: &mut Vec<LazyFrame>) -> Result<LazyFrame> {
    others
        .pop()
        .ok_or_else(|| Error::internal("a join without other frame"))
}

/// The first rows. Behind a sort the engine takes memory for as many rows as are asked for, whatever the frame has: a
/// number that is larger than most frames becomes a condition.
fn first(lazy: LazyFrame, n: u64) -> LazyFrame {
    const LARGE: u64 = 20_000_000;
    match i64::try_from(n) {
        Ok(n) if n > LARGE.cast_signed() => {
            if rows(n.cast_unsigned()) == IdxSize::MAX {
                return lazy;
            }
            let position = int_range(lit(0_i64), len(), 1, DataType::Int64);
            lazy.filter(position.lt(lit(n)))
        }
        Ok(_) => lazy.limit(rows(n)),
        // More rows than a frame can have.
        Err(_) => lazy,
    }
}

/// A number of rows; polars counts with 32 bits, beyond which everything is taken.
fn rows(n: u64) -> IdxSize {
    IdxSize::try_from(n).unwrap_or(IdxSize::MAX)
}

fn keys(cx: &RunCx, by: &[SortKey]) -> Result<Vec<PolarsExpr>> {
    by.iter().map(|key| lower(cx, &key.expr)).collect()
}

fn sorted(cx: &RunCx, lazy: LazyFrame, by: &[SortKey]) -> Result<LazyFrame> {
    if by.is_empty() {
        return Ok(lazy);
    }
    Ok(lazy.sort_by_exprs(keys(cx, by)?, sort_options(by)))
}

fn unique(
    cx: &RunCx,
    lazy: LazyFrame,
    subset: Option<&[String]>,
    keep: Keep,
    order_by: &[SortKey],
) -> Result<LazyFrame> {
    let subset = subset.map(|subset| by_name(subset, true));
    let keep = match keep {
        Keep::Any => return Ok(lazy.unique(subset, UniqueKeepStrategy::Any)),
        Keep::None => return Ok(lazy.unique(subset, UniqueKeepStrategy::None)),
        Keep::First => UniqueKeepStrategy::First,
        Keep::Last => UniqueKeepStrategy::Last,
    };
    Ok(sorted(cx, lazy, order_by)?.unique_stable(subset, keep))
}

fn aggregate(
    cx: &RunCx,
    lazy: LazyFrame,
    keys: &[Expr],
    aggs: &[Expr],
    drop_null_keys: bool,
) -> Result<LazyFrame> {
    let (keys, aggs) = (lower_all(cx, keys)?, lower_all(cx, aggs)?);
    if keys.is_empty() {
        return Ok(held_last(lazy.select(aggs)));
    }
    let known = keys
        .iter()
        .cloned()
        .map(PolarsExpr::is_not_null)
        .reduce(PolarsExpr::and);
    let lazy = match known {
        Some(known) if drop_null_keys => lazy.filter(known),
        _ => lazy,
    };
    Ok(lazy.group_by(keys).agg(aggs))
}

fn row_index(
    cx: &RunCx,
    lazy: LazyFrame,
    name: &str,
    order_by: &[SortKey],
    partition_by: &[Expr],
) -> Result<LazyFrame> {
    let position = int_range(lit(0_i64), len(), 1, DataType::Int64);
    let position = if order_by.is_empty() && partition_by.is_empty() {
        position
    } else {
        crate::expr::over(cx, position, partition_by, order_by)?
    };
    Ok(lazy.select([position.alias(name), polars::prelude::all().as_expr()]))
}

#[cfg(test)]
mod tests {
    use laktory_core::{ErrorKind, FrameName, JoinHow, PivotAgg, UnionHow};
    use polars::prelude::df;

    use super::*;
    use crate::testing::Bench;

    /// The rows after a step on a small frame, which is `{other}` too.
    fn check(op: &Op) -> Result<String> {
        let bench = Bench::new();
        let rows = df!("k" => ["a", "b", "a"], "x" => [Some(1_i64), None, Some(3)]).unwrap();
        let frame = bench.frame(rows);
        let mut named = NamedFrames::new();
        named.insert(FrameName::Named("other".into()), frame.clone());
        let out = bench.collect(&apply(&bench.cx, &frame, op, &named)?)?;
        let columns: Vec<String> = out
            .columns()
            .iter()
            .map(|column| {
                let values: Vec<String> = (0..column.len())
                    .map(|row| column.get(row).unwrap().to_string())
                    .collect();
                format!("{}: {}", column.name(), values.join(" "))
            })
            .collect();
        Ok(columns.join(", ").replace('"', ""))
    }

    fn other() -> FrameName {
        FrameName::Named("other".into())
    }

    #[test]
    fn a_pivot_finds_its_columns() {
        let pivot = |aggregate| Op::Pivot {
            on: vec!["k".into()],
            index: Some(Vec::new()),
            values: Some(vec!["x".into()]),
            aggregate,
            sort_columns: true,
            separator: "_".into(),
        };
        assert_eq!(check(&pivot(Some(PivotAgg::Sum))).unwrap(), "a: 4, b: 0");
        assert!(check(&pivot(None)).is_err());
    }

    #[test]
    fn positions_count_within_partitions() {
        let op = Op::WithRowIndex {
            name: "i".into(),
            order_by: vec![SortKey {
                expr: Expr::column("x"),
                descending: true,
                nulls_last: false,
            }],
            partition_by: vec![Expr::column("k")],
        };
        assert_eq!(check(&op).unwrap(), "i: 1 0 0, k: a b a, x: 1 null 3");
    }

    #[test]
    fn greatest_rows_put_nulls_last() {
        let op = Op::TopK {
            k: 2,
            by: vec![SortKey {
                expr: Expr::column("x"),
                descending: true,
                nulls_last: false,
            }],
        };
        assert_eq!(check(&op).unwrap(), "k: a a, x: 3 1");
    }

    #[test]
    fn a_sample_has_the_size_asked_for() {
        let sample = |n| Op::Sample {
            n: Some(n),
            fraction: None,
            with_replacement: false,
            seed: Some(1),
        };
        assert_eq!(check(&sample(3)).unwrap(), "k: a b a, x: 1 null 3");
        assert_eq!(
            check(&sample(4)).unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }

    #[test]
    fn frames_are_stacked_and_matched() {
        let union = Op::Union {
            others: vec![other()],
            how: UnionHow::Vertical,
        };
        assert_eq!(
            check(&union).unwrap(),
            "k: a b a a b a, x: 1 null 3 1 null 3"
        );
        let join = Op::Join {
            right: other(),
            how: JoinHow::Anti,
            left_on: vec!["x".into()],
            right_on: vec!["x".into()],
            suffix: "_right".into(),
            nulls_equal: false,
        };
        assert_eq!(check(&join).unwrap(), "k: b, x: null");
        let missing = Op::Union {
            others: vec![FrameName::Df],
            how: UnionHow::Vertical,
        };
        assert_eq!(check(&missing).unwrap_err().kind(), ErrorKind::UnknownFrame);
    }

    #[test]
    fn an_unknown_column_is_found_when_the_schema_is_resolved() {
        let op = Op::Drop {
            columns: vec!["nope".into()],
            strict: true,
        };
        let error = check(&op).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ColumnNotFound);
        assert_eq!(error.message(), "there is no column `nope`");
    }
}
