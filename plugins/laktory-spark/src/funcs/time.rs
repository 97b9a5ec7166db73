//! Functions of dates, times, datetimes and durations. An instant is looked at in the zone of its column, which Spark
//! does not know: it is moved to local time first, and back afterwards.

use laktory_core::typing::shown;
use laktory_core::{BoundCall, DType, Error, ErrorKind, Func, Result};
use proto::expression::literal::LiteralType;
use spark_connect_proto as proto;

use super::text::texts;
use super::values::raise;
use super::{FULL, Row, format, mismatch, this_of};
use crate::dsl::{Ex, cast, f, int, is_null, literal, long, not_null, or, text, try_cast, when};
use crate::expr::{Lw, Val};
use crate::types::{UTC, zoned};

pub(super) const ROWS: &[Row] = &[
    (Func::StrToDatetime, FULL, to_datetime),
    (Func::StrToDate, FULL, to_date),
    (Func::StrToTime, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let e = match call.opt_text("format")? {
            Some(format) => f(
                "to_time",
                [this.e.clone(), text(&format::java(call, format)?.pattern)],
            ),
            None => cast(this.e.clone(), &DType::Time)?,
        };
        Ok(this.map(e, DType::Time))
    }),
    (Func::DtDate, FULL, |lw, call| {
        let this = moment(lw, call)?;
        Ok(this.map(cast(this.e.clone(), &DType::Date)?, DType::Date))
    }),
    (Func::DtYear, FULL, |lw, call| part(lw, call, "year")),
    (Func::DtMonth, FULL, |lw, call| part(lw, call, "month")),
    (Func::DtDay, FULL, |lw, call| part(lw, call, "day")),
    (Func::DtHour, FULL, |lw, call| clock_part(lw, call, "hour")),
    (Func::DtMinute, FULL, |lw, call| {
        clock_part(lw, call, "minute")
    }),
    (Func::DtSecond, FULL, |lw, call| {
        clock_part(lw, call, "second")
    }),
    (Func::DtMillisecond, FULL, |lw, call| {
        let micros = fraction(lw, call)?;
        Ok(micros.map(f("div", [micros.e.clone(), long(1_000)]), DType::Int64))
    }),
    (Func::DtMicrosecond, FULL, fraction),
    (Func::DtNanosecond, FULL, |lw, call| {
        let micros = fraction(lw, call)?;
        Ok(micros.map(f("*", [micros.e.clone(), long(1_000)]), DType::Int64))
    }),
    (Func::DtOrdinalDay, FULL, |lw, call| {
        part(lw, call, "dayofyear")
    }),
    (Func::DtWeekday, FULL, |lw, call| {
        let this = moment(lw, call)?;
        Ok(this.map(
            f("+", [f("weekday", [this.e.clone()]), int(1)]),
            DType::Int32,
        ))
    }),
    (Func::DtToString, FULL, |lw, call| {
        let this = lw.lower(&*call.this()?)?;
        let this = lw.share(this);
        let zone = zone_of(&this.t).map(str::to_owned);
        let instant = this.e.clone();
        let local = match &this.t {
            DType::Time => {
                let text = f(
                    "concat",
                    [text("1970-01-01 "), cast(instant.clone(), &DType::String)?],
                );
                cast(text, &DType::datetime())?
            }
            DType::Date if format::needs_clock(call.text("format")?) => {
                return Err(mismatch(call, &this.t));
            }
            DType::Date | DType::Datetime { .. } => local_of(&this)?.e,
            t => return Err(mismatch(call, t)),
        };
        let e = format::strftime(
            call,
            call.text("format")?,
            &local,
            &instant,
            zone.as_deref(),
        )?;
        Ok(this.map(e, DType::String))
    }),
    (Func::DtTimestamp, FULL, |lw, call| {
        let this = this_of(lw, call, is_moment)?;
        let micros = match &this.t {
            DType::Datetime { zone: Some(_), .. } => f("unix_micros", [this.e.clone()]),
            _ => f("unix_micros", [cast(this.e.clone(), &zoned(UTC))?]),
        };
        let e = match call.text("time_unit")? {
            "ns" => f("try_multiply", [micros, long(1_000)]),
            "us" => micros,
            "ms" => {
                let rest = f("pmod", [micros.clone(), long(1_000)]);
                f("div", [f("-", [micros, rest]), long(1_000)])
            }
            _ => return Err(call.invalid("`time_unit` is `ns`, `us` or `ms`")),
        };
        Ok(this.map(e, DType::Int64))
    }),
    (Func::DtTruncate, FULL, truncate),
    (Func::DtOffsetBy, FULL, offset_by),
    (Func::DtReplaceTimeZone, FULL, |lw, call| {
        let this = this_of(lw, call, |t| matches!(t, DType::Datetime { .. }))?;
        let local = local_of(&this)?;
        match call.opt_text("time_zone")? {
            None => Ok(local),
            Some(zone) => {
                known(zone)?;
                let local = lw.share(local);
                Ok(local.map(checked_instant(&local.e, zone)?, zoned(zone)))
            }
        }
    }),
    (Func::DtConvertTimeZone, FULL, |lw, call| {
        let zone = call
            .opt_text("time_zone")?
            .ok_or_else(|| call.invalid("`time_zone` is needed"))?;
        known(zone)?;
        let this = this_of(lw, call, |t| matches!(t, DType::Datetime { .. }))?;
        let e = match zone_of(&this.t) {
            Some(_) => this.e.clone(),
            None => cast(this.e.clone(), &zoned(UTC))?,
        };
        Ok(this.map(e, zoned(zone)))
    }),
    (Func::DtTotalMinutes, FULL, |lw, call| {
        total(lw, call, 60_000_000, 1)
    }),
    (Func::DtTotalSeconds, FULL, |lw, call| {
        total(lw, call, 1_000_000, 1)
    }),
    (Func::DtTotalMilliseconds, FULL, |lw, call| {
        total(lw, call, 1_000, 1)
    }),
    (Func::DtTotalMicroseconds, FULL, |lw, call| {
        total(lw, call, 1, 1)
    }),
    (Func::DtTotalNanoseconds, FULL, |lw, call| {
        total(lw, call, 1, 1_000)
    }),
];

