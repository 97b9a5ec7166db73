//! Dates and times written as text: ISO 8601 forms, as constants.

use laktory_core::{DType, Scalar, TimeUnit};

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` when there is no such date.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i32::try_from(era * 146_097 + of_era_days - 719_468).ok()
}

/// Year, month and day of a count of days since 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + years + i64::from(month <= 2), month, day)
}

/// Hour, minute and second of a count of seconds since midnight.
pub(crate) fn clock(seconds: i64) -> (i64, i64, i64) {
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn number(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2)?;
    days(year, month, number(parts.next()?, 2)?)
}

/// Nanoseconds since midnight.
fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, ""),
    };
    let mut parts = clock.splitn(3, ':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let second = match parts.next() {
        Some(second) => number(second, 2).filter(|second| *second < 60)?,
        None => 0,
    };
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = text[1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits, 2)?, 0),
        4 => (number(&digits[..2], 2)?, number(&digits[2..], 2)?),
        _ => return None,
    };
    Some(sign * (hours * 3600 + minutes * 60))
}

/// A constant of the given type: a date, a time, or a point in time (a zone in the text makes it UTC).
pub(crate) fn scalar(text: &str, dtype: &DType) -> Option<Scalar> {
    let text = text.trim();
    match dtype {
        DType::Date => date(text).map(Scalar::Date),
        DType::Time => time(text).map(Scalar::Time),
        DType::Datetime { zone, .. } => {
            let (day, rest) = match text.split_once(['T', ' ']) {
                Some((day, rest)) => (day, rest),
                None => (text, "00:00"),
            };
            let cut = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
            let (clock, tail) = rest.split_at(cut);
            let seconds = if tail.is_empty() {
                None
            } else {
                Some(offset(tail)?)
            };
            let local = i64::from(date(day)?) * 86_400_000_000 + time(clock.trim())? / 1000;
            let zone = if seconds.is_some() {
                Some("UTC".to_owned())
            } else {
                zone.clone()
            };
            let value = local - seconds.unwrap_or(0) * 1_000_000;
            // An offset can lead out of the years that dates have.
            let (year, ..) = civil(value.div_euclid(86_400_000_000));
            (1..=9999).contains(&year).then_some(Scalar::Datetime {
                value,
                unit: TimeUnit::Microsecond,
                zone,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for day in (-719_162..2_932_896)
            .step_by(97)
            .chain([-719_162, 2_932_896, 0, 59])
        {
            let (year, month, of_month) = civil(i64::from(day));
            assert_eq!(days(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn iso_texts_become_constants() {
        assert_eq!(scalar("1970-01-02", &DType::Date), Some(Scalar::Date(1)));
        assert_eq!(
            scalar("2024-02-29", &DType::Date),
            Some(Scalar::Date(19_782))
        );
        assert_eq!(scalar("2023-02-29", &DType::Date), None);
        assert_eq!(
            scalar("00:00:01.5", &DType::Time),
            Some(Scalar::Time(1_500_000_000))
        );
        let at = |text| match scalar(text, &DType::datetime()) {
            Some(Scalar::Datetime { value, zone, .. }) => Some((value, zone)),
            _ => None,
        };
        assert_eq!(at("1970-01-01 00:00:01"), Some((1_000_000, None)));
        assert_eq!(at("1970-01-01"), Some((0, None)));
        assert_eq!(
            at("1970-01-01T01:00:00+01:00"),
            Some((0, Some("UTC".into())))
        );
        assert_eq!(at("nope"), None);
    }
}
