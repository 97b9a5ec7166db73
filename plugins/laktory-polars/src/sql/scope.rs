//! Common table expressions and subqueries, planned one by one in contexts of their own. polars-sql would plan them
//! without our functions, so that a rewritten CAST or ROUND inside of them would be unknown.

use std::ops::ControlFlow;
use std::sync::Arc;

use laktory_core::ErrorKind;
use polars::prelude::{LazyFrame, PlSmallStr, PolarsResult};
use polars::sql::SQLContext;
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, SetExpr, TableAlias, TableFactor, Visit, VisitMut, Visitor,
    VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::udf::Functions;
use crate::error::carried;
use crate::frame::shared;
use crate::heights::held;

/// The relations that a query sees, inner ones last.
#[derive(Clone, Default)]
pub(super) struct Scope {
    tables: Vec<(String, LazyFrame, u32)>,
}

impl Scope {
    /// Adds a relation, which hides an earlier one of its name; `weight` is what its plan holds of copies.
    pub(super) fn insert(&mut self, name: String, frame: LazyFrame, weight: u32) {
        let (frame, weight) = shared(frame, weight);
        self.tables.push((name, frame, weight));
    }

    /// The plan of a query, and the copies of frames that it holds.
    ///
    /// # Errors
    /// Those of polars-sql.
    pub(super) fn plan(&self, query: &Query) -> PolarsResult<(LazyFrame, u32)> {
        let mut query = query.clone();
        let mut scope = self.clone();
        if let Some(with) = query.with.take() {
            if with.recursive {
                return Err(carried(
                    ErrorKind::Unsupported,
                    "WITH RECURSIVE is not available on backend POLARS",
                ));
            }
            for table in with.cte_tables {
                let (frame, weight) = scope.plan(&table.query)?;
                let frame = renamed(frame, &table.alias)?;
                scope.insert(table.alias.name.value, frame, weight);
            }
        }
        let mut subqueries = Subqueries {
            scope: &mut scope,
            failed: None,
        };
        let _ = VisitMut::visit(&mut query, &mut subqueries);
        if let Some(error) = subqueries.failed {
            return Err(error);
        }
        let mut context = SQLContext::new().with_function_registry(Arc::new(Functions));
        for (name, frame, _) in &scope.tables {
            context.register(name, frame.clone());
        }
        let weight = scope.weight(&query);
        Ok((held(context.execute(&query.to_string())?), weight))
    }

    fn private(&mut self, frame: LazyFrame, weight: u32) -> String {
        let name = format!("__laktory_subquery_{}__", self.tables.len());
        self.insert(name.clone(), frame, weight);
        name
    }

    /// The copies of frames that a query makes of its relations.
    fn weight(&self, query: &Query) -> u32 {
        struct Weights<'a>(&'a Scope, u32);
        impl Visitor for Weights<'_> {
            type Break = ();
            fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
                if let TableFactor::Table { name, .. } = factor {
                    let name = name.0.last().and_then(|part| part.as_ident());
                    let mut tables = self.0.tables.iter().rev();
                    let table = tables.find(|table| name.is_some_and(|name| name.value == table.0));
                    self.1 = self.1.saturating_add(table.map_or(1, |table| table.2));
                }
                ControlFlow::Continue(())
            }
        }
        let mut weights = Weights(self, 0);
        let _ = Visit::visit(query, &mut weights);
        weights.1.max(1)
    }
}

/// The frame with the columns that an alias names.
fn renamed(mut frame: LazyFrame, alias: &TableAlias) -> PolarsResult<LazyFrame> {
    if alias.columns.is_empty() {
        return Ok(frame);
    }
    let known: Vec<PlSmallStr> = frame.collect_schema()?.iter_names().cloned().collect();
    if known.len() != alias.columns.len() {
        return Err(carried(
            ErrorKind::InvalidArgument,
            &format!(
                "`{}` names {} columns, but there are {}",
                alias.name.value,
                alias.columns.len(),
                known.len()
            ),
        ));
    }
    let columns: Vec<_> = known
        .into_iter()
        .zip(&alias.columns)
        .map(|(old, new)| crate::expr::column(&old).alias(new.name.value.as_str()))
        .collect();
    Ok(frame.select(columns))
}

/// Puts private relations in the place of subqueries.
struct Subqueries<'a> {
    scope: &'a mut Scope,
    failed: Option<polars::prelude::PolarsError>,
}

impl VisitorMut for Subqueries<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Derived {
            lateral: false,
            subquery,
            alias,
            sample: None,
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        // Only queries: polars-sql plans VALUES itself, with the names of the alias.
        if matches!(&*subquery.body, SetExpr::Values(_)) {
            return ControlFlow::Continue(());
        }
        let planned = self
            .scope
            .plan(subquery)
            .and_then(|(frame, weight)| match alias {
                Some(alias) => Ok((renamed(frame, alias)?, weight)),
                None => Ok((frame, weight)),
            });
        match planned {
            Ok((frame, weight)) => {
                let name = self.scope.private(frame, weight);
                let alias = alias.take().map(|alias| TableAlias {
                    columns: Vec::new(),
                    ..alias
                });
                if let Some(table) = table(&name, alias) {
                    *factor = table;
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // A subquery that needs the outer row cannot be planned alone, and stays.
        if let Expr::InSubquery { subquery, .. } = expr
            && let Ok((mut frame, weight)) = self.scope.plan(subquery)
            && frame.collect_schema().is_ok()
        {
            let name = self.scope.private(frame, weight);
            if let Some(query) = everything(&name) {
                **subquery = query;
            }
        }
        ControlFlow::Continue(())
    }
}

/// `SELECT * FROM name`.
fn everything(name: &str) -> Option<Query> {
    let query = Parser::new(&GenericDialect)
        .try_with_sql(&format!("SELECT * FROM \"{name}\""))
        .ok()?
        .parse_query()
        .ok()?;
    Some(*query)
}

/// A relation by name.
fn table(name: &str, alias: Option<TableAlias>) -> Option<TableFactor> {
    let query = everything(name)?;
    let SetExpr::Select(mut select) = *query.body else {
        return None;
    };
    let mut factor = select.from.pop()?.relation;
    if let TableFactor::Table {
        alias: place, name, ..
    } = &mut factor
    {
        let own = TableAlias {
            explicit: true,
            name: match name {
                ObjectName(parts) => parts
                    .first()
                    .and_then(|part| part.as_ident().cloned())
                    .unwrap_or_else(|| Ident::new("t")),
            },
            columns: Vec::new(),
            at: None,
        };
        *place = Some(alias.unwrap_or(own));
    }
    Some(factor)
}
