//! Window functions with an order: their meaning, computed over whole columns. the engine has none of
//! these as an expression.
//!
//! Rows are sorted by partition and order once; a frame is then a range of sorted rows. Ranges that begin (or end) with
//! their partition are folded in one pass; others cost their width for each row.

use std::ops::Range;

use laktory_core::{ErrorKind, RangeKeys};
use polars::prelude::{
    BooleanChunked, ChunkCompareEq, Column, DataFrame, DataType, Field, Float64Chunked, IdxCa,
    IdxSize, Int64Chunked, Int128Chunked, IntoColumn, IntoSeries, NewChunkedArray, PolarsResult,
    RankMethod, RankOptions, Series, SeriesRank, SortMultipleOptions, TimeUnit,
};

use super::distances::{part, values_of};
use super::spec::Spec;
use crate::error::carried;

/// The type of a function's result.
pub(super) fn output(spec: &Spec, fields: &[Field]) -> PolarsResult<Field> {
    let first = fields.first();
    let value = || match first {
        Some(field) => field.dtype().clone().materialize_unknown(true),
        None => Ok(DataType::Int64),
    };
    let dtype = match spec.func.as_str() {
        "count" | "ntile" | "row_number" | "rank" | "dense_rank" => DataType::Int64,
        "percent_rank" | "cume_dist" => DataType::Float64,
        "avg" => match value()? {
            DataType::Date => DataType::Datetime(TimeUnit::Microseconds, None),
            dtype if dtype.is_float() || dtype.is_temporal() => dtype,
            _ => DataType::Float64,
        },
        "sum" => match value()? {
            DataType::Boolean => DataType::Int64,
            DataType::UInt64 => DataType::UInt64,
            dtype if dtype.is_integer() => DataType::Int64,
            DataType::Decimal(_, scale) => DataType::Decimal(38, scale),
            dtype => dtype,
        },
        _ => value()?,
    };
    let name = first.map_or_else(|| "literal".into(), |field| field.name().clone());
    Ok(Field::new(name, dtype))
}

/// The values of a window function: arguments, then partition keys, then order keys.
pub(super) fn evaluate(spec: &Spec, columns: &[Column]) -> PolarsResult<Column> {
    let rows = if columns.iter().any(Column::is_empty) {
        0
    } else {
        columns.iter().map(Column::len).max().unwrap_or(0)
    };
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| match column.len() {
            1 if rows > 1 => column.new_from_index(0, rows),
            _ => column.clone(),
        })
        .collect();
    let field_of = |column: &Column| Field::new(column.name().clone(), column.dtype().clone());
    let fields: Vec<Field> = columns.iter().map(field_of).collect();
    let output = output(spec, &fields)?;
    if rows == 0 {
        return Ok(Column::new_empty(output.name().clone(), output.dtype()));
    }
    let (args, keys) = columns.split_at(spec.args.min(columns.len()));
    let sorted = Sorted::new(spec, keys, rows)?;
    let args = args
        .iter()
        .map(|arg| arg.as_materialized_series().take_slice(&sorted.rows))
        .collect::<PolarsResult<Vec<_>>>()?;
    let values = sorted.values(spec, &args, output.dtype())?;
    let mut back = vec![0; rows];
    for (at, row) in sorted.rows.iter().enumerate() {
        back[*row as usize] = IdxSize::try_from(at).unwrap_or(IdxSize::MAX);
    }
    let mut values = values.cast(output.dtype())?.take_slice(&back)?;
    values.rename(output.name().clone());
    Ok(values.into_column())
}

/// Rows in the order of partitions and order keys.
struct Sorted {
    rows: Vec<IdxSize>,
    /// First row of the partition of each row, and the row after its last.
    partitions: Vec<(usize, usize)>,
    /// First row that is equal in order, and the row after the last.
    peers: Vec<(usize, usize)>,
    /// The first key of the order, in the order of the rows.
    key: Option<Series>,
}

