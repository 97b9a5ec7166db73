//! Exponentially weighted means.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use laktory_core::Result;

use super::{along, this};
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::aggregate::floats;
use crate::funcs::cast::convert;
use crate::types::is_number;

#[derive(Clone, Copy, Debug)]
struct Weights {
    alpha: f64,
    /// Whether the first value weighs as much as the others, rather than as all that could have come before.
    adjust: bool,
    min_samples: usize,
    /// Whether nulls take no time.
    ignore_nulls: bool,
}

/// The exponentially weighted mean up to each row.
pub(super) fn mean(call: &Call<'_, '_>) -> Result<Value> {
    let weights = Weights {
        alpha: alpha(call)?,
        adjust: call.flag("adjust")?,
        min_samples: call.count("min_samples")?.max(1),
        ignore_nulls: call.flag("ignore_nulls")?,
    };
    let value = this(call)?;
    let output = match &value.dtype {
        DataType::Float16 | DataType::Float32 => value.dtype.clone(),
        DataType::Null | DataType::Boolean => DataType::Float64,
        number if is_number(number) => DataType::Float64,
        other => return Err(call.mismatch(other)),
    };
    let value = floats(value)?;
    let name = format!("ewm_mean({weights:?})");
    let means = along(call, name, value, DataType::Float64, move |array| {
        let means: Float64Array = weighted(array.as_primitive::<Float64Type>(), weights);
        Ok(Arc::new(means))
    })?;
    convert(means, &output)
}

fn alpha(call: &Call<'_, '_>) -> Result<f64> {
    let given = [
        call.opt_float("com")?,
        call.opt_float("span")?,
        call.opt_float("half_life")?,
        call.opt_float("alpha")?,
    ];
    if given.iter().flatten().count() != 1 {
        return Err(call.invalid("give exactly one of `com`, `span`, `half_life` and `alpha`"));
    }
    match given {
        [Some(com), ..] if com >= 0.0 => Ok(1.0 / (1.0 + com)),
        [_, Some(span), ..] if span >= 1.0 => Ok(2.0 / (span + 1.0)),
        [_, _, Some(half_life), _] if half_life > 0.0 => {
            Ok(1.0 - (-std::f64::consts::LN_2 / half_life).exp())
        }
        [_, _, _, Some(alpha)] if alpha > 0.0 && alpha <= 1.0 => Ok(alpha),
        _ => Err(call
            .invalid("out of range: `com` >= 0, `span` >= 1, `half_life` > 0, 0 < `alpha` <= 1")),
    }
}

fn weighted(values: &Float64Array, weights: Weights) -> Float64Array {
    let own = if weights.adjust { 1.0 } else { weights.alpha };
    let mut seen = 0;
    let mut mean = 0.0;
    // Of all values so far.
    let mut weight = 0.0;
    values
        .iter()
        .map(|value| {
            if seen > 0 && (value.is_some() || !weights.ignore_nulls) {
                weight *= 1.0 - weights.alpha;
            }
            let value = value?;
            if seen == 0 {
                mean = value;
                weight = 1.0;
            } else {
                mean += (value - mean) * (own / (weight + own));
                weight = if weights.adjust { weight + 1.0 } else { 1.0 };
            }
            seen += 1;
            (seen >= weights.min_samples).then_some(mean)
        })
        .collect()
}
