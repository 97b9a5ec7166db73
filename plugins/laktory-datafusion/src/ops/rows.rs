//! Rows chosen by their values or their positions.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions_aggregate::expr_fn::{count as count_rows, first_value, last_value};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr as PlanExpr, ExprFunctionExt, JoinType, LogicalPlan, LogicalPlanBuilder, cast, lit,
};
use laktory_core::{Error, ErrorKind, Expr, Keep, Result, RunCx, SortKey, no_column};

use super::built;
use super::stages::{self, column, columns, fresh, names, numbered, only};
use crate::error::ResultExt;
use crate::expr::{Lower, group_key};
use crate::session::Session;
use crate::types::fields;

/// A number of rows.
pub(super) fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Rows without null in a subset.
pub(super) fn drop_nulls(plan: LogicalPlan, subset: Option<&[String]>) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let subset = subset.unwrap_or(&all);
    let mut predicate: Option<PlanExpr> = None;
    for name in subset {
        if !all.contains(name) {
            return Err(no_column(name, &fields(plan.schema())));
        }
        let known = column(name).is_not_null();
        predicate = Some(match predicate {
            Some(all) => all.and(known),
            None => known,
        });
    }
    match predicate {
        Some(predicate) => built(LogicalPlanBuilder::from(plan).filter(predicate)),
        None => Ok(plan),
    }
}

/// The last rows.
pub(super) fn tail(plan: LogicalPlan, n: usize) -> Result<LogicalPlan> {
    if n == 0 {
        return built(LogicalPlanBuilder::from(plan).limit(0, Some(0)));
    }
    let all = columns(&plan);
    let position = fresh("position", &names(&plan));
    let plan = numbered(plan, &position)?;
    let last = built(
        LogicalPlanBuilder::from(plan)
            .sort_with_limit([column(&position).sort(false, false)], Some(n)),
    )?;
    let plan = built(LogicalPlanBuilder::from(last).sort([column(&position).sort(true, false)]))?;
    only(plan, &all)
}

/// Every n-th row.
pub(super) fn gather_every(plan: LogicalPlan, n: u64, offset: u64) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let position = fresh("position", &names(&plan));
    let plan = numbered(plan, &position)?;
    let at = || column(&position) - lit(1_u64);
    let taken = at()
        .gt_eq(lit(offset))
        .and(((at() - lit(offset)) % lit(n)).eq(lit(0_u64)));
    let plan = built(LogicalPlanBuilder::from(plan).filter(taken))?;
    only(plan, &all)
}

/// A column with the row's position from 0, first in the frame.
pub(super) fn with_row_index(
    cx: &RunCx,
    plan: LogicalPlan,
    name: &str,
    order_by: &[SortKey],
    partition_by: &[Expr],
) -> Result<LogicalPlan> {
    let all = columns(&plan);
    if all.iter().any(|known| known == name) {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("two columns would be called `{name}`"),
        ));
    }
    let index = if order_by.is_empty() && partition_by.is_empty() {
        row_number()
    } else {
        let known = fields(plan.schema());
        let lower = Lower::rows(cx, plan.schema());
        let partition = laktory_core::expand(partition_by, &known)?
            .iter()
            .map(|key| Ok(group_key(lower.lower(&key.expr)?).expr))
            .collect::<Result<Vec<_>>>()?;
        row_number()
            .partition_by(partition)
            .order_by(lower.sort_keys(order_by)?)
            .build()
            .or_error()?
    };
    let mut parts = stages::Parts::of(&plan);
    let index = parts.take(index, stages::is_window)?;
    let plan = parts.windows(plan)?;
    let index = cast(index - lit(1_u64), DataType::Int64).alias(name);
    let exprs = std::iter::once(index).chain(all.iter().map(|name| column(name)));
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

