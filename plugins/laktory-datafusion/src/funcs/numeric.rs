//! Arithmetic and mathematics.
//!
//! Operands meet in their common type; integers wrap as in Polars, and what it makes null (integers divided by zero)
//! is null here.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Decimal128Array, Float32Array,
    Float64Array, PrimitiveArray,
};
use datafusion::arrow::compute::cast as arrow_cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr as PlanExpr, Operator};
use laktory_core::semantics::decimal::{Division, divided};
use laktory_core::{Error, ErrorKind, Func, Result};

use super::cast::{common_type, convert, power};
use super::exact::{too_many_bits, too_many_digits};
use super::text::joined;
use super::{Call, FULL, Row, time};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_decimal, is_float, is_integer, is_number, is_text};

pub(super) const ROWS: &[Row] = &[
    (Func::Add, FULL, |call| {
        sum(call, call.receiver()?, call.value("other")?)
    }),
    (Func::Sub, FULL, |call| {
        difference(call, call.receiver()?, call.value("other")?)
    }),
    (Func::Mul, FULL, |call| {
        product(call, call.receiver()?, call.value("other")?)
    }),
    (Func::TrueDiv, FULL, true_div),
    (Func::SqlDiv, FULL, true_div),
    (Func::FloorDiv, FULL, |call| floored(call, true)),
    (Func::Mod, FULL, |call| floored(call, false)),
    (Func::Pow, FULL, pow),
    (Func::Neg, FULL, neg),
    (Func::Abs, FULL, abs),
    (Func::Sqrt, FULL, |call| floating(call, "sqrt", f64::sqrt)),
    (Func::Exp, FULL, |call| floating(call, "exp", f64::exp)),
    (Func::Sin, FULL, |call| floating(call, "sin", f64::sin)),
    (Func::Cos, FULL, |call| floating(call, "cos", f64::cos)),
    (Func::Log, FULL, |call| {
        let base = call.float("base")?;
        #[allow(clippy::float_cmp, reason = "the default itself")]
        if base == std::f64::consts::E {
            return floating(call, "ln", f64::ln);
        }
        floating(call, &format!("log {base:?}"), move |x| x.log(base))
    }),
];

/// A number of the engine, as type-checked operand.
pub(super) fn numeric(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        dtype if is_number(dtype) || *dtype == DataType::Null => Ok(value),
        DataType::Boolean => convert(value, &DataType::UInt32),
        dtype => Err(call.mismatch(dtype)),
    }
}

/// Two operands in the type in which they meet.
fn operands(call: &Call<'_, '_>, left: Value, right: Value) -> Result<(Value, Value)> {
    let (left, right) = (numeric(call, left)?, numeric(call, right)?);
    let mut dtype = common_type([&left, &right].into_iter())?;
    if dtype == DataType::Null {
        dtype = DataType::Int64;
    }
    Ok((convert(left, &dtype)?, convert(right, &dtype)?))
}

pub(super) fn difference(call: &Call<'_, '_>, left: Value, right: Value) -> Result<Value> {
    match time::sub(left.clone(), right.clone())? {
        Some(value) => Ok(value),
        None => arithmetic(call, left, right, Operator::Minus),
    }
}

pub(super) fn product(call: &Call<'_, '_>, left: Value, right: Value) -> Result<Value> {
    match scaled_duration(&left, &right)? {
        Some(value) => Ok(value),
        None => arithmetic(call, left, right, Operator::Multiply),
    }
}

pub(super) fn sum(call: &Call<'_, '_>, left: Value, right: Value) -> Result<Value> {
    if is_text(&left.dtype) || is_text(&right.dtype) {
        for value in [&left, &right] {
            if !is_text(&value.dtype) && value.dtype != DataType::Null {
                return Err(call.mismatch(&value.dtype));
            }
        }
        return joined(vec![left, right], "", false);
    }
    match time::add(left.clone(), right.clone())? {
        Some(value) => Ok(value),
        None => arithmetic(call, left, right, Operator::Plus),
    }
}

