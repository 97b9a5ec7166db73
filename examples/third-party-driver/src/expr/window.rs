//! Window functions with an order or a frame. The rows of a partition are sorted once; a frame is a range of them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::kernels::zip::zip;
use arrow::compute::take;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit};
use laktory_core::{
    Error, ErrorKind, Expr, RangeKeys, RangeValues, Result, Support, Window, WindowFunc, typing,
};

use super::{Lower, Value};
use crate::batch::{self, Key, keys};
use crate::cast::convert;
use crate::error::OrError;
use crate::funcs::nan;
use crate::types::{fields, is_float, is_number, shown};
use crate::unsupported;

const NUMBERS: Support = Support::Partial {
    note: "of integers and floats up to 64 bits",
};

/// The functions that the driver has.
pub(crate) const FUNCS: &[(WindowFunc, Support)] = &[
    (WindowFunc::RowNumber, Support::Full),
    (WindowFunc::Rank, Support::Full),
    (WindowFunc::DenseRank, Support::Full),
    (WindowFunc::PercentRank, Support::Full),
    (WindowFunc::CumeDist, Support::Full),
    (WindowFunc::Ntile, Support::Full),
    (WindowFunc::Lag, Support::Full),
    (WindowFunc::Lead, Support::Full),
    (WindowFunc::FirstValue, Support::Full),
    (WindowFunc::LastValue, Support::Full),
    (WindowFunc::NthValue, Support::Full),
    (WindowFunc::Sum, NUMBERS),
    (WindowFunc::Avg, NUMBERS),
    (WindowFunc::Min, Support::Full),
    (WindowFunc::Max, Support::Full),
    (WindowFunc::Count, Support::Full),
];

/// What a window function is, once its expressions are lowered.
struct Spec {
    window: Window,
    dtype: DataType,
    args: Vec<Value>,
    order_by: Vec<Key>,
}

/// A window function, whose type is that of the contract.
///
/// # Errors
/// `TypeMismatch`; `Unsupported` for functions that are not in the table, and for sums of other types than it says.
pub(super) fn window(lower: &Lower<'_>, window: &Window) -> Result<Value> {
    let name = window.func.name().to_uppercase();
    if !FUNCS.iter().any(|(func, _)| *func == window.func) {
        return Err(unsupported(format!("the window function {name}")));
    }
    let typed = typing::type_of(
        &Expr::Window(Box::new(window.clone())),
        &fields(lower.schema),
    )?;
    let Some(dtype) = typed.dtype.to_arrow() else {
        return Err(unsupported(format!("{name} of this type")));
    };
    let mut args = window
        .args
        .iter()
        .map(|arg| lower.lower(arg))
        .collect::<Result<Vec<_>>>()?;
    match window.func {
        WindowFunc::Sum | WindowFunc::Avg => {
            let number = |arg: &Value| {
                is_number(&arg.dtype) || matches!(arg.dtype, DataType::Null | DataType::Boolean)
            };
            if !is_float(&dtype) && dtype != DataType::Int64 || !args.iter().all(number) {
                return Err(unsupported(format!("{name} of type {}", typed.dtype)));
            }
            args = convert_all(args, &dtype)?;
        }
        // The value, and what stands for it where there is none.
        WindowFunc::Lag | WindowFunc::Lead => {
            for at in [0, 2] {
                if let Some(arg) = args.get_mut(at) {
                    *arg = convert(arg.clone(), &dtype)?;
                }
            }
        }
        WindowFunc::Min | WindowFunc::Max => {
            args = args
                .into_iter()
                .map(batch::keyed)
                .collect::<Result<Vec<_>>>()?;
        }
        _ => {}
    }
    let partition_by = window.partition_by.iter();
    let partition_by = partition_by
        .map(|key| batch::keyed(lower.lower(key)?))
        .collect::<Result<Vec<_>>>()?;
    let spec = Spec {
        window: window.clone(),
        dtype: dtype.clone(),
        args,
        order_by: lower.sort_keys(&window.order_by)?,
    };
    Ok(super::over::in_parts(dtype, partition_by, move |rows| {
        spec.part(rows)
    }))
}

fn convert_all(values: Vec<Value>, dtype: &DataType) -> Result<Vec<Value>> {
    let values = values.into_iter();
    values.map(|value| convert(value, dtype)).collect()
}

impl Spec {
    /// The values for the rows of one partition, in the order of the rows.
    fn part(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let (order, peers) = batch::peers(rows, &self.order_by)?;
        let sorted = batch::rows_at(rows, &order)?;
        let args = self.args.iter().map(|arg| arg.column(&sorted));
        let args = args.collect::<Result<Vec<_>>>()?;
        let keys = match self.order_by.as_slice() {
            [key] if self.window.frame.reaches_over_values() => Some(RangeKeys {
                values: distances(&key.column(&sorted)?)?,
                descending: key.descending(),
            }),
            _ => None,
        };
        let frames = self.window.frame.rows(&peers, keys.as_ref());
        let values = self.values(&args, &peers, &frames)?;
        let mut places = vec![None; order.len()];
        for (place, row) in order.into_iter().enumerate() {
            places[row] = Some(place);
        }
        take(&values, &batch::indices(places.into_iter()), None).or_error()
    }

