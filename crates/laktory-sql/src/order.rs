//! `ORDER BY ALL`.

use laktory_core::Expr;
use sqlparser::ast::{self, OrderByExpr, Query};

use crate::fault::{Planned, beyond};
use crate::planner::{Output, Planner, limits, sort_key};
use crate::refused;
use crate::tree;

impl Planner<'_> {
    /// A query that is sorted by all of its columns.
    pub(crate) fn sorted_by_all(
        &mut self,
        query: &Query,
        options: &ast::OrderByOptions,
    ) -> Planned<Output> {
        let (limit, offset) = limits(query)?;
        if !self.outer_ids().is_empty() {
            return beyond(refused::ORDER_ALL);
        }
        let mut output = self.set(&query.body)?;
        let mut by = Vec::with_capacity(output.columns.len());
        for (_, id) in &output.columns {
            let key = OrderByExpr {
                expr: tree::column(id),
                options: options.clone(),
                with_fill: None,
            };
            by.push(sort_key(&key, Expr::column(id))?);
        }
        output.rel = output.rel.sort(by);
        if offset > 0 {
            output.rel = output.rel.skip(offset);
        }
        if let Some(limit) = limit {
            output.rel = output.rel.head(limit);
        }
        Ok(output)
    }
}

/// `ALL` as the only key of an order, which the parser takes for a column.
pub(crate) fn is_all(key: &ast::Expr) -> bool {
    matches!(key, ast::Expr::Identifier(name)
        if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("ALL"))
}
