//! Conversions that polars refuses: texts of ISO 8601 to dates, times and datetimes, and texts to booleans.
//!
//! Texts may mix the forms: date only, `T` or blank between date and time, fractions of any length, `Z`, offsets.
//! A datetime with an offset becomes its UTC time.

use laktory_core::ErrorKind;
use polars::prelude::{
    BooleanChunked, ChunkCompareEq, ChunkCompareIneq, Column, DataType, Expr, Field, Int32Chunked,
    Int64Chunked, IntoColumn, IntoSeries, PlSmallStr, PolarsResult, Schema, StringChunked,
    TimeUnit,
};
use polars_core::chunked_array::cast::CastOptions;

use crate::error::carried;

const DAY: i64 = 86_400;

/// `expr` converted to `dtype`; a value that does not fit fails when `strict`, else becomes null.
pub(crate) fn convert(expr: Expr, dtype: &DataType, strict: bool) -> Expr {
    let own = match dtype {
        DataType::Date | DataType::Time | DataType::Datetime(..) | DataType::Boolean => true,
        // Decimals round down in polars.
        dtype => dtype.is_integer(),
    };
    if !own {
        return if strict {
            expr.strict_cast(dtype.clone())
        } else {
            expr.cast(dtype.clone())
        };
    }
    let (to, output) = (dtype.clone(), dtype.clone());
    expr.map_with_fmt_str(
        move |column| convert_column(&column, &to, strict),
        move |_: &Schema, field: &Field| output_field(field, &output),
        PlSmallStr::from_static("cast"),
    )
}

/// A text as `dtype`, by the rules of the expression language: no zones, dates without time, also day first.
pub(crate) fn parse_text(expr: Expr, dtype: &DataType) -> Expr {
    let (to, output) = (dtype.clone(), dtype.clone());
    expr.map_with_fmt_str(
        move |column| {
            column.try_apply_unary_elementwise(|series| {
                let texts = series.str()?;
                let seconds = |text: &[u8]| {
                    let day_first = day_first(text);
                    let (seconds, nanoseconds) = timestamp(day_first.as_deref().unwrap_or(text))?;
                    (seconds.plain).then_some((seconds.local, nanoseconds))
                };
                match to {
                    DataType::Date => {
                        let days: Int32Chunked = parse(texts, &to, true, |text| {
                            let (seconds, _) =
                                seconds(text).filter(|_| text.len() <= "2024-02-29".len())?;
                            i32::try_from(seconds.div_euclid(DAY)).ok()
                        })?;
                        days.into_series().cast(&to)
                    }
                    _ => {
                        let counts: Int64Chunked = parse(texts, &to, true, |text| {
                            let (seconds, nanoseconds) = seconds(text)?;
                            seconds
                                .checked_mul(1_000_000)?
                                .checked_add(i64::from(nanoseconds / 1_000))
                        })?;
                        counts.into_series().cast(&to)
                    }
                }
            })
        },
        move |_: &Schema, field: &Field| match field.dtype() {
            DataType::String | DataType::Null => {
                Ok(Field::new(field.name().clone(), output.clone()))
            }
            other => Err(carried(
                ErrorKind::TypeMismatch,
                &format!("column `{}` of type {other} is not a text", field.name()),
            )),
        },
        PlSmallStr::from_static("parse"),
    )
}

/// `29/02/2024 12:34` or `29-02-2024` with the year first.
fn day_first(text: &[u8]) -> Option<Vec<u8>> {
    let separator = *text.get(2)?;
    if text.len() < 10 || !b"/-".contains(&separator) || text[5] != separator {
        return None;
    }
    let mut out = [&text[6..10], b"-", &text[3..5], b"-", &text[..2]].concat();
    out.extend_from_slice(&text[10..]);
    Some(out)
}

/// The field that a conversion gives, or why there is none.
pub(crate) fn output_field(field: &Field, to: &DataType) -> PolarsResult<Field> {
    match field.dtype() {
        DataType::Categorical(..)
        | DataType::Enum(..)
        | DataType::List(_)
        | DataType::Struct(_)
        | DataType::Array(..)
        | DataType::Binary => Err(carried(
            ErrorKind::UnsupportedCast,
            &format!(
                "column `{}` of type {} cannot become {to}",
                field.name(),
                field.dtype()
            ),
        )),
        _ => Ok(Field::new(field.name().clone(), to.clone())),
    }
}

