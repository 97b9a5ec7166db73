//! Planning of queries: common tables, set operations, order and limits. What one SELECT does is in `select`.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use laktory_core::{Error, ErrorKind, Expr, Field, FrameName, JoinHow, Scalar, SortKey, UnionHow};
use sqlparser::ast::{
    self, LimitClause, OrderByExpr, OrderByKind, OrderBySort, Query, SetExpr, SetOperator,
    SetQuantifier, Value,
};

use crate::fault::{Planned, Stop, beyond, wrong};
use crate::order::is_all;
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
    lowered_exprs: RefCell<Vec<ast::Expr>>,
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
            lowered_exprs: RefCell::default(),
        }
    }

    /// Lowers an expression whose names are resolved.
    pub(crate) fn lower(&self, expr: &ast::Expr) -> Planned<Expr> {
        self.lowered_exprs.borrow_mut().push(expr.clone());
        laktory_syntax::sql_tree(self.text, expr).map_err(|errors| {
            match errors.into_iter().next() {
                Some(error) => error.into(),
                None => Error::internal("an expression that is refused without a word").into(),
            }
        })
    }

    /// What was lowered, in that order.
    pub(crate) fn into_lowered(self) -> Vec<ast::Expr> {
        self.lowered_exprs.into_inner()
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

    /// Plans what stands below a set operation.
    pub(crate) fn set(&mut self, body: &SetExpr) -> Planned<Output> {
        match body {
            SetExpr::Select(select) => self.select(select, &[]),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let left = self.set(left)?;
                let right = self.set(right)?;
                let every = match set_quantifier {
                    SetQuantifier::All => true,
                    SetQuantifier::None | SetQuantifier::Distinct => false,
                    SetQuantifier::ByName
                    | SetQuantifier::AllByName
                    | SetQuantifier::DistinctByName => {
                        let every = *set_quantifier == SetQuantifier::AllByName;
                        let (left, right) = by_name(&left, &right);
                        return self.combined(&left, *op, every, &right);
                    }
                };
                self.combined(&left, *op, every, &right)
            }
            SetExpr::Values(values) => self.rows(values),
            _ => beyond(refused::STATEMENT),
        }
    }

    /// Rows that are written in the statement; their columns are `column1` and so on.
    fn rows(&mut self, values: &ast::Values) -> Planned<Output> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let names: Vec<String> = (1..=width).map(|at| format!("column{at}")).collect();
        let ids: Vec<String> = names
            .iter()
            .map(|name| self.names.claim(None, name))
            .collect();
        let mut rels = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                return wrong(
                    ErrorKind::SqlSyntax,
                    "rows of VALUES have other numbers of values",
                );
            }
            let mut columns = Vec::with_capacity(width);
            for (id, expr) in ids.iter().zip(&row.content) {
                let mut expr = expr.clone();
                self.resolve(&[], &mut expr)?;
                if crate::tree::has_query(&expr) {
                    return beyond(refused::VALUES_QUERY);
                }
                columns.push((id.clone(), self.lower(&expr)?));
            }
            rels.push(Rel::one_row().select(columns));
        }
        if rels.is_empty() || width == 0 {
            return wrong(ErrorKind::SqlSyntax, "VALUES without values");
        }
        let rest = rels.split_off(1);
        let rel = match rest.as_slice() {
            [] => rels.remove(0),
            rest => rels[0].union(rest, UnionHow::Coerced),
        };
        Ok(Output {
            rel,
            columns: names.into_iter().zip(ids).collect(),
            single: values.rows.len() == 1,
        })
    }

    fn combined(
        &mut self,
        left: &Output,
        op: SetOperator,
        every: bool,
        right: &Output,
    ) -> Planned<Output> {
        if left.columns.len() != right.columns.len() {
            let counts = (left.columns.len(), right.columns.len());
            return wrong(
                ErrorKind::SchemaMismatch,
                format!(
                    "a set operation needs as many columns on both sides, not {} and {}",
                    counts.0, counts.1
                ),
            );
        }
        let outer = self.outer_ids();
        // Both sides under the same names.
        let names: Vec<String> = left
            .columns
            .iter()
            .map(|(name, _)| self.names.claim(None, name))
            .collect();
        let side = |output: &Output| {
            let columns = output.columns.iter().zip(&names);
            let mut columns: Vec<(String, Expr)> = columns
                .map(|((_, id), name)| (name.clone(), Expr::column(id)))
                .collect();
            columns.extend(outer.iter().map(|id| (id.clone(), Expr::column(id))));
            output.rel.select(columns)
        };
        let (a, b) = (side(left), side(right));
        let ids = a.ids.clone();
        let rel = match op {
            SetOperator::Union => {
                let rel = a.union(&[b], UnionHow::Coerced);
                if every { rel } else { rel.distinct() }
            }
            SetOperator::Intersect | SetOperator::Except | SetOperator::Minus => {
                let how = match op {
                    SetOperator::Intersect => JoinHow::Semi,
                    _ => JoinHow::Anti,
                };
                let (a, b) = if every {
                    // The first of equal rows meets the first, the second the second.
                    let at = self.names.fresh("copy");
                    (
                        a.numbered(&at, &a.ids, Vec::new()),
                        b.numbered(&at, &b.ids, Vec::new()),
                    )
                } else {
                    (a.distinct(), b.distinct())
                };
                self.matching(&a, &b, how)
            }
        };
        let columns = left
            .columns
            .iter()
            .zip(&names)
            .map(|((name, _), id)| (name.clone(), id.clone()))
            .collect();
        let rel = rel.only(&ids);
        Ok(Output {
            rel,
            columns,
            single: false,
        })
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
                    None => return Err(no_position("ORDER BY", at)),
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

/// Both sides with the columns of both, by their names: what one does not have is null.
fn by_name(left: &Output, right: &Output) -> (Output, Output) {
    let has = |output: &Output, name: &str| {
        let mut known = output.columns.iter();
        known.any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let mut names: Vec<String> = left.columns.iter().map(|(name, _)| name.clone()).collect();
    let more = right.columns.iter().map(|(name, _)| name);
    names.extend(more.filter(|name| !has(left, name)).cloned());
    let whole = |output: &Output| {
        let mut rel = output.rel.clone();
        let mut columns = Vec::with_capacity(names.len());
        for name in &names {
            let mut known = output.columns.iter();
            let id = match known.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, id)) => id.clone(),
                None => {
                    let id = format!("__missing_{name}");
                    rel = rel.with(vec![(id.clone(), Expr::Literal(Scalar::Null))]);
                    id
                }
            };
            columns.push((name.clone(), id));
        }
        Output {
            rel,
            columns,
            single: output.single,
        }
    };
    (whole(left), whole(right))
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
        return beyond(refused::TABLE_ALIAS);
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

fn count(expr: &ast::Expr) -> Planned<u64> {
    match ordinal(crate::tree::bare(expr)) {
        Some(count) => Ok(count as u64),
        None => beyond(refused::LIMIT_VALUE),
    }
}
