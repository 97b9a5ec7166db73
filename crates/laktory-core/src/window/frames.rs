//! Which rows of a sorted partition each of its rows sees. Drivers whose engine has no such windows sort rows, and ask here.

use std::cmp::Ordering;
use std::ops::Range;

use crate::window::{WindowBound, WindowFrame, WindowUnit};

/// The values of the only key of the order, sorted as the rows are, for frames that reach over a distance of values
/// ([`WindowUnit::Range`], [`WindowUnit::Interval`]).
#[derive(Clone, Debug)]
pub struct RangeKeys {
    /// The values; nulls are on one side, NaN is one value.
    pub values: RangeValues,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// Values with a distance.
#[derive(Clone, Debug)]
pub enum RangeValues {
    /// Integers, decimals by their digits, and times, with what a distance of 1 is among them.
    Whole(Vec<Option<i128>>, i128),
    /// Floats.
    Float(Vec<Option<f64>>),
}

impl WindowFrame {
    /// Whether distances of values decide, for which [`Self::rows`] needs the values of the key.
    #[must_use]
    pub fn reaches_over_values(self) -> bool {
        matches!(self.unit, WindowUnit::Range | WindowUnit::Interval)
    }

    /// The frame of each row of a partition, as a range of its rows. `peers` are the ranges of rows that are equal in order. Ends
    /// of frames never move back from row to row; a frame without rows may lie anywhere.
    #[must_use]
    pub fn rows(self, peers: &[Range<usize>], keys: Option<&RangeKeys>) -> Vec<Range<usize>> {
        let rows = peers.last().map_or(0, |last| last.end);
        if let (true, Some(keys)) = (self.reaches_over_values(), keys) {
            return match &keys.values {
                RangeValues::Whole(values, unit) => {
                    let add = |value: &i128, by: i64| {
                        value.saturating_add(i128::from(by).saturating_mul(*unit))
                    };
                    self.over_values(values, peers, keys.descending, add, Ord::cmp)
                }
                #[allow(clippy::cast_precision_loss, reason = "distances are small numbers")]
                RangeValues::Float(values) => self.over_values(
                    values,
                    peers,
                    keys.descending,
                    |value, by| value + by as f64,
                    f64::total_cmp,
                ),
            };
        }
        match self.unit {
            WindowUnit::Rows => {
                let single: Vec<Range<usize>> = (0..rows).map(|row| row..row + 1).collect();
                self.over_groups(&single, rows)
            }
            _ => self.over_groups(peers, rows),
        }
    }

    /// Frames that count groups of rows.
    fn over_groups(self, groups: &[Range<usize>], rows: usize) -> Vec<Range<usize>> {
        let moved = |group: usize, by: i64| {
            let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
            group.checked_add_signed(by)
        };
        let mut out = Vec::with_capacity(rows);
        for (at, group) in groups.iter().enumerate() {
            let start = match self.start {
                WindowBound::Unbounded => 0,
                WindowBound::Offset(by) if by > 0 => moved(at, by)
                    .and_then(|group| groups.get(group))
                    .map_or(rows, |group| group.start),
                WindowBound::Offset(by) => moved(at, by).map_or(0, |group| groups[group].start),
            };
            let end = match self.end {
                WindowBound::Unbounded => rows,
                WindowBound::Offset(by) if by > 0 => moved(at, by)
                    .and_then(|group| groups.get(group))
                    .map_or(rows, |group| group.end),
                WindowBound::Offset(by) => moved(at, by).map_or(0, |group| groups[group].end),
            };
            out.extend(std::iter::repeat_n(start..end.max(start), group.len()));
        }
        out
    }

