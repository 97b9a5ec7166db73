//! Constants as Python literals.

use std::fmt::Write as _;

use laktory_core::{Scalar, TimeUnit};

use super::separated;
use crate::datetime::{civil, clock};

/// Whether the literal begins with a sign, so that it binds like a unary operator.
pub(super) fn is_negative(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Int(value) => *value < 0,
        Scalar::Float(value) => value.is_finite() && value.is_sign_negative(),
        _ => false,
    }
}

/// A constant as Python writes it.
pub(super) fn write(out: &mut String, scalar: &Scalar) {
    match scalar {
        Scalar::Bool(true) => out.push_str("True"),
        Scalar::Bool(false) => out.push_str("False"),
        Scalar::Int(i128::MIN) => {
            // Its magnitude is no integer of the language.
            let _ = write!(out, "(-{} - 1)", i128::MAX);
        }
        Scalar::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Scalar::Float(value) => float(out, *value),
        Scalar::Str(text) => string(out, text),
        Scalar::Bytes(bytes) => {
            out.push_str("b'");
            for byte in bytes {
                match byte {
                    b'\'' | b'\\' => {
                        out.push('\\');
                        out.push(char::from(*byte));
                    }
                    b' '..=b'~' => out.push(char::from(*byte)),
                    _ => {
                        let _ = write!(out, "\\x{byte:02x}");
                    }
                }
            }
            out.push('\'');
        }
        Scalar::Date(days) => {
            let (year, month, day) = civil(i64::from(*days));
            let _ = write!(out, "datetime.date({year}, {month}, {day})");
        }
        Scalar::Time(nanos) => time(out, *nanos),
        Scalar::Datetime { value, unit, zone } => datetime(out, *value, *unit, zone.as_deref()),
        Scalar::Duration { value, unit } => duration(out, *value, *unit),
        Scalar::List(items) => {
            out.push('[');
            separated(out, items, write);
            out.push(']');
        }
        _ => out.push_str("None"),
    }
}

/// A float so that it is read back bit by bit.
pub(super) fn float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("float('nan')");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 {
            "float('inf')"
        } else {
            "float('-inf')"
        });
    } else {
        let _ = write!(out, "{value:?}");
    }
}

/// A text in single quotes.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('\'');
    for char in text.chars() {
        match char {
            '\'' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(char),
            // What has no glyph of its own is written by number.
            _ if char.escape_debug().nth(1).is_none() => out.push(char),
            _ => {
                let code = u32::from(char);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('\'');
}

fn time(out: &mut String, nanos: i64) {
    let (hour, minute, second) = clock(nanos / 1_000_000_000);
    let fraction = nanos % 1_000_000_000;
    if fraction % 1_000 == 0 {
        let _ = write!(out, "datetime.time({hour}, {minute}");
        if second != 0 || fraction != 0 {
            let _ = write!(out, ", {second}");
        }
        if fraction != 0 {
            let _ = write!(out, ", {}", fraction / 1_000);
        }
        out.push(')');
    } else {
        // Python's times end at microseconds.
        let _ = write!(
            out,
            "nw.sql_expr(\"TIME '{hour:02}:{minute:02}:{second:02}.{fraction:09}'\")"
        );
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The fraction of a second in microseconds; finer parts have no place in Python's types.
fn micros(fraction: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanosecond => fraction / 1_000,
        _ => fraction * (1_000_000 / per_second(unit)),
    }
}

fn datetime(out: &mut String, value: i64, unit: TimeUnit, zone: Option<&str>) {
    let seconds = value.div_euclid(per_second(unit));
    let fraction = micros(value.rem_euclid(per_second(unit)), unit);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let (hour, minute, second) = clock(seconds.rem_euclid(86_400));
    let _ = write!(
        out,
        "datetime.datetime({year}, {month}, {day}, {hour}, {minute}"
    );
    if second != 0 || fraction != 0 {
        let _ = write!(out, ", {second}");
    }
    if fraction != 0 {
        let _ = write!(out, ", {fraction}");
    }
    match zone {
        None => {}
        Some("UTC") => out.push_str(", tzinfo=datetime.timezone.utc"),
        Some(zone) => {
            out.push_str(", tzinfo=");
            string(out, zone);
        }
    }
    out.push(')');
}

fn duration(out: &mut String, value: i64, unit: TimeUnit) {
    let seconds = value.div_euclid(per_second(unit));
    let fraction = micros(value.rem_euclid(per_second(unit)), unit);
    let parts = [
        ("days", seconds.div_euclid(86_400)),
        ("seconds", seconds.rem_euclid(86_400)),
        ("microseconds", fraction),
    ];
    out.push_str("datetime.timedelta(");
    separated(
        out,
        parts.into_iter().filter(|(_, count)| *count != 0),
        |out, (name, count)| {
            let _ = write!(out, "{name}={count}");
        },
    );
    out.push(')');
}
