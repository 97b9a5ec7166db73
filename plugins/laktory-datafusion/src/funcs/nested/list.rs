//! Elements, lengths, sums and means of lists.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array,
    LargeListArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::kernels::cmp::not_distinct;
use datafusion::arrow::compute::{is_not_null, take};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type, UInt64Type};
use laktory_core::{Error, ErrorKind, Result};

use super::{kernel, owners};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::cast::{common_type, compacted, convert, convert_array, from_counts};
use crate::funcs::exact::too_many_bits;
use crate::funcs::{Call, arrays};
use crate::kernel::rows::canonical;
use crate::types::{element, is_decimal, is_float, is_integer, list_of};

/// A receiver that must be a list, and the type of its elements.
///
/// # Errors
/// `TypeMismatch`.
pub(super) fn receiver(call: &Call<'_, '_>) -> Result<(Value, DataType)> {
    let this = call.receiver()?;
    match element(&this.dtype) {
        Some(item) => {
            let item = item.clone();
            Ok((this, item))
        }
        None if this.dtype == DataType::Null => {
            Ok((Value::null(&list_of(DataType::Null))?, DataType::Null))
        }
        None => Err(call.mismatch(&this.dtype)),
    }
}

/// The elements of each list, as places among the values; `None` for a null list.
pub(super) fn places(lists: &LargeListArray) -> impl Iterator<Item = Option<Range<usize>>> {
    (0..lists.len()).map(|row| {
        let bounds = lists.value_offsets();
        let start = usize::try_from(bounds[row]).unwrap_or(0);
        let end = usize::try_from(bounds[row + 1]).unwrap_or(0);
        lists.is_valid(row).then_some(start..end)
    })
}

/// `list.len`.
pub(super) fn len(call: &Call<'_, '_>) -> Result<Value> {
    let (this, _) = receiver(call)?;
    Ok(kernel("list_len", vec![this], DataType::UInt32, |arrays| {
        let lists = arrays::lists(&arrays[0])?;
        let lengths: UInt32Array = places(&lists)
            .map(|places| u32::try_from(places?.len()).ok())
            .collect();
        Ok(Arc::new(lengths))
    }))
}

/// `list.get`: null beyond the end.
pub(super) fn get(call: &Call<'_, '_>) -> Result<Value> {
    let index = call.int("index")?;
    let Ok(index) = usize::try_from(index) else {
        return Err(Error::new(
            ErrorKind::OutOfBounds,
            format!("`list.get`: index {index} is out of bounds, elements are counted from 0"),
        ));
    };
    let (this, item) = receiver(call)?;
    Ok(kernel(
        format!("list_get({index})"),
        vec![this],
        item,
        move |arrays| {
            let lists = arrays::lists(&arrays[0])?;
            let found: UInt64Array = places(&lists)
                .map(|places| places?.nth(index).map(|at| at as u64))
                .collect();
            take(lists.values(), &found, None).or_error()
        },
    ))
}

/// `list.contains`: null elements count, a null list gives null.
pub(super) fn contains(call: &Call<'_, '_>) -> Result<Value> {
    let (this, item) = receiver(call)?;
    let wanted = call.value("item")?;
    let wanted = match searchable(&item, wanted) {
        Some(Ok(wanted)) => wanted,
        // A constant that no element can be equal to.
        Some(Err(error)) if error.kind() == ErrorKind::ConversionFailed => {
            return Ok(kernel(
                "list_never",
                vec![this],
                DataType::Boolean,
                |arrays| {
                    let known = is_not_null(&arrays[0]).or_error()?;
                    Ok(Arc::new(BooleanArray::new(
                        BooleanBuffer::new_unset(known.len()),
                        Some(known.values().clone().into()),
                    )))
                },
            ));
        }
        Some(Err(error)) => return Err(error),
        None => {
            return Err(call
                .mismatch(&this.dtype)
                .with_hint("the item must be of the type of the elements"));
        }
    };
    Ok(kernel(
        "list_contains",
        vec![this, wanted],
        DataType::Boolean,
        |arrays| {
            let lists = compacted(arrays::lists(&arrays[0])?)?;
            let owners = owners(lists.value_offsets().iter().copied());
            let wanted = take(&arrays[1], &owners, None).or_error()?;
            let (values, wanted) = (canonical(lists.values()), canonical(&wanted));
            let same = not_distinct(&values, &wanted).or_error()?;
            let out: BooleanArray = places(&lists)
                .map(|places| Some(places?.any(|at| same.value(at))))
                .collect();
            Ok(Arc::new(out))
        },
    ))
}

/// The wanted item in the type of the elements; `None` when they cannot be compared.
fn searchable(item: &DataType, wanted: Value) -> Option<Result<Value>> {
    if *item == DataType::Null || wanted.dtype == DataType::Null || wanted.dtype == *item {
        return Some(convert(wanted, item));
    }
    if is_integer(item) && is_integer(&wanted.dtype) {
        return Some(convert(wanted, item));
    }
    let column = Value {
        expr: datafusion::prelude::col("item"),
        dtype: item.clone(),
    };
    match common_type([&column, &wanted].into_iter()) {
        Ok(common)
            if common == *item
                && crate::types::is_text(item) == crate::types::is_text(&wanted.dtype) =>
        {
            Some(convert(wanted, item))
        }
        _ => None,
    }
}

