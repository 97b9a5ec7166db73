//! Moving windows. Each is put together from two summaries of parts of blocks, so that nothing is ever subtracted: the
//! cost does not depend on the size of the window, and neither NaN nor rounding stays behind.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Float64Array, PrimitiveArray,
};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use laktory_core::{Error, Result};

use super::{along, this};
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::aggregate::{Averaged, floats, sum_type};
use crate::funcs::cast::convert;
use crate::types::{is_float, is_number, shown};

/// Which rows belong to the window of a row.
#[derive(Clone, Copy, Debug)]
struct Frame {
    size: usize,
    min_samples: usize,
    center: bool,
}

impl Frame {
    fn of(call: &Call<'_, '_>) -> Result<Self> {
        let size = call
            .count("window_size")
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| call.invalid("`window_size` is at least 1"))?;
        let min_samples = call.opt_count("min_samples")?.unwrap_or(size);
        if min_samples == 0 {
            return Err(call.invalid("`min_samples` is at least 1"));
        }
        if min_samples > size {
            return Err(call.invalid("`min_samples` is at most `window_size`"));
        }
        Ok(Self {
            size,
            min_samples,
            center: call.flag("center")?,
        })
    }

    /// The first and last row of the window of a row.
    fn bounds(self, row: usize, length: usize) -> (usize, usize) {
        if self.center {
            let right = self.size.div_ceil(2);
            let first = row.saturating_sub(self.size - right);
            (first, row.saturating_add(right - 1).min(length - 1))
        } else {
            ((row + 1).saturating_sub(self.size), row)
        }
    }

    /// The summary of each window. Blocks are as long as windows, so that a window lies in at most two of them.
    fn summaries<S: Summary>(self, values: &[S]) -> Vec<S> {
        let length = values.len();
        let mut heads = values.to_vec();
        for row in 1..length {
            if row % self.size != 0 {
                heads[row] = heads[row - 1].and(heads[row]);
            }
        }
        let mut tails = values.to_vec();
        for row in (0..length.saturating_sub(1)).rev() {
            if (row + 1) % self.size != 0 {
                tails[row] = tails[row].and(tails[row + 1]);
            }
        }
        (0..length)
            .map(|row| {
                let (first, last) = self.bounds(row, length);
                if first % self.size == 0 && first / self.size == last / self.size {
                    heads[last]
                } else if first / self.size == last / self.size {
                    // Only a window that is cut off at the end lies within a block without filling it.
                    tails[first]
                } else {
                    tails[first].and(heads[last])
                }
            })
            .collect()
    }
}

/// What is known of some rows.
trait Summary: Copy {
    /// Of these rows, and the rows behind them.
    fn and(self, other: Self) -> Self;
}

/// Number and sum.
#[derive(Clone, Copy)]
struct Total<N> {
    count: usize,
    sum: N,
}

impl<N: ArrowNativeTypeOp> Summary for Total<N> {
    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum.add_wrapping(other.sum),
        }
    }
}

fn totals<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Vec<Total<T::Native>>
where
    T::Native: ArrowNativeTypeOp,
{
    array
        .iter()
        .map(|value| Total {
            count: usize::from(value.is_some()),
            sum: value.unwrap_or(T::Native::ZERO),
        })
        .collect()
}

/// Number, mean, and sum of squared distances from it.
#[derive(Clone, Copy)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Summary for Spread {
    fn and(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let away = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + away * other.count / count,
            squares: self.squares + other.squares + away * away * self.count * other.count / count,
        }
    }
}

