//! Sums and means of the frames of a partition.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, UInt64Array,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, DecimalType, Float64Type, Int64Type, UInt64Type, i256,
};
use laktory_core::{Error, ErrorKind, Result};

use super::frames::{Summary, summaries, valid};
use crate::types::shown;

/// The sum of each frame of 64-bit integers, decimals of 128 bits or 64-bit floats; null where it has less than `least` values.
///
/// # Errors
/// `ConversionFailed` for a sum that the type cannot hold.
pub(crate) fn sums(values: &ArrayRef, frames: &[Range<usize>], least: usize) -> Result<ArrayRef> {
    Ok(match values.data_type() {
        DataType::Int64 => {
            let numbers = values.as_primitive::<Int64Type>().iter();
            let numbers = numbers.map(|value| value.unwrap_or(0).into());
            let sums = exact(values, numbers, frames, least);
            let sums = sums.map(|sum| fitting(sum, |sum| i64::try_from(sum).ok()));
            Arc::new(sums.collect::<Result<Int64Array>>()?)
        }
        DataType::UInt64 => {
            let numbers = values.as_primitive::<UInt64Type>().iter();
            let numbers = numbers.map(|value| value.unwrap_or(0).into());
            let sums = exact(values, numbers, frames, least);
            let sums = sums.map(|sum| fitting(sum, |sum| u64::try_from(sum).ok()));
            Arc::new(sums.collect::<Result<UInt64Array>>()?)
        }
        DataType::Decimal128(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let numbers = values.as_primitive::<Decimal128Type>().iter();
            let numbers = numbers.map(Option::unwrap_or_default);
            let is_valid = |sum| Decimal128Type::is_valid_decimal_precision(sum, precision);
            let sums = exact(values, numbers, frames, least);
            let sums = sums.map(|sum| fitting(sum, |sum| is_valid(sum).then_some(sum)));
            let sums = sums.collect::<Result<Decimal128Array>>()?;
            Arc::new(sums.with_data_type(DataType::Decimal128(precision, scale)))
        }
        DataType::Float64 => {
            let totals = floats(values, frames).into_iter();
            let sums = totals.map(|total| (total.count >= least).then_some(total.sum));
            Arc::new(sums.collect::<Float64Array>())
        }
        other => return Err(Error::internal(format!("sums of {}", shown(other)))),
    })
}

/// The mean of each frame of 64-bit floats; null where it has less than `least` values.
pub(crate) fn means(values: &ArrayRef, frames: &[Range<usize>], least: usize) -> ArrayRef {
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let mean = |total: Total| (total.count >= least).then(|| total.sum / total.count as f64);
    let totals = floats(values, frames).into_iter();
    Arc::new(totals.map(mean).collect::<Float64Array>())
}

/// The sum of each frame as the difference of two running totals, which is exact.
fn exact(
    values: &ArrayRef,
    numbers: impl Iterator<Item = i128>,
    frames: &[Range<usize>],
    least: usize,
) -> impl Iterator<Item = Option<i256>> {
    let rows = valid(values);
    let mut total = i256::ZERO;
    let running = numbers.map(|number| {
        total = total.wrapping_add(i256::from_i128(number));
        total
    });
    let before: Vec<i256> = std::iter::once(i256::ZERO).chain(running).collect();
    frames.iter().map(move |frame| {
        let sum = before[frame.end].wrapping_sub(before[frame.start]);
        (rows.count(frame) >= least).then_some(sum)
    })
}

/// A sum in the type of the result.
fn fitting<N>(sum: Option<i256>, fits: impl Fn(i128) -> Option<N>) -> Result<Option<N>> {
    let Some(sum) = sum else {
        return Ok(None);
    };
    match sum.to_i128().and_then(fits) {
        Some(sum) => Ok(Some(sum)),
        None => Err(Error::new(
            ErrorKind::ConversionFailed,
            "a sum of a window is too great for its type",
        )
        .with_hint("cast what is added to `Float64`")),
    }
}

/// Number and sum of floats.
#[derive(Clone)]
struct Total {
    count: usize,
    sum: f64,
}

impl Summary for Total {
    fn and(&self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
        }
    }
}

fn floats(values: &ArrayRef, frames: &[Range<usize>]) -> Vec<Total> {
    let values = values.as_primitive::<Float64Type>().iter();
    let values: Vec<Total> = values
        .map(|value| Total {
            count: usize::from(value.is_some()),
            sum: value.unwrap_or(0.0),
        })
        .collect();
    let nothing = Total { count: 0, sum: 0.0 };
    summaries(&values, frames.iter().cloned(), &nothing)
}
