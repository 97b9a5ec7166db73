//! One of the values: the smallest, greatest, first, last, most frequent or any.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use laktory_core::{Arg, Result};

use super::over::this;
use crate::error::ResultExt;
use crate::expr::{Value, group_key};
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::kernel::reduced::Reduce;
use crate::kernel::{kernel, rows};
use crate::types::{is_float, is_number, is_text};

/// The smallest or greatest value; NaN only where there is nothing else.
pub(super) fn extreme(call: &Call<'_, '_>, greatest: bool) -> Result<Value> {
    found(call, greatest, greatest)
}

/// The greatest value; NaN is greater than all.
pub(super) fn sql_max(call: &Call<'_, '_>) -> Result<Value> {
    found(call, true, false)
}

fn found(call: &Call<'_, '_>, greatest: bool, nan_least: bool) -> Result<Value> {
    let (value, over) = this(call)?;
    let function = if greatest { max_udaf() } else { min_udaf() };
    let dtype = value.dtype.clone();
    match &dtype {
        DataType::Null => Ok(over.nothing(value)),
        float if is_float(float) => {
            let key = float_key(value, nan_least)?;
            let found = over.call(function, vec![key], DataType::Int64);
            convert(of_float_key(found, nan_least), float)
        }
        DataType::Dictionary(..) if is_text(&dtype) => {
            let text = convert(value, &DataType::Utf8View)?;
            let found = over.call(function, vec![text], DataType::Utf8View);
            convert(found, &dtype)
        }
        known if is_number(known) || is_text(known) || is_ordered(known) => {
            Ok(over.call(function, vec![value], dtype.clone()))
        }
        other => Err(call.mismatch(other)),
    }
}

fn is_ordered(dtype: &DataType) -> bool {
    dtype.is_temporal()
        || matches!(
            dtype,
            DataType::Boolean
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
        )
}

/// Floats as integers in the same order, so that the engine compares them as numbers. NaN lies below all, or above all.
pub(super) fn float_key(value: Value, nan_least: bool) -> Result<Value> {
    let nan = nan_key(nan_least);
    let value = convert(value, &DataType::Float64)?;
    Ok(kernel(
        format!("float_key({nan_least})"),
        vec![value],
        DataType::Int64,
        move |args| {
            let keys = args[0]
                .as_primitive::<Float64Type>()
                .unary::<_, Int64Type>(|value| {
                    if value.is_nan() {
                        nan
                    } else {
                        // Minus zero plus zero is zero.
                        flipped((value + 0.0).to_bits().cast_signed())
                    }
                });
            Ok(Arc::new(keys))
        },
    ))
}

fn nan_key(nan_least: bool) -> i64 {
    if nan_least { i64::MIN } else { i64::MAX }
}

/// Between the bits of a float and an integer of the same order; the way back is the same.
fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The float of a key.
fn of_float_key(key: Value, nan_least: bool) -> Value {
    let nan = nan_key(nan_least);
    kernel(
        format!("of_float_key({nan_least})"),
        vec![key],
        DataType::Float64,
        move |args| {
            let floats = args[0]
                .as_primitive::<Int64Type>()
                .unary::<_, Float64Type>(|key| {
                    if key == nan {
                        f64::NAN
                    } else {
                        f64::from_bits(flipped(key).cast_unsigned())
                    }
                });
            Ok(Arc::new(floats))
        },
    )
}

/// The first or last value, in the order given, or in that of the window.
pub(super) fn end(call: &Call<'_, '_>, last: bool) -> Result<Value> {
    let (value, over) = this(call)?;
    let order_by = match call.arg("order_by") {
        Arg::Absent => Vec::new(),
        _ => call
            .values("order_by")?
            .into_iter()
            .map(|key| group_key(key).expr.sort(true, true))
            .collect(),
    };
    let function = if last {
        last_value_udaf()
    } else {
        first_value_udaf()
    };
    over.ordered(function, value, order_by)
}

/// Some value.
pub(super) fn any_value(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    let mut over = over.unreduced();
    if call.flag("ignore_nulls")? {
        over = over.where_true(value.expr.clone().is_not_null());
    }
    over.ordered(first_value_udaf(), value, Vec::new())
}

/// The most frequent values, of which `any` keeps one.
pub(super) fn mode(call: &Call<'_, '_>) -> Result<Value> {
    match call.text("keep")? {
        "any" => {}
        "all" => {
            let value = call.receiver()?;
            call.lower.reduce(Reduce::Modes, value.expr.clone())?;
            return Ok(value);
        }
        _ => return Err(call.invalid("`keep` is `all` or `any`")),
    }
    let (value, over) = this(call)?;
    let dtype = value.dtype.clone();
    Ok(over.collect("mode", vec![value], dtype, |groups| {
        let column = groups.column(0);
        let keys = rows::keys(std::slice::from_ref(column), false)?;
        let found: UInt64Array = groups
            .ranges()
            .map(|range| {
                let modes = Reduce::Modes.rows(&keys, range);
                modes.first().map(|row| *row as u64)
            })
            .collect();
        take(column, &found, None).or_error()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_floats_are_in_their_order() {
        let floats = [
            f64::NEG_INFINITY,
            -1.5,
            -f64::MIN_POSITIVE,
            0.0,
            2.0,
            f64::MAX,
            f64::INFINITY,
        ];
        let key = |float: f64| flipped(float.to_bits().cast_signed());
        assert!(floats.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        for float in floats {
            assert_eq!(flipped(key(float)).cast_unsigned(), float.to_bits());
            assert!(i64::MIN < key(float) && key(float) < i64::MAX);
        }
    }
}
