//! Unquoted names in another letter case than the columns. Only names that match no column are touched, and only when
//! exactly one column has them apart from case; the result keeps the name as written.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, Statement, TableAlias, Visit, VisitMut, Visitor,
    VisitorMut,
};

/// Resolves the names of a statement over frames with these columns.
pub(super) fn resolve(statement: &mut Statement, columns: &[String]) {
    let mut known = Known {
        names: columns.iter().cloned().collect(),
    };
    let _ = Visit::visit(statement, &mut known);
    let mut resolver = Resolver {
        columns: columns.iter().cloned().collect(),
        known: known.names,
    };
    let _ = VisitMut::visit(statement, &mut resolver);
}

/// Names that mean something as they are: columns and aliases.
struct Known {
    names: BTreeSet<String>,
}

impl Known {
    fn alias(&mut self, alias: &TableAlias) {
        self.names.insert(alias.name.value.clone());
        self.names
            .extend(alias.columns.iter().map(|column| column.name.value.clone()));
    }
}

impl Visitor for Known {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.alias(&table.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &sqlparser::ast::TableFactor) -> ControlFlow<()> {
        use sqlparser::ast::TableFactor;
        if let TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } = factor
        {
            self.alias(alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.names.insert(alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }
}

struct Resolver {
    columns: BTreeSet<String>,
    known: BTreeSet<String>,
}

impl Resolver {
    fn better(&self, name: &Ident) -> Option<Ident> {
        if name.quote_style.is_some() || self.known.contains(&name.value) {
            return None;
        }
        let folded = name.value.to_lowercase();
        let mut matches = self
            .columns
            .iter()
            .filter(|column| column.to_lowercase() == folded);
        match (matches.next(), matches.next()) {
            (Some(column), None) => Some(Ident::with_quote('"', column.as_str())),
            _ => None,
        }
    }
}

impl VisitorMut for Resolver {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(Expr::Identifier(name)) = item
                && let Some(better) = self.better(name)
            {
                *item = SelectItem::ExprWithAlias {
                    expr: Expr::Identifier(better),
                    alias: name.clone(),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => {
                if let Some(better) = self.better(name) {
                    *name = better;
                }
            }
            Expr::CompoundIdentifier(parts) => {
                for part in parts.iter_mut().take(2) {
                    if let Some(better) = self.better(part) {
                        *part = better;
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
