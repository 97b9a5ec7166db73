//! Functions of `pl` and `F` for what the common API has too.

use laktory_core::{Arg, Expr, Func, SortKey};

use super::bind::{Call, bind};
use super::clock;
use super::convert::{self, Text};
use super::fault::{Fault, Outcome, collect};
use super::functions::{self, optional, required, rest};
use super::lower::Lowerer;
use super::methods;
use super::native_methods::logarithm;
use super::value::{Item, Root, Value};
use super::window::Ranking;

/// What a native function stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FunctionTarget {
    /// A function of the common API with the same arguments.
    Same(&'static str),
    /// A method of the first argument, where a text is a column.
    Of(&'static str),
    /// Something else.
    Build(fn(Call) -> Outcome<Expr>),
    /// A function that waits for its window.
    Rank(Ranking),
    /// A sort key: whether it descends, and whether nulls come last.
    Key(bool, bool),
}

/// A native function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionAlias {
    name: &'static str,
    spark: bool,
    polars: bool,
    target: FunctionTarget,
}

use FunctionTarget::{Build, Key, Of, Rank, Same};

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
    spark("trim", Build(|call| blanks(call, Func::StrStripChars))),
    spark(
        "ltrim",
        Build(|call| blanks(call, Func::StrStripCharsStart)),
    ),
    spark("rtrim", Build(|call| blanks(call, Func::StrStripCharsEnd))),
    spark("length", Of("str.len_chars")),
    spark("char_length", Of("str.len_chars")),
    spark("reverse", Same("sql.reverse")),
    spark("substring", Same("sql.substring")),
    spark("regexp_replace", Of("str.replace_all")),
    spark("regexp_extract", Build(regexp_extract)),
    spark("lpad", Build(|call| padded(call, "str.pad_start"))),
    spark("rpad", Build(|call| padded(call, "str.pad_end"))),
    spark("split", Build(split)),
    spark("rlike", Of("str.contains")),
    spark("contains", Build(contains)),
    spark("startswith", Of("str.starts_with")),
    spark("endswith", Of("str.ends_with")),
    spark("instr", Same("sql.position")),
    spark("locate", Build(locate)),
    spark("date_format", Build(date_format)),
    spark("trunc", Build(trunc)),
    spark("date_add", Build(|call| moved(call, 1, "d"))),
    spark("date_sub", Build(|call| moved(call, -1, "d"))),
    spark("add_months", Build(|call| moved(call, 1, "mo"))),
    spark("dayofweek", Build(day_of_week)),
    spark("weekday", Build(weekday)),
    spark("current_date", Build(today)),
    spark("curdate", Build(today)),
    spark("unix_micros", Of("dt.timestamp")),
    spark("log1p", Build(log1p)),
    spark("degrees", Build(degrees)),
    spark("radians", Build(radians)),
    spark("isnotnull", Build(is_not_null)),
    spark("sort_array", Of("list.sort")),
    spark("array_distinct", Of("list.unique")),
    spark("array_size", Of("list.len")),
    spark("element_at", Build(element_at)),
    spark("approx_count_distinct", Same("sql.count_distinct")),
    spark("sum_distinct", Build(sum_distinct)),
    spark("sumDistinct", Build(sum_distinct)),
    spark("stddev_pop", Build(|call| spread(call, Func::Std))),
    spark("var_pop", Build(|call| spread(call, Func::Var))),
    spark("covar_samp", Same("cov")),
    spark("lag", Build(|call| shifted(call, 1))),
    spark("lead", Build(|call| shifted(call, -1))),
    spark("row_number", Rank(Ranking::RowNumber)),
    spark("rank", Rank(Ranking::Rank)),
    spark("dense_rank", Rank(Ranking::DenseRank)),
    spark("asc", Key(false, false)),
    spark("asc_nulls_first", Key(false, false)),
    spark("asc_nulls_last", Key(false, true)),
    spark("desc", Key(true, true)),
    spark("desc_nulls_first", Key(true, false)),
    spark("desc_nulls_last", Key(true, true)),
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

