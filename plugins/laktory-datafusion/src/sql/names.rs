//! Unquoted names in another letter case than what they name. Only names that nothing has as written are touched, and
//! only when exactly one thing has them apart from case; results keep the name as written.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, Statement, TableAlias, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};

/// Puts the names that are meant into a statement over frames with these columns.
pub(super) fn resolve<'a>(statement: &mut Statement, columns: impl Iterator<Item = &'a Fields>) {
    let mut names = Names::default();
    for fields in columns {
        names.fields(fields);
    }
    let _ = Visit::visit(statement, &mut names);
    let _ = VisitMut::visit(statement, &mut Resolver(names.0));
}

/// Everything that a name can mean: columns, fields of structs, aliases.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn fields(&mut self, fields: &Fields) {
        for field in fields {
            self.0.insert(field.name().clone());
            if let DataType::Struct(inner) = field.data_type() {
                self.fields(inner);
            }
        }
    }

    fn alias(&mut self, alias: &TableAlias) {
        self.0.insert(alias.name.value.clone());
        let columns = alias.columns.iter().map(|column| column.name.value.clone());
        self.0.extend(columns);
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.alias(&table.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
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
                self.0.insert(alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }
}

struct Resolver(BTreeSet<String>);

impl Resolver {
    /// The name that is meant, if it is another one.
    fn meant(&self, name: &Ident) -> Option<Ident> {
        if name.quote_style.is_some() || self.0.contains(&name.value) {
            return None;
        }
        let folded = name.value.to_lowercase();
        let mut alike = self.0.iter().filter(|known| known.to_lowercase() == folded);
        match (alike.next(), alike.next()) {
            (Some(known), None) => Some(Ident {
                value: known.clone(),
                quote_style: Some('"'),
                span: name.span,
            }),
            _ => None,
        }
    }
}

impl VisitorMut for Resolver {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else {
                continue;
            };
            let written = match &*expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(names) => names.last(),
                _ => None,
            };
            if let Some(written) = written.filter(|name| self.meant(name).is_some()) {
                *item = SelectItem::ExprWithAlias {
                    alias: written.clone(),
                    expr: expr.clone(),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let names = match expr {
            Expr::Identifier(name) => std::slice::from_mut(name),
            Expr::CompoundIdentifier(names) => names.as_mut_slice(),
            _ => return ControlFlow::Continue(()),
        };
        for name in names {
            if let Some(meant) = self.meant(name) {
                *name = meant;
            }
        }
        ControlFlow::Continue(())
    }
}
