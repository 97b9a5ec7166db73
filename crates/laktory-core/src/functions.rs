//! The function table: every function of the expression language, with its Narwhals path, parameters, kind, null rule
//! and documentation. The parser binds calls with it, drivers lower it, and the reference pages are printed from it.
//!
//! Meaning is that of Narwhals 2.29 on Polars; functions whose path begins with `sql.` have the meaning of SQL where
//! that differs. Adding a function is adding a row here and a row in each driver.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// How a function relates rows to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuncKind {
    /// One output value for each row, from that row alone.
    Elementwise,
    /// One value for all rows; broadcast beside columns.
    Aggregate,
    /// One value for each row, from other rows too; needs an order on lazy frames (`over(order_by=...)`).
    Ordered,
    /// One value for each row, from other rows too, whatever their order.
    Window,
    /// Changes the number of rows; must be followed by an aggregation.
    LengthChanging,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// As a method: `nw.col('x').abs()`. The receiver is the first argument of the call.
    Method,
    /// As a function: `nw.coalesce('a', 'b')`.
    Function,
    /// By an operator or a construct of the grammar only: `a + b`, `x IS NULL`.
    Operator,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamType {
    /// An expression; a text means the column of that name.
    Column,
    /// An expression; a text means that text.
    Literal,
    /// Any number of expressions; texts mean columns.
    Columns,
    /// A flag.
    Bool,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// A text.
    Str,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A type.
    DType,
    /// A list of constants, or an expression of lists.
    Values,
    /// A mapping of constants.
    Mapping,
    /// Another frame, `{nodes.name}`; of steps only.
    Frame,
}

/// What stands in for a parameter that was not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamDefault {
    /// Must be given.
    Required,
    /// Stays absent.
    Absent,
    /// This flag.
    Bool(bool),
    /// This integer.
    Int(i64),
    /// This number.
    Float(f64),
    /// This text.
    Str(&'static str),
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// Name, as in a keyword argument.
    pub name: &'static str,
    /// What it takes.
    pub ty: ParamType,
    /// When not given.
    pub default: ParamDefault,
    /// May only be given by name.
    pub keyword_only: bool,
}

impl Param {
    /// A required parameter, positional or by name.
    #[must_use]
    pub const fn new(name: &'static str, ty: ParamType) -> Self {
        Self {
            name,
            ty,
            default: ParamDefault::Required,
            keyword_only: false,
        }
    }

    /// Makes the parameter optional.
    #[must_use]
    pub const fn or(mut self, default: ParamDefault) -> Self {
        self.default = default;
        self
    }

    /// Makes the parameter optional without a default.
    #[must_use]
    pub const fn optional(self) -> Self {
        self.or(ParamDefault::Absent)
    }

    /// Makes the parameter keyword-only.
    #[must_use]
    pub const fn keyword(mut self) -> Self {
        self.keyword_only = true;
        self
    }
}