    /// The values for sorted rows, with the frame of each.
    fn values(
        &self,
        args: &[ArrayRef],
        peers: &[Range<usize>],
        frames: &[Range<usize>],
    ) -> Result<ArrayRef> {
        let rows = peers.last().map_or(0, |last| last.end);
        // One value for all rows that are equal in order.
        let equal = |value: &dyn Fn(usize, &Range<usize>) -> usize| -> Vec<usize> {
            let groups = peers.iter().enumerate();
            groups
                .flat_map(|(at, peer)| std::iter::repeat_n(value(at, peer), peer.len()))
                .collect()
        };
        Ok(match self.window.func {
            WindowFunc::RowNumber => integers((1..=rows).collect()),
            WindowFunc::Rank => integers(equal(&|_, peer| peer.start + 1)),
            WindowFunc::DenseRank => integers(equal(&|at, _| at + 1)),
            WindowFunc::PercentRank => {
                let others = rows.saturating_sub(1).max(1);
                shares(&equal(&|_, peer| peer.start), others)
            }
            WindowFunc::CumeDist => shares(&equal(&|_, peer| peer.end), rows),
            WindowFunc::Ntile => {
                let tiles = self.positive(args, 0)?;
                let (size, larger) = (rows / tiles, rows % tiles);
                // The first tiles have one row more.
                let tile = |row: usize| match row < larger * (size + 1) {
                    true => row / (size + 1) + 1,
                    false => larger + (row - larger * (size + 1)) / size.max(1) + 1,
                };
                integers((0..rows).map(tile).collect())
            }
            WindowFunc::Lag | WindowFunc::Lead => self.shifted(args, rows)?,
            _ => self.framed(args, frames)?,
        })
    }

    /// An argument that is one positive number.
    fn positive(&self, args: &[ArrayRef], at: usize) -> Result<usize> {
        whole(args, at)?
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| *number > 0)
            .ok_or_else(|| self.invalid("takes a positive number"))
    }

    fn invalid(&self, why: &str) -> Error {
        let name = self.window.func.name().to_uppercase();
        Error::new(ErrorKind::InvalidArgument, format!("{name} {why}"))
    }

    /// `LAG` and `LEAD`: the value so many rows before or behind, or the default where there is no such row.
    fn shifted(&self, args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let by = match args.len() {
            1 => 1,
            _ => whole(args, 1)?.ok_or_else(|| self.invalid("takes a number as distance"))?,
        };
        let by = match self.window.func {
            WindowFunc::Lag => by.saturating_neg(),
            _ => by,
        };
        let from: Vec<Option<usize>> = (0..rows)
            .map(|row| {
                let at = i64::try_from(row).ok()?.checked_add(by)?;
                usize::try_from(at).ok().filter(|at| *at < rows)
            })
            .collect();
        let moved = take(&args[0], &batch::indices(from.iter().copied()), None).or_error()?;
        match args.get(2) {
            None => Ok(moved),
            Some(default) => {
                let known: BooleanArray = from.iter().map(|at| Some(at.is_some())).collect();
                zip(&known, &moved, default).or_error()
            }
        }
    }

    /// Functions of the rows of a frame.
    fn framed(&self, args: &[ArrayRef], frames: &[Range<usize>]) -> Result<ArrayRef> {
        let Some(values) = args.first() else {
            // COUNT(*)
            return Ok(integers(frames.iter().map(Range::len).collect()));
        };
        let nulls = values.logical_nulls();
        let known = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        Ok(match self.window.func {
            WindowFunc::Count => integers(folded(frames, 0, |count: &mut usize, row| {
                *count += usize::from(known(row));
            })),
            WindowFunc::Sum | WindowFunc::Avg if is_float(values.data_type()) => {
                let values = arrow::compute::cast(values, &DataType::Float64).or_error()?;
                let values = values.as_primitive::<Float64Type>();
                let sums = folded(frames, (0.0, 0_u32), |(sum, count), row| {
                    if known(row) {
                        *sum += values.value(row);
                        *count += 1;
                    }
                });
                let mean = self.window.func == WindowFunc::Avg;
                let sums: Float64Array = sums
                    .into_iter()
                    .map(|(sum, count)| match count {
                        0 => None,
                        count if mean => Some(sum / f64::from(count)),
                        _ => Some(sum),
                    })
                    .collect();
                arrow::compute::cast(&sums, &self.dtype).or_error()?
            }
            WindowFunc::Sum => {
                let values = values.as_primitive::<Int64Type>();
                let sums = folded(frames, None, |sum: &mut Option<i128>, row| {
                    if known(row) {
                        *sum = Some(sum.unwrap_or(0) + i128::from(values.value(row)));
                    }
                });
                let sums = sums.into_iter().map(|sum| {
                    let sum = sum.map(i64::try_from).transpose();
                    sum.map_err(|_| {
                        let message = "a sum of a window has more than 64 bits";
                        Error::new(ErrorKind::ConversionFailed, message)
                            .with_hint("cast its values to a float before")
                    })
                });
                Arc::new(sums.collect::<Result<Int64Array>>()?)
            }
            WindowFunc::Min | WindowFunc::Max => {
                let order = keys(std::slice::from_ref(values))?;
                let nan = nan(values)?;
                let wanted = match self.window.func {
                    WindowFunc::Min => std::cmp::Ordering::Less,
                    _ => std::cmp::Ordering::Greater,
                };
                // NaN is greater than all.
                let better = |row: usize, best: usize| {
                    let compared = nan[row].cmp(&nan[best]);
                    compared.then_with(|| order.row(row).cmp(&order.row(best))) == wanted
                };
                let best = folded(frames, None, |best: &mut Option<usize>, row| {
                    if known(row) && best.is_none_or(|best| better(row, best)) {
                        *best = Some(row);
                    }
                });
                take(values, &batch::indices(best.into_iter()), None).or_error()?
            }
            _ => {
                let nth = match self.window.func {
                    WindowFunc::NthValue => self.positive(args, 1)? - 1,
                    _ => 0,
                };
                let counts = |row: &usize| !self.window.ignore_nulls || known(*row);
                let chosen = frames.iter().map(|frame| match self.window.func {
                    WindowFunc::LastValue => frame.clone().rev().find(counts),
                    _ => frame.clone().filter(counts).nth(nth),
                });
                take(values, &batch::indices(chosen), None).or_error()?
            }
        })
    }
}

