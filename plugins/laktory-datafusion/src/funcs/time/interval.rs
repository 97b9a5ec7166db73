//! Calendar arithmetic with intervals such as `15m`, `1d` and `1mo`: starts of intervals, and points moved by one.
//!
//! Days and months are those of the clock of the column's zone; hours and less are spans of time.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};
use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use laktory_core::semantics::interval::Interval;
use laktory_core::typing::shown;
use laktory_core::{Error, ErrorKind, Result};

use super::clock::{Clock, naive_count, out_of_bounds};
use super::{Call, is_date, kernel};
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::{convert_array, from_counts, rescaled};

/// The interval of an argument.
fn interval(call: &Call<'_, '_>, name: &str, signed: bool) -> Result<Interval> {
    let text = call.text(name)?;
    Interval::parse(text)
        .filter(|interval| signed || interval.count() >= 0)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}`: `{text}` is not an interval", shown(call.func())),
            )
            .with_hint("an interval is a positive number and a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q`, `y`")
        })
}

/// `dt.truncate`.
pub(super) fn truncate(call: &Call<'_, '_>) -> Result<Value> {
    let every = interval(call, "every", false)?;
    apply(call, every, "truncate", truncated)
}

/// `dt.offset_by`.
pub(super) fn offset_by(call: &Call<'_, '_>) -> Result<Value> {
    let by = interval(call, "by", true)?;
    apply(call, by, "offset_by", moved)
}

/// Applies a function on counts to datetimes, or to dates as midnights in microseconds.
fn apply(
    call: &Call<'_, '_>,
    interval: Interval,
    name: &str,
    function: fn(&Clock, Interval, i64) -> Result<i64>,
) -> Result<Value> {
    let this = call.receiver()?;
    let through = match &this.dtype {
        DataType::Null => return Ok(this),
        DataType::Timestamp(..) => this.dtype.clone(),
        dtype if is_date(dtype) => DataType::Timestamp(TimeUnit::Microsecond, None),
        other => return Err(call.mismatch(other)),
    };
    let clock = Clock::of(&through)?;
    if interval.count() == 0 {
        return Ok(this);
    }
    let output = this.dtype.clone();
    let to = output.clone();
    Ok(kernel(
        format!("{name}({interval:?})"),
        vec![this],
        output,
        move |arrays: &[ArrayRef]| {
            let points = convert_array(&arrays[0], &through, true)?;
            let counts: Int64Array =
                arrays::integers(&points)?.try_unary(|count| function(&clock, interval, count))?;
            convert_array(&from_counts(counts, &through)?, &to, true)
        },
    ))
}

/// A span of nanoseconds in the unit of the clock, cut toward zero.
fn span(clock: &Clock, nanoseconds: i64) -> i64 {
    let size = rescaled(
        nanoseconds.saturating_abs(),
        TimeUnit::Nanosecond,
        clock.unit(),
    );
    size.unwrap_or(0) * nanoseconds.signum()
}

/// The start of the interval in which a count lies.
fn truncated(clock: &Clock, every: Interval, count: i64) -> Result<i64> {
    let every = match every {
        Interval::Months(months) => {
            let original = clock.utc(count)?;
            let local = clock.local(count)?;
            let first = month_start(local, months).ok_or_else(out_of_bounds)?;
            return clock.settled(original, first);
        }
        Interval::Days(days) => i64::checked_mul(days, 86_400)
            .and_then(|seconds| rescaled(seconds, TimeUnit::Second, clock.unit()))
            .ok_or_else(out_of_bounds)?,
        Interval::Nanoseconds(nanoseconds) => span(clock, nanoseconds),
    };
    if every == 0 {
        return Ok(count);
    }
    if clock.zone().is_none() {
        return Ok(count - count.rem_euclid(every));
    }
    let original = clock.utc(count)?;
    let local = naive_count(clock.local(count)?, clock.unit()).ok_or_else(out_of_bounds)?;
    clock.settled(original, clock.utc(local - local.rem_euclid(every))?)
}

/// Midnight of the first day of the run of months, counted from 1970, in which a time lies.
fn month_start(local: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let total = (i64::from(local.year()) - 1_970) * 12 + i64::from(local.month0());
    let total = total - total.rem_euclid(months);
    let year = i32::try_from(total.div_euclid(12) + 1_970).ok()?;
    let month = u32::try_from(total.rem_euclid(12)).ok()? + 1;
    NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)
}

/// A count moved by an interval; months clamp to their last day.
fn moved(clock: &Clock, by: Interval, count: i64) -> Result<i64> {
    let local = match by {
        Interval::Nanoseconds(nanoseconds) => {
            return count
                .checked_add(span(clock, nanoseconds))
                .ok_or_else(out_of_bounds);
        }
        Interval::Days(days) => {
            let delta = TimeDelta::try_days(days).ok_or_else(out_of_bounds)?;
            clock.local(count)?.checked_add_signed(delta)
        }
        Interval::Months(months) => {
            let size = u32::try_from(months.unsigned_abs()).map_err(|_| out_of_bounds())?;
            let local = clock.local(count)?;
            if months < 0 {
                local.checked_sub_months(Months::new(size))
            } else {
                local.checked_add_months(Months::new(size))
            }
        }
    };
    clock.settled(clock.utc(count)?, local.ok_or_else(out_of_bounds)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_start_at_midnight_of_their_first_day() {
        let local = NaiveDate::from_ymd_opt(1969, 12, 31)
            .and_then(|day| day.and_hms_opt(23, 59, 59))
            .unwrap();
        let start = month_start(local, 3).unwrap();
        assert_eq!(start.to_string(), "1969-10-01 00:00:00");
    }
}
