//! Operators: between values they are expressions when one side is an expression, set algebra between selectors,
//! constants otherwise; and the walk over those of a syntax tree.

use laktory_core::{Expr, Func, Selector};
use ruff_python_ast::{self as ast, BoolOp, CmpOp, Operator, UnaryOp};

use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, both};
use super::fold;
use super::lower::{Lowerer, weight};
use super::value::{Item, Value};

/// A truth value that is wanted before the data is there.
pub(crate) fn ambiguous(at: At) -> Fault {
    Fault::new(
        "ambiguous-truth-value",
        "the truth value of an expression is not known before the data is",
        at,
    )
}

/// An operator on something it does not work on.
pub(crate) fn bad_operand(op: &str, value: &Value, at: At) -> Fault {
    Fault::invalid(format!("`{op}` does not work on {}", value.kind()), at)
}

/// An operator between two values.
pub(crate) fn operate(op: Operator, left: Item, right: Item, at: At) -> Outcome<Value> {
    if let (Value::Selector(a), Value::Selector(b)) = (&left.value, &right.value) {
        return set_algebra(op, a.clone(), b.clone(), at);
    }
    if matches!(right.value, Value::Selector(_)) && left.value.is_expression() {
        return Err(Fault::new(
            "not-implemented",
            format!("`{}` between an expression and a selector", op.as_str()),
            at,
        )
        .hint("put the selector first")
        .into());
    }
    if !left.value.is_expression() && !right.value.is_expression() {
        return Ok(fold::binary(op, &left.value, &right.value, at)?);
    }
    let func = match op {
        Operator::Add => Func::Add,
        Operator::Sub => Func::Sub,
        Operator::Mult => Func::Mul,
        Operator::Div => Func::TrueDiv,
        Operator::FloorDiv => Func::FloorDiv,
        Operator::Mod => Func::Mod,
        Operator::Pow => Func::Pow,
        Operator::BitAnd => Func::And,
        Operator::BitOr => Func::Or,
        Operator::BitXor => Func::Xor,
        Operator::MatMult | Operator::LShift | Operator::RShift => {
            return Err(bad_operand(op.as_str(), &left.value, at).into());
        }
    };
    let (left, right) = both(
        convert::expr(left, Text::Literal),
        convert::expr(right, Text::Literal),
    )?;
    Ok(Value::Expr(Expr::call(func, [left, right])))
}

fn set_algebra(op: Operator, a: Selector, b: Selector, at: At) -> Outcome<Value> {
    let (a, b) = (Box::new(a), Box::new(b));
    Ok(Value::Selector(match op {
        Operator::BitOr => Selector::Union(a, b),
        Operator::BitAnd => Selector::Intersection(a, b),
        Operator::Sub => Selector::Difference(a, b),
        Operator::BitXor => Selector::Difference(
            Box::new(Selector::Union(a.clone(), b.clone())),
            Box::new(Selector::Intersection(a, b)),
        ),
        _ => {
            return Err(Fault::invalid(
                format!("`{}` does not work between selectors", op.as_str()),
                at,
            )
            .hint("selectors know `|`, `&`, `-`, `^` and `~`")
            .into());
        }
    }))
}

/// A comparison that involves an expression.
pub(crate) fn comparison(op: CmpOp, left: Item, right: Item, at: At) -> Outcome<Value> {
    let func = match op {
        CmpOp::Eq => Func::Eq,
        CmpOp::NotEq => Func::Ne,
        CmpOp::Lt => Func::Lt,
        CmpOp::LtE => Func::Le,
        CmpOp::Gt => Func::Gt,
        CmpOp::GtE => Func::Ge,
        CmpOp::Is | CmpOp::IsNot => {
            let hint = match (&right.value, op) {
                (Value::Bool(true), CmpOp::Is) | (Value::Bool(false), CmpOp::IsNot) => {
                    "a column of booleans is a condition itself: `nw.col('b')`"
                }
                (Value::Bool(_), _) => "write `~nw.col('b')`",
                (_, CmpOp::Is) => "write `.is_null()`",
                _ => "write `~(...).is_null()`",
            };
            return Err(ambiguous(at).hint(hint).into());
        }
        CmpOp::In | CmpOp::NotIn => {
            let hint = if op == CmpOp::In {
                "write `.is_in([...])`"
            } else {
                "write `~(...).is_in([...])`"
            };
            return Err(ambiguous(at).hint(hint).into());
        }
    };
    let (left, right) = both(
        convert::expr(left, Text::Literal),
        convert::expr(right, Text::Literal),
    )?;
    Ok(Value::Expr(Expr::call(func, [left, right])))
}

