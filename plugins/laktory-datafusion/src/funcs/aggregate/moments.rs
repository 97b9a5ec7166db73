//! Variance and the moments above it.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::functions::math::expr_fn::sqrt;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::{Expr as PlanExpr, lit, when};
use laktory_core::Result;

use super::over::{Over, this};
use super::sum::{Averaged, floats};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::types::is_number;

/// The variance, or its root.
pub(super) fn spread(call: &Call<'_, '_>, root: bool) -> Result<Value> {
    let ddof = call.ddof()?;
    let (value, over) = this(call)?;
    if value.dtype == DataType::Null {
        return Ok(over.nothing(value));
    }
    let rule = match &value.dtype {
        DataType::Boolean => Averaged::of(&value.dtype),
        number if is_number(number) => Averaged::of(number),
        _ => None,
    };
    let rule = rule.ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    let variance = match ddof {
        1 => over.call(var_samp_udaf(), vec![value], DataType::Float64),
        0 => {
            // The engine says zero for a single value without looking at it; that of infinity and NaN is NaN.
            let mean = over.call(avg_udaf(), vec![value.clone()], DataType::Float64);
            let spread = over.call(var_pop_udaf(), vec![value], DataType::Float64);
            spread.map(|spread| spread + (mean.expr.clone() - mean.expr))
        }
        _ => {
            let population = over.call(var_pop_udaf(), vec![value.clone()], DataType::Float64);
            rescaled(&over, population, value, ddof)?
        }
    };
    rule.result(if root { variance.map(sqrt) } else { variance })
}

/// A moment over the population as that of a sample: times n / (n - ddof), null when there are no more values than that.
pub(super) fn rescaled(
    over: &Over<'_>,
    population: Value,
    counted: Value,
    ddof: u8,
) -> Result<Value> {
    let n = over.call(count_udaf(), vec![counted], DataType::Int64);
    let n = convert(n, &DataType::Float64)?.expr;
    let ddof = lit(f64::from(ddof));
    let scaled: PlanExpr = population.expr * n.clone() / (n.clone() - ddof.clone());
    Ok(Value {
        expr: when(n.gt(ddof), scaled).end().or_error()?,
        dtype: DataType::Float64,
    })
}

/// The skewness of the population.
pub(super) fn skew(call: &Call<'_, '_>) -> Result<Value> {
    shape(call, "skew", |[m2, m3, _]| m3 / m2.powf(1.5))
}

/// The kurtosis of the population, beyond that of the normal distribution.
pub(super) fn kurtosis(call: &Call<'_, '_>) -> Result<Value> {
    shape(call, "kurtosis", |[m2, _, m4]| m4 / (m2 * m2) - 3.0)
}

/// A function of the second to fourth central moment; NaN when all values are equal, null when there are none.
fn shape(call: &Call<'_, '_>, name: &'static str, of: fn([f64; 3]) -> f64) -> Result<Value> {
    let (value, over) = this(call)?;
    if !is_number(&value.dtype) && !matches!(value.dtype, DataType::Null | DataType::Boolean) {
        return Err(call.mismatch(&value.dtype));
    }
    let value = floats(value)?;
    Ok(
        over.collect(name, vec![value], DataType::Float64, move |groups| {
            let column = groups.column(0).as_primitive::<Float64Type>();
            let results: Float64Array = groups
                .ranges()
                .map(|range| {
                    let part = column.slice(range.start, range.len());
                    moments(&part).map(|(mean, moments)| {
                        if moments[0] <= (f64::EPSILON * mean).powi(2) {
                            f64::NAN
                        } else {
                            of(moments)
                        }
                    })
                })
                .collect();
            Ok(Arc::new(results))
        }),
    )
}

/// The mean and the second to fourth central moment of the values that are not null.
fn moments(values: &Float64Array) -> Option<(f64, [f64; 3])> {
    let count = values.iter().flatten().count();
    if count == 0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let n = count as f64;
    let mean = values.iter().flatten().sum::<f64>() / n;
    let mut sums = [0.0; 3];
    for value in values.iter().flatten() {
        let away = value - mean;
        let square = away * away;
        sums[0] += square;
        sums[1] += square * away;
        sums[2] += square * square;
    }
    Some((mean, sums.map(|sum| sum / n)))
}
