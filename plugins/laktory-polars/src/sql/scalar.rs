//! Scalar subqueries, which polars-sql lacks: an uncorrelated aggregate has exactly one row, so it is joined to every
//! row of the outer query.

use std::ops::ControlFlow;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, GroupByExpr, Ident, Join, JoinOperator, ObjectName, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::rewrite::is_aggregate;

/// Turns scalar subqueries of the projection and of the predicate into cross joins.
pub(super) fn join_subqueries(select: &mut Select) {
    let Some(last) = select.from.last_mut() else {
        return;
    };
    let mut found = Subqueries {
        depth: 0,
        queries: Vec::new(),
    };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = expr.visit(&mut found);
        }
    }
    if let Some(predicate) = &mut select.selection {
        let _ = predicate.visit(&mut found);
    }
    if found.queries.is_empty() {
        return;
    }
    let mut added = Vec::new();
    for (at, query) in found.queries.into_iter().enumerate() {
        added.push(column(at));
        last.joins.push(Join {
            relation: TableFactor::Derived {
                lateral: false,
                subquery: Box::new(query),
                alias: Some(TableAlias {
                    explicit: true,
                    name: Ident::with_quote('"', format!("__laktory_scalar_{at}__")),
                    columns: Vec::new(),
                    at: None,
                }),
                sample: None,
            },
            global: false,
            join_operator: JoinOperator::CrossJoin(sqlparser::ast::JoinConstraint::None),
        });
    }
    for item in &mut select.projection {
        if let SelectItem::Wildcard(options) = item
            && options.opt_exclude.is_none()
        {
            let names = added
                .iter()
                .cloned()
                .map(|name| ObjectName::from(vec![name]))
                .collect();
            *options = WildcardAdditionalOptions {
                opt_exclude: Some(ExcludeSelectItem::Multiple(names)),
                ..options.clone()
            };
        }
    }
}

fn column(at: usize) -> Ident {
    Ident::with_quote('"', format!("__laktory_scalar_value_{at}__"))
}

struct Subqueries {
    depth: usize,
    queries: Vec<Query>,
}

impl VisitorMut for Subqueries {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Subquery(query) = expr
            && let Some(named) = one_row(query, self.queries.len())
        {
            let at = self.queries.len();
            self.queries.push(named);
            *expr = Expr::Identifier(column(at));
        }
        ControlFlow::Continue(())
    }
}

/// The query with a private name for its only column, if it is an aggregate over everything.
fn one_row(query: &Query, at: usize) -> Option<Query> {
    let SetExpr::Select(select) = &*query.body else {
        return None;
    };
    let ungrouped =
        matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    if !ungrouped
        || select.having.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
    {
        return None;
    }
    let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    if !matches!(expr, Expr::Function(function) if is_aggregate(function)) {
        return None;
    }
    let mut select = (**select).clone();
    select.projection = vec![SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias: column(at),
    }];
    let mut query = query.clone();
    query.body = Box::new(SetExpr::Select(Box::new(select)));
    Some(query)
}