impl Sorted {
    fn new(spec: &Spec, keys: &[Column], rows: usize) -> PolarsResult<Self> {
        let count = IdxSize::try_from(rows).unwrap_or(IdxSize::MAX);
        let mut order: Vec<IdxSize> = (0..count).collect();
        let mut new_partition = vec![false; rows];
        let mut new_peer = vec![false; rows];
        let mut first_key = None;
        if !keys.is_empty() {
            let name = |at: usize| format!("key{at}");
            let mut frame: Vec<Column> = keys
                .iter()
                .enumerate()
                .map(|(at, key)| key.clone().with_name(name(at).into()))
                .collect();
            frame.push(IdxCa::from_slice("row".into(), &order).into_column());
            let partitions = keys.len() - spec.orders.len().min(keys.len());
            let options = SortMultipleOptions {
                descending: (0..partitions)
                    .map(|_| false)
                    .chain(spec.orders.iter().map(|key| key.descending))
                    .collect(),
                nulls_last: (0..partitions)
                    .map(|_| false)
                    .chain(spec.orders.iter().map(|key| key.nulls_last))
                    .collect(),
                multithreaded: false,
                maintain_order: true,
                limit: None,
            };
            let names: Vec<String> = (0..keys.len()).map(name).collect();
            let frame = DataFrame::new(rows, frame)?.sort(&names, options)?;
            order = frame.column("row")?.idx()?.iter().flatten().collect();
            if let Some(name) = names.get(partitions) {
                first_key = Some(frame.column(name)?.as_materialized_series().clone());
            }
            for (at, name) in names.iter().enumerate() {
                let changes = changes(frame.column(name)?.as_materialized_series())?;
                for (row, changed) in changes.iter().enumerate() {
                    let changed = changed.unwrap_or(false);
                    new_partition[row] |= changed && at < partitions;
                    new_peer[row] |= changed;
                }
            }
        }
        Ok(Self {
            rows: order,
            partitions: ranges(&new_partition),
            peers: ranges(&new_peer),
            key: first_key,
        })
    }

    /// The frame of each row.
    fn frames(&self, spec: &Spec) -> PolarsResult<Vec<(usize, usize)>> {
        let keys = match &self.key {
            Some(key) if spec.frame.reaches_over_values() => Some(values_of(key)?),
            _ => None,
        };
        let descending = spec.orders.first().is_some_and(|key| key.descending);
        let mut out = Vec::with_capacity(self.rows.len());
        let mut start = 0;
        while start < self.rows.len() {
            let end = self.partitions[start].1;
            let mut peers: Vec<Range<usize>> = Vec::new();
            let mut row = start;
            while row < end {
                peers.push(row - start..self.peers[row].1 - start);
                row = self.peers[row].1;
            }
            let keys = keys.as_ref().map(|keys| RangeKeys {
                values: part(keys, start..end),
                descending,
            });
            let frames = spec.frame.rows(&peers, keys.as_ref());
            out.extend(frames.into_iter().map(|f| (f.start + start, f.end + start)));
            start = end;
        }
        Ok(out)
    }

