//! Functions of dates, times, datetimes and durations.

use laktory_core::typing::shown;
use laktory_core::{Error, ErrorKind, Func, Result};
use polars::prelude::{DataType, Expr, NonExistent, StrptimeOptions, TimeUnit, lit};

use super::{Call, FULL, Row};
use crate::convert::parse_text;
use crate::expr::convert;

pub(super) const ROWS: &[Row] = &[
    (Func::StrToDatetime, FULL, to_datetime),
    (Func::StrToDate, FULL, |call| {
        match call.opt_text("format")? {
            Some(format) => Ok(call.this()?.str().to_date(strptime(format))),
            None => Ok(parse_text(call.this()?, &DataType::Date)),
        }
    }),
    (Func::StrToTime, FULL, |call| {
        match call.opt_text("format")? {
            Some(format) => Ok(call.this()?.str().to_time(strptime(format))),
            None => Ok(convert(call.this()?, &DataType::Time, true)),
        }
    }),
    (Func::DtDate, FULL, |call| Ok(call.this()?.dt().date())),
    (Func::DtYear, FULL, |call| Ok(call.this()?.dt().year())),
    (Func::DtMonth, FULL, |call| Ok(call.this()?.dt().month())),
    (Func::DtDay, FULL, |call| Ok(call.this()?.dt().day())),
    (Func::DtHour, FULL, |call| Ok(call.this()?.dt().hour())),
    (Func::DtMinute, FULL, |call| Ok(call.this()?.dt().minute())),
    (Func::DtSecond, FULL, |call| Ok(call.this()?.dt().second())),
    (Func::DtMillisecond, FULL, |call| {
        Ok(call.this()?.dt().millisecond())
    }),
    (Func::DtMicrosecond, FULL, |call| {
        Ok(call.this()?.dt().microsecond())
    }),
    (Func::DtNanosecond, FULL, |call| {
        Ok(call.this()?.dt().nanosecond())
    }),
    (Func::DtOrdinalDay, FULL, |call| {
        Ok(call.this()?.dt().ordinal_day())
    }),
    (Func::DtWeekday, FULL, |call| {
        Ok(call.this()?.dt().weekday())
    }),
    (Func::DtToString, FULL, |call| {
        Ok(call.this()?.dt().to_string(call.text("format")?))
    }),
    (Func::DtTimestamp, FULL, |call| {
        let unit = match call.text("time_unit")? {
            "ns" => TimeUnit::Nanoseconds,
            "us" => TimeUnit::Microseconds,
            "ms" => TimeUnit::Milliseconds,
            _ => return Err(call.invalid("`time_unit` is `ns`, `us` or `ms`")),
        };
        Ok(call.this()?.dt().timestamp(unit))
    }),
    (Func::DtTruncate, FULL, |call| {
        let every = call.text("every")?;
        Ok(match interval(call, every, false)? {
            true => call.this()?.dt().truncate(lit(every)),
            false => call.this()?,
        })
    }),
    (Func::DtOffsetBy, FULL, |call| {
        let by = call.text("by")?;
        Ok(match interval(call, by, true)? {
            true => call.this()?.dt().offset_by(lit(by)),
            false => call.this()?,
        })
    }),
    (Func::DtReplaceTimeZone, FULL, |call| {
        let zone = crate::schema::time_zone(call.opt_text("time_zone")?)?;
        Ok(call
            .this()?
            .dt()
            .replace_time_zone(zone, lit("raise"), NonExistent::Raise))
    }),
    (
        Func::DtConvertTimeZone,
        FULL,
        |call| match crate::schema::time_zone(call.opt_text("time_zone")?)? {
            Some(zone) => Ok(call.this()?.dt().convert_time_zone(zone)),
            None => Err(call.invalid("`time_zone` is needed")),
        },
    ),
    (Func::DtTotalMinutes, FULL, |call| {
        Ok(call.this()?.dt().total_minutes(false))
    }),
    (Func::DtTotalSeconds, FULL, |call| {
        Ok(call.this()?.dt().total_seconds(false))
    }),
    (Func::DtTotalMilliseconds, FULL, |call| {
        Ok(call.this()?.dt().total_milliseconds(false))
    }),
    (Func::DtTotalMicroseconds, FULL, |call| {
        Ok(call.this()?.dt().total_microseconds(false))
    }),
    (Func::DtTotalNanoseconds, FULL, |call| {
        Ok(call.this()?.dt().total_nanoseconds(false))
    }),
];

fn strptime(format: &str) -> StrptimeOptions {
    StrptimeOptions {
        format: Some(format.into()),
        ..StrptimeOptions::default()
    }
}

fn to_datetime(call: &Call<'_>) -> Result<Expr> {
    let this = call.this()?;
    match call.opt_text("format")? {
        Some(format) => Ok(this
            .str()
            .to_datetime(None, None, strptime(format), lit("raise"))),
        None => Ok(parse_text(
            this,
            &DataType::Datetime(TimeUnit::Microseconds, None),
        )),
    }
}

/// Checks an interval, a number and one of the units of Narwhals; false when it is empty.
fn interval(call: &Call<'_>, text: &str, signed: bool) -> Result<bool> {
    const UNITS: &[&str] = &["ns", "us", "ms", "s", "m", "h", "d", "mo", "q", "y"];
    let number = text.strip_prefix('-').filter(|_| signed).unwrap_or(text);
    let unit = number.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = &number[..number.len() - unit.len()];
    if let Ok(number) = digits.parse::<u32>()
        && UNITS.contains(&unit)
    {
        return Ok(number > 0);
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("`{}`: `{text}` is not an interval", shown(call.func())),
    )
    .with_hint("an interval is a positive number and a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q`, `y`"))
}
