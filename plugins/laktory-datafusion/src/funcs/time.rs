//! Functions of dates, times, datetimes and durations.
//!
//! What depends on the calendar is computed by the clock of the column's own zone; a datetime without zone is a local
//! time. The engine's session has no say in it.

mod arithmetic;
mod clock;
mod format;
mod interval;
mod parse;
mod parts;

use datafusion::arrow::datatypes::{DataType, TimeUnit as ArrowTimeUnit};
use laktory_core::{Func, Result, TimeUnit};

use super::{Call, FULL, Row};
use crate::expr::Value;
use crate::kernel::kernel;

pub(crate) use arithmetic::{add, sub};
pub(crate) use clock::zone;
pub(crate) use format::{formatted, pattern};
pub(crate) use parts::{Part, part};

pub(super) const ROWS: &[Row] = &[
    (Func::StrToDatetime, FULL, parse::to_datetime),
    (Func::StrToDate, FULL, parse::to_date),
    (Func::StrToTime, FULL, parse::to_time),
    (Func::DtDate, FULL, parts::date),
    (Func::DtYear, FULL, |call| {
        part(call, call.receiver()?, Part::Year)
    }),
    (Func::DtMonth, FULL, |call| {
        part(call, call.receiver()?, Part::Month)
    }),
    (Func::DtDay, FULL, |call| {
        part(call, call.receiver()?, Part::Day)
    }),
    (Func::DtHour, FULL, |call| {
        part(call, call.receiver()?, Part::Hour)
    }),
    (Func::DtMinute, FULL, |call| {
        part(call, call.receiver()?, Part::Minute)
    }),
    (Func::DtSecond, FULL, |call| {
        part(call, call.receiver()?, Part::Second)
    }),
    (Func::DtMillisecond, FULL, |call| {
        part(call, call.receiver()?, Part::Millisecond)
    }),
    (Func::DtMicrosecond, FULL, |call| {
        part(call, call.receiver()?, Part::Microsecond)
    }),
    (Func::DtNanosecond, FULL, |call| {
        part(call, call.receiver()?, Part::Nanosecond)
    }),
    (Func::DtOrdinalDay, FULL, |call| {
        part(call, call.receiver()?, Part::OrdinalDay)
    }),
    (Func::DtWeekday, FULL, |call| {
        part(call, call.receiver()?, Part::Weekday)
    }),
    (Func::DtToString, FULL, format::to_string),
    (Func::DtTimestamp, FULL, parts::timestamp),
    (Func::DtTruncate, FULL, interval::truncate),
    (Func::DtOffsetBy, FULL, interval::offset_by),
    (Func::DtReplaceTimeZone, FULL, clock::replace_time_zone),
    (Func::DtConvertTimeZone, FULL, clock::convert_time_zone),
    (Func::DtTotalMinutes, FULL, |call| parts::total(call, 1, 60)),
    (Func::DtTotalSeconds, FULL, |call| parts::total(call, 1, 1)),
    (Func::DtTotalMilliseconds, FULL, |call| {
        parts::total(call, 1_000, 1)
    }),
    (Func::DtTotalMicroseconds, FULL, |call| {
        parts::total(call, 1_000_000, 1)
    }),
    (Func::DtTotalNanoseconds, FULL, |call| {
        parts::total(call, 1_000_000_000, 1)
    }),
];

/// The contract's unit for one of Arrow.
pub(crate) fn unit(unit: ArrowTimeUnit) -> TimeUnit {
    match unit {
        ArrowTimeUnit::Second => TimeUnit::Second,
        ArrowTimeUnit::Millisecond => TimeUnit::Millisecond,
        ArrowTimeUnit::Microsecond => TimeUnit::Microsecond,
        ArrowTimeUnit::Nanosecond => TimeUnit::Nanosecond,
    }
}

fn is_date(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Date32 | DataType::Date64)
}

fn is_datetime(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Timestamp(..))
}

fn is_time(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Time32(_) | DataType::Time64(_))
}

/// The receiver as a datetime: dates count as midnight, nulls as such.
///
/// # Errors
/// `TypeMismatch` for other types.
fn datetime(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    match &this.dtype {
        DataType::Timestamp(..) => Ok(this),
        DataType::Null => Value::null(&DataType::Timestamp(ArrowTimeUnit::Microsecond, None)),
        other => Err(call.mismatch(other)),
    }
}
