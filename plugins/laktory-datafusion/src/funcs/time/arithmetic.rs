//! Sums and differences with dates, times, datetimes and durations.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::kernels::arity::try_binary;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::arrow::error::ArrowError;
use laktory_core::{Error, ErrorKind, Result};

use super::clock::out_of_bounds;
use super::{is_date, is_time, kernel};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::{coarser, convert_array, from_counts};
use crate::types::shown;

const DAY_NANOSECONDS: i64 = 86_400_000_000_000;

fn is_temporal(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Timestamp(..) | DataType::Duration(_))
        || is_date(dtype)
        || is_time(dtype)
}

/// The sum of two values; `None` when neither is a date, time, datetime or duration.
///
/// # Errors
/// `TypeMismatch` for types that have no sum.
pub(crate) fn add(left: Value, right: Value) -> Result<Option<Value>> {
    use DataType::{Date32, Duration, Time64, Timestamp};
    if !is_temporal(&left.dtype) && !is_temporal(&right.dtype) {
        return Ok(None);
    }
    let (left, right) = known(left, right)?;
    let output = match (&left.dtype, &right.dtype) {
        (Duration(a), Duration(b)) => Duration(coarser(*a, *b)),
        (Timestamp(a, zone), Duration(b)) | (Duration(b), Timestamp(a, zone)) => {
            Timestamp(coarser(*a, *b), zone.clone())
        }
        (Date32, Duration(_)) | (Duration(_), Date32) => Date32,
        (Time64(_), Duration(_)) | (Duration(_), Time64(_)) => Time64(TimeUnit::Nanosecond),
        (a, b) => return Err(impossible("+", a, b)),
    };
    computed("add", left, right, output, i64::checked_add).map(Some)
}

/// The difference of two values; `None` when neither is a date, time, datetime or duration.
///
/// # Errors
/// `TypeMismatch` for types that have no difference.
pub(crate) fn sub(left: Value, right: Value) -> Result<Option<Value>> {
    use DataType::{Date32, Duration, Time64, Timestamp};
    if !is_temporal(&left.dtype) && !is_temporal(&right.dtype) {
        return Ok(None);
    }
    let (left, right) = known(left, right)?;
    let output = match (&left.dtype, &right.dtype) {
        (Duration(a), Duration(b)) => Duration(coarser(*a, *b)),
        (Timestamp(a, zone), Duration(b)) => Timestamp(coarser(*a, *b), zone.clone()),
        (Timestamp(a, zone), Timestamp(b, other)) if zone == other => Duration(coarser(*a, *b)),
        (Timestamp(unit, _), Date32) | (Date32, Timestamp(unit, _)) => Duration(*unit),
        (Date32, Date32) => Duration(TimeUnit::Microsecond),
        (Date32, Duration(_)) => Date32,
        (Time64(_), Duration(_)) => Time64(TimeUnit::Nanosecond),
        (Time64(_), Time64(_)) => Duration(TimeUnit::Nanosecond),
        (a, b) => return Err(impossible("-", a, b)),
    };
    computed("sub", left, right, output, i64::checked_sub).map(Some)
}

fn impossible(operator: &str, a: &DataType, b: &DataType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("`{operator}` does not take {} and {}", shown(a), shown(b)),
    )
    .with_hint("dates and times move by durations, such as `nw.lit(timedelta(days=1))`, or by `dt.offset_by`")
}

/// Both sides in the types that the tables above name; a null of no type becomes a duration.
fn known(left: Value, right: Value) -> Result<(Value, Value)> {
    let plain = |value: Value| -> Result<Value> {
        let dtype = match &value.dtype {
            DataType::Null => DataType::Duration(TimeUnit::Microsecond),
            DataType::Date64 => DataType::Date32,
            dtype if is_time(dtype) => DataType::Time64(TimeUnit::Nanosecond),
            _ => return Ok(value),
        };
        crate::funcs::cast::convert(value, &dtype)
    };
    Ok((plain(left)?, plain(right)?))
}

/// Both sides as counts of one unit, and the result back in its type.
fn computed(
    name: &str,
    left: Value,
    right: Value,
    output: DataType,
    operation: fn(i64, i64) -> Option<i64>,
) -> Result<Value> {
    use DataType::{Date32, Duration, Time64, Timestamp};
    // Dates are counted as midnights in the finest unit that is around, times in nanoseconds.
    let unit = match &output {
        Timestamp(unit, _) | Duration(unit) => *unit,
        Time64(_) => TimeUnit::Nanosecond,
        _ => match (&left.dtype, &right.dtype) {
            (Duration(unit), _) | (_, Duration(unit)) => *unit,
            _ => TimeUnit::Microsecond,
        },
    };
    let through = |dtype: &DataType| match dtype {
        Date32 => Timestamp(unit, None),
        Timestamp(_, zone) => Timestamp(unit, zone.clone()),
        Time64(_) => Time64(TimeUnit::Nanosecond),
        _ => Duration(unit),
    };
    let (left_type, right_type) = (through(&left.dtype), through(&right.dtype));
    let to = output.clone();
    Ok(kernel(
        format!("{name}({} {} {output})", left.dtype, right.dtype),
        vec![left, right],
        output,
        move |arrays: &[ArrayRef]| {
            let a = arrays::integers(&convert_array(&arrays[0], &left_type, true)?)?;
            let b = arrays::integers(&convert_array(&arrays[1], &right_type, true)?)?;
            let counts = try_binary::<_, _, _, Int64Type>(&a, &b, |a, b| {
                operation(a, b)
                    .ok_or_else(|| ArrowError::from_external_error(Box::new(out_of_bounds())))
            })
            .or_error()?;
            match &to {
                Date32 => {
                    let points = from_counts(counts, &Timestamp(unit, None))?;
                    convert_array(&points, &Date32, true)
                }
                Time64(_) => {
                    from_counts(counts.unary(|count| count.rem_euclid(DAY_NANOSECONDS)), &to)
                }
                to => from_counts(counts, to),
            }
        },
    ))
}