/// Functions without a counterpart, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    (
        "initcap",
        "Spark splits at blanks only; `nw.col('x').str.to_titlecase()` splits at every non-letter",
    ),
    (
        "udf",
        "Python is never called; write it with methods of the expression",
    ),
    (
        "pandas_udf",
        "Python is never called; write it with methods of the expression",
    ),
    ("explode", "explode the frame, with a step `explode`"),
    ("explode_outer", "explode the frame, with a step `explode`"),
    ("collect_list", "write a SQL step with `ARRAY_AGG`"),
    (
        "collect_set",
        "write a SQL step with `ARRAY_AGG(DISTINCT ...)`",
    ),
    (
        "monotonically_increasing_id",
        "write a step `with_row_index`, with an order",
    ),
    ("rand", "write a step `sample` with a `seed`"),
    ("randn", "there is no counterpart"),
    (
        "get_json_object",
        "declare the type of the column in the schema of the source, and use `.struct.field('name')`",
    ),
    (
        "from_json",
        "declare the type of the column in the schema of the source",
    ),
    ("to_json", "there is no counterpart"),
    ("sha2", "write a SQL step with the engine's own function"),
    ("md5", "write a SQL step with the engine's own function"),
    (
        "datediff",
        "subtract the dates and write `.dt.total_days()`",
    ),
    ("broadcast", "leave it out: the engine chooses how to join"),
];

/// The native function `path` of `root`.
pub(crate) fn function(root: Root, path: &str) -> Option<&'static FunctionAlias> {
    FUNCTIONS.iter().find(|alias| {
        alias.name == path
            && match root {
                Root::Spark => alias.spark,
                Root::Polars => alias.polars,
                Root::Narwhals | Root::SparkTypes | Root::Datetime | Root::Window => false,
            }
    })
}

/// How the common API spells functions that are several things there.
const SPELLINGS: &[(&str, &str)] = &[
    ("concat_ws", "nw.concat_str(..., separator='-')"),
    ("count", "nw.col('x').count()"),
    ("countDistinct", "nw.col('x').n_unique()"),
    ("count_distinct", "nw.col('x').n_unique()"),
    ("date_trunc", "nw.col('x').dt.truncate('1mo')"),
    ("to_date", "nw.col('x').str.to_date()"),
    ("to_timestamp", "nw.col('x').str.to_datetime()"),
    ("date_format", "nw.col('x').dt.to_string('%Y-%m-%d')"),
    (
        "row_number",
        "nw.laktory.row_index().over('g', order_by='t') + 1",
    ),
    ("rank", "nw.col('x').rank('min')"),
    ("dense_rank", "nw.col('x').rank('dense')"),
    ("lag", "nw.col('x').shift(1)"),
    ("lead", "nw.col('x').shift(-1)"),
    ("pow", "nw.col('x') ** 2"),
    ("trim", "nw.col('x').str.strip_chars()"),
    ("split", "nw.col('x').str.split(',')"),
    ("isnotnull", "~nw.col('x').is_null()"),
];

/// How the common API spells what a native function does.
pub(crate) fn hint(path: &str) -> Option<String> {
    if let Some((_, hint)) = REFUSED.iter().find(|(name, _)| *name == path) {
        return Some((*hint).to_owned());
    }
    if let Some((_, spelling)) = SPELLINGS.iter().find(|(name, _)| *name == path) {
        return Some(format!("the common API spells it `{spelling}`"));
    }
    FUNCTIONS
        .iter()
        .find(|alias| alias.name == path)
        .map(|alias| match alias.target {
            Same(path) if !path.starts_with("sql.") => {
                format!("the common API spells it `nw.{path}(...)`")
            }
            Of(path) => format!("the common API spells it `nw.col('x').{path}()`"),
            _ if alias.spark => format!("Spark's `F.{}(...)` is understood", alias.name),
            _ => format!("Polars' `pl.{}(...)` is understood", alias.name),
        })
}

/// The native functions below `root`, for hints.
pub(crate) fn names(root: Root) -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS
        .iter()
        .filter(move |alias| match root {
            Root::Spark => alias.spark,
            Root::Polars => alias.polars,
            _ => false,
        })
        .map(|alias| alias.name)
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
        Rank(ranking) => {
            bind(call, &[], false)?;
            Ok(Value::Ranking(ranking))
        }
        Key(descending, nulls_last) => {
            let (expr, call) = first(call)?;
            bind(call, &[], false)?;
            Ok(Value::Key(SortKey {
                expr,
                descending,
                nulls_last,
            }))
        }
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