/// The microseconds of a duration.
pub(crate) fn micros(span: Ex) -> Result<Ex> {
    Ok(f("unix_micros", [f("+", [epoch(), span])]))
}

/// A duration of microseconds.
pub(crate) fn duration(micros: Ex) -> Ex {
    f("-", [f("timestamp_micros", [micros]), epoch()])
}

fn epoch() -> Ex {
    literal(LiteralType::Timestamp(0))
}

/// The local time of an instant.
pub(crate) fn local(instant: Ex, zone: &str) -> Result<Ex> {
    let utc = cast(instant, &DType::datetime())?;
    Ok(if zone == UTC {
        utc
    } else {
        f("convert_timezone", [text(UTC), text(zone), utc])
    })
}

/// The instant of a local time.
pub(crate) fn instant(local: Ex, zone: &str) -> Result<Ex> {
    let utc = if zone == UTC {
        local
    } else {
        f("convert_timezone", [text(zone), text(UTC), local])
    };
    cast(utc, &zoned(UTC))
}

fn known(zone: &str) -> Result<()> {
    zone.parse::<chrono_tz::Tz>().map(drop).map_err(|_| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("there is no time zone `{zone}`"),
        )
        .with_hint("names are those of the IANA database, such as `Europe/Paris`")
    })
}

/// The instant of a local time; a time that a change of clocks skips or repeats fails.
fn checked_instant(local_time: &Ex, zone: &str) -> Result<Ex> {
    let at = instant(local_time.clone(), zone)?;
    if zone == UTC {
        return Ok(at);
    }
    let hour = |sign: i64| literal(LiteralType::DayTimeInterval(sign * 3_600_000_000));
    let back = |instant: Ex| local(instant, zone);
    let skipped = f("!=", [back(at.clone())?, local_time.clone()]);
    let again = |moved: Ex| -> Result<Ex> { Ok(f("==", [back(moved)?, local_time.clone()])) };
    let repeated = or(
        again(f("+", [at.clone(), hour(1)]))?,
        again(f("-", [at.clone(), hour(1)]))?,
    );
    let fail = |what: &str| {
        raise(
            ErrorKind::ConversionFailed,
            &format!("a local time {what} in time zone {zone}"),
        )
    };
    Ok(when(
        [
            (skipped, fail("does not exist")),
            (repeated, fail("is ambiguous")),
        ],
        Some(at),
    ))
}

pub(super) fn zone_of(t: &DType) -> Option<&str> {
    match t {
        DType::Datetime { zone, .. } => zone.as_deref(),
        _ => None,
    }
}

fn is_moment(t: &DType) -> bool {
    matches!(t, DType::Date | DType::Datetime { .. })
}

