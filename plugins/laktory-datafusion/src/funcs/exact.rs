//! Exact arithmetic: integers are 64 bits wide and more than that is an error; products of decimals keep all digits.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use laktory_core::{Error, ErrorKind, Func, Result};

use super::aggregate::over::{Over, this};
use super::aggregate::sum::or_zero;
use super::cast::convert;
use super::numeric::{binary, difference, product, sum};
use super::{Call, FULL, Row};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_decimal, is_integer};

pub(super) const ROWS: &[Row] = &[
    (Func::ExactAdd, FULL, |call| exact(call, Operator::Plus)),
    (Func::ExactSub, FULL, |call| exact(call, Operator::Minus)),
    (Func::ExactMul, FULL, |call| exact(call, Operator::Multiply)),
    (Func::ExactSum, FULL, |call| {
        let (value, over) = this(call)?;
        or_zero(exact_sum(&over, value)?)
    }),
    (Func::DecimalSum, FULL, |call| {
        let (value, over) = this(call)?;
        match is_decimal(&value.dtype) {
            true => decimal_sum(&over, value),
            false => exact_sum(&over, value),
        }
    }),
];

/// A kernel that fails where a number has more than 64 bits.
type Checked = fn(&ArrayRef, &ArrayRef) -> Result<ArrayRef, ArrowError>;

/// Digits in which no sum of 64-bit integers ends.
const SUM: DataType = DataType::Decimal128(38, 0);

fn exact(call: &Call<'_, '_>, op: Operator) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if is_integer(&left.dtype) && is_integer(&right.dtype) {
        return integers(left, right, op);
    }
    if let Some(value) = decimals(&left, &right, op)? {
        return Ok(value);
    }
    match op {
        Operator::Plus => sum(call, left, right),
        Operator::Minus => difference(call, left, right),
        _ => product(call, left, right),
    }
}

/// The error for a number that is too great for an integer.
pub(in crate::funcs) fn too_many_bits(what: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("a {what} has more than 64 bits"),
    )
    .with_hint("cast what it is made of to `Float64`, or to a decimal")
}

fn integers(left: Value, right: Value, op: Operator) -> Result<Value> {
    let args = vec![
        convert(left, &DataType::Int64)?,
        convert(right, &DataType::Int64)?,
    ];
    let (name, compute): (_, Checked) = match op {
        Operator::Plus => ("sum", |a, b| add(a, b)),
        Operator::Minus => ("difference", |a, b| sub(a, b)),
        _ => ("product", |a, b| mul(a, b)),
    };
    Ok(kernel(
        format!("exact {name}"),
        args,
        DataType::Int64,
        move |args| {
            compute(&args[0], &args[1]).map_err(|error| match error {
                ArrowError::ArithmeticOverflow(_) => too_many_bits(name),
                error => Error::new(ErrorKind::Compute, error.to_string()),
            })
        },
    ))
}

/// The sum of 64-bit integers; null when there is nothing to add.
pub(super) fn exact_sum(over: &Over<'_>, value: Value) -> Result<Value> {
    let value = convert(convert(value, &DataType::Int64)?, &SUM)?;
    let total = over.call(sum_udaf(), vec![value], SUM);
    Ok(kernel("exact sum", vec![total], DataType::Int64, |args| {
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(&args[0], &DataType::Int64, &options).map_err(|_| {
            Error::new(ErrorKind::ConversionFailed, "a sum has more than 64 bits")
                .with_hint("cast what is added to `Float64`, or to a decimal")
        })
    }))
}

/// Digits of the longest decimal.
const DIGITS: u8 = DECIMAL128_MAX_PRECISION;

/// The sum of decimals of many digits; null when there is nothing to add. The engine's own wraps in 128 bits.
pub(super) fn decimal_sum(over: &Over<'_>, value: Value) -> Result<Value> {
    let scale = match value.dtype {
        DataType::Decimal128(_, scale) => scale,
        _ => 0,
    };
    let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale);
    let total = over.call(sum_udaf(), vec![convert(value, &wide)?], wide);
    let output = DataType::Decimal128(DIGITS, scale);
    let to = output.clone();
    Ok(kernel("decimal sum", vec![total], output, move |args| {
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(&args[0], &to, &options).map_err(|_| too_many_digits("sum"))
    }))
}

/// The error for a number that is too long for a decimal.
pub(super) fn too_many_digits(what: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("a {what} has more than {DIGITS} digits"),
    )
    .with_hint("cast what it is made of to `Float64`, or to a decimal of fewer digits")
}

/// A decimal that the engine has calculated, once its digits are counted: it calculates with 128 bits, which hold more.
fn counted(value: Value, what: &'static str) -> Value {
    let DataType::Decimal128(DIGITS, _) = value.dtype else {
        return value;
    };
    let dtype = value.dtype.clone();
    kernel("digits", vec![value], dtype, move |args| {
        let numbers = args[0].as_primitive::<Decimal128Type>();
        match numbers.validate_decimal_precision(DIGITS) {
            Ok(()) => Ok(Arc::clone(&args[0])),
            Err(_) => Err(too_many_digits(what)),
        }
    })
}

/// Decimals, or decimals and integers, calculated by the engine's own rule, which is that of the contract.
fn decimals(left: &Value, right: &Value, op: Operator) -> Result<Option<Value>> {
    let exact = |value: &Value| is_decimal(&value.dtype) || is_integer(&value.dtype);
    let some = is_decimal(&left.dtype) || is_decimal(&right.dtype);
    if !some || !exact(left) || !exact(right) {
        return Ok(None);
    }
    let digits = |value: &Value| {
        let precision = match &value.dtype {
            dtype if is_decimal(dtype) => return Ok(value.clone()),
            DataType::Int8 | DataType::UInt8 => 3,
            DataType::Int16 | DataType::UInt16 => 5,
            DataType::Int32 | DataType::UInt32 => 10,
            _ => 20,
        };
        convert(value.clone(), &DataType::Decimal128(precision, 0))
    };
    let (left, right) = (digits(left)?, digits(right)?);
    let dtype = BinaryTypeCoercer::new(&left.dtype, &op, &right.dtype)
        .get_result_type()
        .or_error()?;
    let what = match op {
        Operator::Plus => "sum",
        Operator::Minus => "difference",
        _ => "product",
    };
    let value = Value {
        expr: binary(left.expr, op, right.expr),
        dtype,
    };
    Ok(Some(counted(value, what)))
}
