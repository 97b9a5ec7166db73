//! Running sums, products, extremes and counts. Nulls stay null and are passed over.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray,
    UInt32Array, UInt64Array, downcast_primitive_array,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use laktory_core::{Error, Result};

use super::{along, this};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::funcs::exact::too_many_bits;
use crate::kernel::rows as keys;
use crate::types::{is_float, is_integer, is_number, is_text, shown};

/// The type of running sums of a type, as Polars gives it.
fn sum_type(dtype: &DataType) -> Option<DataType> {
    Some(match dtype {
        DataType::Boolean => DataType::UInt32,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int64,
        DataType::Duration(_) => dtype.clone(),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        number if is_number(number) => number.clone(),
        _ => return None,
    })
}

fn product_type(dtype: &DataType) -> Option<DataType> {
    Some(match dtype {
        DataType::UInt64 => DataType::UInt64,
        float if is_float(float) => float.clone(),
        DataType::Boolean | DataType::Null => DataType::Int64,
        integer if is_integer(integer) => DataType::Int64,
        _ => return None,
    })
}

/// The running sum.
pub(super) fn sum(call: &Call<'_, '_>) -> Result<Value> {
    let reverse = call.flag("reverse")?;
    let value = this(call)?;
    let output = sum_type(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = convert(value, &output)?;
    along(
        call,
        format!("cum_sum({reverse})"),
        value,
        output,
        move |array| numbers(array, reverse, Combine::Add),
    )
}

/// The running product.
pub(super) fn product(call: &Call<'_, '_>) -> Result<Value> {
    let reverse = call.flag("reverse")?;
    let value = this(call)?;
    let output = product_type(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = convert(value, &output)?;
    along(
        call,
        format!("cum_prod({reverse})"),
        value,
        output,
        move |array| numbers(array, reverse, Combine::Multiply),
    )
}

/// The running minimum or maximum, which passes over NaN while there is anything else.
pub(super) fn extreme(call: &Call<'_, '_>, greatest: bool) -> Result<Value> {
    let reverse = call.flag("reverse")?;
    let value = this(call)?;
    let output = value.dtype.clone();
    let bytes = is_text(&output)
        || matches!(
            output,
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary
        );
    let ordered = output.is_temporal() || matches!(output, DataType::Boolean | DataType::Null);
    if !bytes && !ordered && !is_number(&output) {
        return Err(call.mismatch(&output));
    }
    let combine = if greatest {
        Combine::Greatest
    } else {
        Combine::Least
    };
    let name = format!("cum_{combine:?}({reverse})").to_lowercase();
    along(call, name, value, output, move |array| {
        match array.data_type() {
            _ if bytes => by_keys(array, reverse, greatest),
            DataType::Null => Ok(Arc::clone(array)),
            DataType::Boolean => Ok(Arc::new(truths(array.as_boolean(), reverse, greatest))),
            _ => numbers(array, reverse, combine),
        }
    })
}

/// How many values that are not null there were.
pub(super) fn count(call: &Call<'_, '_>) -> Result<Value> {
    let reverse = call.flag("reverse")?;
    let value = this(call)?;
    along(
        call,
        format!("cum_count({reverse})"),
        value,
        DataType::UInt32,
        move |array| {
            let mut counts = vec![0_u32; array.len()];
            let mut count = 0;
            let nulls = array.logical_nulls();
            for row in rows(array.len(), reverse) {
                if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    count += 1;
                }
                counts[row] = count;
            }
            Ok(Arc::new(UInt32Array::from(counts)))
        },
    )
}

/// How a value is combined with those before.
#[derive(Clone, Copy, Debug)]
enum Combine {
    Add,
    Multiply,
    Least,
    Greatest,
}

fn rows(length: usize, reverse: bool) -> impl Iterator<Item = usize> {
    (0..length).map(move |row| if reverse { length - 1 - row } else { row })
}

fn numbers(array: &ArrayRef, reverse: bool, combine: Combine) -> Result<ArrayRef> {
    // Integers wrap around, as those of Polars.
    match array.data_type() {
        DataType::Float16 => Ok(floats::<Float16Type>(array, reverse, combine, |v| {
            v.is_nan()
        })),
        DataType::Float32 => Ok(floats::<Float32Type>(array, reverse, combine, |v| {
            v.is_nan()
        })),
        DataType::Float64 => Ok(floats::<Float64Type>(array, reverse, combine, |v| {
            v.is_nan()
        })),
        _ => {
            let too_great = Cell::new(false);
            let out: Result<ArrayRef> = downcast_primitive_array!(
                array => Ok(Arc::new(scan(array, reverse, |state, value| {
                    let next = match combine {
                        Combine::Add => state.add_checked(value),
                        Combine::Multiply => state.mul_checked(value),
                        _ => Ok(combined(combine, state, value)),
                    };
                    next.unwrap_or_else(|_| {
                        too_great.set(true);
                        state
                    })
                }))),
                other => Err(Error::internal(format!("running values of {}", shown(other))))
            );
            match too_great.get() {
                true => Err(too_many_bits("running value")),
                false => out,
            }
        }
    }
}

fn floats<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    reverse: bool,
    combine: Combine,
    is_nan: fn(T::Native) -> bool,
) -> ArrayRef
where
    T::Native: ArrowNativeTypeOp,
{
    let extreme = matches!(combine, Combine::Least | Combine::Greatest);
    Arc::new(scan(array.as_primitive::<T>(), reverse, |state, value| {
        if extreme && is_nan(value) {
            state
        } else if extreme && is_nan(state) {
            value
        } else {
            combined(combine, state, value)
        }
    }))
}

