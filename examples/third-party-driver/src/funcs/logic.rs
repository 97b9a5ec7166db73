//! Comparison, truth values with three of them, nulls and membership.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum};
use arrow::compute::kernels::zip::zip;
use arrow::compute::kernels::{bitwise, cmp};
use arrow::compute::{and_kleene, is_not_null, is_null, not, or_kleene};
use arrow::datatypes::{
    DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use laktory_core::{Arg, Error, ErrorKind, Expr, Func, Result, Scalar};

use super::aggregate::truths;
use super::{Call, FULL, NUMBERS, Row, order};
use crate::batch::{canonical, keys};
use crate::cast::{convert, convert_array};
use crate::error::OrError;
use crate::expr::{Value, array_of, kernel, truth};
use crate::types::{common, is_float, is_number, is_text, shown};
use crate::unsupported;

/// A comparison of the engine.
type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

pub(super) const ROWS: &[Row] = &[
    (Func::Eq, FULL, |call| compared(call, cmp::eq)),
    (Func::Ne, FULL, |call| compared(call, cmp::neq)),
    (Func::Lt, FULL, |call| compared(call, cmp::lt)),
    (Func::Le, FULL, |call| compared(call, cmp::lt_eq)),
    (Func::Gt, FULL, |call| compared(call, cmp::gt)),
    (Func::Ge, FULL, |call| compared(call, cmp::gt_eq)),
    (Func::SqlEqNullSafe, FULL, |call| {
        compared(call, cmp::not_distinct)
    }),
    (Func::IsBetween, FULL, |call| {
        let (from, to): (Compare, Compare) = match call.text("closed")? {
            "left" => (cmp::gt_eq, cmp::lt),
            "right" => (cmp::gt, cmp::lt_eq),
            "none" => (cmp::gt, cmp::lt),
            _ => (cmp::gt_eq, cmp::lt_eq),
        };
        let value = call.receiver()?;
        let above = compare(call, value.clone(), call.value("lower_bound")?, from)?;
        let below = compare(call, value, call.value("upper_bound")?, to)?;
        Ok(joined(above, below, and_kleene))
    }),
    (Func::And, FULL, |call| {
        logical(call, and_kleene, |a, b| a & b)
    }),
    (Func::Or, FULL, |call| {
        logical(call, or_kleene, |a, b| a | b)
    }),
    (Func::Xor, FULL, |call| {
        logical(call, |a, b| cmp::neq(a, b), |a, b| a ^ b)
    }),
    (Func::Not, FULL, negated),
    (Func::IsNull, FULL, |call| {
        Ok(kernel(
            vec![call.receiver()?],
            DataType::Boolean,
            |arrays| Ok(Arc::new(is_null(&arrays[0]).or_error()?)),
        ))
    }),
    (Func::SqlIsTrue, FULL, |call| is_truth(call, true)),
    (Func::SqlIsFalse, FULL, |call| is_truth(call, false)),
    (Func::FillNull, FULL, |call| {
        match call.opt_value("value")? {
            Some(value) => first_known(vec![call.receiver()?, value]),
            None => order::filled(call),
        }
    }),
    (Func::Coalesce, FULL, |call| {
        first_known(call.values("exprs")?)
    }),
    (Func::FillNan, NUMBERS, fill_nan),
    (Func::IsIn, FULL, is_in),
    (Func::AllHorizontal, FULL, |call| {
        across(call, and_kleene, true)
    }),
    (Func::AnyHorizontal, FULL, |call| {
        across(call, or_kleene, false)
    }),
];

fn compared(call: &Call<'_, '_>, run: Compare) -> Result<Value> {
    compare(call, call.receiver()?, call.value("other")?, run)
}

/// A comparison in the common type. NaN is equal to NaN and greater than everything else.
fn compare(call: &Call<'_, '_>, left: Value, right: Value, run: Compare) -> Result<Value> {
    let family = |dtype: &DataType| match dtype {
        dtype if is_number(dtype) || dtype.is_decimal() => 1,
        dtype if is_text(dtype) => 2,
        DataType::Date32 | DataType::Timestamp(..) => 3,
        _ => 4,
    };
    let path = call.func().def().path;
    let nothing = left.dtype == DataType::Null || right.dtype == DataType::Null;
    let values = [left, right];
    let dtype = match common(&values) {
        Ok(DataType::Null) => DataType::Boolean,
        Ok(dtype) if nothing || family(&values[0].dtype) == family(&values[1].dtype) => dtype,
        _ => {
            let (a, b) = (&values[0].dtype, &values[1].dtype);
            if a.is_decimal() && family(b) == 1 || b.is_decimal() && family(a) == 1 {
                return Err(unsupported(format!(
                    "`{path}` of a decimal and another type"
                )));
            }
            let message = format!("`{path}` cannot compare {} with {}", shown(a), shown(b));
            return Err(Error::new(ErrorKind::TypeMismatch, message)
                .with_hint("convert one of them with `.cast(...)`"));
        }
    };
    if dtype.is_nested() {
        return Err(call.mismatch(&dtype));
    }
    let [left, right] = values;
    let args = vec![convert(left, &dtype)?, convert(right, &dtype)?];
    Ok(kernel(args, DataType::Boolean, move |arrays| {
        let (a, b) = (canonical(&arrays[0]), canonical(&arrays[1]));
        Ok(Arc::new(run(&a, &b).or_error()?))
    }))
}

type Join = fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>;

/// Two truth values as one.
fn joined(left: Value, right: Value, join: Join) -> Value {
    kernel(vec![left, right], DataType::Boolean, move |arrays| {
        let joined = join(arrays[0].as_boolean(), arrays[1].as_boolean());
        Ok(Arc::new(joined.or_error()?))
    })
}

/// A function of truth values; integers are joined bit by bit.
fn logical(call: &Call<'_, '_>, join: Join, bits: fn(i128, i128) -> i128) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if left.dtype.is_integer() && right.dtype.is_integer() {
        let values = [left, right];
        let dtype = common(&values)?;
        let [left, right] = values;
        let args = vec![convert(left, &dtype)?, convert(right, &dtype)?];
        return Ok(kernel(args, dtype, move |arrays| bitwise_of(arrays, bits)));
    }
    let what = format!("an operand of `{}`", call.func().def().path);
    Ok(joined(truth(left, &what)?, truth(right, &what)?, join))
}

