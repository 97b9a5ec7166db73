//! A statement as steps: a tree of [`Op`]s over the named frames, which any driver that has those steps can carry out.

use std::collections::HashSet;
use std::sync::Arc;

use laktory_core::shape::shape;
use laktory_core::{Expr, FrameName, Func, JoinHow, Keep, Op, SortKey, UnionHow};

use crate::values::Rows;

/// The name under which the other side of a join is bound.
pub(crate) fn right() -> FrameName {
    FrameName::Named("right".into())
}

/// The name under which a further frame of a union is bound.
pub(crate) fn other(at: usize) -> FrameName {
    FrameName::Named(format!("other{at}"))
}

/// A relation of a statement. Parts that are used several times are one node, held by several others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Plan {
    /// A frame that the statement names.
    Frame(FrameName),
    /// One row, with one column that nobody asks for.
    OneRow,
    /// Rows that are written in the statement.
    Rows(Rows),
    /// A step on another relation.
    Step {
        /// What it works on.
        input: Arc<Plan>,
        /// The step.
        op: Op,
        /// The other frames that the step names, with the names by which it does.
        others: Vec<(FrameName, Arc<Plan>)>,
    },
}

impl Plan {
    /// The steps, each once, behind those that they work on.
    #[must_use]
    pub fn ops(&self) -> Vec<&Op> {
        let parts = self.leaves_first().into_iter();
        parts
            .filter_map(|part| match part {
                Self::Step { op, .. } => Some(op),
                _ => None,
            })
            .collect()
    }

    /// The parts of the plan, each once, behind those that they work on. Without recursion: plans may be deep.
    pub(crate) fn leaves_first(&self) -> Vec<&Self> {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        let mut waiting = vec![(self, false)];
        while let Some((plan, ready)) = waiting.pop() {
            if seen.contains(&plan.address()) {
                continue;
            }
            if let (Self::Step { input, others, .. }, false) = (plan, ready) {
                waiting.push((plan, true));
                waiting.push((input, false));
                waiting.extend(others.iter().map(|(_, other)| (&**other, false)));
                continue;
            }
            seen.insert(plan.address());
            parts.push(plan);
        }
        parts
    }

    /// What tells a part from others as long as the plan lives.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// Name of the column of [`Plan::OneRow`].
pub(crate) const ONE_ROW: &str = "__one_row";

/// A relation while it is planned: how it is made, and the names of all columns of its frame.
#[derive(Clone, Debug)]
pub(crate) struct Rel {
    pub(crate) plan: Arc<Plan>,
    pub(crate) ids: Vec<String>,
}

impl Rel {
    pub(crate) fn one_row() -> Self {
        Self {
            plan: Arc::new(Plan::OneRow),
            ids: vec![ONE_ROW.to_owned()],
        }
    }

    fn step(&self, op: Op, others: Vec<(FrameName, Arc<Plan>)>, ids: Vec<String>) -> Self {
        Self {
            plan: Arc::new(Plan::Step {
                input: Arc::clone(&self.plan),
                op,
                others,
            }),
            ids,
        }
    }

    /// These columns alone, computed, each under its name.
    pub(crate) fn select(&self, columns: Vec<(String, Expr)>) -> Self {
        let same = columns.len() == self.ids.len()
            && columns
                .iter()
                .zip(&self.ids)
                .all(|((name, expr), id)| name == id && *expr == Expr::column(id));
        if same {
            return self.clone();
        }
        let ids: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        // Values that are the same for all rows would make one row of all; beside a column there are as many as it has.
        if columns.iter().all(|(_, expr)| shape(expr).is_scalar()) {
            return self.with(columns).only(&ids);
        }
        let exprs = columns.into_iter().map(named).collect();
        self.step(Op::Select { exprs }, Vec::new(), ids)
    }

    /// These columns alone.
    pub(crate) fn only<'a>(&self, ids: impl IntoIterator<Item = &'a String>) -> Self {
        let columns = ids.into_iter();
        self.select(columns.map(|id| (id.clone(), Expr::column(id))).collect())
    }

    /// The columns, and more behind them.
    pub(crate) fn with(&self, columns: Vec<(String, Expr)>) -> Self {
        if columns.is_empty() {
            return self.clone();
        }
        let mut ids = self.ids.clone();
        for (name, _) in &columns {
            if !ids.contains(name) {
                ids.push(name.clone());
            }
        }
        let exprs = columns.into_iter().map(named).collect();
        self.step(Op::WithColumns { exprs }, Vec::new(), ids)
    }

    /// Rows for which the predicate is true.
    pub(crate) fn filter(&self, predicate: Expr) -> Self {
        self.step(Op::Filter { predicate }, Vec::new(), self.ids.clone())
    }

