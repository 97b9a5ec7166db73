//! Planning of queries: common tables, set operations, order and limits. What one SELECT does is in `select`.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use laktory_core::{Error, ErrorKind, Expr, Field, FrameName, JoinHow, SortKey};
use sqlparser::ast::{
    self, LimitClause, OrderByExpr, OrderByKind, OrderBySort, Query, SetExpr, Spanned, Value,
};
use sqlparser::tokenizer::Span;

use crate::fault::{Planned, Stop, beyond};
use crate::order::is_all;
use crate::places::{KeyPair, Read};
use crate::plan::Rel;
use crate::refused;
use crate::scope::{Column, Names};

/// The frames of a statement: their names and columns, by the private name that stands for each in its text.
pub(crate) type Tables<'a> = &'a dyn Fn(&str) -> Option<(FrameName, Vec<Field>)>;

/// The row outside of a sub-query.
#[derive(Debug)]
pub(crate) struct Outer {
    /// The columns that names can mean.
    pub(crate) scope: Vec<Column>,
    /// Columns of the outer row that the sub-query is known to use, and their names in it.
    pub(crate) used: Vec<(String, String)>,
    /// The distinct values of these columns, under their names in the sub-query.
    pub(crate) domain: Option<Rel>,
    /// Columns that it uses, and that are not known yet: it is planned once more.
    pub(crate) missing: Vec<String>,
    /// Whether columns of the outer row are used as they are, since both become one row.
    pub(crate) direct: bool,
    /// Whether the outer row was used.
    pub(crate) touched: bool,
}

/// What a query gives.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The relation; besides the output it has the columns of the outer row that the query uses.
    pub(crate) rel: Rel,
    /// Names of the output, and their columns in the frame.
    pub(crate) columns: Vec<(String, String)>,
    /// Whether there is one row at most, for each outer row.
    pub(crate) single: bool,
}

/// A common table.
#[derive(Debug)]
struct Common {
    name: String,
    output: Output,
}

/// Sub-queries that are planned in one statement, each time counted.
const MOST_PLANNINGS: usize = 2_000;

