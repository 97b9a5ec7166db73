//! Operators between values: expressions when one side is an expression, set algebra between selectors, constants
//! otherwise.

use laktory_core::{Expr, Func, Selector};
use ruff_python_ast::{CmpOp, Operator};

use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, both};
use super::fold;
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
            let hint = if op == CmpOp::Is {
                "write `.is_null()`"
            } else {
                "write `~(...).is_null()`"
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
