//! Relations that see the row beside them: LATERAL sub-queries, and sub-queries in the conditions of joins.

use std::collections::BTreeSet;

use laktory_core::{ErrorKind, Expr, JoinHow, UnionHow};
use sqlparser::ast::{self, JoinConstraint, JoinOperator, Query};

use crate::fault::{Planned, beyond, wrong};
use crate::from::Relation;
use crate::join::How;
use crate::planner::{Planner, renamed};
use crate::refused;
use crate::scope::Column;
use crate::tree;

impl Planner<'_> {
    /// Each row beside the rows that a sub-query gives for it.
    pub(crate) fn lateral(
        &mut self,
        left: &Relation,
        (query, alias): (&Query, Option<&ast::TableAlias>),
        operator: Option<&JoinOperator>,
    ) -> Planned<Relation> {
        use JoinOperator as J;
        let (keep, on) = match operator {
            None => (false, None),
            Some(J::CrossJoin(on) | J::Join(on) | J::Inner(on)) => (false, Some(on)),
            Some(J::Left(on) | J::LeftOuter(on)) => (true, Some(on)),
            Some(_) => return beyond(refused::LATERAL_JOIN),
        };
        let mut conditions = Vec::new();
        match on {
            None => {}
            Some(JoinConstraint::None) if !keep => {}
            Some(JoinConstraint::None) => {
                return wrong(ErrorKind::SqlSyntax, "this kind of join needs ON");
            }
            Some(JoinConstraint::On(condition)) => {
                tree::conjuncts(condition.clone(), &mut conditions);
            }
            Some(_) => return beyond(refused::LATERAL_USING),
        }
        let left = &self.beside_outer(left.clone());
        let inner = self.inner(left, query)?;
        let (columns, table) = match alias {
            Some(alias) => (
                renamed(inner.output.columns.clone(), alias)?,
                Some(alias.name.value.clone()),
            ),
            None => (inner.output.columns.clone(), None),
        };
        let (mut scope, mut selected) = (left.scope.clone(), Vec::new());
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
        let mut keys = Vec::new();
        for (id, local) in &inner.used {
            let key = self.names.fresh("key");
            selected.push((key.clone(), Expr::column(local)));
            keys.push((id.clone(), key));
        }
        let right = inner.output.rel.select(selected);
        let pairs = match keys.as_slice() {
            [] => left.rel.join(&right, JoinHow::Cross, &[], false),
            keys => left.rel.join(&right, JoinHow::Inner, keys, true),
        };
        let mut about: BTreeSet<String> = inner.used.iter().map(|(id, _)| id.clone()).collect();
        let mut joined = Relation { rel: pairs, scope };
        self.keep_all(&mut joined, conditions, &mut about)?;
        if keep {
            let missing = self.by_pairs(&left.rel, &joined.rel, &about, false);
            let all = joined.rel.ids.clone();
            joined.rel = joined.rel.union(&[missing], UnionHow::Diagonal).only(&all);
        }
        Ok(joined)
    }

    /// Keeps the pairs for which conditions hold, and tells the columns that these are about, also in sub-queries.
    pub(crate) fn keep_all(
        &mut self,
        pairs: &mut Relation,
        conditions: Vec<ast::Expr>,
        about: &mut BTreeSet<String>,
    ) -> Planned<()> {
        let before = std::mem::take(&mut self.touched);
        let scope = pairs.scope.clone();
        for mut condition in conditions {
            self.resolve(&scope, &mut condition)?;
            about.extend(tree::columns(&condition));
            self.keep(pairs, condition)?;
        }
        about.extend(std::mem::replace(&mut self.touched, before));
        Ok(())
    }

    /// A join on conditions some of which have sub-queries; their names are resolved.
    pub(crate) fn join_by_queries(
        &mut self,
        (left, right): (&Relation, &Relation),
        how: How,
        scope: &[Column],
        conditions: Vec<ast::Expr>,
    ) -> Planned<crate::plan::Rel> {
        let (nested, plain): (Vec<_>, Vec<_>) = conditions.into_iter().partition(tree::has_query);
        let mut about = BTreeSet::new();
        for condition in &plain {
            about.extend(tree::columns(condition));
        }
        let mut pairs = Relation {
            rel: self.join(&left.rel, &right.rel, How::Inner, plain)?,
            scope: scope.to_vec(),
        };
        let ids = pairs.rel.ids.clone();
        self.keep_all(&mut pairs, nested, &mut about)?;
        Ok(self.rows_of_pairs((&left.rel, &right.rel), &pairs.rel.only(&ids), how, &about))
    }
}

/// The sub-query of LATERAL.
pub(crate) fn lateral(
    factor: &ast::TableFactor,
) -> Option<(&ast::Query, Option<&ast::TableAlias>)> {
    match factor {
        ast::TableFactor::Derived {
            lateral: true,
            subquery,
            alias,
            sample: None,
        } => Some((subquery, alias.as_ref())),
        _ => None,
    }
}
