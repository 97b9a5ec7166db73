//! A value beside all values of a sub-query (`x < ANY (...)`, `x >= ALL (...)`), and rows of values among its rows
//! (`(a, b) IN (...)`). Null where a null decides, as the SQL standard has it.

use laktory_core::{Expr, Func, JoinHow, UnionHow};
use sqlparser::ast::{self, BinaryOperator, Query};

use crate::fault::{Planned, beyond};
use crate::from::Relation;
use crate::group::or_zero;
use crate::plan::{Rel, not};
use crate::planner::Planner;
use crate::refused;
use crate::sets::selected;

/// Whether the comparison holds for some value or for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Any,
    All,
}

/// The function of a comparison, and whether the least value decides where it holds for some.
fn comparison(op: &BinaryOperator) -> Option<(Func, bool)> {
    match op {
        BinaryOperator::Lt => Some((Func::Lt, false)),
        BinaryOperator::LtEq => Some((Func::Le, false)),
        BinaryOperator::Gt => Some((Func::Gt, true)),
        BinaryOperator::GtEq => Some((Func::Ge, true)),
        _ => None,
    }
}

impl Planner<'_> {
    /// The column that tells how a value compares with those of a sub-query.
    fn quantified(
        &mut self,
        relation: &mut Relation,
        (value, op): (Expr, &BinaryOperator),
        quantifier: Quantifier,
        query: &Query,
    ) -> Planned<String> {
        match (op, quantifier) {
            (BinaryOperator::Eq, Quantifier::Any) => {
                return self.contained(relation, value, query);
            }
            (BinaryOperator::NotEq, Quantifier::All) => {
                let id = self.contained(relation, value, query)?;
                return Ok(self.maybe_not(relation, id, true));
            }
            _ => {}
        }
        let inner = self.inner(relation, query)?;
        let wanted = inner
            .value()
            .map_err(|stop| stop.within(selected(&query.body)))?;
        let mut name = |what: &str| self.names.fresh(what);
        let (rows, nulls, id) = (name("rows"), name("nulls"), name("quantified"));
        let (low, high, left) = (name("low"), name("high"), name("compared"));
        let of = |func: Func| Expr::call(func, [Expr::column(&wanted)]);
        let found = vec![
            (rows.clone(), Expr::call(Func::Len, [])),
            (nulls.clone(), of(Func::NullCount)),
            (low.clone(), of(Func::Min)),
            (high.clone(), of(Func::SqlMax)),
        ];
        let same = found
            .iter()
            .map(|(name, _)| (name.clone(), Expr::column(name)));
        let columns = same.collect();
        let counted = inner.output.rel.aggregate(&inner.outer_ids(), found);
        self.attach(relation, &counted, &inner.used, columns);
        relation.rel = relation.rel.with(vec![(left.clone(), value)]);
        let to =
            |func: Func, bound: &str| Expr::call(func, [Expr::column(&left), Expr::column(bound)]);
        // What some value must be like, or any value that spoils it for all.
        let decides = match (comparison(op), quantifier) {
            (Some((func, least)), Quantifier::Any) => to(func, if least { &low } else { &high }),
            (Some((func, least)), Quantifier::All) => {
                not(to(func, if least { &high } else { &low }))
            }
            (None, _) if matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq) => {
                to(Func::Ne, &low).or(to(Func::Ne, &high))
            }
            (None, _) => return beyond(refused::QUANTIFIED_BY),
        };
        let zero = || Expr::literal(0_i64);
        let none = Expr::call(Func::Eq, [or_zero(Expr::column(&rows)), zero()]);
        let unknown = Expr::call(Func::IsNull, [Expr::column(&left)])
            .or(Expr::call(Func::Gt, [Expr::column(&nulls), zero()]));
        let all = quantifier == Quantifier::All;
        let outcome = Expr::When {
            branches: vec![
                (none, Expr::literal(all)),
                (decides, Expr::literal(!all)),
                (not(unknown), Expr::literal(all)),
            ],
            otherwise: None,
        };
        relation.rel = relation.rel.with(vec![(id.clone(), outcome)]);
        Ok(id)
    }

    /// The column that tells whether a row of values is among those of a sub-query: null when it is not found, and would be
    /// if nulls had a value.
    pub(crate) fn row_contained(
        &mut self,
        relation: &mut Relation,
        values: Vec<Expr>,
        query: &Query,
    ) -> Planned<String> {
        let inner = self.inner(relation, query)?;
        if inner.output.columns.len() != values.len() {
            return beyond(refused::ROW_WIDTH).map_err(|stop| stop.within(selected(&query.body)));
        }
        let mut name = |what: &str| self.names.fresh(what);
        let (sure, id) = (name("sure"), name("in"));
        let lefts: Vec<String> = values.iter().map(|_| name("left")).collect();
        let rights: Vec<String> = values.iter().map(|_| name("right")).collect();
        let named = lefts.iter().cloned().zip(values);
        relation.rel = relation.rel.with(named.collect());
        // The distinct rows of both sides, with the outer values for which the sub-query was computed.
        let mut wanted: Vec<String> = inner.used.iter().map(|(id, _)| id.clone()).collect();
        wanted.extend(lefts.iter().cloned());
        let sought = relation.rel.only(&wanted).distinct();
        let mut keys: Vec<(String, String)> = Vec::new();
        let outputs = rights.iter().zip(&inner.output.columns);
        let mut columns: Vec<(String, Expr)> = outputs
            .map(|(right, (_, id))| (right.clone(), Expr::column(id)))
            .collect();
        for (id, local) in &inner.used {
            let key = self.names.fresh("key");
            columns.push((key.clone(), Expr::column(local)));
            keys.push((id.clone(), key));
        }
        let rows = inner.output.rel.select(columns).distinct();
        let pairs: Vec<(String, String)> = lefts.iter().cloned().zip(rights.clone()).collect();
        let found = self.equal_rows(&sought, &rows, &keys, &pairs);
        let possible = self.possible_rows(&sought, &rows, &keys, &pairs);
        let mark = |rel: Rel, is: bool| {
            rel.only(&wanted)
                .with(vec![(sure.clone(), Expr::literal(is))])
        };
        let answers = mark(found, true)
            .union(&possible.map(|rel| mark(rel, false)), UnionHow::Coerced)
            .aggregate(
                &wanted,
                vec![(sure.clone(), Expr::call(Func::Max, [Expr::column(&sure)]))],
            );
        let own: Vec<(String, String)> = wanted
            .iter()
            .map(|id| (id.clone(), self.names.fresh("key")))
            .collect();
        let mut columns: Vec<(String, Expr)> = own
            .iter()
            .map(|(id, key)| (key.clone(), Expr::column(id)))
            .collect();
        columns.push((sure.clone(), Expr::column(&sure)));
        relation.rel = relation
            .rel
            .join(&answers.select(columns), JoinHow::Left, &own, true);
        let outcome = Expr::When {
            branches: vec![
                (
                    Expr::call(Func::IsNull, [Expr::column(&sure)]),
                    Expr::literal(false),
                ),
                (Expr::column(&sure), Expr::literal(true)),
            ],
            otherwise: None,
        };
        relation.rel = relation.rel.with(vec![(id.clone(), outcome)]);
        Ok(id)
    }

    /// Rows of the left side that equal one of the right.
    fn equal_rows(
        &self,
        left: &Rel,
        right: &Rel,
        keys: &[(String, String)],
        pairs: &[(String, String)],
    ) -> Rel {
        let known = |rel: &Rel, ids: &mut dyn Iterator<Item = &String>| {
            let known = ids.map(|id| not(Expr::call(Func::IsNull, [Expr::column(id)])));
            crate::plan::all(known).map_or_else(|| rel.clone(), |known| rel.filter(known))
        };
        let left = known(left, &mut pairs.iter().map(|(left, _)| left));
        let right = known(right, &mut pairs.iter().map(|(_, right)| right));
        let mut on = keys.to_vec();
        on.extend(pairs.iter().cloned());
        // The outer values may be null, and are the same ones then.
        left.join(&right, JoinHow::Semi, &on, true)
    }

    /// Rows of the left side that may equal one of the right: nulls are in either, and all else is equal. Only rows with
    /// nulls are held beside all others.
    fn possible_rows(
        &self,
        left: &Rel,
        right: &Rel,
        keys: &[(String, String)],
        pairs: &[(String, String)],
    ) -> [Rel; 2] {
        let is_null = |id: &String| Expr::call(Func::IsNull, [Expr::column(id)]);
        let with_null = |rel: &Rel, ids: Vec<&String>| {
            let nulls = ids.into_iter().map(is_null);
            let some = nulls.reduce(Expr::or).unwrap_or(Expr::literal(false));
            rel.filter(some)
        };
        let fits = pairs.iter().map(|(a, b)| {
            let equal = Expr::call(Func::Eq, [Expr::column(a), Expr::column(b)]);
            is_null(a).or(is_null(b)).or(equal)
        });
        let fits = crate::plan::all(fits).unwrap_or(Expr::literal(true));
        let beside = |left: Rel, right: Rel| {
            let pairs = match keys {
                [] => left.join(&right, JoinHow::Cross, &[], false),
                keys => left.join(&right, JoinHow::Inner, keys, true),
            };
            pairs.filter(fits.clone())
        };
        [
            beside(
                with_null(left, pairs.iter().map(|(left, _)| left).collect()),
                right.clone(),
            ),
            beside(
                left.clone(),
                with_null(right, pairs.iter().map(|(_, right)| right).collect()),
            ),
        ]
    }

    /// `value op ANY (sub-query)`, or the same with ALL.
    pub(crate) fn compared(
        &mut self,
        relation: &mut Relation,
        (left, op, right): (&ast::Expr, &BinaryOperator, &ast::Expr),
        quantifier: Quantifier,
    ) -> Planned<String> {
        let ast::Expr::Subquery(query) = crate::tree::bare(right) else {
            return beyond(refused::QUANTIFIED);
        };
        let value = self.lower(left)?;
        self.quantified(relation, (value, op), quantifier, query)
    }
}