const fn param(name: &'static str, ty: ParamType) -> Param {
    Param::new(name, ty)
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FuncDef {
    /// Which function.
    pub func: Func,
    /// Path below `nw.` (functions) or below the expression (methods): `str.to_uppercase`.
    pub path: &'static str,
    /// How it is called.
    pub receiver: Receiver,
    /// How it relates rows to rows.
    pub kind: FuncKind,
    /// Parameters after the receiver.
    pub params: &'static [Param],
    /// What it does with null and NaN.
    pub nulls: &'static str,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! functions {
    ($( $name:ident: $path:literal, $receiver:ident, $kind:ident, [$($param:expr),* $(,)?], $nulls:literal, $doc:literal; )+) => {
        /// A function of the expression language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Func { $( #[doc = $doc] $name, )+ }

        static TABLE: &[FuncDef] = &[ $( FuncDef {
            func: Func::$name,
            path: $path,
            receiver: Receiver::$receiver,
            kind: FuncKind::$kind,
            params: &[$($param),*],
            nulls: $nulls,
            doc: $doc,
        }, )+ ];
    };
}

use ParamDefault as D;
use ParamType::{Bool, Column, Columns, DType, Float, Int, Literal, Mapping, OneOf, Str, Values};

const INTERPOLATIONS: ParamType = OneOf(&["nearest", "higher", "lower", "midpoint", "linear"]);
const CLOSED: ParamType = OneOf(&["both", "left", "right", "none"]);
const TIME_UNITS: ParamType = OneOf(&["ns", "us", "ms"]);

functions! {
    // --- operators ---
    Add: "+", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Sum of numbers; texts are joined; a duration moves a datetime.";
    Sub: "-", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Difference.";
    Mul: "*", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Product.";
    TrueDiv: "/", Operator, Elementwise, [param("other", Literal)], "null in, null out; x/0 is inf, -inf or NaN", "Quotient as a float, also of integers.";
    FloorDiv: "//", Operator, Elementwise, [param("other", Literal)], "null in, null out; an integer by zero is null", "Quotient rounded down.";
    Mod: "%", Operator, Elementwise, [param("other", Literal)], "null in, null out; an integer by zero is null", "Remainder with the sign of the divisor.";
    Pow: "**", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Power.";
    Neg: "neg", Operator, Elementwise, [], "null in, null out", "Negation of a number.";
    Eq: "==", Operator, Elementwise, [param("other", Literal)], "null in, null out; NaN equals NaN", "Equality.";
    Ne: "!=", Operator, Elementwise, [param("other", Literal)], "null in, null out; NaN equals NaN", "Inequality.";
    Lt: "<", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Less than.";
    Le: "<=", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Less than or equal.";
    Gt: ">", Operator, Elementwise, [param("other", Literal)], "null in, null out; NaN is greatest", "Greater than.";
    Ge: ">=", Operator, Elementwise, [param("other", Literal)], "null in, null out; NaN is greatest", "Greater than or equal.";
    And: "&", Operator, Elementwise, [param("other", Literal)], "Kleene: false and null is false", "Logical and; bitwise on integers.";
    Or: "|", Operator, Elementwise, [param("other", Literal)], "Kleene: true or null is true", "Logical or; bitwise on integers.";
    Xor: "^", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Exclusive or; bitwise on integers.";
    Not: "~", Operator, Elementwise, [], "null in, null out", "Logical not; bitwise on integers.";

    // --- mathematics ---
    Abs: "abs", Method, Elementwise, [], "null in, null out", "Absolute value.";
    Sqrt: "sqrt", Method, Elementwise, [], "null in, null out; negative is NaN", "Square root.";
    Exp: "exp", Method, Elementwise, [], "null in, null out", "e to the power of the value.";
    Log: "log", Method, Elementwise, [param("base", Float).or(D::Float(std::f64::consts::E))], "null in, null out; log of 0 is -inf, of a negative NaN", "Logarithm, natural by default.";
    Sin: "sin", Method, Elementwise, [], "null in, null out", "Sine of radians.";
    Cos: "cos", Method, Elementwise, [], "null in, null out", "Cosine of radians.";
    Floor: "floor", Method, Elementwise, [], "null in, null out", "Rounded down; floats stay floats.";
    Ceil: "ceil", Method, Elementwise, [], "null in, null out", "Rounded up; floats stay floats.";
    Round: "round", Method, Elementwise, [param("decimals", Int).or(D::Int(0))], "null in, null out", "Rounded to decimals, halves to even.";
    Clip: "clip", Method, Elementwise, [param("lower_bound", Column).optional(), param("upper_bound", Column).optional()], "null in, null out; NaN stays", "Limited to bounds; texts are columns.";

    // --- null, membership, comparison ---
    FillNull: "fill_null", Method, Elementwise, [param("value", Literal).optional(), param("strategy", OneOf(&["forward", "backward"])).optional(), param("limit", Int).optional()], "replaces null", "Nulls replaced by a value, or by the previous or next value (which needs an order).";
    FillNan: "fill_nan", Method, Elementwise, [param("value", Literal)], "null stays", "NaN replaced by a value.";
    IsNull: "is_null", Method, Elementwise, [], "null is true", "Whether the value is null.";
    IsNan: "is_nan", Method, Elementwise, [], "null in, null out", "Whether the value is NaN.";
    IsFinite: "is_finite", Method, Elementwise, [], "null in, null out", "Whether the value is neither infinite nor NaN.";
    IsIn: "is_in", Method, Elementwise, [param("other", Values)], "null in, null out; null in the list matches nothing", "Whether the value is among others.";
    IsBetween: "is_between", Method, Elementwise, [param("lower_bound", Column), param("upper_bound", Column), param("closed", CLOSED).or(D::Str("both"))], "null in, null out", "Whether the value lies between bounds; texts are columns.";
    IsClose: "is_close", Method, Elementwise, [param("other", Literal), param("abs_tol", Float).or(D::Float(0.0)).keyword(), param("rel_tol", Float).or(D::Float(1e-9)).keyword(), param("nans_equal", Bool).or(D::Bool(false)).keyword()], "null in, null out", "Whether two numbers are nearly equal.";
    ReplaceStrict: "replace_strict", Method, Elementwise, [param("mapping", Mapping), param("default", Literal).optional().keyword(), param("return_dtype", DType).optional().keyword()], "null stays null without a default, becomes the default with one", "Values mapped to others; an unmapped value without default is an error.";
    Coalesce: "coalesce", Function, Elementwise, [param("exprs", Columns)], "skips null", "First value that is not null.";

    // --- aggregations ---
    Len: "len", Function, Aggregate, [], "counts nulls", "Number of rows.";
    LenOf: "len", Method, Aggregate, [], "counts nulls", "Number of values, nulls included.";
    Count: "count", Method, Aggregate, [], "skips null", "Number of values that are not null.";
    NullCount: "null_count", Method, Aggregate, [], "counts nulls", "Number of nulls.";
    NUnique: "n_unique", Method, Aggregate, [], "null is one value", "Number of distinct values.";
    Sum: "sum", Method, Aggregate, [], "skips null; 0 when there is none", "Sum.";
    Mean: "mean", Method, Aggregate, [], "skips null; null when there is none", "Arithmetic mean.";
    Median: "median", Method, Aggregate, [], "skips null", "Median.";
    Min: "min", Method, Aggregate, [], "skips null and NaN", "Smallest value.";
    Max: "max", Method, Aggregate, [], "skips null and NaN", "Greatest value.";
    Std: "std", Method, Aggregate, [param("ddof", Int).or(D::Int(1)).keyword()], "skips null", "Standard deviation.";
    Var: "var", Method, Aggregate, [param("ddof", Int).or(D::Int(1)).keyword()], "skips null", "Variance.";
    Quantile: "quantile", Method, Aggregate, [param("quantile", Float), param("interpolation", INTERPOLATIONS)], "skips null", "Quantile between 0 and 1.";
    Skew: "skew", Method, Aggregate, [], "skips null", "Skewness, biased.";
    Kurtosis: "kurtosis", Method, Aggregate, [], "skips null", "Excess kurtosis, biased.";
    Any: "any", Method, Aggregate, [], "skips null; false when there is none", "Whether one value is true.";
    All: "all", Method, Aggregate, [], "skips null; true when there is none", "Whether every value is true.";
    AnyValue: "any_value", Method, Aggregate, [param("ignore_nulls", Bool).or(D::Bool(false)).keyword()], "may be null unless ignored", "Some value.";
    First: "first", Method, Aggregate, [param("order_by", Columns).optional()], "may be null", "First value, in the order given.";
    Last: "last", Method, Aggregate, [param("order_by", Columns).optional()], "may be null", "Last value, in the order given.";
    ModeAny: "mode", Method, LengthChanging, [param("keep", OneOf(&["all", "any"])).or(D::Str("all")).keyword()], "null is a value", "Most frequent values; `any` keeps one of them and aggregates.";
    Corr: "corr", Function, Aggregate, [param("a", Column), param("b", Column), param("method", OneOf(&["pearson", "spearman"])).or(D::Str("pearson"))], "skips pairs with null", "Correlation coefficient.";
    Cov: "cov", Function, Aggregate, [param("a", Column), param("b", Column), param("ddof", Int).or(D::Int(1)).keyword()], "skips pairs with null", "Covariance.";

    // --- length-changing ---
    Filter: "filter", Method, LengthChanging, [param("predicates", Columns)], "a null predicate drops", "Values where every predicate holds.";
    DropNulls: "drop_nulls", Method, LengthChanging, [], "drops null", "Values that are not null.";
    Unique: "unique", Method, LengthChanging, [], "null is one value", "Distinct values.";

    // --- order and windows ---
    CumSum: "cum_sum", Method, Ordered, [param("reverse", Bool).or(D::Bool(false)).keyword()], "null stays null", "Running sum.";
    CumProd: "cum_prod", Method, Ordered, [param("reverse", Bool).or(D::Bool(false)).keyword()], "null stays null", "Running product.";
    CumMin: "cum_min", Method, Ordered, [param("reverse", Bool).or(D::Bool(false)).keyword()], "null stays null", "Running minimum.";
    CumMax: "cum_max", Method, Ordered, [param("reverse", Bool).or(D::Bool(false)).keyword()], "null stays null", "Running maximum.";
    CumCount: "cum_count", Method, Ordered, [param("reverse", Bool).or(D::Bool(false)).keyword()], "skips null", "Running count of values.";
    Shift: "shift", Method, Ordered, [param("n", Int)], "fills with null", "Value n rows before.";
    Diff: "diff", Method, Ordered, [], "first is null", "Difference to the row before.";
    Rank: "rank", Method, Window, [param("method", OneOf(&["average", "min", "max", "dense", "ordinal"])).or(D::Str("average")), param("descending", Bool).or(D::Bool(false)).keyword()], "null stays null", "Rank among all values.";
    RollingSum: "rolling_sum", Method, Ordered, [param("window_size", Int), param("min_samples", Int).optional().keyword(), param("center", Bool).or(D::Bool(false)).keyword()], "skips null", "Sum of a moving window.";
    RollingMean: "rolling_mean", Method, Ordered, [param("window_size", Int), param("min_samples", Int).optional().keyword(), param("center", Bool).or(D::Bool(false)).keyword()], "skips null", "Mean of a moving window.";
    RollingStd: "rolling_std", Method, Ordered, [param("window_size", Int), param("min_samples", Int).optional().keyword(), param("center", Bool).or(D::Bool(false)).keyword(), param("ddof", Int).or(D::Int(1)).keyword()], "skips null", "Standard deviation of a moving window.";
    RollingVar: "rolling_var", Method, Ordered, [param("window_size", Int), param("min_samples", Int).optional().keyword(), param("center", Bool).or(D::Bool(false)).keyword(), param("ddof", Int).or(D::Int(1)).keyword()], "skips null", "Variance of a moving window.";
    EwmMean: "ewm_mean", Method, Ordered, [param("com", Float).optional().keyword(), param("span", Float).optional().keyword(), param("half_life", Float).optional().keyword(), param("alpha", Float).optional().keyword(), param("adjust", Bool).or(D::Bool(true)).keyword(), param("min_samples", Int).or(D::Int(1)).keyword(), param("ignore_nulls", Bool).or(D::Bool(false)).keyword()], "null stays null", "Exponentially weighted mean.";
    IsDuplicated: "is_duplicated", Method, Window, [], "null equals null", "Whether the value occurs more than once.";
    IsUnique: "is_unique", Method, Window, [], "null equals null", "Whether the value occurs once.";
    IsFirstDistinct: "is_first_distinct", Method, Ordered, [], "null equals null", "Whether this is the first row with its value.";
    IsLastDistinct: "is_last_distinct", Method, Ordered, [], "null equals null", "Whether this is the last row with its value.";
    RowIndex: "laktory.row_index", Function, Ordered, [], "never null", "0-based position of the row.";

    // --- horizontal ---
    SumHorizontal: "sum_horizontal", Function, Elementwise, [param("exprs", Columns)], "skips null; 0 when all are", "Sum across columns.";
    MinHorizontal: "min_horizontal", Function, Elementwise, [param("exprs", Columns)], "skips null", "Smallest across columns.";
    MaxHorizontal: "max_horizontal", Function, Elementwise, [param("exprs", Columns)], "skips null", "Greatest across columns.";
    MeanHorizontal: "mean_horizontal", Function, Elementwise, [param("exprs", Columns)], "skips null; null when all are", "Mean across columns.";
    AllHorizontal: "all_horizontal", Function, Elementwise, [param("exprs", Columns), param("ignore_nulls", Bool).keyword()], "Kleene unless ignored", "Whether all columns are true.";
    AnyHorizontal: "any_horizontal", Function, Elementwise, [param("exprs", Columns), param("ignore_nulls", Bool).keyword()], "Kleene unless ignored", "Whether one column is true.";
    ConcatStr: "concat_str", Function, Elementwise, [param("exprs", Columns), param("separator", Str).or(D::Str("")).keyword(), param("ignore_nulls", Bool).or(D::Bool(false)).keyword()], "null if one is, unless ignored", "Texts joined.";
    Format: "format", Function, Elementwise, [param("f_string", Str), param("args", Columns)], "null if one is", "Text with each `{}` replaced by a column.";
    Struct: "struct", Function, Elementwise, [param("exprs", Columns)], "fields may be null", "Struct of columns.";
    List: "list", Function, Elementwise, [param("exprs", Columns)], "elements may be null", "List of columns.";

    // --- text ---
    StrLenChars: "str.len_chars", Method, Elementwise, [], "null in, null out", "Number of characters.";
    StrContains: "str.contains", Method, Elementwise, [param("pattern", Literal), param("literal", Bool).or(D::Bool(false)).keyword()], "null in, null out", "Whether a regular expression (or literal text) occurs.";
    StrStartsWith: "str.starts_with", Method, Elementwise, [param("prefix", Literal)], "null in, null out", "Whether the text begins so.";
    StrEndsWith: "str.ends_with", Method, Elementwise, [param("suffix", Literal)], "null in, null out", "Whether the text ends so.";
    StrReplace: "str.replace", Method, Elementwise, [param("pattern", Str), param("value", Literal), param("literal", Bool).or(D::Bool(false)).keyword(), param("n", Int).or(D::Int(1)).keyword()], "null in, null out", "First n matches replaced; `$1` names a group.";
    StrReplaceAll: "str.replace_all", Method, Elementwise, [param("pattern", Str), param("value", Literal), param("literal", Bool).or(D::Bool(false)).keyword()], "null in, null out", "Every match replaced; `$1` names a group.";
    StrSlice: "str.slice", Method, Elementwise, [param("offset", Int), param("length", Int).optional()], "null in, null out", "Characters from an offset; negative counts from the end.";
    StrHead: "str.head", Method, Elementwise, [param("n", Int).or(D::Int(5))], "null in, null out", "First n characters; negative: all but the last n.";
    StrTail: "str.tail", Method, Elementwise, [param("n", Int).or(D::Int(5))], "null in, null out", "Last n characters; 0 is the whole text.";
    StrSplit: "str.split", Method, Elementwise, [param("by", Str)], "null in, null out", "List of parts between a literal separator.";
    StrStripChars: "str.strip_chars", Method, Elementwise, [param("characters", Str).optional()], "null in, null out", "Without white space (or these characters) at both ends.";
    StrStripCharsStart: "str.strip_chars_start", Method, Elementwise, [param("characters", Str).optional()], "null in, null out", "Without white space (or these characters) at the start.";
    StrStripCharsEnd: "str.strip_chars_end", Method, Elementwise, [param("characters", Str).optional()], "null in, null out", "Without white space (or these characters) at the end.";
    StrToLowercase: "str.to_lowercase", Method, Elementwise, [], "null in, null out", "Lower case.";
    StrToUppercase: "str.to_uppercase", Method, Elementwise, [], "null in, null out", "Upper case.";
    StrToTitlecase: "str.to_titlecase", Method, Elementwise, [], "null in, null out", "Upper case after every non-letter.";
    StrZfill: "str.zfill", Method, Elementwise, [param("width", Int)], "null in, null out", "Padded with zeros after the sign.";
    StrPadStart: "str.pad_start", Method, Elementwise, [param("length", Int), param("fill_char", Str).or(D::Str(" "))], "null in, null out", "Padded at the start.";
    StrPadEnd: "str.pad_end", Method, Elementwise, [param("length", Int), param("fill_char", Str).or(D::Str(" "))], "null in, null out", "Padded at the end.";
    StrToDatetime: "str.to_datetime", Method, Elementwise, [param("format", Str).optional()], "null in, null out; a bad value fails", "Datetime from a text; without format, ISO forms are recognised.";
    StrToDate: "str.to_date", Method, Elementwise, [param("format", Str).optional()], "null in, null out; a bad value fails", "Date from a text.";
    StrToTime: "str.to_time", Method, Elementwise, [param("format", Str).optional()], "null in, null out; a bad value fails", "Time from a text.";

    // --- time ---
    DtDate: "dt.date", Method, Elementwise, [], "null in, null out", "Date part.";
    DtYear: "dt.year", Method, Elementwise, [], "null in, null out", "Year.";
    DtMonth: "dt.month", Method, Elementwise, [], "null in, null out", "Month, 1 to 12.";
    DtDay: "dt.day", Method, Elementwise, [], "null in, null out", "Day of the month.";
    DtHour: "dt.hour", Method, Elementwise, [], "null in, null out", "Hour.";
    DtMinute: "dt.minute", Method, Elementwise, [], "null in, null out", "Minute.";
    DtSecond: "dt.second", Method, Elementwise, [], "null in, null out", "Second.";
    DtMillisecond: "dt.millisecond", Method, Elementwise, [], "null in, null out", "Fraction of the second in milliseconds.";
    DtMicrosecond: "dt.microsecond", Method, Elementwise, [], "null in, null out", "Fraction of the second in microseconds.";
    DtNanosecond: "dt.nanosecond", Method, Elementwise, [], "null in, null out", "Fraction of the second in nanoseconds.";
    DtOrdinalDay: "dt.ordinal_day", Method, Elementwise, [], "null in, null out", "Day of the year.";
    DtWeekday: "dt.weekday", Method, Elementwise, [], "null in, null out", "Monday 1 to Sunday 7.";
    DtToString: "dt.to_string", Method, Elementwise, [param("format", Str)], "null in, null out", "Text in a strftime format.";
    DtTimestamp: "dt.timestamp", Method, Elementwise, [param("time_unit", TIME_UNITS).or(D::Str("us"))], "null in, null out", "Count since the epoch.";
    DtTruncate: "dt.truncate", Method, Elementwise, [param("every", Str)], "null in, null out", "Start of the interval (`1d`, `15m`, `1mo`).";
    DtOffsetBy: "dt.offset_by", Method, Elementwise, [param("by", Str)], "null in, null out", "Moved by an interval; months clamp to their end.";
    DtReplaceTimeZone: "dt.replace_time_zone", Method, Elementwise, [param("time_zone", Str).optional()], "null in, null out; impossible local times fail", "Same clock time in another zone; none removes it.";
    DtConvertTimeZone: "dt.convert_time_zone", Method, Elementwise, [param("time_zone", Str)], "null in, null out", "Same instant in another zone.";
    DtTotalMinutes: "dt.total_minutes", Method, Elementwise, [], "null in, null out", "Whole minutes of a duration, toward zero.";
    DtTotalSeconds: "dt.total_seconds", Method, Elementwise, [], "null in, null out", "Whole seconds of a duration, toward zero.";
    DtTotalMilliseconds: "dt.total_milliseconds", Method, Elementwise, [], "null in, null out", "Whole milliseconds of a duration.";
    DtTotalMicroseconds: "dt.total_microseconds", Method, Elementwise, [], "null in, null out", "Whole microseconds of a duration.";
    DtTotalNanoseconds: "dt.total_nanoseconds", Method, Elementwise, [], "null in, null out", "Whole nanoseconds of a duration.";

    // --- nested ---
    ListLen: "list.len", Method, Elementwise, [], "null in, null out", "Number of elements.";
    ListGet: "list.get", Method, Elementwise, [param("index", Int)], "null when out of range", "Element at an index from 0.";
    ListContains: "list.contains", Method, Elementwise, [param("item", Literal)], "null list, null out", "Whether the list has an element.";
    ListUnique: "list.unique", Method, Elementwise, [param("maintain_order", Bool).or(D::Bool(false)).keyword()], "null in, null out", "Distinct elements.";
    ListSort: "list.sort", Method, Elementwise, [param("descending", Bool).or(D::Bool(false)).keyword(), param("nulls_last", Bool).or(D::Bool(false)).keyword()], "null in, null out", "Sorted elements.";
    ListMin: "list.min", Method, Elementwise, [], "null in, null out", "Smallest element.";
    ListMax: "list.max", Method, Elementwise, [], "null in, null out; NaN ignored", "Greatest element.";
    ListSum: "list.sum", Method, Elementwise, [], "null in, null out; empty is 0", "Sum of the elements.";
    ListMean: "list.mean", Method, Elementwise, [], "null in, null out", "Mean of the elements.";
    ListMedian: "list.median", Method, Elementwise, [], "null in, null out", "Median of the elements.";
    StructField: "struct.field", Method, Elementwise, [param("name", Str)], "null struct, null out", "Field of a struct.";
    CatGetCategories: "cat.get_categories", Method, LengthChanging, [], "none", "Categories of a categorical.";
    MapGet: "map.get", Method, Elementwise, [param("key", Literal)], "null when absent", "Value under a key.";

    // --- laktory's own ---
    RoundP: "laktory.roundp", Method, Elementwise, [param("p", Literal).or(D::Float(1.0))], "null in, null out", "Rounded to a multiple of p, halves to even.";
    ConvertUnits: "laktory.convert_units", Method, Elementwise, [param("input_unit", Str), param("output_unit", Str)], "null in, null out", "Value in another unit of measurement.";
    StringSplit: "laktory.string_split", Method, Elementwise, [param("pattern", Str), param("key", Int)], "null when out of range", "Part number key (from 0) of a text split at a literal pattern.";
    CurrentTimestamp: "laktory.current_timestamp", Function, Elementwise, [], "never null", "Start of the run, as UTC microseconds.";

    // --- what `+`, `-`, `*` and `sum` become once types are known (`laktory_core::typing`) ---
    ExactAdd: "exact.add", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Sum of integers in 64 bits, or of decimals with all digits; what has more is an error.";
    ExactSub: "exact.sub", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Difference of integers in 64 bits, or of decimals with all digits; what has more is an error.";
    ExactMul: "exact.mul", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Product of integers in 64 bits, or of decimals with all digits; what has more is an error.";
    ExactSum: "exact.sum", Operator, Aggregate, [], "skips null; 0 when there is none", "Sum of integers in 64 bits; what has more is an error.";

    // --- SQL, where its meaning is not Narwhals' ---
    SqlMod: "sql.mod", Operator, Elementwise, [param("other", Literal)], "null in, null out", "Remainder with the sign of the dividend.";
    SqlIsTrue: "sql.is_true", Operator, Elementwise, [], "null is false", "Whether the value is true.";
    SqlIsFalse: "sql.is_false", Operator, Elementwise, [], "null is false", "Whether the value is false.";
    SqlEqNullSafe: "sql.is_not_distinct_from", Operator, Elementwise, [param("other", Literal)], "null equals null", "Equality that is never null.";
    SqlConcat: "sql.concat", Function, Elementwise, [param("exprs", Columns)], "skips null", "Texts joined; nulls are skipped.";
    SqlLike: "sql.like", Operator, Elementwise, [param("pattern", Str), param("case_insensitive", Bool), param("escape", Str).optional()], "null in, null out", "LIKE with % and _.";
    SqlSingle: "sql.single", Function, Elementwise, [param("x", Column), param("count", Column)], "null in, null out", "The value of a sub-query, of which `count` were found: an error when there are several.";
    SqlRoundHalfUp: "sql.round_half_up", Function, Elementwise, [param("x", Column), param("decimals", Int).or(D::Int(0))], "null in, null out", "Rounded half away from zero, as ROUND of SQL statements; negative decimals round to tens and hundreds.";
    SqlRound: "sql.round", Function, Elementwise, [param("x", Column), param("decimals", Int).or(D::Int(0))], "null in, null out", "Rounded half to even, as the reference's ROUND.";
    SqlPosition: "sql.position", Function, Elementwise, [param("x", Column), param("text", Literal)], "null in, null out", "Position of a text in characters, from 1; 0 when absent.";
    SqlSign: "sql.sign", Function, Elementwise, [param("x", Column)], "null in, null out", "-1, 0 or 1.";
    SqlNullIf: "sql.nullif", Function, Elementwise, [param("x", Column), param("y", Column)], "null when equal", "Null when both are equal, else the first.";
    SqlSum: "sql.sum", Function, Aggregate, [param("x", Column)], "skips null; null when there is none", "Sum as in SQL.";
    SqlCountDistinct: "sql.count_distinct", Function, Aggregate, [param("x", Column)], "skips null", "Number of distinct values that are not null.";
    SqlTan: "sql.tan", Function, Elementwise, [param("x", Column)], "null in, null out", "Tangent.";
    SqlCbrt: "sql.cbrt", Function, Elementwise, [param("x", Column)], "null in, null out", "Cube root.";
    SqlRegexpExtract: "sql.regexp_extract", Function, Elementwise, [param("x", Column), param("pattern", Str), param("group", Int).or(D::Int(1))], "null in, null out", "Group of the first match.";
    SqlSubstring: "sql.substring", Function, Elementwise, [param("x", Column), param("start", Int), param("length", Int).optional()], "null in, null out", "Characters from position 1.";
    SqlReverse: "sql.reverse", Function, Elementwise, [param("x", Column)], "null in, null out", "Text backwards.";
    SqlQuarter: "sql.quarter", Function, Elementwise, [param("x", Column)], "null in, null out", "Quarter, 1 to 4.";
    SqlWeek: "sql.week", Function, Elementwise, [param("x", Column)], "null in, null out", "ISO week.";
    SqlDayOfWeek: "sql.dow", Function, Elementwise, [param("x", Column)], "null in, null out", "Day of the week, Sunday 0.";
}

static BY_PATH: LazyLock<BTreeMap<(&'static str, bool), &'static FuncDef>> = LazyLock::new(|| {
    TABLE
        .iter()
        .filter(|def| def.receiver != Receiver::Operator)
        .map(|def| ((def.path, def.receiver == Receiver::Method), def))
        .collect()
});

impl Func {
    /// Every function, in the order of the table.
    pub fn all() -> impl Iterator<Item = &'static FuncDef> {
        TABLE.iter()
    }

    /// The function's row.
    #[must_use]
    pub fn def(self) -> &'static FuncDef {
        // Variants and rows come from one macro, in one order.
        &TABLE[self as usize]
    }

    /// The method of an expression at `path`, such as `str.to_uppercase`.
    #[must_use]
    pub fn method(path: &str) -> Option<&'static FuncDef> {
        BY_PATH.get(&(path, true)).copied()
    }

    /// The top-level function at `path`, such as `coalesce`.
    #[must_use]
    pub fn function(path: &str) -> Option<&'static FuncDef> {
        BY_PATH.get(&(path, false)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_variants() {
        for (index, def) in Func::all().enumerate() {
            assert_eq!(def.func as usize, index);
            assert_eq!(def.func.def().path, def.path);
        }
    }

    #[test]
    fn required_parameters_come_before_optional_ones() {
        for def in Func::all() {
            let positional: Vec<_> = def
                .params
                .iter()
                .filter(|param| !param.keyword_only)
                .collect();
            let first_optional = positional
                .iter()
                .position(|param| param.default != ParamDefault::Required)
                .unwrap_or(positional.len());
            for param in &positional[first_optional..] {
                assert_ne!(
                    param.default,
                    ParamDefault::Required,
                    "{}: {}",
                    def.path,
                    param.name
                );
            }
        }
    }

    #[test]
    fn paths_are_unique_within_methods_and_functions() {
        let callable = Func::all()
            .filter(|def| def.receiver != Receiver::Operator)
            .count();
        assert_eq!(BY_PATH.len(), callable);
    }
}
