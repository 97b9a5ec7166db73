//! Quantiles, of which the median is one.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use laktory_core::Result;

use super::over::this;
use super::sum::{Averaged, floats};
use crate::expr::Value;
use crate::funcs::Call;

/// What lies between two values.
#[derive(Clone, Copy, Debug)]
enum Interpolation {
    Nearest,
    Higher,
    Lower,
    Midpoint,
    Linear,
}

/// The median.
pub(super) fn median(call: &Call<'_, '_>) -> Result<Value> {
    at(call, 0.5, Interpolation::Linear)
}

/// A quantile.
pub(super) fn quantile(call: &Call<'_, '_>) -> Result<Value> {
    let interpolation = match call.text("interpolation")? {
        "nearest" => Interpolation::Nearest,
        "higher" => Interpolation::Higher,
        "lower" => Interpolation::Lower,
        "midpoint" => Interpolation::Midpoint,
        "linear" => Interpolation::Linear,
        _ => return Err(call.invalid("unknown `interpolation`")),
    };
    let quantile = call.float("quantile")?;
    if !(0.0..=1.0).contains(&quantile) {
        return Err(call.invalid("`quantile` lies between 0 and 1"));
    }
    at(call, quantile, interpolation)
}

fn at(call: &Call<'_, '_>, quantile: f64, interpolation: Interpolation) -> Result<Value> {
    let (value, over) = this(call)?;
    let rule = Averaged::of(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    let name = format!("quantile({quantile},{interpolation:?})");
    let result = over.collect(name, vec![value], DataType::Float64, move |groups| {
        let column = groups.column(0).as_primitive::<Float64Type>();
        let mut values = Vec::new();
        let results: Float64Array = groups
            .ranges()
            .map(|range| {
                values.clear();
                values.extend(column.slice(range.start, range.len()).iter().flatten());
                of(&mut values, quantile, interpolation)
            })
            .collect();
        Ok(Arc::new(results))
    });
    rule.result(result)
}

/// NaN is greater than everything, whatever its sign.
fn order(a: &f64, b: &f64) -> std::cmp::Ordering {
    a.partial_cmp(b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions among the values"
)]
fn of(values: &mut [f64], quantile: f64, interpolation: Interpolation) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let position = last as f64 * quantile;
    let below = match interpolation {
        Interpolation::Nearest => position.round() as usize,
        Interpolation::Higher => position.ceil() as usize,
        _ => position as usize,
    }
    .min(last);
    let above = (position.ceil() as usize).min(last);
    let (_, lower, rest) = values.select_nth_unstable_by(below, order);
    let lower = *lower;
    if above <= below {
        return Some(lower);
    }
    let upper = || rest.iter().copied().min_by(order);
    match interpolation {
        Interpolation::Midpoint => upper().map(|upper| between(lower, upper, 0.5)),
        Interpolation::Linear => {
            upper().map(|upper| between(lower, upper, position - below as f64))
        }
        _ => Some(lower),
    }
}

fn between(lower: f64, upper: f64, part: f64) -> f64 {
    if lower == upper {
        lower
    } else {
        lower + part * (upper - lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolations_between_two_values() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        let expected = [
            (Interpolation::Nearest, 2.0),
            (Interpolation::Higher, 3.0),
            (Interpolation::Lower, 2.0),
            (Interpolation::Midpoint, 2.5),
            (Interpolation::Linear, 2.2),
        ];
        for (interpolation, result) in expected {
            let found = of(&mut values, 0.4, interpolation).unwrap();
            assert!((found - result).abs() < 1e-12, "{interpolation:?}");
        }
        assert_eq!(of(&mut [], 0.5, Interpolation::Linear), None);
        assert_eq!(of(&mut [7.0], 1.0, Interpolation::Linear), Some(7.0));
    }

    #[test]
    fn nan_is_greatest() {
        let mut values = [f64::NAN, 1.5, -2.0];
        assert_eq!(of(&mut values, 0.5, Interpolation::Linear), Some(1.5));
        assert!(
            of(&mut values, 1.0, Interpolation::Linear)
                .unwrap()
                .is_nan()
        );
    }
}
