//! Windows and aggregates taken out of expressions: the engine computes them in plan nodes of their own, one below the
//! other where they nest.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use laktory_core::Result;

use super::built;
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;

/// A part taken out of an expression.
struct Part {
    name: String,
    expr: PlanExpr,
    /// 0 for a part without others inside.
    level: usize,
}

/// Parts taken out of expressions, which refer to them as columns.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
    taken: BTreeSet<String>,
}

impl Parts {
    /// No parts yet, for expressions over the columns of a plan.
    pub(super) fn of(plan: &LogicalPlan) -> Self {
        Self {
            parts: Vec::new(),
            taken: names(plan),
        }
    }

    /// The expression with columns in the place of its windows or aggregates.
    pub(super) fn take(
        &mut self,
        expr: PlanExpr,
        is_part: fn(&PlanExpr) -> bool,
    ) -> Result<PlanExpr> {
        expr.transform_up(|expr| {
            if !is_part(&expr) {
                return Ok(Transformed::no(expr));
            }
            if let Some(known) = self.parts.iter().find(|part| part.expr == expr) {
                return Ok(Transformed::yes(column(&known.name)));
            }
            let below = expr.column_refs();
            let level = self
                .parts
                .iter()
                .filter(|part| below.iter().any(|column| column.name == part.name))
                .map(|part| part.level + 1)
                .max()
                .unwrap_or(0);
            let name = fresh("part", &self.taken);
            self.taken.insert(name.clone());
            self.parts.push(Part {
                name: name.clone(),
                expr,
                level,
            });
            Ok(Transformed::yes(column(&name)))
        })
        .map(|transformed| transformed.data)
        .or_error()
    }

    /// Whether nothing was taken out.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The parts, each under its name.
    pub(super) fn named(self) -> Vec<PlanExpr> {
        self.parts
            .into_iter()
            .map(|part| part.expr.alias(part.name))
            .collect()
    }

    /// The plan with a column for each window; its rows keep their order.
    pub(super) fn windows(self, mut plan: LogicalPlan) -> Result<LogicalPlan> {
        let reorders = self.parts.iter().any(|part| match &part.expr {
            PlanExpr::WindowFunction(window) => {
                !window.params.partition_by.is_empty() || !window.params.order_by.is_empty()
            }
            _ => false,
        });
        let position = reorders.then(|| fresh("position", &self.taken));
        if let Some(position) = &position {
            plan = numbered(plan, position)?;
        }
        let (mut parts, mut taken) = (self.parts, self.taken);
        parts.sort_by_key(|part| part.level);
        while !parts.is_empty() {
            // Windows over the same rows share a node.
            let level = parts[0].level;
            let rows = over(&parts[0].expr);
            let (mut node, rest): (Vec<Part>, Vec<Part>) = parts
                .into_iter()
                .partition(|part| part.level == level && over(&part.expr) == rows);
            if level > 0 {
                plan = with_arguments(plan, &mut node, &mut taken)?;
            }
            let exprs = node.into_iter().map(|part| part.expr.alias(part.name));
            plan = built(LogicalPlanBuilder::from(plan).window(exprs))?;
            parts = rest;
        }
        match position {
            Some(position) => {
                built(LogicalPlanBuilder::from(plan).sort([column(&position).sort(true, true)]))
            }
            None => Ok(plan),
        }
    }
}

/// The plan with a column for each computed argument of windows, which name it then. Where windows follow one another, the
/// engine computes what their arguments share below all of them, where the columns of the first are not yet.
fn with_arguments(
    plan: LogicalPlan,
    node: &mut [Part],
    taken: &mut BTreeSet<String>,
) -> Result<LogicalPlan> {
    let mut computed = Vec::new();
    for part in node {
        let PlanExpr::WindowFunction(window) = &mut part.expr else {
            continue;
        };
        for argument in &mut window.params.args {
            if matches!(argument, PlanExpr::Column(_) | PlanExpr::Literal(..)) {
                continue;
            }
            let name = fresh("argument", taken);
            taken.insert(name.clone());
            computed.push(std::mem::replace(argument, column(&name)).alias(name));
        }
    }
    if computed.is_empty() {
        return Ok(plan);
    }
    let all = columns(&plan);
    let exprs = all.iter().map(|name| column(name)).chain(computed);
    let exprs: Vec<PlanExpr> = exprs.collect();
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

fn over(expr: &PlanExpr) -> Option<(Vec<PlanExpr>, Vec<datafusion::logical_expr::SortExpr>)> {
    match expr {
        PlanExpr::WindowFunction(window) => Some((
            window.params.partition_by.clone(),
            window.params.order_by.clone(),
        )),
        _ => None,
    }
}

/// Whether an expression is a window.
pub(super) fn is_window(expr: &PlanExpr) -> bool {
    matches!(expr, PlanExpr::WindowFunction(_))
}

/// Whether an expression is an aggregate of a group.
pub(super) fn is_aggregate(expr: &PlanExpr) -> bool {
    matches!(expr, PlanExpr::AggregateFunction(_))
}

/// A column by its exact name.
pub(super) fn column(name: &str) -> PlanExpr {
    PlanExpr::Column(Column::new_unqualified(name))
}

/// The names of a plan's columns.
pub(super) fn names(plan: &LogicalPlan) -> BTreeSet<String> {
    plan.schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// A name that no column has.
pub(super) fn fresh(what: &str, taken: &BTreeSet<String>) -> String {
    let mut number = 0;
    loop {
        let name = format!("__laktory_{what}_{number}");
        if !taken.contains(&name) {
            return name;
        }
        number += 1;
    }
}

/// The plan with the position of each row, from 1, as its last column.
pub(super) fn numbered(plan: LogicalPlan, name: &str) -> Result<LogicalPlan> {
    built(LogicalPlanBuilder::from(plan).window([row_number().alias(name)]))
}

/// The plan without what the engine knows of keys in it: behind a group, keys are taken for unique, also where lists are made
/// rows and they are not any more; DISTINCT and keys of sorts would be left out.
pub(super) fn independent(plan: LogicalPlan) -> Result<LogicalPlan> {
    let known = plan.schema().functional_dependencies();
    if known.is_empty() {
        return Ok(plan);
    }
    let fields = plan.schema().fields().iter();
    let exprs: Vec<PlanExpr> = fields
        .map(|field| {
            let value = Value {
                expr: column(field.name()),
                dtype: field.data_type().clone(),
            };
            let same = kernel("same", vec![value], field.data_type().clone(), |args| {
                Ok(Arc::clone(&args[0]))
            });
            same.expr.alias(field.name())
        })
        .collect();
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

/// The plan with these columns of it; a frame without columns has no rows.
pub(super) fn only(plan: LogicalPlan, columns: &[String]) -> Result<LogicalPlan> {
    if columns.is_empty() {
        return built(Ok(LogicalPlanBuilder::empty(false)));
    }
    built(LogicalPlanBuilder::from(plan).project(columns.iter().map(|name| column(name))))
}

/// The columns of a plan, in order.
pub(super) fn columns(plan: &LogicalPlan) -> Vec<String> {
    plan.schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}
