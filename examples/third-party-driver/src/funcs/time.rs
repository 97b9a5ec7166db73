//! Parts of dates and datetimes, and points in time that are moved or cut. Of zones, UTC alone is known.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int64Array, IntervalMonthDayNanoArray,
    IntervalYearMonthArray, Scalar as One,
};
use arrow::compute::kernels::numeric::add;
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, Int32Type, Int64Type, IntervalMonthDayNano, TimeUnit};
use laktory_core::semantics::interval::Interval;
use laktory_core::{Error, ErrorKind, Result, Support};

use super::{Call, Func, Row};
use crate::cast::{convert, convert_array, from_counts, per_second};
use crate::error::OrError;
use crate::expr::{Value, kernel};
use crate::unsupported;

const ZONES: Support = Support::Partial {
    note: "of zones, UTC alone",
};

pub(super) const ROWS: &[Row] = &[
    (Func::DtYear, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Year)
    }),
    (Func::DtMonth, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Month)
    }),
    (Func::DtDay, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Day)
    }),
    (Func::DtHour, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Hour)
    }),
    (Func::DtMinute, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Minute)
    }),
    (Func::DtSecond, ZONES, |call| {
        part(call, call.receiver()?, DatePart::Second)
    }),
    (Func::DtOrdinalDay, ZONES, |call| {
        part(call, call.receiver()?, DatePart::DayOfYear)
    }),
    (Func::DtWeekday, ZONES, |call| {
        let monday = part(call, call.receiver()?, DatePart::DayOfWeekMonday0)?;
        Ok(kernel(vec![monday], DataType::Int64, |arrays| {
            let days = arrays[0].as_primitive::<Int64Type>();
            Ok(Arc::new(days.unary::<_, Int64Type>(|day| day + 1)))
        }))
    }),
    (Func::SqlQuarter, ZONES, |call| {
        part(call, call.value("x")?, DatePart::Quarter)
    }),
    (Func::SqlWeek, ZONES, |call| {
        part(call, call.value("x")?, DatePart::Week)
    }),
    (Func::SqlDayOfWeek, ZONES, |call| {
        part(call, call.value("x")?, DatePart::DayOfWeekSunday0)
    }),
    (Func::DtDate, ZONES, |call| {
        convert(point(call, call.receiver()?)?, &DataType::Date32)
    }),
    (Func::DtTimestamp, ZONES, |call| {
        let unit = match call.text("time_unit")? {
            "ns" => TimeUnit::Nanosecond,
            "ms" => TimeUnit::Millisecond,
            _ => TimeUnit::Microsecond,
        };
        let value = point(call, call.receiver()?)?;
        convert(
            convert(value, &DataType::Timestamp(unit, None))?,
            &DataType::Int64,
        )
    }),
    (Func::DtTruncate, ZONES, |call| {
        let every = interval(call, "every")?;
        if every.count() < 0 {
            return Err(call.invalid("an interval to cut by is positive"));
        }
        through(call, every, truncated)
    }),
    (Func::DtOffsetBy, ZONES, |call| {
        through(call, interval(call, "by")?, moved)
    }),
];

/// A date, a time, or a datetime by the clock of UTC.
fn point(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Null => convert(value, &DataType::Timestamp(TimeUnit::Microsecond, None)),
        DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(_, None) => Ok(value),
        DataType::Timestamp(unit, Some(zone)) if &**zone == "UTC" => {
            let clock = DataType::Timestamp(*unit, None);
            convert(value, &clock)
        }
        DataType::Timestamp(_, Some(zone)) => Err(unsupported(format!(
            "`{}` in the time zone {zone}",
            call.func().def().path
        ))),
        other => Err(call.mismatch(other)),
    }
}

fn part(call: &Call<'_, '_>, value: Value, part: DatePart) -> Result<Value> {
    let value = point(call, value)?;
    Ok(kernel(vec![value], DataType::Int64, move |arrays| {
        let parts = date_part(&arrays[0], part).or_error()?;
        cast(&parts, &DataType::Int64).or_error()
    }))
}

