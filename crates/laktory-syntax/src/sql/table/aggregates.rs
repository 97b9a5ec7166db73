//! Aggregates.

use laktory_core::Func;

use super::Shape::{Of, OwnAggregate as Own};
use super::Target::{Exprs, With};
use super::{Fixed, SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["COUNT"] "x", "any > int64", Own, Everywhere,
        "skips null; `COUNT(*)` counts rows", "Number of values, of distinct ones with `COUNT(DISTINCT x)`, of rows with `COUNT(*)`.", "x = 1, 1, null" => "COUNT(x)" => "2";
    ["COUNT_IF", "COUNTIF"] "condition", "bool > int64", Own, Everywhere,
        "null does not count", "Number of rows for which a condition holds.", "x = 1, 5, null" => "COUNT_IF(x > 2)" => "1";
    ["APPROX_COUNT_DISTINCT"] "x", "any > int64", Own, Everywhere,
        "skips null", "Number of distinct values; exact here.", "x = 1, 1, null" => "APPROX_COUNT_DISTINCT(x)" => "1";
    ["SUM"] "x", "number > rule (64 bits)", Of(1, 1, Exprs(Func::SqlSum)), Everywhere,
        "skips null; null when there is none", "Sum. Integers have 64 bits; what has more is an error.", "x = 1, 2, null" => "SUM(x)" => "3";
    ["AVG", "MEAN"] "x", "number > float", Of(1, 1, Exprs(Func::Mean)), Everywhere,
        "skips null", "Arithmetic mean.", "x = 1, 2, null" => "AVG(x)" => "1.5";
    ["MIN"] "x", "any > first", Of(1, 1, Exprs(Func::Min)), Everywhere,
        "skips null", "Smallest value.", "x = 1, 2, null" => "MIN(x)" => "1";
    ["MAX"] "x", "any > first", Of(1, 1, Exprs(Func::SqlMax)), Everywhere,
        "skips null; NaN is greatest", "Greatest value.", "x = 1, 2, null" => "MAX(x)" => "2";
    ["MEDIAN"] "x", "number > float", Of(1, 1, Exprs(Func::Median)), Everywhere,
        "skips null", "Median.", "x = 1.0, 2.0, 9.0, null" => "MEDIAN(x)" => "2.0";
    ["PERCENTILE_CONT"] "q) WITHIN GROUP (ORDER BY x", "number > float", Own, Everywhere,
        "skips null", "Quantile between 0 and 1, interpolated; q is a constant.", "x = 1.0, 2.0, 3.0, 4.0" => "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)" => "2.5";
    ["QUANTILE_CONT", "PERCENTILE"] "x, q", "number > float", Own, Everywhere,
        "skips null", "The same, written as a plain call.", "x = 1.0, 2.0, 3.0, 4.0" => "PERCENTILE(x, 0.5)" => "2.5";
    ["STDDEV", "STD", "STDEV", "STDDEV_SAMP"] "x", "number > float", Of(1, 1, With(Func::Std, &[Fixed::Int(1)])), Everywhere,
        "skips null", "Standard deviation of a sample.", "x = 1.0, 3.0, 5.0, null" => "STDDEV(x)" => "2.0";
    ["STDDEV_POP"] "x", "number > float", Of(1, 1, With(Func::Std, &[Fixed::Int(0)])), Everywhere,
        "skips null", "Standard deviation of the population.", "x = 1.0, 3.0, null" => "STDDEV_POP(x)" => "1.0";
    ["VARIANCE", "VAR", "VAR_SAMP"] "x", "number > float", Of(1, 1, With(Func::Var, &[Fixed::Int(1)])), Everywhere,
        "skips null", "Variance of a sample.", "x = 1.0, 3.0, 5.0, null" => "VARIANCE(x)" => "4.0";
    ["VAR_POP"] "x", "number > float", Of(1, 1, With(Func::Var, &[Fixed::Int(0)])), Everywhere,
        "skips null", "Variance of the population.", "x = 1.0, 3.0, null" => "VAR_POP(x)" => "1.0";
    ["SKEWNESS"] "x", "number > float", Of(1, 1, Exprs(Func::Skew)), Everywhere,
        "skips null", "Skewness, biased.", "x = 1.0, 2.0, 3.0" => "SKEWNESS(x)" => "0.0";
    ["KURTOSIS"] "x", "number > float", Of(1, 1, Exprs(Func::Kurtosis)), Everywhere,
        "skips null", "Excess kurtosis, biased.", "x = 1.0, 2.0, 3.0" => "KURTOSIS(x)" => "-1.5";
    ["CORR"] "a, b", "number number > float64", Own, Everywhere,
        "skips pairs with null", "Correlation coefficient of Pearson.", "a = 1.0, 2.0, 3.0; b = 2.0, 4.0, 6.0" => "CORR(a, b)" => "1.0";
    ["COVAR_SAMP"] "a, b", "number number > float64", Own, Everywhere,
        "skips pairs with null", "Covariance of a sample.", "a = 1.0, 2.0, 3.0; b = 2.0, 4.0, 6.0" => "COVAR_SAMP(a, b)" => "2.0";
    ["COVAR_POP"] "a, b", "number number > float64", Own, Everywhere,
        "skips pairs with null", "Covariance of the population.", "a = 1.0, 3.0; b = 2.0, 6.0" => "COVAR_POP(a, b)" => "2.0";
    ["BOOL_AND", "EVERY", "LOGICAL_AND"] "x", "bool > bool", Of(1, 1, Exprs(Func::All)), Everywhere,
        "skips null", "Whether every value is true.", "b = true, false, null" => "BOOL_AND(b)" => "false";
    ["BOOL_OR", "SOME", "LOGICAL_OR"] "x", "bool > bool", Of(1, 1, Exprs(Func::Any)), Everywhere,
        "skips null", "Whether at least one value is true.", "b = true, false, null" => "BOOL_OR(b)" => "true";
    ["ANY_VALUE"] "x", "any > first", Of(1, 1, With(Func::AnyValue, &[Fixed::Bool(true)])), Everywhere,
        "skips null", "Some value.", "x = 7, 7, null" => "ANY_VALUE(x)" => "7";
    ["FIRST"] "x", "any > first", Of(1, 1, With(Func::First, &[Fixed::Absent])), Statements,
        "may be null", "Some value of the first row, as the engine has its rows. An order says `FIRST_VALUE(x) OVER (ORDER BY t)`.", "x = 7, 7" => "FIRST(x)" => "7";
    ["LAST"] "x", "any > first", Of(1, 1, With(Func::Last, &[Fixed::Absent])), Statements,
        "may be null", "Some value of the last row, as the engine has its rows.", "x = 7, 7" => "LAST(x)" => "7";
};
