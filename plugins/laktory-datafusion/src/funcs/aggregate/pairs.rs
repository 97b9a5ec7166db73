//! Correlation and covariance, over the rows where both sides have a value.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::correlation::corr_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::covariance::{covar_pop_udaf, covar_samp_udaf};
use datafusion::logical_expr::{lit, when};
use laktory_core::Result;

use super::moments::rescaled;
use super::over::{Over, of};
use super::sum::floats;
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::kernel::collect::Groups;
use crate::types::is_number;

/// Both sides as floats, the type of the result, and the rows.
fn sides<'s>(call: &'s Call<'_, '_>) -> Result<([Value; 2], DataType, Over<'s>)> {
    let ((a, b), over) = of(call, || Ok((call.value("a")?, call.value("b")?)))?;
    for side in [&a, &b] {
        if !is_number(&side.dtype) && !matches!(side.dtype, DataType::Null | DataType::Boolean) {
            return Err(call.mismatch(&side.dtype));
        }
    }
    let output = match (&a.dtype, &b.dtype) {
        (DataType::Float32, DataType::Float32) => DataType::Float32,
        _ => DataType::Float64,
    };
    Ok(([floats(a)?, floats(b)?], output, over))
}

/// The correlation coefficient; NaN when it is undefined, null when there is no pair.
pub(super) fn corr(call: &Call<'_, '_>) -> Result<Value> {
    let (sides, output, over) = sides(call)?;
    let pairs = over.call(count_udaf(), vec![paired(&sides)?], DataType::Int64);
    let correlation = match call.text("method")? {
        "pearson" => over.call(corr_udaf(), sides.into(), DataType::Float64),
        "spearman" => over.collect("spearman", sides.into(), DataType::Float64, spearman),
        _ => return Err(call.invalid("`method` is `pearson` or `spearman`")),
    };
    let defined = coalesce(vec![correlation.expr, lit(f64::NAN)]);
    let correlation = Value {
        expr: when(pairs.expr.gt(lit(0_i64)), defined).end().or_error()?,
        dtype: DataType::Float64,
    };
    convert(correlation, &output)
}

/// A value where both sides have one.
fn paired([a, b]: &[Value; 2]) -> Result<Value> {
    let pair = when(a.expr.clone().is_not_null(), b.expr.clone());
    Ok(Value {
        expr: pair.end().or_error()?,
        dtype: DataType::Float64,
    })
}

/// The covariance; null when there are no more pairs than `ddof`.
pub(super) fn cov(call: &Call<'_, '_>) -> Result<Value> {
    let ddof = call.ddof()?;
    let (sides, output, over) = sides(call)?;
    let covariance = match ddof {
        1 => over.call(covar_samp_udaf(), sides.into(), DataType::Float64),
        0 => over.call(covar_pop_udaf(), sides.into(), DataType::Float64),
        _ => {
            let pair = paired(&sides)?;
            let population = over.call(covar_pop_udaf(), sides.into(), DataType::Float64);
            rescaled(&over, population, pair, ddof)?
        }
    };
    convert(covariance, &output)
}

fn spearman(groups: &Groups) -> Result<ArrayRef> {
    let a = groups.column(0).as_primitive::<Float64Type>();
    let b = groups.column(1).as_primitive::<Float64Type>();
    let results: Float64Array = groups
        .ranges()
        .map(|range| {
            let (left, right): (Vec<f64>, Vec<f64>) = range
                .filter(|row| a.is_valid(*row) && b.is_valid(*row))
                .map(|row| (a.value(row), b.value(row)))
                .unzip();
            pearson(&ranks(&left), &ranks(&right))
        })
        .collect();
    Ok(Arc::new(results))
}

/// The rank of each value from 1; equal values share the mean of theirs. NaN is greatest.
#[allow(clippy::cast_precision_loss, reason = "positions")]
fn ranks(values: &[f64]) -> Vec<f64> {
    let order = |a: f64, b: f64| {
        a.partial_cmp(&b)
            .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    };
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_unstable_by(|a, b| order(values[*a], values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut rank = 1;
    for ties in rows.chunk_by(|a, b| order(values[*a], values[*b]).is_eq()) {
        let mean = rank as f64 + (ties.len() - 1) as f64 / 2.0;
        for row in ties {
            ranks[*row] = mean;
        }
        rank += ties.len();
    }
    ranks
}

/// The correlation coefficient, if it is defined.
#[allow(clippy::cast_precision_loss, reason = "a count")]
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    let square: f64 = aa * bb;
    (square > 0.0).then(|| ab / square.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, f64::NAN]), [2.5, 1.0, 2.5, 4.0]);
        assert_eq!(pearson(&[1.0, 2.0], &[2.0, 1.0]), Some(-1.0));
        assert_eq!(pearson(&[1.0, 1.0], &[2.0, 1.0]), None);
    }
}
