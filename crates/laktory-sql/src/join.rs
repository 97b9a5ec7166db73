//! Joins on any condition, made of joins on equal columns.

use std::collections::BTreeSet;

use laktory_core::{Expr, Func, JoinHow, UnionHow};
use sqlparser::ast::{self, BinaryOperator};

use crate::fault::Planned;
use crate::from::within;
use crate::plan::Rel;
use crate::planner::Planner;
use crate::tree;

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Pairs.
    Inner,
    /// Pairs, and rows of the left side without one.
    Left,
    /// Pairs, and rows of both sides without one.
    Full,
    /// Rows of the left side that have a pair.
    Semi,
    /// Rows of the left side that have none.
    Anti,
}

/// Two expressions that are equal in a pair of rows.
struct Key {
    left: Expr,
    right: Expr,
    /// Whether null equals null.
    null_safe: bool,
}

/// The conditions of a join by what they are about.
#[derive(Default)]
struct Parts {
    keys: Vec<Key>,
    /// About the left row alone.
    left: Vec<Expr>,
    /// About the right row alone, or about none.
    right: Vec<Expr>,
    /// The rest.
    both: Vec<Expr>,
    /// The columns of both sides that any condition is about.
    columns: BTreeSet<String>,
}

impl Planner<'_> {
    fn parts(&self, left: &Rel, right: &Rel, conditions: &[ast::Expr]) -> Planned<Parts> {
        let mut parts = Parts::default();
        for condition in conditions {
            parts.columns.extend(tree::columns(condition));
            if within(condition, &right.ids) {
                parts.right.push(self.lower_condition(condition)?);
            } else if within(condition, &left.ids) {
                parts.left.push(self.lower_condition(condition)?);
            } else if let Some(key) = self.key(left, right, condition)? {
                parts.keys.push(key);
            } else {
                parts.both.push(self.lower_condition(condition)?);
            }
        }
        Ok(parts)
    }

    fn key(&self, left: &Rel, right: &Rel, condition: &ast::Expr) -> Planned<Option<Key>> {
        let (a, b, null_safe) = match tree::bare(condition) {
            ast::Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } => (left, right, false),
            ast::Expr::BinaryOp {
                left,
                op: BinaryOperator::Spaceship,
                right,
            } => (left, right, true),
            ast::Expr::IsNotDistinctFrom(left, right) => (left, right, true),
            _ => return Ok(None),
        };
        let (a, b) = if within(a, &left.ids) && within(b, &right.ids) {
            (a, b)
        } else if within(b, &left.ids) && within(a, &right.ids) {
            (b, a)
        } else {
            return Ok(None);
        };
        let key = Key {
            left: self.lower(a)?,
            right: self.lower(b)?,
            null_safe,
        };
        self.read_key(&key.left, condition);
        Ok(Some(key))
    }

    /// Joins two relations whose columns have different names, on conditions whose names are resolved.
    pub(crate) fn join(
        &mut self,
        left: &Rel,
        right: &Rel,
        how: How,
        conditions: Vec<ast::Expr>,
    ) -> Planned<Rel> {
        let parts = self.parts(left, right, &conditions)?;
        let filtered = |rel: &Rel, conditions: &[Expr]| {
            let condition = crate::plan::all(conditions.iter().cloned());
            condition.map_or_else(|| rel.clone(), |condition| rel.filter(condition))
        };
        if how == How::Inner {
            let left = filtered(left, &parts.left);
            let right = filtered(right, &parts.right);
            let pairs = self.keyed(&left, &right, JoinHow::Inner, &parts.keys, &[], &[]);
            return Ok(filtered(&pairs, &parts.both));
        }
        if parts.both.is_empty() {
            let (kind, right, of_right) = match how {
                How::Full => (JoinHow::Full, right.clone(), parts.right.as_slice()),
                How::Left => (JoinHow::Left, filtered(right, &parts.right), &[][..]),
                How::Semi => (JoinHow::Semi, filtered(right, &parts.right), &[][..]),
                _ => (JoinHow::Anti, filtered(right, &parts.right), &[][..]),
            };
            return Ok(self.keyed(left, &right, kind, &parts.keys, &parts.left, of_right));
        }
        // Whether a row has a pair depends on the columns of it that the conditions are about, and on nothing else.
        let pairs = {
            let left = filtered(left, &parts.left);
            let right = filtered(right, &parts.right);
            let pairs = self.keyed(&left, &right, JoinHow::Inner, &parts.keys, &[], &[]);
            filtered(&pairs, &parts.both)
        };
        Ok(self.rows_of_pairs((left, right), &pairs, how, &parts.columns))
    }

    /// The rows of a join by its pairs; whether a row has a pair depends on some columns of it alone.
    pub(crate) fn rows_of_pairs(
        &mut self,
        (left, right): (&Rel, &Rel),
        pairs: &Rel,
        how: How,
        about: &BTreeSet<String>,
    ) -> Rel {
        if how == How::Inner {
            return pairs.clone();
        }
        let of_left = self.by_pairs(left, pairs, about, how == How::Semi);
        let rest = match how {
            How::Semi | How::Anti => return of_left,
            How::Full => vec![of_left, self.by_pairs(right, pairs, about, false)],
            _ => vec![of_left],
        };
        let all: Vec<String> = pairs.ids.clone();
        pairs.union(&rest, UnionHow::Diagonal).only(&all)
    }

    /// The rows of one side that have a pair, or that have none.
    pub(crate) fn by_pairs(
        &mut self,
        side: &Rel,
        pairs: &Rel,
        about: &BTreeSet<String>,
        having: bool,
    ) -> Rel {
        let about: Vec<&String> = side.ids.iter().filter(|id| about.contains(*id)).collect();
        let how = if having { JoinHow::Semi } else { JoinHow::Anti };
        let keys: Vec<(String, String)> = about
            .into_iter()
            .map(|id| (id.clone(), self.names.fresh("key")))
            .collect();
        if keys.is_empty() {
            // All rows have a pair, or none has.
            let (a, b) = (self.names.fresh("key"), self.names.fresh("key"));
            let one = |name: &String| vec![(name.clone(), Expr::literal(true))];
            let seen = pairs.head(1).with(one(&b)).only([&b]);
            let rows = side.with(one(&a));
            return rows.join(&seen, how, &[(a, b)], false).only(&side.ids);
        }
        let columns = keys.iter().map(|(id, key)| (key.clone(), Expr::column(id)));
        let seen = pairs.select(columns.collect()).distinct();
        side.join(&seen, how, &keys, true)
    }

    /// A join on equal expressions, which matches rows only where conditions on either side hold.
    fn keyed(
        &mut self,
        left: &Rel,
        right: &Rel,
        how: JoinHow,
        keys: &[Key],
        of_left: &[Expr],
        of_right: &[Expr],
    ) -> Rel {
        let mut wanted = left.ids.clone();
        if !matches!(how, JoinHow::Semi | JoinHow::Anti) {
            wanted.extend(right.ids.iter().cloned());
        }
        let plain = keys.is_empty() && of_left.is_empty() && of_right.is_empty();
        if plain && how == JoinHow::Inner {
            return left.join(right, JoinHow::Cross, &[], false);
        }
        let nulls_equal = keys.iter().any(|key| key.null_safe);
        let (mut lefts, mut rights, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        let mut pair = |names: &mut crate::scope::Names, a: Expr, b: Expr| {
            let right = names.fresh("key");
            let left = match a {
                Expr::Column(name) => name,
                other => {
                    let name = names.fresh("key");
                    lefts.push((name.clone(), other));
                    name
                }
            };
            rights.push((right.clone(), b));
            pairs.push((left, right));
        };
        for key in keys {
            pair(&mut self.names, key.left.clone(), key.right.clone());
            if nulls_equal && !key.null_safe {
                // Null has no equal here, though it has in the other keys.
                let is_null = Expr::call(Func::IsNull, [key.left.clone()]);
                pair(&mut self.names, is_null, Expr::literal(false));
            }
        }
        let holds = |conditions: &[Expr]| {
            let all = crate::plan::all(conditions.iter().cloned());
            all.map(|all| Expr::call(Func::SqlIsTrue, [all]))
        };
        if let Some(holds) = holds(of_left) {
            pair(&mut self.names, holds, Expr::literal(true));
        }
        if let Some(holds) = holds(of_right) {
            pair(&mut self.names, Expr::literal(true), holds);
        }
        if plain {
            pair(&mut self.names, Expr::literal(true), Expr::literal(true));
        }
        let joined = left
            .with(lefts)
            .join(&right.with(rights), how, &pairs, nulls_equal);
        if joined.ids == wanted {
            joined
        } else {
            joined.only(&wanted)
        }
    }
}