    /// Distinct rows, compared by some columns or by all; null is one value.
    pub(crate) fn unique(&self, subset: Option<Vec<String>>, keep: Keep, by: Vec<SortKey>) -> Self {
        let op = Op::Unique {
            subset,
            keep,
            order_by: by,
        };
        self.step(op, Vec::new(), self.ids.clone())
    }

    /// A row for each element of list columns; where there is none, no row, or one with null.
    pub(crate) fn explode(&self, columns: Vec<String>, keep: bool) -> Self {
        let op = Op::Explode {
            columns,
            empty_as_null: keep,
            keep_nulls: keep,
        };
        self.step(op, Vec::new(), self.ids.clone())
    }

    pub(crate) fn distinct(&self) -> Self {
        self.unique(None, Keep::Any, Vec::new())
    }

    pub(crate) fn sort(&self, by: Vec<SortKey>) -> Self {
        self.step(Op::Sort { by }, Vec::new(), self.ids.clone())
    }

    pub(crate) fn head(&self, n: u64) -> Self {
        self.step(Op::Head { n }, Vec::new(), self.ids.clone())
    }

    /// All rows but the first.
    pub(crate) fn skip(&self, offset: u64) -> Self {
        self.step(
            Op::GatherEvery { n: 1, offset },
            Vec::new(),
            self.ids.clone(),
        )
    }

    /// With a column `name`, in front, that counts the rows of each partition from 0.
    pub(crate) fn numbered(
        &self,
        name: &str,
        partition: &[String],
        order_by: Vec<SortKey>,
    ) -> Self {
        let mut ids = vec![name.to_owned()];
        ids.extend(self.ids.iter().cloned());
        // Some engines count in an order only; within a partition its keys are one.
        let order_by = match order_by.is_empty() {
            true => partition
                .iter()
                .map(|id| SortKey::ascending(Expr::column(id)))
                .collect(),
            false => order_by,
        };
        let op = Op::WithRowIndex {
            name: name.to_owned(),
            order_by,
            partition_by: partition.iter().map(Expr::column).collect(),
        };
        self.step(op, Vec::new(), ids)
    }

    /// One row for each group of columns; groups of null are groups.
    pub(crate) fn aggregate(&self, keys: &[String], aggs: Vec<(String, Expr)>) -> Self {
        let mut ids = keys.to_vec();
        ids.extend(aggs.iter().map(|(name, _)| name.clone()));
        if !keys.is_empty() && aggs.is_empty() {
            return self.only(keys).distinct();
        }
        let op = Op::Aggregate {
            keys: keys.iter().map(Expr::column).collect(),
            aggs: aggs.into_iter().map(named).collect(),
            drop_null_keys: false,
        };
        self.step(op, Vec::new(), ids)
    }

    /// Rows matched by equal columns, pairwise. No column of one side is called like one of the other.
    pub(crate) fn join(
        &self,
        other: &Self,
        how: JoinHow,
        keys: &[(String, String)],
        nulls_equal: bool,
    ) -> Self {
        let mut ids = self.ids.clone();
        if !matches!(how, JoinHow::Semi | JoinHow::Anti) {
            let dropped = |id: &String| {
                matches!(how, JoinHow::Inner | JoinHow::Left)
                    && keys.iter().any(|(_, right)| right == id)
            };
            ids.extend(other.ids.iter().filter(|id| !dropped(id)).cloned());
        }
        let op = Op::Join {
            right: right(),
            how,
            left_on: keys.iter().map(|(left, _)| left.clone()).collect(),
            right_on: keys.iter().map(|(_, right)| right.clone()).collect(),
            suffix: "_right".into(),
            nulls_equal,
        };
        self.step(op, vec![(right(), Arc::clone(&other.plan))], ids)
    }

    /// Rows of both, columns matched by name, types brought together; columns that one side lacks are null there.
    pub(crate) fn union(&self, others: &[Self], how: UnionHow) -> Self {
        let mut ids = self.ids.clone();
        for other in others {
            for id in &other.ids {
                if !ids.contains(id) {
                    ids.push(id.clone());
                }
            }
        }
        let bound = others
            .iter()
            .enumerate()
            .map(|(at, rel)| (other(at), Arc::clone(&rel.plan)))
            .collect();
        let op = Op::Union {
            others: (0..others.len()).map(other).collect(),
            how,
        };
        self.step(op, bound, ids)
    }
}

/// An expression under a name.
fn named((name, expr): (String, Expr)) -> Expr {
    match expr {
        Expr::Column(column) if column == name => Expr::Column(column),
        expr => expr.alias(name),
    }
}

/// All of several conditions; true without any.
pub(crate) fn all(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    conditions.into_iter().reduce(Expr::and)
}

/// `not condition`.
pub(crate) fn not(condition: Expr) -> Expr {
    Expr::call(Func::Not, [condition])
}
