//! Arithmetic and mathematics. Operands meet in their common type; integers divided by zero are null.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Float64Array, PrimitiveArray,
};
use arrow::compute::kernels::numeric::{
    add as checked_add, add_wrapping, div, mul as checked_mul, mul_wrapping, neg_wrapping,
    sub as checked_sub, sub_wrapping,
};
use arrow::compute::{binary, cast as arrow_cast};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use laktory_core::{Error, ErrorKind, Func, Result};

use super::{Call, FULL, NUMBERS, Row, text};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Value, kernel};
use crate::types::{common, is_float, is_number, is_text, shown};

pub(super) const ROWS: &[Row] = &[
    (Func::Add, NUMBERS, add),
    (Func::Sub, NUMBERS, |call| {
        arithmetic(call, |a, b| sub_wrapping(a, b))
    }),
    (Func::Mul, NUMBERS, |call| {
        arithmetic(call, |a, b| mul_wrapping(a, b))
    }),
    (Func::ExactAdd, NUMBERS, |call| {
        arithmetic(call, |a, b| checked_add(a, b))
    }),
    (Func::ExactSub, NUMBERS, |call| {
        arithmetic(call, |a, b| checked_sub(a, b))
    }),
    (Func::ExactMul, NUMBERS, |call| {
        arithmetic(call, |a, b| checked_mul(a, b))
    }),
    (Func::TrueDiv, NUMBERS, true_div),
    (Func::SqlDiv, NUMBERS, true_div),
    (Func::FloorDiv, NUMBERS, |call| floored(call, true)),
    (Func::Mod, NUMBERS, |call| floored(call, false)),
    (Func::Pow, NUMBERS, pow),
    (Func::Neg, NUMBERS, |call| {
        let value = call.receiver()?;
        match &value.dtype {
            DataType::Null => {}
            dtype if dtype.is_signed_integer() || is_float(dtype) => {}
            dtype if dtype.is_unsigned_integer() => {
                let message = format!("there is no negative of {}", shown(dtype));
                return Err(Error::new(ErrorKind::TypeMismatch, message)
                    .with_hint("cast it to a signed integer"));
            }
            dtype => return Err(call.mismatch(dtype)),
        }
        let dtype = value.dtype.clone();
        Ok(kernel(vec![value], dtype, |arrays| {
            match arrays[0].data_type() {
                DataType::Null => Ok(Arc::clone(&arrays[0])),
                _ => neg_wrapping(&arrays[0]).or_error(),
            }
        }))
    }),
    (Func::Abs, NUMBERS, abs),
    (Func::Sqrt, NUMBERS, |call| floating(call, f64::sqrt)),
    (Func::Exp, NUMBERS, |call| floating(call, f64::exp)),
    (Func::Sin, NUMBERS, |call| floating(call, f64::sin)),
    (Func::Cos, NUMBERS, |call| floating(call, f64::cos)),
    (Func::Log, NUMBERS, |call| {
        let base = call.float("base")?;
        floating(call, move |value| value.ln() / base.ln())
    }),
    (Func::Floor, NUMBERS, |call| rounded(call, f64::floor)),
    (Func::Ceil, NUMBERS, |call| rounded(call, f64::ceil)),
    (Func::Round, NUMBERS, |call| {
        let places =
            i32::try_from(call.int("decimals")?).map_err(|_| call.invalid("too many decimals"))?;
        let factor = 10_f64.powi(places);
        rounded(call, move |value| {
            let rounded = (value * factor).round_ties_even() / factor;
            if rounded.is_finite() { rounded } else { value }
        })
    }),
    (Func::SumHorizontal, NUMBERS, sum_horizontal),
    (Func::IsNan, FULL, |call| {
        classified(call, f64::is_nan, false)
    }),
    (Func::IsFinite, FULL, |call| {
        classified(call, f64::is_finite, true)
    }),
];

fn true_div(call: &Call<'_, '_>) -> Result<Value> {
    let (left, right) = operands(call)?;
    let dtype = match left.dtype {
        DataType::Float32 => DataType::Float32,
        _ => DataType::Float64,
    };
    let args = vec![convert(left, &dtype)?, convert(right, &dtype)?];
    Ok(kernel(args, dtype, |arrays| {
        div(&arrays[0], &arrays[1]).or_error()
    }))
}

/// A number, as type-checked operand. Truth values count as 0 and 1.
pub(super) fn numeric(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        dtype if is_number(dtype) || *dtype == DataType::Null => Ok(value),
        DataType::Boolean => convert(value, &DataType::UInt32),
        dtype => Err(call.mismatch(dtype)),
    }
}

