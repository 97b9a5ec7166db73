//! SQL aggregates with a shape of their own.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, Function};

use super::calls::Arguments;
use super::lower::{Lower, Result, call};

/// An aggregate; `None` when it is none, or takes another number of arguments.
pub(super) fn special(
    lower: &Lower<'_>,
    _: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Option<Expr>> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    Ok(Some(match (name, nodes.len()) {
        ("COUNT", 0) => Expr::call(Func::Len, []),
        ("COUNT", 1) if args.distinct => Expr::call(Func::SqlCountDistinct, [expr(0)?]),
        ("COUNT", 1) => match expr(0)? {
            Expr::Literal(scalar) if scalar != Scalar::Null => Expr::call(Func::Len, []),
            value => Expr::call(Func::Count, [value]),
        },
        ("APPROX_COUNT_DISTINCT", 1) => Expr::call(Func::SqlCountDistinct, [expr(0)?]),
        ("CORR", 2) => call(
            Func::Corr,
            vec![
                Arg::Expr(expr(0)?),
                Arg::Expr(expr(1)?),
                Arg::Str("pearson".into()),
            ],
        ),
        ("COVAR_SAMP" | "COVAR_POP", 2) => call(
            Func::Cov,
            vec![
                Arg::Expr(expr(0)?),
                Arg::Expr(expr(1)?),
                Arg::Int(i64::from(name == "COVAR_SAMP")),
            ],
        ),
        ("QUANTILE_CONT" | "PERCENTILE_CONT" | "PERCENTILE", 2) => {
            quantile_of(lower, expr(0)?, nodes[1])?
        }
        ("COUNT_IF" | "COUNTIF", 1) => Expr::call(
            Func::Count,
            [Expr::When {
                branches: vec![(expr(0)?, Expr::literal(1_i64))],
                otherwise: None,
            }],
        ),
        _ => return Ok(None),
    }))
}

/// `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY x)`.
pub(super) fn percentile(
    lower: &Lower<'_>,
    function: &Function,
    args: &Arguments<'_>,
) -> Result<Expr> {
    use sqlparser::ast::OrderBySort;
    let ([quantile], [key]) = (args.nodes.as_slice(), function.within_group.as_slice()) else {
        return Err(vec![
            lower
                .error(
                    "PERCENTILE_CONT takes a quantile and an order",
                    &function.name,
                )
                .hint("write `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)`"),
        ]);
    };
    if !matches!(key.options.sort, None | Some(OrderBySort::Asc)) {
        return lower.unsupported("PERCENTILE_CONT takes an ascending order", &function.name);
    }
    let value = lower.expr(&key.expr)?;
    quantile_of(lower, value, quantile)
}

fn quantile_of(lower: &Lower<'_>, value: Expr, node: &ast::Expr) -> Result<Expr> {
    let quantile = match lower.expr(node)? {
        Expr::Literal(Scalar::Float(value)) if (0.0..=1.0).contains(&value) => value,
        Expr::Literal(Scalar::Int(0)) => 0.0,
        Expr::Literal(Scalar::Int(1)) => 1.0,
        _ => {
            return Err(vec![
                lower.invalid("the quantile is a number from 0 to 1", node),
            ]);
        }
    };
    Ok(call(
        Func::Quantile,
        vec![
            Arg::Expr(value),
            Arg::Float(quantile),
            Arg::Str("linear".into()),
        ],
    ))
}
