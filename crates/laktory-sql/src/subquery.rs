//! Sub-queries. One that uses nothing of the row around it is planned by itself; one that does becomes a join: on its own
//! conditions where it is that plain, else on the distinct outer values that it uses, for each of which it is computed.

use laktory_core::{Arg, Expr, Func, JoinHow};
use sqlparser::ast::{self, BinaryOperator, GroupByExpr, Query, Select, SetExpr};

use crate::fault::{Planned, beyond};
use crate::from::{Relation, within};
use crate::group::{is_aggregate, or_zero};
use crate::join::How;
use crate::plan::{Rel, not};
use crate::planner::{Outer, Output, Planner};
use crate::quantified::Quantifier;
use crate::refused;
use crate::scope::Column;
use crate::select::is_window;
use crate::sets::selected;
use crate::tree;

/// How often a sub-query is planned before all columns that it uses of the outer row are known.
const ROUNDS: usize = 8;

/// A sub-query beside the rows around it.
pub(crate) struct Inner {
    pub(crate) output: Output,
    /// Columns of the outer row that it uses, and their names in its relation.
    pub(crate) used: Vec<(String, String)>,
}

impl Inner {
    /// The column of the only output.
    pub(crate) fn value(&self) -> Planned<String> {
        match self.output.columns.as_slice() {
            [(_, id)] => Ok(id.clone()),
            _ => beyond(refused::QUERY_COLUMNS),
        }
    }

    pub(crate) fn outer_ids(&self) -> Vec<String> {
        self.used.iter().map(|(_, id)| id.clone()).collect()
    }
}