    fn values(&self, spec: &Spec, args: &[Series], output: &DataType) -> PolarsResult<Series> {
        let integers = |values: Vec<Option<i64>>| {
            Int64Chunked::from_iter_options("".into(), values.into_iter()).into_series()
        };
        let floats = |values: Vec<Option<f64>>| {
            Float64Chunked::from_iter_options("".into(), values.into_iter()).into_series()
        };
        let pairs = self.peers.iter().zip(&self.partitions);
        let positions = pairs.clone().enumerate();
        match spec.func.as_str() {
            "row_number" => {
                return Ok(integers(
                    positions
                        .map(|(row, (_, partition))| whole(row - partition.0 + 1))
                        .collect(),
                ));
            }
            "rank" => {
                return Ok(integers(
                    pairs
                        .map(|(peers, all)| whole(peers.0 - all.0 + 1))
                        .collect(),
                ));
            }
            "dense_rank" => {
                let mut rank = 0;
                return Ok(integers(
                    positions
                        .map(|(row, (peers, all))| {
                            rank = match row {
                                row if row == all.0 => 1,
                                row if row == peers.0 => rank + 1,
                                _ => rank,
                            };
                            whole(rank)
                        })
                        .collect(),
                ));
            }
            "percent_rank" => {
                return Ok(floats(
                    pairs
                        .map(|(peers, all)| {
                            let others = (all.1 - all.0 - 1).max(1);
                            Some(ratio(peers.0 - all.0, others))
                        })
                        .collect(),
                ));
            }
            "cume_dist" => {
                return Ok(floats(
                    pairs
                        .map(|(peers, all)| Some(ratio(peers.1 - all.0, all.1 - all.0)))
                        .collect(),
                ));
            }
            "ntile" => {
                let tiles = constant(args.first())
                    .and_then(|tiles| usize::try_from(tiles).ok())
                    .filter(|tiles| *tiles > 0)
                    .ok_or_else(|| {
                        carried(ErrorKind::InvalidArgument, "NTILE takes a positive number")
                    })?;
                return Ok(integers(
                    positions
                        .map(|(row, (_, all))| whole(tile(row - all.0, all.1 - all.0, tiles)))
                        .collect(),
                ));
            }
            "lag" | "lead" => return self.shifted(spec, args, output),
            _ => {}
        }
        let frames = self.frames(spec)?;
        let Some(values) = args.first() else {
            // COUNT(*)
            return Ok(integers(
                frames
                    .iter()
                    .map(|(start, end)| whole(end - start))
                    .collect(),
            ));
        };
        Ok(match spec.func.as_str() {
            "count" => {
                let valid = values.is_not_null();
                integers(self.fold(
                    &frames,
                    || 0,
                    |count, row| *count += i64::from(valid.get(row).unwrap_or(false)),
                    |count| Some(*count),
                ))
            }
            "sum" | "avg" if spec.func == "avg" || output.is_float() => {
                let numbers = match values.dtype() {
                    dtype if dtype.is_temporal() => {
                        values.to_physical_repr().cast(&DataType::Float64)?
                    }
                    _ => values.cast(&DataType::Float64)?,
                };
                let numbers = numbers.f64()?;
                let add = |acc: &mut (f64, u32), row: usize| {
                    if let Some(number) = numbers.get(row) {
                        *acc = (acc.0 + number, acc.1 + 1);
                    }
                };
                let average = spec.func == "avg";
                let folded = floats(self.fold(
                    &frames,
                    || (0.0, 0),
                    add,
                    |(sum, count)| match count {
                        0 => None,
                        count if average => Some(sum / f64::from(*count)),
                        _ => Some(*sum),
                    },
                ));
                if output.is_temporal() {
                    // Days count as microseconds in the mean of dates.
                    let unit = match values.dtype() {
                        DataType::Date => 86_400_000_000.0,
                        _ => 1.0,
                    };
                    (folded * unit).cast(&DataType::Int64)?
                } else {
                    folded
                }
            }
            "sum" if output.is_integer() => {
                let numbers = values.cast(&DataType::Int128)?;
                let numbers = numbers.i128()?;
                let sums = self.fold(
                    &frames,
                    || None,
                    |sum: &mut Option<i128>, row| {
                        if let Some(number) = numbers.get(row) {
                            *sum = Some(sum.unwrap_or(0) + number);
                        }
                    },
                    |sum| *sum,
                );
                let sums = Int128Chunked::from_iter_options("".into(), sums.into_iter());
                sums.into_series().strict_cast(output).map_err(|_| {
                    carried(
                        ErrorKind::ConversionFailed,
                        "a sum of a window is too great for its type; cast what is added to a float",
                    )
                })?
            }
            "sum" => {
                let sums = frames
                    .iter()
                    .map(|(start, end)| {
                        let start = i64::try_from(*start).unwrap_or(i64::MAX);
                        let part = values.slice(start, *end - usize::try_from(start).unwrap_or(0));
                        Ok(if part.null_count() == part.len() {
                            polars::prelude::AnyValue::Null
                        } else {
                            part.sum_reduce()?.into_value()
                        })
                    })
                    .collect::<PolarsResult<Vec<_>>>()?;
                Series::from_any_values_and_dtype("".into(), &sums, output, false)?
            }
            "min" | "max" => gather(values, &self.extremes(&frames, values, spec.func == "max")?)?,
            "first_value" | "last_value" | "nth_value" => {
                gather(values, &self.nth(spec, &frames, args)?)?
            }
            other => {
                return Err(carried(
                    ErrorKind::UnknownFunction,
                    &format!("there is no window function `{other}`"),
                ));
            }
        })
    }