fn interval(call: &Call<'_, '_>, name: &str) -> Result<Interval> {
    let text = call.text(name)?;
    Interval::parse(text).ok_or_else(|| {
        call.invalid(&format!("`{text}` is not an interval"))
            .with_hint(
                "a number and a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q` or `y`",
            )
    })
}

/// Applies a function of datetimes, to dates as midnights.
fn through(
    call: &Call<'_, '_>,
    interval: Interval,
    function: fn(&ArrayRef, Interval) -> Result<ArrayRef>,
) -> Result<Value> {
    let given = call.receiver()?;
    let output = given.dtype.clone();
    let value = match point(call, given)? {
        date if date.dtype == DataType::Date32 => {
            convert(date, &DataType::Timestamp(TimeUnit::Microsecond, None))?
        }
        time if matches!(time.dtype, DataType::Time64(_)) => {
            return Err(call.mismatch(&time.dtype));
        }
        datetime => datetime,
    };
    let to = output.clone();
    Ok(kernel(vec![value], output, move |arrays| {
        let out = match interval.count() {
            0 => Arc::clone(&arrays[0]),
            _ => function(&arrays[0], interval)?,
        };
        convert_array(&out, &to, true)
    }))
}

/// Points moved by an interval; the day of a shorter month is its last one.
fn moved(points: &ArrayRef, by: Interval) -> Result<ArrayRef> {
    let narrow = |count: i64| {
        i32::try_from(count).map_err(|_| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("an interval of {count} days or months"),
            )
        })
    };
    let by = match by {
        Interval::Months(months) => IntervalMonthDayNano::new(narrow(months)?, 0, 0),
        Interval::Days(days) => IntervalMonthDayNano::new(0, narrow(days)?, 0),
        Interval::Nanoseconds(span) => IntervalMonthDayNano::new(0, 0, span),
        _ => return Err(unsupported("this kind of interval")),
    };
    let by = One::new(IntervalMonthDayNanoArray::from(vec![by]));
    add(points, &by).or_error()
}

/// The start of the interval, counted from 1970, in which each point lies.
fn truncated(points: &ArrayRef, every: Interval) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = points.data_type() else {
        return Err(Error::internal("a point that is no datetime"));
    };
    let per_second = per_second(*unit);
    let every = match every {
        Interval::Months(months) => return month_starts(points, months),
        Interval::Days(days) => days.saturating_mul(86_400).saturating_mul(per_second),
        Interval::Nanoseconds(span) => (span / (1_000_000_000 / per_second)).max(1),
        _ => return Err(unsupported("this kind of interval")),
    };
    let counts = cast(points, &DataType::Int64).or_error()?;
    let counts = counts.as_primitive::<Int64Type>();
    let starts: Int64Array = counts.unary(|count| count - count.rem_euclid(every));
    from_counts(&starts, points.data_type())
}

/// The first day of the run of months in which each point lies.
fn month_starts(points: &ArrayRef, every: i64) -> Result<ArrayRef> {
    let part = |part| date_part(points, part).or_error();
    let (years, months) = (part(DatePart::Year)?, part(DatePart::Month)?);
    let (years, months) = (
        years.as_primitive::<Int32Type>(),
        months.as_primitive::<Int32Type>(),
    );
    let starts = years.iter().zip(months).map(|pair| {
        let (Some(year), Some(month)) = pair else {
            return None;
        };
        let months = (i64::from(year) - 1970) * 12 + i64::from(month) - 1;
        i32::try_from(months - months.rem_euclid(every)).ok()
    });
    let starts: IntervalYearMonthArray = starts.collect();
    let epoch = Date32Array::from(vec![0; starts.len()]);
    let days = add(&epoch, &starts).or_error()?;
    convert_array(&days, points.data_type(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_where_the_calendar_says() {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(-1), Some(59), None]));
        let to = DataType::Timestamp(TimeUnit::Microsecond, None);
        let points = convert_array(&days, &to, true).unwrap();
        let starts = truncated(&points, Interval::Months(3)).unwrap();
        let starts = convert_array(&starts, &DataType::Date32, true).unwrap();
        let expected: ArrayRef = Arc::new(Date32Array::from(vec![Some(-92), Some(0), None]));
        assert_eq!(&starts, &expected);
    }
}
