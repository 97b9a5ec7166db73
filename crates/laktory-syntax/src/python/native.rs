//! Spellings of Polars and PySpark for what the common API has too. A name stands here only where it means the same;
//! in hints, the table tells users of the common API how it spells what they meant.

use laktory_core::{DType, Expr, Func, NameChange, SortKey};

use super::bind::required;
use super::bind::{Call, bind};
use super::convert::{self, Text};
use super::fault::{Fault, Outcome};
use super::functions;
use super::lower::Lowerer;
use super::methods;
use super::native_methods::*;
use super::shapes::text_of;
use super::types;
use super::value::{Item, Root, Value};

/// What a native spelling stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A method with the same arguments.
    Method(&'static str),
    /// The negation of a method.
    Not(&'static str),
    /// A function that takes the receiver first.
    Function(&'static str),
    /// An operator with one operand more.
    Operator(Func),
    /// An operator without further operands.
    Prefix(Func),
    /// A sort key: whether it descends, and whether nulls come last.
    Key(bool, bool),
    /// Something else.
    Custom(fn(Expr, Call) -> Outcome<Expr>),
}

/// A native method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodAlias {
    pub(crate) name: &'static str,
    /// How the common API spells it, for hints.
    pub(crate) spelling: &'static str,
    pub(crate) target: Target,
}

const fn alias(name: &'static str, spelling: &'static str, target: Target) -> MethodAlias {
    MethodAlias {
        name,
        spelling,
        target,
    }
}

use Target::{Custom, Function, Key, Method, Not, Operator, Prefix};

/// Namespaces of native expressions beside those of the common API.
pub(crate) const NAMESPACES: &[&str] = &["arr"];

const METHODS: &[MethodAlias] = &[
    alias(
        "is_not_null",
        "`~` in front of `.is_null()`",
        Not("is_null"),
    ),
    alias("is_not_nan", "`~` in front of `.is_nan()`", Not("is_nan")),
    alias("isNull", "is_null()", Method("is_null")),
    alias("isNotNull", "`~` in front of `.is_null()`", Not("is_null")),
    alias("isNaN", "is_nan()", Method("is_nan")),
    alias("isin", "is_in([...])", Custom(isin)),
    alias("between", "is_between(a, b)", Custom(between)),
    alias(
        "eqNullSafe",
        "`.is_null()` and `==`",
        Operator(Func::SqlEqNullSafe),
    ),
    alias(
        "eq_missing",
        "`.is_null()` and `==`",
        Operator(Func::SqlEqNullSafe),
    ),
    alias("like", "str.contains(...)", Custom(like)),
    alias("ilike", "str.contains(...)", Custom(ilike)),
    alias("rlike", "str.contains(...)", Method("str.contains")),
    alias(
        "contains",
        "str.contains(..., literal=True)",
        Custom(contains),
    ),
    alias(
        "startswith",
        "str.starts_with(...)",
        Method("str.starts_with"),
    ),
    alias("endswith", "str.ends_with(...)", Method("str.ends_with")),
    alias(
        "startsWith",
        "str.starts_with(...)",
        Method("str.starts_with"),
    ),
    alias("endsWith", "str.ends_with(...)", Method("str.ends_with")),
    alias("substr", "str.slice(...)", Function("sql.substring")),
    alias("getField", "struct.field('name')", Method("struct.field")),
    alias("getItem", "list.get(0)", Custom(get_item)),
    alias("astype", "cast(...)", Method("cast")),
    alias("str.lengths", "str.len_chars()", Method("str.len_chars")),
    alias("str.n_chars", "str.len_chars()", Method("str.len_chars")),
    alias("str.len", "str.len_chars()", Method("str.len_chars")),
    alias("str.strip", "str.strip_chars()", Method("str.strip_chars")),
    alias(
        "str.lstrip",
        "str.strip_chars_start()",
        Method("str.strip_chars_start"),
    ),
    alias(
        "str.rstrip",
        "str.strip_chars_end()",
        Method("str.strip_chars_end"),
    ),
    alias("str.ljust", "str.pad_end(...)", Method("str.pad_end")),
    alias("str.rjust", "str.pad_start(...)", Method("str.pad_start")),
    alias(
        "str.upper",
        "str.to_uppercase()",
        Method("str.to_uppercase"),
    ),
    alias(
        "str.lower",
        "str.to_lowercase()",
        Method("str.to_lowercase"),
    ),
    alias(
        "str.startswith",
        "str.starts_with(...)",
        Method("str.starts_with"),
    ),
    alias(
        "str.endswith",
        "str.ends_with(...)",
        Method("str.ends_with"),
    ),
    alias(
        "str.reverse",
        "sql_expr('REVERSE(x)')",
        Function("sql.reverse"),
    ),
    alias(
        "str.extract",
        "sql_expr(\"REGEXP_EXTRACT(x, '...')\")",
        Function("sql.regexp_extract"),
    ),
    alias("dt.strftime", "dt.to_string(...)", Method("dt.to_string")),
    alias("dt.epoch", "dt.timestamp(...)", Method("dt.timestamp")),
    alias(
        "dt.quarter",
        "sql_expr('QUARTER(x)')",
        Function("sql.quarter"),
    ),
    alias("dt.week", "sql_expr('WEEK(x)')", Function("sql.week")),
    alias("list.lengths", "list.len()", Method("list.len")),
    alias("list.first", "list.get(0)", Custom(list_first)),
    alias("list.last", "list.get(-1)", Custom(list_last)),
    alias("arr.lengths", "list.len()", Method("list.len")),
    alias("arr.len", "list.len()", Method("list.len")),
    alias("arr.get", "list.get(...)", Method("list.get")),
    alias(
        "arr.contains",
        "list.contains(...)",
        Method("list.contains"),
    ),
    alias("arr.sum", "list.sum()", Method("list.sum")),
    alias("arr.min", "list.min()", Method("list.min")),
    alias("arr.max", "list.max()", Method("list.max")),
    alias("cumsum", "cum_sum()", Method("cum_sum")),
    alias("cumprod", "cum_prod()", Method("cum_prod")),
    alias("cummin", "cum_min()", Method("cum_min")),
    alias("cummax", "cum_max()", Method("cum_max")),
    alias("cumcount", "cum_count()", Method("cum_count")),
    alias("avg", "mean()", Method("mean")),
    alias("stddev", "std()", Method("std")),
    alias("variance", "var()", Method("var")),
    alias("nunique", "n_unique()", Method("n_unique")),
    alias("log10", "log(10)", Custom(log10)),
    alias("tan", "sql_expr('TAN(x)')", Function("sql.tan")),
    alias("cbrt", "sql_expr('CBRT(x)')", Function("sql.cbrt")),
    alias("sign", "sql_expr('SIGN(x)')", Function("sql.sign")),
    alias("pow", "** n", Operator(Func::Pow)),
    alias("eq", "== x", Operator(Func::Eq)),
    alias("ne", "!= x", Operator(Func::Ne)),
    alias("lt", "< x", Operator(Func::Lt)),
    alias("le", "<= x", Operator(Func::Le)),
    alias("gt", "> x", Operator(Func::Gt)),
    alias("ge", ">= x", Operator(Func::Ge)),
    alias("add", "+ x", Operator(Func::Add)),
    alias("sub", "- x", Operator(Func::Sub)),
    alias("mul", "* x", Operator(Func::Mul)),
    alias("truediv", "/ x", Operator(Func::TrueDiv)),
    alias("floordiv", "// x", Operator(Func::FloorDiv)),
    alias("mod", "% x", Operator(Func::Mod)),
    alias("and_", "& x", Operator(Func::And)),
    alias("or_", "| x", Operator(Func::Or)),
    alias("xor", "^ x", Operator(Func::Xor)),
    alias("not_", "`~` in front", Prefix(Func::Not)),
    alias("neg", "`-` in front", Prefix(Func::Neg)),
    alias("suffix", "name.suffix(...)", Method("name.suffix")),
    alias("prefix", "name.prefix(...)", Method("name.prefix")),
    alias("keep_name", "name.keep()", Method("name.keep")),
    alias("ceiling", "ceil()", Method("ceil")),
    alias("clip_min", "clip(lower_bound=...)", Method("clip")),
    alias("is_not", "`~` in front", Prefix(Func::Not)),
    alias(
        "is_infinite",
        "`~` in front of `.is_finite()`",
        Custom(is_infinite),
    ),
    alias("ne_missing", "`.is_null()` and `!=`", Custom(ne_missing)),
    alias(
        "forward_fill",
        "fill_null(strategy='forward')",
        Custom(forward_fill),
    ),
    alias(
        "backward_fill",
        "fill_null(strategy='backward')",
        Custom(backward_fill),
    ),
    alias("log1p", "`.log()` of `x + 1`", Custom(log1p)),
    alias("cot", "1 / sql_expr('TAN(x)')", Custom(cot)),
    alias("degrees", "* 57.29577951308232", Custom(degrees)),
    alias("radians", "* 0.017453292519943295", Custom(radians)),
    alias("pct_change", "/ x.shift(1) - 1", Custom(pct_change)),
    alias(
        "replace",
        "replace_strict({...}, default=x)",
        Custom(replace),
    ),
    alias("dt.total_hours", "dt.total_minutes()", Custom(total_hours)),
    alias("dt.total_days", "dt.total_minutes()", Custom(total_days)),
    alias(
        "str.strptime",
        "`.str.to_date(...)` or `.str.to_datetime(...)`",
        Custom(strptime),
    ),
    alias("str.to_integer", "cast(nw.Int64())", Custom(to_integer)),
    alias(
        "list.n_unique",
        "list.unique().list.len()",
        Custom(list_n_unique),
    ),
    alias("arr.mean", "list.mean()", Method("list.mean")),
    alias("arr.median", "list.median()", Method("list.median")),
    alias("arr.unique", "list.unique()", Method("list.unique")),
    alias("arr.sort", "list.sort()", Method("list.sort")),
    alias("arr.first", "list.get(0)", Custom(list_first)),
    alias("arr.last", "list.get(-1)", Custom(list_last)),
    alias(
        "asc",
        "`order_by='x'` of the sort or the window",
        Key(false, false),
    ),
    alias(
        "asc_nulls_first",
        "`order_by='x'` of the sort or the window",
        Key(false, false),
    ),
    alias(
        "asc_nulls_last",
        "`nulls_last=True` of the sort or the window",
        Key(false, true),
    ),
    alias(
        "desc",
        "`descending=True` of the sort or the window",
        Key(true, true),
    ),
    alias(
        "desc_nulls_first",
        "`descending=True` of the sort or the window",
        Key(true, false),
    ),
    alias(
        "desc_nulls_last",
        "`descending=True, nulls_last=True` of the sort or the window",
        Key(true, true),
    ),
    alias("bitwiseAND", "& x", Operator(Func::And)),
    alias("bitwiseOR", "| x", Operator(Func::Or)),
    alias("bitwiseXOR", "^ x", Operator(Func::Xor)),
];

/// Methods of Polars and Spark without a counterpart, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("isna", "write `.is_null()`"),
    ("isnull", "write `.is_null()`"),
    ("notna", "write `~` in front of `.is_null()`"),
    ("notnull", "write `~` in front of `.is_null()`"),
    ("fillna", "write `.fill_null(...)`"),
    ("dropna", "write `.drop_nulls()`"),
    ("rename", "write `.alias('...')`"),
    (
        "groupby",
        "group the frame, with a step `group_by`, or write `.over('g')` behind an aggregate",
    ),
    (
        "group_by",
        "group the frame, with a step `group_by`, or write `.over('g')` behind an aggregate",
    ),
    ("partition_by", "write `.over('g')` behind an aggregate"),
    (
        "value_counts",
        "group the frame and count, with the steps `group_by` and `agg`",
    ),
    ("upper", "write `.str.to_uppercase()`"),
    ("lower", "write `.str.to_lowercase()`"),
    ("strip", "write `.str.strip_chars()`"),
    ("str.to_upper", "write `.str.to_uppercase()`"),
    ("str.to_lower", "write `.str.to_lowercase()`"),
    ("str.title", "write `.str.to_titlecase()`"),
    (
        "dt.dayofweek",
        "write `.dt.weekday()`, Monday 1 to Sunday 7",
    ),
    ("dt.dayofyear", "write `.dt.ordinal_day()`"),
    ("else_", "write `.otherwise(...)`"),
    (
        "apply",
        "Python is never called; write it with methods of the expression",
    ),
    (
        "map_elements",
        "Python is never called; write it with methods of the expression",
    ),
    ("map_dict", "write `.replace_strict({...}, default=...)`"),
    ("where", "write `.filter(...)`"),
    (
        "sort",
        "sort the frame, or give an order to `.over(order_by=...)`",
    ),
    ("sort_by", "sort the frame, or write `.first(order_by=...)`"),
    (
        "reverse",
        "rows have no order of their own; sort the frame with `descending`",
    ),
    (
        "head",
        "take the first rows of the frame, with a step `head`",
    ),
    (
        "tail",
        "take the last rows of the frame, with a step `tail`",
    ),
    (
        "gather",
        "take rows of the frame, with a step `filter` or `gather_every`",
    ),
    ("explode", "explode the frame, with a step `explode`"),
    (
        "implode",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    ("interpolate", "there is no counterpart"),
    (
        "hash",
        "there is no counterpart: hashes differ between engines",
    ),
    ("cut", "write `nw.when(...).then(...)` for each interval"),
    (
        "qcut",
        "compute the quantiles in a node of its own, and join them",
    ),
    (
        "str.json_decode",
        "declare the type of the column in the schema of the source",
    ),
    (
        "list.eval",
        "explode the list, compute, and aggregate again",
    ),
    ("to_physical", "write `.cast(...)`"),
    (
        "sinh",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "cosh",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "tanh",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "arcsin",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "arccos",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
    (
        "arctan",
        "there is no counterpart, except on an engine that reads SQL steps itself",
    ),
];

/// What to do instead of a native method that has no counterpart.
pub(crate) fn refused(path: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, hint)| *hint)
}

