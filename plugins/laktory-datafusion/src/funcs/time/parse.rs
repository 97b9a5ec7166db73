//! Texts as dates, times and datetimes, in a strptime format or in the forms of ISO 8601.

use std::sync::Arc;

use chrono::format::{Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use laktory_core::semantics::iso;
use laktory_core::typing::shown;
use laktory_core::{Error, ErrorKind, Result};

use super::clock::naive_count;
use super::{Call, kernel};
use crate::expr::Value;
use crate::funcs::arrays;
use crate::funcs::cast::{all_parsed, from_counts};
use crate::types::is_text;

/// `str.to_datetime`.
pub(super) fn to_datetime(call: &Call<'_, '_>) -> Result<Value> {
    let Some(format) = call.opt_text("format")? else {
        let output = DataType::Timestamp(TimeUnit::Microsecond, None);
        return parsed(call, "to_datetime".into(), output, |text| {
            iso::plain_timestamp(text)?.count(laktory_core::TimeUnit::Microsecond)
        });
    };
    let unit = if format.contains("%.9f") || format.contains("%9f") {
        TimeUnit::Nanosecond
    } else if format.contains("%.3f") || format.contains("%3f") {
        TimeUnit::Millisecond
    } else {
        TimeUnit::Microsecond
    };
    let items = items(call, format)?;
    let zoned = items.iter().any(is_offset);
    let output = DataType::Timestamp(unit, zoned.then(|| Arc::from("UTC")));
    let lenient = Lenience::of(&items);
    parsed(call, format!("strptime({format})"), output, move |text| {
        let parts = parts(text, &items)?;
        if zoned {
            let point = parts.to_datetime().ok()?;
            return naive_count(point.naive_utc(), unit);
        }
        naive_count(local(parts, lenient)?, unit)
    })
}

/// `str.to_date`.
pub(super) fn to_date(call: &Call<'_, '_>) -> Result<Value> {
    let Some(format) = call.opt_text("format")? else {
        return parsed(call, "to_date".into(), DataType::Date32, |text| {
            iso::plain_date(text).map(i64::from)
        });
    };
    let items = items(call, format)?;
    let lenient = Lenience::of(&items);
    parsed(
        call,
        format!("strptime_date({format})"),
        DataType::Date32,
        move |text| {
            let day = date(&parts(text, &items)?, lenient)?;
            Some(day.to_epoch_days().into())
        },
    )
}

/// `str.to_time`.
pub(super) fn to_time(call: &Call<'_, '_>) -> Result<Value> {
    let output = DataType::Time64(TimeUnit::Nanosecond);
    let Some(format) = call.opt_text("format")? else {
        return parsed(call, "to_time".into(), output, iso::time);
    };
    let items = items(call, format)?;
    parsed(
        call,
        format!("strptime_time({format})"),
        output,
        move |text| {
            let time = parts(text, &items)?.to_naive_time().ok()?;
            let nanoseconds = i64::from(time.num_seconds_from_midnight()) * 1_000_000_000
                + i64::from(time.nanosecond());
            Some(nanoseconds)
        },
    )
}

/// A kernel that reads texts as counts; one that cannot be read fails.
fn parsed(
    call: &Call<'_, '_>,
    name: String,
    output: DataType,
    read: impl Fn(&str) -> Option<i64> + Send + Sync + 'static,
) -> Result<Value> {
    let this = call.receiver()?;
    match &this.dtype {
        DataType::Null => return Value::null(&output),
        dtype if is_text(dtype) => {}
        other => return Err(call.mismatch(other)),
    }
    let to = output.clone();
    Ok(kernel(
        name,
        vec![this],
        output,
        move |arrays: &[ArrayRef]| {
            let texts = arrays::texts(&arrays[0])?;
            let counts: Int64Array = texts.iter().map(|text| read(text?)).collect();
            let out = from_counts(counts, &to)?;
            all_parsed(&(Arc::new(texts) as ArrayRef), &out)?;
            Ok(out)
        },
    ))
}

/// The parts of a format.
fn items(call: &Call<'_, '_>, format: &str) -> Result<Vec<Item<'static>>> {
    let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| {
        call.invalid(&format!("`{format}` is not a format"))
            .with_hint("a format is made of specifiers such as `%Y-%m-%d %H:%M:%S`")
    })?;
    let has = |wanted: &[Numeric]| {
        items
            .iter()
            .any(|item| matches!(item, Item::Numeric(numeric, _) if wanted.contains(numeric)))
    };
    let hour = has(&[Numeric::Hour, Numeric::Hour12]);
    let of_date = matches!(
        call.func(),
        laktory_core::Func::StrToDate | laktory_core::Func::StrToDatetime
    );
    let why = if of_date && hour != has(&[Numeric::Minute]) {
        "names one of hour and minute, but not the other"
    } else if of_date && has(&[Numeric::Second]) && !hour {
        "names seconds, but no hours"
    } else {
        return Ok(items);
    };
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("`{}`: format `{format}` {why}", shown(call.func())),
    ))
}

