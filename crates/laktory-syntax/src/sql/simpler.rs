//! Trees of the grammar in simpler forms of the same meaning: rows of values that are compared, and columns that are called `user`.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, Ident, ObjectNamePart, UnaryOperator,
    VisitMut, VisitorMut,
};

/// `(a, b) = (c, d)` as `a = c AND b = d`, and so with the other comparisons and with IN, anywhere in a tree: null where a null
/// decides, as the SQL standard has it. A bare `user`, which the grammar takes for a function, is a column.
pub fn sql_in_simpler_forms(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut Simpler);
}

struct Simpler;

impl VisitorMut for Simpler {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let written = match expr {
            Expr::BinaryOp { left, op, right } => match (bare(left), bare(right)) {
                (Expr::Tuple(left), Expr::Tuple(right)) => compared(left, op, right),
                _ => None,
            },
            Expr::InList {
                expr,
                list,
                negated,
            } => match bare(expr) {
                Expr::Tuple(values) => {
                    among(values, list).map(|found| if *negated { not(found) } else { found })
                }
                _ => None,
            },
            Expr::Function(function) => user(function).cloned().map(Expr::Identifier),
            _ => None,
        };
        if let Some(written) = written {
            *expr = written;
        }
        ControlFlow::Continue(())
    }
}

/// The word `user` without brackets.
fn user(function: &Function) -> Option<&Ident> {
    match (function.name.0.as_slice(), &function.args) {
        ([ObjectNamePart::Identifier(name)], FunctionArguments::None)
            if name.value.eq_ignore_ascii_case("user") =>
        {
            Some(name)
        }
        _ => None,
    }
}

fn compared(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Option<Expr> {
    use BinaryOperator as B;
    if left.len() != right.len() || left.is_empty() {
        return None;
    }
    let pairs = || left.iter().zip(right);
    match op {
        B::Eq => pairs()
            .map(|(a, b)| pair(a, B::Eq, b))
            .reduce(|a, b| joined(a, B::And, b)),
        B::NotEq => pairs()
            .map(|(a, b)| pair(a, B::NotEq, b))
            .reduce(|a, b| joined(a, B::Or, b)),
        B::Lt | B::LtEq | B::Gt | B::GtEq => {
            let strict = match op {
                B::LtEq => B::Lt,
                B::GtEq => B::Gt,
                other => other.clone(),
            };
            // From the last value on: what decides, where all before it are equal.
            let mut pairs = pairs().rev();
            let (a, b) = pairs.next()?;
            let last = pair(a, op.clone(), b);
            let decided = pairs.fold(last, |rest, (a, b)| {
                let equal = joined(pair(a, B::Eq, b), B::And, rest);
                joined(pair(a, strict.clone(), b), B::Or, equal)
            });
            Some(decided)
        }
        _ => None,
    }
}

fn among(values: &[Expr], list: &[Expr]) -> Option<Expr> {
    let rows = list.iter().map(|row| match bare(row) {
        Expr::Tuple(row) => compared(values, &BinaryOperator::Eq, row),
        _ => None,
    });
    let rows: Option<Vec<Expr>> = rows.collect();
    balanced(rows?)
}

/// Any of several conditions, as a tree that is no deeper than it must be.
fn balanced(mut conditions: Vec<Expr>) -> Option<Expr> {
    if conditions.len() < 2 {
        return conditions.pop();
    }
    let rest = conditions.split_off(conditions.len() / 2);
    Some(joined(
        balanced(conditions)?,
        BinaryOperator::Or,
        balanced(rest)?,
    ))
}

fn pair(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    joined(left.clone(), op, right.clone())
}

/// Two operands in brackets, in brackets.
fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }))
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(expr),
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}