/// The values of a key with distances between them: of points in time and durations in microseconds.
fn distances(key: &ArrayRef) -> Result<RangeValues> {
    let counts = |by: i128| -> Result<Vec<Option<i128>>> {
        let counts = match key.data_type() {
            DataType::Date32 => arrow::compute::cast(key, &DataType::Int32).or_error()?,
            _ => Arc::clone(key),
        };
        let counts = arrow::compute::cast(&counts, &DataType::Int64).or_error()?;
        let counts = counts.as_primitive::<Int64Type>().iter();
        Ok(counts.map(|count| Some(i128::from(count?) * by)).collect())
    };
    let (by, unit) = match key.data_type() {
        dtype if is_float(dtype) => {
            let floats = arrow::compute::cast(key, &DataType::Float64).or_error()?;
            let floats = floats.as_primitive::<Float64Type>().iter();
            return Ok(RangeValues::Float(floats.collect()));
        }
        DataType::Decimal128(_, scale @ 0..) => {
            let digits = key.as_primitive::<Decimal128Type>().iter().collect();
            let unit = 10_i128.pow(scale.unsigned_abs().into());
            return Ok(RangeValues::Whole(digits, unit));
        }
        DataType::Date32 => (86_400_000_000, 1),
        DataType::Timestamp(unit, _) | DataType::Duration(unit) => match unit {
            TimeUnit::Second => (1_000_000, 1),
            TimeUnit::Millisecond => (1_000, 1),
            TimeUnit::Microsecond => (1, 1),
            TimeUnit::Nanosecond => (1, 1_000),
        },
        dtype if dtype.is_integer() && *dtype != DataType::UInt64 => (1, 1),
        other => {
            let dtype = shown(other);
            return Err(unsupported(format!(
                "a distance along values of type {dtype}"
            )));
        }
    };
    Ok(RangeValues::Whole(counts(by)?, unit))
}

/// Each frame folded. One that begins where the frame before it began, and ends no earlier, goes on from there.
fn folded<A: Clone>(
    frames: &[Range<usize>],
    nothing: A,
    mut add: impl FnMut(&mut A, usize),
) -> Vec<A> {
    let mut out = Vec::with_capacity(frames.len());
    let (mut state, mut done) = (nothing.clone(), 0..0);
    for frame in frames {
        if frame.start != done.start || frame.end < done.end {
            (state, done) = (nothing.clone(), frame.start..frame.start);
        }
        (done.end..frame.end).for_each(|row| add(&mut state, row));
        done.end = frame.end.max(done.end);
        out.push(state.clone());
    }
    out
}

/// The number that an argument is for all rows; none for null.
fn whole(args: &[ArrayRef], at: usize) -> Result<Option<i64>> {
    let Some(array) = args.get(at).filter(|array| !array.is_empty()) else {
        return Ok(None);
    };
    let first = arrow::compute::cast(&array.slice(0, 1), &DataType::Int64).or_error()?;
    let first = first.as_primitive::<Int64Type>();
    Ok(first.iter().next().flatten())
}

fn integers(values: Vec<usize>) -> ArrayRef {
    let values = values.into_iter();
    let values = values.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    Arc::new(Int64Array::from_iter_values(values))
}

#[allow(clippy::cast_precision_loss, reason = "numbers of rows")]
fn shares(parts: &[usize], whole: usize) -> ArrayRef {
    let shares = parts.iter().map(|part| *part as f64 / whole as f64);
    Arc::new(Float64Array::from_iter_values(shares))
}
