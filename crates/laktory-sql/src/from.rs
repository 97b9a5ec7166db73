//! FROM and WHERE: the relations of a SELECT, joined.

use laktory_core::{Expr, Func};
use sqlparser::ast::{
    self, Ident, JoinConstraint, JoinOperator, ObjectName, Select, TableFactor, TableWithJoins,
};

use crate::fault::{Planned, beyond};
use crate::join::How;
use crate::plan::Rel;
use crate::planner::{Planner, renamed};
use crate::scope::{self, Column, Found};
use crate::tree;

/// A relation, and what names mean in it.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) rel: Rel,
    pub(crate) scope: Vec<Column>,
}

impl Planner<'_> {
    /// The rows that a SELECT works on.
    pub(crate) fn source_rows(&mut self, select: &Select) -> Planned<Relation> {
        let mut relations = Vec::new();
        if let Some(outer) = self.outer.last()
            && let Some(domain) = outer.domain.clone()
        {
            relations.push(Relation {
                rel: domain,
                scope: Vec::new(),
            });
        }
        for table in &select.from {
            relations.push(self.joined_tables(table)?);
        }
        if relations.is_empty() {
            relations.push(Relation {
                rel: Rel::one_row(),
                scope: Vec::new(),
            });
        }
        let scope: Vec<Column> = relations
            .iter()
            .flat_map(|relation| relation.scope.clone())
            .collect();
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            tree::conjuncts(selection.clone(), &mut conditions);
        }
        let mut plain = Vec::new();
        let mut nested = Vec::new();
        for mut condition in conditions {
            if tree::has_query(&condition) {
                nested.push(condition);
            } else {
                self.resolve(&scope, &mut condition)?;
                plain.push(condition);
            }
        }
        let rels = relations.into_iter().map(|relation| relation.rel);
        let rel = self.crossed(rels.collect(), plain)?;
        let mut relation = Relation { rel, scope };
        for condition in nested {
            self.keep(&mut relation, condition)?;
        }
        Ok(relation)
    }

    /// Relations that stand beside one another, matched by conditions: one that has equal columns with those before it
    /// comes before one that has not.
    fn crossed(&mut self, mut rels: Vec<Rel>, mut conditions: Vec<ast::Expr>) -> Planned<Rel> {
        let mut current = rels.remove(0);
        loop {
            let (here, rest) = split(conditions, &current.ids);
            conditions = rest;
            if let Some(here) = self.lowered(&here)? {
                current = current.filter(here);
            }
            if rels.is_empty() {
                break;
            }
            let tied = rels.iter().position(|rel| {
                let mut both = current.ids.clone();
                both.extend(rel.ids.iter().cloned());
                conditions.iter().any(|condition| {
                    is_equality(condition)
                        && within(condition, &both)
                        && !within(condition, &rel.ids)
                })
            });
            let next = rels.remove(tied.unwrap_or(0));
            let mut both = current.ids.clone();
            both.extend(next.ids.iter().cloned());
            let (here, rest) = split(conditions, &both);
            conditions = rest;
            current = self.join(&current, &next, How::Inner, here)?;
        }
        if conditions.is_empty() {
            Ok(current)
        } else {
            beyond("a condition on columns that are not there")
        }
    }

    /// All of the conditions, lowered.
    pub(crate) fn lowered(&self, conditions: &[ast::Expr]) -> Planned<Option<Expr>> {
        let lowered = conditions.iter().map(|condition| self.lower(condition));
        Ok(crate::plan::all(lowered.collect::<Planned<Vec<_>>>()?))
    }

    fn joined_tables(&mut self, table: &TableWithJoins) -> Planned<Relation> {
        let mut left = self.factor(&table.relation)?;
        for join in &table.joins {
            if join.global {
                return beyond("GLOBAL JOIN");
            }
            let right = self.factor(&join.relation)?;
            left = self.joined(left, right, &join.join_operator)?;
        }
        Ok(left)
    }

    fn joined(
        &mut self,
        left: Relation,
        right: Relation,
        operator: &JoinOperator,
    ) -> Planned<Relation> {
        use JoinOperator as J;
        let (how, constraint, swapped) = match operator {
            J::Join(on) | J::Inner(on) | J::CrossJoin(on) => (How::Inner, on, false),
            J::Left(on) | J::LeftOuter(on) => (How::Left, on, false),
            J::Right(on) | J::RightOuter(on) => (How::Left, on, true),
            J::FullOuter(on) => (How::Full, on, false),
            J::Semi(on) | J::LeftSemi(on) => (How::Semi, on, false),
            J::Anti(on) | J::LeftAnti(on) => (How::Anti, on, false),
            J::RightSemi(on) => (How::Semi, on, true),
            J::RightAnti(on) => (How::Anti, on, true),
            _ => return beyond("this kind of join"),
        };
        let needs = !matches!(operator, J::CrossJoin(_) | J::Join(_) | J::Inner(_));
        let mut conditions = Vec::new();
        let mut pairs: Vec<(Column, Column)> = Vec::new();
        match constraint {
            JoinConstraint::None if needs => return beyond("a join without a condition"),
            JoinConstraint::None => {}
            JoinConstraint::On(condition) => tree::conjuncts(condition.clone(), &mut conditions),
            JoinConstraint::Using(names) => {
                for name in names {
                    let Some(name) = single(name) else {
                        return beyond("this name in USING");
                    };
                    pairs.push((
                        one(&left.scope, &name.value)?,
                        one(&right.scope, &name.value)?,
                    ));
                }
            }
            JoinConstraint::Natural => {
                for column in left.scope.iter().filter(|column| !column.merged) {
                    if let Found::One(_) = scope::find(&right.scope, None, &column.name) {
                        pairs.push((
                            one(&left.scope, &column.name)?,
                            one(&right.scope, &column.name)?,
                        ));
                    }
                }
            }
        }
        let mut scope = left.scope.clone();
        scope.extend(right.scope.iter().cloned());
        for condition in &mut conditions {
            if tree::has_query(condition) {
                return beyond("a sub-query in ON");
            }
            self.resolve(&scope, condition)?;
        }
        for (a, b) in &pairs {
            conditions.push(equal(&a.id, &b.id));
        }
        let mut rel = if swapped {
            self.join(&right.rel, &left.rel, how, conditions)?
        } else {
            self.join(&left.rel, &right.rel, how, conditions)?
        };
        match how {
            How::Semi | How::Anti if swapped => {
                return Ok(Relation {
                    rel,
                    scope: right.scope,
                });
            }
            How::Semi | How::Anti => {
                return Ok(Relation {
                    rel,
                    scope: left.scope,
                });
            }
            _ => {}
        }
        // What USING makes one column stands where the left side has it.
        for (a, b) in pairs {
            let kept = match (how, swapped) {
                (How::Full, _) => {
                    let id = self.names.fresh(&a.name);
                    let value = Expr::Call {
                        func: Func::Coalesce,
                        args: vec![laktory_core::Arg::Exprs(vec![
                            Expr::column(&a.id),
                            Expr::column(&b.id),
                        ])],
                    };
                    rel = rel.with(vec![(id.clone(), value)]);
                    self.shown.insert(id.clone(), a.name.clone());
                    id
                }
                (_, true) => b.id.clone(),
                _ => a.id.clone(),
            };
            let at = scope
                .iter()
                .position(|column| column.id == a.id && !column.merged);
            for column in &mut scope {
                column.merged |= column.id == a.id || column.id == b.id;
            }
            scope.insert(
                at.unwrap_or(0),
                Column {
                    table: None,
                    name: a.name.clone(),
                    id: kept,
                    merged: false,
                },
            );
        }
        Ok(Relation { rel, scope })
    }

    fn factor(&mut self, factor: &TableFactor) -> Planned<Relation> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                let Some(name) = single(name) else {
                    return beyond("a name of a table with a dot");
                };
                let (rel, columns, table) = if let Some(output) = self.common(&name.value) {
                    let output = output.clone();
                    (output.rel, output.columns, Some(name.value.clone()))
                } else if let Some((frame, columns)) = (self.tables)(&name.value) {
                    let rel = Rel {
                        plan: std::sync::Arc::new(crate::plan::Plan::Frame(frame.clone())),
                        ids: columns.clone(),
                    };
                    let pairs = columns.into_iter().map(|name| (name.clone(), name));
                    (rel, pairs.collect(), Some(called(&frame)))
                } else {
                    return beyond(format!("a table `{name}`"));
                };
                self.instance(&rel, columns, table, alias.as_ref())
            }
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias,
                sample: None,
            } => {
                let output = self.apart(subquery)?;
                self.instance(&output.rel, output.columns, None, alias.as_ref())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.joined_tables(table_with_joins),
            _ => beyond("this kind of table"),
        }
    }

    /// A relation under the name that it has in one FROM, and with columns that no other relation there has.
    fn instance(
        &mut self,
        rel: &Rel,
        columns: Vec<(String, String)>,
        table: Option<String>,
        alias: Option<&ast::TableAlias>,
    ) -> Planned<Relation> {
        let (columns, table) = match alias {
            Some(alias) => (renamed(columns, alias)?, Some(alias.name.value.clone())),
            None => (columns, table),
        };
        let mut scope = Vec::with_capacity(columns.len());
        let mut selected = Vec::with_capacity(columns.len());
        for (name, from) in columns {
            let id = self.names.claim(table.as_deref(), &name);
            selected.push((id.clone(), Expr::column(from)));
            if id != name {
                self.shown.insert(id.clone(), name.clone());
            }
            scope.push(Column {
                table: table.clone(),
                name,
                id,
                merged: false,
            });
        }
        Ok(Relation {
            rel: rel.select(selected),
            scope,
        })
    }
}

