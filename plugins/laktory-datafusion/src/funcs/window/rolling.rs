//! Moving windows.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use laktory_core::Result;

use super::framed::addends;
use super::{along, this};
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::aggregate::{Averaged, floats, sum_type};
use crate::funcs::cast::convert;
use crate::kernel::frames::{Summary, summaries};
use crate::kernel::totals;
use crate::types::is_number;

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

    /// The window of each row.
    fn windows(self, rows: usize) -> Vec<Range<usize>> {
        let windows = (0..rows).map(|row| {
            let (first, last) = self.bounds(row, rows);
            first..last + 1
        });
        windows.collect()
    }
}

/// Number, mean, and sum of squared distances from it.
#[derive(Clone)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Summary for Spread {
    fn and(&self, other: &Self) -> Self {
        if self.count == 0.0 {
            return other.clone();
        }
        if other.count == 0.0 {
            return self.clone();
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
    let value = addends(value, &output)?;
    let wide = value.dtype.clone();
    let name = format!("rolling_sum({frame:?})");
    let sums = along(call, name, value, wide, move |array| {
        totals::sums(array, &frame.windows(array.len()), frame.min_samples)
    })?;
    convert(sums, &output)
}

/// The mean of each window.
pub(super) fn mean(call: &Call<'_, '_>) -> Result<Value> {
    let frame = Frame::of(call)?;
    let value = this(call)?;
    let rule = Averaged::of(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    let name = format!("rolling_mean({frame:?})");
    let means = along(call, name, value, DataType::Float64, move |array| {
        let windows = frame.windows(array.len());
        Ok(totals::means(array, &windows, frame.min_samples))
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
        let nothing = Spread {
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
        };
        let spreads: Float64Array = summaries(&values, frame.windows(values.len()), &nothing)
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
    fn windows_are_behind_or_around_their_row() {
        let frame = |center| Frame {
            size: 4,
            min_samples: 1,
            center,
        };
        assert_eq!(frame(false).windows(5), [0..1, 0..2, 0..3, 0..4, 1..5]);
        assert_eq!(frame(true).windows(5), [0..2, 0..3, 0..4, 1..5, 2..5]);
        assert!(frame(true).windows(0).is_empty());
    }
}