/// A column converted.
pub(crate) fn convert_column(column: &Column, to: &DataType, strict: bool) -> PolarsResult<Column> {
    let options = if strict {
        CastOptions::Strict
    } else {
        CastOptions::NonStrict
    };
    match column.dtype() {
        DataType::String if !to.is_integer() => {}
        DataType::Decimal(_, scale) if to.is_integer() && *scale > 0 => {
            let whole = column.cast(&DataType::Decimal(38, *scale))?;
            let floor = whole.cast_with_options(&DataType::Int128, options)?;
            // One more where a negative number has a fraction.
            let back = floor.cast(&DataType::Decimal(38, *scale))?;
            let negative = floor.as_materialized_series().lt(0_i64)?;
            let fraction = back
                .as_materialized_series()
                .not_equal(whole.as_materialized_series())?;
            let up = (negative & fraction)
                .into_series()
                .into_column()
                .cast(&DataType::Int128)?;
            return (floor + up)?.cast_with_options(to, options);
        }
        _ => return column.cast_with_options(to, options),
    }
    column.try_apply_unary_elementwise(|series| {
        let texts = series.str()?;
        Ok(match to {
            DataType::Date => {
                let days: Int32Chunked = parse(texts, to, strict, |text| {
                    let (seconds, ..) = timestamp(text)?;
                    i32::try_from(seconds.local.div_euclid(DAY)).ok()
                })?;
                days.into_series().cast(to)?
            }
            DataType::Time => {
                let nanoseconds: Int64Chunked = parse(texts, to, strict, |text| {
                    let mut rest = text;
                    let (seconds, nanoseconds) = clock(&mut rest)?;
                    (rest.is_empty() && seconds < DAY)
                        .then(|| seconds * 1_000_000_000 + i64::from(nanoseconds))
                })?;
                nanoseconds.into_series().cast(to)?
            }
            DataType::Datetime(unit, _) => {
                let unit = *unit;
                let counts: Int64Chunked = parse(texts, to, strict, |text| {
                    let (seconds, nanoseconds) = timestamp(text)?;
                    let (per_second, per_count) = match unit {
                        TimeUnit::Milliseconds => (1_000, 1_000_000),
                        TimeUnit::Microseconds => (1_000_000, 1_000),
                        TimeUnit::Nanoseconds => (1_000_000_000, 1),
                    };
                    seconds
                        .utc
                        .checked_mul(per_second)?
                        .checked_add(i64::from(nanoseconds / per_count))
                })?;
                counts.into_series().cast(to)?
            }
            _ => {
                let flags: BooleanChunked = parse(texts, to, strict, boolean)?;
                flags.into_series()
            }
        })
    })
}

fn parse<T, C>(
    texts: &StringChunked,
    to: &DataType,
    strict: bool,
    one: impl Fn(&[u8]) -> Option<T>,
) -> PolarsResult<C>
where
    C: FromIterator<Option<T>> + IntoSeries + Named,
{
    let mut bad: Option<&str> = None;
    let parsed: C = texts
        .iter()
        .map(|text| {
            let text = text?;
            let value = one(text.trim_ascii().as_bytes());
            if value.is_none() && bad.is_none() {
                bad = Some(text);
            }
            value
        })
        .collect();
    match bad {
        Some(text) if strict => Err(carried(
            ErrorKind::ConversionFailed,
            &format!(
                "column `{}`: `{}` is not a {}",
                texts.name(),
                shortened(text),
                kind(to)
            ),
        )),
        _ => Ok(parsed.named(texts.name().clone())),
    }
}

/// Chunked arrays that can be given a name.
trait Named {
    fn named(self, name: PlSmallStr) -> Self;
}

macro_rules! named {
    ($($array:ty),+) => { $( impl Named for $array {
        fn named(self, name: PlSmallStr) -> Self {
            self.with_name(name)
        }
    } )+ };
}

named!(BooleanChunked, Int32Chunked, Int64Chunked);

fn kind(to: &DataType) -> &'static str {
    match to {
        DataType::Date => "date of the form `2024-02-29`",
        DataType::Time => "time of the form `12:34:56`",
        DataType::Boolean => "boolean",
        _ => "datetime of ISO 8601",
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn boolean(text: &[u8]) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is("true") || is("t") || is("1") {
        Some(true)
    } else if is("false") || is("f") || is("0") {
        Some(false)
    } else {
        None
    }
}

/// Seconds since 1970, by the clock of the text and in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seconds {
    local: i64,
    utc: i64,
    /// Whether the text has no zone.
    plain: bool,
}

/// Seconds and nanoseconds since 1970 of a text such as `2023-09-01T00:00:00.5+02:00`.
fn timestamp(text: &[u8]) -> Option<(Seconds, u32)> {
    let mut rest = text;
    let days = days(&mut rest)?;
    let midnight = days * DAY;
    match rest {
        [] => {
            return Some((
                Seconds {
                    local: midnight,
                    utc: midnight,
                    plain: true,
                },
                0,
            ));
        }
        [b'T' | b't' | b' ', tail @ ..] => rest = tail,
        _ => return None,
    }
    let (seconds, nanoseconds) = clock(&mut rest)?;
    let local = midnight + seconds;
    let offset = offset(rest)?;
    Some((
        Seconds {
            local,
            utc: local - offset,
            plain: rest.is_empty(),
        },
        nanoseconds,
    ))
}