/// The sum of each window.
pub(super) fn sum(call: &Call<'_, '_>) -> Result<Value> {
    let frame = Frame::of(call)?;
    let value = this(call)?;
    let output = match sum_type(&value.dtype) {
        // As Polars, which adds these in no moving window.
        None | Some(DataType::Duration(_) | DataType::Decimal128(..)) => {
            return Err(call.mismatch(&value.dtype));
        }
        Some(output) => output,
    };
    let wide = match &output {
        DataType::UInt32 | DataType::UInt64 => DataType::UInt64,
        float if is_float(float) => DataType::Float64,
        _ => DataType::Int64,
    };
    let value = match value.dtype {
        DataType::Boolean => convert(value, &DataType::UInt32)?,
        _ => value,
    };
    let value = convert(value, &wide)?;
    let name = format!("rolling_sum({frame:?})");
    let sums = along(call, name, value, wide, move |array| {
        match array.data_type() {
            DataType::UInt64 => Ok(sums::<UInt64Type>(array, frame)),
            DataType::Int64 => Ok(sums::<Int64Type>(array, frame)),
            DataType::Float64 => Ok(sums::<Float64Type>(array, frame)),
            other => Err(Error::internal(format!("moving sums of {}", shown(other)))),
        }
    })?;
    convert(sums, &output)
}

fn sums<T: ArrowPrimitiveType>(array: &ArrayRef, frame: Frame) -> ArrayRef
where
    T::Native: ArrowNativeTypeOp,
{
    let sums: PrimitiveArray<T> = frame
        .summaries(&totals(array.as_primitive::<T>()))
        .into_iter()
        .map(|total| (total.count >= frame.min_samples).then_some(total.sum))
        .collect();
    Arc::new(sums.with_data_type(array.data_type().clone()))
}

/// The mean of each window.
pub(super) fn mean(call: &Call<'_, '_>) -> Result<Value> {
    let frame = Frame::of(call)?;
    let value = this(call)?;
    let rule = Averaged::of(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    let name = format!("rolling_mean({frame:?})");
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let means = along(call, name, value, DataType::Float64, move |array| {
        let means: Float64Array = frame
            .summaries(&totals(array.as_primitive::<Float64Type>()))
            .into_iter()
            .map(|total| (total.count >= frame.min_samples).then(|| total.sum / total.count as f64))
            .collect();
        Ok(Arc::new(means))
    })?;
    rule.result(means)
}

/// The variance of each window, or its root.
pub(super) fn spread(call: &Call<'_, '_>, root: bool) -> Result<Value> {
    let frame = Frame::of(call)?;
    let ddof = f64::from(call.ddof()?);
    let value = this(call)?;
    let rule = match &value.dtype {
        DataType::Null | DataType::Boolean => Averaged::of(&value.dtype),
        number if is_number(number) => Averaged::of(number),
        _ => None,
    };
    let rule = rule.ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    let what = if root { "std" } else { "var" };
    let name = format!("rolling_{what}({frame:?},{ddof})");
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let spreads = along(call, name, value, DataType::Float64, move |array| {
        let values: Vec<Spread> = array
            .as_primitive::<Float64Type>()
            .iter()
            .map(|value| Spread {
                count: if value.is_some() { 1.0 } else { 0.0 },
                mean: value.unwrap_or(0.0),
                // An infinite value or NaN has no spread of its own, and yet makes that of its window NaN.
                squares: value.map_or(0.0, |value| value * 0.0),
            })
            .collect();
        let spreads: Float64Array = frame
            .summaries(&values)
            .into_iter()
            .map(|spread| {
                let enough = spread.count >= frame.min_samples as f64 && spread.count > ddof;
                enough.then(|| {
                    // Zero has no sign here.
                    let variance = spread.squares / (spread.count - ddof) + 0.0;
                    if root { variance.sqrt() } else { variance }
                })
            })
            .collect();
        Ok(Arc::new(spreads))
    })?;
    rule.result(spreads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_computed_row_by_row() {
        let values: Vec<i64> = vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
        for size in 1..=13 {
            for center in [false, true] {
                for length in 0..=values.len() {
                    let frame = Frame {
                        size,
                        min_samples: 1,
                        center,
                    };
                    let parts = totals(&PrimitiveArray::<Int64Type>::from(
                        values[..length].to_vec(),
                    ));
                    for (row, total) in frame.summaries(&parts).into_iter().enumerate() {
                        let (first, last) = frame.bounds(row, length);
                        let window = &values[first..=last];
                        assert_eq!(total.sum, window.iter().sum::<i64>());
                        assert_eq!(total.count, window.len(), "{frame:?} {row} of {length}");
                    }
                }
            }
        }
    }
}
