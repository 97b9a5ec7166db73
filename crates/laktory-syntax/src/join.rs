//! Many conditions as one: a tree no deeper than it must be, since a chain of thousands would be as deep as it is long.

use laktory_core::Expr;

/// The conditions joined by an operator for which the grouping does not matter; `None` when there is none.
pub(crate) fn join(mut exprs: Vec<Expr>, operator: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    // Few of them stay a chain, as one writes it.
    const CHAIN: usize = 32;
    while exprs.len() > CHAIN {
        let mut pairs = Vec::with_capacity(exprs.len().div_ceil(2));
        let mut rest = exprs.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => operator(left, right),
                None => left,
            });
        }
        exprs = pairs;
    }
    exprs.into_iter().reduce(operator)
}
