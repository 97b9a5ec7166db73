//! Parts of dates and times, and whole durations.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::{DatePart, date_part};
use datafusion::arrow::datatypes::{DataType, Int32Type, TimeUnit};
use laktory_core::Result;

use super::{Call, is_date, is_datetime, is_time, kernel};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::{convert_array, from_counts, per_day, per_second, rescaled};

use super::clock::{Clock, naive_count};

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are named for what they are")]
pub(crate) enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    OrdinalDay,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Part {
    fn dtype(self) -> DataType {
        match self {
            Self::Year | Self::Millisecond | Self::Microsecond | Self::Nanosecond => {
                DataType::Int32
            }
            Self::OrdinalDay => DataType::Int16,
            _ => DataType::Int8,
        }
    }

    fn of_time(self) -> bool {
        matches!(
            self,
            Self::Hour
                | Self::Minute
                | Self::Second
                | Self::Millisecond
                | Self::Microsecond
                | Self::Nanosecond
        )
    }

    fn engine(self) -> DatePart {
        match self {
            Self::Year => DatePart::Year,
            Self::Quarter => DatePart::Quarter,
            Self::Month => DatePart::Month,
            Self::Week => DatePart::Week,
            Self::Day => DatePart::Day,
            Self::OrdinalDay => DatePart::DayOfYear,
            Self::Weekday => DatePart::DayOfWeekMonday0,
            Self::Hour => DatePart::Hour,
            Self::Minute => DatePart::Minute,
            Self::Second => DatePart::Second,
            Self::Millisecond => DatePart::Millisecond,
            Self::Microsecond => DatePart::Microsecond,
            Self::Nanosecond => DatePart::Nanosecond,
        }
    }
}

/// A part of a value, by the clock of its zone, in the type of Polars.
///
/// # Errors
/// `TypeMismatch` for values without such a part.
pub(crate) fn part(call: &Call<'_, '_>, this: Value, part: Part) -> Result<Value> {
    let fits = match &this.dtype {
        DataType::Null => return Value::null(&part.dtype()),
        dtype if is_datetime(dtype) => {
            Clock::of(dtype)?;
            true
        }
        dtype if is_date(dtype) => !part.of_time(),
        dtype if is_time(dtype) => part.of_time(),
        _ => false,
    };
    if !fits {
        return Err(call.mismatch(&this.dtype));
    }
    let output = part.dtype();
    let to = output.clone();
    Ok(kernel(
        format!("date_part({part:?})"),
        vec![this],
        output,
        move |arrays| {
            let parts = date_part(&arrays[0], part.engine()).or_error()?;
            let parts: ArrayRef = if part == Part::Weekday {
                let monday_0 = parts.as_primitive::<Int32Type>();
                Arc::new(monday_0.unary::<_, Int32Type>(|day| day + 1))
            } else {
                parts
            };
            convert_array(&parts, &to, true)
        },
    ))
}

/// `dt.date`: the day, by the clock of the zone.
pub(super) fn date(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    match &this.dtype {
        DataType::Date32 => return Ok(this),
        DataType::Null => return Value::null(&DataType::Date32),
        dtype if is_datetime(dtype) || is_date(dtype) => {}
        other => return Err(call.mismatch(other)),
    }
    if is_date(&this.dtype) {
        return crate::funcs::cast::convert(this, &DataType::Date32);
    }
    let clock = Clock::of(&this.dtype)?;
    Ok(kernel(
        "date",
        vec![this],
        DataType::Date32,
        move |arrays| {
            let counts = arrays::integers(&arrays[0])?;
            let day = per_day(clock.unit());
            let days: Int64Array = match clock.zone() {
                None => counts.unary(|count| count.div_euclid(day)),
                Some(_) => counts.try_unary(|count| -> Result<i64> {
                    let seconds = naive_count(clock.local(count)?, TimeUnit::Second);
                    Ok(seconds
                        .ok_or_else(super::clock::out_of_bounds)?
                        .div_euclid(86_400))
                })?,
            };
            from_counts(days, &DataType::Date32)
        },
    ))
}

/// `dt.timestamp`: the count since 1970 in a unit.
pub(super) fn timestamp(call: &Call<'_, '_>) -> Result<Value> {
    let unit = match call.text("time_unit")? {
        "ns" => TimeUnit::Nanosecond,
        "us" => TimeUnit::Microsecond,
        "ms" => TimeUnit::Millisecond,
        _ => return Err(call.invalid("`time_unit` is `ns`, `us` or `ms`")),
    };
    let this = call.receiver()?;
    let zone = match &this.dtype {
        DataType::Null => return Value::null(&DataType::Int64),
        DataType::Timestamp(_, zone) => zone.clone(),
        dtype if is_date(dtype) => None,
        other => return Err(call.mismatch(other)),
    };
    // A time outside of what the unit can count is null, as in Polars.
    let through = DataType::Timestamp(unit, zone);
    Ok(kernel(
        format!("timestamp({unit:?})"),
        vec![this],
        DataType::Int64,
        move |arrays| {
            let points = convert_array(&arrays[0], &through, false)?;
            Ok(Arc::new(arrays::integers(&points)?))
        },
    ))
}

/// Whole multiples in a duration, cut toward zero: `count` to the second, of which `each` make one.
pub(super) fn total(call: &Call<'_, '_>, count: i64, each: i64) -> Result<Value> {
    let this = call.receiver()?;
    let unit = match &this.dtype {
        DataType::Null => return Value::null(&DataType::Int64),
        DataType::Duration(unit) => *unit,
        other => return Err(call.mismatch(other)),
    };
    let to = match count {
        1 => TimeUnit::Second,
        1_000 => TimeUnit::Millisecond,
        1_000_000 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    };
    Ok(kernel(
        format!("total({count}, {each})"),
        vec![this],
        DataType::Int64,
        move |arrays| {
            let counts = arrays::integers(&arrays[0])?;
            let (have, want) = (per_second(unit), per_second(to));
            let totals: Int64Array = if have > want {
                counts.unary(|value| value / (have / want) / each)
            } else {
                counts.try_unary(|value| -> Result<i64> {
                    rescaled(value, unit, to)
                        .map(|value| value / each)
                        .ok_or_else(super::clock::out_of_bounds)
                })?
            };
            Ok(Arc::new(totals))
        },
    ))
}