    /// Folds each frame; frames never move backwards within a partition.
    fn fold<A, R: Clone>(
        &self,
        frames: &[(usize, usize)],
        zero: impl Fn() -> A,
        mut add: impl FnMut(&mut A, usize),
        finish: impl Fn(&A) -> R,
    ) -> Vec<R> {
        let rows = || frames.iter().zip(&self.partitions);
        let mut out = Vec::with_capacity(frames.len());
        let mut folded = zero();
        if rows().all(|(frame, all)| frame.0 == all.0) {
            let (mut from, mut next) = (usize::MAX, 0);
            for (frame, _) in rows() {
                if frame.0 != from {
                    (folded, from, next) = (zero(), frame.0, frame.0);
                }
                while next < frame.1 {
                    add(&mut folded, next);
                    next += 1;
                }
                out.push(finish(&folded));
            }
        } else if rows().all(|(frame, all)| frame.1 == all.1) {
            let (mut to, mut last) = (usize::MAX, 0);
            for (frame, _) in rows().rev() {
                if frame.1 != to {
                    (folded, to, last) = (zero(), frame.1, frame.1);
                }
                while last > frame.0 {
                    last -= 1;
                    add(&mut folded, last);
                }
                out.push(finish(&folded));
            }
            out.reverse();
        } else {
            let mut before = None;
            for (frame, _) in rows() {
                if before != Some(*frame) {
                    folded = zero();
                    (frame.0..frame.1).for_each(|row| add(&mut folded, row));
                    before = Some(*frame);
                }
                out.push(finish(&folded));
            }
        }
        out
    }

    /// The row of the smallest or greatest value of each frame; NaN is greater than all.
    fn extremes(
        &self,
        frames: &[(usize, usize)],
        values: &Series,
        greatest: bool,
    ) -> PolarsResult<Vec<Option<usize>>> {
        let options = RankOptions {
            method: RankMethod::Dense,
            descending: greatest,
        };
        let nan = if values.dtype().is_float() {
            Some(values.is_nan()?)
        } else {
            None
        };
        let is_nan = |row| nan.as_ref().is_some_and(|nan| nan.get(row) == Some(true));
        let ranks = values.rank(options, None).cast(&DataType::UInt32)?;
        let ranks = ranks.u32()?;
        Ok(self.fold(
            frames,
            || None,
            |best: &mut Option<((bool, u32), usize)>, row| {
                if let Some(rank) = ranks.get(row) {
                    let rank = (is_nan(row) != greatest, rank);
                    if best.is_none_or(|(known, _)| rank < known) {
                        *best = Some((rank, row));
                    }
                }
            },
            |best| best.map(|(_, row)| row),
        ))
    }

