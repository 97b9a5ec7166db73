//! SQL functions that choose between values, and those of numbers and lists, with a shape of their own.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::Function;

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
        ("ROUND", 1 | 2) => {
            let decimals = if nodes.len() == 2 {
                lower.integer(nodes[1])?
            } else {
                0
            };
            call(
                Func::SqlRound,
                vec![Arg::Expr(expr(0)?), Arg::Int(decimals)],
            )
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
        ("IF" | "IIF", 3) => Expr::When {
            branches: vec![(expr(0)?, expr(1)?)],
            otherwise: Some(Box::new(expr(2)?)),
        },
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
        ("ARRAY_CONTAINS", 2) => match expr(1)? {
            item @ Expr::Literal(_) => Expr::call(Func::ListContains, [expr(0)?, item]),
            _ => return lower.unsupported("the element is a constant", nodes[1]),
        },
        _ => return Ok(None),
    }))
}