/// A date or datetime as local time.
fn local_of(this: &Val) -> Result<Val> {
    Ok(match zone_of(&this.t) {
        Some(zone) => this.map(local(this.e.clone(), zone)?, DType::datetime()),
        None => this.clone(),
    })
}

fn moment(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, is_moment)?;
    local_of(&this)
}

fn part(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = moment(lw, call)?;
    Ok(this.map(f(name, [this.e.clone()]), DType::Int32))
}

fn clock_part(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = this_of(lw, call, |t| {
        matches!(t, DType::Datetime { .. } | DType::Time)
    })?;
    let this = local_of(&this)?;
    Ok(this.map(f(name, [this.e.clone()]), DType::Int32))
}

/// The fraction of the second in microseconds.
fn fraction(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, |t| {
        matches!(t, DType::Datetime { .. } | DType::Time)
    })?;
    let e = if this.t == DType::Time {
        let seconds = f("date_part", [text("SECONDS"), this.e.clone()]);
        let micros = cast(f("*", [seconds, long(1_000_000)]), &DType::Int64)?;
        f("pmod", [micros, long(1_000_000)])
    } else {
        let at = match zone_of(&this.t) {
            Some(_) => this.e.clone(),
            None => cast(this.e.clone(), &zoned(UTC))?,
        };
        f("pmod", [f("unix_micros", [at]), long(1_000_000)])
    };
    Ok(this.map(e, DType::Int64))
}

fn total(lw: &mut Lw<'_>, call: &BoundCall<'_>, divisor: i64, factor: i64) -> Result<Val> {
    let this = this_of(lw, call, |t| matches!(t, DType::Duration(_)))?;
    let micros = micros(this.e.clone())?;
    let e = match (divisor, factor) {
        (1, 1) => micros,
        (1, factor) => f("*", [micros, long(factor)]),
        (divisor, _) => f("div", [micros, long(divisor)]),
    };
    Ok(this.map(e, DType::Int64))
}

fn fails(what: &str) -> Ex {
    raise(ErrorKind::ConversionFailed, what)
}

fn to_datetime(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = texts(lw, call)?;
    if let Some(format) = call.opt_text("format")? {
        let java = format::java(call, format)?;
        let (name, t) = if java.offset {
            ("to_timestamp_ltz", zoned(UTC))
        } else {
            ("to_timestamp_ntz", DType::datetime())
        };
        let e = f(name, [this.e.clone(), text(&java.pattern)]);
        return Ok(this.map(e, t));
    }
    let this = lw.share(this);
    let x = || this.e.clone();
    let zoned = f("rlike", [x(), text("(Z|[+-]\\d\\d:?\\d\\d)$")]);
    let date = f("rlike", [x(), text("^\\d{1,4}-\\d{1,2}-\\d{1,2}$")]);
    let with_zone = crate::dsl::and(zoned, crate::dsl::not(date));
    let plain = crate::dsl::iff(with_zone, crate::dsl::null_of(&DType::String)?, x());
    let mut tries = vec![try_cast(plain, &DType::datetime())?];
    for pattern in [
        "d/M/yyyy[ H:mm[:ss]]",
        "d-M-yyyy[ H:mm[:ss]]",
        "yyyy/M/d[ H:mm[:ss]]",
    ] {
        let parsed = f("try_to_timestamp", [x(), text(pattern)]);
        tries.push(cast(parsed, &DType::datetime())?);
    }
    tries.push(when(
        [(not_null(x()), fails("a text is no datetime in ISO form"))],
        None,
    ));
    Ok(this.map(f("coalesce", tries), DType::datetime()))
}

fn to_date(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = texts(lw, call)?;
    if let Some(format) = call.opt_text("format")? {
        let e = f(
            "to_date",
            [this.e.clone(), text(&format::java(call, format)?.pattern)],
        );
        return Ok(this.map(e, DType::Date));
    }
    let this = lw.share(this);
    let x = || this.e.clone();
    let matches = |pattern: &str| f("rlike", [x(), text(pattern)]);
    let e = when(
        [
            (is_null(x()), cast(x(), &DType::Date)?),
            (
                matches("^\\d{4}-\\d{1,2}-\\d{1,2}$"),
                cast(x(), &DType::Date)?,
            ),
            (
                matches("^\\d{4}/\\d{1,2}/\\d{1,2}$"),
                f("to_date", [x(), text("yyyy/M/d")]),
            ),
            (
                matches("^\\d{1,2}/\\d{1,2}/\\d{4}$"),
                f("to_date", [x(), text("d/M/yyyy")]),
            ),
            (
                matches("^\\d{1,2}-\\d{1,2}-\\d{4}$"),
                f("to_date", [x(), text("d-M-yyyy")]),
            ),
        ],
        Some(fails("a text is no date in ISO form")),
    );
    Ok(this.map(e, DType::Date))
}