fn is_offset(item: &Item<'_>) -> bool {
    use chrono::format::Fixed;
    matches!(
        item,
        Item::Fixed(
            Fixed::TimezoneOffset
                | Fixed::TimezoneOffsetColon
                | Fixed::TimezoneOffsetDoubleColon
                | Fixed::TimezoneOffsetTripleColon
                | Fixed::TimezoneOffsetColonZ
                | Fixed::TimezoneOffsetZ
                | Fixed::RFC2822
                | Fixed::RFC3339
        )
    )
}

/// Which parts a format may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lenience {
    /// None: the format counts days or weeks in its own way.
    Strict,
    /// A year, month or day that is not named is the first.
    Calendar,
}

impl Lenience {
    fn of(items: &[Item<'_>]) -> Self {
        use chrono::format::Fixed;
        let simple = items.iter().all(|item| match item {
            Item::Literal(_) | Item::OwnedLiteral(_) | Item::Space(_) | Item::OwnedSpace(_) => true,
            Item::Numeric(numeric, _) => matches!(
                numeric,
                Numeric::Year
                    | Numeric::YearMod100
                    | Numeric::Month
                    | Numeric::Day
                    | Numeric::Hour
                    | Numeric::Minute
                    | Numeric::Second
            ),
            Item::Fixed(fixed) => {
                matches!(fixed, Fixed::ShortMonthName | Fixed::LongMonthName)
            }
            Item::Error => false,
        });
        if simple { Self::Calendar } else { Self::Strict }
    }
}

fn parts(text: &str, items: &[Item<'static>]) -> Option<Parsed> {
    let mut parts = Parsed::new();
    parse(&mut parts, text, items.iter()).ok()?;
    Some(parts)
}

fn date(parts: &Parsed, lenience: Lenience) -> Option<NaiveDate> {
    if lenience == Lenience::Strict {
        return parts.to_naive_date().ok();
    }
    let mut parts = parts.clone();
    if parts.year().is_none() && parts.year_mod_100().is_none() {
        parts.set_year(1).ok()?;
    }
    if parts.month().is_none() {
        parts.set_month(1).ok()?;
    }
    if parts.day().is_none() {
        parts.set_day(1).ok()?;
    }
    parts.to_naive_date().ok()
}

/// A datetime; without a time it is midnight.
fn local(parts: Parsed, lenience: Lenience) -> Option<NaiveDateTime> {
    if let Ok(point) = parts.to_naive_datetime_with_offset(0) {
        return Some(point);
    }
    let time = if parts.hour_div_12().is_none() && parts.hour_mod_12().is_none() {
        NaiveTime::MIN
    } else {
        parts.to_naive_time().ok()?
    };
    Some(date(&parts, lenience)?.and_time(time))
}
