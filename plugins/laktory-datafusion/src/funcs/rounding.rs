//! Rounding of numbers, and bounds of values.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type};
use datafusion::functions::math::expr_fn::isnan;
use datafusion::logical_expr::{Case, Expr as PlanExpr};
use laktory_core::semantics::decimal::divided;
use laktory_core::{Error, ErrorKind, Func, Result};

use super::cast::convert;
use super::numeric::{floating, numeric, power_of_ten};
use super::{Call, FULL, Row};
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_float, is_number, is_text};

pub(super) const ROWS: &[Row] = &[
    (Func::Floor, FULL, |call| {
        rounded(call, "floor", f64::floor, |value, unit| {
            value.div_euclid(unit) * unit
        })
    }),
    (Func::Ceil, FULL, |call| {
        rounded(call, "ceil", f64::ceil, |value, unit| {
            -((-value).div_euclid(unit)) * unit
        })
    }),
    (Func::Round, FULL, round),
    (Func::Clip, FULL, clip),
];

/// A rounding that leaves integers as they are, and works on decimals by multiples of one.
fn rounded(
    call: &Call<'_, '_>,
    name: &str,
    float: fn(f64) -> f64,
    decimal: fn(i128, i128) -> i128,
) -> Result<Value> {
    let value = numeric(call, call.receiver()?)?;
    match value.dtype.clone() {
        DataType::Float32 | DataType::Float64 => floating(call, name, float),
        DataType::Decimal128(precision, scale) => {
            let dtype = DataType::Decimal128(precision, scale);
            let output = dtype.clone();
            let unit = power_of_ten(scale)?;
            Ok(kernel(
                format!("{name} decimal"),
                vec![value],
                dtype,
                move |args| {
                    let out: Decimal128Array = args[0]
                        .as_primitive::<Decimal128Type>()
                        .unary(|value| decimal(value, unit));
                    of_type(out, &output)
                },
            ))
        }
        _ => Ok(value),
    }
}

/// Rounded decimals as values of their type, which may be too short for them: 9.99 becomes 10.00.
fn of_type(values: Decimal128Array, dtype: &DataType) -> Result<ArrayRef> {
    let values = values.with_data_type(dtype.clone());
    match dtype {
        DataType::Decimal128(digits, _) if values.validate_decimal_precision(*digits).is_err() => {
            let message = format!("a rounded number has more than {digits} digits");
            Err(Error::new(ErrorKind::OutOfBounds, message)
                .with_hint("cast it to a decimal of more digits before"))
        }
        _ => Ok(Arc::new(values)),
    }
}

/// Rounded to decimals, halves to even.
fn round(call: &Call<'_, '_>) -> Result<Value> {
    let decimals = call.int("decimals")?;
    let value = numeric(call, call.receiver()?)?;
    half_even(value, decimals)
}

/// A number rounded to decimals, halves to even; integers stay as they are.
fn half_even(value: Value, decimals: i64) -> Result<Value> {
    let dtype = value.dtype.clone();
    let output = dtype.clone();
    let places = i32::try_from(decimals)
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, "`round`: too many decimals"))?;
    let name = format!("round {decimals}");
    match dtype.clone() {
        DataType::Float32 => Ok(kernel(name, vec![value], dtype, move |args| {
            let factor = 10_f32.powi(places);
            let out: Float32Array = args[0].as_primitive::<Float32Type>().unary(|value| {
                let rounded = (value * factor).round_ties_even() / factor;
                if rounded.is_finite() { rounded } else { value }
            });
            Ok(Arc::new(out))
        })),
        DataType::Float64 => Ok(kernel(name, vec![value], dtype, move |args| {
            let factor = 10_f64.powi(places);
            let out: Float64Array = args[0].as_primitive::<Float64Type>().unary(|value| {
                let rounded = (value * factor).round_ties_even() / factor;
                if rounded.is_finite() { rounded } else { value }
            });
            Ok(Arc::new(out))
        })),
        DataType::Decimal128(_, scale) if i64::from(scale) > decimals => {
            let cut = i64::from(scale) - decimals;
            let unit = power_of_ten(i8::try_from(cut).unwrap_or(38))?;
            Ok(kernel(name, vec![value], dtype, move |args| {
                let out: Decimal128Array = args[0]
                    .as_primitive::<Decimal128Type>()
                    .unary(|value| divided(value, unit) * unit);
                of_type(out, &output)
            }))
        }
        _ => Ok(value),
    }
}

/// Limited to bounds, in the value's own type; NaN stays.
fn clip(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    let dtype = value.dtype.clone();
    if !is_number(&dtype) && !dtype.is_temporal() && dtype != DataType::Null {
        return Err(call.mismatch(&dtype));
    }
    let mut branches: Vec<(PlanExpr, PlanExpr)> = Vec::new();
    for (name, below) in [("lower_bound", true), ("upper_bound", false)] {
        let Some(bound) = call.opt_value(name)? else {
            continue;
        };
        if is_text(&bound.dtype) != is_text(&dtype) && bound.dtype != DataType::Null {
            return Err(call.mismatch(&bound.dtype));
        }
        let bound = convert(bound, &dtype)?;
        let beyond = if below {
            value.expr.clone().lt(bound.expr.clone())
        } else {
            value.expr.clone().gt(bound.expr.clone())
        };
        // Nothing lies beyond NaN.
        let beyond = if is_float(&dtype) {
            let nan = isnan(bound.expr.clone());
            beyond.and(PlanExpr::Not(Box::new(nan)))
        } else {
            beyond
        };
        branches.push((beyond, bound.expr));
    }
    let mut expr = value.expr.clone();
    for (beyond, bound) in branches.into_iter().rev() {
        expr = PlanExpr::Case(Case::new(
            None,
            vec![(Box::new(beyond), Box::new(bound))],
            Some(Box::new(expr)),
        ));
    }
    if is_float(&dtype) {
        let nan = isnan(value.expr.clone());
        expr = PlanExpr::Case(Case::new(
            None,
            vec![(Box::new(nan), Box::new(value.expr))],
            Some(Box::new(expr)),
        ));
    }
    Ok(Value { expr, dtype })
}