/// Takes a number of exactly `digits` digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    if rest.len() < digits {
        return None;
    }
    let (head, tail) = rest.split_at(digits);
    let mut value = 0;
    for byte in head {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    *rest = tail;
    Some(value)
}

/// Takes one byte if it is `byte`.
fn skip(rest: &mut &[u8], byte: u8) -> bool {
    match rest {
        [first, tail @ ..] if *first == byte => {
            *rest = tail;
            true
        }
        _ => false,
    }
}

/// Takes a date, `2024-02-29`, `2024/02/29` or `20240229`, as days since 1970.
fn days(rest: &mut &[u8]) -> Option<i64> {
    let year = number(rest, 4)?;
    let separator = match rest.first()? {
        b'-' => Some(b'-'),
        b'/' => Some(b'/'),
        _ => None,
    };
    let take = |rest: &mut &[u8]| match separator {
        Some(separator) if !skip(rest, separator) => None,
        _ => number(rest, 2),
    };
    let month = take(rest)?;
    let day = take(rest)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Days from the civil calendar, with years that begin in March.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468)
}

/// Takes a clock time, `12:34`, `12:34:56.789` or `123456`, as seconds and nanoseconds since midnight.
fn clock(rest: &mut &[u8]) -> Option<(i64, u32)> {
    let hour = number(rest, 2)?;
    let colon = skip(rest, b':');
    let minute = number(rest, 2)?;
    let more = if colon {
        skip(rest, b':')
    } else {
        rest.first().is_some_and(u8::is_ascii_digit)
    };
    let second = if more { number(rest, 2)? } else { 0 };
    let mut nanoseconds = 0_u32;
    if more && (skip(rest, b'.') || skip(rest, b',')) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for at in 0..9 {
            let digit = if at < digits { rest[at] - b'0' } else { 0 };
            nanoseconds = nanoseconds * 10 + u32::from(digit);
        }
        *rest = &rest[digits..];
    }
    let midnight = hour == 24 && minute == 0 && second == 0 && nanoseconds == 0;
    if minute > 59 || second > 59 || hour > 23 && !midnight {
        return None;
    }
    Some((hour * 3_600 + minute * 60 + second, nanoseconds))
}

/// The offset from UTC at the end of a text, in seconds; none counts as zero.
fn offset(text: &[u8]) -> Option<i64> {
    let mut rest = text.trim_ascii_start();
    if rest.is_empty() || rest.eq_ignore_ascii_case(b"z") || rest.eq_ignore_ascii_case(b"utc") {
        return Some(0);
    }
    let sign = match rest {
        [b'+', tail @ ..] => {
            rest = tail;
            1
        }
        [b'-', tail @ ..] => {
            rest = tail;
            -1
        }
        _ => return None,
    };
    let hours = number(&mut rest, 2)?;
    skip(&mut rest, b':');
    let minutes = if rest.is_empty() {
        0
    } else {
        number(&mut rest, 2)?
    };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, u32)>) {
        assert_eq!(
            timestamp(text.as_bytes()).map(|(seconds, nanoseconds)| (seconds.utc, nanoseconds)),
            expected,
            "{text}"
        );
    }

    #[test]
    fn every_iso_form_of_one_instant_is_read() {
        for text in [
            "2023-09-01T00:00:00",
            "2023-09-01T00:00:00Z",
            "2023-09-01 00:00:00",
            "2023-09-01",
            "20230901",
            "20230901T000000Z",
            "2023/09/01 00:00",
            "2023-09-01T02:00:00+02:00",
            "2023-09-01T02:00:00 +0200",
            "2023-08-31T19:00:00-05",
            "2023-08-31T24:00:00",
        ] {
            check(text, Some((1_693_526_400, 0)));
        }
        check("1969-12-31T23:59:59.5", Some((-1, 500_000_000)));
        check(
            "2000-02-29T00:00:00.123456789",
            Some((951_782_400, 123_456_789)),
        );
        check("0001-01-01", Some((-62_135_596_800, 0)));
    }

    #[test]
    fn what_is_no_datetime_is_refused() {
        for text in [
            "",
            "2023-02-29",
            "2023-13-01",
            "2023-9-1",
            "2023-09-01T25:00:00",
            "2023-09-01Tx",
            "abc",
            "12:00",
        ] {
            check(text, None);
        }
    }
}
