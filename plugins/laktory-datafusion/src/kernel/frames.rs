//! Frames of windows: which rows of a sorted partition each of its rows sees, and what is told of them without walking
//! each frame from its first row to its last.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, UInt64Type,
};
use laktory_core::{Error, RangeKeys, RangeValues, Result, WindowFrame};

use crate::error::ResultExt;
use crate::types::shown;

/// The frame of each of `rows` rows of a partition whose rows are sorted by `keys`.
///
/// # Errors
/// `Compute` for keys that the engine cannot compare.
pub(crate) fn frames(
    frame: WindowFrame,
    keys: &[ArrayRef],
    descending: bool,
    rows: usize,
) -> Result<Vec<Range<usize>>> {
    let peers = if keys.is_empty() {
        let all = std::iter::once(0..rows);
        all.filter(|all| !all.is_empty()).collect()
    } else {
        partition(keys).or_error()?.ranges()
    };
    let values = match keys.first() {
        Some(key) if frame.reaches_over_values() => Some(RangeKeys {
            values: values(key)?,
            descending,
        }),
        _ => None,
    };
    Ok(frame.rows(&peers, values.as_ref()))
}

/// The values of a key, with what a distance of 1, or of a microsecond, is among them.
fn values(key: &ArrayRef) -> Result<RangeValues> {
    let whole = |key: &ArrayRef, unit: i128| -> Result<RangeValues> {
        let key = cast(key, &DataType::Int64).or_error()?;
        let values = key.as_primitive::<Int64Type>().iter();
        Ok(RangeValues::Whole(
            values.map(|value| value.map(i128::from)).collect(),
            unit,
        ))
    };
    let microseconds = TimeUnit::Microsecond;
    match key.data_type() {
        DataType::UInt64 => {
            let values = key.as_primitive::<UInt64Type>().iter();
            let values = values.map(|value| value.map(i128::from)).collect();
            Ok(RangeValues::Whole(values, 1))
        }
        integer if integer.is_integer() => whole(key, 1),
        DataType::Decimal128(_, scale) => {
            let unit = 10_i128.pow(u32::from(scale.unsigned_abs()));
            let values = key.as_primitive::<Decimal128Type>().iter();
            Ok(RangeValues::Whole(values.collect(), unit))
        }
        float if float.is_floating() => {
            let key = cast(key, &DataType::Float64).or_error()?;
            let values = key.as_primitive::<Float64Type>().iter().collect();
            Ok(RangeValues::Float(values))
        }
        DataType::Date32 => {
            let stamps = cast(key, &DataType::Timestamp(microseconds, None)).or_error()?;
            whole(&stamps, 1)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Duration(TimeUnit::Nanosecond) => {
            whole(key, 1_000)
        }
        DataType::Time64(TimeUnit::Nanosecond) => whole(key, 1_000),
        DataType::Timestamp(_, zone) => {
            let stamps = DataType::Timestamp(microseconds, zone.clone());
            whole(&cast(key, &stamps).or_error()?, 1)
        }
        DataType::Duration(_) => {
            whole(&cast(key, &DataType::Duration(microseconds)).or_error()?, 1)
        }
        DataType::Time64(_) => whole(key, 1),
        other => Err(Error::internal(format!(
            "distances of {} in a window",
            shown(other)
        ))),
    }
}

/// What is known of some rows.
pub(crate) trait Summary: Clone {
    /// Of these rows, and the rows behind them.
    #[must_use]
    fn and(&self, other: &Self) -> Self;
}

/// The summary of the rows of each frame; `nothing` is that of no rows. Nothing is ever subtracted, so that neither NaN nor
/// rounding stays behind, and the cost does not depend on the width of frames.
pub(crate) fn summaries<S: Summary>(
    values: &[S],
    frames: impl IntoIterator<Item = Range<usize>>,
    nothing: &S,
) -> Vec<S> {
    // The rows from `start` to `middle` have a summary for each of their ends, the last first; those from `middle` to `end` have
    // one.
    let mut tails: Vec<S> = Vec::new();
    let mut head = nothing.clone();
    let (mut middle, mut end) = (0, 0);
    frames
        .into_iter()
        .map(|frame| {
            for value in &values[end.min(frame.end)..frame.end] {
                head = head.and(value);
            }
            end = end.max(frame.end);
            if frame.start >= middle {
                tails.clear();
                let mut tail = nothing.clone();
                for value in values[frame.start..end].iter().rev() {
                    tail = value.and(&tail);
                    tails.push(tail.clone());
                }
                head = nothing.clone();
                middle = end;
            } else {
                tails.truncate(middle - frame.start);
            }
            match tails.last() {
                Some(tail) => tail.and(&head),
                None => nothing.clone(),
            }
        })
        .collect()
}

/// Values that are not null, for the frames of a partition.
pub(crate) struct Valid {
    /// How many there are in front of each row, and in all.
    before: Vec<usize>,
    /// Their rows.
    rows: Vec<usize>,
}

impl Valid {
    /// The values that count: all of `rows`, or those that are not null.
    pub(crate) fn new(rows: usize, nulls: Option<&NullBuffer>) -> Self {
        let valid: Vec<usize> = (0..rows)
            .filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row)))
            .collect();
        let mut before = Vec::with_capacity(rows + 1);
        let mut count = 0;
        for row in 0..=rows {
            while valid.get(count).is_some_and(|valid| *valid < row) {
                count += 1;
            }
            before.push(count);
        }
        Self {
            before,
            rows: valid,
        }
    }

    /// How many there are in a frame.
    pub(crate) fn count(&self, frame: &Range<usize>) -> usize {
        self.before[frame.end] - self.before[frame.start]
    }

    /// The row of the nth of a frame, counted from 0.
    pub(crate) fn nth(&self, frame: &Range<usize>, nth: usize) -> Option<usize> {
        (nth < self.count(frame)).then(|| self.rows[self.before[frame.start] + nth])
    }

    /// The row of the last of a frame.
    pub(crate) fn last(&self, frame: &Range<usize>) -> Option<usize> {
        let last = self.count(frame).checked_sub(1)?;
        self.nth(frame, last)
    }
}

