//! Texts of ISO 8601 as counts, and texts of booleans.
//!
//! A text may have any of the forms: date only, `T` or a blank between date and time, a fraction of any length, `Z`, an
//! offset; white space around it does not count. Conversions with a format are the engines' own.

use crate::dtype::TimeUnit;

const DAY: i64 = 86_400;

/// A point in time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00, by the clock of the text.
    pub local: i64,
    /// The same in UTC; equal to `local` when the text has no zone.
    pub utc: i64,
    /// Nanoseconds within the second.
    pub nanosecond: u32,
    /// Whether the text has a zone.
    pub zoned: bool,
}

impl Instant {
    /// Days since 1970-01-01 by the clock of the text; `None` out of the range of dates.
    #[must_use]
    pub fn days(&self) -> Option<i32> {
        i32::try_from(self.local.div_euclid(DAY)).ok()
    }

    /// The count of `unit` since 1970 in UTC, rounded down; `None` out of the range of 64 bits.
    #[must_use]
    pub fn count(&self, unit: TimeUnit) -> Option<i64> {
        let (per_second, per_count) = match unit {
            TimeUnit::Second => (1, 1_000_000_000),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        self.utc
            .checked_mul(per_second)?
            .checked_add(i64::from(self.nanosecond / per_count))
    }
}

/// The point in time of a text such as `2023-09-01T00:00:00.5+02:00`, by the rules of a cast.
#[must_use]
pub fn timestamp(text: &str) -> Option<Instant> {
    instant(text.trim_ascii().as_bytes())
}

/// The point in time of a text by the rules of `str.to_datetime()`: without zone, the day may come first
/// (`29/02/2024 12:34`).
#[must_use]
pub fn plain_timestamp(text: &str) -> Option<Instant> {
    let text = text.trim_ascii().as_bytes();
    let swapped = day_first(text);
    instant(swapped.as_deref().unwrap_or(text)).filter(|instant| !instant.zoned)
}

/// Days since 1970-01-01 of a text by the rules of `str.to_date()`: a date without time, the day may come first.
#[must_use]
pub fn plain_date(text: &str) -> Option<i32> {
    let text = text.trim_ascii();
    if text.len() > "2024-02-29".len() {
        return None;
    }
    plain_timestamp(text)?.days()
}

/// Nanoseconds since midnight of a text such as `12:34:56.789`.
#[must_use]
pub fn time(text: &str) -> Option<i64> {
    let mut rest = text.trim_ascii().as_bytes();
    let (seconds, nanosecond) = clock(&mut rest)?;
    (rest.is_empty() && seconds < DAY).then(|| seconds * 1_000_000_000 + i64::from(nanosecond))
}

/// The truth value of a text: `true`, `t`, `1` or `false`, `f`, `0`, in any letter case.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    let is = |word: &str| text.trim_ascii().eq_ignore_ascii_case(word);
    if is("true") || is("t") || is("1") {
        Some(true)
    } else if is("false") || is("f") || is("0") {
        Some(false)
    } else {
        None
    }
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

fn instant(text: &[u8]) -> Option<Instant> {
    let mut rest = text;
    let midnight = days(&mut rest)? * DAY;
    let (mut seconds, mut nanosecond) = (0, 0);
    match rest {
        [] => {}
        [b'T' | b't' | b' ', tail @ ..] => {
            rest = tail;
            (seconds, nanosecond) = clock(&mut rest)?;
        }
        _ => return None,
    }
    let local = midnight + seconds;
    Some(Instant {
        local,
        utc: local - offset(rest)?,
        nanosecond,
        zoned: !rest.is_empty(),
    })
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
            timestamp(text).map(|instant| (instant.utc, instant.nanosecond)),
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

    #[test]
    fn functions_are_stricter_than_casts() {
        let seconds = |text: &str| plain_timestamp(text).map(|instant| instant.local);
        assert_eq!(seconds("29/02/2024 12:34"), Some(1_709_210_040));
        assert_eq!(seconds("2024-02-29T12:34:00Z"), None);
        assert_eq!(plain_date("29-02-2024"), Some(19_782));
        assert_eq!(plain_date("2024-02-29 00:00"), None);
    }

    #[test]
    fn counts_round_down() {
        let before = timestamp("1969-12-31T23:59:59.9999").unwrap();
        assert_eq!(before.count(TimeUnit::Millisecond), Some(-1));
        assert_eq!(before.days(), Some(-1));
        assert_eq!(
            timestamp("9999-01-01").unwrap().count(TimeUnit::Nanosecond),
            None
        );
        assert_eq!(time("24:00"), None);
        assert_eq!(time("00:00:00.5"), Some(500_000_000));
        assert_eq!((boolean("T"), boolean("yes")), (Some(true), None));
    }
}
