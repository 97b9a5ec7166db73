//! SQL functions of dates and times with a shape of their own.

use laktory_core::{Arg, DType, Expr, Func, Scalar};
use sqlparser::ast::{self, Function};

use super::calls::Arguments;
use super::lower::{Lower, Result, call};
use super::window;

/// A function of dates and times; `None` when it is none, or takes another number of arguments.
pub(super) fn special(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Option<Expr>> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    Ok(Some(match (name, nodes.len()) {
        ("DATE", 1) => Expr::Cast {
            expr: Box::new(expr(0)?),
            to: DType::Date,
            strict: true,
        },
        ("CURRENT_DATE", 0) => Expr::call(Func::DtDate, [Expr::call(Func::CurrentTimestamp, [])]),
        ("TO_DATE" | "TO_TIMESTAMP", 1 | 2) => {
            let func = if name == "TO_DATE" {
                Func::StrToDate
            } else {
                Func::StrToDatetime
            };
            let format = match nodes.get(1) {
                Some(node) => {
                    let format = lower.text(node)?;
                    let strftime = if format.contains('%') {
                        Some(format.clone())
                    } else {
                        crate::python::spark_dates::java_format(&format)
                    };
                    Arg::Str(strftime.ok_or_else(|| {
                        vec![
                            lower
                                .invalid(format!("the format `{format}` is not understood"), *node),
                        ]
                    })?)
                }
                None => Arg::Absent,
            };
            call(func, vec![Arg::Expr(expr(0)?), format])
        }
        ("STRFTIME", 2) => call(
            Func::DtToString,
            vec![Arg::Expr(expr(0)?), Arg::Str(lower.text(nodes[1])?)],
        ),
        ("DATE_TRUNC", 2) => {
            let unit = lower.text(nodes[0])?;
            let every = match unit.to_ascii_lowercase().as_str() {
                "year" | "yyyy" | "yy" => "1y",
                "quarter" => "1q",
                "month" | "mon" | "mm" => "1mo",
                "day" | "dd" => "1d",
                "hour" => "1h",
                "minute" => "1m",
                "second" => "1s",
                _ => return lower.unsupported(&format!("the unit `{unit}`"), nodes[0]),
            };
            call(
                Func::DtTruncate,
                vec![Arg::Expr(expr(1)?), Arg::Str(every.into())],
            )
        }
        ("DATE_PART" | "DATEPART", 2) => {
            let part = lower.text(nodes[0])?;
            let field = window::date_field(&part);
            match field {
                Some(field) => lower.extract(&field, expr(1)?, function)?,
                None => return lower.unsupported(&format!("the part `{part}`"), nodes[0]),
            }
        }
        ("DATE_FORMAT", 2) => {
            let format = lower.text(nodes[1])?;
            match crate::python::spark_dates::java_format(&format) {
                Some(strftime) => call(
                    Func::DtToString,
                    vec![Arg::Expr(expr(0)?), Arg::Str(strftime)],
                ),
                None => {
                    return Err(vec![
                        lower
                            .invalid(format!("the format `{format}` is not understood"), nodes[1])
                            .hint("write `STRFTIME(t, '%Y-%m-%d')`"),
                    ]);
                }
            }
        }
        ("DATE_ADD" | "DATE_SUB" | "ADD_MONTHS", 2) => {
            if let ast::Expr::Interval(interval) = nodes[1] {
                return lower
                    .moved(expr(0)?, interval, name == "DATE_SUB", nodes[1])
                    .map(Some);
            }
            let count = lower.integer(nodes[1])?;
            let by = match name {
                "DATE_ADD" => format!("{count}d"),
                "DATE_SUB" => format!("{}d", count.saturating_neg()),
                _ => format!("{count}mo"),
            };
            let day = Expr::call(Func::DtDate, [expr(0)?]);
            call(Func::DtOffsetBy, vec![Arg::Expr(day), Arg::Str(by)])
        }
        ("MAKE_DATE", 3) => {
            let part = |index: usize| lower.integer(nodes[index]);
            match crate::datetime::days(part(0)?, part(1)?, part(2)?) {
                Some(days) => Expr::Literal(Scalar::Date(days)),
                None => return Err(vec![lower.invalid("there is no such date", function)]),
            }
        }
        _ => return Ok(None),
    }))
}