pub(super) fn binary(left: PlanExpr, op: Operator, right: PlanExpr) -> PlanExpr {
    PlanExpr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn arithmetic(call: &Call<'_, '_>, left: Value, right: Value, op: Operator) -> Result<Value> {
    let (left, right) = operands(call, left, right)?;
    let dtype = left.dtype.clone();
    if let DataType::Decimal128(_, scale) = dtype {
        return decimal(left, right, op, scale);
    }
    Ok(Value {
        expr: binary(left.expr, op, right.expr),
        dtype,
    })
}

/// Decimals keep the scale of their operands; products are rounded to it.
fn decimal(left: Value, right: Value, op: Operator, scale: i8) -> Result<Value> {
    let unit = power_of_ten(scale)?;
    let dtype = DataType::Decimal128(38, scale);
    let compute = move |a: i128, b: i128| match op {
        Operator::Plus => a.checked_add(b),
        Operator::Minus => a.checked_sub(b),
        _ => a.checked_mul(b).map(|product| divided(product, unit)),
    };
    let output = dtype.clone();
    Ok(kernel(
        format!("decimal {op}"),
        vec![left, right],
        dtype,
        move |args| {
            let (a, b) = (decimals(&args[0], scale)?, decimals(&args[1], scale)?);
            let out = a
                .iter()
                .zip(b.iter())
                .map(|pair| match pair {
                    (Some(a), Some(b)) => compute(a, b).map(Some).ok_or_else(too_long),
                    _ => Ok(None),
                })
                .collect::<Result<Decimal128Array>>()?;
            Ok(Arc::new(out.with_data_type(output.clone())))
        },
    ))
}

fn too_long() -> Error {
    Error::new(ErrorKind::OutOfBounds, "a decimal exceeds 38 digits")
}

/// 10 to the power of a scale.
pub(super) fn power_of_ten(scale: i8) -> Result<i128> {
    power(scale).ok_or_else(|| Error::unsupported("decimals of a negative scale"))
}

fn decimals(array: &ArrayRef, scale: i8) -> Result<Decimal128Array> {
    let array = arrow_cast(array, &DataType::Decimal128(38, scale)).or_error()?;
    Ok(array.as_primitive::<Decimal128Type>().clone())
}

/// A duration times or divided by a number.
fn scaled_duration(left: &Value, right: &Value) -> Result<Option<Value>> {
    let (duration, factor) = match (&left.dtype, &right.dtype) {
        (DataType::Duration(_), other) if is_number(other) => (left, right),
        (other, DataType::Duration(_)) if is_number(other) => (right, left),
        _ => return Ok(None),
    };
    let dtype = duration.dtype.clone();
    let integer = is_integer(&factor.dtype);
    let target = if integer {
        DataType::Int64
    } else {
        DataType::Float64
    };
    let output = dtype.clone();
    let args = vec![duration.clone(), convert(factor.clone(), &target)?];
    Ok(Some(kernel("duration *", args, dtype, move |args| {
        let counts = arrow_cast(&args[0], &DataType::Int64).or_error()?;
        let counts = counts.as_primitive::<Int64Type>();
        let out: PrimitiveArray<Int64Type> = if integer {
            let factors = args[1].as_primitive::<Int64Type>();
            datafusion::arrow::compute::binary(counts, factors, i64::wrapping_mul).or_error()?
        } else {
            let factors = args[1].as_primitive::<Float64Type>();
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "a duration times a fraction is rounded toward zero"
            )]
            datafusion::arrow::compute::binary(counts, factors, |count, factor| {
                (count as f64 * factor) as i64
            })
            .or_error()?
        };
        arrow_cast(&out, &output).or_error()
    })))
}

fn true_div(call: &Call<'_, '_>) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if let DataType::Duration(_) = left.dtype {
        return divided_duration(call, left, right);
    }
    let (left, right) = (numeric(call, left)?, numeric(call, right)?);
    if is_decimal(&left.dtype) && is_decimal(&right.dtype) {
        return decimal_division(left, right, Division::Quotient);
    }
    let whole = |value: &Value| is_integer(&value.dtype) || value.dtype == DataType::Null;
    let (left, right) = if whole(&left) && whole(&right) {
        (
            convert(left, &DataType::Float64)?,
            convert(right, &DataType::Float64)?,
        )
    } else {
        operands(call, left, right)?
    };
    arithmetic(call, left, right, Operator::Divide)
}

