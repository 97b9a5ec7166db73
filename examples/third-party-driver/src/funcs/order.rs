//! Functions that look at other rows: positions, neighbours, running values, ranks. The rows come in their order already.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, UInt32Array, UInt64Array,
};
use arrow::compute::kernels::numeric::sub_wrapping;
use arrow::compute::take;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use laktory_core::{Func, Result};

use super::{Call, FULL, NUMBERS, Row};
use crate::batch::{groups_of, indices, keyed, keys};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Column, Value, kernel};
use crate::types::{is_float, is_number};

pub(super) const ROWS: &[Row] = &[
    (Func::RowIndex, FULL, |_| {
        Ok(Value::new(DataType::Int64, |rows| {
            let count = i64::try_from(rows.num_rows()).unwrap_or(i64::MAX);
            Ok(Column::Each(Arc::new(Int64Array::from_iter_values(
                0..count,
            ))))
        }))
    }),
    (Func::Shift, FULL, |call| {
        let n = call.int("n")?;
        let value = call.receiver()?;
        let dtype = value.dtype.clone();
        Ok(kernel(vec![value], dtype, move |arrays| {
            shifted(&arrays[0], n)
        }))
    }),
    (Func::Diff, NUMBERS, |call| {
        let value = call.receiver()?;
        let dtype = match &value.dtype {
            DataType::UInt8 => DataType::Int16,
            DataType::UInt16 => DataType::Int32,
            DataType::UInt32 | DataType::UInt64 => DataType::Int64,
            dtype if is_number(dtype) => dtype.clone(),
            dtype => return Err(call.mismatch(dtype)),
        };
        let value = convert(value, &dtype)?;
        Ok(kernel(vec![value], dtype, |arrays| {
            sub_wrapping(&arrays[0], &shifted(&arrays[0], 1)?).or_error()
        }))
    }),
    (Func::CumSum, NUMBERS, cum_sum),
    (Func::CumCount, FULL, |call| {
        let reverse = call.flag("reverse")?;
        Ok(kernel(
            vec![call.receiver()?],
            DataType::UInt32,
            move |arrays| {
                let mut count = 0;
                let nulls = arrays[0].logical_nulls();
                let counts = running(arrays[0].len(), reverse, |row| {
                    count += u32::from(nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)));
                    Some(count)
                });
                Ok(Arc::new(UInt32Array::from(counts)))
            },
        ))
    }),
    (Func::Rank, FULL, rank),
    (Func::IsDuplicated, FULL, |call| {
        occurring(call, |group, _| group.len() > 1)
    }),
    (Func::IsUnique, FULL, |call| {
        occurring(call, |group, _| group.len() == 1)
    }),
    (Func::IsFirstDistinct, FULL, |call| {
        occurring(call, |group, row| group.first() == Some(&row))
    }),
    (Func::IsLastDistinct, FULL, |call| {
        occurring(call, |group, row| group.last() == Some(&row))
    }),
];

/// The value n rows before.
fn shifted(array: &ArrayRef, n: i64) -> Result<ArrayRef> {
    let places = (0..array.len()).map(|row| {
        let place = i64::try_from(row).ok()?.checked_sub(n)?;
        usize::try_from(place)
            .ok()
            .filter(|place| *place < array.len())
    });
    take(array, &indices(places), None).or_error()
}

/// Something for each row that depends on those before it, or behind it.
fn running<T>(
    rows: usize,
    reverse: bool,
    mut step: impl FnMut(usize) -> Option<T>,
) -> Vec<Option<T>> {
    if !reverse {
        return (0..rows).map(step).collect();
    }
    let mut out: Vec<Option<T>> = (0..rows).rev().map(&mut step).collect();
    out.reverse();
    out
}