/// The two operands in the type in which they meet.
pub(super) fn operands(call: &Call<'_, '_>) -> Result<(Value, Value)> {
    let left = numeric(call, call.receiver()?)?;
    let right = numeric(call, call.value("other")?)?;
    let values = [left, right];
    let dtype = match common(&values)? {
        DataType::Null => DataType::Int64,
        dtype => dtype,
    };
    let [left, right] = values;
    Ok((convert(left, &dtype)?, convert(right, &dtype)?))
}

fn arithmetic(
    call: &Call<'_, '_>,
    run: impl Fn(&dyn arrow::array::Datum, &dyn arrow::array::Datum) -> Result<ArrayRef, ArrowError>
    + Send
    + Sync
    + 'static,
) -> Result<Value> {
    let (left, right) = operands(call)?;
    let dtype = left.dtype.clone();
    Ok(kernel(vec![left, right], dtype, move |arrays| {
        run(&arrays[0], &arrays[1]).or_error()
    }))
}

/// A sum of numbers; texts are joined.
fn add(call: &Call<'_, '_>) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if is_text(&left.dtype) || is_text(&right.dtype) {
        let args = vec![text::text(call, left)?, text::text(call, right)?];
        return Ok(text::joined(args, "", false));
    }
    arithmetic(call, |a, b| add_wrapping(a, b))
}

/// `//` and `%`: toward minus infinity, with the sign of the divisor; null for integers by zero.
fn floored(call: &Call<'_, '_>, quotient: bool) -> Result<Value> {
    let (left, right) = operands(call)?;
    let dtype = left.dtype.clone();
    Ok(kernel(vec![left, right], dtype, move |arrays| {
        let (a, b) = (&arrays[0], &arrays[1]);
        macro_rules! integers {
            ($type:ty) => {
                by_integer::<$type>(a, b, |a, b| {
                    let (q, r) = (a.wrapping_div(b), a.wrapping_rem(b));
                    #[allow(unused_comparisons, reason = "unsigned types share the code")]
                    let below = r != 0 && (r < 0) != (b < 0);
                    match (quotient, below) {
                        (true, true) => q - 1,
                        (true, false) => q,
                        (false, true) => r + b,
                        (false, false) => r,
                    }
                })
            };
        }
        macro_rules! floats {
            ($type:ty) => {{
                let (a, b) = (a.as_primitive::<$type>(), b.as_primitive::<$type>());
                let out: PrimitiveArray<$type> = binary(a, b, |a, b| {
                    let q = (a / b).floor();
                    if quotient { q } else { a - q * b }
                })
                .or_error()?;
                Arc::new(out)
            }};
        }
        Ok(match a.data_type() {
            DataType::Int8 => integers!(Int8Type),
            DataType::Int16 => integers!(Int16Type),
            DataType::Int32 => integers!(Int32Type),
            DataType::Int64 => integers!(Int64Type),
            DataType::UInt8 => integers!(UInt8Type),
            DataType::UInt16 => integers!(UInt16Type),
            DataType::UInt32 => integers!(UInt32Type),
            DataType::UInt64 => integers!(UInt64Type),
            DataType::Float32 => floats!(Float32Type),
            _ => floats!(Float64Type),
        })
    }))
}

fn by_integer<T: ArrowPrimitiveType>(
    a: &ArrayRef,
    b: &ArrayRef,
    part: impl Fn(T::Native, T::Native) -> T::Native,
) -> ArrayRef {
    let (a, b) = (a.as_primitive::<T>(), b.as_primitive::<T>());
    let parts = a.iter().zip(b.iter()).map(|pair| match pair {
        (Some(a), Some(b)) if b != T::Native::ZERO => Some(part(a, b)),
        _ => None,
    });
    Arc::new(parts.collect::<PrimitiveArray<T>>())
}

/// Powers. Of two integers in 64 bits, wrapping; a negative exponent is refused then.
fn pow(call: &Call<'_, '_>) -> Result<Value> {
    let base = numeric(call, call.receiver()?)?;
    let exponent = numeric(call, call.value("other")?)?;
    if base.dtype.is_integer() && exponent.dtype.is_integer() {
        let args = vec![
            convert(base, &DataType::Int64)?,
            convert(exponent, &DataType::Int64)?,
        ];
        return Ok(kernel(args, DataType::Int64, |arrays| {
            let (a, b) = (
                arrays[0].as_primitive::<Int64Type>(),
                arrays[1].as_primitive::<Int64Type>(),
            );
            let powers = a.iter().zip(b.iter()).map(|pair| {
                let (Some(base), Some(exponent)) = pair else {
                    return Ok(None);
                };
                let exponent = u32::try_from(exponent).map_err(|_| {
                    Error::new(
                        ErrorKind::InvalidArgument,
                        format!("an integer to the power of {exponent}"),
                    )
                    .with_hint("cast the base to a float")
                })?;
                Ok(Some(base.wrapping_pow(exponent)))
            });
            Ok(Arc::new(
                powers.collect::<Result<PrimitiveArray<Int64Type>>>()?,
            ))
        }));
    }
    let args = vec![
        convert(base, &DataType::Float64)?,
        convert(exponent, &DataType::Float64)?,
    ];
    Ok(kernel(args, DataType::Float64, |arrays| {
        let (a, b) = (
            arrays[0].as_primitive::<Float64Type>(),
            arrays[1].as_primitive::<Float64Type>(),
        );
        let powers: Float64Array = binary(a, b, f64::powf).or_error()?;
        Ok(Arc::new(powers))
    }))
}

