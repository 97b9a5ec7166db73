//! ROLLUP, CUBE and GROUPING SETS, which polars-sql lacks: one aggregation for each grouping, united.

use std::ops::ControlFlow;

use laktory_core::{Error, Result};
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    GroupByWithModifier, Ident, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier,
    Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::rewrite::{call, case, is_aggregate, number};

/// Groupings beyond which a statement is refused.
const MOST: usize = 64;

/// Turns a query over several groupings into a union of queries over one each.
///
/// # Errors
/// `Unsupported` for modifiers of other engines, and for more than 64 groupings.
pub(super) fn unite(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = &*query.body else {
        return Ok(());
    };
    let Some(groupings) = groupings(select)? else {
        return Ok(());
    };
    let mut keys: Vec<Expr> = Vec::new();
    for key in groupings.iter().flatten() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let united = groupings
        .into_iter()
        .map(|grouping| SetExpr::Select(Box::new(one(select, &keys, grouping))))
        .reduce(|left, right| SetExpr::SetOperation {
            op: SetOperator::Union,
            set_quantifier: SetQuantifier::All,
            left: Box::new(left),
            right: Box::new(right),
        });
    if let Some(united) = united {
        query.body = Box::new(united);
    }
    Ok(())
}

/// The groupings of a selection; none when there is only the plain one.
fn groupings(select: &Select) -> Result<Option<Vec<Vec<Expr>>>> {
    let GroupByExpr::Expressions(items, modifiers) = &select.group_by else {
        return Ok(None);
    };
    let extended = items.iter().any(|item| {
        matches!(
            item,
            Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)
        )
    });
    if !extended && modifiers.is_empty() {
        return Ok(None);
    }
    let mut all: Vec<Vec<Expr>> = vec![Vec::new()];
    let mut multiply = |sets: Vec<Vec<Expr>>| {
        all = all
            .iter()
            .flat_map(|known| {
                sets.iter()
                    .map(|set| known.iter().chain(set).cloned().collect::<Vec<_>>())
            })
            .collect();
        if all.len() > MOST {
            return Err(Error::unsupported(format!(
                "a statement has at most {MOST} groupings"
            )));
        }
        Ok(())
    };
    let resolved = |parts: &[Vec<Expr>]| -> Vec<Vec<Expr>> {
        parts
            .iter()
            .map(|part| part.iter().map(|key| selected(select, key)).collect())
            .collect()
    };
    if let [modifier] = modifiers.as_slice() {
        let parts: Vec<Vec<Expr>> = items
            .iter()
            .map(|key| vec![selected(select, key)])
            .collect();
        multiply(match modifier {
            GroupByWithModifier::Rollup => rollup(&parts),
            GroupByWithModifier::Cube => cube(&parts)?,
            GroupByWithModifier::GroupingSets(Expr::GroupingSets(sets)) => resolved(sets),
            _ => return Err(Error::unsupported(format!("GROUP BY ... {modifier}"))),
        })?;
        return Ok(Some(all));
    }
    for item in items {
        multiply(match item {
            Expr::Rollup(parts) => rollup(&resolved(parts)),
            Expr::Cube(parts) => cube(&resolved(parts))?,
            Expr::GroupingSets(sets) => resolved(sets),
            key => vec![vec![selected(select, key)]],
        })?;
    }
    Ok(Some(all))
}

/// A key, or what it stands for: a position in the projection, or an alias.
fn selected(select: &Select, key: &Expr) -> Expr {
    let item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.clone())
        }
        _ => None,
    };
    let found = match key {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text
                .parse::<usize>()
                .ok()
                .and_then(|at| item(select.projection.get(at.checked_sub(1)?)?)),
            _ => None,
        },
        Expr::Identifier(name) => select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value == name.value => {
                Some(expr.clone())
            }
            _ => None,
        }),
        Expr::Nested(inner) => Some((**inner).clone()),
        _ => None,
    };
    found.unwrap_or_else(|| key.clone())
}

fn rollup(parts: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    (0..=parts.len())
        .rev()
        .map(|taken| parts[..taken].concat())
        .collect()
}

fn cube(parts: &[Vec<Expr>]) -> Result<Vec<Vec<Expr>>> {
    if parts.len() > 6 {
        return Err(Error::unsupported("CUBE takes at most six keys"));
    }
    let last = (1_usize << parts.len()) - 1;
    Ok((0..=last)
        .rev()
        .map(|mask| {
            let taken = parts.iter().rev().enumerate().rev();
            taken
                .filter(|(at, _)| mask & (1 << at) != 0)
                .flat_map(|(_, part)| part.iter().cloned())
                .collect()
        })
        .collect())
}

/// The selection by one grouping, in which the other keys are null.
fn one(select: &Select, keys: &[Expr], grouping: Vec<Expr>) -> Select {
    let mut select = select.clone();
    let missing: Vec<Expr> = keys
        .iter()
        .filter(|key| !grouping.contains(key))
        .cloned()
        .collect();
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item {
            // The name of a column stays when its values become null.
            let name = match &*expr {
                Expr::Identifier(name) => Some(name.clone()),
                Expr::CompoundIdentifier(parts) => parts.last().cloned(),
                other if Mentions::any(other, keys) => {
                    Some(Ident::with_quote('"', other.to_string()))
                }
                _ => None,
            };
            if let Some(alias) = name {
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias,
                };
            }
        }
    }
    let mut nulls = Nulls {
        missing: &missing,
        inside: 0,
    };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = VisitMut::visit(expr, &mut nulls);
        }
    }
    if let Some(having) = &mut select.having {
        let _ = VisitMut::visit(having, &mut nulls);
    }
    select.group_by = GroupByExpr::Expressions(grouping, Vec::new());
    select
}

/// Finds keys.
struct Mentions<'a>(&'a [Expr]);

impl Mentions<'_> {
    fn any(expr: &Expr, keys: &[Expr]) -> bool {
        Visit::visit(expr, &mut Mentions(keys)).is_break()
    }
}

impl Visitor for Mentions<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.0.contains(expr) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Replaces missing keys outside of aggregates by nulls of their type, and `GROUPING(key)` by its value.
struct Nulls<'a> {
    missing: &'a [Expr],
    inside: usize,
}

impl VisitorMut for Nulls<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            if let Some(key) = grouping_of(function) {
                *expr = number(if self.missing.contains(key) { "1" } else { "0" });
            } else if is_aggregate(function) {
                self.inside += 1;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) if is_aggregate(function) => self.inside -= 1,
            _ if self.inside == 0 && self.missing.contains(expr) => {
                let never = Expr::Value(Value::Boolean(false).into());
                let null = Expr::Value(Value::Null.into());
                *expr = call("MAX", vec![case(never, expr.clone(), null)]);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The key of `GROUPING(key)`.
fn grouping_of(function: &Function) -> Option<&Expr> {
    if !function.name.to_string().eq_ignore_ascii_case("grouping") {
        return None;
    }
    match &function.args {
        FunctionArguments::List(list) => match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(key))] => Some(key),
            _ => None,
        },
        _ => None,
    }
}