/// A comparison of constants.
pub(crate) fn constant_comparison(op: CmpOp, left: &Value, right: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    Some(match op {
        CmpOp::Eq => fold::equal(left, right)?,
        CmpOp::NotEq => !fold::equal(left, right)?,
        CmpOp::Lt => fold::order(left, right)? == Less,
        CmpOp::LtE => matches!(fold::order(left, right)?, Less | Equal),
        CmpOp::Gt => fold::order(left, right)? == Greater,
        CmpOp::GtE => matches!(fold::order(left, right)?, Greater | Equal),
        CmpOp::Is => matches!((left, right), (Value::None, Value::None)),
        CmpOp::IsNot => !matches!((left, right), (Value::None, Value::None)),
        CmpOp::In | CmpOp::NotIn => {
            let found = match right {
                Value::List(items) => items
                    .iter()
                    .any(|item| fold::equal(left, &item.value) == Some(true)),
                Value::Dict(items) => items
                    .iter()
                    .any(|(key, _)| fold::equal(left, &key.value) == Some(true)),
                Value::Str(text) => match left {
                    Value::Str(part) => text.contains(part.as_str()),
                    _ => return None,
                },
                _ => return None,
            };
            found == (op == CmpOp::In)
        }
    })
}

impl Lowerer {
    /// `a + b + c ...`, along the left spine without recursion.
    pub(super) fn binary(&mut self, node: &ast::Expr) -> Outcome<Item> {
        let mut spine = Vec::new();
        let mut next = node;
        while let ast::Expr::BinOp(operation) = next {
            spine.push(operation);
            next = &operation.left;
        }
        let mut left = self.eval(next);
        while let Some(operation) = spine.pop() {
            let at = self.at(operation);
            let (a, b) = both(left, self.eval(&operation.right))?;
            self.charge(1 + copies(operation.op, &a.value, &b.value), at)?;
            left = operate(operation.op, a, b, at).map(|value| Item::new(value, at));
            if let (Some(parts), Ok(item)) = (&mut self.parts, &left) {
                parts.operation(item);
            }
        }
        left
    }

    pub(super) fn unary(&mut self, unary: &ast::ExprUnaryOp, at: At) -> Outcome<Value> {
        let operand = self.eval(&unary.operand)?;
        let value = match (unary.op, operand.value) {
            (UnaryOp::Invert, Value::Selector(selector)) => {
                Value::Selector(Selector::Not(Box::new(selector)))
            }
            (UnaryOp::Not, value) if value.is_expression() => {
                return Err(ambiguous(at)
                    .hint("write `~(...)` for not, with parentheses")
                    .into());
            }
            (UnaryOp::Not, value) => match fold::truth(&value) {
                Some(truth) => Value::Bool(!truth),
                None => return Err(bad_operand("not", &value, at).into()),
            },
            (UnaryOp::UAdd, value) if value.is_expression() => {
                return Err(bad_operand("unary +", &value, at)
                    .hint("leave the `+` out")
                    .into());
            }
            (UnaryOp::USub, value) if value.is_expression() => {
                let expr = convert::expr(Item::new(value, operand.at), Text::Column)?;
                Value::Expr(Expr::call(Func::Neg, [expr]))
            }
            (UnaryOp::Invert, value) if value.is_expression() => {
                let expr = convert::expr(Item::new(value, operand.at), Text::Column)?;
                Value::Expr(Expr::call(Func::Not, [expr]))
            }
            (UnaryOp::UAdd, value @ (Value::Int(_) | Value::Float(_))) => value,
            (UnaryOp::USub, Value::Int(value)) => Value::Int(
                value
                    .checked_neg()
                    .ok_or_else(|| Fault::new("too-large", "the number is too large", at))?,
            ),
            (UnaryOp::USub, Value::Float(value)) => Value::Float(-value),
            (UnaryOp::Invert, Value::Int(value)) => Value::Int(!value),
            (op, value) => return Err(bad_operand(op.as_str(), &value, at).into()),
        };
        Ok(value)
    }

