//! Constants of Python's module `datetime`: dates, times, points in time and spans. Nothing here reads a clock.

use laktory_core::{Expr, Scalar, TimeUnit};

use super::bind::{Call, Slot, bind};
use super::bind::{keyword, optional, required};
use super::convert;
use super::fault::{At, Fault, Outcome};
use super::value::{Item, Root, Value};
use crate::{datetime, suggest};

/// Names below `datetime`.
const NAMES: &[&str] = &[
    "date",
    "datetime",
    "time",
    "timedelta",
    "timezone",
    "timezone.utc",
    "UTC",
];

/// Whether `path` can stand below `datetime`; otherwise the fault that says what was meant.
pub(crate) fn known(path: &str, at: At) -> Result<(), Fault> {
    if NAMES.contains(&path) {
        return Ok(());
    }
    let fault = Fault::new(
        "unknown-name",
        format!("`datetime.{path}` does not exist here"),
        at,
    );
    if matches!(
        path.rsplit('.').next(),
        Some("now" | "utcnow" | "today" | "fromtimestamp")
    ) {
        return Err(fault.hint("write `nw.laktory.current_timestamp()`"));
    }
    let near = suggest::nearest(path, NAMES.iter().copied());
    Err(fault.hint_if(near.map(|name| format!("did you mean `datetime.{name}`?"))))
}

/// Calls `datetime.<path>`.
pub(crate) fn call(path: &str, call: Call) -> Outcome<Value> {
    let at = call.at;
    let scalar = match path {
        "date" => date(call)?,
        "datetime" => point(call)?,
        "time" => time(call)?,
        "timedelta" => span(call)?,
        _ => {
            known(path, at)?;
            return Err(Fault::invalid(format!("`datetime.{path}` is not a function"), at).into());
        }
    };
    Ok(Value::Expr(Expr::Literal(scalar)))
}

fn no_such(what: &str, at: At) -> Fault {
    Fault::invalid(format!("there is no such {what}"), at)
}

/// Integers by position or name, zero when they are not given, and the last argument as it is.
fn numbers<const N: usize>(
    call: Call,
    names: [&str; N],
    needed: usize,
    last: Option<Slot<'_>>,
) -> Outcome<([i64; N], Option<Item>)> {
    let slot = |(index, name)| {
        if index < needed {
            required(name)
        } else {
            optional(name)
        }
    };
    let mut slots: Vec<Slot<'_>> = names.iter().copied().enumerate().map(slot).collect();
    slots.extend(last);
    let mut bound = bind(call, &slots, false)?;
    let mut values = [0; N];
    for (index, value) in values.iter_mut().enumerate() {
        if let Some(item) = bound.one(index) {
            *value = convert::integer(&item, names[index]).map_err(|mut faults| {
                for fault in &mut faults.0 {
                    if item.value.is_expression() {
                        fault.error.code = "not-implemented";
                        fault.error.hint = Some("only constants are supported here".into());
                    }
                }
                faults
            })?;
        }
    }
    Ok((values, bound.one(N)))
}

/// `date(year, month, day)`.
pub(crate) fn date(call: Call) -> Outcome<Scalar> {
    let at = call.at;
    let ([year, month, day], _) = numbers(call, ["year", "month", "day"], 3, None)?;
    match datetime::days(year, month, day) {
        Some(days) => Ok(Scalar::Date(days)),
        None => Err(no_such("date", at).into()),
    }
}

/// Microseconds since midnight.
fn clock([hour, minute, second, micro]: [i64; 4]) -> Option<i64> {
    let fits = (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..1_000_000).contains(&micro);
    fits.then(|| ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro)
}

/// `datetime(year, month, day, hour, minute, second, microsecond, *, tzinfo)`; the zone is `datetime.timezone.utc` or
/// the name of one.
fn point(call: Call) -> Outcome<Scalar> {
    let zone = |item: Option<Item>| match item.map(|item| (item.value, item.at)) {
        None | Some((Value::None, _)) => Ok(None),
        Some((
            Value::Api {
                root: Root::Datetime,
                path,
            },
            _,
        )) if matches!(path.as_str(), "timezone.utc" | "UTC") => Ok(Some("UTC".to_owned())),
        Some((Value::Str(zone), at)) if !crate::interval::plausible_zone(&zone) => {
            Err(Fault::invalid(format!("`{zone}` is not a time zone"), at)
                .hint("names are those of the IANA database, such as `UTC` or `Europe/Paris`"))
        }
        Some((Value::Str(zone), _)) => Ok(Some(zone)),
        Some((other, at)) => Err(Fault::invalid(
            format!("`tzinfo` is {}, not a time zone", other.kind()),
            at,
        )
        .hint("write `datetime.timezone.utc`")),
    };
    moment(call, "tzinfo", zone)
}

/// `datetime(year, month, day, ...)` of Polars: the zone is a text, and called `time_zone`.
pub(crate) fn polars_point(call: Call) -> Outcome<Scalar> {
    moment(call, "time_zone", |item| match item {
        None
        | Some(Item {
            value: Value::None, ..
        }) => Ok(None),
        Some(item) => Err(Fault::new(
            "not-implemented",
            "`time_zone` is not supported here",
            item.at,
        )
        .hint("write `.dt.replace_time_zone('...')` behind it")),
    })
}

fn moment(
    call: Call,
    zone_name: &str,
    zone: impl FnOnce(Option<Item>) -> Result<Option<String>, Fault>,
) -> Outcome<Scalar> {
    let at = call.at;
    let names = [
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
    ];
    let ([year, month, day, hour, minute, second, micro], last) =
        numbers(call, names, 3, Some(keyword(zone_name)))?;
    let zone = zone(last)?;
    match (
        datetime::days(year, month, day),
        clock([hour, minute, second, micro]),
    ) {
        (Some(days), Some(micros)) => Ok(Scalar::Datetime {
            value: i64::from(days) * 86_400_000_000 + micros,
            unit: TimeUnit::Microsecond,
            zone,
        }),
        _ => Err(no_such("time", at).into()),
    }
}

/// `time(hour, minute, second, microsecond)`.
pub(crate) fn time(call: Call) -> Outcome<Scalar> {
    let at = call.at;
    let names = ["hour", "minute", "second", "microsecond"];
    let (parts, _) = numbers(call, names, 0, None)?;
    match clock(parts) {
        Some(micros) => Ok(Scalar::Time(micros * 1_000)),
        None => Err(no_such("time", at).into()),
    }
}

/// `timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)`, all integers.
pub(crate) fn span(call: Call) -> Outcome<Scalar> {
    const UNITS: [(&str, i64); 7] = [
        ("days", 86_400_000_000),
        ("seconds", 1_000_000),
        ("microseconds", 1),
        ("milliseconds", 1_000),
        ("minutes", 60_000_000),
        ("hours", 3_600_000_000),
        ("weeks", 604_800_000_000),
    ];
    let at = call.at;
    let (counts, _) = numbers(call, UNITS.map(|(name, _)| name), 0, None)?;
    // Negative spans are whole days back and a rest forth, which may overflow on the way to a sum that fits.
    let micros = counts
        .into_iter()
        .zip(UNITS)
        .map(|(count, (_, size))| i128::from(count) * i128::from(size))
        .sum::<i128>();
    match i64::try_from(micros) {
        Ok(value) => Ok(Scalar::Duration {
            value,
            unit: TimeUnit::Microsecond,
        }),
        Err(_) => Err(Fault::invalid("the span is too long", at).into()),
    }
}
