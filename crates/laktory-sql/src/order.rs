//! `ORDER BY ALL`, and QUALIFY.

use laktory_core::{Expr, walk};
use sqlparser::ast::{self, OrderByExpr, Query};

use crate::fault::{Planned, beyond};
use crate::from::Relation;
use crate::planner::{Output, Planner, limits, sort_key};
use crate::refused;
use crate::select::{Parts, is_window};
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

    /// Keeps the rows for which a condition on windows holds, once all windows are computed.
    pub(crate) fn qualified(
        &mut self,
        relation: &mut Relation,
        qualify: &ast::Expr,
        parts: &mut Parts,
    ) -> Planned<()> {
        let kept = self.names.fresh("qualify");
        let mut columns = vec![(kept.clone(), self.lower(qualify)?)];
        parts.each(&mut |expr| {
            tree::rewrite(expr, &mut |node| {
                if !is_window(node) {
                    return Ok(());
                }
                let value = self.lower(node)?;
                let id = self.names.fresh("window");
                if let Some(name) = walk::output_name(&value) {
                    let name = self.shown.get(&name).cloned().unwrap_or(name);
                    self.shown.insert(id.clone(), name);
                }
                columns.push((id.clone(), value));
                *node = tree::resolved(&id, node);
                Ok(())
            })
        })?;
        relation.rel = relation.rel.with(columns).filter(Expr::column(&kept));
        Ok(())
    }
}

/// `ALL` as the only key of an order, which the parser takes for a column.
pub(crate) fn is_all(key: &ast::Expr) -> bool {
    matches!(key, ast::Expr::Identifier(name)
        if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("ALL"))
}