/// A duration divided by a duration is a float, by a number a duration.
fn divided_duration(call: &Call<'_, '_>, left: Value, right: Value) -> Result<Value> {
    let dtype = left.dtype.clone();
    let by_duration = matches!(right.dtype, DataType::Duration(_));
    if !by_duration && !is_number(&right.dtype) {
        return Err(call.mismatch(&right.dtype));
    }
    let right = if by_duration {
        convert(right, &dtype)?
    } else {
        convert(right, &DataType::Float64)?
    };
    let output = if by_duration {
        DataType::Float64
    } else {
        dtype
    };
    let target = output.clone();
    Ok(kernel(
        "duration /",
        vec![left, right],
        output,
        move |args| {
            let as_float = |array: &ArrayRef| -> Result<Float64Array> {
                let array = match array.data_type() {
                    DataType::Duration(_) => arrow_cast(array, &DataType::Int64).or_error()?,
                    _ => Arc::clone(array),
                };
                let array = arrow_cast(&array, &DataType::Float64).or_error()?;
                Ok(array.as_primitive::<Float64Type>().clone())
            };
            let (a, b) = (as_float(&args[0])?, as_float(&args[1])?);
            let out: Float64Array =
                datafusion::arrow::compute::binary(&a, &b, |a, b| a / b).or_error()?;
            if by_duration {
                return Ok(Arc::new(out));
            }
            let counts = arrow_cast(&out, &DataType::Int64).or_error()?;
            arrow_cast(&counts, &target).or_error()
        },
    ))
}

/// A division of decimals, each of its own digits; null by zero.
pub(super) fn decimal_division(left: Value, right: Value, division: Division) -> Result<Value> {
    let digits = |value: &Value| match value.dtype {
        DataType::Decimal128(_, scale) => u8::try_from(scale).ok(),
        _ => None,
    };
    let (Some(scale), Some(by)) = (digits(&left), digits(&right)) else {
        return Err(Error::internal("a division of decimals that are none"));
    };
    let DataType::Decimal128(_, greater) = (match scale < by {
        true => &right.dtype,
        false => &left.dtype,
    }) else {
        return Err(Error::internal("a division of decimals that are none"));
    };
    let dtype = DataType::Decimal128(DECIMAL128_MAX_PRECISION, *greater);
    let output = dtype.clone();
    Ok(kernel(
        format!("decimal {division:?}"),
        vec![left, right],
        dtype,
        move |args| {
            let (a, b) = (
                args[0].as_primitive::<Decimal128Type>(),
                args[1].as_primitive::<Decimal128Type>(),
            );
            let numbers = a.iter().zip(b.iter()).map(|pair| match pair {
                (Some(_), Some(0)) | (None, _) | (_, None) => Ok(None),
                (Some(a), Some(b)) => (division.of((a, scale), (b, by)).map(Some))
                    .ok_or_else(|| too_many_digits(division.name())),
            });
            let numbers = numbers.collect::<Result<Decimal128Array>>()?;
            Ok(Arc::new(numbers.with_data_type(output.clone())))
        },
    ))
}

/// `//` and `%`: toward minus infinity, with the sign of the divisor; null for integers and decimals by zero.
fn floored(call: &Call<'_, '_>, quotient: bool) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if is_decimal(&left.dtype) && is_decimal(&right.dtype) {
        let division = match quotient {
            true => Division::Floored,
            false => Division::Modulo,
        };
        return decimal_division(left, right, division);
    }
    let (left, right) = operands(call, left, right)?;
    let dtype = left.dtype.clone();
    let name = if quotient { "//" } else { "%" };
    Ok(kernel(name, vec![left, right], dtype, move |args| {
        let (a, b) = (&args[0], &args[1]);
        macro_rules! integers {
            ($type:ty) => {
                whole_parts::<$type>(a, b, |a, b| {
                    let (q, r) = (a.wrapping_div(b), a.wrapping_rem(b));
                    #[allow(unused_comparisons, reason = "unsigned types share the code")]
                    let off = r != 0 && ((r < 0) != (b < 0));
                    match (quotient, off) {
                        (true, true) => q - 1,
                        (true, false) => q,
                        (false, true) => r + b,
                        (false, false) => r,
                    }
                })
            };
        }
        let out: ArrayRef = match a.data_type() {
            DataType::Int8 => integers!(Int8Type),
            DataType::Int16 => integers!(Int16Type),
            DataType::Int32 => integers!(Int32Type),
            DataType::Int64 => integers!(Int64Type),
            DataType::UInt8 => integers!(UInt8Type),
            DataType::UInt16 => integers!(UInt16Type),
            DataType::UInt32 => integers!(UInt32Type),
            DataType::UInt64 => integers!(UInt64Type),
            DataType::Float32 => float_parts::<Float32Type>(a, b, move |a, b| {
                let q = (a / b).floor();
                if quotient { q } else { a - q * b }
            })?,
            DataType::Float64 => float_parts::<Float64Type>(a, b, move |a, b| {
                let q = (a / b).floor();
                if quotient { q } else { a - q * b }
            })?,
            other => return Err(Error::internal(format!("`{name}` of {other}"))),
        };
        Ok(out)
    }))
}

