//! SQL functions of texts with a shape of their own.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, Function};

use super::calls::Arguments;
use super::lower::{Lower, Result, call};
use crate::limits::MAX_WIDTH;

/// A function of texts; `None` when it is none, or takes another number of arguments.
pub(super) fn special(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Option<Expr>> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    Ok(Some(match (name, nodes.len()) {
        ("CONCAT_WS", 2..) => {
            let separator = lower.text(nodes[0])?;
            let exprs = lower.exprs(nodes[1..].iter().copied())?;
            call(
                Func::ConcatStr,
                vec![Arg::Exprs(exprs), Arg::Str(separator), Arg::Bool(true)],
            )
        }
        ("REPLACE", 2) => replace(expr(0)?, lower.text(nodes[1])?, Expr::literal(""), true),
        ("REPLACE", 3) => replace(expr(0)?, lower.text(nodes[1])?, expr(2)?, true),
        ("REGEXP_REPLACE", 3) => replace(
            expr(0)?,
            lower.text(nodes[1])?,
            replacement(lower, nodes[2])?,
            false,
        ),
        ("REGEXP_REPLACE", 4) => match lower.text(nodes[3])?.as_str() {
            "g" => replace(
                expr(0)?,
                lower.text(nodes[1])?,
                replacement(lower, nodes[2])?,
                false,
            ),
            _ => return lower.unsupported("the only flag is `g`", nodes[3]),
        },
        ("REGEXP_LIKE" | "REGEXP_MATCHES" | "REGEXP_CONTAINS" | "REGEXP" | "RLIKE", 2) => {
            lower.contains(expr(0)?, nodes[1])?
        }
        ("REGEXP_LIKE" | "REGEXP_MATCHES", 3) => match lower.text(nodes[2])?.as_str() {
            "i" => lower.contains_any_case(expr(0)?, nodes[1])?,
            "" | "c" => lower.contains(expr(0)?, nodes[1])?,
            _ => return lower.unsupported("the only flags are `i` and `c`", nodes[2]),
        },
        ("REGEXP_SUBSTR", 2) => call(
            Func::SqlRegexpExtract,
            vec![
                Arg::Expr(expr(0)?),
                Arg::Str(lower.text(nodes[1])?),
                Arg::Int(0),
            ],
        ),
        ("REGEXP_EXTRACT", 2 | 3) => {
            let group = if nodes.len() == 3 {
                lower.integer(nodes[2])?
            } else {
                1
            };
            let pattern = Arg::Str(lower.text(nodes[1])?);
            call(
                Func::SqlRegexpExtract,
                vec![Arg::Expr(expr(0)?), pattern, Arg::Int(group)],
            )
        }
        ("SUBSTR" | "SUBSTRING", 2 | 3) => {
            let start = Arg::Int(lower.integer(nodes[1])?);
            let length = match nodes.get(2) {
                Some(node) => Arg::Int(lower.integer(node)?),
                None => Arg::Absent,
            };
            call(Func::SqlSubstring, vec![Arg::Expr(expr(0)?), start, length])
        }
        ("LEFT", 2) => call(
            Func::StrHead,
            vec![
                Arg::Expr(expr(0)?),
                Arg::Int(lower.integer(nodes[1])?.max(0)),
            ],
        ),
        ("RIGHT", 2) => match lower.integer(nodes[1])? {
            n if n < 1 => call(Func::StrHead, vec![Arg::Expr(expr(0)?), Arg::Int(0)]),
            n => call(Func::StrTail, vec![Arg::Expr(expr(0)?), Arg::Int(n)]),
        },
        ("TRIM" | "BTRIM" | "LTRIM" | "RTRIM", 1 | 2) => {
            let func = match name {
                "LTRIM" => Func::StrStripCharsStart,
                "RTRIM" => Func::StrStripCharsEnd,
                _ => Func::StrStripChars,
            };
            let characters = match nodes.get(1) {
                Some(node) => Arg::Str(lower.text(node)?),
                None => Arg::Absent,
            };
            call(func, vec![Arg::Expr(expr(0)?), characters])
        }
        ("LPAD" | "RPAD", 2 | 3) => {
            let length = lower.integer(nodes[1])?.max(0);
            if length > MAX_WIDTH {
                let message = format!("texts are filled to at most {MAX_WIDTH} characters");
                return Err(vec![lower.invalid(message, nodes[1])]);
            }
            let fill = match nodes.get(2) {
                Some(node) => lower.text(node)?,
                None => " ".to_owned(),
            };
            if fill.chars().count() != 1 {
                return lower.unsupported("the filling is one character", &function.name);
            }
            let func = if name == "LPAD" {
                Func::StrPadStart
            } else {
                Func::StrPadEnd
            };
            let padded = call(
                func,
                vec![Arg::Expr(expr(0)?), Arg::Int(length), Arg::Str(fill)],
            );
            // SQL's padding also cuts texts that are longer.
            call(Func::StrHead, vec![Arg::Expr(padded), Arg::Int(length)])
        }
        ("SPLIT_PART", 3) => split_part(lower, nodes[0], nodes[1], nodes[2])?,
        ("SPLIT" | "STRING_SPLIT" | "STRING_TO_ARRAY", 2) => call(
            Func::StrSplit,
            vec![Arg::Expr(expr(0)?), Arg::Str(lower.text(nodes[1])?)],
        ),
        // With a comma, the part comes first too.
        ("LOCATE" | "CHARINDEX" | "POSITION", 2) => {
            Expr::call(Func::SqlPosition, [expr(1)?, expr(0)?])
        }
        _ => return Ok(None),
    }))
}

