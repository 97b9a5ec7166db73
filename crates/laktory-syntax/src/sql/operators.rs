//! SQL operators and `CASE`.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

use super::lower::{Lower, Result, both, call, not};

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
        let mut spine = Vec::new();
        let mut next = node;
        while let ast::Expr::BinaryOp { left, op, right } = next {
            spine.push((next, op, &**right));
            next = left;
        }
        let mut left = self.expr(next);
        while let Some((node, op, right)) = spine.pop() {
            left = self.operate(left, op, right, node);
        }
        left
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
            return self.moved(left?, interval, *op == BinaryOperator::Minus, node);
        }
        if let ast::Expr::BinaryOp {
            left: first,
            op: BinaryOperator::Plus,
            ..
        } = node
            && let ast::Expr::Interval(interval) = &**first
        {
            return self.moved(self.expr(right)?, interval, false, node);
        }
        if matches!(op, BinaryOperator::PGRegexNotMatch) {
            return Ok(not(self.contains(left?, right)?, true));
        }
        if matches!(op, BinaryOperator::Regexp | BinaryOperator::PGRegexMatch) {
            return self.contains(left?, right);
        }
        let func = match op {
            BinaryOperator::Plus => Func::Add,
            BinaryOperator::Minus => Func::Sub,
            BinaryOperator::Multiply => Func::Mul,
            BinaryOperator::Divide => Func::TrueDiv,
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
            other => {
                return self.unsupported(&format!("the operator `{other}` is not supported"), node);
            }
        };
        let (left, right) = both(left, self.expr(right))?;
        Ok(Expr::call(func, [left, right]))
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
                        Some(operand) => Expr::call(Func::Eq, [operand.clone(), condition]),
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
