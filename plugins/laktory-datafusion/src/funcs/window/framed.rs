//! Window functions of SQL ([`laktory_core::Window`]): ranks are the engine's, what looks at frames or neighbours works on whole
//! partitions ([`crate::kernel::frames`]).

mod extremes;
mod totals;

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt64Array};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::functions_window::cume_dist::cume_dist_udwf;
use datafusion::functions_window::rank::{dense_rank_udwf, percent_rank_udwf, rank_udwf};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr as PlanExpr, WindowUDF};
use laktory_core::{Error, ErrorKind, Result, Window, WindowFunc};

use crate::error::ResultExt;
use crate::expr::{Lower, Value, group_key};
use crate::funcs::cast::{common_type, convert};
use crate::kernel::frames::{Valid, frames, valid};
use crate::kernel::partition::partitioned;

use super::over_partitions;

pub(super) use totals::addends;

/// Lowers a window function.
///
/// # Errors
/// `TypeMismatch` for sums and means of what is no number; those of its parts.
pub(crate) fn window(lower: &Lower<'_>, window: &Window) -> Result<Value> {
    let place = Place {
        window,
        partition_by: window
            .partition_by
            .iter()
            .map(|key| Ok(group_key(lower.lower(key)?).expr))
            .collect::<Result<_>>()?,
        order_by: lower.sort_keys(&window.order_by)?,
    };
    let args = window.args.iter().map(|arg| lower.lower(arg));
    let args = args.collect::<Result<Vec<_>>>()?;
    match window.func {
        WindowFunc::RowNumber => place.rank(row_number_udwf()),
        WindowFunc::Rank => place.rank(rank_udwf()),
        WindowFunc::DenseRank => place.rank(dense_rank_udwf()),
        WindowFunc::PercentRank => Ok(place.share(percent_rank_udwf())),
        WindowFunc::CumeDist => Ok(place.share(cume_dist_udwf())),
        WindowFunc::Ntile => place.ntile(args),
        WindowFunc::Lag | WindowFunc::Lead => place.neighbour(args),
        WindowFunc::FirstValue | WindowFunc::LastValue | WindowFunc::NthValue => place.nth(args),
        WindowFunc::Count => Ok(place.count(args)),
        WindowFunc::Sum => totals::sum(&place, first(args)?),
        WindowFunc::Avg => totals::average(&place, first(args)?),
        WindowFunc::Min => extremes::extreme(&place, first(args)?, false),
        WindowFunc::Max => extremes::extreme(&place, first(args)?, true),
        other => Err(Error::unsupported(format!(
            "the window function `{}`",
            other.name()
        ))),
    }
}

fn first(args: Vec<Value>) -> Result<Value> {
    let missing = || {
        Error::new(
            ErrorKind::InvalidArgument,
            "a window function needs a value",
        )
    };
    args.into_iter().next().ok_or_else(missing)
}

/// A window function, and the rows that it is over.
struct Place<'a> {
    window: &'a Window,
    partition_by: Vec<PlanExpr>,
    order_by: Vec<Sort>,
}

/// The arguments of a partition: values, and the frame of each row.
struct Framed<'a> {
    values: &'a [ArrayRef],
    frames: Vec<Range<usize>>,
}