/// Integers of one type joined bit by bit.
fn bitwise_of(arrays: &[ArrayRef], bits: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    macro_rules! each {
        ($type:ty, $native:ty) => {{
            let (a, b) = (
                arrays[0].as_primitive::<$type>(),
                arrays[1].as_primitive::<$type>(),
            );
            #[allow(clippy::cast_possible_truncation, reason = "bits of one width stay so")]
            let out: arrow::array::PrimitiveArray<$type> =
                arrow::compute::binary(a, b, |a, b| bits(a.into(), b.into()) as $native)
                    .or_error()?;
            Arc::new(out) as ArrayRef
        }};
    }
    Ok(match arrays[0].data_type() {
        DataType::Int8 => each!(Int8Type, i8),
        DataType::Int16 => each!(Int16Type, i16),
        DataType::Int32 => each!(Int32Type, i32),
        DataType::Int64 => each!(Int64Type, i64),
        DataType::UInt8 => each!(UInt8Type, u8),
        DataType::UInt16 => each!(UInt16Type, u16),
        DataType::UInt32 => each!(UInt32Type, u32),
        _ => each!(UInt64Type, u64),
    })
}

fn negated(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    if !value.dtype.is_integer() {
        let value = truth(value, "the operand of `~`")?;
        return Ok(kernel(vec![value], DataType::Boolean, |arrays| {
            Ok(Arc::new(not(arrays[0].as_boolean()).or_error()?))
        }));
    }
    let dtype = value.dtype.clone();
    Ok(kernel(vec![value], dtype, |arrays| {
        macro_rules! each {
            ($type:ty) => {
                Arc::new(bitwise::bitwise_not(arrays[0].as_primitive::<$type>()).or_error()?)
                    as ArrayRef
            };
        }
        Ok(match arrays[0].data_type() {
            DataType::Int8 => each!(Int8Type),
            DataType::Int16 => each!(Int16Type),
            DataType::Int32 => each!(Int32Type),
            DataType::Int64 => each!(Int64Type),
            DataType::UInt8 => each!(UInt8Type),
            DataType::UInt16 => each!(UInt16Type),
            DataType::UInt32 => each!(UInt32Type),
            _ => each!(UInt64Type),
        })
    }))
}

/// Whether a value is true (or false), which is never null.
fn is_truth(call: &Call<'_, '_>, wanted: bool) -> Result<Value> {
    let value = truth(call.receiver()?, "a condition")?;
    Ok(kernel(vec![value], DataType::Boolean, move |arrays| {
        let answers = arrays[0].as_boolean().iter();
        let answers = answers.map(|value| Some(value == Some(wanted)));
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }))
}

