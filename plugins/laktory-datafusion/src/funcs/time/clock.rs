//! Clocks: counts since 1970 as local times of a zone, and back.

use std::sync::Arc;

use chrono::offset::LocalResult;
use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{OffsetComponents, Tz};
use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use laktory_core::{Error, ErrorKind, Result};

use super::{Call, datetime, kernel};
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::{from_counts, per_second};

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Zone {
    /// Of the IANA data base.
    Named(Tz),
    /// A constant distance from UTC that no zone of the data base has.
    Fixed(FixedOffset),
}

/// A zone by its IANA name or distance from UTC, with its canonical name: `+02:00` is `Etc/GMT-2`.
///
/// # Errors
/// `InvalidArgument` when there is no such zone.
pub(crate) fn zone(text: &str) -> Result<(Zone, Arc<str>)> {
    if let Ok(tz) = text.parse::<Tz>() {
        return Ok((Zone::Named(tz), tz.name().into()));
    }
    let unknown = || {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("there is no time zone `{text}`"),
        )
        .with_hint("use a name of the IANA data base, such as `UTC` or `America/Toronto`")
    };
    let offset: FixedOffset = text.parse().map_err(|_| unknown())?;
    let seconds = offset.local_minus_utc();
    let hours = seconds / 3_600;
    if seconds % 3_600 != 0 {
        return Ok((Zone::Fixed(offset), text.into()));
    }
    let name = match hours {
        0 => "UTC".to_owned(),
        // The names of these zones count westwards.
        hours => format!("Etc/GMT{:+}", -hours),
    };
    match name.parse::<Tz>() {
        Ok(tz) => Ok((Zone::Named(tz), name.into())),
        Err(_) => Ok((Zone::Fixed(offset), text.into())),
    }
}

/// The clock of a column of datetimes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    unit: TimeUnit,
    zone: Option<Zone>,
}

impl Clock {
    /// The clock that goes with a type.
    ///
    /// # Errors
    /// `InvalidArgument` for a zone that does not exist; `Internal` for other types.
    pub(crate) fn of(dtype: &DataType) -> Result<Self> {
        match dtype {
            DataType::Timestamp(unit, zone_name) => {
                let zone = match zone_name {
                    Some(name) => Some(zone(name)?.0),
                    None => None,
                };
                Ok(Self { unit: *unit, zone })
            }
            other => Err(Error::internal(format!("{other} has no clock"))),
        }
    }

    /// What it counts.
    pub(crate) fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// Its zone, unless local time and count are the same.
    pub(crate) fn zone(&self) -> Option<Zone> {
        self.zone.filter(|zone| *zone != Zone::Named(Tz::UTC))
    }

    /// The point in time of a count, in UTC.
    ///
    /// # Errors
    /// `OutOfBounds` beyond the calendar.
    pub(crate) fn utc(&self, count: i64) -> Result<NaiveDateTime> {
        let per_second = per_second(self.unit);
        let nanoseconds = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
        u32::try_from(nanoseconds)
            .ok()
            .and_then(|nanoseconds| {
                DateTime::from_timestamp(count.div_euclid(per_second), nanoseconds)
            })
            .map(|point| point.naive_utc())
            .ok_or_else(out_of_bounds)
    }

    /// The count of a point in time in UTC.
    ///
    /// # Errors
    /// `OutOfBounds` when 64 bits do not hold it.
    pub(crate) fn count(&self, utc: NaiveDateTime) -> Result<i64> {
        count(utc, self.unit).ok_or_else(out_of_bounds)
    }

    /// What the clock shows at a count.
    ///
    /// # Errors
    /// `OutOfBounds`.
    pub(crate) fn local(&self, count: i64) -> Result<NaiveDateTime> {
        let utc = self.utc(count)?;
        Ok(match self.zone {
            Some(zone) => zone.local(utc),
            None => utc,
        })
    }

    /// The count at which the clock shows `local`, for a time that was computed from `original`: a time that occurs
    /// twice keeps the season of the original, one that does not occur moves by the change of the clock (RFC 5545).
    ///
    /// # Errors
    /// `Compute` when there is none; `OutOfBounds`.
    pub(crate) fn settled(&self, original: NaiveDateTime, local: NaiveDateTime) -> Result<i64> {
        match self.zone {
            Some(zone) => self.count(zone.settled(original, local)?),
            None => self.count(local),
        }
    }
}

fn count(utc: NaiveDateTime, unit: TimeUnit) -> Option<i64> {
    let per_second = per_second(unit);
    let utc = utc.and_utc();
    let fraction = i64::from(utc.timestamp_subsec_nanos()) / (1_000_000_000 / per_second);
    utc.timestamp()
        .checked_mul(per_second)?
        .checked_add(fraction)
}

/// The count of a local time without zone; `None` when 64 bits do not hold it.
pub(super) fn naive_count(local: NaiveDateTime, unit: TimeUnit) -> Option<i64> {
    count(local, unit)
}