fn abs(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    let dtype = value.dtype.clone();
    if !is_number(&dtype) && dtype != DataType::Null {
        return Err(call.mismatch(&dtype));
    }
    Ok(kernel(vec![value], dtype, |arrays| {
        let array = &arrays[0];
        macro_rules! each {
            ($type:ty, $abs:expr) => {
                Arc::new(array.as_primitive::<$type>().unary::<_, $type>($abs)) as ArrayRef
            };
        }
        Ok(match array.data_type() {
            DataType::Int8 => each!(Int8Type, i8::wrapping_abs),
            DataType::Int16 => each!(Int16Type, i16::wrapping_abs),
            DataType::Int32 => each!(Int32Type, i32::wrapping_abs),
            DataType::Int64 => each!(Int64Type, i64::wrapping_abs),
            DataType::Float32 => each!(Float32Type, f32::abs),
            DataType::Float64 => each!(Float64Type, f64::abs),
            _ => Arc::clone(array),
        })
    }))
}

/// A function of floats. 32-bit floats stay so, everything else becomes a 64-bit float.
fn floating(
    call: &Call<'_, '_>,
    function: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<Value> {
    floating_value(numeric(call, call.receiver()?)?, function)
}

/// As [`floating`], of a number.
pub(super) fn floating_value(
    value: Value,
    function: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<Value> {
    let dtype = match value.dtype {
        DataType::Float32 => DataType::Float32,
        _ => DataType::Float64,
    };
    let output = dtype.clone();
    let value = convert(value, &DataType::Float64)?;
    Ok(kernel(vec![value], dtype, move |arrays| {
        let floats = arrays[0].as_primitive::<Float64Type>();
        let out: Float64Array = floats.unary(&function);
        arrow_cast(&out, &output).or_error()
    }))
}

/// A rounding, which leaves integers as they are.
fn rounded(
    call: &Call<'_, '_>,
    function: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<Value> {
    let value = numeric(call, call.receiver()?)?;
    if is_float(&value.dtype) {
        return floating(call, function);
    }
    Ok(value)
}

/// The sum across columns; nulls count as zero.
fn sum_horizontal(call: &Call<'_, '_>) -> Result<Value> {
    let values = call
        .values("exprs")?
        .into_iter()
        .map(|value| numeric(call, value))
        .collect::<Result<Vec<_>>>()?;
    let dtype = match common(&values)? {
        DataType::Null => DataType::Int64,
        dtype => dtype,
    };
    let mut args = vec![convert(Value::constant(&0_i64.into())?, &dtype)?];
    for value in values {
        args.push(convert(value, &dtype)?);
    }
    Ok(kernel(args, dtype, |arrays| {
        let (zero, arrays) = (&arrays[0], &arrays[1..]);
        let mut sum = Arc::clone(zero);
        for array in arrays {
            let known = arrow::compute::is_not_null(array).or_error()?;
            let next = arrow::compute::kernels::zip::zip(&known, array, zero).or_error()?;
            sum = add_wrapping(&sum, &next).or_error()?;
        }
        Ok(sum)
    }))
}

/// A question about floats, with the answer for every other number.
fn classified(call: &Call<'_, '_>, ask: fn(f64) -> bool, other: bool) -> Result<Value> {
    let value = call.receiver()?;
    let float = is_float(&value.dtype);
    let number = is_number(&value.dtype) || value.dtype.is_decimal();
    if !number && value.dtype != DataType::Null {
        return Err(call.mismatch(&value.dtype));
    }
    Ok(kernel(vec![value], DataType::Boolean, move |arrays| {
        let array = &arrays[0];
        let answers: Vec<Option<bool>> = if float {
            let floats = arrow_cast(array, &DataType::Float64).or_error()?;
            let floats = floats.as_primitive::<Float64Type>();
            floats.iter().map(|value| value.map(ask)).collect()
        } else {
            let nulls = array.logical_nulls();
            let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            (0..array.len())
                .map(|row| valid(row).then_some(other))
                .collect()
        };
        Ok(Arc::new(arrow::array::BooleanArray::from(answers)))
    }))
}