/// How a frame is called where no alias is given: by the name within its placeholder.
fn called(frame: &laktory_core::FrameName) -> String {
    use laktory_core::FrameName as F;
    match frame {
        F::Df => "df".to_owned(),
        F::Source(name) | F::Node(name) | F::Named(name) => name.clone(),
    }
}

/// A name without dots.
fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

fn one(scope: &[Column], name: &str) -> Planned<Column> {
    match scope::find(scope, None, name) {
        Found::One(id) => match scope
            .iter()
            .find(|column| column.id == id && !column.merged)
        {
            Some(column) => Ok(column.clone()),
            None => beyond("a column of USING that is merged"),
        },
        Found::Several(_) => beyond("a column of USING that may be several"),
        Found::None => Err(scope::unknown(scope, name).into()),
    }
}

/// `a = b` of two columns of the frame.
fn equal(a: &str, b: &str) -> ast::Expr {
    ast::Expr::BinaryOp {
        left: Box::new(tree::column(a)),
        op: ast::BinaryOperator::Eq,
        right: Box::new(tree::column(b)),
    }
}

fn is_equality(expr: &ast::Expr) -> bool {
    matches!(
        tree::bare(expr),
        ast::Expr::BinaryOp {
            op: ast::BinaryOperator::Eq,
            ..
        }
    )
}

/// Whether an expression needs no other columns.
pub(crate) fn within(expr: &ast::Expr, ids: &[String]) -> bool {
    tree::columns(expr).iter().all(|id| ids.contains(id))
}

/// Conditions that need no other columns, and the rest.
fn split(conditions: Vec<ast::Expr>, ids: &[String]) -> (Vec<ast::Expr>, Vec<ast::Expr>) {
    conditions.into_iter().partition(|expr| within(expr, ids))
}