/// Further arguments of a function of a column, as they are.
fn more<const N: usize>(call: Call, names: [&str; N]) -> Outcome<(Expr, [Option<Item>; N])> {
    let (receiver, call) = first(call)?;
    let slots = names.map(required);
    let mut bound = bind(call, &slots, false)?;
    Ok((receiver, std::array::from_fn(|index| bound.one(index))))
}

fn text(item: Option<Item>, name: &str, at: super::fault::At) -> Outcome<String> {
    convert::string(item.unwrap_or(Item::new(Value::None, at)), name)
}

fn count_of(item: Option<Item>, name: &str, at: super::fault::At) -> Outcome<i64> {
    convert::integer(&item.unwrap_or(Item::new(Value::None, at)), name)
}

fn of(func: Func, args: Vec<Arg>) -> Expr {
    Expr::Call { func, args }
}

/// Spark trims blanks only.
fn blanks(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(of(func, vec![Arg::Expr(receiver), Arg::Str(" ".into())]))
}

/// Spark's padding also cuts texts that are longer.
fn padded(call: Call, path: &str) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [length, fill]) = more(call, ["len", "pad"])?;
    let length = count_of(length, "len", at)?.max(0);
    let fill = text(fill, "pad", at)?;
    if fill.chars().count() != 1 {
        return Err(Fault::new("not-implemented", "the filling is one character", at).into());
    }
    let func = if path == "str.pad_start" {
        Func::StrPadStart
    } else {
        Func::StrPadEnd
    };
    let padded = of(
        func,
        vec![Arg::Expr(receiver), Arg::Int(length), Arg::Str(fill)],
    );
    Ok(of(Func::StrHead, vec![Arg::Expr(padded), Arg::Int(length)]))
}

/// Spark gives an empty text where nothing matches.
fn regexp_extract(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [pattern, group]) = more(call, ["pattern", "idx"])?;
    let args = vec![
        Arg::Expr(receiver.clone()),
        Arg::Str(text(pattern, "pattern", at)?),
        Arg::Int(count_of(group, "idx", at)?),
    ];
    let filled = of(
        Func::FillNull,
        vec![
            Arg::Expr(of(Func::SqlRegexpExtract, args)),
            Arg::Expr(Expr::literal("")),
            Arg::Absent,
            Arg::Absent,
        ],
    );
    let known = Expr::call(Func::Not, [Expr::call(Func::IsNull, [receiver])]);
    Ok(Expr::When {
        branches: vec![(known, filled)],
        otherwise: None,
    })
}

/// Spark splits at a regular expression; only patterns that are plain texts have a counterpart.
fn split(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [pattern]) = more(call, ["pattern"])?;
    let pattern = text(pattern, "pattern", at)?;
    if pattern.contains([
        '.', '*', '+', '?', '[', ']', '(', ')', '{', '}', '|', '^', '$', '\\',
    ]) {
        return Err(Fault::new(
            "not-implemented",
            "a split at a regular expression is not supported",
            at,
        )
        .hint("replace the pattern by one text before: `F.split(F.regexp_replace(...), ',')`")
        .into());
    }
    Ok(of(
        Func::StrSplit,
        vec![Arg::Expr(receiver), Arg::Str(pattern)],
    ))
}

fn contains(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [part]) = more(call, ["right"])?;
    let part = convert::expr(part.unwrap_or(Item::new(Value::None, at)), Text::Column)?;
    Ok(of(
        Func::StrContains,
        vec![Arg::Expr(receiver), Arg::Expr(part), Arg::Bool(true)],
    ))
}

fn locate(call: Call) -> Outcome<Expr> {
    let mut bound = bind(call, &[required("substr"), required("str")], false)?;
    let at = bound.at;
    let part = text(bound.one(0), "substr", at)?;
    let whole = bound.one(1).unwrap_or(Item::new(Value::None, at));
    Ok(Expr::call(
        Func::SqlPosition,
        [
            convert::expr(whole, Text::Column)?,
            Expr::literal(part.as_str()),
        ],
    ))
}

