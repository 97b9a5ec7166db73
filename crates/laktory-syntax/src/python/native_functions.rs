//! Functions of `pl` and `F` for what the common API has too.

use laktory_core::{Arg, Expr, Func};

use super::bind::{Call, bind};
use super::clock;
use super::convert::{self, Text};
use super::fault::{Fault, Outcome, collect};
use super::functions::{self, optional, required, rest};
use super::lower::Lowerer;
use super::methods;
use super::native::logarithm;
use super::value::{Item, Root, Value};

/// What a native function stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FunctionTarget {
    /// A function of the common API with the same arguments.
    Same(&'static str),
    /// A method of the first argument, where a text is a column.
    Of(&'static str),
    /// Something else.
    Build(fn(Call) -> Outcome<Expr>),
}

/// A native function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionAlias {
    name: &'static str,
    spark: bool,
    polars: bool,
    target: FunctionTarget,
}

use FunctionTarget::{Build, Of, Same};

const fn spark(name: &'static str, target: FunctionTarget) -> FunctionAlias {
    FunctionAlias {
        name,
        spark: true,
        polars: false,
        target,
    }
}

const fn polars(name: &'static str, target: FunctionTarget) -> FunctionAlias {
    FunctionAlias {
        name,
        spark: false,
        polars: true,
        target,
    }
}

const FUNCTIONS: &[FunctionAlias] = &[
    spark("expr", Same("sql_expr")),
    spark("column", Same("col")),
    spark("upper", Of("str.to_uppercase")),
    spark("ucase", Of("str.to_uppercase")),
    spark("lower", Of("str.to_lowercase")),
    spark("lcase", Of("str.to_lowercase")),
    spark("initcap", Of("str.to_titlecase")),
    spark("trim", Of("str.strip_chars")),
    spark("ltrim", Of("str.strip_chars_start")),
    spark("rtrim", Of("str.strip_chars_end")),
    spark("length", Of("str.len_chars")),
    spark("char_length", Of("str.len_chars")),
    spark("reverse", Same("sql.reverse")),
    spark("substring", Same("sql.substring")),
    spark("regexp_replace", Of("str.replace_all")),
    spark("regexp_extract", Same("sql.regexp_extract")),
    spark("lpad", Of("str.pad_start")),
    spark("rpad", Of("str.pad_end")),
    spark("concat", Same("concat_str")),
    spark("concat_ws", Build(concat_ws)),
    spark("to_date", Build(to_date)),
    spark("to_timestamp", Build(to_timestamp)),
    spark("date_trunc", Build(date_trunc)),
    spark("year", Of("dt.year")),
    spark("month", Of("dt.month")),
    spark("day", Of("dt.day")),
    spark("dayofmonth", Of("dt.day")),
    spark("dayofyear", Of("dt.ordinal_day")),
    spark("hour", Of("dt.hour")),
    spark("minute", Of("dt.minute")),
    spark("second", Of("dt.second")),
    spark("quarter", Same("sql.quarter")),
    spark("weekofyear", Same("sql.week")),
    spark("current_timestamp", Same("laktory.current_timestamp")),
    spark("now", Same("laktory.current_timestamp")),
    spark("abs", Of("abs")),
    spark("sqrt", Of("sqrt")),
    spark("exp", Of("exp")),
    spark("ln", Of("log")),
    spark("log", Build(log)),
    spark("log10", Build(decimal_log)),
    spark("log2", Build(binary_log)),
    spark("sin", Of("sin")),
    spark("cos", Of("cos")),
    spark("tan", Same("sql.tan")),
    spark("cbrt", Same("sql.cbrt")),
    spark("signum", Same("sql.sign")),
    spark("sign", Same("sql.sign")),
    spark("floor", Of("floor")),
    spark("ceil", Of("ceil")),
    spark("bround", Of("round")),
    spark("round", Of("round")),
    spark("pow", Build(pow)),
    spark("power", Build(pow)),
    spark("isnull", Of("is_null")),
    spark("isnan", Of("is_nan")),
    spark("least", Same("min_horizontal")),
    spark("greatest", Same("max_horizontal")),
    spark("nvl", Same("coalesce")),
    spark("ifnull", Same("coalesce")),
    spark("nullif", Same("sql.nullif")),
    spark("array", Same("list")),
    spark("size", Of("list.len")),
    spark("array_contains", Of("list.contains")),
    spark("array_max", Of("list.max")),
    spark("array_min", Of("list.min")),
    spark("sum", Same("sql.sum")),
    spark("avg", Of("mean")),
    spark("mean", Of("mean")),
    spark("median", Of("median")),
    spark("min", Of("min")),
    spark("max", Of("max")),
    spark("count", Build(count)),
    spark("countDistinct", Same("sql.count_distinct")),
    spark("count_distinct", Same("sql.count_distinct")),
    spark("stddev", Of("std")),
    spark("stddev_samp", Of("std")),
    spark("variance", Of("var")),
    spark("var_samp", Of("var")),
    spark("skewness", Of("skew")),
    spark("kurtosis", Of("kurtosis")),
    spark("first", Of("first")),
    spark("last", Of("last")),
    spark("any_value", Of("any_value")),
    spark("bool_and", Of("all")),
    spark("bool_or", Of("any")),
    polars("count", Same("len")),
    polars("n_unique", Of("n_unique")),
    polars("first", Of("first")),
    polars("last", Of("last")),
    polars("std", Of("std")),
    polars("var", Of("var")),
    polars("concat_list", Same("list")),
    polars("date", Build(|call| clock::date(call).map(Expr::Literal))),
    polars(
        "datetime",
        Build(|call| clock::polars_point(call).map(Expr::Literal)),
    ),
    polars("time", Build(|call| clock::time(call).map(Expr::Literal))),
    polars(
        "duration",
        Build(|call| clock::span(call).map(Expr::Literal)),
    ),
];