    pub(super) fn logic(&mut self, operation: &ast::ExprBoolOp, at: At) -> Outcome<Value> {
        let word = match operation.op {
            BoolOp::And => ("and", "&"),
            BoolOp::Or => ("or", "|"),
        };
        let items = self.items(&operation.values)?;
        if items.iter().any(|item| item.value.is_expression()) {
            return Err(ambiguous(at)
                .hint(format!(
                    "write `(...) {} (...)` instead of `{}`, with parentheses around each comparison",
                    word.1, word.0
                ))
                .into());
        }
        let mut last = Value::None;
        for item in items {
            let truth = fold::truth(&item.value)
                .ok_or_else(|| bad_operand(word.0, &item.value, item.at))?;
            last = item.value;
            if truth == (operation.op == BoolOp::Or) {
                break;
            }
        }
        Ok(last)
    }

    pub(super) fn compare(&mut self, compare: &ast::ExprCompare, at: At) -> Outcome<Value> {
        let left = self.eval(&compare.left);
        let right = self.items(&compare.comparators);
        let (left, right) = both(left, right)?;
        let symbolic =
            left.value.is_expression() || right.iter().any(|item| item.value.is_expression());
        if symbolic {
            if compare.ops.len() > 1 {
                let bitwise = std::iter::once(&*compare.left)
                    .chain(&*compare.comparators)
                    .any(|node| {
                        matches!(node, ast::Expr::BinOp(operation)
                            if matches!(operation.op, Operator::BitAnd | Operator::BitOr))
                    });
                let hint = if bitwise {
                    "`&` and `|` bind tighter than comparisons: write `(a > 1) & (b > 2)`"
                } else {
                    "write `(a < x) & (x < b)`, or `.is_between(a, b, closed='none')`"
                };
                return Err(ambiguous(at).hint(hint).into());
            }
            let (Some(op), Some(right)) = (compare.ops.first(), right.into_iter().next()) else {
                return Err(ambiguous(at).into());
            };
            return comparison(*op, left, right, at);
        }
        let mut previous = left;
        for (op, next) in compare.ops.iter().zip(right) {
            let holds =
                constant_comparison(*op, &previous.value, &next.value).ok_or_else(|| {
                    let fault = bad_operand(op.as_str(), &next.value, next.at);
                    match &previous.value {
                        Value::Str(name) => fault.hint(format!(
                            "a text in quotes is a constant; a column is `nw.col('{name}')`"
                        )),
                        _ => fault,
                    }
                })?;
            if !holds {
                return Ok(Value::Bool(false));
            }
            previous = next;
        }
        Ok(Value::Bool(true))
    }
}

/// How much an operator on constants copies: a list times a number is that many copies of all that is in it.
fn copies(op: Operator, left: &Value, right: &Value) -> u64 {
    match (left, right) {
        (Value::List(_), Value::Int(times)) | (Value::Int(times), Value::List(_))
            if op == Operator::Mult =>
        {
            let times = u64::try_from(*times).unwrap_or(if *times < 0 { 0 } else { u64::MAX });
            weight(left).max(weight(right)).saturating_mul(times)
        }
        (Value::List(_), Value::List(_)) => weight(left).saturating_add(weight(right)),
        _ => 0,
    }
}