impl Planner<'_> {
    /// Puts columns in the place of the sub-queries in an expression whose own names are resolved; the relation gets
    /// these columns.
    pub(crate) fn values(&mut self, relation: &mut Relation, expr: &mut ast::Expr) -> Planned<()> {
        tree::rewrite(expr, &mut |node| {
            let id = match node {
                ast::Expr::Subquery(query) => self.scalar(relation, query)?,
                ast::Expr::Exists { subquery, negated } => {
                    let id = self.exists(relation, subquery)?;
                    self.maybe_not(relation, id, *negated)
                }
                ast::Expr::InSubquery {
                    expr,
                    subquery,
                    negated,
                } => {
                    let id = match tree::bare(expr) {
                        ast::Expr::Tuple(values) => {
                            let values = values.iter().map(|value| self.lower(value));
                            let values = values.collect::<Planned<Vec<_>>>()?;
                            self.row_contained(relation, values, subquery)?
                        }
                        _ => {
                            let value = self.lower(expr)?;
                            self.contained(relation, value, subquery)?
                        }
                    };
                    self.maybe_not(relation, id, *negated)
                }
                ast::Expr::AnyOp {
                    left,
                    compare_op,
                    right,
                    ..
                } => self.compared(relation, (left, compare_op, right), Quantifier::Any)?,
                ast::Expr::AllOp {
                    left,
                    compare_op,
                    right,
                } => self.compared(relation, (left, compare_op, right), Quantifier::All)?,
                _ => return Ok(()),
            };
            *node = tree::resolved(&id, node);
            Ok(())
        })
    }

    pub(crate) fn maybe_not(
        &mut self,
        relation: &mut Relation,
        id: String,
        negated: bool,
    ) -> String {
        if !negated {
            return id;
        }
        let other = self.names.fresh("not");
        relation.rel = relation
            .rel
            .with(vec![(other.clone(), not(Expr::column(id)))]);
        other
    }

    /// Keeps rows by a condition that is a sub-query as a whole; false when it is none.
    pub(crate) fn keep_by_query(
        &mut self,
        relation: &mut Relation,
        condition: &ast::Expr,
    ) -> Planned<bool> {
        let (inner, outside) = match tree::negated(condition) {
            Some(inner) => (tree::bare(inner), true),
            None => (tree::bare(condition), false),
        };
        match inner {
            ast::Expr::Exists { subquery, negated } => {
                let how = if *negated == outside {
                    How::Semi
                } else {
                    How::Anti
                };
                self.matched(relation, subquery, how, None)
            }
            ast::Expr::InSubquery {
                expr,
                subquery,
                negated,
            } if *negated == outside && !tree::has_query(expr) => {
                self.matched(relation, subquery, How::Semi, Some(expr))
            }
            _ => Ok(false),
        }
    }

    /// Joins the rows with those of a plain sub-query on its own conditions; false when it is not that plain.
    fn matched(
        &mut self,
        relation: &mut Relation,
        query: &Query,
        how: How,
        value: Option<&ast::Expr>,
    ) -> Planned<bool> {
        let Some(select) = plain_select(query) else {
            return Ok(false);
        };
        let special = |expr: &ast::Expr| is_aggregate(expr) || is_window(expr);
        let items: Vec<&ast::Expr> = select
            .projection
            .iter()
            .filter_map(|item| match item {
                ast::SelectItem::UnnamedExpr(expr)
                | ast::SelectItem::ExprWithAlias { expr, .. } => Some(expr),
                _ => None,
            })
            .collect();
        if !is_ungrouped(select) || items.iter().any(|expr| tree::any(expr, special)) {
            return Ok(false);
        }
        let values: Vec<&ast::Expr> = match value.map(tree::bare) {
            None => Vec::new(),
            Some(ast::Expr::Tuple(values)) => values.iter().collect(),
            Some(value) => vec![value],
        };
        let fits = items.len() == values.len()
            && select.projection.len() == values.len()
            && !items.iter().any(|item| tree::has_query(item));
        if value.is_some() && !fits {
            return Ok(false);
        }
        let Some((inner, mut conditions)) = self.beside(relation, select)? else {
            return Ok(false);
        };
        for (value, item) in values.into_iter().zip(items) {
            let (mut value, mut item) = (value.clone(), item.clone());
            let scope = relation.scope.clone();
            self.resolve(&scope, &mut value)?;
            self.direct(relation, |planner| planner.resolve(&inner.scope, &mut item))?;
            conditions.push(ast::Expr::BinaryOp {
                left: Box::new(ast::Expr::Nested(Box::new(value))),
                op: BinaryOperator::Eq,
                right: Box::new(ast::Expr::Nested(Box::new(item))),
            });
        }
        if conditions.is_empty() {
            // Whether there is any row at all.
            return Ok(false);
        }
        relation.rel = self.join(&relation.rel, &inner.rel, how, conditions)?;
        Ok(true)
    }

    fn spend(&mut self) -> Planned<()> {
        match self.budget.checked_sub(1) {
            Some(rest) => self.budget = rest,
            None => return beyond(refused::QUERY_DEPTH),
        }
        Ok(())
    }

    /// The rows of a plain sub-query by its own conditions, and its conditions that use the outer row too.
    fn beside(
        &mut self,
        relation: &Relation,
        select: &Select,
    ) -> Planned<Option<(Relation, Vec<ast::Expr>)>> {
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            tree::conjuncts(selection.clone(), &mut conditions);
        }
        if conditions.iter().any(tree::has_query) {
            return Ok(None);
        }
        let only = |conditions: &[ast::Expr]| Select {
            selection: conditions
                .iter()
                .cloned()
                .reduce(|a, b| ast::Expr::BinaryOp {
                    left: Box::new(ast::Expr::Nested(Box::new(a))),
                    op: BinaryOperator::And,
                    right: Box::new(ast::Expr::Nested(Box::new(b))),
                }),
            ..select.clone()
        };
        self.spend()?;
        // Planned once to tell the conditions apart, and then with those that are its own.
        let names = self.names.clone();
        let (from, touched) = self.direct(relation, |planner| planner.source_rows(&only(&[])))?;
        if touched {
            return Ok(None);
        }
        let (mut own, mut shared) = (Vec::new(), Vec::new());
        for condition in conditions {
            let mut copy = condition.clone();
            let ((), touched) =
                self.direct(relation, |planner| planner.resolve(&from.scope, &mut copy))?;
            if touched {
                shared.push(condition);
            } else {
                own.push(condition);
            }
        }
        self.names = names;
        let (inner, _) = self.direct(relation, |planner| planner.source_rows(&only(&own)))?;
        for condition in &mut shared {
            self.direct(relation, |planner| planner.resolve(&inner.scope, condition))?;
        }
        Ok(Some((inner, shared)))
    }

    /// Plans something that sees the outer row as it is, and tells whether it used it.
    fn direct<T>(
        &mut self,
        relation: &Relation,
        work: impl FnOnce(&mut Self) -> Planned<T>,
    ) -> Planned<(T, bool)> {
        self.outer.push(Outer {
            scope: relation.scope.clone(),
            used: Vec::new(),
            domain: None,
            missing: Vec::new(),
            direct: true,
            touched: false,
        });
        let outcome = work(self);
        let outer = self.outer.pop();
        Ok((outcome?, outer.is_some_and(|outer| outer.touched)))
    }

    /// Plans a sub-query beside the rows around it.
    pub(crate) fn inner(&mut self, relation: &Relation, query: &Query) -> Planned<Inner> {
        let mut used: Vec<(String, String)> = Vec::new();
        for _ in 0..ROUNDS {
            self.spend()?;
            let domain = (!used.is_empty()).then(|| {
                let columns = used.iter();
                let columns = columns.map(|(id, local)| (local.clone(), Expr::column(id)));
                relation.rel.select(columns.collect()).distinct()
            });
            self.outer.push(Outer {
                scope: relation.scope.clone(),
                used: used.clone(),
                domain,
                missing: Vec::new(),
                direct: false,
                touched: false,
            });
            let outcome = self.query(query);
            let missing = self.outer.pop().map(|outer| outer.missing);
            let missing = missing.unwrap_or_default();
            if missing.is_empty() {
                return Ok(Inner {
                    output: outcome?,
                    used,
                });
            }
            for id in missing {
                let local = self.names.fresh("outer");
                used.push((id, local));
            }
        }
        beyond(refused::QUERY_OUTER)
    }

    /// Joins columns of a sub-query, one row for each outer row at most, to the rows around it.
    pub(crate) fn attach(
        &mut self,
        relation: &mut Relation,
        rel: &Rel,
        used: &[(String, String)],
        columns: Vec<(String, Expr)>,
    ) {
        let mut selected = columns;
        if used.is_empty() {
            let rel = rel.select(selected);
            // Without rows there are nulls, as with a row that has no match.
            let (a, b) = (self.names.fresh("key"), self.names.fresh("key"));
            let one = |name: &String| vec![(name.clone(), Expr::literal(true))];
            let mut ids = relation.rel.ids.clone();
            ids.extend(rel.ids.iter().cloned());
            relation.rel = relation
                .rel
                .with(one(&a))
                .join(&rel.with(one(&b)), JoinHow::Left, &[(a, b)], false)
                .only(&ids);
            return;
        }
        let keys: Vec<(String, String)> = used
            .iter()
            .map(|(id, _)| (id.clone(), self.names.fresh("key")))
            .collect();
        let locals = used.iter().zip(&keys);
        selected.extend(locals.map(|((_, local), (_, key))| (key.clone(), Expr::column(local))));
        relation.rel = relation
            .rel
            .join(&rel.select(selected), JoinHow::Left, &keys, true);
    }

    /// The column that holds the value of a sub-query.
    fn scalar(&mut self, relation: &mut Relation, query: &Query) -> Planned<String> {
        if let Some(id) = self.scalar_by_groups(relation, query)? {
            return Ok(id);
        }
        let inner = self.inner(relation, query)?;
        let value = inner
            .value()
            .map_err(|stop| stop.within(selected(&query.body)))?;
        let id = self.names.fresh("value");
        self.shown
            .insert(id.clone(), inner.output.columns[0].0.clone());
        if inner.output.single {
            let columns = vec![(id.clone(), Expr::column(value))];
            self.attach(relation, &inner.output.rel, &inner.used, columns);
            return Ok(id);
        }
        // One row for each outer row, with the number of those that were found.
        let (first, count) = (self.names.fresh("first"), self.names.fresh("count"));
        let found = vec![
            (
                first.clone(),
                Expr::Call {
                    func: Func::AnyValue,
                    args: vec![Arg::Expr(Expr::column(value)), Arg::Bool(false)],
                },
            ),
            (count.clone(), Expr::call(Func::Len, [])),
        ];
        let rel = inner.output.rel.aggregate(&inner.outer_ids(), found);
        let single = Expr::call(Func::SqlSingle, [Expr::column(first), Expr::column(count)]);
        self.attach(relation, &rel, &inner.used, vec![(id.clone(), single)]);
        Ok(id)
    }

    /// An aggregate over rows that equal the outer row in some columns: groups of them, joined by these columns.
    fn scalar_by_groups(
        &mut self,
        relation: &mut Relation,
        query: &Query,
    ) -> Planned<Option<String>> {
        let Some(select) = plain_select(query) else {
            return Ok(None);
        };
        let [
            ast::SelectItem::UnnamedExpr(item) | ast::SelectItem::ExprWithAlias { expr: item, .. },
        ] = select.projection.as_slice()
        else {
            return Ok(None);
        };
        if !is_ungrouped(select) || tree::has_query(item) || !tree::any(item, is_aggregate) {
            return Ok(None);
        }
        let Some((mut inner, shared)) = self.beside(relation, select)? else {
            return Ok(None);
        };
        if shared.is_empty() {
            return Ok(None);
        }
        let mut pairs = Vec::new();
        for condition in &shared {
            let ast::Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } = tree::bare(condition)
            else {
                return Ok(None);
            };
            let (outer, own) = if within(left, &relation.rel.ids) && within(right, &inner.rel.ids) {
                (left, right)
            } else if within(right, &relation.rel.ids) && within(left, &inner.rel.ids) {
                (right, left)
            } else {
                return Ok(None);
            };
            pairs.push((self.lower(outer)?, self.lower(own)?));
        }
        let mut item = item.clone();
        let ((), touched) = {
            let scope: Vec<Column> = inner.scope.clone();
            self.direct(relation, |planner| planner.resolve(&scope, &mut item))?
        };
        if touched {
            return Ok(None);
        }
        let mut aggregates: Vec<(String, Expr)> = Vec::new();
        tree::rewrite(&mut item, &mut |node| {
            if is_aggregate(node) {
                let id = self.names.fresh("aggregate");
                self.spread(&mut inner, node)?;
                aggregates.push((id.clone(), self.lower(node)?));
                *node = tree::resolved(&id, node);
            }
            Ok(())
        })?;
        let known: Vec<String> = aggregates.iter().map(|(id, _)| id.clone()).collect();
        if !within(&item, &known) {
            return Ok(None);
        }
        let (mut keys, mut of_outer, mut of_inner) = (Vec::new(), Vec::new(), Vec::new());
        for (outer, own) in pairs {
            let (a, b) = (self.names.fresh("key"), self.names.fresh("key"));
            of_outer.push((a.clone(), outer));
            of_inner.push((b.clone(), own));
            keys.push((a, b));
        }
        let by: Vec<String> = keys.iter().map(|(_, key)| key.clone()).collect();
        let groups = inner.rel.with(of_inner).aggregate(&by, aggregates.clone());
        let mut ids = relation.rel.ids.clone();
        let joined = relation
            .rel
            .with(of_outer)
            .join(&groups, JoinHow::Left, &keys, false);
        let counted: Vec<(String, Expr)> = aggregates
            .iter()
            .filter(|(_, value)| crate::group::counts(value))
            .map(|(id, _)| (id.clone(), or_zero(Expr::column(id))))
            .collect();
        let mut joined = joined;
        if !counted.is_empty() {
            let all = joined.ids.iter().map(|id| {
                let counted = counted.iter().find(|(known, _)| known == id);
                let value = counted.map_or_else(|| Expr::column(id), |(_, value)| value.clone());
                (id.clone(), value)
            });
            joined = joined.select(all.collect());
        }
        let id = self.names.fresh("value");
        ids.push(id.clone());
        let value = self.lower(&item)?;
        relation.rel = joined.with(vec![(id.clone(), value)]).only(&ids);
        Ok(Some(id))
    }

    /// The column that tells whether a sub-query has rows.
    fn exists(&mut self, relation: &mut Relation, query: &Query) -> Planned<String> {
        let inner = self.inner(relation, query)?;
        let (mark, id) = (self.names.fresh("mark"), self.names.fresh("exists"));
        let outer = inner.outer_ids();
        let rel = if outer.is_empty() {
            inner.output.rel.head(1)
        } else {
            inner.output.rel.only(&outer).distinct()
        };
        let columns = vec![(mark.clone(), Expr::literal(true))];
        self.attach(relation, &rel, &inner.used, columns);
        let found = not(Expr::call(Func::IsNull, [Expr::column(&mark)]));
        relation.rel = relation.rel.with(vec![(id.clone(), found)]);
        Ok(id)
    }

    /// The column that tells whether a value is among those of a sub-query: null when it is not found, and it or one of
    /// those is null.
    pub(crate) fn contained(
        &mut self,
        relation: &mut Relation,
        value: Expr,
        query: &Query,
    ) -> Planned<String> {
        let inner = self.inner(relation, query)?;
        let wanted = inner
            .value()
            .map_err(|stop| stop.within(selected(&query.body)))?;
        let outer = inner.outer_ids();
        let mut name = |what: &str| self.names.fresh(what);
        let (rows, nulls, mark, id) = (name("rows"), name("nulls"), name("mark"), name("in"));
        let (left, right) = (name("key"), name("key"));
        // How many values there are, and how many are null.
        let counts = vec![
            (rows.clone(), Expr::call(Func::Len, [])),
            (
                nulls.clone(),
                Expr::call(Func::NullCount, [Expr::column(&wanted)]),
            ),
        ];
        let counted = inner.output.rel.aggregate(&outer, counts);
        let columns = vec![
            (rows.clone(), Expr::column(&rows)),
            (nulls.clone(), Expr::column(&nulls)),
        ];
        self.attach(relation, &counted, &inner.used, columns);
        // The values themselves.
        let mut keys: Vec<(String, String)> = Vec::new();
        let mut columns = vec![(right.clone(), Expr::column(&wanted))];
        for (id, local) in &inner.used {
            let key = self.names.fresh("key");
            columns.push((key.clone(), Expr::column(local)));
            keys.push((id.clone(), key));
        }
        keys.push((left.clone(), right.clone()));
        let is_null = Expr::call(Func::IsNull, [Expr::column(&wanted)]);
        let values = inner
            .output
            .rel
            .filter(not(is_null))
            .select(columns)
            .distinct()
            .with(vec![(mark.clone(), Expr::literal(true))]);
        relation.rel = relation.rel.with(vec![(left.clone(), value)]).join(
            &values,
            JoinHow::Left,
            &keys,
            true,
        );
        let zero = Expr::literal(0_i64);
        let none = Expr::call(Func::Eq, [or_zero(Expr::column(&rows)), zero.clone()]);
        let found = not(Expr::call(Func::IsNull, [Expr::column(&mark)]));
        let unknown = Expr::call(Func::IsNull, [Expr::column(&left)])
            .or(Expr::call(Func::Gt, [Expr::column(&nulls), zero]));
        let contained = Expr::When {
            branches: vec![
                (none, Expr::literal(false)),
                (found, Expr::literal(true)),
                (not(unknown), Expr::literal(false)),
            ],
            otherwise: None,
        };
        relation.rel = relation.rel.with(vec![(id.clone(), contained)]);
        Ok(id)
    }
}

/// A query that is one SELECT and nothing else.
fn plain_select(query: &Query) -> Option<&Select> {
    let alone = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty()
        && query.pipe_operators.is_empty();
    match &*query.body {
        SetExpr::Select(select) if alone && select.distinct.is_none() => Some(select),
        SetExpr::Query(inner) if alone => plain_select(inner),
        _ => None,
    }
}

/// Whether a SELECT has no clause of groups or windows.
fn is_ungrouped(select: &Select) -> bool {
    matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
        && select.having.is_none()
        && select.qualify.is_none()
}