fn combined<N: ArrowNativeTypeOp>(combine: Combine, state: N, value: N) -> N {
    match combine {
        Combine::Add => state.add_wrapping(value),
        Combine::Multiply => state.mul_wrapping(value),
        Combine::Least if value.is_lt(state) => value,
        Combine::Greatest if value.is_gt(state) => value,
        Combine::Least | Combine::Greatest => state,
    }
}

fn scan<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    reverse: bool,
    combine: impl Fn(T::Native, T::Native) -> T::Native,
) -> PrimitiveArray<T> {
    let mut out = array.values().to_vec();
    let mut state: Option<T::Native> = None;
    for row in rows(array.len(), reverse) {
        if array.is_null(row) {
            continue;
        }
        let next = match state {
            Some(state) => combine(state, out[row]),
            None => out[row],
        };
        out[row] = next;
        state = Some(next);
    }
    PrimitiveArray::<T>::new(out.into(), array.nulls().cloned())
        .with_data_type(array.data_type().clone())
}

/// Running extremes of values that are no numbers.
fn by_keys(array: &ArrayRef, reverse: bool, greatest: bool) -> Result<ArrayRef> {
    let keys = keys::keys(std::slice::from_ref(array), greatest)?;
    let nulls = array.logical_nulls();
    let mut sources: Vec<Option<u64>> = vec![None; array.len()];
    let mut known: Option<usize> = None;
    for row in rows(array.len(), reverse) {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            continue;
        }
        let best = known.map_or(row, |known| {
            if keys.row(row) < keys.row(known) {
                row
            } else {
                known
            }
        });
        known = Some(best);
        sources[row] = Some(best as u64);
    }
    take(array, &UInt64Array::from(sources), None).or_error()
}

fn truths(array: &BooleanArray, reverse: bool, greatest: bool) -> BooleanArray {
    // False is less than true.
    let mut out: Vec<Option<bool>> = vec![None; array.len()];
    let mut state = !greatest;
    for row in rows(array.len(), reverse) {
        if array.is_valid(row) {
            state = if greatest {
                state | array.value(row)
            } else {
                state & array.value(row)
            };
            out[row] = Some(state);
        }
    }
    out.into()
}