fn date_format(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [format]) = more(call, ["format"])?;
    let format = text(format, "format", at)?;
    let strftime = java_format(&format).ok_or_else(|| {
        Fault::new(
            "not-implemented",
            format!("the format `{format}` is not understood"),
            at,
        )
        .hint("use `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and punctuation")
    })?;
    Ok(of(
        Func::DtToString,
        vec![Arg::Expr(receiver), Arg::Str(strftime)],
    ))
}

/// `trunc(date, unit)`, which gives a date.
fn trunc(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [unit]) = more(call, ["format"])?;
    let unit = text(unit, "format", at)?;
    let every = match unit.to_lowercase().as_str() {
        "year" | "yyyy" | "yy" => "1y",
        "quarter" => "1q",
        "month" | "mon" | "mm" => "1mo",
        _ => {
            let message = format!("`trunc()` does not know `{unit}`");
            return Err(Fault::new("not-implemented", message, at).into());
        }
    };
    let day = Expr::call(Func::DtDate, [receiver]);
    Ok(of(
        Func::DtTruncate,
        vec![Arg::Expr(day), Arg::Str(every.into())],
    ))
}

/// A date moved by a constant number of days or months; the clock is lost, as in Spark.
fn moved(call: Call, sign: i64, unit: &str) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [count]) = more(call, ["days"])?;
    let count = count_of(count, "days", at)?.saturating_mul(sign);
    let day = Expr::call(Func::DtDate, [receiver]);
    let by = Arg::Str(format!("{count}{unit}"));
    Ok(of(Func::DtOffsetBy, vec![Arg::Expr(day), by]))
}

/// Sunday is 1.
fn day_of_week(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    let from_zero = Expr::call(Func::SqlDayOfWeek, [receiver]);
    Ok(Expr::call(Func::Add, [from_zero, Expr::literal(1_i64)]))
}

/// Monday is 0.
fn weekday(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    let from_one = Expr::call(Func::DtWeekday, [receiver]);
    Ok(Expr::call(Func::Sub, [from_one, Expr::literal(1_i64)]))
}

fn today(call: Call) -> Outcome<Expr> {
    bind(call, &[], false)?;
    Ok(Expr::call(
        Func::DtDate,
        [Expr::call(Func::CurrentTimestamp, [])],
    ))
}

fn log1p(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    super::native_methods::log1p(receiver, call)
}

fn degrees(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    super::native_methods::degrees(receiver, call)
}

fn radians(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    super::native_methods::radians(receiver, call)
}

fn is_not_null(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(Expr::call(
        Func::Not,
        [Expr::call(Func::IsNull, [receiver])],
    ))
}

/// Elements are counted from 1; negative positions count from the end.
fn element_at(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [index]) = more(call, ["extraction"])?;
    let index = match count_of(index, "extraction", at)? {
        0 => return Err(Fault::invalid("elements are counted from 1", at).into()),
        index if index > 0 => index - 1,
        index => index,
    };
    Ok(of(
        Func::ListGet,
        vec![Arg::Expr(receiver), Arg::Int(index)],
    ))
}

fn sum_distinct(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(Expr::call(
        Func::SqlSum,
        [Expr::call(Func::Unique, [receiver])],
    ))
}

/// The spread of a whole population.
fn spread(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(of(func, vec![Arg::Expr(receiver), Arg::Int(0)]))
}

fn shifted(call: Call, sign: i64) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    let mut bound = bind(call, &[optional("offset"), optional("default")], false)?;
    let offset = match bound.one(0) {
        Some(item) => convert::integer(&item, "offset")?,
        None => 1,
    };
    if let Some(item) = bound
        .one(1)
        .filter(|item| !matches!(item.value, Value::None))
    {
        return Err(
            Fault::new("not-implemented", "`default` is not supported", item.at)
                .hint("write `F.coalesce(...)` around it")
                .into(),
        );
    }
    let n = Arg::Int(offset.saturating_mul(sign));
    Ok(of(Func::Shift, vec![Arg::Expr(receiver), n]))
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
