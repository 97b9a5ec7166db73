//! SQL functions by name. Arguments are lowered first; the table then says what the function is called here.

use laktory_core::{Arg, DType, Expr, Func, FuncKind, Scalar, walk};
use sqlparser::ast::{
    self, DuplicateTreatment, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::lower::{Lower, Result, call};
use super::table::{FUNCTIONS, Fixed, SPECIAL, Target};
use super::window;
use crate::diagnostic::FragmentError;
use crate::suggest::nearest;

/// The names of the SQL functions, for hints and reference pages.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS
        .iter()
        .map(|(name, ..)| *name)
        .chain(SPECIAL.iter().copied())
        .chain(window::NAMES.iter().copied())
}

/// The arguments of a call.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    pub(super) nodes: Vec<&'a ast::Expr>,
    /// `COUNT(*)`.
    star: bool,
    distinct: bool,
}

fn arguments<'a>(lower: &Lower<'_>, function: &'a Function) -> Result<Arguments<'a>> {
    let list = match &function.args {
        FunctionArguments::None => {
            return Ok(Arguments {
                nodes: Vec::new(),
                star: false,
                distinct: false,
            });
        }
        FunctionArguments::Subquery(_) => {
            return lower.unsupported("a sub-query cannot stand in an expression", function);
        }
        FunctionArguments::List(list) => list,
    };
    if !list.clauses.is_empty() {
        return lower.unsupported("clauses inside of a call are not supported", function);
    }
    let mut nodes = Vec::new();
    let mut star = false;
    for arg in &list.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => nodes.push(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if !star => star = true,
            _ => return lower.unsupported("named arguments are not supported", function),
        }
    }
    Ok(Arguments {
        nodes,
        star,
        distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
    })
}

/// Lowers a call. Counts and row numbers are 64-bit integers, as everywhere in SQL.
pub(super) fn function(lower: &Lower<'_>, function: &Function) -> Result<Expr> {
    let name = function.name.to_string().to_ascii_uppercase();
    let expr = called(lower, function, &name)?;
    Ok(match name.as_str() {
        "COUNT" | "APPROX_COUNT_DISTINCT" | "ROW_NUMBER" => Expr::Cast {
            expr: Box::new(expr),
            to: DType::Int64,
            strict: true,
        },
        _ => expr,
    })
}

fn called(lower: &Lower<'_>, function: &Function, name: &str) -> Result<Expr> {
    let args = arguments(lower, function)?;
    if !matches!(function.parameters, FunctionArguments::None) {
        return lower.unsupported("this form of a call is not supported", function);
    }
    if name == "PERCENTILE_CONT" && function.over.is_none() && function.filter.is_none() {
        return percentile(lower, function, &args);
    }
    if !function.within_group.is_empty() {
        return lower.unsupported("WITHIN GROUP belongs to PERCENTILE_CONT", function);
    }
    if let Some(over) = &function.over {
        return window::function(lower, function, name, &args, over);
    }
    if window::NAMES.contains(&name) {
        return Err(vec![
            lower
                .error(&format!("`{name}` needs a window"), function)
                .hint(format!("write `{name}(...) OVER (ORDER BY ...)`")),
        ]);
    }
    let expr = plain(lower, function, name, &args)?;
    lower.checked(crate::check::call(&expr), function)?;
    match &function.filter {
        None => Ok(expr),
        Some(condition) => {
            let condition = lower.expr(condition)?;
            filtered(expr, &condition)
                .ok_or_else(|| vec![lower.error("FILTER belongs to an aggregate", function)])
        }
    }
}

/// An aggregate over the rows where a condition holds: SQL's aggregates skip the nulls that the others become.
fn filtered(expr: Expr, condition: &Expr) -> Option<Expr> {
    let Expr::Call { func, mut args } = expr else {
        return None;
    };
    if func.def().kind != FuncKind::Aggregate {
        return None;
    }
    if func == Func::Len {
        let one = (condition.clone(), Expr::literal(1_i64));
        return Some(Expr::call(
            Func::Count,
            [Expr::When {
                branches: vec![one],
                otherwise: None,
            }],
        ));
    }
    for arg in &mut args {
        if let Arg::Expr(value) = arg {
            *value = Expr::When {
                branches: vec![(condition.clone(), value.clone())],
                otherwise: None,
            };
        }
    }
    Some(Expr::Call { func, args })
}

fn wrong_count(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    wanted: &str,
) -> Vec<FragmentError> {
    vec![lower.invalid(format!("`{name}` takes {wanted}"), function)]
}

/// A call without window.
pub(super) fn plain(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Expr> {
    if args.star && (args.distinct || !args.nodes.is_empty()) {
        return lower.unsupported("`COUNT(*)` takes nothing else", function);
    }
    if args.star && name != "COUNT" {
        return lower.unsupported("only `COUNT(*)` takes a star", function);
    }
    if let Some((_, least, most, target)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) {
        let count = args.nodes.len();
        if count < *least || count > *most {
            let wanted = if least == most {
                format!("{least} arguments, not {count}")
            } else {
                format!("at least {least} arguments, not {count}")
            };
            return Err(wrong_count(lower, function, name, &wanted));
        }
        let exprs = lower.exprs(args.nodes.iter().copied())?;
        let expr = fixed(*target, exprs);
        return distinct(lower, function, expr, args.distinct);
    }
    if args.distinct && name != "COUNT" {
        return lower.unsupported("DISTINCT belongs to an aggregate", function);
    }
    if SPECIAL.contains(&name) {
        return special(lower, function, name, args);
    }
    let error = FragmentError {
        code: "unknown-function",
        ..lower.error(&format!("the SQL function `{name}` is not known"), function)
    };
    Err(vec![match nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("write it as a DataFrame expression, or in a SQL step"),
    }])
}

