//! SQL operators and `CASE`.

use laktory_core::{Arg, DType, Expr, Func, Scalar};
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::lower::{Lower, Result, both, call, not};
use crate::join::join;

impl Lower<'_> {
    pub(super) fn pair(&self, func: Func, a: &ast::Expr, b: &ast::Expr) -> Result<Expr> {
        let (a, b) = both(self.expr(a), self.expr(b))?;
        Ok(Expr::call(func, [a, b]))
    }

    pub(super) fn unary(
        &self,
        op: UnaryOperator,
        inner: &ast::Expr,
        node: &ast::Expr,
    ) -> Result<Expr> {
        let expr = self.expr(inner)?;
        Ok(match (op, expr) {
            (UnaryOperator::Minus, Expr::Literal(Scalar::Int(value))) => {
                Expr::Literal(Scalar::Int(value.saturating_neg()))
            }
            (UnaryOperator::Minus, Expr::Literal(Scalar::Float(value))) => {
                Expr::Literal(Scalar::Float(-value))
            }
            (UnaryOperator::Minus, null @ Expr::Literal(Scalar::Null)) => null,
            (UnaryOperator::Minus, expr) => Expr::call(Func::Neg, [expr]),
            (UnaryOperator::Plus, expr) => expr,
            (UnaryOperator::Not | UnaryOperator::BangNot | UnaryOperator::BitwiseNot, expr) => {
                not(expr, true)
            }
            _ => return self.unsupported("this operator is not supported", node),
        })
    }

    /// Chains such as `a AND b AND c`, along the left spine without recursion.
    pub(super) fn binary(&self, node: &ast::Expr) -> Result<Expr> {
        if let ast::Expr::BinaryOp { op, .. } = node
            && let Some(operator) = logical(op)
        {
            return self.terms(node, op, operator);
        }
        let mut spine = Vec::new();
        let mut next = node;
        while let ast::Expr::BinaryOp { left, op, right } = next {
            spine.push((next, op, &**right));
            next = left;
        }
        let mut left = self.expr(next);
        while let Some((node, op, right)) = spine.pop() {
            left = self.operate(left, op, right, node);
            if let Ok(expr) = &left {
                self.read_as(node, expr);
            }
        }
        left
    }

    /// A chain of one of AND and OR, as a tree that is as flat as can be.
    fn terms(
        &self,
        node: &ast::Expr,
        op: &BinaryOperator,
        operator: fn(Expr, Expr) -> Expr,
    ) -> Result<Expr> {
        let mut operands = Vec::new();
        let mut next = node;
        while let ast::Expr::BinaryOp {
            left,
            op: same,
            right,
        } = next
            && same == op
        {
            operands.push(&**right);
            next = left;
        }
        operands.push(next);
        let (mut terms, mut errors) = (Vec::with_capacity(operands.len()), Vec::new());
        for operand in operands.into_iter().rev() {
            match self.expr(operand) {
                Ok(term) => terms.push(term),
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(join(terms, operator).unwrap_or(Expr::literal(true)))
    }

    pub(super) fn operate(
        &self,
        left: Result<Expr>,
        op: &BinaryOperator,
        right: &ast::Expr,
        node: &ast::Expr,
    ) -> Result<Expr> {
        if let ast::Expr::Interval(interval) = right
            && matches!(op, BinaryOperator::Plus | BinaryOperator::Minus)
        {
            let (left, back) = (left?, *op == BinaryOperator::Minus);
            if let Expr::Literal(Scalar::Duration { value, unit }) = &left
                && let Expr::Literal(Scalar::Duration { value: more, .. }) =
                    self.interval_literal(interval, right)?
            {
                // Both are in microseconds.
                let sum = if back {
                    value.checked_sub(more)
                } else {
                    value.checked_add(more)
                };
                let sum =
                    sum.ok_or_else(|| vec![self.invalid("the interval is too long", node)])?;
                return Ok(Expr::Literal(Scalar::Duration {
                    value: sum,
                    unit: *unit,
                }));
            }
            return self.moved(left, interval, back);
        }
        if let ast::Expr::BinaryOp {
            left: first,
            op: BinaryOperator::Minus,
            ..
        } = node
            && matches!(**first, ast::Expr::Interval(_))
        {
            return self.unsupported("a date cannot be subtracted from an interval", node);
        }
        if let Some(day) = bare_day(node) {
            let message = format!("`{day}` is a subtraction of numbers");
            return Err(vec![
                self.error(&message, node)
                    .hint(format!("a day is written `DATE '{day}'`")),
            ]);
        }
        if is_comparison(op)
            && let ast::Expr::BinaryOp { left: first, .. } = node
            && let ast::Expr::BinaryOp { op: before, .. } = &**first
            && is_comparison(before)
        {
            return Err(vec![
                self.error("comparisons cannot be chained", node).hint(
                    "write `a < x AND x < b`; texts are joined with `||`, conditions with OR",
                ),
            ]);
        }
        if let ast::Expr::BinaryOp {
            left: first,
            op: BinaryOperator::Plus,
            ..
        } = node
            && let ast::Expr::Interval(interval) = &**first
        {
            return self.moved(self.expr(right)?, interval, false);
        }
        match op {
            BinaryOperator::Regexp | BinaryOperator::PGRegexMatch => {
                return self.contains(left?, right);
            }
            BinaryOperator::PGRegexNotMatch => {
                return Ok(not(self.contains(left?, right)?, true));
            }
            BinaryOperator::PGRegexIMatch => return self.contains_any_case(left?, right),
            BinaryOperator::PGRegexNotIMatch => {
                return Ok(not(self.contains_any_case(left?, right)?, true));
            }
            BinaryOperator::PGLikeMatch => return self.like_of(left?, right, false),
            BinaryOperator::PGNotLikeMatch => {
                return Ok(not(self.like_of(left?, right, false)?, true));
            }
            BinaryOperator::PGILikeMatch => return self.like_of(left?, right, true),
            BinaryOperator::PGNotILikeMatch => {
                return Ok(not(self.like_of(left?, right, true)?, true));
            }
            _ => {}
        }
        let func = match op {
            BinaryOperator::Plus => Func::Add,
            BinaryOperator::Minus => Func::Sub,
            BinaryOperator::Multiply => Func::Mul,
            BinaryOperator::Divide => Func::SqlDiv,
            BinaryOperator::Modulo => Func::SqlMod,
            BinaryOperator::Eq => Func::Eq,
            BinaryOperator::NotEq => Func::Ne,
            BinaryOperator::Lt => Func::Lt,
            BinaryOperator::LtEq => Func::Le,
            BinaryOperator::Gt => Func::Gt,
            BinaryOperator::GtEq => Func::Ge,
            BinaryOperator::And | BinaryOperator::BitwiseAnd => Func::And,
            BinaryOperator::Or | BinaryOperator::BitwiseOr => Func::Or,
            BinaryOperator::Xor | BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => {
                Func::Xor
            }
            BinaryOperator::Spaceship => Func::SqlEqNullSafe,
            BinaryOperator::DuckIntegerDivide => Func::FloorDiv,
            BinaryOperator::StringConcat => {
                let (left, right) = both(left, self.expr(right))?;
                let args = vec![
                    Arg::Exprs(vec![left, right]),
                    Arg::Str(String::new()),
                    Arg::Bool(false),
                ];
                return Ok(call(Func::ConcatStr, args));
            }
            BinaryOperator::Arrow | BinaryOperator::LongArrow => {
                return Err(vec![
                    self.error(&format!("the operator `{op}` is not supported"), node)
                        .hint("a field is `a.b` or `a['b']`"),
                ]);
            }
            other => {
                return self.unsupported(&format!("the operator `{other}` is not supported"), node);
            }
        };
        let (left, right) = both(left, self.expr(right))?;
        Ok(if is_comparison(op) {
            Expr::call(func, [untyped(left), untyped(right)])
        } else {
            Expr::call(func, [left, right])
        })
    }

    pub(super) fn case(
        &self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let operand = operand.map(|node| self.expr(node)).transpose()?;
        if let Some(operand) = &operand {
            self.copies(operand, conditions.len(), &conditions[0].condition)?;
        }
        let mut branches = Vec::with_capacity(conditions.len());
        let mut errors = Vec::new();
        for when in conditions {
            match both(self.expr(&when.condition), self.expr(&when.result)) {
                Ok((condition, result)) => {
                    let condition = match &operand {
                        Some(operand) => {
                            Expr::call(Func::Eq, [operand.clone(), untyped(condition)])
                        }
                        None => condition,
                    };
                    branches.push((condition, result));
                }
                Err(more) => errors.extend(more),
            }
        }
        let otherwise = match otherwise.map(|node| self.expr(node)) {
            None => None,
            Some(Ok(expr)) => crate::python::methods::otherwise(expr),
            Some(Err(more)) => {
                errors.extend(more);
                None
            }
        };
        if errors.is_empty() {
            Ok(Expr::When {
                branches,
                otherwise,
            })
        } else {
            Err(errors)
        }
    }
}

/// A day without quotes: `2024-01-31`.
fn bare_day(node: &ast::Expr) -> Option<String> {
    let (first, day) = difference(node)?;
    let (year, month) = difference(first)?;
    let digits = |node: &ast::Expr, count: usize| match node {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(text, _) if text.len() == count => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    Some(format!("{year}-{month}-{day}"))
}

fn difference(node: &ast::Expr) -> Option<(&ast::Expr, &ast::Expr)> {
    match node {
        ast::Expr::BinaryOp {
            left,
            op: BinaryOperator::Minus,
            right,
        } => Some((left, right)),
        _ => None,
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

/// A text that takes the type of what it is compared with, as `d >= '2024-01-01'` means a date.
pub(super) fn untyped(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(Scalar::Str(_)) => Expr::Cast {
            expr: Box::new(expr),
            to: DType::Unknown,
            strict: true,
        },
        other => other,
    }
}

/// The operator whose chains may be grouped in any way.
fn logical(op: &BinaryOperator) -> Option<fn(Expr, Expr) -> Expr> {
    match op {
        BinaryOperator::And => Some(Expr::and),
        BinaryOperator::Or => Some(Expr::or),
        _ => None,
    }
}
