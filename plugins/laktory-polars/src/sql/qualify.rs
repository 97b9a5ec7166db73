//! QUALIFY, which in polars-sql sees only the columns that are selected: the predicate becomes a column of an inner
//! query, by which the outer one filters.

use std::ops::ControlFlow;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableAlias,
    TableFactor, TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// Turns `SELECT .. QUALIFY p` into a filter over the selection with `p` as a further column.
pub(super) fn nest(select: &mut Select) {
    if select.qualify.is_none() || select.distinct.is_some() {
        return;
    }
    let Some((outer, inner)) = template() else {
        return;
    };
    let Some(mut predicate) = select.qualify.take() else {
        return;
    };
    let _ = VisitMut::visit(&mut predicate, &mut Aliases(&select.projection));
    let flag = Ident::with_quote('"', "__laktory_qualified__");
    let mut body = select.clone();
    body.projection.push(SelectItem::ExprWithAlias {
        expr: predicate,
        alias: flag.clone(),
    });
    let subquery = Query {
        body: Box::new(SetExpr::Select(Box::new(body))),
        ..inner
    };
    *select = Select {
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions {
            opt_exclude: Some(ExcludeSelectItem::Multiple(vec![ObjectName::from(vec![
                flag.clone(),
            ])])),
            ..WildcardAdditionalOptions::default()
        })],
        from: vec![TableWithJoins {
            relation: TableFactor::Derived {
                lateral: false,
                subquery: Box::new(subquery),
                alias: Some(TableAlias {
                    explicit: true,
                    name: Ident::with_quote('"', "__laktory_selected__"),
                    columns: Vec::new(),
                    at: None,
                }),
                sample: None,
            },
            joins: Vec::new(),
        }],
        selection: Some(Expr::Identifier(flag)),
        ..outer
    };
}

/// A plain selection, and the query around it, to be filled in.
fn template() -> Option<(Select, Query)> {
    let query = Parser::new(&GenericDialect)
        .try_with_sql("SELECT 1")
        .ok()?
        .parse_query()
        .ok()?;
    let SetExpr::Select(select) = (*query.body).clone() else {
        return None;
    };
    Some((*select, *query))
}

/// Replaces names that the projection gives by what they stand for.
struct Aliases<'a>(&'a [SelectItem]);

impl VisitorMut for Aliases<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr {
            let aliased = self.0.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if alias.value == name.value => {
                    Some(expr)
                }
                _ => None,
            });
            if let Some(aliased) = aliased {
                *expr = Expr::Nested(Box::new(aliased.clone()));
            }
        }
        ControlFlow::Continue(())
    }
}