/// The native method at `path`.
pub(crate) fn method(path: &str) -> Option<&'static MethodAlias> {
    METHODS.iter().find(|alias| alias.name == path)
}

/// Calls a native method.
pub(crate) fn call_method(
    lowerer: &mut Lowerer,
    alias: &MethodAlias,
    receiver: Expr,
    call: Call,
) -> Outcome<Value> {
    let at = call.at;
    // Some counterparts need the receiver in several places.
    lowerer.charge(2 * laktory_core::walk::size(&receiver), at)?;
    let item = Item::new(Value::Expr(receiver.clone()), at);
    Ok(Value::Expr(match alias.target {
        Method(path) => return methods::call(lowerer, item, path, call),
        Not(path) => match methods::call(lowerer, item, path, call)? {
            Value::Expr(expr) => Expr::call(Func::Not, [expr]),
            other => return Ok(other),
        },
        Function(path) => return functions::call(Root::Narwhals, path, with_first(item, call)),
        Operator(func) => {
            let mut bound = bind(call, &[required("other")], false)?;
            let other = bound.one(0).unwrap_or(Item::new(Value::None, at));
            Expr::call(func, [receiver, convert::expr(other, Text::Literal)?])
        }
        Prefix(func) => {
            bind(call, &[], false)?;
            Expr::call(func, [receiver])
        }
        Key(descending, nulls_last) => {
            bind(call, &[], false)?;
            return Ok(Value::Key(SortKey {
                expr: receiver,
                descending,
                nulls_last,
            }));
        }
        Custom(build) => build(receiver, call)?,
    }))
}

fn with_first(item: Item, mut call: Call) -> Call {
    call.args.insert(0, item);
    call
}

/// `withColumnRenamed` and the like need plain names; a column expression gives its name.
pub(crate) fn plain_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(name) => Some(name),
        Expr::Rename {
            expr,
            change: NameChange::Keep,
        } => plain_name(expr),
        other => text_of(other),
    }
}

/// A type argument; in native code Spark's type names may be texts (`cast('double')`).
pub(crate) fn dtype(lowerer: &Lowerer, item: Item) -> Outcome<DType> {
    if lowerer.is_native()
        && let Value::Str(text) = &item.value
    {
        return crate::sql::dtype(text)
            .ok_or_else(|| Fault::invalid(format!("`{text}` is not a type"), item.at).into());
    }
    types::dtype(item)
}
