//! Dates and times as texts in a strftime format.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use laktory_core::{Error, ErrorKind, Result};

use super::clock::{Clock, Zone, fixed, out_of_bounds};
use super::{Call, is_date, is_datetime, is_time, kernel};
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::printed;
use crate::types::shown;

/// `dt.to_string`.
pub(super) fn to_string(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    match &this.dtype {
        DataType::Null => return Value::null(&DataType::Utf8View),
        dtype if is_date(dtype) || is_datetime(dtype) || is_time(dtype) => {}
        other => return Err(call.mismatch(other)),
    }
    let format = pattern(call.text("format")?, &this.dtype);
    check(call, &format, &this.dtype)?;
    Ok(kernel(
        format!("strftime({format})"),
        vec![this],
        DataType::Utf8View,
        move |arrays| formatted(&arrays[0], &format),
    ))
}

/// The format that `iso` stands for; others as they are.
pub(crate) fn pattern(format: &str, dtype: &DataType) -> String {
    let separator = match format {
        "iso" => ' ',
        "iso:strict" => 'T',
        other => return other.to_owned(),
    };
    match dtype {
        DataType::Timestamp(unit, zone) => {
            let fraction = match unit {
                TimeUnit::Second => "",
                TimeUnit::Millisecond => "%.3f",
                TimeUnit::Microsecond => "%.6f",
                TimeUnit::Nanosecond => "%.9f",
            };
            let offset = if zone.is_some() { "%:z" } else { "" };
            format!("%F{separator}%T{fraction}{offset}")
        }
        dtype if is_time(dtype) => "%T%.f".to_owned(),
        _ => "%F".to_owned(),
    }
}

/// Refuses formats that do not exist, and those that ask for what the type does not have.
fn check(call: &Call<'_, '_>, format: &str, dtype: &DataType) -> Result<()> {
    if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
        return Err(call
            .invalid(&format!("`{format}` is not a format"))
            .with_hint("a format is made of specifiers such as `%Y-%m-%d %H:%M:%S`"));
    }
    let mut out = String::new();
    let sample = NaiveDateTime::default();
    let written = match dtype {
        DataType::Timestamp(_, Some(_)) => return Ok(()),
        DataType::Timestamp(..) => write!(out, "{}", sample.format(format)),
        dtype if is_date(dtype) => write!(out, "{}", NaiveDate::default().format(format)),
        _ => write!(out, "{}", NaiveTime::default().format(format)),
    };
    written.map_err(|_| {
        Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "format `{format}` asks for what {} does not have",
                shown(dtype)
            ),
        )
    })
}

/// Dates, times or datetimes as texts in a format that fits them; those with a zone by its clock.
pub(crate) fn formatted(array: &ArrayRef, format: &str) -> Result<ArrayRef> {
    let items = StrftimeItems::new(format)
        .parse_to_owned()
        .map_err(|_| Error::internal(format!("format `{format}` was not checked")))?;
    let mut failed = None;
    let mut keep = |written: Result<()>| match written {
        Ok(()) => Some(()),
        Err(error) => {
            failed.get_or_insert(error);
            None
        }
    };
    let unwritable = |_| Error::internal(format!("format `{format}` was not checked"));
    let out = match array.data_type() {
        DataType::Timestamp(..) => {
            let clock = Clock::of(array.data_type())?;
            let zone = zoned(array.data_type())?;
            let counts = arrays::integers(array)?;
            printed(counts.len(), |row, out| {
                if counts.is_null(row) {
                    return None;
                }
                keep(clock.utc(counts.value(row)).and_then(|utc| {
                    match zone {
                        Some(Zone::Named(tz)) => {
                            use chrono::TimeZone;
                            write!(
                                out,
                                "{}",
                                tz.from_utc_datetime(&utc).format_with_items(items.iter())
                            )
                        }
                        Some(other) => {
                            write!(out, "{}", fixed(other, utc).format_with_items(items.iter()))
                        }
                        None => write!(out, "{}", utc.format_with_items(items.iter())),
                    }
                    .map_err(unwritable)
                }))
            })
        }
        dtype if is_date(dtype) => {
            let array = crate::funcs::cast::convert_array(array, &DataType::Date32, true)?;
            let days = arrays::integers(&array)?;
            printed(days.len(), |row, out| {
                if days.is_null(row) {
                    return None;
                }
                let day = i32::try_from(days.value(row))
                    .ok()
                    .and_then(|days| NaiveDate::from_epoch_days(days))
                    .ok_or_else(out_of_bounds);
                keep(day.and_then(|day| {
                    write!(out, "{}", day.format_with_items(items.iter())).map_err(unwritable)
                }))
            })
        }
        _ => {
            let nanoseconds = crate::funcs::cast::convert_array(
                array,
                &DataType::Time64(TimeUnit::Nanosecond),
                true,
            )?;
            let nanoseconds = arrays::integers(&nanoseconds)?;
            printed(nanoseconds.len(), |row, out| {
                if nanoseconds.is_null(row) {
                    return None;
                }
                keep(time(nanoseconds.value(row)).and_then(|time| {
                    write!(out, "{}", time.format_with_items(items.iter())).map_err(unwritable)
                }))
            })
        }
    };
    match failed {
        Some(error) => Err(error),
        None => Ok(out),
    }
}

fn time(nanoseconds: i64) -> Result<NaiveTime> {
    let seconds = u32::try_from(nanoseconds.div_euclid(1_000_000_000));
    let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000));
    match (seconds, rest) {
        (Ok(seconds), Ok(rest)) => {
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest).ok_or_else(out_of_bounds)
        }
        _ => Err(out_of_bounds()),
    }
}

/// The zone of a type, `UTC` included.
fn zoned(dtype: &DataType) -> Result<Option<Zone>> {
    match dtype {
        DataType::Timestamp(_, Some(name)) => Ok(Some(super::zone(name)?.0)),
        _ => Ok(None),
    }
}
