//! Frames of windows: which rows of a sorted partition each of its rows sees, and what is told of them without walking
//! each frame from its first row to its last.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::partition;
use laktory_core::{Result, WindowBound, WindowFrame, WindowUnit};

use crate::error::ResultExt;

/// The frame of each of `rows` rows of a partition whose rows are sorted by `keys`. Neither ends of frames ever move back.
///
/// # Errors
/// `Compute` for keys that the engine cannot compare.
pub(crate) fn frames(
    frame: WindowFrame,
    keys: &[ArrayRef],
    rows: usize,
) -> Result<Vec<Range<usize>>> {
    let groups = match frame.unit {
        WindowUnit::Rows => (0..rows).map(|row| row..row + 1).collect(),
        WindowUnit::Groups => peers(keys, rows)?,
    };
    let moved = |group: usize, by: i64| -> usize {
        let by_rows = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        if by < 0 {
            // One too far is told apart by the caller.
            group.checked_sub(by_rows).unwrap_or(usize::MAX)
        } else {
            group.saturating_add(by_rows).min(groups.len())
        }
    };
    let start_of = |group: usize| match frame.start {
        WindowBound::Unbounded => 0,
        WindowBound::Offset(by) => match moved(group, by) {
            usize::MAX => 0,
            group => groups.get(group).map_or(rows, |group| group.start),
        },
    };
    let end_of = |group: usize| match frame.end {
        WindowBound::Unbounded => rows,
        WindowBound::Offset(by) => match moved(group, by) {
            usize::MAX => 0,
            group => groups.get(group).map_or(rows, |group| group.end),
        },
    };
    let mut out = Vec::with_capacity(rows);
    for (at, group) in groups.iter().enumerate() {
        let (start, end) = (start_of(at), end_of(at));
        out.extend(std::iter::repeat_n(start..end.max(start), group.len()));
    }
    Ok(out)
}

/// The ranges of rows that are equal in all keys.
fn peers(keys: &[ArrayRef], rows: usize) -> Result<Vec<Range<usize>>> {
    if keys.is_empty() {
        return Ok(std::iter::once(0..rows)
            .filter(|all| !all.is_empty())
            .collect());
    }
    Ok(partition(keys).or_error()?.ranges())
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

    /// All ends that are worth a try.
    fn bounds() -> Vec<WindowBound> {
        let offsets = [-9, -2, -1, 0, 1, 3, 9, i64::MIN, i64::MAX];
        std::iter::once(WindowBound::Unbounded)
            .chain(offsets.map(WindowBound::Offset))
            .collect()
    }

    /// A frame by its definition: rows whose number, or that of whose group, lies between the bounds.
    fn defined(frame: WindowFrame, keys: &[i64], row: usize) -> Vec<usize> {
        let number = |row: usize| -> i128 {
            match frame.unit {
                WindowUnit::Rows => row as i128,
                WindowUnit::Groups => {
                    let changes = keys[..=row].windows(2).filter(|pair| pair[0] != pair[1]);
                    changes.count() as i128
                }
            }
        };
        let within = |other: &usize| {
            let away = number(*other) - number(row);
            let after_start = match frame.start {
                WindowBound::Unbounded => true,
                WindowBound::Offset(by) => away >= i128::from(by),
            };
            let before_end = match frame.end {
                WindowBound::Unbounded => true,
                WindowBound::Offset(by) => away <= i128::from(by),
            };
            after_start && before_end
        };
        (0..keys.len()).filter(within).collect()
    }

    #[test]
    fn frames_are_those_of_the_definition_and_summaries_those_of_their_rows() {
        let keys = [1, 1, 2, 3, 3, 3, 4];
        for length in 0..=keys.len() {
            let keys = &keys[..length];
            let array: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
            for unit in [WindowUnit::Rows, WindowUnit::Groups] {
                for start in bounds() {
                    for end in bounds() {
                        let frame = WindowFrame { unit, start, end };
                        let found = frames(frame, &[Arc::clone(&array)], length).unwrap();
                        assert_eq!(found.len(), length);
                        let rows: Vec<Rows> = (0..length).map(|row| Rows(vec![row])).collect();
                        let summaries = summaries(&rows, found.iter().cloned(), &Rows(Vec::new()));
                        for (row, found) in found.into_iter().enumerate() {
                            let expected = defined(frame, keys, row);
                            assert_eq!(found.collect::<Vec<_>>(), expected, "{frame:?} {row}");
                            assert_eq!(summaries[row], Rows(expected), "{frame:?} {row}");
                        }
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
