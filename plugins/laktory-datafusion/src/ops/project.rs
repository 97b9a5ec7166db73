//! Columns chosen, added, renamed and converted; rows filtered, sorted and grouped.

use std::collections::BTreeMap;

use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use laktory_core::shape::{is_aggregate, shape};
use laktory_core::{
    DType, Error, ErrorKind, Expr, Output, Result, RunCx, SortKey, expand, expand_aggregates,
    expand_predicate, no_column,
};

use super::built;
use super::stages::{self, Parts, column, columns, only};
use crate::expr::{Lower, group_key};
use crate::funcs;
use crate::types::fields;

/// These columns only. Aggregates and constants alone give one row.
pub(super) fn select(cx: &RunCx, plan: LogicalPlan, exprs: &[Expr]) -> Result<LogicalPlan> {
    let outputs = expand(exprs, &fields(plan.schema()))?;
    if outputs.iter().all(|output| shape(&output.expr).is_scalar()) {
        return if outputs.iter().any(|output| is_aggregate(&output.expr)) {
            grouped(cx, plan, &[], &outputs)
        } else {
            let lower = Lower::rows(cx, plan.schema());
            let exprs = named(&lower, &outputs)?;
            let one_row = LogicalPlanBuilder::empty(!outputs.is_empty());
            built(one_row.project(exprs))
        };
    }
    let exprs = named(&Lower::rows(cx, plan.schema()), &outputs)?;
    project(plan, exprs)
}

/// These columns added or replaced; all of them see the input.
pub(super) fn with_columns(cx: &RunCx, plan: LogicalPlan, exprs: &[Expr]) -> Result<LogicalPlan> {
    let outputs = expand(exprs, &fields(plan.schema()))?;
    let lower = Lower::rows(cx, plan.schema());
    let mut new: BTreeMap<&str, PlanExpr> = BTreeMap::new();
    for output in &outputs {
        let value = lower.lower(&output.expr)?;
        new.insert(&output.name, value.expr.alias(&output.name));
    }
    let mut exprs: Vec<PlanExpr> = columns(&plan)
        .iter()
        .map(|name| new.remove(name.as_str()).unwrap_or_else(|| column(name)))
        .collect();
    exprs.extend(
        outputs
            .iter()
            .filter_map(|output| new.remove(output.name.as_str())),
    );
    project(plan, exprs)
}

fn named(lower: &Lower<'_>, outputs: &[Output]) -> Result<Vec<PlanExpr>> {
    outputs
        .iter()
        .map(|output| Ok(lower.lower(&output.expr)?.expr.alias(&output.name)))
        .collect()
}

/// A projection whose windows are computed below it.
fn project(plan: LogicalPlan, exprs: Vec<PlanExpr>) -> Result<LogicalPlan> {
    let mut parts = Parts::of(&plan);
    let exprs = exprs
        .into_iter()
        .map(|expr| parts.take(expr, stages::is_window))
        .collect::<Result<Vec<_>>>()?;
    let plan = if parts.is_empty() {
        plan
    } else {
        parts.windows(plan)?
    };
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

/// Rows where the predicate is true.
pub(super) fn filter(cx: &RunCx, plan: LogicalPlan, predicate: &Expr) -> Result<LogicalPlan> {
    let predicate = expand_predicate(predicate, &fields(plan.schema()))?;
    let value = Lower::rows(cx, plan.schema()).lower(&predicate)?;
    let predicate = funcs::truth(value, "the predicate")?;
    let names = columns(&plan);
    let mut parts = Parts::of(&plan);
    let predicate = parts.take(predicate, stages::is_window)?;
    if parts.is_empty() {
        return built(LogicalPlanBuilder::from(plan).filter(predicate));
    }
    let plan = built(LogicalPlanBuilder::from(parts.windows(plan)?).filter(predicate))?;
    only(plan, &names)
}

/// Rows in the order of keys, cut after `fetch` of them.
pub(super) fn sort(
    cx: &RunCx,
    plan: LogicalPlan,
    by: &[SortKey],
    fetch: Option<usize>,
) -> Result<LogicalPlan> {
    let known = fields(plan.schema());
    let lower = Lower::rows(cx, plan.schema());
    let mut parts = Parts::of(&plan);
    let mut keys = Vec::with_capacity(by.len());
    for key in by {
        for output in expand(std::slice::from_ref(&key.expr), &known)? {
            let value = group_key(lower.lower(&output.expr)?);
            let expr = parts.take(value.expr, stages::is_window)?;
            keys.push(expr.sort(!key.descending, !key.nulls_last));
        }
    }
    if fetch == Some(0) {
        return built(LogicalPlanBuilder::from(plan).limit(0, fetch));
    }
    if keys.is_empty() {
        return Ok(plan);
    }
    let names = columns(&plan);
    let windowed = !parts.is_empty();
    let plan = if windowed { parts.windows(plan)? } else { plan };
    let sorted = built(LogicalPlanBuilder::from(plan).sort_with_limit(keys, fetch))?;
    if windowed {
        only(sorted, &names)
    } else {
        Ok(sorted)
    }
}

/// One row for each group; without keys one row in all.
pub(super) fn aggregate(
    cx: &RunCx,
    plan: LogicalPlan,
    keys: &[Expr],
    aggs: &[Expr],
    drop_null_keys: bool,
) -> Result<LogicalPlan> {
    let known = fields(plan.schema());
    let keys = expand(keys, &known)?;
    let key_names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    let aggs = expand_aggregates(aggs, &known, &key_names)?;
    if let Some(twice) = aggs
        .iter()
        .find(|agg| keys.iter().any(|key| key.name == agg.name))
    {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("two columns would be called `{}`", twice.name),
        )
        .with_hint("rename the aggregate with `.alias('...')`"));
    }
    let plan = if drop_null_keys {
        let lower = Lower::rows(cx, plan.schema());
        let mut known = None;
        for key in &keys {
            let next = lower.lower(&key.expr)?.expr.is_not_null();
            known = Some(match known {
                Some(all) => PlanExpr::and(all, next),
                None => next,
            });
        }
        match known {
            Some(known) => built(LogicalPlanBuilder::from(plan).filter(known))?,
            None => plan,
        }
    } else {
        plan
    };
    grouped(cx, plan, &keys, &aggs)
}