    /// Frames that reach from value to value. Nulls are peers of each other alone.
    fn over_values<T>(
        self,
        values: &[Option<T>],
        peers: &[Range<usize>],
        descending: bool,
        add: impl Fn(&T, i64) -> T,
        compare: impl Fn(&T, &T) -> Ordering,
    ) -> Vec<Range<usize>> {
        let rows = values.len();
        // In the order of the rows.
        let in_order = |a: &T, b: &T| match descending {
            false => compare(a, b),
            true => compare(b, a),
        };
        let away = |value: &T, by: i64| match descending {
            false => add(value, by),
            true => add(value, by.saturating_neg()),
        };
        let first = values.iter().position(Option::is_some).unwrap_or(rows);
        let known = values.iter().flatten().count();
        let (mut from, mut to) = (first, first);
        let mut out = Vec::with_capacity(rows);
        for group in peers {
            let start = match (self.start, &values[group.start]) {
                (WindowBound::Unbounded, _) => 0,
                (WindowBound::Offset(_), None) => group.start,
                (WindowBound::Offset(by), Some(value)) => {
                    let least = away(value, by);
                    while from < first + known
                        && values[from]
                            .as_ref()
                            .is_some_and(|value| in_order(value, &least) == Ordering::Less)
                    {
                        from += 1;
                    }
                    from
                }
            };
            let end = match (self.end, &values[group.start]) {
                (WindowBound::Unbounded, _) => rows,
                (WindowBound::Offset(_), None) => group.end,
                (WindowBound::Offset(by), Some(value)) => {
                    let most = away(value, by);
                    while to < first + known
                        && values[to]
                            .as_ref()
                            .is_some_and(|value| in_order(value, &most) != Ordering::Greater)
                    {
                        to += 1;
                    }
                    to
                }
            };
            out.extend(std::iter::repeat_n(start..end.max(start), group.len()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All ends that are worth a try.
    fn bounds() -> Vec<WindowBound> {
        let offsets = [-9, -2, -1, 0, 1, 3, 9, i64::MIN, i64::MAX];
        std::iter::once(WindowBound::Unbounded)
            .chain(offsets.map(WindowBound::Offset))
            .collect()
    }

    /// Whether a row is in a frame, by what the standard says.
    fn defined(
        frame: WindowFrame,
        keys: &[Option<i64>],
        descending: bool,
        row: usize,
    ) -> Vec<usize> {
        let group = |row: usize| {
            let changes = keys[..=row].windows(2).filter(|pair| pair[0] != pair[1]);
            i128::try_from(changes.count()).unwrap()
        };
        let away = |other: usize| -> Option<i128> {
            Some(match frame.unit {
                WindowUnit::Rows => i128::try_from(other).unwrap() - i128::try_from(row).unwrap(),
                WindowUnit::Groups => group(other) - group(row),
                _ => match (keys[other], keys[row]) {
                    (None, None) => 0,
                    (Some(other), Some(row)) if descending => i128::from(row) - i128::from(other),
                    (Some(other), Some(row)) => i128::from(other) - i128::from(row),
                    _ => return None,
                },
            })
        };
        // Nulls have no distance: to each other none that counts, to values an infinite one.
        let null = keys[row].is_none() && frame.reaches_over_values();
        let before = |other: usize| other < row;
        let within = |other: &usize| {
            let after_start = match frame.start {
                WindowBound::Unbounded => true,
                WindowBound::Offset(by) => match away(*other) {
                    Some(away) => null || away >= i128::from(by),
                    None => !before(*other),
                },
            };
            let before_end = match frame.end {
                WindowBound::Unbounded => true,
                WindowBound::Offset(by) => match away(*other) {
                    Some(away) => null || away <= i128::from(by),
                    None => before(*other),
                },
            };
            after_start && before_end
        };
        (0..keys.len()).filter(within).collect()
    }

    #[test]
    fn frames_are_those_of_the_definition() {
        let ascending = [
            Some(1),
            Some(1),
            Some(2),
            Some(5),
            Some(5),
            Some(6),
            None,
            None,
        ];
        let mut descending = ascending;
        descending.reverse();
        for (keys, is_descending) in [(ascending, false), (descending, true)] {
            for length in 0..=keys.len() {
                let keys = &keys[..length];
                let mut peers: Vec<Range<usize>> = Vec::new();
                for row in 0..length {
                    match peers.last_mut() {
                        Some(last) if keys[last.start] == keys[row] => last.end = row + 1,
                        _ => peers.push(row..row + 1),
                    }
                }
                let whole = keys.iter().map(|key| key.map(i128::from)).collect();
                let range = RangeKeys {
                    values: RangeValues::Whole(whole, 1),
                    descending: is_descending,
                };
                let units = [WindowUnit::Rows, WindowUnit::Groups, WindowUnit::Range];
                for unit in units {
                    for start in bounds() {
                        for end in bounds() {
                            let frame = WindowFrame { unit, start, end };
                            let found = frame.rows(&peers, Some(&range));
                            assert_eq!(found.len(), length);
                            let mut last = 0..0;
                            for (row, found) in found.into_iter().enumerate() {
                                assert!(last.start <= found.start && last.end <= found.end);
                                last = found.clone();
                                let expected = defined(frame, keys, is_descending, row);
                                assert_eq!(found.collect::<Vec<_>>(), expected, "{frame:?} {row}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nan_is_as_far_as_a_value_can_be() {
        let values = vec![Some(1.0), Some(1.5), Some(f64::INFINITY), Some(f64::NAN)];
        let keys = RangeKeys {
            values: RangeValues::Float(values),
            descending: false,
        };
        let frame = WindowFrame {
            unit: WindowUnit::Range,
            start: WindowBound::Offset(-1),
            end: WindowBound::Offset(0),
        };
        let peers = [0..1, 1..2, 2..3, 3..4];
        assert_eq!(frame.rows(&peers, Some(&keys)), [0..1, 0..2, 2..3, 3..4]);
    }
}
