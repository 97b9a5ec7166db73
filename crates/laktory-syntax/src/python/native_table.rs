//! The native functions by name: what each of `pl` and `F` stands for, and what to do instead of those that stand for
//! nothing.

use laktory_core::{Expr, Func};

use super::bind::Call;
use super::clock;
use super::fault::Outcome;
use super::window::Ranking;
use super::{spark_dates, spark_numbers, spark_texts};

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
    pub(super) name: &'static str,
    pub(super) spark: bool,
    pub(super) polars: bool,
    pub(super) target: FunctionTarget,
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

/// Every native function.
pub(super) const FUNCTIONS: &[FunctionAlias] = &[
    spark("expr", Same("sql_expr")),
    spark("column", Same("col")),
    spark("upper", Of("str.to_uppercase")),
    spark("ucase", Of("str.to_uppercase")),
    spark("lower", Of("str.to_lowercase")),
    spark("lcase", Of("str.to_lowercase")),
    spark(
        "trim",
        Build(|call| spark_texts::blanks(call, Func::StrStripChars)),
    ),
    spark(
        "ltrim",
        Build(|call| spark_texts::blanks(call, Func::StrStripCharsStart)),
    ),
    spark(
        "rtrim",
        Build(|call| spark_texts::blanks(call, Func::StrStripCharsEnd)),
    ),
    spark("length", Of("str.len_chars")),
    spark("char_length", Of("str.len_chars")),
    spark("reverse", Same("sql.reverse")),
    spark("substring", Same("sql.substring")),
    spark("regexp_replace", Of("str.replace_all")),
    spark("regexp_extract", Build(spark_texts::regexp_extract)),
    spark(
        "lpad",
        Build(|call| spark_texts::padded(call, "str.pad_start")),
    ),
    spark(
        "rpad",
        Build(|call| spark_texts::padded(call, "str.pad_end")),
    ),
    spark("split", Build(spark_texts::split)),
    spark("rlike", Of("str.contains")),
    spark("contains", Build(spark_texts::contains)),
    spark("startswith", Of("str.starts_with")),
    spark("endswith", Of("str.ends_with")),
    spark("instr", Same("sql.position")),
    spark("locate", Build(spark_texts::locate)),
    spark("date_format", Build(spark_dates::date_format)),
    spark("trunc", Build(spark_dates::trunc)),
    spark("date_add", Build(|call| spark_dates::moved(call, 1, "d"))),
    spark("date_sub", Build(|call| spark_dates::moved(call, -1, "d"))),
    spark(
        "add_months",
        Build(|call| spark_dates::moved(call, 1, "mo")),
    ),
    spark("dayofweek", Build(spark_dates::day_of_week)),
    spark("weekday", Build(spark_dates::weekday)),
    spark("current_date", Build(spark_dates::today)),
    spark("curdate", Build(spark_dates::today)),
    spark("unix_micros", Of("dt.timestamp")),
    spark("log1p", Build(spark_numbers::log1p)),
    spark("degrees", Build(spark_numbers::degrees)),
    spark("radians", Build(spark_numbers::radians)),
    spark("isnotnull", Build(spark_numbers::is_not_null)),
    spark("sort_array", Of("list.sort")),
    spark("array_distinct", Of("list.unique")),
    spark("array_size", Of("list.len")),
    spark("element_at", Build(spark_numbers::element_at)),
    spark("approx_count_distinct", Same("sql.count_distinct")),
    spark("sum_distinct", Build(spark_numbers::sum_distinct)),
    spark("sumDistinct", Build(spark_numbers::sum_distinct)),
    spark(
        "stddev_pop",
        Build(|call| spark_numbers::spread(call, Func::Std)),
    ),
    spark(
        "var_pop",
        Build(|call| spark_numbers::spread(call, Func::Var)),
    ),
    spark("covar_samp", Same("cov")),
    spark("lag", Build(|call| spark_numbers::shifted(call, 1))),
    spark("lead", Build(|call| spark_numbers::shifted(call, -1))),
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
    spark("concat_ws", Build(spark_texts::concat_ws)),
    spark("to_date", Build(spark_dates::to_date)),
    spark("to_timestamp", Build(spark_dates::to_timestamp)),
    spark("date_trunc", Build(spark_dates::date_trunc)),
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
    spark("log", Build(spark_numbers::log)),
    spark("log10", Build(spark_numbers::decimal_log)),
    spark("log2", Build(spark_numbers::binary_log)),
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
    spark("pow", Build(spark_numbers::pow)),
    spark("power", Build(spark_numbers::pow)),
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
    spark("count", Build(spark_numbers::count)),
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
pub(super) const REFUSED: &[(&str, &str)] = &[
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
    (
        "collect_list",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "collect_set",
        "there is no counterpart, except on an engine that reads SQL steps itself",
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
    (
        "sha2",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "md5",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "datediff",
        "subtract the dates and write `.dt.total_days()`",
    ),
    (
        "new_series",
        "rows are declared in a source: `sources: [{data: ...}]`",
    ),
    (
        "from_dict",
        "rows are declared in a source: `sources: [{data: ...}]`",
    ),
    (
        "from_dicts",
        "rows are declared in a source: `sources: [{data: ...}]`",
    ),
    ("from_arrow", "declare a source"),
    ("from_numpy", "declare a source"),
    ("from_native", "leave it out: steps work on every engine"),
    ("to_native", "leave it out: steps work on every engine"),
    (
        "read_csv",
        "declare a source: `sources: [{path: ..., format: CSV}]`",
    ),
    (
        "scan_csv",
        "declare a source: `sources: [{path: ..., format: CSV}]`",
    ),
    (
        "read_parquet",
        "declare a source: `sources: [{path: ..., format: PARQUET}]`",
    ),
    (
        "scan_parquet",
        "declare a source: `sources: [{path: ..., format: PARQUET}]`",
    ),
    ("broadcast", "leave it out: the engine chooses how to join"),
];

/// How the common API spells functions that are several things there.
pub(super) const SPELLINGS: &[(&str, &str)] = &[
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