/// Groups: aggregates in a node of their own, and what is computed from them above it.
fn grouped(cx: &RunCx, plan: LogicalPlan, keys: &[Output], aggs: &[Output]) -> Result<LogicalPlan> {
    let lower = Lower::groups(cx, plan.schema());
    let mut parts = Parts::of(&plan);
    let mut group = Vec::with_capacity(keys.len());
    for key in keys {
        group.push(group_key(lower.lower(&key.expr)?).expr.alias(&key.name));
    }
    let mut outputs: Vec<PlanExpr> = keys.iter().map(|key| column(&key.name)).collect();
    for agg in aggs {
        let value = lower.lower(&agg.expr)?;
        outputs.push(
            parts
                .take(value.expr, stages::is_aggregate)?
                .alias(&agg.name),
        );
    }
    if group.is_empty() && parts.is_empty() {
        let one_row = LogicalPlanBuilder::empty(true);
        return built(one_row.project(outputs));
    }
    let one_group = group.is_empty();
    let plan = built(LogicalPlanBuilder::from(plan).aggregate(group, parts.named()))?;
    let plan = if one_group {
        // The engine (55) pushes a condition that never holds below one group of all rows, which is a row even of none.
        built(LogicalPlanBuilder::from(plan).limit(0, Some(1)))?
    } else {
        plan
    };
    built(LogicalPlanBuilder::from(plan).project(outputs))
}

/// Without these columns.
pub(super) fn drop(plan: LogicalPlan, dropped: &[String], strict: bool) -> Result<LogicalPlan> {
    let names = columns(&plan);
    if strict && let Some(unknown) = dropped.iter().find(|name| !names.contains(name)) {
        return Err(no_column(unknown, &fields(plan.schema())));
    }
    let kept: Vec<String> = names
        .into_iter()
        .filter(|name| !dropped.contains(name))
        .collect();
    only(plan, &kept)
}

/// Columns under other names.
pub(super) fn rename(plan: LogicalPlan, mapping: &[(String, String)]) -> Result<LogicalPlan> {
    let names = columns(&plan);
    if let Some((unknown, _)) = mapping.iter().find(|(old, _)| !names.contains(old)) {
        return Err(no_column(unknown, &fields(plan.schema())));
    }
    let mut exprs = Vec::with_capacity(names.len());
    let mut seen = std::collections::BTreeSet::new();
    for name in &names {
        let new = mapping
            .iter()
            .find(|(old, _)| old == name)
            .map_or(name, |(_, new)| new);
        if !seen.insert(new) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("two columns would be called `{new}`"),
            ));
        }
        exprs.push(column(name).alias(new));
    }
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

/// Columns converted.
pub(super) fn cast(
    cx: &RunCx,
    plan: LogicalPlan,
    conversions: &[(String, DType)],
) -> Result<LogicalPlan> {
    let exprs: Vec<Expr> = conversions
        .iter()
        .map(|(name, to)| Expr::Cast {
            expr: Box::new(Expr::column(name)),
            to: to.clone(),
            strict: true,
        })
        .collect();
    with_columns(cx, plan, &exprs)
}