    /// The row that `FIRST_VALUE`, `LAST_VALUE` or `NTH_VALUE` takes from each frame.
    fn nth(
        &self,
        spec: &Spec,
        frames: &[(usize, usize)],
        args: &[Series],
    ) -> PolarsResult<Vec<Option<usize>>> {
        let nth = match spec.func.as_str() {
            "nth_value" => constant(args.get(1))
                .and_then(|n| usize::try_from(n).ok()?.checked_sub(1))
                .ok_or_else(|| {
                    carried(
                        ErrorKind::InvalidArgument,
                        "NTH_VALUE takes a positive number",
                    )
                })?,
            _ => 0,
        };
        let last = spec.func == "last_value";
        let valid = args.first().map(|values| values.is_not_null());
        let counts = |row: usize| {
            !spec.ignore_nulls
                || valid
                    .as_ref()
                    .is_some_and(|valid| valid.get(row) == Some(true))
        };
        Ok(frames
            .iter()
            .map(|(start, end)| {
                if last {
                    (*start..*end).rev().find(|row| counts(*row))
                } else {
                    (*start..*end).filter(|row| counts(*row)).nth(nth)
                }
            })
            .collect())
    }

    fn shifted(&self, spec: &Spec, args: &[Series], output: &DataType) -> PolarsResult<Series> {
        let values = args
            .first()
            .ok_or_else(|| carried(ErrorKind::InvalidArgument, "LAG and LEAD take a value"))?;
        let by = match args.get(1) {
            Some(by) => constant(Some(by)).ok_or_else(|| {
                carried(
                    ErrorKind::InvalidArgument,
                    "the distance of LAG and LEAD is a number",
                )
            })?,
            None => 1,
        };
        let by = if spec.func == "lag" { -by } else { by };
        let from: Vec<Option<usize>> = self
            .partitions
            .iter()
            .enumerate()
            .map(|(row, all)| {
                let at = i64::try_from(row).ok()?.checked_add(by)?;
                usize::try_from(at)
                    .ok()
                    .filter(|at| (all.0..all.1).contains(at))
            })
            .collect();
        let moved = gather(values, &from)?;
        match args.get(2) {
            Some(default) => {
                let known: BooleanChunked = from.iter().map(|at| Some(at.is_some())).collect();
                moved.cast(output)?.zip_with(&known, &default.cast(output)?)
            }
            None => Ok(moved),
        }
    }
}

/// Where a sorted column differs from the row before.
fn changes(values: &Series) -> PolarsResult<BooleanChunked> {
    values.not_equal_missing(&values.shift(1))
}

/// The range of equal rows around each row.
fn ranges(begins: &[bool]) -> Vec<(usize, usize)> {
    let mut out = Vec::with_capacity(begins.len());
    let mut start = 0;
    while start < begins.len() {
        let length = begins[start + 1..]
            .iter()
            .take_while(|begins| !**begins)
            .count();
        let end = start + 1 + length;
        out.extend(std::iter::repeat_n((start, end), end - start));
        start = end;
    }
    out
}

/// The number, from 1, of the tile of a row: the first tiles take one row more.
fn tile(row: usize, rows: usize, tiles: usize) -> usize {
    let (size, larger) = (rows / tiles, rows % tiles);
    match row.checked_sub(larger * (size + 1)) {
        Some(rest) if size > 0 => larger + rest / size + 1,
        Some(_) => row + 1,
        None => row / (size + 1) + 1,
    }
}

fn constant(values: Option<&Series>) -> Option<i64> {
    values?.get(0).ok()?.extract::<i64>()
}

fn whole(count: usize) -> Option<i64> {
    i64::try_from(count).ok()
}

#[allow(clippy::cast_precision_loss, reason = "rows are counted with 32 bits")]
fn ratio(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

fn gather(values: &Series, rows: &[Option<usize>]) -> PolarsResult<Series> {
    let rows = rows
        .iter()
        .map(|row| row.and_then(|row| IdxSize::try_from(row).ok()));
    values.take(&IdxCa::from_iter_options("".into(), rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tiles_are_larger() {
        let tiles =
            |rows, tiles| -> Vec<usize> { (0..rows).map(|row| tile(row, rows, tiles)).collect() };
        assert_eq!(tiles(7, 3), [1, 1, 1, 2, 2, 3, 3]);
        assert_eq!(tiles(2, 3), [1, 2]);
    }
}