fn fixed(target: Target, exprs: Vec<Expr>) -> Expr {
    match target {
        Target::Exprs(func) => Expr::call(func, exprs),
        Target::Variadic(func) => call(func, vec![Arg::Exprs(exprs)]),
        Target::With(func, more) => {
            let mut args: Vec<Arg> = exprs.into_iter().map(Arg::Expr).collect();
            args.extend(more.iter().map(|fixed| match fixed {
                Fixed::Absent => Arg::Absent,
                Fixed::Bool(value) => Arg::Bool(*value),
                Fixed::Int(value) => Arg::Int(*value),
                Fixed::Float(value) => Arg::Float(*value),
            }));
            call(func, args)
        }
    }
}

/// `SUM(DISTINCT x)`: the aggregate of the distinct values.
fn distinct(lower: &Lower<'_>, function: &Function, expr: Expr, distinct: bool) -> Result<Expr> {
    if !distinct {
        return Ok(expr);
    }
    let Expr::Call { func, mut args } = expr else {
        return lower.unsupported("DISTINCT belongs to an aggregate", function);
    };
    if func.def().kind != FuncKind::Aggregate {
        return lower.unsupported("DISTINCT belongs to an aggregate", function);
    }
    if let Some(Arg::Expr(value)) = args.first_mut() {
        *value = Expr::call(Func::Unique, [value.clone()]);
    }
    Ok(Expr::Call { func, args })
}

#[allow(
    clippy::too_many_lines,
    reason = "one arm for each function with a shape of its own"
)]
fn special(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    args: &Arguments<'_>,
) -> Result<Expr> {
    let nodes = args.nodes.as_slice();
    let expr = |index: usize| lower.expr(nodes[index]);
    Ok(match (name, nodes.len()) {
        ("COUNT", 0) => Expr::call(Func::Len, []),
        ("COUNT", 1) if args.distinct => Expr::call(Func::SqlCountDistinct, [expr(0)?]),
        ("COUNT", 1) => match expr(0)? {
            Expr::Literal(scalar) if scalar != Scalar::Null => Expr::call(Func::Len, []),
            value => Expr::call(Func::Count, [value]),
        },
        ("APPROX_COUNT_DISTINCT", 1) => Expr::call(Func::SqlCountDistinct, [expr(0)?]),
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
        ("REGEXP_REPLACE", 3) => replace(expr(0)?, lower.text(nodes[1])?, expr(2)?, false),
        ("REGEXP_REPLACE", 4) => match lower.text(nodes[3])?.as_str() {
            "g" => replace(expr(0)?, lower.text(nodes[1])?, expr(2)?, false),
            _ => return lower.unsupported("the only flag is `g`", nodes[3]),
        },
        ("REGEXP_LIKE" | "REGEXP_MATCHES", 2) => lower.contains(expr(0)?, nodes[1])?,
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
            let fill = match nodes.get(2) {
                Some(node) => lower.text(node)?,
                None => " ".to_owned(),
            };
            if fill.chars().count() != 1 {
                return lower.unsupported("the filling is one character", function);
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
        ("SPLIT", 2) => call(
            Func::StrSplit,
            vec![Arg::Expr(expr(0)?), Arg::Str(lower.text(nodes[1])?)],
        ),
        ("LOCATE" | "CHARINDEX", 2) => Expr::call(Func::SqlPosition, [expr(1)?, expr(0)?]),
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
                        crate::python::native_functions::java_format(&format)
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
        ("QUANTILE_CONT" | "PERCENTILE_CONT", 2) => quantile_of(lower, expr(0)?, nodes[1])?,
        _ => return composed(lower, function, name, nodes),
    })
}

/// Functions that are expressions of several parts.
fn composed(
    lower: &Lower<'_>,
    function: &Function,
    name: &str,
    nodes: &[&ast::Expr],
) -> Result<Expr> {
    let expr = |index: usize| lower.expr(nodes[index]);
    let known = |expr: Expr| Expr::call(Func::Not, [Expr::call(Func::IsNull, [expr])]);
    Ok(match (name, nodes.len()) {
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
        ("COUNT_IF", 1) => Expr::call(
            Func::Count,
            [Expr::When {
                branches: vec![(expr(0)?, Expr::literal(1_i64))],
                otherwise: None,
            }],
        ),
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
        ("DATE_FORMAT", 2) => {
            let format = lower.text(nodes[1])?;
            match crate::python::native_functions::java_format(&format) {
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
                return lower.moved(expr(0)?, interval, name == "DATE_SUB", nodes[1]);
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
        _ => {
            return Err(wrong_count(
                lower,
                function,
                name,
                "another number of arguments",
            ));
        }
    })
}

/// `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY x)`.
fn percentile(lower: &Lower<'_>, function: &Function, args: &Arguments<'_>) -> Result<Expr> {
    use sqlparser::ast::OrderBySort;
    let ([quantile], [key]) = (args.nodes.as_slice(), function.within_group.as_slice()) else {
        return Err(vec![
            lower
                .error("PERCENTILE_CONT takes a quantile and an order", function)
                .hint("write `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)`"),
        ]);
    };
    if !matches!(key.options.sort, None | Some(OrderBySort::Asc)) {
        return lower.unsupported("PERCENTILE_CONT takes an ascending order", function);
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

/// Whether the expression aggregates, for windows.
pub(super) fn is_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { func, args } if walk::kind(*func, args) == FuncKind::Aggregate)
}