/// Plans one statement.
pub(crate) struct Planner<'a> {
    pub(crate) text: &'a str,
    pub(crate) tables: Tables<'a>,
    common: Vec<Common>,
    pub(crate) names: Names,
    pub(crate) outer: Vec<Outer>,
    /// Columns of outer rows that sub-queries used, while somebody asks for them.
    pub(crate) touched: BTreeSet<String>,
    /// How many sub-queries may still be planned: what is correlated over many levels would be planned again and again.
    pub(crate) budget: usize,
    /// What columns that stand for a value are called, by their names in frames.
    pub(crate) shown: HashMap<String, String>,
    /// The fields of columns that are structs, by their names in frames, as far as they are known.
    pub(crate) fields: HashMap<String, Vec<String>>,
    /// What was lowered, as it stands in the text: where a type does not fit is told by it.
    read: RefCell<Read>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(text: &'a str, tables: Tables<'a>) -> Self {
        Self {
            text,
            tables,
            common: Vec::new(),
            names: Names::default(),
            outer: Vec::new(),
            touched: BTreeSet::new(),
            budget: MOST_PLANNINGS,
            shown: HashMap::new(),
            fields: HashMap::new(),
            read: RefCell::default(),
        }
    }

    /// Lowers an expression whose names are resolved.
    pub(crate) fn lower(&self, expr: &ast::Expr) -> Planned<Expr> {
        self.read.borrow_mut().exprs.push(expr.clone());
        laktory_syntax::sql_tree(self.text, expr).map_err(|errors| {
            match errors.into_iter().next() {
                Some(error) => error.into(),
                None => Error::internal("an expression that is refused without a word").into(),
            }
        })
    }

    /// Lowers a condition whose names are resolved.
    pub(crate) fn lower_condition(&self, condition: &ast::Expr) -> Planned<Expr> {
        self.read.borrow_mut().conditions.push(condition.clone());
        self.lower(condition)
    }

    /// Takes down a condition that becomes a key of a join.
    pub(crate) fn read_key(&self, left: &Expr, condition: &ast::Expr) {
        let pair = KeyPair {
            left: left.clone(),
            span: condition.span(),
        };
        self.read.borrow_mut().keys.push(pair);
    }

    /// What was read.
    pub(crate) fn into_read(self) -> Read {
        self.read.into_inner()
    }

    /// The common table of a name, as it was last defined.
    pub(crate) fn common(&self, name: &str) -> Option<&Output> {
        let called = |known: &&Common| known.name.eq_ignore_ascii_case(name);
        Some(&self.common.iter().rev().find(called)?.output)
    }

    /// Plans a query that sees nothing of what is around it, with names of its own.
    pub(crate) fn apart(&mut self, query: &Query) -> Planned<Output> {
        let outer = std::mem::take(&mut self.outer);
        let names = std::mem::take(&mut self.names);
        let output = self.query(query);
        self.outer = outer;
        self.names = names;
        output
    }

    /// The columns of the outer rows that the query has beside its own.
    pub(crate) fn outer_ids(&self) -> Vec<String> {
        match self.outer.last() {
            Some(outer) if !outer.direct => outer.used.iter().map(|(_, id)| id.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Plans a query.
    pub(crate) fn query(&mut self, query: &Query) -> Planned<Output> {
        let clause = if !query.locks.is_empty() {
            Some(refused::FOR_UPDATE)
        } else if query.for_clause.is_some() {
            Some(refused::FOR)
        } else if query.settings.is_some() {
            Some(refused::SETTINGS)
        } else if query.format_clause.is_some() {
            Some(refused::FORMAT)
        } else if !query.pipe_operators.is_empty() {
            Some(refused::PIPES)
        } else {
            None
        };
        if let Some(clause) = clause {
            return beyond(clause);
        }
        let known = self.common.len();
        let output = self.with_common(query);
        self.common.truncate(known);
        output
    }

    fn with_common(&mut self, query: &Query) -> Planned<Output> {
        if let Some(with) = &query.with {
            if with.recursive {
                return beyond(refused::RECURSIVE);
            }
            for table in &with.cte_tables {
                let mut output = self.apart(&table.query)?;
                output.columns = renamed(output.columns, &table.alias)?;
                self.common.push(Common {
                    name: table.alias.name.value.clone(),
                    output,
                });
            }
        }
        let keys: &[OrderByExpr] = match &query.order_by {
            None => &[],
            Some(order) if order.interpolate.is_some() => return beyond(refused::INTERPOLATE),
            Some(order) => match &order.kind {
                OrderByKind::Expressions(keys) => match keys.as_slice() {
                    [key] if is_all(&key.expr) => {
                        return self.sorted_by_all(query, &key.options);
                    }
                    keys => keys,
                },
                OrderByKind::All(options) => return self.sorted_by_all(query, options),
            },
        };
        let (limit, offset) = limits(query)?;
        let ranked = limit.is_some() || offset > 0;
        let outer = self.outer_ids();
        if ranked && !outer.is_empty() {
            return self.limited_each(query, keys, (limit, offset), &outer);
        }
        let mut output = match &*query.body {
            SetExpr::Select(select) => self.select(select, keys)?,
            other => {
                let output = self.set(other)?;
                self.sorted(output, keys)?
            }
        };
        if offset > 0 {
            output.rel = output.rel.skip(offset);
        }
        if let Some(limit) = limit {
            output.rel = output.rel.head(limit);
            output.single |= limit <= 1;
        }
        Ok(output)
    }

    /// A limit that holds for each outer row.
    fn limited_each(
        &mut self,
        query: &Query,
        keys: &[OrderByExpr],
        (limit, offset): (Option<u64>, u64),
        outer: &[String],
    ) -> Planned<Output> {
        let (mut output, by) = match &*query.body {
            SetExpr::Select(select) => self.unsorted(select, keys)?,
            other => {
                let output = self.set(other)?;
                let by = self.sort_keys(&output, keys)?;
                (output, by)
            }
        };
        let at = self.names.fresh("row");
        output.rel = output.rel.numbered(&at, outer, by);
        let column = Expr::column(&at);
        let mut kept = Vec::new();
        if offset > 0 {
            kept.push(compare(laktory_core::Func::Ge, column.clone(), offset));
        }
        if let Some(limit) = limit {
            let end = offset.saturating_add(limit);
            kept.push(compare(laktory_core::Func::Lt, column, end));
            output.single |= limit <= 1;
        }
        if let Some(kept) = crate::plan::all(kept) {
            output.rel = output.rel.filter(kept);
        }
        Ok(output)
    }

    /// The rows of `a` that are rows of `b` too, or that are not; both have the same columns, and null equals null.
    pub(crate) fn matching(&mut self, a: &Rel, b: &Rel, how: JoinHow) -> Rel {
        let keys: Vec<(String, String)> = a
            .ids
            .iter()
            .map(|id| (id.clone(), self.names.fresh("key")))
            .collect();
        let renamed = keys.iter().map(|(id, key)| (key.clone(), Expr::column(id)));
        a.join(&b.select(renamed.collect()), how, &keys, true)
    }

    /// Sorts by keys that are columns of the output.
    fn sorted(&mut self, mut output: Output, keys: &[OrderByExpr]) -> Planned<Output> {
        let by = self.sort_keys(&output, keys)?;
        if !by.is_empty() {
            output.rel = output.rel.sort(by);
        }
        Ok(output)
    }

    fn sort_keys(&mut self, output: &Output, keys: &[OrderByExpr]) -> Planned<Vec<SortKey>> {
        let scope: Vec<Column> = output
            .columns
            .iter()
            .map(|(name, id)| Column {
                table: None,
                name: name.clone(),
                id: id.clone(),
                merged: false,
            })
            .collect();
        let mut by = Vec::with_capacity(keys.len());
        for key in keys {
            let expr = match ordinal(&key.expr) {
                Some(at) => match at.checked_sub(1).and_then(|at| output.columns.get(at)) {
                    Some((_, id)) => Expr::column(id),
                    None => return Err(no_position("ORDER BY", at).at(&key.expr)),
                },
                None => {
                    let mut expr = key.expr.clone();
                    self.resolve(&scope, &mut expr)?;
                    if crate::tree::has_query(&expr) {
                        return beyond(refused::ORDER_QUERY);
                    }
                    self.lower(&expr)?
                }
            };
            by.push(sort_key(key, expr)?);
        }
        Ok(by)
    }
}

/// The error for a number that is no position of the output.
pub(crate) fn no_position(clause: &str, position: usize) -> Stop {
    Error::new(
        ErrorKind::SqlSyntax,
        format!("{clause} {position} is no position of the selected columns"),
    )
    .with_hint("positions are counted from 1")
    .into()
}

fn compare(func: laktory_core::Func, left: Expr, right: u64) -> Expr {
    let right = i64::try_from(right).unwrap_or(i64::MAX);
    Expr::call(func, [left, Expr::literal(right)])
}

/// The position of a column of the output, counted from 1.
pub(crate) fn ordinal(expr: &ast::Expr) -> Option<usize> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A key of an order; nulls come last unless said otherwise, in both directions.
pub(crate) fn sort_key(key: &OrderByExpr, expr: Expr) -> Planned<SortKey> {
    let descending = match &key.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return beyond(refused::ORDER_USING),
    };
    if key.with_fill.is_some() {
        return beyond(refused::FILL);
    }
    Ok(SortKey {
        expr,
        descending,
        nulls_last: !key.options.nulls_first.unwrap_or(false),
    })
}

/// Columns under the names that an alias of a table gives.
pub(crate) fn renamed(
    columns: Vec<(String, String)>,
    alias: &ast::TableAlias,
) -> Planned<Vec<(String, String)>> {
    if alias.at.is_some() || alias.columns.len() > columns.len() {
        let surplus = alias.columns.get(columns.len());
        return beyond(refused::TABLE_ALIAS).map_err(|stop| {
            stop.within(surplus.map_or(alias.name.span, |column| column.name.span))
        });
    }
    let mut columns = columns;
    for (column, new) in columns.iter_mut().zip(&alias.columns) {
        if new.data_type.is_some() {
            return beyond(refused::TYPED_ALIAS);
        }
        column.0.clone_from(&new.name.value);
    }
    Ok(columns)
}

/// How many rows are left out at the start, and how many follow at most.
pub(crate) fn limits(query: &Query) -> Planned<(Option<u64>, u64)> {
    let mut limit = None;
    let mut offset = 0;
    match &query.limit_clause {
        None => {}
        Some(LimitClause::LimitOffset {
            limit: most,
            offset: skipped,
            limit_by,
        }) => {
            if !limit_by.is_empty() {
                return beyond(refused::LIMIT_BY);
            }
            limit = most.as_ref().map(count).transpose()?;
            offset = skipped
                .as_ref()
                .map_or(Ok(0), |skipped| count(&skipped.value))?;
        }
        Some(LimitClause::OffsetCommaLimit {
            offset: skipped,
            limit: most,
        }) => {
            limit = Some(count(most)?);
            offset = count(skipped)?;
        }
    }
    if let Some(fetch) = &query.fetch {
        if fetch.percent || fetch.with_ties || limit.is_some() {
            return beyond(refused::FETCH);
        }
        limit = Some(fetch.quantity.as_ref().map_or(Ok(1), count)?);
    }
    Ok((limit, offset))
}

/// The place of a number with the sign before it, which the grammar does not place.
fn with_sign(expr: &ast::Expr) -> Span {
    let mut span = expr.span();
    if let ast::Expr::UnaryOp { .. } = expr {
        span.start.column = span.start.column.saturating_sub(1);
    }
    span
}

fn count(expr: &ast::Expr) -> Planned<u64> {
    match ordinal(crate::tree::bare(expr)) {
        Some(count) => Ok(count as u64),
        None => beyond(refused::LIMIT_VALUE).map_err(|stop| stop.within(with_sign(expr))),
    }
}