impl Place<'_> {
    /// A function of the engine over the rows.
    fn engine(&self, function: Arc<WindowUDF>, args: Vec<PlanExpr>) -> PlanExpr {
        let (partition_by, order_by) = (self.partition_by.clone(), self.order_by.clone());
        over_partitions(function, args, partition_by, order_by)
    }

    fn rank(&self, function: Arc<WindowUDF>) -> Result<Value> {
        let rank = Value {
            expr: self.engine(function, Vec::new()),
            dtype: DataType::UInt64,
        };
        convert(rank, &DataType::Int64)
    }

    fn share(&self, function: Arc<WindowUDF>) -> Value {
        Value {
            expr: self.engine(function, Vec::new()),
            dtype: DataType::Float64,
        }
    }

    /// A function of ours over the rows of a partition in their order; `run` gets the arguments, and their number.
    fn ours(
        &self,
        args: Vec<Value>,
        output: DataType,
        run: impl Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Value {
        let window = self.window;
        let name = format!(
            "{}({},{:?},{})",
            window.func.name(),
            args.len(),
            window.frame,
            window.ignore_nulls
        );
        let args = args.into_iter().map(|arg| arg.expr).collect();
        let function = partitioned(name, output.clone(), run);
        Value {
            expr: self.engine(function, args),
            dtype: output,
        }
    }

    /// As [`Self::ours`], for a function that looks at the frame of each row.
    fn framed(
        &self,
        mut args: Vec<Value>,
        output: DataType,
        run: impl Fn(&Framed<'_>) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Value {
        let (count, frame) = (args.len(), self.window.frame);
        let descending = self.order_by.first().is_some_and(|key| !key.asc);
        // Rows that are equal in order are told by the keys.
        args.extend(self.order_by.iter().map(|key| Value {
            expr: key.expr.clone(),
            dtype: DataType::Null,
        }));
        self.ours(args, output, move |columns, rows| {
            let (values, keys) = columns.split_at(count);
            run(&Framed {
                values,
                frames: frames(frame, keys, descending, rows)?,
            })
        })
    }

    /// The number, from 1, of the tile of each row: the first tiles take one row more.
    fn ntile(&self, args: Vec<Value>) -> Result<Value> {
        let tiles = convert(first(args)?, &DataType::Int64)?;
        Ok(self.ours(vec![tiles], DataType::Int64, |args, rows| {
            let tiles = positive(&args[0], "NTILE takes a positive number")?;
            let (size, larger) = (rows / tiles, rows % tiles);
            let numbers = (0..rows).map(|row| match row.checked_sub(larger * (size + 1)) {
                Some(rest) if size > 0 => larger + rest / size + 1,
                Some(_) => row + 1,
                None => row / (size + 1) + 1,
            });
            let numbers: Int64Array = numbers.map(|number| i64::try_from(number).ok()).collect();
            Ok(Arc::new(numbers))
        }))
    }

    /// The value of the row so far before or behind, else the default.
    fn neighbour(&self, args: Vec<Value>) -> Result<Value> {
        let back = self.window.func == WindowFunc::Lag;
        let mut args = args.into_iter();
        let value = first(args.by_ref().take(1).collect())?;
        let by = match args.next() {
            Some(by) => convert(by, &DataType::Int64)?,
            None => Value::constant(1_i64.into()),
        };
        let default = args.next();
        let dtype = common_type(std::iter::once(&value).chain(&default))?;
        let mut args = vec![convert(value, &dtype)?, by];
        if let Some(default) = default {
            args.push(convert(default, &dtype)?);
        }
        Ok(self.ours(args, dtype, move |args, rows| {
            let by = constant(&args[1])?.ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidArgument,
                    "the distance of LAG and LEAD is a number",
                )
            })?;
            let by = if back { by.saturating_neg() } else { by };
            let from = |row: usize| {
                let row = usize::try_from(i64::try_from(row).ok()?.checked_add(by)?).ok()?;
                (row < rows).then_some(row)
            };
            let known: BooleanArray = (0..rows).map(|row| Some(from(row).is_some())).collect();
            let moved = gather(&args[0], (0..rows).map(from))?;
            match args.get(2) {
                Some(default) => zip(&known, &moved, default).or_error(),
                None => Ok(moved),
            }
        }))
    }

    /// The value of one row of each frame.
    fn nth(&self, args: Vec<Value>) -> Result<Value> {
        let (func, ignore_nulls) = (self.window.func, self.window.ignore_nulls);
        let mut args = args.into_iter();
        let value = first(args.by_ref().take(1).collect())?;
        let dtype = value.dtype.clone();
        let mut values = vec![value];
        if func == WindowFunc::NthValue {
            values.push(convert(first(args.collect())?, &DataType::Int64)?);
        }
        Ok(self.framed(values, dtype, move |partition| {
            let values = &partition.values[0];
            let nth = match partition.values.get(1) {
                Some(nth) => positive(nth, "NTH_VALUE takes a positive number")? - 1,
                None => 0,
            };
            let rows = if ignore_nulls {
                valid(values)
            } else {
                Valid::new(values.len(), None)
            };
            let found = partition.frames.iter().map(|frame| match func {
                WindowFunc::LastValue => rows.last(frame),
                _ => rows.nth(frame, nth),
            });
            gather(values, found)
        }))
    }

    /// How many values, or rows, there are in each frame.
    fn count(&self, args: Vec<Value>) -> Value {
        self.framed(args, DataType::Int64, |partition| {
            let rows = match partition.values.first() {
                Some(values) => valid(values),
                None => Valid::new(partition.frames.len(), None),
            };
            let counts = partition.frames.iter().map(|frame| rows.count(frame));
            let counts: Int64Array = counts.map(|count| i64::try_from(count).ok()).collect();
            Ok(Arc::new(counts))
        })
    }
}

/// The values of these rows; null where there is none.
fn gather(values: &ArrayRef, rows: impl Iterator<Item = Option<usize>>) -> Result<ArrayRef> {
    let rows: UInt64Array = rows.map(|row| row.map(|row| row as u64)).collect();
    take(values, &rows, None).or_error()
}

/// The number that stands in every row.
fn constant(values: &ArrayRef) -> Result<Option<i64>> {
    let numbers = cast(values, &DataType::Int64).or_error()?;
    Ok(numbers.as_primitive::<Int64Type>().iter().next().flatten())
}

fn positive(values: &ArrayRef, otherwise: &str) -> Result<usize> {
    let number = constant(values)?.and_then(|number| usize::try_from(number).ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, otherwise))
}