/// One row for each distinct value of a subset.
pub(super) fn unique(
    cx: &RunCx,
    plan: LogicalPlan,
    subset: Option<&[String]>,
    keep: Keep,
    order_by: &[SortKey],
) -> Result<LogicalPlan> {
    let all = columns(&plan);
    let subset: Vec<String> = subset.map_or_else(|| all.clone(), <[String]>::to_vec);
    let lower = Lower::rows(cx, plan.schema());
    let mut keys = Vec::with_capacity(subset.len());
    let mut taken = names(&plan);
    let mut key_names = Vec::with_capacity(subset.len());
    for name in &subset {
        let name_of_key = fresh("key", &taken);
        taken.insert(name_of_key.clone());
        keys.push(group_key(lower.column(name)?).expr.alias(&name_of_key));
        key_names.push(name_of_key);
    }
    // The rows are those of the input, which are told apart by their position.
    let position = fresh("position", &taken);
    taken.insert(position.clone());
    // Ties in the order are broken by position, the same for each column.
    let mut order = lower.sort_keys(order_by)?;
    order.push(column(&position).sort(true, false));
    let plan = numbered(plan, &position)?;
    let mut aggregates = Vec::with_capacity(all.len() + 2);
    let pick = |name: &str| match keep {
        Keep::Last => last_value(column(name), order.clone()),
        _ => first_value(column(name), order.clone()),
    };
    let mut picked = Vec::with_capacity(all.len());
    for name in all.iter().chain([&position]) {
        let out = fresh("out", &taken);
        taken.insert(out.clone());
        aggregates.push(pick(name).alias(&out));
        picked.push(out);
    }
    let size = fresh("size", &taken);
    if keep == Keep::None {
        aggregates.push(count_rows(lit(1_i64)).alias(&size));
    }
    let mut builder = LogicalPlanBuilder::from(plan)
        .aggregate(keys, aggregates)
        .or_error()?;
    if keep == Keep::None {
        builder = builder.filter(column(&size).eq(lit(1_i64))).or_error()?;
    }
    if matches!(keep, Keep::First | Keep::Last)
        && let Some(place) = picked.last()
    {
        builder = builder.sort([column(place).sort(true, false)]).or_error()?;
    }
    let exprs = all
        .iter()
        .zip(&picked)
        .map(|(name, out)| column(out).alias(name));
    built(builder.project(exprs))
}

/// A random part of the rows: the rows are counted, positions are drawn, and the rows at them are taken.
pub(super) async fn sample(
    session: &Session,
    cx: &RunCx,
    plan: LogicalPlan,
    (n, fraction): (Option<u64>, Option<f64>),
    with_replacement: bool,
    seed: Option<u64>,
) -> Result<LogicalPlan> {
    let counted = built(
        LogicalPlanBuilder::from(plan.clone())
            .aggregate(Vec::<PlanExpr>::new(), [count_rows(lit(1_i64)).alias("n")]),
    )?;
    let batches = session.collect(cx, counted).await?;
    let total = batches.first().map_or(0, |batch| {
        batch.column(0).as_primitive::<Int64Type>().value(0)
    });
    let total = u64::try_from(total).unwrap_or(0);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of a number of rows is a number of rows"
    )]
    let size = match (n, fraction) {
        (Some(n), _) => n,
        (None, Some(fraction)) => (total as f64 * fraction) as u64,
        (None, None) => 1,
    };
    if size > total && (!with_replacement || total == 0) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`sample`: {size} rows are asked for, the frame has {total}"),
        )
        .with_hint("take fewer, or set `with_replacement: true`"));
    }
    let drawn = Int64Array::from(drawn(total, size, with_replacement, seed));
    let position = fresh("position", &names(&plan));
    let pick = fresh("pick", &names(&plan));
    let batch =
        RecordBatch::try_from_iter([(pick.as_str(), Arc::new(drawn) as ArrayRef)]).or_error()?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).or_error()?;
    let picks = built(LogicalPlanBuilder::scan(
        "picks",
        provider_as_source(Arc::new(table)),
        None,
    ))?;
    let picks = built(LogicalPlanBuilder::from(picks).project([column(&pick).alias(&pick)]))?;
    let all = columns(&plan);
    let plan = numbered(plan, &position)?;
    let at = cast(column(&position), DataType::Int64);
    let joined = LogicalPlanBuilder::from(plan)
        .join_with_expr_keys(
            picks,
            JoinType::Inner,
            (vec![at], vec![column(&pick)]),
            None,
        )
        .and_then(|builder| builder.sort([column(&position).sort(true, false)]))
        .and_then(LogicalPlanBuilder::build)
        .or_error()?;
    only(joined, &all)
}

/// `size` positions of `total`, from 1.
fn drawn(total: u64, size: u64, with_replacement: bool, seed: Option<u64>) -> Vec<i64> {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    let mut random = match seed {
        Some(seed) => StdRng::seed_from_u64(seed),
        None => StdRng::from_os_rng(),
    };
    let positions: Vec<u64> = if with_replacement {
        (0..size).map(|_| random.random_range(0..total)).collect()
    } else {
        let (total, size) = (count(total), count(size));
        rand::seq::index::sample(&mut random, total, size)
            .into_iter()
            .map(|position| position as u64)
            .collect()
    };
    positions
        .into_iter()
        .map(|position| i64::try_from(position + 1).unwrap_or(i64::MAX))
        .collect()
}
