//! SQL functions of lists and structs with a shape of their own.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, Function};

use super::calls::Arguments;
use super::lower::{Lower, Result, call};

/// A function of lists and structs; `None` when it is none, or takes another number of arguments.
pub(super) fn special(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Option<Expr>> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    Ok(Some(match (name, nodes.len()) {
        ("ARRAY_CONTAINS" | "ARRAY_HAS" | "LIST_CONTAINS", 2) => match expr(1)? {
            item @ Expr::Literal(_) => Expr::call(Func::ListContains, [expr(0)?, item]),
            _ => return lower.unsupported("the element is a constant", nodes[1]),
        },
        ("ELEMENT_AT", 2) => {
            let index = lower.integer(nodes[1])?;
            if index < 1 {
                return Err(vec![lower.invalid("elements are counted from 1", nodes[1])]);
            }
            call(
                Func::ListGet,
                vec![Arg::Expr(expr(0)?), Arg::Int(index - 1)],
            )
        }
        ("GET", 2) => {
            let index = lower.integer(nodes[1])?;
            if index < 0 {
                return Err(vec![
                    lower.invalid("elements are counted from 0 in GET", nodes[1]),
                ]);
            }
            call(Func::ListGet, vec![Arg::Expr(expr(0)?), Arg::Int(index)])
        }
        ("SORT_ARRAY", 1 | 2) => {
            let ascending = match nodes.get(1).map(|node| lower.expr(node)).transpose()? {
                None => true,
                Some(Expr::Literal(Scalar::Bool(ascending))) => ascending,
                Some(_) => return lower.unsupported("TRUE or FALSE is wanted here", nodes[1]),
            };
            // Nulls are the least.
            let (descending, nulls_last) = (Arg::Bool(!ascending), Arg::Bool(!ascending));
            call(
                Func::ListSort,
                vec![Arg::Expr(expr(0)?), descending, nulls_last],
            )
        }
        ("STRUCT", 1..) => structure(lower, nodes)?,
        ("NAMED_STRUCT", 2..) if nodes.len().is_multiple_of(2) => {
            let mut fields = Vec::with_capacity(nodes.len() / 2);
            for pair in nodes.chunks_exact(2) {
                let name = lower.text(pair[0])?;
                fields.push(lower.expr(pair[1])?.alias(name));
            }
            call(
                Func::Struct,
                vec![Arg::Exprs(unique(lower, fields, function)?)],
            )
        }
        _ => return Ok(None),
    }))
}

/// `STRUCT(x, y AS b)`.
pub(super) fn structure<'a>(
    lower: &Lower<'_>,
    nodes: impl IntoIterator<Item = &'a &'a ast::Expr>,
) -> Result<Expr> {
    let mut fields = Vec::new();
    for node in nodes {
        fields.push(match node {
            ast::Expr::Named { expr, name } => lower.expr(expr)?.alias(name.value.as_str()),
            node => lower.expr(node)?,
        });
    }
    Ok(call(Func::Struct, vec![Arg::Exprs(fields)]))
}

/// The fields of a struct, whose names differ.
fn unique(lower: &Lower<'_>, fields: Vec<Expr>, function: &Function) -> Result<Vec<Expr>> {
    match crate::check::unique_names(fields.iter()) {
        Ok(()) => Ok(fields),
        Err((_, error)) => lower.checked(Err(error), &function.name).map(|()| fields),
    }
}