/// The native function `path` of `root`.
pub(crate) fn function(root: Root, path: &str) -> Option<&'static FunctionAlias> {
    FUNCTIONS.iter().find(|alias| {
        alias.name == path
            && match root {
                Root::Spark => alias.spark,
                Root::Polars => alias.polars,
                Root::Narwhals | Root::SparkTypes | Root::Datetime => false,
            }
    })
}

/// How the common API spells what a native function does.
pub(crate) fn hint(path: &str) -> Option<String> {
    FUNCTIONS
        .iter()
        .find(|alias| alias.name == path)
        .and_then(|alias| match alias.target {
            Same(path) if path.starts_with("sql.") => None,
            Same(path) => Some(format!("nw.{path}(...)")),
            Of(path) => Some(format!("nw.col('x').{path}()")),
            Build(_) => None,
        })
}

/// Calls a native function.
pub(crate) fn call(alias: &FunctionAlias, root: Root, call: Call) -> Outcome<Value> {
    let at = call.at;
    match alias.target {
        Same(path) => functions::call(
            if path == alias.name {
                root
            } else {
                Root::Narwhals
            },
            path,
            call,
        ),
        Of(path) => {
            let (receiver, call) = first(call)?;
            let mut lowerer = Lowerer::new(crate::Api::Narwhals);
            methods::call(
                &mut lowerer,
                Item::new(Value::Expr(receiver), at),
                path,
                call,
            )
        }
        Build(build) => Ok(Value::Expr(build(call)?)),
    }
}

/// The first argument as expression (a text is a column), and the call without it.
fn first(mut call: Call) -> Outcome<(Expr, Call)> {
    let item = if call.args.is_empty() {
        match call.kwargs.iter().position(|(name, _)| name == "col") {
            Some(index) => call.kwargs.remove(index).1,
            None => {
                let message = format!("`{}()` needs a column", call.name);
                return Err(Fault::invalid(message, call.at).into());
            }
        }
    } else {
        call.args.remove(0)
    };
    Ok((convert::expr(item, Text::Column)?, call))
}

fn concat_ws(mut call: Call) -> Outcome<Expr> {
    if call.args.is_empty() {
        return Err(Fault::invalid("`concat_ws()` needs a separator", call.at).into());
    }
    let separator = convert::string(call.args.remove(0), "sep")?;
    let mut bound = bind(call, &[rest("cols", true)], false)?;
    let exprs = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(|item| convert::expr(item, Text::Column)),
    )?;
    Ok(Expr::Call {
        func: Func::ConcatStr,
        args: vec![Arg::Exprs(exprs), Arg::Str(separator), Arg::Bool(true)],
    })
}