/// Number and unit of an interval.
fn interval<'t>(call: &BoundCall<'_>, text: &'t str, signed: bool) -> Result<(i64, &'t str)> {
    const UNITS: &[&str] = &["ns", "us", "ms", "s", "m", "h", "d", "mo", "q", "y"];
    let (sign, number) = match text.strip_prefix('-') {
        Some(rest) if signed => (-1, rest),
        _ => (1, text),
    };
    let unit = number.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = &number[..number.len() - unit.len()];
    match digits.parse::<i32>() {
        Ok(number) if UNITS.contains(&unit) => Ok((sign * i64::from(number), unit)),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}`: `{text}` is not an interval", shown(call.func())),
        )
        .with_hint("an interval is a positive number and a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q`, `y`")),
    }
}

/// Microseconds of a unit that has a fixed length; months of the others.
fn length(unit: &str) -> std::result::Result<i64, i64> {
    Ok(match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        "mo" => return Err(1),
        "q" => return Err(3),
        "y" => return Err(12),
        // Nanoseconds are below what Spark holds.
        _ => 0,
    })
}

fn truncate(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, is_moment)?;
    let (number, unit) = interval(call, call.text("every")?, false)?;
    if number == 0 {
        return Ok(this);
    }
    let zone = zone_of(&this.t).map(str::to_owned);
    let t = this.t.clone();
    let original = this.clone();
    let local = local_of(&this)?;
    let local = lw.share(local);
    let start = match length(unit) {
        Ok(micros) => {
            let every = if micros == 0 {
                number / 1_000
            } else {
                micros * number
            };
            if every <= 1 {
                return Ok(this);
            }
            let at = f("unix_micros", [cast(local.e.clone(), &zoned(UTC))?]);
            let rest = f("pmod", [at.clone(), long(every)]);
            if zone.is_some() && micros < 86_400_000_000 {
                // Within a day the clock runs evenly, also where it was changed.
                let at = f("unix_micros", [original.e.clone()]);
                let start = f("timestamp_micros", [f("-", [at, rest])]);
                return Ok(Val::of(start, t, &[&local, &original]));
            }
            cast(
                f("timestamp_micros", [f("-", [at, rest])]),
                &DType::datetime(),
            )?
        }
        Err(months) => {
            let every = int(i32::try_from(months * number).unwrap_or(i32::MAX));
            let year = f("*", [f("year", [local.e.clone()]), int(12)]);
            let count = f("-", [f("+", [year, f("month", [local.e.clone()])]), int(1)]);
            let first = f("-", [count.clone(), f("pmod", [count, every])]);
            let year = cast(f("div", [first.clone(), int(12)]), &DType::Int32)?;
            let month = f("+", [f("pmod", [first, int(12)]), int(1)]);
            cast(f("make_date", [year, month, int(1)]), &DType::datetime())?
        }
    };
    let e = match (&t, zone) {
        (DType::Date, _) => cast(start, &DType::Date)?,
        (_, Some(zone)) => instant(start, &zone)?,
        _ => start,
    };
    Ok(local.map(e, t))
}

fn offset_by(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, is_moment)?;
    let (number, unit) = interval(call, call.text("by")?, true)?;
    if number == 0 {
        return Ok(this);
    }
    let span = |micros: i64| literal(LiteralType::DayTimeInterval(micros));
    let t = this.t.clone();
    let moved = |e: Ex| -> Result<Ex> {
        Ok(match length(unit) {
            Ok(0) => f("+", [e, span(number / 1_000)]),
            Ok(micros) => f("+", [e, span(micros * number)]),
            Err(months) => {
                let months = i32::try_from(months * number).unwrap_or(i32::MAX);
                f("+", [e, literal(LiteralType::YearMonthInterval(months))])
            }
        })
    };
    let e = match (&t, zone_of(&t), unit) {
        (DType::Date, ..) => cast(
            moved(cast(this.e.clone(), &DType::datetime())?)?,
            &DType::Date,
        )?,
        // Days and months move the clock of the zone, hours the instant.
        (_, Some(zone), "d" | "mo" | "q" | "y") => {
            instant(moved(local(this.e.clone(), zone)?)?, zone)?
        }
        _ => moved(this.e.clone())?,
    };
    Ok(this.map(e, t))
}
