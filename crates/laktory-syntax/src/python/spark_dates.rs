//! Spark's functions of dates and times, and its date patterns, in terms of the common API.

use laktory_core::semantics::pattern::strftime;
use laktory_core::{Arg, Expr, Func};

use super::bind::{Call, bind, optional};
use super::convert;
use super::fault::{Fault, Outcome};
use super::spark_arguments::{count_of, first, more, of, text};

pub(super) fn date_format(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [format]) = more(call, ["format"])?;
    let format = text(format, "format", at)?;
    let wanted = strftime(&format).ok_or_else(|| {
        Fault::new(
            "not-implemented",
            format!("the format `{format}` is not understood"),
            at,
        )
        .hint("use `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and punctuation")
    })?;
    Ok(of(
        Func::DtToString,
        vec![Arg::Expr(receiver), Arg::Str(wanted)],
    ))
}

/// `trunc(date, unit)`, which gives a date.
pub(super) fn trunc(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [unit]) = more(call, ["format"])?;
    let unit = text(unit, "format", at)?;
    let every = match unit.to_lowercase().as_str() {
        "year" | "yyyy" | "yy" => "1y",
        "quarter" => "1q",
        "month" | "mon" | "mm" => "1mo",
        _ => {
            let message = format!("`trunc()` does not know `{unit}`");
            return Err(Fault::new("not-implemented", message, at).into());
        }
    };
    let day = Expr::call(Func::DtDate, [receiver]);
    Ok(of(
        Func::DtTruncate,
        vec![Arg::Expr(day), Arg::Str(every.into())],
    ))
}

/// A date moved by a constant number of days or months; the clock is lost, as in Spark.
pub(super) fn moved(call: Call, sign: i64, unit: &str) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [count]) = more(call, ["days"])?;
    let count = count_of(count, "days", at)?.saturating_mul(sign);
    let day = Expr::call(Func::DtDate, [receiver]);
    let by = Arg::Str(format!("{count}{unit}"));
    Ok(of(Func::DtOffsetBy, vec![Arg::Expr(day), by]))
}

/// Sunday is 1.
pub(super) fn day_of_week(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    let from_zero = Expr::call(Func::SqlDayOfWeek, [receiver]);
    Ok(Expr::call(Func::Add, [from_zero, Expr::literal(1_i64)]))
}

/// Monday is 0.
pub(super) fn weekday(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    let from_one = Expr::call(Func::DtWeekday, [receiver]);
    Ok(Expr::call(Func::Sub, [from_one, Expr::literal(1_i64)]))
}

pub(super) fn today(call: Call) -> Outcome<Expr> {
    bind(call, &[], false)?;
    Ok(Expr::call(
        Func::DtDate,
        [Expr::call(Func::CurrentTimestamp, [])],
    ))
}

pub(super) fn parsed(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    let mut bound = bind(call, &[optional("format")], false)?;
    let format = match bound.one(0) {
        None => Arg::Absent,
        Some(item) => {
            let at = item.at;
            let format = convert::string(item, "format")?;
            Arg::Str(strftime(&format).ok_or_else(|| {
                Fault::new(
                    "not-implemented",
                    format!("the format `{format}` is not understood"),
                    at,
                )
                .hint("use `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and punctuation")
            })?)
        }
    };
    Ok(Expr::Call {
        func,
        args: vec![Arg::Expr(receiver), format],
    })
}

pub(super) fn to_date(call: Call) -> Outcome<Expr> {
    parsed(call, Func::StrToDate)
}

pub(super) fn to_timestamp(call: Call) -> Outcome<Expr> {
    parsed(call, Func::StrToDatetime)
}

pub(super) fn date_trunc(mut call: Call) -> Outcome<Expr> {
    let at = call.at;
    if call.args.is_empty() {
        return Err(Fault::invalid("`date_trunc()` needs a unit", at).into());
    }
    let unit = convert::string(call.args.remove(0), "format")?;
    let every = match unit.to_lowercase().as_str() {
        "year" | "yyyy" | "yy" => "1y",
        "quarter" => "1q",
        "month" | "mon" | "mm" => "1mo",
        "day" | "dd" => "1d",
        "hour" => "1h",
        "minute" => "1m",
        "second" => "1s",
        _ => {
            return Err(Fault::new(
                "not-implemented",
                format!("`date_trunc()` does not know `{unit}`"),
                at,
            )
            .into());
        }
    };
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(Expr::Call {
        func: Func::DtTruncate,
        args: vec![Arg::Expr(receiver), Arg::Str(every.into())],
    })
}
