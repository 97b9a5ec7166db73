//! Decimals from and to other numbers. Digits that do not fit into the scale are rounded half to even; integers are cut.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use laktory_core::Result;
use laktory_core::semantics::decimal::{divided, power_of_ten};

use super::array::engine;
use crate::error::ResultExt;
use crate::types::{is_decimal, is_integer};

/// A number of another type as a decimal, or a decimal as another number; values that do not fit become null.
pub(super) fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let from = array.data_type();
    if is_decimal(from) {
        let known = wide(array)?;
        return match to {
            DataType::Decimal128(precision, scale) => rescale(&known, *precision, *scale),
            to if is_integer(to) => {
                let divisor = power(known.scale()).unwrap_or(i128::MAX);
                let whole = known
                    .unary::<_, Decimal128Type>(|value| value / divisor)
                    .with_precision_and_scale(38, 0)
                    .or_error()?;
                engine(&(Arc::new(whole) as ArrayRef), to, false)
            }
            DataType::Boolean => Ok(Arc::new(
                datafusion::arrow::array::BooleanArray::from_unary(&known, |value| value != 0),
            )),
            to => engine(array, to, false),
        };
    }
    let DataType::Decimal128(precision, scale) = to else {
        return engine(array, to, false);
    };
    if from.is_floating() {
        return of_floats(array, *precision, *scale);
    }
    let out = engine(array, to, false)?;
    Ok(within(out.as_primitive(), *precision))
}

/// Floats, rounded as decimals are, where the engine rounds half away from zero.
fn of_floats(array: &ArrayRef, precision: u8, scale: i8) -> Result<ArrayRef> {
    let floats = engine(array, &DataType::Float64, false)?;
    let factor = 10_f64.powi(scale.into());
    let out: Decimal128Array = floats.as_primitive::<Float64Type>().unary_opt(|value| {
        let units = (value * factor).round_ties_even();
        #[allow(
            clippy::cast_possible_truncation,
            reason = "whole, and within 38 digits"
        )]
        (units.abs() < 1e38).then_some(units as i128)
    });
    let out = out.with_precision_and_scale(precision, scale).or_error()?;
    Ok(within(&out, precision))
}

/// Decimals of any width in 128 bits.
fn wide(array: &ArrayRef) -> Result<Decimal128Array> {
    let scale = match array.data_type() {
        DataType::Decimal128(..) => return Ok(array.as_primitive::<Decimal128Type>().clone()),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    };
    let wide = engine(array, &DataType::Decimal128(38, scale), false)?;
    Ok(wide.as_primitive::<Decimal128Type>().clone())
}

fn rescale(known: &Decimal128Array, precision: u8, scale: i8) -> Result<ArrayRef> {
    let from = known.scale();
    let out: Decimal128Array = if scale >= from {
        let factor = power(scale - from);
        known.unary_opt(|value| value.checked_mul(factor?))
    } else {
        let divisor = power(from - scale).unwrap_or(i128::MAX);
        known.unary(|value| divided(value, divisor))
    };
    let out = out.with_precision_and_scale(precision, scale).or_error()?;
    Ok(within(&out, precision))
}

/// Decimals of which those with too many digits are null.
pub(super) fn within(values: &Decimal128Array, precision: u8) -> ArrayRef {
    let fitting = values.null_if_overflow_precision(precision);
    Arc::new(fitting.with_data_type(values.data_type().clone()))
}

/// 10 to the power of an exponent, if that is a number of at most 38 digits.
pub(in crate::funcs) fn power(exponent: i8) -> Option<i128> {
    power_of_ten(u32::try_from(exponent).ok()?)
}

/// The decimal of a text such as `-12.345`, counted in units of the scale; `None` when it is none.
pub(super) fn parse(text: &str, scale: i8) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all(whole) || !all(fraction) {
        return None;
    }
    let scale = usize::try_from(scale).ok()?;
    // Digits beyond 38 cannot change a value but by rounding.
    let fraction = &fraction[..fraction.len().min(38)];
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10)?.checked_add((digit - b'0').into())?;
    }
    let places = fraction.len();
    let value = if places <= scale {
        value.checked_mul(power(i8::try_from(scale - places).ok()?)?)?
    } else {
        divided(value, power(i8::try_from(places - scale).ok()?)?)
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_half_to_even() {
        for (text, expected) in [
            ("1.25", Some(125)),
            ("-0.005", Some(0)),
            ("0.015", Some(2)),
            ("10", Some(1_000)),
            ("+.5", Some(50)),
            ("5.", Some(500)),
            ("", None),
            (" 3", None),
            (".", None),
            ("1e3", None),
        ] {
            assert_eq!(parse(text, 2), expected, "{text}");
        }
    }
}
