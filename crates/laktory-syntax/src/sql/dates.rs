//! SQL functions of dates and times with a shape of their own.

use laktory_core::semantics::pattern::strftime;
use laktory_core::{Arg, DType, Expr, Func, Scalar, TimeUnit};
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
        ("CURRENT_DATE" | "CURDATE" | "TODAY", 0) => {
            Expr::call(Func::DtDate, [Expr::call(Func::CurrentTimestamp, [])])
        }
        // Any form of ISO 8601, as in CAST.
        ("TO_DATE" | "TO_TIMESTAMP", 1) if lower.statement => Expr::Cast {
            expr: Box::new(lower.expr(nodes[0])?),
            to: match name {
                "TO_DATE" => DType::Date,
                _ => DType::Datetime {
                    unit: TimeUnit::Microsecond,
                    zone: None,
                },
            },
            strict: true,
        },
        ("TO_DATE" | "TO_TIMESTAMP" | "STRPTIME", 1 | 2)
            if name != "STRPTIME" || nodes.len() == 2 =>
        {
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
                        strftime(&format)
                    };
                    Arg::Str(strftime.ok_or_else(|| {
                        vec![
                            lower
                                .invalid(format!("the format `{format}` is not understood"), *node)
                                .hint("such as `yyyy-MM-dd HH:mm:ss`, or `%Y-%m-%d %H:%M:%S`"),
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
        ("DATE_TRUNC", 2) if is_text(nodes[1]) && !is_text(nodes[0]) => {
            let error = lower.invalid("the unit of DATE_TRUNC comes first", nodes[1]);
            return Err(vec![error.hint("such as `DATE_TRUNC('month', day)`")]);
        }
        ("DATE_TRUNC", 2) => {
            let unit = unit(lower, nodes[0])?;
            let every = match unit.to_ascii_lowercase().as_str() {
                "year" | "yyyy" | "yy" => "1y",
                "quarter" => "1q",
                "month" | "mon" | "mm" => "1mo",
                "day" | "dd" => "1d",
                "hour" => "1h",
                "minute" => "1m",
                "second" => "1s",
                "millisecond" => "1ms",
                "microsecond" => "1us",
                "week" => {
                    return Err(vec![
                        lower
                            .error("weeks are not supported", nodes[0])
                            .hint("its Monday is `DATE_TRUNC('day', t) - INTERVAL '1 day' * (EXTRACT(ISODOW FROM t) - 1)`"),
                    ]);
                }
                _ => return lower.unsupported(&format!("the unit `{unit}`"), nodes[0]),
            };
            call(
                Func::DtTruncate,
                vec![Arg::Expr(expr(1)?), Arg::Str(every.into())],
            )
        }
        ("DATE_PART" | "DATEPART", 2) => {
            let part = unit(lower, nodes[0])?;
            let field = window::date_field(&part);
            match field {
                Some(field) => lower.extract(&field, expr(1)?, function)?,
                None => return lower.unsupported(&format!("the part `{part}`"), nodes[0]),
            }
        }
        ("DATE_FORMAT", 2) => {
            let format = lower.text(nodes[1])?;
            match strftime(&format) {
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
                    .moved(expr(0)?, interval, name == "DATE_SUB")
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
        ("DATEADD" | "DATE_ADD" | "TIMESTAMPADD", 3) => {
            let unit = unit(lower, nodes[0])?;
            let count = lower.integer(nodes[1])?;
            match Lower::interval_unit(&unit) {
                Some((factor, unit)) => {
                    let by = format!("{}{unit}", count.saturating_mul(factor));
                    call(Func::DtOffsetBy, vec![Arg::Expr(expr(2)?), Arg::Str(by)])
                }
                None => return lower.unsupported(&format!("the unit `{unit}`"), nodes[0]),
            }
        }
        ("TRUNC", 2) if matches!(lower.expr(nodes[1])?, Expr::Literal(Scalar::Str(_))) => {
            let unit = lower.text(nodes[1])?;
            let every = match unit.to_ascii_lowercase().as_str() {
                "year" | "yyyy" | "yy" => "1y",
                "quarter" => "1q",
                "month" | "mon" | "mm" => "1mo",
                _ => return lower.unsupported(&format!("the unit `{unit}`"), nodes[1]),
            };
            truncated(Expr::call(Func::DtDate, [expr(0)?]), every)
        }
        ("DATEDIFF" | "DATE_DIFF", 2) => days_between(expr(1)?, expr(0)?),
        ("DATEDIFF" | "DATE_DIFF", 3) => {
            let unit = unit(lower, nodes[0])?;
            let (start, end) = (expr(1)?, expr(2)?);
            lower.copies(&start, 2, nodes[1])?;
            lower.copies(&end, 2, nodes[2])?;
            match borders(&unit, start, end) {
                Some(count) => count,
                None => {
                    return Err(vec![
                        lower.error(&format!("the unit `{unit}`"), nodes[0]).hint(
                            "one of `year`, `quarter`, `month`, `day`, `hour`, `minute`, `second`",
                        ),
                    ]);
                }
            }
        }
        ("LAST_DAY", 1) => {
            let month = truncated(Expr::call(Func::DtDate, [expr(0)?]), "1mo");
            moved(moved(month, "1mo"), "-1d")
        }
        ("EPOCH", 1) => lower.extract(&ast::DateTimeField::Epoch, expr(0)?, function)?,
        ("EPOCH_MS", 1) => call(
            Func::DtTimestamp,
            vec![Arg::Expr(expr(0)?), Arg::Str("ms".into())],
        ),
        ("MAKE_DATE", 3) => {
            let part = |index: usize| lower.integer(nodes[index]);
            match crate::datetime::days(part(0)?, part(1)?, part(2)?) {
                Some(days) => Expr::Literal(Scalar::Date(days)),
                None => return Err(vec![lower.invalid("there is no such date", &function.name)]),
            }
        }
        _ => return Ok(None),
    }))
}

/// A unit, as text or as bare word: `DATE_TRUNC('month', t)`, `DATEADD(day, 1, t)`.
fn is_text(node: &ast::Expr) -> bool {
    matches!(node, ast::Expr::Value(value) if matches!(value.value, ast::Value::SingleQuotedString(_)))
}

fn unit(lower: &Lower<'_>, node: &ast::Expr) -> Result<String> {
    match node {
        ast::Expr::Identifier(name) if name.quote_style.is_none() => Ok(name.value.to_lowercase()),
        node => Ok(lower.text(node)?.to_lowercase()),
    }
}

fn truncated(expr: Expr, every: &str) -> Expr {
    call(
        Func::DtTruncate,
        vec![Arg::Expr(expr), Arg::Str(every.into())],
    )
}

fn moved(expr: Expr, by: &str) -> Expr {
    call(Func::DtOffsetBy, vec![Arg::Expr(expr), Arg::Str(by.into())])
}

fn wide(expr: Expr) -> Expr {
    Expr::Cast {
        expr: Box::new(expr),
        to: DType::Int64,
        strict: true,
    }
}

fn minutes_between(start: Expr, end: Expr, per: i64) -> Expr {
    let between = Expr::call(Func::Sub, [end, start]);
    let minutes = Expr::call(Func::DtTotalMinutes, [between]);
    if per == 1 {
        return minutes;
    }
    Expr::call(Func::FloorDiv, [minutes, Expr::literal(per)])
}

fn days_between(start: Expr, end: Expr) -> Expr {
    let day = |expr| Expr::call(Func::DtDate, [expr]);
    minutes_between(day(start), day(end), 24 * 60)
}

/// How many borders of a unit lie between two times, as in the `DATE_DIFF` of SQL steps; `None` for other units.
fn borders(unit: &str, start: Expr, end: Expr) -> Option<Expr> {
    let part = |func: Func, of: &Expr| wide(Expr::call(func, [of.clone()]));
    let years = || {
        Expr::call(
            Func::Sub,
            [part(Func::DtYear, &end), part(Func::DtYear, &start)],
        )
    };
    let within = |func: Func, per: i64| {
        let whole = Expr::call(Func::Mul, [years(), Expr::literal(per)]);
        let rest = Expr::call(Func::Sub, [part(func, &end), part(func, &start)]);
        Expr::call(Func::Add, [whole, rest])
    };
    Some(match unit.trim_end_matches('s') {
        "year" => years(),
        "quarter" => within(Func::SqlQuarter, 4),
        "month" => within(Func::DtMonth, 12),
        "day" => days_between(start, end),
        "hour" => minutes_between(truncated(start, "1h"), truncated(end, "1h"), 60),
        "minute" => minutes_between(truncated(start, "1m"), truncated(end, "1m"), 1),
        "second" => {
            let between = Expr::call(Func::Sub, [truncated(end, "1s"), truncated(start, "1s")]);
            Expr::call(Func::DtTotalSeconds, [between])
        }
        _ => return None,
    })
}
