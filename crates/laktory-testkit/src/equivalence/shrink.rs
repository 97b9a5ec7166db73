//! From a tree that tells engines apart to its smallest part that still does.

use arrow_schema::DataType;
use laktory_core::{Arg, Expr, walk};

use super::generate::{ROWS, Tree, accepted};
use super::judge::{Difference, Judge, Verdict};

/// Trees that are tried at most.
const BUDGET: usize = 400;

/// The smallest tree found that differs in the same way, and the difference on it.
pub(crate) fn smallest(
    judge: &Judge<'_>,
    tree: Tree,
    difference: Difference,
) -> (Tree, Difference) {
    let mut budget = BUDGET;
    let kind = difference.kind;
    let mut best = (tree, difference);
    loop {
        let smaller = candidates(judge, &best.0).into_iter().find_map(|tree| {
            budget = budget.checked_sub(1)?;
            match judge.judge(&tree) {
                Verdict::Differ(difference) if difference.kind == kind => Some((tree, difference)),
                _ => None,
            }
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// Trees with less in them, the smallest first.
fn candidates(judge: &Judge<'_>, tree: &Tree) -> Vec<Tree> {
    let mut exprs = smaller(&tree.expr, &|expr| judge.type_of(expr));
    exprs.retain(|expr| accepted(expr, tree.grouped));
    exprs.sort_by_key(walk::size);
    let mut trees: Vec<Tree> = exprs
        .into_iter()
        .map(|expr| Tree {
            expr,
            ..tree.clone()
        })
        .collect();
    if tree.rows.len() > 1 {
        // One row tells more than ten; none tells least.
        let rows = tree.rows.clone().chain(std::iter::empty());
        trees.extend(rows.map(|row| Tree {
            rows: row..row + 1,
            ..tree.clone()
        }));
        let middle = tree.rows.start + tree.rows.len() / 2;
        if tree.rows.len() < ROWS || middle > 0 {
            for rows in [tree.rows.start..middle, middle..tree.rows.end] {
                trees.push(Tree {
                    rows,
                    ..tree.clone()
                });
            }
        }
    }
    trees
}

/// Every expression that has one part less: a part in place of the whole, at the root or further down. Further down the
/// type must stay: a function on another type shows another fault.
fn smaller(expr: &Expr, types: &dyn Fn(&Expr) -> Option<DataType>) -> Vec<Expr> {
    let mut found = Vec::new();
    walk::children(expr, &mut |child| found.push(child.clone()));
    let count = found.len();
    for index in 0..count {
        let child = found[index].clone();
        let parts = smaller(&child, types);
        let dtype = (!parts.is_empty()).then(|| types(&child)).flatten();
        for part in parts {
            if dtype.is_some() && types(&part) == dtype {
                found.push(with_child(expr, index, part));
            }
        }
    }
    found
}

/// The expression with another child at an index, in the order of [`walk::children`].
fn with_child(expr: &Expr, index: usize, child: Expr) -> Expr {
    let mut copy = expr.clone();
    let mut at = 0;
    let mut child = Some(child);
    let mut place = |slot: &mut Expr| {
        if at == index
            && let Some(child) = child.take()
        {
            *slot = child;
        }
        at += 1;
    };
    match &mut copy {
        Expr::Call { args, .. } => {
            for arg in args {
                match arg {
                    Arg::Expr(expr) => place(expr),
                    Arg::Exprs(exprs) => exprs.iter_mut().for_each(&mut place),
                    _ => {}
                }
            }
        }
        Expr::Cast { expr, .. } | Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => {
            place(expr);
        }
        Expr::When {
            branches,
            otherwise,
        } => {
            for (condition, value) in branches {
                place(condition);
                place(value);
            }
            if let Some(otherwise) = otherwise {
                place(otherwise);
            }
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => {
            place(expr);
            partition_by.iter_mut().for_each(&mut place);
            order_by.iter_mut().for_each(|key| place(&mut key.expr));
        }
        _ => {}
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::Func;

    #[test]
    fn parts_stand_in_for_the_whole_at_every_level() {
        let inner = Expr::call(Func::Abs, [Expr::column("n")]);
        let expr = Expr::call(Func::Add, [inner.clone(), Expr::column("m")]);
        let found = smaller(&expr, &|_| Some(DataType::Int64));
        assert!(found.contains(&inner));
        assert!(found.contains(&Expr::column("m")));
        let hoisted = Expr::call(Func::Add, [Expr::column("n"), Expr::column("m")]);
        assert!(found.contains(&hoisted));
    }
}