/// Which values of an array are not null.
pub(crate) fn valid(array: &ArrayRef) -> Valid {
    Valid::new(array.len(), array.logical_nulls().as_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::Int64Array;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Rows(Vec<usize>);

    impl Summary for Rows {
        fn and(&self, other: &Self) -> Self {
            Self(self.0.iter().chain(&other.0).copied().collect())
        }
    }

    #[test]
    fn summaries_are_those_of_the_rows_of_each_frame() {
        let rows: Vec<Rows> = (0..9).map(|row| Rows(vec![row])).collect();
        let lengths = [0, 1, 2, 5, 9];
        for before in lengths {
            for behind in lengths {
                for ahead in 0..=3 {
                    let frames = (0..rows.len()).map(|row| {
                        let start = (row + ahead).saturating_sub(before).min(rows.len());
                        start..(row + behind).clamp(start, rows.len())
                    });
                    let found = summaries(&rows, frames.clone(), &Rows(Vec::new()));
                    for (found, frame) in found.into_iter().zip(frames) {
                        assert_eq!(found.0, frame.collect::<Vec<_>>());
                    }
                }
            }
        }
    }

    #[test]
    fn nulls_are_passed_over() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1), None, Some(2)]));
        let valid = valid(&array);
        assert_eq!(valid.count(&(0..4)), 2);
        assert_eq!(valid.nth(&(0..4), 0), Some(1));
        assert_eq!(valid.nth(&(2..4), 0), Some(3));
        assert_eq!(valid.nth(&(2..3), 0), None);
        assert_eq!(valid.last(&(0..3)), Some(1));
        assert_eq!(valid.last(&(0..1)), None);
    }
}