fn whole_parts<T: ArrowPrimitiveType>(
    a: &ArrayRef,
    b: &ArrayRef,
    part: impl Fn(T::Native, T::Native) -> T::Native,
) -> ArrayRef {
    let (a, b) = (a.as_primitive::<T>(), b.as_primitive::<T>());
    let out: PrimitiveArray<T> = a
        .iter()
        .zip(b.iter())
        .map(|pair| match pair {
            (Some(a), Some(b)) if b != T::Native::ZERO => Some(part(a, b)),
            _ => None,
        })
        .collect();
    Arc::new(out.with_data_type(a.data_type().clone()))
}

fn float_parts<T: ArrowPrimitiveType>(
    a: &ArrayRef,
    b: &ArrayRef,
    part: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef> {
    let (a, b) = (a.as_primitive::<T>(), b.as_primitive::<T>());
    let out: PrimitiveArray<T> = datafusion::arrow::compute::binary(a, b, part).or_error()?;
    Ok(Arc::new(out))
}

/// Powers: of integers in their own type; a negative exponent of an integer is refused.
fn pow(call: &Call<'_, '_>) -> Result<Value> {
    let (base, exponent) = (
        numeric(call, call.receiver()?)?,
        numeric(call, call.value("other")?)?,
    );
    if is_integer(&base.dtype) && is_integer(&exponent.dtype) {
        let dtype = base.dtype.clone();
        let output = dtype.clone();
        let args = vec![
            convert(base, &DataType::Int64)?,
            convert(exponent, &DataType::Int64)?,
        ];
        return Ok(kernel("**", args, dtype, move |args| {
            let (a, b) = (
                args[0].as_primitive::<Int64Type>(),
                args[1].as_primitive::<Int64Type>(),
            );
            let out = a
                .iter()
                .zip(b.iter())
                .map(|pair| match pair {
                    (Some(base), Some(exponent)) => {
                        let exponent = u32::try_from(exponent).map_err(|_| {
                            Error::new(
                                ErrorKind::InvalidArgument,
                                format!("an integer to the power of {exponent}"),
                            )
                            .with_hint("cast the base to a float")
                        })?;
                        let power = base.checked_pow(exponent);
                        power.map(Some).ok_or_else(|| too_many_bits("power"))
                    }
                    _ => Ok(None),
                })
                .collect::<Result<PrimitiveArray<Int64Type>>>()?;
            wrapped(&out, &output)
        }));
    }
    let single = base.dtype == DataType::Float32
        && (exponent.dtype == DataType::Float32 || exponent.as_constant().is_some());
    let args = vec![
        convert(base, &DataType::Float64)?,
        convert(exponent, &DataType::Float64)?,
    ];
    let dtype = if single {
        DataType::Float32
    } else {
        DataType::Float64
    };
    let output = dtype.clone();
    Ok(kernel("** float", args, dtype, move |args| {
        let out = float_parts::<Float64Type>(&args[0], &args[1], f64::powf)?;
        arrow_cast(&out, &output).or_error()
    }))
}

/// Integers in a narrower type, cut to its bits.
fn wrapped(array: &PrimitiveArray<Int64Type>, to: &DataType) -> Result<ArrayRef> {
    macro_rules! cut {
        ($type:ty, $native:ty) => {{
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "integers wrap, as in Polars"
            )]
            let out: PrimitiveArray<$type> = array.unary(|value| value as $native);
            Arc::new(out) as ArrayRef
        }};
    }
    Ok(match to {
        DataType::Int8 => cut!(Int8Type, i8),
        DataType::Int16 => cut!(Int16Type, i16),
        DataType::Int32 => cut!(Int32Type, i32),
        DataType::UInt8 => cut!(UInt8Type, u8),
        DataType::UInt16 => cut!(UInt16Type, u16),
        DataType::UInt32 => cut!(UInt32Type, u32),
        DataType::UInt64 => cut!(UInt64Type, u64),
        _ => arrow_cast(array, to).or_error()?,
    })
}