pub(super) fn out_of_bounds() -> Error {
    Error::new(
        ErrorKind::OutOfBounds,
        "a point in time lies outside of the calendar",
    )
}

impl Zone {
    /// What a clock of the zone shows at a point in time.
    pub(crate) fn local(self, utc: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Named(tz) => tz.from_utc_datetime(&utc).naive_local(),
            Self::Fixed(offset) => offset.from_utc_datetime(&utc).naive_local(),
        }
    }

    /// The point in time at which a clock of the zone shows `local`.
    ///
    /// # Errors
    /// `ConversionFailed` when the clock shows it never, or twice.
    fn utc(self, local: NaiveDateTime) -> Result<NaiveDateTime> {
        let (found, name) = match self {
            Self::Named(tz) => (
                tz.from_local_datetime(&local)
                    .map(|point| point.naive_utc()),
                tz.name().to_owned(),
            ),
            Self::Fixed(offset) => (
                offset
                    .from_local_datetime(&local)
                    .map(|point| point.naive_utc()),
                offset.to_string(),
            ),
        };
        let why = match found {
            LocalResult::Single(utc) => return Ok(utc),
            LocalResult::Ambiguous(..) => "occurs twice",
            LocalResult::None => "does not occur",
        };
        Err(Error::new(
            ErrorKind::ConversionFailed,
            format!("`{local}` {why} in time zone `{name}`"),
        )
        .with_hint(
            "clocks were changed there; replace the zone of other rows only, or convert from `UTC`",
        ))
    }

    fn settled(self, original: NaiveDateTime, local: NaiveDateTime) -> Result<NaiveDateTime> {
        let Self::Named(tz) = self else {
            return self.utc(local);
        };
        let season = tz.from_utc_datetime(&original).offset().dst_offset();
        match tz.from_local_datetime(&local) {
            LocalResult::Single(point) => Ok(point.naive_utc()),
            LocalResult::Ambiguous(first, second) => {
                let point = if second.offset().dst_offset() == season {
                    second
                } else {
                    first
                };
                let point = if first.offset().dst_offset() == season {
                    first
                } else {
                    point
                };
                Ok(point.naive_utc())
            }
            LocalResult::None => {
                let moved = if season.is_zero() {
                    let after = tz
                        .from_local_datetime(&(local + TimeDelta::hours(1)))
                        .earliest();
                    match after {
                        Some(after) => local - after.offset().dst_offset(),
                        None => local,
                    }
                } else {
                    local + season
                };
                self.utc(moved)
            }
        }
    }
}

/// `dt.replace_time_zone`: the same local time in another zone.
pub(super) fn replace_time_zone(call: &Call<'_, '_>) -> Result<Value> {
    let to = call.opt_text("time_zone")?.map(zone).transpose()?;
    let this = datetime(call)?;
    let clock = Clock::of(&this.dtype)?;
    let output = DataType::Timestamp(clock.unit(), to.as_ref().map(|(_, name)| name.clone()));
    if this.dtype == output {
        return Ok(this);
    }
    let target = to.map(|(zone, _)| zone);
    let (dtype, result) = (output.clone(), output.clone());
    Ok(kernel(
        format!("replace_time_zone({output})"),
        vec![this],
        dtype,
        move |arrays| {
            let counts = arrays::integers(&arrays[0])?;
            let moved: Int64Array = counts.try_unary(|value| -> Result<i64> {
                let local = clock.local(value)?;
                match target {
                    Some(zone) => clock.count(zone.utc(local)?),
                    None => clock.count(local),
                }
            })?;
            from_counts(moved, &result)
        },
    ))
}

/// `dt.convert_time_zone`: the same point in time, shown by another clock. A datetime without zone is taken for UTC.
pub(super) fn convert_time_zone(call: &Call<'_, '_>) -> Result<Value> {
    let Some(name) = call.opt_text("time_zone")? else {
        return Err(call.invalid("`time_zone` is needed"));
    };
    let (_, name) = zone(name)?;
    let this = datetime(call)?;
    let output = DataType::Timestamp(Clock::of(&this.dtype)?.unit(), Some(name));
    Ok(shown_in(this, output))
}

/// The same counts under another type.
fn shown_in(this: Value, output: DataType) -> Value {
    if this.dtype == output {
        return this;
    }
    let to = output.clone();
    kernel(
        format!("convert_time_zone({output})"),
        vec![this],
        output,
        move |arrays: &[ArrayRef]| from_counts(arrays::integers(&arrays[0])?, &to),
    )
}

/// The offset of a zone at a point in time, for texts.
pub(super) fn fixed(zone: Zone, utc: NaiveDateTime) -> DateTime<FixedOffset> {
    match zone {
        Zone::Named(tz) => {
            let point = tz.from_utc_datetime(&utc);
            point.with_timezone(&point.offset().fix())
        }
        Zone::Fixed(offset) => offset.from_utc_datetime(&utc),
    }
}
