//! Functions with the meaning of SQL, where it is not that of Narwhals.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::kernels::numeric::rem;
use arrow::compute::{cast, is_not_null, nullif};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use laktory_core::{Error, ErrorKind, Func, Result};

use super::numeric::{floating_value, numeric, operands};
use super::{Call, FULL, NUMBERS, Row};
use crate::batch::{canonical, groups_of, keyed, keys};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Column, Value, kernel};
use crate::types::{common, is_float};

pub(super) const ROWS: &[Row] = &[
    (Func::SqlMod, NUMBERS, remainder),
    (Func::SqlRoundHalfUp, NUMBERS, |call| {
        rounded(call, f64::round)
    }),
    (Func::SqlRound, NUMBERS, |call| {
        rounded(call, f64::round_ties_even)
    }),
    (Func::SqlSign, NUMBERS, |call| {
        let value = numeric(call, call.value("x")?)?;
        let dtype = value.dtype.clone();
        let sign = floating_value(convert(value, &DataType::Float64)?, |value| {
            if value == 0.0 || value.is_nan() {
                value
            } else {
                value.signum()
            }
        })?;
        match dtype {
            DataType::Null => Ok(sign),
            dtype => convert(sign, &dtype),
        }
    }),
    (Func::SqlTan, NUMBERS, |call| {
        floating_value(numeric(call, call.value("x")?)?, f64::tan)
    }),
    (Func::SqlCbrt, NUMBERS, |call| {
        let value = convert(numeric(call, call.value("x")?)?, &DataType::Float64)?;
        // As a power, which negative numbers do not have.
        floating_value(value, |value| value.powf(1.0 / 3.0))
    }),
    (Func::SqlNullIf, FULL, null_if),
    (Func::SqlSingle, FULL, single),
    (Func::SqlCountDistinct, FULL, |call| {
        let value = keyed(call.value("x")?)?;
        Ok(Value::new(DataType::UInt32, move |rows| {
            let array = value.values(rows)?;
            let known = is_not_null(&array).or_error()?;
            let array = arrow::compute::filter(&array, &known).or_error()?;
            let count = groups_of(&keys(&[array])?).len();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            Ok(Column::One(Arc::new(UInt32Array::from(vec![count]))))
        }))
    }),
];

/// The remainder with the sign of the dividend; null for integers by zero.
fn remainder(call: &Call<'_, '_>) -> Result<Value> {
    let (left, right) = operands(call)?;
    let dtype = left.dtype.clone();
    let float = is_float(&dtype);
    Ok(kernel(vec![left, right], dtype, move |arrays| {
        if float {
            return rem(&arrays[0], &arrays[1]).or_error();
        }
        let zero = cast(&arrays[1], &DataType::Float64).or_error()?;
        let zero: BooleanArray = zero
            .as_primitive::<Float64Type>()
            .iter()
            .map(|divisor| Some(divisor == Some(0.0)))
            .collect();
        let divisors = nullif(&arrays[1], &zero).or_error()?;
        rem(&arrays[0], &divisors).or_error()
    }))
}

/// Numbers rounded to decimals; negative ones round to tens and hundreds.
fn rounded(call: &Call<'_, '_>, round: fn(f64) -> f64) -> Result<Value> {
    let decimals =
        i32::try_from(call.int("decimals")?).map_err(|_| call.invalid("too many decimals"))?;
    let value = numeric(call, call.value("x")?)?;
    let dtype = value.dtype.clone();
    if dtype == DataType::Null || decimals >= 0 && !is_float(&dtype) {
        return Ok(value);
    }
    // A power of ten below one is no exact number: what is divided by its inverse is.
    let unit = 10_f64.powi(decimals.saturating_abs());
    let value = convert(value, &DataType::Float64)?;
    let rounded = floating_value(value, move |value| {
        let rounded = match decimals {
            0.. => round(value * unit) / unit,
            _ => round(value / unit) * unit,
        };
        if rounded.is_finite() { rounded } else { value }
    })?;
    convert(rounded, &dtype)
}

/// The first value, null where the second is equal to it.
fn null_if(call: &Call<'_, '_>) -> Result<Value> {
    let (first, second) = (call.value("x")?, call.value("y")?);
    let dtype = first.dtype.clone();
    if dtype == DataType::Null || second.dtype == DataType::Null {
        return Ok(first);
    }
    let pair = [first, second];
    let shared = common(&pair)?;
    if shared.is_nested() {
        return Err(call.mismatch(&shared));
    }
    let [first, second] = pair;
    let args = vec![
        first.clone(),
        convert(first, &shared)?,
        convert(second, &shared)?,
    ];
    Ok(kernel(args, dtype, |arrays| {
        let equal = eq(&canonical(&arrays[1]), &canonical(&arrays[2])).or_error()?;
        nullif(&arrays[0], &equal).or_error()
    }))
}

/// The value of a sub-query, which may have one row.
fn single(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.value("x")?;
    let dtype = value.dtype.clone();
    let args = vec![value, convert(call.value("count")?, &DataType::Int64)?];
    Ok(kernel(args, dtype, |arrays: &[ArrayRef]| {
        let counts = arrays[1].as_primitive::<Int64Type>();
        if counts.iter().flatten().any(|count| count > 1) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a sub-query gives several rows where one value is wanted",
            ));
        }
        Ok(Arc::clone(&arrays[0]))
    }))
}