fn neg(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    match &value.dtype {
        dtype if dtype.is_signed_integer() || is_float(dtype) || is_decimal(dtype) => {
            let zero = convert(Value::constant(ScalarValue::Int32(Some(0))), &value.dtype)?;
            if is_float(&value.dtype) || is_decimal(&value.dtype) {
                return Ok(value.map(|expr| PlanExpr::Negative(Box::new(expr))));
            }
            // Subtraction wraps where negation would fail.
            arithmetic(call, zero, value, Operator::Minus)
        }
        DataType::Duration(_) => {
            let dtype = value.dtype.clone();
            let output = dtype.clone();
            Ok(kernel("neg duration", vec![value], dtype, move |args| {
                let counts = arrow_cast(&args[0], &DataType::Int64).or_error()?;
                let counts = counts.as_primitive::<Int64Type>();
                let out: PrimitiveArray<Int64Type> = counts.unary(i64::wrapping_neg);
                arrow_cast(&out, &output).or_error()
            }))
        }
        DataType::Null => Ok(value),
        dtype => Err(call.mismatch(dtype)),
    }
}

fn abs(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    let dtype = value.dtype.clone();
    if dtype.is_unsigned_integer() || dtype == DataType::Null {
        return Ok(value);
    }
    let counts = matches!(dtype, DataType::Duration(_));
    if !counts && !is_number(&dtype) {
        return Err(call.mismatch(&dtype));
    }
    let output = dtype.clone();
    Ok(kernel("abs", vec![value], dtype, move |args| {
        let array = &args[0];
        macro_rules! each {
            ($type:ty, $abs:expr) => {{
                let out: PrimitiveArray<$type> = array.as_primitive::<$type>().unary($abs);
                Arc::new(out) as ArrayRef
            }};
        }
        Ok(match array.data_type() {
            DataType::Int8 => each!(Int8Type, i8::wrapping_abs),
            DataType::Int16 => each!(Int16Type, i16::wrapping_abs),
            DataType::Int32 => each!(Int32Type, i32::wrapping_abs),
            DataType::Int64 => each!(Int64Type, i64::wrapping_abs),
            DataType::Float32 => each!(Float32Type, f32::abs),
            DataType::Float64 => each!(Float64Type, f64::abs),
            DataType::Decimal128(..) => {
                let out: Decimal128Array = array
                    .as_primitive::<Decimal128Type>()
                    .unary(i128::wrapping_abs);
                Arc::new(out.with_data_type(output.clone()))
            }
            DataType::Duration(_) => {
                let array = arrow_cast(array, &DataType::Int64).or_error()?;
                let out: PrimitiveArray<Int64Type> =
                    array.as_primitive::<Int64Type>().unary(i64::wrapping_abs);
                arrow_cast(&out, &output).or_error()?
            }
            other => return Err(Error::internal(format!("`abs` of {other}"))),
        })
    }))
}

/// A function of floats; 32-bit floats stay so, everything else becomes a 64-bit float.
pub(super) fn floating(
    call: &Call<'_, '_>,
    name: &str,
    function: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<Value> {
    let value = numeric(call, call.receiver()?)?;
    let dtype = match value.dtype {
        DataType::Float32 => DataType::Float32,
        _ => DataType::Float64,
    };
    let output = dtype.clone();
    let value = convert(value, &DataType::Float64)?;
    Ok(kernel(name, vec![value], dtype, move |args| {
        let out: Float64Array = args[0].as_primitive::<Float64Type>().unary(&function);
        arrow_cast(&out, &output).or_error()
    }))
}

/// Floats in the form in which all NaN and both zeros are one; other values as they are.
pub(crate) fn canonical(value: Value) -> Value {
    // Constants other than these are canonical as written.
    if value.as_constant().is_some_and(|constant| match constant {
        ScalarValue::Float64(Some(value)) => *value != 0.0 && !value.is_nan(),
        ScalarValue::Float32(Some(value)) => *value != 0.0 && !value.is_nan(),
        _ => true,
    }) {
        return value;
    }
    let dtype = value.dtype.clone();
    match dtype {
        DataType::Float32 => kernel("canonical", vec![value], dtype, |args| {
            let out: Float32Array = args[0].as_primitive::<Float32Type>().unary(|value| {
                if value.is_nan() {
                    f32::NAN
                } else {
                    value + 0.0
                }
            });
            Ok(Arc::new(out))
        }),
        DataType::Float64 => kernel("canonical", vec![value], dtype, |args| {
            let out: Float64Array = args[0].as_primitive::<Float64Type>().unary(|value| {
                if value.is_nan() {
                    f64::NAN
                } else {
                    value + 0.0
                }
            });
            Ok(Arc::new(out))
        }),
        _ => value,
    }
}
