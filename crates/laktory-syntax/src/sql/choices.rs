//! SQL functions that choose between values, and those of numbers, with a shape of their own.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, Function};

use super::calls::Arguments;
use super::lower::{Lower, Result, call};

/// One of these functions; `None` when it is none, or takes another number of arguments.
pub(super) fn special(
    lower: &Lower<'_>,
    _: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Option<Expr>> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    let known = |expr: Expr| Expr::call(Func::Not, [Expr::call(Func::IsNull, [expr])]);
    Ok(Some(match (name, nodes.len()) {
        ("PI", 0) => Expr::literal(std::f64::consts::PI),
        ("E", 0) => Expr::literal(std::f64::consts::E),
        ("TRUNC" | "TRUNCATE", 1) => {
            let value = expr(0)?;
            lower.copies(&value, 3, nodes[0])?;
            let negative = Expr::call(Func::Lt, [value.clone(), Expr::literal(0_i64)]);
            Expr::When {
                branches: vec![(negative, Expr::call(Func::Ceil, [value.clone()]))],
                otherwise: Some(Box::new(Expr::call(Func::Floor, [value]))),
            }
        }
        ("BROUND", 1 | 2) => {
            let decimals = match nodes.get(1) {
                Some(node) => lower.integer(node)?,
                None => 0,
            };
            if decimals < 0 {
                return lower.unsupported("the decimals are negative", nodes[1]);
            }
            call(Func::Round, vec![Arg::Expr(expr(0)?), Arg::Int(decimals)])
        }
        ("ROUND", 1 | 2) => {
            let decimals = if nodes.len() == 2 {
                lower.integer(nodes[1])?
            } else {
                0
            };
            let func = if lower.statement {
                Func::SqlRoundHalfUp
            } else {
                Func::SqlRound
            };
            call(func, vec![Arg::Expr(expr(0)?), Arg::Int(decimals)])
        }
        ("LOG", 1) => call(Func::Log, vec![Arg::Expr(expr(0)?), Arg::Float(10.0)]),
        ("LOG", 2) => {
            let base = match expr(0)? {
                #[allow(clippy::cast_precision_loss, reason = "bases are small")]
                Expr::Literal(Scalar::Int(base)) => base as f64,
                Expr::Literal(Scalar::Float(base)) => base,
                _ => return lower.unsupported("the base is a constant", nodes[0]),
            };
            call(Func::Log, vec![Arg::Expr(expr(1)?), Arg::Float(base)])
        }
        ("IF" | "IIF" | "IFF", 3) => Expr::When {
            branches: vec![(expr(0)?, expr(1)?)],
            otherwise: crate::python::methods::otherwise(expr(2)?),
        },
        ("IF", 2) => Expr::When {
            branches: vec![(expr(0)?, expr(1)?)],
            otherwise: None,
        },
        ("DECODE", 3..) => decode(lower, nodes)?,
        ("TRY_DIVIDE", 2) => Expr::call(
            Func::SqlDiv,
            [
                expr(0)?,
                Expr::call(Func::SqlNullIf, [expr(1)?, Expr::literal(0_i64)]),
            ],
        ),
        ("NVL2", 3) => Expr::When {
            branches: vec![(known(expr(0)?), expr(1)?)],
            otherwise: crate::python::methods::otherwise(expr(2)?),
        },
        ("ISNOTNULL", 1) => known(expr(0)?),
        ("ZEROIFNULL", 1) => call(
            Func::Coalesce,
            vec![Arg::Exprs(vec![expr(0)?, Expr::literal(0_i64)])],
        ),
        ("NULLIFZERO", 1) => Expr::call(Func::SqlNullIf, [expr(0)?, Expr::literal(0_i64)]),
        ("LOG1P", 1) => call(
            Func::Log,
            vec![
                Arg::Expr(Expr::call(Func::Add, [expr(0)?, Expr::literal(1_i64)])),
                Arg::Float(std::f64::consts::E),
            ],
        ),
        ("COT", 1) => {
            let angle = expr(0)?;
            lower.copies(&angle, 2, nodes[0])?;
            let sine = Expr::call(Func::Sin, [angle.clone()]);
            Expr::call(Func::TrueDiv, [Expr::call(Func::Cos, [angle]), sine])
        }
        ("DEGREES", 1) => Expr::call(
            Func::Mul,
            [expr(0)?, Expr::literal(180.0 / std::f64::consts::PI)],
        ),
        ("RADIANS", 1) => Expr::call(
            Func::Mul,
            [expr(0)?, Expr::literal(std::f64::consts::PI / 180.0)],
        ),
        _ => return Ok(None),
    }))
}

/// `DECODE(x, 1, 'a', 2, 'b', 'other')`: compared so that null finds null.
fn decode(lower: &Lower<'_>, nodes: &[&ast::Expr]) -> Result<Expr> {
    let exprs = lower.exprs(nodes.iter().copied())?;
    let mut rest = exprs.into_iter();
    let Some(value) = rest.next() else {
        return Ok(Expr::Literal(Scalar::Null));
    };
    lower.copies(&value, nodes.len() / 2, nodes[0])?;
    let mut branches = Vec::new();
    let mut otherwise = None;
    while let Some(wanted) = rest.next() {
        match rest.next() {
            Some(result) => {
                let equal = Expr::call(Func::SqlEqNullSafe, [value.clone(), wanted]);
                branches.push((equal, result));
            }
            None => otherwise = crate::python::methods::otherwise(wanted),
        }
    }
    Ok(Expr::When {
        branches,
        otherwise,
    })
}
