//! The rows of the function table.

use serde::{Deserialize, Serialize};

use super::ParamType::{
    Bool, Column, Columns, DType, Float, Int, Literal, Mapping, OneOf, Str, Values,
};
use super::params::*;
use super::{Example, FuncDef, FuncKind, ParamDefault as D, Receiver};

/// One row for each function: path, how it is called, how it relates rows, what it takes and gives, parameters; null rule,
/// documentation, example.
macro_rules! functions {
    ($( $name:ident: $path:literal, $receiver:ident, $kind:ident, $signature:literal, [$($param:expr),* $(,)?],
        $nulls:literal, $doc:literal, $given:literal => $text:literal => $gives:literal; )+) => {
        /// A function of the expression language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Func { $( #[doc = $doc] $name, )+ }

        pub(super) static TABLE: &[FuncDef] = &[ $( FuncDef {
            func: Func::$name,
            path: $path,
            receiver: Receiver::$receiver,
            kind: FuncKind::$kind,
            signature: $signature,
            params: &[$($param),*],
            nulls: $nulls,
            doc: $doc,
            example: Example { given: $given, text: $text, gives: $gives },
        }, )+ ];
    };
}

functions! {
    // --- operators ---
    Add: "+", Operator, Elementwise, "any any > rule (64-bit integer, float, decimal, text or time)", [OTHER],
        "null in, null out", "Sum of numbers; texts are joined; a duration moves a datetime.", "x = 1, 2, null" => "nw.col('x') + 10" => "11, 12, null";
    Sub: "-", Operator, Elementwise, "any any > rule (64-bit integer, float, decimal or time)", [OTHER],
        "null in, null out", "Difference.", "x = 1, null" => "nw.col('x') - 10" => "-9, null";
    Mul: "*", Operator, Elementwise, "any any > rule (64-bit integer, float, decimal or duration)", [OTHER],
        "null in, null out", "Product.", "x = 2, null" => "nw.col('x') * 10" => "20, null";
    TrueDiv: "/", Operator, Elementwise, "any any > rule (float, or decimal)", [OTHER],
        "null in, null out; x/0 is inf, -inf or NaN", "Quotient as a float, also of integers.", "x = 7, 0, null" => "nw.col('x') / 2" => "3.5, 0.0, null";
    FloorDiv: "//", Operator, Elementwise, "any any > rule (as the operands)", [OTHER],
        "null in, null out; an integer by zero is null", "Quotient rounded down.", "x = 7, -7, null" => "nw.col('x') // 2" => "3, -4, null";
    Mod: "%", Operator, Elementwise, "any any > rule (as the operands)", [OTHER],
        "null in, null out; an integer by zero is null", "Remainder with the sign of the divisor.", "x = 7, -7, null" => "nw.col('x') % 3" => "1, 2, null";
    Pow: "**", Operator, Elementwise, "any any > rule (as the first)", [OTHER],
        "null in, null out", "Power.", "x = 2, 3, null" => "nw.col('x') ** 2" => "4, 9, null";
    Neg: "neg", Operator, Elementwise, "number > rule (as the number); duration > first", [],
        "null in, null out", "Negation of a number.", "x = 1, -2, null" => "-nw.col('x')" => "-1, 2, null";
    Eq: "==", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out; NaN equals NaN", "Equality.", "x = 1, 2, null" => "nw.col('x') == 2" => "false, true, null";
    Ne: "!=", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out; NaN equals NaN", "Inequality.", "x = 1, 2, null" => "nw.col('x') != 2" => "true, false, null";
    Lt: "<", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out", "Less than.", "x = 1, 2, null" => "nw.col('x') < 2" => "true, false, null";
    Le: "<=", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out", "Less than or equal.", "x = 1, 2, 3, null" => "nw.col('x') <= 2" => "true, true, false, null";
    Gt: ">", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out; NaN is greatest", "Greater than.", "x = 2, 3, null" => "nw.col('x') > 2" => "false, true, null";
    Ge: ">=", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null in, null out; NaN is greatest", "Greater than or equal.", "x = 1, 2, null" => "nw.col('x') >= 2" => "false, true, null";
    And: "&", Operator, Elementwise, "bool bool > bool; int int > common", [OTHER],
        "Kleene: false and null is false", "Logical and; bitwise on integers.", "a = true, false, null; b = null, null, true" => "nw.col('a') & nw.col('b')" => "null, false, null";
    Or: "|", Operator, Elementwise, "bool bool > bool; int int > common", [OTHER],
        "Kleene: true or null is true", "Logical or; bitwise on integers.", "a = true, false, null; b = null, null, true" => "nw.col('a') | nw.col('b')" => "true, null, true";
    Xor: "^", Operator, Elementwise, "bool bool > bool; int int > common", [OTHER],
        "null in, null out", "Exclusive or; bitwise on integers.", "a = true, true, null; b = true, false, true" => "nw.col('a') ^ nw.col('b')" => "false, true, null";
    Not: "~", Operator, Elementwise, "bool > bool; int > first", [],
        "null in, null out", "Logical not; bitwise on integers.", "a = true, false, null" => "~nw.col('a')" => "false, true, null";

    // --- mathematics ---
    Abs: "abs", Method, Elementwise, "number > first; duration > first", [],
        "null in, null out", "Absolute value.", "x = -1, 2, null" => "nw.col('x').abs()" => "1, 2, null";
    Sqrt: "sqrt", Method, Elementwise, "number > float", [],
        "null in, null out; negative is NaN", "Square root.", "x = 4.0, 2.25, null" => "nw.col('x').sqrt()" => "2.0, 1.5, null";
    Exp: "exp", Method, Elementwise, "number > float", [],
        "null in, null out", "e to the power of the value.", "x = 0.0, null" => "nw.col('x').exp()" => "1.0, null";
    Log: "log", Method, Elementwise, "number > float", [param("base", Float).or(D::Float(std::f64::consts::E)).says("base of the logarithm; Euler's number when not given")],
        "null in, null out; log of 0 is -inf, of a negative NaN", "Logarithm, natural by default.", "x = 1.0, 100.0, null" => "nw.col('x').log(10)" => "0.0, 2.0, null";
    Sin: "sin", Method, Elementwise, "number > float", [],
        "null in, null out", "Sine of radians.", "x = 0.0, null" => "nw.col('x').sin()" => "0.0, null";
    Cos: "cos", Method, Elementwise, "number > float", [],
        "null in, null out", "Cosine of radians.", "x = 0.0, null" => "nw.col('x').cos()" => "1.0, null";
    Floor: "floor", Method, Elementwise, "number > rule (as the number, decimals with a digit more)", [],
        "null in, null out", "Rounded down; floats stay floats.", "x = 1.5, -1.5, null" => "nw.col('x').floor()" => "1.0, -2.0, null";
    Ceil: "ceil", Method, Elementwise, "number > rule (as the number, decimals with a digit more)", [],
        "null in, null out", "Rounded up; floats stay floats.", "x = 1.5, -1.5, null" => "nw.col('x').ceil()" => "2.0, -1.0, null";
    Round: "round", Method, Elementwise, "number > rule (as the number, decimals with a digit more)", [DECIMALS],
        "null in, null out", "Rounded to decimals, halves to even.", "x = 0.5, 1.5, null" => "nw.col('x').round()" => "0.0, 2.0, null";
    Clip: "clip", Method, Elementwise, "measure measure? measure? > first", [param("lower_bound", Column).optional().says("least value; without it there is no lower bound"), param("upper_bound", Column).optional().says("greatest value; without it there is no upper bound")],
        "null in, null out; NaN stays", "Limited to bounds; texts are columns.", "x = -5, 5, 50, null" => "nw.col('x').clip(0, 10)" => "0, 5, 10, null";

    // --- null, membership, comparison ---
    FillNull: "fill_null", Method, Elementwise, "any any? > common", [param("value", Literal).optional().says("what stands in for null"), param("strategy", OneOf(&["forward", "backward"])).optional().says("instead of `value`: the value of the row before or behind, in an order (`over(order_by=...)`)"), param("limit", Int).optional().says("with `strategy`: how many nulls in a row are filled; all by default")],
        "replaces null", "Nulls replaced by a value, or by the value of the row before or behind.", "x = 1, null" => "nw.col('x').fill_null(0)" => "1, 0";
    FillNan: "fill_nan", Method, Elementwise, "number number > common", [param("value", Literal).says("what stands in for NaN")],
        "null stays", "NaN replaced by a value.", "x = 1.5, nan, null" => "nw.col('x').fill_nan(0.0)" => "1.5, 0.0, null";
    IsNull: "is_null", Method, Elementwise, "any > bool", [],
        "null is true", "Whether the value is null.", "x = 1, null" => "nw.col('x').is_null()" => "false, true";
    IsNan: "is_nan", Method, Elementwise, "number > bool", [],
        "null in, null out", "Whether the value is NaN.", "x = 1.5, nan, null" => "nw.col('x').is_nan()" => "false, true, null";
    IsFinite: "is_finite", Method, Elementwise, "number > bool", [],
        "null in, null out", "Whether the value is neither infinite nor NaN.", "x = 1.5, inf, null" => "nw.col('x').is_finite()" => "true, false, null";
    IsIn: "is_in", Method, Elementwise, "any any? > rule (bool)", [param("other", Values).says("constants such as `[1, 2]`, or an expression of lists")],
        "null in, null out; null in the list matches nothing", "Whether the value is among others.", "s = 'a', 'b', null" => "nw.col('s').is_in(['a', 'c'])" => "true, false, null";
    IsBetween: "is_between", Method, Elementwise, "any any any > rule (bool)", [param("lower_bound", Column).says("lower end"), param("upper_bound", Column).says("upper end"), param("closed", CLOSED).or(D::Str("both")).says("which ends belong to the range")],
        "null in, null out", "Whether the value lies between bounds; texts are columns.", "x = 1, 5, 9, null" => "nw.col('x').is_between(1, 5)" => "true, true, false, null";
    IsClose: "is_close", Method, Elementwise, "number number > bool", [param("other", Literal).says("the number to compare with"), param("abs_tol", Float).or(D::Float(0.0)).keyword().says("greatest difference"), param("rel_tol", Float).or(D::Float(1e-9)).keyword().says("greatest difference, as a share of the greater of both"), param("nans_equal", Bool).or(D::Bool(false)).keyword().says("whether NaN is close to NaN")],
        "null in, null out", "Whether two numbers are nearly equal.", "x = 1.0, 1.1, null" => "nw.col('x').is_close(1.0, abs_tol=0.01)" => "true, false, null";
    ReplaceStrict: "replace_strict", Method, Elementwise, "any any? > rule (type of the new values)", [param("mapping", Mapping).says("old values and new ones, as `{'a': 1}`; two lists do as well"), param("default", Literal).optional().keyword().says("for values that the mapping lacks; without it they are an error"), param("return_dtype", DType).optional().keyword().says("type of the result")],
        "null stays null without a default, becomes the default with one", "Values mapped to others; an unmapped value without default is an error.", "s = 'a', 'b', null" => "nw.col('s').replace_strict({'a': 'one', 'b': 'two'})" => "'one', 'two', null";
    Coalesce: "coalesce", Function, Elementwise, "any* > common", [EXPRS],
        "skips null", "The first value that is not null, across columns.", "a = 1, null, null; b = 5, 6, null" => "nw.coalesce('a', 'b')" => "1, 6, null";

    // --- aggregations ---
    Len: "len", Function, Aggregate, "> int64", [],
        "counts nulls", "Number of rows.", "x = 1, null" => "nw.len()" => "2";
    LenOf: "len", Method, Aggregate, "any > int64", [],
        "counts nulls", "Number of values, nulls included.", "x = 1, null" => "nw.col('x').len()" => "2";
    Count: "count", Method, Aggregate, "any > int64", [],
        "skips null", "Number of values that are not null.", "x = 1, null" => "nw.col('x').count()" => "1";
    NullCount: "null_count", Method, Aggregate, "any > int64", [],
        "counts nulls", "Number of nulls.", "x = 1, null" => "nw.col('x').null_count()" => "1";
    NUnique: "n_unique", Method, Aggregate, "any > int64", [],
        "null is one value", "Number of distinct values.", "x = 1, 1, null" => "nw.col('x').n_unique()" => "2";
    Sum: "sum", Method, Aggregate, "number > rule (64 bits); bool > rule (64 bits); duration > rule (64 bits)", [],
        "skips null; 0 when there is none", "Sum.", "x = 1, 2, null" => "nw.col('x').sum()" => "3";
    Mean: "mean", Method, Aggregate, "measure > rule (float, or the same time)", [],
        "skips null; null when there is none", "Arithmetic mean.", "x = 1, 2, null" => "nw.col('x').mean()" => "1.5";
    Median: "median", Method, Aggregate, "measure > rule (float, or the same time)", [],
        "skips null", "Median.", "x = 1, 2, 9, null" => "nw.col('x').median()" => "2.0";
    Min: "min", Method, Aggregate, "any > first", [],
        "skips null and NaN", "Smallest value.", "x = 1, 2, null" => "nw.col('x').min()" => "1";
    Max: "max", Method, Aggregate, "any > first", [],
        "skips null and NaN", "Greatest value.", "x = 1, 2, null" => "nw.col('x').max()" => "2";
    Std: "std", Method, Aggregate, "number > float; bool > float64", [DDOF],
        "skips null", "Standard deviation.", "x = 1.0, 3.0, 5.0, null" => "nw.col('x').std()" => "2.0";
    Var: "var", Method, Aggregate, "number > float; bool > float64", [DDOF],
        "skips null", "Variance.", "x = 1.0, 3.0, 5.0, null" => "nw.col('x').var()" => "4.0";
    Quantile: "quantile", Method, Aggregate, "number > rule (float, or the same time); date > rule (float, or the same time); time > rule (float, or the same time); datetime > rule (float, or the same time); duration > rule (float, or the same time)", [param("quantile", Float).says("from 0 to 1"), param("interpolation", INTERPOLATIONS).says("where the quantile lies between two values")],
        "skips null", "Quantile between 0 and 1.", "x = 1.0, 2.0, 3.0, 4.0" => "nw.col('x').quantile(0.5, interpolation='linear')" => "2.5";
    Skew: "skew", Method, Aggregate, "number > float; bool > float64", [],
        "skips null", "Skewness, biased.", "x = 1.0, 2.0, 3.0" => "nw.col('x').skew()" => "0.0";
    Kurtosis: "kurtosis", Method, Aggregate, "number > float; bool > float64", [],
        "skips null", "Excess kurtosis, biased.", "x = 1.0, 2.0, 3.0" => "nw.col('x').kurtosis()" => "-1.5";
    Any: "any", Method, Aggregate, "bool > bool; int > bool", [],
        "skips null; false when there is none", "Whether at least one value is true.", "a = true, false, null" => "nw.col('a').any()" => "true";
    All: "all", Method, Aggregate, "bool > bool; int > bool", [],
        "skips null; true when there is none", "Whether every value is true.", "a = true, false, null" => "nw.col('a').all()" => "false";
    AnyValue: "any_value", Method, Aggregate, "any > first", [param("ignore_nulls", Bool).or(D::Bool(false)).keyword().says("whether a value that is not null goes first")],
        "may be null unless ignored", "Some value.", "x = 7, 7" => "nw.col('x').any_value()" => "7";
    First: "first", Method, Aggregate, "any any* > first", [ORDER_BY],
        "may be null", "First value, in the order given.", "t = 2, 1; x = 10, 20" => "nw.col('x').first(order_by='t')" => "20";
    Last: "last", Method, Aggregate, "any any* > first", [ORDER_BY],
        "may be null", "Last value, in the order given.", "t = 2, 1; x = 10, 20" => "nw.col('x').last(order_by='t')" => "10";
    ModeAny: "mode", Method, LengthChanging, "any > first", [param("keep", OneOf(&["all", "any"])).or(D::Str("all")).keyword().says("all of the most frequent values, or one of them")],
        "null is a value", "Most frequent values; `any` keeps one of them and aggregates.", "x = 1, 1, 2" => "nw.col('x').mode(keep='any')" => "1";
    Corr: "corr", Function, Aggregate, "measure measure > float64", [A, B, param("method", OneOf(&["pearson", "spearman"])).or(D::Str("pearson")).says("linear (Pearson), or of ranks (Spearman)")],
        "skips pairs with null", "Correlation coefficient.", "a = 1.0, 2.0, 3.0; b = 2.0, 4.0, 6.0" => "nw.corr('a', 'b')" => "1.0";
    Cov: "cov", Function, Aggregate, "measure measure > float64", [A, B, DDOF],
        "skips pairs with null", "Covariance.", "a = 1.0, 2.0, 3.0; b = 2.0, 4.0, 6.0" => "nw.cov('a', 'b')" => "2.0";

    // --- length-changing ---
    Filter: "filter", Method, LengthChanging, "any bool* > first", [param("predicates", Columns).says("conditions, all of which must hold")],
        "a null predicate drops", "Values where every predicate holds.", "x = 1, 5, null" => "nw.col('x').filter(nw.col('x') > 1).sum()" => "5";
    DropNulls: "drop_nulls", Method, LengthChanging, "any > first", [],
        "drops null", "Values that are not null.", "x = 1, null" => "nw.col('x').drop_nulls().len()" => "1";
    Unique: "unique", Method, LengthChanging, "any > first", [],
        "null is one value", "Distinct values.", "x = 1, 1, 2" => "nw.col('x').unique().len()" => "2";

    // --- order and windows ---
    CumSum: "cum_sum", Method, Ordered, "number > rule (64 bits); bool > rule (64 bits); duration > rule (64 bits)", [REVERSE],
        "null stays null", "Running sum.", "t = 1, 2, 3; x = 5, null, 2" => "nw.col('x').cum_sum().over(order_by='t')" => "5, null, 7";
    CumProd: "cum_prod", Method, Ordered, "int > int64; float > first", [REVERSE],
        "null stays null", "Running product.", "t = 1, 2, 3; x = 5, null, 2" => "nw.col('x').cum_prod().over(order_by='t')" => "5, null, 10";
    CumMin: "cum_min", Method, Ordered, "any > first", [REVERSE],
        "null stays null", "Running minimum.", "t = 1, 2, 3; x = 5, null, 2" => "nw.col('x').cum_min().over(order_by='t')" => "5, null, 2";
    CumMax: "cum_max", Method, Ordered, "any > first", [REVERSE],
        "null stays null", "Running maximum.", "t = 1, 2, 3; x = 5, null, 2" => "nw.col('x').cum_max().over(order_by='t')" => "5, null, 5";
    CumCount: "cum_count", Method, Ordered, "any > int64", [REVERSE],
        "skips null", "Running count of values.", "t = 1, 2, 3; x = 5, null, 2" => "nw.col('x').cum_count().over(order_by='t')" => "1, 1, 2";
    Shift: "shift", Method, Ordered, "any > first", [param("n", Int).says("rows before; negative ones lie behind")],
        "fills with null", "Value n rows before.", "t = 1, 2, 3; x = 5, 9, 10" => "nw.col('x').shift(1).over(order_by='t')" => "null, 5, 9";
    Diff: "diff", Method, Ordered, "any > rule (difference)", [],
        "first is null", "Difference to the row before.", "t = 1, 2, 3; x = 5, 9, 10" => "nw.col('x').diff().over(order_by='t')" => "null, 4, 1";
    Rank: "rank", Method, Window, "any > rule (int64, or float64 for average)", [param("method", OneOf(&["average", "min", "max", "dense", "ordinal"])).or(D::Str("average")).says("what equal values have: the mean, least or greatest of their ranks, no gaps behind them (`dense`), or ranks in the order of rows"), param("descending", Bool).or(D::Bool(false)).keyword().says("the greatest value has rank 1")],
        "null stays null", "Rank among all values.", "x = 30, 10, 10, null" => "nw.col('x').rank('min')" => "3, 1, 1, null";
    RollingSum: "rolling_sum", Method, Ordered, "int > rule (64 bits); float > rule (64 bits); bool > rule (64 bits)", [WINDOW_SIZE, MIN_SAMPLES, CENTER],
        "skips null", "Sum of a moving window.", "t = 1, 2, 3; x = 1, 2, 3" => "nw.col('x').rolling_sum(2).over(order_by='t')" => "null, 3, 5";
    RollingMean: "rolling_mean", Method, Ordered, "measure > rule (float)", [WINDOW_SIZE, MIN_SAMPLES, CENTER],
        "skips null", "Mean of a moving window.", "t = 1, 2, 3; x = 1, 2, 3" => "nw.col('x').rolling_mean(2).over(order_by='t')" => "null, 1.5, 2.5";
    RollingStd: "rolling_std", Method, Ordered, "number > float; bool > float64", [WINDOW_SIZE, MIN_SAMPLES, CENTER, DDOF],
        "skips null", "Standard deviation of a moving window.", "t = 1, 2, 3; x = 1.0, 3.0, 5.0" => "nw.col('x').rolling_std(3).over(order_by='t')" => "null, null, 2.0";
    RollingVar: "rolling_var", Method, Ordered, "number > float; bool > float64", [WINDOW_SIZE, MIN_SAMPLES, CENTER, DDOF],
        "skips null", "Variance of a moving window.", "t = 1, 2, 3; x = 1.0, 3.0, 5.0" => "nw.col('x').rolling_var(3).over(order_by='t')" => "null, null, 4.0";
    EwmMean: "ewm_mean", Method, Ordered, "number > float; bool > float64", [param("com", Float).optional().keyword().says("weight by centre of mass: alpha = 1 / (1 + com)"), param("span", Float).optional().keyword().says("weight by span: alpha = 2 / (span + 1)"), param("half_life", Float).optional().keyword().says("weight by half-life: alpha = 1 - exp(-ln 2 / half_life)"), param("alpha", Float).optional().keyword().says("weight of the current row, above 0 and up to 1; give just one of the four"), param("adjust", Bool).or(D::Bool(true)).keyword().says("whether the first rows are weighted as if there was nothing before them"), param("min_samples", Int).or(D::Int(1)).keyword().says("values that are not null for a result"), param("ignore_nulls", Bool).or(D::Bool(false)).keyword().says("whether rows of null do not count as distance")],
        "null stays null", "Exponentially weighted mean.", "t = 1, 2, 3; x = 1.0, 2.0, 3.0" => "nw.col('x').ewm_mean(alpha=0.5, adjust=False).over(order_by='t')" => "1.0, 1.5, 2.25";
    IsDuplicated: "is_duplicated", Method, Window, "any > bool", [],
        "null equals null", "Whether the value occurs more than once.", "x = 1, 1, 2" => "nw.col('x').is_duplicated()" => "true, true, false";
    IsUnique: "is_unique", Method, Window, "any > bool", [],
        "null equals null", "Whether the value occurs once.", "x = 1, 1, 2" => "nw.col('x').is_unique()" => "false, false, true";
    IsFirstDistinct: "is_first_distinct", Method, Ordered, "any > bool", [],
        "null equals null", "Whether this is the first row with its value.", "t = 1, 2, 3; x = 1, 1, 2" => "nw.col('x').is_first_distinct().over(order_by='t')" => "true, false, true";
    IsLastDistinct: "is_last_distinct", Method, Ordered, "any > bool", [],
        "null equals null", "Whether this is the last row with its value.", "t = 1, 2, 3; x = 1, 1, 2" => "nw.col('x').is_last_distinct().over(order_by='t')" => "false, true, true";
    RowIndex: "laktory.row_index", Function, Ordered, "> int64", [],
        "never null", "0-based position of the row.", "t = 30, 10" => "nw.laktory.row_index().over(order_by='t')" => "1, 0";

    // --- horizontal ---
    SumHorizontal: "sum_horizontal", Function, Elementwise, "any* > rule (sum of all)", [EXPRS],
        "skips null; 0 when all are", "Sum across columns.", "a = 1, null; b = 2, null" => "nw.sum_horizontal('a', 'b')" => "3, 0";
    MinHorizontal: "min_horizontal", Function, Elementwise, "any* > common", [EXPRS],
        "skips null", "Smallest across columns.", "a = 1, null; b = 2, 3" => "nw.min_horizontal('a', 'b')" => "1, 3";
    MaxHorizontal: "max_horizontal", Function, Elementwise, "any* > common", [EXPRS],
        "skips null", "Greatest across columns.", "a = 1, null; b = 2, 3" => "nw.max_horizontal('a', 'b')" => "2, 3";
    MeanHorizontal: "mean_horizontal", Function, Elementwise, "measure* > rule (float)", [EXPRS],
        "skips null; null when all are", "Mean across columns.", "a = 1, null; b = 2, null" => "nw.mean_horizontal('a', 'b')" => "1.5, null";
    AllHorizontal: "all_horizontal", Function, Elementwise, "bool* > bool; number* > bool", [EXPRS, IGNORE_NULLS],
        "Kleene unless ignored", "Whether every one of several columns is true.", "a = true, true, true; b = true, false, null" => "nw.all_horizontal('a', 'b', ignore_nulls=False)" => "true, false, null";
    AnyHorizontal: "any_horizontal", Function, Elementwise, "bool* > bool; number* > bool", [EXPRS, IGNORE_NULLS],
        "Kleene unless ignored", "Whether at least one of several columns is true.", "a = false, true, false; b = false, null, null" => "nw.any_horizontal('a', 'b', ignore_nulls=False)" => "false, true, null";
    ConcatStr: "concat_str", Function, Elementwise, "any* > text", [EXPRS, param("separator", Str).or(D::Str("")).keyword().says("what stands between"), param("ignore_nulls", Bool).or(D::Bool(false)).keyword().says("whether nulls are left out rather than making the result null")],
        "null if one is, unless ignored", "Texts joined.", "a = 'x', null; b = 'y', 'z'" => "nw.concat_str('a', 'b', separator='-')" => "'x-y', null";
    Format: "format", Function, Elementwise, "any* > text", [param("f_string", Str).says("text with `{}` for each column"), param("args", Columns).says("names of columns, or expressions, one for each `{}`")],
        "null if one is", "Text with each `{}` replaced by a column.", "a = 'x', null; b = 1, 2" => "nw.format('{}:{}', 'a', 'b')" => "'x:1', null";
    Struct: "struct", Function, Elementwise, "any* > rule (struct)", [EXPRS],
        "fields may be null", "Struct of columns.", "a = 1, 2; b = 'x', null" => "nw.struct('a', 'b')" => "{a: 1, b: 'x'}, {a: 2, b: null}";
    List: "list", Function, Elementwise, "any* > rule (list)", [EXPRS],
        "elements may be null", "List of columns.", "a = 1, 2; b = 3, null" => "nw.list('a', 'b')" => "[1, 3], [2, null]";

    // --- text ---
    StrLenChars: "str.len_chars", Method, Elementwise, "text > int64", [],
        "null in, null out", "Number of characters.", "s = 'añb', '', null" => "nw.col('s').str.len_chars()" => "3, 0, null";
    StrContains: "str.contains", Method, Elementwise, "text text > bool", [param("pattern", Literal).says("regular expression, or literal text with `literal=True`"), LITERAL],
        "null in, null out", "Whether a regular expression (or a literal text) occurs in the text.", "s = 'banana', 'cherry', null" => "nw.col('s').str.contains('an+a')" => "true, false, null";
    StrStartsWith: "str.starts_with", Method, Elementwise, "text text > bool", [param("prefix", Literal).says("the beginning")],
        "null in, null out", "Whether the text begins with another one.", "s = 'banana', 'cherry', null" => "nw.col('s').str.starts_with('ba')" => "true, false, null";
    StrEndsWith: "str.ends_with", Method, Elementwise, "text text > bool", [param("suffix", Literal).says("the end")],
        "null in, null out", "Whether the text ends with another one.", "s = 'banana', 'cherry', null" => "nw.col('s').str.ends_with('na')" => "true, false, null";
    StrReplace: "str.replace", Method, Elementwise, "text text? > text", [PATTERN, VALUE, LITERAL, param("n", Int).or(D::Int(1)).keyword().says("how many matches are replaced")],
        "null in, null out", "First n matches replaced; `$1` names a group.", "s = 'a-b-c', null" => "nw.col('s').str.replace('-', '+')" => "'a+b-c', null";
    StrReplaceAll: "str.replace_all", Method, Elementwise, "text text? > text", [PATTERN, VALUE, LITERAL],
        "null in, null out", "Every match replaced; `$1` names a group.", "s = 'a1b22', null" => "nw.col('s').str.replace_all('([0-9]+)', '<$1>')" => "'a<1>b<22>', null";
    StrSlice: "str.slice", Method, Elementwise, "text > text", [param("offset", Int).says("first character, from 0; negative ones count from the end"), LENGTH],
        "null in, null out", "Part of the text, from a position on.", "s = 'banana', null" => "nw.col('s').str.slice(1, 3)" => "'ana', null";
    StrHead: "str.head", Method, Elementwise, "text > text", [param("n", Int).or(D::Int(5)).says("how many characters; negative: all but so many at the end")],
        "null in, null out", "First n characters; negative: all but the last n.", "s = 'banana', 'be', null" => "nw.col('s').str.head(3)" => "'ban', 'be', null";
    StrTail: "str.tail", Method, Elementwise, "text > text", [param("n", Int).or(D::Int(5)).says("how many characters; negative: all but so many at the start")],
        "null in, null out", "Last n characters; 0 is the whole text.", "s = 'banana', 'be', null" => "nw.col('s').str.tail(3)" => "'ana', 'be', null";
    StrSplit: "str.split", Method, Elementwise, "text > texts", [param("by", Str).says("separator, literal")],
        "null in, null out", "List of parts between a literal separator.", "s = 'a,b', 'c', null" => "nw.col('s').str.split(',')" => "['a', 'b'], ['c'], null";
    StrStripChars: "str.strip_chars", Method, Elementwise, "text > text", [CHARACTERS],
        "null in, null out", "Without white space (or these characters) at both ends.", "s = '  a b ', null" => "nw.col('s').str.strip_chars()" => "'a b', null";
    StrStripCharsStart: "str.strip_chars_start", Method, Elementwise, "text > text", [CHARACTERS],
        "null in, null out", "Without white space (or these characters) at the start.", "s = '00700', null" => "nw.col('s').str.strip_chars_start('0')" => "'700', null";
    StrStripCharsEnd: "str.strip_chars_end", Method, Elementwise, "text > text", [CHARACTERS],
        "null in, null out", "Without white space (or these characters) at the end.", "s = '1.500', null" => "nw.col('s').str.strip_chars_end('0')" => "'1.5', null";
    StrToLowercase: "str.to_lowercase", Method, Elementwise, "text > text", [],
        "null in, null out", "Lower case.", "s = 'Straße', null" => "nw.col('s').str.to_lowercase()" => "'straße', null";
    StrToUppercase: "str.to_uppercase", Method, Elementwise, "text > text", [],
        "null in, null out", "Upper case.", "s = 'abc', null" => "nw.col('s').str.to_uppercase()" => "'ABC', null";
    StrToTitlecase: "str.to_titlecase", Method, Elementwise, "text > text", [],
        "null in, null out", "Upper case after every non-letter.", "s = 'hello big world', null" => "nw.col('s').str.to_titlecase()" => "'Hello Big World', null";
    StrZfill: "str.zfill", Method, Elementwise, "text > text", [param("width", Int).says("characters in all")],
        "null in, null out", "Padded with zeros after the sign.", "s = '7', '-7', null" => "nw.col('s').str.zfill(3)" => "'007', '-07', null";
    StrPadStart: "str.pad_start", Method, Elementwise, "text > text", [LENGTH_2, FILL_CHAR],
        "null in, null out", "Padded at the start.", "s = '7', '1234', null" => "nw.col('s').str.pad_start(3, '*')" => "'**7', '1234', null";
    StrPadEnd: "str.pad_end", Method, Elementwise, "text > text", [LENGTH_2, FILL_CHAR],
        "null in, null out", "Padded at the end.", "s = '7', '1234', null" => "nw.col('s').str.pad_end(3, '*')" => "'7**', '1234', null";
    StrToDatetime: "str.to_datetime", Method, Elementwise, "text > rule (datetime)", [param("format", Str).optional().says("of strptime, such as `%d.%m.%Y %H:%M`; ISO 8601 by default")],
        "null in, null out; a bad value fails", "Datetime from a text; without format, ISO forms are recognised.", "s = '31.01.2024 10:30', null" => "nw.col('s').str.to_datetime('%d.%m.%Y %H:%M')" => "2024-01-31T10:30:00, null";
    StrToDate: "str.to_date", Method, Elementwise, "text > date", [param("format", Str).optional().says("of strptime, such as `%d.%m.%Y`; ISO 8601 by default")],
        "null in, null out; a bad value fails", "Date from a text.", "s = '31.01.2024', null" => "nw.col('s').str.to_date('%d.%m.%Y')" => "2024-01-31, null";
    StrToTime: "str.to_time", Method, Elementwise, "text > time", [param("format", Str).optional().says("of strptime, such as `%H:%M`; ISO 8601 by default")],
        "null in, null out; a bad value fails", "Time from a text.", "s = '10:30', null" => "nw.col('s').str.to_time('%H:%M')" => "10:30:00, null";

    // --- time ---
    DtDate: "dt.date", Method, Elementwise, "datetime > date; date > date", [],
        "null in, null out", "Date part.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.date()" => "2024-02-29, null";
    DtYear: "dt.year", Method, Elementwise, "date > int64; datetime > int64", [],
        "null in, null out", "Year.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.year()" => "2024, null";
    DtMonth: "dt.month", Method, Elementwise, "date > int64; datetime > int64", [],
        "null in, null out", "Month, 1 to 12.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.month()" => "2, null";
    DtDay: "dt.day", Method, Elementwise, "date > int64; datetime > int64", [],
        "null in, null out", "Day of the month.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.day()" => "29, null";
    DtHour: "dt.hour", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Hour.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.hour()" => "13, null";
    DtMinute: "dt.minute", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Minute.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.minute()" => "45, null";
    DtSecond: "dt.second", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Second.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.second()" => "30, null";
    DtMillisecond: "dt.millisecond", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Fraction of the second in milliseconds.", "t = 2024-02-29T13:45:30.250, null" => "nw.col('t').dt.millisecond()" => "250, null";
    DtMicrosecond: "dt.microsecond", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Fraction of the second in microseconds.", "t = 2024-02-29T13:45:30.250, null" => "nw.col('t').dt.microsecond()" => "250000, null";
    DtNanosecond: "dt.nanosecond", Method, Elementwise, "datetime > int64; time > int64", [],
        "null in, null out", "Fraction of the second in nanoseconds.", "t = 2024-02-29T13:45:30.250, null" => "nw.col('t').dt.nanosecond()" => "250000000, null";
    DtOrdinalDay: "dt.ordinal_day", Method, Elementwise, "date > int64; datetime > int64", [],
        "null in, null out", "Day of the year.", "d = 2024-02-29, null" => "nw.col('d').dt.ordinal_day()" => "60, null";
    DtWeekday: "dt.weekday", Method, Elementwise, "date > int64; datetime > int64", [],
        "null in, null out", "Monday 1 to Sunday 7.", "d = 2024-02-29, 2024-03-03, null" => "nw.col('d').dt.weekday()" => "4, 7, null";
    DtToString: "dt.to_string", Method, Elementwise, "date > rule (text); datetime > rule (text); time > rule (text); duration > text", [param("format", Str).says("of strftime, such as `%Y-%m-%d %H:%M:%S`")],
        "null in, null out", "Text in a strftime format.", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.to_string('%Y/%m/%d %H:%M')" => "'2024/02/29 13:45', null";
    DtTimestamp: "dt.timestamp", Method, Elementwise, "date > int64; datetime > int64", [param("time_unit", TIME_UNITS).or(D::Str("us")).says("unit of the count")],
        "null in, null out", "Count since the epoch.", "t = 1970-01-02T00:00:00, null" => "nw.col('t').dt.timestamp('ms')" => "86400000, null";
    DtTruncate: "dt.truncate", Method, Elementwise, "date > first; datetime > first", [param("every", Str).says("interval: a number and `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q` or `y`")],
        "null in, null out", "Start of the interval (`1d`, `15m`, `1mo`).", "t = 2024-02-29T13:45:30, null" => "nw.col('t').dt.truncate('15m')" => "2024-02-29T13:45:00, null";
    DtOffsetBy: "dt.offset_by", Method, Elementwise, "date > rule (date or datetime); datetime > rule (datetime)", [param("by", Str).says("interval such as `1d`, `-2h30m`, `1mo`, `1y`")],
        "null in, null out", "Moved by an interval; months clamp to their end. A date that is moved by hours or less is a datetime.", "d = 2024-01-31, null" => "nw.col('d').dt.offset_by('1mo')" => "2024-02-29, null";
    DtReplaceTimeZone: "dt.replace_time_zone", Method, Elementwise, "datetime > rule (datetime)", [param("time_zone", Str).optional().says("name such as `Europe/Paris`; without it the result has no zone")],
        "null in, null out; impossible local times fail", "Same clock time in another zone; none removes it.", "t = 2024-07-01T12:00:00, null" => "nw.col('t').dt.replace_time_zone('Europe/Paris')" => "2024-07-01T12:00:00+02:00[Europe/Paris], null";
    DtConvertTimeZone: "dt.convert_time_zone", Method, Elementwise, "datetime > rule (datetime)", [param("time_zone", Str).says("name such as `Europe/Paris`")],
        "null in, null out", "Same instant in another zone.", "t = 2024-07-01T10:00:00+00:00[UTC], null" => "nw.col('t').dt.convert_time_zone('Europe/Paris')" => "2024-07-01T12:00:00+02:00[Europe/Paris], null";
    DtTotalMinutes: "dt.total_minutes", Method, Elementwise, "duration > int64", [],
        "null in, null out", "Whole minutes of a duration, toward zero.", "p = PT1H30M45S, null" => "nw.col('p').dt.total_minutes()" => "90, null";
    DtTotalSeconds: "dt.total_seconds", Method, Elementwise, "duration > int64", [],
        "null in, null out", "Whole seconds of a duration, toward zero.", "p = PT1M30.9S, null" => "nw.col('p').dt.total_seconds()" => "90, null";
    DtTotalMilliseconds: "dt.total_milliseconds", Method, Elementwise, "duration > int64", [],
        "null in, null out", "Whole milliseconds of a duration.", "p = PT1.5S, null" => "nw.col('p').dt.total_milliseconds()" => "1500, null";
    DtTotalMicroseconds: "dt.total_microseconds", Method, Elementwise, "duration > int64", [],
        "null in, null out", "Whole microseconds of a duration.", "p = PT1.5S, null" => "nw.col('p').dt.total_microseconds()" => "1500000, null";
    DtTotalNanoseconds: "dt.total_nanoseconds", Method, Elementwise, "duration > int64", [],
        "null in, null out", "Whole nanoseconds of a duration.", "p = PT1.5S, null" => "nw.col('p').dt.total_nanoseconds()" => "1500000000, null";

    // --- nested ---
    ListLen: "list.len", Method, Elementwise, "list > int64", [],
        "null in, null out", "Number of elements.", "l = [1, 2], [], null" => "nw.col('l').list.len()" => "2, 0, null";
    ListGet: "list.get", Method, Elementwise, "list > rule (element)", [param("index", Int).says("position from 0")],
        "null when out of range", "Element at an index from 0.", "l = [1, 2], [], null" => "nw.col('l').list.get(0)" => "1, null, null";
    ListContains: "list.contains", Method, Elementwise, "list any > rule (bool)", [param("item", Literal).says("the element")],
        "null list, null out", "Whether the list has an element.", "l = [1, 2], [], null" => "nw.col('l').list.contains(2)" => "true, false, null";
    ListUnique: "list.unique", Method, Elementwise, "list > first", [param("maintain_order", Bool).or(D::Bool(false)).keyword().says("in the order of their first occurrence rather than any")],
        "null in, null out", "Distinct elements.", "l = [2, 2, 1], null" => "nw.col('l').list.unique(maintain_order=True)" => "[2, 1], null";
    ListSort: "list.sort", Method, Elementwise, "list > first", [param("descending", Bool).or(D::Bool(false)).keyword().says("greatest elements first"), param("nulls_last", Bool).or(D::Bool(false)).keyword().says("nulls at the end")],
        "null in, null out", "Sorted elements.", "l = [2, null, 1], null" => "nw.col('l').list.sort()" => "[null, 1, 2], null";
    ListMin: "list.min", Method, Elementwise, "list > rule (element)", [],
        "null in, null out", "Smallest element.", "l = [2, 1], [], null" => "nw.col('l').list.min()" => "1, null, null";
    ListMax: "list.max", Method, Elementwise, "list > rule (element)", [],
        "null in, null out; NaN ignored", "Greatest element.", "l = [2, 1], [], null" => "nw.col('l').list.max()" => "2, null, null";
    ListSum: "list.sum", Method, Elementwise, "list > rule (sum)", [],
        "null in, null out; empty is 0", "Sum of the elements.", "l = [2, 1], [], null" => "nw.col('l').list.sum()" => "3, 0, null";
    ListMean: "list.mean", Method, Elementwise, "list > rule (float)", [],
        "null in, null out", "Mean of the elements.", "l = [2, 1], [], null" => "nw.col('l').list.mean()" => "1.5, null, null";
    ListMedian: "list.median", Method, Elementwise, "list > rule (float)", [],
        "null in, null out", "Median of the elements.", "l = [1, 2, 9], [], null" => "nw.col('l').list.median()" => "2.0, null, null";
    StructField: "struct.field", Method, Elementwise, "any > rule (type of the field)", [param("name", Str).says("name of the field")],
        "null struct, null out", "Field of a struct.", "p = {a: 1, b: 'x'}, null" => "nw.col('p').struct.field('a')" => "1, null";
    CatGetCategories: "cat.get_categories", Method, LengthChanging, "text > text", [],
        "none", "The distinct categories of a categorical column.", "c = 'a', 'b', 'a'" => "nw.col('c').cast(nw.Categorical()).cat.get_categories().len()" => "2";
    MapGet: "map.get", Method, Elementwise, "map any > rule (type of the values)", [param("key", Literal).says("the key")],
        "null when absent", "Value under a key.", "m = {'k': 1}, {'z': 2}, null" => "nw.col('m').map.get('k')" => "1, null, null";

    // --- laktory's own ---
    RoundP: "laktory.roundp", Method, Elementwise, "number number > rule (float)", [param("p", Literal).or(D::Float(1.0)).says("the step, such as 0.05")],
        "null in, null out", "Rounded to a multiple of p, halves to even.", "x = 1.13, null" => "nw.col('x').laktory.roundp(0.05)" => "1.15, null";
    ConvertUnits: "laktory.convert_units", Method, Elementwise, "number > float64", [param("input_unit", Str).says("unit of the values, such as `km`"), param("output_unit", Str).says("wanted unit, of the same kind, such as `m`")],
        "null in, null out", "Value in another unit of measurement.", "x = 1.5, null" => "nw.col('x').laktory.convert_units('km', 'm')" => "1500.0, null";
    StringSplit: "laktory.string_split", Method, Elementwise, "text > text", [param("pattern", Str).says("literal separator"), param("key", Int).says("number of the part, from 0")],
        "null when out of range", "Part number key (from 0) of a text split at a literal pattern.", "s = 'a-b', 'a', null" => "nw.col('s').laktory.string_split('-', 1)" => "'b', null, null";
    CurrentTimestamp: "laktory.current_timestamp", Function, Elementwise, "> utc", [],
        "never null", "Start of the run, as UTC microseconds.", "x = 1, 2" => "nw.laktory.current_timestamp().dt.year() > 2000" => "true, true";

    // --- what `+`, `-`, `*` and `sum` become once types are known (`laktory_core::typing`) ---
    ExactAdd: "exact.add", Operator, Elementwise, "any any > rule (64-bit integer, or decimal)", [OTHER],
        "null in, null out", "Sum of integers in 64 bits, or of decimals with all digits; what has more is an error.", "x = 1, null" => "nw.exact.add('x', 10)" => "11, null";
    ExactSub: "exact.sub", Operator, Elementwise, "any any > rule (64-bit integer, or decimal)", [OTHER],
        "null in, null out", "Difference of integers in 64 bits, or of decimals with all digits; what has more is an error.", "x = 1, null" => "nw.exact.sub('x', 10)" => "-9, null";
    ExactMul: "exact.mul", Operator, Elementwise, "any any > rule (64-bit integer, or decimal)", [OTHER],
        "null in, null out", "Product of integers in 64 bits, or of decimals with all digits; what has more is an error.", "x = 2, null" => "nw.exact.mul('x', 10)" => "20, null";
    ExactSum: "exact.sum", Operator, Aggregate, "number > rule (64 bits); bool > rule (64 bits); duration > rule (64 bits)", [],
        "skips null; 0 when there is none", "Sum of integers in 64 bits; what has more is an error.", "x = 1, 2, null" => "nw.exact.sum('x')" => "3";
    DecimalSum: "exact.decimal_sum", Operator, Aggregate, "number > rule (38 digits)", [],
        "skips null; null when there is none", "Sum of decimals of many digits; what has more than 38 is an error.", "x = 1, 2, null" => "nw.exact.decimal_sum('x')" => "3";

    // --- SQL, where its meaning is not Narwhals' ---
    SqlDiv: "sql.divide", Operator, Elementwise, "any any > rule (float, or decimal)", [OTHER],
        "null in, null out", "Quotient as in SQL: that of decimals has the digits behind the point that the standard asks for, at least 6.", "x = 7, 0, null" => "nw.sql.divide('x', 2)" => "3.5, 0.0, null";
    SqlMod: "sql.mod", Operator, Elementwise, "any any > rule (as the operands)", [OTHER],
        "null in, null out", "Remainder with the sign of the dividend.", "x = 7, -7, null" => "nw.sql.mod('x', 3)" => "1, -1, null";
    SqlIsTrue: "sql.is_true", Operator, Elementwise, "bool > bool", [],
        "null is false", "Whether the value is true.", "a = true, false, null" => "nw.sql.is_true('a')" => "true, false, false";
    SqlIsFalse: "sql.is_false", Operator, Elementwise, "bool > bool", [],
        "null is false", "Whether the value is false.", "a = true, false, null" => "nw.sql.is_false('a')" => "false, true, false";
    SqlEqNullSafe: "sql.is_not_distinct_from", Operator, Elementwise, "any any > rule (bool)", [OTHER],
        "null equals null", "Equality that is never null.", "a = 1, 1, null; b = 1, null, null" => "nw.sql.is_not_distinct_from('a', nw.col('b'))" => "true, false, true";
    SqlConcat: "sql.concat", Function, Elementwise, "any* > text", [EXPRS],
        "skips null", "Texts joined; nulls are skipped.", "a = 'x', null; b = 'y', 'z'" => "nw.sql.concat('a', 'b')" => "'xy', 'z'";
    SqlLike: "sql.like", Operator, Elementwise, "text > bool", [param("pattern", Str).says("pattern with `%` and `_`"), param("case_insensitive", Bool).says("whether the case of letters does not count"), param("escape", Str).optional().says("character before a `%` or `_` that stands for itself")],
        "null in, null out", "LIKE with % and _.", "s = 'banana', 'cherry', null" => "nw.sql.like('s', 'b_n%', False)" => "true, false, null";
    SqlSingle: "sql.single", Function, Elementwise, "any int > first", [X, param("count", Column).says("how many rows the sub-query has")],
        "null in, null out", "The value of a sub-query, of which `count` were found: an error when there are several.", "x = 5, null; n = 1, 1" => "nw.sql.single('x', 'n')" => "5, null";
    SqlRoundHalfUp: "sql.round_half_up", Function, Elementwise, "number > rule (as the number, decimals with a digit more)", [X, param("decimals", Int).or(D::Int(0)).says("digits behind the point; negative ones round to tens and hundreds")],
        "null in, null out", "Rounded half away from zero, as ROUND of SQL statements; negative decimals round to tens and hundreds.", "x = 2.5, -2.5, null" => "nw.sql.round_half_up('x')" => "3.0, -3.0, null";
    SqlRound: "sql.round", Function, Elementwise, "number > rule (as the number, decimals with a digit more)", [X, DECIMALS],
        "null in, null out", "Rounded half to even, as the reference's ROUND.", "x = 2.5, 3.5, null" => "nw.sql.round('x')" => "2.0, 4.0, null";
    SqlPosition: "sql.position", Function, Elementwise, "text text > int64", [X, param("text", Literal).says("the text that is looked for")],
        "null in, null out", "Position of a text in characters, from 1; 0 when absent.", "s = 'banana', 'cherry', null" => "nw.sql.position('s', 'n')" => "3, 0, null";
    SqlSign: "sql.sign", Function, Elementwise, "number > rule (as the number)", [X],
        "null in, null out", "-1, 0 or 1.", "x = -2, 0, 7, null" => "nw.sql.sign('x')" => "-1, 0, 1, null";
    SqlNullIf: "sql.nullif", Function, Elementwise, "any any > first", [X, param("y", Column).says("the value it is compared with")],
        "null when equal", "Null when both are equal, else the first.", "a = 1, 2, null; b = 1, 1, 1" => "nw.sql.nullif('a', 'b')" => "null, 2, null";
    SqlSum: "sql.sum", Function, Aggregate, "number > rule (64 bits); bool > rule (64 bits); duration > rule (64 bits)", [X],
        "skips null; null when there is none", "Sum as in SQL.", "x = 1, 2, null" => "nw.sql.sum('x')" => "3";
    SqlMax: "sql.max", Function, Aggregate, "any > first", [X],
        "skips null; NaN is greatest", "Greatest value as in SQL.", "x = 1.5, nan, null" => "nw.sql.max('x')" => "nan";
    SqlGreatest: "sql.greatest", Function, Elementwise, "any* > common", [EXPRS],
        "skips null; NaN is greatest", "Greatest across columns, as in SQL.", "a = 1.5, null; b = nan, 3.0" => "nw.sql.greatest('a', 'b')" => "nan, 3.0";
    SqlCountDistinct: "sql.count_distinct", Function, Aggregate, "any > int64", [X],
        "skips null", "Number of distinct values that are not null.", "x = 1, 1, null" => "nw.sql.count_distinct('x')" => "1";
    SqlTan: "sql.tan", Function, Elementwise, "number > float", [X],
        "null in, null out", "Tangent.", "x = 0.0, null" => "nw.sql.tan('x')" => "0.0, null";
    SqlCbrt: "sql.cbrt", Function, Elementwise, "number > float64", [X],
        "null in, null out", "Cube root.", "x = 27.0, null" => "nw.sql.cbrt('x')" => "3.0, null";
    SqlRegexpExtract: "sql.regexp_extract", Function, Elementwise, "text > text", [X, param("pattern", Str).says("regular expression"), param("group", Int).or(D::Int(1)).says("number of the group; 0 is the whole match")],
        "null in, null out", "Group of the first match.", "s = 'id-42', null" => "nw.sql.regexp_extract('s', '([0-9]+)')" => "'42', null";
    SqlSubstring: "sql.substring", Function, Elementwise, "text > text", [X, param("start", Int).says("first character, from 1"), LENGTH],
        "null in, null out", "Characters from position 1.", "s = 'banana', null" => "nw.sql.substring('s', 2, 3)" => "'ana', null";
    SqlReverse: "sql.reverse", Function, Elementwise, "text > text", [X],
        "null in, null out", "Text backwards.", "s = 'abc', null" => "nw.sql.reverse('s')" => "'cba', null";
    SqlQuarter: "sql.quarter", Function, Elementwise, "date > int64; datetime > int64", [X],
        "null in, null out", "Quarter, 1 to 4.", "d = 2024-05-17, null" => "nw.sql.quarter('d')" => "2, null";
    SqlWeek: "sql.week", Function, Elementwise, "date > int64; datetime > int64", [X],
        "null in, null out", "ISO week.", "d = 2024-05-17, null" => "nw.sql.week('d')" => "20, null";
    SqlDayOfWeek: "sql.dow", Function, Elementwise, "date > int64; datetime > int64", [X],
        "null in, null out", "Day of the week, Sunday 0.", "d = 2024-05-19, 2024-05-20, null" => "nw.sql.dow('d')" => "0, 1, null";
}