fn parsed(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    let mut bound = bind(call, &[optional("format")], false)?;
    let format = match bound.one(0) {
        None => Arg::Absent,
        Some(item) => {
            let at = item.at;
            let format = convert::string(item, "format")?;
            Arg::Str(java_format(&format).ok_or_else(|| {
                Fault::new(
                    "not-implemented",
                    format!("the format `{format}` is not understood"),
                    at,
                )
                .hint("use `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and punctuation")
            })?)
        }
    };
    Ok(Expr::Call {
        func,
        args: vec![Arg::Expr(receiver), format],
    })
}

fn to_date(call: Call) -> Outcome<Expr> {
    parsed(call, Func::StrToDate)
}

fn to_timestamp(call: Call) -> Outcome<Expr> {
    parsed(call, Func::StrToDatetime)
}

/// A Java date pattern as strftime format.
pub(crate) fn java_format(pattern: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = pattern;
    'next: while let Some(char) = rest.chars().next() {
        for (java, strftime) in [
            ("yyyy", "%Y"),
            ("yy", "%y"),
            ("MM", "%m"),
            ("dd", "%d"),
            ("HH", "%H"),
            ("mm", "%M"),
            ("ss", "%S"),
            ("'T'", "T"),
        ] {
            if let Some(after) = rest.strip_prefix(java) {
                format.push_str(strftime);
                rest = after;
                continue 'next;
            }
        }
        if char.is_alphabetic() || char == '\'' || char == '%' {
            return None;
        }
        format.push(char);
        rest = &rest[char.len_utf8()..];
    }
    Some(format)
}

fn date_trunc(mut call: Call) -> Outcome<Expr> {
    let at = call.at;
    if call.args.is_empty() {
        return Err(Fault::invalid("`date_trunc()` needs a unit", at).into());
    }
    let unit = convert::string(call.args.remove(0), "format")?;
    let every = match unit.to_lowercase().as_str() {
        "year" | "yyyy" | "yy" => "1y",
        "quarter" => "1q",
        "month" | "mon" | "mm" => "1mo",
        "day" | "dd" => "1d",
        "hour" => "1h",
        "minute" => "1m",
        "second" => "1s",
        _ => {
            return Err(Fault::new(
                "not-implemented",
                format!("`date_trunc()` does not know `{unit}`"),
                at,
            )
            .into());
        }
    };
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(Expr::Call {
        func: Func::DtTruncate,
        args: vec![Arg::Expr(receiver), Arg::Str(every.into())],
    })
}

fn log(call: Call) -> Outcome<Expr> {
    if call.args.len() < 2 {
        let (receiver, call) = first(call)?;
        bind(call, &[], false)?;
        return Ok(logarithm(receiver, std::f64::consts::E));
    }
    let mut bound = bind(call, &[required("base"), required("col")], false)?;
    let at = bound.at;
    let base = match bound.one(0) {
        Some(item) => convert::number(&item, "base")?,
        None => return Err(Fault::invalid("`log()` needs a base", at).into()),
    };
    let item = bound.one(1).unwrap_or(Item::new(Value::None, at));
    Ok(logarithm(convert::expr(item, Text::Column)?, base))
}

fn decimal_log(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(logarithm(receiver, 10.0))
}

fn binary_log(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(logarithm(receiver, 2.0))
}

fn pow(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("col1"), required("col2")], false)?;
    let mut next = |index| {
        let item = bound.one(index).unwrap_or(Item::new(Value::None, at));
        convert::expr(item, Text::Column)
    };
    Ok(Expr::call(Func::Pow, [next(0)?, next(1)?]))
}

/// Spark's `count('*')` and `count(lit(1))` count rows.
fn count(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    let rows = matches!(&receiver, Expr::Literal(_))
        || matches!(&receiver, Expr::Column(name) if name == "*");
    Ok(if rows {
        Expr::call(Func::Len, [])
    } else {
        Expr::call(Func::Count, [receiver])
    })
}