/// The first value that is not null.
fn first_known(values: Vec<Value>) -> Result<Value> {
    let dtype = common(&values)?;
    let args = values
        .into_iter()
        .map(|value| convert(value, &dtype))
        .collect::<Result<Vec<_>>>()?;
    Ok(kernel(args, dtype, |arrays| {
        let Some((last, before)) = arrays.split_last() else {
            return Err(Error::internal("a choice of no values"));
        };
        let mut out = Arc::clone(last);
        for array in before.iter().rev() {
            let known = is_not_null(array).or_error()?;
            out = zip(&known, array, &out).or_error()?;
        }
        Ok(out)
    }))
}

fn fill_nan(call: &Call<'_, '_>) -> Result<Value> {
    let values = [call.receiver()?, call.value("value")?];
    if !is_number(&values[0].dtype) && values[0].dtype != DataType::Null {
        return Err(call.mismatch(&values[0].dtype));
    }
    let dtype = common(&values)?;
    let float = is_float(&dtype);
    let [value, replacement] = values;
    let args = vec![convert(value, &dtype)?, convert(replacement, &dtype)?];
    Ok(kernel(args, dtype, move |arrays| {
        if !float {
            return Ok(Arc::clone(&arrays[0]));
        }
        let floats = convert_array(&arrays[0], &DataType::Float64, true)?;
        let floats = floats.as_primitive::<Float64Type>();
        let nan: BooleanArray = floats
            .iter()
            .map(|value| Some(value.is_some_and(f64::is_nan)))
            .collect();
        zip(&nan, &arrays[1], &arrays[0]).or_error()
    }))
}

/// Whether a value is among constants. Null is null, and a null among them is equal to nothing.
fn is_in(call: &Call<'_, '_>) -> Result<Value> {
    let values = match call.arg("other") {
        Arg::Values(values) | Arg::Expr(Expr::Literal(Scalar::List(values))) => values,
        _ => return Err(unsupported("`is_in` with an expression")),
    };
    let value = call.receiver()?;
    let known: Vec<Scalar> = values
        .iter()
        .filter(|v| **v != Scalar::Null)
        .cloned()
        .collect();
    let mut sides = vec![value];
    for constant in &known {
        sides.push(Value::constant(constant)?);
    }
    let lossy = sides[0].dtype.is_integer() && sides.iter().any(|side| is_float(&side.dtype));
    let (texts, all) = (
        sides.iter().filter(|side| is_text(&side.dtype)).count(),
        sides.len(),
    );
    if lossy || sides[0].dtype != DataType::Null && texts != 0 && texts != all {
        return Err(Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "`is_in` cannot look for {} among such values",
                shown(&sides[0].dtype)
            ),
        ));
    }
    let dtype = common(&sides)?;
    let list = convert_array(&array_of(&known)?, &dtype, true)?;
    let value = convert(sides.swap_remove(0), &dtype)?;
    Ok(kernel(vec![value], DataType::Boolean, move |arrays| {
        let array = &arrays[0];
        // Keys of one conversion compare with each other.
        let both =
            crate::batch::stacked(&[Arc::clone(&list), Arc::clone(array)], array.data_type())?;
        let rows = keys(&[both])?;
        let wanted: HashSet<&[u8]> = (0..list.len()).map(|at| rows.row(at).data()).collect();
        let nulls = array.logical_nulls();
        let found: BooleanArray = (0..array.len())
            .map(|at| {
                let known = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
                known.then(|| wanted.contains(rows.row(list.len() + at).data()))
            })
            .collect();
        Ok(Arc::new(found))
    }))
}

/// Truth values joined across columns; nulls are skipped when the call says so.
fn across(call: &Call<'_, '_>, join: Join, neutral: bool) -> Result<Value> {
    let skip = call.flag("ignore_nulls")?;
    let args = call
        .values("exprs")?
        .into_iter()
        .map(|value| truths(call, value))
        .collect::<Result<Vec<_>>>()?;
    Ok(kernel(args, DataType::Boolean, move |arrays| {
        let mut all: Option<BooleanArray> = None;
        for array in arrays {
            let mut next = array.as_boolean().clone();
            if skip {
                next = next.iter().map(|value| value.or(Some(neutral))).collect();
            }
            all = Some(match all {
                Some(all) => join(&all, &next).or_error()?,
                None => next,
            });
        }
        all.map(|all| Arc::new(all) as ArrayRef)
            .ok_or_else(|| Error::internal("a choice of no values"))
    }))
}
