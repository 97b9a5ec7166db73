//! Set operations: rows of several queries, matched by the position of their columns.

use laktory_core::{ErrorKind, Expr, JoinHow, Scalar, UnionHow};
use sqlparser::ast::{self, Query, SetExpr, SetOperator, SetQuantifier, Spanned};
use sqlparser::tokenizer::Span;

use crate::fault::{Planned, beyond, wrong};
use crate::plan::Rel;
use crate::planner::{Output, Planner};
use crate::refused;

impl Planner<'_> {
    /// Plans what stands below a set operation.
    pub(crate) fn set(&mut self, body: &SetExpr) -> Planned<Output> {
        match body {
            SetExpr::Select(select) => self.select(select, &[]),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => self.rows(values),
            SetExpr::SetOperation {
                op: SetOperator::Union,
                set_quantifier:
                    quantifier @ (SetQuantifier::All | SetQuantifier::None | SetQuantifier::Distinct),
                ..
            } => {
                let every = *quantifier == SetQuantifier::All;
                let mut operands = Vec::new();
                operands_of(body, every, &mut operands);
                let outputs = self.operands(&operands)?;
                let of_last = operands.last().map_or(Span::empty(), |last| selected(last));
                self.united(&outputs, every)
                    .map_err(|stop| stop.within(of_last))
            }
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let of_right = selected(right);
                let left = self.set(left)?;
                let right = self.set(right)?;
                let combined = match set_quantifier {
                    SetQuantifier::ByName
                    | SetQuantifier::AllByName
                    | SetQuantifier::DistinctByName => {
                        let every = *set_quantifier == SetQuantifier::AllByName;
                        let (left, right) = by_name(&left, &right);
                        self.combined(&left, *op, every, &right)
                    }
                    quantifier => {
                        let every = *quantifier == SetQuantifier::All;
                        self.combined(&left, *op, every, &right)
                    }
                };
                combined.map_err(|stop| stop.within(of_right))
            }
            _ => beyond(refused::STATEMENT),
        }
    }

    /// Plans the operands of a union; neighbouring VALUES are one table.
    fn operands(&mut self, operands: &[&SetExpr]) -> Planned<Vec<Output>> {
        let mut outputs = Vec::with_capacity(operands.len());
        let mut rest = operands;
        while let [first, others @ ..] = rest {
            let width = width(first);
            let more = others.iter();
            let more = more.take_while(|other| width.is_some() && self::width(other) == width);
            let count = more.count();
            let (run, behind) = rest.split_at(count + 1);
            rest = behind;
            outputs.push(match run {
                [SetExpr::Values(first), .., _] => {
                    let mut all = first.clone();
                    all.rows = run.iter().flat_map(|values| rows_of(values)).collect();
                    self.rows(&all)?
                }
                _ => self.set(first)?,
            });
        }
        Ok(outputs)
    }

    fn combined(
        &mut self,
        left: &Output,
        op: SetOperator,
        every: bool,
        right: &Output,
    ) -> Planned<Output> {
        let how = match op {
            SetOperator::Union => return self.united(&[left.clone(), right.clone()], every),
            SetOperator::Intersect => JoinHow::Semi,
            SetOperator::Except | SetOperator::Minus => JoinHow::Anti,
        };
        let (sides, columns) = self.sides(&[left.clone(), right.clone()])?;
        let [a, b] = sides.as_slice() else {
            return beyond(refused::STATEMENT);
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
        Ok(Output {
            rel: self.matching(&a, &b, how).only(&sides[0].ids),
            columns,
            single: false,
        })
    }

    fn united(&mut self, outputs: &[Output], every: bool) -> Planned<Output> {
        let (mut sides, columns) = self.sides(outputs)?;
        let rest = sides.split_off(1);
        let rel = sides[0].union(&rest, UnionHow::Coerced);
        Ok(Output {
            rel: if every { rel } else { rel.distinct() },
            columns,
            single: false,
        })
    }

    /// The operands under the same names, and what the names of the first stand for.
    #[allow(clippy::type_complexity, reason = "relations, and names of columns")]
    fn sides(&mut self, outputs: &[Output]) -> Planned<(Vec<Rel>, Vec<(String, String)>)> {
        let Some(first) = outputs.first() else {
            return beyond(refused::STATEMENT);
        };
        let wide = first.columns.len();
        if let Some(other) = outputs.iter().find(|other| other.columns.len() != wide) {
            let message = format!(
                "a set operation needs as many columns on both sides, not {wide} and {}",
                other.columns.len()
            );
            return wrong(ErrorKind::SchemaMismatch, message);
        }
        let outer = self.outer_ids();
        let mut columns = Vec::with_capacity(wide);
        for (name, _) in &first.columns {
            columns.push((name.clone(), self.names.claim(None, name)));
        }
        let side = |output: &Output| {
            let pairs = output.columns.iter().zip(&columns);
            let mut selected: Vec<(String, Expr)> = pairs
                .map(|((_, id), (_, name))| (name.clone(), Expr::column(id)))
                .collect();
            selected.extend(outer.iter().map(|id| (id.clone(), Expr::column(id))));
            output.rel.select(selected)
        };
        Ok((outputs.iter().map(side).collect(), columns))
    }
}

/// The operands of a chain of UNION, or of UNION ALL, in whichever way it is put in brackets.
fn operands_of<'a>(body: &'a SetExpr, every: bool, operands: &mut Vec<&'a SetExpr>) {
    match body {
        SetExpr::SetOperation {
            left,
            op: SetOperator::Union,
            set_quantifier,
            right,
        } if match set_quantifier {
            SetQuantifier::All => every,
            SetQuantifier::None | SetQuantifier::Distinct => !every,
            _ => false,
        } =>
        {
            operands_of(left, every, operands);
            operands_of(right, every, operands);
        }
        SetExpr::Query(query) if is_bare(query) => operands_of(&query.body, every, operands),
        other => operands.push(other),
    }
}

/// Whether a query is its body and nothing else.
fn is_bare(query: &Query) -> bool {
    query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty()
}

/// How many values the rows of VALUES have.
fn width(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

fn rows_of(body: &SetExpr) -> Vec<ast::Parens<Vec<ast::Expr>>> {
    match body {
        SetExpr::Values(values) => values.rows.clone(),
        _ => Vec::new(),
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

/// Where the columns of a query are selected.
pub(crate) fn selected(body: &SetExpr) -> Span {
    match body {
        SetExpr::Select(select) => Span::union_iter(select.projection.iter().map(Spanned::span)),
        SetExpr::Query(query) => selected(&query.body),
        SetExpr::SetOperation { left, .. } => selected(left),
        other => other.span(),
    }
}
