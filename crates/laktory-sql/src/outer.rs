//! The rows around a sub-query beside its own relations, where a condition of a join, a derived table or a list uses them.

use laktory_core::{Arg, Error, ErrorKind, Expr, Func, JoinHow};
use sqlparser::ast::{self, Query};

use crate::fault::Planned;
use crate::from::{Relation, within};
use crate::join::How;
use crate::plan::Rel;
use crate::planner::Planner;
use crate::tree;

impl Planner<'_> {
    /// The distinct outer values that the sub-query uses.
    fn domain(&self) -> Option<Rel> {
        self.outer.last().and_then(|outer| outer.domain.clone())
    }

    /// The relation of a SELECT without FROM: one row, for each of the outer values.
    pub(crate) fn no_relation(&self) -> Relation {
        Relation {
            rel: self.domain().unwrap_or_else(Rel::one_row),
            scope: Vec::new(),
        }
    }

    /// A relation beside the outer values, if it does not have them.
    pub(crate) fn beside_outer(&self, relation: Relation) -> Relation {
        match self.domain() {
            Some(domain) if !has(&relation, &domain) => Relation {
                rel: domain.join(&relation.rel, JoinHow::Cross, &[], false),
                scope: relation.scope,
            },
            _ => relation,
        }
    }

    /// Has the outer values in one of the relations of a FROM; the conditions that come of it.
    pub(crate) fn outer_once(&mut self, relations: &mut Vec<Relation>) -> Vec<ast::Expr> {
        let mut conditions = Vec::new();
        if let Some(domain) = self.domain() {
            let mut known = relations
                .iter_mut()
                .filter(|relation| has(relation, &domain));
            if known.next().is_none() {
                relations.insert(0, self.no_relation());
            } else {
                for relation in known {
                    self.copied(relation, &domain, &mut conditions);
                }
            }
        } else if relations.is_empty() {
            relations.push(self.no_relation());
        }
        conditions
    }

    /// Has the outer values on the sides of a join that need them, since its conditions use them or a side has them: the
    /// side whose rows are kept has them, and the other one is matched by them. The names of copies are those of the other side.
    pub(crate) fn sides_of_outer(
        &mut self,
        (kept, other): (&mut Relation, &mut Relation),
        how: How,
        conditions: &mut Vec<ast::Expr>,
    ) -> Vec<(String, String)> {
        let Some(domain) = self.domain() else {
            return Vec::new();
        };
        let mut own = kept.rel.ids.clone();
        own.extend(other.rel.ids.iter().cloned());
        let uses = |condition: &ast::Expr| tree::has_query(condition) || !within(condition, &own);
        if !(conditions.iter().any(uses) || has(kept, &domain) || has(other, &domain)) {
            return Vec::new();
        }
        *kept = self.beside_outer(kept.clone());
        if how == How::Full {
            *other = self.beside_outer(other.clone());
        }
        if !has(other, &domain) {
            return Vec::new();
        }
        self.copied(other, &domain, conditions)
    }

    /// Gives the outer values other names in a relation, and conditions by which they are the same ones.
    fn copied(
        &mut self,
        relation: &mut Relation,
        domain: &Rel,
        conditions: &mut Vec<ast::Expr>,
    ) -> Vec<(String, String)> {
        let ids = domain.ids.iter();
        let copies: Vec<(String, String)> = ids
            .map(|id| (id.clone(), self.names.fresh("outer")))
            .collect();
        let columns = relation.rel.ids.iter().map(|id| {
            let copy = copies.iter().find(|(known, _)| known == id);
            let name = copy.map_or(id, |(_, copy)| copy);
            (name.clone(), Expr::column(id))
        });
        relation.rel = relation.rel.select(columns.collect());
        conditions.extend(copies.iter().map(|(id, copy)| {
            let (id, copy) = (tree::column(id), tree::column(copy));
            ast::Expr::IsNotDistinctFrom(Box::new(id), Box::new(copy))
        }));
        copies
    }

    /// Whether an error in a derived table may be that it uses the row around the sub-query in which it stands.
    pub(crate) fn may_be_outer(&self, error: &Error) -> bool {
        !self.outer.is_empty() && error.kind() == ErrorKind::ColumnNotFound
    }

    /// A derived table that uses the row around the sub-query in which it stands.
    pub(crate) fn derived(
        &mut self,
        query: &Query,
        alias: Option<&ast::TableAlias>,
    ) -> Planned<Relation> {
        self.lateral(&self.no_relation(), (query, alias), None)
    }
}

fn has(relation: &Relation, domain: &Rel) -> bool {
    let mut ids = domain.ids.iter();
    ids.any(|id| relation.rel.ids.contains(id))
}

/// The outer values of a full join, in which either side may lack them.
pub(crate) fn merged(rel: &Rel, copies: &[(String, String)]) -> Rel {
    if copies.is_empty() {
        return rel.clone();
    }
    let kept = rel.ids.iter();
    let kept = kept.filter(|id| !copies.iter().any(|(_, copy)| copy == *id));
    let columns = kept.map(|id| {
        let copy = copies.iter().find(|(known, _)| known == id);
        let value = copy.map_or_else(
            || Expr::column(id),
            |(_, copy)| Expr::Call {
                func: Func::Coalesce,
                args: vec![Arg::Exprs(vec![Expr::column(id), Expr::column(copy)])],
            },
        );
        (id.clone(), value)
    });
    rel.select(columns.collect())
}