fn replace(expr: Expr, pattern: String, value: Expr, literal: bool) -> Expr {
    call(
        Func::StrReplaceAll,
        vec![
            Arg::Expr(expr),
            Arg::Str(pattern),
            Arg::Expr(value),
            Arg::Bool(literal),
        ],
    )
}

/// What replaces a match: groups are `$1` on every engine here, where others write `\\1`.
fn replacement(lower: &Lower<'_>, node: &ast::Expr) -> Result<Expr> {
    let value = lower.expr(node)?;
    if let Expr::Literal(Scalar::Str(text)) = &value
        && text
            .as_bytes()
            .windows(2)
            .any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit())
    {
        return Err(vec![
            lower
                .invalid("a group is not written with a backslash", node)
                .hint("write `$1` for the first group"),
        ]);
    }
    Ok(value)
}

/// The part at a position from 1, from the end when negative; an empty text where there is none.
fn split_part(
    lower: &Lower<'_>,
    text: &ast::Expr,
    by: &ast::Expr,
    position: &ast::Expr,
) -> Result<Expr> {
    let value = lower.expr(text)?;
    lower.copies(&value, 2, text)?;
    let separator = lower.text(by)?;
    if separator.is_empty() {
        return Err(vec![lower.invalid("the separator is empty", by)]);
    }
    let index = match lower.integer(position)? {
        0 => return Err(vec![lower.invalid("parts are counted from 1", position)]),
        at if at > 0 => at - 1,
        _ => {
            let fault = lower.invalid("parts are counted from the front", position);
            return Err(vec![
                fault.hint("split by a method: `nw.col('x').str.split('-')`"),
            ]);
        }
    };
    let parts = call(
        Func::StrSplit,
        vec![Arg::Expr(value.clone()), Arg::Str(separator)],
    );
    let part = call(Func::ListGet, vec![Arg::Expr(parts), Arg::Int(index)]);
    let filled = call(
        Func::FillNull,
        vec![
            Arg::Expr(part),
            Arg::Expr(Expr::literal("")),
            Arg::Absent,
            Arg::Absent,
        ],
    );
    let known = Expr::call(Func::Not, [Expr::call(Func::IsNull, [value])]);
    Ok(Expr::When {
        branches: vec![(known, filled)],
        otherwise: None,
    })
}