/// `list.sum`: nulls are skipped, nothing is 0; small integers add up in 64 bits.
pub(super) fn sum(call: &Call<'_, '_>) -> Result<Value> {
    let (this, item) = receiver(call)?;
    let output = match &item {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int64,
        DataType::Boolean => DataType::UInt32,
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        item if is_integer(item) || is_float(item) => item.clone(),
        DataType::Duration(_) => item.clone(),
        DataType::Null => DataType::Null,
        _ => return Err(call.mismatch(&this.dtype)),
    };
    if output == DataType::Null {
        return Value::null(&DataType::Null);
    }
    let to = output.clone();
    Ok(kernel("list_sum", vec![this], output, move |arrays| {
        let lists = arrays::lists(&arrays[0])?;
        let out: ArrayRef = match &to {
            to if is_float(to) => {
                let values = arrays::floats(lists.values())?;
                Arc::new(
                    sums(
                        &lists,
                        |at| values.is_valid(at).then(|| values.value(at)),
                        |a, b| a + b,
                    )
                    .collect::<Float64Array>(),
                )
            }
            DataType::Decimal128(..) => {
                let values = convert_array(lists.values(), &to, true)?;
                let values = values.as_primitive::<Decimal128Type>();
                let out: Decimal128Array = sums(
                    &lists,
                    |at| values.is_valid(at).then(|| values.value(at)),
                    i128::wrapping_add,
                )
                .collect();
                return Ok(Arc::new(out.with_data_type(to.clone())));
            }
            DataType::UInt64 => {
                let values = lists.values().as_primitive::<UInt64Type>();
                Arc::new(
                    sums(
                        &lists,
                        |at| values.is_valid(at).then(|| values.value(at)),
                        u64::wrapping_add,
                    )
                    .collect::<UInt64Array>(),
                )
            }
            _ => {
                let values = arrays::integers(lists.values())?;
                let too_great = Cell::new(false);
                let out: Int64Array = sums(
                    &lists,
                    |at| values.is_valid(at).then(|| values.value(at)),
                    |a: i64, b| {
                        a.checked_add(b).unwrap_or_else(|| {
                            too_great.set(true);
                            a
                        })
                    },
                )
                .collect();
                if too_great.get() {
                    return Err(too_many_bits("sum"));
                }
                if matches!(to, DataType::Duration(_)) {
                    return from_counts(out, &to);
                }
                Arc::new(out)
            }
        };
        convert_array(&out, &to, true)
    }))
}

/// The sum of each list, from the default value on.
fn sums<T: Default + Copy>(
    lists: &LargeListArray,
    value: impl Fn(usize) -> Option<T>,
    add: impl Fn(T, T) -> T,
) -> impl Iterator<Item = Option<T>> {
    places(lists).map(move |places| Some(places?.filter_map(&value).fold(T::default(), &add)))
}

/// The two middles of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Middle {
    /// Sum by number.
    Mean,
    /// The value in the middle of the sorted ones, or the mean of the two there.
    Median,
}

/// `list.mean` and `list.median`: nulls are skipped; of nothing they are null.
pub(super) fn middle(call: &Call<'_, '_>, which: Middle) -> Result<Value> {
    let (this, item) = receiver(call)?;
    let output = match &item {
        DataType::Float32 => DataType::Float32,
        DataType::Duration(_) | DataType::Timestamp(..) => item.clone(),
        DataType::Boolean | DataType::Null => DataType::Float64,
        item if is_integer(item) || is_float(item) || is_decimal(item) => DataType::Float64,
        _ => return Err(call.mismatch(&this.dtype)),
    };
    let to = output.clone();
    Ok(kernel(
        format!("list_{which:?}"),
        vec![this],
        output,
        move |arrays| {
            let lists = arrays::lists(&arrays[0])?;
            let counted = matches!(to, DataType::Duration(_) | DataType::Timestamp(..));
            let values: Float64Array = if counted {
                let counts: ArrayRef = Arc::new(arrays::integers(lists.values())?);
                arrays::floats(&counts)?
            } else {
                arrays::floats(lists.values())?
            };
            let out: Float64Array = places(&lists)
                .map(|places| {
                    let known: Vec<f64> = places?
                        .filter(|at| values.is_valid(*at))
                        .map(|at| values.value(at))
                        .collect();
                    of(known, which)
                })
                .collect();
            let out: ArrayRef = Arc::new(out);
            if counted {
                let counts = convert_array(&out, &DataType::Int64, false)?;
                return from_counts(counts.as_primitive::<Int64Type>().clone(), &to);
            }
            convert_array(&out, &to, true)
        },
    ))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "no list has so many elements that their number needs more than 52 bits"
)]
fn of(mut known: Vec<f64>, which: Middle) -> Option<f64> {
    if known.is_empty() {
        return None;
    }
    match which {
        Middle::Mean => {
            // From zero: the sum of nothing but negative zeros is zero.
            Some(known.iter().fold(0.0, |sum, value| sum + value) / known.len() as f64)
        }
        Middle::Median => {
            // NaN last, whatever its sign.
            known.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
            let half = known.len() / 2;
            Some(if known.len() % 2 == 1 {
                known[half]
            } else {
                // As quantiles are interpolated: NaN between infinities and numbers.
                let (below, above) = (known[half - 1], known[half]);
                if below == above {
                    below
                } else {
                    below + (above - below) * 0.5
                }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_two_is_their_mean() {
        assert_eq!(of(vec![3.5, 1.0], Middle::Median), Some(2.25));
        assert!(of(vec![f64::NAN, 1.0], Middle::Median).is_some_and(f64::is_nan));
        assert_eq!(of(Vec::new(), Middle::Mean), None);
    }
}