fn cum_sum(call: &Call<'_, '_>) -> Result<Value> {
    let reverse = call.flag("reverse")?;
    let value = call.receiver()?;
    let dtype = match &value.dtype {
        dtype if is_float(dtype) => dtype.clone(),
        DataType::UInt64 => DataType::UInt64,
        DataType::Boolean | DataType::Null => DataType::Int64,
        dtype if dtype.is_integer() => DataType::Int64,
        dtype => return Err(call.mismatch(dtype)),
    };
    let output = dtype.clone();
    Ok(kernel(vec![value], dtype, move |arrays| {
        let array = &arrays[0];
        let sums: ArrayRef = if is_float(&output) {
            let values = arrow::compute::cast(array, &DataType::Float64).or_error()?;
            let values = values.as_primitive::<Float64Type>();
            let mut sum = 0.0;
            Arc::new(Float64Array::from(running(array.len(), reverse, |row| {
                values.is_valid(row).then(|| {
                    sum += values.value(row);
                    sum
                })
            })))
        } else {
            let values = arrow::compute::cast(array, &DataType::Int64).or_error()?;
            let values = values.as_primitive::<Int64Type>();
            let mut sum = 0_i64;
            Arc::new(Int64Array::from(running(array.len(), reverse, |row| {
                values.is_valid(row).then(|| {
                    sum = sum.wrapping_add(values.value(row));
                    sum
                })
            })))
        };
        arrow::compute::cast(&sums, &output).or_error()
    }))
}

/// Ranks from 1; null has none.
fn rank(call: &Call<'_, '_>) -> Result<Value> {
    let (method, descending) = (call.text("method")?.to_owned(), call.flag("descending")?);
    let dtype = match method.as_str() {
        "average" => DataType::Float64,
        _ => DataType::Int64,
    };
    let output = dtype.clone();
    Ok(kernel(
        vec![keyed(call.receiver()?)?],
        dtype,
        move |arrays| {
            let array = &arrays[0];
            let rows = keys(std::slice::from_ref(array))?;
            let nulls = array.logical_nulls();
            let mut sorted: Vec<usize> = (0..array.len())
                .filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)))
                .collect();
            sorted.sort_by(|a, b| {
                let order = rows.row(*a).cmp(&rows.row(*b));
                if descending { order.reverse() } else { order }
            });
            let mut ranks = vec![None; array.len()];
            let (mut done, mut dense) = (0_u32, 0_u32);
            for ties in sorted.chunk_by(|a, b| rows.row(*a) == rows.row(*b)) {
                let size = u32::try_from(ties.len()).unwrap_or(u32::MAX);
                dense += 1;
                for (place, row) in (1_u32..).zip(ties) {
                    ranks[*row] = Some(match method.as_str() {
                        "min" => f64::from(done + 1),
                        "max" => f64::from(done + size),
                        "dense" => f64::from(dense),
                        "ordinal" => f64::from(done + place),
                        _ => f64::from(done) + f64::from(size + 1) / 2.0,
                    });
                }
                done += size;
            }
            let ranks: ArrayRef = Arc::new(Float64Array::from(ranks));
            arrow::compute::cast(&ranks, &output).or_error()
        },
    ))
}

/// A question about each row and the rows with its value.
fn occurring(call: &Call<'_, '_>, ask: fn(&[usize], usize) -> bool) -> Result<Value> {
    Ok(kernel(
        vec![keyed(call.receiver()?)?],
        DataType::Boolean,
        move |arrays| {
            let mut out = vec![false; arrays[0].len()];
            for group in groups_of(&keys(arrays)?) {
                for row in &group {
                    out[*row] = ask(&group, *row);
                }
            }
            Ok(Arc::new(BooleanArray::from(out)))
        },
    ))
}

/// Nulls replaced by the value before or behind them, at most some in a row.
pub(super) fn filled(call: &Call<'_, '_>) -> Result<Value> {
    let backward = call.opt_text("strategy")? == Some("backward");
    let limit = call.opt_count("limit")?;
    let value = call.receiver()?;
    let dtype = value.dtype.clone();
    Ok(kernel(vec![value], dtype, move |arrays| {
        let array = &arrays[0];
        let (mut last, mut filled) = (None, 0);
        let places = running(array.len(), backward, |row| {
            if array.is_valid(row) {
                (last, filled) = (Some(row as u64), 0);
                return last;
            }
            filled += 1;
            last.filter(|_| limit.is_none_or(|limit| filled <= limit))
        });
        take(array, &UInt64Array::from(places), None).or_error()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_shift_in_both_directions() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let values = |n| {
            let out = shifted(&array, n).unwrap();
            out.as_primitive::<Int64Type>().iter().collect::<Vec<_>>()
        };
        assert_eq!(values(1), [None, Some(1), Some(2)]);
        assert_eq!(values(-2), [Some(3), None, None]);
        assert_eq!(values(5), [None; 3]);
    }
}
